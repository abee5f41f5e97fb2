/*
 * Telling whoever started this program that it is ready, or why it never will be: systemd by a
 * datagram, a waiting program by one line on an inherited descriptor ("ready", or what is wrong).
 */
#ifndef AL_READY_H
#define AL_READY_H

#include "err.h"

#define AL_READY_FDS 2

struct al_ready {
    int fds[AL_READY_FDS]; /* closed once they have heard; -1: none */
};

void al_ready_init(struct al_ready *r);

/* Tell |fd|, too. It is owned by |r| then. */
void al_ready_add(struct al_ready *r, int fd);

/* Say it. Once only: later calls do nothing. */
void al_ready_say(struct al_ready *r, const char *line);

/* Close all without a word: another process says it. */
void al_ready_forget(struct al_ready *r);

/* Send |state| to the socket that systemd named, if it did. */
void al_ready_notify(const char *state);

/* The listening socket that systemd passed to this very process, or -1. */
int al_ready_inherited_socket(void);

#endif
