/* Sealed boxes: what libsodium makes, byte for byte, with an ephemeral key from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "box.h"

static const uint8_t secret[32] = {0x10}, ephemeral[32] = {0x20};
static uint8_t public[32];

static int set_up(void **state)
{
    (void)state;
    return crypto_scalarmult_base(public, secret);
}

static void a_box_opens_for_its_reader_only(void **state)
{
    (void)state;
    uint8_t box[5 + AL_BOX_EXTRA_BYTES], got[5], other[32];
    const uint8_t other_secret[32] = {0x30};
    assert_int_equal(al_box_seal(box, al_slice_str("aloud"), public, ephemeral), 0);
    assert_int_equal(al_box_open(got, al_slice_of(box, sizeof(box)), public, secret), 0);
    assert_memory_equal(got, "aloud", 5);
    (void)crypto_scalarmult_base(other, other_secret);
    assert_int_equal(
        al_box_open(got, al_slice_of(box, sizeof(box)), other, other_secret), AL_E_SEALED);
    for (size_t bit = 0; bit < sizeof(box) * 8; bit++) {
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            al_box_open(got, al_slice_of(box, sizeof(box)), public, secret), AL_E_SEALED);
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t n = 0; n < sizeof(box); n++)
        assert_int_equal(al_box_open(got, al_slice_of(box, n), public, secret), AL_E_SEALED);
}

static void libsodium_and_we_open_each_others_boxes(void **state)
{
    (void)state;
    uint8_t box[5 + AL_BOX_EXTRA_BYTES], got[5];
    assert_int_equal(al_box_seal(box, al_slice_str("aloud"), public, ephemeral), 0);
    assert_int_equal(crypto_box_seal_open(got, box, sizeof(box), public, secret), 0);
    assert_memory_equal(got, "aloud", 5);
    assert_int_equal(crypto_box_seal(box, (const uint8_t *)"hello", 5, public), 0);
    assert_int_equal(al_box_open(got, al_slice_of(box, sizeof(box)), public, secret), 0);
    assert_memory_equal(got, "hello", 5);
}

static void nothing_is_sealed_to_a_key_of_small_order(void **state)
{
    (void)state;
    static const uint8_t small[][32] = {{0}, {1}};
    uint8_t box[1 + AL_BOX_EXTRA_BYTES];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(al_box_seal(box, al_slice_str("x"), small[i], ephemeral), AL_E_POINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_opens_for_its_reader_only),
        cmocka_unit_test(libsodium_and_we_open_each_others_boxes),
        cmocka_unit_test(nothing_is_sealed_to_a_key_of_small_order),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
