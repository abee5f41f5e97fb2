/*
 * How fast log.db takes entries, beside what SQLite does with the same rows in a bare table:
 *
 *     bench_store [--json] [--entries N] [--dir DIRECTORY]
 *
 * Entries of 250 B of payload arrive as in a catch-up: segments of 64, newest first, of 100 logs in
 * turn, 4,096 entries in a transaction, durable.
 */
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "limit.h"
#include "store.h"

#define LOGS 100
#define PAYLOAD 250
#define BATCH 4096

struct sample {
    double wall, cpu;
};

struct result {
    const char *name;
    uint64_t count;
    struct sample took;
};

static uint8_t payloads[65536 + PAYLOAD];
static char dir[256] = "/tmp";
static char path[320];

/* --- measuring ----------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sample now(void)
{
    return (struct sample){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct result since(const char *name, uint64_t count, struct sample start)
{
    struct sample end = now();
    return (struct result){name, count, {end.wall - start.wall, end.cpu - start.cpu}};
}

static long rss_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f != NULL)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void must(int err)
{
    if (err != 0) {
        fprintf(stderr, "bench_store: %s\n", al_err_words(err));
        exit(1);
    }
}

static void must_sql(sqlite3 *db, int rc)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fprintf(stderr, "bench_store: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

/* --- the same rows for both ---------------------------------------------------------------- */

static uint64_t state = 1;

static uint64_t next_number(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state >> 16;
}

static struct al_store_item next_item(uint64_t seq)
{
    struct al_store_item item = {.time_ms = UINT64_C(1700000000000) + seq * 60000};
    for (size_t i = 0; i < sizeof(item.id.b); i += 8)
        al_u64be(item.id.b + i, next_number() * UINT64_C(0x9e3779b97f4a7c15));
    item.plen = PAYLOAD;
    item.payload = al_slice_of(payloads + next_number() % 65536, PAYLOAD);
    return item;
}

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char file[400];
        snprintf(file, sizeof(file), "%s%s", path, ends[i]);
        unlink(file);
    }
}

/* --- raw SQLite ---------------------------------------------------------------------------- */

static struct result raw_insert(uint64_t count)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    must_sql(NULL, sqlite3_open(path, &db));
    must_sql(
        db, sqlite3_exec(db,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = "
                "3000;"
                "CREATE TABLE t (pos INTEGER PRIMARY KEY, log INTEGER, seq INTEGER, time INTEGER,"
                " arrived INTEGER, id BLOB, payload BLOB)",
                NULL, NULL, NULL));
    must_sql(
        db, sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", -1, &st, NULL));
    struct sample start = now();
    for (uint64_t i = 0; i < count; i++) {
        struct al_store_item item = next_item(i);
        if (i % BATCH == 0)
            must_sql(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
        sqlite3_bind_int64(st, 1, (sqlite3_int64)i + 1);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)(i / 64 % LOGS + 1));
        sqlite3_bind_int64(st, 3, (sqlite3_int64)(i / LOGS + 1));
        sqlite3_bind_int64(st, 4, (sqlite3_int64)item.time_ms);
        sqlite3_bind_int64(st, 5, 1800000000000);
        sqlite3_bind_blob(st, 6, item.id.b, 32, SQLITE_STATIC);
        sqlite3_bind_blob(st, 7, item.payload.p, PAYLOAD, SQLITE_STATIC);
        must_sql(db, sqlite3_step(st));
        sqlite3_reset(st);
        if (i % BATCH == BATCH - 1 || i + 1 == count)
            must_sql(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    }
    struct result r = since("raw SQLite, bare table", count, start);
    sqlite3_finalize(st);
    sqlite3_close(db);
    remove_files();
    return r;
}

/* --- the store ----------------------------------------------------------------------------- */

static void put_segment(
    struct al_store *s, uint32_t log_no, uint64_t block, bool newest, struct al_hash *above)
{
    struct al_store_item items[AL_BLOCK_ENTRIES];
    struct al_sig sig = {{1}};
    struct al_hash prev;
    uint64_t pos, first = block * AL_BLOCK_ENTRIES + 1;
    for (size_t i = 0; i < AL_BLOCK_ENTRIES; i++)
        items[i] = next_item(first + i);
    prev = next_item(first).id;
    if (!newest) /* the block above names the last id here */
        items[AL_BLOCK_ENTRIES - 1].id = *above;
    *above = prev;
    must(al_store_put(s, &pos, log_no, first, &prev, items, AL_BLOCK_ENTRIES, &sig, 1800000000000));
}

static struct result store_put(struct al_store *s, uint64_t blocks)
{
    static struct al_hash above[LOGS];
    struct sample start = now();
    uint64_t held = 0;
    for (uint64_t block = blocks; block-- > 0;) {
        for (uint32_t log = 0; log < LOGS; log++) {
            if (held % BATCH == 0)
                must(al_store_begin(s));
            put_segment(s, log + 1, block, block == blocks - 1, &above[log]);
            held += AL_BLOCK_ENTRIES;
            if (held % BATCH == 0)
                must(al_store_commit(s));
        }
    }
    if (held % BATCH != 0)
        must(al_store_commit(s));
    return since("al_store_put", held, start);
}

static int count_row(void *arg, const struct al_store_row *row)
{
    *(uint64_t *)arg += row->payload.n;
    return 0;
}

static int count_change(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    uint64_t *last = arg;
    *last = change->pos;
    return row == NULL ? AL_E_CORRUPT : 0;
}

static struct result read_logs(struct al_store *s, uint64_t count)
{
    struct sample start = now();
    uint64_t bytes = 0;
    for (uint32_t log = 1; log <= LOGS; log++)
        must(al_store_entries(s, log, 1, AL_SEQ_MAX, count_row, &bytes));
    AL_ASSERT(bytes == count * PAYLOAD);
    return since("al_store_entries", count, start);
}

static struct result read_changes(struct al_store *s, uint64_t count)
{
    struct sample start = now();
    uint64_t last = 0;
    for (uint64_t before = 1; before != last;) {
        before = last;
        must(al_store_changes(s, last, BATCH, count_change, &last));
    }
    AL_ASSERT(last == count);
    return since("al_store_changes", count, start);
}

static struct result commit_singles(struct al_store *s)
{
    const uint64_t count = 200;
    struct sample start = now();
    for (uint64_t i = 0; i < count; i++) {
        must(al_store_begin(s));
        must(al_store_kv_put(s, AL_SPACE_META, al_slice_str("n"), al_slice_of(&i, sizeof(i))));
        must(al_store_commit(s));
    }
    return since("single durable commit", count, start);
}

/* --- output -------------------------------------------------------------------------------- */

static void print(const struct result *rows, size_t n, double beyond, long rss, bool json)
{
    if (json) {
        printf("{\"bytes_beyond_payload\":%.1f,\"rss_kib\":%ld,\"rows\":[", beyond, rss);
    } else {
        printf("%-24s %10s %12s %9s %9s %9s\n", "", "count", "per second", "us wall", "us cpu",
            "of raw");
    }
    for (size_t i = 0; i < n; i++) {
        double count = (double)rows[i].count;
        double rate = count / rows[i].took.wall;
        double of_raw = rate / ((double)rows[0].count / rows[0].took.wall);
        double wall = rows[i].took.wall * 1e6 / count, cpu = rows[i].took.cpu * 1e6 / count;
        printf(json ? "%s{\"name\":\"%s\",\"count\":%" PRIu64
                      ",\"per_second\":%.0f,\"us_wall\":%.2f,"
                      "\"us_cpu\":%.2f,\"of_raw\":%.2f}"
                    : "%s%-24s %10" PRIu64 " %12.0f %9.2f %9.2f %9.2f\n",
            json && i > 0 ? "," : "", rows[i].name, rows[i].count, rate, wall, cpu, of_raw);
    }
    if (json)
        printf("]}\n");
    else
        printf(
            "log.db beyond the payload: %.1f B an entry; RSS after it all: %ld KiB\n", beyond, rss);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
        {"entries", required_argument, NULL, 'n'}, {"dir", required_argument, NULL, 'd'}, {0}};
    uint64_t entries = 200000;
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'j')
            json = true;
        else if (c == 'n')
            entries = strtoull(optarg, NULL, 10);
        else if (c == 'd')
            snprintf(dir, sizeof(dir), "%s", optarg);
        else
            return 2;
    }
    snprintf(path, sizeof(path), "%s/bench-store-%d.db", dir, (int)getpid());
    randombytes_buf(payloads, sizeof(payloads));
    uint64_t blocks = entries / LOGS / AL_BLOCK_ENTRIES + 1;
    uint64_t count = blocks * LOGS * AL_BLOCK_ENTRIES;

    struct result rows[5];
    rows[0] = raw_insert(count);
    struct al_store *s;
    must(al_store_open(&s, path, AL_STORE_CREATE));
    must(al_store_begin(s));
    for (uint32_t log = 0, no; log < LOGS; log++) {
        struct al_identity identity = {{(uint8_t)log}};
        struct al_device device = {{(uint8_t)log}};
        must(al_store_log_add(s, &no, &identity, &device, &(struct al_logname){{1}}));
    }
    must(al_store_commit(s));
    rows[1] = store_put(s, blocks);
    rows[2] = read_logs(s, count);
    rows[3] = read_changes(s, count);
    rows[4] = commit_singles(s);
    must(al_store_tidy(s));
    struct stat st;
    AL_ASSERT(stat(path, &st) == 0);
    double beyond = (double)st.st_size / (double)count - PAYLOAD;
    print(rows, 5, beyond, rss_kib(), json);
    al_store_close(s);
    remove_files();
    return 0;
}
