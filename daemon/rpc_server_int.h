/* What rpc_server.c and rpc_loop.c share. */
#ifndef AL_RPC_SERVER_INT_H
#define AL_RPC_SERVER_INT_H

#include "backup.h"
#include "methods.h"
#include "rpc_client.h"
#include "rpc_server.h"
#include "subscribe.h"

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

/* An open call with what its method works with. */
struct al_rpc_request {
    struct al_rpc_server *server;
    struct al_rpc_client *client;
    uint64_t call;
    struct al_slice params;
    struct al_buf result;
};

/* The client that has the open call |name|; NULL when it is gone. */
struct al_rpc_client *al_rpc_server_client(struct al_rpc_server *s, uint64_t name);

/* Ask the readers, who answer through |done| once they see all that was written here. */
void al_rpc_server_query(struct al_rpc_request *q, struct al_slice method,
    void (*done)(void *arg, uint64_t call, int err, struct al_slice result, const char *why));

/* The number |key| of |params|. Returns 0, AL_E_MISSING, or AL_E_PARAMS when it is no number. */
AL_MUST_CHECK int al_rpc_server_uint(uint64_t *ret, struct al_slice params, const char *key);

/* Run a method of the loop, which answers, now or later. */
void al_rpc_loop_run(struct al_rpc_request *q, const struct al_method *method);

#endif
