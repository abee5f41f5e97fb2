/* Making a person: what `aloudd init` does between the questions. */
#ifndef AL_INIT_H
#define AL_INIT_H

#include "bytes.h"
#include "err.h"
#include "keyring.h"
#include "store.h"

/*
 * Make the first statements of |root| (the certificate of |keyring|'s device, the reading key of
 * generation 1 sealed to it) and put them into the empty |store|, with the name for the profile
 * that the node posts at its first start. One transaction, committed.
 * Returns 0, AL_E_EXISTS (the store has an identity), AL_E_LENGTH (name), or a store error.
 */
AL_MUST_CHECK int al_init_store(struct al_store *store, const struct al_root *root,
    const struct al_keyring *keyring, struct al_slice person_name, struct al_slice device_name,
    uint64_t now_ms, const uint8_t seed[32]);

/*
 * Note in |store| that the person has shown to have the 24 words. One transaction, committed.
 * Returns 0 or a store error.
 */
AL_MUST_CHECK int al_init_confirm(struct al_store *store);

#endif
