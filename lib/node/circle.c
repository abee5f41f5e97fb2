/*
 * Circles as the node keeps them: whom a post for one goes to, what opens late, and new epochs that
 * the owner's devices open by themselves. docs/protocol.md, "Circles".
 */
#include <stdio.h>
#include <stdlib.h>

#include "id.h"
#include "node_int.h"

#define RANK_MS 10000 /* each device of the owner waits for those before it */
#define JITTER_MS 5000
#define PAUSE_MS 60000     /* between two epochs opened by itself */
#define HELPLESS_MS 600000 /* when a member's reading key is not known here */

const struct al_record *node_record_of(void *arg, const struct al_identity *identity)
{
    const struct al_node *n = arg;
    const struct al_person *p = al_logs_person(n->logs, identity);
    return p == NULL ? NULL : p->record;
}

enum al_circle_need node_circle_needs(struct al_node *n, const struct al_circle *circle)
{
    return al_circle_needs(n->logs->circles, circle, node_record_of, n);
}

const char *node_circle_warning(struct al_node *n, const struct al_circle *circle)
{
    switch (node_circle_needs(n, circle)) {
    case AL_CIRCLE_NEEDS_NOTHING:
        break;
    case AL_CIRCLE_NEEDS_JOIN:
        return "two devices of its owner changed the circle at once: until one of them has joined "
               "that, somebody who was removed may still read what is written";
    case AL_CIRCLE_NEEDS_KEYS:
        return "a member has a new reading key, which the circle does not use yet: until its owner "
               "is online, a revoked device of theirs can read what is written";
    case AL_CIRCLE_NEEDS_PARTING:
        return "a member has left, and can read what is written until a node of the owner has "
               "heard "
               "of it and let them out, within a minute as a rule";
    case AL_CIRCLE_NEEDS_STATEMENT:
        return "a revoked device of a member can read what is written, until they type their words "
               "at: aloud device rekey";
    }
    return "";
}

int node_read_circle(struct al_node *n, const struct al_circle **ret, struct al_slice params)
{
    struct al_circle_id cid;
    struct al_identity owner;
    *ret = NULL;
    if (al_rpc_param(params, "circle").n == 0 && al_rpc_param(params, "owner").n == 0)
        return 0;
    if (param_bytes(cid.b, sizeof(cid.b), params, "circle") != 0 ||
        param_bytes(owner.b, sizeof(owner.b), params, "owner") != 0)
        return AL_E_PARAMS;
    *ret = al_circles_find(n->logs->circles, &owner, &cid);
    if (*ret != NULL)
        return 0;
    (void)strlcpy(n->why, "no such circle is known here", sizeof(n->why));
    n->hint = "aloud circle ls";
    return AL_E_NOT_FOUND;
}

int node_seal_for(struct al_node *n, struct al_payload *p, const struct al_circle *circle)
{
    p->audience = AL_AUDIENCE_CIRCLE;
    p->epoch_key = al_circles_key(n->logs->circles, circle);
    if (p->epoch_key != NULL)
        return 0;
    (void)snprintf(n->why, sizeof(n->why), "you are not in the circle '%s' any more", circle->name);
    n->hint = "aloud circle ls";
    return AL_E_AUDIENCE;
}

/* --- entries that are answered or changed ---------------------------------------------------- */

int node_find_entry(struct al_node *n, struct node_entry *ret, const struct al_ref *ref)
{
    struct al_place place = {.device = ref->device, .log = ref->log, .seq = ref->seq};
    struct al_store_row row;
    *ret = (struct node_entry){.log = al_logs_find(n->logs, &ref->device, &ref->log)};
    int err =
        ret->log == NULL ? AL_E_NOT_FOUND : al_log_prev(n->logs, &place.prev, ret->log, ref->seq);
    if (err == 0)
        err = al_store_get(n->store, &row, ret->log->no, ref->seq);
    if (err == 0 && !al_hash_eq(&row.id, &ref->id))
        err = AL_E_NOT_FOUND;
    if (err != 0 || row.payload.n == 0)
        return err;
    ret->bytes = malloc(row.payload.n);
    if (ret->bytes == NULL)
        return AL_E_NOMEM;
    memcpy(ret->bytes, row.payload.p, row.payload.n);
    err = al_apply_read_for(n->logs, &ret->p, &ret->clear, &ret->circle, ret->log, &place,
        al_slice_of(ret->bytes, row.payload.n));
    ret->readable = err == 0;
    return err == AL_E_NOMEM ? err : 0;
}

void node_entry_free(struct node_entry *e)
{
    free(e->clear);
    free(e->bytes);
    e->clear = NULL;
    e->bytes = NULL;
}

/* --- new epochs by itself -------------------------------------------------------------------- */

/* How many devices of this person go before this one; AL_CERTS_MAX when it does not count. */
static uint64_t rank_of(const struct al_node *n)
{
    const struct al_record *record = n->logs->self->record;
    uint64_t rank = 0;
    for (size_t i = 0; i < al_record_devices(record); i++) {
        struct al_device device;
        struct al_slice name;
        al_record_device(record, i, &device, &name);
        bool counts = al_record_standing(record, NULL, &device, NULL) == AL_STANDING_CERTIFIED;
        if (al_device_eq(&device, &n->opts.keyring->device))
            return counts ? rank : AL_CERTS_MAX;
        rank += counts;
    }
    return AL_CERTS_MAX;
}

static struct upkeep *upkeep_of(struct al_node *n, const struct al_circle_id *cid)
{
    for (uint32_t i = 0; i < n->upkeep_count; i++) {
        if (memcmp(n->upkeep[i].cid.b, cid->b, sizeof(cid->b)) == 0)
            return &n->upkeep[i];
    }
    return NULL;
}

static int upkeep_add(struct al_node *n, struct upkeep **ret, const struct al_circle_id *cid)
{
    struct upkeep *u = reallocarray(n->upkeep, n->upkeep_count + 1, sizeof(*u));
    if (u == NULL)
        return AL_E_NOMEM;
    n->upkeep = u;
    *ret = &u[n->upkeep_count++];
    **ret = (struct upkeep){.cid = *cid, .due_ms = UINT64_MAX};
    return 0;
}

static bool is_kept(const struct al_circle *circle)
{
    return circle->mine && circle->heads > 0;
}

static int plan(struct al_node *n, const struct al_circle *circle, uint64_t rank)
{
    enum al_circle_need need = node_circle_needs(n, circle);
    bool helps = need != AL_CIRCLE_NEEDS_NOTHING && need != AL_CIRCLE_NEEDS_STATEMENT;
    struct upkeep *u = upkeep_of(n, &circle->cid);
    if (!helps || rank == AL_CERTS_MAX) {
        if (u != NULL)
            u->due_ms = UINT64_MAX;
        return 0;
    }
    if (u != NULL && u->due_ms != UINT64_MAX)
        return 0;
    int err = u == NULL ? upkeep_add(n, &u, &circle->cid) : 0;
    if (err != 0)
        return err;
    uint64_t at = n->now.mono_ms + rank * RANK_MS + al_rng_below(&n->rng, JITTER_MS);
    u->due_ms = at > u->not_before_ms ? at : u->not_before_ms;
    return 0;
}

/* Look at what may have come to need a new epoch. */
static int plan_all(struct al_node *n)
{
    uint64_t version = al_circles_version(n->logs->circles);
    if (n->circles_seen == version && n->said_seen == n->logs->said)
        return 0;
    n->circles_seen = version;
    n->said_seen = n->logs->said;
    uint64_t rank = n->logs->copy ? AL_CERTS_MAX : rank_of(n);
    int err = 0;
    for (size_t i = 0; err == 0 && i < al_circles_count(n->logs->circles); i++) {
        const struct al_circle *circle = al_circles_at(n->logs->circles, i);
        if (is_kept(circle))
            err = plan(n, circle, rank);
    }
    return err;
}

static int keep_up(struct al_node *n, struct upkeep *u)
{
    const struct al_circle *circle =
        al_circles_find(n->logs->circles, &n->logs->self->identity, &u->cid);
    struct al_circle_change change = {.circle = circle};
    u->due_ms = UINT64_MAX;
    if (circle == NULL || !is_kept(circle))
        return 0;
    u->not_before_ms = n->now.mono_ms + PAUSE_MS;
    int err = node_change_circle(n, &change);
    if (err == 0) {
        al_effects_log(n->effects, 6, "opened a new epoch of a circle");
        return 0;
    }
    if (al_store_is_error(err))
        return err;
    u->due_ms = u->not_before_ms = n->now.mono_ms + HELPLESS_MS;
    return 0;
}

int node_circles_due(struct al_node *n)
{
    struct al_circles *circles = n->logs->circles;
    int err = n->logs->again > 0 ? al_apply_step(n->logs) : 0;
    if (err == 0 && al_circles_deadline(circles) <= n->now.mono_ms) {
        err = al_circles_retry(circles, n->now);
        if (err == 0)
            err = al_apply_unlocked(n->logs);
    }
    if (err == 0)
        err = plan_all(n);
    for (uint32_t i = 0; err == 0 && i < n->upkeep_count; i++) {
        if (n->upkeep[i].due_ms <= n->now.mono_ms)
            err = keep_up(n, &n->upkeep[i]);
    }
    return err;
}

uint64_t node_circles_deadline(const struct al_node *n)
{
    uint64_t at = al_circles_deadline(n->logs->circles);
    bool look = n->circles_seen != al_circles_version(n->logs->circles) ||
                n->said_seen != n->logs->said || n->logs->again > 0;
    if (look)
        return n->now.mono_ms;
    for (uint32_t i = 0; i < n->upkeep_count; i++) {
        if (n->upkeep[i].due_ms < at)
            at = n->upkeep[i].due_ms;
    }
    return at;
}
