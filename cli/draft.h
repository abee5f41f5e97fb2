/*
 * Never lose a word, and never say it twice. What is to be posted is in a file before the node
 * hears of it, together with the key of the call; it goes when the node has answered. A file that
 * is still there belongs to a command that was cut off, or to a node that could not be reached: it
 * is sent again with its key, and the node, which remembers keys, does nothing twice.
 *
 * In the directory drafts/ of the state directory:
 *   NAME.draft   the text, and behind it the call as it is sent; NAME is made from the call
 *   NAME.md      a text that was never handed over: left in an editor, or refused
 */
#ifndef AL_DRAFT_H
#define AL_DRAFT_H

#include "cli.h"

/* What is to be posted. */
struct al_draft {
    struct al_params call; /* parameters of `post`, without the key */
    struct al_slice text;  /* the part of them that must not be lost */
    const char *file;      /* where the text is already (NAME.md), or NULL */
    const char *again;     /* the command that takes it from a file on stdin: "aloud post" */
    bool name_only;        /* the text only says what waits: nothing is lost when it is refused */
};

/*
 * Keep the draft, send what waits from before, then this. |ret| is the node's answer, kept as
 * long as |c|. Returns 0, or the exit status after saying what went wrong and where the text is.
 */
AL_MUST_CHECK int al_draft_send(struct al_cli *c, struct al_slice *ret, struct al_draft *d);

/* Say that the text is refused, why, and where it is kept. Returns the exit status. */
AL_MUST_CHECK int al_draft_refuse(struct al_cli *c, const struct al_draft *d, struct al_trouble t);

/*
 * Keep a text of a command that was refused for something else, and say where it is. No command is
 * suggested that posts it: whom it was for may be just what was wrong.
 */
void al_draft_leave(struct al_cli *c, struct al_slice text);

/*
 * Send what waits, and count it in |ret_sent|. Returns 0, or the exit status after saying what
 * went wrong.
 */
AL_MUST_CHECK int al_draft_send_waiting(struct al_cli *c, size_t *ret_sent);

/* How many drafts wait to be sent, and how many texts were left. */
struct al_draft_count {
    size_t waiting;
    size_t left;
};
struct al_draft_count al_draft_count(struct al_cli *c);

/* One that is there. */
struct al_draft_info {
    const char *name; /* of the file, without its suffix */
    const char *path;
    bool waits; /* it has its call with it, and is sent by the next post; else it is a text left */
    bool busy;  /* a living command has it: hands off */
    uint64_t time_ms;
    struct al_slice text;
};

/*
 * Those that are there, oldest first, at most |cap|; they live as long as |c|. Returns how many.
 */
size_t al_draft_list(struct al_cli *c, struct al_draft_info *ret, size_t cap);

/*
 * Send one that waits. Returns 0 when it is dealt with, also by leaving its text behind because it
 * can't be posted, which has been said; else the exit status.
 */
AL_MUST_CHECK int al_draft_send_one(struct al_cli *c, const struct al_draft_info *d);

/* The directory, made if need be; NULL with errno when that fails. */
const char *al_draft_dir(struct al_cli *c);

/* A new file for a text, |suffix| ".md", open for writing: its descriptor, or -1 with errno. */
int al_draft_new_text(struct al_cli *c, const char **ret_path);

#endif
