/* A growing buffer on the heap, for results whose size is not known before. */
#ifndef AL_HEAPBUF_H
#define AL_HEAPBUF_H

#include "bytes.h"

/* An empty buffer that grows up to 64 MiB; al_heapbuf_free() releases it. */
struct al_buf al_heapbuf(void);

/* Release the bytes and leave an empty buffer that can be written again. NULL is allowed. */
void al_heapbuf_free(struct al_buf *b);

#endif
