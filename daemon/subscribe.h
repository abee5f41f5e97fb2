/*
 * Subscriptions: each replays the change log from its position, then follows. Rows come from the
 * same reading call that anybody may make, a page at a time, so a subscription costs its position.
 * A client that does not take what is live is told so once, and its subscription ends.
 */
#ifndef AL_SUBSCRIBE_H
#define AL_SUBSCRIBE_H

#include "readers.h"
#include "rpc_client.h"

#define AL_SUBSCRIPTIONS_MAX 8 /* of a client */

struct al_subscriptions;

/* NULL: no memory. |readers| is borrowed. */
struct al_subscriptions *al_subscriptions_new(struct al_readers *readers);
void al_subscriptions_free(struct al_subscriptions *s);

/*
 * Add one for |c| that begins after |from|; its rows come from al_subscriptions_drained() on.
 * Returns 0 and its name, or AL_E_LIMIT.
 */
AL_MUST_CHECK int al_subscriptions_add(
    struct al_subscriptions *s, uint64_t *ret_sub, struct al_rpc_client *c, uint64_t from);

/* End the subscription |sub| of |c|. Returns 0 or AL_E_NOT_FOUND. */
AL_MUST_CHECK int al_subscriptions_remove(
    struct al_subscriptions *s, const struct al_rpc_client *c, uint64_t sub);

/* |c| is gone. */
void al_subscriptions_drop(struct al_subscriptions *s, const struct al_rpc_client *c);

/* |c| can take more: it is new, or some of what it was to get was written. */
void al_subscriptions_drained(struct al_subscriptions *s, const struct al_rpc_client *c);

/* The views hold everything up to |pos|. */
void al_subscriptions_position(struct al_subscriptions *s, uint64_t pos);

#endif
