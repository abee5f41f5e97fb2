/* Entries and changes in log.db. */
#include "entry.h"
#include "limit.h"
#include "sqlite_int.h"
#include "stmt.h"

/* --- spans: where the entries of a log are ------------------------------------------------- */

struct span {
    uint64_t first, last; /* sequence numbers */
    uint64_t pos;         /* of the first; the others follow it */
};

/* AL_SQL_SPAN_AT: the last span that starts at or before |seq|; _FROM: the first at or after. */
static int span_find(
    struct al_store *s, enum al_sql sql, struct span *ret, uint32_t log_no, uint64_t seq)
{
    struct al_stmt q = al_stmt_use(s, sql);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, seq);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    struct span span = {al_stmt_int(&q, 0), al_stmt_int(&q, 1), al_stmt_int(&q, 2)};
    int err = al_stmt_end(&q, span.last < span.first ? AL_E_CORRUPT : 0);
    if (err == 0)
        *ret = span;
    return err;
}

/* The span that holds |seq|. */
static int span_of(struct al_store *s, struct span *ret, uint32_t log_no, uint64_t seq)
{
    struct span span;
    int err = span_find(s, AL_SQL_SPAN_AT, &span, log_no, seq);
    if (err != 0)
        return err;
    if (span.last < seq)
        return AL_E_NOT_FOUND;
    *ret = span;
    return 0;
}

static int span_put(struct al_store *s, uint32_t log_no, struct span span)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_SPAN_PUT);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, span.first);
    al_stmt_bind_int(&q, 3, span.last);
    al_stmt_bind_int(&q, 4, span.pos);
    return al_stmt_run(&q);
}

static int span_del(struct al_store *s, uint32_t log_no, uint64_t first)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_SPAN_DEL);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, first);
    return al_stmt_run(&q);
}

/* Note that |fresh| is there now, as part of the span before it where both numbers go on. */
static int span_add(struct al_store *s, uint32_t log_no, struct span fresh)
{
    struct span before;
    int err = span_of(s, &before, log_no, fresh.first - 1);
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    if (err == 0 && before.pos + (fresh.first - before.first) == fresh.pos) {
        fresh.first = before.first;
        fresh.pos = before.pos;
    }
    return span_put(s, log_no, fresh);
}

/* --- entries ------------------------------------------------------------------------------- */

/* Bind payload, or length and hash in its place, to parameters |i|, i + 1 and i + 2. */
static void bind_payload(
    struct al_stmt *q, int i, struct al_slice payload, uint32_t plen, const struct al_hash *phash)
{
    if (payload.n > 0) {
        al_stmt_bind_null(q, i);
        al_stmt_bind_null(q, i + 1);
        al_stmt_bind_bytes(q, i + 2, payload);
    } else {
        al_stmt_bind_int(q, i, plen);
        al_stmt_bind_bytes(q, i + 1, al_slice_of(phash->b, sizeof(phash->b)));
        al_stmt_bind_null(q, i + 2);
    }
}

int al_sqlite_rows_add(struct al_store *s, uint64_t pos, uint32_t log_no, uint64_t seq,
    const struct al_store_item *items, uint32_t count, uint64_t arrived_ms)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_ENTRY_ADD);
    al_stmt_bind_int(&q, 2, log_no);
    al_stmt_bind_int(&q, 5, arrived_ms);
    for (uint32_t i = 0; i < count && q.err == 0; i++) {
        const struct al_store_item *item = &items[i];
        al_stmt_bind_int(&q, 1, pos + i);
        al_stmt_bind_int(&q, 3, seq + i);
        al_stmt_bind_int(&q, 4, item->time_ms);
        al_stmt_bind_bytes(&q, 6, al_slice_of(item->id.b, sizeof(item->id.b)));
        bind_payload(&q, 7, item->payload, item->plen, &item->phash);
        al_stmt_exec(&q);
    }
    int err = al_stmt_end(&q, 0);
    return err != 0 ? err : span_add(s, log_no, (struct span){seq, seq + count - 1, pos});
}

/* The entry in the present row of AL_SQL_ENTRIES or AL_SQL_CHANGES. */
static struct al_store_row read_entry(struct al_stmt *q)
{
    struct al_store_row row = {
        .pos = al_stmt_int(q, 0),
        .log_no = (uint32_t)al_stmt_int(q, 2),
        .seq = al_stmt_int(q, 3),
        .time_ms = al_stmt_int(q, 4),
        .arrived_ms = al_stmt_int(q, 5),
        .payload = al_stmt_bytes(q, 9),
    };
    al_stmt_fixed(q, 6, row.id.b, sizeof(row.id.b));
    if (row.payload.n > 0) {
        row.plen = (uint32_t)row.payload.n;
        al_entry_payload_hash(&row.phash, row.payload);
    } else {
        row.plen = (uint32_t)al_stmt_int(q, 7);
        al_stmt_fixed(q, 8, row.phash.b, sizeof(row.phash.b));
    }
    if ((row.plen == 0 || row.plen > AL_PAYLOAD_MAX) && q->err == 0)
        q->err = AL_E_CORRUPT;
    return row;
}

int al_sqlite_row_get(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq)
{
    struct span span;
    int err = span_of(s, &span, log_no, seq);
    if (err != 0)
        return err;
    uint64_t pos = span.pos + (seq - span.first);
    struct al_stmt q = al_stmt_use(s, AL_SQL_ENTRIES);
    al_stmt_bind_int(&q, 1, pos);
    al_stmt_bind_int(&q, 2, pos);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_CORRUPT);
    struct al_store_row row = read_entry(&q);
    if (row.log_no != log_no || row.seq != seq)
        err = AL_E_CORRUPT;
    if (err == 0)
        err = al_stmt_keep(&q, &row.payload, row.payload);
    err = al_stmt_end(&q, err);
    if (err == 0)
        *ret = row;
    return err;
}

int al_sqlite_rows(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
    int (*cb)(void *arg, const struct al_store_row *row), void *arg)
{
    struct span span;
    int err = span_of(s, &span, log_no, first);
    if (err == AL_E_NOT_FOUND)
        err = span_find(s, AL_SQL_SPAN_FROM, &span, log_no, first);
    while (err == 0 && span.first <= last) {
        uint64_t from = span.first < first ? first : span.first;
        uint64_t to = span.last > last ? last : span.last;
        int stop = 0;
        struct al_stmt q = al_stmt_use(s, AL_SQL_ENTRIES);
        al_stmt_bind_int(&q, 1, span.pos + (from - span.first));
        al_stmt_bind_int(&q, 2, span.pos + (to - span.first));
        while (stop == 0 && al_stmt_row(&q)) {
            struct al_store_row row = read_entry(&q);
            if (q.err == 0)
                stop = cb(arg, &row);
        }
        err = al_stmt_end(&q, stop);
        if (err != 0)
            return err;
        err = span_find(s, AL_SQL_SPAN_FROM, &span, log_no, span.last + 1);
    }
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int al_sqlite_payload_set(
    struct al_store *s, const struct al_store_row *row, struct al_slice payload)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_PAYLOAD_SET);
    al_stmt_bind_int(&q, 1, row->pos);
    bind_payload(&q, 2, payload, row->plen, &row->phash);
    return al_stmt_run(&q);
}

static int entries_del(struct al_store *s, uint64_t pos, uint64_t count)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_ENTRIES_DEL);
    al_stmt_bind_int(&q, 1, pos);
    al_stmt_bind_int(&q, 2, pos + count - 1);
    return al_stmt_run(&q);
}

int al_sqlite_rows_del(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last)
{
    struct span span;
    int err = span_of(s, &span, log_no, first);
    if (err == AL_E_NOT_FOUND)
        err = span_find(s, AL_SQL_SPAN_FROM, &span, log_no, first);
    while (err == 0 && span.first <= last) {
        uint64_t from = span.first < first ? first : span.first;
        uint64_t to = span.last > last ? last : span.last;
        err = entries_del(s, span.pos + (from - span.first), to - from + 1);
        if (err == 0 && span.last > to) /* what stays above and below */
            err = span_put(
                s, log_no, (struct span){to + 1, span.last, span.pos + (to + 1 - span.first)});
        if (err == 0)
            err = span.first < from
                      ? span_put(s, log_no, (struct span){span.first, from - 1, span.pos})
                      : span_del(s, log_no, span.first);
        if (err == 0)
            err = span_find(s, AL_SQL_SPAN_FROM, &span, log_no, to + 1);
    }
    return err == AL_E_NOT_FOUND ? 0 : err;
}

/* --- changes ------------------------------------------------------------------------------- */

int al_sqlite_change_add(struct al_store *s, const struct al_store_change *change)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_CHANGE_ADD);
    al_stmt_bind_int(&q, 1, change->pos);
    al_stmt_bind_int(&q, 2, (uint64_t)change->what);
    al_stmt_bind_int(&q, 3, change->log_no);
    al_stmt_bind_int(&q, 4, change->seq);
    return al_stmt_run(&q);
}

/*
 * The entry of a PAYLOAD_IN at |pos|. It may have been taken out since, or taken out and stored
 * once more behind that change: then the change is about nothing that is here.
 */
static int row_before(
    struct al_store *s, struct al_store_row *ret, const struct al_store_change *c, bool *ret_here)
{
    int err = al_sqlite_row_get(s, ret, c->log_no, c->seq);
    *ret_here = err == 0 && ret->pos < c->pos;
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int al_sqlite_changes(struct al_store *s, uint64_t from, uint32_t limit,
    int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
    void *arg)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_CHANGES);
    int stop = 0;
    al_stmt_bind_int(&q, 1, from);
    while (stop == 0 && limit > 0 && al_stmt_row(&q)) {
        struct al_store_row row;
        struct al_store_change c = {
            .pos = al_stmt_int(&q, 0),
            .what = (enum al_change)al_stmt_int(&q, 1),
            .log_no = (uint32_t)al_stmt_int(&q, 2),
            .seq = al_stmt_int(&q, 3),
        };
        bool has_row = c.what == AL_CHANGE_ENTRY || c.what == AL_CHANGE_PAYLOAD_IN;
        bool here = true;
        if (c.what == AL_CHANGE_ENTRY)
            row = read_entry(&q);
        else if (c.what == AL_CHANGE_PAYLOAD_IN)
            stop = row_before(s, &row, &c, &here);
        if (stop == 0 && q.err == 0 && here) {
            limit--;
            stop = cb(arg, &c, has_row ? &row : NULL);
        }
    }
    return al_stmt_end(&q, stop);
}

int al_sqlite_position(struct al_store *s, uint64_t *ret_pos)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_POSITION);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_CORRUPT);
    uint64_t pos = al_stmt_int(&q, 0);
    int err = al_stmt_end(&q, 0);
    if (err == 0)
        *ret_pos = pos;
    return err;
}
