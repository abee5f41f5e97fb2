/* The statements of an identity, as the store keeps them. */
#ifndef AL_STORE_RECORD_H
#define AL_STORE_RECORD_H

#include "identity.h"
#include "store.h"

/*
 * The record of |identity|, to be freed with al_record_free(). |ret_bad|, which may be NULL, counts
 * what the store holds that is no statement of theirs. AL_E_NOMEM or a store error.
 */
AL_MUST_CHECK
int al_store_record(struct al_record **ret, size_t *ret_bad, struct al_store *store,
    const struct al_identity *identity);

#endif
