/* A bar on the terminal, on stderr, for what takes longer than a moment. */
#ifndef AL_PROGRESS_H
#define AL_PROGRESS_H

#include "cli.h"

struct al_progress {
    bool shown; /* there is a terminal, and nobody asked for quiet */
    uint64_t total;
    uint64_t begun_ms, drawn_ms;
    bool drawn;
    bool bytes;
};

void al_progress_init(struct al_progress *p, const struct al_cli *c, uint64_t total);

/* What is counted are bytes: tell them in KB and MB. */
void al_progress_bytes(struct al_progress *p);

/* |done| of the total are done. Draws at most ten times a second. */
void al_progress_at(struct al_progress *p, uint64_t done);

/* Take the bar away. */
void al_progress_end(struct al_progress *p);

/* How many a second since the beginning. */
uint64_t al_progress_rate(const struct al_progress *p, uint64_t done);

#endif
