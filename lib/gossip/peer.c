/* One peer: its states, what it is sent, what it may cost, when its time is over. */
#include <stdlib.h>

#include "check.h"
#include "gossip_int.h"
#include "id.h"

/* --- its life ------------------------------------------------------------------------------ */

static struct al_buf scratch_buf(struct al_gossip *g)
{
    return al_buf_fixed(g->scratch, AL_MESSAGE_MAX);
}

static void peer_send(struct al_gossip *g, struct peer *p, const struct al_buf *b)
{
    AL_ASSERT(!b->full && b->n > 0);
    if (p->state == PEER_CLOSING)
        return;
    struct al_effect e = {.type = AL_EFFECT_SEND, .conn = p->conn, .bytes = al_buf_slice(b)};
    al_effects_add(g->opts.effects, &e);
    p->out_bytes += b->n;
    if (p->out_bytes > OUT_MAX)
        peer_close(g, p, AL_E_BUDGET); /* it asks, and does not read */
}

void peer_send_message(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_buf b = scratch_buf(g);
    al_message_encode(&b, m);
    peer_send(g, p, &b);
}

void peer_send_segment(struct al_gossip *g, struct peer *p, uint32_t req)
{
    struct al_buf body = al_buf_fixed(g->body, AL_MESSAGE_MAX);
    struct al_message m = {.type = AL_MSG_SEGMENT, .req = req};
    al_segment_encode(&body, &g->export->segment);
    m.u.segment.segment = al_buf_slice(&body);
    peer_send_message(g, p, &m);
}

/* What it was asked for is up for others at once. */
static void drop_requests(struct al_gossip *g, struct peer *p)
{
    struct request *r;
    while ((r = TAILQ_FIRST(&p->requests)) != NULL)
        request_drop(g, r);
}

void peer_close(struct al_gossip *g, struct peer *p, int err)
{
    if (p->state == PEER_CLOSING)
        return;
    /*
     * Whoever was not admitted learns nothing of this node, not even why. A device that was revoked
     * is told, when its person is admitted: it may have been the wrong one.
     */
    bool told_why = p->state == PEER_READY || p->state == PEER_TRIAL || p->outgoing;
    if (told_why || err == AL_E_REVOKED) {
        struct al_message bye = {.type = AL_MSG_GOODBYE};
        /* nobody is told of being blocked: it looks like being no longer admitted */
        int told = err == AL_E_BLOCKED ? AL_E_STRANGER : err;
        bye.u.goodbye.reason = al_slice_str(al_err_name(told));
        struct al_buf b = scratch_buf(g);
        al_message_encode(&b, &bye);
        struct al_effect e = {.type = AL_EFFECT_SEND, .conn = p->conn, .bytes = al_buf_slice(&b)};
        al_effects_add(g->opts.effects, &e);
    }
    p->state = PEER_CLOSING;
    p->why = err;
    drop_requests(g, p);
    struct al_effect e = {.type = AL_EFFECT_CLOSE, .conn = p->conn, .err = err};
    al_effects_add(g->opts.effects, &e);
    al_effects_log(g->opts.effects, 6, "closing %s: %s", p->address, al_err_words(err));
}

void peer_free(struct al_gossip *g, struct peer *p)
{
    drop_requests(g, p);
    TAILQ_REMOVE(&g->peers, p, link);
    (void)al_map_remove(g->by_conn, &p->conn);
    heads_free(p);
    al_map_free(p->wants);
    al_map_free(p->records);
    al_map_free(p->lacks);
    clone_free(p);
    al_map_free(p->no_pieces);
    free(p->hearing.items);
    free(p->told_ids);
    free(p);
}

struct peer *peer_new(struct al_gossip *g, const struct al_node_link *link, struct al_now now)
{
    struct peer *p = calloc(1, sizeof(*p));
    uint8_t secret[16];
    if (p == NULL)
        return NULL;
    al_rng_bytes(g->opts.rng, secret, sizeof(secret));
    TAILQ_INIT(&p->requests);
    TAILQ_INIT(&p->asking);
    TAILQ_INIT(&p->uncertified);
    STAILQ_INIT(&p->kept);
    p->conn = link->conn;
    p->outgoing = link->dial != 0;
    memcpy(p->remote, link->remote, sizeof(p->remote));
    size_t n = link->address.n < AL_ADDRESS_MAX ? link->address.n : AL_ADDRESS_MAX;
    if (n > 0)
        memcpy(p->address, link->address.p, n);
    p->opened_ms = p->heard_ms = p->progress_ms = p->budget_ms = now.mono_ms;
    p->since_ms = p->seen_ms = now.wall_ms;
    p->budget = BUDGET_MAX;
    p->window = WINDOW_MIN;
    p->block_bytes = 20000;
    p->wants = al_map_new(32, secret);
    p->heads = al_map_new(40, secret);
    p->lacks = al_map_new(12, secret);
    p->no_pieces = al_map_new(32, secret);
    p->records = al_map_new(32, secret);
    TAILQ_INSERT_TAIL(&g->peers, p, link);
    bool complete = p->wants != NULL && p->heads != NULL && p->lacks != NULL &&
                    p->no_pieces != NULL && p->records != NULL;
    if (!complete || al_map_put(g->by_conn, &p->conn, p) != 0) {
        peer_free(g, p);
        return NULL;
    }
    return p;
}

int peer_ready(struct al_gossip *g, struct peer *p, struct al_now now)
{
    p->state = PEER_READY;
    hold_ready(g, now);
    p->progress_ms = now.mono_ms;
    char name[AL_ID_TEXT];
    al_id_text_prefix(name, p->person->identity.b, 10);
    al_effects_log(g->opts.effects, 6, "connected with @%s at %s", name, p->address);
    int err = own_heads_send(g, p);
    return err == 0 ? interests_send(g, p) : err;
}

/* --- what it may cost ---------------------------------------------------------------------- */

/* What |m| may cost this node, in units of the budget. */
static int64_t cost_of(const struct peer *p, const struct al_message *m)
{
    int64_t cost = 1 + (int64_t)(m->raw.n / 1024);
    if (m->type == AL_MSG_SEGMENT || m->type == AL_MSG_CLONE)
        cost += COST_SIGNATURE;
    else if (m->type == AL_MSG_FORK)
        cost += (int64_t)4 * COST_SIGNATURE; /* two are checked, and it is passed on */
    else if (m->type == AL_MSG_STATEMENTS)
        cost += (int64_t)m->u.statements.count * 2 * COST_SIGNATURE;
    else if (m->type == AL_MSG_EXCERPT)
        cost += COST_SIGNATURE + (int64_t)m->u.excerpt.count * 2 * COST_SIGNATURE;
    else if (m->type == AL_MSG_FETCH)
        cost += COST_FETCH;
    else if (m->type == AL_MSG_PIECE_WANT)
        cost += COST_PIECE;
    else if (m->type == AL_MSG_WANT_STATEMENTS)
        cost += (int64_t)m->u.want_statements.count * 4;
    else if (m->type == AL_MSG_INTERESTS)
        cost += (m->u.interests.add_count + m->u.interests.drop_count) / 8;
    else if (m->type == AL_MSG_RESET)
        cost += (int64_t)p->told_count / 8;
    else if (m->type == AL_MSG_PING)
        cost += COST_PONG;
    return cost;
}

/*
 * An answer costs nothing: what was asked for is checked against its request. An excerpt does
 * nevertheless, for it may bring many statements.
 */
static bool is_answer(const struct peer *p, const struct al_message *m)
{
    bool answers = m->type == AL_MSG_SEGMENT || m->type == AL_MSG_PAYLOAD ||
                   m->type == AL_MSG_DONE || m->type == AL_MSG_REFS || m->type == AL_MSG_PIECE;
    return answers && m->req != 0 && request_find(p, m->req) != NULL;
}

bool peer_afford(struct peer *p, const struct al_message *m, struct al_now now)
{
    p->budget += (int64_t)(now.mono_ms - p->budget_ms) * BUDGET_PER_MS;
    p->budget_ms = now.mono_ms;
    if (p->budget > BUDGET_MAX)
        p->budget = BUDGET_MAX;
    if (!is_answer(p, m))
        p->budget -= cost_of(p, m);
    return p->budget >= 0;
}

/* --- time ---------------------------------------------------------------------------------- */

/* When a peer that owes answers is given up. */
static uint64_t stalls_at(const struct peer *p)
{
    const struct request *oldest = TAILQ_FIRST(&p->requests);
    if (oldest == NULL)
        return UINT64_MAX;
    uint64_t progress = p->progress_ms + STALLED_MS;
    uint64_t answer = oldest->asked_ms + HOSTAGE_MS;
    return progress < answer ? progress : answer;
}

uint64_t peer_deadline(const struct peer *p)
{
    switch (p->state) {
    case PEER_HELLO:
        return p->opened_ms + HELLO_MS;
    case PEER_TRIAL:
        return p->trial_ms;
    case PEER_READY: {
        uint64_t at = p->heard_ms + (p->pinged ? SILENT_MS : PING_AFTER_MS);
        uint64_t stalled = stalls_at(p);
        if (stalled < at)
            at = stalled;
        return p->pause_ms != 0 && p->pause_ms < at ? p->pause_ms : at;
    }
    case PEER_CLOSING:
        break;
    }
    return UINT64_MAX;
}

void peer_tick(struct al_gossip *g, struct peer *p, struct al_now now)
{
    if (p->state == PEER_TRIAL || peer_deadline(p) > now.mono_ms)
        return;
    if (p->pause_ms != 0 && p->pause_ms <= now.mono_ms) {
        p->pause_ms = 0;
        statements_again(g, p);
        return;
    }
    bool stalled = stalls_at(p) <= now.mono_ms;
    if (p->state == PEER_HELLO || stalled || p->heard_ms + SILENT_MS <= now.mono_ms) {
        peer_close(g, p, AL_E_TIMEOUT);
        return;
    }
    struct al_message ping = {.type = AL_MSG_PING};
    ping.u.ping.n = now.mono_ms & UINT32_MAX;
    peer_send_message(g, p, &ping);
    p->pinged = true;
}
