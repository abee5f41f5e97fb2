/* Names that people give, to themselves and to their machines. */
#ifndef AL_NAMES_H
#define AL_NAMES_H

#include <stdbool.h>

#include "limit.h"

#define AL_NAMES_BYTES (AL_NAME_MAX + 2) /* room to notice a longer one */
#define AL_NAMES_RULE "it has 1 to 64 bytes of visible text, without a space at its ends"

/* A name that would show as something else is none. */
bool al_names_good(const char *name);

/* Fill in |name|, of this machine, if it is empty: its host name. False when it is not a good one.
 */
bool al_names_device(char name[AL_NAMES_BYTES]);

#endif
