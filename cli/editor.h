/* A text from the person's editor. */
#ifndef AL_EDITOR_H
#define AL_EDITOR_H

#include "cli.h"

/*
 * Open $VISUAL, $EDITOR, or vi on a new file among the drafts that holds |initial| and, below a
 * line that cuts it off, |remark|. |ret_text| is what was written, without white space at its
 * ends, kept as long as |c|; |ret_file| is where it still is.
 *
 * Returns 0, or the exit status after saying what is wrong: the editor failed (the file stays),
 * or the text is empty (the file is gone).
 */
AL_MUST_CHECK int al_editor(struct al_cli *c, struct al_slice *ret_text, const char **ret_file,
    struct al_slice initial, const char *remark);

/* |s| without white space at its ends. */
struct al_slice al_editor_trim(struct al_slice s);

#endif
