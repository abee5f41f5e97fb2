#include "circle.h"

#include <assert.h>
#include <sodium.h>

#include "box.h"
#include "hash.h"
#include "read.h"
#include "write.h"

#define BINDING_BYTES 16
#define BOX_CLEAR_BYTES (AL_EPOCH_KEY_BYTES + BINDING_BYTES)
#define BOX_HEAD_BYTES 2 /* of a bin of 96 bytes */

static_assert(BOX_CLEAR_BYTES + AL_BOX_EXTRA_BYTES == AL_CIRCLE_BOX_BYTES, "a box");

/* The largest of each: a member is 1 + 34 + 1 + 9 + 1, what meta and old add by being sealed is
 * less than an eighth and 256, a reference is at most 86. */
static_assert((AL_CIRCLE_LIST_MAX * 46 + 128) * 9 / 8 + 256 +
                      AL_CIRCLE_BOXES_MAX * (BOX_HEAD_BYTES + AL_CIRCLE_BOX_BYTES) +
                      AL_CIRCLE_OLD_MAX * 256 + AL_CIRCLE_PARENTS_MAX * 86 + 256 <
                  AL_PAYLOAD_MAX,
    "the largest circle fits an entry");

/* --- the entry ------------------------------------------------------------------------------- */

/* The elements of an encoded array, without its head. */
static struct al_slice elements(uint32_t *ret_count, struct al_slice array)
{
    struct al_read r = al_read_init(array);
    *ret_count = al_read_array(&r, 0, UINT32_MAX);
    return al_slice_of(r.p, (size_t)(r.end - r.p));
}

int al_circle_open(struct al_circle_entry *ret, const struct al_payload *p)
{
    if (p->kind != AL_KIND_CIRCLE)
        return AL_E_KIND;
    struct al_circle_entry c = {.n = p->n, .meta = p->meta};
    memcpy(c.cid.b, p->cid.p, sizeof(c.cid.b));
    c.parents = elements(&c.parent_count, p->parents);
    c.boxes = elements(&c.box_count, p->boxes);
    c.old = elements(&c.old_count, p->old);
    if ((c.n == 1) != (c.parent_count == 0))
        return AL_E_RANGE;
    *ret = c;
    return 0;
}

void al_circle_parent(struct al_ref *out, const struct al_circle_entry *c, uint32_t i)
{
    struct al_read r = al_read_init(c->parents);
    for (uint32_t at = 0; at <= i; at++)
        al_read_ref(&r, out);
}

const uint8_t *al_circle_box(const struct al_circle_entry *c, uint32_t i)
{
    return c->boxes.p + i * (size_t)(BOX_HEAD_BYTES + AL_CIRCLE_BOX_BYTES) + BOX_HEAD_BYTES;
}

struct al_slice al_circle_old(const struct al_circle_entry *c, uint32_t i)
{
    struct al_read r = al_read_init(c->old);
    for (uint32_t at = 0; at < i; at++)
        (void)al_read_raw(&r);
    return al_read_bin(&r, 1, AL_PAYLOAD_MAX);
}

/* --- boxes ----------------------------------------------------------------------------------- */

/* What ties a key to its place, so that no box means anything in another entry. */
static void binding(uint8_t out[BINDING_BYTES], const struct al_identity *owner,
    const struct al_circle_id *cid, uint64_t n, const uint8_t read_pk[32])
{
    uint8_t number[8];
    struct al_hash hash;
    al_u64be(number, n);
    const struct al_slice parts[] = {al_slice_of(owner->b, sizeof(owner->b)),
        al_slice_of(cid->b, sizeof(cid->b)), al_slice_of(number, sizeof(number)),
        al_slice_of(read_pk, 32)};
    al_hash(&hash, AL_P_EPOCH, parts, 4);
    memcpy(out, hash.b, BINDING_BYTES);
}

int al_circle_box_seal(uint8_t box[AL_CIRCLE_BOX_BYTES], const uint8_t key[AL_EPOCH_KEY_BYTES],
    const struct al_identity *owner, const struct al_circle_id *cid, uint64_t n,
    const uint8_t read_pk[32], const uint8_t seed[32])
{
    uint8_t clear[BOX_CLEAR_BYTES];
    memcpy(clear, key, AL_EPOCH_KEY_BYTES);
    binding(clear + AL_EPOCH_KEY_BYTES, owner, cid, n, read_pk);
    int err = al_box_seal(box, al_slice_of(clear, sizeof(clear)), read_pk, seed);
    sodium_memzero(clear, sizeof(clear));
    return err;
}

void al_circle_box_fake(uint8_t box[AL_CIRCLE_BOX_BYTES], const uint8_t seed[32])
{
    static const uint8_t nothing[BOX_CLEAR_BYTES];
    uint8_t secret[32], nobody[32];
    al_keyed_hash(secret, seed, AL_P_EPOCH, NULL, 0);
    (void)crypto_scalarmult_base(nobody, secret);
    sodium_memzero(secret, sizeof(secret));
    int err = al_box_seal(box, al_slice_of(nothing, sizeof(nothing)), nobody, seed);
    assert(err == 0); /* a clamped multiple of the base point is never of small order */
    (void)err;
}

uint32_t al_circle_box_count(uint32_t members)
{
    uint32_t count = 4;
    while (count < members)
        count *= 2;
    return count < AL_CIRCLE_BOXES_MAX ? count : AL_CIRCLE_BOXES_MAX;
}

int al_circle_box_open(uint8_t key[AL_EPOCH_KEY_BYTES], const uint8_t box[AL_CIRCLE_BOX_BYTES],
    const struct al_identity *owner, const struct al_circle_id *cid, uint64_t n,
    const uint8_t read_sk[32], const uint8_t read_pk[32])
{
    uint8_t clear[BOX_CLEAR_BYTES], bound[BINDING_BYTES];
    int err = al_box_open(clear, al_slice_of(box, AL_CIRCLE_BOX_BYTES), read_pk, read_sk);
    if (err != 0)
        return err;
    binding(bound, owner, cid, n, read_pk);
    if (sodium_memcmp(bound, clear + AL_EPOCH_KEY_BYTES, BINDING_BYTES) == 0)
        memcpy(key, clear, AL_EPOCH_KEY_BYTES);
    else
        err = AL_E_SEALED;
    sodium_memzero(clear, sizeof(clear));
    return err;
}

/* --- what is sealed under the epoch's key ---------------------------------------------------- */

void al_circle_meta_encode(struct al_buf *b, const struct al_circle_meta *meta)
{
    al_write_map(b, 2);
    al_write_cstr(b, "name");
    al_write_str(b, meta->name);
    al_write_cstr(b, "members");
    al_write_array(b, meta->count);
    for (uint32_t i = 0; i < meta->count; i++) {
        const struct al_member *m = &meta->members[i];
        al_write_array(b, 4);
        al_write_bin(b, m->identity.b, sizeof(m->identity.b));
        al_write_bool(b, m->in);
        al_write_uint(b, m->changed);
        al_write_uint(b, m->generation);
    }
}

static void read_member(struct al_read *r, struct al_member *m)
{
    (void)al_read_array(r, 4, 4);
    al_read_bytes(r, m->identity.b, sizeof(m->identity.b));
    m->in = al_read_bool(r);
    m->changed = al_read_uint(r, UINT64_MAX);
    m->generation = (uint32_t)al_read_uint(r, AL_READ_GENERATIONS_MAX);
    if (m->changed == 0 || m->in != (m->generation > 0))
        al_read_fail(r, AL_E_RANGE);
}

static uint32_t read_members(struct al_read *r, struct al_member *members)
{
    uint32_t in = 0;
    uint32_t count = al_read_array(r, 0, AL_CIRCLE_LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        read_member(r, &members[i]);
        if (i > 0 && memcmp(members[i - 1].identity.b, members[i].identity.b, 32) >= 0)
            al_read_fail(r, AL_E_ORDER);
        in += members[i].in;
    }
    if (in > AL_MEMBERS_MAX)
        al_read_fail(r, AL_E_COUNT);
    return count;
}

int al_circle_meta_open(
    struct al_circle_meta *ret, struct al_member *members, struct al_slice bytes)
{
    struct al_circle_meta meta = {.members = members};
    bool listed = false;
    struct al_read r = al_read_message(bytes);
    for (uint32_t left = al_read_map(&r, UINT32_MAX); left > 0; left--) {
        struct al_slice key = al_read_str(&r, SIZE_MAX);
        if (al_slice_is(key, "name")) {
            meta.name = al_read_str(&r, AL_NAME_MAX);
            if (meta.name.n == 0)
                al_read_fail(&r, AL_E_LENGTH);
        } else if (al_slice_is(key, "members")) {
            meta.count = read_members(&r, members);
            listed = true;
        } else {
            (void)al_read_raw(&r); /* of a later version */
        }
    }
    int err = al_read_end(&r);
    if (err == 0 && (meta.name.n == 0 || !listed))
        err = AL_E_MISSING;
    if (err == 0)
        *ret = meta;
    return err;
}

void al_circle_old_encode(
    struct al_buf *b, const uint8_t key[AL_EPOCH_KEY_BYTES], const struct al_ref *epoch)
{
    al_write_map(b, 2);
    al_write_cstr(b, "key");
    al_write_bin(b, key, AL_EPOCH_KEY_BYTES);
    al_write_cstr(b, "epoch");
    al_write_ref(b, epoch);
}

int al_circle_old_open(
    uint8_t key[AL_EPOCH_KEY_BYTES], struct al_ref *ret_epoch, struct al_slice bytes)
{
    struct al_slice in_key = {0};
    struct al_ref epoch = {0};
    struct al_read r = al_read_message(bytes);
    for (uint32_t left = al_read_map(&r, UINT32_MAX); left > 0; left--) {
        struct al_slice name = al_read_str(&r, SIZE_MAX);
        if (al_slice_is(name, "key"))
            in_key = al_read_bin(&r, AL_EPOCH_KEY_BYTES, AL_EPOCH_KEY_BYTES);
        else if (al_slice_is(name, "epoch"))
            al_read_ref(&r, &epoch);
        else
            (void)al_read_raw(&r);
    }
    int err = al_read_end(&r);
    if (err == 0 && (in_key.n == 0 || epoch.seq == 0))
        err = AL_E_MISSING;
    if (err != 0)
        return err;
    memcpy(key, in_key.p, AL_EPOCH_KEY_BYTES);
    *ret_epoch = epoch;
    return 0;
}
