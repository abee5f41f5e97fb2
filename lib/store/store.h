/*
 * The narrow store: logs of entries with their signatures, a change log, and small facts under
 * keys. Two implementations: in memory for the simulator (mem.c), SQLite for the node (sqlite.c).
 * Synchronous, one thread. Every write stands between al_store_begin() and al_store_commit();
 * nothing of it is visible to other connections, or durable, before commit returns 0. Callbacks
 * may read, and must not write or end the transaction.
 *
 * Positions: every stored entry and every other change gets the next number of one counter, so a
 * follower that remembers one number can go on where it was. Numbers are dense enough to be
 * compared, but may have gaps.
 */
#ifndef AL_STORE_H
#define AL_STORE_H

#include "bytes.h"
#include "entry.h"
#include "err.h"

struct al_store;

/* A log that the store knows, by a small local number (1, 2, ...). */
struct al_store_log {
    uint32_t no;
    struct al_identity identity;
    struct al_device device;
    struct al_logname log;
    uint64_t head_seq;      /* the newest entry held, 0 when none */
    struct al_hash head_id; /* its id */
    uint64_t held;          /* number of entries held */
};

/* One stored entry. |payload| has n = 0 when it is not held. */
struct al_store_row {
    uint64_t pos;
    uint32_t log_no;
    uint64_t seq;
    uint64_t time_ms;
    uint64_t arrived_ms;
    struct al_hash id;
    uint32_t plen;
    struct al_hash phash; /* computed when the payload is held */
    struct al_slice payload;
};

/* Entries first..last are held without a gap; |prev| is what first - 1 must be. */
struct al_store_run {
    uint64_t first, last;
    struct al_hash prev;
};

/* One entry to be stored. |payload| n = 0: not held (stub), then |phash| counts. */
struct al_store_item {
    uint64_t time_ms;
    struct al_hash id;
    uint32_t plen;
    struct al_hash phash;
    struct al_slice payload;
};

enum al_change {
    AL_CHANGE_ENTRY = 1,       /* an entry was added: log_no, seq */
    AL_CHANGE_PAYLOAD_IN = 2,  /* a missing payload arrived: log_no, seq */
    AL_CHANGE_PAYLOAD_OUT = 3, /* a payload was dropped: log_no, seq */
    AL_CHANGE_UNLOCKED = 4,    /* a new key may open sealed entries of this log */
    AL_CHANGE_HIDDEN = 5,      /* entries of this log from seq on are revoked, and none below */
    AL_CHANGE_FROZEN = 6,      /* this log forks at seq; 0: that is settled */
    AL_CHANGE_STATE = 7,       /* a relation changed (own choice); log_no 0 */
    AL_CHANGE_PEOPLE = 8,      /* statements of an identity arrived; log_no 0 */
    AL_CHANGE_REMOVED = 9,     /* entries of this log were taken out: from seq to the end of its
                                  block, those with a position before this change */
};

struct al_store_change {
    uint64_t pos;
    enum al_change what;
    uint32_t log_no;
    uint64_t seq;
};

/* Spaces of small facts. The key's form stands beside each. */
enum al_space {
    AL_SPACE_META = 1,      /* name -> value */
    AL_SPACE_STATEMENT = 2, /* identity b32 || statement hash b32 -> encoded statement */
    AL_SPACE_STATE = 3,     /* state key -> [time_ms, id, value]: own choices, latest wins */
    AL_SPACE_CALL = 4,      /* key b16 -> [when_ms, result]: idempotency of the local API */
    AL_SPACE_SOURCE = 5,    /* H("aloud1-source", src) b32 -> "1": what imports brought */
    AL_SPACE_INVITE = 6,    /* token b16 -> invite given out */
    AL_SPACE_PEER = 7,      /* device b32 -> address book entry */
    AL_SPACE_RETRACT = 8,   /* target id b32 || identity b32 || device b32 || log b8 || u64 seq of
                               the retraction -> ref of the target, which may come later */
    AL_SPACE_REPLY = 9,     /* parent id b32 || child id b32 -> ref of the child */
    AL_SPACE_MISSING = 11,  /* device b32 || log b8 || u64 seq -> "1": a payload to be asked for */
    AL_SPACE_FORK = 10,     /* device b32 || log b8 -> u64 seq || encoded fork proof */
    AL_SPACE_ACKED = 12,    /* device b32 || log b8 -> u64 seq of ours that another node holds */
    AL_SPACE_CIRCLE = 13,   /* what lib/circle has found out about epochs; its keys: circle_int.h */
    AL_SPACE_EDIT = 14,     /* target id b32 || edit id b32 -> ref of the edit */
    AL_SPACE_OUTBOX = 15,   /* u64 number -> [due_ms, since_ms, to, why, params of post]: held,
                               not signed yet */
    AL_SPACE_UPLOAD = 16,   /* handle b16 -> [created_ms, attachment as far as it has come] */
    AL_SPACE_PIECE = 17,    /* piece hash b32 || entry id b32 -> "1", own: "2": who needs it */
    AL_SPACE_EXCERPT =
        18,              /* u64 position || log no u32 || u64 seq -> u64 bytes: the cache's order */
    AL_SPACE_ASIDE = 19, /* device b32 || log b8 || u64 seq -> [time_ms, prev, id, payload]: own
                            entries that have to be written again */
    AL_SPACE_PIECE_WANT = 20, /* piece hash b32 -> "1": of an own entry, and not here yet */
};

enum al_store_mode {
    AL_STORE_CREATE, /* write; make the file if it is not there */
    AL_STORE_WRITE,  /* write; the one connection that writes or checkpoints */
    AL_STORE_READ,   /* read only; never checkpoints; each call sees the newest commit */
};

/* --- opening ------------------------------------------------------------------------------- */

/*
 * Open the SQLite store in the file |path|. A new file is made whole: its directory entry is
 * synced before this returns. An older schema is migrated forward (WRITE and CREATE only).
 * Returns 0, AL_E_NOT_FOUND, AL_E_SCHEMA (newer: untouched), AL_E_CORRUPT, AL_E_BUSY, AL_E_IO,
 * AL_E_FULL, AL_E_READ_ONLY, AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_store_open(struct al_store **ret, const char *path, enum al_store_mode mode);

/* A new empty store in memory, gone when it is closed. AL_E_NOMEM. */
AL_MUST_CHECK
int al_store_open_mem(struct al_store **ret);

/*
 * A disk for the simulator: what is committed to a store on it stays until the disk is freed, so
 * a node can crash and come back. One store at a time is open on a disk.
 */
struct al_store_disk;
struct al_store_disk *al_store_disk_new(void); /* NULL: no memory */
void al_store_disk_free(struct al_store_disk *d);

/* A copy of what is committed to |d|, on which no store is open. NULL: no memory. */
struct al_store_disk *al_store_disk_copy(struct al_store_disk *d);

/* Open the store on |d|, for writing. AL_E_NOMEM, AL_E_BUSY when it is open already. */
AL_MUST_CHECK
int al_store_open_disk(struct al_store **ret, struct al_store_disk *d);

/* From now on, or no longer: what begins on |d| fails with AL_E_FULL. */
void al_store_disk_fill(struct al_store_disk *d, bool full);

/* Let the next commit on |d| fail with |err|; |there|: what it held is there nevertheless. */
void al_store_disk_fail_commit(struct al_store_disk *d, int err, bool there);

/* True for the errors after which a transaction can't be committed: they are nobody's fault. */
bool al_store_is_error(int err);

/* Close; NULL is allowed. An open transaction is rolled back. */
void al_store_close(struct al_store *s);

/* --- transactions -------------------------------------------------------------------------- */

/*
 * Returns 0, AL_E_READ_ONLY for a reader, AL_E_BUSY when somebody else writes, AL_E_IO, AL_E_FULL:
 * nothing can be written until there is space, but all that was committed can be read.
 */
AL_MUST_CHECK
int al_store_begin(struct al_store *s);

/*
 * Make everything since begin durable. On an error (AL_E_IO, AL_E_FULL, ...) it is NOT known
 * whether it is there: every later call answers AL_E_DOUBT. Close the store, open it again, and
 * read. A write that failed before spoils its transaction: commit then undoes everything and
 * returns that error, with the same duty.
 */
AL_MUST_CHECK
int al_store_commit(struct al_store *s);

/* Undo everything since begin. */
void al_store_rollback(struct al_store *s);

/* --- logs and entries ---------------------------------------------------------------------- */

/* The log's numbers by its name. Returns 0 or AL_E_NOT_FOUND, AL_E_IO. */
AL_MUST_CHECK
int al_store_log_find(struct al_store *s, struct al_store_log *ret, const struct al_device *device,
    const struct al_logname *log);

/* The same by its local number. */
AL_MUST_CHECK
int al_store_log_get(struct al_store *s, struct al_store_log *ret, uint32_t no);

/* Make a log. AL_E_EXISTS, and nothing is changed. */
AL_MUST_CHECK
int al_store_log_add(struct al_store *s, uint32_t *ret_no, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log);

/* Call |cb| for each log by ascending number until it returns non-zero, which is returned. */
AL_MUST_CHECK
int al_store_logs(
    struct al_store *s, int (*cb)(void *arg, const struct al_store_log *log), void *arg);

/*
 * Store |count| >= 1 consecutive entries of one block from |first|, none of which is held yet,
 * with |sig| over the last; NULL will do when the entry after it is held and in the same block.
 * |prev| is the id of first - 1. Runs are joined, and a signature that is neither a block's last
 * nor the head of a run any more is dropped. |ret_pos| is the position of the last; entry i has
 * ret_pos - count + 1 + i. The caller has verified everything; what the store refuses all the same
 * changes nothing: AL_E_BLOCK (they cross a block), AL_E_EXISTS (one is held), AL_E_PREV (they
 * don't fit the entries beside them), AL_E_SIG (a signature is needed), AL_E_NOT_FOUND (no such
 * log).
 */
AL_MUST_CHECK
int al_store_put(struct al_store *s, uint64_t *ret_pos, uint32_t log_no, uint64_t first,
    const struct al_hash *prev, const struct al_store_item *items, uint32_t count,
    const struct al_sig *sig, uint64_t arrived_ms);

/* One entry; slices live until the next call. Returns 0, AL_E_NOT_FOUND, AL_E_IO. */
AL_MUST_CHECK
int al_store_get(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq);

/* Entries first..last that are held, ascending; |cb| as above. */
AL_MUST_CHECK
int al_store_entries(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
    int (*cb)(void *arg, const struct al_store_row *row), void *arg);

/* The runs of a log, descending. */
AL_MUST_CHECK
int al_store_runs(struct al_store *s, uint32_t log_no,
    int (*cb)(void *arg, const struct al_store_run *run), void *arg);

/*
 * The first signature kept at or after |seq|: its place in |ret_seq|.
 * Returns 0, AL_E_NOT_FOUND, AL_E_IO.
 */
AL_MUST_CHECK
int al_store_sig(
    struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no, uint64_t seq);

/*
 * Fill in a missing payload (the caller compared its hash), or drop one. Both log a change, or do
 * nothing when it is so already. AL_E_NOT_FOUND: no such entry.
 */
AL_MUST_CHECK
int al_store_payload_put(
    struct al_store *s, uint32_t log_no, uint64_t seq, struct al_slice payload);
AL_MUST_CHECK
int al_store_payload_drop(struct al_store *s, uint32_t log_no, uint64_t seq);

/*
 * Take out what is held of one log from |first| to the end of its block, with the payloads and the
 * signatures among them. |first| begins a block or a run, so that what stays below still ends at a
 * signature; what stays above becomes a run of its own. Logs a change REMOVED of |first|.
 * AL_E_NOT_FOUND: no such log, or nothing to take out; AL_E_BLOCK: the entry before |first| is
 * held, and in the same block.
 */
AL_MUST_CHECK
int al_store_remove(struct al_store *s, uint32_t log_no, uint64_t first);

/* --- pieces of attachments ----------------------------------------------------------------- */

/*
 * Pieces by their hashes, which the caller has checked. Own ones are part of the truth and lie with
 * it: they are as durable as an entry. Those of others are a cache in a file of its own
 * (pieces.db, beside log.db), which may be deleted at any time. A piece that is there stays; one
 * of the cache becomes own when it is put as own. The cache takes part in transactions, but what it
 * fails to do never fails one: AL_E_FULL and AL_E_IO of a piece that is not own are about this
 * piece only.
 */
AL_MUST_CHECK
int al_store_piece_put(struct al_store *s, const struct al_hash *hash, struct al_slice piece,
    bool own, uint64_t now_ms);

/* |ret| lives until the next call. Returns 0, AL_E_NOT_FOUND, AL_E_IO. */
AL_MUST_CHECK
int al_store_piece_get(struct al_store *s, struct al_slice *ret, const struct al_hash *hash);

/* Whether it is here, without reading it. */
AL_MUST_CHECK
int al_store_piece_has(struct al_store *s, bool *ret, const struct al_hash *hash);

/* Note that a piece of the cache was used at |now_ms|. */
AL_MUST_CHECK
int al_store_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t now_ms);

/* Wherever it is; 0 also when it is not there. */
AL_MUST_CHECK
int al_store_piece_drop(struct al_store *s, const struct al_hash *hash);

/* Let go of pieces of the cache, those unused the longest first, until |bytes| of it are left. */
AL_MUST_CHECK
int al_store_piece_trim(struct al_store *s, uint64_t bytes);

/* Bytes of own pieces, and of the cache. */
AL_MUST_CHECK
int al_store_piece_usage(struct al_store *s, uint64_t *ret_own, uint64_t *ret_cache);

/* --- changes ------------------------------------------------------------------------------- */

/* Log a change that is none of the store's own (entries and payloads log theirs). */
AL_MUST_CHECK
int al_store_change(
    struct al_store *s, uint64_t *ret_pos, enum al_change what, uint32_t log_no, uint64_t seq);

/*
 * At most |limit| changes after position |from|, ascending. For AL_CHANGE_ENTRY and
 * AL_CHANGE_PAYLOAD_IN |row| is the entry, else NULL.
 */
AL_MUST_CHECK
int al_store_changes(struct al_store *s, uint64_t from, uint32_t limit,
    int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
    void *arg);

/* The newest position given out, 0 when none. */
AL_MUST_CHECK
int al_store_position(struct al_store *s, uint64_t *ret_pos);

/* --- small facts --------------------------------------------------------------------------- */

/* |ret| lives until the next call. Returns 0, AL_E_NOT_FOUND, AL_E_IO. */
AL_MUST_CHECK
int al_store_kv_get(
    struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key);
AL_MUST_CHECK
int al_store_kv_put(
    struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value);
AL_MUST_CHECK
int al_store_kv_del(struct al_store *s, enum al_space space, struct al_slice key);

/* Facts whose key begins with |prefix|, ascending by key; |cb| may not write. */
AL_MUST_CHECK
int al_store_kv_scan(struct al_store *s, enum al_space space, struct al_slice prefix,
    int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg);

/* --- care ---------------------------------------------------------------------------------- */

/*
 * Between transactions: empty the write-ahead log into the database, so that nothing dropped
 * stays readable in it, and give memory back. AL_E_BUSY: a reader was in the way, try again;
 * AL_E_IO, AL_E_FULL.
 */
AL_MUST_CHECK
int al_store_tidy(struct al_store *s);

/*
 * True if words were taken out since it was opened or tidied (a payload, a piece, a held post):
 * they lie in the write-ahead log until it is emptied.
 */
bool al_store_is_untidy(const struct al_store *s);

/*
 * Look into the database file |path|, which may be anybody's and is ours to write: that it is a
 * log.db of this version or an older one (which is migrated), with its tables and nothing besides,
 * and that SQLite finds its pages in order. What its rows say is not judged; verify.h does.
 * Returns 0, AL_E_CORRUPT, AL_E_SCHEMA (newer), AL_E_NOT_FOUND (no file, or an empty one), AL_E_IO,
 * AL_E_FULL.
 */
AL_MUST_CHECK
int al_store_check(const char *path);

/*
 * Write a consistent copy of a SQLite store to the new file |path| (VACUUM INTO, synced), on a
 * connection of its own. AL_E_EXISTS, AL_E_IO, AL_E_FULL.
 */
AL_MUST_CHECK
int al_store_backup(const char *db_path, const char *path);

#endif
