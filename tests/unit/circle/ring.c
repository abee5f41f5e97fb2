#include "ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void publish(struct al_record *record, const struct al_buf *b)
{
    struct al_statement s;
    bool is_new;
    assert_false(b->full);
    assert_int_equal(al_statement_open(&s, al_buf_slice(b)), 0);
    assert_int_equal(al_record_add(record, &is_new, &s, al_buf_slice(b)), 0);
}

void ring_init(struct ring *r)
{
    uint8_t seed[32] = {3};
    *r = (struct ring){.logs = 0};
    al_rng_init(&r->rng, seed);
    for (int i = 0; i < RING_PEOPLE; i++) {
        uint8_t bytes[512];
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        rig_person(&r->people[i].who, (uint64_t)i + 1);
        r->people[i].record = al_record_new(&r->people[i].who.root.identity);
        rig_cert(&b, &r->people[i].who);
        publish(r->people[i].record, &b);
        ring_read_key(r, i, 1, 0);
    }
}

void ring_fini(struct ring *r)
{
    for (int i = 0; i < RING_PEOPLE; i++)
        al_record_free(r->people[i].record);
}

static void device_seed(uint8_t seed[32], const struct ring *r, int i, uint64_t device)
{
    sample_bytes(seed, 32, 70000 + (uint64_t)i * 10 + device);
    if (device == 0)
        memcpy(seed, r->people[i].who.keyring.device_secret, 32);
}

void ring_read_key(struct ring *r, int i, uint32_t g, uint64_t device)
{
    const struct al_root *root = &r->people[i].who.root;
    uint8_t bytes[512], sk[32], pk[32], seed[32];
    struct al_keyring k;
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_root_read_key(sk, root, g);
    al_read_key_public(pk, sk);
    device_seed(seed, r, i, device);
    assert_int_equal(al_keyring_init(&k, &root->identity, seed, g, sk), 0);
    struct al_read_box box = {.device = k.device};
    assert_int_equal(al_read_box_seal(box.box, &k.device, sk, &r->rng), 0);
    al_statement_encode_read(&b, &root->identity, root->secret, g, pk, &box, 1);
    publish(r->people[i].record, &b);
}

const struct al_identity *ring_id(const struct ring *r, int i)
{
    return &r->people[i].who.root.identity;
}

const struct al_record *ring_record(void *arg, const struct al_identity *identity)
{
    const struct ring *r = arg;
    for (int i = 0; i < RING_PEOPLE; i++) {
        if (al_identity_eq(ring_id(r, i), identity))
            return r->people[i].record;
    }
    return NULL;
}

static void load(struct ring_reader *rd)
{
    assert_int_equal(al_store_open_disk(&rd->store, rd->disk), 0);
    assert_int_equal(al_circles_new(&rd->circles, rd->store, &rd->keyring), 0);
    assert_int_equal(al_store_begin(rd->store), 0);
}

void ring_open(struct ring *r, struct ring_reader *out, int i, uint64_t device, uint32_t g)
{
    uint8_t sk[32], seed[32];
    *out = (struct ring_reader){.now = {.mono_ms = RING_NOW_MS, .wall_ms = RIG_WALL_MS}};
    al_root_read_key(sk, &r->people[i].who.root, g);
    device_seed(seed, r, i, device);
    assert_int_equal(al_keyring_init(&out->keyring, ring_id(r, i), seed, g, sk), 0);
    out->disk = al_store_disk_new();
    load(out);
}

void ring_close(struct ring_reader *rd)
{
    al_circles_free(rd->circles);
    al_store_close(rd->store);
    al_store_disk_free(rd->disk);
}

void ring_reopen(struct ring_reader *rd)
{
    assert_int_equal(al_store_commit(rd->store), 0);
    al_circles_free(rd->circles);
    al_store_close(rd->store);
    load(rd);
}

struct al_place ring_place(struct ring *r, const struct ring_reader *rd)
{
    struct al_place place = {.device = rd->keyring.device, .seq = 1};
    al_u64be(place.log.b, ++r->logs);
    al_entry_genesis(&place.prev, &rd->keyring.identity, &place.device, &place.log);
    return place;
}

struct ring_item ring_item(
    const struct ring_reader *rd, const struct al_place *place, struct al_slice payload)
{
    struct ring_item item = {.author = rd->keyring.identity, .place = *place, .n = payload.n};
    struct al_header h = {.device = place->device,
        .log = place->log,
        .seq = place->seq,
        .time_ms = RIG_WALL_MS,
        .prev = place->prev,
        .plen = (uint32_t)payload.n};
    al_entry_payload_hash(&h.phash, payload);
    item.ref = (struct al_ref){.device = place->device, .log = place->log, .seq = place->seq};
    al_header_id(&item.ref.id, &h);
    item.payload = malloc(payload.n);
    assert_non_null(item.payload);
    memcpy(item.payload, payload.p, payload.n);
    return item;
}

void ring_drop(struct ring_item *item)
{
    free(item->payload);
    item->payload = NULL;
}

int ring_compose(struct ring *r, const struct ring_reader *rd, struct ring_item *out,
    const struct al_circle_change *change)
{
    struct al_buf fields = al_heapbuf();
    struct al_buf payload = al_heapbuf();
    struct al_payload p;
    struct al_identity who;
    struct al_place place = ring_place(r, rd);
    int err =
        al_circle_compose(rd->circles, &fields, &p, &who, change, &place, ring_record, r, &r->rng);
    if (err == 0)
        err = al_payload_encode(&payload, &p);
    if (err == 0)
        *out = ring_item(rd, &place, al_buf_slice(&payload));
    al_heapbuf_free(&fields);
    al_heapbuf_free(&payload);
    return err;
}

struct ring_item ring_change(
    struct ring *r, struct ring_reader *rd, const struct al_circle_change *change)
{
    struct ring_item item;
    assert_int_equal(ring_compose(r, rd, &item, change), 0);
    ring_take(rd, &item);
    return item;
}

struct ring_item ring_new(
    struct ring *r, struct ring_reader *rd, const char *name, const int *members)
{
    struct al_identity ids[RING_PEOPLE];
    struct al_circle_change change = {.name = al_slice_str(name), .add = ids};
    al_rng_bytes(&r->rng, change.cid.b, sizeof(change.cid.b));
    for (; members[change.add_count] >= 0; change.add_count++)
        ids[change.add_count] = *ring_id(r, members[change.add_count]);
    return ring_change(r, rd, &change);
}

static void open_entry(struct al_payload *p, const struct ring_item *item)
{
    assert_int_equal(al_payload_open(p, al_slice_of(item->payload, item->n), false), 0);
}

const struct al_circle *ring_circle(const struct ring_reader *rd, const struct ring_item *item)
{
    struct al_payload p;
    struct al_circle_id cid;
    open_entry(&p, item);
    memcpy(cid.b, p.cid.p, sizeof(cid.b));
    return al_circles_find(rd->circles, &item->author, &cid);
}

void ring_take(struct ring_reader *rd, const struct ring_item *item)
{
    static const struct al_sig sig;
    struct al_store_log log;
    uint64_t pos;
    uint32_t no;
    if (al_store_log_find(rd->store, &log, &item->ref.device, &item->ref.log) == 0)
        return;
    assert_int_equal(
        al_store_log_add(rd->store, &no, &item->author, &item->ref.device, &item->ref.log), 0);
    struct al_slice payload = al_slice_of(item->payload, item->n);
    struct al_store_item stored = {
        .time_ms = RIG_WALL_MS, .id = item->ref.id, .plen = (uint32_t)item->n, .payload = payload};
    al_entry_payload_hash(&stored.phash, payload);
    assert_int_equal(
        al_store_put(rd->store, &pos, no, 1, &item->place.prev, &stored, 1, &sig, RIG_WALL_MS), 0);
    ring_take_again(rd, item);
}

void ring_take_again(struct ring_reader *rd, const struct ring_item *item)
{
    struct al_payload p;
    struct al_slice payload = al_slice_of(item->payload, item->n);
    if (al_payload_is_sealed(payload) || al_payload_open(&p, payload, false) != 0)
        return;
    assert_int_equal(
        al_circles_take(rd->circles, &item->author, &item->ref, &item->place, &p, rd->now), 0);
}

struct ring_item ring_note(
    struct ring *r, const struct ring_reader *rd, const struct al_circle *circle, const char *text)
{
    uint8_t inner[512];
    uint8_t bytes[1024];
    uint8_t nonce[AL_NONCE_BYTES];
    struct al_buf map = al_buf_fixed(inner, sizeof(inner));
    struct al_buf sealed = al_buf_fixed(bytes, sizeof(bytes));
    struct al_payload p = {.kind = AL_KIND_NOTE,
        .kind_name = al_slice_str("note"),
        .audience = AL_AUDIENCE_CIRCLE,
        .text = al_slice_str(text)};
    struct al_place place = ring_place(r, rd);
    const uint8_t *key = al_circles_key(rd->circles, circle);
    assert_non_null(key);
    assert_int_equal(al_payload_encode(&map, &p), 0);
    al_rng_bytes(&r->rng, nonce, sizeof(nonce));
    assert_int_equal(al_sealed_encode(&sealed, key, nonce, &place, al_buf_slice(&map)), 0);
    return ring_item(rd, &place, al_buf_slice(&sealed));
}

bool ring_reads(const struct ring_reader *rd, const struct ring_item *item, struct al_unsealed *ret)
{
    uint8_t out[1024];
    struct al_sealed sealed;
    struct al_unsealed un;
    assert_int_equal(al_sealed_open(&sealed, al_slice_of(item->payload, item->n)), 0);
    int err = al_circles_decrypt(rd->circles, out, &un, &sealed, &item->place, &item->author);
    assert_true(err == 0 || err == AL_E_SEALED);
    if (err == 0 && ret != NULL)
        *ret = un;
    return err == 0;
}

struct al_circle_change ring_who(
    const struct ring *r, const struct al_circle *circle, int add, int remove)
{
    struct al_circle_change change = {.circle = circle};
    if (add >= 0) {
        change.add = ring_id(r, add);
        change.add_count = 1;
    }
    if (remove >= 0) {
        change.remove = ring_id(r, remove);
        change.remove_count = 1;
    }
    return change;
}
