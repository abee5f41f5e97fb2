/*
 * Copies of the log database for clients: made on the thread pool, without a name as soon as they
 * are open, bound to the client that asked, gone with it.
 */
#ifndef AL_BACKUP_H
#define AL_BACKUP_H

#include <uv.h>

#include "bytes.h"
#include "err.h"

#define AL_BACKUP_PART_BYTES (256 * 1024)
#define AL_BACKUPS_MAX 4 /* of all clients */

struct al_backups;

/* As of readers.h: called once on the loop. */
typedef void al_backup_done(
    void *arg, uint64_t id, int err, struct al_slice result, const char *why);

/*
 * Everything is borrowed. Removes what an earlier process left in |data_dir|, where copies are
 * made. NULL: no memory.
 */
struct al_backups *al_backups_new(
    uv_loop_t *loop, const char *log_db, const char *data_dir, al_backup_done *done, void *arg);
void al_backups_free(struct al_backups *b);

/* Make a copy for |owner|; the answer to |id| is {handle, size}. */
void al_backups_make(struct al_backups *b, uint64_t owner, uint64_t id);

/* A part of the copy |handle| of |owner|: {data, last}. After the last one the copy is gone. */
void al_backups_read(
    struct al_backups *b, uint64_t owner, uint64_t id, uint64_t handle, uint64_t offset);

/* |owner| is gone, and with it what it had. */
void al_backups_drop(struct al_backups *b, uint64_t owner);

#endif
