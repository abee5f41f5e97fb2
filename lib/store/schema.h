/* The tables of log.db, and how a file of an older version becomes one of this version. */
#ifndef AL_SCHEMA_H
#define AL_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "err.h"

#define AL_SCHEMA_PIECES 2 /* the first version with own pieces of attachments */
#define AL_SCHEMA_VERSION 2

/*
 * The version of |db|, which is only read: 0 for a new, empty file. Returns 0, AL_E_SCHEMA (a
 * newer version), AL_E_CORRUPT (not a log.db), AL_E_BUSY, AL_E_IO.
 */
AL_MUST_CHECK int al_schema_version(sqlite3 *db, int *ret_version);

/*
 * Bring |db| from |version| to the present one, a transaction for each step, so that a stop in
 * between loses nothing. Returns 0, AL_E_FULL, AL_E_IO, AL_E_BUSY, AL_E_READ_ONLY.
 */
AL_MUST_CHECK int al_schema_migrate(sqlite3 *db, int version);

#endif
