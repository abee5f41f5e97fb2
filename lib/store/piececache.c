#include "piececache.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlconn.h"
#include "sqlerr.h"
#include "stmt.h"

#define FILE_NAME "pieces.db"
#define VERSION 1

struct al_piececache {
    struct al_sqlite sq; /* of which the connection and the statements are used */
    char path[PATH_MAX];
    bool read_only;
    bool dropped; /* in this transaction: a piece that must not stay on the disk */
    bool counted; /* |bytes| is what is in it */
    uint64_t bytes;
    struct stat file; /* a reader's: the file that is open */
};

/* --- the file ------------------------------------------------------------------------------ */

static void shut(struct al_piececache *c)
{
    al_stmt_close(&c->sq);
    c->counted = false;
}

static void path_with(char out[PATH_MAX], const struct al_piececache *c, const char *end)
{
    (void)strlcpy(out, c->path, PATH_MAX);
    (void)strlcat(out, end, PATH_MAX);
}

/* Throw it away, with all that is in it. */
static void forget(struct al_piececache *c)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    shut(c);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char path[PATH_MAX];
        path_with(path, c, ends[i]);
        (void)unlink(path);
    }
}

/* The version that the file says, 0 for a new one, or an error. */
static int version_of(sqlite3 *db, int *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    int err = rc == SQLITE_ROW ? 0 : al_sqlerr(db, rc);
    if (err == 0)
        *ret = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return err;
}

static int make_tables(sqlite3 *db)
{
    char sql[512];
    snprintf(sql, sizeof(sql),
        "BEGIN IMMEDIATE;"
        "CREATE TABLE piece (hash BLOB PRIMARY KEY, used INTEGER NOT NULL, size INTEGER NOT NULL,"
        " bytes BLOB NOT NULL) STRICT;"
        "CREATE INDEX piece_used ON piece (used, size);"
        "PRAGMA user_version = %d; COMMIT",
        VERSION);
    return al_sqlconn_exec(db, sql);
}

/* A commit need not wait for the disk; what is deleted is overwritten. */
static int become_writer(sqlite3 *db)
{
    int version = 0;
    int err = al_sqlconn_exec(db,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
        "PRAGMA wal_autocheckpoint = 3000; PRAGMA journal_size_limit = 16777216;"
        "PRAGMA cache_size = -1024");
    if (err == 0)
        err = version_of(db, &version);
    if (err == 0 && version == 0)
        err = make_tables(db);
    else if (err == 0 && version != VERSION)
        err = AL_E_CORRUPT;
    if (err != 0)
        return err;
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? 0 : al_sqlerr(db, rc);
}

static int become_reader(sqlite3 *db)
{
    int version = 0;
    int err = al_sqlconn_exec(db, "PRAGMA cache_size = -256");
    if (err == 0)
        err = version_of(db, &version);
    return err == 0 && version != VERSION ? AL_E_NOT_FOUND : err;
}

static int open_file(struct al_piececache *c)
{
    int flags = c->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int err = al_sqlconn_open(&c->sq.db, c->path, flags);
    if (err == 0)
        err = c->read_only ? become_reader(c->sq.db) : become_writer(c->sq.db);
    if (err != 0)
        shut(c);
    return err;
}

/* For a writer: open the file, and |make| it if it is not there. */
static int ready_to_write(struct al_piececache *c, bool make)
{
    if (c->sq.db != NULL)
        return 0;
    if (make) {
        int err = al_sqlconn_make(c->path);
        if (err != 0 && err != AL_E_EXISTS)
            return err;
    }
    int err = open_file(c);
    if (err != AL_E_CORRUPT)
        return err;
    forget(c);
    err = make ? al_sqlconn_make(c->path) : AL_E_NOT_FOUND;
    return err != 0 ? err : open_file(c);
}

int al_piececache_new(struct al_piececache **ret, const char *log_path, bool read_only)
{
    char dir[PATH_MAX];
    struct al_piececache *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    c->read_only = read_only;
    int n = -1;
    if (strlcpy(dir, log_path, sizeof(dir)) < sizeof(dir))
        n = snprintf(c->path, sizeof(c->path), "%s/" FILE_NAME, dirname(dir));
    if (n < 0 || (size_t)n + sizeof("-wal") > sizeof(c->path)) {
        free(c);
        return AL_E_PATH;
    }
    if (!read_only && ready_to_write(c, false) != 0)
        shut(c); /* nothing there yet, or nothing that can be read now */
    *ret = c;
    return 0;
}

void al_piececache_free(struct al_piececache *c)
{
    if (c == NULL)
        return;
    shut(c);
    free(c);
}

/* For a reader: the file that is there now may be another one than the last time. */
static int ready_to_read(struct al_piececache *c)
{
    struct stat file;
    if (!c->read_only)
        return ready_to_write(c, false);
    if (stat(c->path, &file) != 0) {
        shut(c);
        return AL_E_NOT_FOUND;
    }
    if (c->sq.db != NULL && file.st_ino == c->file.st_ino && file.st_dev == c->file.st_dev)
        return 0;
    shut(c);
    c->file = file;
    return open_file(c);
}

/* The end of every call: a damaged file does not stay. */
static int done(struct al_piececache *c, int err)
{
    if (err == AL_E_CORRUPT && !c->read_only)
        forget(c);
    return err;
}

/* --- transactions -------------------------------------------------------------------------- */

static bool in_transaction(const struct al_piececache *c)
{
    return c->sq.db != NULL && sqlite3_get_autocommit(c->sq.db) == 0;
}

/* Before a write: open, and in a transaction. */
static int begin(struct al_piececache *c, bool make)
{
    int err = ready_to_write(c, make);
    if (err != 0 || in_transaction(c))
        return err;
    struct al_stmt q = al_stmt_use(&c->sq.store, AL_SQL_BEGIN);
    return al_stmt_run(&q);
}

/* Make what was committed durable, which with synchronous = NORMAL it is not yet. */
static int sync_wal(const struct al_piececache *c)
{
    char wal[PATH_MAX];
    path_with(wal, c, "-wal");
    int err = al_sqlconn_sync(wal);
    return err == AL_E_NOT_FOUND ? 0 : err;
}

void al_piececache_commit(struct al_piececache *c)
{
    int err = 0;
    if (in_transaction(c)) {
        struct al_stmt q = al_stmt_use(&c->sq.store, AL_SQL_COMMIT);
        err = al_stmt_run(&q);
    } else if (c->dropped) {
        err = AL_E_IO; /* a write failed since, and SQLite has undone it all */
    }
    if (err == 0 && c->dropped)
        err = sync_wal(c);
    if (err != 0 && c->dropped)
        forget(c);
    else if (err != 0)
        al_piececache_rollback(c);
    c->dropped = false;
}

void al_piececache_rollback(struct al_piececache *c)
{
    if (in_transaction(c))
        (void)sqlite3_exec(c->sq.db, "ROLLBACK", NULL, NULL, NULL);
    c->counted = false;
    c->dropped = false;
}

int al_piececache_tidy(struct al_piececache *c)
{
    int err = ready_to_write(c, false);
    if (err != 0)
        return 0; /* nothing there, or nothing that could be read */
    sqlite3_busy_timeout(c->sq.db, 0);
    int rc = sqlite3_wal_checkpoint_v2(c->sq.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(c->sq.db, AL_SQLCONN_BUSY_MS);
    sqlite3_db_release_memory(c->sq.db);
    return rc == SQLITE_OK ? 0 : done(c, al_sqlerr(c->sq.db, rc));
}

/* --- pieces -------------------------------------------------------------------------------- */

static struct al_stmt use_for(struct al_piececache *c, enum al_sql sql, const struct al_hash *hash)
{
    struct al_stmt q = al_stmt_use(&c->sq.store, sql);
    al_stmt_bind_bytes(&q, 1, al_slice_of(hash->b, sizeof(hash->b)));
    return q;
}

int al_piececache_get(struct al_piececache *c, struct al_slice *ret, const struct al_hash *hash)
{
    if (ready_to_read(c) != 0)
        return AL_E_NOT_FOUND;
    struct al_stmt q = use_for(c, AL_SQL_PIECE_GET, hash);
    int err = AL_E_NOT_FOUND;
    if (al_stmt_row(&q))
        err = al_stmt_keep(&q, ret, al_stmt_bytes(&q, 0));
    return done(c, al_stmt_end(&q, err)) == 0 ? 0 : AL_E_NOT_FOUND;
}

bool al_piececache_has(struct al_piececache *c, const struct al_hash *hash)
{
    if (ready_to_read(c) != 0)
        return false;
    struct al_stmt q = use_for(c, AL_SQL_PIECE_HAS, hash);
    bool there = al_stmt_row(&q);
    return done(c, al_stmt_end(&q, 0)) == 0 && there;
}

int al_piececache_add(
    struct al_piececache *c, const struct al_hash *hash, struct al_slice piece, uint64_t used_ms)
{
    int err = begin(c, true);
    if (err == 0) {
        struct al_stmt q = use_for(c, AL_SQL_CACHE_ADD, hash);
        al_stmt_bind_int(&q, 2, piece.n);
        al_stmt_bind_bytes(&q, 3, piece);
        al_stmt_bind_int(&q, 4, used_ms);
        err = al_stmt_run(&q);
    }
    c->counted = c->counted && err == 0;
    c->bytes += piece.n;
    err = done(c, err);
    return err == 0 || err == AL_E_FULL ? err : AL_E_IO;
}

void al_piececache_touch(struct al_piececache *c, const struct al_hash *hash, uint64_t used_ms)
{
    int err = begin(c, false);
    if (err != 0)
        return;
    struct al_stmt q = use_for(c, AL_SQL_CACHE_USE, hash);
    al_stmt_bind_int(&q, 2, used_ms);
    (void)done(c, al_stmt_run(&q));
}

/* Take out one piece; the count is made anew when it is asked for. */
static int take_out(struct al_piececache *c, const struct al_hash *hash)
{
    struct al_stmt q = use_for(c, AL_SQL_PIECE_DEL, hash);
    c->counted = false;
    return al_stmt_run(&q);
}

void al_piececache_del(struct al_piececache *c, const struct al_hash *hash)
{
    int err = ready_to_write(c, false);
    if (err == AL_E_NOT_FOUND || (err == 0 && !al_piececache_has(c, hash)))
        return;
    if (err == 0)
        err = begin(c, false);
    if (err == 0)
        err = take_out(c, hash);
    if (err != 0)
        forget(c); /* what must go, goes */
    c->dropped = c->dropped || err == 0;
}

static int count(struct al_piececache *c)
{
    if (c->counted)
        return 0;
    struct al_stmt q = al_stmt_use(&c->sq.store, AL_SQL_PIECE_SUM);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_CORRUPT);
    c->bytes = al_stmt_int(&q, 0);
    int err = al_stmt_end(&q, 0);
    c->counted = err == 0 && !c->read_only;
    return err;
}

uint64_t al_piececache_bytes(struct al_piececache *c)
{
    if (ready_to_read(c) != 0)
        return 0;
    return done(c, count(c)) == 0 ? c->bytes : 0;
}

/* Take out the piece that was unused the longest. AL_E_NOT_FOUND: there is none. */
static int drop_oldest(struct al_piececache *c)
{
    struct al_hash hash = {{0}};
    struct al_stmt q = al_stmt_use(&c->sq.store, AL_SQL_CACHE_OLDEST);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    al_stmt_fixed(&q, 0, hash.b, sizeof(hash.b));
    uint64_t size = al_stmt_int(&q, 1);
    int err = al_stmt_end(&q, 0);
    if (err == 0)
        err = take_out(c, &hash);
    if (err == 0) {
        c->bytes -= size < c->bytes ? size : c->bytes;
        c->counted = true;
    }
    return err;
}

void al_piececache_trim(struct al_piececache *c, uint64_t bytes)
{
    int err = ready_to_write(c, false);
    if (err == 0)
        err = count(c);
    if (err == 0 && c->bytes > bytes)
        err = begin(c, false);
    while (err == 0 && c->bytes > bytes)
        err = drop_oldest(c);
    (void)done(c, err);
}
