/* Hashes and signatures name their purpose; keys outside the prime-order group are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"
#include "sample.h"

static void the_self_test_passes_on_a_sound_library(void **state)
{
    (void)state;
    assert_int_equal(al_crypto_self_test(), 0);
}

static void the_same_bytes_hash_differently_for_each_purpose(void **state)
{
    (void)state;
    static const char *const purposes[] = {AL_P_ENTRY, AL_P_PAYLOAD, AL_P_GENESIS, AL_P_STATEMENT,
        AL_P_IDENTITY, AL_P_ROOT, AL_P_READ, AL_P_ME, AL_P_HINT, AL_P_SEAL, AL_P_EPOCH,
        AL_P_NETWORK, AL_P_INVITE, AL_P_INTEREST, AL_P_RECONCILE, AL_P_BEACON, AL_P_ADDRESS,
        AL_P_SOURCE};
    enum { COUNT = sizeof(purposes) / sizeof(purposes[0]) };
    struct al_hash seen[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        al_hash1(&seen[i], purposes[i], "x", 1);
        for (size_t k = 0; k < i; k++)
            assert_false(al_hash_eq(&seen[i], &seen[k]));
    }
}

static void parts_hash_as_their_concatenation(void **state)
{
    (void)state;
    const struct al_slice parts[] = {al_slice_str("one"), al_slice_of(NULL, 0), al_slice_str("2")};
    struct al_hash in_parts;
    struct al_hash whole;
    al_hash(&in_parts, AL_P_ENTRY, parts, 3);
    al_hash1(&whole, AL_P_ENTRY, "one2", 4);
    assert_true(al_hash_eq(&in_parts, &whole));
}

static void a_signature_for_one_purpose_is_none_for_another(void **state)
{
    (void)state;
    struct sample_person p = sample_person(1);
    uint8_t m[32] = {1};
    struct al_sig sig;
    al_sign(&sig, p.device_secret, AL_P_SIG_ENTRY, m);
    assert_int_equal(al_verify(&sig, p.device.b, AL_P_SIG_ENTRY, m), 0);
    assert_int_equal(al_verify(&sig, p.device.b, AL_P_SIG_DEVICE, m), AL_E_SIG);
    assert_int_equal(al_verify(&sig, p.device.b, AL_P_SIG_ADDRESS, m), AL_E_SIG);
}

static void keys_that_are_no_proper_points_are_refused(void **state)
{
    (void)state;
    uint8_t zero[32] = {0};         /* order 4 */
    uint8_t neutral[32] = {1};      /* order 1 */
    uint8_t not_on_curve[32] = {2}; /* y = 2 has no x */
    uint8_t not_canonical[32];      /* y = p + 1, another way to write the neutral point */
    memset(not_canonical, 0xff, sizeof(not_canonical));
    not_canonical[0] = 0xee;
    not_canonical[31] = 0x7f;
    struct sample_person p = sample_person(1);
    assert_int_equal(al_check_point(p.identity.b), 0);
    assert_int_equal(al_check_point(zero), AL_E_POINT);
    assert_int_equal(al_check_point(neutral), AL_E_POINT);
    assert_int_equal(al_check_point(not_on_curve), AL_E_POINT);
    assert_int_equal(al_check_point(not_canonical), AL_E_POINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_self_test_passes_on_a_sound_library),
        cmocka_unit_test(the_same_bytes_hash_differently_for_each_purpose),
        cmocka_unit_test(parts_hash_as_their_concatenation),
        cmocka_unit_test(a_signature_for_one_purpose_is_none_for_another),
        cmocka_unit_test(keys_that_are_no_proper_points_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
