#include "ingest.h"

#include <stdlib.h>

#include "apply.h"
#include "check.h"
#include "export.h"
#include "proof.h"
#include "rewrite.h"
#include "settle.h"
#include "undo.h"

/* --- forks --------------------------------------------------------------------------------- */

static void fork_key(uint8_t out[40], const struct al_log *log)
{
    memcpy(out, log->device.b, 32);
    memcpy(out + 32, log->name.b, 8);
}

int al_ingest_proof(struct al_logs *l, struct al_slice *ret, const struct al_log *log)
{
    uint8_t key[40];
    struct al_slice value;
    fork_key(key, log);
    int err = al_store_kv_get(l->store, &value, AL_SPACE_FORK, al_slice_of(key, sizeof(key)));
    if (err == 0 && value.n < 8)
        err = AL_E_CORRUPT;
    if (err == 0)
        *ret = al_slice_of(value.p + 8, value.n - 8);
    return err;
}

int al_ingest_fork(
    struct al_logs *l, bool *ret_new, struct al_log *log, uint64_t seq, struct al_slice proof)
{
    uint8_t key[40];
    uint8_t bytes[8 + AL_FORK_MAX];
    struct al_buf value = al_buf_fixed(bytes, sizeof(bytes));
    struct al_slice old;
    int err = log->frozen == 0 ? AL_E_NOT_FOUND : al_ingest_proof(l, &old, log);
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    /* of two proofs everybody keeps the same */
    if (err == 0 && (seq > log->frozen || (seq == log->frozen && al_slice_cmp(proof, old) >= 0))) {
        *ret_new = false;
        return 0;
    }
    fork_key(key, log);
    al_buf_put_u64be(&value, seq);
    al_buf_put(&value, proof.p, proof.n);
    AL_ASSERT(!value.full);
    err = al_store_kv_put(
        l->store, AL_SPACE_FORK, al_slice_of(key, sizeof(key)), al_buf_slice(&value));
    if (err != 0)
        return err;
    bool moves = log->frozen != seq;
    log->frozen = seq;
    if (moves && al_log_disputed(log)) /* what the root has settled is no news */
        err = al_store_change(l->store, &l->pos, AL_CHANGE_FROZEN, log->no, seq);
    if (err == 0)
        *ret_new = true;
    return err;
}

/*
 * |seg|, properly signed, attests another id for |seq| than the log holds: freeze it. The other
 * half of the proof is made from the store: a segment that attests |seq|, by holding it or by
 * following it. Without a signature there is none.
 */
static int notice_fork(struct al_logs *l, bool *ret_new, struct al_log *log,
    const struct al_segment *seg, uint64_t seq)
{
    struct al_export *mine;
    uint8_t bytes[AL_FORK_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    uint64_t first = al_log_holds(log, seq) ? seq : seq + 1;
    uint64_t at = 0;
    int err = al_export_new(&mine);
    if (err != 0)
        return err;
    err = al_export_held(l, mine, log, first, al_block_last(al_block_of(first)));
    if (err == 0 && al_segment_sig_is_absent(&mine->segment.sig))
        err = AL_E_NO_FORK;
    if (err == 0)
        err = al_fork_find(&at, &mine->segment, seg);
    if (err == 0) {
        al_fork_encode(&b, &mine->segment, seg);
        AL_ASSERT(!b.full);
        err = al_ingest_fork(l, ret_new, log, at, al_buf_slice(&b));
    }
    al_export_free(mine);
    return err == AL_E_NOT_FOUND || err == AL_E_NO_FORK ? 0 : err;
}

/* The first number that both |seg| and the log attest, with different ids; 0 when they agree. */
static int contradiction(
    struct al_logs *l, uint64_t *ret_seq, const struct al_log *log, const struct al_segment *seg)
{
    uint64_t last = al_segment_last(seg);
    *ret_seq = 0;
    for (uint64_t seq = seg->first - 1; seq <= last; seq++) {
        const struct al_hash *theirs = al_segment_attests(seg, seq);
        struct al_hash mine;
        if (theirs == NULL || !al_log_knows(log, seq))
            continue;
        int err = al_log_prev(l, &mine, log, seq + 1);
        if (err != 0)
            return err;
        if (!al_hash_eq(&mine, theirs)) {
            *ret_seq = seq;
            return 0;
        }
    }
    return 0;
}

/* --- storing ------------------------------------------------------------------------------- */

/* Then what others say they do not hold may be what a thief took back, and not all obeyed. */
static bool has_revoked_device(const struct al_person *person)
{
    size_t n = al_record_devices(person->record);
    for (size_t i = 0; i < n; i++) {
        struct al_device device;
        struct al_slice name;
        al_record_device(person->record, i, &device, &name);
        if (al_record_standing(person->record, NULL, &device, NULL) == AL_STANDING_REVOKED)
            return true;
    }
    return false;
}

static int apply_items(struct al_logs *l, struct al_log *log, const struct al_segment *seg,
    uint32_t from, uint32_t count)
{
    struct al_place place = {.device = log->device, .log = log->name};
    bool doubt = has_revoked_device(log->person);
    for (uint32_t i = from; i < from + count; i++) {
        const struct al_segment_item *item = &seg->items[i];
        if (item->payload.n == 0) {
            int err = doubt ? al_undo_want(l, log, seg->first + i, &item->id) : 0;
            if (err != 0)
                return err;
            continue;
        }
        place.seq = seg->first + i;
        place.prev = i == 0 ? seg->prev : seg->items[i - 1].id;
        int err = al_apply_payload(l, log, &place, item->time_ms, &item->id, item->payload);
        if (err != 0)
            return err;
    }
    return 0;
}

/* Store the |count| items from index |from|, none of which is held. */
static int put_items(struct al_logs *l, struct al_log *log, const struct al_segment *seg,
    uint32_t from, uint32_t count, struct al_now now)
{
    struct al_store_item items[AL_BLOCK_ENTRIES];
    for (uint32_t i = 0; i < count; i++) {
        const struct al_segment_item *item = &seg->items[from + i];
        items[i] = (struct al_store_item){
            .time_ms = item->time_ms,
            .id = item->id,
            .plen = item->plen,
            .phash = item->phash,
            .payload = item->payload,
        };
    }
    uint64_t first = seg->first + from;
    const struct al_hash *prev = from == 0 ? &seg->prev : &seg->items[from - 1].id;
    bool to_the_end = from + count == seg->count;
    int err = al_store_put(l->store, &l->pos, log->no, first, prev, items, count,
        to_the_end ? &seg->sig : NULL, now.wall_ms);
    bool new_head = first + count - 1 > al_log_head(log);
    if (err == 0)
        err = al_log_note_run(log, first, first + count - 1, prev);
    if (err != 0)
        return err;
    if (new_head)
        log->head_id = seg->items[from + count - 1].id;
    l->entries += count;
    return apply_items(l, log, seg, from, count);
}

int al_ingest_put(
    struct al_logs *l, struct al_log *log, const struct al_segment *seg, struct al_now now)
{
    return put_items(l, log, seg, 0, seg->count, now);
}

static int store_new(
    struct al_logs *l, struct al_ingest *ret, const struct al_segment *seg, struct al_now now)
{
    for (uint32_t from = 0; from < seg->count;) {
        if (al_log_holds(ret->log, seg->first + from)) {
            from++;
            continue;
        }
        uint32_t count = 1;
        while (from + count < seg->count && !al_log_holds(ret->log, seg->first + from + count))
            count++;
        int err = put_items(l, ret->log, seg, from, count, now);
        if (err != 0)
            return err;
        if (ret->first == 0)
            ret->first = seg->first + from;
        ret->added += count;
        from += count;
    }
    return 0;
}

/* --- making way ---------------------------------------------------------------------------- */

/* What stays of a block from which the other branch is taken out. */
struct rest {
    struct al_export *above;  /* what lies above the segment and is anchored */
    struct al_export *kept;   /* payloads that were held */
    struct al_segment merged; /* the segment with them */
};

static int keep_row(void *arg, const struct al_store_row *row)
{
    struct rest *r = arg;
    struct al_segment *s = &r->merged;
    if (row->payload.n == 0 || row->seq < s->first || row->seq > al_segment_last(s))
        return 0;
    struct al_segment_item *item = &s->items[row->seq - s->first];
    if (item->payload.n > 0 || !al_hash_eq(&item->id, &row->id))
        return 0;
    item->payload = al_export_keep(r->kept, row->payload);
    return 0;
}

/*
 * Take out the block in which |seq| contradicts the anchored segment in |r|, and put back what of
 * it was anchored above.
 */
static int take_out_branch(
    struct al_logs *l, struct rest *r, struct al_log *log, uint64_t seq, struct al_now now)
{
    uint64_t out = al_log_holds(log, seq) ? seq : seq + 1;
    uint64_t last = al_block_last(al_block_of(out));
    uint64_t above = 0;
    uint64_t floor;
    int err = al_settle_floor(l, &floor, log);
    if (err == 0 && floor > out && floor <= last) {
        above = floor;
        err = al_export_held(l, r->above, log, above, last);
    }
    if (err == 0)
        err = al_store_entries(
            l->store, log->no, al_block_first(al_block_of(out)), last, keep_row, r);
    if (err == 0)
        err = al_settle_take_out(l, log, out);
    if (err == 0 && above != 0)
        err = al_ingest_put(l, log, &r->above->segment, now);
    return err;
}

/* Take out whatever contradicts the anchored |seg|; what agrees with it stays, or is in |r|. */
static int make_way(struct al_logs *l, struct rest *r, struct al_log *log,
    const struct al_segment *seg, struct al_now now)
{
    r->merged = *seg;
    for (;;) {
        uint64_t seq;
        int err = contradiction(l, &seq, log, seg);
        if (err != 0 || seq == 0)
            return err;
        err = take_out_branch(l, r, log, seq, now);
        if (err != 0)
            return err;
    }
}

static int store_anchored(
    struct al_logs *l, struct al_ingest *ret, const struct al_segment *seg, struct al_now now)
{
    struct rest *r = calloc(1, sizeof(*r));
    int err = r == NULL ? AL_E_NOMEM : al_export_new(&r->above);
    if (err == 0)
        err = al_export_new(&r->kept);
    if (err == 0)
        err = make_way(l, r, ret->log, seg, now);
    if (err == 0)
        err = store_new(l, ret, &r->merged, now);
    if (r != NULL) {
        al_export_free(r->above);
        al_export_free(r->kept);
    }
    free(r);
    return err;
}

/* --- what is taken ---------------------------------------------------------------------------- */

/*
 * Does its device vouch for |seg|? What has no signature may be named by somebody else's; whoever
 * has not heard that yet can't know, which is nobody's fault.
 */
static int check_signature(struct al_logs *l, bool *ret_signed, const struct al_segment *seg)
{
    const struct al_log *log = al_logs_find(l, &seg->device, &seg->log);
    struct al_person *owner = al_logs_owner(l, &seg->device);
    struct al_log unknown = {.device = seg->device, .name = seg->log};
    bool named = false;
    *ret_signed = !al_segment_sig_is_absent(&seg->sig);
    if (*ret_signed)
        return al_segment_verify(seg);
    if (owner == NULL)
        return AL_E_NOT_CERTIFIED;
    if (log == NULL) {
        unknown.person = owner;
        al_settle_cut(&unknown);
        log = &unknown;
    }
    int err = al_settle_names(l, &named, log, al_segment_last(seg), &seg->items[seg->count - 1].id);
    return err == 0 && !named ? AL_E_DECLINED : err;
}

/* Does the owner of its device vouch for |seg|, and as far as it goes? */
static int check_owner(const struct al_logs *l, const struct al_segment *seg)
{
    const struct al_person *owner = al_logs_owner(l, &seg->device);
    struct al_hash genesis;
    if (owner == NULL)
        return AL_E_NOT_CERTIFIED;
    if (al_segment_last(seg) > al_logs_cut(owner, &seg->device, &seg->log))
        return AL_E_REVOKED;
    al_entry_genesis(&genesis, &owner->identity, &seg->device, &seg->log);
    return seg->first > 1 || al_hash_eq(&genesis, &seg->prev) ? 0 : AL_E_PREV;
}

/* True if nothing of |seg| is held and nothing beside it is: then nothing can contradict it. */
static bool stands_alone(const struct al_log *log, const struct al_segment *seg)
{
    const struct al_store_run *run = al_log_run_at(log, al_segment_last(seg) + 1);
    return run == NULL || run->last + 1 < seg->first;
}

/*
 * May |seg|, which contradicts the log at |fork| unless that is 0, be stored? If the log forks, and
 * the root has not said yet which side counts, nothing from there on; if it has, only what hangs on
 * its word, so that the other side can't fill what is missing.
 */
static int check_branch(struct al_logs *l, bool *ret_anchored, struct al_log *log,
    const struct al_segment *seg, uint64_t fork, bool is_signed)
{
    bool is_new = false;
    bool revoked = log->cut.seq < AL_SEQ_MAX;
    int err = 0;
    *ret_anchored = false;
    if (fork != 0 && is_signed && (log->frozen == 0 || fork <= log->frozen))
        err = notice_fork(l, &is_new, log, seg, fork);
    if (err == 0 && revoked)
        err = al_settle_anchors(l, ret_anchored, log, seg);
    if (err != 0 || *ret_anchored)
        return err;
    if (fork != 0)
        return is_new ? AL_E_FORK : AL_E_DECLINED;
    if (al_segment_last(seg) == log->cut.seq)
        return AL_E_REVOKED; /* it is not the entry that the root named */
    if (log->frozen != 0 && (revoked || al_segment_last(seg) >= log->frozen))
        return AL_E_DECLINED;
    return 0;
}

static int leave_own(struct al_logs *l, const struct al_log *log)
{
    if (log != l->own)
        return 0;
    l->own_left = true;
    return al_logs_leave_own(l);
}

/*
 * |seg| is of this very device, and contradicts the log at |*fork|: it is not whole here. What has
 * not left yet goes aside, to be written again when it is clear what of it others hold.
 */
static int clear_own(struct al_logs *l, uint64_t *fork, struct al_log *log,
    const struct al_segment *seg, struct al_now now)
{
    if (!al_device_eq(&log->device, &l->keyring->device) || *fork <= log->hold)
        return 0;
    int err = leave_own(l, log);
    if (err == 0)
        err = al_rewrite_set_aside(l, log, log->hold + 1, now);
    return err == 0 ? contradiction(l, fork, log, seg) : err;
}

/* Something came into a log of this very device. */
static int own_came_in(struct al_logs *l, const struct al_log *log, struct al_now now)
{
    int err = leave_own(l, log); /* it may not be whole yet */
    if (err == 0 && l->aside > 0 && !l->copy && al_log_whole(log, al_log_head(log)))
        err = al_rewrite_all(l, now);
    return err;
}

int al_ingest_segment(
    struct al_logs *l, struct al_ingest *ret, const struct al_segment *seg, struct al_now now)
{
    struct al_ingest in = {.log = NULL};
    l->now = now;
    bool is_signed;
    bool anchored = false;
    uint64_t fork = 0;
    int err = check_signature(l, &is_signed, seg); /* before anything is made for it */
    if (err == 0)
        err = check_owner(l, seg);
    if (err == 0)
        err = al_logs_open(l, &in.log, &seg->device, &seg->log);
    if (err == 0 && !stands_alone(in.log, seg))
        err = contradiction(l, &fork, in.log, seg);
    if (err == 0 && fork != 0)
        err = clear_own(l, &fork, in.log, seg, now);
    if (err == 0)
        err = check_branch(l, &anchored, in.log, seg, fork, is_signed);
    if (err == 0)
        err =
            anchored && fork != 0 ? store_anchored(l, &in, seg, now) : store_new(l, &in, seg, now);
    if (err == 0 && in.added > 0 && al_device_eq(&seg->device, &l->keyring->device))
        err = own_came_in(l, in.log, now);
    if (err == 0 || err == AL_E_FORK)
        *ret = in;
    return err;
}

int al_ingest_payload(struct al_logs *l, const struct al_device *device,
    const struct al_logname *name, uint64_t seq, struct al_slice payload)
{
    struct al_log *log = al_logs_find(l, device, name);
    struct al_store_row row;
    struct al_place place = {.device = *device, .log = *name, .seq = seq};
    int err = log == NULL ? AL_E_NOT_FOUND : al_store_get(l->store, &row, log->no, seq);
    if (err == 0 && row.payload.n > 0)
        err = AL_E_NOT_FOUND;
    if (err != 0)
        return err;
    struct al_hash hash;
    al_entry_payload_hash(&hash, payload);
    if (payload.n != row.plen || !al_hash_eq(&hash, &row.phash))
        return AL_E_PAYLOAD_HASH;
    uint64_t time_ms = row.time_ms;
    struct al_hash id = row.id;
    err = al_store_payload_put(l->store, log->no, seq, payload);
    if (err == 0)
        err = al_store_position(l->store, &l->pos);
    if (err == 0)
        err = al_log_prev(l, &place.prev, log, seq);
    if (err == 0)
        err = al_apply_payload(l, log, &place, time_ms, &id, payload);
    return err;
}
