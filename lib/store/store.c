#include "store.h"

#include "check.h"
#include "limit.h"
#include "store_int.h"

bool al_store_is_error(int err)
{
    switch (err) {
    case AL_E_NOMEM:
    case AL_E_IO:
    case AL_E_FULL:
    case AL_E_CORRUPT:
    case AL_E_BUSY:
    case AL_E_READ_ONLY:
    case AL_E_DOUBT:
        return true;
    default:
        return false;
    }
}

/* --- transactions -------------------------------------------------------------------------- */

void al_store_close(struct al_store *s)
{
    if (s == NULL)
        return;
    al_store_rollback(s);
    s->ops->close(s);
}

int al_store_begin(struct al_store *s)
{
    AL_ASSERT(!s->in_transaction);
    if (s->doubt)
        return AL_E_DOUBT;
    if (s->read_only)
        return AL_E_READ_ONLY;
    int err = s->ops->begin(s);
    if (err != 0)
        return err;
    err = s->ops->position(s, &s->pos);
    if (err != 0) {
        s->ops->rollback(s);
        return err;
    }
    s->in_transaction = true;
    s->spoiled = 0;
    return 0;
}

int al_store_commit(struct al_store *s)
{
    AL_ASSERT(s->in_transaction);
    int err = s->spoiled;
    if (err == 0)
        err = s->ops->commit(s);
    if (err != 0) {
        s->ops->rollback(s);
        s->doubt = true;
    }
    s->in_transaction = false;
    return err;
}

void al_store_rollback(struct al_store *s)
{
    if (!s->in_transaction)
        return;
    s->ops->rollback(s);
    s->in_transaction = false;
}

int al_store_may_write(const struct al_store *s)
{
    if (s->doubt)
        return AL_E_DOUBT;
    AL_ASSERT(s->in_transaction);
    return s->spoiled;
}

int al_store_written(struct al_store *s, int err)
{
    if (err != 0)
        s->spoiled = err;
    return err;
}

int al_store_may_read(const struct al_store *s)
{
    return s->doubt ? AL_E_DOUBT : 0;
}

/* --- logs ---------------------------------------------------------------------------------- */

int al_store_log_find(struct al_store *s, struct al_store_log *ret, const struct al_device *device,
    const struct al_logname *log)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->log_find(s, ret, device, log);
}

int al_store_log_get(struct al_store *s, struct al_store_log *ret, uint32_t no)
{
    struct al_store_log log;
    int err = al_store_may_read(s);
    if (err == 0)
        err = s->ops->log_from(s, &log, no);
    if (err != 0)
        return err;
    if (log.no != no)
        return AL_E_NOT_FOUND;
    *ret = log;
    return 0;
}

int al_store_log_add(struct al_store *s, uint32_t *ret_no, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log)
{
    struct al_store_log row;
    int err = al_store_may_write(s);
    if (err != 0)
        return err;
    err = s->ops->log_find(s, &row, device, log);
    if (err == 0)
        return AL_E_EXISTS;
    if (err != AL_E_NOT_FOUND)
        return err;
    row = (struct al_store_log){.identity = *identity, .device = *device, .log = *log};
    err = al_store_written(s, s->ops->log_add(s, &row));
    if (err == 0)
        *ret_no = row.no;
    return err;
}

int al_store_logs(
    struct al_store *s, int (*cb)(void *arg, const struct al_store_log *log), void *arg)
{
    struct al_store_log log = {0};
    int err = al_store_may_read(s);
    while (err == 0) {
        err = s->ops->log_from(s, &log, log.no + 1);
        if (err == 0)
            err = cb(arg, &log);
        else if (err == AL_E_NOT_FOUND)
            return 0;
    }
    return err;
}

/* --- entries ------------------------------------------------------------------------------- */

/* A put, and what it touches. */
struct put {
    struct al_store_log log;
    struct al_store_run run; /* the new entries, then all that they join */
    struct al_store_run below, above;
    bool joins_below, joins_above;
};

static bool ends_block(uint64_t seq)
{
    return seq % AL_BLOCK_ENTRIES == 0;
}

/* Find the runs that the new entries join, and check that nothing overlaps. */
static int put_find_runs(struct al_store *s, struct put *p)
{
    struct al_store_run near;
    int err = s->ops->run_at(s, &near, p->log.no, p->run.last + 1);
    if (err == 0 && near.first == p->run.last + 1) {
        p->above = near;
        p->joins_above = true;
        err = s->ops->run_at(s, &near, p->log.no, p->run.last);
    }
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err != 0)
        return err;
    if (near.last >= p->run.first)
        return AL_E_EXISTS;
    if (near.last == p->run.first - 1) {
        p->below = near;
        p->joins_below = true;
    }
    return 0;
}

/* The signature that must be kept of the new entries, if any, is that of the last. */
static bool put_needs_sig(const struct put *p)
{
    return !p->joins_above || ends_block(p->run.last);
}

/* Check that the chain holds where runs join. */
static int put_check_chain(struct al_store *s, const struct put *p, const struct al_hash *last_id)
{
    if (p->joins_above && !al_hash_eq(&p->above.prev, last_id))
        return AL_E_PREV;
    if (!p->joins_below)
        return 0;
    struct al_hash id = p->log.head_id;
    if (p->below.last != p->log.head_seq) {
        struct al_store_row row;
        int err = s->ops->row_get(s, &row, p->log.no, p->below.last);
        if (err != 0)
            return err == AL_E_NOT_FOUND ? AL_E_CORRUPT : err;
        id = row.id;
    }
    return al_hash_eq(&id, &p->run.prev) ? 0 : AL_E_PREV;
}

/* Join the runs, and keep the signatures at the ends of blocks and of runs only. */
static int put_join(struct al_store *s, struct put *p, const struct al_sig *sig)
{
    uint64_t last = p->run.last;
    bool keep_sig = put_needs_sig(p);
    int err = 0;
    if (p->joins_above) {
        p->run.last = p->above.last;
        err = s->ops->run_del(s, p->log.no, p->above.first);
    }
    if (err == 0 && p->joins_below) {
        p->run.first = p->below.first;
        p->run.prev = p->below.prev;
        if (!ends_block(p->below.last))
            err = s->ops->sig_del(s, p->log.no, p->below.last);
    }
    if (err == 0)
        err = s->ops->run_put(s, p->log.no, &p->run);
    if (err == 0 && keep_sig)
        err = s->ops->sig_put(s, p->log.no, last, sig);
    return err;
}

int al_store_put(struct al_store *s, uint64_t *ret_pos, uint32_t log_no, uint64_t first,
    const struct al_hash *prev, const struct al_store_item *items, uint32_t count,
    const struct al_sig *sig, uint64_t arrived_ms)
{
    AL_ASSERT(first >= 1 && first <= AL_SEQ_MAX && count >= 1);
    uint64_t last = first + count - 1;
    struct put p = {.run = {.first = first, .last = last, .prev = *prev}};
    if ((first - 1) / AL_BLOCK_ENTRIES != (last - 1) / AL_BLOCK_ENTRIES)
        return AL_E_BLOCK;

    int err = al_store_may_write(s);
    if (err == 0)
        err = al_store_log_get(s, &p.log, log_no);
    if (err == 0)
        err = put_find_runs(s, &p);
    if (err == 0)
        err = put_check_chain(s, &p, &items[count - 1].id);
    if (err == 0 && sig == NULL && put_needs_sig(&p))
        err = AL_E_SIG;
    if (err != 0)
        return err;

    err = s->ops->rows_add(s, s->pos + 1, log_no, first, items, count, arrived_ms);
    if (err == 0)
        err = put_join(s, &p, sig);
    if (err == 0) {
        p.log.held += count;
        if (last > p.log.head_seq) {
            p.log.head_seq = last;
            p.log.head_id = items[count - 1].id;
        }
        err = s->ops->log_set(s, &p.log);
    }
    if (err == 0) {
        s->pos += count;
        *ret_pos = s->pos;
    }
    return al_store_written(s, err);
}

int al_store_get(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->row_get(s, ret, log_no, seq);
}

int al_store_entries(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
    int (*cb)(void *arg, const struct al_store_row *row), void *arg)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->rows(s, log_no, first, last, cb, arg);
}

int al_store_runs(struct al_store *s, uint32_t log_no,
    int (*cb)(void *arg, const struct al_store_run *run), void *arg)
{
    struct al_store_run run = {.first = AL_SEQ_MAX + 1};
    int err = al_store_may_read(s);
    while (err == 0) {
        err = s->ops->run_at(s, &run, log_no, run.first - 1);
        if (err == 0)
            err = cb(arg, &run);
        else if (err == AL_E_NOT_FOUND)
            return 0;
    }
    return err;
}

int al_store_sig(
    struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no, uint64_t seq)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->sig_at(s, ret_seq, ret_sig, log_no, seq);
}

/* Set or drop a payload, and log it as |what|, unless it is so already. */
static int payload_change(
    struct al_store *s, enum al_change what, uint32_t log_no, uint64_t seq, struct al_slice payload)
{
    struct al_store_row row;
    int err = al_store_may_write(s);
    if (err == 0)
        err = s->ops->row_get(s, &row, log_no, seq);
    if (err != 0)
        return err;
    if ((row.payload.n > 0) == (payload.n > 0))
        return 0;
    err = s->ops->payload_set(s, &row, payload);
    if (err == 0) {
        struct al_store_change c = {s->pos + 1, what, log_no, seq};
        err = s->ops->change_add(s, &c);
    }
    if (err == 0)
        s->pos++;
    if (payload.n == 0)
        s->untidy = true;
    return al_store_written(s, err);
}

int al_store_payload_put(struct al_store *s, uint32_t log_no, uint64_t seq, struct al_slice payload)
{
    AL_ASSERT(payload.n >= 1 && payload.n <= AL_PAYLOAD_MAX);
    return payload_change(s, AL_CHANGE_PAYLOAD_IN, log_no, seq, payload);
}

int al_store_payload_drop(struct al_store *s, uint32_t log_no, uint64_t seq)
{
    return payload_change(s, AL_CHANGE_PAYLOAD_OUT, log_no, seq, (struct al_slice){0});
}

/* --- changes ------------------------------------------------------------------------------- */

int al_store_change(
    struct al_store *s, uint64_t *ret_pos, enum al_change what, uint32_t log_no, uint64_t seq)
{
    AL_ASSERT(what >= AL_CHANGE_UNLOCKED && what <= AL_CHANGE_PEOPLE);
    struct al_store_change c = {s->pos + 1, what, log_no, seq};
    int err = al_store_may_write(s);
    if (err != 0)
        return err;
    err = al_store_written(s, s->ops->change_add(s, &c));
    if (err == 0)
        *ret_pos = ++s->pos;
    return err;
}

int al_store_changes(struct al_store *s, uint64_t from, uint32_t limit,
    int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
    void *arg)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->changes(s, from, limit, cb, arg);
}

int al_store_position(struct al_store *s, uint64_t *ret_pos)
{
    int err = al_store_may_read(s);
    if (err != 0)
        return err;
    if (!s->in_transaction)
        return s->ops->position(s, ret_pos);
    *ret_pos = s->pos;
    return 0;
}

/* --- small facts --------------------------------------------------------------------------- */

int al_store_kv_get(
    struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->kv_get(s, ret, space, key);
}

int al_store_kv_put(
    struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value)
{
    int err = al_store_may_write(s);
    return err != 0 ? err : al_store_written(s, s->ops->kv_put(s, space, key, value));
}

int al_store_kv_del(struct al_store *s, enum al_space space, struct al_slice key)
{
    int err = al_store_may_write(s);
    if (err == 0 && space == AL_SPACE_OUTBOX)
        s->untidy = true;
    return err != 0 ? err : al_store_written(s, s->ops->kv_del(s, space, key));
}

int al_store_kv_scan(struct al_store *s, enum al_space space, struct al_slice prefix,
    int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg)
{
    int err = al_store_may_read(s);
    return err != 0 ? err : s->ops->kv_scan(s, space, prefix, cb, arg);
}

/* --- care ---------------------------------------------------------------------------------- */

int al_store_tidy(struct al_store *s)
{
    AL_ASSERT(!s->in_transaction);
    int err = al_store_may_read(s);
    if (err == 0)
        err = s->ops->tidy(s);
    if (err == 0)
        s->untidy = false;
    return err;
}

bool al_store_is_untidy(const struct al_store *s)
{
    return s->untidy;
}
