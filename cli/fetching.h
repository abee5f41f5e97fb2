/* Getting what a thread lacks from connected peers, also of people whom one does not follow. */
#ifndef AL_FETCHING_H
#define AL_FETCHING_H

#include "cli.h"

struct al_fetched {
    uint64_t asked;   /* peers */
    uint64_t entries; /* that somebody referred to, and that are here now */
    uint64_t replies; /* that are here now */
    uint64_t missing; /* that nobody who was asked has */
};

/*
 * Fetch what is missing of the thread around |id|, 32 bytes, and look for answers to what is here.
 * Returns 0, or the exit status after saying what went wrong.
 */
AL_MUST_CHECK int al_fetch_thread(struct al_cli *c, struct al_fetched *ret, const uint8_t *id);

/* Say how it went, on stderr. */
void al_fetch_note(struct al_cli *c, const struct al_fetched *f);

#endif
