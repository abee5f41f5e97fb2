/* Connections to SQLite files that may be anybody's, and the files under them. */
#ifndef AL_SQLCONN_H
#define AL_SQLCONN_H

#include <sqlite3.h>

#include "err.h"

#define AL_SQLCONN_BUSY_MS 1000 /* how long to wait for somebody else's lock */

/*
 * Open the file |path|, which is there, with limits and without what a hostile schema could use;
 * closing it never checkpoints, unless that is switched on. On an error nothing is left open.
 * Returns 0, AL_E_NOT_FOUND, AL_E_PERMISSION, AL_E_IO, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_sqlconn_open(sqlite3 **ret, const char *path, int flags);

/* Run |sql|, which returns no rows that matter. */
AL_MUST_CHECK int al_sqlconn_exec(sqlite3 *db, const char *sql);

/* Make the empty file |path|, for its owner only; SQLite would follow the umask. AL_E_EXISTS. */
AL_MUST_CHECK int al_sqlconn_make(const char *path);

/* Sync the file |path|. */
AL_MUST_CHECK int al_sqlconn_sync(const char *path);

/* Sync the directory that holds |path|: SQLite does it too, but takes no notice of errors. */
AL_MUST_CHECK int al_sqlconn_sync_dir_of(const char *path);

#endif
