/* Shared by the files of the store in memory only. */
#ifndef AL_MEM_INT_H
#define AL_MEM_INT_H

#include "memtree.h"
#include "store_int.h"

enum table {
    TABLE_LOG,      /* number -> struct al_store_log */
    TABLE_NAME,     /* device || log -> number */
    TABLE_ENTRY,    /* log number, seq -> struct entry, payload */
    TABLE_RUN,      /* log number, first -> struct al_store_run */
    TABLE_SIG,      /* log number, seq -> struct al_sig */
    TABLE_POSITION, /* position -> struct al_store_change */
    TABLE_OWN,      /* hash -> own piece */
    TABLE_CACHE,    /* hash -> u64 last use, piece */
    TABLE_USED,     /* u64 last use, u64 size, hash -> nothing */
    TABLE_KV,       /* space, key -> value; one table for each space follows */
};

struct al_store_disk {
    struct al_memtree tree;
    bool open;
    int fail; /* the next commit */
    bool fail_there;
    bool full;
};

struct mem {
    struct al_store store;
    struct al_store_disk *disk;
    bool owns_disk;
};

static inline struct al_memtree *al_mem_tree(struct al_store *s)
{
    return &((struct mem *)s)->disk->tree;
}

/* mem_piece.c: pieces of attachments */
int al_mem_piece_add(struct al_store *s, bool own, const struct al_hash *hash,
    struct al_slice piece, uint64_t used_ms);
int al_mem_piece_get(
    struct al_store *s, bool own, struct al_slice *ret, const struct al_hash *hash);
int al_mem_piece_has(struct al_store *s, bool own, bool *ret, const struct al_hash *hash);
int al_mem_piece_del(struct al_store *s, bool own, const struct al_hash *hash);
int al_mem_piece_bytes(struct al_store *s, bool own, uint64_t *ret);
int al_mem_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t used_ms);
int al_mem_piece_trim(struct al_store *s, uint64_t bytes);

#endif
