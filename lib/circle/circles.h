/*
 * Circles: which there are, who is in, which keys open what. The truth are the circle entries in
 * the store; what was found out about each (which box is ours) stands beside them in
 * AL_SPACE_CIRCLE, without a key: keys are opened anew from the boxes, at each load, with the
 * reading keys of the keyring. The node has one such index and feeds it; the writer and the readers
 * of the views have their own over their own connections. docs/protocol.md, "Circles".
 */
#ifndef AL_CIRCLES_H
#define AL_CIRCLES_H

#include "bytes.h"
#include "circle.h"
#include "err.h"
#include "identity.h"
#include "keyring.h"
#include "now.h"
#include "rng.h"
#include "sealed.h"
#include "store.h"

struct al_circles;

/* One circle as its heads, merged, tell: per person the later change counts, and of two at once
 * the leaving. Borrowed until the next call that takes something in. */
struct al_circle {
    struct al_identity owner;
    struct al_circle_id cid;
    char name[AL_NAME_MAX + 1];
    bool mine;   /* we are the owner */
    bool member; /* we are in */
    bool left;   /* in, but by our own choice not any more */
    uint64_t n;  /* of the newest epoch that is readable: of heads, that with the greatest */
    struct al_ref epoch;             /* (n, id); when none is readable any more, of all */
    const struct al_member *members; /* ascending by identity; also former ones, |in| false */
    uint32_t member_count;           /* at most AL_CIRCLE_LIST_MAX */
    uint32_t heads;                  /* readable epochs that are no other's parent */
};

/*
 * An index over |store|, from what stands in AL_SPACE_CIRCLE. |keyring| is borrowed and may learn
 * newer keys: then al_circles_retry() in the node, al_circles_relearn() in a reader. AL_E_NOMEM or
 * a store error.
 */
AL_MUST_CHECK int al_circles_new(
    struct al_circles **ret, struct al_store *store, const struct al_keyring *keyring);
void al_circles_free(struct al_circles *c);

/* --- the node: taking in -------------------------------------------------------------------- */

/*
 * The circle entry |ref|, at |place|, by |owner|, has just been stored with the opened payload |p|:
 * find out whether one of its boxes is ours, note that in the store, and index it. Boxes cost 50 us
 * each: of an owner at most AL_CIRCLE_TRIES_PER_DAY entries are tried a day, and at most
 * AL_CIRCLE_TRIES_AT_ONCE at the same |now|; others wait for al_circles_retry(). Those of this
 * very device never wait. Returns 0 or a store error; a malformed entry is data.
 */
AL_MUST_CHECK int al_circles_take(struct al_circles *c, const struct al_identity *owner,
    const struct al_ref *ref, const struct al_place *place, const struct al_payload *p,
    struct al_now now);
#define AL_CIRCLE_TRIES_PER_DAY 50
#define AL_CIRCLE_TRIES_AT_ONCE 4

/* Try entries that waited, and after the keyring has learnt also those that did not open. */
AL_MUST_CHECK int al_circles_retry(struct al_circles *c, struct al_now now);

/* When al_circles_retry() will have something to do: mono_ms, UINT64_MAX when nothing waits. */
uint64_t al_circles_deadline(const struct al_circles *c);

/*
 * The next circle of which a key came to be known since this was asked last; NULL when there is no
 * further one. What its members wrote before may open now.
 */
const struct al_circle *al_circles_next_unlocked(struct al_circles *c);

/* A number that grows whenever circles or their members may have changed. */
uint64_t al_circles_version(const struct al_circles *c);

/*
 * Entries first..last of a log of |owner| do not count, as the root has said, or are going to be
 * taken out of the store: they make no member and are no head. What was sealed under their keys
 * stays readable as long as they are there. al_circles_take() lets one count again.
 */
AL_MUST_CHECK int al_circles_hide(struct al_circles *c, const struct al_identity *owner,
    const struct al_device *device, const struct al_logname *log, uint64_t first, uint64_t last);

/* --- readers: following --------------------------------------------------------------------- */

/*
 * What the node has noted may have changed (AL_CHANGE_UNLOCKED, HIDDEN, REMOVED), or the keyring
 * has a newer generation: look again. Writes nothing. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_circles_relearn(struct al_circles *c);

/* --- reading -------------------------------------------------------------------------------- */

/* What a sealed payload turned out to be. */
struct al_unsealed {
    size_t n;                       /* bytes of the clear payload */
    const struct al_circle *circle; /* NULL: it was for its author's devices, with audience ME */
    uint64_t epoch;                 /* number of the epoch whose key it was sealed with */
};

/*
 * Open a sealed payload by |author|: a me_key opens our own, an epoch key whatever was written by
 * somebody who is or was in its circle. |out| has room for |s|->box.n bytes. Returns 0,
 * AL_E_SEALED, AL_E_PADDING.
 */
AL_MUST_CHECK int al_circles_decrypt(struct al_circles *c, uint8_t *out, struct al_unsealed *ret,
    const struct al_sealed *s, const struct al_place *place, const struct al_identity *author);

/* Find; NULL when unknown. Those of which no epoch was ever readable are not told of. */
const struct al_circle *al_circles_find(
    const struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid);

/* All of them, ascending by owner and id. */
size_t al_circles_count(const struct al_circles *c);
const struct al_circle *al_circles_at(const struct al_circles *c, size_t i);

/* What |circle| says of |identity|, NULL when nothing; and whether they are in. */
const struct al_member *al_circle_member(
    const struct al_circle *circle, const struct al_identity *identity);
bool al_circle_has(const struct al_circle *circle, const struct al_identity *identity);

/* How many are in. */
uint32_t al_circle_size(const struct al_circle *circle);

/*
 * The key to write with, AL_EPOCH_KEY_BYTES bytes: of the newest readable head. NULL: we are not
 * in, or left. Borrowed like the circle.
 */
const uint8_t *al_circles_key(const struct al_circles *c, const struct al_circle *circle);

/* --- leaving -------------------------------------------------------------------------------- */

/*
 * |who| asked to leave: an entry of kind `leave`, sealed with the key of epoch |n| of |circle|.
 * It counts until they are out, and never for the owner. Returns 0 or a store error.
 */
AL_MUST_CHECK int al_circles_take_leave(struct al_circles *c, const struct al_circle *circle,
    const struct al_identity *who, uint64_t n);

/*
 * Our own choice about a circle, from the state key AL_STATE_LEFT: we left when its epoch had the
 * number |n| (0: we did not). Being put in again later is another matter. AL_E_NOMEM.
 */
AL_MUST_CHECK int al_circles_choose_left(struct al_circles *c, const struct al_identity *owner,
    const struct al_circle_id *cid, uint64_t n);

/* --- changing: the owner's devices ---------------------------------------------------------- */

/* Whom a member's reading key is asked of: NULL when nothing is known of them. */
typedef const struct al_record *al_record_of_fn(void *arg, const struct al_identity *identity);

/* Why a circle's newest epoch is not as it should be; the owner's node ends all but the last by a
 * new epoch, and until then who writes is warned. */
enum al_circle_need {
    AL_CIRCLE_NEEDS_NOTHING,
    AL_CIRCLE_NEEDS_JOIN,     /* heads that differ in name or members */
    AL_CIRCLE_NEEDS_KEYS,     /* a member has a newer reading key than its box was made for */
    AL_CIRCLE_NEEDS_PARTING,  /* a member asked to leave */
    AL_CIRCLE_NEEDS_STATEMENT /* a member's reading key is in the hands of a revoked device, and
                                 there is no newer one yet: only they can help that */
};
enum al_circle_need al_circle_needs(const struct al_circles *c, const struct al_circle *circle,
    al_record_of_fn *record_of, void *arg);

struct al_circle_change {
    const struct al_circle *circle; /* NULL: a new one, with the fresh id |cid| */
    struct al_circle_id cid;
    struct al_slice name; /* empty: as it is */
    const struct al_identity *add, *remove;
    uint32_t add_count, remove_count;
    bool history; /* grant the newest AL_CIRCLE_OLD_MAX keys of earlier epochs to all who are in */
};

/*
 * Append to |b| the fields of the circle entry that makes |change| (possibly empty: a new epoch
 * with the members as they are, less those who asked to leave), to stand at |place|. Fills |p|
 * with it, its slices in |b|. A member whose reading key is unknown is named in |ret_who|. Returns
 * 0, AL_E_NOT_FOUND (that), AL_E_LIMIT (more than AL_MEMBERS_MAX), AL_E_STATE (we do not own it, or
 * the owner would be out), AL_E_LENGTH (name), AL_E_NOMEM.
 */
AL_MUST_CHECK int al_circle_compose(struct al_circles *c, struct al_buf *b, struct al_payload *p,
    struct al_identity *ret_who, const struct al_circle_change *change,
    const struct al_place *place, al_record_of_fn *record_of, void *arg, struct al_rng *rng);

/*
 * The own circle entry |p| moves from one place to another: what is sealed in it has to be sealed
 * anew, under the same key. Appends that to |b|, with which |p| is changed. Returns 0, AL_E_SEALED
 * (it does not open), AL_E_NOMEM.
 */
AL_MUST_CHECK int al_circle_reseal(struct al_circles *c, struct al_buf *b, struct al_payload *p,
    const struct al_place *from, const struct al_place *to, struct al_rng *rng);

#endif
