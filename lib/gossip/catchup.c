/*
 * What is missing, and where it comes from: one table (log, block) -> the request that asks for
 * it. Each peer is asked for what it says it holds, newest blocks first, every log in turn; so a
 * lie costs nobody but the liar. docs/protocol.md, "Catch-up".
 */
#include <stdlib.h>

#include "gossip_int.h"

#define BLOCK_KEY_BYTES (32 + 8 + 8)

static void block_key(uint8_t out[BLOCK_KEY_BYTES], const struct peer_head *h, uint64_t block)
{
    memcpy(out, h->device.b, 32);
    memcpy(out + 32, h->name.b, 8);
    al_u64be(out + 40, block);
}

/* --- what to ask for ----------------------------------------------------------------------- */

uint64_t catchup_reach(const struct al_gossip *g, const struct peer_head *h)
{
    const struct al_person *person = al_logs_owner(g->logs, &h->device);
    if (person == NULL || !wanted(g, person))
        return 0;
    if (h->log == NULL && !al_logs_has_room(person, &h->device))
        return 0;
    uint64_t reach = al_logs_cut(person, &h->device, &h->name);
    if (h->log != NULL && al_log_disputed(h->log) && h->log->frozen - 1 < reach)
        reach = h->log->frozen - 1;
    return h->seq < reach ? h->seq : reach;
}

void catchup_look(const struct al_gossip *g, struct peer *p, struct peer_head *h, uint64_t block)
{
    if (h->log == NULL)
        h->log = al_logs_find(g->logs, &h->device, &h->name);
    bool whole = h->log != NULL && h->log->held == al_log_head(h->log);
    if (whole && h->seq <= al_log_head(h->log))
        return;
    if (h->blocks <= block)
        h->blocks = block + 1;
    head_enqueue(p, h, HEAD_ASKING);
}

void catchup_doubt(struct peer *p, struct peer_head *h, uint64_t seq)
{
    h->doubt = seq;
    head_enqueue(p, h, HEAD_ASKING);
}

/* The first entry of |block| up to |target| that is missing, 0 when none is. */
static uint64_t first_missing(const struct al_log *log, uint64_t block, uint64_t target)
{
    uint64_t seq = al_block_first(block);
    uint64_t last = al_block_last(block);
    if (last > target)
        last = target;
    while (seq <= last) {
        const struct al_store_run *run = log == NULL ? NULL : al_log_run_at(log, seq);
        if (run == NULL || run->last < seq)
            return seq;
        seq = run->last + 1;
    }
    return 0;
}

/* |block| is held: how many blocks are left below it, whole runs passed over at one step. */
static uint64_t blocks_below(const struct al_log *log, uint64_t block)
{
    const struct al_store_run *run = al_log_run_at(log, al_block_first(block));
    uint64_t low = run == NULL ? block : al_block_of(run->first);
    bool cut = run != NULL && run->first > al_block_first(low);
    return low < block && cut ? low + 1 : low < block ? low : block;
}

/* The newest missing block that the peer of |h| can give: |ret_first| up to |ret_last| of it. */
static bool choose_block(
    const struct al_gossip *g, struct peer_head *h, uint64_t *ret_first, uint64_t *ret_last)
{
    if (h->log == NULL)
        h->log = al_logs_find(g->logs, &h->device, &h->name);
    uint64_t reach = catchup_reach(g, h);
    uint64_t all = reach == 0 ? 0 : al_block_of(reach) + 1;
    if (h->doubt != 0 && h->doubt <= reach) {
        uint8_t key[BLOCK_KEY_BYTES];
        *ret_last = h->doubt;
        *ret_first = al_block_first(al_block_of(h->doubt));
        h->doubt = 0;
        block_key(key, h, al_block_of(*ret_last));
        if (al_map_get(g->asked, key) == NULL)
            return true;
    }
    if (h->blocks > all)
        h->blocks = all;
    while (h->blocks > 0 && h->vain < VAIN_MAX) {
        uint64_t block = h->blocks - 1;
        uint64_t last = al_block_last(block);
        uint8_t key[BLOCK_KEY_BYTES];
        block_key(key, h, block);
        *ret_last = last < reach ? last : reach;
        *ret_first = first_missing(h->log, block, *ret_last);
        h->blocks = *ret_first == 0 ? blocks_below(h->log, block) : block;
        if (*ret_first != 0 && al_map_get(g->asked, key) == NULL)
            return true;
    }
    return false;
}

/* --- requests ------------------------------------------------------------------------------ */

struct request *request_new(struct al_gossip *g, struct peer *p, enum request_kind kind)
{
    struct request *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    if (++p->next_req == 0) /* 0 means that nobody asked */
        p->next_req = 1;
    if (TAILQ_EMPTY(&p->requests))
        p->progress_ms = g->turn_ms; /* its time to answer begins */
    r->req = p->next_req;
    r->kind = kind;
    r->peer = p;
    r->asked_ms = g->turn_ms;
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

/*
 * What |r| asked for did not come: others may have it; its own peer may when it gave something,
 * or was busy, or has more of the block by now.
 */
static void look_again(struct al_gossip *g, const struct request *r)
{
    uint64_t block = al_block_of(r->first);
    uint64_t last = al_block_last(block);
    struct peer *p;
    if (first_missing(r->head->log, block, last) == 0)
        return;
    TAILQ_FOREACH (p, &g->peers, link) {
        struct peer_head *h = head_find(p, &r->head->device, &r->head->name);
        if (p->state != PEER_READY || h == NULL)
            continue;
        bool more = last > r->last && catchup_reach(g, h) > r->last;
        if (p != r->peer || r->busy || r->got > 0 || more)
            catchup_look(g, p, h, block);
    }
}

void request_drop(struct al_gossip *g, struct request *r)
{
    struct peer *p = r->peer;
    uint8_t key[BLOCK_KEY_BYTES];
    TAILQ_REMOVE(&p->requests, r, link);
    p->in_flight -= r->estimate;
    switch (r->kind) {
    case REQUEST_BLOCK:
        block_key(key, r->head, al_block_of(r->first));
        (void)al_map_remove(g->asked, key);
        look_again(g, r);
        break;
    case REQUEST_PAYLOADS:
        gaps_put_back(g, r);
        break;
    case REQUEST_STATEMENTS:
        (void)al_map_remove(p->records, r->identity.b);
        break;
    case REQUEST_EXCERPT:
    case REQUEST_REFS:
        search_ended(r);
        break;
    case REQUEST_PIECE:
        pieces_put_back(g, r);
        break;
    }
    free(r);
}

static int ask_block(
    struct al_gossip *g, struct peer *p, struct peer_head *h, uint64_t first, uint64_t last)
{
    struct request *r = request_new(g, p, REQUEST_BLOCK);
    uint8_t key[BLOCK_KEY_BYTES];
    if (r == NULL)
        return AL_E_NOMEM;
    r->head = h;
    r->first = r->next = first;
    r->last = last;
    r->estimate = p->block_bytes;
    p->in_flight += r->estimate;
    block_key(key, h, al_block_of(first));
    if (al_map_put(g->asked, key, r) != 0)
        return AL_E_NOMEM;
    struct al_message m = {.type = AL_MSG_WANT, .req = r->req};
    m.u.want.device = h->device;
    m.u.want.log = h->name;
    m.u.want.first = first;
    m.u.want.last = last;
    peer_send_message(g, p, &m);
    return 0;
}

static bool has_room(const struct peer *p)
{
    return TAILQ_EMPTY(&p->requests) || p->in_flight + p->block_bytes <= p->window;
}

int catchup_pump(struct al_gossip *g, struct peer *p)
{
    struct peer_head *h;
    if (p->pause_ms != 0)
        return 0;
    int err = has_room(p) ? gaps_ask(g, p) : 0;
    while (err == 0 && p->state == PEER_READY && has_room(p) &&
           (h = TAILQ_FIRST(&p->asking)) != NULL) {
        uint64_t first;
        uint64_t last;
        head_enqueue(p, h, HEAD_IDLE);
        if (!choose_block(g, h, &first, &last))
            continue; /* nothing more of this log from this peer */
        head_enqueue(p, h, HEAD_ASKING);
        err = ask_block(g, p, h, first, last);
    }
    return err != 0 ? err : pieces_ask(g, p);
}

/* --- answers ------------------------------------------------------------------------------- */

/* The window grows while it is what limits the peer. */
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
    return r->kind == REQUEST_BLOCK && al_device_eq(&seg->device, &r->head->device) &&
           al_logname_eq(&seg->log, &r->head->name) && seg->first == r->next &&
           al_segment_last(seg) <= r->last;
}

/*
 * Of a log whose fork the root has settled only what hangs on its word is taken, and what
 * contradicts that makes way, as do own entries that have not left: after a gain what lies below
 * may be had from everybody again.
 */
static void look_below(struct al_gossip *g, const struct al_log *log, uint64_t first)
{
    struct peer *p;
    bool own = al_device_eq(&log->device, &g->logs->keyring->device);
    if ((log->frozen == 0 && !own) || first == 1)
        return;
    TAILQ_FOREACH (p, &g->peers, link) {
        struct peer_head *h = head_of_log(p, log);
        if (p->state == PEER_READY && h != NULL)
            catchup_look(g, p, h, al_block_of(first - 1));
    }
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
    r->next = al_segment_last(seg) + 1;
    int err = al_ingest_segment(g->logs, &in, seg, now);
    if (al_store_is_error(err))
        return err;
    if (err == AL_E_FORK)
        return fork_tell(g, in.log, NULL);
    if (err == AL_E_SIG || err == AL_E_PREV)
        peer_close(g, p, err);
    if (err != 0)
        return 0; /* declined: the request ends without a gain */
    r->got += in.added;
    if (in.added > 0)
        look_below(g, in.log, seg->first);
    err = gaps_note(g, in.log, seg);
    if (err == 0 && in.added > 0)
        err = push_announce(g, in.log, now);
    if (al_device_eq(&seg->device, &p->device))
        p->ack_due = true;
    return err;
}

int catchup_done(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    int err = 0;
    if (r == NULL)
        return 0;
    p->progress_ms = now.mono_ms;
    r->busy = m->u.done.status == AL_DONE_BUSY;
    if (r->busy) {
        p->pause_ms = now.mono_ms + PAUSE_MS;
        if (r->kind == REQUEST_STATEMENTS)
            return 0; /* asked again after the pause */
    } else if (r->kind == REQUEST_PAYLOADS) {
        err = gaps_lacking(p, r);
    } else if (r->kind == REQUEST_PIECE) {
        err = pieces_lacking(p, r);
    } else if (r->kind == REQUEST_BLOCK) {
        /* whoever gives nothing time after time is not asked for that log any more */
        r->head->vain = r->got > 0 ? 0 : r->head->vain + 1;
    }
    request_drop(g, r);
    return err;
}

/* --- how far it is ------------------------------------------------------------------------- */

bool al_gossip_synced(const struct al_gossip *g)
{
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        bool asking = !TAILQ_EMPTY(&p->requests) || !TAILQ_EMPTY(&p->asking);
        bool told = p->wants_known && p->heads_known;
        bool waits = p->state == PEER_HELLO || p->state == PEER_TRIAL;
        if (waits || (p->state == PEER_READY && (asking || !told)))
            return false;
    }
    return !dial_fresh(g);
}

uint64_t al_gossip_behind(const struct al_gossip *g)
{
    uint64_t most = 0;
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        uint64_t n = p->state == PEER_READY ? head_behind(g, p) : 0;
        if (n > most)
            most = n;
    }
    return most;
}
