#include "batch.h"

#include <stdlib.h>

#include "check.h"

#define PLACES 3

struct al_batch *al_batch_new(void)
{
    struct al_batch *b = calloc(1, sizeof(*b));
    AL_ASSERT(b != NULL);
    return b;
}

void al_batch_free(struct al_batch *b)
{
    if (b == NULL)
        return;
    free(b->effects);
    free(b->places);
    free(b->bytes);
    free(b);
}

/* The buffer moves while it grows, so effects keep places until the batch is sealed. */
static size_t put(struct al_batch *b, const void *p, size_t n)
{
    if (n > b->bytes_cap - b->n) {
        size_t cap = b->bytes_cap * 2 > b->n + n ? b->bytes_cap * 2 : b->n + n;
        uint8_t *bytes = realloc(b->bytes, cap);
        AL_ASSERT(bytes != NULL);
        b->bytes = bytes;
        b->bytes_cap = cap;
    }
    size_t place = b->n;
    if (n > 0)
        memcpy(b->bytes + place, p, n);
    b->n += n;
    return place;
}

static size_t put_text(struct al_batch *b, const char *s)
{
    return s == NULL ? 0 : put(b, s, strlen(s) + 1);
}

void al_batch_add(struct al_batch *b, const struct al_effect *e)
{
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 8 : b->cap * 2;
        b->effects = reallocarray(b->effects, b->cap, sizeof(*b->effects));
        b->places = reallocarray(b->places, b->cap, PLACES * sizeof(*b->places));
        AL_ASSERT(b->effects != NULL && b->places != NULL);
    }
    b->effects[b->count] = *e;
    size_t *places = b->places + b->count * PLACES;
    places[0] = put(b, e->bytes.p, e->bytes.n);
    places[1] = put_text(b, e->message);
    places[2] = put_text(b, e->hint);
    b->count++;
}

void al_batch_seal(struct al_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct al_effect *e = &b->effects[i];
        const size_t *places = b->places + i * PLACES;
        e->bytes.p = e->bytes.n == 0 ? NULL : b->bytes + places[0];
        if (e->message != NULL)
            e->message = (const char *)b->bytes + places[1];
        if (e->hint != NULL)
            e->hint = (const char *)b->bytes + places[2];
    }
    b->item.bytes = sizeof(*b) + b->count * sizeof(*b->effects) + b->n;
}

void al_batch_free_item(struct al_item *item)
{
    al_batch_free((struct al_batch *)item); /* its first member */
}
