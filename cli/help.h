/* Help, made from the table of commands. */
#ifndef AL_HELP_H
#define AL_HELP_H

#include "cli.h"

/* Print the help of c->cmd; else the exit codes if args[0] asks for them; else all commands. */
void al_help(const struct al_cli *c);

#endif
