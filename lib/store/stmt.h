/*
 * The statements of log.db, and of pieces.db (those on pieces): prepared once, kept, bound and read
 * with types. Private to the SQLite store.
 */
#ifndef AL_STMT_H
#define AL_STMT_H

#include <sqlite3.h>

#include "store_int.h"

#define AL_SQL_ENTRY "log, seq, time, arrived, id, plen, phash, payload"

#define AL_SQLS(X)                                                                                 \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(POSITION, "SELECT max(ifnull((SELECT max(pos) FROM entry), 0),"                              \
                " ifnull((SELECT max(pos) FROM change), 0))")                                      \
    X(LOG_FIND, "SELECT * FROM log WHERE device = ?1 AND name = ?2")                               \
    X(LOG_FROM, "SELECT * FROM log WHERE no >= ?1 ORDER BY no LIMIT 1")                            \
    X(LOG_ADD, "INSERT INTO log VALUES (NULL, ?1, ?2, ?3, 0, zeroblob(32), 0)")                    \
    X(LOG_SET, "UPDATE log SET head_seq = ?2, head_id = ?3, held = ?4 WHERE no = ?1")              \
    X(RUN_AT, "SELECT first, last, prev FROM run WHERE log = ?1 AND first <= ?2"                   \
              " ORDER BY first DESC LIMIT 1")                                                      \
    X(RUN_PUT, "REPLACE INTO run VALUES (?1, ?2, ?3, ?4)")                                         \
    X(RUN_DEL, "DELETE FROM run WHERE log = ?1 AND first = ?2")                                    \
    X(SIG_AT, "SELECT seq, sig FROM sig WHERE log = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1")        \
    X(SIG_PUT, "REPLACE INTO sig VALUES (?1, ?2, ?3)")                                             \
    X(SIG_DEL, "DELETE FROM sig WHERE log = ?1 AND seq = ?2")                                      \
    X(SPAN_AT, "SELECT first, last, pos FROM span WHERE log = ?1 AND first <= ?2"                  \
               " ORDER BY first DESC LIMIT 1")                                                     \
    X(SPAN_FROM, "SELECT first, last, pos FROM span WHERE log = ?1 AND first >= ?2"                \
                 " ORDER BY first LIMIT 1")                                                        \
    X(SPAN_PUT, "REPLACE INTO span VALUES (?1, ?2, ?3, ?4)")                                       \
    X(SPAN_DEL, "DELETE FROM span WHERE log = ?1 AND first = ?2")                                  \
    X(ENTRY_ADD, "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                  \
    X(ENTRIES,                                                                                     \
        "SELECT pos, 1, " AL_SQL_ENTRY " FROM entry WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos")     \
    X(ENTRIES_DEL, "DELETE FROM entry WHERE pos BETWEEN ?1 AND ?2")                                \
    X(PAYLOAD_SET, "UPDATE entry SET plen = ?2, phash = ?3, payload = ?4 WHERE pos = ?1")          \
    X(CHANGE_ADD, "INSERT INTO change VALUES (?1, ?2, ?3, ?4)")                                    \
    X(CHANGES,                                                                                     \
        "SELECT pos, 1, " AL_SQL_ENTRY " FROM entry WHERE pos > ?1 UNION ALL"                      \
        " SELECT pos, what, log, seq, 0, 0, NULL, NULL, NULL, NULL FROM change WHERE pos > ?1"     \
        " ORDER BY 1")                                                                             \
    X(KV_GET, "SELECT value FROM kv WHERE space = ?1 AND key = ?2")                                \
    X(KV_PUT, "REPLACE INTO kv VALUES (?1, ?2, ?3)")                                               \
    X(KV_DEL, "DELETE FROM kv WHERE space = ?1 AND key = ?2")                                      \
    X(KV_FROM, "SELECT key, value FROM kv WHERE space = ?1 AND key >= ?2 ORDER BY key")            \
    X(PIECE_ADD, "INSERT INTO piece (hash, size, bytes) VALUES (?1, ?2, ?3)")                      \
    X(PIECE_GET, "SELECT bytes FROM piece WHERE hash = ?1")                                        \
    X(PIECE_HAS, "SELECT 1 FROM piece WHERE hash = ?1")                                            \
    X(PIECE_DEL, "DELETE FROM piece WHERE hash = ?1")                                              \
    X(PIECE_SUM, "SELECT ifnull(sum(size), 0) FROM piece")                                         \
    X(CACHE_ADD, "INSERT INTO piece (hash, size, bytes, used) VALUES (?1, ?2, ?3, ?4)")            \
    X(CACHE_USE, "UPDATE piece SET used = ?2 WHERE hash = ?1 AND used < ?2")                       \
    X(CACHE_OLDEST, "SELECT hash, size FROM piece ORDER BY used LIMIT 1")

enum al_sql {
#define AL_X(name, text) AL_SQL_##name,
    AL_SQLS(AL_X)
#undef AL_X
        AL_SQL_COUNT
};

/* The SQLite store, or the cache beside it; |store| comes first. */
struct al_sqlite {
    struct al_store store;
    sqlite3 *db;
    struct al_piececache *cache;      /* NULL in the cache itself */
    bool has_pieces;                  /* a reader may find a version without them */
    bool unsettled;                   /* settle() is to be done before anything is written */
    sqlite3_stmt *kept[AL_SQL_COUNT]; /* prepared at first use */
    uint8_t *answer;                  /* what the last get returned: |answer_cap| bytes */
    size_t answer_cap;
};

/* One use of a statement, from al_stmt_use() to al_stmt_end(). The first error stays. */
struct al_stmt {
    struct al_sqlite *owner;
    sqlite3_stmt *st;
    bool kept; /* else prepared for this use, because the kept one is in use (a callback reads) */
    int err;
};

struct al_stmt al_stmt_use(struct al_store *s, enum al_sql sql);

/* Bind parameter |i|, from 1. Bytes are borrowed until the end of the use. */
void al_stmt_bind_int(struct al_stmt *q, int i, uint64_t v);
void al_stmt_bind_bytes(struct al_stmt *q, int i, struct al_slice v);
void al_stmt_bind_null(struct al_stmt *q, int i);

/* Go to the next row. False: there is none, or an error ends the use. */
bool al_stmt_row(struct al_stmt *q);

/* Column |i|, from 0. A value that can't be right makes the use end with AL_E_CORRUPT. */
uint64_t al_stmt_int(struct al_stmt *q, int i);
struct al_slice al_stmt_bytes(struct al_stmt *q, int i); /* until the next row */
void al_stmt_fixed(struct al_stmt *q, int i, void *ret, size_t size);

/* End the use. Returns its first error, or |err| if there was none. */
AL_MUST_CHECK int al_stmt_end(struct al_stmt *q, int err);

/* Run a statement that returns no rows: once of several times in one use, and to end the use. */
void al_stmt_exec(struct al_stmt *q);
AL_MUST_CHECK int al_stmt_run(struct al_stmt *q);

/* Close the connection with its statements and its last answer. */
void al_stmt_close(struct al_sqlite *s);

/* Copy |v| so that it lives until the next call; |ret| points to the copy. AL_E_NOMEM. */
AL_MUST_CHECK int al_stmt_keep(struct al_stmt *q, struct al_slice *ret, struct al_slice v);

#endif
