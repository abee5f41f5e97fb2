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
 * and that every run of them ends at a signature of that device. |v| has on_progress and arg.
 * Returns 0, AL_E_CORRUPT, AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_verify_store(struct al_verify *v, struct al_store *s);

#endif
