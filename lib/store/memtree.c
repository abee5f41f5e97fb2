#include "memtree.h"

#include <stdlib.h>

struct al_memstep {
    struct al_memnode *node;
    bool added; /* else removed, and owned by the step */
};

static int compare(const struct al_memnode *a, const struct al_memnode *b)
{
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return al_slice_cmp(a->key, b->key);
}

RB_GENERATE_INTERNAL(al_memrows, al_memnode, link, compare, __attribute__((unused)) static)

void al_memtree_init(struct al_memtree *t)
{
    *t = (struct al_memtree){.rows = RB_INITIALIZER(&t->rows)};
}

void al_memtree_fini(struct al_memtree *t)
{
    al_memtree_keep(t);
    struct al_memnode *n, *next;
    RB_FOREACH_SAFE(n, al_memrows, &t->rows, next)
    {
        RB_REMOVE(al_memrows, &t->rows, n);
        free(n);
    }
    free(t->steps);
    t->steps = NULL;
}

struct al_memnode *al_memtree_get(struct al_memtree *t, uint8_t table, struct al_slice key)
{
    struct al_memnode wanted = {.table = table, .key = key};
    return RB_FIND(al_memrows, &t->rows, &wanted);
}

struct al_memnode *al_memtree_ceil(struct al_memtree *t, uint8_t table, struct al_slice key)
{
    struct al_memnode wanted = {.table = table, .key = key};
    struct al_memnode *n = RB_NFIND(al_memrows, &t->rows, &wanted);
    return n != NULL && n->table == table ? n : NULL;
}

struct al_memnode *al_memtree_floor(struct al_memtree *t, uint8_t table, struct al_slice key)
{
    struct al_memnode wanted = {.table = table, .key = key};
    struct al_memnode *n = RB_NFIND(al_memrows, &t->rows, &wanted);
    if (n == NULL)
        n = RB_MAX(al_memrows, &t->rows);
    else if (compare(n, &wanted) != 0)
        n = RB_PREV(al_memrows, &t->rows, n);
    return n != NULL && n->table == table ? n : NULL;
}

struct al_memnode *al_memtree_next(struct al_memnode *n)
{
    struct al_memnode *next = RB_NEXT(al_memrows, NULL, n);
    return next != NULL && next->table == n->table ? next : NULL;
}

/* Make room for |more| steps, so that what follows cannot fail half-way. */
static bool reserve(struct al_memtree *t, size_t more)
{
    if (t->step_count + more <= t->step_cap)
        return true;
    size_t cap = t->step_cap * 2 + 64;
    struct al_memstep *steps = reallocarray(t->steps, cap, sizeof(*steps));
    if (steps == NULL)
        return false;
    t->steps = steps;
    t->step_cap = cap;
    return true;
}

static void remove_row(struct al_memtree *t, struct al_memnode *n)
{
    RB_REMOVE(al_memrows, &t->rows, n);
    t->steps[t->step_count++] = (struct al_memstep){.node = n, .added = false};
}

int al_memtree_put(
    struct al_memtree *t, uint8_t table, struct al_slice key, struct al_slice a, struct al_slice b)
{
    struct al_memnode *n = malloc(sizeof(*n) + key.n + a.n + b.n);
    if (n == NULL || !reserve(t, 2)) {
        free(n);
        return AL_E_NOMEM;
    }
    struct al_buf bytes = al_buf_fixed(n->bytes, key.n + a.n + b.n);
    al_buf_put(&bytes, key.p, key.n);
    al_buf_put(&bytes, a.p, a.n);
    al_buf_put(&bytes, b.p, b.n);
    n->table = table;
    n->key = al_slice_of(n->bytes, key.n);
    n->value = al_slice_of(n->bytes + key.n, a.n + b.n);

    struct al_memnode *old = al_memtree_get(t, table, key);
    if (old != NULL)
        remove_row(t, old);
    RB_INSERT(al_memrows, &t->rows, n);
    t->steps[t->step_count++] = (struct al_memstep){.node = n, .added = true};
    return 0;
}

int al_memtree_del(struct al_memtree *t, uint8_t table, struct al_slice key)
{
    struct al_memnode *n = al_memtree_get(t, table, key);
    if (n == NULL)
        return 0;
    if (!reserve(t, 1))
        return AL_E_NOMEM;
    remove_row(t, n);
    return 0;
}

void al_memtree_keep(struct al_memtree *t)
{
    for (size_t i = 0; i < t->step_count; i++) {
        if (!t->steps[i].added)
            free(t->steps[i].node);
    }
    t->step_count = 0;
}

void al_memtree_undo(struct al_memtree *t)
{
    while (t->step_count > 0) {
        struct al_memstep *step = &t->steps[--t->step_count];
        if (step->added) {
            RB_REMOVE(al_memrows, &t->rows, step->node);
            free(step->node);
        } else {
            RB_INSERT(al_memrows, &t->rows, step->node);
        }
    }
}

int al_memtree_copy(struct al_memtree *t, struct al_memtree *from)
{
    struct al_memnode *n;
    int err = 0;
    RB_FOREACH (n, al_memrows, &from->rows) {
        if (err == 0)
            err = al_memtree_put(t, n->table, n->key, n->value, al_slice_of(NULL, 0));
    }
    al_memtree_keep(t);
    return err;
}
