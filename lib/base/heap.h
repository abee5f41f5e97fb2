/*
 * A binary heap of deadlines. The node of a timer lives inside the struct that owns it, so the
 * address of the node is its handle; equal deadlines come in the order in which they were set.
 */
#ifndef AL_HEAP_H
#define AL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Zeroed before its first use. Only heap.c writes it. */
struct al_heap_node {
    uint64_t key;   /* the deadline */
    uint64_t order; /* decides between equal keys */
    size_t place;   /* in the heap, counted from 1; 0 when not in it */
};

/* Zeroed, it is an empty heap. It borrows its nodes. */
struct al_heap {
    struct al_heap_node **nodes;
    size_t count;
    size_t cap;
    uint64_t next_order;
};

/* Forget all nodes, which count as removed, and release the memory. NULL is allowed. */
void al_heap_fini(struct al_heap *h);

/*
 * Set the deadline of |node| to |key|: add it to the heap, or move it if it is there.
 * Returns 0 or AL_E_NOMEM, which only an addition can meet.
 */
AL_MUST_CHECK
int al_heap_set(struct al_heap *h, struct al_heap_node *node, uint64_t key);

/* Take |node| out; nothing happens if it is not in the heap. */
void al_heap_remove(struct al_heap *h, struct al_heap_node *node);

/* The node with the smallest key, which stays in the heap; NULL when it is empty. */
struct al_heap_node *al_heap_first(const struct al_heap *h);

static inline bool al_heap_has(const struct al_heap_node *node)
{
    return node->place != 0;
}

#endif
