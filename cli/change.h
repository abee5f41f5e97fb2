/* An own entry that changes: what edit, retract, share and undo have in common. */
#ifndef AL_CHANGE_H
#define AL_CHANGE_H

#include "cli.h"
#include "posted.h"
#include "row.h"
#include "tags.h"

#define AL_CHANGE_FIELDS AL_POSTED_FIELDS

/*
 * Find the own entry that |typed| means, to which |verb| ("edit") is to be done. Returns 0, or the
 * exit status after saying what is wrong: it is somebody else's, or was retracted.
 */
AL_MUST_CHECK int al_change_find(
    struct al_cli *c, struct al_row *ret, const char *typed, const char *verb);

/* The same, and it must be of a kind that can be changed, with its words at hand. */
AL_MUST_CHECK int al_change_find_readable(
    struct al_cli *c, struct al_row *ret, const char *typed, const char *verb);

/* The beginning of its id that names it. */
const char *al_change_id(struct al_cli *c, const struct al_row *r);

/* Add the tags of |row| to |ret|. */
void al_change_tags(struct al_tags *ret, const struct al_row *row);

/*
 * Put an entry of |kind| that is about |row| into |call|, parameters of `post`: with |text| (empty:
 * none), |tags|, and what else |row| says.
 */
void al_change_content(struct al_params *call, const char *kind, const struct al_row *row,
    struct al_slice text, const struct al_tags *tags);

/*
 * Say what retracting the own entry |row| does and does not do, ask, and do it; |why| may be empty.
 * Returns the exit status.
 */
AL_MUST_CHECK int al_change_retract(
    struct al_cli *c, const struct al_row *row, struct al_slice why);

#endif
