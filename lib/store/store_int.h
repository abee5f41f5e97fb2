/*
 * Inside the store: what an implementation has to do. store.c keeps the rules that hold for every
 * store (runs, signatures, heads, positions, failed transactions) and calls these for the rest.
 *
 * Functions return 0 or AL_E_*; what looks for something returns AL_E_NOT_FOUND. Those that write
 * are called inside a transaction only.
 */
#ifndef AL_STORE_INT_H
#define AL_STORE_INT_H

#include "store.h"

struct al_store_ops {
    void (*close)(struct al_store *s); /* after a rollback; frees |s| */
    int (*begin)(struct al_store *s);
    int (*commit)(struct al_store *s);
    void (*rollback)(struct al_store *s);
    int (*tidy)(struct al_store *s);

    int (*log_find)(struct al_store *s, struct al_store_log *ret, const struct al_device *device,
        const struct al_logname *log);
    int (*log_from)(struct al_store *s, struct al_store_log *ret, uint32_t no); /* first >= no */
    int (*log_add)(struct al_store *s, struct al_store_log *log);       /* fills in the number */
    int (*log_set)(struct al_store *s, const struct al_store_log *log); /* its head, its count */

    /* The run with the greatest first <= seq. */
    int (*run_at)(struct al_store *s, struct al_store_run *ret, uint32_t log_no, uint64_t seq);
    int (*run_put)(struct al_store *s, uint32_t log_no, const struct al_store_run *run);
    int (*run_del)(struct al_store *s, uint32_t log_no, uint64_t first);

    /* The first signature at or after seq. */
    int (*sig_at)(struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no,
        uint64_t seq);
    int (*sig_put)(struct al_store *s, uint32_t log_no, uint64_t seq, const struct al_sig *sig);
    int (*sig_del)(struct al_store *s, uint32_t log_no, uint64_t seq);

    /* Entries from |seq|, at positions from |pos|. */
    int (*rows_add)(struct al_store *s, uint64_t pos, uint32_t log_no, uint64_t seq,
        const struct al_store_item *items, uint32_t count, uint64_t arrived_ms);
    int (*row_get)(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq);
    int (*rows)(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
        int (*cb)(void *arg, const struct al_store_row *row), void *arg);

    /* Give the entry |row| another payload; n = 0: drop it, and keep its length and hash. */
    int (*payload_set)(struct al_store *s, const struct al_store_row *row, struct al_slice payload);

    /* Take out the entries first..last that are held. */
    int (*rows_del)(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last);

    int (*change_add)(struct al_store *s, const struct al_store_change *change);
    int (*changes)(struct al_store *s, uint64_t from, uint32_t limit,
        int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
        void *arg);
    int (*position)(struct al_store *s, uint64_t *ret_pos);

    int (*kv_get)(
        struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key);
    int (*kv_put)(
        struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value);
    int (*kv_del)(struct al_store *s, enum al_space space, struct al_slice key);
    int (*kv_scan)(struct al_store *s, enum al_space space, struct al_slice prefix,
        int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg);

    /* Own pieces, or those of the cache. A piece is added only where it is not. */
    int (*piece_add)(struct al_store *s, bool own, const struct al_hash *hash,
        struct al_slice piece, uint64_t used_ms);
    int (*piece_get)(
        struct al_store *s, bool own, struct al_slice *ret, const struct al_hash *hash);
    int (*piece_has)(struct al_store *s, bool own, bool *ret, const struct al_hash *hash);
    int (*piece_del)(struct al_store *s, bool own, const struct al_hash *hash);
    int (*piece_bytes)(struct al_store *s, bool own, uint64_t *ret);
    int (*piece_touch)(struct al_store *s, const struct al_hash *hash, uint64_t used_ms);
    int (*piece_trim)(struct al_store *s, uint64_t bytes);
};

/* What every store has; an implementation puts it first in its own struct. */
struct al_store {
    const struct al_store_ops *ops;
    bool read_only;
    bool in_transaction;
    bool untidy;  /* something was taken out, which lies about until tidied */
    bool doubt;   /* a commit failed: only closing is left */
    int spoiled;  /* the first error of a write in this transaction */
    uint64_t pos; /* inside a transaction: the newest position given out */
};

/* May a call go on? SQLite can undo a whole transaction when one write fails: nothing may follow.
 */
AL_MUST_CHECK int al_store_may_write(const struct al_store *s);
AL_MUST_CHECK int al_store_may_read(const struct al_store *s);

/* The end of every write: remembers an error, and returns it. */
AL_MUST_CHECK int al_store_written(struct al_store *s, int err);

#endif
