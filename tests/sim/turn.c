/* One turn of one node, and what becomes of its effects. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "message.h"
#include "read.h"
#include "rpc.h"
#include "world_int.h"

/* What a call was made for, remembered until its reply. */
enum call_kind { CALL_POST = 1, CALL_INVITE, CALL_JOIN, CALL_REVOKE };

static void *call_mark(const char *method)
{
    static char marks[5];
    if (strcmp(method, "post") == 0)
        return &marks[CALL_POST];
    if (strcmp(method, "device_revoke") == 0)
        return &marks[CALL_REVOKE];
    return strcmp(method, "invite") == 0 ? &marks[CALL_INVITE] : &marks[CALL_JOIN];
}

void turn_call(struct world *w, struct sim_node *s, const char *method, const struct al_buf *params)
{
    uint64_t id = ++w->next_call;
    AL_ASSERT(al_map_put(w->calls, &id, call_mark(method)) == 0);
    al_node_call(s->node, id, al_slice_str(method), al_buf_slice(params));
}

static void schedule_wake(struct world *w, struct sim_node *s)
{
    uint64_t at = al_node_deadline(s->node);
    if (s->wake != NULL) {
        al_heap_remove(&w->heap, &s->wake->timer);
        free(s->wake);
        s->wake = NULL;
    }
    if (at != UINT64_MAX)
        s->wake = event_new(w, EVENT_WAKE, s->no, at > w->now_ms ? at : w->now_ms + 1);
}

static uint64_t latency(struct world *w)
{
    return 1 + al_rng_below(&w->rng, 200);
}

static uint32_t other_end(const struct conn *c, uint32_t node)
{
    return c->ends[0] == node ? 1 : 0;
}

/* Change a byte here and there; preferably so that the message still makes sense. */
static void lie(struct world *w, struct event *ev)
{
    struct al_message m;
    if (al_rng_below(&w->rng, 3) != 0)
        return;
    for (int tries = 0; tries < 20; tries++) {
        size_t at = al_rng_below(&w->rng, ev->n);
        uint8_t before = ev->bytes[at];
        ev->bytes[at] = (uint8_t)al_rng_below(&w->rng, 256);
        if (al_message_decode(&m, al_slice_of(ev->bytes, ev->n)) == 0)
            break;
        if (tries < 19)
            ev->bytes[at] = before;
    }
    w->report.lies++;
}

static void effect_send(struct world *w, struct sim_node *s, const struct al_effect *e)
{
    struct conn *c = al_map_get(w->conns, &e->conn);
    al_node_sent(s->node, e->conn, e->bytes.n);
    if (c == NULL)
        return;
    uint32_t to = other_end(c, s->no);
    if (!c->open[1 - to] || !c->open[to])
        return;
    uint64_t at = w->now_ms + latency(w) + e->bytes.n / 1000; /* about 8 Mbit/s */
    if (at < c->free_ms[to])
        at = c->free_ms[to];
    c->free_ms[to] = at;
    struct event *ev = event_new(w, EVENT_MESSAGE, c->ends[to], at);
    ev->conn = e->conn;
    ev->bytes = malloc(e->bytes.n);
    AL_ASSERT(ev->bytes != NULL);
    memcpy(ev->bytes, e->bytes.p, e->bytes.n);
    ev->n = e->bytes.n;
    if (is_liar(w, s))
        lie(w, ev);
    w->report.messages++;
    w->report.bytes += e->bytes.n;
}

void conn_close_end(struct world *w, struct conn *c, uint32_t node, int err)
{
    uint32_t to = other_end(c, node);
    c->open[1 - to] = false;
    if (!c->open[to])
        return;
    uint64_t at = w->now_ms + latency(w);
    if (at < c->free_ms[to])
        at = c->free_ms[to];
    c->free_ms[to] = at;
    struct event *ev = event_new(w, EVENT_CLOSED, c->ends[to], at);
    ev->conn = c->id;
    ev->err = err;
}

static void effect_close(struct world *w, struct sim_node *s, const struct al_effect *e)
{
    struct conn *c = al_map_get(w->conns, &e->conn);
    if (c != NULL)
        judge_close(w, s, &w->nodes[c->ends[other_end(c, s->no)]], e->err);
    if (c == NULL || !c->open[1 - other_end(c, s->no)])
        return;
    conn_close_end(w, c, s->no, AL_E_CLOSED);
    /* the runner confirms a close to the node that asked for it, in a later turn */
    struct event *ev = event_new(w, EVENT_CLOSED, s->no, w->now_ms + 1);
    ev->conn = e->conn;
    ev->err = e->err;
}

static void effect_dial(struct world *w, struct sim_node *s, const struct al_effect *e)
{
    char address[32];
    (void)snprintf(address, sizeof(address), "%.*s", (int)e->bytes.n, (const char *)e->bytes.p);
    struct event *ev = event_new(w, EVENT_DIAL, s->no, w->now_ms + 2 * latency(w));
    ev->dial = e->dial;
    ev->other = (uint32_t)strtoul(address + 4, NULL, 10); /* "node17" */
    if (memcmp(w->nodes[ev->other].keyring.noise_public, e->noise_key, 32) != 0)
        ev->err = AL_E_HANDSHAKE;
}

static void effect_reply(struct world *w, struct sim_node *s, const struct al_effect *e)
{
    void *mark = al_map_remove(w->calls, &e->call);
    if (mark == call_mark("device_revoke")) {
        revoke_answered(w, e->err);
        return;
    }
    if (e->err != 0) {
        if (!w->opts.bad_commits && !w->opts.full && !is_thief(w, s))
            break_invariant(w, "node %u: a call failed: %s", s->no, al_err_name(e->err));
        return;
    }
    if (mark == call_mark("post")) {
        struct al_ref ref;
        struct al_read r = al_read_init(al_rpc_param(e->bytes, "ref"));
        al_read_ref(&r, &ref);
        AL_ASSERT(al_read_end(&r) == 0);
        judge_acked(w, s, &ref);
    } else if (mark == call_mark("invite")) {
        struct al_read r = al_read_init(al_rpc_param(e->bytes, "ticket"));
        struct al_slice ticket = al_read_str(&r, sizeof(s->ticket) - 1);
        memcpy(s->ticket, ticket.p, ticket.n);
        s->ticket[ticket.n] = '\0';
    }
}

static void effect_listen(struct world *w, struct sim_node *s)
{
    struct al_slice address = al_slice_str(s->address);
    turn_begin(w, s);
    al_node_listening(s->node, &address, 1, NULL);
    turn_end(w, s);
}

void turn_begin(struct world *w, struct sim_node *s)
{
    if (s->full_until_ms > w->now_ms)
        al_store_disk_fail_commit(s->disk, AL_E_FULL, false);
    al_node_begin(s->node, world_now(w, s));
}

void turn_end(struct world *w, struct sim_node *s)
{
    struct al_effect e;
    bool listen = false;
    al_node_commit(s->node);
    while (al_node_poll(s->node, &e)) {
        switch (e.type) {
        case AL_EFFECT_SEND:
            effect_send(w, s, &e);
            break;
        case AL_EFFECT_CLOSE:
            effect_close(w, s, &e);
            break;
        case AL_EFFECT_DIAL:
            effect_dial(w, s, &e);
            break;
        case AL_EFFECT_REPLY:
            effect_reply(w, s, &e);
            break;
        case AL_EFFECT_LISTEN:
            listen = true;
            break;
        case AL_EFFECT_LOG:
            if (w->opts.verbose)
                (void)printf("%8llu node%u: %.*s\n", (unsigned long long)w->now_ms, s->no,
                    (int)e.bytes.n, (const char *)e.bytes.p);
            break;
        case AL_EFFECT_CHANGED:
            break;
        case AL_EFFECT_STOP:
            break_invariant(w, "node %u wants to stop: %s", s->no, al_err_name(e.err));
            break;
        }
    }
    if (listen)
        effect_listen(w, s);
    schedule_wake(w, s);
    judge_owner(w, s);
}
