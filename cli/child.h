/* Other programs that the CLI starts: a pager, an editor, the node. */
#ifndef AL_CHILD_H
#define AL_CHILD_H

#include <fcntl.h>
#include <stdbool.h>

struct al_child_opts {
    int in, out, err; /* become its standard streams; -1: those of this process */
    int keep;         /* one more descriptor that it inherits, or 0 */
    bool detach;      /* in a session of its own, at the root directory */
};

/*
 * Start |argv|, found in PATH when its name has no slash; the list ends with NULL. Signals are as
 * at login. Returns the process id, or -1 with errno. A program that can't be executed ends
 * with status 127.
 */
int al_child_start(const char *const argv[], const struct al_child_opts *opts);

/* Wait for it: its exit status, 128 and more when a signal ended it, or -1 with errno. */
int al_child_wait(int pid);

#endif
