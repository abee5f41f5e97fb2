/* Proofs made of segments: forks, and excerpts. docs/protocol.md, "Forks", "Excerpts". */
#ifndef AL_PROOF_H
#define AL_PROOF_H

#include "bytes.h"
#include "err.h"
#include "segment.h"

/* Two segments of one log that attest different ids for some sequence number. */
struct al_fork {
    struct al_slice a, b; /* the encoded segments, stubs only */
    struct al_device device;
    struct al_logname log;
    uint64_t seq; /* the smallest number on which they differ */
};

/*
 * Find the smallest sequence number that both opened segments attest differently.
 * Returns 0 or AL_E_NO_FORK (other logs, or no contradiction).
 */
AL_MUST_CHECK int al_fork_find(
    uint64_t *ret_seq, const struct al_segment *a, const struct al_segment *b);

/*
 * Decode and verify [segment, segment]. A proof has one form only: smaller bytes first, and each
 * item a stub that says "not held".
 *
 * Returns 0 or an error of the reader or of segments, AL_E_INLINE (an item is not such a stub),
 * AL_E_LENGTH (over AL_FORK_MAX), AL_E_ORDER, AL_E_SIG, AL_E_NO_FORK.
 */
AL_MUST_CHECK int al_fork_open(struct al_fork *ret, struct al_slice bytes);

/*
 * Append the proof made of two opened segments, payloads reduced to stubs, smaller bytes first.
 */
void al_fork_encode(struct al_buf *b, const struct al_segment *x, const struct al_segment *y);

/*
 * An excerpt: the statements needed and a segment with exactly one payload inline; it proves one
 * entry to someone who does not carry its log.
 */
struct al_excerpt {
    struct al_slice statements; /* the encoded array */
    uint32_t statement_count;
    struct al_segment segment;
    uint32_t index; /* of the item with the payload */
};

/*
 * Decode and verify the segment, in place as al_segment_open() does; |statements| are raw values,
 * left to al_statement_open(). Returns 0 or an error of the reader or of segments, AL_E_INLINE
 * (not exactly one payload), AL_E_SIG.
 */
AL_MUST_CHECK int al_excerpt_open(struct al_excerpt *ret, struct al_slice bytes);

/* The same, of what an `excerpt` message carries apart: an encoded array and a segment. */
AL_MUST_CHECK int al_excerpt_open_parts(
    struct al_excerpt *ret, struct al_slice statements, struct al_slice segment);

#endif
