#include "tree.h"

#include <stdlib.h>

static struct al_tree_node *add(struct al_tree *t, size_t parent, const uint8_t *id)
{
    size_t i = t->count++;
    struct al_tree_node *node = &t->nodes[i];
    *node = (struct al_tree_node){.id = id,
        .parent = parent,
        .first_child = AL_TREE_NONE,
        .last_child = AL_TREE_NONE,
        .next = AL_TREE_NONE};
    if (parent == AL_TREE_NONE)
        return node;
    struct al_tree_node *above = &t->nodes[parent];
    node->level = above->level + 1;
    if (above->last_child != AL_TREE_NONE)
        t->nodes[above->last_child].next = i;
    else
        above->first_child = i;
    above->last_child = i;
    return node;
}

/* Roots are siblings of each other. */
static struct al_tree_node *add_root(struct al_tree *t, size_t *last_root, const uint8_t *id)
{
    size_t i = t->count;
    struct al_tree_node *node = add(t, AL_TREE_NONE, id);
    if (*last_root != AL_TREE_NONE)
        t->nodes[*last_root].next = i;
    *last_root = i;
    return node;
}

static size_t find(const struct al_tree *t, const uint8_t *id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (memcmp(t->nodes[i].id, id, 32) == 0)
            return i;
    }
    return AL_TREE_NONE;
}

int al_tree_build(struct al_tree *ret, const struct al_row *rows, size_t n)
{
    /* Each row may name one parent that is not here. */
    struct al_tree t = {.nodes = calloc(2 * n + 1, sizeof(*t.nodes))};
    if (t.nodes == NULL)
        return AL_E_NOMEM;
    size_t last_root = AL_TREE_NONE;
    for (size_t i = 0; i < n; i++) {
        const struct al_row *r = &rows[i];
        if (r->re == NULL) {
            add_root(&t, &last_root, r->id)->row = r;
            continue;
        }
        size_t parent = find(&t, r->re);
        if (parent == AL_TREE_NONE) {
            parent = t.count;
            (void)add_root(&t, &last_root, r->re);
        }
        add(&t, parent, r->id)->row = r;
    }
    t.first = t.count > 0 ? 0 : AL_TREE_NONE;
    *ret = t;
    return 0;
}

void al_tree_free(struct al_tree *t)
{
    free(t->nodes);
    *t = (struct al_tree){0};
}

void al_tree_fold(struct al_tree *t, const uint8_t *keep)
{
    for (size_t i = 0; i < t->count; i++)
        t->nodes[i].folded = t->nodes[i].level > 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct al_tree_node *node = &t->nodes[i];
        bool kept = node->row != NULL && (node->row->close || memcmp(node->id, keep, 32) == 0);
        for (size_t at = i; kept && at != AL_TREE_NONE && t->nodes[at].folded;
             at = t->nodes[at].parent)
            t->nodes[at].folded = false;
    }
}

/* The node that is drawn after |i| and everything below it. */
static size_t past(const struct al_tree *t, size_t i)
{
    while (i != AL_TREE_NONE && t->nodes[i].next == AL_TREE_NONE)
        i = t->nodes[i].parent;
    return i == AL_TREE_NONE ? i : t->nodes[i].next;
}

/* The last of the folded branches side by side from |i| on. */
static size_t fold_end(const struct al_tree *t, size_t i)
{
    while (t->nodes[i].next != AL_TREE_NONE && t->nodes[t->nodes[i].next].folded)
        i = t->nodes[i].next;
    return i;
}

size_t al_tree_unfold(const struct al_tree *t, size_t i)
{
    return past(t, fold_end(t, i));
}

size_t al_tree_folded(const struct al_tree *t, size_t i)
{
    size_t end = al_tree_unfold(t, i);
    size_t count = 0;
    for (; i != end; i = al_tree_next(t, i))
        count++;
    return count;
}

size_t al_tree_next(const struct al_tree *t, size_t i)
{
    if (t->nodes[i].first_child != AL_TREE_NONE)
        return t->nodes[i].first_child;
    return past(t, i);
}

void al_tree_margin(
    struct al_buf *b, const struct al_tree *t, size_t i, size_t levels_max, bool first)
{
    /* From the outermost level inwards; an ancestor at a level is found by climbing. */
    size_t level = t->nodes[i].level < levels_max ? t->nodes[i].level : levels_max;
    for (size_t at = 1; at <= level; at++) {
        size_t a = i;
        while (t->nodes[a].level > at)
            a = t->nodes[a].parent;
        bool more = t->nodes[a].next != AL_TREE_NONE;
        const char *piece = more ? "│  " : "   ";
        if (first && at == level)
            piece = more || t->nodes[i].level > level ? "├─ " : "└─ ";
        al_buf_put(b, piece, strlen(piece));
    }
}
