/*
 * bench_circle DIR: circles at their largest, over a SQLite store in the new directory DIR. Prints
 * the median in microseconds of
 *
 *     add    put the last of 150 members in: compose, seal, sign, store and commit
 *     open   open a sealed entry with 64 epochs known: by the newest key, and by the oldest
 *     load   make the index of a circle of 150 with 64 epochs
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "append.h"
#include "check.h"
#include "heapbuf.h"
#include "init.h"
#include "statement.h"
#include "write.h"

#define EPOCHS 64
#define ROUNDS 32

struct person {
    struct al_root root;
    struct al_keyring keyring;
};

static struct al_rng rng;
static struct al_logs *logs;
static struct al_now now = {.mono_ms = 1, .wall_ms = UINT64_C(1790000000000)};
static struct al_identity others[AL_MEMBERS_MAX];
static const struct al_circle_id cid = {.b = {1}};
static uint8_t oldest[AL_EPOCH_KEY_BYTES]; /* of the first epoch */
static double samples[ROUNDS];

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x;
    double b = *(const double *)y;
    return (a > b) - (a < b);
}

static void print_median(const char *what)
{
    qsort(samples, ROUNDS, sizeof(samples[0]), by_size);
    printf("%s %.1f\n", what, samples[ROUNDS / 2]);
}

static void make_person(struct person *p)
{
    uint8_t seed[32], read_sk[32];
    al_rng_bytes(&rng, seed, sizeof(seed));
    al_root_derive(&p->root, seed);
    al_root_read_key(read_sk, &p->root, 1);
    al_rng_bytes(&rng, seed, sizeof(seed));
    AL_ASSERT(al_keyring_init(&p->keyring, &p->root.identity, seed, 1, read_sk) == 0);
}

static void meet(struct al_identity *out)
{
    struct person p;
    uint8_t bytes[512], read_pk[32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    bool is_new;
    make_person(&p);
    al_read_key_public(read_pk, p.keyring.read_sk);
    al_statement_encode_read(&b, &p.root.identity, p.root.secret, 1, read_pk, NULL, 0);
    AL_ASSERT(al_logs_statement(logs, &is_new, al_buf_slice(&b)) == 0);
    *out = p.root.identity;
}

static const struct al_record *record_of(void *arg, const struct al_identity *identity)
{
    const struct al_person *p = al_logs_person(logs, identity);
    (void)arg;
    return p == NULL ? NULL : p->record;
}

static const struct al_circle *circle(void)
{
    return al_circles_find(logs->circles, &logs->self->identity, &cid);
}

static void change(struct al_store *store, struct al_circle_change c)
{
    struct al_buf b = al_heapbuf();
    struct al_payload p;
    struct al_place place;
    struct al_identity who;
    c.circle = circle();
    AL_ASSERT(al_store_begin(store) == 0);
    AL_ASSERT(al_append_place(logs, &place) == 0);
    AL_ASSERT(
        al_circle_compose(logs->circles, &b, &p, &who, &c, &place, record_of, NULL, &rng) == 0);
    AL_ASSERT(al_append(logs, NULL, &p, 1, now) == 0);
    AL_ASSERT(al_store_commit(store) == 0);
    al_heapbuf_free(&b);
}

static void bench_add(struct al_store *store)
{
    const struct al_identity *last = &others[AL_MEMBERS_MAX - 2];
    change(store, (struct al_circle_change){.cid = cid,
                      .name = al_slice_str("all"),
                      .add = others,
                      .add_count = AL_MEMBERS_MAX - 2});
    memcpy(oldest, al_circles_key(logs->circles, circle()), sizeof(oldest));
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_us();
        change(store, (struct al_circle_change){.add = last, .add_count = 1});
        samples[i] = now_us() - start;
        AL_ASSERT(al_circle_size(circle()) == AL_MEMBERS_MAX);
        if (i + 1 < ROUNDS)
            change(store, (struct al_circle_change){.remove = last, .remove_count = 1});
    }
    print_median("add");
    AL_ASSERT(circle()->n == EPOCHS);
}

static void bench_open(const uint8_t key[AL_EPOCH_KEY_BYTES], const char *what)
{
    uint8_t inner[300], bytes[600], out[600], nonce[AL_NONCE_BYTES];
    struct al_place place = {.seq = 1};
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_sealed sealed;
    struct al_unsealed un;
    memset(inner, 1, sizeof(inner));
    al_rng_bytes(&rng, nonce, sizeof(nonce));
    AL_ASSERT(al_sealed_encode(&b, key, nonce, &place, al_slice_of(inner, sizeof(inner))) == 0);
    AL_ASSERT(al_sealed_open(&sealed, al_buf_slice(&b)) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_us();
        AL_ASSERT(al_circles_decrypt(logs->circles, out, &un, &sealed, &place, &others[0]) == 0);
        samples[i] = now_us() - start;
    }
    print_median(what);
}

static void bench_load(struct al_store *store, const struct al_keyring *keyring)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct al_circles *c;
        double start = now_us();
        AL_ASSERT(al_circles_new(&c, store, keyring) == 0);
        samples[i] = now_us() - start;
        al_circles_free(c);
    }
    print_median("load");
}

int main(int argc, char **argv)
{
    static uint8_t seed[32] = {1};
    static struct person me;
    struct al_store *store;
    char path[512];
    if (argc != 2 || mkdir(argv[1], 0700) != 0 || sodium_init() < 0) {
        (void)fprintf(stderr, "usage: bench_circle NEW_DIR\n");
        return 2;
    }
    al_rng_init(&rng, seed);
    make_person(&me);
    (void)snprintf(path, sizeof(path), "%s/log.db", argv[1]);
    AL_ASSERT(al_store_open(&store, path, AL_STORE_CREATE) == 0);
    AL_ASSERT(al_init_store(store, &me.root, &me.keyring, al_slice_str("me"),
                  al_slice_str("laptop"), now.wall_ms, seed) == 0);
    AL_ASSERT(al_logs_new(&logs, store, &me.keyring, &rng) == 0);
    AL_ASSERT(al_store_begin(store) == 0);
    for (uint32_t i = 0; i < AL_MEMBERS_MAX - 1; i++)
        meet(&others[i]);
    AL_ASSERT(al_store_commit(store) == 0);
    bench_add(store);
    bench_open(al_circles_key(logs->circles, circle()), "open-newest");
    bench_open(oldest, "open-oldest");
    bench_load(store, &me.keyring);
    al_logs_free(logs);
    al_store_close(store);
    return 0;
}
