/*
 * The node: one synchronous object that owns the store and the gossip engine. Inputs are applied
 * in a batch, all in one transaction; al_node_commit() makes them durable; only then do their
 * effects come out. No clock, no socket, no thread: the same object runs under aloudd and, by the
 * thousand, in the simulator.
 *
 *     al_node_begin(n, now);
 *     al_node_message(n, conn, bytes); ...       as many inputs as are queued
 *     al_node_commit(n);
 *     while (al_node_poll(n, &effect)) ...
 *     sleep until al_node_deadline(n) or the next input
 */
#ifndef AL_NODE_H
#define AL_NODE_H

#include "bytes.h"
#include "effect.h"
#include "err.h"
#include "keyring.h"
#include "limit.h"
#include "now.h"
#include "store.h"

struct al_node;

/* What a node is made of. Everything is borrowed and must outlive it. */
struct al_node_opts {
    /*
     * Opens the store: called at the start, and again after a commit in doubt. |arg| as given.
     */
    int (*open_store)(void *arg, struct al_store **ret);
    void *open_arg;
    const struct al_keyring *keyring;
    struct al_network network;
    uint8_t seed[32];                        /* of all its randomness; secret */
    uint8_t boot[AL_BOOT_BYTES];             /* fresh at each start */
    struct al_slice boots;                   /* all of this device that are remembered, joined */
    bool boots_lost;                         /* some are missing */
    const char *agent;                       /* "aloudd/0.1.0" */
    const char *audience;                    /* of posts that name none; NULL: network */
    uint64_t hold_s;                         /* how long posts wait before they are signed */
    bool new_log;                            /* the old log might not be whole: start a new one */
    const char *new_log_why;                 /* with new_log: in words, to be told */
    bool copy;                               /* the data of another machine: talk to nobody */
    bool listens_at_start;                   /* listening was opened before, or is configured */
    const struct al_slice *static_addresses; /* put into invites first */
    size_t static_address_count;
    uint64_t pieces_bytes; /* of other people's files that are kept; 0: AL_NODE_PIECES_BYTES */
};

#define AL_NODE_PIECES_BYTES ((uint64_t)2 * 1024 * 1024 * 1024)

/*
 * Make a node over its store. Returns 0 or what open_store returned, AL_E_NOT_INITIALISED (no
 * record of its own identity in the store), AL_E_CORRUPT, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_node_new(
    struct al_node **ret, const struct al_node_opts *opts, struct al_now now);
void al_node_free(struct al_node *n);

/* --- one turn ------------------------------------------------------------------------------ */

/* Start a turn at |now|. Timers that are due fire in it. */
void al_node_begin(struct al_node *n, struct al_now now);

/*
 * Commit the turn. When the commit fails, effects of the turn become errors to the callers and
 * the store is opened anew; a later turn may succeed. Until there is space again on a disk that is
 * full, turns do nothing but answer calls that only read.
 */
void al_node_commit(struct al_node *n);

/* The next effect of committed turns, oldest first. */
bool al_node_poll(struct al_node *n, struct al_effect *ret);

/* When the node wants its next turn without an input: mono_ms, or UINT64_MAX. */
uint64_t al_node_deadline(const struct al_node *n);

/* Bytes of work that this turn has taken in: at AL_TURN_BYTES_MAX it should commit. */
size_t al_node_turn_bytes(const struct al_node *n);
#define AL_TURN_BYTES_MAX (1024 * 1024)

/* --- inputs, inside a turn ----------------------------------------------------------------- */

/* A channel is open. */
void al_node_connected(struct al_node *n, const struct al_node_link *link);

/* A dial did not become a channel. */
void al_node_dial_failed(struct al_node *n, uint64_t dial, int err);

/* One message came in on |conn|; it is copied if needed beyond the call. */
void al_node_message(struct al_node *n, uint64_t conn, struct al_slice message);

/* |bytes| of what was sent on |conn| left the queue of the runner. */
void al_node_sent(struct al_node *n, uint64_t conn, size_t bytes);

/* |conn| is gone. No input and no effect names it again. */
void al_node_closed(struct al_node *n, uint64_t conn, int err);

/* The network changed, or the machine woke up: dial anew, without waiting. */
void al_node_network_changed(struct al_node *n);

/* The port is open at these addresses (for invites), or is not, because of |error| (text). */
void al_node_listening(
    struct al_node *n, const struct al_slice *addresses, size_t count, const char *error);

/* A call of the local API whose method has WHERE = NODE in methods.h. It gets one REPLY. */
void al_node_call(struct al_node *n, uint64_t call, struct al_slice method, struct al_slice params);

/* The caller of |call| went away: no REPLY is needed (a wait ends). */
void al_node_call_gone(struct al_node *n, uint64_t call);

#endif
