/*
 * Keys from the phrase and from the device seed: known answers (made with hashlib.blake2b and
 * PyNaCl), the chain of reading keys, sealed boxes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "hash.h"
#include "keyring.h"

static struct al_root root;
static struct al_keyring keyring;

static void assert_hex(const uint8_t b[32], const char *hex)
{
    char got[65];
    sodium_bin2hex(got, sizeof(got), b, 32);
    assert_string_equal(got, hex);
}

static int set_up(void **state)
{
    (void)state;
    uint8_t entropy[32], seed[32], read_sk[32];
    for (uint8_t i = 0; i < 32; i++)
        entropy[i] = i;
    memset(seed, 0x42, sizeof(seed));
    al_root_derive(&root, entropy);
    al_root_read_key(read_sk, &root, 3);
    return al_keyring_init(&keyring, &root.identity, seed, 3, read_sk);
}

static void keys_of_a_known_phrase_and_seed_are_the_known_ones(void **state)
{
    (void)state;
    uint8_t key[32], public[32];
    assert_hex(root.identity.b, "0cfb34a802bf8dfac2827c7c610c3ec090d4ea9df930f47d9f642f31552f9814");
    al_root_read_key(key, &root, 64);
    assert_hex(key, "b5e899f4d522aa7eab91c79156c24cd81f7ba6f342243b2158b7c3dbd2a30764");
    al_root_read_key(key, &root, 1);
    assert_hex(key, "e9fb320ce596fd640cb20b391c522ae432134ff62f060217bedea21216f46a53");
    al_read_key_public(public, key);
    assert_hex(public, "5f175bd17829634327ae9ad45447952896cb4411d05de3d6dcd5621c3e006641");
    assert_int_equal(al_keyring_me_key(key, &keyring, 1), 0);
    assert_hex(key, "b626e16f0fc08168af9bb3601942950117dedf97b1eb671458be05f0161f38d2");
    assert_hex(
        keyring.device.b, "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12");
    assert_hex(
        keyring.noise_public, "cc4f2cdb695dd766f34118eb67b98652fed1d8bc49c330b119bbfa8a64989378");
    assert_memory_equal(keyring.device_secret + 32, keyring.device.b, 32);
}

static void a_newer_reading_key_opens_older_ones_and_never_the_reverse(void **state)
{
    (void)state;
    uint8_t upper[32], lower[32], me[32];
    for (uint32_t g = 1; g < 64; g++) {
        al_root_read_key(upper, &root, g + 1);
        al_root_read_key(lower, &root, g);
        al_read_key_down(upper, upper);
        assert_memory_equal(upper, lower, 32);
    }
    assert_int_equal(al_keyring_me_key(me, &keyring, 3), 0);
    assert_memory_equal(me, keyring.me_key, 32);
    assert_int_equal(al_keyring_me_key(me, &keyring, 4), AL_E_NOT_FOUND);
    assert_int_equal(al_keyring_me_key(me, &keyring, 0), AL_E_NOT_FOUND);
    for (uint32_t g = 1; g <= 3; g++) {
        al_root_read_key(lower, &root, g);
        assert_int_equal(al_keyring_read_sk(upper, &keyring, g), 0);
        assert_memory_equal(upper, lower, 32);
    }
    assert_int_equal(al_keyring_read_sk(upper, &keyring, 4), AL_E_NOT_FOUND);
    assert_int_equal(al_keyring_read_sk(upper, &keyring, 0), AL_E_NOT_FOUND);
}

static void the_noise_key_follows_from_the_public_device_key_alone(void **state)
{
    (void)state;
    uint8_t key[32];
    assert_int_equal(al_device_noise_key(key, &keyring.device), 0);
    assert_memory_equal(key, keyring.noise_public, 32);
}

static void keys_outside_the_prime_order_group_are_refused(void **state)
{
    (void)state;
    const struct al_device small = {{0}}; /* of order 4 */
    const struct al_identity nobody = {{0}};
    const uint8_t zeros[32] = {0};
    struct al_keyring k;
    struct al_rng rng;
    uint8_t key[32], box[80];
    al_rng_init(&rng, zeros);
    assert_int_equal(al_device_noise_key(key, &small), AL_E_POINT);
    assert_int_equal(al_keyring_init(&k, &nobody, zeros, 1, zeros), AL_E_POINT);
    assert_int_equal(al_read_box_seal(box, &small, zeros, &rng), AL_E_POINT);
}

static void a_sealed_reading_key_opens_for_its_device_only(void **state)
{
    (void)state;
    struct al_rng rng;
    uint8_t box[80], again[80], got[32];
    al_rng_init(&rng, (const uint8_t[32]){1});
    assert_int_equal(al_read_box_seal(box, &keyring.device, keyring.read_sk, &rng), 0);
    assert_int_equal(al_read_box_open(got, box, &keyring), 0);
    assert_memory_equal(got, keyring.read_sk, 32);

    al_rng_init(&rng, (const uint8_t[32]){1}); /* a simulated node replays */
    assert_int_equal(al_read_box_seal(again, &keyring.device, keyring.read_sk, &rng), 0);
    assert_memory_equal(again, box, sizeof(box));

    struct al_keyring other;
    const uint8_t seed[32] = {5};
    assert_int_equal(al_keyring_init(&other, &root.identity, seed, 1, seed), 0);
    assert_int_equal(al_read_box_open(got, box, &other), AL_E_SEALED);
    for (size_t bit = 0; bit < sizeof(box) * 8; bit++) {
        /* X25519 ignores the highest bit of a public key, but the nonce covers it. */
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(al_read_box_open(got, box, &keyring), AL_E_SEALED);
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void libsodium_seals_the_same_kind_of_box(void **state)
{
    (void)state;
    uint8_t box[80], got[32];
    assert_int_equal(crypto_box_seal(box, keyring.read_sk, 32, keyring.noise_public), 0);
    assert_int_equal(al_read_box_open(got, box, &keyring), 0);
    assert_memory_equal(got, keyring.read_sk, 32);
}

static void wiped_keys_are_gone(void **state)
{
    (void)state;
    struct al_root r = root;
    struct al_keyring k = keyring;
    al_root_wipe(&r);
    al_keyring_wipe(&k);
    assert_true(sodium_is_zero((const uint8_t *)&r, sizeof(r)));
    assert_true(sodium_is_zero((const uint8_t *)&k, sizeof(k)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_a_known_phrase_and_seed_are_the_known_ones),
        cmocka_unit_test(a_newer_reading_key_opens_older_ones_and_never_the_reverse),
        cmocka_unit_test(the_noise_key_follows_from_the_public_device_key_alone),
        cmocka_unit_test(keys_outside_the_prime_order_group_are_refused),
        cmocka_unit_test(a_sealed_reading_key_opens_for_its_device_only),
        cmocka_unit_test(libsodium_seals_the_same_kind_of_box),
        cmocka_unit_test(wiped_keys_are_gone),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
