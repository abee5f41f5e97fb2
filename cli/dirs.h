/* Directories and files that belong to one person only. */
#ifndef AL_DIRS_H
#define AL_DIRS_H

#include "bytes.h"

/* Make |path| and what leads to it, with mode 0700. Returns 0, or -1 with errno. */
int al_dirs_make(const char *path);

/* Append all that |fd| has to give, at most |max| bytes. Returns 0, or -1 with errno; EFBIG when
 * there is more. */
int al_dirs_read(struct al_buf *b, int fd, size_t max);

/* Write all of |s| to |fd|. Returns 0, or -1 with errno. */
int al_dirs_write(int fd, struct al_slice s);

#endif
