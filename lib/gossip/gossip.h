/*
 * The gossip engine: who may talk, what is missing, where it comes from, who gets what is new.
 * Bytes and the present go in; effects come out into the queue it was given. It knows no clock,
 * no socket and no thread. docs/protocol.md, "Messages", "A session".
 *
 * Every function that returns int returns 0 or a store error: then the turn can't be committed,
 * and the engine is made anew. What a peer does wrong ends that peer's connection, with a reason.
 */
#ifndef AL_GOSSIP_H
#define AL_GOSSIP_H

#include "effect.h"
#include "logs.h"
#include "now.h"

struct al_gossip;

struct al_gossip_opts {
    struct al_logs *logs;
    struct al_effects *effects;
    struct al_rng *rng;
    uint8_t boot[AL_BOOT_BYTES]; /* fresh at each start */
    const char *agent;
    /*
     * A stranger shows the token of an invite: admit them if it is good. Returns 0, AL_E_INVITE,
     * or a store error.
     */
    int (*redeem)(
        void *arg, const uint8_t token[16], const struct al_identity *identity, struct al_now now);
    void *redeem_arg;
    /*
     * All starts of this device that are remembered: AL_BOOT_BYTES each, borrowed. |boots_lost|:
     * some are missing.
     */
    struct al_slice boots;
    bool boots_lost;
    /*
     * It is proven that another machine runs with this device key, and it was there first: from
     * now on nothing may leave this node. Returns 0 or a store error.
     */
    int (*cloned)(void *arg);
    void *cloned_arg;
    uint64_t pieces_bytes; /* of other people's attachments that are kept */
};

/* What is told of a connection or of a dial attempt. */
struct al_peer_info {
    struct al_device device;
    struct al_identity identity;
    const char *state; /* "ready", "hello", "dialling", "waiting" */
    struct al_slice address;
    bool outgoing;
    uint64_t since_ms; /* wall clock: of the connection */
    uint64_t seen_ms;  /* wall clock: last heard of */
    uint64_t behind;   /* entries that it holds and we lack */
    uint64_t ahead;    /* own entries that it is not known to hold */
    const char *why;   /* name of the error that ended the last attempt, or "" */
    uint64_t next_ms;  /* wall clock: of the next attempt, 0 when none is due */
};

/* The engine over |opts|; nobody is dialled before |now|. AL_E_NOMEM or a store error. */
AL_MUST_CHECK int al_gossip_new(
    struct al_gossip **ret, const struct al_gossip_opts *opts, struct al_now now);
void al_gossip_free(struct al_gossip *g);

/* --- from the network ---------------------------------------------------------------------- */

AL_MUST_CHECK int al_gossip_connected(
    struct al_gossip *g, const struct al_node_link *link, struct al_now now);
AL_MUST_CHECK int al_gossip_message(
    struct al_gossip *g, uint64_t conn, struct al_slice message, struct al_now now);
void al_gossip_sent(struct al_gossip *g, uint64_t conn, size_t bytes);
void al_gossip_closed(struct al_gossip *g, uint64_t conn, int err, struct al_now now);
void al_gossip_dial_failed(struct al_gossip *g, uint64_t dial, int err, struct al_now now);
void al_gossip_network_changed(struct al_gossip *g, struct al_now now);

/* --- from this node ------------------------------------------------------------------------ */

/* Entries from |first| on were appended to the own |log| in this turn: push them. */
AL_MUST_CHECK int al_gossip_appended(
    struct al_gossip *g, struct al_log *log, uint64_t first, struct al_now now);

/* Relations may have changed: tell peers, and let go of those who are no longer welcome. */
AL_MUST_CHECK int al_gossip_relations_changed(struct al_gossip *g);

/*
 * al_logs_statement() took in something new of |person| in this turn: tell peers, and let go of
 * devices that are revoked. AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_gossip_record_changed(struct al_gossip *g, const struct al_person *person);

/* |identity| is welcome (again): dial every device of it at once, whatever came before. */
void al_gossip_welcome(struct al_gossip *g, const struct al_identity *identity, struct al_now now);

/*
 * Remember where |device| of |identity| can be reached, and dial it until it works. |token| is
 * that of an invite (16 bytes), or empty. AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_gossip_contact(struct al_gossip *g, const struct al_device *device,
    const struct al_identity *identity, const struct al_slice *addresses, size_t address_count,
    struct al_slice token, struct al_now now);

/* --- entries one by one ---------------------------------------------------------------------- */

/* How far a search is. */
struct al_search {
    uint32_t asked; /* peers */
    uint32_t found; /* entries that were not here before */
    bool open;      /* some have not answered yet */
};

/*
 * Ask all connected peers for the entry |ref|; or for the entries that answer it, and then for
 * those that are not here. What comes is kept for a while, also of people who are not followed.
 * |ret| names the search until al_gossip_search_end(). AL_E_LIMIT (too many at once), AL_E_NOMEM.
 */
AL_MUST_CHECK int al_gossip_fetch(struct al_gossip *g, uint64_t *ret, const struct al_ref *ref);
AL_MUST_CHECK int al_gossip_replies(struct al_gossip *g, uint64_t *ret, const struct al_ref *ref);

/* True if there is such a search; it may be over only after the turn in which it began. */
bool al_gossip_search(const struct al_gossip *g, struct al_search *ret, uint64_t id);
void al_gossip_search_end(struct al_gossip *g, uint64_t id);

/* True in |ret| if the entry |ref| is here with its payload. Store errors. */
AL_MUST_CHECK int al_gossip_holds(struct al_gossip *g, bool *ret, const struct al_ref *ref);

/* --- pieces of attachments ------------------------------------------------------------------- */

/* Somebody waits for a piece until |until_ms| (mono): ask for it. AL_E_NOMEM. */
AL_MUST_CHECK int al_gossip_piece_want(
    struct al_gossip *g, const struct al_hash *hash, uint64_t until_ms);

/* True while it is asked for, or waits to be. */
bool al_gossip_piece_wanted(const struct al_gossip *g, const struct al_hash *hash);

/* How many connected peers may have it, as far as they have not said that they don't. */
uint32_t al_gossip_piece_holders(const struct al_gossip *g, const struct al_hash *hash);

/* --- the turn ------------------------------------------------------------------------------ */

/* Do what is due at |now|; called once at the start of each turn. */
AL_MUST_CHECK int al_gossip_tick(struct al_gossip *g, struct al_now now);

/* The last call before the commit: acknowledgements, and requests that became possible. */
AL_MUST_CHECK int al_gossip_finish(struct al_gossip *g);

/* mono_ms of the next tick that is needed, or UINT64_MAX. */
uint64_t al_gossip_deadline(const struct al_gossip *g);

/* Close every connection with |err|: before the engine is made anew. */
void al_gossip_close_all(struct al_gossip *g, int err);

/* --- what is told -------------------------------------------------------------------------- */

/* True if nothing is known to be missing that a connected peer holds, and no peer is mid-hello. */
bool al_gossip_synced(const struct al_gossip *g);

/* The most that one connected peer says it holds and that is missing here, in entries. */
uint64_t al_gossip_behind(const struct al_gossip *g);

/* Own entries that no other node is known to hold. */
uint64_t al_gossip_alone(const struct al_gossip *g);

/* True if it was proven since the start that another machine runs with this device key. */
bool al_gossip_clone_seen(const struct al_gossip *g);

/* Who has brought what the own log did not hold, when logs->own_left says that somebody has. */
const struct al_identity *al_gossip_own_from(const struct al_gossip *g);

/* How many peers said so in a goodbye that this device was revoked: a hint, and no proof. */
uint32_t al_gossip_revoked_said(const struct al_gossip *g);

uint32_t al_gossip_ready_peers(const struct al_gossip *g);

/* Call |cb| for each connection, then for each contact without one. */
void al_gossip_peers(const struct al_gossip *g, struct al_now now,
    void (*cb)(void *arg, const struct al_peer_info *info), void *arg);

#endif
