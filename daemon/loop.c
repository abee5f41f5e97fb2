#include "loop.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

#include "batch.h"
#include "check.h"
#include "input.h"
#include "netwatch.h"
#include "node_thread.h"
#include "readers.h"
#include "ready.h"
#include "rpc_server.h"
#include "tcp.h"
#include "views_thread.h"

#define IN_NET_BYTES (4 * 1024 * 1024)
#define IN_LOCAL_BYTES (8 * 1024 * 1024)
#define OUT_BYTES (8 * 1024 * 1024)
#define GIVE_UP_MS 5000 /* of a clean stop; only a resolver or a backup takes this long */
#define EXIT_GIVEN_UP 1

struct loop {
    struct al_loop_opts opts;
    uv_loop_t uv;
    uv_async_t wake; /* something below changed on another thread */
    uv_signal_t sigterm;
    uv_signal_t sigint;
    uv_timer_t give_up;
    struct al_queue *in;
    struct al_queue *out;
    atomic_bool has_room; /* in |in| again */
    struct al_node_thread *node_thread;
    struct al_views_thread *views_thread;
    struct al_readers *readers;
    struct al_tcp *tcp;
    struct al_rpc_server *rpc;
    struct al_netwatch *netwatch;
    uint64_t views_pos;
    bool views_ready;
    bool is_stopping;
    int err;
};

static void stop(struct loop *l);

/* --- what comes from the other threads ----------------------------------------------------- */

static void carry_out(struct loop *l, const struct al_effect *e)
{
    switch (e->type) {
    case AL_EFFECT_SEND:
        al_tcp_send(l->tcp, e);
        break;
    case AL_EFFECT_CLOSE:
        al_tcp_end(l->tcp, e);
        break;
    case AL_EFFECT_DIAL:
        if (!l->is_stopping)
            al_tcp_dial(l->tcp, e);
        break;
    case AL_EFFECT_REPLY:
        al_rpc_server_reply(l->rpc, e);
        break;
    case AL_EFFECT_LISTEN:
        if (!l->is_stopping)
            al_tcp_listen(l->tcp);
        break;
    case AL_EFFECT_LOG:
        al_logger_line(
            l->opts.logger, e->priority, "%.*s", (int)e->bytes.n, (const char *)e->bytes.p);
        break;
    case AL_EFFECT_STOP:
        l->err = e->err;
        stop(l);
        break;
    case AL_EFFECT_CHANGED:
        break; /* the node thread told the views */
    }
}

static void carry_out_all(struct loop *l)
{
    struct al_item *item;
    while ((item = al_queue_pop(l->out)) != NULL) {
        struct al_batch *b = (struct al_batch *)item;
        for (size_t i = 0; i < b->count; i++)
            carry_out(l, &b->effects[i]);
        al_batch_free(b);
        al_tcp_flush(l->tcp);
    }
}

static void look_at_views(struct loop *l)
{
    uint64_t pos;
    if (!al_views_thread_position(l->views_thread, &pos) || (l->views_ready && pos == l->views_pos))
        return;
    l->views_ready = true;
    l->views_pos = pos;
    al_readers_position(l->readers, pos);
    al_rpc_server_position(l->rpc, pos);
}

static void on_wake(uv_async_t *wake)
{
    struct loop *l = wake->data;
    carry_out_all(l);
    if (l->is_stopping)
        return;
    look_at_views(l);
    if (atomic_exchange(&l->has_room, false)) {
        al_tcp_resume(l->tcp);
        al_rpc_server_resume(l->rpc);
    }
}

/* On the node's thread. */
static void on_room(void *arg)
{
    struct loop *l = arg;
    atomic_store(&l->has_room, true);
    AL_ASSERT(uv_async_send(&l->wake) == 0);
}

/* On the node's thread. */
static void on_changed(void *arg, uint64_t pos)
{
    struct loop *l = arg;
    al_views_thread_changed(l->views_thread, pos);
}

/* --- the end ------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle; /* a part of struct loop */
}

static void on_give_up(uv_timer_t *timer)
{
    struct loop *l = timer->data;
    al_logger_line(l->opts.logger, LOG_WARNING, "stopping without waiting any longer");
    _exit(EXIT_GIVEN_UP);
}

/*
 * No new work; the calls that are queued get their answers; then everything closes, and
 * uv_run() returns when the last handle has.
 */
static void stop(struct loop *l)
{
    if (l->is_stopping)
        return;
    l->is_stopping = true;
    al_ready_notify("STOPPING=1");
    al_logger_line(l->opts.logger, LOG_INFO, "stopping");
    AL_ASSERT(uv_timer_start(&l->give_up, on_give_up, GIVE_UP_MS, 0) == 0);
    uv_unref((uv_handle_t *)&l->give_up);
    al_netwatch_stop(l->netwatch);
    al_rpc_server_stop(l->rpc);
    al_tcp_stop(l->tcp);
    al_node_thread_stop(l->node_thread);
    carry_out_all(l);
    al_views_thread_stop(l->views_thread);
    al_readers_stop(l->readers);
    al_rpc_server_finish(l->rpc);
    uv_close((uv_handle_t *)&l->wake, on_handle_closed);
    uv_close((uv_handle_t *)&l->sigterm, on_handle_closed);
    uv_close((uv_handle_t *)&l->sigint, on_handle_closed);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct loop *l = handle->data;
    if (l->is_stopping)
        _exit(128 + number);
    stop(l);
}

static void on_stop(void *arg)
{
    stop(arg);
}

static void free_all(struct loop *l)
{
    uv_close((uv_handle_t *)&l->give_up, on_handle_closed);
    AL_ASSERT(uv_run(&l->uv, UV_RUN_DEFAULT) == 0);
    al_rpc_server_free(l->rpc);
    al_tcp_free(l->tcp);
    al_readers_free(l->readers);
    al_queue_free(l->in, al_input_free_item);
    al_queue_free(l->out, al_batch_free_item);
    AL_ASSERT(uv_loop_close(&l->uv) == 0); /* no handle was forgotten */
}

/* --- the beginning ------------------------------------------------------------------------- */

static void start_signal(struct loop *l, uv_signal_t *handle, int number)
{
    AL_ASSERT(uv_signal_init(&l->uv, handle) == 0);
    handle->data = l;
    AL_ASSERT(uv_signal_start(handle, on_signal, number) == 0);
}

static void make_handles(struct loop *l)
{
    AL_ASSERT(uv_loop_init(&l->uv) == 0);
    AL_ASSERT(uv_async_init(&l->uv, &l->wake, on_wake) == 0);
    l->wake.data = l;
    AL_ASSERT(uv_timer_init(&l->uv, &l->give_up) == 0);
    l->give_up.data = l;
    start_signal(l, &l->sigterm, SIGTERM);
    start_signal(l, &l->sigint, SIGINT);
    AL_ASSERT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    AL_ASSERT(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* a file at its limit is a full disk */
}

static void make_parts(struct loop *l)
{
    const struct al_loop_opts *o = &l->opts;
    const struct al_queue_opts in = {
        .mark_bytes = {[AL_LANE_LOCAL] = IN_LOCAL_BYTES, [AL_LANE_NET] = IN_NET_BYTES},
        .on_room = on_room,
        .arg = l,
    };
    const struct al_queue_opts out = {.mark_bytes = {OUT_BYTES, OUT_BYTES}};
    l->in = al_queue_new(&in);
    l->out = al_queue_new(&out);
    const struct al_readers_opts readers = {.loop = &l->uv,
        .views_db = o->paths->views_db,
        .log_db = o->paths->log_db,
        .keyring = o->keyring};
    l->readers = al_readers_new(&readers);
    const struct al_rpc_server_opts rpc = {.loop = &l->uv,
        .in = l->in,
        .readers = l->readers,
        .logger = o->logger,
        .log_db = o->paths->log_db,
        .data_dir = o->paths->data,
        .agent = o->agent,
        .on_stop = on_stop,
        .arg = l};
    l->rpc = al_rpc_server_new(&rpc);
    const struct al_tcp_opts tcp = {.loop = &l->uv,
        .in = l->in,
        .keyring = o->keyring,
        .conf = o->conf,
        .network = o->network,
        .logger = o->logger};
    l->tcp = al_tcp_new(&tcp);
    AL_ASSERT(
        l->in != NULL && l->out != NULL && l->readers != NULL && l->rpc != NULL && l->tcp != NULL);
}

static void start_threads(struct loop *l)
{
    const struct al_loop_opts *o = &l->opts;
    const struct al_views_thread_opts views = {.views_db = o->paths->views_db,
        .log_db = o->paths->log_db,
        .keyring = o->keyring,
        .logger = o->logger,
        .wake = &l->wake};
    l->views_thread = al_views_thread_start(&views);
    const struct al_node_thread_opts node = {.node = o->node,
        .in = l->in,
        .out = l->out,
        .wake = &l->wake,
        .on_changed = on_changed,
        .arg = l};
    l->node_thread = al_node_thread_start(&node);
    AL_ASSERT(l->views_thread != NULL && l->node_thread != NULL);
}

int al_loop_run(const struct al_loop_opts *opts)
{
    struct loop loop = {.opts = *opts};
    struct loop *l = &loop;
    make_handles(l);
    make_parts(l);
    start_threads(l);
    if (opts->inherited_socket >= 0)
        l->err = al_rpc_server_adopt(l->rpc, opts->inherited_socket);
    else
        l->err = al_rpc_server_listen(l->rpc, opts->paths->socket);
    if (l->err == 0) {
        al_logger_line(opts->logger, LOG_INFO, "%s ready, pid %ld", opts->agent, (long)getpid());
        al_ready_notify("READY=1");
        if (opts->on_ready != NULL)
            opts->on_ready(opts->arg);
    } else {
        stop(l);
    }
    AL_ASSERT(uv_run(&l->uv, UV_RUN_DEFAULT) == 0);
    free_all(l);
    return l->err;
}
