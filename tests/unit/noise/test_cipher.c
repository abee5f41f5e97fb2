/* One direction of a channel: nonces, rekeying, and what a failure leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "cipher.h"

static const uint8_t key[32] = "a key of thirty-two bytes, no ma";

static struct al_cipher cipher_at(uint64_t nonce)
{
    struct al_cipher c;
    al_cipher_init(&c, key);
    c.nonce = nonce;
    return c;
}

static void the_nonce_is_32_zero_bits_and_the_number_little_endian(void **state)
{
    (void)state;
    const uint8_t nonce[12] = {0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    struct al_slice ad = al_slice_str("ad"), text = al_slice_str("text");
    uint8_t expect[20], got[20];
    crypto_aead_chacha20poly1305_ietf_encrypt(
        expect, NULL, text.p, text.n, ad.p, ad.n, NULL, nonce, key);
    struct al_cipher c = cipher_at(0x0102030405060708);
    assert_int_equal(al_cipher_encrypt(&c, got, ad, text), 0);
    assert_memory_equal(got, expect, sizeof(got));
    assert_true(c.nonce == 0x0102030405060709);
}

static void a_failed_decrypt_leaves_the_nonce_for_the_true_message(void **state)
{
    (void)state;
    struct al_slice none = al_slice_of(NULL, 0);
    uint8_t sealed[20], bad[20], plain[4];
    struct al_cipher sender = cipher_at(0), receiver = cipher_at(0);
    assert_int_equal(al_cipher_encrypt(&sender, sealed, none, al_slice_str("text")), 0);
    memcpy(bad, sealed, sizeof(bad));
    bad[3] ^= 1;
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            al_cipher_decrypt(&receiver, plain, none, al_slice_of(bad, 20)), AL_E_DECRYPT);
    for (size_t n = 0; n < sizeof(sealed); n++) /* shorter than the tag, too */
        assert_int_equal(
            al_cipher_decrypt(&receiver, plain, none, al_slice_of(sealed, n)), AL_E_DECRYPT);
    assert_int_equal(
        al_cipher_decrypt(&receiver, plain, al_slice_str("x"), al_slice_of(sealed, 20)),
        AL_E_DECRYPT);
    assert_true(receiver.nonce == 0);
    assert_int_equal(al_cipher_decrypt(&receiver, plain, none, al_slice_of(sealed, 20)), 0);
    assert_memory_equal(plain, "text", 4);
    assert_true(receiver.nonce == 1);
}

static void the_reserved_nonce_is_never_used(void **state)
{
    (void)state;
    struct al_slice none = al_slice_of(NULL, 0);
    uint8_t out[16];
    struct al_cipher c = cipher_at(UINT64_MAX - 1);
    assert_int_equal(al_cipher_encrypt(&c, out, none, none), 0);
    assert_int_equal(al_cipher_encrypt(&c, out, none, none), AL_E_STATE);
    assert_true(c.nonce == UINT64_MAX);
    /* a message made by the book under the reserved nonce */
    const uint8_t nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t plain[1];
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, NULL, 0, NULL, 0, NULL, nonce, key);
    assert_int_equal(al_cipher_decrypt(&c, plain, none, al_slice_of(out, 16)), AL_E_DECRYPT);
}

static void rekeying_encrypts_zeros_under_the_reserved_nonce(void **state)
{
    (void)state;
    const uint8_t nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t zeros[32] = {0};
    uint8_t expect[48];
    crypto_aead_chacha20poly1305_ietf_encrypt(expect, NULL, zeros, 32, NULL, 0, NULL, nonce, key);
    struct al_cipher c = cipher_at(7);
    al_cipher_rekey(&c);
    assert_memory_equal(c.key, expect, 32);
    assert_true(c.nonce == 7);
    al_cipher_wipe(&c);
    assert_true(sodium_is_zero((const uint8_t *)&c, sizeof(c)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nonce_is_32_zero_bits_and_the_number_little_endian),
        cmocka_unit_test(a_failed_decrypt_leaves_the_nonce_for_the_true_message),
        cmocka_unit_test(the_reserved_nonce_is_never_used),
        cmocka_unit_test(rekeying_encrypts_zeros_under_the_reserved_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
