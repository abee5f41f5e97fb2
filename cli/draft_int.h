/* Shared by draft*.c only: the files of drafts. */
#ifndef AL_DRAFT_INT_H
#define AL_DRAFT_INT_H

#include "draft.h"

/* An open, locked draft file. */
struct al_draft_file {
    int fd; /* -1: none */
    const char *path;
    struct al_slice text; /* what it holds, kept as long as the struct al_cli */
    struct al_slice call; /* n = 0: nothing usable */
};

/*
 * Open and lock |path|, and read what it holds. |create| makes it when it is not there, and waits
 * for whoever has it locked. Returns 0, or -1 with errno; EWOULDBLOCK: a living command has it.
 */
int al_draft_file_open(struct al_cli *c, struct al_draft_file *ret, const char *path, bool create);

/* Replace what it holds. Returns 0, or -1 with errno, and then it is empty. */
int al_draft_file_write(struct al_draft_file *f, struct al_slice text, struct al_slice call);

/* Make sure that it survives a power cut. */
void al_draft_file_sync(const struct al_draft_file *f);

/* Close it, and remove it when it is |done|. */
void al_draft_file_close(struct al_draft_file *f, bool done);

#endif
