/* A git repository, asked through the program git. No shell is involved. */
#ifndef AL_GITREPO_H
#define AL_GITREPO_H

#include "cli.h"

struct al_gitrepo {
    const char *path;  /* as typed; what git gets as -C */
    const char *name;  /* of its origin, else of its directory */
    const char *email; /* of its user; "" when it is not configured */
};

/* Which commits of its present branch; merges never. */
struct al_gitrepo_pick {
    const char *email;   /* of exactly this author, or NULL */
    const char *pattern; /* of authors that match, as git log --author has it, or NULL */
};

/* Look at |path|. Returns 0, or the exit status after saying what is wrong. */
AL_MUST_CHECK int al_gitrepo_open(struct al_cli *c, struct al_gitrepo *ret, const char *path);

struct al_gitrepo_log {
    int fd;  /* to read from */
    int pid; /* of git */
};

/*
 * Start `git log -z` in |format|, oldest first. Returns 0, or the exit status after saying what is
 * wrong.
 */
AL_MUST_CHECK int al_gitrepo_log(struct al_cli *c, struct al_gitrepo_log *ret,
    const struct al_gitrepo *repo, const struct al_gitrepo_pick *pick, const char *format);

/*
 * Close it, at its end or before, and wait for git. True if git was content; when closed before
 * its end it never is.
 */
bool al_gitrepo_close(struct al_gitrepo_log *log);

#endif
