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
    char name[AL_NAME_MAX + 1]; /* "" while no epoch is readable */
    bool mine;                  /* we are the owner */
    bool member;                /* we are in */
    uint64_t n;                 /* of the newest readable epoch: that with the greatest (n, id) */
    struct al_ref epoch;        /* its entry */
    const struct al_member *members; /* ascending by identity; also former ones, |in| false */
    uint32_t member_count;
    uint32_t heads; /* epochs that are no other's parent */
};

/*
 * An index over |store|, from what stands in AL_SPACE_CIRCLE. |keyring| is borrowed and may learn
 * newer keys; after that call al_circles_relearn(). AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_circles_new(
    struct al_circles **ret, struct al_store *store, const struct al_keyring *keyring);
void al_circles_free(struct al_circles *c);

/*
 * The circle entry |ref|, at |place|, by |owner|, has just been stored with the opened payload |p|:
 * find out whether one of its boxes is ours (at 50 us each, so of at most 50 new entries an owner
 * and day; the others wait for al_circles_retry()), note that in the store, and index it.
 * |ret_unlocked|: a key came with it. Returns 0 or a store error; a malformed entry is data.
 */
AL_MUST_CHECK int al_circles_take(struct al_circles *c, bool *ret_unlocked,
    const struct al_identity *owner, const struct al_ref *ref, const struct al_place *place,
    const struct al_payload *p, struct al_now now);

/* Try entries that waited. |ret_unlocked| as above. */
AL_MUST_CHECK int al_circles_retry(struct al_circles *c, bool *ret_unlocked, struct al_now now);

/* The reading key has a newer generation, or (views) facts were added: look again. */
AL_MUST_CHECK int al_circles_relearn(struct al_circles *c, bool *ret_unlocked);

/*
 * Open a sealed payload of anybody's: with a me_key when |mine|, else or also with each epoch key
 * known (by its hint). |out| has room for |s|->box.n bytes. |ret_circle| is the circle it was
 * sealed for, NULL for ME. Returns 0, AL_E_SEALED, AL_E_PADDING.
 */
AL_MUST_CHECK int al_circles_decrypt(struct al_circles *c, uint8_t *out, size_t *ret_n,
    const struct al_circle **ret_circle, const struct al_sealed *s, const struct al_place *place,
    bool mine);

/* Find; NULL when unknown. Those of which no epoch was ever readable are not told of. */
const struct al_circle *al_circles_find(
    struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid);
size_t al_circles_count(struct al_circles *c);
const struct al_circle *al_circles_at(struct al_circles *c, size_t i);

/* True if |identity| is in a circle in which we are, too (we want their logs then). */
bool al_circles_shares(struct al_circles *c, const struct al_identity *identity);

/* The key to write with: of the newest readable epoch. AL_E_NOT_FOUND: we are not in. */
AL_MUST_CHECK int al_circles_key(
    uint8_t key[AL_EPOCH_KEY_BYTES], struct al_circles *c, const struct al_circle *circle);

/* --- changing: the owner's devices ---------------------------------------------------------- */

/* Whom a member's reading key is asked of: NULL when nothing is known of them. */
typedef const struct al_record *al_record_of_fn(void *arg, const struct al_identity *identity);

/*
 * Why the owner must open a new epoch: 0 there is no need, AL_E_ORDER (several heads that differ),
 * AL_E_REVOKED (a member's device was revoked, or their reading key has changed, since), AL_E_STATE
 * (a member asked to leave). For a member that is not the owner: a reason to warn who writes.
 */
int al_circle_needs(
    struct al_circles *c, const struct al_circle *circle, al_record_of_fn *record_of, void *arg);

/* A member asked to leave: an own or foreign entry of kind `leave`, sealed for |circle|. */
AL_MUST_CHECK int al_circles_take_leave(
    struct al_circles *c, const struct al_circle *circle, const struct al_identity *who);

struct al_circle_change {
    const struct al_circle *circle; /* NULL: a new one, with the fresh id |cid| */
    struct al_circle_id cid;
    struct al_slice name; /* empty: as it is */
    const struct al_identity *add, *remove;
    uint32_t add_count, remove_count;
    bool history; /* grant the keys of all earlier epochs, also to whom is added */
};

/*
 * Append to |b| the payload of the circle entry that makes |change| (possibly empty: a new epoch
 * with the members as they are), to stand at |place|. Fills |p| with it, its slices in |b|. A
 * member whose reading key is unknown is named in |ret_who|. Returns 0, AL_E_NOT_FOUND (that),
 * AL_E_LIMIT (more than AL_MEMBERS_MAX), AL_E_STATE (we do not own it), AL_E_LENGTH (name),
 * AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_circle_compose(struct al_circles *c, struct al_buf *b, struct al_payload *p,
    struct al_identity *ret_who, const struct al_circle_change *change,
    const struct al_place *place, al_record_of_fn *record_of, void *arg, struct al_rng *rng);

#endif
