/*
 * After a start own entries wait until it is likely that nobody holds more of the own log than is
 * here: a log that goes on where it is not whole would fork. docs/protocol.md, "The own log".
 */
#include "gossip_int.h"

#define HOLD_MS 10000 /* from the first peer that is ready on */

void hold_begin(struct al_gossip *g)
{
    const struct al_person *self = g->logs->self;
    for (uint32_t i = 0; i < self->log_count; i++) {
        if (self->logs[i]->hold < AL_SEQ_MAX)
            g->held_log = self->logs[i];
    }
}

void hold_ready(struct al_gossip *g, struct al_now now)
{
    if (g->held_log != NULL && g->hold_ms == 0)
        g->hold_ms = now.mono_ms + HOLD_MS;
}

static int lift(struct al_gossip *g)
{
    struct al_log *log = g->held_log;
    struct al_now now = {.mono_ms = g->turn_ms};
    uint64_t first = log->hold + 1;
    log->hold = AL_SEQ_MAX;
    g->held_log = NULL;
    g->hold_ms = 0;
    int err = al_logs_left_forget(g->logs);
    if (err == 0)
        err = push_entries(g, log, first, NULL, now);
    /* whoever compared while it was on hold saw less than there is, perhaps less than it holds */
    const struct al_identity *self = &g->logs->self->identity;
    struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (err == 0 && p->state == PEER_READY && p->wants_known && peer_wants(p, self))
            err = frontier_open(g, p, self, 1);
    }
    return err;
}

/*
 * Entries that came from elsewhere show that it was not whole, and not all have come: what was
 * written on top of the old end is known to be wrong only when they have.
 */
static bool is_torn(const struct al_log *log)
{
    return al_log_head(log) > 0 && !al_log_whole(log, al_log_head(log));
}

void hold_told(struct al_gossip *g, struct peer *p, const struct al_ref *refs, uint32_t count)
{
    const struct al_log *log = g->held_log;
    if (log == NULL)
        return;
    p->own_head = (struct al_ref){.device = log->device, .log = log->name};
    p->own_told = true;
    for (uint32_t i = 0; i < count; i++) {
        if (al_device_eq(&refs[i].device, &log->device) && al_logname_eq(&refs[i].log, &log->name))
            p->own_head = refs[i];
    }
}

/* What one peer says of the log on hold. */
enum word {
    WORD_NONE,    /* it knows less than somebody did before */
    WORD_VOUCHES, /* all that it knows is here */
    WORD_CLAIMS,  /* it knows more, or something else: that is being fetched */
};

static int word_of(
    struct al_gossip *g, enum word *ret, const struct al_log *log, const struct peer *p)
{
    struct al_hash id;
    uint64_t seq = p->own_head.seq;
    *ret = WORD_NONE;
    if (p->state != PEER_READY || !p->own_told)
        return 0;
    if (seq == 0) {
        *ret = log->hold == 0 ? WORD_VOUCHES : WORD_NONE;
        return 0;
    }
    *ret = WORD_CLAIMS;
    if (!al_log_holds(log, seq))
        return 0;
    int err = al_log_prev(g->logs, &id, log, seq + 1);
    if (err == 0 && al_hash_eq(&id, &p->own_head.id))
        *ret = seq >= log->hold ? WORD_VOUCHES : WORD_NONE;
    return err;
}

int hold_tick(struct al_gossip *g)
{
    const struct al_log *log = g->held_log;
    const struct peer *p;
    bool vouched = false;
    bool claimed = false;
    if (log == NULL || is_torn(log))
        return 0;
    TAILQ_FOREACH (p, &g->peers, link) {
        enum word word;
        int err = word_of(g, &word, log, p);
        if (err != 0)
            return err;
        vouched = vouched || word == WORD_VOUCHES;
        claimed = claimed || word == WORD_CLAIMS;
    }
    bool over = g->hold_ms != 0 && g->hold_ms <= g->turn_ms;
    return over || (vouched && !claimed) ? lift(g) : 0;
}

const struct al_identity *al_gossip_own_from(const struct al_gossip *g)
{
    return &g->own_from;
}

uint64_t hold_deadline(const struct al_gossip *g)
{
    bool waits = g->held_log != NULL && g->hold_ms != 0 && !is_torn(g->held_log);
    return waits ? g->hold_ms : UINT64_MAX;
}
