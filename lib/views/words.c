#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "fields.h"
#include "heapbuf.h"
#include "lines.h"
#include "tokens.h"
#include "views_int.h"
#include "words.h"

/*
 * The index is cut into partitions of 32,768 positions, each an FTS5 table of its own, which is
 * written in one go when there is much to do: then it consists of one segment and no word is ever
 * moved. FTS5 keeps the words of a deleted text until it rewrites the segment; so a partition
 * that lost a text is emptied and filled again, which takes a third of a second.
 *
 * The rowids of a partition are given out from its last one down, in runs that begin with the
 * newest entry: so newest first is ascending, which FTS5 walks twice as fast as descending.
 */
static const char make_part[] =
    "CREATE VIRTUAL TABLE words_%lld USING fts5 (text, more, marks, content = '',"
    " columnsize = 0, tokenize = 'aloud');"
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
    v->part_add = NULL;
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
        "INSERT INTO words_%lld (rowid, text, more, marks) VALUES (?1, ?2, ?3, ?4)",
        (long long)part);
    int err = al_viewdb_prepare(v->db, &v->part_add, sql);
    if (err != 0)
        return err;
    v->part = part;
    return 0;
}

/* Only we set marks: a text that begins like them loses what makes it so. */
static struct al_slice as_text(struct al_slice s)
{
    while (s.n > 0 && s.p[0] == AL_TOKENS_MARK)
        s = al_slice_of(s.p + 1, s.n - 1);
    return s;
}

/* Give a text to FTS5. */
static int put_text(sqlite3_stmt *st, int64_t r, const struct al_shown *s)
{
    char marks[96];
    struct al_buf more = al_heapbuf();
    al_fields_words(&more, s->tags, s->fields);
    (void)snprintf(marks, sizeof(marks), "%c%c%lld %c%d %c%d %c%lld", AL_TOKENS_MARK,
        AL_WORDS_AUTHOR, (long long)s->author, AL_WORDS_KIND, s->kind, AL_WORDS_AUDIENCE,
        s->audience, AL_WORDS_CIRCLE, (long long)s->circle);
    al_viewdb_bind_int(st, 1, r);
    al_viewdb_bind_text(st, 2, as_text(s->text));
    al_viewdb_bind_text(st, 3, as_text(al_buf_slice(&more)));
    al_viewdb_bind_text(st, 4, al_slice_str(marks));
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

static int newest_first(const void *a, const void *b)
{
    const struct doc *x = a;
    const struct doc *y = b;
    return (x->k < y->k) - (x->k > y->k);
}

/* The entries first..last that have a place in the line and are not indexed, newest first. */
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
    qsort(docs, count, sizeof(*docs), newest_first);
    *ret_count = count;
    return 0;
}

static int fill(struct al_views *v, int64_t part, int64_t first, int64_t last);

/* Empty a partition and index it again: the only way to get words out of FTS5 for good. */
static int refill(struct al_views *v, int64_t part)
{
    int64_t used;
    v->drained = true;
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

/* Index |docs|, which come newest first. */
static int fill_docs(struct al_views *v, int64_t part, const struct doc *docs, size_t count)
{
    int64_t used = 0;
    int err = use_part(v, part, &used);
    if (err != 0 || count == 0)
        return err;
    used += (int64_t)count;
    if (used > AL_WORDS_PART_DOCS)
        return refill(v, part); /* entries came and went until its rowids were used up */
    for (size_t i = 0; err >= 0 && i < count; i++)
        err = put(v, docs[i].n, first_of(part + 1) - used + (int64_t)i);
    if (err < 0)
        return err;
    return al_viewdb_run_ints(
        v->sql[AL_SQL_PART_USE], (int64_t[]){part, used, docs[count - 1].k, docs[0].k}, 4);
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

/*
 * FTS5 would have to be given the text once more to forget it, and keeps its words all the same
 * until it rewrites the segment. What has no row in doc is found no more: that is enough, and fast.
 */
int al_words_remove(struct al_views *v, int64_t n, bool gone)
{
    int64_t r;
    int got = al_viewdb_int(v->sql[AL_SQL_DOC_FIND], &r, &n, 1);
    if (got <= 0)
        return got;
    int err = al_viewdb_run_ints(v->sql[AL_SQL_DOC_DROP], &r, 1);
    if (err == 0 && gone)
        err = al_viewdb_run_ints(v->sql[AL_SQL_PART_DIRTY], (int64_t[]){part_of(n)}, 1);
    return err;
}

int al_words_fresh(struct al_views *v, uint64_t pos)
{
    struct doc docs[AL_VIEWS_FRESH_MAX];
    if (v->fresh_count > AL_VIEWS_FRESH_MAX) {
        /* Some of them may have come long ago, and been taken in again. */
        if (v->fresh_first <= (int64_t)v->indexed)
            v->indexed = (uint64_t)v->fresh_first - 1;
        return 0;
    }
    int err = 0;
    for (size_t i = 0; err == 0 && i < v->fresh_count;) {
        int64_t part = part_of(v->fresh[i]);
        size_t count = 0;
        for (; err == 0 && i < v->fresh_count && part_of(v->fresh[i]) == part; i++) {
            struct al_entry_head e;
            int got = al_shelf_head(v, &e, v->fresh[i]);
            err = got < 0 ? got : 0;
            if (got > 0 && e.k != 0)
                docs[count++] = (struct doc){e.k, e.n};
        }
        qsort(docs, count, sizeof(*docs), newest_first);
        if (err == 0)
            err = fill_docs(v, part, docs, count);
    }
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
