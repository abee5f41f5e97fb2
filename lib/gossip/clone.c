/*
 * One device key on two live machines. A second session of a device with another boot waits until
 * the first has answered a ping. When it has, two machines run with one key: both are told, with
 * the proof, and the second is let go. When it hasn't, it was dead, and the second takes its place.
 * docs/protocol.md, "A session".
 */
#include <stdlib.h>

#include "gossip_int.h"

#define TRIAL_MS 3000 /* less than the other side waits for a hello */
#define KEPT_MAX 256  /* messages of a session that waits */
#define KEPT_BYTES_MAX ((size_t)512 * 1024)

struct kept {
    STAILQ_ENTRY(kept) link;
    size_t n;
    uint8_t bytes[];
};

void clone_try(struct al_gossip *g, struct peer *p, struct peer *first, struct al_now now)
{
    struct al_message ping = {.type = AL_MSG_PING};
    p->state = PEER_TRIAL;
    p->rival = first->conn;
    p->trial_ms = now.mono_ms + TRIAL_MS;
    first->trial_n = al_rng_below(g->opts.rng, UINT64_MAX) + 1;
    ping.u.ping.n = first->trial_n;
    peer_send_message(g, first, &ping);
}

int clone_keep(struct al_gossip *g, struct peer *p, struct al_slice message)
{
    /* whoever dialled waits for an answer to its hello; whoever was dialled has given one */
    if (!p->outgoing || p->kept_count == KEPT_MAX || p->kept_bytes + message.n > KEPT_BYTES_MAX) {
        peer_close(g, p, p->outgoing ? AL_E_BUDGET : AL_E_UNEXPECTED);
        return 0;
    }
    struct kept *k = malloc(sizeof(*k) + message.n);
    if (k == NULL)
        return AL_E_NOMEM;
    k->n = message.n;
    memcpy(k->bytes, message.p, message.n);
    STAILQ_INSERT_TAIL(&p->kept, k, link);
    p->kept_count++;
    p->kept_bytes += message.n;
    return 0;
}

static void drop_kept(struct peer *p, struct kept *k)
{
    STAILQ_REMOVE_HEAD(&p->kept, link);
    p->kept_count--;
    p->kept_bytes -= k->n;
    free(k);
}

void clone_free(struct peer *p)
{
    struct kept *k;
    while ((k = STAILQ_FIRST(&p->kept)) != NULL)
        drop_kept(p, k);
}

/* The first session is gone: |p| takes its place, with what it has said meanwhile. */
static int take_place(struct al_gossip *g, struct peer *p, struct al_now now)
{
    struct kept *k;
    int err = hello_welcome(g, p, now);
    while (err == 0 && (k = STAILQ_FIRST(&p->kept)) != NULL) {
        if (p->state == PEER_READY)
            err = gossip_hear(g, p, al_slice_of(k->bytes, k->n), now);
        drop_kept(p, k);
    }
    return err;
}

int clone_tick(struct al_gossip *g, struct peer *p, struct al_now now)
{
    struct peer *first = al_map_get(g->by_conn, &p->rival);
    bool alone = first == NULL || first->state != PEER_READY;
    if (p->state != PEER_TRIAL || (!alone && p->trial_ms > now.mono_ms))
        return 0;
    if (!alone)
        peer_close(g, first, AL_E_DUPLICATE);
    return take_place(g, p, now);
}

/* Tell |to| that |about| said hello with the same device key. */
static void tell(struct al_gossip *g, struct peer *to, const struct peer *about, bool yield)
{
    struct al_message m = {.type = AL_MSG_CLONE};
    memcpy(m.u.clone.boot, about->boot, sizeof(m.u.clone.boot));
    m.u.clone.boot_sig = about->boot_sig;
    m.u.clone.yield = yield;
    peer_send_message(g, to, &m);
}

void clone_pong(
    struct al_gossip *g, struct peer *first, const struct al_message *m, struct al_now now)
{
    struct peer *p;
    if (first->trial_n == 0 || m->u.pong.n != first->trial_n)
        return;
    first->trial_n = 0;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_TRIAL || p->rival != first->conn)
            continue;
        if (!p->outgoing)
            hello_send(g, p, now); /* nothing is heard before it */
        tell(g, first, p, false);
        tell(g, p, first, true);
        peer_close(g, p, AL_E_CLONE);
    }
}

/* --- about this very device ------------------------------------------------------------------ */

static bool is_own_boot(const struct al_gossip *g, const uint8_t boot[AL_BOOT_BYTES])
{
    for (size_t i = 0; i < g->opts.boots.n / AL_BOOT_BYTES; i++) {
        if (memcmp(g->opts.boots.p + i * AL_BOOT_BYTES, boot, AL_BOOT_BYTES) == 0)
            return true;
    }
    return memcmp(g->opts.boot, boot, AL_BOOT_BYTES) == 0;
}

int clone_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    const struct al_device *me = &g->logs->keyring->device;
    int err = al_boot_verify(&m->u.clone.boot_sig, me, m->u.clone.boot);
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    if (is_own_boot(g, m->u.clone.boot))
        return 0; /* a start of this very node: it proves nothing */
    if (!g->clone_seen)
        al_effects_log(g->opts.effects, 4, "another machine ran with the key of this device");
    g->clone_seen = true;
    /* where starts were forgotten, an old one of this very node could be taken for another's */
    return m->u.clone.yield && !g->opts.boots_lost ? g->opts.cloned(g->opts.cloned_arg) : 0;
}

bool al_gossip_clone_seen(const struct al_gossip *g)
{
    return g->clone_seen;
}
