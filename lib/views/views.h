/*
 * What people read: everything derived from entries, in its own database that may be deleted at
 * any time and comes back. The writer follows the change log of the store and nothing else;
 * readers answer queries on connections of their own.
 */
#ifndef AL_VIEWS_H
#define AL_VIEWS_H

#include "bytes.h"
#include "err.h"
#include "keyring.h"
#include "now.h"
#include "store.h"

struct al_views;        /* the one writer */
struct al_views_reader; /* one per thread that reads */

/*
 * Open views.db at |path| for writing, or make it. A file of another version, or a damaged one,
 * is replaced: it will be rebuilt. |log| is a store opened with AL_STORE_READ; |keyring| opens
 * own sealed entries. Both are borrowed. AL_E_IO, AL_E_FULL, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_views_open(struct al_views **ret, const char *path, struct al_store *log,
    const struct al_keyring *keyring);
void al_views_close(struct al_views *v);

/*
 * Take in at most |limit| changes in one transaction. |ret_pos| is where the views are then,
 * |ret_more| whether there is more to do. Entries that can't be read are counted, marked and
 * passed. AL_E_IO, AL_E_FULL.
 */
AL_MUST_CHECK int al_views_step(
    struct al_views *v, uint64_t *ret_pos, bool *ret_more, uint32_t limit);

/*
 * Between steps, at least once a minute: make sure that retracted text is nowhere in the file any
 * more (part of the search index is rewritten, up to half a second for each call; |ret_more| says
 * that there is more to do), empty the write-ahead log, give memory back. AL_E_BUSY: a reader was
 * in the way, try again; AL_E_IO, AL_E_FULL.
 */
AL_MUST_CHECK
int al_views_tidy(struct al_views *v, bool *ret_more);

/*
 * A reader of the same file, read-only, with a store reader of its own on |log_path| for what
 * only the log knows. AL_E_NOT_FOUND before the writer has made it.
 */
AL_MUST_CHECK int al_views_reader_open(struct al_views_reader **ret, const char *path,
    const char *log_path, const struct al_keyring *keyring);
void al_views_reader_close(struct al_views_reader *r);

/*
 * Answer a method whose WHERE is READ in methods.h (all but backup and backup_read). |params| is
 * an encoded map that al_scan_rpc passed. Appends the encoded result to |out|.
 *
 * Returns 0, AL_E_METHOD, AL_E_PARAMS, AL_E_NOT_FOUND, AL_E_QUERY, AL_E_IO; then |out| is as it
 * was, and |ret_why| (128 bytes) says more for people, or is empty.
 */
AL_MUST_CHECK int al_views_query(struct al_views_reader *r, struct al_buf *out, char *ret_why,
    struct al_slice method, struct al_slice params, struct al_now now);

#endif
