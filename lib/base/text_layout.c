/* How text is laid out in the columns of a terminal. */
#include <utf8proc.h>

#include "text.h"

struct cluster {
    size_t n;       /* bytes; 0 at the end of the text */
    size_t columns; /* as a terminal draws it that knows no joined emoji: never too few */
    int32_t first;  /* code point */
    bool space;     /* and nothing but a space: a line may be broken there */
};

static int32_t decode(size_t *ret_n, struct al_slice s)
{
    int32_t cp = 0;
    utf8proc_ssize_t n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.n, &cp);
    *ret_n = n > 0 ? (size_t)n : 1;
    return n > 0 ? cp : 0xFFFD;
}

static size_t columns_of(int32_t cp)
{
    if (cp == '\n')
        return 0;
    /* utf8proc says 0, but terminals give spacing marks a column of their own. */
    if (utf8proc_category(cp) == UTF8PROC_CATEGORY_MC)
        return 1;
    int w = utf8proc_charwidth(cp);
    return w > 0 ? (size_t)w : 0;
}

/* The first user-perceived character of |s|. */
static struct cluster cluster_at(struct al_slice s)
{
    struct cluster c = {0};
    if (s.n == 0)
        return c;
    int32_t state = 0;
    int32_t last = c.first = decode(&c.n, s);
    c.columns = columns_of(last);
    while (c.n < s.n) {
        size_t n;
        int32_t cp = decode(&n, al_slice_of(s.p + c.n, s.n - c.n));
        if (utf8proc_grapheme_break_stateful(last, cp, &state))
            break;
        /* U+FE0F asks for the picture of a character, which is wide. */
        c.columns += cp == 0xFE0F && c.columns == 1 ? 1 : columns_of(cp);
        c.n += n;
        last = cp;
    }
    c.space = c.first == ' ' && c.n == 1;
    return c;
}

static struct al_slice after(struct al_slice s, size_t n)
{
    return al_slice_of(s.p + n, s.n - n);
}

size_t al_text_width(struct al_slice s)
{
    size_t columns = 0;
    for (struct cluster c = cluster_at(s); c.n > 0; s = after(s, c.n), c = cluster_at(s))
        columns += c.columns;
    return columns;
}

size_t al_text_fit(struct al_slice s, size_t columns)
{
    size_t used = 0;
    struct al_slice rest = s;
    for (struct cluster c = cluster_at(s); c.n > 0; c = cluster_at(rest)) {
        if (used + c.columns > columns)
            break;
        used += c.columns;
        rest = after(rest, c.n);
    }
    return s.n - rest.n;
}

/* Scripts of wide characters have no spaces: a line may end around them, not before a full stop. */
static bool may_break_between(struct cluster a, struct cluster b)
{
    if (a.columns < 2 && b.columns < 2)
        return false;
    const uint32_t closing =
        1u << UTF8PROC_CATEGORY_PE | 1u << UTF8PROC_CATEGORY_PF | 1u << UTF8PROC_CATEGORY_PO;
    const uint32_t opening = 1u << UTF8PROC_CATEGORY_PS | 1u << UTF8PROC_CATEGORY_PI;
    return (1u << utf8proc_category(b.first) & closing) == 0 &&
           (1u << utf8proc_category(a.first) & opening) == 0;
}

size_t al_text_line(size_t *ret_next, struct al_slice s, size_t columns)
{
    size_t used = 0;
    size_t at = 0;
    size_t end = 0; /* the last place to break so far, if any */
    size_t next = 0;
    bool word = false; /* something other than leading spaces was seen */
    struct cluster last = {0};
    while (at < s.n) {
        struct cluster c = cluster_at(after(s, at));
        if (c.first == '\n') {
            end = at;
            next = at + c.n;
            break;
        }
        if (!c.space) {
            if (word && !last.space && may_break_between(last, c))
                end = next = at;
            if (at > 0 && used + c.columns > columns)
                break;
            word = true;
        } else if (word) {
            end = at; /* spaces before it are cut off below */
            next = at + c.n;
        }
        used += c.columns;
        at += c.n;
        last = c;
    }
    if (at == s.n || next == 0) /* all of it; or one word longer than the line */
        end = next = at;
    while (end > 0 && s.p[end - 1] == ' ')
        end--;
    *ret_next = next;
    return end;
}

void al_text_wrap(struct al_buf *b, struct al_slice s, size_t columns, size_t indent)
{
    while (s.n > 0) {
        size_t next;
        size_t n = al_text_line(&next, s, columns);
        al_buf_put(b, s.p, n);
        s = after(s, next);
        if (s.n == 0)
            break;
        al_buf_put(b, "\n", 1);
        for (size_t i = 0; i < indent && s.p[0] != '\n'; i++)
            al_buf_put(b, " ", 1);
    }
}

static bool is_stop(int32_t cp)
{
    return cp == '.' || cp == '!' || cp == '?';
}

static bool is_wide_stop(int32_t cp)
{
    return cp == 0x3002 || cp == 0xFF01 || cp == 0xFF1F;
}

/* A sentence ends at a stop, a space, and what does not go on in lower case ("e.g. this"). */
static size_t first_sentence(struct al_slice s)
{
    for (size_t at = 0; at < s.n;) {
        size_t n;
        int32_t cp = decode(&n, after(s, at));
        at += n;
        if (is_wide_stop(cp))
            return at;
        if (!is_stop(cp) || at + 1 >= s.n || s.p[at] != ' ')
            continue;
        cp = decode(&n, after(s, at + 1));
        if (utf8proc_category(cp) != UTF8PROC_CATEGORY_LL)
            return at;
    }
    return s.n;
}

void al_text_title(struct al_buf *b, struct al_slice s, size_t columns)
{
    /* The first line that has any text; the rest needs no look. */
    while (s.n > 0 && (s.p[0] == '\n' || s.p[0] == '\r' || s.p[0] == ' ' || s.p[0] == '\t'))
        s = after(s, 1);
    const uint8_t *newline = s.n == 0 ? NULL : memchr(s.p, '\n', s.n);
    if (newline != NULL)
        s.n = (size_t)(newline - s.p);

    size_t from = b->n;
    al_text_safe(b, s, AL_TEXT_LINE);
    if (b->full)
        return;
    struct al_slice title = after(al_buf_slice(b), from);
    title.n = first_sentence(title);
    if (al_text_width(title) <= columns) {
        b->n = from + title.n;
        return;
    }
    size_t next;
    size_t n = columns == 0 ? 0 : al_text_line(&next, title, columns - 1);
    if (al_text_width(al_slice_of(title.p, n)) + 1 > columns) /* a wide character, no room */
        n = 0;
    b->n = from + n;
    if (columns > 0)
        al_buf_put(b, "\xE2\x80\xA6", 3);
}
