/* Taking in: which entries are tried when, what becomes of them, and what the root takes back. */
#include <stdlib.h>

#include "circle_int.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

/* --- budgets --------------------------------------------------------------------------------- */

struct waiting *owner_of(const struct al_circles *c, const struct al_identity *owner)
{
    for (uint32_t i = 0; i < c->owner_count; i++) {
        if (al_identity_eq(&c->owners[i].owner, owner))
            return &c->owners[i];
    }
    return NULL;
}

int owner_add(struct al_circles *c, struct waiting **ret, const struct al_identity *owner)
{
    struct waiting *w = owner_of(c, owner);
    if (w == NULL) {
        int err = list_grow(&c->owners, &c->owner_cap, c->owner_count, sizeof(c->owners[0]));
        if (err != 0)
            return err;
        w = &c->owners[c->owner_count++];
        *w = (struct waiting){.owner = *owner, .since_ms = c->now_ms};
    }
    *ret = w;
    return 0;
}

static void set_now(struct al_circles *c, struct al_now now)
{
    if (c->at_ms != now.mono_ms)
        c->at_once = 0;
    c->at_ms = c->now_ms = now.mono_ms;
}

/* One's own circles are as many as one likes. */
static bool affords(const struct al_circles *c, const struct waiting *w)
{
    return w->used < AL_CIRCLE_TRIES_PER_DAY || c->now_ms - w->since_ms >= DAY_MS ||
           al_identity_eq(&w->owner, &c->keyring->identity);
}

static void spend(struct al_circles *c, struct waiting *w)
{
    if (c->now_ms - w->since_ms >= DAY_MS) {
        w->since_ms = c->now_ms;
        w->used = 0;
    }
    w->used++;
    c->at_once++;
}

uint64_t al_circles_deadline(const struct al_circles *c)
{
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < c->owner_count; i++) {
        const struct waiting *w = &c->owners[i];
        uint64_t next = affords(c, w) ? c->now_ms + 1 : w->since_ms + DAY_MS;
        if (w->waits && next < at)
            at = next;
    }
    return c->tried < c->keyring->generation ? c->now_ms + 1 : at;
}

/* What a scan has found: keys of facts, to be worked on after it. */
struct found {
    struct al_circles *c;
    struct found_key {
        struct al_identity owner;
        struct al_circle_id cid;
        struct al_hash id;
    } * keys;
    uint32_t count, cap;
    const struct al_device *device; /* of those to be hidden */
    const struct al_logname *log;
    uint64_t first, last;
};

static int set_hidden(
    struct al_circles *c, struct fact *ret, const struct found_key *k, bool hidden)
{
    struct circle *circle = circle_find(c, &k->owner, &k->cid);
    struct epoch *e = circle == NULL ? NULL : epoch_find(circle, &k->id);
    int err = fact_get(c->store, ret, &k->owner, &k->cid, &k->id);
    if (err != 0)
        return err;
    ret->hidden = hidden;
    if (e != NULL)
        e->fact.hidden = hidden;
    return fact_put(c->store, &k->owner, &k->cid, ret);
}

static bool same_circle(const struct found_key *a, const struct found_key *b)
{
    return al_identity_eq(&a->owner, &b->owner) &&
           memcmp(a->cid.b, b->cid.b, sizeof(a->cid.b)) == 0;
}

/* --- entries that arrive --------------------------------------------------------------------- */

static void describe(struct fact *f, const struct al_ref *ref, const struct al_place *place,
    const struct al_circle_entry *entry)
{
    *f = (struct fact){.ref = *ref, .prev = place->prev, .n = entry->n};
    f->parent_count = entry->parent_count;
    for (uint32_t i = 0; i < entry->parent_count; i++) {
        struct al_ref parent;
        al_circle_parent(&parent, entry, i);
        f->parents[i] = parent.id;
    }
}

/* It came back: the root lets it count again, or its payload had been missing. */
static int take_again(struct al_circles *c, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f)
{
    const struct found_key k = {.owner = *owner, .cid = *cid, .id = f->ref.id};
    struct fact now = *f;
    int err = f->hidden ? set_hidden(c, &now, &k, false) : 0;
    return err == 0 ? index_fact(c, owner, cid, &now) : err;
}

int al_circles_take(struct al_circles *c, const struct al_identity *owner, const struct al_ref *ref,
    const struct al_place *place, const struct al_payload *p, struct al_now now)
{
    struct al_circle_entry entry;
    struct fact f;
    struct waiting *w;
    if (al_circle_open(&entry, p) != 0 || entry.n == UINT64_MAX)
        return 0;
    set_now(c, now);
    keys_derive(c);
    int err = fact_get(c->store, &f, owner, &entry.cid, &ref->id);
    if (err != AL_E_NOT_FOUND)
        return err != 0 ? err : take_again(c, owner, &entry.cid, &f);
    err = owner_add(c, &w, owner);
    if (err != 0)
        return err;
    describe(&f, ref, place, &entry);
    bool own_hand = al_device_eq(&ref->device, &c->keyring->device);
    if (own_hand || (c->at_once < AL_CIRCLE_TRIES_AT_ONCE && affords(c, w))) {
        if (!own_hand)
            spend(c, w);
        keys_find_box(c, &f, owner, &entry);
    } else {
        w->waits = true;
        err = fact_wait(c->store, owner, &entry.cid, &f, true);
    }
    if (err == 0)
        err = fact_put(c->store, owner, &entry.cid, &f);
    return err != 0 ? err : index_fact(c, owner, &entry.cid, &f);
}

/* --- entries that waited --------------------------------------------------------------------- */

static int found_add(struct found *found, struct al_slice key)
{
    int err = list_grow(&found->keys, &found->cap, found->count, sizeof(found->keys[0]));
    if (err != 0)
        return err;
    struct found_key *k = &found->keys[found->count++];
    fact_key_read(&k->owner, &k->cid, &k->id, key);
    return 0;
}

static int first_waiting(void *arg, struct al_slice key, struct al_slice value)
{
    (void)value;
    int err = found_add(arg, key);
    return err != 0 ? err : 1;
}

/* The first of |owner| that waits; AL_E_NOT_FOUND. */
static int next_waiting(
    struct al_circles *c, struct found_key *ret, const struct al_identity *owner)
{
    uint8_t prefix[33] = {FACT_WAITING};
    struct found found = {.c = c};
    memcpy(prefix + 1, owner->b, sizeof(owner->b));
    int err = al_store_kv_scan(
        c->store, AL_SPACE_CIRCLE, al_slice_of(prefix, sizeof(prefix)), first_waiting, &found);
    if (err == 1)
        *ret = found.keys[0];
    free(found.keys);
    return err == 1 ? 0 : err == 0 ? AL_E_NOT_FOUND : err;
}

static int try_waiting(struct al_circles *c, const struct found_key *k)
{
    struct fact f;
    struct al_payload p;
    struct al_circle_entry entry;
    int err = fact_get(c->store, &f, &k->owner, &k->cid, &k->id);
    if (err == 0)
        err = fact_wait(c->store, &k->owner, &k->cid, &f, false);
    if (err != 0)
        return err;
    err = fact_load(c->store, &f, &p, &entry);
    if (err == AL_E_NOT_FOUND)
        return 0; /* its payload has gone since */
    if (err == 0) {
        keys_find_box(c, &f, &k->owner, &entry);
        err = fact_put(c->store, &k->owner, &k->cid, &f);
    }
    return err != 0 ? err : index_fact(c, &k->owner, &k->cid, &f);
}

static int find_shut(void *arg, struct al_slice key, struct al_slice value)
{
    struct found *found = arg;
    struct al_hash id = {.b = {0}};
    struct fact f;
    int err = fact_read(&f, &id, value);
    if (err == 0 && f.box == 0 && f.tried < found->c->keyring->generation)
        err = found_add(found, key);
    return err;
}

/* A newer generation has come: whatever did not open so far waits again. */
static int queue_shut(struct al_circles *c)
{
    struct found found = {.c = c};
    uint8_t prefix = FACT_EPOCH;
    int err =
        al_store_kv_scan(c->store, AL_SPACE_CIRCLE, al_slice_of(&prefix, 1), find_shut, &found);
    for (uint32_t i = 0; err == 0 && i < found.count; i++) {
        const struct found_key *k = &found.keys[i];
        struct waiting *w;
        struct fact f;
        err = fact_get(c->store, &f, &k->owner, &k->cid, &k->id);
        if (err == 0)
            err = fact_wait(c->store, &k->owner, &k->cid, &f, true);
        if (err == 0)
            err = owner_add(c, &w, &k->owner);
        if (err == 0)
            w->waits = true;
    }
    free(found.keys);
    if (err == 0)
        c->tried = c->keyring->generation;
    return err;
}

int al_circles_retry(struct al_circles *c, struct al_now now)
{
    set_now(c, now);
    keys_derive(c);
    int err = c->tried < c->keyring->generation ? queue_shut(c) : 0;
    for (uint32_t i = 0; err == 0 && i < c->owner_count; i++) {
        struct waiting *w = &c->owners[i];
        while (err == 0 && w->waits && affords(c, w) && c->at_once < AL_CIRCLE_TRIES_AT_ONCE) {
            struct found_key k;
            err = next_waiting(c, &k, &w->owner);
            w->waits = err == 0;
            if (err == 0) {
                spend(c, w);
                err = try_waiting(c, &k);
            } else if (err == AL_E_NOT_FOUND) {
                err = 0;
            }
        }
    }
    return err;
}

/* --- entries that count no more -------------------------------------------------------------- */

static int find_of_log(void *arg, struct al_slice key, struct al_slice value)
{
    struct found *found = arg;
    struct al_hash id = {.b = {0}};
    struct fact f;
    int err = fact_read(&f, &id, value);
    if (err != 0)
        return err;
    bool fits = al_device_eq(&f.ref.device, found->device) &&
                al_logname_eq(&f.ref.log, found->log) && f.ref.seq >= found->first &&
                f.ref.seq <= found->last;
    return fits ? found_add(found, key) : 0;
}

int al_circles_hide(struct al_circles *c, const struct al_identity *owner,
    const struct al_device *device, const struct al_logname *log, uint64_t first, uint64_t last)
{
    struct found found = {.c = c, .device = device, .log = log, .first = first, .last = last};
    uint8_t prefix[33] = {FACT_EPOCH};
    memcpy(prefix + 1, owner->b, sizeof(owner->b));
    int err = al_store_kv_scan(
        c->store, AL_SPACE_CIRCLE, al_slice_of(prefix, sizeof(prefix)), find_of_log, &found);
    /* those of one circle follow one another: what it is without them is found out once */
    for (uint32_t i = 0; err == 0 && i < found.count; i++) {
        const struct found_key *k = &found.keys[i];
        struct fact f;
        err = set_hidden(c, &f, k, true);
        if (err == 0 && (i + 1 == found.count || !same_circle(k, k + 1)))
            err = index_fact(c, owner, &k->cid, &f);
    }
    free(found.keys);
    return err;
}

/* --- leaving --------------------------------------------------------------------------------- */

int al_circles_take_leave(
    struct al_circles *c, const struct al_circle *circle, const struct al_identity *who, uint64_t n)
{
    uint8_t key[FACT_EPOCH_KEY_BYTES];
    uint8_t value[8];
    struct circle *own = circle_find(c, &circle->owner, &circle->cid);
    if (own == NULL || al_identity_eq(who, &circle->owner))
        return 0;
    struct asked *asked = NULL;
    for (uint32_t i = 0; i < own->asked_count; i++) {
        if (al_identity_eq(&own->asked[i].who, who))
            asked = &own->asked[i];
    }
    if (asked != NULL && asked->n >= n)
        return 0;
    if (asked == NULL) {
        int err = list_grow(&own->asked, &own->asked_cap, own->asked_count, sizeof(own->asked[0]));
        if (err != 0)
            return err;
        asked = &own->asked[own->asked_count++];
        asked->who = *who;
    }
    asked->n = n;
    c->version++;
    fact_circle_key(key, FACT_ASKED, &circle->owner, &circle->cid);
    memcpy(key + FACT_CIRCLE_KEY_BYTES, who->b, sizeof(who->b));
    al_u64be(value, n);
    return al_store_kv_put(c->store, AL_SPACE_CIRCLE, al_slice_of(key, sizeof(key)),
        al_slice_of(value, sizeof(value)));
}

int al_circles_choose_left(struct al_circles *c, const struct al_identity *owner,
    const struct al_circle_id *cid, uint64_t n)
{
    struct left *left = NULL;
    for (uint32_t i = 0; i < c->left_count; i++) {
        if (al_identity_eq(&c->left[i].owner, owner) &&
            memcmp(c->left[i].cid.b, cid->b, sizeof(cid->b)) == 0)
            left = &c->left[i];
    }
    if (left == NULL) {
        int err = list_grow(&c->left, &c->left_cap, c->left_count, sizeof(c->left[0]));
        if (err != 0)
            return err;
        left = &c->left[c->left_count++];
        *left = (struct left){.owner = *owner, .cid = *cid};
    }
    left->n = n;
    c->version++;
    struct circle *circle = circle_find(c, owner, cid);
    return circle == NULL ? 0 : circle_merge(c, circle);
}
