/* One connection to another node, from the first attempt to the last byte. Used by tcp.c only. */
#ifndef AL_LINK_H
#define AL_LINK_H

#include <sys/queue.h>
#include <uv.h>

#include "channel.h"
#include "halfopen.h"
#include "netaddr.h"
#include "queue.h"

#define AL_LINK_TRIES 4                      /* addresses of one host name */
#define AL_LINK_DIAL_MS 10000                /* to resolve and to connect */
#define AL_LINK_ENDING_MS 1000               /* for what is queued, after the node said close */
#define AL_LINK_QUEUE_MAX (16 * 1024 * 1024) /* bytes to be written; the node keeps below it */

enum al_link_state {
    AL_LINK_CONNECTING, /* resolving or connecting */
    AL_LINK_HANDSHAKE,
    AL_LINK_MUTE,   /* message 1 was wrong: say nothing until the time is up */
    AL_LINK_OPEN,   /* the node knows it */
    AL_LINK_ENDING, /* the node said close: what is queued still leaves */
    AL_LINK_CLOSED, /* handles are closing */
};

struct al_link;

/* What all links share; owned by tcp.c. */
struct al_link_env {
    uv_loop_t *loop;
    struct al_queue *in;
    struct al_halfopen halfopen;
    struct al_rng rng;
    const uint8_t *noise_secret;
    const uint8_t *noise_public;
    struct al_network network;
    bool paused;         /* nothing is read: the node's queue is full */
    bool stopped;        /* the node is told nothing any more */
    uint8_t *read_bytes; /* shared: libuv reads into it and hands it over in one go */
    size_t read_bytes_cap;
    TAILQ_HEAD(al_links, al_link) dirty;         /* have output that was not written */
    void (*on_full)(void *arg);                  /* the node's queue is full: pause everybody */
    void (*on_victim)(void *arg, uint64_t conn); /* this half-open one has to go */
    void (*on_freed)(void *arg, uint64_t conn);  /* |conn| does not exist any more */
    void *arg;
};

struct al_link {
    struct al_link_env *env;
    uint64_t conn;
    uint64_t dial; /* of the effect that asked for it; 0: the peer dialled */
    enum al_link_state state;
    uv_tcp_t socket;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_getaddrinfo_t resolve;
    uv_shutdown_t shutdown;
    unsigned refs; /* open handles and the resolver: the link lives while there are any */
    struct al_channel *channel;
    uint8_t remote_public[32]; /* of the responder; dialler only */
    bool is_resolving;
    bool answered; /* message 2 was written; responder only */
    bool is_dirty;
    TAILQ_ENTRY(al_link) dirty;
    size_t plain_bytes;  /* of the messages in the channel's output */
    size_t queued_bytes; /* handed to uv_write() and not done */
    struct al_netaddr host;
    struct sockaddr_storage tries[AL_LINK_TRIES];
    size_t try_count, try_next;
    char address[AL_NETADDR_TEXT]; /* where the peer is seen */
};

/* Accept what waits on |server|. When that fails the link closes by itself. */
struct al_link *al_link_accept(struct al_link_env *env, uint64_t conn, uv_stream_t *server);

/* Begin to dial |address| for |dial|; failures come later, through the node's queue. */
struct al_link *al_link_dial(struct al_link_env *env, uint64_t conn, uint64_t dial,
    const uint8_t remote_public[32], struct al_slice address);

/* Encrypt |message|; it leaves with al_link_flush(). */
void al_link_send(struct al_link *l, struct al_slice message);

/* Write the channel's output. */
void al_link_flush(struct al_link *l);

/* Write what is queued, then close. */
void al_link_end(struct al_link *l, int err);

/* Close now, because of |err|, and tell the node. */
void al_link_close(struct al_link *l, int err);

/* Stop or go on reading, as |env->paused| says. */
void al_link_pause(struct al_link *l);

#endif
