/* How a command says that it failed: what, why, what to try; and the exit codes. */
#ifndef AL_FAIL_H
#define AL_FAIL_H

#include "err.h"

struct al_cli;

/* X(NAME, status, words). `aloud help exit-codes` prints them. */
#define AL_EXITS(X)                                                                                \
    X(AL_EXIT_DONE, 0, "done")                                                                     \
    X(AL_EXIT_NOTHING, 1, "nothing found, or it failed for no reason listed here")                 \
    X(AL_EXIT_USAGE, 2, "the command line is wrong")                                               \
    X(AL_EXIT_DATA, 65, "data, a signature or a log is not right")                                 \
    X(AL_EXIT_NO_SUCH, 66, "no such entry, person or file, or more than one")                      \
    X(AL_EXIT_NO_NODE, 69, "no node is running and none could be started")                         \
    X(AL_EXIT_DISK, 74, "reading or writing the disk failed")                                      \
    X(AL_EXIT_LATER, 75, "saved or queued, but not finished")                                      \
    X(AL_EXIT_REFUSED, 77, "refused")                                                              \
    X(AL_EXIT_CONFIG, 78, "no identity on this machine yet, or the configuration is wrong")        \
    X(AL_EXIT_INTERRUPTED, 130, "interrupted with Ctrl-C")

enum al_exit {
#define AL_X(name, status, words) name = status,
    AL_EXITS(AL_X)
#undef AL_X
};

/* The exit status for an AL_E_* code. */
int al_exit_of(int err);

/*
 * Say on stderr that the command failed: |what| happened (without a full stop), |why| (sentences,
 * or NULL), and which command to |hint| at (or NULL). All of it is made safe. With --json it is
 * an object. Returns |status|, so that a command ends with `return al_fail(...)`.
 */
int al_fail(struct al_cli *c, int status, const char *what, const char *why, const char *hint);

/* The same for an AL_E_* code, which gives the status and the name in the object. */
int al_fail_err(struct al_cli *c, int err, const char *what, const char *why, const char *hint);

struct al_trouble;
int al_fail_trouble(struct al_cli *c, const struct al_trouble *t);

/* The same for a system call that failed with |errnum|. */
int al_fail_errno(struct al_cli *c, int errnum, const char *what, const char *hint);

#endif
