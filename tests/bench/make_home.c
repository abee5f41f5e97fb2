/*
 * make_home: a home directory full of made-up people, for benches and tests. Everything follows
 * from numbers, so two homes made with the same --people know the same people:
 *
 *     make_home DIR --me N [--peer N [--address HOST:PORT]] [--people COUNT] [--entries COUNT]
 *               [--bytes COUNT]
 *
 * Person N is this home's owner; it follows and admits the peer, and follows --people others
 * (numbers from 1000), who have written --entries entries in all, one log each, of about --bytes
 * bytes of words. With --entries 0 they are followed, and nothing of theirs is there.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "append.h"
#include "apply.h"
#include "check.h"
#include "files.h"
#include "hash.h"
#include "ingest.h"
#include "init.h"
#include "paths.h"
#include "segment.h"
#include "statement.h"
#include "store.h"
#include "write.h"

#define FIRST_OTHER 1000
#define START_MS UINT64_C(1700000000000)
#define BATCH_SEGMENTS 64

struct opts {
    const char *dir;
    const char *address;
    uint64_t me, peer, people, entries, bytes;
};

struct person {
    struct al_root root;
    struct al_keyring keyring;
};

static void check(int err, const char *what)
{
    if (err == 0)
        return;
    (void)fprintf(stderr, "make_home: %s: %s\n", what, al_err_words(err));
    exit(1);
}

static void derive(uint8_t out[32], const char *purpose, uint64_t number)
{
    uint8_t be[8];
    struct al_hash h;
    al_u64be(be, number);
    al_hash1(&h, purpose, be, sizeof(be));
    memcpy(out, h.b, 32);
}

static void person_make(struct person *p, uint64_t number)
{
    uint8_t entropy[32];
    uint8_t seed[32];
    uint8_t read_sk[32];
    derive(entropy, "bench-entropy", number);
    derive(seed, "bench-device", number);
    al_root_derive(&p->root, entropy);
    al_root_read_key(read_sk, &p->root, 1);
    check(al_keyring_init(&p->keyring, &p->root.identity, seed, 1, read_sk), "keys");
}

/* --- the owner ----------------------------------------------------------------------------- */

static void choose(struct al_logs *l, const char *relation, const struct al_identity *identity)
{
    static const uint8_t yes = 0xc3; /* MessagePack's true */
    char key[AL_RELATION_KEY_BYTES];
    al_apply_relation_key(key, relation, identity);
    const struct al_payload state = {.kind = AL_KIND_STATE,
        .kind_name = al_slice_str("state"),
        .audience = AL_AUDIENCE_ME,
        .key = al_slice_str(key),
        .val = al_slice_of(&yes, 1)};
    check(al_append(l, NULL, &state, 1, (struct al_now){0, START_MS}), relation);
}

static void add_peer(struct al_logs *l, const struct opts *o)
{
    static struct person peer;
    person_make(&peer, o->peer);
    choose(l, "follow", &peer.root.identity);
    choose(l, "admit", &peer.root.identity);
    if (o->address == NULL)
        return;
    uint8_t bytes[256];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 3);
    al_write_bin(&b, peer.root.identity.b, 32);
    al_write_array(&b, 1);
    al_write_cstr(&b, o->address);
    al_write_bin(&b, NULL, 0);
    check(al_store_kv_put(
              l->store, AL_SPACE_PEER, al_slice_of(peer.keyring.device.b, 32), al_buf_slice(&b)),
        "peer");
}

/* --- the others ---------------------------------------------------------------------------- */

static void put_cert(struct al_logs *l, const struct person *p)
{
    uint8_t bytes[1024];
    bool is_new;
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_statement_encode_cert(&b, &p->root.identity, p->root.secret, &p->keyring.device,
        p->keyring.device_secret, START_MS, al_slice_str("laptop"));
    check(al_logs_statement(l, &is_new, al_buf_slice(&b)), "certificate");
}

/* A text of common and of rare words, as people write them. */
static size_t some_text(char *out, size_t want, struct al_rng *rng)
{
    static const char *const words[] = {"the", "build", "fails", "when", "socket", "close", "in",
        "parser", "reader", "today", "fixed", "why", "loop", "buffer", "cache", "release", "test",
        "network", "window", "signal", "error", "query", "index", "thread", "handle", "key"};
    size_t n = 0;
    while (n + 16 < want) {
        uint64_t pick = al_rng_below(rng, 100);
        if (pick < 85)
            n += (size_t)snprintf(
                out + n, want - n, "%s ", words[pick % (sizeof(words) / sizeof(words[0]))]);
        else
            n += (size_t)snprintf(out + n, want - n, "w%" PRIx64 " ", al_rng_below(rng, 50000));
    }
    out[n - 1] = '.';
    return n;
}

static void put_entries(struct al_logs *l, const struct person *p, uint64_t count,
    const struct opts *o, uint64_t *io_batch)
{
    static uint8_t bytes[AL_BLOCK_ENTRIES * 4096];
    static char text[4096];
    static struct al_segment seg;
    struct al_log *log;
    struct al_logname name = {{1}};
    check(al_logs_open(l, &log, &p->keyring.device, &name), "log");
    seg.device = p->keyring.device;
    seg.log = name;
    al_entry_genesis(&seg.prev, &p->root.identity, &seg.device, &name);
    for (uint64_t seq = 1; seq <= count; seq += seg.count) {
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        seg.first = seq;
        seg.count =
            (uint32_t)(count - seq + 1 < AL_BLOCK_ENTRIES ? count - seq + 1 : AL_BLOCK_ENTRIES);
        struct al_hash prev = seg.prev;
        for (uint32_t i = 0; i < seg.count; i++) {
            struct al_payload note = {.kind = AL_KIND_NOTE,
                .kind_name = al_slice_str("note"),
                .audience = AL_AUDIENCE_NETWORK,
                .text = al_slice_of(text, some_text(text, o->bytes - 50, l->rng)),
                .tags = {al_slice_str(seq % 3 == 0 ? "libuv" : "sqlite")},
                .tag_count = 1};
            al_rng_bytes(l->rng, note.salt, sizeof(note.salt));
            size_t start = b.n;
            check(al_payload_encode(&b, &note), "payload");
            struct al_segment_item *item = &seg.items[i];
            *item = (struct al_segment_item){.time_ms = START_MS + (seq + i) * 60000,
                .payload = al_slice_of(b.p + start, b.n - start),
                .plen = (uint32_t)(b.n - start),
                .stub = AL_STUB_NONE};
            al_entry_payload_hash(&item->phash, item->payload);
            struct al_header h = {
                seg.device, name, seq + i, item->time_ms, prev, item->plen, item->phash};
            al_header_id(&item->id, &h);
            prev = item->id;
        }
        al_entry_sign(&seg.sig, p->keyring.device_secret, &prev);
        struct al_ingest in;
        check(
            al_ingest_segment(l, &in, &seg, (struct al_now){0, START_MS + seq * 60000}), "segment");
        seg.prev = prev;
        if (++*io_batch % BATCH_SEGMENTS == 0) {
            check(al_store_commit(l->store), "commit");
            check(al_store_begin(l->store), "begin");
        }
    }
}

static void put_people(struct al_logs *l, const struct opts *o)
{
    static struct person p;
    uint64_t batch = 0;
    for (uint64_t i = 0; i < o->people; i++) {
        person_make(&p, FIRST_OTHER + i);
        choose(l, "follow", &p.root.identity);
        if (o->entries == 0)
            continue;
        put_cert(l, &p);
        put_entries(l, &p, o->entries / o->people, o, &batch);
    }
}

static void fill(struct al_store *s, const struct person *me, const struct opts *o)
{
    struct al_logs *l;
    struct al_rng rng;
    uint8_t seed[32] = {7};
    al_rng_init(&rng, seed);
    check(al_logs_new(&l, s, &me->keyring, &rng), "index");
    check(al_store_begin(s), "begin");
    if (o->peer != 0)
        add_peer(l, o);
    put_people(l, o);
    check(al_store_commit(s), "commit");
    al_logs_free(l);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"me", 1, NULL, 'm'}, {"peer", 1, NULL, 'r'},
        {"address", 1, NULL, 'a'}, {"people", 1, NULL, 'p'}, {"entries", 1, NULL, 'e'},
        {"bytes", 1, NULL, 'b'}, {NULL, 0, NULL, 0}};
    struct opts o = {.me = 1, .people = 100, .entries = 0, .bytes = 250};
    static struct person me;
    struct al_paths paths;
    struct al_store *s;
    uint8_t seed[32] = {9};
    char name[32];
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == '?')
            return 2;
        if (c == 'a')
            o.address = optarg;
        else
            *(c == 'm'     ? &o.me
                : c == 'r' ? &o.peer
                : c == 'p' ? &o.people
                : c == 'e' ? &o.entries
                           : &o.bytes) = strtoull(optarg, NULL, 10);
    }
    if (optind + 1 != argc || o.people == 0 || o.bytes < 100 || o.bytes > 4000) {
        (void)fprintf(stderr, "make_home: see the head of make_home.c for its use\n");
        return 2;
    }
    o.dir = argv[optind];
    (void)mkdir(o.dir, 0700);
    check(al_paths_init(&paths, o.dir), "paths");
    (void)mkdir(paths.data, 0700);
    person_make(&me, o.me);
    check(al_files_create(paths.keys, &me.keyring, seed), "key files");
    check(al_store_open(&s, paths.log_db, AL_STORE_CREATE), "log.db");
    (void)snprintf(name, sizeof(name), "person%" PRIu64, o.me);
    check(al_init_store(
              s, &me.root, &me.keyring, al_slice_str(name), al_slice_str("laptop"), START_MS, seed),
        "init");
    fill(s, &me, &o);
    al_store_close(s);
    return 0;
}
