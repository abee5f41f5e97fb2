#include <stdlib.h>

#include "lines.h"
#include "read.h"
#include "reader_int.h"
#include "views_schema.h"
#include "write.h"

#define CLIMB_MAX 1000 /* steps from an entry up to its root */
#define MISSING_MAX 64 /* references that are named as missing */

/* One entry of a thread. */
struct member {
    int64_t n;
    struct al_hash id;
    int64_t time;
    struct al_ref re; /* seq 0: none */
    struct al_ref rt;
    bool placed; /* in its order */
    bool shows;
};

struct thread {
    struct al_call *c;
    struct member *members; /* the root first, then as found */
    size_t count;
    size_t max;
    bool more;
    sqlite3_stmt *load;
    sqlite3_stmt *children;
};

static void read_ref(struct al_ref *out, struct al_slice encoded)
{
    *out = (struct al_ref){.seq = 0};
    if (encoded.n == 0)
        return;
    struct al_read r = al_read_init(encoded);
    struct al_ref ref;
    al_read_ref(&r, &ref);
    if (al_read_end(&r) == 0)
        *out = ref;
}

/* Returns 1, 0 when there is no such entry, or an error. */
static int load(struct thread *t, struct member *m, int64_t n)
{
    sqlite3_stmt *st = t->load;
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    if (got > 0) {
        *m = (struct member){.n = n, .time = sqlite3_column_int64(st, 1)};
        al_viewdb_bytes(st, 0, m->id.b, sizeof(m->id.b));
        int kind = sqlite3_column_type(st, 4) == SQLITE_INTEGER ? sqlite3_column_int(st, 4) : 0;
        if (kind != AL_KIND_EDIT && kind != AL_KIND_RETRACT) {
            read_ref(&m->re, al_viewdb_slice(st, 2));
            read_ref(&m->rt, al_viewdb_slice(st, 3));
        }
        int state = sqlite3_column_int(st, 5);
        m->shows = state != AL_ENTRY_HIDDEN && sqlite3_column_int(st, 6) == 0;
    }
    (void)sqlite3_reset(st);
    return got;
}

static int load_ref(struct thread *t, struct member *m, const struct al_ref *ref)
{
    int64_t n;
    if (ref->seq == 0)
        return 0;
    int got = al_row_find(t->c, &n, ref->id.b);
    return got > 0 ? load(t, m, n) : got;
}

/* From the entry asked for up to the root, or as far as is held. */
static int find_root(struct thread *t, struct member *m)
{
    for (int i = 0; i < CLIMB_MAX; i++) {
        struct member up;
        int got = load_ref(t, &up, &m->rt);
        if (got == 0)
            got = load_ref(t, &up, &m->re);
        if (got <= 0)
            return got;
        *m = up;
    }
    return 0;
}

static struct member *find(struct thread *t, const struct al_hash *id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (al_hash_eq(&t->members[i].id, id))
            return &t->members[i];
    }
    return NULL;
}

/* Add what replies to member |i|: to the root also what only names it as root. */
static int add_children(struct thread *t, size_t i)
{
    sqlite3_stmt *st = t->children;
    al_viewdb_bind_int(st, 1, al_line_id8(t->members[i].id.b));
    al_viewdb_bind_int(st, 2, i == 0 ? 0 : 1);
    int got;
    int err = 0;
    while (err == 0 && (got = al_viewdb_step(st)) > 0) {
        struct member m;
        got = load(t, &m, sqlite3_column_int64(st, 0));
        if (got < 0)
            err = got;
        if (got <= 0 || !m.shows || find(t, &m.id) != NULL)
            continue;
        if (t->count == t->max) {
            t->more = true;
            break;
        }
        t->members[t->count++] = m;
    }
    (void)sqlite3_reset(st);
    return err != 0 ? err : got < 0 ? got : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

/* The member that |m| stands under: its parent, or the root when that is not here. */
static const struct member *parent_of(struct thread *t, const struct member *m)
{
    const struct member *parent = m->re.seq == 0 ? NULL : find(t, &m->re.id);
    return parent == NULL || parent == m ? &t->members[0] : parent;
}

/* Write all members, each below its parent, brothers by time. */
static int put_rows(struct thread *t, struct al_page *page)
{
    size_t *stack = calloc(t->count, sizeof(*stack));
    if (stack == NULL)
        return AL_E_NOMEM;
    size_t depth = 0; /* of the member on top of the stack, which is placed */
    t->members[0].placed = true;
    int err = al_page_add(page, t->c, t->members[0].n, &(struct al_row_opts){.depth = 0});
    for (bool left = true; err == 0 && left && !al_page_full(page, t->count);) {
        size_t i = 1;
        while (i < t->count &&
               (t->members[i].placed || parent_of(t, &t->members[i]) != &t->members[stack[depth]]))
            i++;
        if (i == t->count) {
            left = depth > 0;
            depth -= left ? 1 : 0;
            continue;
        }
        stack[++depth] = i;
        t->members[i].placed = true;
        err = al_page_add(
            page, t->c, t->members[i].n, &(struct al_row_opts){.depth = (uint32_t)depth});
    }
    free(stack);
    t->more = t->more || page->count < t->count;
    return err;
}

/* Write the parents that members name and that are not here. */
static int put_missing(struct thread *t, struct al_buf *out)
{
    const struct al_ref *refs[MISSING_MAX];
    size_t count = 0;
    for (size_t i = 0; i < t->count && count < MISSING_MAX; i++) {
        const struct al_ref *re = &t->members[i].re;
        bool known = re->seq == 0 || find(t, &re->id) != NULL;
        int64_t n;
        int got = known ? 1 : al_row_find(t->c, &n, re->id.b); /* or it is there, and hidden */
        if (got < 0)
            return got;
        for (size_t k = 0; k < count; k++)
            known = known || al_hash_eq(&refs[k]->id, &re->id);
        if (!known && got == 0)
            refs[count++] = re;
    }
    al_write_cstr(out, "missing");
    al_write_array(out, count);
    for (size_t i = 0; i < count; i++)
        al_write_ref(out, refs[i]);
    return 0;
}

static int gather(struct thread *t, int64_t n)
{
    int got = load(t, &t->members[0], n);
    int err = got <= 0 ? (got < 0 ? got : AL_E_NOT_FOUND) : find_root(t, &t->members[0]);
    t->count = 1;
    for (size_t i = 0; err == 0 && i < t->count && !t->more; i++)
        err = add_children(t, i);
    if (err == 0)
        qsort(t->members + 1, t->count - 1, sizeof(*t->members), by_time);
    return err;
}

static int put_thread(struct thread *t, struct al_buf *out)
{
    struct al_page page;
    al_page_init(&page);
    int err = put_rows(t, &page);
    if (err == 0) {
        al_write_map(out, 4);
        al_write_cstr(out, "root");
        al_write_bin(out, t->members[0].id.b, sizeof(t->members[0].id.b));
        err = al_page_write(&page, out, "rows");
    }
    if (err == 0)
        err = put_missing(t, out);
    al_write_cstr(out, "more");
    al_write_bool(out, t->more);
    al_page_free(&page);
    return err;
}

int al_thread_call(struct al_call *c, struct al_buf *out)
{
    uint8_t id[32];
    int64_t n;
    if (!al_call_bytes32(c, "id", id))
        return al_call_fail(c, AL_E_PARAMS, "the id is missing");
    struct thread t = {.c = c, .max = al_call_uint(c, "limit", 200, AL_ROWS_MAX)};
    t.max = t.max == 0 ? 1 : t.max;
    int got = c->err != 0 ? c->err : al_row_find(c, &n, id);
    if (got <= 0)
        return got < 0 ? got : AL_E_NOT_FOUND;
    t.members = calloc(t.max, sizeof(*t.members));
    int err = t.members == NULL ? AL_E_NOMEM : 0;
    if (err == 0)
        err = al_call_prepare(c, &t.load,
            "SELECT e.id, e.time, e.re, e.rt, e.kind, e.state, a.blocked FROM entry e"
            " JOIN author a ON a.no = e.author WHERE e.n = ?1");
    if (err == 0)
        err = al_call_prepare(
            c, &t.children, "SELECT n FROM reply WHERE parent = ?1 AND direct >= ?2 ORDER BY n");
    if (err == 0)
        err = gather(&t, n);
    if (err == 0)
        err = put_thread(&t, out);
    (void)sqlite3_finalize(t.load);
    (void)sqlite3_finalize(t.children);
    free(t.members);
    return err;
}
