/* A new epoch: its members, its key in boxes, and what is sealed under it. */
#include <sodium.h>
#include <stdlib.h>

#include "check.h"
#include "circle_int.h"
#include "write.h"

/* What may be in while it is being made: the circle's list, and whoever is added. */
#define DRAFT_MAX (AL_CIRCLE_LIST_MAX + AL_MEMBERS_MAX)

#define OLD_BYTES_MAX 160  /* a key and a reference, encoded */
#define OLD_SEALED_MAX 256 /* the same, sealed */

struct draft {
    struct al_circles *c;
    const struct al_circle_change *change;
    const struct circle *circle; /* NULL: a new one */
    const struct al_place *place;
    struct al_rng *rng;
    struct al_circle_id cid;
    uint64_t n;
    char name[AL_NAME_MAX + 1];
    struct al_member members[DRAFT_MAX];
    uint32_t count;
    uint8_t read_pk[AL_MEMBERS_MAX][32]; /* of who is in, in the order of |members| */
    uint8_t key[AL_EPOCH_KEY_BYTES];
    struct al_buf *b;
    uint8_t *space; /* AL_PAYLOAD_MAX */
};

/* --- needs ----------------------------------------------------------------------------------- */

static bool heads_differ(const struct circle *circle)
{
    const struct epoch *first = circle->newest;
    for (uint32_t i = 0; i < circle->open_count; i++) {
        const struct epoch *e = circle->open[i];
        if (e->head && (strcmp(e->name, first->name) != 0 ||
                           !members_same(e->members, e->count, first->members, first->count)))
            return true;
    }
    return false;
}

enum al_circle_need al_circle_needs(
    const struct al_circles *c, const struct al_circle *pub, al_record_of_fn *record_of, void *arg)
{
    const struct circle *circle = circle_find(c, &pub->owner, &pub->cid);
    const struct epoch *newest = circle == NULL ? NULL : circle->newest;
    bool unsafe = false;
    if (newest == NULL || !newest->head)
        return AL_CIRCLE_NEEDS_NOTHING;
    if (heads_differ(circle))
        return AL_CIRCLE_NEEDS_JOIN;
    for (uint32_t i = 0; i < newest->count; i++) {
        const struct al_member *m = &newest->members[i];
        const struct al_record *record = m->in ? record_of(arg, &m->identity) : NULL;
        struct al_reading reading = {.generation = 0};
        if (record != NULL)
            al_record_reading(record, &reading);
        if (reading.generation > m->generation)
            return AL_CIRCLE_NEEDS_KEYS;
        unsafe = unsafe || reading.unsafe;
    }
    for (uint32_t i = 0; i < pub->member_count; i++) {
        if (circle_asked(circle, &pub->members[i]))
            return AL_CIRCLE_NEEDS_PARTING;
    }
    return unsafe ? AL_CIRCLE_NEEDS_STATEMENT : AL_CIRCLE_NEEDS_NOTHING;
}

/* --- members --------------------------------------------------------------------------------- */

static int put_in(struct draft *d, const struct al_identity *who, bool in)
{
    struct al_member one = {.identity = *who, .in = in, .changed = d->n};
    struct al_member *m = members_find(d->members, d->count, who);
    if (m != NULL) {
        if (m->in != in)
            *m = one;
        return 0;
    }
    if (!in)
        return 0;
    if (d->count == DRAFT_MAX)
        return AL_E_LIMIT;
    uint32_t at = 0;
    while (at < d->count && memcmp(d->members[at].identity.b, who->b, sizeof(who->b)) < 0)
        at++;
    memmove(&d->members[at + 1], &d->members[at], (d->count - at) * sizeof(*m));
    d->members[at] = one;
    d->count++;
    return 0;
}

/* Two devices may have put in more than there is room for: who came in last goes. */
static void put_out_surplus(struct draft *d)
{
    for (uint32_t in = members_in(d->members, d->count); in > AL_MEMBERS_MAX; in--) {
        struct al_member *last = NULL;
        for (uint32_t i = 0; i < d->count; i++) {
            struct al_member *m = &d->members[i];
            if (m->in && !al_identity_eq(&m->identity, &d->c->keyring->identity) &&
                (last == NULL || m->changed >= last->changed))
                last = m;
        }
        if (last == NULL)
            return; /* nobody but the owner: not more than there is room for */
        *last = (struct al_member){.identity = last->identity, .changed = d->n};
    }
}

static int settle_members(struct draft *d)
{
    const struct al_circle_change *change = d->change;
    const struct al_identity *me = &d->c->keyring->identity;
    if (d->circle != NULL) {
        d->count = d->circle->pub.member_count;
        memcpy(d->members, d->circle->pub.members, d->count * sizeof(d->members[0]));
        for (uint32_t i = 0; i < d->count; i++) {
            if (circle_asked(d->circle, &d->members[i]))
                d->members[i] =
                    (struct al_member){.identity = d->members[i].identity, .changed = d->n};
        }
        put_out_surplus(d);
    }
    int err = put_in(d, me, true);
    for (uint32_t i = 0; err == 0 && i < change->remove_count; i++)
        err = al_identity_eq(&change->remove[i], me) ? AL_E_STATE
                                                     : put_in(d, &change->remove[i], false);
    for (uint32_t i = 0; err == 0 && i < change->add_count; i++)
        err = put_in(d, &change->add[i], true);
    if (err == 0 && members_in(d->members, d->count) > AL_MEMBERS_MAX)
        err = AL_E_LIMIT;
    if (err == 0)
        d->count = members_prune(d->members, d->count);
    return err;
}

static int find_keys(
    struct draft *d, struct al_identity *ret_who, al_record_of_fn *record_of, void *arg)
{
    uint32_t in = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        struct al_member *m = &d->members[i];
        if (!m->in)
            continue;
        const struct al_record *record = record_of(arg, &m->identity);
        struct al_reading reading = {.generation = 0};
        if (record != NULL)
            al_record_reading(record, &reading);
        if (reading.generation == 0) {
            *ret_who = m->identity;
            return AL_E_NOT_FOUND;
        }
        m->generation = reading.generation;
        memcpy(d->read_pk[in++], reading.read_pk, 32);
    }
    return 0;
}

/* --- parts of the entry: each is appended, and where it stands is told --------------------------
 */

struct span {
    size_t at, n;
};

static struct span span_from(const struct draft *d, size_t at)
{
    return (struct span){.at = at, .n = d->b->n - at};
}

static struct al_slice slice_at(const struct draft *d, struct span s)
{
    return al_slice_of(d->b->p + s.at, s.n);
}

static void put_parents(struct draft *d, struct span *ret)
{
    size_t at = d->b->n;
    uint32_t count = 0;
    uint32_t open_count = d->circle == NULL ? 0 : d->circle->open_count;
    for (uint32_t i = 0; i < open_count; i++)
        count += d->circle->open[i]->head;
    count = count < AL_CIRCLE_PARENTS_MAX ? count : AL_CIRCLE_PARENTS_MAX;
    al_write_array(d->b, count);
    for (uint32_t i = 0, left = count; left > 0; i++) { /* the newest first */
        if (!d->circle->open[i]->head)
            continue;
        al_write_ref(d->b, &d->circle->open[i]->fact.ref);
        left--;
    }
    *ret = span_from(d, at);
}

/* Real ones and false ones in an order that says nothing. */
static int put_boxes(struct draft *d, struct span *ret)
{
    uint8_t boxes[AL_CIRCLE_BOXES_MAX][AL_CIRCLE_BOX_BYTES];
    uint8_t seed[32];
    uint32_t in = members_in(d->members, d->count);
    uint32_t count = al_circle_box_count(in);
    size_t at = d->b->n;
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < count; i++) {
        al_rng_bytes(d->rng, seed, sizeof(seed));
        if (i < in)
            err = al_circle_box_seal(
                boxes[i], d->key, &d->c->keyring->identity, &d->cid, d->n, d->read_pk[i], seed);
        else
            al_circle_box_fake(boxes[i], seed);
    }
    sodium_memzero(seed, sizeof(seed));
    if (err != 0)
        return err;
    al_write_array(d->b, count);
    for (uint32_t left = count; left > 0; left--) {
        uint32_t i = (uint32_t)al_rng_below(d->rng, left);
        al_write_bin(d->b, boxes[i], AL_CIRCLE_BOX_BYTES);
        memcpy(boxes[i], boxes[left - 1], AL_CIRCLE_BOX_BYTES);
    }
    *ret = span_from(d, at);
    return 0;
}

static int seal(struct draft *d, struct al_buf *to, struct al_slice inner)
{
    uint8_t nonce[AL_NONCE_BYTES];
    al_rng_bytes(d->rng, nonce, sizeof(nonce));
    return al_sealed_encode(to, d->key, nonce, d->place, inner);
}

static int put_meta(struct draft *d, struct span *ret)
{
    struct al_buf inner = al_buf_fixed(d->space, AL_PAYLOAD_MAX);
    const struct al_circle_meta meta = {
        .name = al_slice_str(d->name), .members = d->members, .count = d->count};
    size_t at = d->b->n;
    al_circle_meta_encode(&inner, &meta);
    AL_ASSERT(!inner.full);
    int err = seal(d, d->b, al_buf_slice(&inner));
    *ret = span_from(d, at);
    return err;
}

/* The newest keys of earlier epochs, when they are to be granted. */
static int put_old(struct draft *d, struct span *ret)
{
    uint32_t count = d->circle == NULL || !d->change->history ? 0 : d->circle->open_count;
    size_t at = d->b->n;
    int err = 0;
    count = count < AL_CIRCLE_OLD_MAX ? count : AL_CIRCLE_OLD_MAX;
    al_write_array(d->b, count);
    for (uint32_t i = 0; err == 0 && i < count; i++) {
        const struct epoch *e = d->circle->open[i];
        uint8_t clear[OLD_BYTES_MAX];
        uint8_t sealed[OLD_SEALED_MAX];
        struct al_buf inner = al_buf_fixed(clear, sizeof(clear));
        struct al_buf one = al_buf_fixed(sealed, sizeof(sealed));
        al_circle_old_encode(&inner, e->key, &e->fact.ref);
        AL_ASSERT(!inner.full);
        err = seal(d, &one, al_buf_slice(&inner));
        al_write_bin(d->b, one.p, one.n);
        sodium_memzero(clear, sizeof(clear));
    }
    *ret = span_from(d, at);
    return err;
}

static int put_all(struct draft *d, struct al_payload *p)
{
    struct span cid, parents, boxes, old, meta;
    size_t at = d->b->n;
    al_buf_put(d->b, d->cid.b, sizeof(d->cid.b));
    cid = span_from(d, at);
    put_parents(d, &parents);
    al_rng_bytes(d->rng, d->key, sizeof(d->key));
    int err = put_boxes(d, &boxes);
    if (err == 0)
        err = put_old(d, &old);
    if (err == 0)
        err = put_meta(d, &meta);
    if (err == 0 && d->b->full)
        err = AL_E_NOMEM;
    if (err != 0)
        return err == AL_E_SPACE ? AL_E_NOMEM : err;
    *p = (struct al_payload){
        .kind = AL_KIND_CIRCLE,
        .kind_name = al_slice_str(al_kind_name(AL_KIND_CIRCLE)),
        .audience = AL_AUDIENCE_NETWORK,
        .cid = slice_at(d, cid),
        .n = d->n,
        .parents = slice_at(d, parents),
        .boxes = slice_at(d, boxes),
        .old = slice_at(d, old),
        .meta = slice_at(d, meta),
    };
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int begin(struct draft *d)
{
    const struct al_circle_change *change = d->change;
    d->cid = change->cid;
    d->n = 1;
    if (change->circle != NULL) {
        d->circle = circle_find(d->c, &change->circle->owner, &change->circle->cid);
        if (d->circle == NULL || !d->circle->pub.mine || d->circle->pub.heads == 0)
            return AL_E_STATE;
        d->cid = d->circle->pub.cid;
        d->n = d->circle->pub.n + 1; /* the newest head has the greatest number of all */
        if (d->n == UINT64_MAX)
            return AL_E_LIMIT;
        memcpy(d->name, d->circle->pub.name, sizeof(d->name));
    }
    if (change->name.n > AL_NAME_MAX || (d->circle == NULL && change->name.n == 0))
        return AL_E_LENGTH;
    if (change->name.n > 0) {
        memcpy(d->name, change->name.p, change->name.n);
        d->name[change->name.n] = '\0';
    }
    return 0;
}

int al_circle_compose(struct al_circles *c, struct al_buf *b, struct al_payload *p,
    struct al_identity *ret_who, const struct al_circle_change *change,
    const struct al_place *place, al_record_of_fn *record_of, void *arg, struct al_rng *rng)
{
    struct draft *d = calloc(1, sizeof(*d));
    uint8_t *space = malloc(AL_PAYLOAD_MAX);
    int err = d == NULL || space == NULL ? AL_E_NOMEM : 0;
    if (err == 0) {
        *d = (struct draft){
            .c = c, .change = change, .place = place, .rng = rng, .b = b, .space = space};
        err = begin(d);
    }
    if (err == 0)
        err = settle_members(d);
    if (err == 0)
        err = find_keys(d, ret_who, record_of, arg);
    if (err == 0)
        err = put_all(d, p);
    if (d != NULL)
        sodium_memzero(d, sizeof(*d));
    if (space != NULL)
        sodium_memzero(space, AL_PAYLOAD_MAX);
    free(d);
    free(space);
    return err;
}
