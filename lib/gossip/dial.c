/* The address book: whom to dial, when, and how long to wait after a failure. */
#include <stdlib.h>

#include "gossip_int.h"
#include "keyring.h"
#include "read.h"
#include "write.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS (5 * 60 * 1000)
#define UNWELCOME_MS (10 * 60 * 1000)

struct contact *dial_contact(const struct al_gossip *g, const struct al_device *device)
{
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (al_device_eq(&c->device, device))
            return c;
    }
    return NULL;
}

struct contact *dial_under_way(const struct al_gossip *g, uint64_t dial)
{
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->dial == dial)
            return c;
    }
    return NULL;
}

static void set_addresses(struct contact *c, const struct al_slice *addresses, size_t count)
{
    c->address_count = 0;
    for (size_t i = 0; i < count && c->address_count < AL_ADDRESSES_MAX; i++) {
        if (addresses[i].n == 0 || addresses[i].n > AL_ADDRESS_MAX)
            continue;
        char *out = c->addresses[c->address_count++];
        memcpy(out, addresses[i].p, addresses[i].n);
        out[addresses[i].n] = '\0';
    }
}

/* --- in the store: [identity, addresses, token] ---------------------------------------------- */

static int save(struct al_gossip *g, const struct contact *c)
{
    uint8_t bytes[AL_ADDRESSES_MAX * (AL_ADDRESS_MAX + 3) + 128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 3);
    al_write_bin(&b, c->identity.b, sizeof(c->identity.b));
    al_write_array(&b, c->address_count);
    for (uint32_t i = 0; i < c->address_count; i++)
        al_write_cstr(&b, c->addresses[i]);
    al_write_bin(&b, c->token, c->has_token ? sizeof(c->token) : 0);
    return al_store_kv_put(g->logs->store, AL_SPACE_PEER,
        al_slice_of(c->device.b, sizeof(c->device.b)), al_buf_slice(&b));
}

struct load {
    struct al_gossip *g;
    struct al_now now;
};

static int load_contact(void *arg, struct al_slice key, struct al_slice value)
{
    struct load *load = arg;
    struct al_slice addresses[AL_ADDRESSES_MAX];
    struct contact *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    struct al_read r = al_read_message(value);
    (void)al_read_array(&r, 3, 3);
    al_read_bytes(&r, c->identity.b, sizeof(c->identity.b));
    uint32_t count = al_read_array(&r, 0, AL_ADDRESSES_MAX);
    for (uint32_t i = 0; i < count; i++)
        addresses[i] = al_read_str(&r, AL_ADDRESS_MAX);
    struct al_slice token = al_read_bin(&r, 0, AL_TOKEN_BYTES);
    if (al_read_end(&r) != 0 || key.n != sizeof(c->device.b)) {
        free(c);
        return AL_E_CORRUPT;
    }
    memcpy(c->device.b, key.p, key.n);
    set_addresses(c, addresses, count);
    c->has_token = token.n == AL_TOKEN_BYTES;
    if (c->has_token)
        memcpy(c->token, token.p, token.n);
    c->next_ms = load->now.mono_ms;
    TAILQ_INSERT_TAIL(&load->g->contacts, c, link);
    return 0;
}

int dial_load(struct al_gossip *g, struct al_now now)
{
    struct load load = {.g = g, .now = now};
    return al_store_kv_scan(
        g->logs->store, AL_SPACE_PEER, al_slice_of(NULL, 0), load_contact, &load);
}

int al_gossip_contact(struct al_gossip *g, const struct al_device *device,
    const struct al_identity *identity, const struct al_slice *addresses, size_t address_count,
    struct al_slice token, struct al_now now)
{
    struct contact *c = dial_contact(g, device);
    if (c == NULL) {
        c = calloc(1, sizeof(*c));
        if (c == NULL)
            return AL_E_NOMEM;
        c->device = *device;
        TAILQ_INSERT_TAIL(&g->contacts, c, link);
    }
    c->identity = *identity;
    set_addresses(c, addresses, address_count);
    c->has_token = token.n == AL_TOKEN_BYTES;
    if (c->has_token)
        memcpy(c->token, token.p, token.n);
    c->attempts = 0;
    c->next_ms = now.mono_ms;
    return save(g, c);
}

/* --- dialling ------------------------------------------------------------------------------ */

/* True if a connection to |c| is wanted and there is none. */
static bool wants_dial(const struct al_gossip *g, const struct contact *c)
{
    const struct al_person *person = al_logs_person(g->logs, &c->identity);
    return !g->logs->copy && c->peer == NULL && c->dial == 0 && c->address_count > 0 &&
           person != NULL && may_connect(g, person) &&
           !al_device_eq(&c->device, &g->logs->keyring->device);
}

bool dial_fresh(const struct al_gossip *g)
{
    const struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->attempts < c->address_count && c->seen_ms == 0 && (c->dial != 0 || wants_dial(g, c)))
            return true;
    }
    return false;
}

static bool connected(const struct al_gossip *g, const struct al_device *device)
{
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state != PEER_CLOSING && al_device_eq(&p->device, device))
            return true;
    }
    return false;
}

void dial_due(struct al_gossip *g, struct al_now now)
{
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->next_ms > now.mono_ms || !wants_dial(g, c) || connected(g, &c->device))
            continue;
        struct al_effect e = {.type = AL_EFFECT_DIAL, .device = c->device};
        e.bytes = al_slice_str(c->addresses[c->attempts % c->address_count]);
        if (al_device_noise_key(e.noise_key, &c->device) != 0) {
            c->address_count = 0; /* no such device can exist */
            continue;
        }
        c->dial = e.dial = ++g->next_dial;
        al_effects_add(g->opts.effects, &e);
    }
}

uint64_t dial_deadline(const struct al_gossip *g)
{
    uint64_t at = UINT64_MAX;
    const struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->next_ms < at && wants_dial(g, c) && !connected(g, &c->device))
            at = c->next_ms;
    }
    return at;
}

void dial_ended(struct al_gossip *g, struct contact *c, int err, struct al_now now)
{
    c->dial = 0;
    c->err = err;
    if (err == 0) {
        c->attempts = 0;
        c->has_token = false; /* an invite is needed once */
        return;
    }
    /* every address is tried once before the wait doubles; jitter keeps crowds apart */
    uint32_t round = c->address_count == 0 ? 0 : c->attempts / c->address_count;
    uint64_t wait = (uint64_t)BACKOFF_MIN_MS << (round < 9 ? round : 9);
    if (wait > BACKOFF_MAX_MS)
        wait = BACKOFF_MAX_MS;
    if (err == AL_E_BLOCKED || err == AL_E_INVITE || err == AL_E_SELF)
        wait = UNWELCOME_MS;
    c->attempts++;
    c->next_ms = now.mono_ms + wait / 2 + al_rng_below(g->opts.rng, wait);
}

void al_gossip_dial_failed(struct al_gossip *g, uint64_t dial, int err, struct al_now now)
{
    struct contact *c = dial_under_way(g, dial);
    if (c != NULL)
        dial_ended(g, c, err == 0 ? AL_E_CLOSED : err, now);
}

void al_gossip_network_changed(struct al_gossip *g, struct al_now now)
{
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        c->attempts = 0;
        c->next_ms = now.mono_ms;
    }
}

void al_gossip_welcome(struct al_gossip *g, const struct al_identity *identity, struct al_now now)
{
    struct contact *c;
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (!al_identity_eq(&c->identity, identity))
            continue;
        c->attempts = 0;
        c->next_ms = now.mono_ms;
    }
}

/* --- what is told -------------------------------------------------------------------------- */

uint32_t al_gossip_ready_peers(const struct al_gossip *g)
{
    uint32_t n = 0;
    const struct peer *p;
    TAILQ_FOREACH (p, &g->peers, link)
        n += p->state == PEER_READY;
    return n;
}

static uint64_t ahead_of(const struct al_gossip *g, const struct peer *p)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < g->logs->self->log_count; i++) {
        const struct al_log *log = g->logs->self->logs[i];
        const struct peer_head *h = head_of_log(p, log);
        uint64_t theirs = h == NULL ? 0 : h->seq;
        if (al_log_head(log) > theirs)
            n += al_log_head(log) - theirs;
    }
    return n;
}

static void tell_peer(const struct al_gossip *g, const struct peer *p,
    void (*cb)(void *arg, const struct al_peer_info *info), void *arg)
{
    struct al_peer_info info = {
        .device = p->device,
        .state = p->state == PEER_READY ? "ready" : "hello",
        .address = al_slice_str(p->address),
        .outgoing = p->outgoing,
        .since_ms = p->since_ms,
        .seen_ms = p->seen_ms,
        .why = "",
    };
    if (p->state == PEER_CLOSING)
        return;
    if (p->person != NULL) {
        info.identity = p->person->identity;
        info.behind = head_behind(g, p);
        info.ahead = ahead_of(g, p);
    }
    cb(arg, &info);
}

void al_gossip_peers(const struct al_gossip *g, struct al_now now,
    void (*cb)(void *arg, const struct al_peer_info *info), void *arg)
{
    const struct peer *p;
    const struct contact *c;
    TAILQ_FOREACH (p, &g->peers, link)
        tell_peer(g, p, cb, arg);
    TAILQ_FOREACH (c, &g->contacts, link) {
        const struct al_person *person = al_logs_person(g->logs, &c->identity);
        bool wanted = person != NULL && may_connect(g, person); /* else it is never dialled */
        if (c->peer != NULL || !wanted || connected(g, &c->device))
            continue;
        struct al_peer_info info = {
            .device = c->device,
            .identity = c->identity,
            .state = c->dial != 0 ? "dialling" : "waiting",
            .outgoing = true,
            .seen_ms = c->seen_ms,
            .why = c->err == 0 ? "" : al_err_name(c->err),
        };
        if (c->address_count > 0)
            info.address = al_slice_str(c->addresses[c->attempts % c->address_count]);
        if (c->dial == 0 && c->next_ms > now.mono_ms)
            info.next_ms = now.wall_ms + (c->next_ms - now.mono_ms);
        cb(arg, &info);
    }
}
