#include "rewrite.h"

#include <stdlib.h>

#include "append.h"
#include "apply.h"
#include "check.h"
#include "export.h"
#include "heapbuf.h"
#include "ingest.h"
#include "read.h"
#include "write.h"

#define KEY_BYTES (32 + 8 + 8) /* of AL_SPACE_ASIDE: device, log, seq */
#define VALUE_MAX (AL_PAYLOAD_MAX + 128)

/* One entry that is aside, as it stood in its log. */
struct aside {
    struct al_place place;
    uint64_t time_ms;
    struct al_hash id;
    struct al_slice payload; /* n = 0: it was retracted */
};

static void aside_key(uint8_t out[KEY_BYTES], const struct al_device *device,
    const struct al_logname *log, uint64_t seq)
{
    memcpy(out, device->b, 32);
    memcpy(out + 32, log->b, 8);
    al_u64be(out + 40, seq);
}

/* --- setting aside -------------------------------------------------------------------------- */

static int put_aside(struct al_logs *l, struct al_buf *b, const struct al_log *log, uint64_t seq)
{
    uint8_t key[KEY_BYTES];
    struct al_hash prev;
    struct al_store_row row;
    int err = al_log_prev(l, &prev, log, seq);
    if (err == 0)
        err = al_store_get(l->store, &row, log->no, seq);
    if (err != 0)
        return err;
    aside_key(key, &log->device, &log->name, seq);
    b->n = 0;
    al_write_array(b, 4);
    al_write_uint(b, row.time_ms);
    al_write_bin(b, prev.b, sizeof(prev.b));
    al_write_bin(b, row.id.b, sizeof(row.id.b));
    al_write_bin(b, row.payload.p, row.payload.n);
    AL_ASSERT(!b->full);
    err = al_store_kv_put(l->store, AL_SPACE_ASIDE, al_slice_of(key, sizeof(key)), al_buf_slice(b));
    l->aside += err == 0;
    return err;
}

/*
 * Take the block of |head| out of |log|, but for what lies below |seq|, which gets a signature of
 * its own.
 */
static int take_out(struct al_logs *l, struct al_log *log, uint64_t seq, struct al_now now)
{
    uint64_t head = al_log_head(log);
    uint64_t low = al_block_first(al_block_of(head));
    const struct al_store_run *run = al_log_run_at(log, head);
    struct al_export *x = NULL;
    int err = 0;
    low = run->first > low ? run->first : low;
    if (low < seq) {
        err = al_export_new(&x);
        if (err == 0)
            err = al_export_rows(l, x, log, low, seq - 1);
        if (err == 0)
            al_entry_sign(&x->segment.sig, l->keyring->device_secret,
                &x->segment.items[x->segment.count - 1].id);
    }
    if (err == 0)
        err = al_circles_hide(
            l->circles, &log->person->identity, &log->device, &log->name, seq, head);
    if (err == 0)
        err = al_log_take_out(l, log, head);
    if (err == 0 && x != NULL)
        err = al_ingest_put(l, log, &x->segment, now);
    al_export_free(x);
    return err;
}

int al_rewrite_set_aside(struct al_logs *l, struct al_log *log, uint64_t seq, struct al_now now)
{
    uint8_t *bytes = malloc(VALUE_MAX);
    int err = bytes == NULL ? AL_E_NOMEM : 0;
    struct al_buf b = al_buf_fixed(bytes, VALUE_MAX);
    for (uint64_t at = seq; err == 0 && at <= al_log_head(log); at++) {
        if (al_log_holds(log, at))
            err = put_aside(l, &b, log, at);
    }
    while (err == 0 && al_log_head(log) >= seq)
        err = take_out(l, log, seq, now);
    free(bytes);
    l->aside_until_ms = now.mono_ms + AL_REWRITE_WAIT_MS;
    return err;
}

/* --- writing again -------------------------------------------------------------------------- */

/* Where entries stand now that were set aside. */
struct moves {
    struct al_logs *l;
    struct al_map *map;   /* old id -> struct al_ref *, or |gone| */
    struct al_buf refs;   /* "from" or "parents" of one entry */
    struct al_buf sealed; /* what is sealed anew in one entry */
};

static struct al_ref gone; /* it was retracted, and is not written again */

static int note_move(struct moves *m, const struct al_hash *old, const struct al_ref *now)
{
    struct al_ref *to = &gone;
    if (now != NULL) {
        to = malloc(sizeof(*to));
        if (to == NULL)
            return AL_E_NOMEM;
        *to = *now;
    }
    int err = al_map_put(m->map, old->b, to);
    if (err != 0 && to != &gone)
        free(to);
    return err;
}

static void move_ref(const struct moves *m, struct al_ref *ref)
{
    const struct al_ref *to = ref->seq == 0 ? NULL : al_map_get(m->map, ref->id.b);
    if (to != NULL && to != &gone)
        *ref = *to;
}

/* An encoded array of refs. */
static void move_refs(struct moves *m, struct al_slice *refs)
{
    if (refs->n == 0)
        return;
    struct al_read r = al_read_init(*refs);
    uint32_t count = al_read_array(&r, 0, UINT32_MAX);
    m->refs.n = 0;
    al_write_array(&m->refs, count);
    for (uint32_t i = 0; i < count && r.err == 0; i++) {
        struct al_ref ref;
        al_read_ref(&r, &ref);
        move_ref(m, &ref);
        al_write_ref(&m->refs, &ref);
    }
    if (al_read_end(&r) == 0 && !m->refs.full)
        *refs = al_buf_slice(&m->refs);
}

static bool takes_back_what_is_gone(const struct moves *m, const struct al_payload *p)
{
    return p->kind == AL_KIND_RETRACT && al_map_get(m->map, p->of.id.b) == &gone;
}

/* What is sealed for a circle needs the key it has now; a circle's epoch is sealed inside, too. */
static int renew(
    struct moves *m, struct al_payload *p, const struct al_circle *circle, const struct aside *a)
{
    struct al_place place;
    if (circle != NULL) {
        p->epoch_key = al_circles_key(m->l->circles, circle);
        return p->epoch_key == NULL ? AL_E_SEALED : 0;
    }
    if (p->kind != AL_KIND_CIRCLE)
        return 0;
    move_refs(m, &p->parents);
    int err = al_append_place(m->l, &place);
    return err != 0 ? err
                    : al_circle_reseal(m->l->circles, &m->sealed, p, &a->place, &place, m->l->rng);
}

/* Append the payload of |a| again; |ret_done|: nothing of it has to stay aside. */
static int write_again(struct moves *m, bool *ret_done, const struct aside *a, struct al_now now)
{
    struct al_log *log = al_logs_find(m->l, &a->place.device, &a->place.log);
    struct al_payload p;
    const struct al_circle *circle;
    uint8_t *clear;
    struct al_ref ref;
    *ret_done = true;
    if (a->payload.n == 0)
        return note_move(m, &a->id, NULL);
    int err = log == NULL
                  ? AL_E_CORRUPT
                  : al_apply_read_for(m->l, &p, &clear, &circle, log, &a->place, a->payload);
    if (err == AL_E_NOMEM || log == NULL)
        return err;
    if (err != 0) {
        *ret_done = false; /* its key may come */
        return 0;
    }
    if (!takes_back_what_is_gone(m, &p)) {
        move_ref(m, &p.re);
        move_ref(m, &p.rt);
        move_ref(m, &p.of);
        move_refs(m, &p.from);
        /* choices keep their order, and timelines theirs, by the time of the first writing */
        now.wall_ms = a->time_ms;
        m->sealed.n = 0;
        err = renew(m, &p, circle, a);
        *ret_done = err != AL_E_SEALED; /* a key may come */
        if (err == 0)
            err = al_append(m->l, &ref, &p, 1, now);
        if (err == 0)
            err = note_move(m, &a->id, &ref);
        if (err == 0 && (m->l->written_again == 0 || ref.seq < m->l->written_again))
            m->l->written_again = ref.seq;
    }
    free(clear);
    return *ret_done ? err : 0;
}

static int read_aside(struct al_logs *l, struct aside *ret, uint8_t *space, const uint8_t *key)
{
    struct al_slice value;
    int err = al_store_kv_get(l->store, &value, AL_SPACE_ASIDE, al_slice_of(key, KEY_BYTES));
    if (err != 0)
        return err;
    if (value.n > VALUE_MAX)
        return AL_E_CORRUPT;
    memcpy(space, value.p, value.n);
    memcpy(ret->place.device.b, key, 32);
    memcpy(ret->place.log.b, key + 32, 8);
    ret->place.seq = al_u64be_read(key + 40);
    struct al_read r = al_read_message(al_slice_of(space, value.n));
    (void)al_read_array(&r, 4, 4);
    ret->time_ms = al_read_uint(&r, AL_TIME_MAX);
    al_read_bytes(&r, ret->place.prev.b, sizeof(ret->place.prev.b));
    al_read_bytes(&r, ret->id.b, sizeof(ret->id.b));
    ret->payload = al_read_bin(&r, 0, AL_PAYLOAD_MAX);
    return al_read_end(&r) == 0 ? 0 : AL_E_CORRUPT;
}

/* True if others held |a|, too, and it came back to its place. */
static int is_back(struct al_logs *l, bool *ret, const struct aside *a)
{
    const struct al_log *log = al_logs_find(l, &a->place.device, &a->place.log);
    struct al_hash id;
    *ret = false;
    if (log == NULL || !al_log_holds(log, a->place.seq))
        return 0;
    int err = al_log_prev(l, &id, log, a->place.seq + 1);
    *ret = err == 0 && al_hash_eq(&id, &a->id);
    return err;
}

static int one_again(struct moves *m, uint8_t *space, const uint8_t *key, struct al_now now)
{
    struct al_logs *l = m->l;
    struct aside a;
    bool done = true;
    int err = read_aside(l, &a, space, key);
    if (err == 0)
        err = is_back(l, &done, &a);
    if (err == 0 && !done)
        err = write_again(m, &done, &a, now);
    if (err != 0 || !done)
        return err;
    l->aside--;
    return al_store_kv_del(l->store, AL_SPACE_ASIDE, al_slice_of(key, KEY_BYTES));
}

static int collect_key(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_buf *keys = arg;
    (void)value;
    if (key.n != KEY_BYTES)
        return AL_E_CORRUPT;
    al_buf_put(keys, key.p, key.n);
    return keys->full ? AL_E_NOMEM : 0;
}

static void free_moves(struct moves *m)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (m->map != NULL && al_map_next(m->map, &walk, NULL, &value)) {
        if (value != &gone)
            free(value);
    }
    al_map_free(m->map);
    al_heapbuf_free(&m->refs);
    al_heapbuf_free(&m->sealed);
}

int al_rewrite_all(struct al_logs *l, struct al_now now)
{
    struct al_buf keys = al_heapbuf();
    struct moves m = {.l = l, .refs = al_heapbuf(), .sealed = al_heapbuf()};
    uint8_t secret[16];
    uint8_t *space = malloc(VALUE_MAX);
    al_rng_bytes(l->rng, secret, sizeof(secret));
    m.map = al_map_new(32, secret);
    int err = space == NULL || m.map == NULL ? AL_E_NOMEM : 0;
    if (err == 0)
        err = al_store_kv_scan(l->store, AL_SPACE_ASIDE, al_slice_of(NULL, 0), collect_key, &keys);
    for (size_t at = 0; err == 0 && at < keys.n; at += KEY_BYTES)
        err = one_again(&m, space, keys.p + at, now);
    l->aside_until_ms = 0;
    free_moves(&m);
    free(space);
    al_heapbuf_free(&keys);
    return err;
}

int al_rewrite_tick(struct al_logs *l, struct al_now now)
{
    if (l->aside == 0 || l->copy)
        return 0;
    if (l->aside_until_ms == 0) /* what was left by a former life, or can't be read yet */
        l->aside_until_ms = now.mono_ms + AL_REWRITE_WAIT_MS;
    return now.mono_ms >= l->aside_until_ms ? al_rewrite_all(l, now) : 0;
}

static int count_one(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    (void)key;
    (void)value;
    l->aside++;
    return 0;
}

int al_rewrite_load(struct al_logs *l)
{
    return al_store_kv_scan(l->store, AL_SPACE_ASIDE, al_slice_of(NULL, 0), count_one, l);
}

/* --- for the node ----------------------------------------------------------------------------- */

int al_logs_rewrite(struct al_logs *l, struct al_log *log, uint64_t seq, struct al_now now)
{
    if (!al_device_eq(&log->device, &l->keyring->device) || seq <= log->hold)
        return AL_E_STATE;
    int err = log == l->own ? al_logs_leave_own(l) : 0;
    if (err == 0)
        err = al_rewrite_set_aside(l, log, seq, now);
    return err == 0 ? al_rewrite_all(l, now) : err;
}

int al_logs_adopt_local(struct al_logs *l, struct al_now now)
{
    struct al_log *local = l->local;
    if (local == NULL || l->copy)
        return l->copy ? AL_E_STATE : 0;
    int err = al_rewrite_set_aside(l, local, 1, now);
    l->local = NULL;
    if (err == 0)
        err = al_store_kv_del(l->store, AL_SPACE_META, al_slice_str(AL_META_LOCAL_LOG));
    return err == 0 ? al_rewrite_all(l, now) : err;
}
