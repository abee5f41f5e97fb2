/*
 * Statements: what a root key signed about its identity. [body, root_sig, device_sig].
 * docs/protocol.md, "Statements".
 */
#ifndef AL_STATEMENT_H
#define AL_STATEMENT_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

enum al_statement_kind {
    AL_STATEMENT_CERT = 1,   /* a device speaks for this identity; signed by both */
    AL_STATEMENT_REVOKE = 2, /* a device's logs count only up to the named entries */
    AL_STATEMENT_READ = 3,   /* a generation of the reading key, sealed to devices */
};

#define AL_READ_BOX_BYTES 80 /* crypto_box_seal of 32 bytes */

struct al_cut { /* the last valid entry of one log of a revoked device */
    struct al_logname log;
    uint64_t seq;
    struct al_hash id;
};

struct al_read_box {
    struct al_device device;
    uint8_t box[AL_READ_BOX_BYTES];
};

struct al_statement {
    enum al_statement_kind kind;
    struct al_identity identity;
    struct al_device device;  /* CERT, REVOKE */
    uint64_t created_ms;      /* CERT */
    struct al_slice name;     /* CERT: of the device, 0..64 bytes, borrowed */
    uint32_t generation;      /* READ: 1..64 */
    uint8_t read_pk[32];      /* READ: X25519 */
    uint32_t count;           /* of cuts or boxes */
    struct al_slice elements; /* encoded, one after the other; al_statement_cut(), _box() */
    struct al_slice body;     /* as signed */
    struct al_sig root_sig;
    struct al_sig device_sig; /* CERT only */
    struct al_hash hash;      /* H(body): names the statement */
};

/*
 * Decode, check the form and the point of root and device, and verify the signatures. A READ key
 * must not be of small order (checked by a scalar multiplication). The devices of its boxes are
 * names to look up, never used as keys, so their points are not checked.
 *
 * Returns 0 or an error of the scanner or reader, AL_E_VERSION, AL_E_STATEMENT_KIND, AL_E_ORDER
 * (cuts or boxes), AL_E_POINT, AL_E_SIG, AL_E_LENGTH (over AL_STATEMENT_MAX).
 */
AL_MUST_CHECK int al_statement_open(struct al_statement *ret, struct al_slice bytes);

/*
 * Decode and check the form alone: for a statement that was opened before it was stored. Returns 0
 * or the errors of al_statement_open() but AL_E_POINT and AL_E_SIG.
 */
AL_MUST_CHECK int al_statement_read(struct al_statement *ret, struct al_slice bytes);

/* The |i|th cut of a REVOKE, of which there are s->count (ascending by log, unique). */
void al_statement_cut(struct al_cut *out, const struct al_statement *s, uint32_t i);

/* The |i|th box of a READ (ascending by device, unique). */
void al_statement_box(struct al_read_box *out, const struct al_statement *s, uint32_t i);

/*
 * Append a signed statement. |root_secret| and |device_secret| are libsodium's 64-byte forms;
 * |cuts| come ascending by log, |boxes| ascending by device, each at most once.
 */
void al_statement_encode_cert(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], const struct al_device *device, const uint8_t device_secret[64],
    uint64_t created_ms, struct al_slice name);
void al_statement_encode_revoke(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], const struct al_device *device, const struct al_cut *cuts,
    uint32_t count);
void al_statement_encode_read(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], uint32_t generation, const uint8_t read_pk[32],
    const struct al_read_box *boxes, uint32_t count);

/*
 * The digest of an identity record: over the |count| hashes, which are sorted in place.
 */
void al_statement_digest(struct al_hash *out, struct al_hash *hashes, size_t count);

#endif
