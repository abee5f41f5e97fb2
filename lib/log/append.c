#include "append.h"

#include <sodium.h>
#include <stdlib.h>

#include "apply.h"
#include "check.h"
#include "heapbuf.h"
#include "sealed.h"

/* Entries of one block being made, with the memory of their payloads. */
struct batch {
    struct al_store_item items[AL_BLOCK_ENTRIES];
    const struct al_payload *payloads[AL_BLOCK_ENTRIES];
    size_t at[AL_BLOCK_ENTRIES]; /* of each payload in |bytes|, which may move while it grows */
    uint32_t count;
    uint64_t first;
    struct al_hash prev;    /* of the first */
    struct al_hash last_id; /* of the last made */
    struct al_buf bytes;
};

/* The log to write to, NULL when there is none: a copy writes to one that is never sent. */
static struct al_log *present(const struct al_logs *l)
{
    return l->copy ? l->local : l->own;
}

/* Keep the name of the new log |log|, for the next start. */
static int note_log(struct al_logs *l, struct al_log *log)
{
    uint8_t key[32 + 8];
    memcpy(key, log->device.b, 32);
    memcpy(key + 32, log->name.b, 8);
    int err = l->copy ? al_store_kv_put(l->store, AL_SPACE_META, al_slice_str(AL_META_LOCAL_LOG),
                            al_slice_of(key, sizeof(key)))
                      : al_store_kv_put(l->store, AL_SPACE_META, al_slice_str(AL_META_OWN_LOG),
                            al_slice_of(key + 32, 8));
    if (err == 0 && l->copy)
        l->local = log;
    else if (err == 0)
        l->own = log;
    return err;
}

static int ensure_log(struct al_logs *l)
{
    const struct al_log *log = present(l);
    if (log != NULL && (l->copy || log->cut.seq == AL_SEQ_MAX) && log->frozen == 0 &&
        al_log_head(log) < AL_SEQ_MAX)
        return 0;
    if (!l->copy &&
        al_record_standing(l->self->record, NULL, &l->keyring->device, NULL) == AL_STANDING_REVOKED)
        return AL_E_REVOKED; /* nobody would take it */
    struct al_logname name;
    struct al_log *made;
    al_rng_bytes(l->rng, name.b, sizeof(name.b));
    int err = al_logs_open(l, &made, &l->keyring->device, &name);
    return err == 0 ? note_log(l, made) : err;
}

static int encode_sealed(struct al_logs *l, struct al_buf *b, const struct al_payload *payload,
    const struct al_place *place)
{
    uint8_t *inner = malloc(AL_PAYLOAD_MAX);
    if (inner == NULL)
        return AL_E_NOMEM;
    struct al_buf map = al_buf_fixed(inner, AL_PAYLOAD_MAX);
    int err = al_payload_encode(&map, payload);
    uint8_t nonce[AL_NONCE_BYTES];
    al_rng_bytes(l->rng, nonce, sizeof(nonce));
    bool mine = payload->audience == AL_AUDIENCE_ME;
    if (err == 0)
        err = al_sealed_encode(
            b, mine ? l->keyring->me_key : payload->epoch_key, nonce, place, al_buf_slice(&map));
    sodium_memzero(inner, map.n);
    free(inner);
    return err;
}

static int make(struct al_logs *l, struct batch *b, const struct al_payload *payload,
    struct al_ref *ret_ref, struct al_now now)
{
    struct al_header h = {
        .device = present(l)->device,
        .log = present(l)->name,
        .seq = b->first + b->count,
        .time_ms = now.wall_ms > AL_TIME_MAX ? AL_TIME_MAX : now.wall_ms,
        .prev = b->last_id,
    };
    size_t start = b->bytes.n;
    int err;
    if (payload->audience == AL_AUDIENCE_ME || payload->audience == AL_AUDIENCE_CIRCLE) {
        struct al_place place = {.device = h.device, .log = h.log, .seq = h.seq, .prev = h.prev};
        err = encode_sealed(l, &b->bytes, payload, &place);
    } else {
        struct al_payload salted = *payload;
        al_rng_bytes(l->rng, salted.salt, sizeof(salted.salt));
        err = al_payload_encode(&b->bytes, &salted);
    }
    if (err != 0)
        return err;
    if (b->bytes.full)
        return AL_E_NOMEM;
    struct al_slice bytes = al_slice_of(b->bytes.p + start, b->bytes.n - start);
    struct al_store_item *item = &b->items[b->count];
    h.plen = (uint32_t)bytes.n;
    al_entry_payload_hash(&h.phash, bytes);
    al_header_id(&item->id, &h);
    item->time_ms = h.time_ms;
    item->plen = h.plen;
    item->phash = h.phash;
    item->payload.n = bytes.n;
    b->at[b->count] = start;
    b->payloads[b->count] = payload;
    b->last_id = item->id;
    b->count++;
    if (ret_ref != NULL)
        *ret_ref = (struct al_ref){.device = h.device, .log = h.log, .seq = h.seq, .id = item->id};
    return 0;
}

/* Sign the last of the batch and store it all. */
static int flush(struct al_logs *l, struct batch *b, struct al_now now)
{
    struct al_log *log = present(l);
    if (b->count == 0)
        return 0;
    struct al_sig sig;
    al_entry_sign(&sig, l->keyring->device_secret, &b->last_id);
    for (uint32_t i = 0; i < b->count; i++)
        b->items[i].payload.p = b->bytes.p + b->at[i];
    uint64_t last = b->first + b->count - 1;
    int err = al_store_put(
        l->store, &l->pos, log->no, b->first, &b->prev, b->items, b->count, &sig, now.wall_ms);
    if (err == 0)
        err = al_log_note_run(log, b->first, last, &b->prev);
    if (err != 0)
        return err;
    log->head_id = b->last_id;
    l->entries += b->count;
    for (uint32_t i = 0; err == 0 && i < b->count; i++)
        err = al_apply_open(
            l, log, b->first + i, b->items[i].time_ms, &b->items[i].id, b->payloads[i]);
    b->first = last + 1;
    b->prev = b->last_id;
    b->count = 0;
    b->bytes.n = 0;
    return err;
}

int al_append_place(struct al_logs *l, struct al_place *ret)
{
    int err = ensure_log(l);
    if (err != 0)
        return err;
    const struct al_log *own = present(l);
    struct al_place place = {.device = own->device, .log = own->name, .seq = al_log_head(own) + 1};
    err = al_log_prev(l, &place.prev, own, place.seq);
    if (err == 0)
        *ret = place;
    return err;
}

int al_append(struct al_logs *l, struct al_ref *refs, const struct al_payload *payloads,
    uint32_t count, struct al_now now)
{
    int err = ensure_log(l);
    if (err != 0)
        return err;
    l->now = now;
    struct batch *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return AL_E_NOMEM;
    b->bytes = al_heapbuf();
    b->first = al_log_head(present(l)) + 1;
    err = al_log_prev(l, &b->prev, present(l), b->first);
    b->last_id = b->prev;
    for (uint32_t i = 0; err == 0 && i < count; i++) {
        err = make(l, b, &payloads[i], refs == NULL ? NULL : &refs[i], now);
        bool ends = i + 1 == count || (b->first + b->count - 1) % AL_BLOCK_ENTRIES == 0;
        if (err == 0 && ends)
            err = flush(l, b, now);
    }
    al_heapbuf_free(&b->bytes);
    free(b);
    return err;
}
