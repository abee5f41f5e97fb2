#include "schema.h"

#include <stddef.h>
#include <stdio.h>

#include "sqlerr.h"

/* "alod", as the application_id in the header of the file. */
#define APPLICATION_ID 0x616c6f64

/*
 * entry: the rowid is the position, so that an entry is always added at the right end of the
 * tree. A payload that is not held leaves its length and hash behind.
 * span: entries first..last of a log are at positions pos, pos + 1, ... One row for a segment
 * takes the place of an index over each entry.
 * run: entries first..last are held; prev is the id of first - 1.
 * change: what happened besides entries; its positions lie between those of the entries.
 */
static const char version_1[] =
    "CREATE TABLE log (no INTEGER PRIMARY KEY, identity BLOB NOT NULL, device BLOB NOT NULL,"
    " name BLOB NOT NULL, head_seq INTEGER NOT NULL, head_id BLOB NOT NULL,"
    " held INTEGER NOT NULL, UNIQUE (device, name)) STRICT;"
    "CREATE TABLE entry (pos INTEGER PRIMARY KEY, log INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " time INTEGER NOT NULL, arrived INTEGER NOT NULL, id BLOB NOT NULL, plen INTEGER,"
    " phash BLOB, payload BLOB) STRICT;"
    "CREATE TABLE span (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " pos INTEGER NOT NULL, PRIMARY KEY (log, first)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE run (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " prev BLOB NOT NULL, PRIMARY KEY (log, first)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sig (log INTEGER NOT NULL, seq INTEGER NOT NULL, sig BLOB NOT NULL,"
    " PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE change (pos INTEGER PRIMARY KEY, what INTEGER NOT NULL, log INTEGER NOT NULL,"
    " seq INTEGER NOT NULL) STRICT;"
    "CREATE TABLE kv (space INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;";

/* piece: own pieces of attachments. The key holds the size so that a sum reads no piece. */
static const char version_2[] = "CREATE TABLE piece (hash BLOB NOT NULL, size INTEGER NOT NULL,"
                                " bytes BLOB NOT NULL, PRIMARY KEY (hash, size)) STRICT;";

/* What leads from each version to the next. */
static const char *const steps[AL_SCHEMA_VERSION] = {version_1, version_2};

static int read_number(sqlite3 *db, const char *sql, int *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    int err = rc == SQLITE_ROW ? 0 : al_sqlerr(db, rc);
    if (err == 0)
        *ret = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return err;
}

int al_schema_version(sqlite3 *db, int *ret_version)
{
    int id = 0, version = 0, tables = 0;
    int err = read_number(db, "PRAGMA application_id", &id);
    if (err == 0)
        err = read_number(db, "PRAGMA user_version", &version);
    if (err == 0)
        err = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err != 0)
        return err;
    if (id == 0 && version == 0 && tables == 0) {
        *ret_version = 0;
        return 0;
    }
    if (id != APPLICATION_ID || version < 1)
        return AL_E_CORRUPT;
    if (version > AL_SCHEMA_VERSION)
        return AL_E_SCHEMA;
    *ret_version = version;
    return 0;
}

int al_schema_migrate(sqlite3 *db, int version)
{
    for (; version < AL_SCHEMA_VERSION; version++) {
        char stamp[96];
        snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d",
            APPLICATION_ID, version + 1);
        const char *const sql[] = {"BEGIN IMMEDIATE", steps[version], stamp, "COMMIT"};
        for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
            int rc = sqlite3_exec(db, sql[i], NULL, NULL, NULL);
            if (rc != SQLITE_OK)
                return al_sqlerr(db, rc); /* closing the connection rolls back */
        }
    }
    return 0;
}
