/* log.db in the data directory, before there is a node: is one there, whose is it, and moving it.
 */
#ifndef AL_PLACE_H
#define AL_PLACE_H

#include "bytes.h"
#include "complain.h"
#include "paths.h"

#define AL_PLACE_NAME 72

/* What lies at a path. */
struct al_place_found {
    bool there;       /* a log.db */
    bool has_entries; /* and not what a broken-off init leaves */
    bool copy;        /* that of another machine */
    uint64_t entries;
    struct al_identity owner; /* all zero: nobody's */
    char name[AL_PLACE_NAME]; /* what the owner is called, or "" */
};

/* Look at the database |path|. Returns 0 or a store error. */
AL_MUST_CHECK int al_place_look(struct al_place_found *ret, const char *path);

/*
 * Remove the database |path|, which holds no entries, with the files SQLite put beside it. Returns
 * 0, AL_E_EXISTS (it has entries), or an error, which is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_place_clear(const char *path, struct al_complaint *ret_complaint);

/*
 * Copy the backup |from| to the new file |to|, and look into the copy: its tables, its pages, then
 * every chain, with progress on the terminal. |to| is gone when it is not good. Returns 0, or an
 * error that is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_place_stage(
    const char *to, const char *from, struct al_complaint *ret_complaint);

/* Check every chain of the database |path|, in the same way. */
AL_MUST_CHECK int al_place_verify(const char *path, struct al_complaint *ret_complaint);

/*
 * Give the database |from|, which is closed, the name |to|, durably. What has that name is kept as
 * |to|.before-N; that name is put into |ret_kept| (AL_PATH_BYTES + 16), or "". Returns 0, or an
 * error that is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_place_put(
    const char *to, const char *from, char *ret_kept, struct al_complaint *ret_complaint);

#endif
