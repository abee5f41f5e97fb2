#include "sqlconn.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"
#include "sqlerr.h"

#define VALUE_MAX 2097152 /* bytes of one row, at most */

/* --- files --------------------------------------------------------------------------------- */

int al_sqlconn_make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return al_private_err(errno);
    close(fd);
    return 0;
}

/* Sync a file, or with O_DIRECTORY a directory, by its path. */
static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return al_private_err(errno);
    int err = fsync(fd) == 0 ? 0 : al_private_err(errno);
    close(fd);
    return err;
}

int al_sqlconn_sync(const char *path)
{
    return sync_path(path, 0);
}

int al_sqlconn_sync_dir_of(const char *path)
{
    char copy[PATH_MAX];
    if (strlcpy(copy, path, sizeof(copy)) >= sizeof(copy))
        return AL_E_PATH;
    return sync_path(dirname(copy), O_DIRECTORY);
}

/* --- connections --------------------------------------------------------------------------- */

int al_sqlconn_exec(sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : al_sqlerr(db, rc);
}

/* What every connection gets before it looks at the file, which may be anybody's. */
static int harden(sqlite3 *db)
{
    static const struct {
        int what, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, VALUE_MAX},
        {SQLITE_LIMIT_SQL_LENGTH, 16384},
        {SQLITE_LIMIT_COLUMN, 32},
        {SQLITE_LIMIT_EXPR_DEPTH, 16},
        {SQLITE_LIMIT_COMPOUND_SELECT, 2},
        {SQLITE_LIMIT_VDBE_OP, 10000},
        {SQLITE_LIMIT_FUNCTION_ARG, 8},
        {SQLITE_LIMIT_ATTACHED, 1}, /* VACUUM INTO needs it */
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 16},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    static const struct {
        int what, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        sqlite3_limit(db, limits[i].what, limits[i].value);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        int rc = sqlite3_db_config(db, switches[i].what, switches[i].value, NULL);
        if (rc != SQLITE_OK)
            return al_sqlerr(db, rc);
    }
    sqlite3_busy_timeout(db, AL_SQLCONN_BUSY_MS);
    return al_sqlconn_exec(
        db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}

int al_sqlconn_open(sqlite3 **ret, const char *path, int flags)
{
    sqlite3 *db = NULL;
    if (access(path, F_OK) != 0)
        return al_private_err(errno);
    int rc = sqlite3_open_v2(path, &db,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);
    int err = rc == SQLITE_OK ? harden(db) : al_sqlerr(db, rc);
    if (err != 0) {
        sqlite3_close(db);
        return err;
    }
    *ret = db;
    return 0;
}
