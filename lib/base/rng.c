#include "rng.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "check.h"

#define BLOCK 64

static_assert(sizeof(((struct al_rng *)0)->key) + sizeof(((struct al_rng *)0)->buf) == 8 * BLOCK,
    "a refill is eight blocks");

/* The first bytes of the eight blocks replace the key, so what was given out can't be recomputed.
 */
static void refill(struct al_rng *r)
{
    uint8_t out[8 * BLOCK];
    for (uint8_t i = 0; i < 8; i++)
        (void)crypto_generichash_blake2b(out + (size_t)i * BLOCK, BLOCK, &i, 1, r->key, 32);
    memcpy(r->key, out, sizeof(r->key));
    memcpy(r->buf, out + sizeof(r->key), sizeof(r->buf));
    r->used = 0;
    sodium_memzero(out, sizeof(out));
}

void al_rng_init(struct al_rng *r, const uint8_t seed[32])
{
    memcpy(r->key, seed, sizeof(r->key));
    r->used = sizeof(r->buf);
}

void al_rng_bytes(struct al_rng *r, void *out, size_t n)
{
    uint8_t *p = out;
    while (n > 0) {
        if (r->used == sizeof(r->buf))
            refill(r);
        size_t take = sizeof(r->buf) - r->used;
        if (take > n)
            take = n;
        memcpy(p, r->buf + r->used, take);
        sodium_memzero(r->buf + r->used, take);
        r->used += take;
        p += take;
        n -= take;
    }
}

uint64_t al_rng_below(struct al_rng *r, uint64_t bound)
{
    AL_ASSERT(bound >= 1);
    /* Of the 2^64 values the first 2^64 mod bound are drawn again, so that all are equally likely.
     */
    uint64_t skip = (UINT64_MAX - bound + 1) % bound;
    uint64_t v;
    do
        al_rng_bytes(r, &v, sizeof(v));
    while (v < skip);
    return v % bound;
}

void al_rng_wipe(struct al_rng *r)
{
    sodium_memzero(r, sizeof(*r));
    r->used = sizeof(r->buf);
}
