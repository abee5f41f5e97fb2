/*
 * pieces.db: pieces of other people's attachments, beside log.db. Nothing in it is missed when it
 * is gone: a file that is damaged, or of another version, is thrown away, and a call that fails
 * leaves things as if the piece were not there. Private to the SQLite store.
 *
 * A writer makes the file with the first piece; a reader looks at each use whether it is there, and
 * whether it is still the same.
 */
#ifndef AL_PIECECACHE_H
#define AL_PIECECACHE_H

#include "bytes.h"
#include "err.h"

struct al_piececache;

/*
 * The cache beside the file |log_path|. Nothing is made yet, but what an earlier writer left in the
 * write-ahead log is brought to its place. AL_E_NOMEM, AL_E_PATH.
 */
AL_MUST_CHECK
int al_piececache_new(struct al_piececache **ret, const char *log_path, bool read_only);
void al_piececache_free(struct al_piececache *c); /* after a rollback, or NULL */

/*
 * What is written belongs to the transaction that ends with one of these two. When a piece was to
 * be gone, it is gone from the disk when the commit returns, if need be with the whole file.
 */
void al_piececache_commit(struct al_piececache *c);
void al_piececache_rollback(struct al_piececache *c);

/* Empty the write-ahead log. AL_E_BUSY: a reader is in the way. */
AL_MUST_CHECK int al_piececache_tidy(struct al_piececache *c);

/* Add a piece that is not there. AL_E_FULL, AL_E_IO. */
AL_MUST_CHECK
int al_piececache_add(
    struct al_piececache *c, const struct al_hash *hash, struct al_slice piece, uint64_t used_ms);

/* |ret| lives until the next call. AL_E_NOT_FOUND also for what can't be read. */
AL_MUST_CHECK
int al_piececache_get(struct al_piececache *c, struct al_slice *ret, const struct al_hash *hash);
bool al_piececache_has(struct al_piececache *c, const struct al_hash *hash);

void al_piececache_touch(struct al_piececache *c, const struct al_hash *hash, uint64_t used_ms);
void al_piececache_del(struct al_piececache *c, const struct al_hash *hash);
void al_piececache_trim(struct al_piececache *c, uint64_t bytes);
uint64_t al_piececache_bytes(struct al_piececache *c);

#endif
