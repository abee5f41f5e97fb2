/*
 * Attachments: what an entry says of a file, whose sealed pieces travel by themselves.
 * docs/protocol.md, "Attachments".
 */
#ifndef AL_ATTACHMENT_H
#define AL_ATTACHMENT_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

#define AL_PIECE_SEALED_BYTES (AL_PIECE_BYTES + 16) /* the longest sealed piece */

struct al_read;

struct al_attachment {
    uint64_t size;        /* of the file: 1..AL_ATTACHMENT_MAX */
    struct al_slice mime; /* 0..64 bytes */
    struct al_slice name; /* 1..128 bytes, no '/', no control characters; not ".", ".." */
    uint8_t key[32];
    struct al_slice hashes; /* elements: bin 32, one after the other; al_attachment_hash() */
    uint32_t pieces;        /* size / AL_PIECE_BYTES, rounded up */
};

/*
 * Read one attachment and check it: errors stick in |r|, as those of the reader do. AL_E_COUNT: the
 * hashes don't fit the size; AL_E_RANGE: a size of 0, or a name that is none.
 */
void al_attachment_read(struct al_read *r, struct al_attachment *out);

/* True if |name|, 1 byte at least, can be that of an attachment, but for its length. */
bool al_attachment_is_name(struct al_slice name);

/* How many attachments stand in "files" of a payload that was opened. */
uint32_t al_attachment_count(struct al_slice files);

/*
 * The |i|th. Returns 0 or an error of the reader; AL_E_COUNT when the hashes don't fit the size,
 * AL_E_NOT_FOUND when there is no such.
 */
AL_MUST_CHECK int al_attachment_get(struct al_attachment *ret, struct al_slice files, uint32_t i);

/* H("aloud1-piece", sealed piece |i|). */
void al_attachment_hash(struct al_hash *out, const struct al_attachment *a, uint32_t i);

/* Append one; a payload's "files" is an array of them. */
void al_attachment_encode(struct al_buf *b, const struct al_attachment *a);

/*
 * Seal piece |i| of a file: XChaCha20-Poly1305 with |key|, nonce = u64le(i), zero-padded to 24
 * bytes. |out| has room for |clear|.n + 16 bytes; |ret_hash| names it.
 */
void al_piece_seal(uint8_t *out, struct al_hash *ret_hash, const uint8_t key[32], uint32_t i,
    struct al_slice clear);

/* Open it: |out| has room for |sealed|.n - 16. Returns 0 or AL_E_SEALED. */
AL_MUST_CHECK int al_piece_open(
    uint8_t *out, size_t *ret_n, const uint8_t key[32], uint32_t i, struct al_slice sealed);

void al_piece_hash(struct al_hash *out, struct al_slice sealed);

#endif
