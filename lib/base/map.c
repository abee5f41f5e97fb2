#include "map.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define FIRST_CAP 8

/*
 * Entries stand in the order of insertion; the removed ones stay, with value NULL, until there is
 * no room for one more and the rest moves together. The index has two slots an entry, so it is
 * never more than half full and needs no marks for what was removed.
 */
struct entry {
    void *value;    /* NULL: removed */
    uint64_t order; /* ascending, never used again */
    uint64_t hash;
};

struct al_map {
    struct entry *entries;
    uint8_t *keys;   /* of entry i at i * key_bytes */
    uint32_t *index; /* 2 * cap slots: 0, or the number of an entry plus one */
    size_t used;     /* entries, removed ones included */
    size_t cap;      /* a power of two, or 0 */
    size_t count;    /* entries that live */
    size_t key_bytes;
    uint64_t next_order;
    uint8_t secret[16];
};

static_assert(sizeof(((struct al_map *)0)->secret) == crypto_shorthash_KEYBYTES, "a SipHash key");

struct al_map *al_map_new(size_t key_bytes, const uint8_t secret[16])
{
    AL_ASSERT(key_bytes >= 1);
    struct al_map *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return NULL;
    m->key_bytes = key_bytes;
    m->next_order = 1;
    memcpy(m->secret, secret, sizeof(m->secret));
    return m;
}

void al_map_free(struct al_map *m)
{
    if (m == NULL)
        return;
    free(m->entries);
    free(m->keys);
    free(m->index);
    free(m);
}

size_t al_map_count(const struct al_map *m)
{
    return m->count;
}

static uint64_t hash_of(const struct al_map *m, const void *key)
{
    uint64_t h;
    static_assert(sizeof(h) == crypto_shorthash_BYTES, "SipHash gives 64 bits");
    (void)crypto_shorthash((uint8_t *)&h, key, m->key_bytes, m->secret);
    return h;
}

static uint8_t *key_at(const struct al_map *m, size_t i)
{
    return m->keys + i * m->key_bytes;
}

static struct entry *find(const struct al_map *m, const void *key, uint64_t hash)
{
    if (m->count == 0)
        return NULL;
    size_t mask = 2 * m->cap - 1;
    for (size_t slot = hash & mask; m->index[slot] != 0; slot = (slot + 1) & mask) {
        size_t i = m->index[slot] - 1;
        struct entry *e = &m->entries[i];
        if (e->value != NULL && e->hash == hash && memcmp(key_at(m, i), key, m->key_bytes) == 0)
            return e;
    }
    return NULL;
}

static void index_add(struct al_map *m, size_t i)
{
    size_t mask = 2 * m->cap - 1;
    size_t slot = m->entries[i].hash & mask;
    while (m->index[slot] != 0)
        slot = (slot + 1) & mask;
    m->index[slot] = (uint32_t)i + 1;
}

/* Move the living entries together into arrays with room for at least as many more. */
static int rebuild(struct al_map *m)
{
    size_t cap = FIRST_CAP;
    while (cap < m->count * 2)
        cap *= 2;
    if (cap >= UINT32_MAX / 2)
        return AL_E_NOMEM;
    struct entry *entries = calloc(cap, sizeof(*entries));
    uint8_t *keys = calloc(cap, m->key_bytes);
    uint32_t *index = calloc(2 * cap, sizeof(*index));
    if (entries == NULL || keys == NULL || index == NULL) {
        free(entries);
        free(keys);
        free(index);
        return AL_E_NOMEM;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].value == NULL)
            continue;
        entries[n] = m->entries[i];
        memcpy(keys + n * m->key_bytes, key_at(m, i), m->key_bytes);
        n++;
    }
    free(m->entries);
    free(m->keys);
    free(m->index);
    m->entries = entries;
    m->keys = keys;
    m->index = index;
    m->used = n;
    m->cap = cap;
    for (size_t i = 0; i < n; i++)
        index_add(m, i);
    return 0;
}

void *al_map_get(const struct al_map *m, const void *key)
{
    const struct entry *e = find(m, key, hash_of(m, key));
    return e == NULL ? NULL : e->value;
}

int al_map_put(struct al_map *m, const void *key, void *value)
{
    AL_ASSERT(value != NULL);
    uint64_t hash = hash_of(m, key);
    struct entry *e = find(m, key, hash);
    if (e != NULL) {
        e->value = value;
        return 0;
    }
    if (m->used == m->cap) {
        int err = rebuild(m);
        if (err != 0)
            return err;
    }
    size_t i = m->used++;
    m->entries[i] = (struct entry){.value = value, .order = m->next_order++, .hash = hash};
    memcpy(key_at(m, i), key, m->key_bytes);
    index_add(m, i);
    m->count++;
    return 0;
}

void *al_map_remove(struct al_map *m, const void *key)
{
    struct entry *e = find(m, key, hash_of(m, key));
    if (e == NULL)
        return NULL;
    void *value = e->value;
    e->value = NULL;
    m->count--;
    return value;
}

/* The first entry after |order|. */
static size_t first_after(const struct al_map *m, uint64_t order)
{
    size_t low = 0, high = m->used;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->entries[mid].order <= order)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool al_map_next(
    const struct al_map *m, struct al_map_walk *walk, const void **ret_key, void **ret_value)
{
    size_t i = walk->at;
    /* Entries moved together since the last step: find the place again. */
    if (i > 0 && (i > m->used || m->entries[i - 1].order != walk->order))
        i = first_after(m, walk->order);
    while (i < m->used && m->entries[i].value == NULL)
        i++;
    if (i >= m->used)
        return false;
    if (ret_key != NULL)
        *ret_key = key_at(m, i);
    *ret_value = m->entries[i].value;
    walk->order = m->entries[i].order;
    walk->at = i + 1;
    return true;
}
