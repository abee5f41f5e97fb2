#include "tcp.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "input.h"
#include "link.h"

#define LINKS_MAX (AL_PEERS_MAX + AL_HALF_OPEN_MAX + 64)
#define INCOMING_MAX (AL_PEERS_MAX + AL_HALF_OPEN_MAX) /* so that dials always find a place */
#define READ_BYTES (256 * 1024)
#define BACKLOG 511 /* a burst beyond it waits a second for its next SYN */
#define SLOT_BITS 16

static_assert(LINKS_MAX <= 1 << SLOT_BITS, "a slot fits the name of a connection");

struct al_tcp {
    struct al_tcp_opts opts;
    struct al_link_env env;
    struct al_link *links[LINKS_MAX];
    size_t incoming;
    uint64_t serial;
    uv_tcp_t *port;   /* NULL: not open */
    bool must_accept; /* one waits that had no place */
};

static void on_full(void *arg);
static void on_victim(void *arg, uint64_t conn);
static void on_freed(void *arg, uint64_t conn);

struct al_tcp *al_tcp_new(const struct al_tcp_opts *opts)
{
    struct al_tcp *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->opts = *opts;
    struct al_link_env *env = &t->env;
    env->loop = opts->loop;
    env->in = opts->in;
    env->noise_secret = opts->keyring->noise_secret;
    env->noise_public = opts->keyring->noise_public;
    env->network = opts->network;
    env->on_full = on_full;
    env->on_victim = on_victim;
    env->on_freed = on_freed;
    env->arg = t;
    env->read_bytes_cap = READ_BYTES;
    env->read_bytes = malloc(READ_BYTES);
    TAILQ_INIT(&env->dirty);
    uint8_t seed[32];
    randombytes_buf(seed, sizeof(seed));
    al_rng_init(&env->rng, seed);
    sodium_memzero(seed, sizeof(seed));
    al_halfopen_init(&env->halfopen, &env->rng);
    if (env->read_bytes == NULL) {
        al_tcp_free(t);
        return NULL;
    }
    return t;
}

void al_tcp_free(struct al_tcp *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < LINKS_MAX; i++)
        AL_ASSERT(t->links[i] == NULL);
    al_halfopen_fini(&t->env.halfopen);
    al_rng_wipe(&t->env.rng);
    free(t->env.read_bytes);
    free(t);
}

/* --- the table of links -------------------------------------------------------------------- */

/* A name is a serial number over a slot: found at once, and never used twice. */
static size_t slot_of(uint64_t conn)
{
    return conn & ((1U << SLOT_BITS) - 1);
}

static struct al_link *find(struct al_tcp *t, uint64_t conn)
{
    size_t slot = slot_of(conn);
    struct al_link *l = slot < LINKS_MAX ? t->links[slot] : NULL;
    return l != NULL && l->conn == conn ? l : NULL;
}

/* A name for a new connection; 0 when there is no place. */
static uint64_t new_name(struct al_tcp *t)
{
    for (size_t slot = 0; slot < LINKS_MAX; slot++) {
        if (t->links[slot] == NULL)
            return ++t->serial << SLOT_BITS | slot;
    }
    return 0;
}

static void pause_all(struct al_tcp *t, bool paused)
{
    if (t->env.paused == paused)
        return;
    t->env.paused = paused;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (t->links[i] != NULL)
            al_link_pause(t->links[i]);
    }
}

static void on_full(void *arg)
{
    pause_all(arg, true);
}

void al_tcp_resume(struct al_tcp *t)
{
    if (!al_queue_full(t->opts.in, AL_LANE_NET))
        pause_all(t, false);
}

static void on_victim(void *arg, uint64_t conn)
{
    struct al_link *l = find(arg, conn);
    if (l != NULL)
        al_link_close(l, AL_E_LIMIT);
}

/* --- the port ------------------------------------------------------------------------------ */

/* Without a place nothing is accepted: libuv then stops listening until al_link_accept(). */
static void accept_one(struct al_tcp *t)
{
    uint64_t conn = t->incoming < INCOMING_MAX ? new_name(t) : 0;
    t->must_accept = conn == 0;
    if (conn == 0)
        return;
    t->incoming++;
    t->links[slot_of(conn)] = al_link_accept(&t->env, conn, (uv_stream_t *)t->port);
}

static void on_connection(uv_stream_t *server, int status)
{
    if (status == 0)
        accept_one(server->data);
}

static void on_freed(void *arg, uint64_t conn)
{
    struct al_tcp *t = arg;
    struct al_link *l = find(t, conn);
    AL_ASSERT(l != NULL);
    if (l->dial == 0)
        t->incoming--;
    t->links[slot_of(conn)] = NULL;
    if (t->must_accept && t->port != NULL)
        accept_one(t);
}

static void on_port_closed(uv_handle_t *handle)
{
    free(handle); /* allocated as the uv_tcp_t it begins */
}

static int bind_port(struct al_tcp *t, const struct al_netaddr *listen)
{
    struct sockaddr_storage sa;
    if (al_netaddr_literal(&sa, listen) != 0)
        return UV_EINVAL;
    uv_tcp_t *port = malloc(sizeof(*port));
    AL_ASSERT(port != NULL && uv_tcp_init(t->opts.loop, port) == 0);
    port->data = t;
    int status = uv_tcp_bind(port, (const struct sockaddr *)&sa, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)port, BACKLOG, on_connection);
    if (status == 0)
        t->port = port;
    else
        uv_close((uv_handle_t *)port, on_port_closed);
    return status;
}

static bool is_announceable(const uv_interface_address_t *i)
{
    const struct sockaddr *sa = (const struct sockaddr *)&i->address;
    if (sa->sa_family == AF_INET)
        return true;
    return sa->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&i->address.address6.sin6_addr);
}

/* Where an open port on every interface can be reached: not on loopback if there is anything else.
 */
static size_t list_interfaces(char texts[][AL_NETADDR_TEXT], uint16_t port)
{
    uv_interface_address_t *all;
    int count;
    if (uv_interface_addresses(&all, &count) != 0)
        return 0;
    size_t n = 0;
    for (int internal = 0; internal <= 1 && n == 0; internal++) {
        for (int i = 0; i < count && n < AL_ADDRESSES_MAX; i++) {
            if (all[i].is_internal != internal || !is_announceable(&all[i]))
                continue;
            struct sockaddr_storage sa = {.ss_family = 0};
            memcpy(&sa, &all[i].address, sizeof(all[i].address));
            if (sa.ss_family == AF_INET)
                ((struct sockaddr_in *)&sa)->sin_port = htons(port);
            else
                ((struct sockaddr_in6 *)&sa)->sin6_port = htons(port);
            al_netaddr_text(texts[n++], (const struct sockaddr *)&sa);
        }
    }
    uv_free_interface_addresses(all, count);
    return n;
}

static bool is_any(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr == INADDR_ANY;
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static void tell_open(struct al_tcp *t)
{
    struct sockaddr_storage sa;
    int size = sizeof(sa);
    AL_ASSERT(uv_tcp_getsockname(t->port, (struct sockaddr *)&sa, &size) == 0);
    const struct sockaddr *at = (const struct sockaddr *)&sa;
    char texts[AL_ADDRESSES_MAX][AL_NETADDR_TEXT];
    size_t n = 1;
    if (is_any(at))
        n = list_interfaces(texts, al_netaddr_port(at));
    else
        al_netaddr_text(texts[0], at);
    struct al_slice addresses[AL_ADDRESSES_MAX];
    for (size_t i = 0; i < n; i++)
        addresses[i] = al_slice_str(texts[i]);
    al_input_listening(t->opts.in, addresses, n, NULL);
    al_logger_line(t->opts.logger, LOG_INFO, "listening on port %u", al_netaddr_port(at));
}

void al_tcp_listen(struct al_tcp *t)
{
    if (t->port != NULL)
        return;
    struct al_netaddr listen = t->opts.conf->listen;
    int status = bind_port(t, &listen);
    if (status == UV_EAFNOSUPPORT && listen.host[0] == '\0') {
        memcpy(listen.host, "0.0.0.0", sizeof("0.0.0.0")); /* a machine without IPv6 */
        status = bind_port(t, &listen);
    }
    if (status == 0) {
        tell_open(t);
        return;
    }
    char why[160];
    if (status == UV_EADDRINUSE)
        (void)snprintf(why, sizeof(why), "port %u is in use", listen.port);
    else
        (void)snprintf(why, sizeof(why), "port %u: %s", listen.port, uv_strerror(status));
    al_input_listening(t->opts.in, NULL, 0, why);
    al_logger_line(t->opts.logger, LOG_WARNING, "not listening: %s", why);
}

/* --- what the node asks for ---------------------------------------------------------------- */

void al_tcp_dial(struct al_tcp *t, const struct al_effect *e)
{
    uint64_t conn = new_name(t);
    if (conn == 0)
        al_input_dial_failed(t->opts.in, e->dial, AL_E_LIMIT);
    else
        t->links[slot_of(conn)] = al_link_dial(&t->env, conn, e->dial, e->noise_key, e->bytes);
}

void al_tcp_send(struct al_tcp *t, const struct al_effect *e)
{
    struct al_link *l = find(t, e->conn);
    if (l != NULL)
        al_link_send(l, e->bytes);
}

void al_tcp_end(struct al_tcp *t, const struct al_effect *e)
{
    struct al_link *l = find(t, e->conn);
    if (l != NULL)
        al_link_end(l, e->err);
}

void al_tcp_flush(struct al_tcp *t)
{
    struct al_link *l;
    while ((l = TAILQ_FIRST(&t->env.dirty)) != NULL)
        al_link_flush(l);
}

void al_tcp_stop(struct al_tcp *t)
{
    t->env.stopped = true;
    if (t->port != NULL)
        uv_close((uv_handle_t *)t->port, on_port_closed);
    t->port = NULL;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (t->links[i] != NULL)
            al_link_close(t->links[i], AL_E_CLOSED);
    }
}
