/*
 * The index of everything the node carries, in memory over the store: people with their records
 * and relations, devices, logs with the runs held of each. The store is the truth; the index is
 * loaded from it, changed with it inside one transaction, and loaded anew after a failed commit.
 */
#ifndef AL_LOGS_H
#define AL_LOGS_H

#include "bytes.h"
#include "circles.h"
#include "err.h"
#include "identity.h"
#include "keyring.h"
#include "map.h"
#include "now.h"
#include "rng.h"
#include "store.h"

/* A person. Relations are this node's owner's choices. */
struct al_person {
    struct al_identity identity;
    struct al_record *record;
    bool follow, admit, block;
    struct al_log **logs; /* all logs held of this person */
    uint32_t log_count, log_cap;
};

struct al_log {
    uint32_t no; /* in the store */
    struct al_person *person;
    struct al_device device;
    struct al_logname name;
    struct al_store_run *runs; /* descending; runs[0].last is the head */
    uint32_t run_count, run_cap;
    struct al_hash head_id;
    uint64_t held;
    uint64_t frozen;   /* it forks here: nothing from here on is taken or offered; 0: it doesn't */
    struct al_cut cut; /* the root lets it count up to here; seq AL_SEQ_MAX: all of it */
    uint64_t acked;    /* own logs: the newest entry that another node said it holds */
    uint64_t again;    /* from here on sealed entries are to be applied anew; 0: none are */
    uint64_t hold;     /* own logs: nothing beyond this entry leaves yet; AL_SEQ_MAX: all may */
    uint64_t left;     /* own logs on hold: nothing beyond this entry has ever left */
};

struct al_logs {
    struct al_store *store;
    const struct al_keyring *keyring; /* |keys|, which learns newer reading keys */
    struct al_keyring keys;
    struct al_rng *rng;
    struct al_map *people;      /* identity -> struct al_person * */
    struct al_map *devices;     /* device -> struct al_person *, or a marker for a disputed one */
    struct al_map *logs;        /* device || log -> struct al_log * */
    struct al_map *retracted;   /* a set: id of an entry || identity that retracted it */
    struct al_circles *circles; /* of which this person is a member or the owner */
    bool copy; /* these are the data of another machine: nothing leaves, and all that is written
                  goes into a log that is never sent */
    struct al_person *self;
    struct al_log *own;     /* the log this node appends to; NULL: the next entry starts one */
    bool own_left;          /* something came in that it did not hold; until somebody tells */
    struct al_log *local;   /* what a copy writes to: it is never offered; NULL: there is none */
    uint64_t said;          /* statements that changed a record since the load */
    struct al_now now;      /* of what was appended or taken in last: for budgets */
    uint32_t again;         /* logs that are to be applied anew */
    bool relations_changed; /* by a choice of one's own, from here or from another device */
    uint64_t entries;
    uint64_t pos;            /* of the newest change */
    bool misses;             /* facts came to AL_SPACE_MISSING here, and nobody has looked */
    uint64_t aside;          /* own entries that have to be written again: rewrite.h */
    uint64_t aside_until_ms; /* when that is done, by the monotonic clock */
    uint64_t written_again;  /* the first entry of |own| written so that peers are not told of yet;
                                0: there is none */
    struct al_buf pieces; /* hashes of own pieces that are to come, since gossip has taken them */
};

/* Load the index of |store|; |keyring| is copied. Returns 0 or AL_E_NOT_INITIALISED, AL_E_CORRUPT,
 * AL_E_IO, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_logs_new(struct al_logs **ret, struct al_store *store,
    const struct al_keyring *keyring, struct al_rng *rng);
void al_logs_free(struct al_logs *l);

/* Find; NULL when unknown. */
struct al_person *al_logs_person(const struct al_logs *l, const struct al_identity *identity);
struct al_log *al_logs_find(
    const struct al_logs *l, const struct al_device *device, const struct al_logname *name);

/* The one person whom |device| speaks for; NULL when nobody, or when two claim it. */
struct al_person *al_logs_owner(const struct al_logs *l, const struct al_device *device);

/* Find a person or make an empty one (in memory only). AL_E_NOMEM. */
AL_MUST_CHECK int al_logs_person_add(
    struct al_logs *l, struct al_person **ret, const struct al_identity *identity);

/*
 * Find a log of a certified device or make it. Returns 0, AL_E_NOT_CERTIFIED, AL_E_LIMIT (more
 * logs than a device may have), AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_logs_open(struct al_logs *l, struct al_log **ret,
    const struct al_device *device, const struct al_logname *name);

/*
 * Take in an encoded statement of anybody: verify, store, index. |ret_new| says whether it
 * changed the record. Returns 0 or the errors of al_statement_open(), al_record_add(), the store.
 */
AL_MUST_CHECK int al_logs_statement(struct al_logs *l, bool *ret_new, struct al_slice bytes);

/*
 * Take the newest reading key that the own record holds for this device. What was sealed with it
 * and is here already takes effect bit by bit: al_apply_again(). Returns 0 or a store error.
 */
AL_MUST_CHECK int al_logs_learn(struct al_logs *l);

/* The newest entry held, 0 when none. */
uint64_t al_log_head(const struct al_log *log);

/*
 * The newest entry that is offered to others, 0 when none: the head, but nothing the root does not
 * let count, nothing that is on hold, and nothing from a fork on, unless the root has settled it
 * and the entry it named is held. |ret_id| is its id. Store errors.
 */
AL_MUST_CHECK int al_log_offer(
    struct al_logs *l, uint64_t *ret_seq, struct al_hash *ret_id, const struct al_log *log);

/* True if it forks, and no revocation says yet which side counts. */
bool al_log_disputed(const struct al_log *log);

/* True if all entries up to |seq| are held, and |seq| is not 0. */
bool al_log_whole(const struct al_log *log, uint64_t seq);

/* True if the id of entry |seq| is certain: it is held, or the entry after it is. */
bool al_log_knows(const struct al_log *log, uint64_t seq);

/* True if entry |seq| is held. */
bool al_log_holds(const struct al_log *log, uint64_t seq);

/* The run that holds |seq|, or the nearest one below it; NULL when there is none. */
const struct al_store_run *al_log_run_at(const struct al_log *log, uint64_t seq);

/* What |prev| must be in entry |first| where it is certain: returns 0 or AL_E_NOT_FOUND. */
AL_MUST_CHECK int al_log_prev(
    struct al_logs *l, struct al_hash *ret, const struct al_log *log, uint64_t first);

/* Note in the index that first..last is held now; al_store_put() has stored it. */
AL_MUST_CHECK int al_log_note_run(
    struct al_log *log, uint64_t first, uint64_t last, const struct al_hash *prev);

/*
 * Take out entry |seq|, which is held, with all that is held of its block from the beginning of its
 * run on. Store errors.
 */
AL_MUST_CHECK int al_log_take_out(struct al_logs *l, struct al_log *log, uint64_t seq);

/*
 * How far entries of a log of |person| count: AL_SEQ_MAX, or less when |device| is revoked, 0 when
 * it was never certified.
 */
uint64_t al_logs_cut(
    const struct al_person *person, const struct al_device *device, const struct al_logname *name);

/* True if |device| may have one more log. */
bool al_logs_has_room(const struct al_person *person, const struct al_device *device);

/*
 * Never go on with the present own log, from the next entry on, also after a restart. Returns 0
 * or a store error.
 */
AL_MUST_CHECK int al_logs_leave_own(struct al_logs *l);

/*
 * Entries of an own log from |seq| on turn out to be written on a state that was not whole, and
 * none of them has left: take them out, so that what others hold in their place can come, and
 * write them again at the end of a new log, in their order and with their time, with references
 * among them moved along. Returns 0, AL_E_STATE (some may have left: they lie below |hold|),
 * AL_E_LIMIT, or a store error.
 */
AL_MUST_CHECK int al_logs_rewrite(
    struct al_logs *l, struct al_log *log, uint64_t seq, struct al_now now);

/*
 * This node was a copy and has become a device of its own: what the copy wrote is written again, in
 * the log of the new device. Nothing to do when it wrote nothing. Returns 0, AL_E_STATE (it is a
 * copy still), AL_E_LIMIT, or a store error.
 */
AL_MUST_CHECK int al_logs_adopt_local(struct al_logs *l, struct al_now now);

/* Keep how far the own log, which is on hold, may have left; or that from now on all of it may. */
AL_MUST_CHECK int al_logs_left_save(struct al_logs *l);
AL_MUST_CHECK int al_logs_left_forget(struct al_logs *l);

/* Keep |log|->acked, for the next start. */
AL_MUST_CHECK int al_logs_acked_save(struct al_logs *l, const struct al_log *log);

/* How many entries of this person's own logs are held here. */
uint64_t al_logs_own_entries(const struct al_logs *l);

#endif
