/*
 * Circle entries. The first byte says what the rest is: 0 a payload, 1 the clear form of "meta",
 * 2 that of an old key, 3 a box, which opens for nobody.
 */
#include "circle.h"
#include "fuzz.h"

static void take_entry(struct al_slice bytes)
{
    struct al_payload p;
    struct al_circle_entry c;
    if (al_payload_open(&p, bytes, false) != 0 || al_circle_open(&c, &p) != 0)
        return;
    AL_ASSERT((c.n == 1) == (c.parent_count == 0));
    AL_ASSERT(c.parent_count <= AL_CIRCLE_PARENTS_MAX && c.old_count <= AL_CIRCLE_OLD_MAX);
    for (uint32_t i = 0; i < c.parent_count; i++) {
        struct al_ref ref;
        al_circle_parent(&ref, &c, i);
        AL_ASSERT(ref.seq > 0 && ref.seq <= AL_SEQ_MAX);
    }
    AL_ASSERT(c.box_count > 0 && c.box_count <= AL_CIRCLE_BOXES_MAX);
    for (uint32_t i = 0; i < c.box_count; i++) {
        const uint8_t *box = al_circle_box(&c, i);
        AL_ASSERT(box >= bytes.p && box + AL_CIRCLE_BOX_BYTES <= al_slice_end(bytes));
    }
    for (uint32_t i = 0; i < c.old_count; i++) {
        struct al_slice old = al_circle_old(&c, i);
        struct al_sealed s;
        AL_ASSERT(old.n > 0 && old.p >= bytes.p && al_slice_end(old) <= al_slice_end(bytes));
        if (al_sealed_open(&s, old) == 0)
            AL_ASSERT(s.box.n < old.n);
    }
}

static void take_meta(struct al_slice bytes)
{
    static struct al_member members[AL_CIRCLE_LIST_MAX], again[AL_CIRCLE_LIST_MAX];
    struct al_circle_meta meta, second;
    if (al_circle_meta_open(&meta, members, bytes) != 0)
        return;
    struct al_buf b = fuzz_buf();
    al_circle_meta_encode(&b, &meta);
    AL_ASSERT(b.n <= bytes.n); /* keys of later versions are left out, nothing is added */
    AL_ASSERT(al_circle_meta_open(&second, again, al_buf_slice(&b)) == 0);
    AL_ASSERT(second.count == meta.count && al_slice_eq(second.name, meta.name));
    for (uint32_t i = 0; i < meta.count; i++) {
        AL_ASSERT(al_identity_eq(&members[i].identity, &again[i].identity));
        AL_ASSERT(members[i].in == again[i].in && members[i].changed == again[i].changed);
        AL_ASSERT(members[i].generation == again[i].generation);
    }
}

static void take_old(struct al_slice bytes)
{
    uint8_t key[AL_EPOCH_KEY_BYTES], again[AL_EPOCH_KEY_BYTES];
    struct al_ref ref, second;
    if (al_circle_old_open(key, &ref, bytes) != 0)
        return;
    struct al_buf b = fuzz_buf();
    al_circle_old_encode(&b, key, &ref);
    AL_ASSERT(b.n <= bytes.n);
    AL_ASSERT(al_circle_old_open(again, &second, al_buf_slice(&b)) == 0);
    AL_ASSERT(memcmp(again, key, sizeof(key)) == 0 && second.seq == ref.seq);
}

static void take_box(struct al_slice bytes)
{
    static const struct al_identity owner = {{1}};
    static const struct al_circle_id cid = {{2}};
    static const uint8_t read_sk[32] = {0x30};
    static const uint8_t read_pk[32] = {9};
    uint8_t key[AL_EPOCH_KEY_BYTES];
    if (bytes.n >= AL_CIRCLE_BOX_BYTES)
        AL_ASSERT(al_circle_box_open(key, bytes.p, &owner, &cid, 1, read_sk, read_pk) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    switch (data[0]) {
    case 0:
        take_entry(rest);
        break;
    case 1:
        take_meta(rest);
        break;
    case 2:
        take_old(rest);
        break;
    default:
        take_box(rest);
        break;
    }
    return 0;
}
