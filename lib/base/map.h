/*
 * A hash map from keys of one fixed size to pointers. Hashed with SipHash-2-4 under a secret of the
 * caller, so that a peer who chooses keys can't choose collisions; walked in the order of
 * insertion, so that the secret never decides what happens next.
 */
#ifndef AL_MAP_H
#define AL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct al_map;

/* Where a walk stands; zeroed at its start. */
struct al_map_walk {
    size_t at;
    uint64_t order;
};

/* An empty map of keys of |key_bytes| (at least 1). NULL: no memory. */
struct al_map *al_map_new(size_t key_bytes, const uint8_t secret[16]);

/* Free the map, not what its values point to. NULL is allowed. */
void al_map_free(struct al_map *m);

size_t al_map_count(const struct al_map *m);

/* The value of |key|, NULL when there is none. */
void *al_map_get(const struct al_map *m, const void *key);

/*
 * Set the value of |key|, which is copied; |value| is not NULL. A key that is there keeps its place
 * in the order. Returns 0, or AL_E_NOMEM with the map as it was.
 */
AL_MUST_CHECK
int al_map_put(struct al_map *m, const void *key, void *value);

/* Remove |key| and return its value, NULL when it is not there. */
void *al_map_remove(struct al_map *m, const void *key);

/*
 * Step to the next value, in the order of insertion: false at the end. |ret_key| may be NULL; the
 * key lives until the next al_map_put(). Between two steps any key may be removed or added: a
 * removed one is not visited any more, an added one is.
 */
bool al_map_next(
    const struct al_map *m, struct al_map_walk *walk, const void **ret_key, void **ret_value);

#endif
