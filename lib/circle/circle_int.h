/* Shared by the files of lib/circle only. */
#ifndef AL_CIRCLE_INT_H
#define AL_CIRCLE_INT_H

#include "circles.h"

/*
 * What a hostile owner can make this node remember of one circle; honest circles stay far below.
 * Further epochs are passed over.
 */
#define CIRCLE_EPOCHS_MAX 8192
#define CIRCLE_SEEN_MAX 4096

/* What is noted of an epoch in AL_SPACE_CIRCLE, under owner, circle and the entry's id. */
struct fact {
    struct al_ref ref;
    struct al_hash prev; /* of the entry: with |ref| its place */
    uint64_t n;
    struct al_hash parents[AL_CIRCLE_PARENTS_MAX];
    uint32_t parent_count;
    uint32_t tried;      /* up to this generation of ours its boxes were tried; 0: not yet */
    uint32_t box;        /* number of our box, counted from 1; 0: none is */
    uint32_t generation; /* of our reading key that opens it */
    bool hidden;         /* by a device that was revoked before */
};

struct epoch {
    struct fact fact;
    bool open;  /* its key is known, and its meta opened with it */
    bool bad;   /* a box is ours, but the meta does not open, or says what can't be */
    bool noted; /* during a comparison with the facts */
    bool parent;
    bool head; /* readable, and no counting epoch's parent */
    uint8_t key[AL_EPOCH_KEY_BYTES];
    char name[AL_NAME_MAX + 1];
    struct al_member *members; /* NULL when the merged state does not depend on it */
    uint32_t count;
};

/* A key that a later epoch granted: for an epoch that is not here yet, or that another opens. */
struct grant {
    struct al_hash id;
    uint8_t key[AL_EPOCH_KEY_BYTES];
};

struct asked { /* a member wants to leave */
    struct al_identity who;
    uint64_t n;
};

struct circle {
    struct al_circle pub;  /* first: a struct al_circle * is a struct circle * */
    struct epoch **epochs; /* ascending by id */
    uint32_t epoch_count, epoch_cap;
    struct epoch **open; /* those that are, descending by (n, id) */
    uint32_t open_count, open_cap;
    struct grant *grants; /* ascending by id */
    uint32_t grant_count, grant_cap;
    struct al_identity *seen; /* whoever is or was in, ascending */
    uint32_t seen_count, seen_cap;
    struct asked *asked;
    uint32_t asked_count, asked_cap;
    const struct epoch *newest; /* that pub.n and pub.epoch tell of */
    struct al_member *merged;
    bool unlocked; /* not told yet */
};

struct waiting { /* an owner of whom entries wait, or whose budget was used */
    struct al_identity owner;
    uint64_t since_ms; /* mono: when the day of the budget began */
    uint32_t used;
    bool waits;
};

struct left {
    struct al_identity owner;
    struct al_circle_id cid;
    uint64_t n;
};

struct al_circles {
    struct al_store *store;
    const struct al_keyring *keyring;
    struct circle **circles; /* ascending by owner and id */
    uint32_t count, cap;
    struct waiting *owners;
    uint32_t owner_count, owner_cap;
    struct left *left;
    uint32_t left_count, left_cap;
    uint64_t version;
    uint64_t at_ms; /* mono: tries at this instant */
    uint32_t at_once;
    uint64_t now_ms;  /* mono, of the last call that knew */
    uint32_t tried;   /* all entries were tried, or wait, up to this generation */
    uint32_t derived; /* the keys below are there up to this generation */
    uint8_t read_sk[AL_READ_GENERATIONS_MAX][32];
    uint8_t read_pk[AL_READ_GENERATIONS_MAX][32];
    uint8_t me_key[AL_READ_GENERATIONS_MAX][32];
};

/* --- facts.c: AL_SPACE_CIRCLE ----------------------------------------------------------------- */

/* What stands before the rest of a key there. */
#define FACT_EPOCH 'e'   /* owner, circle, entry id -> struct fact */
#define FACT_WAITING 'w' /* owner, u64 UINT64_MAX - n, circle, entry id -> "1" */
#define FACT_ASKED 'l'   /* owner, circle, member -> u64 n */
#define FACT_EPOCH_KEY_BYTES (1 + 32 + AL_CIRCLE_ID_BYTES + 32)
#define FACT_WAITING_KEY_BYTES (1 + 32 + 8 + AL_CIRCLE_ID_BYTES + 32)
#define FACT_CIRCLE_KEY_BYTES (1 + 32 + AL_CIRCLE_ID_BYTES)

void fact_circle_key(uint8_t out[FACT_CIRCLE_KEY_BYTES], char what, const struct al_identity *owner,
    const struct al_circle_id *cid);

/* The owner, circle and entry in the key of an epoch or of one that waits. */
void fact_key_read(
    struct al_identity *owner, struct al_circle_id *cid, struct al_hash *id, struct al_slice key);

AL_MUST_CHECK int fact_read(struct fact *ret, const struct al_hash *id, struct al_slice value);

/* Returns 0, AL_E_NOT_FOUND, AL_E_CORRUPT or a store error. */
AL_MUST_CHECK int fact_get(struct al_store *store, struct fact *ret,
    const struct al_identity *owner, const struct al_circle_id *cid, const struct al_hash *id);
AL_MUST_CHECK int fact_put(struct al_store *store, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f);
AL_MUST_CHECK int fact_wait(struct al_store *store, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f, bool waits);

/* --- index.c ---------------------------------------------------------------------------------- */

struct circle *circle_find(
    const struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid);

/* Index what was noted; makes the circle when this opens it. */
AL_MUST_CHECK int index_fact(struct al_circles *c, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f);

/* Room for one more of |size| bytes in the list to which |list| points. AL_E_NOMEM. */
AL_MUST_CHECK int list_grow(void *list, uint32_t *cap, uint32_t count, size_t size);

/* Make one circle anew from what is noted. */
AL_MUST_CHECK int circle_reload(
    struct al_circles *c, const struct al_identity *owner, const struct al_circle_id *cid);

struct epoch *epoch_find(const struct circle *circle, const struct al_hash *id);

/* --- take.c ----------------------------------------------------------------------------------- */

/* An owner with a budget; NULL when none was used. */
struct waiting *owner_of(const struct al_circles *c, const struct al_identity *owner);
AL_MUST_CHECK int owner_add(
    struct al_circles *c, struct waiting **ret, const struct al_identity *owner);

/* --- keys.c ----------------------------------------------------------------------------------- */

/* Derive what the keyring has come to know. */
void keys_derive(struct al_circles *c);

/* Look for our box, with the generations that |f| was not tried with; note the result in it. */
void keys_find_box(const struct al_circles *c, struct fact *f, const struct al_identity *owner,
    const struct al_circle_entry *entry);

/* Read the entry of |f|, whose slices live until the next call to the store. Returns 0,
 * AL_E_NOT_FOUND (also: its payload is gone), or a store error. */
AL_MUST_CHECK int fact_load(struct al_store *store, const struct fact *f, struct al_payload *p,
    struct al_circle_entry *ret);

/* Open |e| from the store: by its box or by a grant. Store errors; what does not open is data. */
AL_MUST_CHECK int epoch_unlock(struct al_circles *c, struct circle *circle, struct epoch *e);

/* The key granted for |id|; NULL when there is none. */
const struct grant *grant_find(const struct circle *circle, const struct al_hash *id);

/* --- merge.c ---------------------------------------------------------------------------------- */

/*
 * What two lists say together, ascending: per person the later change, of two at once the leaving,
 * then the newer key. |out| has room for both. How many there are.
 */
uint32_t members_merge(struct al_member *out, const struct al_member *a, uint32_t a_count,
    const struct al_member *b, uint32_t b_count);

/* Let go of the former members that left first, until AL_CIRCLE_LIST_MAX are left. */
uint32_t members_prune(struct al_member *members, uint32_t count);

/* True if the same people are in. */
bool members_same(
    const struct al_member *a, uint32_t a_count, const struct al_member *b, uint32_t b_count);

struct al_member *members_find(
    struct al_member *members, uint32_t count, const struct al_identity *identity);
uint32_t members_in(const struct al_member *members, uint32_t count);

/* Find out which epochs of |circle| are heads, and which is the newest. */
void circle_find_heads(struct circle *circle);

/* True if the members of |e| count. */
bool circle_merges(const struct circle *circle, const struct epoch *e);

/* Work out members, name and the rest of |circle| from its heads. AL_E_NOMEM. */
AL_MUST_CHECK int circle_merge(const struct al_circles *c, struct circle *circle);

/* True if |who|, who is in, asked to leave since they came in. */
bool circle_asked(const struct circle *circle, const struct al_member *who);

/* Order of epochs: by (n, id). */
int epoch_compare(const struct epoch *a, const struct epoch *b);

#endif
