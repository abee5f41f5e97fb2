/* Counts that a transaction gathers in memory, to be written once at its end. */
#ifndef AL_TALLY_H
#define AL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What changed for one author and one tag; tag 0 stands for all entries of the author. */
struct al_tally_item {
    int64_t author; /* 0: the slot is free */
    int64_t tag;
    int64_t delta;
    int64_t last; /* the greatest time seen */
};

struct al_tally {
    struct al_tally_item *items;
    size_t cap; /* a power of two, or 0 */
    size_t count;
};

/* Count |delta| more, seen at |time|; |author| is not 0. AL_E_NOMEM. */
AL_MUST_CHECK
int al_tally_add(struct al_tally *t, int64_t author, int64_t tag, int64_t delta, int64_t time);

/* Forget all counts, and give the memory back when there were many. */
void al_tally_clear(struct al_tally *t);

void al_tally_free(struct al_tally *t);

#endif
