/* Logs, runs, signatures and small facts in log.db. */
#include "sqlite_int.h"
#include "stmt.h"

/* --- logs ---------------------------------------------------------------------------------- */

static int read_log(struct al_stmt *q, struct al_store_log *ret)
{
    if (!al_stmt_row(q))
        return al_stmt_end(q, AL_E_NOT_FOUND);
    struct al_store_log log = {
        .no = (uint32_t)al_stmt_int(q, 0),
        .head_seq = al_stmt_int(q, 4),
        .held = al_stmt_int(q, 6),
    };
    al_stmt_fixed(q, 1, log.identity.b, sizeof(log.identity.b));
    al_stmt_fixed(q, 2, log.device.b, sizeof(log.device.b));
    al_stmt_fixed(q, 3, log.log.b, sizeof(log.log.b));
    al_stmt_fixed(q, 5, log.head_id.b, sizeof(log.head_id.b));
    int err = al_stmt_end(q, 0);
    if (err == 0)
        *ret = log;
    return err;
}

int al_sqlite_log_find(struct al_store *s, struct al_store_log *ret, const struct al_device *device,
    const struct al_logname *log)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_LOG_FIND);
    al_stmt_bind_bytes(&q, 1, al_slice_of(device->b, sizeof(device->b)));
    al_stmt_bind_bytes(&q, 2, al_slice_of(log->b, sizeof(log->b)));
    return read_log(&q, ret);
}

int al_sqlite_log_from(struct al_store *s, struct al_store_log *ret, uint32_t no)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_LOG_FROM);
    al_stmt_bind_int(&q, 1, no);
    return read_log(&q, ret);
}

int al_sqlite_log_add(struct al_store *s, struct al_store_log *log)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_LOG_ADD);
    al_stmt_bind_bytes(&q, 1, al_slice_of(log->identity.b, sizeof(log->identity.b)));
    al_stmt_bind_bytes(&q, 2, al_slice_of(log->device.b, sizeof(log->device.b)));
    al_stmt_bind_bytes(&q, 3, al_slice_of(log->log.b, sizeof(log->log.b)));
    int err = al_stmt_run(&q);
    if (err == 0)
        log->no = (uint32_t)sqlite3_last_insert_rowid(q.owner->db);
    return err;
}

int al_sqlite_log_set(struct al_store *s, const struct al_store_log *log)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_LOG_SET);
    al_stmt_bind_int(&q, 1, log->no);
    al_stmt_bind_int(&q, 2, log->head_seq);
    al_stmt_bind_bytes(&q, 3, al_slice_of(log->head_id.b, sizeof(log->head_id.b)));
    al_stmt_bind_int(&q, 4, log->held);
    return al_stmt_run(&q);
}

/* --- runs ---------------------------------------------------------------------------------- */

int al_sqlite_run_at(struct al_store *s, struct al_store_run *ret, uint32_t log_no, uint64_t seq)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_RUN_AT);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, seq);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    struct al_store_run run = {.first = al_stmt_int(&q, 0), .last = al_stmt_int(&q, 1)};
    al_stmt_fixed(&q, 2, run.prev.b, sizeof(run.prev.b));
    int err = al_stmt_end(&q, 0);
    if (err == 0)
        *ret = run;
    return err;
}

int al_sqlite_run_put(struct al_store *s, uint32_t log_no, const struct al_store_run *run)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_RUN_PUT);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, run->first);
    al_stmt_bind_int(&q, 3, run->last);
    al_stmt_bind_bytes(&q, 4, al_slice_of(run->prev.b, sizeof(run->prev.b)));
    return al_stmt_run(&q);
}

int al_sqlite_run_del(struct al_store *s, uint32_t log_no, uint64_t first)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_RUN_DEL);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, first);
    return al_stmt_run(&q);
}

/* --- signatures ---------------------------------------------------------------------------- */

int al_sqlite_sig_at(
    struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no, uint64_t seq)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_SIG_AT);
    struct al_sig sig;
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, seq);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    seq = al_stmt_int(&q, 0);
    al_stmt_fixed(&q, 1, sig.b, sizeof(sig.b));
    int err = al_stmt_end(&q, 0);
    if (err == 0) {
        *ret_seq = seq;
        *ret_sig = sig;
    }
    return err;
}

int al_sqlite_sig_put(struct al_store *s, uint32_t log_no, uint64_t seq, const struct al_sig *sig)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_SIG_PUT);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, seq);
    al_stmt_bind_bytes(&q, 3, al_slice_of(sig->b, sizeof(sig->b)));
    return al_stmt_run(&q);
}

int al_sqlite_sig_del(struct al_store *s, uint32_t log_no, uint64_t seq)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_SIG_DEL);
    al_stmt_bind_int(&q, 1, log_no);
    al_stmt_bind_int(&q, 2, seq);
    return al_stmt_run(&q);
}

/* --- small facts --------------------------------------------------------------------------- */

int al_sqlite_kv_get(
    struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_KV_GET);
    al_stmt_bind_int(&q, 1, (uint64_t)space);
    al_stmt_bind_bytes(&q, 2, key);
    if (!al_stmt_row(&q))
        return al_stmt_end(&q, AL_E_NOT_FOUND);
    int err = al_stmt_keep(&q, ret, al_stmt_bytes(&q, 0));
    return al_stmt_end(&q, err);
}

int al_sqlite_kv_put(
    struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_KV_PUT);
    al_stmt_bind_int(&q, 1, (uint64_t)space);
    al_stmt_bind_bytes(&q, 2, key);
    al_stmt_bind_bytes(&q, 3, value);
    return al_stmt_run(&q);
}

int al_sqlite_kv_del(struct al_store *s, enum al_space space, struct al_slice key)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_KV_DEL);
    al_stmt_bind_int(&q, 1, (uint64_t)space);
    al_stmt_bind_bytes(&q, 2, key);
    return al_stmt_run(&q);
}

int al_sqlite_kv_scan(struct al_store *s, enum al_space space, struct al_slice prefix,
    int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg)
{
    struct al_stmt q = al_stmt_use(s, AL_SQL_KV_FROM);
    int stop = 0;
    al_stmt_bind_int(&q, 1, (uint64_t)space);
    al_stmt_bind_bytes(&q, 2, prefix);
    while (stop == 0 && al_stmt_row(&q)) {
        struct al_slice key = al_stmt_bytes(&q, 0);
        if (key.n < prefix.n || !al_slice_eq(al_slice_of(key.p, prefix.n), prefix))
            break;
        stop = cb(arg, key, al_stmt_bytes(&q, 1));
    }
    return al_stmt_end(&q, stop);
}
