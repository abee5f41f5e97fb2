/* Who wants and serves what. docs/protocol.md, "Interests". */
#include <stdlib.h>

#include "gossip_int.h"
#include "heapbuf.h"
#include "write.h"

/* In a circle with us, whose owner we have chosen to hear of. */
static bool shares_circle(const struct al_logs *l, const struct al_person *person)
{
    for (size_t i = 0; !l->copy && i < al_circles_count(l->circles); i++) {
        const struct al_circle *circle = al_circles_at(l->circles, i);
        const struct al_person *owner = al_logs_person(l, &circle->owner);
        bool chosen = circle->mine || (owner != NULL && owner->follow && !owner->block);
        if (chosen && circle->member && !circle->left && al_circle_has(circle, &person->identity))
            return true;
    }
    return false;
}

static bool is_chosen(const struct al_gossip *g, const struct al_person *person)
{
    return !person->block && (person == g->logs->self || person->follow);
}

bool wanted(const struct al_gossip *g, const struct al_person *person)
{
    return is_chosen(g, person) || (!person->block && shares_circle(g->logs, person));
}

bool peer_wants(const struct peer *p, const struct al_identity *identity)
{
    return al_map_get(p->wants, identity->b) != NULL;
}

static int compare_identities(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct al_identity));
}

/*
 * All identities this node wants, ascending; the caller frees them. Owners of circles can name
 * whom they like as members: those known last are left out when there are too many for a peer.
 */
static int collect_wanted(const struct al_gossip *g, struct al_identity **ret, size_t *ret_count)
{
    size_t count = 0;
    size_t through_circles = 0;
    struct al_identity *ids = malloc(al_map_count(g->logs->people) * sizeof(*ids) + 1);
    struct al_map_walk walk = {.at = 0};
    void *person;
    if (ids == NULL)
        return AL_E_NOMEM;
    while (al_map_next(g->logs->people, &walk, NULL, &person)) {
        bool chosen = is_chosen(g, person);
        if (!chosen && (through_circles == CIRCLE_WANTS_MAX || !wanted(g, person)))
            continue;
        through_circles += !chosen;
        ids[count++] = ((struct al_person *)person)->identity;
    }
    qsort(ids, count, sizeof(*ids), compare_identities);
    *ret = ids;
    *ret_count = count;
    return 0;
}

/* One interests message: |add| or |drop| of at most AL_INTERESTS_MAX identities. */
struct part {
    struct al_slice before;
    const struct al_hash *after;
    const struct al_identity *ids;
    size_t count;
    bool drop;
    bool last;
};

static int send_part(struct al_gossip *g, struct peer *p, const struct part *part)
{
    static const uint8_t empty[] = {0x90};
    struct al_buf list = al_heapbuf();
    al_write_array(&list, part->count);
    for (size_t i = 0; i < part->count; i++)
        al_write_bin(&list, part->ids[i].b, sizeof(part->ids[i].b));
    struct al_message m = {.type = AL_MSG_INTERESTS};
    m.u.interests.before = part->before;
    m.u.interests.after = *part->after;
    m.u.interests.add = part->drop ? al_slice_of(empty, 1) : al_buf_slice(&list);
    m.u.interests.add_count = part->drop ? 0 : (uint32_t)part->count;
    m.u.interests.drop = part->drop ? al_buf_slice(&list) : al_slice_of(empty, 1);
    m.u.interests.drop_count = part->drop ? (uint32_t)part->count : 0;
    m.u.interests.last = part->last;
    bool full = list.full;
    if (!full)
        peer_send_message(g, p, &m);
    al_heapbuf_free(&list);
    return full ? AL_E_NOMEM : 0;
}

/* As many messages as the identities take; at least one when |last|. */
static int send_parts(struct al_gossip *g, struct peer *p, struct part part, bool last)
{
    size_t left = part.count;
    if (left == 0 && !last)
        return 0;
    do {
        part.count = left < AL_INTERESTS_MAX ? left : AL_INTERESTS_MAX;
        left -= part.count;
        part.last = last && left == 0;
        int err = send_part(g, p, &part);
        if (err != 0)
            return err;
        part.ids += part.count;
    } while (left > 0);
    return 0;
}

/* Those of |a| that are not in |b|; both ascending. |out| has room for |a_count|. */
static size_t difference(struct al_identity *out, const struct al_identity *a, size_t a_count,
    const struct al_identity *b, size_t b_count)
{
    size_t n = 0;
    for (size_t i = 0; i < a_count; i++) {
        if (b_count == 0 || bsearch(&a[i], b, b_count, sizeof(*b), compare_identities) == NULL)
            out[n++] = a[i];
    }
    return n;
}

static int send_change(struct al_gossip *g, struct peer *p, const struct al_identity *ids,
    size_t count, const struct al_hash *digest)
{
    struct al_identity *some = malloc((count + p->told_count) * sizeof(*some) + 1);
    if (some == NULL)
        return AL_E_NOMEM;
    struct part part = {
        .before = al_slice_of(p->told_digest.b, sizeof(p->told_digest.b)),
        .after = digest,
        .ids = some,
        .drop = true,
    };
    part.count = difference(some, p->told_ids, p->told_count, ids, count);
    int err = send_parts(g, p, part, false);
    part.drop = false;
    part.count = difference(some, ids, count, p->told_ids, p->told_count);
    if (err == 0)
        err = send_parts(g, p, part, true);
    free(some);
    return err;
}

int interests_send(struct al_gossip *g, struct peer *p)
{
    struct al_identity *ids;
    size_t count;
    struct al_hash digest;
    int err = collect_wanted(g, &ids, &count);
    if (err != 0)
        return err;
    al_interests_digest(&digest, ids, count);
    if (p->told && al_hash_eq(&digest, &p->told_digest)) {
        free(ids);
        return 0;
    }
    struct part whole = {.after = &digest, .ids = ids, .count = count};
    bool first = !p->told;
    err = first ? send_parts(g, p, whole, true) : send_change(g, p, ids, count, &digest);
    free(p->told_ids);
    p->told_ids = ids;
    p->told_count = count;
    p->told_digest = digest;
    p->told = true;
    /* the dialler opens; a change is followed up by whoever hears of it */
    if (err == 0 && first && p->wants_known && p->outgoing)
        err = frontier_open(g, p, NULL, 0);
    return err;
}

int interests_reset(struct al_gossip *g, struct peer *p)
{
    p->told = false;
    return interests_send(g, p);
}

/* --- what the peer wants ------------------------------------------------------------------- */

static void forget_wants(struct peer *p)
{
    struct al_map_walk walk = {.at = 0};
    const void *id;
    void *value;
    while (al_map_next(p->wants, &walk, &id, &value))
        (void)al_map_remove(p->wants, id);
    p->wants_known = false;
}

/*
 * The first message of a list: a whole one replaces what was known, a change must fit it. The
 * digests are the peer's own word on its own choice: a lie harms nobody else.
 */
static bool begin_list(struct peer *p, const struct al_message *m)
{
    if (m->u.interests.before.n > 0)
        return p->wants_known && al_slice_eq(m->u.interests.before,
                                     al_slice_of(p->wants_digest.b, sizeof(p->wants_digest.b)));
    forget_wants(p);
    return true;
}

static int remember_wants(struct peer *p, const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.interests.drop);
    struct al_identity id;
    for (uint32_t i = 0; i < m->u.interests.drop_count; i++) {
        al_message_next_identity(&id, &list);
        (void)al_map_remove(p->wants, id.b);
    }
    list = al_message_list(m->u.interests.add);
    for (uint32_t i = 0; i < m->u.interests.add_count; i++) {
        al_message_next_identity(&id, &list);
        if (al_map_put(p->wants, id.b, p) != 0)
            return AL_E_NOMEM;
    }
    return al_map_count(p->wants) > PEER_WANTS_MAX ? AL_E_LIMIT : 0;
}

/* Compare heads over the identities in this message that are wanted here as well. */
static int open_added(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.interests.add);
    struct al_identity *only = malloc((size_t)m->u.interests.add_count * sizeof(*only) + 1);
    size_t count = 0;
    if (only == NULL)
        return AL_E_NOMEM;
    for (uint32_t i = 0; i < m->u.interests.add_count; i++) {
        struct al_identity id;
        al_message_next_identity(&id, &list);
        const struct al_person *person = al_logs_person(g->logs, &id);
        if (person != NULL && wanted(g, person))
            only[count++] = id;
    }
    int err = count > 0 ? frontier_open(g, p, only, count) : 0;
    free(only);
    return err;
}

int interests_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    if (!p->wants_open && !begin_list(p, m)) {
        struct al_message reset = {.type = AL_MSG_RESET};
        peer_send_message(g, p, &reset);
        forget_wants(p);
        return 0; /* nothing of a change counts before the whole list has come */
    }
    p->wants_open = !m->u.interests.last;
    p->wants_digest = m->u.interests.after;
    int err = remember_wants(p, m);
    if (err == AL_E_LIMIT) {
        peer_close(g, p, err);
        return 0;
    }
    if (err == 0 && p->wants_known)
        err = open_added(g, p, m);
    if (err != 0 || !m->u.interests.last || p->wants_known)
        return err;
    p->wants_known = true;
    if (p->compared || (p->outgoing && p->told))
        err = frontier_open(g, p, NULL, 0);
    return err;
}
