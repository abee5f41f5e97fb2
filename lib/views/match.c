#include "match.h"

#include <stdlib.h>

#include "heapbuf.h"

#define BEFORE_BYTES 60   /* of a snippet, before its first match */
#define SNIPPET_BYTES 240 /* in all */
#define SPANS_MAX 32      /* matches of one text that are marked */

/* A word of a text or a query, its letters in the buffer of whoever holds it. */
struct word {
    size_t at, n;      /* its folded letters */
    size_t start, end; /* where it stands in the text */
};

struct words {
    struct word *v;
    size_t count, cap;
    struct al_buf letters;
};

struct needle {
    size_t first, count; /* of the query's words */
    bool prefix;
};

struct al_match {
    struct al_tokens *tokens;
    struct words query;
    struct words text;
    struct needle needles[AL_QUERY_TERMS_MAX];
    uint32_t needle_count;
};

struct span {
    size_t start, end;
};

static int on_word(void *arg, struct al_slice word, size_t start, size_t end)
{
    struct words *w = arg;
    if (w->count == w->cap) {
        size_t cap = w->cap * 2 + 64;
        struct word *v = reallocarray(w->v, cap, sizeof(*v));
        if (v == NULL)
            return AL_E_NOMEM;
        w->v = v;
        w->cap = cap;
    }
    w->v[w->count++] = (struct word){w->letters.n, word.n, start, end};
    al_buf_put(&w->letters, word.p, word.n);
    return w->letters.full ? AL_E_NOMEM : 0;
}

static void free_words(struct words *w)
{
    al_heapbuf_free(&w->letters);
    free(w->v);
}

int al_match_new(
    struct al_match **ret, const struct al_query *q, bool excluded, struct al_tokens *tokens)
{
    struct al_match *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return AL_E_NOMEM;
    m->tokens = tokens;
    m->query.letters = al_heapbuf();
    m->text.letters = al_heapbuf();
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < q->term_count; i++) {
        const struct al_term *t = &q->terms[i];
        if (t->not != excluded)
            continue;
        struct needle needle = {.first = m->query.count, .prefix = t->prefix};
        err = al_tokens_each(tokens, t->text, true, on_word, &m->query);
        needle.count = m->query.count - needle.first;
        if (needle.count > 0)
            m->needles[m->needle_count++] = needle;
    }
    if (err != 0)
        al_match_free(m);
    else
        *ret = m;
    return err;
}

void al_match_free(struct al_match *m)
{
    if (m == NULL)
        return;
    free_words(&m->query);
    free_words(&m->text);
    free(m);
}

static bool same_word(const struct al_match *m, size_t q, size_t t, bool prefix)
{
    const struct word *a = &m->query.v[q];
    const struct word *b = &m->text.v[t];
    if (prefix ? b->n < a->n : b->n != a->n)
        return false;
    return memcmp(m->query.letters.p + a->at, m->text.letters.p + b->at, a->n) == 0;
}

/* Whether needle |i| stands at word |t| of the text. */
static bool stands_at(const struct al_match *m, uint32_t i, size_t t)
{
    const struct needle *n = &m->needles[i];
    if (n->count > m->text.count - t)
        return false;
    for (size_t k = 0; k < n->count; k++) {
        if (!same_word(m, n->first + k, t + k, n->prefix && k + 1 == n->count))
            return false;
    }
    return true;
}

/* Find the matches in |text|, in order, those that touch made one. Returns their number. */
static int find_spans(struct al_match *m, struct span *spans, size_t max, struct al_slice text)
{
    size_t count = 0;
    m->text.count = 0;
    m->text.letters.n = 0;
    int err = al_tokens_each(m->tokens, text, false, on_word, &m->text);
    if (err != 0)
        return err;
    for (size_t t = 0; t < m->text.count; t++) {
        for (uint32_t i = 0; i < m->needle_count; i++) {
            if (!stands_at(m, i, t))
                continue;
            struct span s = {m->text.v[t].start, m->text.v[t + m->needles[i].count - 1].end};
            if (count > 0 && s.start <= spans[count - 1].end) {
                if (s.end > spans[count - 1].end)
                    spans[count - 1].end = s.end;
            } else if (count < max) {
                spans[count++] = s;
            }
        }
    }
    return (int)count;
}

int al_match_any(struct al_match *m, struct al_slice text)
{
    struct span span;
    return find_spans(m, &span, 1, text);
}

static bool is_boundary(struct al_slice text, size_t at)
{
    return at >= text.n || (text.p[at] & 0xc0) != 0x80;
}

/* Where the snippet begins: a little before the match, after a space if there is one. */
static size_t begin_at(struct al_slice text, size_t match)
{
    if (match <= BEFORE_BYTES)
        return 0;
    size_t at = match - BEFORE_BYTES;
    for (size_t i = at; i < match; i++) {
        if (text.p[i] == ' ' || text.p[i] == '\n')
            return i + 1;
    }
    while (!is_boundary(text, at))
        at++;
    return at;
}

/* Text on one line, in which nothing can be taken for our marks. */
static void put_plain(struct al_buf *out, struct al_slice text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        uint8_t c = text.p[i];
        if (c < 0x20 || c == 0x7f)
            c = ' ';
        al_buf_put(out, &c, 1);
    }
}

int al_match_snippet(struct al_match *m, struct al_buf *out, struct al_slice text)
{
    static const char dots[] = "\xe2\x80\xa6";
    struct span spans[SPANS_MAX];
    int count = find_spans(m, spans, SPANS_MAX, text);
    if (count <= 0)
        return count;
    size_t at = begin_at(text, spans[0].start);
    size_t end = at + SNIPPET_BYTES < text.n ? at + SNIPPET_BYTES : text.n;
    while (!is_boundary(text, end))
        end++;
    if (at > 0)
        al_buf_put(out, dots, sizeof(dots) - 1);
    for (int i = 0; i < count && spans[i].start < end; i++) {
        size_t stop = spans[i].end < end ? spans[i].end : end;
        put_plain(out, text, at, spans[i].start);
        al_buf_put(out, "\x02", 1);
        put_plain(out, text, spans[i].start, stop);
        al_buf_put(out, "\x03", 1);
        at = stop;
    }
    put_plain(out, text, at, end);
    if (end < text.n)
        al_buf_put(out, dots, sizeof(dots) - 1);
    return out->full ? AL_E_NOMEM : 1;
}
