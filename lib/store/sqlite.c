/* The store in SQLite: opening log.db safely, transactions, and its care. */
#include <stdlib.h>
#include <unistd.h>

#include "piececache.h"
#include "schema.h"
#include "sqlconn.h"
#include "sqlerr.h"
#include "sqlite_int.h"
#include "stmt.h"

/* --- opening ------------------------------------------------------------------------------- */

/* Make a checked connection the one that writes, once it is settled. */
static int become_writer(sqlite3 *db, int version)
{
    int err = al_sqlconn_exec(db,
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL;"
        "PRAGMA wal_autocheckpoint = 3000; PRAGMA journal_size_limit = 16777216;"
        "PRAGMA cache_size = -1024");
    return err == 0 ? al_schema_migrate(db, version) : err;
}

/*
 * Emptying what an earlier run left in the write-ahead log also makes durable what a crash may
 * have left written but not synced: what is built upon from here on is there. A full disk may not
 * allow it: then the store can be read, and whoever begins to write tries again.
 */
static int settle(struct al_sqlite *s)
{
    int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) /* a reader may be in the way */
        return al_sqlerr(s->db, rc);
    s->unsettled = false;
    rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return rc == SQLITE_OK ? 0 : al_sqlerr(s->db, rc);
}

static int settle_if_there_is_space(struct al_sqlite *s)
{
    int err = settle(s);
    s->unsettled = err == AL_E_FULL;
    return s->unsettled ? 0 : err;
}

static const struct al_store_ops ops;

int al_store_open(struct al_store **ret, const char *path, enum al_store_mode mode)
{
    bool reads = mode == AL_STORE_READ;
    int version = 0;
    int err = mode == AL_STORE_CREATE ? al_sqlconn_make(path) : 0;
    if (err != 0 && err != AL_E_EXISTS)
        return err;

    struct al_sqlite *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return AL_E_NOMEM;
    s->store.ops = &ops;
    s->store.read_only = reads;
    err = al_sqlconn_open(&s->db, path, reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    if (err == 0)
        err = al_schema_version(s->db, &version);
    if (err == 0 && version == 0 && mode != AL_STORE_CREATE)
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = reads ? al_sqlconn_exec(s->db, "PRAGMA cache_size = -256")
                    : become_writer(s->db, version);
    if (err == 0 && !reads)
        err = settle_if_there_is_space(s);
    if (err == 0 && !reads)
        err = al_sqlconn_sync_dir_of(path);
    s->has_pieces = !reads || version >= AL_SCHEMA_PIECES;
    if (err == 0)
        err = al_piececache_new(&s->cache, path, reads);
    if (err != 0) {
        sqlite3_close(s->db);
        free(s);
        return err;
    }
    *ret = &s->store;
    return 0;
}

/* --- transactions -------------------------------------------------------------------------- */

static int run(struct al_store *s, enum al_sql sql)
{
    struct al_stmt q = al_stmt_use(s, sql);
    return al_stmt_run(&q);
}

static int sqlite_begin(struct al_store *store)
{
    struct al_sqlite *s = (struct al_sqlite *)store;
    int err = s->unsettled ? settle(s) : 0;
    return err == 0 ? run(store, AL_SQL_BEGIN) : err;
}

/*
 * The cache comes first: a crash in between leaves it without pieces that it may have, never with
 * pieces that are to be gone.
 */
static int sqlite_commit(struct al_store *s)
{
    al_piececache_commit(((struct al_sqlite *)s)->cache);
    return run(s, AL_SQL_COMMIT);
}

static void sqlite_rollback(struct al_store *s)
{
    /* An error may have undone it already, and one in undoing leaves nothing that could be kept. */
    sqlite3 *db = ((struct al_sqlite *)s)->db;
    al_piececache_rollback(((struct al_sqlite *)s)->cache);
    if (sqlite3_get_autocommit(db) == 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static int sqlite_tidy(struct al_store *s)
{
    sqlite3 *db = ((struct al_sqlite *)s)->db;
    sqlite3_db_release_memory(db);
    if (s->read_only)
        return 0;
    sqlite3_busy_timeout(db, 0); /* whoever tidies has better things to do than to wait */
    int err = al_piececache_tidy(((struct al_sqlite *)s)->cache);
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK)
        err = al_sqlerr(db, rc);
    sqlite3_busy_timeout(db, AL_SQLCONN_BUSY_MS);
    return err;
}

static void sqlite_close(struct al_store *store)
{
    struct al_sqlite *s = (struct al_sqlite *)store;
    al_piececache_free(s->cache);
    al_stmt_close(s);
    free(s);
}

static const struct al_store_ops ops = {
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .tidy = sqlite_tidy,
    .log_find = al_sqlite_log_find,
    .log_from = al_sqlite_log_from,
    .log_add = al_sqlite_log_add,
    .log_set = al_sqlite_log_set,
    .run_at = al_sqlite_run_at,
    .run_put = al_sqlite_run_put,
    .run_del = al_sqlite_run_del,
    .sig_at = al_sqlite_sig_at,
    .sig_put = al_sqlite_sig_put,
    .sig_del = al_sqlite_sig_del,
    .rows_add = al_sqlite_rows_add,
    .row_get = al_sqlite_row_get,
    .rows = al_sqlite_rows,
    .payload_set = al_sqlite_payload_set,
    .rows_del = al_sqlite_rows_del,
    .change_add = al_sqlite_change_add,
    .changes = al_sqlite_changes,
    .position = al_sqlite_position,
    .kv_get = al_sqlite_kv_get,
    .kv_put = al_sqlite_kv_put,
    .kv_del = al_sqlite_kv_del,
    .kv_scan = al_sqlite_kv_scan,
    .piece_add = al_sqlite_piece_add,
    .piece_get = al_sqlite_piece_get,
    .piece_has = al_sqlite_piece_has,
    .piece_del = al_sqlite_piece_del,
    .piece_bytes = al_sqlite_piece_bytes,
    .piece_touch = al_sqlite_piece_touch,
    .piece_trim = al_sqlite_piece_trim,
};

/* --- backup -------------------------------------------------------------------------------- */

static int vacuum_into(sqlite3 *db, const char *path)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    int err = rc == SQLITE_DONE ? 0 : al_sqlerr(db, rc);
    sqlite3_finalize(st);
    return err;
}

int al_store_backup(const char *db_path, const char *path)
{
    sqlite3 *db = NULL;
    int version;
    int err = al_sqlconn_open(&db, db_path, SQLITE_OPEN_READONLY);
    if (err == 0)
        err = al_schema_version(db, &version);
    if (err == 0)
        err = version == 0 ? AL_E_NOT_FOUND : al_sqlconn_make(path);
    if (err == 0) {
        err = vacuum_into(db, path);
        if (err == 0)
            err = al_sqlconn_sync(path);
        if (err == 0)
            err = al_sqlconn_sync_dir_of(path);
        if (err != 0)
            unlink(path);
    }
    sqlite3_close(db);
    return err;
}
