/* What the loop tells the node: one item of the queue each, applied in order within its lane. */
#ifndef AL_INPUT_H
#define AL_INPUT_H

#include "bytes.h"
#include "node.h"
#include "queue.h"

enum al_input_type {
    AL_INPUT_CONNECTED,
    AL_INPUT_DIAL_FAILED,
    AL_INPUT_MESSAGE,
    AL_INPUT_SENT,
    AL_INPUT_CLOSED,
    AL_INPUT_LISTENING,
    AL_INPUT_NETWORK_CHANGED,
    AL_INPUT_CALL,
    AL_INPUT_CALL_GONE,
};

struct al_input {
    struct al_item item;
    enum al_input_type type;
    uint64_t id;                  /* of the connection, the dial or the call */
    int err;                      /* DIAL_FAILED, CLOSED */
    size_t count;                 /* SENT: bytes; LISTENING: addresses */
    struct al_node_link link;     /* CONNECTED */
    struct al_slice method;       /* CALL; inside |bytes| */
    struct al_slice body;         /* MESSAGE, params of a CALL; inside |bytes| */
    const char *error;            /* LISTENING: why not, or NULL; inside |bytes| */
    struct al_slice addresses[8]; /* LISTENING; inside |bytes| */
    size_t n;
    uint8_t bytes[]; /* whatever the slices above point to */
};

/* What follows pushes a copy of its arguments. */

void al_input_connected(struct al_queue *q, const struct al_node_link *link);
void al_input_dial_failed(struct al_queue *q, uint64_t dial, int err);
void al_input_message(struct al_queue *q, uint64_t conn, struct al_slice message);
void al_input_sent(struct al_queue *q, uint64_t conn, size_t bytes);
void al_input_closed(struct al_queue *q, uint64_t conn, int err);
void al_input_network_changed(struct al_queue *q);

/* The port is open at |addresses| (at most 8), or is not, because of |error|. */
void al_input_listening(
    struct al_queue *q, const struct al_slice *addresses, size_t count, const char *error);

void al_input_call(
    struct al_queue *q, uint64_t call, struct al_slice method, struct al_slice params);
void al_input_call_gone(struct al_queue *q, uint64_t call);

/* Hand |in| to the node, inside a turn. */
void al_input_apply(const struct al_input *in, struct al_node *node);

/* For al_queue_free(). */
void al_input_free_item(struct al_item *item);

#endif
