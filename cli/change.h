/* Taking back, for the commands that come to it by different ways. */
#ifndef AL_CHANGE_H
#define AL_CHANGE_H

#include "cli.h"
#include "posted.h"
#include "row.h"

#define AL_CHANGE_FIELDS AL_POSTED_FIELDS

/*
 * Say what retracting the own entry |row| does and does not do, ask, and do it; |why| may be empty.
 * Returns the exit status.
 */
AL_MUST_CHECK int al_change_retract(
    struct al_cli *c, const struct al_row *row, struct al_slice why);

#endif
