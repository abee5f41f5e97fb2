/*
 * The local API: the Unix socket, the clients on it, and who answers what. Methods of the node go
 * into its queue, reading ones to the readers, the rest is answered here.
 */
#ifndef AL_RPC_SERVER_H
#define AL_RPC_SERVER_H

#include <uv.h>

#include "effect.h"
#include "logger.h"
#include "queue.h"
#include "readers.h"

struct al_rpc_server;

/* Everything is borrowed. */
struct al_rpc_server_opts {
    uv_loop_t *loop;
    struct al_queue *in; /* to the node */
    struct al_readers *readers;
    struct al_logger *logger;
    const char *log_db;
    const char *data_dir;
    const char *agent;
    void (*on_stop)(void *arg); /* a client asked the node to stop */
    void *arg;
};

/* NULL: no memory. */
struct al_rpc_server *al_rpc_server_new(const struct al_rpc_server_opts *opts);

/*
 * Listen on the socket |path|, which is replaced if it is there: the caller holds the lock that
 * says nobody else uses it. Or on the listening socket |fd| that was inherited; it is taken over.
 * Returns 0 or AL_E_SOCKET_PATH, AL_E_IO.
 */
AL_MUST_CHECK int al_rpc_server_listen(struct al_rpc_server *s, const char *path);
AL_MUST_CHECK int al_rpc_server_adopt(struct al_rpc_server *s, int fd);

/* Pass on a REPLY of the node. */
void al_rpc_server_reply(struct al_rpc_server *s, const struct al_effect *e);

/* The views hold everything up to |pos|. */
void al_rpc_server_position(struct al_rpc_server *s, uint64_t pos);

/* The node's queue has room again. */
void al_rpc_server_resume(struct al_rpc_server *s);

/* Take no more clients and requests. */
void al_rpc_server_stop(struct al_rpc_server *s);

/* Write what is queued, and close all clients. */
void al_rpc_server_finish(struct al_rpc_server *s);

/* After al_rpc_server_finish() and when the loop has run empty. NULL is allowed. */
void al_rpc_server_free(struct al_rpc_server *s);

#endif
