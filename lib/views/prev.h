/* What an entry follows: the id before it, which its header and its seal name. */
#ifndef AL_PREV_H
#define AL_PREV_H

#include "store.h"

/*
 * The id that entry |seq| of |log| follows, whether that entry is held or not.
 * Returns 0, AL_E_NOT_FOUND when the store does not know it, AL_E_IO.
 */
AL_MUST_CHECK
int al_prev_find(
    struct al_store *s, struct al_hash *ret, const struct al_store_log *log, uint64_t seq);

#endif
