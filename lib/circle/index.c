/* The index: circles with their epochs, made from what is noted and from the entries. */
#include <sodium.h>
#include <stdlib.h>

#include "check.h"
#include "circle_int.h"

int list_grow(void *list, uint32_t *cap, uint32_t count, size_t size)
{
    if (count < *cap)
        return 0;
    void *old;
    memcpy(&old, list, sizeof(old));
    uint32_t more = *cap == 0 ? 4 : *cap * 2;
    void *fresh = reallocarray(old, more, size);
    if (fresh == NULL)
        return AL_E_NOMEM;
    memcpy(list, &fresh, sizeof(fresh));
    *cap = more;
    // cppcheck-suppress memleak; the list has it now
    return 0;
}

/* --- circles --------------------------------------------------------------------------------- */

static int circle_order(
    const struct circle *circle, const struct al_identity *owner, const struct al_circle_id *cid)
{
    int order = memcmp(circle->pub.owner.b, owner->b, sizeof(owner->b));
    return order != 0 ? order : memcmp(circle->pub.cid.b, cid->b, sizeof(cid->b));
}

/* Where a circle stands, or would. */
static uint32_t circle_place(
    const struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid)
{
    uint32_t low = 0;
    uint32_t high = c->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (circle_order(c->circles[mid], owner, cid) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct circle *circle_find(
    const struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid)
{
    uint32_t i = circle_place(c, owner, cid);
    return i < c->count && circle_order(c->circles[i], owner, cid) == 0 ? c->circles[i] : NULL;
}

const struct al_circle *al_circles_find(
    const struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid)
{
    const struct circle *circle = circle_find(c, owner, cid);
    return circle == NULL ? NULL : &circle->pub;
}

size_t al_circles_count(const struct al_circles *c)
{
    return c->count;
}

const struct al_circle *al_circles_at(const struct al_circles *c, size_t i)
{
    AL_ASSERT(i < c->count);
    return &c->circles[i]->pub;
}

uint64_t al_circles_version(const struct al_circles *c)
{
    return c->version;
}

const struct al_circle *al_circles_next_unlocked(struct al_circles *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (!c->circles[i]->unlocked)
            continue;
        c->circles[i]->unlocked = false;
        return &c->circles[i]->pub;
    }
    return NULL;
}

const struct al_member *al_circle_member(
    const struct al_circle *circle, const struct al_identity *identity)
{
    uint32_t low = 0;
    uint32_t high = circle->member_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = memcmp(circle->members[mid].identity.b, identity->b, sizeof(identity->b));
        if (order == 0)
            return &circle->members[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

bool al_circle_has(const struct al_circle *circle, const struct al_identity *identity)
{
    const struct al_member *m = al_circle_member(circle, identity);
    return m != NULL && m->in;
}

uint32_t al_circle_size(const struct al_circle *circle)
{
    return members_in(circle->members, circle->member_count);
}

/* --- epochs ---------------------------------------------------------------------------------- */

static void epoch_free(struct epoch *e)
{
    free(e->members);
    sodium_memzero(e, sizeof(*e));
    free(e);
}

static void circle_free(struct circle *circle)
{
    if (circle == NULL)
        return;
    for (uint32_t i = 0; i < circle->epoch_count; i++)
        epoch_free(circle->epochs[i]);
    if (circle->grants != NULL)
        sodium_memzero(circle->grants, circle->grant_count * sizeof(circle->grants[0]));
    free(circle->epochs);
    free(circle->open);
    free(circle->grants);
    free(circle->seen);
    free(circle->asked);
    free(circle->merged);
    free(circle);
}

static uint32_t epoch_place(const struct circle *circle, const struct al_hash *id)
{
    uint32_t low = 0;
    uint32_t high = circle->epoch_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (memcmp(circle->epochs[mid]->fact.ref.id.b, id->b, sizeof(id->b)) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct epoch *epoch_find(const struct circle *circle, const struct al_hash *id)
{
    uint32_t i = epoch_place(circle, id);
    return i < circle->epoch_count && al_hash_eq(&circle->epochs[i]->fact.ref.id, id)
               ? circle->epochs[i]
               : NULL;
}

/* Index |f|; what is more than any honest circle has is passed over. */
static int epoch_add(struct circle *circle, const struct fact *f)
{
    uint32_t i = epoch_place(circle, &f->ref.id);
    struct epoch *e = epoch_find(circle, &f->ref.id);
    if (e != NULL) {
        e->fact = *f;
        return 0;
    }
    if (circle->epoch_count == CIRCLE_EPOCHS_MAX)
        return 0;
    int err = list_grow(
        &circle->epochs, &circle->epoch_cap, circle->epoch_count, sizeof(circle->epochs[0]));
    e = err == 0 ? calloc(1, sizeof(*e)) : NULL;
    if (e == NULL)
        return AL_E_NOMEM;
    e->fact = *f;
    memmove(&circle->epochs[i + 1], &circle->epochs[i],
        (circle->epoch_count - i) * sizeof(circle->epochs[0]));
    circle->epochs[i] = e;
    circle->epoch_count++;
    return 0;
}

/* Open what can be opened, until what that grants brings nothing more. */
static int unlock_all(struct al_circles *c, struct circle *circle)
{
    uint32_t before;
    do {
        before = circle->open_count;
        for (uint32_t i = 0; i < circle->epoch_count; i++) {
            struct epoch *e = circle->epochs[i];
            int err = e->open ? 0 : epoch_unlock(c, circle, e);
            if (err != 0)
                return err;
        }
    } while (circle->open_count > before && circle->grant_count > 0);
    return 0;
}

/* Make the circle's state from its epochs; keeps in memory the lists of those that count. */
static int settle(struct al_circles *c, struct circle *circle)
{
    circle_find_heads(circle);
    for (uint32_t i = 0; i < circle->open_count; i++) {
        struct epoch *e = circle->open[i];
        int err = 0;
        if (circle_merges(circle, e)) {
            err = e->members == NULL ? epoch_unlock(c, circle, e) : 0;
        } else {
            free(e->members);
            e->members = NULL;
            e->count = 0;
        }
        if (err != 0)
            return err;
    }
    c->version++;
    return circle_merge(c, circle);
}

/* --- making a circle from what is noted ------------------------------------------------------ */

static int load_epoch(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_identity owner;
    struct al_circle_id cid;
    struct al_hash id;
    struct fact f;
    if (key.n != FACT_EPOCH_KEY_BYTES)
        return AL_E_CORRUPT;
    fact_key_read(&owner, &cid, &id, key);
    int err = fact_read(&f, &id, value);
    return err != 0 ? err : epoch_add(arg, &f);
}

static int load_asked(void *arg, struct al_slice key, struct al_slice value)
{
    struct circle *circle = arg;
    if (key.n != FACT_EPOCH_KEY_BYTES || value.n != 8)
        return AL_E_CORRUPT;
    int err = list_grow(
        &circle->asked, &circle->asked_cap, circle->asked_count, sizeof(circle->asked[0]));
    if (err != 0)
        return err;
    struct asked *asked = &circle->asked[circle->asked_count++];
    memcpy(asked->who.b, key.p + FACT_CIRCLE_KEY_BYTES, sizeof(asked->who.b));
    asked->n = al_u64be_read(value.p);
    return 0;
}

static int load(struct al_circles *c, struct circle *circle)
{
    uint8_t key[FACT_CIRCLE_KEY_BYTES];
    struct al_slice prefix = al_slice_of(key, sizeof(key));
    fact_circle_key(key, FACT_EPOCH, &circle->pub.owner, &circle->pub.cid);
    int err = al_store_kv_scan(c->store, AL_SPACE_CIRCLE, prefix, load_epoch, circle);
    fact_circle_key(key, FACT_ASKED, &circle->pub.owner, &circle->pub.cid);
    if (err == 0)
        err = al_store_kv_scan(c->store, AL_SPACE_CIRCLE, prefix, load_asked, circle);
    if (err == 0)
        err = unlock_all(c, circle);
    if (err == 0 && circle->open_count > 0)
        err = settle(c, circle);
    return err;
}

/* Put |fresh| in the place of what is known of that circle; without a key there is none. */
static int replace(struct al_circles *c, struct circle *fresh)
{
    uint32_t i = circle_place(c, &fresh->pub.owner, &fresh->pub.cid);
    struct circle *old = circle_find(c, &fresh->pub.owner, &fresh->pub.cid);
    bool kept = fresh->open_count > 0;
    if (old != NULL) {
        fresh->unlocked = old->unlocked || fresh->open_count > old->open_count;
        circle_free(old);
        c->circles[i] = fresh;
        if (kept)
            return 0;
        c->count--;
        memmove(&c->circles[i], &c->circles[i + 1], (c->count - i) * sizeof(c->circles[0]));
    } else if (kept) {
        int err = list_grow(&c->circles, &c->cap, c->count, sizeof(c->circles[0]));
        if (err != 0) {
            circle_free(fresh);
            return err;
        }
        memmove(&c->circles[i + 1], &c->circles[i], (c->count - i) * sizeof(c->circles[0]));
        c->circles[i] = fresh;
        c->count++;
        return 0;
    }
    circle_free(fresh);
    return 0;
}

int circle_reload(
    struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid)
{
    struct circle *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return AL_E_NOMEM;
    fresh->pub.owner = *owner;
    fresh->pub.cid = *cid;
    fresh->pub.mine = al_identity_eq(owner, &c->keyring->identity);
    keys_derive(c);
    c->version++;
    int err = load(c, fresh);
    if (err == 0)
        return replace(c, fresh);
    circle_free(fresh);
    return err;
}

int index_fact(struct al_circles *c, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f)
{
    struct circle *circle = circle_find(c, owner, cid);
    if (circle == NULL)
        return f->box == 0 ? 0 : circle_reload(c, owner, cid);
    int err = epoch_add(circle, f);
    if (err == 0)
        err = unlock_all(c, circle);
    return err != 0 ? err : settle(c, circle);
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Circles to be made anew, as a scan over the facts finds them. */
struct stale {
    struct al_circles *c;
    struct circle_name {
        struct al_identity owner;
        struct al_circle_id cid;
    } * names;
    uint32_t count, cap;
};

static int stale_add(
    struct stale *s, const struct al_identity *owner, const struct al_circle_id *cid)
{
    struct circle_name *last = s->count == 0 ? NULL : &s->names[s->count - 1];
    if (last != NULL && al_identity_eq(&last->owner, owner) &&
        memcmp(last->cid.b, cid->b, sizeof(cid->b)) == 0)
        return 0;
    int err = list_grow(&s->names, &s->cap, s->count, sizeof(s->names[0]));
    if (err != 0)
        return err;
    AL_ASSERT(s->names != NULL);
    s->names[s->count++] = (struct circle_name){.owner = *owner, .cid = *cid};
    return 0;
}

static bool fact_same(const struct fact *a, const struct fact *b)
{
    return a->tried == b->tried && a->box == b->box && a->generation == b->generation &&
           a->hidden == b->hidden;
}

static int find_stale(void *arg, struct al_slice key, struct al_slice value)
{
    struct stale *s = arg;
    struct al_identity owner;
    struct al_circle_id cid;
    struct al_hash id;
    struct fact f;
    if (key.n != FACT_EPOCH_KEY_BYTES)
        return AL_E_CORRUPT;
    fact_key_read(&owner, &cid, &id, key);
    int err = fact_read(&f, &id, value);
    if (err != 0)
        return err;
    if (f.box == 0 && f.tried > 0 && f.tried < s->c->keyring->generation)
        s->c->tried = f.tried; /* some are to be tried with a newer key */
    const struct circle *circle = circle_find(s->c, &owner, &cid);
    struct epoch *e = circle == NULL ? NULL : epoch_find(circle, &id);
    if (e != NULL)
        e->noted = true;
    bool fits = circle == NULL ? f.box == 0
                : e == NULL    ? circle->epoch_count == CIRCLE_EPOCHS_MAX
                               : fact_same(&e->fact, &f) && (e->open || e->bad || f.box == 0);
    return fits ? 0 : stale_add(s, &owner, &cid);
}

/* Those of which something was noted that is not any more. */
static int find_gone(struct stale *s)
{
    for (uint32_t i = 0; i < s->c->count; i++) {
        const struct circle *circle = s->c->circles[i];
        bool gone = false;
        for (uint32_t k = 0; k < circle->epoch_count; k++) {
            gone = gone || !circle->epochs[k]->noted;
            circle->epochs[k]->noted = false;
        }
        int err = gone ? stale_add(s, &circle->pub.owner, &circle->pub.cid) : 0;
        if (err != 0)
            return err;
    }
    return 0;
}

int al_circles_relearn(struct al_circles *c)
{
    struct stale s = {.c = c};
    uint8_t prefix = FACT_EPOCH;
    keys_derive(c);
    int err = al_store_kv_scan(c->store, AL_SPACE_CIRCLE, al_slice_of(&prefix, 1), find_stale, &s);
    if (err == 0)
        err = find_gone(&s);
    for (uint32_t i = 0; err == 0 && i < s.count; i++)
        err = circle_reload(c, &s.names[i].owner, &s.names[i].cid);
    free(s.names);
    return err;
}

static int load_waiting(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_circles *c = arg;
    struct al_identity owner;
    struct waiting *w;
    (void)value;
    if (key.n != FACT_WAITING_KEY_BYTES)
        return AL_E_CORRUPT;
    memcpy(owner.b, key.p + 1, sizeof(owner.b));
    int err = owner_add(c, &w, &owner);
    if (err == 0)
        w->waits = true;
    return err;
}

int al_circles_new(
    struct al_circles **ret, struct al_store *store, const struct al_keyring *keyring)
{
    uint8_t prefix = FACT_WAITING;
    struct al_circles *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    c->store = store;
    c->keyring = keyring;
    c->tried = keyring->generation;
    int err = al_circles_relearn(c);
    if (err == 0)
        err = al_store_kv_scan(store, AL_SPACE_CIRCLE, al_slice_of(&prefix, 1), load_waiting, c);
    if (err != 0) {
        al_circles_free(c);
        return err;
    }
    while (al_circles_next_unlocked(c) != NULL)
        continue; /* what a load opens is no news */
    *ret = c;
    return 0;
}

void al_circles_free(struct al_circles *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->count; i++)
        circle_free(c->circles[i]);
    free(c->circles);
    free(c->owners);
    free(c->left);
    sodium_memzero(c, sizeof(*c));
    free(c);
}
