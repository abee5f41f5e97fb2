/*
 * Folding: many entries that came in one go read as one line. Pure.
 */
#ifndef AL_FOLD_H
#define AL_FOLD_H

#include "err.h"
#include "row.h"

#define AL_FOLD_MIN 4 /* fewer are not worth it */

struct al_fold {
    size_t first;         /* index of the row that it shows */
    size_t count;         /* of rows it stands for; 1: not folded */
    const size_t *member; /* their indices, in order */
    bool imported;        /* they came from one import; else they were written within a minute */
};

struct al_folds {
    struct al_fold *v; /* in the order of their first rows */
    size_t count;
    size_t *members;
};

/*
 * Fold |n| rows of one day, in the order they are shown: imports of one author from one kind of
 * source, with the same tags and audience, wherever they stand; and runs of one author's entries
 * within a minute. al_folds_free() takes the result. Returns 0 or AL_E_NOMEM.
 */
AL_MUST_CHECK int al_fold_rows(struct al_folds *ret, const struct al_row *rows, size_t n);
void al_folds_free(struct al_folds *f);

/* The kind of source of an imported entry, "git" of "git:4f5e..."; empty when it is none. */
struct al_slice al_fold_source(const struct al_row *r);

#endif
