#include "gossip.h"

#include <stdlib.h>

#include "check.h"
#include "gossip_int.h"
#include "id.h"

/* --- peers --------------------------------------------------------------------------------- */

struct al_buf scratch_buf(struct al_gossip *g)
{
    return al_buf_fixed(g->scratch, AL_MESSAGE_MAX);
}

void peer_send(struct al_gossip *g, struct peer *p, const struct al_buf *b)
{
    AL_ASSERT(!b->full && b->n > 0);
    struct al_effect e = {.type = AL_EFFECT_SEND, .conn = p->conn, .bytes = al_buf_slice(b)};
    al_effects_add(g->opts.effects, &e);
    p->out_bytes += b->n;
}

void peer_send_message(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_buf b = scratch_buf(g);
    al_message_encode(&b, m);
    peer_send(g, p, &b);
}

void peer_close(struct al_gossip *g, struct peer *p, int err)
{
    if (p->state == PEER_CLOSING)
        return;
    struct al_message bye = {.type = AL_MSG_GOODBYE};
    bye.u.goodbye.reason = al_slice_str(al_err_name(err));
    /* whoever was not admitted learns nothing of this node, not even why */
    if (p->state == PEER_READY || p->outgoing)
        peer_send_message(g, p, &bye);
    p->state = PEER_CLOSING;
    struct al_effect e = {.type = AL_EFFECT_CLOSE, .conn = p->conn, .err = err};
    al_effects_add(g->opts.effects, &e);
    al_effects_log(g->opts.effects, 6, "closing %s: %s", p->address, al_err_words(err));
}

static void free_heads(struct peer *p)
{
    struct al_map_walk walk = {.at = 0};
    void *head;
    while (p->heads != NULL && al_map_next(p->heads, &walk, NULL, &head))
        free(head);
    al_map_free(p->heads);
}

static void peer_free(struct al_gossip *g, struct peer *p)
{
    struct request *r;
    while ((r = TAILQ_FIRST(&p->requests)) != NULL)
        request_drop(g, r);
    TAILQ_REMOVE(&g->peers, p, link);
    (void)al_map_remove(g->by_conn, &p->conn);
    free_heads(p);
    al_map_free(p->wants);
    al_map_free(p->lacks);
    free(p->told_ids);
    free(p);
}

static struct peer *peer_new(
    struct al_gossip *g, const struct al_node_link *link, struct al_now now)
{
    struct peer *p = calloc(1, sizeof(*p));
    uint8_t secret[16];
    if (p == NULL)
        return NULL;
    al_rng_bytes(g->opts.rng, secret, sizeof(secret));
    TAILQ_INIT(&p->requests);
    p->conn = link->conn;
    p->dial = link->dial;
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
    p->lacks = al_map_new(16, secret);
    TAILQ_INSERT_TAIL(&g->peers, p, link);
    if (p->wants == NULL || p->heads == NULL || p->lacks == NULL ||
        al_map_put(g->by_conn, &p->conn, p) != 0) {
        peer_free(g, p);
        return NULL;
    }
    return p;
}

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
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->peer != p)
            continue;
        c->peer = NULL;
        c->seen_ms = p->seen_ms;
        if (p->state == PEER_HELLO && err == AL_E_CLOSED)
            err = AL_E_STRANGER; /* the other side ended it before it said who it is */
        dial_ended(g, c, p->state == PEER_READY && err == 0 ? AL_E_CLOSED : err, now);
    }
    peer_free(g, p);
}

int peer_ready(struct al_gossip *g, struct peer *p, struct al_now now)
{
    p->state = PEER_READY;
    p->progress_ms = now.mono_ms;
    char name[AL_ID_TEXT];
    al_id_text_prefix(name, p->person->identity.b, 10);
    al_effects_log(g->opts.effects, 6, "connected with @%s at %s", name, p->address);
    own_heads_send(g, p);
    return interests_send(g, p);
}

bool is_store_error(int err)
{
    switch (err) {
    case AL_E_NOMEM:
    case AL_E_IO:
    case AL_E_FULL:
    case AL_E_CORRUPT:
    case AL_E_BUSY:
    case AL_E_READ_ONLY:
    case AL_E_DOUBT:
        return true;
    default:
        return false;
    }
}

/* --- messages ------------------------------------------------------------------------------ */

/* Work that nobody asked for is paid from a budget that fills with time. */
static bool afford(struct peer *p, const struct al_message *m, struct al_now now)
{
    bool solicited =
        (m->type == AL_MSG_SEGMENT || m->type == AL_MSG_PAYLOAD || m->type == AL_MSG_DONE) &&
        m->req != 0 && request_find(p, m->req) != NULL;
    p->budget += (int64_t)(now.mono_ms - p->budget_ms) * BUDGET_PER_MS;
    p->budget_ms = now.mono_ms;
    if (p->budget > BUDGET_MAX)
        p->budget = BUDGET_MAX;
    if (!solicited)
        p->budget -= 1 + (int64_t)(m->raw.n / 1024);
    return p->budget >= 0;
}

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

static int receive_fork(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    /* each half is an ordinary segment: taking both in finds the fork and keeps the proof */
    struct al_slice halves[2] = {m->u.fork.a, m->u.fork.b};
    for (int i = 0; i < 2; i++) {
        struct al_segment seg;
        int err = al_segment_open(&seg, halves[i]);
        if (err == 0)
            err = al_segment_verify(&seg);
        if (err != 0) {
            peer_close(g, p, err);
            return 0;
        }
    }
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
        return frontier_receive(g, p, m, now);
    case AL_MSG_WANT:
        return serve_want(g, p, m);
    case AL_MSG_SEGMENT:
        return receive_segment(g, p, m, now);
    case AL_MSG_PAYLOAD:
        return catchup_payload(g, p, m, now);
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
        return receive_fork(g, p, m);
    case AL_MSG_PING: {
        struct al_message pong = {.type = AL_MSG_PONG};
        pong.u.pong.n = m->u.ping.n;
        peer_send_message(g, p, &pong);
        return 0;
    }
    case AL_MSG_GOODBYE:
        return 0; /* the close that follows is what counts */
    case AL_MSG_PONG:
    case AL_MSG_LINK:
    case AL_MSG_DECLINE:
    case AL_MSG_ADDRESSES:
    case AL_MSG_FETCH:
    case AL_MSG_EXCERPT:
    case AL_MSG_REPLIES:
    case AL_MSG_REFS:
    case AL_MSG_PIECE_WANT:
    case AL_MSG_PIECE:
    case AL_MSG_UNKNOWN:
        return 0; /* of no use to this version: ignored, within the budget */
    }
    return 0;
}

int al_gossip_message(
    struct al_gossip *g, uint64_t conn, struct al_slice message, struct al_now now)
{
    struct peer *p = peer_by_conn(g, conn);
    struct al_message m;
    if (p == NULL || p->state == PEER_CLOSING)
        return 0;
    int err = al_message_decode(&m, message);
    if (err == 0 && !afford(p, &m, now))
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
    if (p->state == PEER_HELLO)
        return m.type == AL_MSG_HELLO ? hello_receive(g, p, &m, now) : 0;
    return dispatch(g, p, &m, now);
}

/* --- the turn ------------------------------------------------------------------------------ */

static uint64_t peer_deadline(const struct peer *p)
{
    switch (p->state) {
    case PEER_HELLO:
        return p->opened_ms + HELLO_MS;
    case PEER_READY: {
        uint64_t at = p->heard_ms + (p->pinged ? SILENT_MS : PING_AFTER_MS);
        if (!TAILQ_EMPTY(&p->requests) && p->progress_ms + STALLED_MS < at)
            at = p->progress_ms + STALLED_MS;
        return p->pause_ms != 0 && p->pause_ms < at ? p->pause_ms : at;
    }
    case PEER_CLOSING:
        break;
    }
    return UINT64_MAX;
}

static void peer_tick(struct al_gossip *g, struct peer *p, struct al_now now)
{
    if (peer_deadline(p) > now.mono_ms)
        return;
    if (p->pause_ms != 0 && p->pause_ms <= now.mono_ms) {
        p->pause_ms = 0;
        return;
    }
    bool stalled = !TAILQ_EMPTY(&p->requests) && p->progress_ms + STALLED_MS <= now.mono_ms;
    if (p->state == PEER_HELLO || stalled || p->heard_ms + SILENT_MS <= now.mono_ms) {
        peer_close(g, p, AL_E_TIMEOUT);
        return;
    }
    struct al_message ping = {.type = AL_MSG_PING};
    ping.u.ping.n = now.mono_ms & UINT32_MAX;
    peer_send_message(g, p, &ping);
    p->pinged = true;
}

int al_gossip_tick(struct al_gossip *g, struct al_now now)
{
    struct peer *p;
    g->turn_ms = now.mono_ms;
    TAILQ_FOREACH (p, &g->peers, link)
        peer_tick(g, p, now);
    if (g->announce_ms != 0 && g->announce_ms <= now.mono_ms)
        push_flush(g);
    dial_due(g, now);
    return 0;
}

int al_gossip_finish(struct al_gossip *g)
{
    struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_READY)
            continue;
        if (p->ack_due)
            own_heads_send(g, p);
        int err = catchup_pump(g, p);
        if (err != 0)
            return err;
    }
    return 0;
}

uint64_t al_gossip_deadline(const struct al_gossip *g)
{
    uint64_t at = dial_deadline(g);
    if (g->announce_ms != 0 && g->announce_ms < at)
        at = g->announce_ms;
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

int al_gossip_relations_changed(struct al_gossip *g, struct al_now now)
{
    struct peer *p;
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
    (void)now;
    return 0;
}

void al_gossip_close_all(struct al_gossip *g, int err)
{
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        struct al_effect e = {.type = AL_EFFECT_CLOSE, .conn = p->conn, .err = err};
        if (p->state != PEER_CLOSING)
            al_effects_add(g->opts.effects, &e);
    }
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
    TAILQ_INIT(&g->active);
    TAILQ_INIT(&g->announces);
    al_rng_bytes(opts->rng, secret, sizeof(secret));
    g->by_conn = al_map_new(8, secret);
    g->asked = al_map_new(16, secret);
    g->announced = al_map_new(4, secret);
    g->scratch = malloc(AL_MESSAGE_MAX);
    int err = AL_E_NOMEM;
    if (g->by_conn != NULL && g->asked != NULL && g->announced != NULL && g->scratch != NULL)
        err = al_export_new(&g->export);
    if (err == 0)
        err = missing_load(g);
    if (err == 0)
        err = dial_load(g, now);
    if (err != 0) {
        al_gossip_free(g);
        return err;
    }
    *ret = g;
    return 0;
}

void al_gossip_free(struct al_gossip *g)
{
    if (g == NULL)
        return;
    struct peer *p;
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
    struct al_map_walk walk = {.at = 0};
    void *log;
    while (g->logs->logs != NULL && al_map_next(g->logs->logs, &walk, NULL, &log)) {
        free(((struct al_log *)log)->fetch);
        ((struct al_log *)log)->fetch = NULL;
    }
    al_map_free(g->by_conn);
    al_map_free(g->asked);
    al_map_free(g->announced);
    al_export_free(g->export);
    free(g->missing);
    free(g->scratch);
    free(g);
}
