/* Taking entries out of a log again. */
#include "check.h"
#include "limit.h"
#include "store_int.h"

/* What al_store_remove() takes out: first..last, which is the end of a block. */
struct removal {
    struct al_store_log log;
    uint64_t first, last;
    uint64_t count;
};

/* The id of an entry that is held. */
static int id_at(struct al_store *s, struct al_hash *ret, uint32_t log_no, uint64_t seq)
{
    struct al_store_row row;
    int err = s->ops->row_get(s, &row, log_no, seq);
    if (err == 0)
        *ret = row.id;
    return err == AL_E_NOT_FOUND ? AL_E_CORRUPT : err;
}

/* Shorten the runs to what stays of them, from above to below, and count what goes. */
static int remove_from_runs(struct al_store *s, struct removal *r)
{
    struct al_store_run run;
    int err;
    while ((err = s->ops->run_at(s, &run, r->log.no, r->last)) == 0 && run.last >= r->first) {
        uint64_t from = run.first > r->first ? run.first : r->first;
        uint64_t to = run.last < r->last ? run.last : r->last;
        r->count += to - from + 1;
        if (run.last > r->last) {
            struct al_store_run above = {.first = r->last + 1, .last = run.last};
            err = id_at(s, &above.prev, r->log.no, r->last);
            if (err == 0)
                err = s->ops->run_put(s, r->log.no, &above);
        }
        run.last = r->first - 1;
        if (err == 0)
            err = run.first < r->first ? s->ops->run_put(s, r->log.no, &run)
                                       : s->ops->run_del(s, r->log.no, run.first);
        if (err != 0)
            return err;
    }
    return err == AL_E_NOT_FOUND ? 0 : err;
}

static int remove_sigs(struct al_store *s, const struct removal *r)
{
    struct al_sig sig;
    uint64_t seq;
    int err;
    while ((err = s->ops->sig_at(s, &seq, &sig, r->log.no, r->first)) == 0 && seq <= r->last) {
        err = s->ops->sig_del(s, r->log.no, seq);
        if (err != 0)
            return err;
    }
    return err == AL_E_NOT_FOUND ? 0 : err;
}

/* The head is the last entry of the highest run that is left. */
static int remove_from_log(struct al_store *s, struct removal *r)
{
    struct al_store_run top;
    r->log.held -= r->count;
    if (r->log.head_seq <= r->last) {
        r->log.head_seq = 0;
        r->log.head_id = (struct al_hash){{0}};
        int err = s->ops->run_at(s, &top, r->log.no, AL_SEQ_MAX);
        if (err == 0) {
            r->log.head_seq = top.last;
            err = id_at(s, &r->log.head_id, r->log.no, top.last);
        }
        if (err != 0 && err != AL_E_NOT_FOUND)
            return err;
    }
    return s->ops->log_set(s, &r->log);
}

/* Check that what stays below ends at a signature, and that there is something to take out. */
static int may_remove(struct al_store *s, const struct removal *r)
{
    struct al_store_run run;
    int err = s->ops->run_at(s, &run, r->log.no, r->last);
    if (err != 0)
        return err;
    if (run.last < r->first)
        return AL_E_NOT_FOUND;
    if ((r->first - 1) % AL_BLOCK_ENTRIES == 0)
        return 0;
    err = s->ops->run_at(s, &run, r->log.no, r->first - 1);
    if (err == 0 && run.last >= r->first - 1)
        return AL_E_BLOCK;
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int al_store_remove(struct al_store *s, uint32_t log_no, uint64_t first)
{
    AL_ASSERT(first >= 1 && first <= AL_SEQ_MAX);
    uint64_t block = (first - 1) / AL_BLOCK_ENTRIES;
    struct removal r = {.first = first, .last = (block + 1) * AL_BLOCK_ENTRIES};
    int err = al_store_may_write(s);
    if (err == 0)
        err = al_store_log_get(s, &r.log, log_no);
    if (err == 0)
        err = may_remove(s, &r);
    if (err != 0)
        return err;

    err = remove_from_runs(s, &r);
    if (err == 0)
        err = remove_sigs(s, &r);
    if (err == 0)
        err = s->ops->rows_del(s, log_no, r.first, r.last);
    if (err == 0)
        err = remove_from_log(s, &r);
    if (err == 0) {
        struct al_store_change c = {s->pos + 1, AL_CHANGE_REMOVED, log_no, first};
        err = s->ops->change_add(s, &c);
    }
    if (err == 0)
        s->pos++;
    s->untidy = true;
    return al_store_written(s, err);
}
