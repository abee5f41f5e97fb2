#include "lines.h"
#include "reader_int.h"
#include "write.h"

/* Add a tag of the filter. Returns 1, 0 when nothing has it, or an error. */
static int filter_tag(struct al_call *c, struct al_filter *f, struct al_slice tag)
{
    if (tag.n == 0)
        return 1;
    return al_tag_number(c, &f->tags[f->tag_count++], tag);
}

static int filter_author(struct al_call *c, struct al_filter *f)
{
    struct al_identity who;
    bool mine = al_call_bool(c, "mine", false);
    if (mine)
        who = c->r->keyring->identity;
    else if (!al_call_bytes32(c, "from", who.b)) {
        f->shown_only = true;
        return 1;
    }
    f->blocked_too = true; /* asked for by name */
    return al_people_author(c, &f->authors[f->author_count++], who.b);
}

static int filter_kind(struct al_call *c, struct al_filter *f, struct al_slice kind)
{
    if (kind.n == 0)
        return 0;
    enum al_kind known = al_kind_of(kind);
    f->kinds = 1U << known;
    if (known != AL_KIND_UNKNOWN)
        return 0;
    f->kind_name = kind;
    int seen = al_kind_seen(c, kind);
    if (seen != 0)
        return seen < 0 ? seen : 0;
    return al_call_fail(
        c, AL_E_PARAMS, "there is no kind of entry called %.*s", (int)kind.n, (const char *)kind.p);
}

static int filter_audience(struct al_call *c, struct al_filter *f, struct al_slice to)
{
    static const char circle[] = "circle:";
    size_t n = strlen(circle);
    enum al_audience audience;
    if (to.n == 0)
        return 0;
    if (to.n > n && memcmp(to.p, circle, n) == 0) {
        struct al_slice name = al_slice_of(to.p + n, to.n - n);
        f->audiences = 1U << AL_AUDIENCE_CIRCLE;
        f->circle_count = al_circles_named(c, f->circles, AL_FILTER_MAX, name);
        if (f->circle_count != 0)
            return f->circle_count < 0 ? f->circle_count : 0;
        return al_call_fail(c, AL_E_NOT_FOUND, "there is no circle called %.*s here", (int)name.n,
            (const char *)name.p);
    }
    if (al_audience_of(&audience, to) != 0)
        return al_call_fail(
            c, AL_E_PARAMS, "an audience is me, circle, circle:NAME, network or web");
    f->audiences = 1U << audience;
    return 0;
}

/* Read the filter. Returns 1, 0 when nothing can match, or an error. */
static int read_filter(struct al_call *c, struct al_filter *f)
{
    *f = al_filter_all();
    int err = filter_kind(c, f, al_call_str(c, "kind", AL_KIND_MAX));
    f->first = al_line_at(al_call_uint(c, "since", 0, AL_TIME_MAX));
    uint64_t until = al_call_uint(c, "until", AL_TIME_MAX, AL_TIME_MAX);
    if (until < AL_LINE_TIME_MAX)
        f->end = al_line_at(until);
    if (err == 0)
        err = filter_audience(c, f, al_call_str(c, "to", AL_NAME_MAX + sizeof("circle:")));
    if (err == 0 && al_call_bool(c, "unread", false)) {
        f->others_only = true;
        err = al_call_meta(c, "read", &f->after);
    }
    if (err != 0)
        return err;
    int some = filter_author(c, f);
    return some > 0 ? filter_tag(c, f, al_call_str(c, "tag", AL_TAG_MAX)) : some;
}

/* Add rows along |walk| until the page is full. |ret_more| says whether something is left. */
static int fill_page(struct al_call *c, struct al_page *page, sqlite3_stmt *walk, uint64_t limit,
    struct al_spot *last, bool *ret_more)
{
    struct al_spot spot;
    int got;
    int err = 0;
    *ret_more = false;
    while (err == 0 && (got = al_walk_next(walk, &spot)) > 0) {
        if (al_page_full(page, limit)) {
            *ret_more = true;
            return 0;
        }
        err = al_page_add(page, c, spot.n, &(struct al_row_opts){.depth = 0});
        *last = spot;
    }
    return err != 0 ? err : got;
}

static int write_page(struct al_call *c, struct al_buf *out, const struct al_page *page,
    const struct al_spot *last, bool more)
{
    uint64_t pos;
    uint64_t behind;
    int err = al_call_position(c, &pos, &behind);
    if (err != 0)
        return err;
    al_write_map(out, more ? 4 : 3);
    err = al_page_write(page, out, "rows");
    if (more) {
        al_write_cstr(out, "next");
        al_call_put_cursor(out, last->k, last->n);
    }
    al_write_cstr(out, "pos");
    al_write_uint(out, pos);
    al_write_cstr(out, "behind");
    al_write_uint(out, behind);
    return err;
}

int al_timeline_call(struct al_call *c, struct al_buf *out)
{
    struct al_filter f;
    struct al_page page;
    struct al_spot last = {.k = 0};
    bool more = false;
    bool oldest_first = al_call_bool(c, "oldest_first", false);
    uint64_t limit = al_call_uint(c, "limit", 50, AL_ROWS_MAX);
    int64_t from = oldest_first ? 0 : INT64_MAX;
    int64_t from_n;
    (void)al_call_cursor(c, &from, &from_n);
    int some = read_filter(c, &f);
    if (some < 0 || c->err != 0)
        return some < 0 ? some : c->err;
    al_page_init(&page);
    sqlite3_stmt *walk = NULL;
    int err = 0;
    if (some > 0) {
        err = al_walk_open(c, &walk, &f, from, oldest_first);
        if (err == 0)
            err = fill_page(c, &page, walk, limit, &last, &more);
    }
    if (err == 0)
        err = write_page(c, out, &page, &last, more);
    (void)sqlite3_finalize(walk);
    al_page_free(&page);
    return err;
}

/*
 * Entries in order of arrival: those of the rows, and those that could be read only later. What is
 * not for the timeline is passed over.
 */
static const char changes_sql[] = "SELECT c.pos, c.n, e.k IS NOT NULL AND " AL_CLOSE_SQL(
    "e") " AND (?2 >> li.kind) & 1 FROM"
         " (SELECT n AS pos, n FROM entry WHERE n > ?1"
         "  AND NOT EXISTS (SELECT 1 FROM late WHERE late.n = entry.n)"
         "  UNION ALL SELECT pos, n FROM late WHERE pos > ?1 ORDER BY 1, 2) c"
         " CROSS JOIN entry e ON e.n = c.n CROSS JOIN author a ON a.no = e.author"
         " LEFT JOIN line li ON li.k = e.k";

int al_changes_call(struct al_call *c, struct al_buf *out)
{
    uint64_t from = al_call_uint(c, "from", 0, INT64_MAX);
    uint64_t limit = al_call_uint(c, "limit", 200, AL_ROWS_MAX);
    uint64_t end;
    uint64_t behind;
    if (c->err != 0)
        return c->err;
    sqlite3_stmt *st = NULL;
    struct al_page page;
    al_page_init(&page);
    uint64_t pos = from;
    int got = 0;
    int err = al_call_position(c, &end, &behind);
    if (err == 0)
        err = al_call_prepare(c, &st, changes_sql);
    if (err == 0) {
        al_viewdb_bind_int(st, 1, (int64_t)from);
        al_viewdb_bind_int(st, 2, AL_LINE_KINDS);
    }
    /* What one key opened has one position: a page ends before, or after all of it. */
    bool full = false;
    while (err == 0 && (got = al_viewdb_step(st)) > 0) {
        full = al_page_full(&page, limit) && al_viewdb_uint(st, 0) != pos;
        if (full)
            break;
        pos = al_viewdb_uint(st, 0);
        if (sqlite3_column_int(st, 2) != 0)
            err = al_page_add(
                &page, c, sqlite3_column_int64(st, 1), &(struct al_row_opts){.pos = pos});
    }
    if (err == 0 && got < 0)
        err = got;
    /* Nothing is left: what came meanwhile and has no row counts as seen, too. */
    if (err == 0 && got == 0 && !full && end > pos)
        pos = end;
    if (err == 0) {
        al_write_map(out, 2);
        err = al_page_write(&page, out, "rows");
        al_write_cstr(out, "pos");
        al_write_uint(out, pos);
    }
    (void)sqlite3_finalize(st);
    al_page_free(&page);
    return err;
}
