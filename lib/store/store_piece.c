/*
 * Pieces of attachments, own ones and those of the cache. A cache that fails is a cache that lost
 * something: no reason to lose the transaction.
 */
#include "attachment.h"
#include "check.h"
#include "store_int.h"

int al_store_piece_put(struct al_store *s, const struct al_hash *hash, struct al_slice piece,
    bool own, uint64_t now_ms)
{
    AL_ASSERT(piece.n >= 1 && piece.n <= AL_PIECE_SEALED_BYTES);
    bool there = false;
    int err = al_store_may_write(s);
    if (err == 0)
        err = s->ops->piece_has(s, true, &there, hash);
    if (err == 0 && !there && !own)
        err = s->ops->piece_has(s, false, &there, hash);
    if (err != 0 || there)
        return err;
    err = s->ops->piece_add(s, own, hash, piece, now_ms);
    if (!own)
        return err;
    if (err == 0)
        (void)s->ops->piece_del(s, false, hash);
    return al_store_written(s, err);
}

int al_store_piece_get(struct al_store *s, struct al_slice *ret, const struct al_hash *hash)
{
    int err = al_store_may_read(s);
    if (err == 0)
        err = s->ops->piece_get(s, true, ret, hash);
    return err != AL_E_NOT_FOUND ? err : s->ops->piece_get(s, false, ret, hash);
}

int al_store_piece_has(struct al_store *s, bool *ret, const struct al_hash *hash)
{
    bool there = false;
    int err = al_store_may_read(s);
    if (err == 0)
        err = s->ops->piece_has(s, true, &there, hash);
    if (err == 0 && !there)
        err = s->ops->piece_has(s, false, &there, hash);
    if (err == 0)
        *ret = there;
    return err;
}

int al_store_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t now_ms)
{
    int err = al_store_may_write(s);
    return err != 0 ? err : s->ops->piece_touch(s, hash, now_ms);
}

int al_store_piece_drop(struct al_store *s, const struct al_hash *hash)
{
    bool there;
    int err = al_store_may_write(s);
    if (err == 0)
        err = al_store_piece_has(s, &there, hash);
    if (err != 0)
        return err;
    s->untidy = s->untidy || there;
    err = al_store_written(s, s->ops->piece_del(s, true, hash));
    return err != 0 ? err : s->ops->piece_del(s, false, hash);
}

int al_store_piece_trim(struct al_store *s, uint64_t bytes)
{
    int err = al_store_may_write(s);
    return err != 0 ? err : s->ops->piece_trim(s, bytes);
}

int al_store_piece_usage(struct al_store *s, uint64_t *ret_own, uint64_t *ret_cache)
{
    uint64_t own, cache;
    int err = al_store_may_read(s);
    if (err == 0)
        err = s->ops->piece_bytes(s, true, &own);
    if (err == 0)
        err = s->ops->piece_bytes(s, false, &cache);
    if (err == 0) {
        *ret_own = own;
        *ret_cache = cache;
    }
    return err;
}
