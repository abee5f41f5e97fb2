/*
 * Entries of one's own that can't stay where they are, as others hold something else in their
 * place, or as they were written by a copy: they are set aside, and written again in the log that
 * this node appends to, unless they come back from others. docs/protocol.md, "Own logs".
 */
#ifndef AL_REWRITE_H
#define AL_REWRITE_H

#include "logs.h"
#include "now.h"

#define AL_REWRITE_WAIT_MS 30000 /* for what may come back before it is written again */

/*
 * Set aside the entries from |seq| on of |log|, which is one of this device's: they leave the log,
 * and the entries below stay. Returns 0, AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_rewrite_set_aside(
    struct al_logs *l, struct al_log *log, uint64_t seq, struct al_now now);

/*
 * Write again, in their order, what was set aside and has not come back: with its time, and with
 * references among them moved along. What can't be read here stays aside. Returns 0, an error of
 * al_append(), AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_rewrite_all(struct al_logs *l, struct al_now now);

/* Time has passed: what has waited long enough is written again. Errors as above. */
AL_MUST_CHECK int al_rewrite_tick(struct al_logs *l, struct al_now now);

/* Count what is aside, at load. */
AL_MUST_CHECK int al_rewrite_load(struct al_logs *l);

#endif
