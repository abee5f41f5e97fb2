#include "sealed.h"

#include <assert.h>
#include <sodium.h>

#include "hash.h"
#include "limit.h"
#include "read.h"
#include "write.h"

#define SEALED_FIELDS 4
#define MAC_BYTES 16
#define AD_BYTES (16 + 32 + 8 + 8 + 32)

static_assert(AL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
static_assert(MAC_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "mac");

static unsigned floor_log2(size_t n)
{
    unsigned bits = 0;
    while (n >>= 1)
        bits++;
    return bits;
}

size_t al_padme(size_t n)
{
    if (n < AL_PAD_MIN)
        n = AL_PAD_MIN;
    /* only as many leading bits as the exponent itself has stay free; the others become zero */
    unsigned exponent = floor_log2(n);
    unsigned zeros = exponent - (floor_log2(exponent) + 1);
    size_t mask = ((size_t)1 << zeros) - 1;
    return (n + mask) & ~mask;
}

void al_sealed_me_key(uint8_t out[32], const uint8_t read_sk[32])
{
    al_keyed_hash(out, read_sk, AL_P_ME, NULL, 0);
}

static void make_hint(
    uint8_t out[AL_HINT_BYTES], const uint8_t key[32], const uint8_t nonce[AL_NONCE_BYTES])
{
    uint8_t whole[32];
    al_keyed_hash(whole, key, AL_P_HINT, nonce, AL_NONCE_BYTES);
    memcpy(out, whole, AL_HINT_BYTES);
}

static void make_ad(uint8_t ad[AD_BYTES], const struct al_place *place)
{
    struct al_buf b = al_buf_fixed(ad, AD_BYTES);
    uint8_t purpose[16] = AL_P_SEAL;
    al_buf_put(&b, purpose, sizeof(purpose));
    al_buf_put(&b, place->device.b, sizeof(place->device.b));
    al_buf_put(&b, place->log.b, sizeof(place->log.b));
    al_buf_put_u64be(&b, place->seq);
    al_buf_put(&b, place->prev.b, sizeof(place->prev.b));
    assert(!b.full && b.n == AD_BYTES);
}

static void put_padded(struct al_buf *b, struct al_slice inner, size_t padded)
{
    static const uint8_t end[] = {0x80};
    static const uint8_t zeros[256];
    al_buf_put(b, inner.p, inner.n);
    al_buf_put(b, end, sizeof(end));
    for (size_t left = padded - inner.n - 1; left > 0;) {
        size_t n = left < sizeof(zeros) ? left : sizeof(zeros);
        al_buf_put(b, zeros, n);
        left -= n;
    }
}

int al_sealed_encode(struct al_buf *b, const uint8_t key[32], const uint8_t nonce[AL_NONCE_BYTES],
    const struct al_place *place, struct al_slice inner)
{
    static const uint8_t no_mac_yet[MAC_BYTES];
    if (inner.n > AL_SEALED_INNER_MAX)
        return AL_E_LENGTH;
    size_t padded = al_padme(inner.n + 1);
    uint8_t hint[AL_HINT_BYTES];
    make_hint(hint, key, nonce);
    al_write_array(b, SEALED_FIELDS);
    al_write_uint(b, 1);
    al_write_bin(b, nonce, AL_NONCE_BYTES);
    al_write_bin(b, hint, AL_HINT_BYTES);
    al_write_bin_head(b, padded + MAC_BYTES);
    put_padded(b, inner, padded);
    al_buf_put(b, no_mac_yet, sizeof(no_mac_yet));
    if (b->full)
        return AL_E_SPACE;

    /* the plaintext stands in the output already, and is encrypted where it stands */
    uint8_t *box = b->p + b->n - MAC_BYTES - padded;
    uint8_t ad[AD_BYTES];
    uint8_t seal_key[32];
    make_ad(ad, place);
    al_keyed_hash(seal_key, key, AL_P_SEAL, NULL, 0);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        box, NULL, box, padded, ad, sizeof(ad), NULL, nonce, seal_key);
    sodium_memzero(seal_key, sizeof(seal_key));
    return 0;
}

int al_sealed_open(struct al_sealed *ret, struct al_slice payload)
{
    struct al_read r = al_read_message(payload);
    (void)al_read_array_v1(&r, SEALED_FIELDS, SEALED_FIELDS);
    struct al_slice nonce = al_read_bin(&r, AL_NONCE_BYTES, AL_NONCE_BYTES);
    struct al_slice hint = al_read_bin(&r, AL_HINT_BYTES, AL_HINT_BYTES);
    struct al_slice box =
        al_read_bin(&r, AL_PAD_MIN + MAC_BYTES, al_padme(AL_SEALED_INNER_MAX + 1) + MAC_BYTES);
    int err = al_read_end(&r);
    if (err != 0)
        return err;
    if (al_padme(box.n - MAC_BYTES) != box.n - MAC_BYTES)
        return AL_E_LENGTH;
    *ret = (struct al_sealed){.nonce = nonce.p, .hint = hint.p, .box = box};
    return 0;
}

bool al_sealed_hint_matches(const struct al_sealed *s, const uint8_t key[32])
{
    uint8_t hint[AL_HINT_BYTES];
    make_hint(hint, key, s->nonce);
    return sodium_memcmp(hint, s->hint, AL_HINT_BYTES) == 0;
}

/* The length without padding; the one length that leads to |padded| bytes is accepted only. */
static int unpad(size_t *ret_n, const uint8_t *p, size_t padded)
{
    size_t n = padded;
    while (n > 0 && p[n - 1] == 0)
        n--;
    if (n == 0 || p[n - 1] != 0x80 || al_padme(n) != padded)
        return AL_E_PADDING;
    *ret_n = n - 1;
    return 0;
}

int al_sealed_decrypt(uint8_t *out, size_t *ret_n, const struct al_sealed *s, const uint8_t key[32],
    const struct al_place *place)
{
    /* the hint commits to the key, which the cipher does not */
    if (!al_sealed_hint_matches(s, key))
        return AL_E_SEALED;
    uint8_t ad[AD_BYTES];
    uint8_t seal_key[32];
    make_ad(ad, place);
    al_keyed_hash(seal_key, key, AL_P_SEAL, NULL, 0);
    int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, s->box.p, s->box.n, ad, sizeof(ad), s->nonce, seal_key);
    sodium_memzero(seal_key, sizeof(seal_key));
    if (failed != 0)
        return AL_E_SEALED;
    return unpad(ret_n, out, s->box.n - MAC_BYTES);
}
