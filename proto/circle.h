/*
 * Circle entries: an epoch of a circle, its key sealed to each member in boxes that name nobody,
 * its name and members sealed under that key. docs/protocol.md, "Circles".
 */
#ifndef AL_CIRCLE_H
#define AL_CIRCLE_H

#include "bytes.h"
#include "err.h"
#include "limit.h"
#include "payload.h"
#include "sealed.h"

#define AL_CIRCLE_ID_BYTES 16
#define AL_EPOCH_KEY_BYTES 32
#define AL_CIRCLE_BOX_BYTES 96 /* crypto_box_seal of key || binding */

struct al_circle_id { /* names a circle together with the identity of its owner */
    uint8_t b[AL_CIRCLE_ID_BYTES];
};

/* A circle entry's fields, borrowed from its payload. */
struct al_circle_entry {
    struct al_circle_id cid;
    uint64_t n;                          /* of the epoch: 1 more than the greatest of its parents */
    struct al_slice parents, boxes, old; /* elements, one after the other */
    uint32_t parent_count, box_count, old_count;
    struct al_slice meta; /* a sealed payload's form */
};

/* One who is, or was, a member. */
struct al_member {
    struct al_identity identity;
    bool in;
    uint64_t changed;    /* number of the epoch that last changed |in| */
    uint32_t generation; /* of the reading key that the box was sealed to; 0 when not in */
};

/* What stands in "meta", opened. */
struct al_circle_meta {
    struct al_slice name; /* 1..64 bytes */
    const struct al_member *members;
    uint32_t count; /* at most AL_CIRCLE_LIST_MAX, of them AL_MEMBERS_MAX in */
};

/* Take apart the payload |p| of kind CIRCLE. Returns 0, AL_E_KIND (another kind), AL_E_RANGE (its
 * number does not follow from having parents: 1 exactly when there are none). */
AL_MUST_CHECK int al_circle_open(struct al_circle_entry *ret, const struct al_payload *p);

void al_circle_parent(struct al_ref *out, const struct al_circle_entry *c, uint32_t i);
const uint8_t *al_circle_box(const struct al_circle_entry *c, uint32_t i);  /* 96 bytes */
struct al_slice al_circle_old(const struct al_circle_entry *c, uint32_t i); /* a sealed form */

/*
 * Seal the epoch key to a member's reading key, bound to owner, circle, epoch and recipient.
 * libsodium's sealed box, its ephemeral key drawn from |seed|, 32 random bytes used for this box
 * alone. Returns 0 or AL_E_POINT.
 */
AL_MUST_CHECK int al_circle_box_seal(uint8_t box[AL_CIRCLE_BOX_BYTES],
    const uint8_t key[AL_EPOCH_KEY_BYTES], const struct al_identity *owner,
    const struct al_circle_id *cid, uint64_t n, const uint8_t read_pk[32], const uint8_t seed[32]);

/* A box that nobody can open, like the others to look at: it hides how many members there are. */
void al_circle_box_fake(uint8_t box[AL_CIRCLE_BOX_BYTES], const uint8_t seed[32]);

/*
 * How many boxes an entry shows for |members| members: 4, 8, 16, 32, 64, 128 or 152.
 */
uint32_t al_circle_box_count(uint32_t members);

/* Open such a box. Returns 0, AL_E_SEALED (for somebody else, or bound to something else). */
AL_MUST_CHECK int al_circle_box_open(uint8_t key[AL_EPOCH_KEY_BYTES],
    const uint8_t box[AL_CIRCLE_BOX_BYTES], const struct al_identity *owner,
    const struct al_circle_id *cid, uint64_t n, const uint8_t read_sk[32],
    const uint8_t read_pk[32]);

/* Append the clear form of "meta". Members come ascending by identity, each once. */
void al_circle_meta_encode(struct al_buf *b, const struct al_circle_meta *meta);

/*
 * Read it; |members| has room for AL_CIRCLE_LIST_MAX. Returns 0 or an error of the scanner or
 * reader, AL_E_ORDER (members), AL_E_COUNT (more than AL_MEMBERS_MAX are in), AL_E_LENGTH (name).
 */
AL_MUST_CHECK int al_circle_meta_open(
    struct al_circle_meta *ret, struct al_member *members, struct al_slice bytes);

/* The clear form of one element of "old": the key of an earlier epoch. */
void al_circle_old_encode(
    struct al_buf *b, const uint8_t key[AL_EPOCH_KEY_BYTES], const struct al_ref *epoch);
AL_MUST_CHECK int al_circle_old_open(
    uint8_t key[AL_EPOCH_KEY_BYTES], struct al_ref *ret_epoch, struct al_slice bytes);

#endif
