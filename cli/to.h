/* Whom something goes to, as people type it: me, network, web, circle:NAME, circle:NAME@person. */
#ifndef AL_TO_H
#define AL_TO_H

#include "cli.h"

/* Circles are told apart by these two; kept as long as the struct al_cli. */
struct al_circle_row {
    const uint8_t *circle; /* 16 bytes */
    const uint8_t *owner;  /* 32 bytes */
    struct al_slice name;
    bool mine;
    bool member;
    uint64_t epoch;
    uint64_t heads;
    struct al_slice warn;
    struct al_slice members; /* encoded arrays of identities */
    struct al_slice former;
    uint32_t member_count;
};

struct al_to {
    const char *name;            /* as the node takes it: me, circle, network, web */
    struct al_circle_row circle; /* where |name| is "circle" */
    const char *words;           /* for people */
};

/* Read |typed|. Returns 0, or the exit status after saying what is wrong. */
AL_MUST_CHECK int al_to_read(struct al_cli *c, struct al_to *ret, const char *typed);

/* Put it into the parameters of `post`. */
void al_to_params(struct al_params *p, const struct al_to *to);

/*
 * Find the circle that |typed|, NAME or NAME@person, means: one's own of that name, else the only
 * one of others. Several and none are told. |typed| may begin with "circle:". Returns as above.
 */
AL_MUST_CHECK int al_to_circle(struct al_cli *c, struct al_circle_row *ret, const char *typed);

/* All circles, at most |cap|. Returns as above. */
AL_MUST_CHECK int al_to_circles(
    struct al_cli *c, struct al_circle_row *ret, size_t cap, size_t *ret_count);

#define AL_CIRCLE_ROWS_MAX 1024

#endif
