/* Looking for the words of a query in a text ourselves: to mark them, and without an index. */
#ifndef AL_MATCH_H
#define AL_MATCH_H

#include "query.h"

struct al_match;

/* Prepare to look for the terms of |q| that are wanted, or for those excluded. AL_E_NOMEM. */
AL_MUST_CHECK
int al_match_new(
    struct al_match **ret, const struct al_query *q, bool excluded, struct al_tokens *tokens);
void al_match_free(struct al_match *m);

/* Whether any of the terms is in |text|. Returns 1, 0, or AL_E_NOMEM. */
AL_MUST_CHECK
int al_match_any(struct al_match *m, struct al_slice text);

/*
 * Append a piece of |text| around the first match, as one line, \x02 and \x03 around each match.
 * Returns 1, 0 when nothing matches (and nothing is appended), or AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_match_snippet(struct al_match *m, struct al_buf *out, struct al_slice text);

#endif
