/* The 24 words, as they come in: typed at the terminal, or from a file of one's own. */
#ifndef AL_PHRASE_IN_H
#define AL_PHRASE_IN_H

#include "complain.h"
#include "keyring.h"

/*
 * Ask for the words at the terminal, in one line or many, until they are a phrase: a word that is
 * not on the list is named by its number and typed again. False when the input ends before.
 */
bool al_phrase_in_ask(uint8_t ret_entropy[AL_ENTROPY_BYTES]);

/*
 * Read them from the file |path|, which must be a plain file that nobody else can read. Returns 0,
 * or an error that is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_phrase_in_read(
    uint8_t ret_entropy[AL_ENTROPY_BYTES], const char *path, struct al_complaint *ret_complaint);

#endif
