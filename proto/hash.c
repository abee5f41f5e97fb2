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

/* The device key of the seed 00 01 .. 1f. */
static const uint8_t known_key[32] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70,
    0xdd, 0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc,
    0x86, 0x64, 0x12, 0x55, 0x31, 0xb8};

/* The same point plus (0, -1), which has order 2: CVE-2025-69277 takes such points for valid. */
static const uint8_t torsion_key[32] = {0xea, 0x5e, 0xf8, 0x40, 0x0c, 0x31, 0xef, 0x41, 0xe2, 0x8f,
    0x22, 0xe7, 0x18, 0xb4, 0x3f, 0x66, 0x98, 0x1b, 0x29, 0xcf, 0x64, 0x5a, 0xf2, 0xa0, 0xe2, 0x23,
    0x79, 0x9b, 0xed, 0xaa, 0xce, 0x47};

/* H("aloud1-entry", "aloud"). */
static const uint8_t known_hash[32] = {0xfd, 0x8c, 0xe4, 0x7c, 0xb6, 0xdf, 0x3f, 0x08, 0x05, 0xc3,
    0x26, 0x81, 0x5c, 0x97, 0x39, 0xed, 0xc8, 0x3d, 0x79, 0x37, 0xe5, 0xdd, 0xf8, 0x70, 0xcd, 0xdf,
    0xb8, 0xf0, 0x43, 0xe0, 0x74, 0x0a};

/* S(known key, "aloud1-sig-entry", known_hash). */
static const struct al_sig known_sig = {{0x68, 0x23, 0x79, 0xcd, 0x93, 0x09, 0xf9, 0x21, 0x66, 0xdc,
    0xd4, 0x73, 0xa6, 0xb4, 0x4e, 0xf0, 0xff, 0x3f, 0x39, 0x3d, 0x16, 0x95, 0xff, 0x7e, 0x84, 0xe9,
    0xdb, 0x69, 0x4c, 0x7b, 0x2c, 0x3d, 0xac, 0x58, 0xbe, 0xd1, 0x33, 0x2e, 0x35, 0x54, 0x65, 0x25,
    0xb7, 0x0a, 0xff, 0x70, 0xcf, 0x9d, 0xc1, 0xc3, 0x37, 0x77, 0x70, 0x95, 0xf1, 0xf0, 0x80, 0xc3,
    0x4c, 0xd0, 0x03, 0xc5, 0xfe, 0x02}};

int al_crypto_self_test(void)
{
    if (sodium_init() < 0)
        return AL_E_CRYPTO;
    if (al_check_point(known_key) != 0 || al_check_point(torsion_key) == 0)
        return AL_E_CRYPTO;
    struct al_hash hash;
    al_hash1(&hash, AL_P_ENTRY, "aloud", 5);
    if (memcmp(hash.b, known_hash, sizeof(hash.b)) != 0)
        return AL_E_CRYPTO;
    if (al_verify(&known_sig, known_key, AL_P_SIG_ENTRY, hash.b) != 0)
        return AL_E_CRYPTO;
    struct al_sig damaged = known_sig;
    damaged.b[0] ^= 1;
    if (al_verify(&damaged, known_key, AL_P_SIG_ENTRY, hash.b) == 0)
        return AL_E_CRYPTO;
    return 0;
}
