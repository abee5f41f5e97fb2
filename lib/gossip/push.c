/*
 * Who gets what is new, at once: entries go to every connected peer that wants them and is known
 * to hold all before them; the others hear of the head. docs/protocol.md, "Live entries".
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "write.h"

/* --- announcing ---------------------------------------------------------------------------- */

int push_announce(struct al_gossip *g, struct al_log *log, struct al_now now)
{
    if (al_map_get(g->announced, &log->no) != NULL)
        return 0;
    struct announce *a = calloc(1, sizeof(*a));
    if (a == NULL || al_map_put(g->announced, &log->no, a) != 0) {
        free(a);
        return AL_E_NOMEM;
    }
    a->log = log;
    TAILQ_INSERT_TAIL(&g->announces, a, link);
    if (g->announce_ms == 0)
        g->announce_ms = now.mono_ms + ANNOUNCE_MS;
    return 0;
}

static void send_heads(struct al_gossip *g, struct peer *p, struct al_buf *list, uint32_t count)
{
    uint8_t head[5];
    struct al_buf start = al_buf_fixed(head, sizeof(head));
    al_write_array(&start, count);
    /* room for the array's head was left before the elements */
    memcpy(list->p + sizeof(head) - start.n, head, start.n);
    struct al_message m = {.type = AL_MSG_HEADS};
    m.u.heads.list =
        al_slice_of(list->p + sizeof(head) - start.n, list->n - sizeof(head) + start.n);
    m.u.heads.count = count;
    peer_send_message(g, p, &m);
    list->n = sizeof(head);
}

static int flush_to(struct al_gossip *g, struct peer *p)
{
    uint8_t bytes[AL_HEADS_MAX * 80 + 5];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    const struct announce *a;
    uint32_t count = 0;
    list.n = 5;
    TAILQ_FOREACH (a, &g->announces, link) {
        const struct al_log *log = a->log;
        struct peer_head *theirs = head_of_log(p, log);
        struct al_head head = {.device = log->device, .log = log->name};
        struct al_hash id;
        if (!peer_wants(p, &log->person->identity) || al_log_disputed(log))
            continue;
        int err = al_log_offer(g->logs, &head.seq, &id, log);
        if (err != 0)
            return err;
        if (head.seq == 0 || (theirs != NULL && theirs->seq >= head.seq && !theirs->sought))
            continue;
        if (theirs != NULL)
            theirs->sought = false;
        if (al_log_whole(log, head.seq))
            memcpy(head.tag, id.b, sizeof(head.tag));
        al_message_put_head(&list, &head);
        if (++count == AL_HEADS_MAX) {
            send_heads(g, p, &list, count);
            count = 0;
        }
    }
    if (count > 0)
        send_heads(g, p, &list, count);
    return 0;
}

int push_flush(struct al_gossip *g)
{
    struct peer *p;
    struct announce *a;
    TAILQ_FOREACH (p, &g->peers, link) {
        int err = p->state == PEER_READY ? flush_to(g, p) : 0;
        if (err != 0)
            return err;
    }
    while ((a = TAILQ_FIRST(&g->announces)) != NULL) {
        TAILQ_REMOVE(&g->announces, a, link);
        (void)al_map_remove(g->announced, &a->log->no);
        free(a);
    }
    g->announce_ms = 0;
    return 0;
}

int push_heads_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.heads.list);
    for (uint32_t i = 0; i < m->u.heads.count; i++) {
        struct al_head head;
        al_message_next_head(&head, &list);
        const struct al_person *person = al_logs_owner(g->logs, &head.device);
        if (person == NULL)
            continue; /* its statements come first, with the next comparison */
        int err = head_heard(g, p, &person->identity, &head.device, &head.log, head.seq);
        if (err != 0)
            return err;
    }
    return 0;
}

/* --- pushing ------------------------------------------------------------------------------- */

/* Send first..end to one peer, block by block, as far as it does not wait for more already. */
static int push_to(
    struct al_gossip *g, struct peer *p, struct al_log *log, uint64_t first, uint64_t end)
{
    struct peer_head *theirs;
    while (first <= end && p->out_bytes < OUT_PUSH_MAX) {
        uint64_t last = al_block_last(al_block_of(first));
        if (last > end)
            last = end;
        int err = al_export_segment(g->logs, g->export, log, first, last);
        if (err != 0)
            return err == AL_E_NOT_FOUND ? 0 : err;
        peer_send_segment(g, p, 0);
        first = al_segment_last(&g->export->segment) + 1;
        err = head_note(g, p, &theirs, &log->device, &log->name, first - 1);
        if (err != 0)
            return err;
    }
    return 0;
}

int push_entries(struct al_gossip *g, struct al_log *log, uint64_t first, const struct peer *source,
    struct al_now now)
{
    bool everybody = true;
    struct peer *p;
    struct al_hash id;
    uint64_t end;
    int err = al_log_offer(g->logs, &end, &id, log);
    if (err != 0 || end < first)
        return err; /* it must not leave, or not yet */
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p == source || p->state != PEER_READY || !peer_wants(p, &log->person->identity))
            continue;
        const struct peer_head *theirs = head_of_log(p, log);
        uint64_t held = theirs == NULL ? 0 : theirs->seq;
        if (held >= end)
            continue;
        if (held + 1 == first) {
            err = push_to(g, p, log, first, end);
            if (err != 0)
                return err;
            theirs = head_of_log(p, log);
        }
        everybody = everybody && theirs != NULL && theirs->seq >= end;
    }
    return everybody ? 0 : push_announce(g, log, now);
}

int push_receive(struct al_gossip *g, struct peer *p, struct al_segment *seg, struct al_now now)
{
    const struct al_person *person = al_logs_owner(g->logs, &seg->device);
    const struct al_log *log = al_logs_find(g->logs, &seg->device, &seg->log);
    uint64_t head = log == NULL ? 0 : al_log_head(log);
    struct al_ingest in = {.log = NULL};
    if (person == NULL || !wanted(g, person))
        return 0;
    /* what leaves a gap is an announcement */
    int err = seg->first > head + 1 ? 0 : al_ingest_segment(g->logs, &in, seg, now);
    if (al_store_is_error(err))
        return err;
    if (err == AL_E_FORK)
        return fork_tell(g, in.log, NULL);
    if (err == AL_E_SIG || err == AL_E_PREV)
        peer_close(g, p, err);
    if (err != 0)
        return 0;
    err = head_heard(g, p, &person->identity, &seg->device, &seg->log, al_segment_last(seg));
    if (err != 0 || in.added == 0)
        return err;
    if (al_device_eq(&seg->device, &p->device))
        p->ack_due = true;
    err = gaps_note(g, in.log, seg);
    if (err == 0)
        err = push_entries(g, in.log, in.first, p, now);
    return err;
}
