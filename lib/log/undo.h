/*
 * Entries that cease to count, because the root ends their log below them or says that they are of
 * another branch: what they changed in the node is undone, so that it ends as if they had never
 * come.
 */
#ifndef AL_UNDO_H
#define AL_UNDO_H

#include "logs.h"

/*
 * Entries |first|..|last| of |log|, as far as they are held, cease to count: a payload that only
 * they had retracted is asked for again, and of own choices the latest other one stands. Returns 0,
 * AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_undo_entries(
    struct al_logs *l, const struct al_log *log, uint64_t first, uint64_t last);

/* Entries |first|..|last| of |log| count again: let them change what they say. Errors as above. */
AL_MUST_CHECK int al_undo_undone(
    struct al_logs *l, struct al_log *log, uint64_t first, uint64_t last);

/*
 * The payload of |id|, entry |seq| of |log|, is wanted unless it was taken back: it is noted in
 * AL_SPACE_MISSING if it is not here. Store errors.
 */
AL_MUST_CHECK int al_undo_want(
    struct al_logs *l, const struct al_log *log, uint64_t seq, const struct al_hash *id);

#endif
