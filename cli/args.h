/* Reading the command line: options that all commands have, the command, and its own. */
#ifndef AL_ARGS_H
#define AL_ARGS_H

#include "cli.h"

/* What the line asks for beyond a command. */
enum al_args_want {
    AL_ARGS_RUN,    /* run the command */
    AL_ARGS_HELP,   /* print help: of the command, of args[0], or of everything */
    AL_ARGS_FAILED, /* what is wrong has been said */
};

/* How the line wants its output. */
struct al_args_form {
    bool json, plain, pretty, version;
    const char *fields; /* of --json=FIELDS, or NULL */
    const char *color;  /* auto, always, never */
};

/* The options that every command has. */
extern const struct al_cli_opt al_args_common[];

/* The commands, in the order of the help; the last is NULL. */
extern const struct al_cmd *const al_commands[];

/* The command of that name, or NULL. */
const struct al_cmd *al_args_command(const char *name);

/*
 * Read the line into |c| and |form|. Options may stand anywhere after the command; those that all
 * commands have may stand before it, too. Words after "--" are never options.
 */
enum al_args_want al_args_read(struct al_cli *c, struct al_args_form *form, int argc, char **argv);

/* The known command that |name| was probably meant to be, or NULL. */
const char *al_args_similar(const char *name);

#endif
