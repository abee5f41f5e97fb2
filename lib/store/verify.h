/*
 * Every chain of a store, checked from its bytes: before a database that lay elsewhere is taken for
 * one's own. It looks at the store alone, and needs no index and no keys.
 */
#ifndef AL_VERIFY_H
#define AL_VERIFY_H

#include "bytes.h"
#include "err.h"
#include "store.h"

#define AL_VERIFY_WHY 160

struct al_verify {
    /* Called now and then with how many of the entries are checked; may be NULL. */
    void (*on_progress)(void *arg, uint64_t entries, uint64_t all);
    void *arg;
    uint64_t entries; /* checked, when it is over */
    uint64_t all;
    uint64_t logs;
    char why[AL_VERIFY_WHY]; /* of AL_E_CORRUPT, for people */
};

/*
 * Check that every statement holds and lies in its place; that every log's device has a certificate
 * of the log's identity; that each entry follows the one before it, with the content its id names;
 * and that every run of them ends at a signature of that device, or where none is needed. |v| has
 * on_progress and arg.
 * Returns 0, AL_E_CORRUPT, AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_verify_store(struct al_verify *v, struct al_store *s);

/* The id that |row| of |log| has by its bytes when |prev| is before it: it should be |row|->id. */
void al_verify_row_id(struct al_hash *ret, const struct al_store_log *log,
    const struct al_hash *prev, const struct al_store_row *row);

/*
 * Entry |seq| of |log|, with the id |id|, was taken without a signature. |ret| says whether that is
 * right: whether the root has named it, or the kept proof of a fork vouches for it.
 * docs/protocol.md, "Revoked devices". AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK int al_verify_unsigned(struct al_store *s, bool *ret, const struct al_store_log *log,
    uint64_t seq, const struct al_hash *id);

#endif
