/* Records of identities, from peer to peer. docs/protocol.md, "Catch-up". */
#include "gossip_int.h"
#include "write.h"

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
    struct al_buf list = al_buf_fixed(g->body, AL_MESSAGE_MAX);
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->u.want_statements.count; i++) {
        struct al_identity id;
        al_message_next_identity(&id, &ids);
        const struct al_person *person = al_logs_person(g->logs, &id);
        size_t n = person == NULL ? 0 : al_record_count(person->record);
        if (p->out_bytes > OUT_SERVE_MAX) {
            serve_done(g, p, m->req, AL_DONE_BUSY);
            return;
        }
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
    send_statements(g, p, m->req, &list, count, true);
}

static void want_statements(struct al_gossip *g, struct peer *p, const struct request *r)
{
    uint8_t bytes[40];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, 1);
    al_write_bin(&list, r->identity.b, sizeof(r->identity.b));
    struct al_message m = {.type = AL_MSG_WANT_STATEMENTS, .req = r->req};
    m.u.want_statements.list = al_buf_slice(&list);
    m.u.want_statements.count = 1;
    peer_send_message(g, p, &m);
}

int statements_ask(struct al_gossip *g, struct peer *p, const struct al_identity *identity)
{
    if (al_map_get(p->records, identity->b) != NULL)
        return 0;
    struct request *r = request_new(g, p, REQUEST_STATEMENTS);
    if (r == NULL || al_map_put(p->records, identity->b, r) != 0)
        return AL_E_NOMEM;
    r->identity = *identity;
    want_statements(g, p, r);
    return 0;
}

void statements_again(struct al_gossip *g, struct peer *p)
{
    struct request *r;
    TAILQ_FOREACH (r, &p->requests, link) {
        if (r->kind != REQUEST_STATEMENTS || !r->busy)
            continue;
        r->busy = false;
        want_statements(g, p, r);
    }
}

/* --- what a record says ---------------------------------------------------------------------- */

static bool is_revoked(const struct al_person *person, const struct al_device *device)
{
    return al_record_standing(person->record, NULL, device, NULL) == AL_STANDING_REVOKED;
}

/*
 * What of a log may be had, and which of its branches counts, may be another now: whoever named
 * it is asked anew.
 */
static void look_at_logs(struct al_gossip *g, struct peer *p, const struct al_person *person)
{
    for (uint32_t i = 0; i < person->log_count; i++) {
        const struct al_log *log = person->logs[i];
        struct peer_head *h = head_of_log(p, log);
        if (h == NULL || !is_revoked(person, &log->device))
            continue;
        h->vain = 0;
        catchup_look(g, p, h, al_block_of(h->seq == 0 ? 1 : h->seq));
    }
}

int record_changed(struct al_gossip *g, const struct al_person *person, const struct peer *source)
{
    struct peer *p;
    head_certified(g, person);
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_READY)
            continue;
        if (p->person == person && is_revoked(person, &p->device)) {
            peer_close(g, p, AL_E_REVOKED);
            continue;
        }
        look_at_logs(g, p, person);
        bool shared = p->wants_known && wanted(g, person) && peer_wants(p, &person->identity);
        int err = shared && p != source ? frontier_open(g, p, &person->identity, 1) : 0;
        if (err != 0)
            return err;
    }
    return 0;
}

int al_gossip_record_changed(struct al_gossip *g, const struct al_person *person)
{
    return record_changed(g, person, NULL);
}

/* --- taking it in ---------------------------------------------------------------------------- */

/* Take in one statement of |person|. What is wrong with it ends the connection. */
static int take_statement(struct al_gossip *g, struct peer *p, bool *ret_changed,
    const struct al_identity *identity, struct al_slice bytes)
{
    struct al_statement s;
    bool is_new = false;
    int err = al_statement_open(&s, bytes);
    if (err == 0 && !al_identity_eq(&s.identity, identity))
        err = AL_E_IDENTITY;
    if (err == 0)
        err = al_logs_statement(g->logs, &is_new, bytes);
    if (al_store_is_error(err))
        return err;
    if (err != 0)
        peer_close(g, p, err);
    else
        *ret_changed = *ret_changed || is_new;
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
    struct al_identity identity = r->identity;
    bool changed = false;
    for (uint32_t i = 0; i < m->u.statements.count && p->state == PEER_READY; i++) {
        int err = take_statement(g, p, &changed, &identity, al_message_next_raw(&list));
        if (err != 0)
            return err;
    }
    if (m->u.statements.last && p->state == PEER_READY)
        request_drop(g, r);
    return changed ? record_changed(g, al_logs_person(g->logs, &identity), p) : 0;
}
