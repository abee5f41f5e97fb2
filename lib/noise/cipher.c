#include "cipher.h"

#include <assert.h>
#include <sodium.h>

static_assert(AL_CIPHER_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "the size of the tag");

/* 32 zero bits, then the number little-endian: section 12.3. */
static void nonce_bytes(uint8_t out[12], uint64_t nonce)
{
    memset(out, 0, 4);
    for (size_t i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(nonce >> (8 * i));
}

void al_cipher_init(struct al_cipher *c, const uint8_t key[32])
{
    memcpy(c->key, key, sizeof(c->key));
    c->nonce = 0;
}

void al_cipher_wipe(struct al_cipher *c)
{
    sodium_memzero(c, sizeof(*c));
}

int al_cipher_encrypt(struct al_cipher *c, uint8_t *out, struct al_slice ad, struct al_slice plain)
{
    uint8_t nonce[12];
    if (c->nonce == UINT64_MAX)
        return AL_E_STATE;
    nonce_bytes(nonce, c->nonce++);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(
        out, NULL, plain.p, plain.n, ad.p, ad.n, NULL, nonce, c->key);
    return 0;
}

int al_cipher_decrypt(struct al_cipher *c, uint8_t *out, struct al_slice ad, struct al_slice sealed)
{
    uint8_t nonce[12];
    if (c->nonce == UINT64_MAX)
        return AL_E_DECRYPT;
    nonce_bytes(nonce, c->nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            out, NULL, NULL, sealed.p, sealed.n, ad.p, ad.n, nonce, c->key) != 0)
        return AL_E_DECRYPT;
    c->nonce++;
    return 0;
}

void al_cipher_rekey(struct al_cipher *c)
{
    static const uint8_t zeros[32];
    uint8_t nonce[12], out[sizeof(zeros) + AL_CIPHER_TAG];
    nonce_bytes(nonce, UINT64_MAX);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(
        out, NULL, zeros, sizeof(zeros), NULL, 0, NULL, nonce, c->key);
    memcpy(c->key, out, sizeof(c->key));
    sodium_memzero(out, sizeof(out));
}
