/*
 * The header of an entry, its id, and the signature over ids. docs/protocol.md, "Entries".
 * An id is the hash of the header, and the header names the id before it: a signature of one
 * entry vouches for every entry before it in the log.
 */
#ifndef AL_ENTRY_H
#define AL_ENTRY_H

#include "bytes.h"
#include "err.h"

#define AL_HEADER_MAX 192 /* bytes of an encoded header, at most */

struct al_header {
    struct al_device device;
    struct al_logname log;
    uint64_t seq;         /* 1..AL_SEQ_MAX */
    uint64_t time_ms;     /* a claim: 0..AL_TIME_MAX */
    struct al_hash prev;  /* id of seq - 1, or al_entry_genesis() for seq 1 */
    uint32_t plen;        /* 1..AL_PAYLOAD_MAX */
    struct al_hash phash; /* of the payload */
};

/* What stands as |prev| in the first entry of a log: it binds the log to its identity. */
void al_entry_genesis(struct al_hash *out, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log);

void al_entry_payload_hash(struct al_hash *out, struct al_slice payload);

/* Append the canonical encoding. */
void al_header_encode(struct al_buf *b, const struct al_header *h);

/* Returns 0 or an error of the scanner or reader, AL_E_VERSION, AL_E_RANGE. */
AL_MUST_CHECK int al_header_decode(struct al_header *ret, struct al_slice bytes);

/* The id: the hash of the canonical encoding. */
void al_header_id(struct al_hash *out, const struct al_header *h);

/* Sign |id| with the 64-byte device secret. */
void al_entry_sign(struct al_sig *out, const uint8_t secret[64], const struct al_hash *id);

/* Returns 0 or AL_E_SIG. */
AL_MUST_CHECK int al_entry_verify(
    const struct al_sig *sig, const struct al_device *device, const struct al_hash *id);

/*
 * The block of |seq| (counted from 0), its first and its last sequence number; the last block is
 * cut short by AL_SEQ_MAX.
 */
uint64_t al_block_of(uint64_t seq);
uint64_t al_block_first(uint64_t block);
uint64_t al_block_last(uint64_t block);

#endif
