#include "gossip.h"

#include <stdlib.h>

#include "gossip_int.h"

/* --- connections --------------------------------------------------------------------------- */

static struct peer *peer_by_conn(const struct al_gossip *g, uint64_t conn)
{
    return al_map_get(g->by_conn, &conn);
}

int al_gossip_connected(struct al_gossip *g, const struct al_node_link *link, struct al_now now)
{
    struct peer *p = peer_new(g, link, now);
    if (p == NULL)
        return AL_E_NOMEM;
    struct contact *c = link->dial == 0 ? NULL : dial_under_way(g, link->dial);
    if (link->dial != 0 && c == NULL) {
        peer_close(g, p, AL_E_CLOSED); /* nobody waits for it any more */
        return 0;
    }
    if (c != NULL) {
        c->dial = 0;
        c->peer = p;
        p->device = c->device;
        hello_send(g, p, now);
    }
    return 0;
}

void al_gossip_sent(struct al_gossip *g, uint64_t conn, size_t bytes)
{
    struct peer *p = peer_by_conn(g, conn);
    if (p != NULL)
        p->out_bytes -= bytes < p->out_bytes ? bytes : p->out_bytes;
}

void al_gossip_closed(struct al_gossip *g, uint64_t conn, int err, struct al_now now)
{
    struct peer *p = peer_by_conn(g, conn);
    if (p == NULL)
        return;
    if (err == 0)
        err = AL_E_CLOSED;
    if (p->why != 0)
        err = p->why;
    else if (p->state == PEER_HELLO && err == AL_E_CLOSED)
        err = AL_E_STRANGER; /* the other side ended it before it said who it is */
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->peer != p)
            continue;
        c->peer = NULL;
        c->seen_ms = p->seen_ms;
        dial_ended(g, c, err, now);
    }
    struct peer *second;
    TAILQ_FOREACH (second, &g->peers, link) {
        if (second->state == PEER_TRIAL && second->rival == conn)
            second->trial_ms = now.mono_ms; /* there is nothing to wait for */
    }
    peer_free(g, p);
}

/* --- messages ------------------------------------------------------------------------------ */

static int receive_segment(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct al_segment seg;
    int err = al_segment_open(&seg, m->u.segment.segment);
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    return m->req == 0 ? push_receive(g, p, &seg, now) : catchup_segment(g, p, m, &seg, now);
}

/* The close that follows is what counts; this tells why. */
static int goodbye_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    char name[AL_REASON_MAX + 1];
    memcpy(name, m->u.goodbye.reason.p, m->u.goodbye.reason.n);
    name[m->u.goodbye.reason.n] = '\0';
    p->why = al_err_of_name(name);
    if (p->why == AL_E_REVOKED)
        hello_revoked(g, p);
    return 0;
}

static int dispatch(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    switch (m->type) {
    case AL_MSG_HELLO:
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    case AL_MSG_INTERESTS:
        return interests_receive(g, p, m);
    case AL_MSG_RESET:
        return interests_reset(g, p);
    case AL_MSG_OWN_HEADS:
        return own_heads_receive(g, p, m);
    case AL_MSG_RECONCILE:
        return frontier_receive(g, p, m);
    case AL_MSG_WANT:
        return serve_want(g, p, m);
    case AL_MSG_SEGMENT:
        return receive_segment(g, p, m, now);
    case AL_MSG_PAYLOAD:
        return gaps_payload(g, p, m, now);
    case AL_MSG_DONE:
        return catchup_done(g, p, m, now);
    case AL_MSG_WANT_PAYLOAD:
        return serve_want_payload(g, p, m);
    case AL_MSG_HEADS:
        return push_heads_receive(g, p, m);
    case AL_MSG_STATEMENTS:
        return statements_receive(g, p, m);
    case AL_MSG_WANT_STATEMENTS:
        serve_want_statements(g, p, m);
        return 0;
    case AL_MSG_FORK:
        return fork_receive(g, p, m);
    case AL_MSG_FETCH:
        return excerpt_serve(g, p, m);
    case AL_MSG_EXCERPT:
        return excerpt_receive(g, p, m, now);
    case AL_MSG_REPLIES:
        return excerpt_serve_replies(g, p, m);
    case AL_MSG_REFS:
        return search_refs(g, p, m, now);
    case AL_MSG_PIECE_WANT:
        return pieces_serve(g, p, m, now);
    case AL_MSG_PIECE:
        return pieces_receive(g, p, m, now);
    case AL_MSG_PING: {
        struct al_message pong = {.type = AL_MSG_PONG};
        pong.u.pong.n = m->u.ping.n;
        peer_send_message(g, p, &pong);
        return 0;
    }
    case AL_MSG_GOODBYE:
        return goodbye_receive(g, p, m);
    case AL_MSG_PONG:
        clone_pong(g, p, m, now);
        return 0;
    case AL_MSG_CLONE:
        return clone_receive(g, p, m);
    case AL_MSG_LINK:
    case AL_MSG_DECLINE:
    case AL_MSG_ADDRESSES:
    case AL_MSG_UNKNOWN:
        return 0; /* of no use to this version: ignored, within the budget */
    }
    return 0;
}

/* As dispatch(), and remember who has brought something that the own log lacks. */
static int hear(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct al_identity from = p->person->identity; /* |p| may be gone after it */
    bool before = g->logs->own_left;
    int err = dispatch(g, p, m, now);
    if (g->logs->own_left && !before)
        g->own_from = from;
    return err;
}

int gossip_hear(struct al_gossip *g, struct peer *p, struct al_slice message, struct al_now now)
{
    struct al_message m;
    int err = al_message_decode(&m, message);
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    return hear(g, p, &m, now);
}

int al_gossip_message(
    struct al_gossip *g, uint64_t conn, struct al_slice message, struct al_now now)
{
    struct peer *p = peer_by_conn(g, conn);
    struct al_message m;
    if (p == NULL || p->state == PEER_CLOSING)
        return 0;
    int err = al_message_decode(&m, message);
    if (err == 0 && !peer_afford(p, &m, now))
        err = AL_E_BUDGET;
    if (err == 0 && p->state == PEER_HELLO && m.type != AL_MSG_HELLO && m.type != AL_MSG_GOODBYE)
        err = AL_E_UNEXPECTED;
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    p->heard_ms = now.mono_ms;
    p->seen_ms = now.wall_ms;
    p->pinged = false;
    if (p->state == PEER_TRIAL && m.type != AL_MSG_GOODBYE)
        return clone_keep(g, p, message);
    if (p->state == PEER_HELLO && m.type == AL_MSG_HELLO)
        return hello_receive(g, p, &m, now);
    if (p->state == PEER_HELLO) /* a goodbye of nobody yet; but whoever was dialled is known */
        return p->outgoing ? goodbye_receive(g, p, &m) : 0;
    return hear(g, p, &m, now);
}

/* --- the turn ------------------------------------------------------------------------------ */

int al_gossip_tick(struct al_gossip *g, struct al_now now)
{
    struct peer *p;
    g->turn_ms = now.mono_ms;
    g->turn_pos = g->logs->pos;
    TAILQ_FOREACH (p, &g->peers, link) {
        int err = clone_tick(g, p, now);
        if (err != 0)
            return err;
        peer_tick(g, p, now);
    }
    pieces_tick(g, now);
    dial_due(g, now);
    int failed = hold_tick(g);
    if (failed != 0)
        return failed;
    return g->announce_ms != 0 && g->announce_ms <= now.mono_ms ? push_flush(g) : 0;
}

int al_gossip_finish(struct al_gossip *g)
{
    struct peer *p;
    int failed = hold_tick(g);
    if (failed == 0)
        failed = search_pump(g);
    if (failed == 0)
        failed = pieces_take_noted(g);
    if (failed == 0 && g->logs->misses) {
        g->logs->misses = false;
        failed = gaps_load(g);
    }
    if (failed == 0 && g->circles != al_circles_version(g->logs->circles))
        failed = al_gossip_relations_changed(g);
    if (failed != 0)
        return failed;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_READY)
            continue;
        int err = p->ack_due ? own_heads_send(g, p) : 0;
        if (err == 0)
            err = catchup_pump(g, p);
        if (err != 0)
            return err;
    }
    return own_acks_save(g);
}

uint64_t al_gossip_deadline(const struct al_gossip *g)
{
    uint64_t at = dial_deadline(g);
    if (hold_deadline(g) < at)
        at = hold_deadline(g);
    if (g->acks_ms != 0 && g->acks_ms < at)
        at = g->acks_ms;
    if (g->announce_ms != 0 && g->announce_ms < at)
        at = g->announce_ms;
    if (pieces_deadline(g) < at)
        at = pieces_deadline(g);
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        uint64_t mine = peer_deadline(p);
        if (mine < at)
            at = mine;
    }
    return at;
}

int al_gossip_appended(struct al_gossip *g, struct al_log *log, uint64_t first, struct al_now now)
{
    return push_entries(g, log, first, NULL, now);
}

int al_gossip_relations_changed(struct al_gossip *g)
{
    struct peer *p;
    g->circles = al_circles_version(g->logs->circles);
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_READY)
            continue;
        if (!may_connect(g, p->person)) {
            peer_close(g, p, p->person->block ? AL_E_BLOCKED : AL_E_STRANGER);
            continue;
        }
        int err = interests_send(g, p);
        if (err != 0)
            return err;
    }
    return cache_carry(g);
}

void al_gossip_close_all(struct al_gossip *g, int err)
{
    struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link)
        peer_close(g, p, err);
}

/* --- making it ----------------------------------------------------------------------------- */

int al_gossip_new(struct al_gossip **ret, const struct al_gossip_opts *opts, struct al_now now)
{
    struct al_gossip *g = calloc(1, sizeof(*g));
    uint8_t secret[16];
    if (g == NULL)
        return AL_E_NOMEM;
    g->opts = *opts;
    g->logs = opts->logs;
    TAILQ_INIT(&g->peers);
    TAILQ_INIT(&g->contacts);
    TAILQ_INIT(&g->gaps);
    TAILQ_INIT(&g->announces);
    TAILQ_INIT(&g->searches);
    for (int i = 0; i < PIECE_QUEUES; i++)
        TAILQ_INIT(&g->pieces[i]);
    al_rng_bytes(opts->rng, secret, sizeof(secret));
    g->by_conn = al_map_new(8, secret);
    g->asked = al_map_new(48, secret);
    g->gap_index = al_map_new(12, secret);
    g->announced = al_map_new(4, secret);
    g->cached = al_map_new(4, secret);
    g->piece_index = al_map_new(32, secret);
    g->scratch = malloc(AL_MESSAGE_MAX);
    g->body = malloc(AL_MESSAGE_MAX);
    g->items = malloc(ITEMS_BYTES);
    g->next_dial = al_rng_below(opts->rng, UINT64_C(1) << 48); /* no answer to an engine before */
    bool complete = g->by_conn != NULL && g->asked != NULL && g->gap_index != NULL &&
                    g->announced != NULL && g->cached != NULL && g->piece_index != NULL &&
                    g->scratch != NULL && g->body != NULL && g->items != NULL;
    int err = complete ? al_export_new(&g->export) : AL_E_NOMEM;
    if (err == 0)
        err = gaps_load(g);
    if (err == 0)
        err = pieces_load(g);
    if (err == 0)
        err = cache_load(g);
    if (err == 0)
        err = dial_load(g, now);
    if (err != 0) {
        al_gossip_free(g);
        return err;
    }
    hold_begin(g);
    *ret = g;
    return 0;
}

void al_gossip_free(struct al_gossip *g)
{
    if (g == NULL)
        return;
    struct peer *p;
    searches_free(g);
    while ((p = TAILQ_FIRST(&g->peers)) != NULL)
        peer_free(g, p);
    struct contact *c;
    while ((c = TAILQ_FIRST(&g->contacts)) != NULL) {
        TAILQ_REMOVE(&g->contacts, c, link);
        free(c);
    }
    struct announce *a;
    while ((a = TAILQ_FIRST(&g->announces)) != NULL) {
        TAILQ_REMOVE(&g->announces, a, link);
        free(a);
    }
    gaps_free(g);
    pieces_free(g);
    al_map_free(g->by_conn);
    al_map_free(g->asked);
    al_map_free(g->announced);
    al_map_free(g->cached);
    al_export_free(g->export);
    free(g->scratch);
    free(g->body);
    free(g->items);
    free(g);
}
