/* Headers, ids and blocks: one encoding, each field inside its range, signatures over ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "entry.h"
#include "limit.h"
#include "sample.h"
#include "write.h"

static struct al_header sample_header(uint64_t seed)
{
    struct al_header h = {.seq = 1 + seed % AL_SEQ_MAX, .time_ms = seed % (AL_TIME_MAX + 1)};
    sample_bytes(h.device.b, 32, seed);
    sample_bytes(h.log.b, 8, seed + 1);
    sample_bytes(h.prev.b, 32, seed + 2);
    sample_bytes(h.phash.b, 32, seed + 3);
    h.plen = 1 + (uint32_t)(seed % AL_PAYLOAD_MAX);
    return h;
}

static int decode_of(const struct al_header *h)
{
    uint8_t bytes[AL_HEADER_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_header back;
    al_header_encode(&b, h);
    assert_false(b.full);
    return al_header_decode(&back, al_buf_slice(&b));
}

static void a_header_survives_encoding(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100000; seed++) {
        struct al_header h = sample_header(seed * seed * seed);
        uint8_t bytes[AL_HEADER_MAX];
        uint8_t again[AL_HEADER_MAX];
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        struct al_header back;
        al_header_encode(&b, &h);
        assert_int_equal(al_header_decode(&back, al_buf_slice(&b)), 0);
        assert_true(back.seq == h.seq && back.time_ms == h.time_ms && back.plen == h.plen);
        struct al_buf c = al_buf_fixed(again, sizeof(again));
        al_header_encode(&c, &back);
        assert_true(al_slice_eq(al_buf_slice(&b), al_buf_slice(&c)));
    }
}

static void each_number_has_its_range(void **state)
{
    (void)state;
    struct al_header h = sample_header(7);
    h.seq = AL_SEQ_MAX;
    h.time_ms = AL_TIME_MAX;
    h.plen = AL_PAYLOAD_MAX;
    assert_int_equal(decode_of(&h), 0);
    h.seq = AL_SEQ_MAX + 1;
    assert_int_equal(decode_of(&h), AL_E_RANGE);
    h.seq = 0;
    assert_int_equal(decode_of(&h), AL_E_RANGE);
    h = sample_header(7);
    h.time_ms = AL_TIME_MAX + 1;
    assert_int_equal(decode_of(&h), AL_E_RANGE);
    h = sample_header(7);
    h.plen = AL_PAYLOAD_MAX + 1;
    assert_int_equal(decode_of(&h), AL_E_RANGE);
    h.plen = 0;
    assert_int_equal(decode_of(&h), AL_E_RANGE);
}

static void a_header_of_another_form_is_refused_by_name(void **state)
{
    (void)state;
    struct al_header h = sample_header(9);
    uint8_t bytes[AL_HEADER_MAX + 8];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_header back;
    al_header_encode(&b, &h);
    bytes[1] = 2;
    assert_int_equal(al_header_decode(&back, al_buf_slice(&b)), AL_E_VERSION);
    bytes[1] = 1;
    assert_int_equal(al_header_decode(&back, al_slice_of(bytes, b.n - 1)), AL_E_TRUNCATED);
    bytes[b.n] = 0;
    assert_int_equal(al_header_decode(&back, al_slice_of(bytes, b.n + 1)), AL_E_TRAILING);
    bytes[0] = 0x99; /* one field more */
    assert_int_equal(al_header_decode(&back, al_slice_of(bytes, b.n + 1)), AL_E_COUNT);
    bytes[0] = 0x98;
    bytes[3] = 31; /* a device of 31 bytes, and the rest is read as what it is not */
    assert_int_not_equal(al_header_decode(&back, al_buf_slice(&b)), 0);
}

static void every_bit_of_a_header_changes_the_id(void **state)
{
    (void)state;
    struct al_header h = sample_header(11);
    struct al_hash id;
    al_header_id(&id, &h);
    uint8_t bytes[AL_HEADER_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_header_encode(&b, &h);
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        struct al_header other;
        struct al_hash other_id;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (al_header_decode(&other, al_buf_slice(&b)) == 0) {
            al_header_id(&other_id, &other);
            assert_false(al_hash_eq(&id, &other_id));
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void the_genesis_binds_identity_device_and_log(void **state)
{
    (void)state;
    struct sample_person a = sample_person(1);
    struct sample_person b = sample_person(2);
    struct al_hash base;
    struct al_hash other;
    al_entry_genesis(&base, &a.identity, &a.device, &a.log);
    al_entry_genesis(&other, &b.identity, &a.device, &a.log);
    assert_false(al_hash_eq(&base, &other));
    al_entry_genesis(&other, &a.identity, &b.device, &a.log);
    assert_false(al_hash_eq(&base, &other));
    al_entry_genesis(&other, &a.identity, &a.device, &b.log);
    assert_false(al_hash_eq(&base, &other));
    al_entry_genesis(&other, &a.identity, &a.device, &a.log);
    assert_true(al_hash_eq(&base, &other));
}

static void a_signature_holds_for_one_id_and_one_device(void **state)
{
    (void)state;
    struct sample_person p = sample_person(3);
    struct sample_person q = sample_person(4);
    struct al_hash id;
    struct al_sig sig;
    sample_bytes(id.b, 32, 5);
    al_entry_sign(&sig, p.device_secret, &id);
    assert_int_equal(al_entry_verify(&sig, &p.device, &id), 0);
    assert_int_equal(al_entry_verify(&sig, &q.device, &id), AL_E_SIG);
    for (size_t bit = 0; bit < 32 * 8; bit++) {
        id.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(al_entry_verify(&sig, &p.device, &id), AL_E_SIG);
        id.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 64 * 8; bit++) {
        sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(al_entry_verify(&sig, &p.device, &id), AL_E_SIG);
        sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void blocks_hold_64_entries_and_the_last_is_cut_short(void **state)
{
    (void)state;
    assert_int_equal(al_block_of(1), 0);
    assert_int_equal(al_block_of(64), 0);
    assert_int_equal(al_block_of(65), 1);
    assert_int_equal(al_block_first(1), 65);
    assert_int_equal(al_block_last(1), 128);
    uint64_t end = al_block_of(AL_SEQ_MAX);
    assert_true(al_block_last(end) == AL_SEQ_MAX);
    assert_true(al_block_first(end) <= AL_SEQ_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_survives_encoding),
        cmocka_unit_test(each_number_has_its_range),
        cmocka_unit_test(a_header_of_another_form_is_refused_by_name),
        cmocka_unit_test(every_bit_of_a_header_changes_the_id),
        cmocka_unit_test(the_genesis_binds_identity_device_and_log),
        cmocka_unit_test(a_signature_holds_for_one_id_and_one_device),
        cmocka_unit_test(blocks_hold_64_entries_and_the_last_is_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
