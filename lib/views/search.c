#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "heapbuf.h"
#include "lines.h"
#include "match.h"
#include "query.h"
#include "reader_int.h"
#include "views_schema.h"
#include "words.h"
#include "write.h"

/* Of what fits, only the newest are looked at: a common word is in half of all entries. */
#define HITS_MAX 2000
#define PASSED_MAX 200000 /* that fit the words, and not the other conditions */

struct hit {
    int64_t score;
    int64_t k;
    int64_t n;
};

struct search {
    struct al_call *c;
    struct al_query q;
    struct al_filter f;
    bool impossible; /* a tag in it is not known here */
    bool ranked;
    bool resumed; /* a page before this one ended at |cursor| */
    struct hit cursor;
    uint64_t before; /* entries on the pages before, when not ranked */
    uint64_t passed;
    struct hit *hits;
    size_t count;
    struct al_match *marks;
    struct al_match *excluded;
    sqlite3_stmt *text;
    int64_t *blocked; /* authors, ascending */
    size_t blocked_count;
    sqlite3_stmt *tagged;
};

/* --- what is asked for ---------------------------------------------------------------------- */

static int resolve_people(struct search *s)
{
    for (uint32_t i = 0; i < s->q.people_count; i++) {
        struct al_slice who = s->q.people[i];
        int got = al_people_find(
            s->c, s->f.authors + s->f.author_count, AL_FILTER_MAX - s->f.author_count, who);
        if (got == 0)
            return al_people_unknown(s->c, who);
        if (got < 0)
            return got;
        s->f.author_count += got;
    }
    s->f.blocked_too = s->q.people_count > 0; /* asked for by name */
    return 0;
}

static int resolve_circles(struct search *s)
{
    for (uint32_t i = 0; i < s->q.circle_count; i++) {
        struct al_slice name = s->q.circles[i];
        int got = al_circles_named(
            s->c, s->f.circles + s->f.circle_count, AL_FILTER_MAX - s->f.circle_count, name);
        if (got == 0)
            return al_call_fail(s->c, AL_E_NOT_FOUND, "there is no circle called %.*s here",
                (int)name.n, (const char *)name.p);
        if (got < 0)
            return got;
        s->f.circle_count += got;
    }
    return 0;
}

static int resolve_tags(struct search *s)
{
    for (uint32_t i = 0; i < s->q.tag_count; i++) {
        int got = al_tag_number(s->c, &s->f.tags[s->f.tag_count++], s->q.tags[i]);
        if (got < 0)
            return got;
        s->impossible = s->impossible || got == 0;
    }
    return 0;
}

static int read_query(struct search *s)
{
    struct al_call *c = s->c;
    struct al_slice text = al_call_str(c, "query", AL_QUERY_BYTES_MAX);
    s->ranked = al_call_bool(c, "rank", true);
    int64_t a = 0;
    int64_t b = 0;
    s->resumed = al_call_cursor(c, &a, &b);
    s->cursor = (struct hit){.score = a, .k = b};
    s->before = s->ranked ? 0 : (uint64_t)a;
    if (c->err != 0)
        return c->err;
    int err = al_query_parse(&s->q, c->why, text, c->r->tokens, c->now.wall_ms);
    if (err != 0)
        return err;
    s->f = al_filter_all();
    s->f.kinds = s->q.kinds != 0 ? s->q.kinds : s->f.kinds;
    s->f.audiences = s->q.audiences != 0 ? s->q.audiences : s->f.audiences;
    s->f.first = al_line_at(s->q.since_ms);
    if (s->q.until_ms < AL_LINE_TIME_MAX)
        s->f.end = al_line_at(s->q.until_ms);
    if (s->q.wanted == 0)
        s->ranked = false;
    err = resolve_people(s);
    if (err == 0)
        err = resolve_circles(s);
    return err != 0 ? err : resolve_tags(s);
}

/* --- what fits ------------------------------------------------------------------------------ */

/* Whether |a| stands before |b| in the answer. */
static int by_place(const void *a, const void *b)
{
    const struct hit *x = a;
    const struct hit *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->k < y->k) - (x->k > y->k);
}

static bool among(const int64_t *v, int count, int64_t x)
{
    for (int i = 0; i < count; i++) {
        if (v[i] == x)
            return true;
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static int load_blocked(struct search *s)
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(s->c, &st, "SELECT no FROM author WHERE blocked ORDER BY no");
    while (got == 0 && (got = al_viewdb_step(st)) > 0) {
        int64_t *v = reallocarray(s->blocked, s->blocked_count + 1, sizeof(*v));
        if (v != NULL) {
            s->blocked = v;
            v[s->blocked_count++] = sqlite3_column_int64(st, 0);
        }
        got = v == NULL ? AL_E_NOMEM : 0;
    }
    (void)sqlite3_finalize(st);
    return got;
}

/* Whether a hit of the index, in the columns of |st|, fits the filter. 1, 0, or an error. */
static int fits(struct search *s, sqlite3_stmt *st)
{
    const struct al_filter *f = &s->f;
    int64_t k = sqlite3_column_int64(st, 0);
    int64_t author = sqlite3_column_int64(st, 2);
    if (k < f->first || k >= f->end || (f->kinds >> sqlite3_column_int(st, 3) & 1) == 0 ||
        (f->audiences >> sqlite3_column_int(st, 4) & 1) == 0)
        return 0;
    if (f->author_count > 0 && !among(f->authors, f->author_count, author))
        return 0;
    int64_t one;
    for (int i = 0; i < f->tag_count; i++) {
        int got = al_viewdb_int(s->tagged, &one, (int64_t[]){f->tags[i], k}, 2);
        if (got <= 0)
            return got;
    }
    return f->blocked_too || s->blocked_count == 0 ||
           bsearch(&author, s->blocked, s->blocked_count, sizeof(author), by_number) == NULL;
}

static void add_hit(struct search *s, int64_t k, int64_t n, int64_t score)
{
    struct hit hit = {s->ranked ? score : 0, k, n};
    /* By time, pages before this one need not be found again. */
    if (!s->ranked && s->resumed && k >= s->cursor.k)
        return;
    s->hits[s->count++] = hit;
}

/* Look into one partition of the index, newest first. */
static int search_part(struct search *s, int64_t part, struct al_slice match)
{
    char rank[48] = "0";
    char sql[320];
    long long no = part;
    if (s->ranked)
        (void)snprintf(rank, sizeof(rank), "al_rank(words_%lld, d.size)", no);
    (void)snprintf(sql, sizeof(sql),
        "SELECT d.k, d.n, d.author, d.kind, d.audience, %s FROM words_%lld CROSS JOIN doc d"
        " ON d.r = words_%lld.rowid WHERE words_%lld MATCH ?1 ORDER BY words_%lld.rowid",
        rank, no, no, no, no);
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(s->c, &st, sql);
    if (got == 0) {
        al_viewdb_bind_text(st, 1, match);
        got = 1;
    }
    while (got > 0 && s->count < HITS_MAX && s->passed < PASSED_MAX &&
           (got = al_viewdb_step(st)) > 0) {
        int fit = fits(s, st);
        if (fit < 0)
            got = fit;
        else if (fit > 0)
            add_hit(s, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
                sqlite3_column_int64(st, 5));
        s->passed++;
    }
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

static void put_piece(struct al_buf *b, const char *piece)
{
    al_buf_put(b, piece, strlen(piece));
}

/* Append that an entry must bear one of the marks that |letter| and |v| make. */
static void put_marks(struct al_buf *b, char letter, const int64_t *v, int count)
{
    for (int i = 0; i < count; i++) {
        char mark[32];
        (void)snprintf(mark, sizeof(mark), "\"%c%c%lld\"", AL_TOKENS_MARK, letter, (long long)v[i]);
        if (i == 0)
            put_piece(b, b->n > 0 ? " AND marks : (" : "marks : (");
        else
            put_piece(b, " OR ");
        put_piece(b, mark);
    }
    if (count > 0)
        put_piece(b, ")");
}

static void put_bits(struct al_buf *b, char letter, uint32_t bits)
{
    int64_t v[32];
    int count = 0;
    for (int i = 0; i < 32; i++) {
        if ((bits >> i & 1) != 0)
            v[count++] = i;
    }
    put_marks(b, letter, v, count);
}

/* What the search is narrowed to, so that FTS5 need not find what will not be taken. */
static int put_narrow(struct search *s, struct al_buf *b)
{
    put_marks(b, AL_WORDS_AUTHOR, s->f.authors, s->f.author_count);
    put_bits(b, AL_WORDS_KIND, s->q.kinds);
    put_bits(b, AL_WORDS_AUDIENCE, s->q.audiences);
    put_marks(b, AL_WORDS_CIRCLE, s->f.circles, s->f.circle_count);
    for (uint32_t i = 0; i < s->q.tag_count; i++) {
        int some = al_tokens_any(s->c->r->tokens, s->q.tags[i]);
        if (some < 0)
            return some;
        if (some == 0)
            continue; /* a tag of signs alone */
        put_piece(b, b->n > 0 ? " AND more : " : "more : ");
        al_query_quote(b, s->q.tags[i]);
    }
    return b->full ? AL_E_NOMEM : 0;
}

static int make_match(struct search *s, struct al_buf *match)
{
    struct al_buf narrow = al_heapbuf();
    int err = put_narrow(s, &narrow);
    if (err == 0)
        al_query_match(match, &s->q, al_buf_slice(&narrow));
    al_heapbuf_free(&narrow);
    return err == 0 && match->full ? AL_E_NOMEM : err;
}

/* Partitions hold what arrived together; those with the newest entries come first. */
static int search_words(struct search *s)
{
    struct al_buf match = al_heapbuf();
    int err = make_match(s, &match);
    if (err != 0) {
        al_heapbuf_free(&match);
        return err;
    }
    sqlite3_stmt *st = NULL;
    err = al_call_prepare(s->c, &st,
        "SELECT no FROM part WHERE last >= ?1 AND first < ?2 AND used > 0 ORDER BY last DESC");
    if (err == 0) {
        al_viewdb_bind_int(st, 1, s->f.first);
        al_viewdb_bind_int(st, 2, s->f.end);
    }
    int got = 0;
    while (
        err == 0 && s->count < HITS_MAX && s->passed < PASSED_MAX && (got = al_viewdb_step(st)) > 0)
        err = search_part(s, sqlite3_column_int64(st, 0), al_slice_of(match.p, match.n - 1));
    (void)sqlite3_finalize(st);
    al_heapbuf_free(&match);
    return err != 0 ? err : got < 0 ? got : 0;
}

/* What shows of an entry: its text, and the words beside it in |more|. */
static int load_text(struct search *s, int64_t n, struct al_slice *ret_text, struct al_buf *more)
{
    al_viewdb_bind_int(s->text, 1, n);
    int got = al_viewdb_step(s->text);
    if (got <= 0)
        return got;
    *ret_text = al_viewdb_slice(s->text, 0);
    al_fields_words(more, al_viewdb_slice(s->text, 1), al_viewdb_slice(s->text, 2));
    return more->full ? AL_E_NOMEM : 1;
}

/* Whether an entry found without the index holds an excluded word. 1, 0, or an error. */
static int is_excluded(struct search *s, int64_t n)
{
    struct al_slice text;
    struct al_buf more = al_heapbuf();
    int got = load_text(s, n, &text, &more);
    if (got > 0)
        got = al_match_any(s->excluded, text);
    if (got == 0)
        got = al_match_any(s->excluded, al_buf_slice(&more));
    (void)sqlite3_reset(s->text);
    al_heapbuf_free(&more);
    return got;
}

/* Neither words nor marks are wanted: all that fits the other conditions, newest first. */
static int search_walk(struct search *s)
{
    sqlite3_stmt *walk = NULL;
    struct al_spot spot;
    int64_t from = s->resumed ? s->cursor.k : INT64_MAX;
    int got = al_walk_open(s->c, &walk, &s->f, from, false);
    while (got >= 0 && s->count < HITS_MAX && s->passed < PASSED_MAX &&
           (got = al_walk_next(walk, &spot)) > 0) {
        int excluded = s->q.term_count > 0 ? is_excluded(s, spot.n) : 0;
        if (excluded < 0)
            got = excluded;
        else if (excluded == 0)
            add_hit(s, spot.k, spot.n, 0);
        s->passed++;
    }
    (void)sqlite3_finalize(walk);
    return got < 0 ? got : 0;
}

/* --- the answer ----------------------------------------------------------------------------- */

static int add_row(struct search *s, struct al_page *page, int64_t n)
{
    struct al_slice text;
    struct al_buf more = al_heapbuf();
    struct al_buf snippet = al_heapbuf();
    int got = s->q.wanted == 0 ? 0 : load_text(s, n, &text, &more);
    if (got > 0) {
        got = al_match_snippet(s->marks, &snippet, text);
        if (got == 0)
            got = al_match_snippet(s->marks, &snippet, al_buf_slice(&more));
        (void)sqlite3_reset(s->text);
    }
    if (got >= 0)
        got = al_page_add(page, s->c, n, &(struct al_row_opts){.snippet = al_buf_slice(&snippet)});
    al_heapbuf_free(&snippet);
    al_heapbuf_free(&more);
    return got;
}

static int put_answer(struct search *s, struct al_buf *out, uint64_t limit)
{
    struct al_page page;
    uint64_t pos;
    uint64_t behind;
    int64_t indexed;
    size_t i = 0;
    al_page_init(&page);
    while (s->resumed && s->ranked && i < s->count && by_place(&s->hits[i], &s->cursor) <= 0)
        i++;
    int err = al_call_position(s->c, &pos, &behind);
    if (err == 0)
        err = al_call_meta(s->c, "indexed", &indexed);
    for (; err == 0 && i < s->count && !al_page_full(&page, limit); i++)
        err = add_row(s, &page, s->hits[i].n);
    if (err == 0) {
        bool more = i < s->count && i > 0;
        al_write_map(out, more ? 4 : 3);
        err = al_page_write(&page, out, "rows");
        if (more) {
            const struct hit *last = &s->hits[i - 1];
            int64_t a = s->ranked ? last->score : (int64_t)(s->before + i);
            al_write_cstr(out, "next");
            al_call_put_cursor(out, a, last->k);
        }
        al_write_cstr(out, "of");
        al_write_uint(out, s->before + s->count);
        al_write_cstr(out, "behind");
        al_write_uint(out, behind + pos - (uint64_t)indexed);
    }
    al_page_free(&page);
    return err;
}

static int prepare(struct search *s)
{
    s->hits = calloc(HITS_MAX, sizeof(*s->hits));
    int err = s->hits == NULL ? AL_E_NOMEM : load_blocked(s);
    if (err == 0)
        err = al_match_new(&s->marks, &s->q, false, s->c->r->tokens);
    if (err == 0)
        err = al_match_new(&s->excluded, &s->q, true, s->c->r->tokens);
    if (err == 0)
        err = al_call_prepare(s->c, &s->tagged, "SELECT 1 FROM tagged WHERE tag = ?1 AND k = ?2");
    if (err == 0)
        err = al_call_prepare(
            s->c, &s->text, "SELECT " AL_SHOWN_COLUMNS " FROM entry e WHERE e.n = ?1");
    return err;
}

int al_search_call(struct al_call *c, struct al_buf *out)
{
    struct search s = {.c = c};
    uint64_t limit = al_call_uint(c, "limit", 20, AL_ROWS_MAX);
    int err = read_query(&s);
    if (err != 0)
        return err;
    err = prepare(&s);
    if (err == 0 && !s.impossible)
        err = s.q.wanted > 0 || s.q.kinds != 0 || s.q.audiences != 0 ? search_words(&s)
                                                                     : search_walk(&s);
    if (err == 0) {
        qsort(s.hits, s.count, sizeof(*s.hits), by_place);
        err = put_answer(&s, out, limit);
    }
    (void)sqlite3_finalize(s.tagged);
    (void)sqlite3_finalize(s.text);
    al_match_free(s.marks);
    al_match_free(s.excluded);
    free(s.blocked);
    free(s.hits);
    return err;
}
