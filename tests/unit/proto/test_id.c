/* Text forms of ids: Crockford's base32, prefixes, and what looks alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "id.h"
#include "sample.h"

static void thirty_two_bytes_have_fifty_two_characters(void **state)
{
    (void)state;
    char text[AL_ID_TEXT];
    uint8_t b[32];
    memset(b, 0, sizeof(b));
    al_id_text(text, b);
    assert_string_equal(text, "0000000000000000000000000000000000000000000000000000");
    memset(b, 0xff, sizeof(b));
    al_id_text(text, b);
    assert_string_equal(text, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzg");
    static const uint8_t counted[5] = {0x00, 0x44, 0x32, 0x14, 0xc7}; /* 0, 1, 2 .. 7 */
    memcpy(b, counted, sizeof(counted));
    al_id_text_prefix(text, b, 8);
    assert_string_equal(text, "01234567");
}

static void a_text_leads_back_to_its_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t b[32];
        uint8_t got[32];
        char text[AL_ID_TEXT];
        sample_bytes(b, sizeof(b), seed);
        al_id_text(text, b);
        assert_int_equal(al_id_parse_full(got, al_slice_str(text)), 0);
        assert_memory_equal(got, b, sizeof(b));
        for (size_t chars = 1; chars <= AL_ID_CHARS; chars++) {
            struct al_id_prefix prefix;
            assert_int_equal(al_id_parse(&prefix, al_slice_of(text, chars)), 0);
            assert_true(al_id_has_prefix(b, &prefix));
            got[(chars * 5 - 1) / 8 % 32] ^= (uint8_t)(0x80 >> (chars * 5 - 1) % 8);
            if (chars < AL_ID_CHARS)
                assert_false(al_id_has_prefix(got, &prefix));
            memcpy(got, b, sizeof(b));
        }
    }
}

static void what_looks_alike_is_read_alike(void **state)
{
    (void)state;
    struct al_id_prefix want;
    struct al_id_prefix got;
    assert_int_equal(al_id_parse(&want, al_slice_str("0011ab")), 0);
    assert_int_equal(al_id_parse(&got, al_slice_str("OoIlAB")), 0);
    assert_memory_equal(got.b, want.b, sizeof(want.b));
    assert_int_equal(got.bits, 30);
    assert_int_equal(al_id_parse(&want, al_slice_str("az")), 0);
    assert_int_equal(al_id_parse(&got, al_slice_str("AZ")), 0);
    assert_memory_equal(got.b, want.b, sizeof(want.b));
}

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    struct al_id_prefix got;
    uint8_t full[32];
    assert_int_equal(al_id_parse(&got, al_slice_str("")), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse(&got, al_slice_str("u")), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse(&got, al_slice_str("a b")), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse(&got, al_slice_of("a\0", 2)), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse(&got, al_slice_str("\xc3\xa9")), AL_E_TEXT_FORM);
    char text[] = "00000000000000000000000000000000000000000000000000000";
    assert_int_equal(al_id_parse(&got, al_slice_of(text, 53)), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse_full(full, al_slice_of(text, 51)), AL_E_TEXT_FORM);
    assert_int_equal(al_id_parse_full(full, al_slice_of(text, 52)), 0);
    text[51] = '8'; /* of its five bits only the first is part of the id */
    assert_int_equal(al_id_parse_full(full, al_slice_of(text, 52)), AL_E_TEXT_FORM);
    text[51] = 'g';
    assert_int_equal(al_id_parse_full(full, al_slice_of(text, 52)), 0);
}

static void the_common_beginning_is_counted_in_characters(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_int_equal(al_id_common(a, b), 52);
    b[31] = 1;
    assert_int_equal(al_id_common(a, b), 51);
    b[0] = 0x04;
    assert_int_equal(al_id_common(a, b), 1);
    b[0] = 0x80;
    assert_int_equal(al_id_common(a, b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_two_bytes_have_fifty_two_characters),
        cmocka_unit_test(a_text_leads_back_to_its_bytes),
        cmocka_unit_test(what_looks_alike_is_read_alike),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(the_common_beginning_is_counted_in_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
