/*
 * Reading what `git log -z --format=AL_GITLOG_FORMAT` prints, in constant memory. The bytes are
 * anybody's: fields may be long, empty, of no known encoding. Pure.
 */
#ifndef AL_GITLOG_H
#define AL_GITLOG_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

/* Commit, time of the author, address of the author, message; each ended by a NUL. */
#define AL_GITLOG_FORMAT "%H%x00%at%x00%ae%x00%B"
#define AL_GITLOG_FIELDS 4

struct al_commit {        /* borrows from the reader until it is fed again */
    struct al_slice hash; /* 40 or 64 hexadecimal digits */
    struct al_slice email;
    struct al_slice message; /* raw, without blank lines around it, at most AL_TEXT_MAX bytes */
    uint64_t at_ms;          /* 1..; 1 for a time before 1970, AL_TIME_MAX at the latest */
};

struct al_gitlog { /* zero it to begin */
    unsigned field;
    size_t n[AL_GITLOG_FIELDS]; /* bytes of each field that were kept */
    char hash[65];              /* one more than any hash has, so that a longer one is noticed */
    char time[24];
    char email[256];
    char message[AL_TEXT_MAX];
    bool done; /* the last call gave a commit: begin anew */
};

/*
 * Take bytes up to the end of one commit. |ret_n| is how many of |bytes| were taken, all of them
 * unless a commit was complete.
 * Returns 0 when |ret| is one, AL_E_MORE when more bytes are needed, AL_E_CORRUPT when this is
 * not what git prints.
 */
AL_MUST_CHECK int al_gitlog_feed(
    struct al_gitlog *g, struct al_commit *ret, size_t *ret_n, struct al_slice bytes);

/* True if the last commit is complete: where the output of git may end. */
bool al_gitlog_at_end(const struct al_gitlog *g);

#endif
