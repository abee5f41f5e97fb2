/*
 * What a stored payload changes in the node itself, in the transaction that stores it: a
 * retraction drops its target, a reply leaves an edge, an own choice (kind `state`) takes effect,
 * an import's source is remembered. A payload that can't be read changes nothing: it is data.
 */
#ifndef AL_APPLY_H
#define AL_APPLY_H

#include "logs.h"
#include "payload.h"
#include "sealed.h"

/* Names in AL_SPACE_META. */
#define AL_META_OWN_LOG "own-log"
#define AL_META_LEFT "left"           /* log b8 || u64 seq: nothing beyond it has ever left */
#define AL_META_LOCAL_LOG "local-log" /* device b32 || log b8: what a copy wrote to */
#define AL_META_NAME "name"           /* the name given to init, until the profile is posted */
#define AL_META_OWN_NAME "own-name"   /* the newest name in an own profile */
#define AL_META_NAMED "named"         /* when that profile was written, u64 */
#define AL_META_PHRASE "phrase"       /* "1" once the words were confirmed */
#define AL_META_LISTEN "listen"       /* "1" once an invite or join opened the port */
#define AL_META_OUTBOX "outbox"       /* the number given to a held post last */
#define AL_META_IDENTITY "identity"   /* whose log this is */
#define AL_META_COPY "copy"           /* "1": this is the data of another machine */
#define AL_META_RESTORED "restored"   /* "1": a new device goes on here, and has not started yet */
#define AL_META_CONTACT "contact"     /* whom a restored device is to dial first; lib/node/init.h */
#define AL_META_NEW_LOG "new-log" /* [when_ms, why]: the last own log that was not gone on with */

/* Load relations and retractions into the index. */
AL_MUST_CHECK int al_apply_load(struct al_logs *l);

/*
 * Apply |payload| of the entry |id| at |place| in |log|, just stored. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_apply_payload(struct al_logs *l, struct al_log *log,
    const struct al_place *place, uint64_t time_ms, const struct al_hash *id,
    struct al_slice payload);

/* The same for a payload that is at hand in clear, as when this node has just made it. */
AL_MUST_CHECK int al_apply_open(struct al_logs *l, struct al_log *log, uint64_t seq,
    uint64_t time_ms, const struct al_hash *id, const struct al_payload *payload);

/*
 * Read |payload|, which stands at |place| in |log|, opened with a key of ours when it is sealed;
 * then |ret_clear| is what |ret| points into, to be freed by the caller, else NULL. Returns 0,
 * AL_E_NOMEM, or another error when it is for other readers than this one, or no payload at all.
 */
AL_MUST_CHECK int al_apply_read(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_log *log, const struct al_place *place, struct al_slice payload);

/* The same; |ret_circle| is the circle that it was sealed for, NULL when for none. */
AL_MUST_CHECK int al_apply_read_for(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_circle **ret_circle, const struct al_log *log, const struct al_place *place,
    struct al_slice payload);

/*
 * Let the choice of |value| for |key| take effect in the index. Keys that are no relation are for
 * the views alone. AL_E_NOMEM.
 */
AL_MUST_CHECK int al_apply_choose(struct al_logs *l, struct al_slice key, struct al_slice value);

/* When the choice that stands for |key| was made, 0 when there is none. */
AL_MUST_CHECK int al_apply_chosen_ms(struct al_logs *l, uint64_t *ret, struct al_slice key);

/* The key of a relation: NAME/ and the identity's text. |out| has AL_RELATION_KEY_BYTES bytes. */
#define AL_RELATION_KEY_BYTES 80
void al_apply_relation_key(char *out, const char *relation, const struct al_identity *identity);

/*
 * The key of the choice to be in a circle no more: `left/`, the owner's text, `/`, the id in hex.
 * Its value is the number of the epoch at which that was chosen, 0 to take it back. |out| has
 * AL_LEFT_KEY_BYTES bytes.
 */
#define AL_STATE_LEFT "left"
#define AL_LEFT_KEY_BYTES 112
void al_apply_left_key(char *out, const struct al_identity *owner, const struct al_circle_id *cid);

/*
 * A key has come that may open what is sealed in |log|: tell the views (AL_CHANGE_UNLOCKED), and
 * let al_apply_step() apply it, a little at a time, while l->again says that some is left.
 */
AL_MUST_CHECK int al_apply_again(struct al_logs *l, struct al_log *log);
AL_MUST_CHECK int al_apply_step(struct al_logs *l);

/* Keys of circles have come: al_apply_again() for the logs of whoever is or was in. */
AL_MUST_CHECK int al_apply_unlocked(struct al_logs *l);

/* Know everybody who is in a circle in which we are, so that they can be wanted. */
AL_MUST_CHECK int al_apply_members(struct al_logs *l);

/* True if |by| has retracted the entry |id|, held or not. */
bool al_apply_is_retracted(
    const struct al_logs *l, const struct al_hash *id, const struct al_person *by);

/*
 * Call |cb| with each known edit by |by| of the entry |target|, those of others left out, until it
 * returns non-zero. It may write. Returns what it returned, 0, AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_apply_edits(struct al_logs *l, const struct al_hash *target,
    const struct al_person *by, int (*cb)(void *arg, const struct al_ref *edit), void *arg);

/* True if an import with this |src| was taken in already; |ret| is its entry. */
AL_MUST_CHECK int al_apply_source(struct al_logs *l, bool *ret_known, struct al_slice src);

#endif
