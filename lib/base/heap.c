#include "heap.h"

#include <stdlib.h>

#include "check.h"

static bool before(const struct al_heap_node *a, const struct al_heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void put(struct al_heap *h, size_t place, struct al_heap_node *node)
{
    h->nodes[place - 1] = node;
    node->place = place;
}

/* Let |node| rise or sink from the free |place| to where it belongs. */
static void settle(struct al_heap *h, size_t place, struct al_heap_node *node)
{
    while (place > 1 && before(node, h->nodes[place / 2 - 1])) {
        put(h, place, h->nodes[place / 2 - 1]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;
        if (child > h->count)
            break;
        if (child < h->count && before(h->nodes[child], h->nodes[child - 1]))
            child++;
        if (!before(h->nodes[child - 1], node))
            break;
        put(h, place, h->nodes[child - 1]);
        place = child;
    }
    put(h, place, node);
}

void al_heap_fini(struct al_heap *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->count; i++)
        h->nodes[i]->place = 0;
    free(h->nodes);
    *h = (struct al_heap){0};
}

static int make_room(struct al_heap *h)
{
    if (h->count < h->cap)
        return 0;
    size_t cap = h->cap == 0 ? 16 : h->cap * 2;
    struct al_heap_node **nodes = reallocarray(h->nodes, cap, sizeof(struct al_heap_node *));
    if (nodes == NULL)
        return AL_E_NOMEM;
    h->nodes = nodes;
    h->cap = cap;
    return 0;
}

int al_heap_set(struct al_heap *h, struct al_heap_node *node, uint64_t key)
{
    if (!al_heap_has(node)) {
        int err = make_room(h);
        if (err != 0)
            return err;
        put(h, ++h->count, node);
    }
    AL_ASSERT(node->place <= h->count && h->nodes[node->place - 1] == node);
    node->key = key;
    node->order = h->next_order++;
    settle(h, node->place, node);
    return 0;
}

void al_heap_remove(struct al_heap *h, struct al_heap_node *node)
{
    if (!al_heap_has(node))
        return;
    AL_ASSERT(node->place <= h->count && h->nodes[node->place - 1] == node);
    size_t place = node->place;
    struct al_heap_node *last = h->nodes[--h->count];
    node->place = 0;
    if (last != node)
        settle(h, place, last);
}

struct al_heap_node *al_heap_first(const struct al_heap *h)
{
    return h->count == 0 ? NULL : h->nodes[0];
}
