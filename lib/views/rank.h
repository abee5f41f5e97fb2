/* How well an entry fits a search, as a function of FTS5. */
#ifndef AL_RANK_H
#define AL_RANK_H

#include <sqlite3.h>

#include "err.h"

/*
 * Make al_rank(TABLE, SIZE) known on |db|: a number that is greater the better the row fits, given
 * the bytes of its text. It is the saturated term frequency of BM25, normalised by length, summed
 * over the words, where tags, title and quote count twice. BM25 also weighs each word by how rare
 * it is; all words of a search must be there, so that would only shift every result alike, and
 * costs a walk over all their occurrences. AL_E_IO.
 */
AL_MUST_CHECK
int al_rank_register(sqlite3 *db);

#endif
