/* What the writer and the readers of the search index must agree on. */
#ifndef AL_WORDS_H
#define AL_WORDS_H

#define AL_WORDS_PART_BITS 15
#define AL_WORDS_PART_DOCS (INT64_C(1) << AL_WORDS_PART_BITS) /* positions of one partition */

#endif
