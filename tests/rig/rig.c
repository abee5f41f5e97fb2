#include "rig.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "init.h"
#include "read.h"
#include "rpc.h"
#include "statement.h"
#include "ticket.h"
#include "write.h"

/* --- people and nodes ------------------------------------------------------------------------ */

void rig_person(struct rig_person *out, uint64_t n)
{
    uint8_t seed[32];
    uint8_t read_sk[32];
    sample_bytes(seed, sizeof(seed), 1000 + n * 3);
    al_root_derive(&out->root, seed);
    al_root_read_key(read_sk, &out->root, 1);
    sample_bytes(seed, sizeof(seed), 1001 + n * 3);
    AL_ASSERT(al_keyring_init(&out->keyring, &out->root.identity, seed, 1, read_sk) == 0);
    out->as_sample =
        (struct sample_person){.identity = out->root.identity, .device = out->keyring.device};
    memcpy(out->as_sample.root_secret, out->root.secret, 64);
    memcpy(out->as_sample.device_secret, out->keyring.device_secret, 64);
    sample_bytes(out->as_sample.log.b, sizeof(out->as_sample.log.b), 1002 + n * 3);
}

void rig_cert(struct al_buf *b, const struct rig_person *who)
{
    al_statement_encode_cert(b, &who->root.identity, who->root.secret, &who->keyring.device,
        who->keyring.device_secret, RIG_WALL_MS, al_slice_str("laptop"));
}

static int open_disk(void *arg, struct al_store **ret)
{
    struct rig_node *n = arg;
    int err = n->open_err != 0 ? n->open_err : al_store_open_disk(ret, n->disk);
    n->store = err == 0 ? *ret : NULL;
    return err;
}

int rig_start(struct rig_node *n)
{
    struct al_node_opts opts = {
        .open_store = open_disk,
        .open_arg = n,
        .keyring = &n->me.keyring,
        .agent = "rig",
        .new_log = n->new_log,
        .hold_s = n->hold_s,
        .pieces_bytes = n->pieces_bytes,
    };
    al_network_public(&opts.network);
    sample_bytes(
        opts.seed, sizeof(opts.seed), 5000 + (uint64_t)(n - n->rig->nodes) * 100 + n->boots);
    AL_ASSERT(n->boots < RIG_BOOTS);
    al_u64be(n->boot_list[n->boots], n->boots + 1);
    memcpy(opts.boot, n->boot_list[n->boots++], sizeof(opts.boot));
    opts.boots = al_slice_of(n->boot_list[0], n->boots * AL_BOOT_BYTES);
    opts.boots_lost = n->boots_lost;
    int err = al_node_new(&n->node, &opts, n->rig->now);
    if (err == 0) {
        rig_begin(n);
        rig_end(n);
    }
    return err;
}

struct rig_node *rig_add(struct rig *r, uint64_t number)
{
    struct rig_node *n = &r->nodes[r->count++];
    struct al_store *store;
    uint8_t seed[32];
    char name[32];
    AL_ASSERT(r->count <= RIG_NODES);
    n->rig = r;
    rig_person(&n->me, number);
    n->disk = al_store_disk_new();
    AL_ASSERT(n->disk != NULL && al_store_open_disk(&store, n->disk) == 0);
    (void)snprintf(name, sizeof(name), "person %u", (unsigned)number);
    sample_bytes(seed, sizeof(seed), 9000 + number);
    AL_ASSERT(al_init_store(store, &n->me.root, &n->me.keyring, al_slice_str(name),
                  al_slice_str("laptop"), RIG_WALL_MS, seed) == 0);
    al_store_close(store);
    AL_ASSERT(rig_start(n) == 0);
    return n;
}

void rig_init(struct rig *r)
{
    *r = (struct rig){.now = {.mono_ms = 1000, .wall_ms = RIG_WALL_MS}};
    TAILQ_INIT(&r->queue);
}

static struct rig_conn *conn_of(struct rig *r, uint64_t id)
{
    for (int i = 0; i < r->conn_count; i++) {
        if (r->conns[i].id == id)
            return &r->conns[i];
    }
    return NULL;
}

static struct rig_conn *conn_new(struct rig *r, int a, int b)
{
    AL_ASSERT(r->conn_count < RIG_CONNS);
    struct rig_conn *c = &r->conns[r->conn_count++];
    *c = (struct rig_conn){.id = (uint64_t)r->conn_count, .ends = {a, b}, .open = true};
    return c;
}

static void message_free(struct rig_message *m)
{
    if (m == NULL)
        return;
    free(m->bytes);
    free(m);
}

void rig_stop(struct rig_node *n)
{
    struct rig *r = n->rig;
    int at = (int)(n - r->nodes);
    al_node_free(n->node);
    n->node = NULL;
    n->store = NULL;
    for (int i = 0; i < r->conn_count; i++) {
        struct rig_conn *c = &r->conns[i];
        if (!c->open || (c->ends[0] != at && c->ends[1] != at))
            continue;
        c->open = false;
        int other = c->ends[0] == at ? c->ends[1] : c->ends[0];
        if (other < 0 || r->nodes[other].node == NULL)
            continue;
        rig_begin(&r->nodes[other]);
        al_node_closed(r->nodes[other].node, c->id, AL_E_CLOSED);
        rig_end(&r->nodes[other]);
    }
}

void rig_fini(struct rig *r)
{
    for (int i = 0; i < r->count; i++) {
        al_node_free(r->nodes[i].node);
        al_store_disk_free(r->nodes[i].disk);
    }
    struct rig_message *m;
    while ((m = TAILQ_FIRST(&r->queue)) != NULL) {
        TAILQ_REMOVE(&r->queue, m, link);
        message_free(m);
    }
    for (int i = 0; i < r->answer_count; i++)
        al_heapbuf_free(&r->answers[i].bytes);
}

/* --- effects ------------------------------------------------------------------------------- */

static void on_send(struct rig_node *n, const struct al_effect *e)
{
    struct rig *r = n->rig;
    const struct rig_conn *c = conn_of(r, e->conn);
    if (!r->slow)
        al_node_sent(n->node, e->conn, e->bytes.n);
    if (c == NULL || !c->open)
        return;
    struct rig_message *m = calloc(1, sizeof(*m));
    AL_ASSERT(m != NULL);
    m->conn = e->conn;
    m->to = c->ends[0] == (int)(n - r->nodes) ? c->ends[1] : c->ends[0];
    m->n = e->bytes.n;
    m->bytes = malloc(m->n);
    AL_ASSERT(m->bytes != NULL);
    memcpy(m->bytes, e->bytes.p, m->n);
    TAILQ_INSERT_TAIL(&r->queue, m, link);
}

static void on_close(struct rig_node *n, const struct al_effect *e)
{
    struct rig *r = n->rig;
    struct rig_conn *c = conn_of(r, e->conn);
    AL_ASSERT(c != NULL);
    if (!c->open)
        return;
    if (c->ends[0] >= 0 && c->ends[1] >= 0)
        rig_run(r); /* what was said before arrives */
    c->open = false;
    c->closed = e->err;
    for (int i = 0; i < 2; i++) {
        struct rig_node *end = c->ends[i] < 0 ? NULL : &r->nodes[c->ends[i]];
        if (end == NULL || end->node == NULL)
            continue;
        rig_begin(end);
        al_node_closed(end->node, c->id, end == n ? e->err : AL_E_CLOSED);
        rig_end(end);
    }
}

static void connect_end(
    struct rig_node *n, const struct rig_conn *c, uint64_t dial, const struct rig_person *other)
{
    struct al_node_link link = {.conn = c->id, .dial = dial, .address = al_slice_str("there:1")};
    memcpy(link.remote, other->keyring.noise_public, sizeof(link.remote));
    rig_begin(n);
    al_node_connected(n->node, &link);
    rig_end(n);
}

static void on_dial(struct rig_node *n, const struct al_effect *e)
{
    struct rig *r = n->rig;
    n->dials++;
    for (int i = 0; i < r->count; i++) {
        struct rig_node *other = &r->nodes[i];
        if (other->node == NULL || !al_device_eq(&other->me.keyring.device, &e->device))
            continue;
        const struct rig_conn *c = conn_new(r, (int)(n - r->nodes), i);
        connect_end(other, c, 0, &n->me);
        connect_end(n, c, e->dial, &other->me);
        return;
    }
    rig_begin(n);
    al_node_dial_failed(n->node, e->dial, AL_E_REFUSED);
    rig_end(n);
}

static void on_reply(struct rig_node *n, const struct al_effect *e)
{
    struct rig *r = n->rig;
    if (r->answer_count == (int)(sizeof(r->answers) / sizeof(r->answers[0]))) {
        for (int i = 0; i < r->answer_count; i++)
            al_heapbuf_free(&r->answers[i].bytes);
        r->answer_count = 0;
    }
    struct rig_answer *a = &r->answers[r->answer_count++];
    *a = (struct rig_answer){.call = e->call, .err = e->err, .pos = e->pos, .bytes = al_heapbuf()};
    al_buf_put(&a->bytes, e->bytes.p, e->bytes.n);
    (void)snprintf(a->message, sizeof(a->message), "%s", e->message == NULL ? "" : e->message);
}

void rig_begin(struct rig_node *n)
{
    al_node_begin(n->node, n->rig->now);
}

/* Effects whose handling takes another turn of this node are kept until the poll is over. */
struct later {
    struct al_effect list[64];
    int count;
    bool listen;
};

static void poll_effects(struct rig_node *n, struct later *later)
{
    struct al_effect e;
    while (al_node_poll(n->node, &e)) {
        switch (e.type) {
        case AL_EFFECT_SEND:
            on_send(n, &e);
            break;
        case AL_EFFECT_REPLY:
            on_reply(n, &e);
            break;
        case AL_EFFECT_CHANGED:
            n->changed = e.pos;
            break;
        case AL_EFFECT_LISTEN:
            n->listens++;
            later->listen = true;
            break;
        case AL_EFFECT_CLOSE:
        case AL_EFFECT_DIAL:
            AL_ASSERT(later->count < 64);
            later->list[later->count++] = e;
            break;
        case AL_EFFECT_LOG:
            break;
        case AL_EFFECT_STOP:
            AL_ASSERT(e.type != AL_EFFECT_STOP); /* a node never wants to stop here */
        }
    }
}

void rig_end(struct rig_node *n)
{
    struct later later = {.count = 0};
    al_node_commit(n->node);
    poll_effects(n, &later);
    for (int i = 0; i < later.count; i++) {
        if (later.list[i].type == AL_EFFECT_CLOSE)
            on_close(n, &later.list[i]);
        else
            on_dial(n, &later.list[i]);
    }
    if (later.listen) {
        struct al_slice address = al_slice_str("node:4747");
        rig_begin(n);
        al_node_listening(n->node, &address, 1, NULL);
        rig_end(n);
    }
}

/* --- time ---------------------------------------------------------------------------------- */

static struct rig_message *take_message(struct rig *r)
{
    struct rig_message *m;
    TAILQ_FOREACH (m, &r->queue, link) {
        if (m->to < 0)
            continue;
        TAILQ_REMOVE(&r->queue, m, link);
        return m;
    }
    return NULL;
}

static bool run_timers(struct rig *r)
{
    bool fired = false;
    for (int i = 0; i < r->count; i++) {
        struct rig_node *n = &r->nodes[i];
        if (n->node == NULL || al_node_deadline(n->node) > r->now.mono_ms)
            continue;
        fired = true;
        rig_begin(n);
        rig_end(n);
    }
    return fired;
}

void rig_run(struct rig *r)
{
    struct rig_message *m;
    bool busy = true;
    for (int rounds = 0; busy; rounds++) {
        AL_ASSERT(rounds < 10000); /* a deadline that is always due */
        while ((m = take_message(r)) != NULL) {
            struct rig_node *n = &r->nodes[m->to];
            const struct rig_conn *c = conn_of(r, m->conn);
            if (n->node != NULL && c->open) {
                rig_begin(n);
                al_node_message(n->node, m->conn, al_slice_of(m->bytes, m->n));
                rig_end(n);
            }
            message_free(m);
        }
        busy = run_timers(r);
    }
}

void rig_wait(struct rig *r, uint64_t ms)
{
    rig_run(r);
    while (ms > 0) {
        uint64_t step = ms < 100 ? ms : 100;
        r->now.mono_ms += step;
        r->now.wall_ms += step;
        ms -= step;
        rig_run(r);
    }
}

size_t rig_heap(void)
{
    return mallinfo2().uordblks;
}
