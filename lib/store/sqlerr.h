/* The border to SQLite and to the file system: their codes in the project's own. */
#ifndef AL_SQLERR_H
#define AL_SQLERR_H

#include <sqlite3.h>

/*
 * What |rc|, the result of a call on |db| that failed just now, means. Never 0: AL_E_FULL,
 * AL_E_IO, AL_E_CORRUPT, AL_E_BUSY, AL_E_READ_ONLY, AL_E_NOT_FOUND (no such file), AL_E_NOMEM,
 * AL_E_LENGTH.
 */
int al_sqlerr(sqlite3 *db, int rc);

/* The same for an errno of the file system; also AL_E_EXISTS. */
int al_sqlerr_of_errno(int sys);

#endif
