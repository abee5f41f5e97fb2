/* Making a person, and a further device of one: what `aloudd init` and `aloudd restore` do between
 * the questions. */
#ifndef AL_INIT_H
#define AL_INIT_H

#include "bytes.h"
#include "err.h"
#include "keyring.h"
#include "limit.h"
#include "store.h"

/* What the database remembers of its last start, in AL_SPACE_META; files.h says what for. */
#define AL_META_INSTANCE "instance" /* of the key files */
#define AL_META_STARTS "starts"     /* how many there were */
#define AL_META_PLACE "place"       /* where the file lay */

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

/* A peer to begin with: the node admits and dials it from its first turn on. */
struct al_restore_peer {
    struct al_identity identity;
    struct al_device device;
    struct al_slice addresses[AL_ADDRESSES_MAX];
    uint32_t address_count;
    struct al_slice token; /* of an invite, AL_TOKEN_BYTES; or empty */
};

struct al_restore_opts {
    const struct al_root *root;
    const struct al_keyring *keyring; /* of the new device */
    struct al_slice device_name;
    uint64_t created_ms;               /* of its certificate */
    const struct al_slice *statements; /* of this identity, opened before: what a peer knows */
    size_t statement_count;
    const struct al_restore_peer *peer; /* NULL: none */
    uint64_t now_ms;
    uint8_t seed[32];
};

/*
 * Put the certificate of the new device into |store|, which is empty or holds the log of this
 * person, with the statements that a peer has told; and, when nobody knows a reading key, that of
 * generation 1. What |store| knows of the device it was written by is left behind: the new one
 * starts a log of its own, and entries that were written in a copy are written again by the node's
 * first turn. May be repeated. One transaction, committed.
 * Returns 0, AL_E_LENGTH (the name), or a store error.
 */
AL_MUST_CHECK int al_restore_store(struct al_store *store, const struct al_restore_opts *opts);

/* Read what AL_META_CONTACT keeps of a peer; slices point into |bytes|. 0 or AL_E_CORRUPT. */
AL_MUST_CHECK int al_restore_contact(struct al_restore_peer *ret, struct al_slice bytes);

/*
 * Whose log |store| is: the owner of the log it appends to, else the only identity that has
 * statements. |ret_name| (AL_NAME_MAX + 1 bytes) is what they are called, or "".
 * Returns 0, AL_E_NOT_FOUND (nobody's), or a store error.
 */
AL_MUST_CHECK int al_restore_owner(struct al_store *store, struct al_identity *ret, char *ret_name);

/*
 * A copy holds the data of another machine: it stays one until it gets a device of its own. Mark
 * |store| as one, or ask whether it is. Return 0 or a store error.
 */
AL_MUST_CHECK int al_restore_mark_copy(struct al_store *store);
AL_MUST_CHECK int al_restore_is_copy(struct al_store *store, bool *ret);

#endif
