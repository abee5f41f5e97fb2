/*
 * The recovery phrase: 32 bytes of entropy as 24 words, each of 11 bits, the last 8 bits a checksum
 * (BIP-39). The words encode the entropy itself; no key is stretched from them.
 */
#ifndef AL_PHRASE_H
#define AL_PHRASE_H

#include "bytes.h"
#include "err.h"

#define AL_PHRASE_WORDS 24
#define AL_PHRASE_BYTES (AL_PHRASE_WORDS * 9) /* words, single spaces and a NUL: 216 at most */

/* Write the phrase of |entropy|: the words with single spaces between them and a NUL. */
void al_phrase_text(char out[AL_PHRASE_BYTES], const uint8_t entropy[32]);

/* Word |i| (0..23) of the phrase. */
const char *al_phrase_word(const uint8_t entropy[32], size_t i);

/*
 * Read a phrase as people type it: capitals, any white space, and words cut down to four letters or
 * more are fine. |where| says what is wrong: the number of the word, counted from 1, for
 * AL_E_PHRASE_WORD, and how many words there are for AL_E_COUNT.
 *
 * Returns 0, AL_E_PHRASE_WORD (a word is not on the list), AL_E_COUNT (not 24 words),
 * AL_E_PHRASE_CHECKSUM (each word is known, but they do not belong together).
 */
AL_MUST_CHECK
int al_phrase_parse(uint8_t ret_entropy[32], size_t *where, struct al_slice text);

/* True if |typed|, read as tolerantly, is word |i| (0..23) of the phrase. */
bool al_phrase_confirms(const uint8_t entropy[32], size_t i, struct al_slice typed);

#endif
