/* What is said of an entry that was just written. */
#ifndef AL_POSTED_H
#define AL_POSTED_H

#include "cli.h"
#include "tags.h"

#define AL_POSTED_FIELDS "id, kind, to, audience, tags, of, held"

struct al_posted {
    const char *kind;
    const char *to;             /* as asked for, for nodes that don't tell; or NULL */
    const struct al_tags *tags; /* or NULL */
    const uint8_t *of;          /* 32 bytes: the entry it is about, or NULL */
};

/* Print the |answer| of `post`: its id and its readers, or that it is held and for how long. */
void al_posted_print(struct al_cli *c, struct al_slice answer, const struct al_posted *p);

#endif
