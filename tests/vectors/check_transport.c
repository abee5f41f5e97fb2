/* What the vectors of the transport mean, in terms of lib/noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "handshake.h"
#include "vector.h"

static void start(struct al_handshake *hs, const json_t *v, bool initiator)
{
    uint8_t prologue[7 + 32], secret[32], ephemeral[32], public[32], remote[32];
    memcpy(prologue, "aloud/1", 7);
    memcpy(prologue + 7, vector_hex(v, "network").p, 32);
    (void)crypto_scalarmult_base(remote, vector_hex(v, "responder").p);
    memcpy(secret, vector_hex(v, initiator ? "dialler" : "responder").p, 32);
    memcpy(ephemeral, vector_hex(v, initiator ? "dialler_ephemeral" : "responder_ephemeral").p, 32);
    (void)crypto_scalarmult_base(public, secret);
    const struct al_handshake_opts opts = {.initiator = initiator,
        .prologue = al_slice_of(prologue, sizeof(prologue)),
        .static_secret = secret,
        .static_public = public,
        .remote_public = initiator ? remote : NULL,
        .ephemeral_secret = ephemeral};
    al_handshake_init(hs, &opts);
}

int check_handshake(const json_t *v, struct al_slice bytes)
{
    static const size_t sizes[] = {48, 48, 64};
    struct al_handshake sides[2]; /* dialler, responder */
    struct al_cipher first, second;
    uint8_t made[160], nothing[AL_CIPHER_TAG]; /* the sealed payload takes its room first */
    struct al_buf out = al_buf_fixed(made, sizeof(made));
    size_t at = 0;
    start(&sides[0], v, true);
    start(&sides[1], v, false);
    assert_int_equal(bytes.n, sizeof(made));
    for (size_t i = 0; i < 3; i++) {
        struct al_buf payload = al_buf_fixed(nothing, sizeof(nothing));
        assert_int_equal(al_handshake_write(&sides[i % 2], &out, al_slice_of(NULL, 0)), 0);
        int err =
            al_handshake_read(&sides[1 - i % 2], &payload, al_slice_of(bytes.p + at, sizes[i]));
        if (err != 0)
            return err;
        at += sizes[i];
    }
    assert_true(al_slice_eq(al_buf_slice(&out), bytes));
    al_handshake_split(&sides[1], &second, &first);
    vector_expect(v, "hash", sides[1].h, sizeof(sides[1].h));
    vector_expect(v, "first_key", first.key, 32);
    vector_expect(v, "second_key", second.key, 32);
    return 0;
}

int check_frame(const json_t *v, struct al_slice bytes)
{
    struct al_cipher c = {.nonce = vector_uint(v, "nonce")};
    uint8_t plain[512];
    memcpy(c.key, vector_hex(v, "key").p, 32);
    assert_true(bytes.n >= 2 && bytes.n <= sizeof(plain));
    size_t n = (size_t)bytes.p[0] << 8 | bytes.p[1];
    assert_int_equal(n + 2, bytes.n);
    if (n < 1 + AL_CIPHER_TAG)
        return AL_E_FRAME;
    int err = al_cipher_decrypt(&c, plain, al_slice_of(NULL, 0), al_slice_of(bytes.p + 2, n));
    if (err != 0)
        return err;
    if (plain[0] > 1)
        return AL_E_FRAME;
    if (c.nonce % 65535 == 0)
        al_cipher_rekey(&c);
    vector_expect(v, "plain", plain, n - AL_CIPHER_TAG);
    vector_expect(v, "next_key", c.key, 32);
    return 0;
}
