#include "peer_link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "check.h"
#include "id.h"
#include "message.h"
#include "netaddr.h"
#include "ticket.h"
#include "write.h"

#define CONNECT_MS 10000
#define ANSWER_MS 30000
#define BUSY_MS 500
#define END_MS 2000
#define READ_BYTES 65536
#define REQ 1
#define DEVICE_CHARS 52

struct link {
    int fd;
    struct al_channel *channel;
    uint64_t until_ms; /* mono */
    uint8_t *scratch;  /* AL_MESSAGE_MAX */
};

/* --- whom ---------------------------------------------------------------------------------- */

static int parse_address(struct al_restore_peer *ret, struct al_slice text)
{
    struct al_netaddr a;
    int err = al_id_parse_full(ret->device.b, al_slice_of(text.p, DEVICE_CHARS));
    if (err != 0)
        return AL_E_TEXT_FORM;
    ret->addresses[0] = al_slice_of(text.p + DEVICE_CHARS + 1, text.n - DEVICE_CHARS - 1);
    ret->address_count = 1;
    return al_netaddr_parse(&a, ret->addresses[0], false);
}

int al_peer_link_parse(struct al_restore_peer *ret, uint8_t *scratch,
    const struct al_network *network, const char *text)
{
    struct al_slice s = al_slice_str(text);
    struct al_invite invite;
    memset(ret, 0, sizeof(*ret));
    if (s.n > DEVICE_CHARS && text[DEVICE_CHARS] == '@')
        return parse_address(ret, s);
    int err = al_invite_parse(&invite, scratch, s);
    if (err == 0 && memcmp(invite.network.b, network->b, sizeof(network->b)) != 0)
        err = AL_E_NETWORK;
    if (err != 0)
        return err;
    ret->identity = invite.identity;
    ret->device = invite.device;
    ret->address_count = invite.address_count;
    memcpy(ret->addresses, invite.addresses, sizeof(ret->addresses));
    uint8_t *token = scratch + AL_TICKET_MAX - AL_TOKEN_BYTES;
    memcpy(token, invite.token, AL_TOKEN_BYTES);
    ret->token = al_slice_of(token, AL_TOKEN_BYTES);
    return 0;
}

/* --- bytes --------------------------------------------------------------------------------- */

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    AL_ASSERT(clock_gettime(clock, &t) == 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* Wait until |fd| is ready for |events|, or the time of |l| is over. */
static int wait_for(const struct link *l, int fd, short events)
{
    struct pollfd pfd = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = mono_ms();
        int n = poll(&pfd, 1, now < l->until_ms ? (int)(l->until_ms - now) : 0);
        if (n > 0)
            return 0;
        if (n == 0)
            return AL_E_TIMEOUT;
        if (errno != EINTR)
            return AL_E_IO;
    }
}

static int err_of_connect(int errnum)
{
    switch (errnum) {
    case 0:
        return 0;
    case ECONNREFUSED:
        return AL_E_REFUSED;
    case ETIMEDOUT:
        return AL_E_TIMEOUT;
    default:
        return AL_E_UNREACHABLE;
    }
}

static int connect_one(struct link *l, const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return AL_E_UNREACHABLE;
    int errnum = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    int err = errnum == EINPROGRESS ? wait_for(l, fd, POLLOUT) : err_of_connect(errnum);
    socklen_t size = sizeof(errnum);
    if (err == 0 && errnum != 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &size) == 0)
        err = err_of_connect(errnum);
    if (err == 0)
        l->fd = fd;
    else
        (void)close(fd);
    return err;
}

static int connect_to(struct link *l, struct al_slice address)
{
    struct al_netaddr at;
    char port[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct addrinfo *list = NULL;
    int err = al_netaddr_parse(&at, address, false);
    if (err != 0)
        return err;
    (void)snprintf(port, sizeof(port), "%u", at.port);
    if (getaddrinfo(at.host, port, &hints, &list) != 0)
        return AL_E_HOST;
    err = AL_E_HOST;
    for (const struct addrinfo *a = list; a != NULL && err != 0; a = a->ai_next) {
        l->until_ms = mono_ms() + CONNECT_MS;
        err = connect_one(l, a);
    }
    freeaddrinfo(list);
    return err;
}

static int flush(struct link *l)
{
    size_t n;
    uint8_t *bytes = al_channel_output_take(l->channel, &n);
    int err = 0;
    for (size_t at = 0; bytes != NULL && err == 0 && at < n;) {
        ssize_t put = send(l->fd, bytes + at, n - at, MSG_NOSIGNAL);
        if (put > 0)
            at += (size_t)put;
        else if (errno == EAGAIN)
            err = wait_for(l, l->fd, POLLOUT);
        else if (errno != EINTR)
            err = AL_E_CLOSED;
    }
    free(bytes);
    return err;
}

static int take_in(struct link *l)
{
    uint8_t *bytes = l->scratch;
    ssize_t n = -1;
    int err = wait_for(l, l->fd, POLLIN);
    while (err == 0 && (n = recv(l->fd, bytes, READ_BYTES, 0)) < 0 && errno == EINTR)
        continue;
    if (err == 0 && n <= 0)
        err = AL_E_CLOSED;
    if (err == 0)
        err = al_channel_input(l->channel, bytes, (size_t)n);
    return err;
}

/* --- the channel --------------------------------------------------------------------------- */

static int shake_hands(struct link *l)
{
    l->until_ms = mono_ms() + AL_HANDSHAKE_MS;
    int err = flush(l);
    while (err == 0 && !al_channel_open(l->channel))
        err = take_in(l);
    /* whoever has another key stays silent until the time is over */
    return err == AL_E_CLOSED || err == AL_E_TIMEOUT ? AL_E_HANDSHAKE : err;
}

static void close_link(struct link *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    al_channel_free(l->channel);
    free(l->scratch);
    *l = (struct link){.fd = -1};
}

static int open_at(struct link *l, const struct al_restore_peer *peer, struct al_slice address,
    const struct al_network *network, const uint8_t secret[32], const uint8_t public[32])
{
    uint8_t remote[32], seed[32];
    struct al_rng rng;
    *l = (struct link){.fd = -1, .scratch = malloc(AL_MESSAGE_MAX)};
    int err = l->scratch == NULL ? AL_E_NOMEM : al_device_noise_key(remote, &peer->device);
    if (err == 0)
        err = connect_to(l, address);
    if (err != 0)
        return err;
    randombytes_buf(seed, sizeof(seed));
    al_rng_init(&rng, seed);
    const struct al_channel_opts opts = {
        .dialler = true,
        .static_secret = secret,
        .static_public = public,
        .remote_public = remote,
        .network = *network,
        .rng = &rng,
    };
    l->channel = al_channel_new(&opts);
    al_rng_wipe(&rng);
    sodium_memzero(seed, sizeof(seed));
    return l->channel == NULL ? AL_E_NOMEM : shake_hands(l);
}

/* At the first of its addresses that works; the error is that of the last. */
static int open_link(struct link *l, const struct al_restore_peer *peer,
    const struct al_network *network, const uint8_t secret[32], const uint8_t public[32])
{
    int err = AL_E_ADDRESS;
    for (uint32_t i = 0; i < peer->address_count && err != 0; i++) {
        err = open_at(l, peer, peer->addresses[i], network, secret, public);
        if (err != 0)
            close_link(l);
    }
    return err;
}

int al_peer_link_probe(const struct al_restore_peer *peer, const struct al_network *network)
{
    uint8_t secret[32], public[32];
    struct link l = {.fd = -1};
    randombytes_buf(secret, sizeof(secret));
    (void)crypto_scalarmult_base(public, secret);
    int err = open_link(&l, peer, network, secret, public);
    close_link(&l); /* before the message that would say who dials */
    sodium_memzero(secret, sizeof(secret));
    return err;
}

/* --- messages ------------------------------------------------------------------------------ */

static int say(struct link *l, const struct al_message *m)
{
    struct al_buf b = al_buf_fixed(l->scratch, AL_MESSAGE_MAX);
    al_message_encode(&b, m);
    int err = b.full ? AL_E_MESSAGE_SIZE : al_channel_send(l->channel, al_buf_slice(&b));
    return err == 0 ? flush(l) : err;
}

static int hello(struct link *l, const struct al_restore_peer *peer,
    const struct al_keyring *keyring, struct al_slice cert, const uint8_t boot[AL_BOOT_BYTES])
{
    struct al_message m = {.type = AL_MSG_HELLO};
    m.u.hello.version = 1;
    m.u.hello.agent = al_slice_str("aloudd/" ALOUD_VERSION);
    m.u.hello.cert = cert;
    m.u.hello.token = peer->token;
    memcpy(m.u.hello.boot, boot, AL_BOOT_BYTES);
    al_boot_sign(&m.u.hello.boot_sig, &keyring->device, keyring->device_secret, boot);
    m.u.hello.now_ms = clock_ms(CLOCK_REALTIME);
    return say(l, &m);
}

/*
 * The next message; what keeps the session alive is answered. Slices live until the next one.
 * Whoever never stops talking does not get more time than who says nothing.
 */
static int hear(struct link *l, struct al_message *ret)
{
    struct al_slice bytes;
    for (;;) {
        int err = mono_ms() < l->until_ms ? 0 : AL_E_TIMEOUT;
        while (err == 0 && !al_channel_message(l->channel, &bytes))
            err = take_in(l);
        if (err == 0)
            err = al_message_decode(ret, bytes);
        if (err != 0)
            return err;
        if (ret->type == AL_MSG_PING) {
            struct al_message pong = {.type = AL_MSG_PONG};
            pong.u.pong.n = ret->u.ping.n;
            err = say(l, &pong);
        } else if (ret->type == AL_MSG_GOODBYE) {
            char name[AL_REASON_MAX + 1] = {0};
            memcpy(name, ret->u.goodbye.reason.p, ret->u.goodbye.reason.n);
            err = al_err_of_name(name);
            return err == 0 ? AL_E_CLOSED : err;
        } else {
            return 0;
        }
        if (err != 0)
            return err;
    }
}

static int meet(struct link *l, struct al_restore_peer *peer)
{
    static const struct al_identity nobody;
    struct al_message m;
    struct al_statement cert;
    l->until_ms = mono_ms() + ANSWER_MS;
    int err = hear(l, &m);
    if (err == AL_E_CLOSED)
        return AL_E_STRANGER; /* who is not admitted is told nothing */
    if (err == 0 && m.type != AL_MSG_HELLO)
        err = AL_E_UNEXPECTED;
    if (err == 0)
        err = al_statement_open(&cert, m.u.hello.cert);
    if (err == 0 && (cert.kind != AL_STATEMENT_CERT || !al_device_eq(&cert.device, &peer->device)))
        err = AL_E_NOT_CERTIFIED;
    if (err == 0 && !al_identity_eq(&peer->identity, &nobody) &&
        !al_identity_eq(&peer->identity, &cert.identity))
        err = AL_E_IDENTITY;
    if (err == 0)
        peer->identity = cert.identity;
    return err;
}

static int want_statements(struct link *l, const struct al_identity *identity)
{
    uint8_t bytes[48];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, 1);
    al_write_bin(&list, identity->b, sizeof(identity->b));
    struct al_message m = {.type = AL_MSG_WANT_STATEMENTS, .req = REQ};
    m.u.want_statements.list = al_buf_slice(&list);
    m.u.want_statements.count = 1;
    return say(l, &m);
}

static int take_statements(struct al_record *record, const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.statements.list);
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < m->u.statements.count; i++) {
        struct al_slice bytes = al_message_next_raw(&list);
        struct al_statement s;
        bool is_new;
        err = al_statement_open(&s, bytes);
        if (err == 0)
            err = al_record_add(record, &is_new, &s, bytes);
    }
    return err;
}

static int fetch(struct link *l, struct al_record *record)
{
    struct al_message m;
    bool last = false;
    l->until_ms = mono_ms() + ANSWER_MS;
    int err = want_statements(l, al_record_identity(record));
    while (err == 0 && !last) {
        err = hear(l, &m);
        if (err != 0 || m.req != REQ)
            continue; /* what it would tell a node is of no use here */
        if (m.type == AL_MSG_STATEMENTS) {
            last = m.u.statements.last;
            err = take_statements(record, &m);
        } else if (m.type == AL_MSG_DONE) {
            (void)poll(NULL, 0, BUSY_MS);
            err = want_statements(l, al_record_identity(record));
        }
    }
    return err;
}

/* The peer is to be rid of this session before the node begins another. */
static void end(struct link *l)
{
    struct al_message m = {.type = AL_MSG_GOODBYE};
    m.u.goodbye.reason = al_slice_str(al_err_name(AL_E_CLOSED));
    l->until_ms = mono_ms() + END_MS;
    if (say(l, &m) != 0 || shutdown(l->fd, SHUT_WR) != 0)
        return;
    while (wait_for(l, l->fd, POLLIN) == 0 && recv(l->fd, l->scratch, READ_BYTES, 0) > 0)
        continue;
}

int al_peer_link_fetch(struct al_restore_peer *peer, struct al_record *record,
    const struct al_network *network, const struct al_keyring *keyring, struct al_slice cert,
    const uint8_t boot[AL_BOOT_BYTES])
{
    struct link l = {.fd = -1};
    int err = open_link(&l, peer, network, keyring->noise_secret, keyring->noise_public);
    if (err == 0)
        err = hello(&l, peer, keyring, cert, boot);
    if (err == 0)
        err = meet(&l, peer);
    if (err == 0)
        err = fetch(&l, record);
    if (err == 0)
        end(&l);
    close_link(&l);
    return err;
}
