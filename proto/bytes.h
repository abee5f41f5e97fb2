/*
 * Slices, buffers, and one type for each kind of 32 bytes, so that an identity can't be passed
 * where a device belongs.
 */
#ifndef AL_BYTES_H
#define AL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes; |p| may be NULL when |n| is 0. */
struct al_slice {
    const uint8_t *p;
    size_t n;
};

struct al_identity { /* Ed25519 root public key: a person */
    uint8_t b[32];
};
struct al_device { /* Ed25519 public key of one machine of that person */
    uint8_t b[32];
};
struct al_hash { /* BLAKE2b-256: entry ids, payload hashes, digests */
    uint8_t b[32];
};
struct al_sig { /* Ed25519 signature */
    uint8_t b[64];
};
struct al_logname { /* names a log together with its device */
    uint8_t b[8];
};
struct al_network { /* names a network */
    uint8_t b[32];
};

/* One entry, by its place and by its content. */
struct al_ref {
    struct al_device device;
    struct al_logname log;
    uint64_t seq;
    struct al_hash id;
};

/*
 * Bytes being written. Fixed when |grow| is NULL. When a write does not fit, |full| is set, and
 * that and every later write is dropped: check once, at the end.
 */
struct al_buf {
    uint8_t *p;
    size_t n;   /* written */
    size_t cap; /* of |p| */
    bool full;
    bool (*grow)(struct al_buf *b, size_t need); /* make |cap| at least |need|; false: no memory */
};

/* A fixed buffer over |cap| bytes at |p|, which the caller keeps. */
struct al_buf al_buf_fixed(uint8_t *p, size_t cap);

/* Append |n| bytes, growing if the buffer can. */
void al_buf_put(struct al_buf *b, const void *p, size_t n);

/* Append |v| as 8 bytes, big-endian. */
void al_buf_put_u64be(struct al_buf *b, uint64_t v);

static inline struct al_slice al_slice_of(const void *p, size_t n)
{
    return (struct al_slice){.p = p, .n = n};
}

static inline struct al_slice al_slice_str(const char *s)
{
    return (struct al_slice){.p = (const uint8_t *)s, .n = strlen(s)};
}

static inline struct al_slice al_buf_slice(const struct al_buf *b)
{
    return (struct al_slice){.p = b->p, .n = b->n};
}

/* Where |s| ends; also of an empty slice without bytes, where adding is not allowed in C. */
static inline const uint8_t *al_slice_end(struct al_slice s)
{
    return s.n == 0 ? s.p : s.p + s.n;
}

static inline bool al_slice_eq(struct al_slice a, struct al_slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool al_slice_is(struct al_slice a, const char *s)
{
    return al_slice_eq(a, al_slice_str(s));
}

/* Order of bytes, shorter first on a common prefix: <0, 0, >0. */
int al_slice_cmp(struct al_slice a, struct al_slice b);

static inline bool al_identity_eq(const struct al_identity *a, const struct al_identity *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool al_device_eq(const struct al_device *a, const struct al_device *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool al_logname_eq(const struct al_logname *a, const struct al_logname *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool al_hash_eq(const struct al_hash *a, const struct al_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* 8 bytes, big-endian. */
void al_u64be(uint8_t out[8], uint64_t v);
uint64_t al_u64be_read(const uint8_t in[8]);

#endif
