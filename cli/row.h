/* A row of the local API: one entry as views tell it (methods.h, AL_ROW_FIELDS). */
#ifndef AL_ROW_H
#define AL_ROW_H

#include "bytes.h"

/* What matched stands between these in a snippet. */
#define AL_ROW_MATCH_BEGIN '\x02'
#define AL_ROW_MATCH_END '\x03'

/* Borrowed from the answer it was read from. What is absent is empty, NULL, 0 or false. */
struct al_row {
    const uint8_t *id;       /* 32 bytes; never NULL: zeros when it was missing */
    struct al_slice ref;     /* encoded [device, log, seq, id] */
    const uint8_t *identity; /* 32 bytes; never NULL */
    struct al_slice name;
    bool petname; /* |name| was given by the owner of this node */
    bool mine;
    bool close; /* by oneself or by somebody one follows */
    struct al_slice kind;
    struct al_slice to;     /* me, circle, network, web; empty: it can't be read */
    struct al_slice circle; /* its name, when |to| is circle */
    uint64_t time_ms;       /* what it is sorted by */
    uint64_t at_ms;
    uint64_t claimed_ms;
    uint64_t arrived_ms;
    uint64_t pos;
    struct al_slice text;
    struct al_slice tags[16];
    size_t tag_count;
    const uint8_t *re; /* 32 bytes or NULL */
    const uint8_t *rt;
    uint64_t replies;
    size_t id_chars; /* characters of the id that name it today, and two more */
    size_t depth;
    struct al_slice snippet;
    struct al_slice state;
    struct al_slice fields; /* encoded map: al_get_str(row.fields, "url") and so on */
};

#define AL_ROW_FILES_MAX 64 /* attachments that are shown of one entry */

struct al_row_file {
    uint64_t size;
    struct al_slice mime;
    struct al_slice name;
};

/* Attachment |i| of an entry; false when there is none. */
bool al_row_file(struct al_row_file *ret, const struct al_row *r, size_t i);

/* Read an encoded map that the scanner has passed. */
void al_row_read(struct al_row *ret, struct al_slice map);

#endif
