#include "ingest.h"

#include <stdlib.h>

#include "apply.h"
#include "check.h"
#include "export.h"
#include "proof.h"

/* --- forks --------------------------------------------------------------------------------- */

/*
 * |seg|, properly signed, attests another id for |seq| than the log holds: keep the proof and
 * freeze the log. The other half is made from the store: the segment held around |seq|.
 */
static int keep_fork(
    struct al_logs *l, struct al_log *log, const struct al_segment *seg, uint64_t seq)
{
    struct al_export *mine;
    uint8_t *bytes = NULL;
    int err = al_export_new(&mine);
    if (err != 0)
        return err;
    err = al_export_segment(l, mine, log, seq, al_block_last(al_block_of(seq)));
    uint64_t at = 0;
    if (err == 0)
        err = al_fork_find(&at, &mine->segment, seg);
    if (err == 0) {
        bytes = malloc(8 + AL_FORK_MAX);
        err = bytes == NULL ? AL_E_NOMEM : 0;
    }
    if (err == 0) {
        struct al_buf b = al_buf_fixed(bytes, 8 + AL_FORK_MAX);
        al_buf_put_u64be(&b, at);
        al_fork_encode(&b, &mine->segment, seg);
        uint8_t key[40];
        memcpy(key, log->device.b, 32);
        memcpy(key + 32, log->name.b, 8);
        AL_ASSERT(!b.full);
        err = al_store_kv_put(
            l->store, AL_SPACE_FORK, al_slice_of(key, sizeof(key)), al_buf_slice(&b));
    }
    if (err == 0)
        err = al_store_change(l->store, &l->pos, AL_CHANGE_FROZEN, log->no, at);
    if (err == 0) {
        log->frozen = at;
        err = AL_E_FORK;
    }
    free(bytes);
    al_export_free(mine);
    return err;
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

static int apply_items(struct al_logs *l, struct al_log *log, const struct al_segment *seg,
    uint32_t from, uint32_t count)
{
    struct al_place place = {.device = log->device, .log = log->name};
    for (uint32_t i = from; i < from + count; i++) {
        const struct al_segment_item *item = &seg->items[i];
        if (item->payload.n == 0)
            continue;
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

/* A first entry must carry the genesis of its identity, device and log. */
static int check_genesis(struct al_log *log, const struct al_segment *seg)
{
    struct al_hash genesis;
    if (seg->first != 1)
        return 0;
    al_entry_genesis(&genesis, &log->person->identity, &log->device, &log->name);
    return al_hash_eq(&genesis, &seg->prev) ? 0 : AL_E_PREV;
}

/* True if nothing of |seg| is held and nothing beside it is: then nothing can contradict it. */
static bool stands_alone(const struct al_log *log, const struct al_segment *seg)
{
    const struct al_store_run *run = al_log_run_at(log, al_segment_last(seg) + 1);
    return run == NULL || run->last + 1 < seg->first;
}

int al_ingest_segment(
    struct al_logs *l, struct al_ingest *ret, const struct al_segment *seg, struct al_now now)
{
    struct al_ingest in = {.log = NULL};
    uint64_t last = al_segment_last(seg);
    int err = al_segment_verify(seg); /* before anything is made or looked up for it */
    if (err == 0)
        err = al_logs_open(l, &in.log, &seg->device, &seg->log);
    if (err == 0)
        err = check_genesis(in.log, seg);
    if (err != 0)
        return err;
    in.old_head = al_log_head(in.log);
    if (in.log->frozen != 0 && last >= in.log->frozen)
        return AL_E_DECLINED;
    if (last > al_log_cut(in.log))
        return AL_E_REVOKED;
    uint64_t fork = 0;
    if (!stands_alone(in.log, seg))
        err = contradiction(l, &fork, in.log, seg);
    if (err == 0 && fork != 0)
        err = keep_fork(l, in.log, seg, fork);
    if (err == 0)
        err = store_new(l, &in, seg, now);
    if (err == 0 && in.added > 0 && in.log == l->own)
        l->own_moved = true;
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
        err = al_log_prev(l, &place.prev, log, seq);
    if (err == 0)
        err = al_apply_payload(l, log, &place, time_ms, &id, payload);
    return err;
}
