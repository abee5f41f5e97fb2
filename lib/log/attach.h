/*
 * What entries need of files: for each piece, who names it, so that it can be let go when nobody
 * does any more; and which pieces of our own entries are still to come. docs/protocol.md,
 * "Attachments".
 */
#ifndef AL_ATTACH_H
#define AL_ATTACH_H

#include "logs.h"
#include "payload.h"

/*
 * The entry |id| in |log| names the files of |p|. Pieces of our own entries that are not here are
 * added to |l|->pieces. What an upload needed is the entry's now. Returns 0, AL_E_NOMEM, or a store
 * error.
 */
AL_MUST_CHECK int al_attach_note(struct al_logs *l, const struct al_log *log,
    const struct al_hash *id, const struct al_payload *p);

/*
 * It does not any more: pieces that nobody else needs are dropped, those of an own entry when
 * nothing else of our own needs them.
 */
AL_MUST_CHECK int al_attach_forget(
    struct al_logs *l, const struct al_hash *id, const struct al_payload *p);

/* The same for the stored entry |row| of |log|, as far as it can be read here. */
AL_MUST_CHECK int al_attach_forget_row(
    struct al_logs *l, const struct al_log *log, const struct al_store_row *row);

/*
 * The same for all that is held of |log| from |first| to the end of its block, which is taken out.
 * Pieces of our own entries wait for those to come again.
 */
AL_MUST_CHECK int al_attach_forget_block(
    struct al_logs *l, const struct al_log *log, uint64_t first);

/* Who needs a piece. */
struct al_attach_need {
    bool any;
    bool own; /* one of our own entries, or an upload */
};

AL_MUST_CHECK int al_attach_needed(
    struct al_logs *l, struct al_attach_need *ret, const struct al_hash *piece);

/* An upload under |handle| needs a piece, until an entry takes it over; or does not any more. */
#define AL_UPLOAD_HANDLE_BYTES 16
AL_MUST_CHECK int al_attach_upload(
    struct al_logs *l, const struct al_hash *piece, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES]);
AL_MUST_CHECK int al_attach_upload_end(
    struct al_logs *l, const struct al_hash *piece, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES]);

/* A piece of our own has come: it is none of those that are to come. */
AL_MUST_CHECK int al_attach_came(struct al_logs *l, const struct al_hash *piece);

/*
 * Read the payload of the stored entry |row| of |log|, opened when it is sealed and a key of ours
 * opens it; then |ret_clear| holds what |ret| points into. The caller frees |ret_clear| in any
 * case. Returns 0, AL_E_NOT_FOUND (the payload is not here), AL_E_SEALED, what al_payload_open()
 * returns, AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_attach_read(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_log *log, const struct al_store_row *row);

#endif
