/* Help, made from the table of commands. */
#ifndef AL_HELP_H
#define AL_HELP_H

#include "cli.h"

/* True if `aloud help NAME` is about something else than a command. */
bool al_help_is_topic(const char *name);

/* Print the help of c->cmd; else of the topic args[0]; else an overview of all commands. */
void al_help(const struct al_cli *c);

#endif
