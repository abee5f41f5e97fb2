/* The border to SQLite: its result codes in the project's own. */
#ifndef AL_SQLERR_H
#define AL_SQLERR_H

#include <sqlite3.h>

/*
 * What |rc|, the result of a call on |db| that failed just now, means. Never 0: AL_E_FULL,
 * AL_E_IO, AL_E_CORRUPT, AL_E_BUSY, AL_E_READ_ONLY, AL_E_NOMEM, AL_E_LENGTH.
 */
int al_sqlerr(sqlite3 *db, int rc);

#endif
