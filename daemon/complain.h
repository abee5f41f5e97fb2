/* How this program says that it can't go on, and with which exit status. */
#ifndef AL_COMPLAIN_H
#define AL_COMPLAIN_H

#include "bytes.h"

/* As the CLI's table says: `aloud help exit-codes`. */
enum al_status {
    AL_STATUS_DONE = 0,
    AL_STATUS_FAILED = 1,
    AL_STATUS_USAGE = 2,
    AL_STATUS_DATA = 65,
    AL_STATUS_NO_NODE = 69,
    AL_STATUS_DISK = 74,
    AL_STATUS_REFUSED = 77,
    AL_STATUS_CONFIG = 78,
};

/* The status for an AL_E_* code. */
enum al_status al_status_of(int err);

struct al_complaint {
    const char *what; /* happened; without a full stop */
    const char *why;  /* without one, too; NULL: what |err| means; empty: nothing */
    const char *hint; /* a command, or NULL */
    int err;
    char text[1200]; /* for a |why| that has to be made */
    char command[1200];
};

/*
 * The directory |path| can't be used because of |err|: name it, and when others may get at it,
 * say how to keep them out.
 */
void al_complain_of_dir(struct al_complaint *c, int err, const char *path);

/* There is no place for aloud's files because of |err|; |hint| as above. Returns |err|. */
int al_complain_of_paths(struct al_complaint *c, int err, const char *hint);

/* Write it to stderr, made safe. Returns the status of its error. */
int al_complain(const struct al_complaint *c);

/* The same in one line, made safe too, without a full stop, for another program; cut to |cap|. */
void al_complaint_line(char *out, size_t cap, const struct al_complaint *c);

#endif
