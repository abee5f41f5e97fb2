/*
 * What holds for any value: it is read as it was written, and no bit of it can be changed without
 * being noticed. Values come from seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attachment.h"
#include "circle.h"
#include "hash.h"
#include "message.h"
#include "sample.h"
#include "sample_wire.h"
#include "sealed.h"
#include "write.h"

#define ROUNDS 300

static uint8_t space[AL_PAYLOAD_MAX], other_space[AL_PAYLOAD_MAX];
static struct al_member members[AL_CIRCLE_LIST_MAX], got[AL_CIRCLE_LIST_MAX];

/* A number below |limit| that depends on |seed|. */
static uint32_t below(uint64_t seed, uint32_t limit)
{
    uint32_t n = 0;
    sample_bytes(&n, sizeof(n), seed);
    return n % limit;
}

/* A number of any size: few bits as often as many. */
static uint64_t any_number(uint64_t seed)
{
    uint64_t n = 0;
    sample_bytes(&n, sizeof(n), seed);
    return (n >> below(seed + 1, 64)) | 1;
}

/* Letters, as a text. */
static struct al_slice any_text(uint8_t *out, size_t n, uint64_t seed)
{
    sample_bytes(out, n, seed);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)('a' + out[i] % 26);
    return al_slice_of(out, n);
}

/* --- meta and old ---------------------------------------------------------------------------- */

static struct al_circle_meta any_meta(uint64_t seed, uint8_t name[AL_NAME_MAX])
{
    uint32_t count = below(seed, 40);
    for (uint32_t i = 0; i < count; i++) {
        struct al_member *m = &members[i];
        sample_bytes(m->identity.b, 32, seed + i);
        m->identity.b[0] = (uint8_t)i; /* ascending */
        m->in = below(seed + 2 * i, 2) == 1;
        m->changed = any_number(seed + 3 * i);
        m->generation = m->in ? 1 + below(seed + i, AL_READ_GENERATIONS_MAX) : 0;
    }
    return (struct al_circle_meta){.name = any_text(name, 1 + below(seed + 9, AL_NAME_MAX), seed),
        .members = members,
        .count = count};
}

static void any_meta_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        uint8_t name[AL_NAME_MAX];
        struct al_circle_meta out, meta = any_meta(seed * 1000, name);
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        struct al_buf second = al_buf_fixed(other_space, sizeof(other_space));
        al_circle_meta_encode(&b, &meta);
        assert_int_equal(al_circle_meta_open(&out, got, al_buf_slice(&b)), 0);
        al_circle_meta_encode(&second, &out);
        assert_true(al_slice_eq(al_buf_slice(&b), al_buf_slice(&second)));
    }
}

static void a_changed_bit_of_a_meta_is_refused_or_says_something_else(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        uint8_t name[AL_NAME_MAX];
        struct al_circle_meta out, meta = any_meta(seed * 1000, name);
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        al_circle_meta_encode(&b, &meta);
        for (size_t bit = 0; bit < b.n * 8; bit++) {
            space[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (al_circle_meta_open(&out, got, al_buf_slice(&b)) == 0) {
                struct al_buf second = al_buf_fixed(other_space, sizeof(other_space));
                al_circle_meta_encode(&second, &out);
                assert_true(al_slice_eq(al_buf_slice(&b), al_buf_slice(&second)));
            }
            space[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

/* Under a key and in its place, no changed bit of a sealed meta or old key is read at all. */
static void a_changed_bit_of_what_is_sealed_opens_nothing(void **state)
{
    (void)state;
    uint8_t key[32], nonce[AL_NONCE_BYTES], clear[256], opened[512];
    const struct al_ref epoch = sample_ref(3);
    const struct al_place place = {.device = {{1}}, .log = {{2}}, .seq = 3, .prev = {{4}}};
    sample_bytes(key, sizeof(key), 1);
    sample_bytes(nonce, sizeof(nonce), 2);
    struct al_buf inner = al_buf_fixed(clear, sizeof(clear));
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_circle_old_encode(&inner, key, &epoch);
    assert_int_equal(al_sealed_encode(&b, key, nonce, &place, al_buf_slice(&inner)), 0);
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        struct al_sealed s;
        size_t n = 0;
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (al_sealed_open(&s, al_buf_slice(&b)) == 0)
            assert_int_equal(al_sealed_decrypt(opened, &n, &s, key, &place), AL_E_SEALED);
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void any_old_key_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        uint8_t key[AL_EPOCH_KEY_BYTES], read[AL_EPOCH_KEY_BYTES];
        struct al_ref epoch = sample_ref(seed), ref;
        sample_bytes(key, sizeof(key), seed);
        epoch.seq = any_number(seed) % AL_SEQ_MAX + 1;
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        al_circle_old_encode(&b, key, &epoch);
        assert_int_equal(al_circle_old_open(read, &ref, al_buf_slice(&b)), 0);
        assert_memory_equal(read, key, sizeof(key));
        assert_memory_equal(&ref, &epoch, sizeof(ref));
    }
}

/* --- circle entries -------------------------------------------------------------------------- */

static struct al_slice since(const struct al_buf *b, size_t start)
{
    return al_slice_of(b->p + start, b->n - start);
}

/* A circle entry with lists of any length, in |lists|. */
static struct al_payload any_circle(uint64_t seed, struct al_buf *lists)
{
    static uint8_t bytes[400];
    struct al_payload p = {.kind = AL_KIND_CIRCLE, .audience = AL_AUDIENCE_NETWORK};
    uint32_t parents = below(seed, AL_CIRCLE_PARENTS_MAX + 1);
    uint32_t boxes = 1 + below(seed + 1, AL_CIRCLE_BOXES_MAX);
    uint32_t old = below(seed + 2, AL_CIRCLE_OLD_MAX + 1);
    sample_bytes(bytes, sizeof(bytes), seed);
    sample_bytes(p.salt, sizeof(p.salt), seed);
    p.n = parents == 0 ? 1 : any_number(seed) / 2 + 2;
    p.cid = al_slice_of(bytes, AL_CIRCLE_ID_BYTES);
    p.meta = al_slice_of(bytes, 1 + below(seed + 3, sizeof(bytes) - 1));
    size_t start = lists->n;
    al_write_array(lists, parents);
    for (uint32_t i = 0; i < parents; i++) {
        struct al_ref ref = sample_ref(seed + i);
        al_write_ref(lists, &ref);
    }
    p.parents = since(lists, start);
    start = lists->n;
    al_write_array(lists, boxes);
    for (uint32_t i = 0; i < boxes; i++)
        al_write_bin(lists, bytes + i, AL_CIRCLE_BOX_BYTES);
    p.boxes = since(lists, start);
    start = lists->n;
    al_write_array(lists, old);
    for (uint32_t i = 0; i < old; i++)
        al_write_bin(lists, bytes + i, 1 + below(seed + i, 200));
    p.old = since(lists, start);
    return p;
}

static void any_circle_entry_is_read_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t list_space[AL_PAYLOAD_MAX];
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        struct al_buf second = al_buf_fixed(other_space, sizeof(other_space));
        struct al_payload out, p = any_circle(seed * 1000, &lists);
        struct al_circle_entry c;
        assert_int_equal(al_payload_encode(&b, &p), 0);
        assert_int_equal(al_payload_open(&out, al_buf_slice(&b), false), 0);
        assert_int_equal(al_circle_open(&c, &out), 0);
        assert_true(c.n == p.n);
        assert_true(al_slice_eq(out.old, p.old));
        assert_int_equal(al_payload_encode(&second, &out), 0);
        assert_true(al_slice_eq(al_buf_slice(&b), al_buf_slice(&second)));
    }
}

/* A payload's hash stands in the signed header: whatever is still readable is another entry. */
static void a_changed_bit_of_any_payload_has_another_hash(void **state)
{
    (void)state;
    for (enum al_kind kind = AL_KIND_PROFILE; kind < AL_KIND_COUNT; kind++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            struct al_buf b = al_buf_fixed(space, sizeof(space));
            struct al_hash whole, changed;
            struct al_payload p;
            if (!sample_payload(&b, kind, sealed == 1))
                continue;
            al_hash1(&whole, AL_P_PAYLOAD, b.p, b.n);
            for (size_t bit = 0; bit < b.n * 8; bit++) {
                space[bit / 8] ^= (uint8_t)(1U << bit % 8);
                al_hash1(&changed, AL_P_PAYLOAD, b.p, b.n);
                assert_false(al_hash_eq(&whole, &changed));
                (void)!al_payload_open(&p, al_buf_slice(&b), sealed == 1); /* and never a crash */
                space[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
        }
    }
}

/* --- messages -------------------------------------------------------------------------------- */

static void a_changed_bit_of_any_message_is_refused_or_is_another_message(void **state)
{
    (void)state;
    static uint8_t list_space[16384];
    for (uint64_t type = 0; type < 64; type++) {
        struct al_message m;
        struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        if (!sample_message(&m, type, &lists))
            continue;
        al_message_encode(&b, &m);
        for (size_t bit = 0; bit < b.n * 8; bit++) {
            space[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (al_message_decode(&m, al_buf_slice(&b)) == 0) {
                struct al_buf second = al_buf_fixed(other_space, sizeof(other_space));
                al_message_encode(&second, &m);
                assert_true(al_slice_eq(al_buf_slice(&b), al_buf_slice(&second)));
            }
            space[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_meta_is_read_as_it_was_written),
        cmocka_unit_test(a_changed_bit_of_a_meta_is_refused_or_says_something_else),
        cmocka_unit_test(a_changed_bit_of_what_is_sealed_opens_nothing),
        cmocka_unit_test(any_old_key_is_read_as_it_was_written),
        cmocka_unit_test(any_circle_entry_is_read_as_it_was_written),
        cmocka_unit_test(a_changed_bit_of_any_payload_has_another_hash),
        cmocka_unit_test(a_changed_bit_of_any_message_is_refused_or_is_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
