/* Tags as people write them: +tag words, -t tag, and #tag inside a text. */
#ifndef AL_TAGS_H
#define AL_TAGS_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

/* Tags in lower case, sorted by their bytes, each once. */
struct al_tags {
    char tag[AL_TAGS_MAX][AL_TAG_MAX + 1];
    size_t count;
};

/*
 * Add a tag, with or without a leading + or #. Returns 0, AL_E_KIND when it is no tag (letters,
 * digits, '-', '_', '.', '/', at least one letter), AL_E_LENGTH, or AL_E_LIMIT when there are
 * AL_TAGS_MAX already.
 */
AL_MUST_CHECK int al_tags_add(struct al_tags *t, struct al_slice tag);

/* True if |word| is a +tag. "+1" and "C++" are none. */
bool al_tags_is_word(const char *word);

/*
 * Add the #tags of a text: those that begin a word, outside of code and of links. Returns as
 * al_tags_add() does, but passes what is too long or no tag.
 */
AL_MUST_CHECK int al_tags_scan(struct al_tags *t, struct al_slice text);

#endif
