/* A peer played by hand: it says what no honest node would say. */
#include <stdlib.h>

#include "check.h"
#include "rig.h"
#include "write.h"

static const struct rig_conn *conn_of(const struct rig_peer *p)
{
    return &p->rig->conns[p->conn - 1];
}

void rig_peer_connect(struct rig_peer *p, struct rig_node *node, uint64_t n)
{
    struct rig *r = node->rig;
    struct al_node_link link = {.address = al_slice_str("hand:1")};
    *p = (struct rig_peer){.rig = r, .node = node};
    rig_person(&p->who, n);
    AL_ASSERT(r->conn_count < RIG_CONNS);
    struct rig_conn *c = &r->conns[r->conn_count++];
    *c = (struct rig_conn){
        .id = (uint64_t)r->conn_count, .ends = {-1, (int)(node - r->nodes)}, .open = true};
    p->conn = link.conn = c->id;
    memcpy(link.remote, p->who.keyring.noise_public, sizeof(link.remote));
    rig_begin(node);
    al_node_connected(node->node, &link);
    rig_end(node);
}

void rig_peer_leave(struct rig_peer *p)
{
    rig_peer_drop(p);
    if (!conn_of(p)->open)
        return;
    p->rig->conns[p->conn - 1].open = false;
    rig_begin(p->node);
    al_node_closed(p->node->node, p->conn, AL_E_CLOSED);
    rig_end(p->node);
}

void rig_peer_raw(struct rig_peer *p, const void *bytes, size_t n)
{
    if (!conn_of(p)->open)
        return;
    rig_begin(p->node);
    al_node_message(p->node->node, p->conn, al_slice_of(bytes, n));
    rig_end(p->node);
}

void rig_peer_send(struct rig_peer *p, const struct al_message *m)
{
    uint8_t *bytes = malloc(AL_MESSAGE_MAX);
    AL_ASSERT(bytes != NULL);
    struct al_buf b = al_buf_fixed(bytes, AL_MESSAGE_MAX);
    al_message_encode(&b, m);
    AL_ASSERT(!b.full);
    rig_peer_raw(p, bytes, b.n);
    free(bytes);
}

void rig_peer_hello(struct rig_peer *p, const uint8_t *token)
{
    uint8_t bytes[512];
    struct al_buf cert = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m = {.type = AL_MSG_HELLO};
    rig_cert(&cert, &p->who);
    m.u.hello.version = 1;
    m.u.hello.agent = al_slice_str("hand");
    m.u.hello.cert = al_buf_slice(&cert);
    m.u.hello.token = al_slice_of(token, token == NULL ? 0 : AL_TOKEN_BYTES);
    const struct al_keyring *k = &p->who.keyring;
    al_u64be(m.u.hello.boot, p->boot);
    al_boot_sign(&m.u.hello.boot_sig, &k->device, k->device_secret, m.u.hello.boot);
    m.u.hello.now_ms = RIG_WALL_MS;
    m.u.hello.seen = al_slice_str("node:1");
    rig_peer_send(p, &m);
}

void rig_peer_friend(struct rig_peer *p, struct rig_node *node, uint64_t n)
{
    struct rig_person who;
    rig_person(&who, n);
    rig_relate(node, &who.root.identity, "follow", true);
    rig_relate(node, &who.root.identity, "admit", true);
    rig_peer_connect(p, node, n);
    rig_peer_hello(p, NULL);
    AL_ASSERT(rig_peer_closed(p) == 0);
    rig_peer_drop(p);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct al_identity));
}

void rig_peer_interests(struct rig_peer *p, const struct al_identity *ids, uint32_t count)
{
    static const uint8_t empty = 0x90;
    struct al_identity sorted[64];
    struct al_buf list = al_heapbuf();
    struct al_message m = {.type = AL_MSG_INTERESTS};
    AL_ASSERT(count <= 64);
    memcpy(sorted, ids, count * sizeof(*ids));
    qsort(sorted, count, sizeof(*sorted), compare_ids);
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_write_bin(&list, sorted[i].b, sizeof(sorted[i].b));
    al_interests_digest(&m.u.interests.after, sorted, count);
    m.u.interests.add = al_buf_slice(&list);
    m.u.interests.add_count = count;
    m.u.interests.drop = al_slice_of(&empty, 1);
    m.u.interests.last = true;
    rig_peer_send(p, &m);
    al_heapbuf_free(&list);
}

void rig_peer_item(struct rig_peer *p, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log, uint64_t seq)
{
    uint8_t bytes[256];
    uint8_t ranges[512];
    struct al_buf items = al_buf_fixed(bytes, sizeof(bytes));
    struct al_buf list = al_buf_fixed(ranges, sizeof(ranges));
    struct al_item item = {.identity = *identity, .device = *device, .log = *log, .seq = seq};
    struct al_range range = {.mode = AL_RANGE_FINAL, .item_count = 1};
    struct al_message m = {.type = AL_MSG_RECONCILE};
    al_write_array(&items, 1);
    al_message_put_item(&items, &item);
    range.items = al_buf_slice(&items);
    al_write_array(&list, 1);
    al_message_put_range(&list, &range);
    m.u.reconcile.round = 1;
    m.u.reconcile.ranges = al_buf_slice(&list);
    m.u.reconcile.count = 1;
    rig_peer_send(p, &m);
}

void rig_peer_heads(struct rig_peer *p, const struct al_head *heads, uint32_t count)
{
    struct al_buf list = al_heapbuf();
    struct al_message m = {.type = AL_MSG_HEADS};
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_message_put_head(&list, &heads[i]);
    m.u.heads.list = al_buf_slice(&list);
    m.u.heads.count = count;
    rig_peer_send(p, &m);
    al_heapbuf_free(&list);
}

void rig_peer_segment(struct rig_peer *p, uint32_t req, const struct al_segment *s)
{
    struct al_buf body = al_heapbuf();
    struct al_message m = {.type = AL_MSG_SEGMENT, .req = req};
    al_segment_encode(&body, s);
    m.u.segment.segment = al_buf_slice(&body);
    rig_peer_send(p, &m);
    al_heapbuf_free(&body);
}

void rig_peer_done(struct rig_peer *p, uint32_t req, enum al_done_status status)
{
    struct al_message m = {.type = AL_MSG_DONE, .req = req};
    m.u.done.status = status;
    rig_peer_send(p, &m);
}

void rig_chain(
    struct al_segment *blocks, const struct rig_person *who, uint32_t count, uint8_t *space)
{
    struct al_hash prev;
    for (uint32_t at = 0; at < count; at += AL_BLOCK_ENTRIES) {
        struct al_segment *s = &blocks[at / AL_BLOCK_ENTRIES];
        uint32_t n = count - at < AL_BLOCK_ENTRIES ? count - at : AL_BLOCK_ENTRIES;
        sample_segment(s, &who->as_sample, at + 1, at == 0 ? NULL : &prev, n,
            space + (size_t)at * RIG_PAYLOAD, RIG_PAYLOAD, at);
        prev = s->items[s->count - 1].id;
    }
}

void rig_peer_answer(
    struct rig_peer *p, const struct al_message *want, const struct al_segment *blocks)
{
    uint32_t req = want->req;
    const struct al_segment *s = &blocks[al_block_of(want->u.want.first)];
    AL_ASSERT(s->first == want->u.want.first && al_segment_last(s) == want->u.want.last);
    rig_peer_segment(p, req, s);
    rig_peer_done(p, req, AL_DONE_OK);
}

/* --- hearing ------------------------------------------------------------------------------- */

static void forget_last(struct rig_peer *p)
{
    if (p->last != NULL)
        free(p->last->bytes);
    free(p->last);
    p->last = NULL;
}

static bool take(struct rig_peer *p)
{
    forget_last(p);
    struct rig_message *m;
    TAILQ_FOREACH (m, &p->rig->queue, link) {
        if (m->conn != p->conn || m->to >= 0)
            continue;
        TAILQ_REMOVE(&p->rig->queue, m, link);
        p->last = m;
        return true;
    }
    return false;
}

bool rig_peer_next(struct rig_peer *p, enum al_message_type type, struct al_message *ret)
{
    while (take(p)) {
        AL_ASSERT(al_message_decode(ret, al_slice_of(p->last->bytes, p->last->n)) == 0);
        if (ret->type == type)
            return true;
    }
    return false;
}

void rig_peer_drop(struct rig_peer *p)
{
    while (take(p))
        ;
}

uint32_t rig_peer_waiting(const struct rig_peer *p)
{
    uint32_t n = 0;
    const struct rig_message *m;
    TAILQ_FOREACH (m, &p->rig->queue, link)
        n += m->conn == p->conn && m->to < 0;
    return n;
}

int rig_peer_closed(const struct rig_peer *p)
{
    const struct rig_conn *c = conn_of(p);
    return c->open ? 0 : c->closed == 0 ? AL_E_CLOSED : c->closed;
}
