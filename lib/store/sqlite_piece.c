/* Own pieces of attachments in log.db; those of the cache are piececache.c's. */
#include "piececache.h"
#include "sqlite_int.h"
#include "stmt.h"

static struct al_piececache *cache_of(struct al_store *s)
{
    return ((struct al_sqlite *)s)->cache;
}

static bool has_pieces(const struct al_store *s)
{
    return ((const struct al_sqlite *)s)->has_pieces;
}

static struct al_stmt use_for(struct al_store *s, enum al_sql sql, const struct al_hash *hash)
{
    struct al_stmt q = al_stmt_use(s, sql);
    al_stmt_bind_bytes(&q, 1, al_slice_of(hash->b, sizeof(hash->b)));
    return q;
}

int al_sqlite_piece_add(struct al_store *s, bool own, const struct al_hash *hash,
    struct al_slice piece, uint64_t used_ms)
{
    if (!own)
        return al_piececache_add(cache_of(s), hash, piece, used_ms);
    struct al_stmt q = use_for(s, AL_SQL_PIECE_ADD, hash);
    al_stmt_bind_int(&q, 2, piece.n);
    al_stmt_bind_bytes(&q, 3, piece);
    return al_stmt_run(&q);
}

int al_sqlite_piece_get(
    struct al_store *s, bool own, struct al_slice *ret, const struct al_hash *hash)
{
    if (!own)
        return al_piececache_get(cache_of(s), ret, hash);
    if (!has_pieces(s))
        return AL_E_NOT_FOUND;
    struct al_stmt q = use_for(s, AL_SQL_PIECE_GET, hash);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    int err = al_stmt_keep(&q, ret, al_stmt_bytes(&q, 0));
    return al_stmt_end(&q, err);
}

int al_sqlite_piece_has(struct al_store *s, bool own, bool *ret, const struct al_hash *hash)
{
    if (!own || !has_pieces(s)) {
        *ret = !own && al_piececache_has(cache_of(s), hash);
        return 0;
    }
    struct al_stmt q = use_for(s, AL_SQL_PIECE_HAS, hash);
    bool there = al_stmt_row(&q);
    int err = al_stmt_end(&q, 0);
    if (err == 0)
        *ret = there;
    return err;
}

int al_sqlite_piece_del(struct al_store *s, bool own, const struct al_hash *hash)
{
    if (!own) {
        al_piececache_del(cache_of(s), hash);
        return 0;
    }
    struct al_stmt q = use_for(s, AL_SQL_PIECE_DEL, hash);
    return al_stmt_run(&q);
}

int al_sqlite_piece_bytes(struct al_store *s, bool own, uint64_t *ret)
{
    if (!own || !has_pieces(s)) {
        *ret = own ? 0 : al_piececache_bytes(cache_of(s));
        return 0;
    }
    struct al_stmt q = al_stmt_use(s, AL_SQL_PIECE_SUM);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_CORRUPT);
    uint64_t bytes = al_stmt_int(&q, 0);
    int err = al_stmt_end(&q, 0);
    if (err == 0)
        *ret = bytes;
    return err;
}

int al_sqlite_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t used_ms)
{
    al_piececache_touch(cache_of(s), hash, used_ms);
    return 0;
}

int al_sqlite_piece_trim(struct al_store *s, uint64_t bytes)
{
    al_piececache_trim(cache_of(s), bytes);
    return 0;
}
