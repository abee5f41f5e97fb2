/* Bringing up a node when none runs. */
#ifndef AL_START_H
#define AL_START_H

#include "cli.h"

/*
 * Start aloudd, wait until it is ready, and connect c->client to it. When two do this at once,
 * one starts it and both connect. Returns 0, or AL_E_NO_NODE with the reason in c->no_node.
 *
 * The program is called as `aloudd --ready-fd N [--home DIR]`, in a session of its own, with
 * its log on stderr. On N it writes "ready" and a newline once its socket answers, or one line
 * that says what is wrong, and closes it.
 */
AL_MUST_CHECK int al_start_node(struct al_cli *c);

/*
 * Stop the node, and wait until it has let go of its files. None that runs is fine. Returns 0, or
 * the exit status after saying what went wrong.
 */
AL_MUST_CHECK int al_start_stop(struct al_cli *c);

/*
 * Run `aloudd |command|` at this terminal, with those |options| that were given to the command, and
 * --home: secrets pass from it to the person and back, and through nothing else. Returns its exit
 * status; it has said what went wrong.
 */
AL_MUST_CHECK int al_start_aloudd(
    struct al_cli *c, const char *command, const char *const *options, size_t count);

/* The program aloudd: beside this program, else just its name, to be found in PATH. */
const char *al_start_program(struct al_cli *c);

/* Where a node started here writes its log. */
const char *al_start_log(struct al_cli *c);

#endif
