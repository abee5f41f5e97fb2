/*
 * The root's word on the logs of a device it has revoked: up to where they count, and which side
 * of a fork does. What a log holds is brought in line with it, whatever came first.
 * docs/protocol.md, "Revoked devices".
 *
 * An entry is *anchored* when it is the one that the root named, or when an anchored one follows
 * it: then no other branch can be meant. It needs no signature to be believed.
 */
#ifndef AL_SETTLE_H
#define AL_SETTLE_H

#include "logs.h"
#include "now.h"
#include "segment.h"

/* Set |log|->cut to what the record of its person says; nothing is stored. */
void al_settle_cut(struct al_log *log);

/*
 * Statements about |device| of |person| have come: bring its logs in line with them, and log what
 * is hidden, shown or settled by that. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_settle_device(
    struct al_logs *l, const struct al_person *person, const struct al_device *device);

/*
 * The last entry that may be given out, whether it is held or not: what al_log_offer() says of a
 * fork, a revocation and |hold|. 0: nothing may.
 */
AL_MUST_CHECK int al_settle_limit(struct al_logs *l, uint64_t *ret, const struct al_log *log);

/*
 * True if entry |seq| is known to be |id| without a signature of the device: the root named it, or
 * the kept proof of a fork that begins after it shows it. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_settle_names(
    struct al_logs *l, bool *ret, const struct al_log *log, uint64_t seq, const struct al_hash *id);

/* True if |seg|, of the revoked log |log|, is anchored. Returns 0 or a store error. */
AL_MUST_CHECK int al_settle_anchors(
    struct al_logs *l, bool *ret, const struct al_log *log, const struct al_segment *seg);

/* The lowest entry of the run that is anchored, in |ret|; 0 when none is held. Store errors. */
AL_MUST_CHECK int al_settle_floor(struct al_logs *l, uint64_t *ret, const struct al_log *log);

/* As al_log_take_out(), and undo what these entries changed: they never counted. Store errors. */
AL_MUST_CHECK int al_settle_take_out(struct al_logs *l, struct al_log *log, uint64_t seq);

#endif
