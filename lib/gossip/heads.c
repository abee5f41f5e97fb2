/*
 * What each peer holds: the heads it names, and what each side holds of the other's device.
 * A head is a claim: it makes requests to that peer, and nothing else.
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "write.h"

#define HEAD_KEY_BYTES (32 + 8)
#define OWN_HEAD_BYTES 128 /* encoded, at most */

static void head_key(
    uint8_t out[HEAD_KEY_BYTES], const struct al_device *device, const struct al_logname *name)
{
    memcpy(out, device->b, 32);
    memcpy(out + 32, name->b, 8);
}

struct peer_head *head_find(
    const struct peer *p, const struct al_device *device, const struct al_logname *name)
{
    uint8_t key[HEAD_KEY_BYTES];
    head_key(key, device, name);
    return al_map_get(p->heads, key);
}

struct peer_head *head_of_log(const struct peer *p, const struct al_log *log)
{
    return head_find(p, &log->device, &log->name);
}

int head_note(struct al_gossip *g, struct peer *p, struct peer_head **ret,
    const struct al_device *device, const struct al_logname *name, uint64_t seq)
{
    uint8_t key[HEAD_KEY_BYTES];
    struct peer_head *h = head_find(p, device, name);
    if (h == NULL) {
        size_t devices = al_map_count(g->logs->devices);
        *ret = NULL;
        if (al_map_count(p->heads) >= PEER_HEADS_MIN + devices * AL_LOGS_PER_DEVICE_MAX)
            return 0;
        h = calloc(1, sizeof(*h));
        head_key(key, device, name);
        if (h == NULL || al_map_put(p->heads, key, h) != 0) {
            free(h);
            return AL_E_NOMEM;
        }
        h->device = *device;
        h->name = *name;
    }
    if (seq > h->seq)
        h->seq = seq;
    *ret = h;
    return 0;
}

static struct peer_heads *queue_of(struct peer *p, enum head_queue queue)
{
    switch (queue) {
    case HEAD_ASKING:
        return &p->asking;
    case HEAD_UNCERTIFIED:
        return &p->uncertified;
    case HEAD_IDLE:
        break;
    }
    return NULL;
}

void head_enqueue(struct peer *p, struct peer_head *h, enum head_queue queue)
{
    if (h->queue == queue)
        return;
    struct peer_heads *from = queue_of(p, h->queue);
    struct peer_heads *to = queue_of(p, queue);
    if (from != NULL)
        TAILQ_REMOVE(from, h, link);
    if (to != NULL)
        TAILQ_INSERT_TAIL(to, h, link);
    p->uncertified_count -= h->queue == HEAD_UNCERTIFIED;
    p->uncertified_count += queue == HEAD_UNCERTIFIED;
    h->queue = queue;
}

int head_heard(struct al_gossip *g, struct peer *p, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *name, uint64_t seq)
{
    const struct al_person *person = al_logs_person(g->logs, identity);
    const struct al_person *owner = al_logs_owner(g->logs, device);
    struct peer_head *h;
    if (seq == 0 || seq > AL_SEQ_MAX || person == NULL || !wanted(g, person) ||
        (owner != NULL && owner != person))
        return 0;
    int err = head_note(g, p, &h, device, name, seq);
    if (err != 0 || h == NULL)
        return err;
    h->vain = 0;
    if (owner != NULL)
        catchup_look(g, p, h, al_block_of(h->seq));
    else if (p->uncertified_count < PEER_UNCERTIFIED_MAX)
        head_enqueue(p, h, HEAD_UNCERTIFIED);
    return 0;
}

void head_certified(struct al_gossip *g, const struct al_person *person)
{
    struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        struct peer_head *h = TAILQ_FIRST(&p->uncertified);
        while (h != NULL) {
            struct peer_head *next = TAILQ_NEXT(h, link);
            if (al_logs_owner(g->logs, &h->device) == person) {
                head_enqueue(p, h, HEAD_IDLE);
                catchup_look(g, p, h, al_block_of(h->seq));
            }
            h = next;
        }
    }
}

uint64_t head_behind(const struct al_gossip *g, const struct peer *p)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    uint64_t n = 0;
    while (al_map_next(p->heads, &walk, NULL, &value)) {
        const struct peer_head *h = value;
        uint64_t held = h->log == NULL ? 0 : h->log->held;
        uint64_t reach = h->seq > held && h->vain < VAIN_MAX ? catchup_reach(g, h) : 0;
        if (reach > held)
            n += reach - held;
    }
    return n;
}

void heads_free(struct peer *p)
{
    struct al_map_walk walk = {.at = 0};
    void *head;
    while (p->heads != NULL && al_map_next(p->heads, &walk, NULL, &head))
        free(head);
    al_map_free(p->heads);
}

/* --- own heads: what each holds of the other's device ---------------------------------------- */

int own_heads_send(struct al_gossip *g, struct peer *p)
{
    uint8_t bytes[AL_OWN_HEADS_MAX * OWN_HEAD_BYTES];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_own_head heads[AL_OWN_HEADS_MAX];
    uint32_t count = 0;
    uint32_t logs = wanted(g, p->person) ? p->person->log_count : 0;
    for (uint32_t i = 0; i < logs && count < AL_OWN_HEADS_MAX; i++) {
        const struct al_log *log = p->person->logs[i];
        struct al_ref *ref = &heads[count].ref;
        if (!al_device_eq(&log->device, &p->device))
            continue;
        *ref = (struct al_ref){.device = log->device, .log = log->name};
        int err = al_log_offer(g->logs, &ref->seq, &ref->id, log);
        if (err != 0)
            return err;
        count += ref->seq > 0;
    }
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_message_put_own_head(&list, &heads[i]);
    struct al_message m = {.type = AL_MSG_OWN_HEADS};
    m.u.own_heads.list = al_buf_slice(&list);
    m.u.own_heads.count = count;
    peer_send_message(g, p, &m);
    p->ack_due = false;
    return 0;
}

/* |p| says that it holds |ref| of our device: that counts if it is the entry that is here. */
static int acknowledge(struct al_gossip *g, const struct al_ref *ref, bool *ret_differs)
{
    struct al_log *log = al_logs_find(g->logs, &ref->device, &ref->log);
    struct al_hash id;
    *ret_differs = false;
    if (log == NULL || !al_log_holds(log, ref->seq))
        return 0;
    int err = al_log_prev(g->logs, &id, log, ref->seq + 1);
    if (err != 0)
        return err;
    *ret_differs = !al_hash_eq(&id, &ref->id);
    if (*ret_differs || ref->seq <= log->acked)
        return 0;
    log->acked = ref->seq;
    if (g->acks_ms == 0)
        g->acks_ms = g->turn_ms + ACKS_SAVE_MS;
    return 0;
}

/* What |p| says of one own log: fetch what is not here, or is another there. */
static int own_head_heard(struct al_gossip *g, struct peer *p, const struct al_ref *ref)
{
    bool differs;
    int err = acknowledge(g, ref, &differs);
    /* more than is here is a hint that this log is not whole: fetch it, then believe it */
    if (err == 0)
        err = head_heard(g, p, &g->logs->self->identity, &ref->device, &ref->log, ref->seq);
    struct peer_head *h = head_find(p, &ref->device, &ref->log);
    if (err == 0 && differs && h != NULL)
        catchup_doubt(p, h, ref->seq);
    return err;
}

int own_heads_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    const struct al_device *me = &g->logs->keyring->device;
    struct al_ref refs[AL_OWN_HEADS_MAX];
    struct al_slice list = al_message_list(m->u.own_heads.list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->u.own_heads.count; i++) {
        struct al_own_head head;
        al_message_next_own_head(&head, &list);
        if (!al_device_eq(&head.ref.device, me))
            continue;
        refs[count++] = head.ref;
        int err = own_head_heard(g, p, &head.ref);
        if (err != 0)
            return err;
    }
    hold_told(g, p, refs, count);
    return 0;
}

int own_acks_save(struct al_gossip *g)
{
    const struct al_person *self = g->logs->self;
    bool writes = g->logs->pos != g->turn_pos;
    int err = 0;
    if (g->acks_ms == 0 || (!writes && g->acks_ms > g->turn_ms))
        return 0;
    for (uint32_t i = 0; err == 0 && i < self->log_count; i++) {
        const struct al_log *log = self->logs[i];
        if (log->acked > 0)
            err = al_logs_acked_save(g->logs, log);
    }
    g->acks_ms = 0;
    return err;
}

uint64_t al_gossip_alone(const struct al_gossip *g)
{
    uint64_t n = 0;
    const struct al_person *self = g->logs->self;
    for (uint32_t i = 0; i < self->log_count; i++) {
        const struct al_log *log = self->logs[i];
        if (al_device_eq(&log->device, &g->logs->keyring->device) && al_log_head(log) > log->acked)
            n += al_log_head(log) - log->acked;
    }
    return n;
}
