/*
 * The record of one identity: the grow-only set of its statements, and what follows from it:
 * which devices count, and up to where. The order in which statements arrive never matters.
 * docs/protocol.md, "Identity records".
 */
#ifndef AL_IDENTITY_H
#define AL_IDENTITY_H

#include "bytes.h"
#include "err.h"
#include "limit.h"
#include "statement.h"

struct al_record;

/* An empty record. NULL: no memory. */
struct al_record *al_record_new(const struct al_identity *identity);
void al_record_free(struct al_record *r);

const struct al_identity *al_record_identity(const struct al_record *r);

/*
 * Take in a statement that al_statement_open() has verified; |bytes| is the encoding it was opened
 * from, which is copied. |ret_new| says whether the record changed. Over the limits it keeps what
 * docs/protocol.md names, whatever the order: the oldest 96 certificates; of the first 96 revoked
 * devices, by their keys, the 4 revocations with the smallest hashes; and of each generation the 4
 * statements with the smallest hashes.
 * Returns 0, AL_E_IDENTITY (another identity's), AL_E_NOMEM.
 */
AL_MUST_CHECK int al_record_add(
    struct al_record *r, bool *ret_new, const struct al_statement *s, struct al_slice bytes);

/* The statements a record can hold, whatever its root signs. */
#define AL_RECORD_STATEMENTS_MAX                                                                   \
    (AL_CERTS_MAX + AL_CERTS_MAX * AL_REVOCATIONS_PER_DEVICE_MAX +                                 \
        AL_READ_GENERATIONS_MAX * AL_READ_PER_GENERATION_MAX)

/* The number of statements, and the digest over them. */
size_t al_record_count(const struct al_record *r);
void al_record_digest(const struct al_record *r, struct al_hash *out);

/* The |i|th statement's encoding and hash (|ret_hash| may be NULL), ascending by hash. */
struct al_slice al_record_statement(const struct al_record *r, size_t i, struct al_hash *ret_hash);

enum al_standing {
    AL_STANDING_UNKNOWN,   /* no certificate */
    AL_STANDING_CERTIFIED, /* every entry counts */
    AL_STANDING_REVOKED,   /* entries count up to a cut, which may be 0 */
};

/*
 * The standing of a device, and for a revoked one the last valid entry of |log| in |ret_cut|
 * (seq 0: none). |log| may be NULL when only the standing matters.
 */
enum al_standing al_record_standing(const struct al_record *r, struct al_cut *ret_cut,
    const struct al_device *device, const struct al_logname *log);

/*
 * Devices with a certificate, ascending by key; |ret_name| is borrowed from the record. The oldest
 * certificate speaks for a device that has several.
 */
size_t al_record_devices(const struct al_record *r);
void al_record_device(
    const struct al_record *r, size_t i, struct al_device *ret, struct al_slice *ret_name);

/* The encoding of the certificate of |device| (n = 0: none). */
struct al_slice al_record_cert(const struct al_record *r, const struct al_device *device);

/* The highest generation of the reading key, 0 when there is none. */
uint32_t al_record_read_generation(const struct al_record *r);

/* What the record says of its newest reading key. */
struct al_reading {
    uint32_t generation; /* 0: there is none */
    uint8_t read_pk[32];
    bool unsafe; /* a device that is revoked by now has a box of it */
};

/* Of several statements of the newest generation the one with the smallest hash speaks. */
void al_record_reading(const struct al_record *r, struct al_reading *ret);

/*
 * The box for |device| in any statement of |generation|. Returns 0 or AL_E_NOT_FOUND.
 */
AL_MUST_CHECK int al_record_read_box(const struct al_record *r, uint8_t ret_box[AL_READ_BOX_BYTES],
    uint8_t ret_pk[32], uint32_t generation, const struct al_device *device);

#endif
