/* What the vectors of circles, attachments and boots mean, in terms of proto/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>

#include "attachment.h"
#include "circle.h"
#include "message.h"
#include "read.h"
#include "vector.h"

static uint8_t space[AL_PAYLOAD_MAX];
static struct al_member members[AL_CIRCLE_LIST_MAX];

int check_circle(const json_t *v, struct al_slice bytes)
{
    struct al_payload p;
    struct al_circle_entry c;
    int err = al_payload_open(&p, bytes, false);
    if (err == 0)
        err = al_circle_open(&c, &p);
    if (err != 0)
        return err;
    vector_expect(v, "cid", c.cid.b, sizeof(c.cid.b));
    assert_true(vector_uint(v, "n") == c.n);
    assert_int_equal(vector_uint(v, "parents"), c.parent_count);
    assert_int_equal(vector_uint(v, "boxes"), c.box_count);
    assert_int_equal(vector_uint(v, "old"), c.old_count);
    return 0;
}

int check_box(const json_t *v, struct al_slice bytes)
{
    struct al_identity owner;
    struct al_circle_id cid;
    uint8_t key[AL_EPOCH_KEY_BYTES], read_pk[32], read_sk[32], made[AL_CIRCLE_BOX_BYTES];
    uint64_t n = vector_uint(v, "n");
    memcpy(owner.b, vector_hex(v, "owner").p, 32);
    memcpy(cid.b, vector_hex(v, "cid").p, sizeof(cid.b));
    memcpy(read_sk, vector_hex(v, "read_sk").p, 32);
    (void)crypto_scalarmult_base(read_pk, read_sk);
    assert_int_equal(bytes.n, AL_CIRCLE_BOX_BYTES);
    int err = al_circle_box_open(key, bytes.p, &owner, &cid, n, read_sk, read_pk);
    if (err != 0)
        return err;
    vector_expect(v, "key", key, sizeof(key));
    err = al_circle_box_seal(made, key, &owner, &cid, n, read_pk, vector_hex(v, "ephemeral").p);
    assert_true(al_slice_eq(al_slice_of(made, sizeof(made)), bytes));
    return err;
}

static void expect_member(const json_t *row, const struct al_member *m)
{
    char hex[65];
    sodium_bin2hex(hex, sizeof(hex), m->identity.b, 32);
    assert_string_equal(json_string_value(json_array_get(row, 0)), hex);
    assert_int_equal(json_is_true(json_array_get(row, 1)), m->in);
    const char *changed = json_string_value(json_array_get(row, 2));
    assert_true(strtoull(changed, NULL, 10) == m->changed);
    assert_int_equal(json_integer_value(json_array_get(row, 3)), m->generation);
}

int check_meta(const json_t *v, struct al_slice bytes)
{
    struct al_circle_meta meta;
    int err = al_circle_meta_open(&meta, members, bytes);
    if (err != 0)
        return err;
    assert_true(al_slice_eq(vector_text(v, "circle"), meta.name));
    const json_t *rows = json_object_get(v, "members");
    assert_int_equal(json_array_size(rows), meta.count);
    for (uint32_t i = 0; i < meta.count; i++)
        expect_member(json_array_get(rows, i), &members[i]);
    return 0;
}

int check_old(const json_t *v, struct al_slice bytes)
{
    uint8_t key[AL_EPOCH_KEY_BYTES];
    struct al_ref epoch;
    int err = al_circle_old_open(key, &epoch, bytes);
    if (err != 0)
        return err;
    vector_expect(v, "key", key, sizeof(key));
    vector_expect(v, "id", epoch.id.b, 32);
    assert_true(vector_uint(v, "seq") == epoch.seq);
    return 0;
}

/* The key of whichever box is for this reader. */
static int find_key(uint8_t key[AL_EPOCH_KEY_BYTES], const struct al_circle_entry *c,
    const struct al_identity *owner, const uint8_t read_sk[32])
{
    uint8_t read_pk[32];
    (void)crypto_scalarmult_base(read_pk, read_sk);
    for (uint32_t i = 0; i < c->box_count; i++) {
        if (al_circle_box_open(key, al_circle_box(c, i), owner, &c->cid, c->n, read_sk, read_pk) ==
            0)
            return 0;
    }
    return AL_E_SEALED;
}

static int unseal(struct al_slice *ret, struct al_slice form, const uint8_t key[AL_EPOCH_KEY_BYTES],
    const struct al_place *place)
{
    struct al_sealed s;
    size_t n = 0;
    int err = al_sealed_open(&s, form);
    if (err == 0)
        err = al_sealed_decrypt(space, &n, &s, key, place);
    *ret = al_slice_of(space, n);
    return err;
}

int check_epoch(const json_t *v, struct al_slice bytes)
{
    struct al_payload p;
    struct al_circle_entry c;
    struct al_circle_meta meta;
    struct al_identity owner;
    struct al_slice clear;
    struct al_ref epoch;
    uint8_t key[AL_EPOCH_KEY_BYTES], old_key[AL_EPOCH_KEY_BYTES];
    struct al_place place = {.seq = vector_uint(v, "seq")};
    memcpy(owner.b, vector_hex(v, "owner").p, 32);
    memcpy(place.device.b, vector_hex(v, "device").p, 32);
    memcpy(place.log.b, vector_hex(v, "log").p, 8);
    memcpy(place.prev.b, vector_hex(v, "prev").p, 32);
    assert_int_equal(al_payload_open(&p, bytes, false), 0);
    assert_int_equal(al_circle_open(&c, &p), 0);
    int err = find_key(key, &c, &owner, vector_hex(v, "read_sk").p);
    if (err == 0)
        err = unseal(&clear, c.meta, key, &place);
    if (err != 0)
        return err;
    vector_expect(v, "key", key, sizeof(key));
    assert_int_equal(al_circle_meta_open(&meta, members, clear), 0);
    assert_true(al_slice_eq(vector_text(v, "circle"), meta.name));
    uint32_t in = 0;
    for (uint32_t i = 0; i < meta.count; i++)
        in += members[i].in;
    assert_int_equal(vector_uint(v, "in"), in);
    assert_int_equal(c.old_count, 1);
    assert_int_equal(unseal(&clear, al_circle_old(&c, 0), key, &place), 0);
    assert_int_equal(al_circle_old_open(old_key, &epoch, clear), 0);
    vector_expect(v, "old_key", old_key, sizeof(old_key));
    vector_expect(v, "old_id", epoch.id.b, 32);
    return 0;
}

int check_attachment(const json_t *v, struct al_slice bytes)
{
    struct al_attachment first = {0}, a;
    struct al_read r = al_read_message(bytes);
    uint32_t count = al_read_array(&r, 1, AL_ATTACHMENTS_MAX);
    for (uint32_t i = 0; i < count; i++)
        al_attachment_read(&r, i == 0 ? &first : &a);
    int err = al_read_end(&r);
    if (err != 0)
        return err;
    assert_int_equal(vector_uint(v, "count"), count);
    assert_true(vector_uint(v, "size") == first.size);
    assert_true(al_slice_eq(vector_text(v, "mime"), first.mime));
    assert_true(al_slice_eq(vector_text(v, "file"), first.name));
    vector_expect(v, "key", first.key, sizeof(first.key));
    assert_int_equal(vector_uint(v, "pieces"), first.pieces);
    return 0;
}

int check_piece(const json_t *v, struct al_slice bytes)
{
    struct al_hash hash;
    size_t n = 0;
    uint32_t index = (uint32_t)vector_uint(v, "index");
    const uint8_t *key = vector_hex(v, "key").p;
    int err = al_piece_open(space, &n, key, index, bytes);
    if (err != 0)
        return err;
    vector_expect(v, "clear", space, n);
    al_piece_hash(&hash, bytes);
    vector_expect(v, "hash", hash.b, 32);
    uint8_t made[1024];
    assert_true(n + 16 <= sizeof(made));
    al_piece_seal(made, &hash, key, index, vector_hex(v, "clear"));
    assert_true(al_slice_eq(al_slice_of(made, n + 16), bytes));
    vector_expect(v, "hash", hash.b, 32);
    return 0;
}

int check_boot(const json_t *v, struct al_slice bytes)
{
    struct al_device device;
    struct al_sig sig;
    assert_int_equal(bytes.n, sizeof(sig.b));
    memcpy(sig.b, bytes.p, sizeof(sig.b));
    memcpy(device.b, vector_hex(v, "device").p, 32);
    return al_boot_verify(&sig, &device, vector_hex(v, "boot").p);
}
