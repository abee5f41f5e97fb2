/* Who can read it, said the same way everywhere, and only what is certain. */
#ifndef AL_AUDIENCE_WORDS_H
#define AL_AUDIENCE_WORDS_H

#include "cli.h"

/*
 * "me (2 devices)", "network (anyone here; 12 known)", "web (public)". |people| and |devices|
 * are what the node says; 0: not known. Kept as long as |c|.
 */
const char *al_audience_words(
    struct al_cli *c, struct al_slice to, uint64_t people, uint64_t devices);

/* "circle:team (4)"; |members|: how many there are, 0: not known. */
const char *al_audience_circle(struct al_cli *c, struct al_slice name, uint64_t members);

#endif
