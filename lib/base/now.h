/*
 * The present, sampled once a turn by whoever owns the clock and passed down, so that all that
 * happens in one turn shares one instant.
 */
#ifndef AL_NOW_H
#define AL_NOW_H

#include <stdint.h>

struct al_now {
    uint64_t mono_ms; /* for timers: never goes back */
    uint64_t wall_ms; /* since 1970: a claim, may jump */
};

#endif
