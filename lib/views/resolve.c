#include <stdlib.h>

#include "id.h"
#include "lines.h"
#include "reader_int.h"
#include "views_schema.h"
#include "write.h"

#define CANDIDATES_MAX 8 /* entries that an id prefix is answered with */
#define BACK_MAX 9999    /* in last~N */
#define LOGS_MAX 1024    /* of one person that `last` looks at */
#define LOOK_MAX 100000  /* entries that `last` passes over */

/* --- last ----------------------------------------------------------------------------------- */

/* One log walked backwards. */
struct tail {
    uint32_t log_no;
    uint64_t seq; /* 0: at its end */
    uint64_t time_ms;
    int64_t n;
};

static int on_run(void *arg, const struct al_store_run *run)
{
    struct tail *t = arg;
    if (run->first > t->seq)
        return 0;
    t->seq = run->last < t->seq ? run->last : t->seq;
    return 1;
}

/* Find the entry at |t|, or, where it is not held, the next one below. */
static int step_back(struct al_call *c, struct tail *t)
{
    struct al_store_row row;
    while (t->seq > 0) {
        int err = al_store_get(c->r->log, &row, t->log_no, t->seq);
        if (err == 0) {
            t->time_ms = row.time_ms;
            t->n = (int64_t)row.pos;
            return 0;
        }
        int got = err == AL_E_NOT_FOUND ? al_store_runs(c->r->log, t->log_no, on_run, t) : err;
        if (got < 0)
            return got;
        if (got == 0)
            t->seq = 0;
    }
    return 0;
}

static int load_tails(struct al_call *c, struct tail *tails, int *ret_count, int64_t author)
{
    sqlite3_stmt *st = NULL;
    int count = 0;
    int got = al_call_prepare(c, &st, "SELECT no FROM log WHERE author = ?1 LIMIT ?2");
    if (got == 0) {
        al_viewdb_bind_int(st, 1, author);
        al_viewdb_bind_int(st, 2, LOGS_MAX);
    }
    while (got == 0 && (got = al_viewdb_step(st)) > 0) {
        struct al_store_log log;
        got = al_store_log_get(c->r->log, &log, (uint32_t)sqlite3_column_int64(st, 0));
        if (got == 0) {
            tails[count] = (struct tail){.log_no = log.no, .seq = log.head_seq};
            got = step_back(c, &tails[count++]);
        }
    }
    (void)sqlite3_finalize(st);
    *ret_count = count;
    return got;
}

/*
 * The entry that |author| wrote last, or |back| before it: by the logs and the time of writing, so
 * that `--at yesterday` makes no difference. Entries that were taken back count if |retracted|.
 * Returns 1, 0 when there is none, or an error.
 */
static int last_of(struct al_call *c, int64_t *ret_n, int64_t author, uint64_t back, bool retracted)
{
    const int64_t gone = retracted ? AL_ENTRY_RETRACTED : -1;
    struct tail *tails = calloc(LOGS_MAX, sizeof(*tails));
    if (tails == NULL)
        return AL_E_NOMEM;
    int count = 0;
    sqlite3_stmt *st = NULL;
    int got = load_tails(c, tails, &count, author);
    if (got == 0)
        got = al_call_prepare(c, &st,
            "SELECT 1 FROM entry e LEFT JOIN line l ON l.k = e.k WHERE e.n = ?1"
            " AND (l.k IS NOT NULL OR (e.state = ?2 AND e.kind IS NOT ?3))");
    for (int look = 0; got == 0 && look < LOOK_MAX; look++) {
        struct tail *newest = NULL;
        for (int i = 0; i < count; i++) {
            if (tails[i].seq > 0 && (newest == NULL || tails[i].time_ms > newest->time_ms))
                newest = &tails[i];
        }
        if (newest == NULL)
            break;
        int64_t one;
        got = al_viewdb_int(st, &one, (int64_t[]){newest->n, gone, AL_KIND_EDIT}, 3);
        *ret_n = newest->n;
        if (got > 0 && back-- > 0)
            got = 0;
        newest->seq--;
        if (got == 0)
            got = step_back(c, newest);
    }
    (void)sqlite3_finalize(st);
    free(tails);
    return got;
}

/* --- what was typed ------------------------------------------------------------------------- */

/* Read "last" or "last~N". */
static bool parse_last(struct al_slice text, uint64_t *ret_back)
{
    if (text.n < 4 || memcmp(text.p, "last", 4) != 0)
        return false;
    uint64_t back = 0;
    if (text.n > 4 && (text.p[4] != '~' || text.n == 5 || text.n > 9))
        return false;
    for (size_t i = 5; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        back = back * 10 + (uint64_t)(text.p[i] - '0');
    }
    *ret_back = back;
    return back <= BACK_MAX;
}

/* Add the entries whose ids begin with |prefix|. */
static int add_prefix(struct al_call *c, struct al_page *page, const struct al_id_prefix *prefix)
{
    uint8_t high[32];
    memset(high, 0xff, sizeof(high));
    for (unsigned i = 0; i < prefix->bits; i++) {
        if ((prefix->b[i / 8] & 0x80 >> i % 8) == 0)
            high[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    }
    sqlite3_stmt *st = NULL;
    int err = al_call_prepare(c, &st,
        "SELECT e.n, e.id FROM name m JOIN entry e ON e.n = m.n"
        " WHERE m.id8 BETWEEN ?1 AND ?2 ORDER BY m.id8");
    if (err == 0) {
        al_viewdb_bind_int(st, 1, al_line_id8(prefix->b));
        al_viewdb_bind_int(st, 2, al_line_id8(high));
    }
    int got = 0;
    while (err == 0 && !al_page_full(page, CANDIDATES_MAX) && (got = al_viewdb_step(st)) > 0) {
        struct al_slice id = al_viewdb_slice(st, 1);
        if (id.n == 32 && al_id_has_prefix(id.p, prefix))
            err = al_page_add(
                page, c, sqlite3_column_int64(st, 0), &(struct al_row_opts){.depth = 0});
    }
    (void)sqlite3_finalize(st);
    return err != 0 ? err : got < 0 ? got : 0;
}

static int add_last(
    struct al_call *c, struct al_page *page, int64_t author, uint64_t back, bool retracted)
{
    int64_t n = 0;
    int got = last_of(c, &n, author, back, retracted);
    return got > 0 ? al_page_add(page, c, n, &(struct al_row_opts){.depth = 0}) : got;
}

int al_resolve_call(struct al_call *c, struct al_buf *out)
{
    struct al_slice text = al_call_str(c, "ref", AL_NAME_MAX * 2);
    bool retracted = al_call_bool(c, "retracted", false);
    if (c->err != 0)
        return c->err;
    const uint8_t *slash = text.n > 0 && text.p[0] == '@' ? memchr(text.p, '/', text.n) : NULL;
    struct al_slice who = al_slice_str("me");
    struct al_slice which = text;
    if (slash != NULL) {
        who = al_slice_of(text.p, (size_t)(slash - text.p));
        which = al_slice_of(slash + 1, text.n - who.n - 1);
    }
    struct al_page page;
    struct al_id_prefix prefix;
    uint64_t back;
    int64_t author[2];
    int people = -1; /* -1: nobody was named */
    int err = 0;
    al_page_init(&page);
    if (parse_last(which, &back)) {
        people = al_people_find(c, author, 2, who);
        if (people > 1)
            err = al_call_fail(c, AL_E_AMBIGUOUS, "several people have that name");
        else if (people != 0)
            err = people < 0 ? people : add_last(c, &page, author[0], back, retracted);
    } else if (slash == NULL && al_id_parse(&prefix, text) == 0) {
        err = add_prefix(c, &page, &prefix);
    }
    if (err == 0) {
        al_write_map(out, 2);
        err = al_page_write(&page, out, "rows");
    }
    al_page_free(&page);
    if (err == 0 && people == 0)
        return al_people_similar(c, out, who);
    al_write_cstr(out, "similar");
    al_write_array(out, 0);
    return err;
}
