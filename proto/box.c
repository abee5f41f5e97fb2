#include "box.h"

#include <assert.h>
#include <sodium.h>

static_assert(AL_BOX_EXTRA_BYTES == crypto_box_SEALBYTES, "what libsodium adds");

int al_box_seal(uint8_t *out, struct al_slice clear, const uint8_t to[32], const uint8_t secret[32])
{
    (void)crypto_scalarmult_base(out, secret);
    uint8_t nonce[crypto_box_NONCEBYTES];
    crypto_generichash_state st;
    (void)crypto_generichash_init(&st, NULL, 0, sizeof(nonce));
    (void)crypto_generichash_update(&st, out, 32);
    (void)crypto_generichash_update(&st, to, 32);
    (void)crypto_generichash_final(&st, nonce, sizeof(nonce));
    return crypto_box_easy(out + 32, clear.p, clear.n, nonce, to, secret) == 0 ? 0 : AL_E_POINT;
}

int al_box_open(
    uint8_t *out, struct al_slice box, const uint8_t read_pk[32], const uint8_t read_sk[32])
{
    return crypto_box_seal_open(out, box.p, box.n, read_pk, read_sk) == 0 ? 0 : AL_E_SEALED;
}
