#include "handshake.h"

#include <assert.h>
#include <sodium.h>

#include "check.h"

#define HASH AL_HANDSHAKE_HASH
#define HMAC_BLOCK 128 /* of BLAKE2b: section 12.8 */

static const char protocol_name[] = "Noise_XK_25519_ChaChaPoly_BLAKE2b";
static_assert(sizeof(protocol_name) - 1 <= HASH, "a short name is not hashed");

const size_t al_handshake_sizes[AL_HANDSHAKE_MESSAGES] = {
    32 + AL_CIPHER_TAG,
    32 + AL_CIPHER_TAG,
    32 + AL_CIPHER_TAG + AL_CIPHER_TAG,
};

/* --- hashing: sections 4.3 and 5.2 --------------------------------------------------------- */

static void hash2(uint8_t out[HASH], struct al_slice a, struct al_slice b)
{
    crypto_generichash_blake2b_state st;
    (void)crypto_generichash_blake2b_init(&st, NULL, 0, HASH);
    (void)crypto_generichash_blake2b_update(&st, a.p, a.n);
    (void)crypto_generichash_blake2b_update(&st, b.p, b.n);
    (void)crypto_generichash_blake2b_final(&st, out, HASH);
    sodium_memzero(&st, sizeof(st));
}

/* HMAC (RFC 2104) over BLAKE2b without a key of its own, as Noise wants it. */
static void hmac(uint8_t out[HASH], const uint8_t key[HASH], struct al_slice data)
{
    uint8_t pad[HMAC_BLOCK], inner[HASH];
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        pad[i] = (i < HASH ? key[i] : 0) ^ 0x36;
    hash2(inner, al_slice_of(pad, sizeof(pad)), data);
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash2(out, al_slice_of(pad, sizeof(pad)), al_slice_of(inner, sizeof(inner)));
    sodium_memzero(pad, sizeof(pad));
    sodium_memzero(inner, sizeof(inner));
}

/* The first two outputs of Noise's HKDF; |first| may be |ck|. */
static void hkdf(
    uint8_t first[HASH], uint8_t second[HASH], const uint8_t ck[HASH], struct al_slice input)
{
    uint8_t temp[HASH], data[HASH + 1];
    hmac(temp, ck, input);
    hmac(data, temp, al_slice_of("\x01", 1));
    data[HASH] = 2;
    memcpy(first, data, HASH);
    hmac(second, temp, al_slice_of(data, sizeof(data)));
    sodium_memzero(temp, sizeof(temp));
    sodium_memzero(data, sizeof(data));
}

static void mix_hash(struct al_handshake *hs, struct al_slice data)
{
    hash2(hs->h, al_slice_of(hs->h, HASH), data);
}

/* --- tokens: section 5.3 ------------------------------------------------------------------- */

int al_handshake_dh(uint8_t out[32], const uint8_t secret[32], const uint8_t public[32])
{
    uint8_t shared[32];
    if (crypto_scalarmult(shared, secret, public) != 0)
        return AL_E_POINT;
    memcpy(out, shared, sizeof(shared));
    sodium_memzero(shared, sizeof(shared));
    return 0;
}

/* es, ee, se: mix the secret shared by our |secret| and their |public| into the key. */
static int mix_dh(struct al_handshake *hs, const uint8_t secret[32], const uint8_t public[32])
{
    uint8_t shared[32], key[HASH];
    int err = al_handshake_dh(shared, secret, public);
    if (err != 0)
        return err;
    hkdf(hs->ck, key, hs->ck, al_slice_of(shared, sizeof(shared)));
    al_cipher_init(&hs->cipher, key);
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(key, sizeof(key));
    return 0;
}

static int encrypt_and_hash(struct al_handshake *hs, struct al_buf *out, struct al_slice plain)
{
    static const uint8_t tag[AL_CIPHER_TAG];
    size_t at = out->n;
    al_buf_put(out, plain.p, plain.n);
    al_buf_put(out, tag, sizeof(tag));
    if (out->full)
        return AL_E_NOMEM;
    uint8_t *p = out->p + at;
    int err = al_cipher_encrypt(&hs->cipher, p, al_slice_of(hs->h, HASH), al_slice_of(p, plain.n));
    AL_ASSERT(err == 0); /* a key encrypts two messages at most */
    mix_hash(hs, al_slice_of(p, plain.n + AL_CIPHER_TAG));
    return 0;
}

static int decrypt_and_hash(struct al_handshake *hs, uint8_t *out, struct al_slice sealed)
{
    if (al_cipher_decrypt(&hs->cipher, out, al_slice_of(hs->h, HASH), sealed) != 0)
        return AL_E_HANDSHAKE;
    mix_hash(hs, sealed);
    return 0;
}

static void write_ephemeral(struct al_handshake *hs, struct al_buf *out)
{
    al_buf_put(out, hs->e_public, 32);
    mix_hash(hs, al_slice_of(hs->e_public, 32));
}

static struct al_slice cut(struct al_slice *from, size_t n)
{
    struct al_slice head = al_slice_of(from->p, n);
    *from = al_slice_of(from->p + n, from->n - n);
    return head;
}

static void read_ephemeral(struct al_handshake *hs, struct al_slice *message)
{
    struct al_slice e = cut(message, 32);
    memcpy(hs->re, e.p, 32);
    mix_hash(hs, e);
}

/* --- messages ------------------------------------------------------------------------------ */

void al_handshake_init(struct al_handshake *hs, const struct al_handshake_opts *opts)
{
    *hs = (struct al_handshake){.initiator = opts->initiator};
    memcpy(hs->h, protocol_name, sizeof(protocol_name) - 1);
    memcpy(hs->ck, hs->h, HASH);
    memcpy(hs->s, opts->static_secret, 32);
    memcpy(hs->s_public, opts->static_public, 32);
    memcpy(hs->e, opts->ephemeral_secret, 32);
    (void)crypto_scalarmult_base(hs->e_public, hs->e);
    if (hs->initiator)
        memcpy(hs->rs, opts->remote_public, 32);
    mix_hash(hs, opts->prologue);
    mix_hash(hs, al_slice_of(hs->initiator ? hs->rs : hs->s_public, 32));
}

void al_handshake_wipe(struct al_handshake *hs)
{
    sodium_memzero(hs, sizeof(*hs));
}

bool al_handshake_my_turn(const struct al_handshake *hs)
{
    return hs->done < AL_HANDSHAKE_MESSAGES && (hs->done % 2 == 0) == hs->initiator;
}

int al_handshake_write(struct al_handshake *hs, struct al_buf *out, struct al_slice payload)
{
    AL_ASSERT(al_handshake_my_turn(hs));
    int err = 0;
    switch (hs->done++) {
    case 0:
        write_ephemeral(hs, out);
        err = mix_dh(hs, hs->e, hs->rs);
        break;
    case 1:
        write_ephemeral(hs, out);
        err = mix_dh(hs, hs->e, hs->re);
        break;
    case 2:
        err = encrypt_and_hash(hs, out, al_slice_of(hs->s_public, 32));
        if (err == 0)
            err = mix_dh(hs, hs->s, hs->re);
        break;
    }
    return err != 0 ? err : encrypt_and_hash(hs, out, payload);
}

/* What stands before the payload of the next message. */
static int read_tokens(struct al_handshake *hs, struct al_slice *message)
{
    int err;
    switch (hs->done++) {
    case 0:
        read_ephemeral(hs, message);
        return mix_dh(hs, hs->s, hs->re);
    case 1:
        read_ephemeral(hs, message);
        return mix_dh(hs, hs->e, hs->re);
    default:
        err = decrypt_and_hash(hs, hs->rs, cut(message, 32 + AL_CIPHER_TAG));
        return err != 0 ? err : mix_dh(hs, hs->e, hs->rs);
    }
}

int al_handshake_read(struct al_handshake *hs, struct al_buf *payload, struct al_slice message)
{
    AL_ASSERT(hs->done < AL_HANDSHAKE_MESSAGES && !al_handshake_my_turn(hs));
    if (message.n < al_handshake_sizes[hs->done])
        return AL_E_HANDSHAKE;
    int err = read_tokens(hs, &message);
    if (err != 0)
        return err;
    /* The sealed bytes make the room that the payload then takes. */
    size_t at = payload->n;
    al_buf_put(payload, message.p, message.n);
    if (payload->full)
        return AL_E_NOMEM;
    err = decrypt_and_hash(hs, payload->p + at, message);
    payload->n = err == 0 ? at + message.n - AL_CIPHER_TAG : at;
    return err;
}

void al_handshake_split(
    const struct al_handshake *hs, struct al_cipher *sending, struct al_cipher *receiving)
{
    AL_ASSERT(hs->done == AL_HANDSHAKE_MESSAGES);
    uint8_t dialler[HASH], responder[HASH];
    hkdf(dialler, responder, hs->ck, al_slice_of(NULL, 0));
    al_cipher_init(sending, hs->initiator ? dialler : responder);
    al_cipher_init(receiving, hs->initiator ? responder : dialler);
    sodium_memzero(dialler, sizeof(dialler));
    sodium_memzero(responder, sizeof(responder));
}
