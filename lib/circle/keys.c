/* Keys: finding our box, opening epochs, and opening what was sealed under them. */
#include <sodium.h>
#include <stdlib.h>

#include "check.h"
#include "circle_int.h"

void keys_derive(struct al_circles *c)
{
    uint32_t top = c->keyring->generation;
    if (c->derived == top)
        return;
    for (uint32_t g = top; g > 0; g--) {
        if (g == top)
            memcpy(c->read_sk[g - 1], c->keyring->read_sk, sizeof(c->read_sk[0]));
        else
            al_read_key_down(c->read_sk[g - 1], c->read_sk[g]);
        al_read_key_public(c->read_pk[g - 1], c->read_sk[g - 1]);
        al_sealed_me_key(c->me_key[g - 1], c->read_sk[g - 1]);
    }
    c->derived = top;
}

void keys_find_box(const struct al_circles *c, struct fact *f, const struct al_identity *owner,
    const struct al_circle_entry *entry)
{
    for (uint32_t g = c->derived; g > f->tried; g--) {
        for (uint32_t i = 0; i < entry->box_count; i++) {
            uint8_t key[AL_EPOCH_KEY_BYTES];
            int err = al_circle_box_open(key, al_circle_box(entry, i), owner, &entry->cid, entry->n,
                c->read_sk[g - 1], c->read_pk[g - 1]);
            sodium_memzero(key, sizeof(key));
            if (err != 0)
                continue;
            f->box = i + 1;
            f->generation = g;
            f->tried = c->derived;
            return;
        }
    }
    f->tried = c->derived;
}

int fact_load(
    struct al_store *store, const struct fact *f, struct al_payload *p, struct al_circle_entry *ret)
{
    struct al_store_log log;
    struct al_store_row row;
    int err = al_store_log_find(store, &log, &f->ref.device, &f->ref.log);
    if (err == 0)
        err = al_store_get(store, &row, log.no, f->ref.seq);
    if (err != 0)
        return err;
    if (!al_hash_eq(&row.id, &f->ref.id) || row.payload.n == 0 ||
        al_payload_open(p, row.payload, false) != 0 || al_circle_open(ret, p) != 0)
        return AL_E_NOT_FOUND;
    return 0;
}

/* --- what later epochs grant ----------------------------------------------------------------- */

/* Where |id| stands among the grants, or would. */
static uint32_t grant_place(const struct circle *circle, const struct al_hash *id)
{
    uint32_t low = 0;
    uint32_t high = circle->grant_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (memcmp(circle->grants[mid].id.b, id->b, sizeof(id->b)) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct grant *grant_find(const struct circle *circle, const struct al_hash *id)
{
    uint32_t i = grant_place(circle, id);
    return i < circle->grant_count && al_hash_eq(&circle->grants[i].id, id) ? &circle->grants[i]
                                                                            : NULL;
}

static int grant_add(
    struct circle *circle, const struct al_hash *id, const uint8_t key[AL_EPOCH_KEY_BYTES])
{
    uint32_t i = grant_place(circle, id);
    if (circle->grant_count == CIRCLE_EPOCHS_MAX || grant_find(circle, id) != NULL)
        return 0;
    int err =
        list_grow(&circle->grants, &circle->grant_cap, circle->grant_count, sizeof(struct grant));
    if (err != 0)
        return err;
    memmove(&circle->grants[i + 1], &circle->grants[i],
        (circle->grant_count - i) * sizeof(struct grant));
    circle->grants[i].id = *id;
    memcpy(circle->grants[i].key, key, AL_EPOCH_KEY_BYTES);
    circle->grant_count++;
    return 0;
}

/* Open the sealed form |bytes| that stands in the entry of |f|. */
static int open_inside(uint8_t *out, size_t *ret_n, struct al_slice bytes,
    const uint8_t key[AL_EPOCH_KEY_BYTES], const struct fact *f)
{
    struct al_sealed sealed;
    const struct al_place place = {
        .device = f->ref.device, .log = f->ref.log, .seq = f->ref.seq, .prev = f->prev};
    int err = al_sealed_open(&sealed, bytes);
    return err != 0 ? err : al_sealed_decrypt(out, ret_n, &sealed, key, &place);
}

static int take_grants(struct circle *circle, const struct epoch *e,
    const struct al_circle_entry *entry, uint8_t *space)
{
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < entry->old_count; i++) {
        uint8_t key[AL_EPOCH_KEY_BYTES];
        struct al_ref ref;
        size_t n;
        if (open_inside(space, &n, al_circle_old(entry, i), e->key, &e->fact) != 0 ||
            al_circle_old_open(key, &ref, al_slice_of(space, n)) != 0)
            continue;
        err = grant_add(circle, &ref.id, key);
        sodium_memzero(key, sizeof(key));
    }
    return err;
}

/* --- opening an epoch ------------------------------------------------------------------------ */

/* Remember who is or was in: they may have written. */
static int note_seen(struct circle *circle, const struct al_member *members, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = 0;
        uint32_t high = circle->seen_count;
        const struct al_identity *who = &members[i].identity;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (memcmp(circle->seen[mid].b, who->b, sizeof(who->b)) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        if (low < circle->seen_count && al_identity_eq(&circle->seen[low], who))
            continue;
        if (circle->seen_count == CIRCLE_SEEN_MAX)
            return 0;
        int err = list_grow(
            &circle->seen, &circle->seen_cap, circle->seen_count, sizeof(circle->seen[0]));
        if (err != 0)
            return err;
        memmove(&circle->seen[low + 1], &circle->seen[low],
            (circle->seen_count - low) * sizeof(circle->seen[0]));
        circle->seen[low] = *who;
        circle->seen_count++;
    }
    return 0;
}

static int note_open(struct circle *circle, struct epoch *e)
{
    int err =
        list_grow(&circle->open, &circle->open_cap, circle->open_count, sizeof(circle->open[0]));
    if (err != 0)
        return err;
    uint32_t at = 0;
    while (at < circle->open_count && epoch_compare(circle->open[at], e) > 0)
        at++;
    memmove(&circle->open[at + 1], &circle->open[at],
        (circle->open_count - at) * sizeof(circle->open[0]));
    circle->open[at] = e;
    circle->open_count++;
    circle->unlocked = true;
    e->open = true;
    return 0;
}

/* Read "meta" with e->key. Returns 0, AL_E_NOMEM, or that it can't be. */
static int open_meta(struct epoch *e, const struct al_circle_entry *entry, uint8_t *space)
{
    struct al_circle_meta meta;
    size_t n;
    int err = open_inside(space, &n, entry->meta, e->key, &e->fact);
    if (err != 0)
        return err;
    struct al_member *members = calloc(AL_CIRCLE_LIST_MAX, sizeof(*members));
    if (members == NULL)
        return AL_E_NOMEM;
    err = al_circle_meta_open(&meta, members, al_slice_of(space, n));
    for (uint32_t i = 0; err == 0 && i < meta.count; i++)
        err = members[i].changed <= entry->n ? 0 : AL_E_RANGE;
    struct al_member *fitting =
        err == 0 ? realloc(members, ((size_t)meta.count + 1) * sizeof(*members)) : NULL;
    if (fitting == NULL) {
        free(members);
        return err == 0 ? AL_E_NOMEM : err;
    }
    free(e->members);
    e->members = fitting;
    e->count = meta.count;
    memcpy(e->name, meta.name.p, meta.name.n);
    e->name[meta.name.n] = '\0';
    return 0;
}

/* Our box, if it opens; a reader may lack the generation that the node has found it with. */
static bool key_of_box(const struct al_circles *c, const struct circle *circle, struct epoch *e,
    const struct al_circle_entry *entry)
{
    uint32_t g = e->fact.generation;
    uint32_t i = e->fact.box;
    return i > 0 && i <= entry->box_count && g > 0 && g <= c->derived &&
           al_circle_box_open(e->key, al_circle_box(entry, i - 1), &circle->pub.owner,
               &circle->pub.cid, entry->n, c->read_sk[g - 1], c->read_pk[g - 1]) == 0;
}

static bool key_of_grant(const struct circle *circle, struct epoch *e)
{
    const struct grant *grant = grant_find(circle, &e->fact.ref.id);
    if (grant != NULL)
        memcpy(e->key, grant->key, sizeof(e->key));
    return grant != NULL;
}

int epoch_unlock(struct al_circles *c, struct circle *circle, struct epoch *e)
{
    struct al_payload p;
    struct al_circle_entry entry;
    if ((e->fact.box == 0 || e->bad) && grant_find(circle, &e->fact.ref.id) == NULL)
        return 0;
    int err = fact_load(c->store, &e->fact, &p, &entry);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    uint8_t *space = malloc(p.raw.n);
    if (space == NULL)
        return AL_E_NOMEM;
    bool keyed = key_of_box(c, circle, e, &entry);
    if (keyed) {
        err = open_meta(e, &entry, space);
        e->bad = err != 0 && err != AL_E_NOMEM;
    }
    if ((!keyed || e->bad) && key_of_grant(circle, e)) {
        err = open_meta(e, &entry, space);
        keyed = true;
    }
    bool opens = keyed && err == 0;
    if (opens && !e->open) {
        e->bad = false;
        err = note_open(circle, e);
        if (err == 0)
            err = note_seen(circle, e->members, e->count);
        if (err == 0)
            err = take_grants(circle, e, &entry, space);
    }
    sodium_memzero(space, p.raw.n);
    free(space);
    return opens || err == AL_E_NOMEM ? err : 0;
}

/* --- opening what was sealed ----------------------------------------------------------------- */

static bool has_seen(const struct circle *circle, const struct al_identity *who)
{
    uint32_t low = 0;
    uint32_t high = circle->seen_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = memcmp(circle->seen[mid].b, who->b, sizeof(who->b));
        if (order == 0)
            return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return al_identity_eq(&circle->pub.owner, who);
}

static const uint8_t *find_me_key(const struct al_circles *c, const struct al_sealed *s)
{
    for (uint32_t g = c->derived; g > 0; g--) {
        if (al_sealed_hint_matches(s, c->me_key[g - 1]))
            return c->me_key[g - 1];
    }
    return NULL;
}

static const struct epoch *find_epoch(const struct al_circles *c, const struct al_circle **ret,
    const struct al_sealed *s, const struct al_identity *author)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct circle *circle = c->circles[i];
        if (!has_seen(circle, author))
            continue;
        for (uint32_t k = 0; k < circle->open_count; k++) {
            if (al_sealed_hint_matches(s, circle->open[k]->key)) {
                *ret = &circle->pub;
                return circle->open[k];
            }
        }
    }
    return NULL;
}

int al_circles_decrypt(struct al_circles *c, uint8_t *out, struct al_unsealed *ret,
    const struct al_sealed *s, const struct al_place *place, const struct al_identity *author)
{
    struct al_unsealed un = {.n = 0};
    keys_derive(c);
    const uint8_t *key = al_identity_eq(author, &c->keyring->identity) ? find_me_key(c, s) : NULL;
    if (key == NULL) {
        const struct epoch *e = find_epoch(c, &un.circle, s, author);
        if (e == NULL)
            return AL_E_SEALED;
        key = e->key;
        un.epoch = e->fact.n;
    }
    int err = al_sealed_decrypt(out, &un.n, s, key, place);
    if (err == 0)
        *ret = un;
    return err;
}

const uint8_t *al_circles_key(const struct al_circles *c, const struct al_circle *circle)
{
    const struct circle *own = circle_find(c, &circle->owner, &circle->cid);
    bool writes = own != NULL && circle->member && !circle->left && own->newest->head;
    return writes ? own->newest->key : NULL;
}
