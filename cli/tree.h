/* The tree of a thread, from rows that come parents first. Pure. */
#ifndef AL_TREE_H
#define AL_TREE_H

#include "err.h"
#include "row.h"

#define AL_TREE_NONE SIZE_MAX

struct al_tree_node {
    const uint8_t *id;                            /* 32 bytes */
    const struct al_row *row;                     /* NULL: it is named as a parent, but not here */
    size_t parent, first_child, last_child, next; /* indices, or AL_TREE_NONE */
    size_t level;                                 /* 0 for a root */
    bool folded; /* neither it nor anything below is close: al_tree_fold() */
};

struct al_tree {
    struct al_tree_node *nodes;
    size_t count;
    size_t first; /* root; others follow as its |next| */
};

/*
 * Build it from |n| rows, which are borrowed. A parent must stand before its replies; one that
 * does not, or is not there at all, becomes a node without a row, at the root. Deep threads are
 * no danger: nothing here recurses. al_tree_free() takes the result. Returns 0 or AL_E_NOMEM.
 */
AL_MUST_CHECK int al_tree_build(struct al_tree *ret, const struct al_row *rows, size_t n);
void al_tree_free(struct al_tree *t);

/*
 * Mark what is folded: whole branches by people one does not follow. Roots and the entry |keep| (32
 * bytes) stay, and so does what they hang on.
 */
void al_tree_fold(struct al_tree *t, const uint8_t *keep);

/* How many entries are in the folded branches side by side that begin with |i|. */
size_t al_tree_folded(const struct al_tree *t, size_t i);

/* The node that is drawn after that fold, or AL_TREE_NONE. */
size_t al_tree_unfold(const struct al_tree *t, size_t i);

/* The node that is drawn after |i|, or AL_TREE_NONE. */
size_t al_tree_next(const struct al_tree *t, size_t i);

/*
 * Append what stands left of node |i|: on its first line |first|, else on the lines below it.
 * Each level takes three columns; a node deeper than |levels_max| stands there.
 */
void al_tree_margin(
    struct al_buf *b, const struct al_tree *t, size_t i, size_t levels_max, bool first);

#endif
