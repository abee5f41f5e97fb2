#include "bytes.h"

struct al_buf al_buf_fixed(uint8_t *p, size_t cap)
{
    return (struct al_buf){.p = p, .cap = cap};
}

void al_buf_put(struct al_buf *b, const void *p, size_t n)
{
    if (b->full || n == 0)
        return;
    if (n > b->cap - b->n) {
        if (n > SIZE_MAX / 2 - b->n || b->grow == NULL || !b->grow(b, b->n + n)) {
            b->full = true;
            return;
        }
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void al_u64be(uint8_t out[8], uint64_t v)
{
    for (int i = 7; i >= 0; i--) {
        out[i] = (uint8_t)v;
        v >>= 8;
    }
}

uint64_t al_u64be_read(const uint8_t in[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}

void al_buf_put_u64be(struct al_buf *b, uint64_t v)
{
    uint8_t be[8];
    al_u64be(be, v);
    al_buf_put(b, be, sizeof(be));
}

int al_slice_cmp(struct al_slice a, struct al_slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}
