/*
 * One program on the local socket: requests come out of its bytes, answers go back, and neither
 * side of it may grow without bound. Used by rpc_server.c and its neighbours.
 */
#ifndef AL_RPC_CLIENT_H
#define AL_RPC_CLIENT_H

#include <uv.h>

#include "bytes.h"
#include "err.h"
#include "limit.h"
#include "rpc.h"

#define AL_RPC_SLOT_BITS 8 /* of the names of clients and calls: the place of the client */
#define AL_RPC_READ_BYTES (64 * 1024)
#define AL_RPC_CALLS_MAX 16 /* open ones of a client; then nothing more is read from it */

struct al_rpc_client;

/* What all clients share; owned by rpc_server.c. */
struct al_rpc_client_env {
    /* A request with the name |call|; answer it with al_rpc_client_answer() or _fail(). */
    void (*on_request)(void *arg, struct al_rpc_client *c, uint64_t call, const struct al_rpc *m);
    bool (*may_read)(void *arg);                            /* false: the node has enough to do */
    void (*on_drained)(void *arg, struct al_rpc_client *c); /* some of its queue was written */
    void (*on_gone)(void *arg, struct al_rpc_client *c);    /* closing; open calls end */
    void (*on_freed)(void *arg, uint64_t id);               /* |id| does not exist any more */
    void *arg;
    uint64_t call_serial; /* names the calls of all clients */
    char *read_bytes;     /* libuv hands over what it read before it reads again */
};

struct al_rpc_call {
    uint64_t name;
    uint32_t id; /* of the client's request */
    bool at_node;
};

struct al_rpc_client {
    struct al_rpc_client_env *env;
    uint64_t id;
    uv_pipe_t pipe;
    uv_shutdown_t shutdown;
    struct al_buf in;
    struct al_rpc_call calls[AL_RPC_CALLS_MAX];
    unsigned call_count;
    size_t queued_bytes; /* handed to uv_write() and not done */
    bool is_reading;
    bool is_parsing;
    bool is_stopped; /* no request is taken any more */
    bool is_closing;
};

/*
 * Accept the client that waits on |server|; it closes by itself unless it belongs to the user of
 * this process.
 */
struct al_rpc_client *al_rpc_client_accept(
    struct al_rpc_client_env *env, uint64_t id, uv_stream_t *server);

/* Go on reading and taking requests, if nothing stands against it. */
void al_rpc_client_resume(struct al_rpc_client *c);

/* The open call |name|; NULL when it has its answer. */
struct al_rpc_call *al_rpc_client_call(struct al_rpc_client *c, uint64_t name);

/* Answer the open call |name|; nothing happens when there is none. */
void al_rpc_client_answer(struct al_rpc_client *c, uint64_t name, struct al_slice result);
void al_rpc_client_fail(
    struct al_rpc_client *c, uint64_t name, int err, const char *message, const char *hint);

void al_rpc_client_notify(struct al_rpc_client *c, const char *method, struct al_slice params);

/* Take no more requests; then write what is queued and close; or close at once. */
void al_rpc_client_stop(struct al_rpc_client *c);
void al_rpc_client_finish(struct al_rpc_client *c);
void al_rpc_client_close(struct al_rpc_client *c);

#endif
