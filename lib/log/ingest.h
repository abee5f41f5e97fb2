/*
 * Taking in what others sent: a segment is checked against the log it belongs to and stored as
 * far as it is new. docs/protocol.md, "Entries", tells what valid means.
 */
#ifndef AL_INGEST_H
#define AL_INGEST_H

#include "logs.h"
#include "segment.h"

struct al_ingest {
    struct al_log *log;
    uint64_t added;    /* entries stored */
    uint64_t old_head; /* before */
    uint64_t first;    /* of what was stored; 0 when nothing */
};

/*
 * Take in the opened segment |seg|. Already held entries are compared and passed over.
 *
 * Returns 0, or: AL_E_NOT_CERTIFIED, AL_E_REVOKED (beyond the last valid entry), AL_E_DECLINED
 * (the log is frozen there), AL_E_LIMIT (too many logs) - none of which is the sender's fault;
 * AL_E_SIG, AL_E_PREV - which are; AL_E_FORK - the author's: the proof is kept, and the log is
 * frozen from then on; or a store error.
 */
AL_MUST_CHECK int al_ingest_segment(
    struct al_logs *l, struct al_ingest *ret, const struct al_segment *seg, struct al_now now);

/*
 * Store |seg|, which is known to be good and of which nothing is held, with all that it changes.
 * Returns 0 or a store error.
 */
AL_MUST_CHECK int al_ingest_put(
    struct al_logs *l, struct al_log *log, const struct al_segment *seg, struct al_now now);

/*
 * Take in the opened and verified proof that |log| forks at |seq|: nothing from there on is taken
 * or offered any more. Of several proofs the one with the smallest number is kept, and of those
 * the one with the smaller bytes; |ret_new| says whether this one is. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_ingest_fork(
    struct al_logs *l, bool *ret_new, struct al_log *log, uint64_t seq, struct al_slice proof);

/* The kept proof; it lives until the next call to the store. AL_E_NOT_FOUND or a store error. */
AL_MUST_CHECK int al_ingest_proof(
    struct al_logs *l, struct al_slice *ret, const struct al_log *log);

/*
 * Take in the payload of an entry whose header is held. Returns 0, AL_E_NOT_FOUND (no such
 * entry, or its payload is here or was retracted), AL_E_PAYLOAD_HASH, or a store error.
 */
AL_MUST_CHECK int al_ingest_payload(struct al_logs *l, const struct al_device *device,
    const struct al_logname *name, uint64_t seq, struct al_slice payload);

#endif
