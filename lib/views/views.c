#include <stdlib.h>

#include "check.h"
#include "tokens.h"
#include "views_int.h"

#define CACHE_IDLE_BYTES (1 << 20)
#define JOB_ENTRIES 4096 /* of a job in one transaction: a tenth of a second */

/* --- what the views remember of themselves -------------------------------------------------- */

static int meta_get(struct al_views *v, const char *key, int64_t *ret)
{
    sqlite3_stmt *st = v->sql[AL_SQL_META_GET];
    al_viewdb_bind_text(st, 1, al_slice_str(key));
    return al_viewdb_int(st, ret, NULL, 0);
}

static int meta_set(struct al_views *v, enum al_views_sql how, const char *key, int64_t value)
{
    sqlite3_stmt *st = v->sql[how];
    al_viewdb_bind_text(st, 1, al_slice_str(key));
    al_viewdb_bind_int(st, 2, value);
    return al_viewdb_run(st);
}

static int meta_set_blob(struct al_views *v, const char *key, struct al_slice value)
{
    sqlite3_stmt *st = v->sql[AL_SQL_META_PUT];
    al_viewdb_bind_text(st, 1, al_slice_str(key));
    al_viewdb_bind_blob(st, 2, value);
    return al_viewdb_run(st);
}

/* Whether the blob under |key| is |value|: 1, 0, or an error. */
static int meta_is(struct al_views *v, const char *key, struct al_slice value)
{
    sqlite3_stmt *st = v->sql[AL_SQL_META_GET];
    al_viewdb_bind_text(st, 1, al_slice_str(key));
    int got = al_viewdb_step(st);
    if (got > 0)
        got = al_slice_eq(al_viewdb_slice(st, 0), value);
    (void)sqlite3_reset(st);
    return got;
}

/* --- opening -------------------------------------------------------------------------------- */

static int prepare_all(struct al_views *v)
{
    int err = 0;
    for (int i = 0; err == 0 && i < AL_SQL_COUNT; i++)
        err = al_viewdb_prepare(v->db, &v->sql[i], al_views_schema_sql((enum al_views_sql)i));
    return err;
}

static struct al_slice own_identity(const struct al_views *v)
{
    return al_slice_of(v->keyring.identity.b, sizeof(v->keyring.identity.b));
}

static void close_db(struct al_views *v)
{
    al_words_close(v);
    for (int i = 0; i < AL_SQL_COUNT; i++) {
        (void)sqlite3_finalize(v->sql[i]);
        v->sql[i] = NULL;
    }
    (void)sqlite3_close(v->db);
    v->db = NULL;
}

static int open_db(struct al_views *v)
{
    int err = al_viewdb_open(&v->db, v->path);
    return err != 0 ? err : al_tokens_register(v->db);
}

/* Make the tables, in a file that is new; |rebuilt| is how often this has happened. */
static int make(struct al_views *v, int64_t rebuilt)
{
    int err = al_viewdb_exec(v->db, "BEGIN IMMEDIATE");
    if (err == 0)
        err = al_views_schema_make(v->db);
    if (err == 0)
        err = prepare_all(v);
    if (err == 0)
        err = meta_set_blob(v, "identity", own_identity(v));
    if (err == 0)
        err = meta_set(v, AL_SQL_META_PUT, "rebuilt", rebuilt);
    if (err == 0)
        err = meta_set(v, AL_SQL_META_PUT, "generation", v->tried);
    if (err == 0)
        err = al_viewdb_exec(v->db, "COMMIT");
    return err;
}

struct newest {
    uint64_t pos;
    struct al_hash id;
    bool known;
};

static int on_newest(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    struct newest *newest = arg;
    newest->pos = change->pos;
    newest->known = row != NULL;
    if (row != NULL)
        newest->id = row->id;
    return 1;
}

/*
 * Whether the file follows the store that we have, and not one that was put in its place: the
 * store knows the change that was taken in last, and it is the same. 1, 0, or an error.
 */
static int follows(struct al_views *v)
{
    uint64_t end;
    int err = al_store_position(v->store, &end);
    if (err != 0)
        return err;
    if (v->pos > end)
        return 0;
    int64_t last = 0;
    int got = meta_get(v, "last", &last);
    if (got <= 0 || last == 0)
        return got < 0 ? got : 1;
    struct newest newest = {.pos = 0};
    got = al_store_changes(v->store, (uint64_t)last - 1, 1, on_newest, &newest);
    if (got < 0)
        return got;
    if (newest.pos != (uint64_t)last || !newest.known)
        return 0;
    return meta_is(v, "last id", al_slice_of(newest.id.b, sizeof(newest.id.b)));
}

/* Look at a file that is there. Returns 1 when it can be used, 0 when it must be made anew. */
static int look(struct al_views *v, int64_t *ret_rebuilt)
{
    int64_t version = 0;
    int err = al_views_schema_version(v->db, &version);
    if (err != 0)
        return err;
    if (version != AL_VIEWS_SCHEMA) {
        *ret_rebuilt = version == 0 ? 0 : 1;
        return 0;
    }
    err = prepare_all(v);
    int64_t rebuilt = 0;
    int64_t pos = 0;
    int64_t indexed = 0;
    int64_t tried = 0;
    int got = err;
    if (err == 0)
        got = meta_get(v, "rebuilt", &rebuilt);
    *ret_rebuilt = rebuilt + 1;
    if (got >= 0)
        got = meta_get(v, "pos", &pos);
    if (got >= 0)
        got = meta_get(v, "indexed", &indexed);
    if (got >= 0)
        got = meta_get(v, "generation", &tried);
    v->tried = (uint32_t)tried;
    v->pos = (uint64_t)pos;
    v->indexed = (uint64_t)indexed;
    if (got >= 0)
        got = meta_is(v, "identity", own_identity(v));
    return got > 0 ? follows(v) : got;
}

static int open_or_make(struct al_views *v)
{
    int64_t rebuilt = 1;
    int err = open_db(v);
    int usable = err == 0 ? look(v, &rebuilt) : err;
    int64_t any;
    if (usable > 0)
        v->amended = al_viewdb_int(v->sql[AL_SQL_AMENDED], &any, NULL, 0) != 0;
    if (usable > 0) { /* what the last run did not clean up must not wait for the next post */
        err = al_viewdb_checkpoint(v->db);
        return err == AL_E_BUSY ? 0 : err;
    }
    if (usable < 0 && usable != AL_E_CORRUPT)
        return usable;
    close_db(v);
    al_viewdb_remove(v->path);
    v->pos = 0;
    v->indexed = 0;
    v->tried = v->keyring.generation; /* all that comes is read with that */
    err = open_db(v);
    return err != 0 ? err : make(v, rebuilt);
}

int al_views_open(
    struct al_views **ret, const char *path, struct al_store *log, const struct al_keyring *keyring)
{
    struct al_views *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return AL_E_NOMEM;
    v->store = log;
    v->keyring = *keyring;
    v->part = -1;
    v->path = strdup(path);
    v->plain = malloc(AL_PAYLOAD_MAX);
    int err = v->path == NULL || v->plain == NULL ? AL_E_NOMEM : al_views_circles_load(v);
    if (err == 0)
        err = open_or_make(v);
    if (err != 0) {
        al_views_close(v);
        return err;
    }
    *ret = v;
    return 0;
}

void al_views_close(struct al_views *v)
{
    if (v == NULL)
        return;
    close_db(v);
    if (v->damaged)
        al_viewdb_remove(v->path);
    al_tally_free(&v->tally);
    al_circles_free(v->circles);
    al_keyring_wipe(&v->keyring);
    free(v->logs);
    free(v->plain);
    free(v->path);
    free(v);
}

/* --- a step --------------------------------------------------------------------------------- */

struct step {
    struct al_views *v;
    uint64_t pos;
    uint32_t count;
    struct newest newest; /* entry */
};

/* The log may be new to us: its entries came, and were taken out, before we looked. */
static int freeze(struct al_views *v, uint32_t log_no, uint64_t seq)
{
    struct al_views_log *lg;
    int err = al_views_log(v, &lg, log_no);
    return err != 0 ? err
                    : al_viewdb_run_ints(
                          v->sql[AL_SQL_LOG_FROZEN], (int64_t[]){log_no, (int64_t)seq}, 2);
}

/* Returns 1 at a change that takes steps of its own. */
static int on_change(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    struct step *step = arg;
    struct al_views *v = step->v;
    step->count++;
    if (change->what == AL_CHANGE_HIDDEN || change->what == AL_CHANGE_UNLOCKED) {
        int err = al_job_begin(v, change);
        return err != 0 ? err : 1;
    }
    step->pos = change->pos;
    switch (change->what) {
    case AL_CHANGE_ENTRY:
        step->newest = (struct newest){.pos = change->pos, .id = row->id, .known = true};
        return al_take_entry(v, row);
    case AL_CHANGE_PAYLOAD_IN:
        return al_take_payload(v, row, change->pos);
    case AL_CHANGE_PAYLOAD_OUT:
        return al_take_drop(v, change->log_no, change->seq);
    case AL_CHANGE_FROZEN:
        return freeze(v, change->log_no, change->seq);
    case AL_CHANGE_PEOPLE:
        v->people_changed = true;
        return 0;
    case AL_CHANGE_STATE:
        v->state_changed = true;
        return 0;
    case AL_CHANGE_REMOVED:
        al_views_circles_touch(v, change->pos);
        return al_take_remove(v, change->log_no, change->seq, change->pos);
    case AL_CHANGE_UNLOCKED:
    case AL_CHANGE_HIDDEN:
        break;
    }
    return 0;
}

static int on_statement(void *arg, struct al_slice key, struct al_slice value)
{
    (void)value;
    struct al_identity identity;
    int64_t author;
    if (key.n < sizeof(identity.b))
        return 0;
    memcpy(identity.b, key.p, sizeof(identity.b));
    return al_views_author(arg, &author, &identity);
}

static int find_newest(struct al_views *v, struct newest *ret)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_NEWEST];
    int got = al_viewdb_step(st);
    if (got > 0) {
        *ret = (struct newest){.pos = al_viewdb_uint(st, 0), .known = true};
        al_viewdb_bytes(st, 1, ret->id.b, sizeof(ret->id.b));
    }
    (void)sqlite3_reset(st);
    return got < 0 ? got : 0;
}

/* The entry by which the file knows its store again. */
static int write_newest(struct al_views *v, const struct newest *newest)
{
    int err = meta_set(v, AL_SQL_META_PUT, "last", (int64_t)newest->pos);
    return err != 0 ? err
                    : meta_set_blob(v, "last id", al_slice_of(newest->id.b, sizeof(newest->id.b)));
}

static int write_meta(struct al_views *v, const struct step *step)
{
    int err = meta_set(v, AL_SQL_META_PUT, "pos", (int64_t)step->pos);
    if (err == 0)
        err = meta_set(v, AL_SQL_META_PUT, "indexed", (int64_t)v->indexed);
    if (err == 0)
        err = meta_set(v, AL_SQL_META_PUT, "generation", v->tried);
    if (err == 0 && v->removed) {
        struct newest newest = {.pos = 0};
        err = find_newest(v, &newest);
        if (err == 0 && !newest.known)
            err = meta_set(v, AL_SQL_META_PUT, "last", 0);
        if (err != 0 || !newest.known)
            return err;
        return write_newest(v, &newest);
    }
    return err == 0 && step->newest.known ? write_newest(v, &step->newest) : err;
}

static void reset_step(struct al_views *v)
{
    al_tally_clear(&v->tally);
    v->fresh_count = 0;
    v->fresh_first = INT64_MAX;
    v->people_changed = false;
    v->state_changed = false;
    v->removed = false;
}

/*
 * Give back what a bulk has needed. FTS5 keeps a table of the words of each partition that it
 * wrote, half a megabyte each, for as long as the connection lives.
 */
static int release_memory(struct al_views *v)
{
    if (!v->drained) {
        int used = 0;
        int high;
        (void)sqlite3_db_status(v->db, SQLITE_DBSTATUS_CACHE_USED, &used, &high, 0);
        if (used > CACHE_IDLE_BYTES)
            (void)sqlite3_db_release_memory(v->db);
        return 0;
    }
    close_db(v);
    int err = open_db(v);
    if (err == 0)
        err = prepare_all(v);
    v->drained = err != 0; /* then once more at the next step */
    return err;
}

/* What several changes of a step ask for, once. */
static int settle(struct al_views *v)
{
    int err = 0;
    if (v->people_changed) {
        err = al_store_kv_scan(v->store, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), on_statement, v);
        if (err == 0)
            err = al_views_learn(v);
    }
    if (err == 0 && v->state_changed)
        err = al_relate_load(v);
    if (err == 0)
        err = al_views_circles_refresh(v);
    return err == 0 ? al_shelf_count(v) : err;
}

static int take_changes(struct al_views *v, struct step *step, uint32_t limit)
{
    uint64_t end;
    int err = al_store_position(v->store, &end);
    if (err == 0)
        err = al_store_changes(v->store, v->pos, limit, on_change, step);
    if (err < 0)
        return err;
    if (step->count == 0) /* numbers up to here were given out, and taken back */
        step->pos = end;
    err = settle(v);
    return err != 0 ? err : al_words_fresh(v, step->pos);
}

/* A part of the job under way; the views are at its position when it is done. */
static int take_job(struct al_views *v, struct step *step, uint32_t limit)
{
    bool done = false;
    struct al_views_job job = v->job;
    int err = al_job_go_on(v, &done, limit < JOB_ENTRIES ? limit : JOB_ENTRIES);
    if (err == 0)
        err = al_shelf_count(v);
    if (err == 0 && done) {
        step->pos = job.pos;
        v->tried = job.what == AL_JOB_RETRY ? job.generation : v->tried;
        v->job.what = AL_JOB_NONE;
    }
    return err != 0 ? err : al_words_fresh(v, step->pos);
}

typedef int work_fn(struct al_views *v, struct step *step, uint32_t limit);

static int take_words(struct al_views *v, struct step *step, uint32_t limit)
{
    (void)step;
    (void)limit;
    v->drained = true;
    return al_words_drain(v);
}

/* Run |work| as one transaction; after an error nothing of it is there. */
static int in_transaction(struct al_views *v, struct step *step, work_fn *work, uint32_t limit)
{
    uint64_t indexed = v->indexed;
    uint32_t tried = v->tried;
    reset_step(v);
    int err = al_viewdb_exec(v->db, "BEGIN IMMEDIATE");
    if (err != 0)
        return err;
    err = work(v, step, limit);
    if (err == 0)
        err = write_meta(v, step);
    if (err == 0)
        err = al_viewdb_exec(v->db, "COMMIT");
    if (err != 0) {
        al_viewdb_rollback(v->db);
        v->indexed = indexed;
        v->tried = tried;
        v->job.what = AL_JOB_NONE; /* its change is met once more */
        v->circles_stale = true;
        al_words_close(v);
        al_views_forget_logs(v);
        v->damaged = v->damaged || err == AL_E_CORRUPT;
    }
    return err;
}

/* What is to be done next, NULL when nothing is. */
static work_fn *next_work(struct al_views *v, uint64_t end)
{
    if (v->job.what == AL_JOB_NONE && v->tried < v->keyring.generation)
        v->job = (struct al_views_job){
            .what = AL_JOB_RETRY, .pos = v->pos, .generation = v->keyring.generation};
    if (v->job.what != AL_JOB_NONE)
        return take_job;
    if (v->pos < end)
        return take_changes;
    return v->indexed < v->pos ? take_words : NULL;
}

int al_views_step(struct al_views *v, uint64_t *ret_pos, bool *ret_more, uint32_t limit)
{
    AL_ASSERT(limit > 0);
    uint64_t end;
    int err = v->db == NULL ? release_memory(v) : 0;
    if (err == 0)
        err = al_store_position(v->store, &end);
    work_fn *work = err == 0 ? next_work(v, end) : NULL;
    if (work != NULL) {
        struct step step = {.v = v, .pos = v->pos};
        err = in_transaction(v, &step, work, limit);
        if (err == 0)
            v->pos = step.pos;
    }
    bool more = err == 0 && next_work(v, end) != NULL;
    if (err == 0 && !more)
        err = release_memory(v);
    if (err != 0)
        return err;
    *ret_pos = v->pos;
    *ret_more = more;
    return 0;
}

int al_views_tidy(struct al_views *v, bool *ret_more)
{
    reset_step(v);
    bool more = false;
    int err = v->db == NULL ? release_memory(v) : 0;
    if (err == 0)
        err = al_viewdb_exec(v->db, "BEGIN IMMEDIATE");
    if (err != 0)
        return err;
    err = al_words_clean(v, &more);
    if (err == 0)
        err = al_viewdb_exec(v->db, "COMMIT");
    if (err != 0) {
        al_viewdb_rollback(v->db);
        al_words_close(v);
        return err;
    }
    if (!more) {
        err = release_memory(v);
        if (err == 0)
            err = al_viewdb_checkpoint(v->db);
    }
    if (err == 0)
        *ret_more = more;
    return err;
}
