/* What the writer and the readers of the search index must agree on. */
#ifndef AL_WORDS_H
#define AL_WORDS_H

#define AL_WORDS_PART_BITS 15
#define AL_WORDS_PART_DOCS (INT64_C(1) << AL_WORDS_PART_BITS) /* positions of one partition */

/*
 * Marks of an entry (tokens.h), in the column of that name: a letter and a number. What a search is
 * narrowed to is looked up in the index, too.
 */
#define AL_WORDS_AUTHOR 'A'
#define AL_WORDS_KIND 'K'
#define AL_WORDS_AUDIENCE 'U'
#define AL_WORDS_CIRCLE 'C'

#endif
