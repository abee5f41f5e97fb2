/* Leaving the terminal: the process that was started waits until the node is ready, then ends. */
#ifndef AL_DETACH_H
#define AL_DETACH_H

#include "ready.h"

/*
 * Go on in a new process and session; |ready| tells the old one. Returns 0 in the new process,
 * or -1 with errno. The old one never comes back: it exits 0 once the node is ready, or with the
 * status of the new one.
 */
int al_detach(struct al_ready *ready);

/* Give up stdin, stdout and stderr. */
void al_detach_stdio(void);

#endif
