#include "query.h"

#include <stdio.h>

#include "limit.h"
#include "payload.h"
#include "when.h"

#define WHY_BYTES 128

struct parser {
    const uint8_t *p;
    const uint8_t *end;
    struct al_query *q;
    struct al_tokens *tokens;
    uint64_t now_ms;
    char *why;
};

/* Say why: |before|, what was typed, |after|. */
static int fail(struct parser *p, const char *before, struct al_slice what, const char *after)
{
    (void)snprintf(p->why, WHY_BYTES, "%s%.*s%s", before, (int)what.n, (const char *)what.p, after);
    return AL_E_QUERY;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* What stands between quotes, the first of which is passed; a missing last one is forgiven. */
static struct al_slice take_quoted(struct parser *p)
{
    const uint8_t *start = p->p;
    while (p->p < p->end && *p->p != '"')
        p->p++;
    struct al_slice s = al_slice_of(start, (size_t)(p->p - start));
    if (p->p < p->end)
        p->p++;
    return s;
}

static struct al_slice take_bare(struct parser *p)
{
    const uint8_t *start = p->p;
    while (p->p < p->end && !is_space(*p->p) && *p->p != '"')
        p->p++;
    return al_slice_of(start, (size_t)(p->p - start));
}

/* --- words ---------------------------------------------------------------------------------- */

static int add_term(struct parser *p, struct al_slice text, bool prefix, bool excluded)
{
    /* Split as a text is: a single character of an unspaced script is a word there. */
    int found = al_tokens_any(p->tokens, text);
    if (found <= 0)
        return found; /* no word in it: signs alone are in no index */
    if (p->q->term_count == AL_QUERY_TERMS_MAX)
        return fail(p, "more words than a search can take, from ", text, " on");
    p->q->terms[p->q->term_count++] = (struct al_term){
        .text = text,
        .prefix = prefix || al_tokens_ends_single(text),
        .not = excluded,
    };
    p->q->wanted += excluded ? 0 : 1;
    return 0;
}

/* --- fields --------------------------------------------------------------------------------- */

static int add_name(struct parser *p, struct al_slice *names, uint32_t *count, struct al_slice v)
{
    if (*count == AL_QUERY_NAMES_MAX)
        return fail(p, "more names than a search can take, from ", v, " on");
    names[(*count)++] = v;
    return 0;
}

static int set_tag(struct parser *p, struct al_slice v)
{
    if (v.n > 1 && (v.p[0] == '#' || v.p[0] == '+'))
        v = al_slice_of(v.p + 1, v.n - 1);
    return add_name(p, p->q->tags, &p->q->tag_count, v);
}

static int set_from(struct parser *p, struct al_slice v)
{
    return add_name(p, p->q->people, &p->q->people_count, v);
}

static int set_kind(struct parser *p, struct al_slice v)
{
    enum al_kind kind = al_kind_of(v);
    if (kind == AL_KIND_UNKNOWN)
        return fail(p, "there is no kind of entry called ", v, "");
    p->q->kinds |= 1U << kind;
    return 0;
}

static int set_to(struct parser *p, struct al_slice v)
{
    static const char circle[] = "circle:";
    size_t n = strlen(circle);
    enum al_audience audience;
    if (v.n > n && memcmp(v.p, circle, n) == 0) {
        p->q->audiences |= 1U << AL_AUDIENCE_CIRCLE;
        return add_name(p, p->q->circles, &p->q->circle_count, al_slice_of(v.p + n, v.n - n));
    }
    if (al_audience_of(&audience, v) != 0)
        return fail(p, "to: takes me, circle, circle:NAME, network or web, not ", v, "");
    p->q->audiences |= 1U << audience;
    return 0;
}

static int set_since(struct parser *p, struct al_slice v)
{
    if (al_when_parse(&p->q->since_ms, v, p->now_ms) != 0)
        return fail(p, "since: takes a date, not ", v, "");
    return 0;
}

static int set_until(struct parser *p, struct al_slice v)
{
    if (al_when_parse(&p->q->until_ms, v, p->now_ms) != 0)
        return fail(p, "until: takes a date, not ", v, "");
    return 0;
}

static const struct {
    const char *name;
    int (*set)(struct parser *p, struct al_slice value);
} fields[] = {
    {"tag:", set_tag},
    {"from:", set_from},
    {"kind:", set_kind},
    {"to:", set_to},
    {"since:", set_since},
    {"until:", set_until},
};

/*
 * Take NAME:VALUE when it stands at |p|, where the value may be quoted. Returns 1, 0 when it is
 * something else, or an error.
 */
static int take_field(struct parser *p, bool excluded)
{
    size_t left = (size_t)(p->end - p->p);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t n = strlen(fields[i].name);
        if (left <= n || memcmp(p->p, fields[i].name, n) != 0 || is_space(p->p[n]))
            continue;
        if (excluded)
            return fail(p, "only words can be left out, not ", al_slice_of(p->p, n), "");
        p->p += n;
        bool quoted = *p->p == '"';
        p->p += quoted ? 1 : 0;
        struct al_slice value = quoted ? take_quoted(p) : take_bare(p);
        if (value.n == 0)
            return fail(p, "", al_slice_str(fields[i].name), " needs something after it");
        int err = fields[i].set(p, value);
        return err != 0 ? err : 1;
    }
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int take_one(struct parser *p)
{
    bool excluded = *p->p == '-';
    p->p += excluded ? 1 : 0;
    if (p->p == p->end || is_space(*p->p))
        return 0; /* a dash by itself */
    int field = take_field(p, excluded);
    if (field != 0)
        return field < 0 ? field : 0;
    bool quoted = *p->p == '"';
    p->p += quoted ? 1 : 0;
    struct al_slice text = quoted ? take_quoted(p) : take_bare(p);
    bool prefix = false;
    if (quoted && p->p < p->end && *p->p == '*') {
        prefix = true;
        p->p++;
    } else if (!quoted && text.n > 0 && text.p[text.n - 1] == '*') {
        prefix = true;
    }
    return add_term(p, text, prefix, excluded);
}

int al_query_parse(struct al_query *ret, char *why, struct al_slice text, struct al_tokens *tokens,
    uint64_t now_ms)
{
    struct al_query q = {.until_ms = AL_TIME_MAX};
    struct parser p = {
        .p = text.p,
        .end = al_slice_end(text),
        .q = &q,
        .tokens = tokens,
        .now_ms = now_ms,
        .why = why,
    };
    int err = 0;
    while (err == 0 && p.p < p.end) {
        if (is_space(*p.p))
            p.p++;
        else
            err = take_one(&p);
    }
    bool filtered = q.tag_count > 0 || q.people_count > 0 || q.kinds != 0 || q.audiences != 0 ||
                    q.since_ms != 0 || q.until_ms != AL_TIME_MAX;
    if (err == 0 && q.wanted == 0 && !filtered)
        err = fail(&p, "",
            al_slice_str("there is no word to search for, only some to leave out, or none"), "");
    if (err == 0)
        *ret = q;
    return err;
}

void al_query_quote(struct al_buf *b, struct al_slice text)
{
    al_buf_put(b, "\"", 1);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c < 0x20) /* NUL would end the expression, and marks are ours: no word holds them */
            c = ' ';
        al_buf_put(b, &c, 1);
        if (c == '"')
            al_buf_put(b, "\"", 1);
    }
    al_buf_put(b, "\"", 1);
}

static void put_term(struct al_buf *b, const struct al_term *t)
{
    al_query_quote(b, t->text);
    if (t->prefix)
        al_buf_put(b, "*", 1);
}

void al_query_match(struct al_buf *b, const struct al_query *q, struct al_slice extra)
{
    bool first = true;
    al_buf_put(b, "(", 1);
    for (uint32_t i = 0; i < q->term_count; i++) {
        if (q->terms[i].not )
            continue;
        if (!first)
            al_buf_put(b, " AND ", 5);
        first = false;
        put_term(b, &q->terms[i]);
    }
    if (!first && extra.n > 0)
        al_buf_put(b, " AND ", 5);
    al_buf_put(b, extra.p, extra.n);
    al_buf_put(b, ")", 1);
    for (uint32_t i = 0; i < q->term_count; i++) {
        if (!q->terms[i].not )
            continue;
        al_buf_put(b, " NOT ", 5);
        put_term(b, &q->terms[i]);
    }
    al_buf_put(b, "", 1);
}
