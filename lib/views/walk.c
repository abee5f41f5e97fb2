#include <stdio.h>

#include "lines.h"
#include "reader_int.h"

#define BINDS_MAX 64
#define SQL_MAX 2048

/* A query being put together: fixed pieces of SQL, and the numbers for their parameters. */
struct query {
    char sql[SQL_MAX];
    size_t n;
    int64_t v[BINDS_MAX];
    int count;
    bool full;
};

static void add(struct query *q, const char *piece)
{
    size_t n = strlen(piece);
    if (n >= SQL_MAX - q->n) {
        q->full = true;
        return;
    }
    memcpy(q->sql + q->n, piece, n + 1);
    q->n += n;
}

static void add_value(struct query *q, const char *piece, int64_t v)
{
    add(q, piece);
    if (q->count == BINDS_MAX)
        q->full = true;
    else
        q->v[q->count++] = v;
}

struct al_filter al_filter_all(void)
{
    return (struct al_filter){
        .first = 0,
        .end = INT64_MAX,
        .kinds = AL_LINE_KINDS,
        .audiences = UINT32_MAX,
    };
}

#define STR1(x) #x
#define STR(x) STR1(x)

/* The kind, when the filter takes just one that is not the common one; -1. */
static int seldom_kind(const struct al_filter *f)
{
    for (int kind = 0; kind < AL_KIND_COUNT; kind++) {
        if (f->kinds == 1U << kind)
            return kind == AL_LINE_KIND_COMMON ? -1 : kind;
    }
    return -1;
}

/* Which index leads: one author's or one tag's or one kind's entries, or the line itself. */
static void add_source(struct query *q, const struct al_filter *f)
{
    if (f->tag_count > 0)
        add_value(q,
            "SELECT li.k, li.n FROM tagged t CROSS JOIN line li ON li.k = t.k"
            " CROSS JOIN author a ON a.no = li.author WHERE t.tag = ?",
            f->tags[0]);
    else if (f->author_count == 1)
        add_value(q,
            "SELECT li.k, li.n FROM line li INDEXED BY line_author"
            " CROSS JOIN author a ON a.no = li.author WHERE li.author = ?",
            f->authors[0]);
    else if (seldom_kind(f) >= 0)
        add_value(q,
            "SELECT li.k, li.n FROM line li INDEXED BY line_kind"
            " CROSS JOIN author a ON a.no = li.author"
            " WHERE li.kind <> " STR(AL_LINE_KIND_COMMON) " AND li.kind = ?",
            seldom_kind(f));
    else
        add(q, "SELECT li.k, li.n FROM line li NOT INDEXED"
               " CROSS JOIN author a ON a.no = li.author WHERE 1");
}

static void add_conditions(struct query *q, const struct al_filter *f)
{
    if (f->author_count > 1 || (f->author_count == 1 && f->tag_count > 0)) {
        add_value(q, " AND +li.author IN (?", f->authors[0]);
        for (int i = 1; i < f->author_count; i++)
            add_value(q, ", ?", f->authors[i]);
        add(q, ")");
    }
    for (int i = 1; i < f->tag_count; i++)
        add_value(
            q, " AND EXISTS (SELECT 1 FROM tagged x WHERE x.k = li.k AND x.tag = ?)", f->tags[i]);
    add_value(q, " AND (? >> li.kind) & 1", f->kinds);
    if (f->audiences != UINT32_MAX)
        add_value(q, " AND (? >> li.audience) & 1", f->audiences);
    if (f->shown_only)
        add(q, " AND " AL_CLOSE_SQL("li"));
    if (f->others_only)
        add(q, " AND NOT a.mine");
    if (!f->blocked_too)
        add(q, " AND NOT a.blocked");
    for (int i = 0; i < f->circle_count; i++)
        add_value(q, i == 0 ? " AND (SELECT e.circle FROM entry e WHERE e.n = li.n) IN (?" : ", ?",
            f->circles[i]);
    if (f->circle_count > 0)
        add(q, ")");
    if (f->after > 0)
        add_value(q, " AND li.n > ?", f->after);
}

int al_walk_open(struct al_call *c, sqlite3_stmt **ret, const struct al_filter *f, int64_t from,
    bool oldest_first)
{
    struct query q = {.n = 0};
    const char *k = f->tag_count > 0 ? "t.k" : "li.k";
    char piece[64];
    add_source(&q, f);
    /* The cursor is inside the range, or outside of all of it. */
    int64_t low = f->first;
    int64_t high = f->end;
    if (oldest_first && from >= low)
        low = from + 1;
    if (!oldest_first && from < high)
        high = from;
    (void)snprintf(piece, sizeof(piece), " AND %s >= ?", k);
    add_value(&q, piece, low);
    (void)snprintf(piece, sizeof(piece), " AND %s < ?", k);
    add_value(&q, piece, high);
    add_conditions(&q, f);
    if (f->kind_name.n > 0)
        add(&q, " AND (SELECT e.kind FROM entry e WHERE e.n = li.n) = ?");
    (void)snprintf(piece, sizeof(piece), " ORDER BY %s %s", k, oldest_first ? "ASC" : "DESC");
    add(&q, piece);
    if (q.full)
        return AL_E_LIMIT;
    sqlite3_stmt *st = NULL;
    int err = al_call_prepare(c, &st, q.sql);
    if (err != 0)
        return err;
    for (int i = 0; i < q.count; i++)
        al_viewdb_bind_int(st, i + 1, q.v[i]);
    if (f->kind_name.n > 0)
        al_viewdb_bind_text(st, q.count + 1, f->kind_name);
    *ret = st;
    return 0;
}

int al_walk_next(sqlite3_stmt *walk, struct al_spot *ret)
{
    int got = al_viewdb_step(walk);
    if (got > 0)
        *ret = (struct al_spot){sqlite3_column_int64(walk, 0), sqlite3_column_int64(walk, 1)};
    return got;
}
