/*
 * The fields of a payload that only some kinds have, as the views keep them: one encoded map that
 * goes into a row as it is.
 */
#ifndef AL_FIELDS_H
#define AL_FIELDS_H

#include "bytes.h"
#include "payload.h"

/* Append the map of the fields that |p| has; nothing when it has none. */
void al_fields_write(struct al_buf *b, const struct al_payload *p);

/* The text of field |name| in such a map (n = 0 when absent). */
struct al_slice al_fields_text(struct al_slice fields, const char *name);

/* Append what search finds an entry by besides its text: tags, title, quote and link. */
void al_fields_words(struct al_buf *b, struct al_slice tags, struct al_slice fields);

#endif
