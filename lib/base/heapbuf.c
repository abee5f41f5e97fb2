#include "heapbuf.h"

#include <stdlib.h>

#define FIRST_BYTES 256
#define BYTES_MAX ((size_t)64 * 1024 * 1024)

static bool grow(struct al_buf *b, size_t need)
{
    if (need > BYTES_MAX)
        return false;
    size_t cap = b->cap < FIRST_BYTES ? FIRST_BYTES : b->cap;
    while (cap < need)
        cap *= 2;
    uint8_t *p = realloc(b->p, cap);
    if (p == NULL)
        return false;
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
    free(b->p);
    *b = al_heapbuf();
}
