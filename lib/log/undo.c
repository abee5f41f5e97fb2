#include "undo.h"

#include <stdlib.h>

#include "apply.h"
#include "heapbuf.h"
#include "read.h"

struct range {
    struct al_logs *l;
    const struct al_log *log;
    uint64_t first, last;
    struct al_map *ids;  /* a set: of the entries in it */
    struct al_buf found; /* what is to be changed when the scan is over */
};

/* --- entries, one by one ---------------------------------------------------------------------- */

/* Call |fn| with each payload held in first..last of |log|; it may write. */
static int each_payload(struct al_logs *l, struct al_log *log, uint64_t first, uint64_t last,
    int (*fn)(struct al_logs *l, struct al_log *log, const struct al_place *place,
        const struct al_store_row *row))
{
    struct al_place place = {.device = log->device, .log = log->name};
    uint8_t *payload = malloc(AL_PAYLOAD_MAX);
    int err = payload == NULL ? AL_E_NOMEM : 0;
    for (uint64_t seq = last; err == 0 && seq >= first && seq > 0; seq--) {
        const struct al_store_run *run = al_log_run_at(log, seq);
        struct al_store_row row;
        if (run == NULL)
            break;
        if (run->last < seq) {
            seq = run->last + 1; /* over the gap */
            continue;
        }
        place.seq = seq;
        err = al_log_prev(l, &place.prev, log, seq);
        if (err == 0)
            err = al_store_get(l->store, &row, log->no, seq);
        if (err != 0 || row.payload.n == 0)
            continue;
        memcpy(payload, row.payload.p, row.payload.n);
        row.payload.p = payload;
        err = fn(l, log, &place, &row);
    }
    free(payload);
    return err;
}

static int apply_again(struct al_logs *l, struct al_log *log, const struct al_place *place,
    const struct al_store_row *row)
{
    return al_apply_payload(l, log, place, row->time_ms, &row->id, row->payload);
}

int al_undo_undone(struct al_logs *l, struct al_log *log, uint64_t first, uint64_t last)
{
    return each_payload(l, log, first, last, apply_again);
}

/* --- retractions ---------------------------------------------------------------------------- */

#define TARGET_BYTES 64 /* target, retractor; then device, log, seq of the retraction */
#define RETRACTION_KEY_BYTES (TARGET_BYTES + 48)

struct retraction {
    uint8_t key[RETRACTION_KEY_BYTES];
    struct al_ref of;
};

static int find_retraction(void *arg, struct al_slice key, struct al_slice value)
{
    struct range *r = arg;
    struct retraction found;
    struct al_read of = al_read_init(value);
    al_read_ref(&of, &found.of);
    if (key.n != RETRACTION_KEY_BYTES || al_read_end(&of) != 0)
        return AL_E_CORRUPT;
    const uint8_t *by = key.p + TARGET_BYTES;
    uint64_t seq = al_u64be_read(by + 40);
    if (memcmp(by, r->log->device.b, 32) != 0 || memcmp(by + 32, r->log->name.b, 8) != 0 ||
        seq < r->first || seq > r->last)
        return 0;
    memcpy(found.key, key.p, key.n);
    al_buf_put(&r->found, &found, sizeof(found));
    return r->found.full ? AL_E_NOMEM : 0;
}

static int count_one(void *arg, struct al_slice key, struct al_slice value)
{
    (void)key;
    (void)value;
    ++*(uint32_t *)arg;
    return 0;
}

/* The payload of |ref| is wanted again, if it is one that was dropped. */
static int want_payload(struct al_logs *l, const struct al_ref *ref)
{
    const struct al_log *log = al_logs_find(l, &ref->device, &ref->log);
    struct al_store_row row;
    uint8_t key[32 + 8 + 8];
    if (log == NULL || !al_log_holds(log, ref->seq))
        return 0;
    int err = al_store_get(l->store, &row, log->no, ref->seq);
    if (err != 0 || !al_hash_eq(&row.id, &ref->id) || row.payload.n > 0)
        return err;
    memcpy(key, ref->device.b, 32);
    memcpy(key + 32, ref->log.b, 8);
    al_u64be(key + 40, ref->seq);
    l->misses = true;
    return al_store_kv_put(
        l->store, AL_SPACE_MISSING, al_slice_of(key, sizeof(key)), al_slice_str("1"));
}

int al_undo_want(
    struct al_logs *l, const struct al_log *log, uint64_t seq, const struct al_hash *id)
{
    struct al_ref ref = {.device = log->device, .log = log->name, .seq = seq, .id = *id};
    return al_apply_is_retracted(l, id, log->person) ? 0 : want_payload(l, &ref);
}

static int want_edit(void *arg, const struct al_ref *edit)
{
    return want_payload(arg, edit);
}

static int undo_retraction(struct range *r, const struct retraction *x)
{
    struct al_logs *l = r->l;
    uint32_t others = 0;
    int err = al_store_kv_del(l->store, AL_SPACE_RETRACT, al_slice_of(x->key, sizeof(x->key)));
    if (err == 0)
        err = al_store_kv_scan(
            l->store, AL_SPACE_RETRACT, al_slice_of(x->key, TARGET_BYTES), count_one, &others);
    if (err != 0 || others > 0)
        return err; /* it is still retracted, by another entry */
    (void)al_map_remove(l->retracted, x->key);
    err = want_payload(l, &x->of);
    if (err == 0)
        err = al_apply_edits(l, &x->of.id, r->log->person, want_edit, l);
    return err;
}

static int undo_retractions(struct range *r)
{
    r->found = al_heapbuf();
    int err =
        al_store_kv_scan(r->l->store, AL_SPACE_RETRACT, al_slice_of(NULL, 0), find_retraction, r);
    for (size_t at = 0; err == 0 && at < r->found.n; at += sizeof(struct retraction)) {
        struct retraction x;
        memcpy(&x, r->found.p + at, sizeof(x));
        err = undo_retraction(r, &x);
    }
    al_heapbuf_free(&r->found);
    return err;
}

/* --- own choices ---------------------------------------------------------------------------- */

static int note_id(void *arg, const struct al_store_row *row)
{
    struct range *r = arg;
    return al_map_put(r->ids, row->id.b, r);
}

/* Keys are collected each with its length before it. */
static int find_choice(void *arg, struct al_slice key, struct al_slice value)
{
    struct range *r = arg;
    struct al_hash id;
    struct al_read v = al_read_init(value);
    (void)al_read_array(&v, 3, 3);
    (void)al_read_uint(&v, UINT64_MAX);
    al_read_bytes(&v, id.b, sizeof(id.b));
    if (v.err != 0 || key.n > UINT8_MAX)
        return AL_E_CORRUPT;
    if (al_map_get(r->ids, id.b) == NULL)
        return 0;
    uint8_t n = (uint8_t)key.n;
    al_buf_put(&r->found, &n, 1);
    al_buf_put(&r->found, key.p, key.n);
    return r->found.full ? AL_E_NOMEM : 0;
}

static int choose_again(struct al_logs *l, struct al_log *log, const struct al_place *place,
    const struct al_store_row *row)
{
    struct al_payload p;
    uint8_t *clear;
    int err = al_apply_read(l, &p, &clear, log, place, row->payload);
    if (err == 0 && p.kind == AL_KIND_STATE)
        err = al_apply_open(l, log, row->seq, row->time_ms, &row->id, &p);
    else if (err != AL_E_NOMEM)
        err = 0;
    free(clear);
    return err;
}

/* Of every choice the latest entry that counts has the word. */
static int choose_all_again(struct range *r)
{
    struct al_logs *l = r->l;
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < l->self->log_count; i++) {
        struct al_log *log = l->self->logs[i];
        uint64_t last = al_log_head(log) < log->cut.seq ? al_log_head(log) : log->cut.seq;
        if (log != r->log) {
            err = each_payload(l, log, 1, last, choose_again);
            continue;
        }
        err = each_payload(l, log, 1, r->first - 1, choose_again);
        if (err == 0 && r->last < last)
            err = each_payload(l, log, r->last + 1, last, choose_again);
    }
    return err;
}

static int undo_choices(struct range *r)
{
    static const uint8_t off = 0xc2; /* MessagePack's false */
    struct al_logs *l = r->l;
    uint8_t secret[16];
    al_rng_bytes(l->rng, secret, sizeof(secret));
    r->found = al_heapbuf();
    r->ids = al_map_new(32, secret);
    int err = r->ids == NULL ? AL_E_NOMEM : 0;
    if (err == 0)
        err = al_store_entries(l->store, r->log->no, r->first, r->last, note_id, r);
    if (err == 0)
        err = al_store_kv_scan(l->store, AL_SPACE_STATE, al_slice_of(NULL, 0), find_choice, r);
    for (size_t at = 0; err == 0 && at < r->found.n; at += 1 + r->found.p[at]) {
        struct al_slice key = al_slice_of(r->found.p + at + 1, r->found.p[at]);
        err = al_store_kv_del(l->store, AL_SPACE_STATE, key);
        if (err == 0)
            err = al_apply_choose(l, key, al_slice_of(&off, 1));
    }
    if (err == 0 && r->found.n > 0)
        err = choose_all_again(r);
    if (err == 0 && r->found.n > 0)
        err = al_store_change(l->store, &l->pos, AL_CHANGE_STATE, 0, 0);
    al_map_free(r->ids);
    al_heapbuf_free(&r->found);
    return err;
}

int al_undo_entries(struct al_logs *l, const struct al_log *log, uint64_t first, uint64_t last)
{
    uint64_t head = al_log_head(log);
    struct range r = {.l = l, .log = log, .first = first, .last = last < head ? last : head};
    if (r.first > r.last)
        return 0;
    int err = undo_retractions(&r);
    if (err == 0)
        err = al_circles_hide(
            l->circles, &log->person->identity, &log->device, &log->name, r.first, r.last);
    if (err == 0 && log->person == l->self)
        err = undo_choices(&r);
    return err;
}
