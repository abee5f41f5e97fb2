/*
 * A seeded generator, good enough for keys and salts when its seed is secret: BLAKE2b in counter
 * mode over a 32-byte state that is replaced with each refill (fast key erasure). The same seed
 * gives the same bytes, so a simulated node replays.
 */
#ifndef AL_RNG_H
#define AL_RNG_H

#include <stddef.h>
#include <stdint.h>

struct al_rng {
    uint8_t key[32];
    uint8_t buf[480];
    size_t used; /* of |buf| */
};

void al_rng_init(struct al_rng *r, const uint8_t seed[32]);
void al_rng_bytes(struct al_rng *r, void *out, size_t n);

/* A number in 0..bound-1 without bias; bound >= 1. */
uint64_t al_rng_below(struct al_rng *r, uint64_t bound);

void al_rng_wipe(struct al_rng *r);

#endif
