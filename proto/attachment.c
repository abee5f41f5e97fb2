#include "attachment.h"

#include <assert.h>
#include <sodium.h>

#include "hash.h"
#include "read.h"
#include "scan.h"
#include "write.h"

#define TAG_BYTES 16
#define HASH_ENCODED_BYTES 34 /* a bin of 32 bytes, with its head */

static_assert(AL_ATTACHMENT_MAX == AL_PIECES_MAX * AL_PIECE_BYTES, "the largest file");

/* One part of a path that any system can keep, and nothing that a terminal obeys. */
bool al_attachment_is_name(struct al_slice name)
{
    if (al_slice_is(name, ".") || al_slice_is(name, "..") || !al_utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        /* after c2: the control characters from U+0080 to U+009F; it is whole UTF-8 */
        bool high = c == 0xc2 && name.p[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || c == '/' || high)
            return false;
    }
    return name.n > 0;
}

void al_attachment_read(struct al_read *r, struct al_attachment *out)
{
    (void)al_read_array(r, 5, 5);
    out->size = al_read_uint(r, AL_ATTACHMENT_MAX);
    if (out->size == 0)
        al_read_fail(r, AL_E_RANGE);
    out->mime = al_read_str(r, AL_MIME_MAX);
    out->name = al_read_str(r, AL_FILE_NAME_MAX);
    if (r->err == 0 && !al_attachment_is_name(out->name))
        al_read_fail(r, out->name.n == 0 ? AL_E_LENGTH : AL_E_RANGE);
    al_read_bytes(r, out->key, sizeof(out->key));
    out->pieces = al_read_array(r, 1, AL_PIECES_MAX);
    const uint8_t *start = r->p;
    for (uint32_t i = 0; i < out->pieces; i++)
        (void)al_read_bin(r, 32, 32);
    out->hashes = al_slice_of(start, (size_t)(r->p - start));
    if (r->err == 0 && out->pieces != (out->size + AL_PIECE_BYTES - 1) / AL_PIECE_BYTES)
        al_read_fail(r, AL_E_COUNT);
}

uint32_t al_attachment_count(struct al_slice files)
{
    struct al_read r = al_read_init(files);
    return al_read_array(&r, 0, AL_ATTACHMENTS_MAX);
}

int al_attachment_get(struct al_attachment *ret, struct al_slice files, uint32_t i)
{
    struct al_attachment a = {0};
    struct al_read r = al_read_init(files);
    uint32_t count = al_read_array(&r, 0, AL_ATTACHMENTS_MAX);
    if (r.err == 0 && i >= count)
        return AL_E_NOT_FOUND;
    for (uint32_t at = 0; at < i; at++)
        (void)al_read_raw(&r);
    al_attachment_read(&r, &a);
    if (r.err == 0)
        *ret = a;
    return r.err;
}

void al_attachment_hash(struct al_hash *out, const struct al_attachment *a, uint32_t i)
{
    memcpy(out->b, a->hashes.p + (i + 1) * (size_t)HASH_ENCODED_BYTES - 32, sizeof(out->b));
}

void al_attachment_encode(struct al_buf *b, const struct al_attachment *a)
{
    al_write_array(b, 5);
    al_write_uint(b, a->size);
    al_write_str(b, a->mime);
    al_write_str(b, a->name);
    al_write_bin(b, a->key, sizeof(a->key));
    al_write_array(b, a->pieces);
    al_write_raw(b, a->hashes);
}

/* No nonce comes twice under one key: each file has its own, and each piece is sealed once. */
static void nonce_of(uint8_t out[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES], uint32_t i)
{
    memset(out, 0, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    for (unsigned at = 0; at < 4; at++)
        out[at] = (uint8_t)(i >> 8 * at);
}

void al_piece_seal(uint8_t *out, struct al_hash *ret_hash, const uint8_t key[32], uint32_t i,
    struct al_slice clear)
{
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    nonce_of(nonce, i);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, NULL, clear.p, clear.n, NULL, 0, NULL, nonce, key);
    al_piece_hash(ret_hash, al_slice_of(out, clear.n + TAG_BYTES));
}

int al_piece_open(
    uint8_t *out, size_t *ret_n, const uint8_t key[32], uint32_t i, struct al_slice sealed)
{
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    nonce_of(nonce, i);
    if (sealed.n < TAG_BYTES || crypto_aead_xchacha20poly1305_ietf_decrypt(
                                    out, NULL, NULL, sealed.p, sealed.n, NULL, 0, nonce, key) != 0)
        return AL_E_SEALED;
    *ret_n = sealed.n - TAG_BYTES;
    return 0;
}

void al_piece_hash(struct al_hash *out, struct al_slice sealed)
{
    al_hash1(out, AL_P_PIECE, sealed.p, sealed.n);
}
