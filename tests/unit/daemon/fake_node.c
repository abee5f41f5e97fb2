#include "fake.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "heapbuf.h"
#include "read.h"
#include "rpc.h"
#include "write.h"

struct kept {
    STAILQ_ENTRY(kept) link;
    struct al_effect e;
    uint8_t *bytes;
};

struct al_node {
    STAILQ_HEAD(, kept) pending, ready;
    struct kept *last;
    bool in_turn;
};

struct fake_seen fake_seen;

struct al_node *fake_node_new(bool listens_at_start)
{
    struct al_node *n = calloc(1, sizeof(*n));
    STAILQ_INIT(&n->pending);
    STAILQ_INIT(&n->ready);
    memset(&fake_seen, 0, sizeof(fake_seen));
    if (listens_at_start) {
        struct kept *k = calloc(1, sizeof(*k));
        k->e.type = AL_EFFECT_LISTEN;
        STAILQ_INSERT_TAIL(&n->ready, k, link);
    }
    return n;
}

static void free_kept(struct kept *k)
{
    if (k != NULL)
        free(k->bytes);
    free(k);
}

void al_node_free(struct al_node *n)
{
    struct kept *k;
    while ((k = STAILQ_FIRST(&n->ready)) != NULL) {
        STAILQ_REMOVE_HEAD(&n->ready, link);
        free_kept(k);
    }
    free_kept(n->last);
    free(n);
}

static void add(struct al_node *n, const struct al_effect *e)
{
    if (!n->in_turn)
        abort(); /* inputs belong inside a turn */
    struct kept *k = calloc(1, sizeof(*k));
    k->e = *e;
    k->bytes = malloc(e->bytes.n + 1);
    if (e->bytes.n > 0)
        memcpy(k->bytes, e->bytes.p, e->bytes.n);
    k->e.bytes.p = k->bytes;
    STAILQ_INSERT_TAIL(&n->pending, k, link);
}

void al_node_begin(struct al_node *n, struct al_now now)
{
    if (n->in_turn || now.wall_ms == 0)
        abort();
    n->in_turn = true;
}

void al_node_commit(struct al_node *n)
{
    STAILQ_CONCAT(&n->ready, &n->pending);
    fake_seen.commits++;
    n->in_turn = false;
}

bool al_node_poll(struct al_node *n, struct al_effect *ret)
{
    free_kept(n->last);
    n->last = STAILQ_FIRST(&n->ready);
    if (n->last == NULL)
        return false;
    STAILQ_REMOVE_HEAD(&n->ready, link);
    *ret = n->last->e;
    return true;
}

uint64_t al_node_deadline(const struct al_node *n)
{
    return STAILQ_EMPTY(&n->ready) ? UINT64_MAX : 0;
}

size_t al_node_turn_bytes(const struct al_node *n)
{
    (void)n;
    return 0;
}

void al_node_connected(struct al_node *n, const struct al_node_link *link)
{
    (void)n;
    (void)link;
    fake_seen.connected++;
}

void al_node_dial_failed(struct al_node *n, uint64_t dial, int err)
{
    (void)n;
    if (dial != 42)
        abort();
    fake_seen.dial_err = err;
}

/* "bye" ends the connection; everything else comes back. */
void al_node_message(struct al_node *n, uint64_t conn, struct al_slice message)
{
    fake_seen.messages++;
    add(n, &(struct al_effect){.type = AL_EFFECT_SEND, .conn = conn, .bytes = message});
    if (al_slice_is(message, "bye"))
        add(n, &(struct al_effect){.type = AL_EFFECT_CLOSE, .conn = conn, .err = AL_E_CLOSED});
}

void al_node_sent(struct al_node *n, uint64_t conn, size_t bytes)
{
    (void)n;
    (void)conn;
    fake_seen.sent_bytes += bytes;
}

void al_node_closed(struct al_node *n, uint64_t conn, int err)
{
    (void)n;
    (void)conn;
    (void)err;
    fake_seen.closed++;
}

void al_node_network_changed(struct al_node *n)
{
    (void)n;
}

void al_node_listening(
    struct al_node *n, const struct al_slice *addresses, size_t count, const char *error)
{
    (void)n;
    (void)addresses;
    if ((count > 0) == (error != NULL))
        abort();
}

static void reply_pos(struct al_node *n, uint64_t call)
{
    uint8_t bytes[32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 1);
    al_write_cstr(&b, "pos");
    al_write_uint(&b, fake_seen.pos);
    add(n, &(struct al_effect){.type = AL_EFFECT_REPLY,
               .call = call,
               .pos = fake_seen.pos,
               .bytes = al_buf_slice(&b)});
}

/* join {ticket}: dial that address for a responder with the key 1, 1, ... */
static void join(struct al_node *n, struct al_slice params)
{
    struct al_read r = al_read_init(al_rpc_param(params, "ticket"));
    struct al_effect e = {.type = AL_EFFECT_DIAL, .dial = 42, .bytes = al_read_str(&r, 128)};
    memset(e.noise_key, 9, sizeof(e.noise_key));
    add(n, &e);
}

void al_node_call(struct al_node *n, uint64_t call, struct al_slice method, struct al_slice params)
{
    if (al_slice_is(method, "wait"))
        return;
    if (al_slice_is(method, "peers")) {
        add(n, &(struct al_effect){.type = AL_EFFECT_REPLY,
                   .call = call,
                   .err = AL_E_STATE,
                   .message = "no \x1b[31mpeers",
                   .hint = "aloud join"});
        return;
    }
    if (al_slice_is(method, "join"))
        join(n, params);
    if (al_slice_is(method, "post")) {
        fake_seen.pos++;
        add(n, &(struct al_effect){.type = AL_EFFECT_CHANGED, .pos = fake_seen.pos});
    }
    reply_pos(n, call);
}

void al_node_call_gone(struct al_node *n, uint64_t call)
{
    (void)n;
    (void)call;
    fake_seen.calls_gone++;
}
