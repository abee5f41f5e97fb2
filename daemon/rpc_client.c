#include "rpc_client.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "heapbuf.h"
#include "text.h"

#define ERROR_TEXT_MAX 1024

struct write {
    uv_write_t req;
    struct al_rpc_client *client;
    struct al_buf bytes;
};

static void on_closed(uv_handle_t *handle)
{
    struct al_rpc_client *c = handle->data;
    c->env->on_freed(c->env->arg, c->id);
    al_heapbuf_free(&c->in);
    free(c);
}

void al_rpc_client_close(struct al_rpc_client *c)
{
    if (c->is_closing)
        return;
    c->is_closing = true;
    c->env->on_gone(c->env->arg, c);
    c->call_count = 0;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
}

/* --- writing ------------------------------------------------------------------------------- */

static void on_written(uv_write_t *req, int status)
{
    struct write *w = req->data;
    struct al_rpc_client *c = w->client;
    c->queued_bytes -= w->bytes.n;
    al_heapbuf_free(&w->bytes);
    free(w);
    if (c->is_closing)
        return;
    if (status != 0) {
        al_rpc_client_close(c);
        return;
    }
    c->env->on_drained(c->env->arg, c);
    al_rpc_client_resume(c);
}

/* Takes over |bytes|. */
static void write_out(struct al_rpc_client *c, struct al_buf *bytes)
{
    struct write *w = calloc(1, sizeof(*w));
    AL_ASSERT(w != NULL && !bytes->full);
    w->client = c;
    w->bytes = *bytes;
    w->req.data = w;
    uv_buf_t buf = {.base = (char *)w->bytes.p, .len = w->bytes.n};
    c->queued_bytes += w->bytes.n;
    if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0) {
        c->queued_bytes -= w->bytes.n;
        al_heapbuf_free(&w->bytes);
        free(w);
        al_rpc_client_close(c);
    }
}

/* --- answers ------------------------------------------------------------------------------- */

struct al_rpc_call *al_rpc_client_call(struct al_rpc_client *c, uint64_t name)
{
    for (unsigned i = 0; i < c->call_count; i++) {
        if (c->calls[i].name == name)
            return &c->calls[i];
    }
    return NULL;
}

/* Forget the open call |name|: false when there is none. */
static bool end_call(struct al_rpc_client *c, uint64_t name, uint32_t *ret_id)
{
    struct al_rpc_call *call = al_rpc_client_call(c, name);
    if (call == NULL || c->is_closing)
        return false;
    *ret_id = call->id;
    *call = c->calls[--c->call_count];
    return true;
}

void al_rpc_client_answer(struct al_rpc_client *c, uint64_t name, struct al_slice result)
{
    uint32_t id;
    if (!end_call(c, name, &id))
        return;
    struct al_buf b = al_heapbuf();
    al_rpc_response(&b, id, result);
    write_out(c, &b);
    al_rpc_client_resume(c);
}

/* What is said of an error can quote what somebody else wrote. */
static struct al_slice safe_text(struct al_buf *b, const char *s)
{
    al_text_safe(b, al_slice_str(s == NULL ? "" : s), AL_TEXT_LINE);
    return al_buf_slice(b);
}

void al_rpc_client_fail(
    struct al_rpc_client *c, uint64_t name, int err, const char *message, const char *hint)
{
    uint32_t id;
    if (!end_call(c, name, &id))
        return;
    uint8_t message_bytes[ERROR_TEXT_MAX], hint_bytes[ERROR_TEXT_MAX];
    struct al_buf message_buf = al_buf_fixed(message_bytes, sizeof(message_bytes));
    struct al_buf hint_buf = al_buf_fixed(hint_bytes, sizeof(hint_bytes));
    bool has_message = message != NULL && message[0] != '\0';
    struct al_rpc_error error = {
        .code = err,
        .name = al_slice_str(al_err_name(err)),
        .message = safe_text(&message_buf, has_message ? message : al_err_words(err)),
        .hint = safe_text(&hint_buf, hint),
    };
    struct al_buf b = al_heapbuf();
    al_rpc_error_response(&b, id, &error);
    write_out(c, &b);
    al_rpc_client_resume(c);
}

void al_rpc_client_notify(struct al_rpc_client *c, const char *method, struct al_slice params)
{
    if (c->is_closing)
        return;
    struct al_buf b = al_heapbuf();
    al_rpc_notification(&b, method, params);
    write_out(c, &b);
}

/* --- requests ------------------------------------------------------------------------------ */

static bool may_take(const struct al_rpc_client *c)
{
    return !c->is_closing && !c->is_stopped && c->call_count < AL_RPC_CALLS_MAX &&
           c->queued_bytes < AL_RPC_QUEUE_MAX && c->env->may_read(c->env->arg);
}

static void take_request(struct al_rpc_client *c, const struct al_rpc *m)
{
    if (m->type != AL_RPC_REQUEST)
        return; /* nobody here asks a client anything */
    uint64_t slot = c->id & ((1U << AL_RPC_SLOT_BITS) - 1);
    uint64_t name = ++c->env->call_serial << AL_RPC_SLOT_BITS | slot;
    c->calls[c->call_count++] = (struct al_rpc_call){.name = name, .id = m->id};
    c->env->on_request(c->env->arg, c, name, m);
}

/* Take the requests that are complete, as long as the client may have more open. */
static void parse(struct al_rpc_client *c)
{
    size_t used = 0;
    int err = 0;
    c->is_parsing = true;
    while (err == 0 && used < c->in.n && may_take(c)) {
        struct al_rpc m;
        size_t n;
        err = al_rpc_first(&m, &n, al_slice_of(c->in.p + used, c->in.n - used));
        if (err == 0) {
            used += n;
            take_request(c, &m);
        }
    }
    c->is_parsing = false;
    if (c->is_closing)
        return;
    if (used > 0) {
        c->in.n -= used;
        memmove(c->in.p, c->in.p + used, c->in.n);
        sodium_memzero(c->in.p + c->in.n, used);
    }
    if (c->in.n == 0)
        al_heapbuf_free(&c->in);
    if (err != 0 && err != AL_E_MORE)
        al_rpc_client_close(c); /* where the next request begins can't be known */
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct al_rpc_client *c = handle->data;
    buf->base = c->env->read_bytes;
    buf->len = AL_RPC_READ_BYTES;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct al_rpc_client *c = stream->data;
    if (n < 0) {
        al_rpc_client_close(c);
        return;
    }
    al_buf_put(&c->in, buf->base, (size_t)n);
    sodium_memzero(buf->base, (size_t)n); /* the 24 words are in no buffer longer than needed */
    if (c->in.full) {
        al_rpc_client_close(c);
        return;
    }
    al_rpc_client_resume(c);
}

void al_rpc_client_resume(struct al_rpc_client *c)
{
    if (c->is_parsing || c->is_closing)
        return;
    parse(c);
    if (c->is_closing)
        return;
    bool read = may_take(c);
    if (read == c->is_reading)
        return;
    c->is_reading = read;
    if (!read)
        (void)uv_read_stop((uv_stream_t *)&c->pipe);
    else if (uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0)
        al_rpc_client_close(c);
}

/* --- beginning and end --------------------------------------------------------------------- */

static bool is_own_user(uv_pipe_t *pipe)
{
    uv_os_fd_t fd;
    uid_t uid;
    gid_t gid;
    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 && getpeereid(fd, &uid, &gid) == 0 &&
           uid == geteuid();
}

struct al_rpc_client *al_rpc_client_accept(
    struct al_rpc_client_env *env, uint64_t id, uv_stream_t *server)
{
    struct al_rpc_client *c = calloc(1, sizeof(*c));
    AL_ASSERT(c != NULL && uv_pipe_init(server->loop, &c->pipe, 0) == 0);
    c->env = env;
    c->id = id;
    c->in = al_heapbuf();
    c->pipe.data = c;
    if (uv_accept(server, (uv_stream_t *)&c->pipe) != 0 || !is_own_user(&c->pipe))
        al_rpc_client_close(c);
    else
        al_rpc_client_resume(c);
    return c;
}

void al_rpc_client_stop(struct al_rpc_client *c)
{
    c->is_stopped = true;
    al_rpc_client_resume(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    al_rpc_client_close(req->data);
}

void al_rpc_client_finish(struct al_rpc_client *c)
{
    if (c->is_closing)
        return;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->pipe, on_shutdown) != 0)
        al_rpc_client_close(c);
}
