/* A whole circle entry in its place, opened by one of its members. */
#include <assert.h>
#include <sodium.h>

#include "circle.h"
#include "sample.h"
#include "vec.h"
#include "write.h"

#define MEMBERS 3

/* An epoch with everything that belongs to it. */
struct whole {
    struct al_identity owner;
    struct al_place place;
    struct al_circle_id cid;
    struct al_ref parent;
    uint8_t key[AL_EPOCH_KEY_BYTES], old_key[AL_EPOCH_KEY_BYTES];
    uint8_t read_sk[MEMBERS][32];
    struct al_member members[MEMBERS];
    uint8_t lists[8192];
    uint8_t bytes[16384];
    size_t n;
};

static void seal(struct al_buf *b, const struct whole *w, uint64_t seed, struct al_slice inner)
{
    uint8_t nonce[AL_NONCE_BYTES];
    sample_bytes(nonce, sizeof(nonce), seed);
    int err = al_sealed_encode(b, w->key, nonce, &w->place, inner);
    assert(err == 0);
    (void)err;
}

static struct al_slice put_meta(struct al_buf *b, const struct whole *w)
{
    uint8_t clear[1024];
    struct al_buf inner = al_buf_fixed(clear, sizeof(clear));
    const struct al_circle_meta meta = {
        .name = al_slice_str("lunch"), .members = w->members, .count = MEMBERS};
    size_t start = b->n;
    al_circle_meta_encode(&inner, &meta);
    seal(b, w, 8200, al_buf_slice(&inner));
    return al_slice_of(b->p + start, b->n - start);
}

static struct al_slice put_old(struct al_buf *b, const struct whole *w)
{
    uint8_t clear[256], sealed[512];
    struct al_buf inner = al_buf_fixed(clear, sizeof(clear));
    struct al_buf one = al_buf_fixed(sealed, sizeof(sealed));
    size_t start = b->n;
    al_circle_old_encode(&inner, w->old_key, &w->parent);
    seal(&one, w, 8210, al_buf_slice(&inner));
    al_write_array(b, 1);
    al_write_bin(b, one.p, one.n);
    return al_slice_of(b->p + start, b->n - start);
}

/* The last member has left: of the boxes, which come in any order, two are real. */
static struct al_slice put_boxes(struct al_buf *b, const struct whole *w)
{
    static const int reader_of[] = {-1, 1, -1, 0};
    size_t start = b->n;
    al_write_array(b, 4);
    for (size_t i = 0; i < 4; i++) {
        uint8_t box[AL_CIRCLE_BOX_BYTES], seed[32], read_pk[32];
        sample_bytes(seed, sizeof(seed), 8220 + i);
        if (reader_of[i] < 0) {
            al_circle_box_fake(box, seed);
        } else {
            (void)crypto_scalarmult_base(read_pk, w->read_sk[reader_of[i]]);
            int err = al_circle_box_seal(box, w->key, &w->owner, &w->cid, 2, read_pk, seed);
            assert(err == 0);
            (void)err;
        }
        al_write_bin(b, box, sizeof(box));
    }
    return al_slice_of(b->p + start, b->n - start);
}

static void compose(struct whole *w)
{
    struct sample_person p = sample_person(5);
    struct al_buf lists = al_buf_fixed(w->lists, sizeof(w->lists));
    struct al_buf b = al_buf_fixed(w->bytes, sizeof(w->bytes));
    memset(w, 0, sizeof(*w));
    w->owner = p.identity;
    w->place = (struct al_place){.device = p.device, .log = p.log, .seq = 300};
    sample_bytes(w->place.prev.b, 32, 8000);
    sample_bytes(w->cid.b, sizeof(w->cid.b), 8010);
    sample_bytes(w->key, sizeof(w->key), 8020);
    sample_bytes(w->old_key, sizeof(w->old_key), 8030);
    w->parent = (struct al_ref){.device = p.device, .log = p.log, .seq = 299};
    w->parent.id = w->place.prev;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        sample_bytes(w->read_sk[i], 32, 8040 + i);
        w->members[i].identity = i == 0 ? w->owner : sample_person(5 + i).identity;
        w->members[i].in = i < 2;
        w->members[i].changed = i < 2 ? 1 : 2;
        w->members[i].generation = i < 2 ? 1 + i : 0;
    }
    for (uint32_t i = MEMBERS; i-- > 1;) { /* ascending; who is who stays with them */
        for (uint32_t k = 0; k < i; k++) {
            struct al_member m = w->members[k];
            if (memcmp(m.identity.b, w->members[k + 1].identity.b, 32) < 0)
                continue;
            w->members[k] = w->members[k + 1];
            w->members[k + 1] = m;
        }
    }
    struct al_payload payload = {.kind = AL_KIND_CIRCLE,
        .audience = AL_AUDIENCE_NETWORK,
        .n = 2,
        .cid = al_slice_of(w->cid.b, sizeof(w->cid.b))};
    sample_bytes(payload.salt, sizeof(payload.salt), 8050);
    payload.meta = put_meta(&lists, w);
    payload.old = put_old(&lists, w);
    payload.boxes = put_boxes(&lists, w);
    size_t start = lists.n;
    al_write_array(&lists, 1);
    al_write_ref(&lists, &w->parent);
    payload.parents = al_slice_of(lists.p + start, lists.n - start);
    int err = al_payload_encode(&b, &payload);
    assert(err == 0 && !lists.full);
    (void)err;
    w->n = b.n;
}

static json_t *add(json_t *list, const char *name, int err, const struct whole *w, size_t reader)
{
    json_t *v = vec_add(list, name, err, al_slice_of(w->bytes, w->n));
    vec_hex(v, "owner", w->owner.b, 32);
    vec_hex(v, "device", w->place.device.b, 32);
    vec_hex(v, "log", w->place.log.b, 8);
    vec_uint(v, "seq", w->place.seq);
    vec_hex(v, "prev", w->place.prev.b, 32);
    vec_hex(v, "read_sk", w->read_sk[reader], 32);
    if (err == 0) {
        vec_hex(v, "key", w->key, sizeof(w->key));
        vec_text(v, "circle", al_slice_str("lunch"));
        vec_uint(v, "in", 2);
        vec_hex(v, "old_key", w->old_key, sizeof(w->old_key));
        vec_hex(v, "old_id", w->parent.id.b, 32);
    }
    return v;
}

void make_epoch(json_t *list)
{
    static struct whole w;
    compose(&w);
    add(list, "opened by its owner", 0, &w, 0);
    add(list, "opened by a member", 0, &w, 1);
    add(list, "for one who has left", AL_E_SEALED, &w, 2);
    w.place.seq++;
    add(list, "copied to another place: the key opens, and nothing under it", AL_E_SEALED, &w, 1);
    w.place.seq--;
    w.place.prev.b[0] ^= 1;
    add(list, "after another entry", AL_E_SEALED, &w, 1);
    w.place.prev.b[0] ^= 1;
    w.owner.b[0] ^= 1;
    add(list, "as an entry of somebody else: no box opens", AL_E_SEALED, &w, 1);
}
