/*
 * Files that are their owner's alone: directories of mode 0700, files of mode 0600, opened without
 * following links and checked after opening, so that nobody can swap them in between.
 */
#ifndef AL_PRIVATE_H
#define AL_PRIVATE_H

#include "bytes.h"
#include "err.h"

/*
 * Make the directory |path| and what is missing above it, each with mode 0700 and durable; one that
 * is there must be our own, with no rights for others.
 * Returns 0, AL_E_PERMISSION, AL_E_PATH (too long), AL_E_FULL, AL_E_READ_ONLY, AL_E_IO.
 */
AL_MUST_CHECK
int al_private_make_dir(const char *path);

/* Open such a directory; the caller closes |ret_fd|. As above, and AL_E_NOT_FOUND. */
AL_MUST_CHECK
int al_private_open_dir(int *ret_fd, const char *path);

/*
 * Read the file |name| of the directory |dir_fd|, which must be a plain file of our own without
 * rights for others and without a second name, into |out|. Returns 0, AL_E_NOT_FOUND,
 * AL_E_PERMISSION, AL_E_LENGTH (more than |cap| bytes), AL_E_IO.
 */
AL_MUST_CHECK
int al_private_read(size_t *ret_n, uint8_t *out, size_t cap, int dir_fd, const char *name);

/*
 * Write the file |name| whole or not at all, and durably: a crash leaves the old one or the new
 * one. |name| has at most 32 characters. Returns 0, AL_E_FULL, AL_E_READ_ONLY, AL_E_IO; after an
 * error it may be there or not.
 */
AL_MUST_CHECK
int al_private_write(int dir_fd, const char *name, struct al_slice content);

/* What errno says as an error of ours: AL_E_NOT_FOUND, AL_E_PERMISSION (a link), ... AL_E_IO. */
int al_private_err(int errno_value);

#endif
