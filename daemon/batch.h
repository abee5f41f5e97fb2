/* What the node tells the loop: the effects of one turn or of a part of it, in one item. */
#ifndef AL_BATCH_H
#define AL_BATCH_H

#include "effect.h"
#include "queue.h"

struct al_batch {
    struct al_item item;
    struct al_effect *effects; /* valid after al_batch_seal() */
    size_t count;
    size_t cap;
    size_t *places; /* three for each effect: where its bytes, message and hint begin */
    uint8_t *bytes;
    size_t n;
    size_t bytes_cap;
};

/* An empty batch; like everything here it stops the program when there is no memory. */
struct al_batch *al_batch_new(void);
void al_batch_free(struct al_batch *b);

/* Append a copy of |e| and of what it points to. */
void al_batch_add(struct al_batch *b, const struct al_effect *e);

/* Make the effects readable; nothing can be added any more. */
void al_batch_seal(struct al_batch *b);

/* For al_queue_free(). */
void al_batch_free_item(struct al_item *item);

#endif
