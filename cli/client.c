#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "heapbuf.h"

#define LIMIT_MS 30000
#define READ_BYTES (64 * 1024)

struct al_client {
    int fd;
    uint32_t id;       /* of the last request */
    uint32_t limit_ms; /* for one call */
    struct al_buf in;  /* received; the first |used| bytes are done with */
    size_t used;
    struct al_buf held; /* a notification that came while an answer was awaited, and so on */
    size_t held_used;
    struct al_rpc_error error;
    bool has_error;
};

static uint64_t mono_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int err_of_connect(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        return AL_E_NO_NODE;
    case EACCES:
    case EPERM:
        return AL_E_PERMISSION;
    case EAGAIN:
        return AL_E_TIMEOUT;
    default:
        return AL_E_IO;
    }
}

int al_client_connect(struct al_client **ret, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof(addr.sun_path))
        return AL_E_ADDRESS;
    memcpy(addr.sun_path, path, n + 1);
    struct al_client *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return AL_E_NOMEM;
    k->limit_ms = LIMIT_MS;
    k->in = al_heapbuf();
    k->held = al_heapbuf();
    k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A full backlog makes connect() wait, for which the limit on sending counts. */
    struct timeval limit = {.tv_sec = LIMIT_MS / 1000};
    int err = 0;
    if (k->fd < 0 || setsockopt(k->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)
        err = AL_E_IO;
    else if (connect(k->fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
        err = err_of_connect(errno);
    if (err != 0) {
        al_client_free(k);
        return err;
    }
    *ret = k;
    return 0;
}

void al_client_free(struct al_client *k)
{
    if (k == NULL)
        return;
    if (k->fd >= 0)
        (void)close(k->fd);
    al_heapbuf_free(&k->in);
    al_heapbuf_free(&k->held);
    free(k);
}

void al_client_limit(struct al_client *k, uint32_t ms)
{
    k->limit_ms = ms;
}

static int send_all(struct al_client *k, struct al_slice s)
{
    while (s.n > 0) {
        ssize_t n = send(k->fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? AL_E_TIMEOUT : AL_E_CLOSED;
        s = al_slice_of(s.p + n, s.n - (size_t)n);
    }
    return 0;
}

/* Read what there is, waiting for it until |until|. */
static int receive(struct al_client *k, uint64_t until)
{
    struct pollfd pfd = {.fd = k->fd, .events = POLLIN};
    for (;;) {
        uint64_t now = mono_ms();
        uint64_t left = now < until ? until - now : 0;
        int n = poll(&pfd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0)
            break;
        if (n == 0 && left <= INT32_MAX)
            return AL_E_TIMEOUT;
        if (n < 0 && errno != EINTR)
            return AL_E_CLOSED;
    }
    uint8_t chunk[READ_BYTES];
    ssize_t n = recv(k->fd, chunk, sizeof(chunk), 0);
    if (n <= 0)
        return n < 0 && errno == EINTR ? 0 : AL_E_CLOSED;
    al_buf_put(&k->in, chunk, (size_t)n);
    return k->in.full ? AL_E_NOMEM : 0;
}

/* Forget the envelopes that were handed out. */
static void drop_used(struct al_buf *b, size_t *used)
{
    if (*used == 0)
        return;
    memmove(b->p, b->p + *used, b->n - *used);
    b->n -= *used;
    *used = 0;
}

/* The next envelope that arrives until |until|. */
static int next(struct al_client *k, struct al_rpc *ret, size_t *ret_n, uint64_t until)
{
    drop_used(&k->in, &k->used);
    for (;;) {
        int err = al_rpc_first_answer(ret, ret_n, al_buf_slice(&k->in));
        if (err == 0)
            k->used = *ret_n;
        if (err != AL_E_MORE)
            return err == 0 ? 0 : AL_E_RPC;
        err = receive(k, until);
        if (err != 0)
            return err;
    }
}

int al_client_send(
    struct al_client *k, uint32_t *ret_id, const char *method, struct al_slice params)
{
    struct al_buf request = al_heapbuf();
    al_rpc_request(&request, ++k->id, method, params);
    int err = request.full ? AL_E_NOMEM : send_all(k, al_buf_slice(&request));
    al_heapbuf_free(&request);
    if (err == 0)
        *ret_id = k->id;
    return err;
}

int al_client_answer(struct al_client *k, struct al_slice *ret, uint32_t id)
{
    uint64_t until = mono_ms() + k->limit_ms;
    k->has_error = false;
    for (;;) {
        struct al_rpc rpc;
        size_t n;
        int err = next(k, &rpc, &n, until);
        if (err != 0)
            return err;
        if (rpc.type == AL_RPC_NOTIFICATION) {
            al_buf_put(&k->held, k->in.p, n);
            continue;
        }
        if (rpc.type != AL_RPC_RESPONSE || rpc.id != id)
            continue; /* of a call that was given up */
        if (rpc.error.n == 0) {
            *ret = rpc.result;
            return 0;
        }
        err = al_rpc_error_read(&k->error, rpc.error);
        if (err != 0)
            return err;
        k->has_error = true;
        return k->error.code < 0 ? k->error.code : AL_E_RPC;
    }
}

int al_client_call(
    struct al_client *k, struct al_slice *ret, const char *method, struct al_slice params)
{
    uint32_t id;
    k->has_error = false;
    int err = al_client_send(k, &id, method, params);
    return err == 0 ? al_client_answer(k, ret, id) : err;
}

int al_client_next(struct al_client *k, struct al_rpc *ret, uint32_t ms)
{
    drop_used(&k->held, &k->held_used);
    if (k->held.n > 0)
        return al_rpc_first_answer(ret, &k->held_used, al_buf_slice(&k->held));
    uint64_t until = mono_ms() + ms;
    for (;;) {
        size_t n;
        int err = next(k, ret, &n, until);
        if (err != 0 || ret->type == AL_RPC_NOTIFICATION)
            return err;
    }
}

const struct al_rpc_error *al_client_error(const struct al_client *k)
{
    return k != NULL && k->has_error ? &k->error : NULL;
}
