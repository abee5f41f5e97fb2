/* The 2048 words of BIP-39, sorted; no two share their first four letters. */
#ifndef AL_WORDLIST_H
#define AL_WORDLIST_H

#define AL_WORDLIST_COUNT 2048
#define AL_WORDLIST_BYTES 9 /* the longest word has 8 letters; with the NUL */

extern const char al_wordlist[AL_WORDLIST_COUNT][AL_WORDLIST_BYTES];

#endif
