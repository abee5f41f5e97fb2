/*
 * A file that appears at its path whole or not at all. Where the file system can, it has no name
 * until then, so that whoever is killed while writing leaves nothing behind. Only its owner can
 * read it.
 */
#ifndef AL_NEWFILE_H
#define AL_NEWFILE_H

#include <limits.h>
#include <stdbool.h>

#include "err.h"

struct al_newfile {
    int fd; /* to write to */
    char path[PATH_MAX];
    char temporary[PATH_MAX]; /* its name until it is whole; "": it has none */
};

/*
 * Begin the file that is to be at |path|, whose directory is there; al_newfile_end() in any case.
 * Returns 0, or -1 with errno.
 */
AL_MUST_CHECK int al_newfile_begin(struct al_newfile *f, const char *path);

/*
 * Let what was written appear, over a file that is there only if |force|. It survives a power cut.
 * Returns 0, or -1 with errno; EEXIST.
 */
AL_MUST_CHECK int al_newfile_finish(struct al_newfile *f, bool force);

/* Close it; nothing is left of one that was not finished. */
void al_newfile_end(struct al_newfile *f);

#endif
