#include "stmt.h"

#include <stdlib.h>

#include "check.h"
#include "sqlerr.h"

static const char *const texts[AL_SQL_COUNT] = {
#define AL_X(name, text) (text),
    AL_SQLS(AL_X)
#undef AL_X
};

static sqlite3_stmt *prepare(struct al_stmt *q, enum al_sql sql, unsigned flags)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(q->owner->db, texts[sql], -1, flags, &st, NULL);
    if (rc != SQLITE_OK)
        q->err = al_sqlerr(q->owner->db, rc);
    return st;
}

struct al_stmt al_stmt_use(struct al_store *s, enum al_sql sql)
{
    struct al_stmt q = {.owner = (struct al_sqlite *)s};
    sqlite3_stmt **kept = &q.owner->kept[sql];
    if (*kept == NULL)
        *kept = prepare(&q, sql, SQLITE_PREPARE_PERSISTENT);
    q.kept = *kept == NULL || !sqlite3_stmt_busy(*kept);
    q.st = q.kept ? *kept : prepare(&q, sql, 0);
    return q;
}

static void check(struct al_stmt *q, int rc)
{
    if (rc != SQLITE_OK && q->err == 0)
        q->err = al_sqlerr(q->owner->db, rc);
}

void al_stmt_bind_int(struct al_stmt *q, int i, uint64_t v)
{
    /* Nothing stored is larger: a larger bound means "to the end". */
    sqlite3_int64 n = v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v;
    if (q->err == 0)
        check(q, sqlite3_bind_int64(q->st, i, n));
}

void al_stmt_bind_bytes(struct al_stmt *q, int i, struct al_slice v)
{
    if (q->err == 0) /* bytes at NULL would be bound as no value */
        check(q, sqlite3_bind_blob64(q->st, i, v.n == 0 ? "" : (const char *)v.p, v.n, NULL));
}

void al_stmt_bind_null(struct al_stmt *q, int i)
{
    if (q->err == 0)
        check(q, sqlite3_bind_null(q->st, i));
}

bool al_stmt_row(struct al_stmt *q)
{
    if (q->err != 0)
        return false;
    int rc = sqlite3_step(q->st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        check(q, rc);
    return rc == SQLITE_ROW;
}

uint64_t al_stmt_int(struct al_stmt *q, int i)
{
    sqlite3_int64 n = sqlite3_column_int64(q->st, i);
    if (n < 0 && q->err == 0)
        q->err = AL_E_CORRUPT;
    return n < 0 ? 0 : (uint64_t)n;
}

struct al_slice al_stmt_bytes(struct al_stmt *q, int i)
{
    const void *p = sqlite3_column_blob(q->st, i);
    return al_slice_of(p, (size_t)sqlite3_column_bytes(q->st, i));
}

void al_stmt_fixed(struct al_stmt *q, int i, void *ret, size_t size)
{
    struct al_slice v = al_stmt_bytes(q, i);
    if (v.n == size)
        memcpy(ret, v.p, size);
    else if (q->err == 0)
        q->err = AL_E_CORRUPT;
}

int al_stmt_end(struct al_stmt *q, int err)
{
    if (q->kept)
        sqlite3_reset(q->st);
    else
        sqlite3_finalize(q->st);
    q->st = NULL;
    return q->err != 0 ? q->err : err;
}

void al_stmt_exec(struct al_stmt *q)
{
    bool row = al_stmt_row(q);
    AL_ASSERT(!row);
    sqlite3_reset(q->st);
}

int al_stmt_run(struct al_stmt *q)
{
    al_stmt_exec(q);
    return al_stmt_end(q, 0);
}

void al_stmt_close(struct al_sqlite *s)
{
    for (size_t i = 0; i < AL_SQL_COUNT; i++) {
        sqlite3_finalize(s->kept[i]);
        s->kept[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
    free(s->answer);
    s->answer = NULL;
    s->answer_cap = 0;
}

int al_stmt_keep(struct al_stmt *q, struct al_slice *ret, struct al_slice v)
{
    struct al_sqlite *s = q->owner;
    if (v.n > s->answer_cap) {
        uint8_t *p = realloc(s->answer, v.n);
        if (p == NULL)
            return AL_E_NOMEM;
        s->answer = p;
        s->answer_cap = v.n;
    }
    if (v.n > 0)
        memcpy(s->answer, v.p, v.n);
    *ret = al_slice_of(s->answer, v.n);
    return 0;
}
