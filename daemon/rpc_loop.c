/* The methods that the loop answers itself: hello, api_info, stop, subscribe, unsubscribe. */
#include <unistd.h>

#include "check.h"
#include "heapbuf.h"
#include "rpc_server_int.h"
#include "write.h"

static void answer(struct al_rpc_request *q)
{
    al_rpc_client_answer(q->client, q->call, al_buf_slice(&q->result));
}

static void fail(struct al_rpc_request *q, int err, const char *hint)
{
    al_rpc_client_fail(q->client, q->call, err, NULL, hint);
}

static void do_hello(struct al_rpc_request *q)
{
    uint64_t v;
    if (al_rpc_server_uint(&v, q->params, "v") != 0) {
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

static void do_api_info(struct al_rpc_request *q)
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

static void do_stop(struct al_rpc_request *q)
{
    answer(q); /* first: what is queued still arrives */
    q->server->opts.on_stop(q->server->opts.arg);
}

static void subscribe_from(struct al_rpc_request *q, uint64_t from)
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
    struct al_rpc_request q = {.server = s, .client = al_rpc_server_client(s, call), .call = call};
    if (q.client == NULL)
        return;
    uint64_t pos;
    if (err == 0)
        err = al_rpc_server_uint(&pos, result, "pos");
    q.result = al_heapbuf();
    if (err == 0)
        subscribe_from(&q, pos);
    else
        fail(&q, err, NULL);
    al_heapbuf_free(&q.result);
}

static void do_subscribe(struct al_rpc_request *q)
{
    uint64_t from;
    int err = al_rpc_server_uint(&from, q->params, "from");
    if (err == 0) {
        subscribe_from(q, from);
    } else if (err != AL_E_MISSING) {
        fail(q, err, NULL);
    } else {
        q->params = al_slice_of("\x80", 1); /* an empty map */
        al_rpc_server_query(q, al_slice_str("views_status"), on_now);
    }
}

static void do_unsubscribe(struct al_rpc_request *q)
{
    uint64_t sub;
    int err = al_rpc_server_uint(&sub, q->params, "sub");
    if (err == 0)
        err = al_subscriptions_remove(q->server->subscriptions, q->client, sub);
    if (err == 0)
        answer(q);
    else
        fail(q, err == AL_E_MISSING ? AL_E_PARAMS : err, NULL);
}

static const struct loop_method {
    const char *name;
    void (*run)(struct al_rpc_request *q);
} loop_methods[] = {
    {"hello", do_hello},
    {"api_info", do_api_info},
    {"stop", do_stop},
    {"subscribe", do_subscribe},
    {"unsubscribe", do_unsubscribe},
};

void al_rpc_loop_run(struct al_rpc_request *q, const struct al_method *method)
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
