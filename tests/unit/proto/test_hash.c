/* Hashes and signatures name their purpose; keys outside the prime-order group are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

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

static void check(const uint8_t got[32], const char *hex)
{
    uint8_t want[32];
    size_t n = 0;
    assert_int_equal(sodium_hex2bin(want, sizeof(want), hex, strlen(hex), NULL, &n, NULL), 0);
    assert_int_equal(n, sizeof(want));
    assert_memory_equal(got, want, sizeof(want));
}

/* Made with Python: hashlib.blake2b(m, digest_size=32, person=purpose, key=key). */
static void hashes_equal_those_of_another_implementation(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t ones[32];
    uint8_t long_m[129];
    uint8_t keyed[32];
    struct al_hash h;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    memset(ones, 0xff, sizeof(ones));
    memset(long_m, 'x', sizeof(long_m));
    al_hash1(&h, "aloud1-entry", NULL, 0);
    check(h.b, "8f6771c7c72993bdf06872ea6bd222d7638fe7e8fb49c07383e299d0b805c0cc");
    al_hash1(&h, "aloud1-entry", "abc", 3);
    check(h.b, "cdab1c5fe6a948c59d114860cd1bacf8dc498ed2daea3b076af59a468d74c49f");
    al_hash1(&h, "aloud1-payload", bytes, sizeof(bytes));
    check(h.b, "a374139234667d33748eb06180e21d37580a292ae8df74389dce970156435d40");
    al_hash1(&h, "aloud1-interest", long_m, sizeof(long_m));
    check(h.b, "f8a87d42629027e3426bcb61a0d26023270b8099c6a04248ed85fd384b0fb1a4");
    al_keyed_hash(keyed, bytes, "aloud1-hint", "abc", 3);
    check(keyed, "387a3d497a10a8ec7bced54e5dde97b5d2ac918d0e475511558569ec35d1f1df");
    al_keyed_hash(keyed, ones, "aloud1-seal", NULL, 0);
    check(keyed, "8b6a2bbea352f5f0e2719b509d8de7d3c373681fefe2b45f204da4cb70b75847");
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
        cmocka_unit_test(hashes_equal_those_of_another_implementation),
        cmocka_unit_test(parts_hash_as_their_concatenation),
        cmocka_unit_test(a_signature_for_one_purpose_is_none_for_another),
        cmocka_unit_test(keys_that_are_no_proper_points_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
