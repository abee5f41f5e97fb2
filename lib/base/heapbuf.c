#include "heapbuf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256
#define WIPED_BYTES 4096 /* of this size may be what holds the 24 words */
#define BYTES_MAX ((size_t)64 * 1024 * 1024)

static bool grow(struct al_buf *b, size_t need)
{
    if (need > BYTES_MAX)
        return false;
    size_t cap = b->cap < FIRST_BYTES ? FIRST_BYTES : b->cap;
    while (cap < need)
        cap *= 2;
    uint8_t *p = b->cap <= WIPED_BYTES ? malloc(cap) : realloc(b->p, cap);
    if (p == NULL)
        return false;
    if (b->cap <= WIPED_BYTES && b->cap > 0) {
        memcpy(p, b->p, b->n);
        explicit_bzero(b->p, b->cap);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
    return true;
}

struct al_buf al_heapbuf(void)
{
    return (struct al_buf){.grow = grow};
}

void al_heapbuf_free(struct al_buf *b)
{
    if (b == NULL)
        return;
    if (b->p != NULL && b->cap <= WIPED_BYTES)
        explicit_bzero(b->p, b->cap);
    free(b->p);
    *b = al_heapbuf();
}
