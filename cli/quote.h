/* Words as a shell takes them, for commands that people are told to try. */
#ifndef AL_QUOTE_H
#define AL_QUOTE_H

#include "cli.h"

/*
 * |word| so that a shell reads exactly its bytes, and that a terminal shows it as it is: alone
 * where that is enough, else in quotes; bytes that can't be shown are escaped. Kept as long as |c|.
 */
const char *al_quote(struct al_cli *c, const char *word);

#endif
