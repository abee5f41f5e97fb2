#include "rpc_server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backup.h"
#include "check.h"
#include "heapbuf.h"
#include "input.h"
#include "methods.h"
#include "read.h"
#include "rpc_client.h"
#include "subscribe.h"
#include "write.h"

#define BACKLOG 64
#define FINISH_MS 500 /* for clients to take what is queued when the node stops */

static_assert(AL_RPC_CLIENTS_MAX <= 1 << AL_RPC_SLOT_BITS, "a client's place fits its name");

struct al_rpc_server {
    struct al_rpc_server_opts opts;
    struct al_rpc_client_env env;
    uv_pipe_t pipe;
    uv_timer_t timer;
    bool is_open;
    bool is_finishing;
    bool must_accept; /* one waits that had no place */
    struct al_subscriptions *subscriptions;
    struct al_backups *backups;
    struct al_rpc_client *clients[AL_RPC_CLIENTS_MAX];
    uint64_t client_serial;
    uint64_t written_pos; /* what writes through this socket have reached */
};

/* --- clients ------------------------------------------------------------------------------- */

static size_t slot_of(uint64_t name)
{
    return name & ((1U << AL_RPC_SLOT_BITS) - 1);
}

/* The client that has the open call |name|; NULL when it is gone. */
static struct al_rpc_client *client_of(struct al_rpc_server *s, uint64_t name)
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

/* --- methods of the loop ------------------------------------------------------------------- */

/* What a method of the loop works with. */
struct request {
    struct al_rpc_server *server;
    struct al_rpc_client *client;
    uint64_t call;
    struct al_slice params;
    struct al_buf result;
};

/* Ask the readers, who answer through |done| once they see all that was written here. */
static void query(struct request *q, struct al_slice method,
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

/* The number |key|; AL_E_MISSING when it is not there, AL_E_PARAMS when it is none. */
static int read_uint(uint64_t *ret, const struct request *q, const char *key)
{
    struct al_slice raw = al_rpc_param(q->params, key);
    if (raw.n == 0)
        return AL_E_MISSING;
    struct al_read r = al_read_init(raw);
    uint64_t v = al_read_uint(&r, UINT64_MAX);
    if (al_read_end(&r) != 0)
        return AL_E_PARAMS;
    *ret = v;
    return 0;
}

static void answer(struct request *q)
{
    al_rpc_client_answer(q->client, q->call, al_buf_slice(&q->result));
}

static void fail(struct request *q, int err, const char *hint)
{
    al_rpc_client_fail(q->client, q->call, err, NULL, hint);
}

static void do_hello(struct request *q)
{
    uint64_t v;
    if (read_uint(&v, q, "v") != 0) {
        fail(q, AL_E_PARAMS, NULL);
        return;
    }
    if (v != AL_RPC_VERSION) {
        fail(q, AL_E_VERSION, "aloud node restart");
        return;
    }
    al_write_map(&q->result, 3);
    al_write_cstr(&q->result, "v");
    al_write_uint(&q->result, AL_RPC_VERSION);
    al_write_cstr(&q->result, "pid");
    al_write_uint(&q->result, (uint64_t)getpid());
    al_write_cstr(&q->result, "agent");
    al_write_cstr(&q->result, q->server->opts.agent);
    answer(q);
}

static void do_api_info(struct request *q)
{
    al_write_map(&q->result, 1);
    al_write_cstr(&q->result, "methods");
    al_write_array(&q->result, al_method_count);
    for (size_t i = 0; i < al_method_count; i++) {
        const struct al_method *m = &al_methods[i];
        al_write_map(&q->result, 4);
        al_write_cstr(&q->result, "name");
        al_write_cstr(&q->result, m->name);
        al_write_cstr(&q->result, "params");
        al_write_cstr(&q->result, m->params);
        al_write_cstr(&q->result, "result");
        al_write_cstr(&q->result, m->result);
        al_write_cstr(&q->result, "summary");
        al_write_cstr(&q->result, m->summary);
    }
    answer(q);
}

static void do_stop(struct request *q)
{
    answer(q); /* first: what is queued still arrives */
    q->server->opts.on_stop(q->server->opts.arg);
}

static void subscribe_from(struct request *q, uint64_t from)
{
    uint64_t sub;
    int err = al_subscriptions_add(q->server->subscriptions, &sub, q->client, from);
    if (err != 0) {
        fail(q, err, NULL);
        return;
    }
    al_write_map(&q->result, 2);
    al_write_cstr(&q->result, "pos");
    al_write_uint(&q->result, from);
    al_write_cstr(&q->result, "sub");
    al_write_uint(&q->result, sub);
    answer(q);
    al_subscriptions_drained(q->server->subscriptions, q->client); /* rows come after the answer */
}

/* The views have said where "now" is. */
static void on_now(void *arg, uint64_t call, int err, struct al_slice result, const char *why)
{
    (void)why;
    struct al_rpc_server *s = arg;
    struct request q = {.server = s, .client = client_of(s, call), .call = call};
    if (q.client == NULL)
        return;
    q.params = result;
    uint64_t pos;
    if (err == 0)
        err = read_uint(&pos, &q, "pos");
    q.result = al_heapbuf();
    if (err == 0)
        subscribe_from(&q, pos);
    else
        fail(&q, err, NULL);
    al_heapbuf_free(&q.result);
}

static void do_subscribe(struct request *q)
{
    uint64_t from;
    int err = read_uint(&from, q, "from");
    if (err == 0) {
        subscribe_from(q, from);
    } else if (err != AL_E_MISSING) {
        fail(q, err, NULL);
    } else {
        q->params = al_slice_of("\x80", 1); /* an empty map */
        query(q, al_slice_str("views_status"), on_now);
    }
}

static void do_unsubscribe(struct request *q)
{
    uint64_t sub;
    int err = read_uint(&sub, q, "sub");
    if (err == 0)
        err = al_subscriptions_remove(q->server->subscriptions, q->client, sub);
    if (err == 0)
        answer(q);
    else
        fail(q, err == AL_E_MISSING ? AL_E_PARAMS : err, NULL);
}

static const struct loop_method {
    const char *name;
    void (*run)(struct request *q);
} loop_methods[] = {
    {"hello", do_hello},
    {"api_info", do_api_info},
    {"stop", do_stop},
    {"subscribe", do_subscribe},
    {"unsubscribe", do_unsubscribe},
};

static void run_here(struct request *q, const struct al_method *method)
{
    const struct loop_method *m = loop_methods;
    while (strcmp(m->name, method->name) != 0) {
        m++;
        AL_ASSERT(m < loop_methods + sizeof(loop_methods) / sizeof(loop_methods[0]));
    }
    q->result = al_heapbuf();
    m->run(q);
    al_heapbuf_free(&q->result);
}

/* --- reading methods ----------------------------------------------------------------------- */

static void on_read_done(void *arg, uint64_t call, int err, struct al_slice result, const char *why)
{
    struct al_rpc_client *c = client_of(arg, call);
    if (c == NULL)
        return;
    if (err == 0)
        al_rpc_client_answer(c, call, result);
    else
        al_rpc_client_fail(c, call, err, why, NULL);
}

static void run_reader(struct request *q, struct al_slice method)
{
    struct al_rpc_server *s = q->server;
    if (al_slice_is(method, "backup")) {
        al_backups_make(s->backups, q->client->id, q->call);
        return;
    }
    if (al_slice_is(method, "backup_read")) {
        uint64_t handle, offset;
        if (read_uint(&handle, q, "handle") != 0 || read_uint(&offset, q, "offset") != 0)
            al_rpc_client_fail(q->client, q->call, AL_E_PARAMS, NULL, NULL);
        else
            al_backups_read(s->backups, q->client->id, q->call, handle, offset);
        return;
    }
    query(q, method, on_read_done);
}

static void on_request(void *arg, struct al_rpc_client *c, uint64_t call, const struct al_rpc *m)
{
    struct al_rpc_server *s = arg;
    const struct al_method *method = al_method_find(m->method);
    struct request q = {.server = s, .client = c, .call = call, .params = m->params};
    if (method == NULL) {
        al_rpc_client_fail(c, call, AL_E_METHOD, NULL, NULL);
        return;
    }
    switch (method->where) {
    case AL_METHOD_LOOP:
        run_here(&q, method);
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
    struct al_rpc_client *c = client_of(s, e->call);
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
