/* Rows as commands print them: all their fields, for the plain and JSON forms. */
#ifndef AL_ROW_OUT_H
#define AL_ROW_OUT_H

#include "err.h"
#include "out.h"
#include "row.h"

/* The fields of a row in their order, for the help of a command. */
#define AL_ROW_OUT_FIELDS                                                                          \
    "time, id, name, kind, to, tags, text, state, replies, mine, petname, identity, re, rt, url, " \
    "title, quote, src, who, profile_name, about, working, wants, knows, snippet, depth, at, "     \
    "claimed, arrived, device, log, seq, pos, circle, close, files"

void al_row_out(struct al_out *o, const struct al_row *r);

/*
 * Read the array |key| of the answer |map| into a new array, which the caller frees and which
 * borrows from the answer; NULL and 0 when it is empty. Returns 0, AL_E_RPC or AL_E_NOMEM.
 */
AL_MUST_CHECK int al_row_out_read(
    struct al_row **ret, size_t *ret_count, struct al_slice map, const char *key);

#endif
