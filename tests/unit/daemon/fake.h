/*
 * A node and views to be linked in place of the real ones: a post is a number, a message comes
 * back, and what the node was told can be asked for. One of them at a time.
 */
#ifndef AL_FAKE_H
#define AL_FAKE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "node.h"

/* Written on the node's thread, read by tests after they have heard of it. */
struct fake_seen {
    atomic_uint_fast64_t pos; /* of the log: one for each post */
    atomic_uint calls_gone;
    atomic_uint connected;
    atomic_uint closed;
    atomic_uint messages;
    atomic_size_t sent_bytes;
    atomic_int dial_err; /* of the last dial that failed */
    atomic_uint commits;
    atomic_uint row_bytes; /* of the text of each row; set by tests */
};

extern struct fake_seen fake_seen;

/* A node without a past; forgets all of |fake_seen|. */
struct al_node *fake_node_new(bool listens_at_start);

#endif
