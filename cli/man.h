/* What the man page says of each command, made from the table of commands. */
#ifndef AL_MAN_H
#define AL_MAN_H

#include "out.h"

/* The commands with their options and examples, as source for scdoc. */
void al_man_commands(struct al_out *o);

/* The exit codes, likewise. */
void al_man_exits(struct al_out *o);

#endif
