/* Sizes of files as people say them. */
#ifndef AL_SIZE_H
#define AL_SIZE_H

#include <stdint.h>

#define AL_SIZE_TEXT 24

/* "3 bytes", "48 KB", "1.5 MB", "20 MB"; a KB is 1,000 bytes. |out| has AL_SIZE_TEXT bytes. */
const char *al_size_words(char out[AL_SIZE_TEXT], uint64_t bytes);

#endif
