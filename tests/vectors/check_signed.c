/* What the vectors of everything signed mean, in terms of proto/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "hash.h"
#include "id.h"
#include "proof.h"
#include "scan.h"
#include "sealed.h"
#include "statement.h"
#include "vector.h"

static uint8_t space[AL_MESSAGE_MAX];
static struct al_segment segment;
static struct al_excerpt excerpt;

static bool fixed(const json_t *v, const char *key, void *out, size_t n)
{
    struct al_slice s = vector_hex(v, key);
    if (s.n == n)
        memcpy(out, s.p, n);
    return s.n == n;
}

int check_scan(const json_t *v, struct al_slice bytes)
{
    (void)v;
    return al_scan(bytes, &al_scan_message);
}

int check_hash(const json_t *v, struct al_slice bytes)
{
    char purpose[17] = "";
    struct al_slice p = vector_text(v, "purpose");
    assert_true(p.n <= 16);
    memcpy(purpose, p.p, p.n);
    struct al_slice name = vector_text(v, "name");
    struct al_hash out;
    if (al_slice_is(name, "S")) {
        uint8_t public[32];
        uint8_t secret[64];
        struct al_sig sig;
        (void)crypto_sign_seed_keypair(public, secret, vector_hex(v, "seed").p);
        al_sign(&sig, secret, purpose, bytes.p);
        vector_expect(v, "public", public, 32);
        vector_expect(v, "out", sig.b, 64);
        return al_verify(&sig, public, purpose, bytes.p);
    }
    if (al_slice_is(name, "K"))
        al_keyed_hash(out.b, vector_hex(v, "key").p, purpose, bytes.p, bytes.n);
    else
        al_hash1(&out, purpose, bytes.p, bytes.n);
    vector_expect(v, "out", out.b, 32);
    return 0;
}

int check_id(const json_t *v, struct al_slice bytes)
{
    uint8_t b[32];
    char text[AL_ID_TEXT];
    int err = al_id_parse_full(b, vector_text(v, "text"));
    if (err != 0)
        return err;
    assert_true(al_slice_eq(bytes, al_slice_of(b, sizeof(b))));
    al_id_text(text, b);
    assert_true(al_slice_is(vector_text(v, "text"), text));
    return 0;
}

int check_header(const json_t *v, struct al_slice bytes)
{
    struct al_header h;
    int err = al_header_decode(&h, bytes);
    if (err != 0)
        return err;
    vector_expect(v, "device", h.device.b, 32);
    vector_expect(v, "log", h.log.b, 8);
    assert_true(vector_uint(v, "seq") == h.seq);
    assert_true(vector_uint(v, "time_ms") == h.time_ms);
    vector_expect(v, "prev", h.prev.b, 32);
    assert_true(vector_uint(v, "plen") == h.plen);
    vector_expect(v, "phash", h.phash.b, 32);
    struct al_hash id;
    al_header_id(&id, &h);
    vector_expect(v, "id", id.b, 32);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_header_encode(&b, &h);
    assert_true(al_slice_eq(al_buf_slice(&b), bytes));
    return 0;
}

int check_genesis(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    struct al_identity identity;
    struct al_device device;
    struct al_logname log;
    struct al_hash out;
    assert_true(fixed(v, "identity", identity.b, 32));
    assert_true(fixed(v, "device", device.b, 32));
    assert_true(fixed(v, "log", log.b, 8));
    al_entry_genesis(&out, &identity, &device, &log);
    vector_expect(v, "out", out.b, 32);
    return 0;
}

int check_segment(const json_t *v, struct al_slice bytes)
{
    int err = al_segment_open(&segment, bytes);
    if (err == 0)
        err = al_segment_verify(&segment);
    if (err != 0)
        return err;
    assert_true(vector_uint(v, "first") == segment.first);
    const json_t *ids = json_object_get(v, "ids");
    assert_int_equal(json_array_size(ids), segment.count);
    for (uint32_t i = 0; i < segment.count; i++)
        vector_expect(json_array_get(ids, i), NULL, segment.items[i].id.b, 32);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_segment_encode(&b, &segment);
    assert_true(al_slice_eq(al_buf_slice(&b), bytes));
    return 0;
}

int check_padding(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    assert_int_equal(al_padme(vector_uint(v, "length")), vector_uint(v, "padded"));
    return 0;
}

int check_sealed(const json_t *v, struct al_slice bytes)
{
    uint8_t key[32];
    struct al_place place = {.seq = vector_uint(v, "seq")};
    assert_true(fixed(v, "key", key, 32));
    assert_true(fixed(v, "device", place.device.b, 32));
    assert_true(fixed(v, "log", place.log.b, 8));
    assert_true(fixed(v, "prev", place.prev.b, 32));
    struct al_sealed s;
    size_t n = 0;
    int err = al_sealed_open(&s, bytes);
    if (err == 0)
        err = al_sealed_decrypt(space, &n, &s, key, &place);
    if (err != 0)
        return err;
    vector_expect(v, "inner", space, n);
    uint8_t again[AL_PAYLOAD_MAX];
    struct al_buf b = al_buf_fixed(again, sizeof(again));
    assert_int_equal(al_sealed_encode(&b, key, s.nonce, &place, al_slice_of(space, n)), 0);
    assert_true(al_slice_eq(al_buf_slice(&b), bytes));
    return 0;
}

int check_statement(const json_t *v, struct al_slice bytes)
{
    struct al_statement s;
    int err = al_statement_open(&s, bytes);
    if (err != 0)
        return err;
    assert_int_equal(vector_uint(v, "kind"), s.kind);
    vector_expect(v, "identity", s.identity.b, 32);
    vector_expect(v, "hash", s.hash.b, 32);
    switch (s.kind) {
    case AL_STATEMENT_CERT:
        vector_expect(v, "device", s.device.b, 32);
        assert_true(vector_uint(v, "created_ms") == s.created_ms);
        assert_true(al_slice_eq(vector_text(v, "device_name"), s.name));
        break;
    case AL_STATEMENT_REVOKE:
        vector_expect(v, "device", s.device.b, 32);
        assert_int_equal(vector_uint(v, "count"), s.count);
        break;
    case AL_STATEMENT_READ:
        assert_int_equal(vector_uint(v, "generation"), s.generation);
        vector_expect(v, "read_pk", s.read_pk, 32);
        assert_int_equal(vector_uint(v, "count"), s.count);
        break;
    }
    return 0;
}

int check_digest(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    struct al_hash hashes[8];
    const json_t *list = json_object_get(v, "statements");
    size_t count = json_array_size(list);
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        struct al_statement s;
        assert_int_equal(al_statement_open(&s, vector_hex(json_array_get(list, i), NULL)), 0);
        hashes[count - 1 - i] = s.hash;
    }
    struct al_hash out;
    al_statement_digest(&out, hashes, count);
    vector_expect(v, "out", out.b, 32);
    return 0;
}

int check_fork(const json_t *v, struct al_slice bytes)
{
    struct al_fork fork;
    int err = al_fork_open(&fork, bytes);
    if (err != 0)
        return err;
    vector_expect(v, "device", fork.device.b, 32);
    vector_expect(v, "log", fork.log.b, 8);
    assert_true(vector_uint(v, "seq") == fork.seq);
    return 0;
}

int check_excerpt(const json_t *v, struct al_slice bytes)
{
    int err = al_excerpt_open(&excerpt, bytes);
    if (err != 0)
        return err;
    const struct al_segment_item *item = &excerpt.segment.items[excerpt.index];
    assert_int_equal(vector_uint(v, "statements"), excerpt.statement_count);
    assert_int_equal(vector_uint(v, "index"), excerpt.index);
    vector_expect(v, "id", item->id.b, 32);
    vector_expect(v, "payload", item->payload.p, item->payload.n);
    return 0;
}
