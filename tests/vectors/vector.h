/* Reading vectors back. */
#ifndef VECTOR_H
#define VECTOR_H

#include <jansson.h>

#include "bytes.h"

/* The topics, and how many vectors each file holds. */
#define VECTOR_TOPICS(X)                                                                           \
    X(scan, 110)                                                                                   \
    X(hash, 18)                                                                                    \
    X(id, 11)                                                                                      \
    X(header, 24)                                                                                  \
    X(genesis, 3)                                                                                  \
    X(segment, 35)                                                                                 \
    X(padding, 18)                                                                                 \
    X(sealed, 27)                                                                                  \
    X(statement, 47)                                                                               \
    X(digest, 5)                                                                                   \
    X(fork, 17)                                                                                    \
    X(excerpt, 10)                                                                                 \
    X(keys, 3)                                                                                     \
    X(circle, 19)                                                                                  \
    X(box, 10)                                                                                     \
    X(meta, 25)                                                                                    \
    X(old, 9)                                                                                      \
    X(epoch, 6)                                                                                    \
    X(attachment, 28)                                                                              \
    X(piece, 8)                                                                                    \
    X(boot, 4)                                                                                     \
    X(handshake, 9)                                                                                \
    X(frame, 12)                                                                                   \
    X(message, 121)                                                                                \
    X(interests, 4)                                                                                \
    X(payload, 96)                                                                                 \
    X(invite, 21)                                                                                  \
    X(address, 11)                                                                                 \
    X(host, 20)                                                                                    \
    X(beacon, 3)

/*
 * Read the file of |topic| and call |check| with each vector and its bytes: it returns the error
 * that the code says, which must be the one the vector names, and asserts what a valid one means.
 */
void vector_run(
    const char *topic, int (*check)(const json_t *v, struct al_slice bytes), size_t count);

/* The bytes of a field in hex, kept until the next call of vector_run()'s |check|. */
struct al_slice vector_hex(const json_t *v, const char *key);

uint64_t vector_uint(const json_t *v, const char *key);
struct al_slice vector_text(const json_t *v, const char *key);

/* Assert that |key| holds just these bytes. */
void vector_expect(const json_t *v, const char *key, const void *p, size_t n);

#define TOPIC(name, count) int check_##name(const json_t *v, struct al_slice bytes);
VECTOR_TOPICS(TOPIC)
#undef TOPIC

#endif
