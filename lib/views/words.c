#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "fields.h"
#include "heapbuf.h"
#include "lines.h"
#include "views_int.h"
#include "words.h"

/*
 * The index is cut into partitions of 32,768 positions, each an FTS5 table of its own, which is
 * written in one go when there is much to do: then it consists of one segment and no word is ever
 * moved. FTS5 keeps the words of a deleted text until it rewrites the segment; so a partition
 * that lost a text is emptied and filled again, which takes a third of a second.
 *
 * The rowid of a document is its partition and a number in order of time, so newest first is
 * rowids backwards.
 */
static const char make_part[] =
    "CREATE VIRTUAL TABLE words_%lld USING fts5 (text, more, content = '', columnsize = 0,"
    " tokenize = 'aloud');"
    "INSERT INTO words_%lld (words_%lld, rank) VALUES ('hashsize', 33554432)";

static int64_t part_of(int64_t n)
{
    return n >> AL_WORDS_PART_BITS;
}

static int64_t first_of(int64_t part)
{
    return part << AL_WORDS_PART_BITS;
}

void al_words_close(struct al_views *v)
{
    (void)sqlite3_finalize(v->part_add);
    (void)sqlite3_finalize(v->part_drop);
    v->part_add = NULL;
    v->part_drop = NULL;
    v->part = -1;
}

/* Make a partition the one in use; |ret_used| is how many of its rowids are given out. */
static int use_part(struct al_views *v, int64_t part, int64_t *ret_used)
{
    char sql[sizeof(make_part) + 64];
    int got = al_viewdb_int(v->sql[AL_SQL_PART_GET], ret_used, &part, 1);
    if (got < 0)
        return got;
    if (got == 0) {
        long long no = part;
        (void)snprintf(sql, sizeof(sql), make_part, no, no, no);
        int err = al_viewdb_exec(v->db, sql);
        if (err == 0)
            err = al_viewdb_run_ints(v->sql[AL_SQL_PART_ADD], (int64_t[]){part, INT64_MAX}, 2);
        if (err != 0)
            return err;
        *ret_used = 0;
    }
    if (v->part == part)
        return 0;
    al_words_close(v);
    (void)snprintf(sql, sizeof(sql),
        "INSERT INTO words_%lld (rowid, text, more) VALUES (?1, ?2, ?3)", (long long)part);
    int err = al_viewdb_prepare(v->db, &v->part_add, sql);
    if (err == 0) {
        (void)snprintf(sql, sizeof(sql),
            "INSERT INTO words_%lld (words_%lld, rowid, text, more) VALUES ('delete', ?1, ?2, ?3)",
            (long long)part, (long long)part);
        err = al_viewdb_prepare(v->db, &v->part_drop, sql);
    }
    if (err != 0)
        return err;
    v->part = part;
    return 0;
}

/* Give a text to FTS5, to be added or deleted. */
static int put_text(sqlite3_stmt *st, int64_t r, const struct al_shown *s)
{
    struct al_buf more = al_heapbuf();
    al_fields_words(&more, s->tags, s->fields);
    al_viewdb_bind_int(st, 1, r);
    al_viewdb_bind_text(st, 2, s->text);
    al_viewdb_bind_text(st, 3, al_buf_slice(&more));
    int err = more.full ? AL_E_NOMEM : al_viewdb_run(st);
    al_heapbuf_free(&more);
    return err;
}

/* Index |n| as |r| of the partition in use. Returns 1, 0 when it is not for search, or an error. */
static int put(struct al_views *v, int64_t n, int64_t r)
{
    struct al_shown s;
    int got = al_shown_load(v, &s, n);
    if (got <= 0)
        return got;
    int err = 0;
    bool wanted = (AL_LINE_KINDS >> s.kind & 1) != 0;
    if (wanted)
        err = put_text(v->part_add, r, &s);
    if (wanted && err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_DOC_ADD],
            (int64_t[]){r, n, s.k, s.author, s.kind, s.audience, (int64_t)s.text.n}, 7);
    al_shown_done(&s);
    return err != 0 ? err : wanted;
}

struct doc {
    int64_t k;
    int64_t n;
};

static int by_time(const void *a, const void *b)
{
    const struct doc *x = a;
    const struct doc *y = b;
    return (x->k > y->k) - (x->k < y->k);
}

/* The entries first..last that have a place in the line and are not indexed, oldest first. */
static int collect(
    struct al_views *v, struct doc *docs, size_t *ret_count, int64_t first, int64_t last)
{
    sqlite3_stmt *st = v->sql[AL_SQL_UNINDEXED];
    al_viewdb_bind_int(st, 1, first);
    al_viewdb_bind_int(st, 2, last);
    size_t count = 0;
    int got;
    while ((got = al_viewdb_step(st)) > 0 && count < AL_WORDS_PART_DOCS)
        docs[count++] = (struct doc){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
    (void)sqlite3_reset(st);
    if (got < 0)
        return got;
    qsort(docs, count, sizeof(*docs), by_time);
    *ret_count = count;
    return 0;
}

static int fill(struct al_views *v, int64_t part, int64_t first, int64_t last);

/* Empty a partition and index it again: the only way to get words out of FTS5 for good. */
static int refill(struct al_views *v, int64_t part)
{
    int64_t used;
    int err = use_part(v, part, &used);
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "INSERT INTO words_%lld (words_%lld) VALUES ('delete-all')",
        (long long)part, (long long)part);
    if (err == 0)
        err = al_viewdb_exec(v->db, sql);
    if (err == 0)
        err = al_viewdb_run_ints(
            v->sql[AL_SQL_DOC_CLEAR], (int64_t[]){first_of(part), first_of(part + 1)}, 2);
    if (err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_PART_CLEAR], &part, 1);
    return err != 0 ? err : fill(v, part, first_of(part), first_of(part + 1) - 1);
}

static int fill_docs(struct al_views *v, int64_t part, const struct doc *docs, size_t count)
{
    int64_t used = 0;
    int err = use_part(v, part, &used);
    int64_t first = INT64_MAX;
    int64_t last = 0;
    for (size_t i = 0; err == 0 && i < count; i++) {
        if (used == AL_WORDS_PART_DOCS)
            return refill(v, part); /* entries came and went until its rowids were used up */
        int got = put(v, docs[i].n, first_of(part) + used);
        err = got < 0 ? got : 0;
        used += got > 0 ? 1 : 0;
        first = docs[i].k < first ? docs[i].k : first;
        last = docs[i].k > last ? docs[i].k : last;
    }
    if (err != 0 || count == 0)
        return err;
    return al_viewdb_run_ints(v->sql[AL_SQL_PART_USE], (int64_t[]){part, used, first, last}, 4);
}

/* Index what is not yet of entries first..last of one partition. */
static int fill(struct al_views *v, int64_t part, int64_t first, int64_t last)
{
    size_t room = last < first ? 0 : (size_t)(last - first + 1);
    AL_ASSERT(room <= AL_WORDS_PART_DOCS);
    if (room == 0)
        return 0;
    struct doc *docs = calloc(room, sizeof(*docs));
    if (docs == NULL)
        return AL_E_NOMEM;
    size_t count = 0;
    int err = collect(v, docs, &count, first, last);
    if (err == 0)
        err = fill_docs(v, part, docs, count);
    free(docs);
    return err;
}

int al_words_add(struct al_views *v, int64_t n)
{
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    if (got <= 0 || e.k == 0)
        return got < 0 ? got : 0;
    struct doc doc = {e.k, n};
    return fill_docs(v, part_of(n), &doc, 1);
}

int al_words_remove(struct al_views *v, int64_t n, const struct al_shown *s, bool gone)
{
    int64_t r;
    int64_t used;
    int got = al_viewdb_int(v->sql[AL_SQL_DOC_FIND], &r, &n, 1);
    if (got <= 0)
        return got;
    int err = use_part(v, part_of(n), &used);
    if (err == 0)
        err = put_text(v->part_drop, r, s);
    if (err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_DOC_DROP], &r, 1);
    if (err == 0 && gone)
        err = al_viewdb_run_ints(v->sql[AL_SQL_PART_DIRTY], (int64_t[]){part_of(n)}, 1);
    return err;
}

int al_words_fresh(struct al_views *v, uint64_t pos)
{
    if (v->fresh_count > AL_VIEWS_FRESH_MAX)
        return 0;
    int err = 0;
    for (size_t i = 0; err == 0 && i < v->fresh_count; i++)
        err = al_words_add(v, v->fresh[i]);
    if (err == 0 && v->indexed == v->pos)
        v->indexed = pos;
    return err;
}

int al_words_drain(struct al_views *v)
{
    int64_t first = (int64_t)v->indexed + 1;
    int64_t last = first_of(part_of(first) + 1) - 1;
    if (last > (int64_t)v->pos)
        last = (int64_t)v->pos;
    int err = fill(v, part_of(first), first, last);
    if (err == 0)
        v->indexed = (uint64_t)last;
    return err;
}

int al_words_clean(struct al_views *v, bool *ret_more)
{
    int64_t part;
    int got = al_viewdb_int(v->sql[AL_SQL_PART_NEXT_DIRTY], &part, NULL, 0);
    int err = got < 0 ? got : 0;
    if (got > 0)
        err = refill(v, part);
    if (err == 0 && got > 0)
        got = al_viewdb_int(v->sql[AL_SQL_PART_NEXT_DIRTY], &part, NULL, 0);
    if (err != 0 || got < 0)
        return err != 0 ? err : got;
    *ret_more = got > 0;
    return 0;
}
