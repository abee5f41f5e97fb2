/*
 * What is missing, and where it comes from: one table (log, block) -> the request that asks for
 * it, newest blocks first, every log in turn. docs/protocol.md, "Catch-up".
 */
#include <stdlib.h>

#include "check.h"
#include "gossip_int.h"
#include "write.h"

/* How far below the first missing block one peer may look when it lacks those above. */
#define LOOK_DOWN 64

static void block_key(uint8_t out[16], const struct al_log *log, uint64_t block)
{
    al_u64be(out, log->no);
    al_u64be(out + 8, block);
}

/* --- requests ------------------------------------------------------------------------------ */

struct request *request_new(struct al_gossip *g, struct peer *p, enum request_kind kind)
{
    struct request *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    do
        p->next_req++;
    while (p->next_req == 0 || request_find(p, p->next_req) != NULL);
    if (TAILQ_EMPTY(&p->requests))
        p->progress_ms = g->turn_ms; /* its time to answer begins */
    r->req = p->next_req;
    r->kind = kind;
    r->peer = p;
    TAILQ_INSERT_TAIL(&p->requests, r, link);
    return r;
}

struct request *request_find(const struct peer *p, uint32_t req)
{
    struct request *r;
    TAILQ_FOREACH (r, &p->requests, link) {
        if (r->req == req)
            return r;
    }
    return NULL;
}

static void activate(struct al_gossip *g, struct al_fetch *f)
{
    if (!f->queued) {
        TAILQ_INSERT_TAIL(&g->active, f, link);
        f->queued = true;
    }
}

void request_drop(struct al_gossip *g, struct request *r)
{
    if (r->kind == REQUEST_BLOCK) {
        uint64_t block = al_block_of(r->first);
        uint8_t key[16];
        block_key(key, r->log, block);
        (void)al_map_remove(g->asked, key);
        struct al_fetch *f = r->log->fetch;
        if (f->next_block < block)
            f->next_block = block;
        activate(g, f);
    } else if (r->kind == REQUEST_PAYLOADS) {
        for (uint32_t i = 0; i < g->missing_count; i++) {
            if (g->missing[i].log == r->log)
                g->missing[i].asked = false;
        }
    }
    r->peer->in_flight -= r->estimate;
    TAILQ_REMOVE(&r->peer->requests, r, link);
    free(r);
}

/* --- what to ask for ----------------------------------------------------------------------- */

int catchup_target(struct al_gossip *g, struct al_log *log, uint64_t seq)
{
    struct al_fetch *f = log->fetch;
    if (log->frozen != 0 && seq >= log->frozen)
        seq = log->frozen - 1;
    if (seq == 0 || (seq <= al_log_head(log) && log->held == al_log_head(log)))
        return 0;
    if (f == NULL) {
        f = calloc(1, sizeof(*f));
        if (f == NULL)
            return AL_E_NOMEM;
        f->log = log;
        log->fetch = f;
    }
    if (seq > f->target)
        f->target = seq;
    f->next_block = al_block_of(f->target);
    activate(g, f);
    return 0;
}

/* The first entry of |block| up to |target| that is missing, 0 when none is. */
static uint64_t first_missing(const struct al_log *log, uint64_t block, uint64_t target)
{
    uint64_t seq = al_block_first(block);
    uint64_t last = al_block_last(block);
    if (last > target)
        last = target;
    while (seq <= last) {
        const struct al_store_run *run = al_log_run_at(log, seq);
        if (run == NULL || run->last < seq)
            return seq;
        seq = run->last + 1;
    }
    return 0;
}

static bool is_asked(const struct al_gossip *g, const struct al_log *log, uint64_t block)
{
    uint8_t key[16];
    block_key(key, log, block);
    return al_map_get(g->asked, key) != NULL;
}

static bool peer_lacks(const struct peer *p, const struct al_log *log, uint64_t block)
{
    uint8_t key[16];
    block_key(key, log, block);
    return al_map_get(p->lacks, key) != NULL;
}

/* Pass over blocks that are held or asked for; false when there is nothing left to ask. */
static bool advance(const struct al_gossip *g, struct al_fetch *f)
{
    for (;;) {
        if (!is_asked(g, f->log, f->next_block) &&
            first_missing(f->log, f->next_block, f->target) != 0)
            return true;
        if (f->next_block == 0)
            return false;
        /* jump over whole runs: a long log that is held costs one step */
        const struct al_store_run *run = al_log_run_at(f->log, al_block_first(f->next_block));
        uint64_t below = f->next_block - 1;
        if (run != NULL && run->last >= al_block_first(f->next_block) &&
            al_block_of(run->first) < below)
            below = al_block_of(run->first);
        f->next_block = below;
    }
}

/* The newest missing block of |f| that |p| can give, in |ret_first| and |ret_last|. */
static bool choose_block(const struct al_gossip *g, const struct al_fetch *f, const struct peer *p,
    uint64_t *ret_first, uint64_t *ret_last)
{
    const struct peer_head *head = frontier_head(p, f->log);
    uint64_t block = f->next_block;
    if (head == NULL || head->seq == 0)
        return false;
    if (al_block_of(head->seq) < block)
        block = al_block_of(head->seq);
    for (int i = 0; i < LOOK_DOWN; i++) {
        uint64_t target = f->target < head->seq ? f->target : head->seq;
        uint64_t first = first_missing(f->log, block, target);
        if (first != 0 && !is_asked(g, f->log, block) && !peer_lacks(p, f->log, block)) {
            uint64_t last = al_block_last(block);
            *ret_first = first;
            *ret_last = last < target ? last : target;
            return true;
        }
        if (block-- == 0)
            return false;
    }
    return false;
}

static int ask_block(
    struct al_gossip *g, struct peer *p, struct al_log *log, uint64_t first, uint64_t last)
{
    struct request *r = request_new(g, p, REQUEST_BLOCK);
    uint8_t key[16];
    if (r == NULL)
        return AL_E_NOMEM;
    r->log = log;
    r->first = first;
    r->last = last;
    r->estimate = p->block_bytes;
    p->in_flight += r->estimate;
    block_key(key, log, al_block_of(first));
    if (al_map_put(g->asked, key, r) != 0)
        return AL_E_NOMEM;
    struct al_message m = {.type = AL_MSG_WANT, .req = r->req};
    m.u.want.device = log->device;
    m.u.want.log = log->name;
    m.u.want.first = first;
    m.u.want.last = last;
    peer_send_message(g, p, &m);
    return 0;
}

/* --- payloads that did not come inline ------------------------------------------------------- */

static int missing_add(struct al_gossip *g, struct al_log *log, uint64_t seq)
{
    if (g->missing_count == MISSING_MAX)
        return 0;
    if (g->missing_count == g->missing_cap) {
        uint32_t cap = g->missing_cap == 0 ? 64 : g->missing_cap * 2;
        struct missing *list = realloc(g->missing, cap * sizeof(*list));
        if (list == NULL)
            return AL_E_NOMEM;
        g->missing = list;
        g->missing_cap = cap;
    }
    g->missing[g->missing_count++] = (struct missing){.log = log, .seq = seq};
    return 0;
}

static void missing_key(uint8_t out[48], const struct al_log *log, uint64_t seq)
{
    memcpy(out, log->device.b, 32);
    memcpy(out + 32, log->name.b, 8);
    al_u64be(out + 40, seq);
}

int missing_note(struct al_gossip *g, struct al_log *log, const struct al_segment *seg)
{
    for (uint32_t i = 0; i < seg->count; i++) {
        uint8_t key[48];
        if (seg->items[i].payload.n > 0 || seg->items[i].stub != AL_STUB_ASK)
            continue;
        missing_key(key, log, seg->first + i);
        int err = al_store_kv_put(
            g->logs->store, AL_SPACE_MISSING, al_slice_of(key, sizeof(key)), al_slice_str("1"));
        if (err == 0)
            err = missing_add(g, log, seg->first + i);
        if (err != 0)
            return err;
    }
    return 0;
}

static int load_missing(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_gossip *g = arg;
    struct al_device device;
    struct al_logname name;
    (void)value;
    if (key.n != 48)
        return AL_E_CORRUPT;
    memcpy(device.b, key.p, 32);
    memcpy(name.b, key.p + 32, 8);
    struct al_log *log = al_logs_find(g->logs, &device, &name);
    return log == NULL ? 0 : missing_add(g, log, al_u64be_read(key.p + 40));
}

int missing_load(struct al_gossip *g)
{
    return al_store_kv_scan(
        g->logs->store, AL_SPACE_MISSING, al_slice_of(NULL, 0), load_missing, g);
}

static int missing_remove(struct al_gossip *g, struct al_log *log, uint64_t seq)
{
    uint8_t key[48];
    for (uint32_t i = 0; i < g->missing_count; i++) {
        if (g->missing[i].log != log || g->missing[i].seq != seq)
            continue;
        g->missing[i] = g->missing[--g->missing_count];
        missing_key(key, log, seq);
        return al_store_kv_del(g->logs->store, AL_SPACE_MISSING, al_slice_of(key, sizeof(key)));
    }
    return 0;
}

static int compare_seqs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Ask |p| for missing payloads of one log that it holds, if there are any. */
static int ask_payloads(struct al_gossip *g, struct peer *p)
{
    struct al_log *log = NULL;
    uint64_t seqs[AL_WANT_PAYLOADS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->missing_count && count < 3; i++) {
        struct missing *gap = &g->missing[i];
        const struct peer_head *head = frontier_head(p, gap->log);
        if (gap->asked || (log != NULL && gap->log != log) || head == NULL ||
            head->seq < gap->seq || peer_lacks(p, gap->log, UINT64_MAX - gap->seq))
            continue;
        log = gap->log;
        gap->asked = true;
        seqs[count++] = gap->seq;
    }
    if (count == 0)
        return 0;
    struct request *r = request_new(g, p, REQUEST_PAYLOADS);
    if (r == NULL)
        return AL_E_NOMEM;
    r->log = log;
    r->estimate = (size_t)count * AL_PAYLOAD_MAX;
    r->first = seqs[0];
    p->in_flight += r->estimate;
    qsort(seqs, count, sizeof(seqs[0]), compare_seqs);
    uint8_t bytes[AL_WANT_PAYLOADS_MAX * 9 + 5];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_write_uint(&list, seqs[i]);
    struct al_message m = {.type = AL_MSG_WANT_PAYLOAD, .req = r->req};
    m.u.want_payload.device = log->device;
    m.u.want_payload.log = log->name;
    m.u.want_payload.seqs = al_buf_slice(&list);
    m.u.want_payload.count = count;
    peer_send_message(g, p, &m);
    return 0;
}

/* --- asking -------------------------------------------------------------------------------- */

static bool has_room(const struct peer *p)
{
    return TAILQ_EMPTY(&p->requests) || p->in_flight + p->block_bytes <= p->window;
}

int catchup_pump(struct al_gossip *g, struct peer *p)
{
    if (p->pause_ms != 0 || (TAILQ_EMPTY(&g->active) && g->missing_count == 0))
        return 0;
    if (g->missing_count > 0 && has_room(p)) {
        int err = ask_payloads(g, p);
        if (err != 0)
            return err;
    }
    /* every log in turn; a whole round without a request means that this peer has no more */
    struct al_fetch *last = TAILQ_LAST(&g->active, fetches);
    while (has_room(p) && !TAILQ_EMPTY(&g->active)) {
        struct al_fetch *f = TAILQ_FIRST(&g->active);
        bool end_of_round = f == last;
        TAILQ_REMOVE(&g->active, f, link);
        f->queued = false;
        bool more = advance(g, f);
        uint64_t first;
        uint64_t until;
        bool asked = more && choose_block(g, f, p, &first, &until);
        if (more)
            activate(g, f);
        if (asked) {
            int err = ask_block(g, p, f->log, first, until);
            if (err != 0)
                return err;
            last = TAILQ_LAST(&g->active, fetches);
        } else if (end_of_round) {
            break;
        }
    }
    return 0;
}

/* --- answers ------------------------------------------------------------------------------- */

/* The window doubles while it is what limits the peer. */
static void grow_window(struct peer *p, size_t bytes, struct al_now now)
{
    p->progress_ms = now.mono_ms;
    p->block_bytes = (p->block_bytes * 7 + bytes) / 8;
    if (p->block_bytes < 1024)
        p->block_bytes = 1024;
    if (p->in_flight + p->block_bytes > p->window / 2)
        p->window += bytes;
    if (p->window > WINDOW_MAX)
        p->window = WINDOW_MAX;
}

static bool fits_request(const struct request *r, const struct al_segment *seg)
{
    return r->kind == REQUEST_BLOCK && al_device_eq(&seg->device, &r->log->device) &&
           al_logname_eq(&seg->log, &r->log->name) && seg->first == r->first &&
           al_segment_last(seg) <= r->last;
}

int catchup_segment(struct al_gossip *g, struct peer *p, const struct al_message *m,
    struct al_segment *seg, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    struct al_ingest in;
    if (r == NULL)
        return 0; /* it was given up meanwhile */
    if (!fits_request(r, seg)) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    grow_window(p, m->raw.n, now);
    int err = al_ingest_segment(g->logs, &in, seg, now);
    if (is_store_error(err))
        return err;
    if (err == AL_E_SIG || err == AL_E_PREV) {
        peer_close(g, p, err);
        return 0;
    }
    if (err != 0)
        return 0; /* declined: the request ends without a gain */
    r->got += in.added;
    err = missing_note(g, in.log, seg);
    if (err == 0 && in.added > 0)
        err = push_announce(g, in.log, now);
    if (al_device_eq(&seg->device, &p->device))
        p->ack_due = true;
    return err;
}

int catchup_payload(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    if (r == NULL)
        return 0;
    if (r->kind != REQUEST_PAYLOADS || !al_device_eq(&m->u.payload.device, &r->log->device) ||
        !al_logname_eq(&m->u.payload.log, &r->log->name)) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    p->progress_ms = now.mono_ms;
    r->got++;
    int err = al_ingest_payload(
        g->logs, &m->u.payload.device, &m->u.payload.log, m->u.payload.seq, m->u.payload.payload);
    if (err == 0 || err == AL_E_NOT_FOUND)
        return missing_remove(g, r->log, m->u.payload.seq);
    if (is_store_error(err))
        return err;
    peer_close(g, p, err);
    return 0;
}

/* This peer can't give what |r| asked for and is still missing: do not ask it again. */
static int note_lack(struct peer *p, const struct request *r)
{
    uint8_t key[16];
    uint64_t block = UINT64_MAX - r->first;
    if (r->kind == REQUEST_BLOCK) {
        block = al_block_of(r->first);
        if (first_missing(r->log, block, r->last) == 0)
            return 0; /* it came from elsewhere meanwhile */
    }
    block_key(key, r->log, block);
    return al_map_put(p->lacks, key, p);
}

void catchup_peer_advanced(struct peer *p, const struct al_log *log, uint64_t seq)
{
    uint8_t key[16];
    block_key(key, log, al_block_of(seq));
    (void)al_map_remove(p->lacks, key);
}

int catchup_done(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    int err = 0;
    if (r == NULL)
        return 0;
    p->progress_ms = now.mono_ms;
    if (m->u.done.status == AL_DONE_BUSY)
        p->pause_ms = now.mono_ms + PAUSE_MS;
    else if (r->kind != REQUEST_STATEMENTS && r->got == 0)
        err = note_lack(p, r);
    request_drop(g, r);
    return err;
}

/* --- how far it is ------------------------------------------------------------------------- */

bool al_gossip_synced(const struct al_gossip *g)
{
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state == PEER_HELLO || !TAILQ_EMPTY(&p->requests))
            return false;
        if (p->state == PEER_READY && !(p->wants_known && p->heads_known))
            return false;
    }
    return !dial_fresh(g);
}

uint64_t al_gossip_behind(const struct al_gossip *g)
{
    uint64_t n = 0;
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (al_map_next(g->logs->logs, &walk, NULL, &value)) {
        const struct al_log *log = value;
        if (log->fetch != NULL && log->fetch->target > log->held && wanted(g, log->person))
            n += log->fetch->target - log->held;
    }
    return n;
}
