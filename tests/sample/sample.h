/* People, keys and runs of entries made from small numbers: the same in every run. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "bytes.h"
#include "segment.h"

#define SAMPLE_TIME UINT64_C(1700000000000)

struct sample_person {
    struct al_identity identity;
    uint8_t root_secret[64];
    struct al_device device;
    uint8_t device_secret[64];
    struct al_logname log;
};

/* |n| bytes that depend on |seed| alone. */
void sample_bytes(void *out, size_t n, uint64_t seed);

/* The person number |n|. */
struct sample_person sample_person(uint64_t n);

/*
 * A run of |count| entries of |p| from |first| on after |prev| (NULL: the genesis), all inline,
 * |size| bytes each, one second apart, signed. |payloads| holds count * size bytes and is filled
 * from |seed|.
 */
void sample_segment(struct al_segment *out, const struct sample_person *p, uint64_t first,
    const struct al_hash *prev, uint32_t count, uint8_t *payloads, size_t size, uint64_t seed);

/* Compute the ids of |s| from its other fields and sign the last. */
void sample_sign(struct al_segment *s, const struct sample_person *p);

#endif
