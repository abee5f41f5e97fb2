/* Answering what peers ask for. docs/protocol.md, "Catch-up", "Statements on the wire". */
#include <stdlib.h>

#include "gossip_int.h"
#include "write.h"

void serve_done(struct al_gossip *g, struct peer *p, uint32_t req, enum al_done_status status)
{
    struct al_message m = {.type = AL_MSG_DONE, .req = req};
    m.u.done.status = status;
    peer_send_message(g, p, &m);
}

/* The log a peer asks for, if it may have it; else the status that says why not. */
static struct al_log *asked_log(struct al_gossip *g, const struct peer *p,
    const struct al_device *device, const struct al_logname *name, enum al_done_status *ret_status)
{
    struct al_log *log = al_logs_find(g->logs, device, name);
    if (p->out_bytes > OUT_SERVE_MAX)
        *ret_status = AL_DONE_BUSY;
    else if (log == NULL)
        *ret_status = AL_DONE_NOT_HELD;
    else if (!wanted(g, log->person))
        *ret_status = AL_DONE_DECLINED;
    else
        return log;
    return NULL;
}

int serve_want(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    enum al_done_status status = AL_DONE_OK;
    struct al_log *log = asked_log(g, p, &m->u.want.device, &m->u.want.log, &status);
    if (log != NULL) {
        int err = al_export_segment(g->logs, g->export, log, m->u.want.first, m->u.want.last);
        if (err != 0 && err != AL_E_NOT_FOUND)
            return err;
        if (err == AL_E_NOT_FOUND)
            status = AL_DONE_NOT_HELD;
    }
    if (status == AL_DONE_OK) {
        struct al_buf bytes = al_buf_fixed(malloc(AL_MESSAGE_MAX), AL_MESSAGE_MAX);
        if (bytes.p == NULL)
            return AL_E_NOMEM;
        al_segment_encode(&bytes, &g->export->segment);
        struct al_message reply = {.type = AL_MSG_SEGMENT, .req = m->req};
        reply.u.segment.segment = al_buf_slice(&bytes);
        peer_send_message(g, p, &reply);
        free(bytes.p);
    }
    serve_done(g, p, m->req, status);
    return 0;
}

int serve_want_payload(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    enum al_done_status status = AL_DONE_OK;
    struct al_log *log =
        asked_log(g, p, &m->u.want_payload.device, &m->u.want_payload.log, &status);
    struct al_slice list = al_message_list(m->u.want_payload.seqs);
    for (uint32_t i = 0; log != NULL && i < m->u.want_payload.count; i++) {
        uint64_t seq = al_message_next_uint(&list);
        struct al_store_row row;
        int err = al_store_get(g->logs->store, &row, log->no, seq);
        if (err == AL_E_NOT_FOUND || (err == 0 && row.payload.n == 0)) {
            status = AL_DONE_NOT_HELD;
            continue;
        }
        if (err != 0)
            return err;
        if (p->out_bytes > OUT_SERVE_MAX) {
            status = AL_DONE_BUSY;
            break;
        }
        struct al_message reply = {.type = AL_MSG_PAYLOAD, .req = m->req};
        reply.u.payload.device = log->device;
        reply.u.payload.log = log->name;
        reply.u.payload.seq = seq;
        reply.u.payload.payload = row.payload;
        peer_send_message(g, p, &reply);
    }
    serve_done(g, p, m->req, status);
    return 0;
}

/* --- statements ---------------------------------------------------------------------------- */

static void send_statements(struct al_gossip *g, struct peer *p, uint32_t req, struct al_buf *list,
    uint32_t count, bool last)
{
    uint8_t head[5];
    struct al_buf start = al_buf_fixed(head, sizeof(head));
    al_write_array(&start, count);
    memmove(list->p + start.n, list->p, list->n);
    memcpy(list->p, head, start.n);
    struct al_message m = {.type = AL_MSG_STATEMENTS, .req = req};
    m.u.statements.list = al_slice_of(list->p, list->n + start.n);
    m.u.statements.count = count;
    m.u.statements.last = last;
    peer_send_message(g, p, &m);
    list->n = 0;
}

void serve_want_statements(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_slice ids = al_message_list(m->u.want_statements.list);
    struct al_buf list = al_buf_fixed(malloc(AL_MESSAGE_MAX), AL_MESSAGE_MAX);
    uint32_t count = 0;
    for (uint32_t i = 0; list.p != NULL && i < m->u.want_statements.count; i++) {
        struct al_identity id;
        al_message_next_identity(&id, &ids);
        const struct al_person *person = al_logs_person(g->logs, &id);
        size_t n = person == NULL ? 0 : al_record_count(person->record);
        for (size_t k = 0; k < n; k++) {
            struct al_slice s = al_record_statement(person->record, k, NULL);
            if (list.n + s.n > AL_STATEMENTS_BYTES_MAX) {
                send_statements(g, p, m->req, &list, count, false);
                count = 0;
            }
            al_write_raw(&list, s);
            count++;
        }
    }
    if (list.p != NULL)
        send_statements(g, p, m->req, &list, count, true);
    free(list.p);
}

int statements_ask(struct al_gossip *g, struct peer *p, const struct al_identity *identity)
{
    uint8_t bytes[40];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct request *r = request_new(g, p, REQUEST_STATEMENTS);
    if (r == NULL)
        return AL_E_NOMEM;
    al_write_array(&list, 1);
    al_write_bin(&list, identity->b, sizeof(identity->b));
    struct al_message m = {.type = AL_MSG_WANT_STATEMENTS, .req = r->req};
    m.u.want_statements.list = al_buf_slice(&list);
    m.u.want_statements.count = 1;
    peer_send_message(g, p, &m);
    return 0;
}

int statements_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct request *r = request_find(p, m->req);
    struct al_slice list = al_message_list(m->u.statements.list);
    if (r == NULL || r->kind != REQUEST_STATEMENTS) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    for (uint32_t i = 0; i < m->u.statements.count; i++) {
        struct al_slice bytes = al_message_next_raw(&list);
        struct al_statement s;
        bool is_new = false;
        int err = al_statement_open(&s, bytes);
        const struct al_person *person = err == 0 ? al_logs_person(g->logs, &s.identity) : NULL;
        if (err == 0 && (person == NULL || !wanted(g, person)))
            continue; /* nobody here asked for this one */
        if (err == 0)
            err = al_logs_statement(g->logs, &is_new, bytes);
        if (is_store_error(err))
            return err;
        if (err != 0) {
            peer_close(g, p, err);
            return 0;
        }
        if (is_new)
            err = frontier_certified(g, person);
        if (err != 0)
            return err;
    }
    if (m->u.statements.last)
        request_drop(g, r);
    return 0;
}
