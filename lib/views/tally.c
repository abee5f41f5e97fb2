#include "tally.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_MAX 1024 /* slots that are kept between transactions */

/* The keys are small local numbers: a multiplication spreads them well enough. */
static size_t slot_of(const struct al_tally *t, int64_t author, int64_t tag)
{
    uint64_t h = ((uint64_t)author << 32 ^ (uint64_t)tag) * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 32) & (t->cap - 1);
    while (t->items[i].author != 0 && (t->items[i].author != author || t->items[i].tag != tag))
        i = (i + 1) & (t->cap - 1);
    return i;
}

static int grow(struct al_tally *t)
{
    struct al_tally larger = {.cap = t->cap == 0 ? 64 : t->cap * 2};
    larger.items = calloc(larger.cap, sizeof(*larger.items));
    if (larger.items == NULL)
        return AL_E_NOMEM;
    for (size_t i = 0; i < t->cap; i++) {
        const struct al_tally_item *item = &t->items[i];
        if (item->author != 0)
            larger.items[slot_of(&larger, item->author, item->tag)] = *item;
    }
    larger.count = t->count;
    free(t->items);
    *t = larger;
    return 0;
}

int al_tally_add(struct al_tally *t, int64_t author, int64_t tag, int64_t delta, int64_t time)
{
    if (t->count * 2 >= t->cap) {
        int err = grow(t);
        if (err != 0)
            return err;
    }
    struct al_tally_item *item = &t->items[slot_of(t, author, tag)];
    if (item->author == 0) {
        *item = (struct al_tally_item){.author = author, .tag = tag};
        t->count++;
    }
    item->delta += delta;
    if (time > item->last)
        item->last = time;
    return 0;
}

void al_tally_clear(struct al_tally *t)
{
    if (t->cap > KEEP_MAX) {
        al_tally_free(t);
        return;
    }
    if (t->cap > 0)
        memset(t->items, 0, t->cap * sizeof(*t->items));
    t->count = 0;
}

void al_tally_free(struct al_tally *t)
{
    free(t->items);
    *t = (struct al_tally){.items = NULL};
}
