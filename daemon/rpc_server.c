#include "rpc_server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "input.h"
#include "read.h"
#include "rpc_server_int.h"

#define BACKLOG 64
#define FINISH_MS 500 /* for clients to take what is queued when the node stops */

static_assert(AL_RPC_CLIENTS_MAX <= 1 << AL_RPC_SLOT_BITS, "a client's place fits its name");

/* --- clients ------------------------------------------------------------------------------- */

static size_t slot_of(uint64_t name)
{
    return name & ((1U << AL_RPC_SLOT_BITS) - 1);
}

struct al_rpc_client *al_rpc_server_client(struct al_rpc_server *s, uint64_t name)
{
    size_t slot = slot_of(name);
    struct al_rpc_client *c = slot < AL_RPC_CLIENTS_MAX ? s->clients[slot] : NULL;
    return c != NULL && al_rpc_client_call(c, name) != NULL ? c : NULL;
}

static void accept_one(struct al_rpc_server *s)
{
    size_t slot = 0;
    while (slot < AL_RPC_CLIENTS_MAX && s->clients[slot] != NULL)
        slot++;
    s->must_accept = slot == AL_RPC_CLIENTS_MAX;
    if (s->must_accept)
        return;
    uint64_t id = ++s->client_serial << AL_RPC_SLOT_BITS | slot;
    s->clients[slot] = al_rpc_client_accept(&s->env, id, (uv_stream_t *)&s->pipe);
}

static void on_connection(uv_stream_t *server, int status)
{
    if (status == 0)
        accept_one(server->data);
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle; /* a part of struct al_rpc_server */
}

/* The timer is for the last clients, and goes with them. */
static void close_timer_if_done(struct al_rpc_server *s)
{
    size_t slot = 0;
    while (slot < AL_RPC_CLIENTS_MAX && s->clients[slot] == NULL)
        slot++;
    if (s->is_finishing && slot == AL_RPC_CLIENTS_MAX)
        uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

static void on_freed(void *arg, uint64_t id)
{
    struct al_rpc_server *s = arg;
    s->clients[slot_of(id)] = NULL;
    close_timer_if_done(s);
    if (s->must_accept && s->is_open)
        accept_one(s);
}

static void on_gone(void *arg, struct al_rpc_client *c)
{
    struct al_rpc_server *s = arg;
    for (unsigned i = 0; i < c->call_count; i++) {
        if (c->calls[i].at_node)
            al_input_call_gone(s->opts.in, c->calls[i].name);
    }
    al_subscriptions_drop(s->subscriptions, c);
    al_backups_drop(s->backups, c->id);
}

static void on_drained(void *arg, struct al_rpc_client *c)
{
    struct al_rpc_server *s = arg;
    al_subscriptions_drained(s->subscriptions, c);
}

static bool may_read(void *arg)
{
    struct al_rpc_server *s = arg;
    return !al_queue_full(s->opts.in, AL_LANE_LOCAL);
}

/* --- reading methods ----------------------------------------------------------------------- */

void al_rpc_server_query(struct al_rpc_request *q, struct al_slice method,
    void (*done)(void *arg, uint64_t call, int err, struct al_slice result, const char *why))
{
    struct al_read_call call = {
        .method = method,
        .params = q->params,
        .pos = q->server->written_pos,
        .done = done,
        .arg = q->server,
        .id = q->call,
    };
    al_readers_query(q->server->opts.readers, &call);
}

int al_rpc_server_uint(uint64_t *ret, struct al_slice params, const char *key)
{
    struct al_slice raw = al_rpc_param(params, key);
    if (raw.n == 0)
        return AL_E_MISSING;
    struct al_read r = al_read_init(raw);
    uint64_t v = al_read_uint(&r, UINT64_MAX);
    if (al_read_end(&r) != 0)
        return AL_E_PARAMS;
    *ret = v;
    return 0;
}

static void on_read_done(void *arg, uint64_t call, int err, struct al_slice result, const char *why)
{
    struct al_rpc_client *c = al_rpc_server_client(arg, call);
    if (c == NULL)
        return;
    if (err == 0)
        al_rpc_client_answer(c, call, result);
    else
        al_rpc_client_fail(c, call, err, why, NULL);
}

static void run_reader(struct al_rpc_request *q, struct al_slice method)
{
    struct al_rpc_server *s = q->server;
    if (al_slice_is(method, "backup")) {
        al_backups_make(s->backups, q->client->id, q->call);
        return;
    }
    if (al_slice_is(method, "backup_read")) {
        uint64_t handle, offset;
        if (al_rpc_server_uint(&handle, q->params, "handle") != 0 ||
            al_rpc_server_uint(&offset, q->params, "offset") != 0)
            al_rpc_client_fail(q->client, q->call, AL_E_PARAMS, NULL, NULL);
        else
            al_backups_read(s->backups, q->client->id, q->call, handle, offset);
        return;
    }
    al_rpc_server_query(q, method, on_read_done);
}

static void on_request(void *arg, struct al_rpc_client *c, uint64_t call, const struct al_rpc *m)
{
    struct al_rpc_server *s = arg;
    const struct al_method *method = al_method_find(m->method);
    struct al_rpc_request q = {.server = s, .client = c, .call = call, .params = m->params};
    if (method == NULL) {
        al_rpc_client_fail(c, call, AL_E_METHOD, NULL, NULL);
        return;
    }
    switch (method->where) {
    case AL_METHOD_LOOP:
        al_rpc_loop_run(&q, method);
        break;
    case AL_METHOD_NODE:
        al_rpc_client_call(c, call)->at_node = true;
        al_input_call(s->opts.in, call, m->method, m->params);
        break;
    case AL_METHOD_READ:
        run_reader(&q, m->method);
        break;
    }
}

void al_rpc_server_reply(struct al_rpc_server *s, const struct al_effect *e)
{
    if (e->pos > s->written_pos)
        s->written_pos = e->pos;
    struct al_rpc_client *c = al_rpc_server_client(s, e->call);
    if (c == NULL)
        return;
    if (e->err == 0)
        al_rpc_client_answer(c, e->call, e->bytes);
    else
        al_rpc_client_fail(c, e->call, e->err, e->message, e->hint);
}

void al_rpc_server_position(struct al_rpc_server *s, uint64_t pos)
{
    al_subscriptions_position(s->subscriptions, pos);
}

/* --- the socket ---------------------------------------------------------------------------- */

struct al_rpc_server *al_rpc_server_new(const struct al_rpc_server_opts *opts)
{
    struct al_rpc_server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->opts = *opts;
    s->env = (struct al_rpc_client_env){
        .on_request = on_request,
        .may_read = may_read,
        .on_drained = on_drained,
        .on_gone = on_gone,
        .on_freed = on_freed,
        .arg = s,
        .read_bytes = malloc(AL_RPC_READ_BYTES),
    };
    s->subscriptions = al_subscriptions_new(opts->readers);
    s->backups = al_backups_new(opts->loop, opts->log_db, opts->data_dir, on_read_done, s);
    AL_ASSERT(s->env.read_bytes != NULL && s->subscriptions != NULL && s->backups != NULL);
    AL_ASSERT(uv_pipe_init(opts->loop, &s->pipe, 0) == 0);
    AL_ASSERT(uv_timer_init(opts->loop, &s->timer) == 0);
    s->pipe.data = s;
    s->timer.data = s;
    return s;
}

void al_rpc_server_free(struct al_rpc_server *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++)
        AL_ASSERT(s->clients[i] == NULL);
    al_backups_free(s->backups);
    al_subscriptions_free(s->subscriptions);
    free(s->env.read_bytes);
    free(s);
}

static int listen_now(struct al_rpc_server *s)
{
    if (uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_connection) != 0)
        return AL_E_IO;
    s->is_open = true;
    return 0;
}

int al_rpc_server_listen(struct al_rpc_server *s, const char *path)
{
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return AL_E_SOCKET_PATH; /* libuv would cut it off */
    if (unlink(path) != 0 && errno != ENOENT)
        return AL_E_IO;
    return uv_pipe_bind(&s->pipe, path) == 0 ? listen_now(s) : AL_E_IO;
}

int al_rpc_server_adopt(struct al_rpc_server *s, int fd)
{
    return uv_pipe_open(&s->pipe, fd) == 0 ? listen_now(s) : AL_E_IO;
}

void al_rpc_server_resume(struct al_rpc_server *s)
{
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++) {
        if (s->clients[i] != NULL)
            al_rpc_client_resume(s->clients[i]);
    }
}

void al_rpc_server_stop(struct al_rpc_server *s)
{
    s->is_open = false;
    uv_close((uv_handle_t *)&s->pipe, on_handle_closed);
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++) {
        if (s->clients[i] != NULL)
            al_rpc_client_stop(s->clients[i]);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct al_rpc_server *s = timer->data;
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++) {
        if (s->clients[i] != NULL)
            al_rpc_client_close(s->clients[i]);
    }
}

void al_rpc_server_finish(struct al_rpc_server *s)
{
    AL_ASSERT(uv_timer_start(&s->timer, on_timer, FINISH_MS, 0) == 0);
    s->is_finishing = true;
    close_timer_if_done(s);
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++) {
        if (s->clients[i] != NULL)
            al_rpc_client_finish(s->clients[i]);
    }
}
