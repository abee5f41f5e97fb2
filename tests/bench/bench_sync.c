/*
 * bench_sync GIVER TAKER: two homes made by make_home in one process, their nodes joined by a
 * perfect link: what catching up costs each side in CPU, without network, ciphers and threads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "files.h"
#include "node.h"
#include "paths.h"
#include "ticket.h"

struct side {
    struct al_paths paths;
    struct al_keyring keyring;
    struct al_node *node;
    uint64_t cpu_ns;
    struct side *other;
    uint8_t *inbox[65536];
    size_t inbox_n[65536];
    size_t head, tail;
    uint64_t bytes;
    bool connected;
};

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct al_now now(void)
{
    return (struct al_now){clock_ns(CLOCK_MONOTONIC) / 1000000, clock_ns(CLOCK_REALTIME) / 1000000};
}

static int open_store(void *arg, struct al_store **ret)
{
    struct side *s = arg;
    return al_store_open(ret, s->paths.log_db, AL_STORE_WRITE);
}

static void open_side(struct side *s, const char *dir)
{
    struct al_node_opts opts = {
        .open_store = open_store, .open_arg = s, .keyring = &s->keyring, .agent = "bench"};
    AL_ASSERT(al_paths_init(&s->paths, dir) == 0);
    AL_ASSERT(al_files_load(&s->keyring, s->paths.keys) == 0);
    al_network_public(&opts.network);
    memcpy(opts.seed, s->keyring.device.b, 32);
    AL_ASSERT(al_node_new(&s->node, &opts, now()) == 0);
}

static void drain(struct side *s)
{
    struct al_effect e;
    while (al_node_poll(s->node, &e)) {
        if (e.type == AL_EFFECT_SEND) {
            struct side *o = s->other;
            o->inbox[o->tail % 65536] = malloc(e.bytes.n);
            memcpy(o->inbox[o->tail % 65536], e.bytes.p, e.bytes.n);
            o->inbox_n[o->tail++ % 65536] = e.bytes.n;
            s->bytes += e.bytes.n;
            al_node_sent(s->node, e.conn, e.bytes.n);
        } else if (e.type == AL_EFFECT_CLOSE) {
            (void)printf("closed: %s\n", al_err_name(e.err));
        }
    }
}

static bool turn(struct side *s)
{
    if (s->head == s->tail && s->connected)
        return false;
    uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    al_node_begin(s->node, now());
    if (!s->connected) {
        struct al_node_link link = {.conn = 1, .dial = s->keyring.device.b[0] & 0};
        memcpy(link.remote, s->other->keyring.noise_public, 32);
        s->connected = true;
        al_node_connected(s->node, &link);
    }
    while (s->head < s->tail && al_node_turn_bytes(s->node) < AL_TURN_BYTES_MAX) {
        al_node_message(
            s->node, 1, al_slice_of(s->inbox[s->head % 65536], s->inbox_n[s->head % 65536]));
        free(s->inbox[s->head++ % 65536]);
    }
    al_node_commit(s->node);
    s->cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
    drain(s);
    return true;
}

/* The dialler is whoever has the other in its address book. */
static void dial(struct side *s)
{
    struct al_effect e;
    uint64_t id = 0;
    al_node_begin(s->node, now());
    al_node_commit(s->node);
    while (al_node_poll(s->node, &e)) {
        if (e.type == AL_EFFECT_DIAL)
            id = e.dial;
    }
    if (id == 0)
        return;
    struct al_node_link link = {.conn = 1, .dial = id};
    memcpy(link.remote, s->other->keyring.noise_public, 32);
    al_node_begin(s->node, now());
    al_node_connected(s->node, &link);
    al_node_commit(s->node);
    s->connected = true;
    drain(s);
}

int main(int argc, char **argv)
{
    static struct side giver;
    static struct side taker;
    struct al_store *store;
    uint64_t before;
    uint64_t after;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench_sync GIVER TAKER\n");
        return 2;
    }
    giver.other = &taker;
    taker.other = &giver;
    open_side(&giver, argv[1]);
    open_side(&taker, argv[2]);
    AL_ASSERT(al_store_open(&store, taker.paths.log_db, AL_STORE_READ) == 0);
    AL_ASSERT(al_store_position(store, &before) == 0);
    dial(&taker);
    (void)turn(&giver);
    uint64_t start = clock_ns(CLOCK_MONOTONIC);
    giver.cpu_ns = taker.cpu_ns = 0;
    for (;;) {
        bool a = turn(&giver);
        bool b = turn(&taker);
        if (!a && !b)
            break;
    }
    double seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9;
    AL_ASSERT(al_store_position(store, &after) == 0);
    double n = (double)(after - before);
    (void)printf(
        "%.0f entries in %.2f s: taker %.2f us CPU an entry, giver %.2f us, %.1f bytes sent\n", n,
        seconds, (double)taker.cpu_ns / n / 1e3, (double)giver.cpu_ns / n / 1e3,
        (double)giver.bytes / n);
    al_store_close(store);
    al_node_free(giver.node);
    al_node_free(taker.node);
    return 0;
}
