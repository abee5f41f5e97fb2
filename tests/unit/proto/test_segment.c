/* Segments: what is refused by its form, and that one signature covers every bit of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"
#include "sample.h"
#include "write.h"

static uint8_t payloads[AL_BLOCK_ENTRIES * 4096];
static uint8_t space[AL_MESSAGE_MAX];
static struct al_segment segment;
static struct al_segment opened;

static struct al_slice encode(const struct al_segment *s)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_segment_encode(&b, s);
    assert_false(b.full);
    return al_buf_slice(&b);
}

static int open_of(const struct al_segment *s)
{
    return al_segment_open(&opened, encode(s));
}

static void make(uint64_t first, uint32_t count, size_t size)
{
    struct sample_person p = sample_person(1);
    struct al_hash prev;
    sample_bytes(prev.b, 32, 99);
    sample_segment(&segment, &p, first, first == 1 ? NULL : &prev, count, payloads, size, first);
}

static void drop_payload(uint32_t i, enum al_stub stub)
{
    segment.items[i].payload = al_slice_of(NULL, 0);
    segment.items[i].stub = stub;
}

static void a_segment_survives_encoding(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= AL_BLOCK_ENTRIES; count++) {
        make(129 + AL_BLOCK_ENTRIES - count, count, count * 3);
        segment.items[0].time_ms = AL_TIME_MAX; /* times may go back */
        if (count > 2) {
            drop_payload(1, AL_STUB_ASK);
            drop_payload(2, AL_STUB_NOT_HELD);
        }
        struct sample_person p = sample_person(1);
        sample_sign(&segment, &p);
        assert_int_equal(open_of(&segment), 0);
        assert_int_equal(al_segment_verify(&opened), 0);
        assert_int_equal(opened.count, count);
        assert_int_equal(al_segment_last(&opened), 192);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(al_hash_eq(&opened.items[i].id, &segment.items[i].id));
            assert_true(opened.items[i].time_ms == segment.items[i].time_ms);
            assert_int_equal(opened.items[i].stub, segment.items[i].stub);
            assert_true(al_slice_eq(opened.items[i].payload, segment.items[i].payload));
        }
        uint8_t again[sizeof(payloads)];
        struct al_buf b = al_buf_fixed(again, sizeof(again));
        struct al_slice first = encode(&segment);
        al_segment_encode(&b, &opened);
        assert_true(al_slice_eq(first, al_buf_slice(&b)));
    }
}

static void stubs_lead_to_the_same_ids_as_payloads(void **state)
{
    (void)state;
    make(1, 64, 100);
    struct al_hash last = segment.items[63].id;
    for (uint32_t i = 0; i < 64; i += 2)
        drop_payload(i, AL_STUB_NOT_HELD);
    assert_int_equal(open_of(&segment), 0);
    assert_true(al_hash_eq(&opened.items[63].id, &last));
    assert_int_equal(al_segment_verify(&opened), 0);
}

static void one_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 3; count++) {
        make(65, count, 40);
        if (count == 3)
            drop_payload(1, AL_STUB_ASK);
        struct al_slice bytes = encode(&segment);
        for (size_t bit = 0; bit < bytes.n * 8; bit++) {
            space[bit / 8] ^= (uint8_t)(1 << bit % 8);
            bool valid = al_segment_open(&opened, bytes) == 0 && al_segment_verify(&opened) == 0;
            /* only the state of a stub is the sender's own word, not the author's */
            if (valid)
                assert_true(count == 3 && opened.items[1].stub == AL_STUB_NOT_HELD);
            space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void a_segment_stays_inside_one_block(void **state)
{
    (void)state;
    make(64, 1, 10);
    assert_int_equal(open_of(&segment), 0);
    make(64, 2, 10);
    assert_int_equal(open_of(&segment), AL_E_BLOCK);
    make(2, 64, 10);
    assert_int_equal(open_of(&segment), AL_E_BLOCK);
}

static void sequence_numbers_end_at_the_cap(void **state)
{
    (void)state;
    make(AL_SEQ_MAX - 1, 2, 10);
    assert_int_equal(open_of(&segment), 0);
    make(AL_SEQ_MAX, 1, 10);
    assert_int_equal(open_of(&segment), 0);
    make(AL_SEQ_MAX, 2, 10);
    assert_int_equal(open_of(&segment), AL_E_RANGE);
    make(AL_SEQ_MAX + 1, 1, 10);
    assert_int_equal(open_of(&segment), AL_E_RANGE);
    make(1, 1, 10);
    segment.first = 0;
    assert_int_equal(open_of(&segment), AL_E_RANGE);
}

static void times_stay_in_range_whatever_the_differences_say(void **state)
{
    (void)state;
    make(1, 2, 10);
    segment.items[1].time_ms = AL_TIME_MAX;
    assert_int_equal(open_of(&segment), 0);
    segment.items[1].time_ms = AL_TIME_MAX + 1;
    assert_int_equal(open_of(&segment), AL_E_RANGE);
    segment.items[1].time_ms = 0;
    assert_int_equal(open_of(&segment), 0);
    segment.items[1].time_ms = (uint64_t)-1; /* a difference that leads below zero */
    assert_int_equal(open_of(&segment), AL_E_RANGE);
    segment.items[0].time_ms = AL_TIME_MAX + 1;
    assert_int_equal(open_of(&segment), AL_E_RANGE);
}

static void stubs_name_a_possible_length(void **state)
{
    (void)state;
    make(1, 1, 10);
    drop_payload(0, AL_STUB_ASK);
    assert_int_equal(open_of(&segment), 0);
    segment.items[0].plen = AL_PAYLOAD_MAX;
    assert_int_equal(open_of(&segment), 0);
    segment.items[0].plen = AL_PAYLOAD_MAX + 1;
    assert_int_equal(open_of(&segment), AL_E_RANGE);
    segment.items[0].plen = 0;
    assert_int_equal(open_of(&segment), AL_E_RANGE);
}

static void the_inline_limit_is_exact(void **state)
{
    (void)state;
    static_assert(AL_SEGMENT_INLINE_MAX % 48 == 0, "48 equal payloads fill a segment");
    make(1, 48, AL_SEGMENT_INLINE_MAX / 48);
    assert_int_equal(open_of(&segment), 0);
    segment.items[47].payload.n++;
    assert_int_equal(open_of(&segment), AL_E_INLINE);
}

static void a_segment_of_another_form_is_refused_by_name(void **state)
{
    (void)state;
    make(1, 1, 10);
    struct al_slice bytes = encode(&segment);
    space[0] = 0x95;
    assert_int_equal(al_segment_open(&opened, bytes), AL_E_TRAILING);
    space[0] = 0x97;
    assert_int_equal(al_segment_open(&opened, bytes), AL_E_TRUNCATED);
    space[bytes.n] = 0;
    assert_int_equal(al_segment_open(&opened, al_slice_of(space, bytes.n + 1)), AL_E_COUNT);
    space[0] = 0x96;
    assert_int_equal(al_segment_open(&opened, al_slice_of(space, bytes.n + 1)), AL_E_TRAILING);

    segment.count = 0;
    assert_int_equal(open_of(&segment), AL_E_COUNT);
    make(1, 1, 10);
    segment.items[0].payload.n = AL_PAYLOAD_MAX + 1;
    assert_int_equal(open_of(&segment), AL_E_LENGTH);
}

/* A segment of one item, which is written as |item| says in bytes. */
static int open_with_item(const char *item, size_t n)
{
    make(1, 1, 10);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 6);
    al_write_bin(&b, segment.device.b, 32);
    al_write_bin(&b, segment.log.b, 8);
    al_write_uint(&b, 1);
    al_write_bin(&b, segment.prev.b, 32);
    al_write_array(&b, 1);
    al_buf_put(&b, item, n);
    al_write_bin(&b, segment.sig.b, 64);
    return al_segment_open(&opened, al_buf_slice(&b));
}

static void an_item_of_another_form_is_refused_by_name(void **state)
{
    (void)state;
    static const char hash[] = "\xc4\x20"
                               "0123456789abcdef0123456789abcdef";
    char stub[64] = "\x92\x05\x93\x07";
    memcpy(stub + 4, hash, 34);
    stub[38] = 1;
    assert_int_equal(open_with_item("\x92\x05\xc4\x01x", 5), 0);
    assert_int_equal(open_with_item("\x91\x05", 2), AL_E_COUNT);
    assert_int_equal(open_with_item("\x93\x05\xc4\x01x\x00", 6), AL_E_COUNT);
    assert_int_equal(open_with_item("\x92\x05\xc4\x00", 4), AL_E_LENGTH); /* empty */
    assert_int_equal(open_with_item("\x92\x05\xa1x", 4), AL_E_TYPE);
    assert_int_equal(open_with_item("\x92\xff\xc4\x01x", 5), AL_E_TYPE); /* time below 0 */
    assert_int_equal(open_with_item(stub, 39), 0);
    stub[38] = 2; /* no such state */
    assert_int_equal(open_with_item(stub, 39), AL_E_RANGE);
    stub[2] = (char)0x94;
    stub[39] = 0;
    assert_int_equal(open_with_item(stub, 40), AL_E_COUNT);
}

static void a_segment_attests_its_entries_and_the_one_before(void **state)
{
    (void)state;
    make(65, 3, 10);
    assert_int_equal(open_of(&segment), 0);
    assert_null(al_segment_attests(&opened, 63));
    assert_true(al_segment_attests(&opened, 64) == &opened.prev);
    assert_true(al_segment_attests(&opened, 65) == &opened.items[0].id);
    assert_true(al_segment_attests(&opened, 67) == &opened.items[2].id);
    assert_null(al_segment_attests(&opened, 68));
    make(1, 1, 10);
    assert_int_equal(open_of(&segment), 0);
    assert_null(al_segment_attests(&opened, 0)); /* the genesis is no entry */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_survives_encoding),
        cmocka_unit_test(stubs_lead_to_the_same_ids_as_payloads),
        cmocka_unit_test(one_flipped_bit_is_refused),
        cmocka_unit_test(a_segment_stays_inside_one_block),
        cmocka_unit_test(sequence_numbers_end_at_the_cap),
        cmocka_unit_test(times_stay_in_range_whatever_the_differences_say),
        cmocka_unit_test(stubs_name_a_possible_length),
        cmocka_unit_test(the_inline_limit_is_exact),
        cmocka_unit_test(a_segment_of_another_form_is_refused_by_name),
        cmocka_unit_test(an_item_of_another_form_is_refused_by_name),
        cmocka_unit_test(a_segment_attests_its_entries_and_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
