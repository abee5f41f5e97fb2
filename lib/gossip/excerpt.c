/*
 * Single entries for those who do not carry their log: given out with what proves them, and taken
 * in when they were asked for. docs/protocol.md, "Excerpts", "Entries one by one".
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "heapbuf.h"
#include "payload.h"
#include "proof.h"
#include "read.h"
#include "statement.h"
#include "write.h"

#define EDGES_MAX 1024     /* answers looked at for one question */
#define COST_EDGE 2        /* of the budget, for each of them */
#define READ_PER_UNIT 8192 /* bytes of payloads */

/* --- what is held -------------------------------------------------------------------------- */

int excerpt_row(struct al_gossip *g, struct al_store_row *ret, struct al_log **ret_log,
    const struct al_ref *ref)
{
    struct al_log *log = al_logs_find(g->logs, &ref->device, &ref->log);
    if (log == NULL || !al_log_holds(log, ref->seq))
        return AL_E_NOT_FOUND;
    int err = al_store_get(g->logs->store, ret, log->no, ref->seq);
    if (err == 0 && (!al_hash_eq(&ret->id, &ref->id) || ret->payload.n == 0))
        err = AL_E_NOT_FOUND;
    if (err == 0)
        *ret_log = log;
    return err;
}

int al_gossip_holds(struct al_gossip *g, bool *ret, const struct al_ref *ref)
{
    struct al_store_row row;
    struct al_log *log;
    int err = excerpt_row(g, &row, &log, ref);
    *ret = err == 0;
    return err == AL_E_NOT_FOUND ? 0 : err;
}

/* The same, of what may be given out. */
static int offered_row(struct al_gossip *g, struct al_store_row *ret, struct al_log **ret_log,
    const struct al_ref *ref)
{
    const struct al_log *log = al_logs_find(g->logs, &ref->device, &ref->log);
    struct al_hash id;
    uint64_t offer;
    if (log == NULL)
        return AL_E_NOT_FOUND;
    if (log->person->block)
        return AL_E_DECLINED;
    int err = al_log_offer(g->logs, &offer, &id, log);
    if (err == 0 && ref->seq > offer)
        err = AL_E_NOT_FOUND;
    return err == 0 ? excerpt_row(g, ret, ret_log, ref) : err;
}

/* --- giving -------------------------------------------------------------------------------- */

/*
 * Make in g->export the shortest segment that proves entry |seq|, all payloads but that one left
 * out. What was read for it is paid for by |p|.
 */
static int make_segment(
    struct al_gossip *g, struct peer *p, const struct al_log *log, const struct al_ref *ref)
{
    struct al_segment *s = &g->export->segment;
    struct al_store_row row;
    struct al_sig sig;
    uint64_t at = 0;
    int err = al_store_sig(g->logs->store, &at, &sig, log->no, ref->seq);
    if (err == 0 && al_block_of(at) != al_block_of(ref->seq))
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = al_export_segment(g->logs, g->export, log, ref->seq, at);
    if (err == 0)
        err = al_store_get(g->logs->store, &row, log->no, ref->seq);
    if (err != 0)
        return err;
    size_t read = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        read += s->items[i].payload.n;
        s->items[i].payload = al_slice_of(NULL, 0);
        s->items[i].stub = AL_STUB_NOT_HELD;
    }
    p->budget -= (int64_t)(read / READ_PER_UNIT);
    s->items[0].payload = row.payload; /* it lives until the next call to the store */
    s->items[0].stub = AL_STUB_NONE;
    return 0;
}

/* The certificate of |device| and its revocations. */
static uint32_t put_statements(
    struct al_buf *b, const struct al_record *record, const struct al_device *device)
{
    size_t n = al_record_count(record);
    uint32_t count = 1;
    al_write_raw(b, al_record_cert(record, device));
    for (size_t i = 0; i < n; i++) {
        struct al_statement s;
        struct al_slice bytes = al_record_statement(record, i, NULL);
        if (al_statement_read(&s, bytes) != 0 || s.kind != AL_STATEMENT_REVOKE ||
            !al_device_eq(&s.device, device))
            continue;
        al_write_raw(b, bytes);
        count++;
    }
    return count;
}

static int give(struct al_gossip *g, struct peer *p, uint32_t req, const struct al_log *log)
{
    struct al_buf statements = al_heapbuf();
    struct al_buf body = al_buf_fixed(g->body, AL_MESSAGE_MAX);
    struct al_message m = {.type = AL_MSG_EXCERPT, .req = req};
    uint8_t head[5];
    struct al_buf start = al_buf_fixed(head, sizeof(head));
    al_segment_encode(&body, &g->export->segment);
    uint32_t count = put_statements(&statements, log->person->record, &log->device);
    al_write_array(&start, count);
    struct al_buf list = al_heapbuf();
    al_write_raw(&list, al_buf_slice(&start));
    al_write_raw(&list, al_buf_slice(&statements));
    m.u.excerpt.statements = al_buf_slice(&list);
    m.u.excerpt.count = count;
    m.u.excerpt.segment = al_buf_slice(&body);
    bool full = list.full || statements.full;
    if (!full)
        peer_send_message(g, p, &m);
    al_heapbuf_free(&statements);
    al_heapbuf_free(&list);
    return full ? AL_E_NOMEM : 0;
}

int excerpt_serve(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_store_row row;
    struct al_log *log = NULL;
    if (p->out_bytes > OUT_SERVE_MAX) {
        serve_done(g, p, m->req, AL_DONE_BUSY);
        return 0;
    }
    int err = offered_row(g, &row, &log, &m->u.fetch.ref);
    if (err == 0)
        err = make_segment(g, p, log, &m->u.fetch.ref);
    if (err == 0)
        return give(g, p, m->req, log);
    if (al_store_is_error(err))
        return err;
    serve_done(g, p, m->req, err == AL_E_DECLINED ? AL_DONE_DECLINED : AL_DONE_NOT_HELD);
    return 0;
}

/* --- who answered -------------------------------------------------------------------------- */

struct edge {
    struct al_ref ref;
    uint64_t time_ms; /* when it was written, as it claims, but not after it came here */
};

struct edges {
    struct edge list[EDGES_MAX];
    uint32_t count;
};

static int collect_edge(void *arg, struct al_slice key, struct al_slice value)
{
    struct edges *edges = arg;
    struct al_read r = al_read_message(value);
    (void)key;
    al_read_ref(&r, &edges->list[edges->count].ref);
    if (al_read_end(&r) != 0)
        return AL_E_CORRUPT;
    return ++edges->count == EDGES_MAX ? 1 : 0;
}

/* Keep those that anybody may read and that are here. */
static int keep_open_edges(struct al_gossip *g, struct edges *edges)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < edges->count; i++) {
        struct al_store_row row;
        struct al_log *log;
        int err = offered_row(g, &row, &log, &edges->list[i].ref);
        if (al_store_is_error(err))
            return err;
        if (err != 0 || al_payload_is_sealed(row.payload))
            continue;
        edges->list[kept] = edges->list[i];
        edges->list[kept++].time_ms = row.time_ms < row.arrived_ms ? row.time_ms : row.arrived_ms;
    }
    edges->count = kept;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? 1 : -1;
    return memcmp(x->ref.id.b, y->ref.id.b, sizeof(x->ref.id.b));
}

int excerpt_serve_replies(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    const struct al_hash *id = &m->u.replies.ref.id;
    struct edges *edges = calloc(1, sizeof(*edges));
    uint8_t bytes[AL_REFS_MAX * 96 + 5];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    if (edges == NULL)
        return AL_E_NOMEM;
    int err = al_store_kv_scan(
        g->logs->store, AL_SPACE_REPLY, al_slice_of(id->b, sizeof(id->b)), collect_edge, edges);
    p->budget -= (int64_t)edges->count * COST_EDGE;
    if (err == 0 || err == 1)
        err = keep_open_edges(g, edges);
    if (err == 0) {
        struct al_message reply = {.type = AL_MSG_REFS, .req = m->req};
        uint32_t count = edges->count < AL_REFS_MAX ? edges->count : AL_REFS_MAX;
        qsort(edges->list, edges->count, sizeof(edges->list[0]), newest_first);
        al_write_array(&list, count);
        for (uint32_t i = 0; i < count; i++)
            al_write_ref(&list, &edges->list[i].ref);
        reply.u.refs.list = al_buf_slice(&list);
        reply.u.refs.count = count;
        peer_send_message(g, p, &reply);
    }
    free(edges);
    return err;
}

/* --- taking -------------------------------------------------------------------------------- */

/*
 * The statements must be a certificate of |device| and revocations of it, all of one identity, and
 * nothing else: an excerpt is no way to make this node carry what it did not ask for.
 */
static int check_statements(
    struct al_identity *ret, const struct al_excerpt *x, const struct al_device *device)
{
    struct al_slice list = al_message_list(x->statements);
    bool certified = false;
    for (uint32_t i = 0; i < x->statement_count; i++) {
        struct al_statement s;
        int err = al_statement_open(&s, al_message_next_raw(&list));
        if (err != 0)
            return err;
        if (s.kind == AL_STATEMENT_READ || !al_device_eq(&s.device, device))
            return AL_E_UNEXPECTED;
        if (i > 0 && !al_identity_eq(&s.identity, ret))
            return AL_E_IDENTITY;
        *ret = s.identity;
        certified = certified || s.kind == AL_STATEMENT_CERT;
    }
    return certified ? 0 : AL_E_NOT_CERTIFIED;
}

static int take_statements(struct al_gossip *g, const struct al_excerpt *x)
{
    struct al_slice list = al_message_list(x->statements);
    bool changed = false;
    for (uint32_t i = 0; i < x->statement_count; i++) {
        bool is_new = false;
        int err = al_logs_statement(g->logs, &is_new, al_message_next_raw(&list));
        if (err != 0)
            return err;
        changed = changed || is_new;
    }
    const struct al_person *owner = al_logs_owner(g->logs, &x->segment.device);
    return changed && owner != NULL ? record_changed(g, owner, NULL) : 0;
}

/* Leave of the segment the entry itself and what lies between it and the signature. */
static void trim(struct al_excerpt *x)
{
    struct al_segment *s = &x->segment;
    if (x->index > 0)
        s->prev = s->items[x->index - 1].id;
    s->first += x->index;
    s->count -= x->index;
    memmove(s->items, s->items + x->index, s->count * sizeof(s->items[0]));
    x->index = 0;
}

/* Entry |ref| must be one that the root lets count, and its author somebody who may be read. */
static int check_owner(
    const struct al_gossip *g, const struct al_identity *identity, const struct al_ref *ref)
{
    const struct al_person *person = al_logs_owner(g->logs, &ref->device);
    struct al_cut cut = {.seq = 0};
    if (person == NULL || !al_identity_eq(&person->identity, identity))
        return AL_E_NOT_CERTIFIED; /* two claim it: it counts for neither */
    if (person->block)
        return AL_E_BLOCKED;
    switch (al_record_standing(person->record, &cut, &ref->device, &ref->log)) {
    case AL_STANDING_CERTIFIED:
        return 0;
    case AL_STANDING_REVOKED:
        if (ref->seq > cut.seq || (ref->seq == cut.seq && !al_hash_eq(&ref->id, &cut.id)))
            return AL_E_REVOKED;
        return 0;
    case AL_STANDING_UNKNOWN:
        break;
    }
    return AL_E_NOT_CERTIFIED;
}

/* Store the trimmed excerpt: |ret_new| says whether the payload is here only since now. */
static int store(struct al_gossip *g, bool *ret_new, struct al_excerpt *x, struct al_now now)
{
    struct al_segment *s = &x->segment;
    struct al_slice payload = s->items[0].payload;
    const struct al_person *person = al_logs_owner(g->logs, &s->device);
    struct al_ingest in = {.log = NULL};
    bool carried = wanted(g, person);
    for (uint32_t i = 1; i < s->count; i++)
        s->items[i].stub = AL_STUB_ASK; /* somebody else may have them */
    int err = al_ingest_segment(g->logs, &in, s, now);
    if (err == AL_E_FORK)
        return fork_tell(g, in.log, NULL);
    if (err != 0)
        return al_store_is_error(err) ? err : 0;
    *ret_new = in.first == s->first;
    if (!*ret_new) {
        err = al_ingest_payload(g->logs, &s->device, &s->log, s->first, payload);
        *ret_new = err == 0;
        if (err != 0 && al_store_is_error(err))
            return err;
    }
    if (carried)
        return gaps_note(g, in.log, s);
    return *ret_new ? cache_add(g, in.log, s->first, payload.n + (uint64_t)s->count * 128) : 0;
}

int excerpt_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    struct al_excerpt x;
    struct al_identity identity;
    bool is_new = false;
    if (r == NULL)
        return 0; /* it was given up meanwhile */
    int err = r->kind == REQUEST_EXCERPT ? 0 : AL_E_UNEXPECTED;
    if (err == 0)
        err = al_excerpt_open_parts(&x, m->u.excerpt.statements, m->u.excerpt.segment);
    if (err == 0) {
        const struct al_segment *s = &x.segment;
        bool fits = al_device_eq(&s->device, &r->ref.device) &&
                    al_logname_eq(&s->log, &r->ref.log) && s->first + x.index == r->ref.seq &&
                    al_hash_eq(&s->items[x.index].id, &r->ref.id);
        err = fits ? check_statements(&identity, &x, &s->device) : AL_E_UNEXPECTED;
    }
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    struct al_ref ref = r->ref;
    p->progress_ms = now.mono_ms;
    err = take_statements(g, &x);
    if (err == 0 && check_owner(g, &identity, &ref) == 0) {
        trim(&x);
        err = store(g, &is_new, &x, now);
    }
    r = request_find(p, m->req); /* what was learnt may have ended the connection */
    if (r != NULL && is_new)
        search_found(r);
    if (r != NULL)
        request_drop(g, r);
    return err;
}
