/*
 * The thread that owns the node and log.db. A turn takes what is queued now, commits, and only
 * then lets the effects go, in one batch.
 */
#ifndef AL_NODE_THREAD_H
#define AL_NODE_THREAD_H

#include <uv.h>

#include "node.h"
#include "queue.h"

struct al_node_thread;

/* Everything is borrowed; the node belongs to the thread from start to stop. */
struct al_node_thread_opts {
    struct al_node *node;
    struct al_queue *in;                         /* of struct al_input */
    struct al_queue *out;                        /* of struct al_batch, in the local lane */
    uv_async_t *wake;                            /* after each batch */
    void (*on_changed)(void *arg, uint64_t pos); /* a commit reached |pos|; on this thread */
    void *arg;
};

/* The clock of the node, sampled now. */
struct al_now al_node_thread_now(void);

/* NULL: no memory. */
struct al_node_thread *al_node_thread_start(const struct al_node_thread_opts *opts);

/*
 * Have the calls that are queued done, drop the rest, and end the thread. Its last effects are in
 * the queue |out| then. NULL is allowed.
 */
void al_node_thread_stop(struct al_node_thread *t);

#endif
