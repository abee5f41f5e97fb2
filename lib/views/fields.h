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

/* What a row shows as the fields of an entry. */
struct al_fields_opts {
    struct al_slice own;   /* the map of the entry itself, or empty */
    struct al_slice shown; /* the map of the content that shows: the same, or that of an edit */
    bool unlinked;         /* without the entry that it says it shares */
    bool wider;            /* it answers an entry that fewer people can read */
};

/* Append them as one map: what an edit can change is its own, all else stays the entry's. */
void al_fields_put(struct al_buf *b, const struct al_fields_opts *opts);

/* The encoded reference |name| in such a map (n = 0 when absent). */
struct al_slice al_fields_ref(struct al_slice fields, const char *name);

/* The text of field |name| in such a map (n = 0 when absent). */
struct al_slice al_fields_text(struct al_slice fields, const char *name);

/* Append what search finds an entry by besides its text: tags, title, quote and link. */
void al_fields_words(struct al_buf *b, struct al_slice tags, struct al_slice fields);

#endif
