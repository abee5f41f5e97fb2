/* The file in which `tail` keeps how far it got. */
#ifndef AL_CURSOR_H
#define AL_CURSOR_H

#include <stdint.h>

#include "err.h"

/*
 * Read the position kept at |path|. Returns 0; AL_E_NOT_FOUND when there is no such file;
 * AL_E_CORRUPT when it holds something else; AL_E_IO.
 */
AL_MUST_CHECK int al_cursor_read(const char *path, uint64_t *ret_pos);

/* Replace it whole, so that it is never half written. Returns 0, AL_E_FULL or AL_E_IO. */
AL_MUST_CHECK int al_cursor_write(const char *path, uint64_t pos);

#endif
