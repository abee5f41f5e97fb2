/*
 * How text becomes words, in the search index and wherever we look for them ourselves. Words are
 * those of SQLite's unicode61, without case and diacritics. Runs of a script that puts no spaces
 * between words (Han, Kana, Thai, Lao, Khmer, Myanmar) become overlapping pairs of characters,
 * the last one by itself: so a part of such a run of any length is found, by a phrase of pairs.
 * A word is cut after 64 bytes.
 *
 * A text for the index that begins with AL_TOKENS_MARK is no text, but marks of our own: capital
 * letters and numbers between spaces, which no text can produce, because all words are folded.
 */
#ifndef AL_TOKENS_H
#define AL_TOKENS_H

#include <sqlite3.h>

#include "bytes.h"
#include "err.h"

#define AL_TOKEN_MAX 64 /* bytes of a word that count */
#define AL_TOKENS_MARK 0x01

/* What FTS5 offers for tokenizers and functions on |db|. AL_E_IO when this SQLite has no FTS5. */
AL_MUST_CHECK
int al_tokens_api(fts5_api **ret, sqlite3 *db);

/* Make the tokenizer "aloud" known to FTS5 on |db|. AL_E_IO when this SQLite has no FTS5. */
AL_MUST_CHECK
int al_tokens_register(sqlite3 *db);

/* Splits text outside of FTS5. */
struct al_tokens;
AL_MUST_CHECK
int al_tokens_new(struct al_tokens **ret, sqlite3 *db);
void al_tokens_free(struct al_tokens *t);

/*
 * Call |cb| for each word of |text|: |word| is folded, |start| and |end| are where it stands.
 * |query| splits it as a query is: the last character of a run is not there by itself.
 * A result of |cb| that is not 0 ends it and is returned.
 */
AL_MUST_CHECK
int al_tokens_each(struct al_tokens *t, struct al_slice text, bool query,
    int (*cb)(void *arg, struct al_slice word, size_t start, size_t end), void *arg);

/* Whether |text| holds a word at all. Returns 1, 0, or AL_E_NOMEM. */
AL_MUST_CHECK
int al_tokens_any(struct al_tokens *t, struct al_slice text);

/*
 * True if |text| ends in a single character of a script without spaces: the search must look
 * for pairs that begin with it.
 */
bool al_tokens_ends_single(struct al_slice text);

#endif
