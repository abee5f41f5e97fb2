/*
 * Connections to other nodes: the port, dials, and the table of links. Bytes become messages for
 * the node's queue here, and the node's messages become bytes.
 */
#ifndef AL_TCP_H
#define AL_TCP_H

#include <uv.h>

#include "conf.h"
#include "effect.h"
#include "keyring.h"
#include "logger.h"
#include "queue.h"

struct al_tcp;

/* Everything is borrowed. */
struct al_tcp_opts {
    uv_loop_t *loop;
    struct al_queue *in; /* to the node */
    const struct al_keyring *keyring;
    const struct al_conf *conf;
    struct al_network network;
    struct al_logger *logger;
};

/* NULL: no memory. */
struct al_tcp *al_tcp_new(const struct al_tcp_opts *opts);

/* Open the port, if it is not open, and tell the node where, or why not. */
void al_tcp_listen(struct al_tcp *t);

/* Carry out a DIAL, a SEND or a CLOSE. What is sent leaves with the next al_tcp_flush(). */
void al_tcp_dial(struct al_tcp *t, const struct al_effect *e);
void al_tcp_send(struct al_tcp *t, const struct al_effect *e);
void al_tcp_end(struct al_tcp *t, const struct al_effect *e);

/* Write what was sent since the last flush: one write for each connection. */
void al_tcp_flush(struct al_tcp *t);

/* The node's queue has room again: go on reading. */
void al_tcp_resume(struct al_tcp *t);

/* Close the port and all connections; tells the node nothing any more. */
void al_tcp_stop(struct al_tcp *t);

/* After al_tcp_stop() and when the loop has run empty. NULL is allowed. */
void al_tcp_free(struct al_tcp *t);

#endif
