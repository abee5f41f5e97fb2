/*
 * What the views cost: rows and words for each entry, and how long people wait for an answer.
 *
 *     bench_views [--json] [--entries N] [--dir DIRECTORY] [--step CHANGES]
 *
 * Entries of 100 people arrive as in a first catch-up: block by block, newest first, the people
 * in turn. Words are drawn as in a language: the 10th most common 10 times as seldom as the 1st.
 */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "entry.h"
#include "heapbuf.h"
#include "id.h"
#include "payload.h"
#include "read.h"
#include "rng.h"
#include "rpc.h"
#include "sealed.h"
#include "store.h"
#include "views.h"
#include "write.h"

#define OK(expression) AL_ASSERT((expression) == 0)
#define PEOPLE 100
#define WORDS 20000
#define TAGS 200
#define START UINT64_C(1700000000000)
#define YEAR UINT64_C(31536000000)
#define REPEATS 21
#define REVOKED 100032 /* entries of a revoked device */

struct bench {
    char log_path[4096];
    char views_path[4096];
    struct al_store *store;
    struct al_store *follower;
    struct al_keyring keyring;
    struct al_views *views;
    struct al_views_reader *reader;
    struct al_rng rng;
    double *shares; /* of words, summed up */
    uint64_t entries;
    uint32_t step;
    bool json;
    bool first; /* row of the JSON */
};

static double now_of(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL) {
        if (fscanf(f, "%*s %ld", &pages) != 1)
            pages = 0;
        (void)fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void report(struct bench *b, const char *name, double us, const char *unit)
{
    if (b->json)
        printf("%s{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"}", b->first ? "" : ",", name, us,
            unit);
    else
        printf("%-44s %10.2f %s\n", name, us, unit);
    b->first = false;
    (void)fflush(stdout);
}

/* --- what is posted ------------------------------------------------------------------------- */

static unsigned draw_word(struct bench *b)
{
    double x = (double)al_rng_below(&b->rng, UINT64_C(1) << 40) / (double)(UINT64_C(1) << 40) *
               b->shares[WORDS - 1];
    unsigned low = 0;
    unsigned high = WORDS - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (b->shares[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A word of 2 to 8 letters that stands for |n|. */
static size_t spell(char *out, unsigned n)
{
    static const char *const syllables[] = {"ka", "to", "ri", "ne", "so", "mu", "la", "vi", "de",
        "po", "sha", "ber", "tin", "gol", "war", "fen"};
    size_t at = 0;
    do {
        at += (size_t)sprintf(out + at, "%s", syllables[n % 16]);
        n /= 16;
    } while (n > 0);
    return at;
}

static void draw_payload(struct bench *b, struct al_buf *out)
{
    char text[1024];
    char tag[2][16];
    size_t n = 0;
    uint64_t words = 15 + al_rng_below(&b->rng, 40);
    for (uint64_t i = 0; i < words; i++) {
        n += spell(text + n, draw_word(b));
        text[n++] = ' ';
    }
    struct al_payload p = {.kind = AL_KIND_NOTE, .audience = AL_AUDIENCE_NETWORK};
    p.text = al_slice_of(text, n);
    uint64_t first = al_rng_below(&b->rng, TAGS / 2);
    p.tag_count = (uint32_t)al_rng_below(&b->rng, 3);
    for (uint32_t i = 0; i < p.tag_count; i++) {
        (void)snprintf(tag[i], sizeof(tag[i]), "tag%03u", (unsigned)(first + i * TAGS / 2));
        p.tags[i] = al_slice_str(tag[i]);
    }
    al_rng_bytes(&b->rng, p.salt, sizeof(p.salt));
    OK(al_payload_encode(out, &p));
}

/* One block of one log; its neighbours are not there, so any id before it will do. */
static void put_block(struct bench *b, uint32_t log, uint64_t first, uint32_t count, uint64_t logs)
{
    struct al_store_item items[AL_BLOCK_ENTRIES];
    struct al_buf payloads[AL_BLOCK_ENTRIES];
    struct al_store_log l;
    struct al_hash prev;
    struct al_sig sig;
    uint64_t pos;
    OK(al_store_log_get(b->store, &l, log));
    memset(&prev, (int)(first & 0xff), sizeof(prev)); /* the same for whoever continues it */
    memset(&sig, 1, sizeof(sig));
    uint64_t per_log = b->entries / logs + 1;
    struct al_hash before = prev;
    for (uint32_t i = 0; i < count; i++) {
        payloads[i] = al_heapbuf();
        draw_payload(b, &payloads[i]);
        uint64_t seq = first + i;
        items[i] = (struct al_store_item){.payload = al_buf_slice(&payloads[i])};
        items[i].time_ms = START + seq * (YEAR / per_log) + al_rng_below(&b->rng, YEAR / per_log);
        items[i].plen = (uint32_t)payloads[i].n;
        al_entry_payload_hash(&items[i].phash, items[i].payload);
        const struct al_header h = {.device = l.device,
            .log = l.log,
            .seq = seq,
            .time_ms = items[i].time_ms,
            .prev = before,
            .plen = items[i].plen,
            .phash = items[i].phash};
        al_header_id(&items[i].id, &h);
        before = items[i].id;
    }
    OK(al_store_put(b->store, &pos, log, first, &prev, items, count, &sig, START + YEAR * 2));
    for (uint32_t i = 0; i < count; i++)
        al_heapbuf_free(&payloads[i]);
}

/* A single entry, far beyond all blocks. */
static void put_one(
    struct bench *b, const struct al_store_log *l, uint64_t seq, struct al_slice payload)
{
    struct al_store_item item = {.time_ms = START + YEAR + seq, .payload = payload};
    struct al_hash prev;
    struct al_sig sig;
    uint64_t pos;
    memset(&prev, (int)(seq & 0xff), sizeof(prev));
    memset(&sig, 1, sizeof(sig));
    al_rng_bytes(&b->rng, item.id.b, sizeof(item.id.b));
    item.plen = (uint32_t)payload.n;
    OK(al_store_put(b->store, &pos, l->no, seq, &prev, &item, 1, &sig, START + YEAR * 2));
}

static void make_log(struct bench *b)
{
    uint64_t blocks = b->entries / PEOPLE / AL_BLOCK_ENTRIES;
    OK(al_store_open(&b->store, b->log_path, AL_STORE_CREATE));
    OK(al_store_begin(b->store));
    for (uint32_t i = 0; i < PEOPLE; i++) {
        struct al_identity identity;
        struct al_device device;
        struct al_logname name;
        uint32_t no;
        al_rng_bytes(&b->rng, identity.b, sizeof(identity.b));
        al_rng_bytes(&b->rng, device.b, sizeof(device.b));
        al_rng_bytes(&b->rng, name.b, sizeof(name.b));
        if (i == 0)
            identity = b->keyring.identity;
        OK(al_store_log_add(b->store, &no, &identity, &device, &name));
    }
    /* Every other block: stored blocks that touch must name each other's ids. */
    for (uint64_t block = blocks; block-- > 0;) {
        for (uint32_t i = 1; i <= PEOPLE; i++)
            put_block(b, i, block * 2 * AL_BLOCK_ENTRIES + 1, AL_BLOCK_ENTRIES, PEOPLE);
        OK(al_store_commit(b->store));
        OK(al_store_begin(b->store));
    }
    OK(al_store_commit(b->store));
    b->entries = blocks * PEOPLE * AL_BLOCK_ENTRIES;
}

/* --- what is measured ----------------------------------------------------------------------- */

static void measure_bulk(struct bench *b)
{
    uint64_t pos;
    uint64_t end;
    bool more = true;
    OK(al_store_open(&b->follower, b->log_path, AL_STORE_READ));
    OK(al_views_open(&b->views, b->views_path, b->follower, &b->keyring));
    OK(al_store_position(b->follower, &end));
    double cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
    double wall = now_of(CLOCK_MONOTONIC);
    do
        OK(al_views_step(b->views, &pos, &more, b->step));
    while (pos < end);
    double cpu_rows = now_of(CLOCK_PROCESS_CPUTIME_ID);
    double wall_rows = now_of(CLOCK_MONOTONIC);
    double longest = 0;
    while (more) {
        double t = now_of(CLOCK_MONOTONIC);
        OK(al_views_step(b->views, &pos, &more, b->step));
        t = now_of(CLOCK_MONOTONIC) - t;
        longest = t > longest ? t : longest;
    }
    double n = (double)b->entries;
    report(b, "rows, CPU", (cpu_rows - cpu) / n, "us/entry");
    report(b, "rows, wall", (wall_rows - wall) / n, "us/entry");
    report(b, "words, CPU", (now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_rows) / n, "us/entry");
    report(b, "words, wall", (now_of(CLOCK_MONOTONIC) - wall_rows) / n, "us/entry");
    report(b, "longest step of the words", longest / 1e3, "ms");
    report(b, "resident after the bulk", (double)resident_kib() / 1024, "MiB");
    (void)malloc_trim(0);
    report(b, "resident after the bulk, trimmed", (double)resident_kib() / 1024, "MiB");
}

/* Follow everybody, as the node keeps it. */
static void follow_all(struct bench *b)
{
    struct al_store_log l;
    OK(al_store_begin(b->store));
    for (uint32_t i = 2; i <= PEOPLE; i++) {
        char id[AL_ID_TEXT];
        char key[80];
        uint8_t room[64];
        uint64_t change;
        struct al_buf value = al_buf_fixed(room, sizeof(room));
        OK(al_store_log_get(b->store, &l, i));
        al_id_text(id, l.identity.b);
        (void)snprintf(key, sizeof(key), "follow/%s", id);
        al_write_array(&value, 3);
        al_write_uint(&value, START);
        al_write_bin(&value, l.device.b, 32); /* the id of the choice: any will do */
        al_write_bool(&value, true);
        OK(al_store_kv_put(b->store, AL_SPACE_STATE, al_slice_str(key), al_buf_slice(&value)));
        OK(al_store_change(b->store, &change, AL_CHANGE_STATE, 0, 0));
    }
    OK(al_store_commit(b->store));
    uint64_t pos;
    bool more = true;
    while (more)
        OK(al_views_step(b->views, &pos, &more, b->step));
}

/* Every parameter is a name and a text, or a name and a number when the text is NULL. */
struct ask {
    const char *name;
    const char *method;
    const char *key;
    const char *text;
    uint64_t number;
};

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x;
    double b = *(const double *)y;
    return (a > b) - (a < b);
}

static void measure_query(struct bench *b, const struct ask *ask)
{
    double us[REPEATS];
    struct al_buf params = al_heapbuf();
    al_write_map(&params, ask->key == NULL ? 0 : 1);
    if (ask->key != NULL) {
        al_write_cstr(&params, ask->key);
        if (ask->text != NULL)
            al_write_cstr(&params, ask->text);
        else if (strcmp(ask->key, "mine") == 0)
            al_write_bool(&params, true);
        else
            al_write_uint(&params, ask->number);
    }
    size_t bytes = 0;
    uint64_t of = 0;
    for (int i = 0; i < REPEATS; i++) {
        char why[128];
        struct al_buf out = al_heapbuf();
        struct al_now now = {.wall_ms = START + YEAR * 2};
        double t = now_of(CLOCK_MONOTONIC);
        OK(al_views_query(
            b->reader, &out, why, al_slice_str(ask->method), al_buf_slice(&params), now));
        us[i] = now_of(CLOCK_MONOTONIC) - t;
        bytes = out.n;
        struct al_slice count = al_rpc_param(al_buf_slice(&out), "of");
        struct al_read r = al_read_init(count);
        of = count.n > 0 ? al_read_uint(&r, UINT64_MAX) : 0;
        al_heapbuf_free(&out);
    }
    qsort(us, REPEATS, sizeof(us[0]), by_size);
    char name[128];
    (void)snprintf(name, sizeof(name), "%s (%zu bytes, of %" PRIu64 ")", ask->name, bytes, of);
    report(b, name, us[REPEATS / 2] / 1e3, "ms");
    al_heapbuf_free(&params);
}

static void measure_queries(struct bench *b)
{
    char common[2][64];
    char seldom[2][64];
    char two_common[160];
    char two_mixed[160];
    char two_seldom[160];
    char prefix[80];
    char tagged[160];
    for (unsigned i = 0; i < 2; i++) {
        (void)spell(common[i], i);
        (void)spell(seldom[i], 700 + i);
    }
    (void)snprintf(two_common, sizeof(two_common), "%s %s", common[0], common[1]);
    (void)snprintf(two_mixed, sizeof(two_mixed), "%s %s", common[0], seldom[0]);
    (void)snprintf(two_seldom, sizeof(two_seldom), "%s %s", seldom[0], seldom[1]);
    (void)snprintf(prefix, sizeof(prefix), "%s*", seldom[0]);
    (void)snprintf(tagged, sizeof(tagged), "%s tag:tag007", common[0]);
    const struct ask asks[] = {
        {"timeline, 50 newest", "timeline", NULL, NULL, 0},
        {"timeline of mine", "timeline", "mine", NULL, 0},
        {"timeline of a tag", "timeline", "tag", "tag007", 0},
        {"changes, last 50", "changes", "from", NULL, b->entries - 50},
        {"search, very common word", "search", "query", common[0], 0},
        {"search, two very common words", "search", "query", two_common, 0},
        {"search, a common and a rare word", "search", "query", two_mixed, 0},
        {"search, two rare words", "search", "query", two_seldom, 0},
        {"search, unknown word", "search", "query", "zzzzzz", 0},
        {"search, prefix", "search", "query", prefix, 0},
        {"search, word and tag", "search", "query", tagged, 0},
        {"search, tag only", "search", "query", "tag:tag007", 0},
        {"tags", "tags", NULL, NULL, 0},
        {"people", "people", NULL, NULL, 0},
        {"resolve last", "resolve", "ref", "last", 0},
        {"resolve a prefix", "resolve", "ref", "abcd", 0},
        {"status of the views", "views_status", NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
        measure_query(b, &asks[i]);
    (void)malloc_trim(0);
    report(b, "resident after the queries, trimmed", (double)resident_kib() / 1024, "MiB");
}

/* One entry posted at a time, each taken in by a step of its own. */
static void measure_single(struct bench *b)
{
    double us[REPEATS];
    struct al_store_log log;
    OK(al_store_log_get(b->store, &log, 1));
    for (unsigned i = 0; i < REPEATS; i++) {
        struct al_buf payload = al_heapbuf();
        bool more;
        uint64_t pos;
        OK(al_store_begin(b->store));
        draw_payload(b, &payload);
        put_one(b, &log, b->entries * 4 + 1 + i * UINT64_C(128), al_buf_slice(&payload));
        al_heapbuf_free(&payload);
        OK(al_store_commit(b->store));
        double t = now_of(CLOCK_MONOTONIC);
        OK(al_views_step(b->views, &pos, &more, b->step));
        us[i] = now_of(CLOCK_MONOTONIC) - t;
        AL_ASSERT(!more);
    }
    qsort(us, REPEATS, sizeof(us[0]), by_size);
    report(b, "one entry posted", us[REPEATS / 2] / 1e3, "ms");
    report(b, "one entry posted, at worst", us[REPEATS - 1] / 1e3, "ms");
}

/* Entries of a thief: another log of person 2. */
static uint32_t put_revoked(struct bench *b)
{
    struct al_store_log l;
    uint32_t no;
    OK(al_store_log_get(b->store, &l, 2));
    al_rng_bytes(&b->rng, l.log.b, sizeof(l.log.b));
    OK(al_store_begin(b->store));
    OK(al_store_log_add(b->store, &no, &l.identity, &l.device, &l.log));
    for (uint64_t block = REVOKED / AL_BLOCK_ENTRIES; block-- > 0;)
        put_block(b, no, block * 2 * AL_BLOCK_ENTRIES + 1, AL_BLOCK_ENTRIES, PEOPLE);
    OK(al_store_commit(b->store));
    return no;
}

/* A device is revoked: its entries leave every view, and the words the file. */
static void measure_hiding(struct bench *b, uint32_t log)
{
    uint64_t pos;
    bool more = true;
    double longest = 0;
    OK(al_store_begin(b->store));
    OK(al_store_change(b->store, &pos, AL_CHANGE_HIDDEN, log, 1));
    OK(al_store_commit(b->store));
    double start = now_of(CLOCK_MONOTONIC);
    while (more) {
        double t = now_of(CLOCK_MONOTONIC);
        OK(al_views_step(b->views, &pos, &more, b->step));
        t = now_of(CLOCK_MONOTONIC) - t;
        longest = t > longest ? t : longest;
    }
    report(b, "100,000 entries hidden", (now_of(CLOCK_MONOTONIC) - start) / 1e3, "ms");
    report(b, "longest step of that", longest / 1e3, "ms");
    start = now_of(CLOCK_MONOTONIC);
    longest = 0;
    for (more = true; more;) {
        double t = now_of(CLOCK_MONOTONIC);
        OK(al_views_tidy(b->views, &more));
        t = now_of(CLOCK_MONOTONIC) - t;
        longest = t > longest ? t : longest;
    }
    report(b, "their words out of the file", (now_of(CLOCK_MONOTONIC) - start) / 1e3, "ms");
    report(b, "longest step of that", longest / 1e3, "ms");
}

static double size_of(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    (void)fseek(f, 0, SEEK_END);
    double n = (double)ftell(f);
    (void)fclose(f);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
        {"entries", required_argument, NULL, 'n'}, {"dir", required_argument, NULL, 'd'},
        {"step", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    struct bench b = {.entries = 100000, .step = 16384, .first = true};
    const char *dir = "/tmp";
    for (int c = getopt_long(argc, argv, "", options, NULL); c != -1;
         c = getopt_long(argc, argv, "", options, NULL)) {
        if (c == 'j')
            b.json = true;
        else if (c == 'n')
            b.entries = strtoull(optarg, NULL, 10);
        else if (c == 'd')
            dir = optarg;
        else if (c == 's')
            b.step = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    (void)snprintf(b.log_path, sizeof(b.log_path), "%s/bench-%d-log.db", dir, (int)getpid());
    (void)snprintf(b.views_path, sizeof(b.views_path), "%s/bench-%d-views.db", dir, (int)getpid());
    const uint8_t seed[32] = {1};
    al_rng_init(&b.rng, seed);
    b.shares = calloc(WORDS, sizeof(*b.shares));
    AL_ASSERT(b.shares != NULL);
    for (unsigned i = 0; i < WORDS; i++)
        b.shares[i] = (i == 0 ? 0 : b.shares[i - 1]) + 1.0 / (i + 1);
    struct al_root root;
    al_root_derive(&root, seed);
    OK(al_keyring_init(&b.keyring, &root.identity, seed, 1, seed));
    if (b.json)
        printf("[");
    make_log(&b);
    measure_bulk(&b);
    follow_all(&b);
    OK(al_views_reader_open(&b.reader, b.views_path, b.log_path, &b.keyring));
    measure_queries(&b);
    measure_single(&b);
    report(&b, "views.db for each entry", size_of(b.views_path) / (double)b.entries, "bytes");
    uint32_t revoked = put_revoked(&b);
    uint64_t pos;
    for (bool more = true; more;)
        OK(al_views_step(b.views, &pos, &more, b.step));
    measure_hiding(&b, revoked);
    if (b.json)
        printf("]\n");
    al_views_reader_close(b.reader);
    al_views_close(b.views);
    al_store_close(b.follower);
    al_store_close(b.store);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[4200];
        (void)snprintf(path, sizeof(path), "%s%s", b.log_path, suffixes[i]);
        (void)unlink(path);
        (void)snprintf(path, sizeof(path), "%s%s", b.views_path, suffixes[i]);
        (void)unlink(path);
    }
    free(b.shares);
    return 0;
}
