/* The tables of the SQLite store: what its struct al_store_ops points to. */
#ifndef AL_SQLITE_INT_H
#define AL_SQLITE_INT_H

#include "store_int.h"

/* sqlite_fact.c: logs, runs, signatures, small facts */
int al_sqlite_log_find(struct al_store *s, struct al_store_log *ret, const struct al_device *device,
    const struct al_logname *log);
int al_sqlite_log_from(struct al_store *s, struct al_store_log *ret, uint32_t no);
int al_sqlite_log_add(struct al_store *s, struct al_store_log *log);
int al_sqlite_log_set(struct al_store *s, const struct al_store_log *log);
int al_sqlite_run_at(struct al_store *s, struct al_store_run *ret, uint32_t log_no, uint64_t seq);
int al_sqlite_run_put(struct al_store *s, uint32_t log_no, const struct al_store_run *run);
int al_sqlite_run_del(struct al_store *s, uint32_t log_no, uint64_t first);
int al_sqlite_sig_at(
    struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no, uint64_t seq);
int al_sqlite_sig_put(struct al_store *s, uint32_t log_no, uint64_t seq, const struct al_sig *sig);
int al_sqlite_sig_del(struct al_store *s, uint32_t log_no, uint64_t seq);
int al_sqlite_kv_get(
    struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key);
int al_sqlite_kv_put(
    struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value);
int al_sqlite_kv_del(struct al_store *s, enum al_space space, struct al_slice key);
int al_sqlite_kv_scan(struct al_store *s, enum al_space space, struct al_slice prefix,
    int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg);

/* sqlite_entry.c: entries and changes */
int al_sqlite_rows_add(struct al_store *s, uint64_t pos, uint32_t log_no, uint64_t seq,
    const struct al_store_item *items, uint32_t count, uint64_t arrived_ms);
int al_sqlite_row_get(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq);
int al_sqlite_rows(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
    int (*cb)(void *arg, const struct al_store_row *row), void *arg);
int al_sqlite_payload_set(
    struct al_store *s, const struct al_store_row *row, struct al_slice payload);
int al_sqlite_rows_del(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last);
int al_sqlite_change_add(struct al_store *s, const struct al_store_change *change);
int al_sqlite_changes(struct al_store *s, uint64_t from, uint32_t limit,
    int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
    void *arg);
int al_sqlite_position(struct al_store *s, uint64_t *ret_pos);

/* sqlite_piece.c: pieces of attachments, own ones here, the others through piececache.h */
int al_sqlite_piece_add(struct al_store *s, bool own, const struct al_hash *hash,
    struct al_slice piece, uint64_t used_ms);
int al_sqlite_piece_get(
    struct al_store *s, bool own, struct al_slice *ret, const struct al_hash *hash);
int al_sqlite_piece_has(struct al_store *s, bool own, bool *ret, const struct al_hash *hash);
int al_sqlite_piece_del(struct al_store *s, bool own, const struct al_hash *hash);
int al_sqlite_piece_bytes(struct al_store *s, bool own, uint64_t *ret);
int al_sqlite_piece_touch(struct al_store *s, const struct al_hash *hash, uint64_t used_ms);
int al_sqlite_piece_trim(struct al_store *s, uint64_t bytes);

#endif
