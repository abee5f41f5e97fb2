/*
 * Entries of people whom nobody here follows, which came as excerpts: the oldest give way when
 * there are too many. In the store: position || log || seq -> bytes, so that the first of them is
 * the oldest.
 */
#include <stdlib.h>

#include "gossip_int.h"

#define FACT_BYTES (8 + 4 + 8)

struct fact {
    uint64_t pos;
    uint32_t log_no;
    uint64_t seq;
    uint64_t bytes;
};

static void put_u32be(uint8_t out[4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void fact_key(uint8_t out[FACT_BYTES], const struct fact *f)
{
    al_u64be(out, f->pos);
    put_u32be(out + 8, f->log_no);
    al_u64be(out + 12, f->seq);
}

static int fact_read(struct fact *ret, struct al_slice key, struct al_slice value)
{
    if (key.n != FACT_BYTES || value.n != 8)
        return AL_E_CORRUPT;
    ret->pos = al_u64be_read(key.p);
    ret->log_no = 0;
    for (int i = 0; i < 4; i++)
        ret->log_no = ret->log_no << 8 | key.p[8 + i];
    ret->seq = al_u64be_read(key.p + 12);
    ret->bytes = al_u64be_read(value.p);
    return 0;
}

static void account(struct al_gossip *g, uint64_t bytes)
{
    g->cache_count++;
    g->cache_bytes += bytes;
}

static int fact_drop(struct al_gossip *g, const struct fact *f)
{
    uint8_t key[FACT_BYTES];
    fact_key(key, f);
    g->cache_count--;
    g->cache_bytes -= f->bytes;
    return al_store_kv_del(g->logs->store, AL_SPACE_EXCERPT, al_slice_of(key, sizeof(key)));
}

/* --- giving way ---------------------------------------------------------------------------- */

static int oldest(void *arg, struct al_slice key, struct al_slice value)
{
    int err = fact_read(arg, key, value);
    return err != 0 ? err : 1;
}

/* The part of the oldest entry's block that hangs together with it goes, whoever asked for it. */
static int give_way(struct al_gossip *g)
{
    struct fact f;
    int err = al_store_kv_scan(g->logs->store, AL_SPACE_EXCERPT, al_slice_of(NULL, 0), oldest, &f);
    if (err != 1)
        return err == 0 ? AL_E_CORRUPT : err;
    struct al_log *log = al_map_get(g->cached, &f.log_no);
    err = fact_drop(g, &f);
    if (err != 0 || log == NULL || !al_log_holds(log, f.seq))
        return err; /* it went with another */
    return al_log_take_out(g->logs, log, f.seq);
}

int cache_add(struct al_gossip *g, struct al_log *log, uint64_t seq, uint64_t bytes)
{
    uint8_t key[FACT_BYTES];
    uint8_t value[8];
    struct fact f = {.pos = g->logs->pos, .log_no = log->no, .seq = seq, .bytes = bytes};
    fact_key(key, &f);
    al_u64be(value, bytes);
    int err = al_store_kv_put(g->logs->store, AL_SPACE_EXCERPT, al_slice_of(key, sizeof(key)),
        al_slice_of(value, sizeof(value)));
    if (err == 0)
        err = al_map_put(g->cached, &log->no, log);
    if (err == 0)
        account(g, bytes);
    while (err == 0 && (g->cache_count > CACHE_ENTRIES_MAX || g->cache_bytes > CACHE_BYTES_MAX))
        err = give_way(g);
    return err;
}

/* --- somebody is carried from now on --------------------------------------------------------- */

struct facts_of {
    uint32_t log_no;
    struct fact *list;
    size_t count;
};

static int collect(void *arg, struct al_slice key, struct al_slice value)
{
    struct facts_of *of = arg;
    struct fact f;
    int err = fact_read(&f, key, value);
    if (err == 0 && f.log_no == of->log_no)
        of->list[of->count++] = f;
    return err;
}

/* What is carried does not give way. */
static int forget_facts(struct al_gossip *g, const struct al_log *log)
{
    struct facts_of of = {.log_no = log->no};
    of.list = calloc(g->cache_count + 1, sizeof(*of.list));
    if (of.list == NULL)
        return AL_E_NOMEM;
    int err =
        al_store_kv_scan(g->logs->store, AL_SPACE_EXCERPT, al_slice_of(NULL, 0), collect, &of);
    for (size_t i = 0; err == 0 && i < of.count; i++)
        err = fact_drop(g, &of.list[i]);
    free(of.list);
    return err;
}

/* Payloads beside the entries that were wanted then: now they are missed. */
static int miss_payloads(struct al_gossip *g, struct al_log *log)
{
    for (uint32_t i = 0; i < log->run_count; i++) {
        for (uint64_t seq = log->runs[i].first; seq <= log->runs[i].last; seq++) {
            struct al_store_row row;
            int err = al_store_get(g->logs->store, &row, log->no, seq);
            if (err == 0 && row.payload.n == 0)
                err = gaps_miss(g, log, seq);
            if (err != 0)
                return err;
        }
    }
    return 0;
}

int cache_carry(struct al_gossip *g)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (al_map_next(g->cached, &walk, NULL, &value)) {
        struct al_log *log = value;
        if (!wanted(g, log->person))
            continue;
        int err = forget_facts(g, log);
        if (err == 0)
            err = miss_payloads(g, log);
        if (err != 0)
            return err;
        (void)al_map_remove(g->cached, &log->no);
    }
    return 0;
}

/* --- loading ------------------------------------------------------------------------------- */

static int load_fact(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_gossip *g = arg;
    struct fact f;
    struct al_store_log stored;
    int err = fact_read(&f, key, value);
    if (err != 0)
        return err;
    account(g, f.bytes);
    if (al_map_get(g->cached, &f.log_no) != NULL)
        return 0;
    err = al_store_log_get(g->logs->store, &stored, f.log_no);
    struct al_log *log = err != 0 ? NULL : al_logs_find(g->logs, &stored.device, &stored.log);
    if (log == NULL)
        return err == 0 || err == AL_E_NOT_FOUND ? AL_E_CORRUPT : err;
    return al_map_put(g->cached, &log->no, log);
}

int cache_load(struct al_gossip *g)
{
    return al_store_kv_scan(g->logs->store, AL_SPACE_EXCERPT, al_slice_of(NULL, 0), load_fact, g);
}
