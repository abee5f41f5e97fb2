/* One valid gossip message of each type and one valid payload of each kind. */
#ifndef SAMPLE_WIRE_H
#define SAMPLE_WIRE_H

#include "message.h"
#include "payload.h"

/*
 * Fill |m| with a message of |type|, all fields and lists in use; lists are encoded into
 * |lists|. False if there is no such type.
 */
bool sample_message(struct al_message *m, uint64_t type, struct al_buf *lists);

/*
 * Append a payload of |kind| with all its fields, open (audience network) or sealed. False if
 * the kind can't be so.
 */
bool sample_payload(struct al_buf *b, enum al_kind kind, bool sealed);

/* Append an array of two attachments, as "files" of a payload holds it. */
struct al_slice sample_files(struct al_buf *b);

/* A reference that depends on |seed|. */
struct al_ref sample_ref(uint64_t seed);

#endif
