/* Who may talk: hello, admission, invites. docs/protocol.md, "A session". */
#include "gossip_int.h"
#include "hash.h"
#include "keyring.h"
#include "statement.h"

bool may_connect(const struct al_gossip *g, const struct al_person *person)
{
    return !person->block && (person == g->logs->self || person->follow || person->admit);
}

void hello_send(struct al_gossip *g, struct peer *p, struct al_now now)
{
    struct al_message m = {.type = AL_MSG_HELLO};
    const struct contact *c;
    m.u.hello.version = 1;
    m.u.hello.agent = al_slice_str(g->opts.agent);
    m.u.hello.cert = al_record_cert(g->logs->self->record, &g->logs->keyring->device);
    TAILQ_FOREACH (c, &g->contacts, link) {
        if (c->peer == p && c->has_token)
            m.u.hello.token = al_slice_of(c->token, sizeof(c->token));
    }
    memcpy(m.u.hello.boot, g->opts.boot, sizeof(m.u.hello.boot));
    const struct al_keyring *k = g->logs->keyring;
    al_boot_sign(&m.u.hello.boot_sig, &k->device, k->device_secret, m.u.hello.boot);
    m.u.hello.now_ms = now.wall_ms > AL_TIME_MAX ? AL_TIME_MAX : now.wall_ms;
    size_t seen = strlen(p->address);
    m.u.hello.seen = al_slice_of(p->address, seen < 64 ? seen : 64);
    peer_send_message(g, p, &m);
}

/* The certificate must be of the device that showed its key in the handshake. */
static int check_cert(const struct peer *p, struct al_statement *ret, struct al_slice cert)
{
    uint8_t noise_key[32];
    int err = al_statement_open(ret, cert);
    if (err == 0 && ret->kind != AL_STATEMENT_CERT)
        err = AL_E_STATEMENT_KIND;
    if (err == 0)
        err = al_device_noise_key(noise_key, &ret->device);
    if (err == 0 && memcmp(noise_key, p->remote, sizeof(noise_key)) != 0)
        err = AL_E_NOT_CERTIFIED;
    if (err == 0 && p->outgoing && !al_device_eq(&ret->device, &p->device))
        err = AL_E_NOT_CERTIFIED;
    return err;
}

/*
 * Two connections of one pair: of two that crossed, both sides keep the same; else the newer. With
 * another boot it may be another machine.
 */
static void settle_duplicates(struct al_gossip *g, struct peer *p, struct al_now now)
{
    const struct al_device *me = &g->logs->keyring->device;
    struct peer *other;
    TAILQ_FOREACH (other, &g->peers, link) {
        bool open = other->state == PEER_READY || other->state == PEER_TRIAL;
        if (other == p || !open || !al_device_eq(&other->device, &p->device))
            continue;
        if (memcmp(other->boot, p->boot, sizeof(p->boot)) != 0 && other->state == PEER_READY) {
            clone_try(g, p, other, now);
            continue;
        }
        bool crossed =
            now.mono_ms - other->opened_ms < SIMULTANEOUS_MS && other->outgoing != p->outgoing;
        bool mine_smaller = memcmp(me->b, p->device.b, sizeof(me->b)) < 0;
        bool keep_new = !crossed || p->outgoing == mine_smaller;
        peer_close(g, keep_new ? other : p, AL_E_DUPLICATE);
    }
}

static int admit(
    struct al_gossip *g, const struct al_person *person, struct al_slice token, struct al_now now)
{
    if (person->block)
        return AL_E_BLOCKED;
    if (may_connect(g, person))
        return 0;
    if (token.n == 0)
        return AL_E_STRANGER;
    return g->opts.redeem(g->opts.redeem_arg, token.p, &person->identity, now);
}

int hello_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct al_statement cert;
    struct al_person *person = NULL;
    bool is_new = false;
    int err = m->u.hello.version == 1 ? 0 : AL_E_VERSION;
    if (err == 0)
        err = check_cert(p, &cert, m->u.hello.cert);
    if (err == 0 && al_device_eq(&cert.device, &g->logs->keyring->device))
        err = AL_E_SELF;
    if (err == 0)
        err = al_boot_verify(&m->u.hello.boot_sig, &cert.device, m->u.hello.boot);
    if (err == 0) /* before admission a stranger may cost memory for this connection only */
        person = al_logs_person(g->logs, &cert.identity);
    struct al_person stranger = {.identity = cert.identity};
    if (err == 0)
        err = admit(g, person == NULL ? &stranger : person, m->u.hello.token, now);
    if (err == 0)
        err = al_logs_statement(g->logs, &is_new, m->u.hello.cert);
    if (err == 0) {
        person = al_logs_owner(g->logs, &cert.device);
        if (person == NULL)
            err = AL_E_NOT_CERTIFIED;
        else if (al_record_standing(person->record, NULL, &cert.device, NULL) !=
                 AL_STANDING_CERTIFIED)
            err = AL_E_REVOKED;
    }
    if (err == 0 && is_new) /* others are to believe in this device before its entries come */
        err = record_changed(g, person, p);
    if (al_store_is_error(err))
        return err;
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    p->device = cert.device;
    p->person = person;
    memcpy(p->boot, m->u.hello.boot, sizeof(p->boot));
    p->boot_sig = m->u.hello.boot_sig;
    settle_duplicates(g, p, now);
    return p->state == PEER_HELLO ? hello_welcome(g, p, now) : 0;
}

/* The place of |device| among those who said that we are revoked, or their number. */
static uint32_t find_revoked_by(const struct al_gossip *g, const struct al_device *device)
{
    uint32_t i = 0;
    while (i < g->revoked_by_count && !al_device_eq(&g->revoked_by[i], device))
        i++;
    return i;
}

void hello_revoked(struct al_gossip *g, const struct peer *p)
{
    bool known = p->outgoing || p->state == PEER_READY;
    uint32_t i = find_revoked_by(g, &p->device);
    if (known && i == g->revoked_by_count && i < REVOKED_BY_MAX)
        g->revoked_by[g->revoked_by_count++] = p->device;
}

uint32_t al_gossip_revoked_said(const struct al_gossip *g)
{
    return g->revoked_by_count;
}

int hello_welcome(struct al_gossip *g, struct peer *p, struct al_now now)
{
    if (!p->outgoing)
        hello_send(g, p, now);
    struct contact *c = dial_contact(g, &p->device);
    uint32_t said = find_revoked_by(g, &p->device);
    if (said < g->revoked_by_count)
        g->revoked_by[said] = g->revoked_by[--g->revoked_by_count];
    if (c != NULL) {
        c->peer = p;
        dial_ended(g, c, 0, now);
    }
    return peer_ready(g, p, now);
}
