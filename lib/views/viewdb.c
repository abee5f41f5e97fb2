#include "viewdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int al_viewdb_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return AL_E_FULL;
    case SQLITE_NOMEM:
        return AL_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return AL_E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return AL_E_CORRUPT;
    default:
        return AL_E_IO;
    }
}

/* What holds for every connection: small caches, no maps, nothing that the schema could do to us.
 */
static int configure(sqlite3 *db)
{
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, 2000);
    return al_viewdb_exec(
        db, "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON");
}

int al_viewdb_open(sqlite3 **ret, const char *path)
{
    /* The -wal and -shm files take their rights from this one. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return AL_E_IO;
    (void)close(fd);
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int err = al_viewdb_err(sqlite3_open_v2(path, &db, flags, NULL));
    if (err == 0)
        err = configure(db);
    /* It can be rebuilt, so a commit need not wait for the disk; what is deleted is overwritten. */
    if (err == 0)
        err = al_viewdb_exec(db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
            "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;"
            "PRAGMA journal_size_limit = 16777216");
    if (err != 0) {
        (void)sqlite3_close(db);
        return err;
    }
    *ret = db;
    return 0;
}

int al_viewdb_open_read(sqlite3 **ret, const char *path)
{
    if (access(path, F_OK) != 0)
        return AL_E_NOT_FOUND;
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    int err = al_viewdb_err(sqlite3_open_v2(path, &db, flags, NULL));
    if (err == 0)
        err = configure(db);
    if (err == 0) {
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        err = al_viewdb_exec(db, "PRAGMA cache_size = -1024; PRAGMA query_only = ON");
    }
    if (err != 0) {
        (void)sqlite3_close(db);
        return err;
    }
    *ret = db;
    return 0;
}

void al_viewdb_remove(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char name[4096];
        int n = snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        if (n > 0 && (size_t)n < sizeof(name))
            (void)unlink(name);
    }
}

int al_viewdb_exec(sqlite3 *db, const char *sql)
{
    return al_viewdb_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int al_viewdb_checkpoint(sqlite3 *db)
{
    return al_viewdb_err(
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

void al_viewdb_rollback(sqlite3 *db)
{
    /* SQLite has undone it by itself after some errors; then there is nothing left to do. */
    if (sqlite3_get_autocommit(db) == 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

int al_viewdb_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *sql)
{
    return al_viewdb_err(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL));
}

int al_viewdb_step(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    return rc == SQLITE_ROW ? 1 : al_viewdb_err(rc);
}

int al_viewdb_run(sqlite3_stmt *st)
{
    int more;
    do
        more = al_viewdb_step(st);
    while (more > 0);
    (void)sqlite3_reset(st);
    return more;
}

int al_viewdb_run_ints(sqlite3_stmt *st, const int64_t *v, int count)
{
    for (int i = 0; i < count; i++)
        al_viewdb_bind_int(st, i + 1, v[i]);
    return al_viewdb_run(st);
}

int al_viewdb_int(sqlite3_stmt *st, int64_t *ret, const int64_t *v, int count)
{
    for (int i = 0; i < count; i++)
        al_viewdb_bind_int(st, i + 1, v[i]);
    int got = al_viewdb_step(st);
    if (got > 0)
        *ret = sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    return got;
}

void al_viewdb_bind_int(sqlite3_stmt *st, int i, int64_t v)
{
    (void)sqlite3_bind_int64(st, i, v);
}

void al_viewdb_bind_blob(sqlite3_stmt *st, int i, struct al_slice s)
{
    if (s.n == 0)
        (void)sqlite3_bind_null(st, i);
    else
        (void)sqlite3_bind_blob64(st, i, s.p, s.n, SQLITE_STATIC);
}

void al_viewdb_bind_text(sqlite3_stmt *st, int i, struct al_slice s)
{
    if (s.n == 0)
        (void)sqlite3_bind_null(st, i);
    else
        (void)sqlite3_bind_text64(st, i, (const char *)s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

struct al_slice al_viewdb_slice(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_blob(st, column);
    return al_slice_of(p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(st, column));
}

uint64_t al_viewdb_uint(sqlite3_stmt *st, int column)
{
    return (uint64_t)sqlite3_column_int64(st, column);
}

void al_viewdb_bytes(sqlite3_stmt *st, int column, uint8_t *out, size_t n)
{
    struct al_slice s = al_viewdb_slice(st, column);
    if (s.n == n)
        memcpy(out, s.p, n);
    else
        memset(out, 0, n);
}
