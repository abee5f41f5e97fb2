#include "settle.h"

#include "apply.h"
#include "check.h"
#include "ingest.h"
#include "proof.h"
#include "read.h"
#include "undo.h"

/* True if the root ends |log| somewhere. */
static bool is_cut(const struct al_log *log)
{
    return log->cut.seq < AL_SEQ_MAX;
}

bool al_log_disputed(const struct al_log *log)
{
    return log->frozen != 0 && !is_cut(log);
}

void al_settle_cut(struct al_log *log)
{
    struct al_cut cut = {.log = log->name};
    if (al_record_standing(log->person->record, &cut, &log->device, &log->name) ==
        AL_STANDING_CERTIFIED)
        cut.seq = AL_SEQ_MAX;
    log->cut = cut;
}

/* --- what contradicts the root's word --------------------------------------------------------- */

int al_settle_floor(struct al_logs *l, uint64_t *ret, const struct al_log *log)
{
    struct al_hash id;
    *ret = 0;
    if (!is_cut(log) || log->cut.seq == 0 || !al_log_holds(log, log->cut.seq))
        return 0;
    int err = al_log_prev(l, &id, log, log->cut.seq + 1);
    if (err == 0 && al_hash_eq(&id, &log->cut.id))
        *ret = al_log_run_at(log, log->cut.seq)->first;
    return err;
}

int al_settle_take_out(struct al_logs *l, struct al_log *log, uint64_t seq)
{
    const struct al_store_run *run = al_log_run_at(log, seq);
    uint64_t first = al_block_first(al_block_of(seq));
    int err = al_undo_entries(
        l, log, run->first > first ? run->first : first, al_block_last(al_block_of(seq)));
    return err == 0 ? al_log_take_out(l, log, seq) : err;
}

/* Take out what shows another entry at the cut than the root named: it is of another branch. */
static int take_out_at_cut(struct al_logs *l, struct al_log *log)
{
    uint64_t seq = log->cut.seq;
    while (is_cut(log) && seq > 0 && al_log_knows(log, seq)) {
        struct al_hash id;
        int err = al_log_prev(l, &id, log, seq + 1);
        if (err == 0 && al_hash_eq(&id, &log->cut.id))
            return 0;
        if (err == 0)
            err = al_settle_take_out(l, log, al_log_holds(log, seq) ? seq : seq + 1);
        if (err != 0)
            return err;
    }
    return 0;
}

/* --- statements ----------------------------------------------------------------------------- */

/* What is between the old and the new end of |log| begins or ceases to count. */
static int move_end(struct al_logs *l, struct al_log *log, uint64_t old)
{
    uint64_t now = log->cut.seq;
    uint64_t low = old < now ? old : now;
    if (old == now || al_log_head(log) <= low)
        return 0;
    int err =
        old < now ? al_undo_undone(l, log, old + 1, now) : al_undo_entries(l, log, now + 1, old);
    if (err == 0)
        err = al_store_change(l->store, &l->pos, AL_CHANGE_HIDDEN, log->no, now + 1);
    return err;
}

static int settle(struct al_logs *l, struct al_log *log)
{
    uint64_t old = log->cut.seq;
    bool disputed = al_log_disputed(log);
    al_settle_cut(log);
    int err = move_end(l, log, old);
    if (err == 0 && disputed != al_log_disputed(log))
        err = al_store_change(
            l->store, &l->pos, AL_CHANGE_FROZEN, log->no, disputed ? 0 : log->frozen);
    return err == 0 ? take_out_at_cut(l, log) : err;
}

int al_settle_device(
    struct al_logs *l, const struct al_person *person, const struct al_device *device)
{
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < person->log_count; i++) {
        if (al_device_eq(&person->logs[i]->device, device))
            err = settle(l, person->logs[i]);
    }
    return err;
}

/* --- what is offered -------------------------------------------------------------------------- */

int al_settle_limit(struct al_logs *l, uint64_t *ret, const struct al_log *log)
{
    uint64_t limit = log->cut.seq < log->hold ? log->cut.seq : log->hold;
    uint64_t floor = 0;
    if (is_cut(log)) {
        int err = al_settle_floor(l, &floor, log);
        if (err != 0)
            return err;
    }
    /* of a log that forks, what lies above is not passed on while its branch may be the wrong one
     */
    if (log->frozen != 0 && floor == 0 && limit > log->frozen - 1)
        limit = log->frozen - 1;
    *ret = log == l->local ? 0 : limit;
    return 0;
}

int al_log_offer(
    struct al_logs *l, uint64_t *ret_seq, struct al_hash *ret_id, const struct al_log *log)
{
    uint64_t limit;
    int err = al_settle_limit(l, &limit, log);
    if (err != 0)
        return err;
    const struct al_store_run *run = limit == 0 ? NULL : al_log_run_at(log, limit);
    uint64_t seq = run == NULL ? 0 : run->last < limit ? run->last : limit;
    struct al_hash id = {{0}};
    if (seq > 0)
        err = al_log_prev(l, &id, log, seq + 1);
    if (err != 0)
        return err;
    *ret_seq = seq;
    *ret_id = id;
    return 0;
}

bool al_log_whole(const struct al_log *log, uint64_t seq)
{
    const struct al_store_run *run = seq == 0 ? NULL : al_log_run_at(log, seq);
    return run != NULL && run->first == 1 && run->last >= seq;
}

/* --- what comes ----------------------------------------------------------------------------- */

/* Does the kept proof of the fork of |log| show |id| at |seq|? */
static int proof_shows(
    struct al_logs *l, bool *ret, const struct al_log *log, uint64_t seq, const struct al_hash *id)
{
    struct al_slice proof;
    int err = al_ingest_proof(l, &proof, log);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? AL_E_CORRUPT : err;
    struct al_read r = al_read_message(proof);
    (void)al_read_array(&r, 2, 2);
    for (int i = 0; i < 2; i++) {
        struct al_segment half;
        struct al_slice bytes = al_read_raw(&r);
        if (r.err != 0 || al_segment_open(&half, bytes) != 0)
            return AL_E_CORRUPT;
        const struct al_hash *shown = al_segment_attests(&half, seq);
        *ret = *ret || (shown != NULL && al_hash_eq(shown, id));
    }
    return 0;
}

int al_settle_names(
    struct al_logs *l, bool *ret, const struct al_log *log, uint64_t seq, const struct al_hash *id)
{
    *ret = is_cut(log) && seq == log->cut.seq && al_hash_eq(id, &log->cut.id);
    if (!al_log_disputed(log) || seq + 1 != log->frozen)
        return 0;
    return proof_shows(l, ret, log, seq, id);
}

int al_settle_anchors(
    struct al_logs *l, bool *ret, const struct al_log *log, const struct al_segment *seg)
{
    uint64_t last = al_segment_last(seg);
    const struct al_hash *id = &seg->items[seg->count - 1].id;
    uint64_t floor;
    struct al_hash held;
    *ret = last == log->cut.seq && al_hash_eq(id, &log->cut.id);
    if (*ret)
        return 0;
    int err = al_settle_floor(l, &floor, log);
    if (err != 0 || floor == 0 || last + 1 < floor || last > log->cut.seq)
        return err;
    err = al_log_prev(l, &held, log, last + 1);
    *ret = err == 0 && al_hash_eq(&held, id);
    return err;
}
