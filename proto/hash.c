#include "hash.h"

#include <assert.h>
#include <sodium.h>

static void personal(uint8_t out[16], const char *purpose)
{
    size_t n = strlen(purpose);
    assert(n <= 16);
    memset(out, 0, 16);
    memcpy(out, purpose, n);
}

void al_hash(struct al_hash *out, const char *purpose, const struct al_slice *parts, size_t count)
{
    uint8_t person[16];
    personal(person, purpose);
    crypto_generichash_blake2b_state st;
    (void)crypto_generichash_blake2b_init_salt_personal(&st, NULL, 0, 32, NULL, person);
    for (size_t i = 0; i < count; i++)
        (void)crypto_generichash_blake2b_update(&st, parts[i].p, parts[i].n);
    (void)crypto_generichash_blake2b_final(&st, out->b, 32);
}

void al_hash1(struct al_hash *out, const char *purpose, const void *m, size_t n)
{
    uint8_t person[16];
    personal(person, purpose);
    (void)crypto_generichash_blake2b_salt_personal(out->b, 32, m, n, NULL, 0, NULL, person);
}

void al_keyed_hash(
    uint8_t out[32], const uint8_t key[32], const char *purpose, const void *m, size_t n)
{
    uint8_t person[16];
    personal(person, purpose);
    (void)crypto_generichash_blake2b_salt_personal(out, 32, m, n, key, 32, NULL, person);
}

void al_sign(struct al_sig *out, const uint8_t secret[64], const char *purpose, const uint8_t m[32])
{
    uint8_t msg[48];
    personal(msg, purpose);
    memcpy(msg + 16, m, 32);
    (void)crypto_sign_detached(out->b, NULL, msg, sizeof(msg), secret);
}

int al_verify(
    const struct al_sig *sig, const uint8_t public[32], const char *purpose, const uint8_t m[32])
{
    uint8_t msg[48];
    personal(msg, purpose);
    memcpy(msg + 16, m, 32);
    return crypto_sign_verify_detached(sig->b, msg, sizeof(msg), public) == 0 ? 0 : AL_E_SIG;
}

int al_check_point(const uint8_t public[32])
{
    return crypto_core_ed25519_is_valid_point(public) == 1 ? 0 : AL_E_POINT;
}
