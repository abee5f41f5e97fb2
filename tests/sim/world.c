#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "hash.h"
#include "heapbuf.h"
#include "phrase.h"
#include "statement.h"
#include "ticket.h"
#include "world_int.h"
#include "write.h"

#define WALL_START_MS UINT64_C(1790000000000)
#define INVITE_USES 1000
#define IMPORT_ENTRIES 200 /* more than three blocks */
#define FULL_MAX_MS 20000
#define CLOCK_MAX_MS (UINT64_C(3) * 24 * 3600 * 1000) /* two clocks never differ by an invite */
#define HEAL_MAX_MS ((uint64_t)30 * 60 * 1000)

struct al_now world_now(const struct world *w, const struct sim_node *s)
{
    return (struct al_now){
        .mono_ms = w->now_ms,
        .wall_ms = WALL_START_MS + w->now_ms + (uint64_t)s->clock_ms,
    };
}

bool is_liar(const struct world *w, const struct sim_node *s)
{
    return w->opts.liar && s->no == 0;
}

bool is_thief(const struct world *w, const struct sim_node *s)
{
    return w->opts.thief && s->no == w->opts.nodes - 1;
}

void break_invariant(struct world *w, const char *format, ...)
{
    if (w->broken[0] != '\0')
        return;
    int n = snprintf(w->broken, sizeof(w->broken),
        "at %llu ms, event %llu: ", (unsigned long long)w->now_ms,
        (unsigned long long)w->report.events);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(w->broken + n, sizeof(w->broken) - (size_t)n, format, args);
    va_end(args);
}

struct event *event_new(struct world *w, enum event_type type, uint32_t node, uint64_t at_ms)
{
    struct event *ev = calloc(1, sizeof(*ev));
    AL_ASSERT(ev != NULL);
    ev->type = type;
    ev->node = node;
    AL_ASSERT(al_heap_set(&w->heap, &ev->timer, at_ms) == 0);
    return ev;
}

static void event_free(struct event *ev)
{
    free(ev->bytes);
    free(ev);
}

/* --- nodes --------------------------------------------------------------------------------- */

static int open_disk(void *arg, struct al_store **ret)
{
    struct sim_node *s = arg;
    int err = al_store_open_disk(ret, s->disk);
    s->store = err == 0 ? *ret : NULL;
    return err;
}

static void node_start(struct world *w, struct sim_node *s)
{
    struct al_node_opts opts = {
        .open_store = open_disk,
        .open_arg = s,
        .keyring = &s->keyring,
        .agent = "sim",
        .new_log = s->new_log,
    };
    s->new_log = false;
    al_network_public(&opts.network);
    al_rng_bytes(&w->rng, opts.seed, sizeof(opts.seed));
    al_u64be(opts.boot, ++s->boots);
    al_buf_put(&s->boot_list, opts.boot, sizeof(opts.boot));
    opts.boots = al_buf_slice(&s->boot_list);
    int err = al_node_new(&s->node, &opts, world_now(w, s));
    if (err != 0) {
        break_invariant(w, "node %u does not start: %s", s->no, al_err_name(err));
        return;
    }
    turn_begin(w, s);
    turn_end(w, s);
}

struct statements {
    struct al_buf bytes;
    size_t ends[16];
    size_t count;
};

static int collect_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct statements *all = arg;
    (void)key;
    AL_ASSERT(all->count < sizeof(all->ends) / sizeof(all->ends[0]));
    al_buf_put(&all->bytes, value.p, value.n);
    all->ends[all->count++] = all->bytes.n;
    return 0;
}

/* A further device of |owner|, made from what its node tells. */
static void add_device(struct world *w, struct sim_node *s, struct al_store *store,
    const struct al_root *root, const struct sim_node *owner)
{
    struct statements known = {.bytes = al_heapbuf()};
    struct al_slice statements[16];
    struct al_restore_peer peer = {
        .identity = owner->keyring.identity, .device = owner->keyring.device, .address_count = 1};
    peer.addresses[0] = al_slice_str(owner->address);
    struct al_restore_opts opts = {
        .root = root,
        .keyring = &s->keyring,
        .device_name = al_slice_str("stolen"),
        .created_ms = WALL_START_MS,
        .statements = statements,
        .peer = &peer,
        .now_ms = WALL_START_MS,
    };
    struct al_slice of = al_slice_of(owner->keyring.identity.b, sizeof(owner->keyring.identity.b));
    AL_ASSERT(
        al_store_kv_scan(owner->store, AL_SPACE_STATEMENT, of, collect_statement, &known) == 0);
    for (size_t i = 0, at = 0; i < known.count; at = known.ends[i++])
        statements[i] = al_slice_of(known.bytes.p + at, known.ends[i] - at);
    opts.statement_count = known.count;
    al_rng_bytes(&w->rng, opts.seed, sizeof(opts.seed));
    AL_ASSERT(al_restore_store(store, &opts) == 0);
    al_heapbuf_free(&known.bytes);
}

static void node_make(struct world *w, struct sim_node *s)
{
    struct al_root root;
    struct al_store *store;
    uint8_t seed[32];
    uint8_t read_sk[32];
    uint8_t secret[16] = {0};
    if (is_thief(w, s))
        memcpy(s->entropy, w->nodes[s->no - 1].entropy, sizeof(s->entropy));
    else
        al_rng_bytes(&w->rng, s->entropy, sizeof(s->entropy));
    al_root_derive(&root, s->entropy);
    al_root_read_key(read_sk, &root, 1);
    al_rng_bytes(&w->rng, seed, sizeof(seed));
    AL_ASSERT(al_keyring_init(&s->keyring, &root.identity, seed, 1, read_sk) == 0);
    s->disk = al_store_disk_new();
    s->boot_list = al_heapbuf();
    s->acked = al_map_new(48, secret);
    AL_ASSERT(s->disk != NULL && s->acked != NULL && al_store_open_disk(&store, s->disk) == 0);
    (void)snprintf(s->address, sizeof(s->address), "node%u:4747", s->no);
    al_rng_bytes(&w->rng, seed, sizeof(seed));
    if (is_thief(w, s))
        add_device(w, s, store, &root, &w->nodes[s->no - 1]);
    else
        AL_ASSERT(al_init_store(store, &root, &s->keyring, al_slice_str(s->address),
                      al_slice_str("laptop"), WALL_START_MS, seed) == 0);
    al_store_close(store);
    node_start(w, s);
}

static void call_key(struct world *w, struct al_buf *b)
{
    uint8_t key[16];
    al_rng_bytes(&w->rng, key, sizeof(key));
    al_write_cstr(b, "key");
    al_write_bin(b, key, sizeof(key));
}

static void ask_invite(struct world *w, struct sim_node *s)
{
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 2);
    call_key(w, &b);
    al_write_cstr(&b, "uses");
    al_write_uint(&b, INVITE_USES);
    turn_begin(w, s);
    turn_call(w, s, "invite", &b);
    turn_end(w, s);
}

/* --- events -------------------------------------------------------------------------------- */

/* One note of up to |most| bytes, all the same letter. */
static void write_note(struct world *w, struct al_buf *b, size_t most)
{
    char text[3000];
    size_t n = 1 + al_rng_below(&w->rng, most);
    memset(text, 'a' + (int)(w->report.posts % 26), n);
    al_write_map(b, 2);
    al_write_cstr(b, "k");
    al_write_cstr(b, "note");
    al_write_cstr(b, "text");
    al_write_str(b, al_slice_of(text, n));
}

/* Mostly single entries; now and then an import, which spans several blocks. */
static void on_post(struct world *w, struct sim_node *s)
{
    static const char *const audiences[] = {"network", "web", "me"};
    struct al_buf b = al_heapbuf();
    uint32_t count = al_rng_below(&w->rng, 8) == 0 ? IMPORT_ENTRIES : 1;
    al_write_map(&b, 3);
    call_key(w, &b);
    al_write_cstr(&b, "to");
    al_write_cstr(&b, audiences[al_rng_below(&w->rng, 3)]);
    al_write_cstr(&b, count > 1 ? "entries" : "entry");
    if (count > 1)
        al_write_array(&b, count);
    for (uint32_t i = 0; i < count; i++)
        write_note(w, &b, count > 1 ? 100 : 2999);
    AL_ASSERT(!b.full);
    turn_begin(w, s);
    turn_call(w, s, count > 1 ? "post_many" : "post", &b);
    turn_end(w, s);
    al_heapbuf_free(&b);
    w->report.posts += count;
}

static void on_join(struct world *w, struct sim_node *s, const struct sim_node *inviter)
{
    uint8_t bytes[4096];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    if (inviter->ticket[0] == '\0')
        return;
    al_write_map(&b, 2);
    call_key(w, &b);
    al_write_cstr(&b, "ticket");
    al_write_cstr(&b, inviter->ticket);
    turn_begin(w, s);
    turn_call(w, s, "join", &b);
    turn_end(w, s);
}

/* Entries that came within a while before now do not count either. */
static void on_revoke(struct world *w, struct sim_node *s)
{
    char words[AL_PHRASE_BYTES];
    struct al_buf b = al_heapbuf();
    if (s->node == NULL) {
        revoke_answered(w, AL_E_CLOSED);
        return;
    }
    al_phrase_text(words, s->entropy);
    al_write_map(&b, 4);
    call_key(w, &b);
    al_write_cstr(&b, "since");
    al_write_uint(&b, world_now(w, s).wall_ms - al_rng_below(&w->rng, w->opts.minutes * 60000));
    al_write_cstr(&b, "words");
    al_write_cstr(&b, words);
    al_write_cstr(&b, "device");
    al_write_bin(&b, w->nodes[s->no + 1].keyring.device.b, 32);
    turn_begin(w, s);
    turn_call(w, s, "device_revoke", &b);
    turn_end(w, s);
    al_heapbuf_free(&b);
}

void revoke_answered(struct world *w, int err)
{
    w->revoked = w->revoked || err == 0 || err == AL_E_EXISTS; /* what seemed to fail was saved */
    if (!w->revoked)
        (void)event_new(w, EVENT_REVOKE, w->opts.nodes - 2, w->now_ms + 5000);
}

static void dial_failed(struct world *w, struct sim_node *s, uint64_t dial, int err)
{
    turn_begin(w, s);
    al_node_dial_failed(s->node, dial, err);
    turn_end(w, s);
}

static void connect_end(struct world *w, struct sim_node *s, const struct conn *c, uint64_t dial,
    const struct sim_node *other)
{
    struct al_node_link link = {.conn = c->id, .dial = dial};
    memcpy(link.remote, other->keyring.noise_public, sizeof(link.remote));
    al_u64be(link.handshake_hash, c->id);
    link.address = al_slice_str(other->address);
    turn_begin(w, s);
    al_node_connected(s->node, &link);
    turn_end(w, s);
}

static void on_dial(struct world *w, struct sim_node *s, const struct event *ev)
{
    struct sim_node *other = &w->nodes[ev->other];
    if (other->node == NULL || ev->err != 0) {
        dial_failed(w, s, ev->dial, ev->err != 0 ? ev->err : AL_E_TIMEOUT);
        return;
    }
    struct conn *c = calloc(1, sizeof(*c));
    AL_ASSERT(c != NULL);
    *c = (struct conn){.id = ++w->next_conn, .ends = {s->no, other->no}, .open = {true, true}};
    AL_ASSERT(al_map_put(w->conns, &c->id, c) == 0);
    connect_end(w, other, c, 0, s);
    connect_end(w, s, c, ev->dial, other);
}

static void on_message(struct world *w, struct sim_node *s, const struct event *ev)
{
    struct conn *c = al_map_get(w->conns, &ev->conn);
    if (c == NULL || !c->open[c->ends[0] == s->no ? 0 : 1])
        return;
    turn_begin(w, s);
    al_node_message(s->node, ev->conn, al_slice_of(ev->bytes, ev->n));
    turn_end(w, s);
}

static void on_closed(struct world *w, struct sim_node *s, const struct event *ev)
{
    struct conn *c = al_map_get(w->conns, &ev->conn);
    if (c != NULL) {
        c->open[c->ends[0] == s->no ? 0 : 1] = false;
        if (!c->open[0] && !c->open[1]) {
            (void)al_map_remove(w->conns, &ev->conn);
            free(c);
        }
    }
    turn_begin(w, s);
    al_node_closed(s->node, ev->conn, ev->err);
    turn_end(w, s);
}

/* Break |c| for both ends; an end that is down learns nothing. */
static void break_conn(struct world *w, struct conn *c)
{
    for (int i = 0; i < 2; i++) {
        if (!c->open[i])
            continue;
        struct event *ev = event_new(w, EVENT_CLOSED, c->ends[i], w->now_ms + 1);
        ev->conn = c->id;
        ev->err = AL_E_CLOSED;
    }
}

static void on_cut(struct world *w)
{
    uint64_t nth = al_rng_below(&w->rng, al_map_count(w->conns) + 1);
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (al_map_next(w->conns, &walk, NULL, &value)) {
        if (nth-- == 0) {
            break_conn(w, value);
            w->report.cuts++;
            return;
        }
    }
}

/* Keep the disk as it is for later; or put back the one that was kept, as from a backup. */
static void maybe_roll_back(struct world *w, struct sim_node *s)
{
    bool has_met = w->now_ms > w->opts.minutes * 60000 / 2; /* whom it admits is not forgotten */
    if (!w->opts.rollbacks || !has_met || al_rng_below(&w->rng, 3) == 0)
        return;
    if (s->older == NULL) {
        s->older = al_store_disk_copy(s->disk);
        AL_ASSERT(s->older != NULL);
        return;
    }
    al_store_disk_free(s->disk);
    s->disk = s->older;
    s->older = NULL;
    s->new_log = true;
    judge_rolled_back(s);
    w->report.rollbacks++;
}

static void on_crash(struct world *w, struct sim_node *s)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    al_node_free(s->node); /* what was not committed is gone: the disk keeps only commits */
    s->node = NULL;
    s->store = NULL;
    if (s->wake != NULL) {
        al_heap_remove(&w->heap, &s->wake->timer);
        event_free(s->wake);
        s->wake = NULL;
    }
    while (al_map_next(w->conns, &walk, NULL, &value)) {
        struct conn *c = value;
        if (c->ends[0] != s->no && c->ends[1] != s->no)
            continue;
        c->open[c->ends[0] == s->no ? 0 : 1] = false;
        break_conn(w, c);
    }
    w->report.crashes++;
    maybe_roll_back(w, s);
    (void)event_new(w, EVENT_START, s->no, w->now_ms + 1000 + al_rng_below(&w->rng, 120000));
}

static void handle(struct world *w, struct event *ev)
{
    struct sim_node *s = &w->nodes[ev->node];
    if (ev->type == EVENT_WAKE)
        s->wake = NULL;
    if (ev->type == EVENT_START)
        node_start(w, s);
    else if (ev->type == EVENT_CUT)
        on_cut(w);
    else if (ev->type == EVENT_REVOKE)
        on_revoke(w, s);
    if (s->node == NULL || ev->type == EVENT_START || ev->type == EVENT_CUT)
        return;
    switch (ev->type) {
    case EVENT_WAKE:
        turn_begin(w, s);
        turn_end(w, s);
        break;
    case EVENT_DIAL:
        on_dial(w, s, ev);
        break;
    case EVENT_MESSAGE:
        on_message(w, s, ev);
        break;
    case EVENT_CLOSED:
        on_closed(w, s, ev);
        break;
    case EVENT_POST:
        on_post(w, s);
        break;
    case EVENT_JOIN:
        on_join(w, s, &w->nodes[ev->other]);
        break;
    case EVENT_CRASH:
        on_crash(w, s);
        break;
    case EVENT_BAD_COMMIT:
        al_store_disk_fail_commit(s->disk, AL_E_IO, al_rng_below(&w->rng, 2) == 0);
        w->report.bad_commits++;
        break;
    case EVENT_FULL:
        s->full_until_ms = w->now_ms + al_rng_below(&w->rng, FULL_MAX_MS);
        break;
    case EVENT_CLOCK:
        s->clock_ms = (int64_t)al_rng_below(&w->rng, 2 * CLOCK_MAX_MS) - (int64_t)CLOCK_MAX_MS;
        break;
    case EVENT_START:
    case EVENT_CUT:
    case EVENT_REVOKE:
        break;
    }
}

/* The digest of the run: what happened, to whom, when, and with which bytes. */
static void digest_event(struct world *w, const struct event *ev)
{
    uint8_t head[8 + 8 + 8];
    al_u64be(head, w->now_ms);
    al_u64be(head + 8, (uint64_t)ev->type << 32 | ev->node);
    al_u64be(head + 16, ev->conn);
    struct al_slice parts[] = {
        al_slice_of(w->report.digest, sizeof(w->report.digest)),
        al_slice_of(head, sizeof(head)),
        al_slice_of(ev->bytes, ev->n),
    };
    struct al_hash digest;
    al_hash(&digest, "aloud-sim", parts, sizeof(parts) / sizeof(parts[0]));
    memcpy(w->report.digest, digest.b, sizeof(digest.b));
}

static void run_until(struct world *w, uint64_t end_ms)
{
    struct al_heap_node *timer;
    while (
        w->broken[0] == '\0' && (timer = al_heap_first(&w->heap)) != NULL && timer->key <= end_ms) {
        struct event *ev = (struct event *)timer;
        al_heap_remove(&w->heap, timer);
        w->now_ms = timer->key;
        w->report.events++;
        digest_event(w, ev);
        handle(w, ev);
        event_free(ev);
    }
    w->now_ms = end_ms;
}

/* --- the run ------------------------------------------------------------------------------- */

static uint64_t some_time(struct world *w)
{
    return w->now_ms + al_rng_below(&w->rng, w->opts.minutes * 60000);
}

static uint32_t some_node(struct world *w)
{
    return (uint32_t)al_rng_below(&w->rng, w->opts.nodes);
}

static void plan(struct world *w)
{
    uint32_t faults = w->opts.nodes * 4;
    uint32_t people = w->opts.nodes - (w->opts.thief ? 1 : 0); /* a thief makes no friends */
    for (uint32_t i = 0; i < people; i++) {
        for (uint32_t k = 0; k < w->opts.follows; k++) {
            struct event *ev = event_new(w, EVENT_JOIN, i, some_time(w) / 2);
            ev->other = some_node(w) % people;
            if (ev->other == i)
                ev->other = (i + 1) % people;
        }
    }
    for (uint32_t i = 0; i < w->opts.posts; i++)
        (void)event_new(w, EVENT_POST, some_node(w), some_time(w));
    if (w->opts.thief)
        (void)event_new(w, EVENT_REVOKE, w->opts.nodes - 2, some_time(w));
    for (uint32_t i = 0; w->opts.cuts && i < faults; i++)
        (void)event_new(w, EVENT_CUT, 0, some_time(w));
    for (uint32_t i = 0; w->opts.crashes && i < faults / 2; i++)
        (void)event_new(w, EVENT_CRASH, some_node(w), some_time(w));
    for (uint32_t i = 0; w->opts.bad_commits && i < faults / 2; i++)
        (void)event_new(w, EVENT_BAD_COMMIT, some_node(w), some_time(w));
    for (uint32_t i = 0; w->opts.full && i < faults / 4; i++)
        (void)event_new(w, EVENT_FULL, some_node(w), some_time(w));
    for (uint32_t i = 0; w->opts.clocks && i < faults / 4; i++)
        (void)event_new(w, EVENT_CLOCK, some_node(w), some_time(w));
}

const char *world_run(struct world *w, struct world_report *ret)
{
    for (uint32_t i = 0; i < w->opts.nodes; i++) {
        w->nodes[i].no = i;
        node_make(w, &w->nodes[i]);
    }
    for (uint32_t i = 0; i < w->opts.nodes; i++)
        ask_invite(w, &w->nodes[i]);
    plan(w);
    run_until(w, w->opts.minutes * 60000);
    for (uint32_t i = 0; i < w->opts.nodes; i++) {
        al_store_disk_fail_commit(w->nodes[i].disk, 0, false);
        w->nodes[i].full_until_ms = 0;
    }
    uint64_t faults_end = w->now_ms;
    run_until(w, w->now_ms + 130000); /* whoever is down comes back */
    while (w->broken[0] == '\0' && !(judge_converged(w) && judge_revoked(w))) {
        if (w->now_ms - faults_end > HEAL_MAX_MS)
            break_invariant(
                w, "node %u still lacks something of node %u", w->behind[0], w->behind[1]);
        run_until(w, w->now_ms + 5000);
    }
    w->report.healed_ms = w->now_ms - faults_end;
    if (w->broken[0] == '\0')
        judge_chains(w);
    *ret = w->report;
    return w->broken[0] == '\0' ? NULL : w->broken;
}

struct world *world_new(const struct world_opts *opts)
{
    struct world *w = calloc(1, sizeof(*w));
    uint8_t seed[32] = {0};
    uint8_t secret[16] = {0};
    if (w == NULL)
        return NULL;
    w->opts = *opts;
    al_u64be(seed, opts->seed);
    al_rng_init(&w->rng, seed);
    w->nodes = calloc(opts->nodes, sizeof(*w->nodes));
    w->conns = al_map_new(8, secret);
    w->calls = al_map_new(8, secret);
    if (w->nodes == NULL || w->conns == NULL || w->calls == NULL) {
        world_free(w);
        return NULL;
    }
    return w;
}

void world_free(struct world *w)
{
    struct al_map_walk walk = {.at = 0};
    struct al_heap_node *timer;
    void *value;
    if (w == NULL)
        return;
    for (uint32_t i = 0; w->nodes != NULL && i < w->opts.nodes; i++) {
        struct sim_node *s = &w->nodes[i];
        struct al_map_walk acked = {.at = 0};
        al_node_free(s->node);
        al_store_disk_free(s->disk);
        al_store_disk_free(s->older);
        al_heapbuf_free(&s->boot_list);
        while (s->acked != NULL && al_map_next(s->acked, &acked, NULL, &value))
            free(value);
        al_map_free(s->acked);
    }
    while ((timer = al_heap_first(&w->heap)) != NULL) {
        al_heap_remove(&w->heap, timer);
        event_free((struct event *)timer);
    }
    while (w->conns != NULL && al_map_next(w->conns, &walk, NULL, &value))
        free(value);
    al_heap_fini(&w->heap);
    al_map_free(w->conns);
    al_map_free(w->calls);
    free(w->nodes);
    free(w);
}
