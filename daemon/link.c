#include "link.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "input.h"

struct write {
    uv_write_t req;
    struct al_link *link;
    uint8_t *bytes;
    size_t n;
    size_t plain_bytes;
};

static void on_retry(uv_handle_t *handle);

/* --- life ---------------------------------------------------------------------------------- */

static void unref(struct al_link *l)
{
    AL_ASSERT(l->refs > 0);
    if (--l->refs > 0)
        return;
    l->env->on_freed(l->env->arg, l->conn);
    al_channel_free(l->channel);
    free(l);
}

static void on_handle_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

static void open_socket(struct al_link *l)
{
    AL_ASSERT(uv_tcp_init(l->env->loop, &l->socket) == 0);
    l->socket.data = l;
    l->refs++;
}

static struct al_link *new_link(struct al_link_env *env, uint64_t conn)
{
    struct al_link *l = calloc(1, sizeof(*l));
    AL_ASSERT(l != NULL);
    l->env = env;
    l->conn = conn;
    open_socket(l);
    AL_ASSERT(uv_timer_init(env->loop, &l->timer) == 0);
    l->timer.data = l;
    l->refs++;
    return l;
}

/* The node hears of each link it knows, and of each dial it asked for, exactly once more. */
static void tell_node(struct al_link *l, int err)
{
    if (l->env->stopped)
        return;
    if (l->state == AL_LINK_OPEN || l->state == AL_LINK_ENDING)
        al_input_closed(l->env->in, l->conn, err);
    else if (l->dial != 0)
        al_input_dial_failed(l->env->in, l->dial, err);
}

void al_link_close(struct al_link *l, int err)
{
    if (l->state == AL_LINK_CLOSED)
        return;
    tell_node(l, err);
    l->state = AL_LINK_CLOSED;
    al_halfopen_remove(&l->env->halfopen, l->conn);
    if (l->is_dirty)
        TAILQ_REMOVE(&l->env->dirty, l, dirty);
    l->is_dirty = false;
    if (l->is_resolving)
        (void)uv_cancel((uv_req_t *)&l->resolve);
    if (!uv_is_closing((uv_handle_t *)&l->socket))
        uv_close((uv_handle_t *)&l->socket, on_handle_closed);
    uv_close((uv_handle_t *)&l->timer, on_handle_closed);
}

static void on_timer(uv_timer_t *timer)
{
    struct al_link *l = timer->data;
    al_link_close(l, AL_E_TIMEOUT);
}

static void start_timer(struct al_link *l, uint64_t ms)
{
    AL_ASSERT(uv_timer_start(&l->timer, on_timer, ms, 0) == 0);
}

/* --- writing ------------------------------------------------------------------------------- */

static void on_written(uv_write_t *req, int status)
{
    struct write *w = req->data;
    struct al_link *l = w->link;
    l->queued_bytes -= w->n;
    if (status == 0 && l->state == AL_LINK_OPEN && w->plain_bytes > 0 && !l->env->stopped)
        al_input_sent(l->env->in, l->conn, w->plain_bytes);
    free(w->bytes);
    free(w);
    if (status != 0)
        al_link_close(l, AL_E_CLOSED);
}

void al_link_flush(struct al_link *l)
{
    if (l->is_dirty)
        TAILQ_REMOVE(&l->env->dirty, l, dirty);
    l->is_dirty = false;
    size_t n;
    uint8_t *bytes = al_channel_output_take(l->channel, &n);
    if (bytes == NULL)
        return;
    struct write *w = calloc(1, sizeof(*w));
    AL_ASSERT(w != NULL);
    *w = (struct write){.link = l, .bytes = bytes, .n = n, .plain_bytes = l->plain_bytes};
    w->req.data = w;
    l->plain_bytes = 0;
    l->queued_bytes += n;
    uv_buf_t buf = {.base = (char *)bytes, .len = n};
    if (uv_write(&w->req, (uv_stream_t *)&l->socket, &buf, 1, on_written) != 0) {
        l->queued_bytes -= n;
        free(bytes);
        free(w);
        al_link_close(l, AL_E_CLOSED);
    } else if (l->queued_bytes > AL_LINK_QUEUE_MAX) {
        al_link_close(l, AL_E_BUDGET);
    }
}

void al_link_send(struct al_link *l, struct al_slice message)
{
    if (l->state != AL_LINK_OPEN)
        return;
    int err = al_channel_send(l->channel, message);
    if (err != 0) {
        al_link_close(l, err);
        return;
    }
    l->plain_bytes += message.n;
    if (!l->is_dirty)
        TAILQ_INSERT_TAIL(&l->env->dirty, l, dirty);
    l->is_dirty = true;
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct al_link *l = req->data;
    if (status != 0)
        al_link_close(l, AL_E_CLOSED);
}

/* A close with unread bytes would be a reset, which can overtake our last message: so this side
 * only stops writing, and goes on reading, into nothing, until the peer has closed. */
void al_link_end(struct al_link *l, int err)
{
    if (l->state != AL_LINK_OPEN) {
        al_link_close(l, err);
        return;
    }
    al_link_flush(l);
    if (l->state == AL_LINK_CLOSED)
        return;
    l->state = AL_LINK_ENDING;
    l->shutdown.data = l;
    if (uv_shutdown(&l->shutdown, (uv_stream_t *)&l->socket, on_shutdown) != 0)
        al_link_close(l, err);
    else
        start_timer(l, AL_LINK_ENDING_MS);
}

/* --- reading ------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct al_link *l = handle->data;
    buf->base = (char *)l->env->read_bytes;
    buf->len = l->env->read_bytes_cap;
}

static void become_open(struct al_link *l)
{
    AL_ASSERT(uv_timer_stop(&l->timer) == 0);
    al_halfopen_remove(&l->env->halfopen, l->conn);
    l->state = AL_LINK_OPEN;
    struct al_node_link link = {
        .conn = l->conn, .dial = l->dial, .address = al_slice_str(l->address)};
    memcpy(link.remote, al_channel_remote(l->channel), sizeof(link.remote));
    memcpy(link.handshake_hash, al_channel_hash(l->channel), sizeof(link.handshake_hash));
    al_input_connected(l->env->in, &link);
}

/* A wrong or repeated message 1 meets silence until the timer, as if nobody listened here. */
static bool must_be_silent(struct al_link *l, int err)
{
    if (l->dial != 0 || l->answered)
        return false;
    const uint8_t *ephemeral = al_channel_remote_ephemeral(l->channel);
    if (err == 0 && ephemeral == NULL)
        return false; /* not complete yet */
    if (err == 0 && !al_halfopen_replayed(&l->env->halfopen, ephemeral)) {
        l->answered = true;
        return false;
    }
    l->state = AL_LINK_MUTE;
    return true;
}

static void take_in(struct al_link *l, const uint8_t *p, size_t n)
{
    int err = al_channel_input(l->channel, p, n);
    if (l->state == AL_LINK_HANDSHAKE) {
        if (must_be_silent(l, err))
            return;
        if (err == 0 && al_channel_open(l->channel))
            become_open(l);
        if (al_channel_output_size(l->channel) > 0)
            al_link_flush(l);
    }
    /* What came before an error was authentic, and counts. */
    struct al_slice message;
    while (l->state == AL_LINK_OPEN && al_channel_message(l->channel, &message))
        al_input_message(l->env->in, l->conn, message);
    if (err != 0)
        al_link_close(l, err);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct al_link *l = stream->data;
    if (n < 0) {
        al_link_close(l, AL_E_CLOSED);
        return;
    }
    if (n == 0 || l->state == AL_LINK_MUTE || l->state == AL_LINK_ENDING)
        return;
    take_in(l, (const uint8_t *)buf->base, (size_t)n);
    if (al_queue_full(l->env->in, AL_LANE_NET))
        l->env->on_full(l->env->arg);
}

void al_link_pause(struct al_link *l)
{
    if (l->state == AL_LINK_CONNECTING || l->state == AL_LINK_CLOSED)
        return;
    if (l->env->paused)
        (void)uv_read_stop((uv_stream_t *)&l->socket);
    else if (uv_read_start((uv_stream_t *)&l->socket, on_alloc, on_read) != 0)
        al_link_close(l, AL_E_CLOSED);
}

/* --- beginnings ---------------------------------------------------------------------------- */

static void start_handshake(struct al_link *l)
{
    struct al_channel_opts opts = {
        .dialler = l->dial != 0,
        .static_secret = l->env->noise_secret,
        .static_public = l->env->noise_public,
        .remote_public = l->dial != 0 ? l->remote_public : NULL,
        .network = l->env->network,
        .rng = &l->env->rng,
    };
    l->state = AL_LINK_HANDSHAKE;
    l->channel = al_channel_new(&opts);
    if (l->channel == NULL) {
        al_link_close(l, AL_E_NOMEM);
        return;
    }
    (void)uv_tcp_nodelay(&l->socket, 1);
    start_timer(l, AL_HANDSHAKE_MS);
    if (!l->env->paused)
        al_link_pause(l);
    if (l->state != AL_LINK_CLOSED)
        al_link_flush(l);
}

struct al_link *al_link_accept(struct al_link_env *env, uint64_t conn, uv_stream_t *server)
{
    struct al_link *l = new_link(env, conn);
    struct sockaddr_storage sa;
    int size = sizeof(sa);
    if (uv_accept(server, (uv_stream_t *)&l->socket) != 0 ||
        uv_tcp_getpeername(&l->socket, (struct sockaddr *)&sa, &size) != 0) {
        al_link_close(l, AL_E_CLOSED);
        return l;
    }
    uint64_t victim = al_halfopen_add(&env->halfopen, conn, (const struct sockaddr *)&sa);
    if (victim != 0)
        env->on_victim(env->arg, victim);
    al_netaddr_text(l->address, (const struct sockaddr *)&sa);
    start_handshake(l);
    return l;
}

static int error_of_uv(int status)
{
    switch (status) {
    case UV_ECONNREFUSED:
        return AL_E_REFUSED;
    case UV_ETIMEDOUT:
        return AL_E_TIMEOUT;
    default:
        return AL_E_UNREACHABLE;
    }
}

static void on_connected(uv_connect_t *req, int status)
{
    struct al_link *l = req->data;
    if (l->state != AL_LINK_CONNECTING)
        return;
    if (status == 0) {
        al_netaddr_text(l->address, (const struct sockaddr *)&l->tries[l->try_next]);
        start_handshake(l);
    } else if (l->try_next + 1 < l->try_count) {
        /* A socket that failed to connect can't be used again. */
        l->try_next++;
        uv_close((uv_handle_t *)&l->socket, on_retry);
    } else {
        al_link_close(l, error_of_uv(status));
    }
}

static void connect_now(struct al_link *l)
{
    l->connect.data = l;
    const struct sockaddr *sa = (const struct sockaddr *)&l->tries[l->try_next];
    int status = uv_tcp_connect(&l->connect, &l->socket, sa, on_connected);
    if (status != 0)
        al_link_close(l, error_of_uv(status));
}

static void on_retry(uv_handle_t *handle)
{
    struct al_link *l = handle->data;
    if (l->state == AL_LINK_CONNECTING) {
        open_socket(l);
        connect_now(l);
    }
    unref(l);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct al_link *l = req->data;
    l->is_resolving = false;
    for (struct addrinfo *a = list; a != NULL && l->try_count < AL_LINK_TRIES; a = a->ai_next)
        memcpy(&l->tries[l->try_count++], a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(list);
    if (l->state == AL_LINK_CONNECTING) {
        if (status == 0 && l->try_count > 0)
            connect_now(l);
        else
            al_link_close(l, AL_E_HOST);
    }
    unref(l);
}

static void resolve(struct al_link *l)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", l->host.port);
    l->resolve.data = l;
    if (uv_getaddrinfo(l->env->loop, &l->resolve, on_resolved, l->host.host, port, &hints) != 0) {
        al_link_close(l, AL_E_HOST);
        return;
    }
    l->is_resolving = true;
    l->refs++;
}

struct al_link *al_link_dial(struct al_link_env *env, uint64_t conn, uint64_t dial,
    const uint8_t remote_public[32], struct al_slice address)
{
    struct al_link *l = new_link(env, conn);
    l->dial = dial;
    memcpy(l->remote_public, remote_public, sizeof(l->remote_public));
    int err = al_netaddr_parse(&l->host, address, false);
    if (err != 0) {
        al_link_close(l, err);
        return l;
    }
    start_timer(l, AL_LINK_DIAL_MS);
    if (al_netaddr_literal(&l->tries[0], &l->host) == 0) {
        l->try_count = 1;
        connect_now(l);
    } else {
        resolve(l);
    }
    return l;
}
