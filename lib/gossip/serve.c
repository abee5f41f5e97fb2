/* Answering what peers ask for. docs/protocol.md, "Catch-up". */
#include "gossip_int.h"

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

/* What is not held, or not offered; the peer will hear when there is more. */
static int not_held(struct al_gossip *g, struct peer *p, const struct al_log *log)
{
    struct peer_head *theirs;
    int err = head_note(g, p, &theirs, &log->device, &log->name, 0);
    if (theirs != NULL)
        theirs->sought = true;
    return err;
}

int serve_want(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    enum al_done_status status = AL_DONE_OK;
    struct al_log *log = asked_log(g, p, &m->u.want.device, &m->u.want.log, &status);
    if (log != NULL) {
        int err = al_export_segment(g->logs, g->export, log, m->u.want.first, m->u.want.last);
        if (err == 0)
            peer_send_segment(g, p, m->req);
        if (err == AL_E_NOT_FOUND) {
            status = AL_DONE_NOT_HELD;
            err = not_held(g, p, log);
        }
        if (err != 0)
            return err;
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
    struct al_hash id;
    uint64_t offer = 0;
    int failed = log == NULL ? 0 : al_log_offer(g->logs, &offer, &id, log);
    if (failed != 0)
        return failed;
    for (uint32_t i = 0; log != NULL && i < m->u.want_payload.count; i++) {
        uint64_t seq = al_message_next_uint(&list);
        struct al_store_row row;
        int err = seq > offer ? AL_E_NOT_FOUND : al_store_get(g->logs->store, &row, log->no, seq);
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
