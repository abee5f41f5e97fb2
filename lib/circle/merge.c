/* Merging, without a store or a key. docs/protocol.md, "Circles", "Merging". */
#include <stdlib.h>

#include "circle_int.h"

int epoch_compare(const struct epoch *a, const struct epoch *b)
{
    if (a->fact.n != b->fact.n)
        return a->fact.n < b->fact.n ? -1 : 1;
    return memcmp(a->fact.ref.id.b, b->fact.ref.id.b, sizeof(a->fact.ref.id.b));
}

/* --- lists of members ------------------------------------------------------------------------ */

static int by_identity(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct al_identity));
}

/* True if |b| counts against |a|, of the same person. */
static bool overrides(const struct al_member *b, const struct al_member *a)
{
    if (b->changed != a->changed)
        return b->changed > a->changed;
    if (b->in != a->in)
        return !b->in;
    return b->generation > a->generation;
}

uint32_t members_merge(struct al_member *out, const struct al_member *a, uint32_t a_count,
    const struct al_member *b, uint32_t b_count)
{
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a_count || j < b_count) {
        int order = i == a_count   ? 1
                    : j == b_count ? -1
                                   : by_identity(&a[i].identity, &b[j].identity);
        if (order < 0) {
            out[n++] = a[i++];
        } else if (order > 0) {
            out[n++] = b[j++];
        } else {
            out[n++] = overrides(&b[j], &a[i]) ? b[j] : a[i];
            i++;
            j++;
        }
    }
    return n;
}

/* The former member that left first; |count| when nobody is a former one. */
static uint32_t oldest_former(const struct al_member *members, uint32_t count)
{
    uint32_t oldest = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!members[i].in && (oldest == count || members[i].changed < members[oldest].changed))
            oldest = i;
    }
    return oldest;
}

uint32_t members_prune(struct al_member *members, uint32_t count)
{
    while (count > AL_CIRCLE_LIST_MAX) {
        uint32_t i = oldest_former(members, count);
        if (i == count)
            break;
        count--;
        memmove(&members[i], &members[i + 1], (count - i) * sizeof(*members));
    }
    return count;
}

bool members_same(
    const struct al_member *a, uint32_t a_count, const struct al_member *b, uint32_t b_count)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < a_count; i++) {
        if (!a[i].in)
            continue;
        while (j < b_count && !b[j].in)
            j++;
        if (j == b_count || !al_identity_eq(&a[i].identity, &b[j].identity))
            return false;
        j++;
    }
    while (j < b_count && !b[j].in)
        j++;
    return j == b_count;
}

struct al_member *members_find(
    struct al_member *members, uint32_t count, const struct al_identity *identity)
{
    if (count == 0)
        return NULL;
    return bsearch(identity, members, count, sizeof(*members), by_identity);
}

uint32_t members_in(const struct al_member *members, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += members[i].in;
    return n;
}

/* --- heads ----------------------------------------------------------------------------------- */

/* Its number is one more than the greatest of its parents, as far as they are here. */
static bool follows(const struct circle *circle, const struct fact *f)
{
    uint64_t greatest = 0;
    uint32_t known = 0;
    for (uint32_t i = 0; i < f->parent_count; i++) {
        const struct epoch *parent = epoch_find(circle, &f->parents[i]);
        if (parent == NULL)
            continue;
        known++;
        if (parent->fact.n > greatest)
            greatest = parent->fact.n;
    }
    return known == f->parent_count ? f->n == greatest + 1 : f->n > greatest;
}

/*
 * What is not readable counts as well, in circles of others: it is how one who was put out notices.
 * All epochs of one's own circles are sealed to oneself; one that is not is none of ours.
 */
static bool counts(const struct circle *circle, const struct epoch *e)
{
    if (e->fact.hidden || e->bad || !follows(circle, &e->fact))
        return false;
    return e->open || (!circle->pub.mine && e->fact.tried > 0 && e->fact.box == 0);
}

/* The newest head; when none is readable, the newest of what is, by a device that counts. */
static const struct epoch *find_newest(const struct circle *circle)
{
    const struct epoch *newest = NULL;
    for (uint32_t i = 0; i < circle->open_count; i++) { /* descending */
        const struct epoch *e = circle->open[i];
        if (e->head)
            return e;
        if (newest == NULL || (newest->fact.hidden && !e->fact.hidden))
            newest = e;
    }
    return newest;
}

void circle_find_heads(struct circle *circle)
{
    for (uint32_t i = 0; i < circle->epoch_count; i++)
        circle->epochs[i]->parent = false;
    for (uint32_t i = 0; i < circle->epoch_count; i++) {
        const struct epoch *e = circle->epochs[i];
        if (!counts(circle, e))
            continue;
        for (uint32_t at = 0; at < e->fact.parent_count; at++) {
            struct epoch *parent = epoch_find(circle, &e->fact.parents[at]);
            if (parent != NULL)
                parent->parent = true;
        }
    }
    circle->pub.heads = 0;
    for (uint32_t i = 0; i < circle->epoch_count; i++) {
        struct epoch *e = circle->epochs[i];
        e->head = e->open && !e->parent && counts(circle, e);
        circle->pub.heads += e->head;
    }
    circle->newest = find_newest(circle);
}

bool circle_merges(const struct circle *circle, const struct epoch *e)
{
    return e->head || (circle->pub.heads == 0 && e == circle->newest);
}

/* Join the lists of all heads, or take that of the newest epoch. */
static int merge_heads(struct circle *circle)
{
    struct al_member *all = calloc(AL_CIRCLE_LIST_MAX, sizeof(*all));
    struct al_member *joined = calloc((size_t)2 * AL_CIRCLE_LIST_MAX, sizeof(*joined));
    uint32_t count = 0;
    if (all == NULL || joined == NULL) {
        free(all);
        free(joined);
        return AL_E_NOMEM;
    }
    for (uint32_t i = 0; i < circle->open_count; i++) {
        const struct epoch *e = circle->open[i];
        if (!circle_merges(circle, e))
            continue;
        count = members_merge(joined, all, count, e->members, e->count);
        count = members_prune(joined, count);
        if (count > AL_CIRCLE_LIST_MAX)
            count =
                AL_CIRCLE_LIST_MAX; /* several hundred were put in at once, by several devices */
        memcpy(all, joined, count * sizeof(*all));
    }
    free(joined);
    free(circle->merged);
    circle->merged = all;
    circle->pub.members = all;
    circle->pub.member_count = count;
    return 0;
}

bool circle_asked(const struct circle *circle, const struct al_member *who)
{
    if (!who->in || al_identity_eq(&who->identity, &circle->pub.owner))
        return false;
    for (uint32_t i = 0; i < circle->asked_count; i++) {
        const struct asked *asked = &circle->asked[i];
        if (al_identity_eq(&asked->who, &who->identity) && who->changed <= asked->n)
            return true;
    }
    return false;
}

static uint64_t left_at(const struct al_circles *c, const struct circle *circle)
{
    for (uint32_t i = 0; i < c->left_count; i++) {
        const struct left *left = &c->left[i];
        if (al_identity_eq(&left->owner, &circle->pub.owner) &&
            memcmp(left->cid.b, circle->pub.cid.b, sizeof(left->cid.b)) == 0)
            return left->n;
    }
    return 0;
}

int circle_merge(const struct al_circles *c, struct circle *circle)
{
    struct al_circle *pub = &circle->pub;
    if (circle->newest == NULL)
        return 0;
    int err = merge_heads(circle);
    if (err != 0)
        return err;
    pub->n = circle->newest->fact.n;
    pub->epoch = circle->newest->fact.ref;
    memcpy(pub->name, circle->newest->name, sizeof(pub->name));
    const struct al_member *me = al_circle_member(pub, &c->keyring->identity);
    pub->member = pub->heads > 0 && me != NULL && me->in;
    pub->left = pub->member && !pub->mine && me->changed <= left_at(c, circle);
    return 0;
}
