/*
 * Ordered tables in memory whose changes can be undone: what the store in memory is made of. One
 * tree holds all tables; a key is a table's number and bytes.
 */
#ifndef AL_MEMTREE_H
#define AL_MEMTREE_H

#include <bsd/sys/tree.h>

#include "bytes.h"
#include "err.h"

struct al_memnode {
    RB_ENTRY(al_memnode) link;
    uint8_t table;
    struct al_slice key, value; /* inside |bytes| */
    uint8_t bytes[];
};

struct al_memstep; /* one change that can be undone */

struct al_memtree {
    RB_HEAD(al_memrows, al_memnode) rows;
    struct al_memstep *steps; /* since the last keep or undo */
    size_t step_count, step_cap;
};

void al_memtree_init(struct al_memtree *t);
void al_memtree_fini(struct al_memtree *t);

/* Make |t|, which is empty, hold what |from| holds. AL_E_NOMEM. */
AL_MUST_CHECK
int al_memtree_copy(struct al_memtree *t, struct al_memtree *from);

/* The row with |key|; the first after or at it; the last before or at it. NULL: there is none. */
struct al_memnode *al_memtree_get(struct al_memtree *t, uint8_t table, struct al_slice key);
struct al_memnode *al_memtree_ceil(struct al_memtree *t, uint8_t table, struct al_slice key);
struct al_memnode *al_memtree_floor(struct al_memtree *t, uint8_t table, struct al_slice key);

/* The row after |n| in its table, or NULL. */
struct al_memnode *al_memtree_next(struct al_memnode *n);

/* Add or replace a row: its value is |a| and |b|, one after the other. AL_E_NOMEM. */
AL_MUST_CHECK
int al_memtree_put(
    struct al_memtree *t, uint8_t table, struct al_slice key, struct al_slice a, struct al_slice b);

/* Remove a row if it is there. AL_E_NOMEM. */
AL_MUST_CHECK
int al_memtree_del(struct al_memtree *t, uint8_t table, struct al_slice key);

/* End a transaction: its changes stay, or are undone. */
void al_memtree_keep(struct al_memtree *t);
void al_memtree_undo(struct al_memtree *t);

#endif
