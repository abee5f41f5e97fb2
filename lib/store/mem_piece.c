/* Pieces of attachments in memory. */
#include "mem_int.h"

#define USED_BYTES 8 /* before a piece in TABLE_CACHE */

static struct al_memnode *piece_node(struct al_store *s, bool own, const struct al_hash *hash)
{
    return al_memtree_get(
        al_mem_tree(s), own ? TABLE_OWN : TABLE_CACHE, al_slice_of(hash->b, sizeof(hash->b)));
}

/* The key of TABLE_USED for a piece of the cache. */
static void used_key(uint8_t out[48], const struct al_memnode *n)
{
    memcpy(out, n->value.p, USED_BYTES);
    al_u64be(out + 8, n->value.n - USED_BYTES);
    memcpy(out + 16, n->key.p, 32);
}

static int cache_put(
    struct al_store *s, const struct al_hash *hash, struct al_slice piece, uint64_t used_ms)
{
    uint8_t used[USED_BYTES], key[48];
    al_u64be(used, used_ms);
    int err = al_memtree_put(al_mem_tree(s), TABLE_CACHE, al_slice_of(hash->b, sizeof(hash->b)),
        al_slice_of(used, sizeof(used)), piece);
    if (err != 0)
        return err;
    used_key(key, piece_node(s, false, hash));
    return al_memtree_put(al_mem_tree(s), TABLE_USED, al_slice_of(key, sizeof(key)),
        (struct al_slice){0}, (struct al_slice){0});
}

int al_mem_piece_add(struct al_store *s, bool own, const struct al_hash *hash,
    struct al_slice piece, uint64_t used_ms)
{
    if (!own)
        return cache_put(s, hash, piece, used_ms);
    return al_memtree_put(al_mem_tree(s), TABLE_OWN, al_slice_of(hash->b, sizeof(hash->b)), piece,
        (struct al_slice){0});
}

int al_mem_piece_get(struct al_store *s, bool own, struct al_slice *ret, const struct al_hash *hash)
{
    const struct al_memnode *n = piece_node(s, own, hash);
    if (n == NULL)
        return AL_E_NOT_FOUND;
    size_t skip = own ? 0 : USED_BYTES;
    *ret = al_slice_of(n->value.p + skip, n->value.n - skip);
    return 0;
}

int al_mem_piece_has(struct al_store *s, bool own, bool *ret, const struct al_hash *hash)
{
    *ret = piece_node(s, own, hash) != NULL;
    return 0;
}

int al_mem_piece_del(struct al_store *s, bool own, const struct al_hash *hash)
{
    struct al_memnode *n = piece_node(s, own, hash);
    uint8_t key[48];
    int err = 0;
    if (n == NULL)
        return 0;
    if (!own) {
        used_key(key, n);
        err = al_memtree_del(al_mem_tree(s), TABLE_USED, al_slice_of(key, sizeof(key)));
    }
    return err != 0 ? err : al_memtree_del(al_mem_tree(s), own ? TABLE_OWN : TABLE_CACHE, n->key);
}

int al_mem_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t used_ms)
{
    struct al_memnode *n = piece_node(s, false, hash);
    if (n == NULL || al_u64be_read(n->value.p) >= used_ms)
        return 0;
    uint8_t key[48];
    used_key(key, n);
    int err = al_memtree_del(al_mem_tree(s), TABLE_USED, al_slice_of(key, sizeof(key)));
    struct al_slice piece = al_slice_of(n->value.p + USED_BYTES, n->value.n - USED_BYTES);
    return err != 0 ? err : cache_put(s, hash, piece, used_ms);
}

int al_mem_piece_bytes(struct al_store *s, bool own, uint64_t *ret)
{
    enum table table = own ? TABLE_OWN : TABLE_CACHE;
    struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), (uint8_t)table, (struct al_slice){0});
    uint64_t bytes = 0;
    for (; n != NULL; n = al_memtree_next(n))
        bytes += n->value.n - (own ? 0 : USED_BYTES);
    *ret = bytes;
    return 0;
}

int al_mem_piece_trim(struct al_store *s, uint64_t bytes)
{
    uint64_t have;
    int err = al_mem_piece_bytes(s, false, &have);
    while (err == 0 && have > bytes) {
        struct al_hash hash;
        struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), TABLE_USED, (struct al_slice){0});
        memcpy(hash.b, n->key.p + 16, sizeof(hash.b));
        have -= al_u64be_read(n->key.p + 8);
        err = al_mem_piece_del(s, false, &hash);
    }
    return err;
}
