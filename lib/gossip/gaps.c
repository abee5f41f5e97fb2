/*
 * Payloads whose headers are held and which did not come inline: remembered until they come, and
 * asked for a few at a time. docs/protocol.md, "Catch-up".
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "write.h"

#define GAP_KEY_BYTES (4 + 8)
#define STORED_BYTES (32 + 8 + 8)
#define GAPS_LOOK 64 /* of the queue, each time a peer is asked */

static void gap_key(uint8_t out[GAP_KEY_BYTES], const struct al_log *log, uint64_t seq)
{
    memcpy(out, &log->no, 4);
    al_u64be(out + 4, seq);
}

static void stored_key(uint8_t out[STORED_BYTES], const struct al_log *log, uint64_t seq)
{
    memcpy(out, log->device.b, 32);
    memcpy(out + 32, log->name.b, 8);
    al_u64be(out + 40, seq);
}

static int add(struct al_gossip *g, struct al_log *log, uint64_t seq)
{
    uint8_t key[GAP_KEY_BYTES];
    gap_key(key, log, seq);
    if (al_map_count(g->gap_index) >= GAPS_MAX || al_map_get(g->gap_index, key) != NULL)
        return 0; /* the store remembers it until the next start */
    struct gap *gap = calloc(1, sizeof(*gap));
    if (gap == NULL || al_map_put(g->gap_index, key, gap) != 0) {
        free(gap);
        return AL_E_NOMEM;
    }
    gap->log = log;
    gap->seq = seq;
    TAILQ_INSERT_TAIL(&g->gaps, gap, link);
    return 0;
}

int gaps_miss(struct al_gossip *g, struct al_log *log, uint64_t seq)
{
    uint8_t key[STORED_BYTES];
    stored_key(key, log, seq);
    int err = al_store_kv_put(
        g->logs->store, AL_SPACE_MISSING, al_slice_of(key, sizeof(key)), al_slice_str("1"));
    return err != 0 ? err : add(g, log, seq);
}

int gaps_note(struct al_gossip *g, struct al_log *log, const struct al_segment *seg)
{
    for (uint32_t i = 0; i < seg->count; i++) {
        if (seg->items[i].payload.n > 0 || seg->items[i].stub != AL_STUB_ASK)
            continue;
        int err = gaps_miss(g, log, seg->first + i);
        if (err != 0)
            return err;
    }
    return 0;
}

static int load_gap(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_gossip *g = arg;
    struct al_device device;
    struct al_logname name;
    (void)value;
    if (key.n != STORED_BYTES)
        return AL_E_CORRUPT;
    memcpy(device.b, key.p, 32);
    memcpy(name.b, key.p + 32, 8);
    struct al_log *log = al_logs_find(g->logs, &device, &name);
    return log == NULL ? 0 : add(g, log, al_u64be_read(key.p + 40));
}

int gaps_load(struct al_gossip *g)
{
    return al_store_kv_scan(g->logs->store, AL_SPACE_MISSING, al_slice_of(NULL, 0), load_gap, g);
}

void gaps_free(struct al_gossip *g)
{
    struct al_map_walk walk = {.at = 0};
    void *gap;
    while (g->gap_index != NULL && al_map_next(g->gap_index, &walk, NULL, &gap))
        free(gap);
    al_map_free(g->gap_index);
}

/* --- asking -------------------------------------------------------------------------------- */

/* True if it is wanted, and |p| may have it. */
static bool may_give(const struct al_gossip *g, const struct peer *p, const struct gap *gap)
{
    const struct peer_head *h = head_of_log(p, gap->log);
    uint8_t key[GAP_KEY_BYTES];
    gap_key(key, gap->log, gap->seq);
    if (!wanted(g, gap->log->person) || gap->seq > gap->log->cut.seq)
        return false;
    return h != NULL && h->seq >= gap->seq && al_map_count(p->lacks) < GAPS_MAX &&
           al_map_get(p->lacks, key) == NULL;
}

/* Take gaps of one log that |p| may fill off the queue; those passed over go to its end. */
static uint32_t choose(struct al_gossip *g, const struct peer *p, struct gap **out)
{
    const struct gap *end = TAILQ_LAST(&g->gaps, gaps);
    uint32_t count = 0;
    for (int i = 0; i < GAPS_LOOK && count < PAYLOADS_ASKED && !TAILQ_EMPTY(&g->gaps); i++) {
        struct gap *gap = TAILQ_FIRST(&g->gaps);
        TAILQ_REMOVE(&g->gaps, gap, link);
        if (may_give(g, p, gap) && (count == 0 || gap->log == out[0]->log))
            out[count++] = gap;
        else
            TAILQ_INSERT_TAIL(&g->gaps, gap, link);
        if (gap == end)
            break;
    }
    return count;
}

static int compare_gaps(const void *a, const void *b)
{
    uint64_t x = (*(const struct gap *const *)a)->seq;
    uint64_t y = (*(const struct gap *const *)b)->seq;
    return (x > y) - (x < y);
}

int gaps_ask(struct al_gossip *g, struct peer *p)
{
    struct gap *chosen[PAYLOADS_ASKED] = {NULL};
    uint32_t count = choose(g, p, chosen);
    if (count == 0)
        return 0;
    struct request *r = request_new(g, p, REQUEST_PAYLOADS);
    if (r == NULL)
        return AL_E_NOMEM;
    qsort(chosen, count, sizeof(chosen[0]), compare_gaps);
    memcpy(r->gaps, chosen, sizeof(chosen));
    r->estimate = (size_t)count * AL_PAYLOAD_MAX;
    p->in_flight += r->estimate;
    uint8_t bytes[PAYLOADS_ASKED * 9 + 5];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_write_uint(&list, chosen[i]->seq);
    struct al_message m = {.type = AL_MSG_WANT_PAYLOAD, .req = r->req};
    m.u.want_payload.device = chosen[0]->log->device;
    m.u.want_payload.log = chosen[0]->log->name;
    m.u.want_payload.seqs = al_buf_slice(&list);
    m.u.want_payload.count = count;
    peer_send_message(g, p, &m);
    return 0;
}

/* --- answers ------------------------------------------------------------------------------- */

static int forget(struct al_gossip *g, struct gap *gap)
{
    uint8_t key[GAP_KEY_BYTES];
    uint8_t stored[STORED_BYTES];
    gap_key(key, gap->log, gap->seq);
    stored_key(stored, gap->log, gap->seq);
    (void)al_map_remove(g->gap_index, key);
    free(gap);
    return al_store_kv_del(g->logs->store, AL_SPACE_MISSING, al_slice_of(stored, sizeof(stored)));
}

/* The place in |r| of the payload that |m| brings, NULL when it was not asked for. */
static struct gap **asked_gap(struct request *r, const struct al_message *m)
{
    for (uint32_t i = 0; r->kind == REQUEST_PAYLOADS && i < PAYLOADS_ASKED; i++) {
        const struct gap *gap = r->gaps[i];
        if (gap != NULL && gap->seq == m->u.payload.seq &&
            al_device_eq(&gap->log->device, &m->u.payload.device) &&
            al_logname_eq(&gap->log->name, &m->u.payload.log))
            return &r->gaps[i];
    }
    return NULL;
}

int gaps_payload(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    if (r == NULL)
        return 0; /* it was given up meanwhile */
    struct gap **place = asked_gap(r, m);
    if (place == NULL) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    p->progress_ms = now.mono_ms;
    int err = al_ingest_payload(
        g->logs, &m->u.payload.device, &m->u.payload.log, m->u.payload.seq, m->u.payload.payload);
    if (al_store_is_error(err))
        return err;
    if (err != 0 && err != AL_E_NOT_FOUND) {
        peer_close(g, p, err);
        return 0;
    }
    struct gap *gap = *place;
    *place = NULL;
    r->got++;
    return forget(g, gap);
}

void gaps_put_back(struct al_gossip *g, struct request *r)
{
    for (uint32_t i = 0; i < PAYLOADS_ASKED; i++) {
        if (r->gaps[i] != NULL)
            TAILQ_INSERT_TAIL(&g->gaps, r->gaps[i], link);
    }
}

int gaps_lacking(struct peer *p, const struct request *r)
{
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < PAYLOADS_ASKED; i++) {
        uint8_t key[GAP_KEY_BYTES];
        if (r->gaps[i] == NULL)
            continue;
        gap_key(key, r->gaps[i]->log, r->gaps[i]->seq);
        err = al_map_put(p->lacks, key, p);
    }
    return err;
}
