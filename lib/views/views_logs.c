#include <stdlib.h>

#include "views_int.h"

#define LOGS_MAX (1U << 24) /* numbers are given out one by one: more is damage */

int al_views_author(struct al_views *v, int64_t *ret, const struct al_identity *identity)
{
    sqlite3_stmt *st = v->sql[AL_SQL_AUTHOR_FIND];
    al_viewdb_bind_blob(st, 1, al_slice_of(identity->b, sizeof(identity->b)));
    int got = al_viewdb_int(st, ret, NULL, 0);
    if (got != 0)
        return got < 0 ? got : 0;
    st = v->sql[AL_SQL_AUTHOR_ADD];
    al_viewdb_bind_blob(st, 1, al_slice_of(identity->b, sizeof(identity->b)));
    al_viewdb_bind_int(st, 2, al_identity_eq(identity, &v->keyring.identity) ? 1 : 0);
    int err = al_viewdb_run(st);
    if (err == 0)
        *ret = sqlite3_last_insert_rowid(v->db);
    return err;
}

/* A log that the views have not met yet. */
static int add_log(struct al_views *v, uint32_t no)
{
    struct al_store_log log;
    int64_t author;
    int err = al_store_log_get(v->store, &log, no);
    if (err == 0)
        err = al_views_author(v, &author, &log.identity);
    if (err != 0)
        return err;
    sqlite3_stmt *st = v->sql[AL_SQL_LOG_ADD];
    al_viewdb_bind_int(st, 1, no);
    al_viewdb_bind_int(st, 2, author);
    al_viewdb_bind_blob(st, 3, al_slice_of(log.device.b, sizeof(log.device.b)));
    al_viewdb_bind_blob(st, 4, al_slice_of(log.log.b, sizeof(log.log.b)));
    return al_viewdb_run(st);
}

/* Read a log from our own table. Returns 1, 0 when it is not there, or an error. */
static int load_log(struct al_views *v, struct al_views_log *lg, uint32_t no)
{
    sqlite3_stmt *st = v->sql[AL_SQL_LOG_GET];
    al_viewdb_bind_int(st, 1, no);
    int got = al_viewdb_step(st);
    if (got > 0) {
        *lg = (struct al_views_log){
            .known = true,
            .author = sqlite3_column_int64(st, 0),
            .hidden = UINT64_MAX,
        };
        al_viewdb_bytes(st, 1, lg->identity.b, sizeof(lg->identity.b));
        if (sqlite3_column_type(st, 2) != SQLITE_NULL)
            lg->hidden = al_viewdb_uint(st, 2);
        al_viewdb_bytes(st, 3, lg->device.b, sizeof(lg->device.b));
        al_viewdb_bytes(st, 4, lg->name.b, sizeof(lg->name.b));
    }
    (void)sqlite3_reset(st);
    return got;
}

static int make_log_room(struct al_views *v, uint32_t no)
{
    if (no < v->log_count)
        return 0;
    if (no >= LOGS_MAX)
        return AL_E_CORRUPT;
    uint32_t count = no + no / 2 + 16;
    struct al_views_log *logs = reallocarray(v->logs, count, sizeof(*logs));
    if (logs == NULL)
        return AL_E_NOMEM;
    memset(logs + v->log_count, 0, (count - v->log_count) * sizeof(*logs));
    v->logs = logs;
    v->log_count = count;
    return 0;
}

int al_views_log(struct al_views *v, struct al_views_log **ret, uint32_t no)
{
    int err = make_log_room(v, no);
    if (err != 0)
        return err;
    struct al_views_log *lg = &v->logs[no];
    if (!lg->known) {
        int got = load_log(v, lg, no);
        if (got == 0) {
            err = add_log(v, no);
            got = err != 0 ? err : load_log(v, lg, no);
        }
        if (got <= 0)
            return got < 0 ? got : AL_E_CORRUPT;
    }
    *ret = lg;
    return 0;
}

void al_views_forget_logs(struct al_views *v)
{
    free(v->logs);
    v->logs = NULL;
    v->log_count = 0;
}
