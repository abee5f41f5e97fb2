/* SQLite as the views use it: opening views.db, errors in our own codes, statements. */
#ifndef AL_VIEWDB_H
#define AL_VIEWDB_H

#include <sqlite3.h>

#include "bytes.h"
#include "err.h"

/*
 * Open the file for its one writer, with owner-only rights when it is new. AL_E_IO, AL_E_FULL,
 * AL_E_CORRUPT (it is no database, or a damaged one), AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_viewdb_open(sqlite3 **ret, const char *path);

/* Open the file for a reader, which never writes nor checkpoints. AL_E_NOT_FOUND and as above. */
AL_MUST_CHECK
int al_viewdb_open_read(sqlite3 **ret, const char *path);

/* Delete the file and what SQLite keeps beside it. */
void al_viewdb_remove(const char *path);

/* The code of ours for a result code of SQLite; 0 for OK, ROW and DONE. */
int al_viewdb_err(int rc);

/* Run |sql|, one or several statements of our own without parameters. */
AL_MUST_CHECK
int al_viewdb_exec(sqlite3 *db, const char *sql);

/* Empty the write-ahead log into the file. AL_E_BUSY: a reader needs it still. */
AL_MUST_CHECK
int al_viewdb_checkpoint(sqlite3 *db);

/* Undo the transaction, if there is one. */
void al_viewdb_rollback(sqlite3 *db);

/* Compile |sql|, which is to be kept for long. */
AL_MUST_CHECK
int al_viewdb_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *sql);

/* Take the next row. Returns 1 when there is one, 0 at the end, or an error. */
AL_MUST_CHECK
int al_viewdb_step(sqlite3_stmt *st);

/* Step to the end, whatever rows come, and reset. */
AL_MUST_CHECK
int al_viewdb_run(sqlite3_stmt *st);

/* Bind |count| numbers from parameter 1 on, and run. */
AL_MUST_CHECK
int al_viewdb_run_ints(sqlite3_stmt *st, const int64_t *v, int count);

/*
 * Bind as above and read column 0 of the first row as a number, then reset. Returns 1 when there
 * was a row, 0 when none, or an error.
 */
AL_MUST_CHECK
int al_viewdb_int(sqlite3_stmt *st, int64_t *ret, const int64_t *v, int count);

void al_viewdb_bind_int(sqlite3_stmt *st, int i, int64_t v);

/* Bind borrowed bytes or text, which must stay until the reset; NULL when empty. */
void al_viewdb_bind_blob(sqlite3_stmt *st, int i, struct al_slice s);
void al_viewdb_bind_text(sqlite3_stmt *st, int i, struct al_slice s);

/* A column as bytes, which live until the next step or reset. */
struct al_slice al_viewdb_slice(sqlite3_stmt *st, int column);
uint64_t al_viewdb_uint(sqlite3_stmt *st, int column);

/* Copy a column of exactly |n| bytes; zeroes when it is anything else. */
void al_viewdb_bytes(sqlite3_stmt *st, int column, uint8_t *out, size_t n);

#endif
