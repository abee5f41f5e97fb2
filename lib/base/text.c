#include "text.h"

#include <utf8proc.h>

/*
 * More marks on one character than any script needs would draw over the lines above and below:
 * Unicode's stream-safe form allows 30, Tibetan and Vietnamese get along with 4.
 */
#define MARKS_MAX 8

/* Sets of categories. */
#define HIDDEN                                                                                     \
    (1u << UTF8PROC_CATEGORY_CC | 1u << UTF8PROC_CATEGORY_CF | 1u << UTF8PROC_CATEGORY_CS |        \
        1u << UTF8PROC_CATEGORY_CO | 1u << UTF8PROC_CATEGORY_CN | 1u << UTF8PROC_CATEGORY_ZL |     \
        1u << UTF8PROC_CATEGORY_ZP)
#define MARKS (1u << UTF8PROC_CATEGORY_MN | 1u << UTF8PROC_CATEGORY_MC | 1u << UTF8PROC_CATEGORY_ME)

#define REPLACEMENT 0xFFFD
#define ZWNJ 0x200C
#define ZWJ 0x200D

struct safe {
    struct al_buf *b;
    enum al_text_use use;
    int32_t last;   /* the code point written last; 0 at the start of the text or of a line */
    unsigned marks; /* that follow its base */
    bool emoji;     /* |last| ends an emoji, so that a ZWJ may follow */
    bool replaced;  /* |last| stands for something removed: a run of it becomes one */
    bool space;     /* white space was read and is written before what follows */
    bool begun;     /* something was written */
};

static void put(struct safe *s, int32_t cp)
{
    if (s->space && s->begun)
        al_buf_put(s->b, " ", 1);
    s->space = false;
    uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char(cp, bytes);
    al_buf_put(s->b, bytes, (size_t)n);
    s->begun = true;
    s->replaced = false;
    s->last = cp;
}

static void replace(struct safe *s)
{
    if (!s->replaced || s->space)
        put(s, REPLACEMENT);
    s->replaced = true;
    s->emoji = false;
    s->marks = 0;
}

static bool is_emoji(int32_t cp)
{
    const utf8proc_property_t *p = utf8proc_get_property(cp);
    /* Unicode reserves more for emoji than is assigned; utf8proc 2.8 leaves that out by itself. */
    return p->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC &&
           p->category != UTF8PROC_CATEGORY_CN;
}

static bool is_skin_tone(int32_t cp)
{
    return cp >= 0x1F3FB && cp <= 0x1F3FF;
}

static bool is_variation(int32_t cp)
{
    return (cp >= 0xFE00 && cp <= 0xFE0F) || (cp >= 0xE0100 && cp <= 0xE01EF);
}

/* Arabic, Syriac, Thaana, N'Ko and the Indic scripts spell words with joiners. */
static bool script_joins(int32_t cp)
{
    return cp >= 0x0600 && cp <= 0x0DFF;
}

/* Blank, though their category says letter, mark or symbol: good only to fake a name. */
static bool is_blank(int32_t cp)
{
    static const int32_t blank[] = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0};
    for (size_t i = 0; i < sizeof(blank) / sizeof(blank[0]); i++) {
        if (cp == blank[i])
            return true;
    }
    return false;
}

static bool is_one_line(const struct safe *s)
{
    return s->use == AL_TEXT_LINE || s->use == AL_TEXT_NAME;
}

/* Newline, tab, backslash and blanks, which each use treats in its own way: true if taken. */
static bool put_space(struct safe *s, int32_t cp)
{
    bool is_space = cp == ' ' || cp == '\n' || cp == '\t';
    if (is_one_line(s) && (is_space || utf8proc_category(cp) == UTF8PROC_CATEGORY_ZS)) {
        s->space = true;
        s->marks = 0;
        s->emoji = false;
        return true;
    }
    if (s->use == AL_TEXT_FIELD && (cp == '\n' || cp == '\t' || cp == '\\')) {
        put(s, '\\');
        put(s, cp == '\n' ? 'n' : cp == '\t' ? 't' : '\\');
    } else if (cp == '\t') {
        for (int i = 0; i < 4; i++)
            put(s, ' ');
    } else if (cp == '\n') {
        put(s, '\n');
        s->last = 0; /* a mark must not hang on what stands to the left of the line */
    } else {
        return false;
    }
    s->marks = 0;
    s->emoji = false;
    return true;
}

static void put_mark(struct safe *s, int32_t cp)
{
    bool variation = is_variation(cp);
    if (variation && s->use == AL_TEXT_NAME)
        return;
    bool has_base = s->last != 0 && !s->space;
    if (!has_base || s->marks == MARKS_MAX || (variation && s->marks > 0)) {
        replace(s);
        return;
    }
    bool emoji = s->emoji && cp == 0xFE0F;
    put(s, cp);
    s->marks++;
    s->emoji = emoji;
}

static void put_joiner(struct safe *s, int32_t cp, int32_t next)
{
    if (s->use == AL_TEXT_NAME)
        return;
    bool in_emoji = cp == ZWJ && s->emoji && is_emoji(next);
    bool in_word = !s->space && !s->replaced && script_joins(s->last) && script_joins(next) &&
                   utf8proc_category(next) == UTF8PROC_CATEGORY_LO;
    if (!in_emoji && !in_word) {
        replace(s);
        return;
    }
    put(s, cp);
    s->emoji = false;
}

/* What may be shown is decided by category: letters, marks, numbers, punctuation, symbols. */
static void put_visible(struct safe *s, int32_t cp)
{
    uint32_t category = 1u << utf8proc_category(cp);
    if ((category & HIDDEN) != 0 || (s->use == AL_TEXT_NAME && is_blank(cp))) {
        replace(s);
        return;
    }
    if ((category & MARKS) != 0) {
        put_mark(s, cp);
        return;
    }
    bool emoji = is_emoji(cp) || (s->emoji && is_skin_tone(cp));
    put(s, cp);
    s->marks = 0;
    s->emoji = emoji;
}

/* The first code point of |s|, or -1 for a byte that is not UTF-8 and at the end. */
static int32_t decode(size_t *ret_n, struct al_slice s)
{
    int32_t cp = -1;
    utf8proc_ssize_t n = s.n == 0 ? -1 : utf8proc_iterate(s.p, (utf8proc_ssize_t)s.n, &cp);
    *ret_n = n > 0 ? (size_t)n : 1;
    return n > 0 ? cp : -1;
}

void al_text_safe(struct al_buf *b, struct al_slice text, enum al_text_use use)
{
    struct safe s = {.b = b, .use = use};
    while (text.n > 0) {
        size_t n;
        int32_t cp = decode(&n, text);
        text = al_slice_of(text.p + n, text.n - n);
        if (cp == '\r' && text.n > 0 && text.p[0] == '\n')
            continue;
        if (cp < 0) {
            replace(&s);
        } else if (cp == ZWJ || cp == ZWNJ) {
            put_joiner(&s, cp, decode(&n, text));
        } else if (!put_space(&s, cp)) {
            put_visible(&s, cp);
        }
    }
}

void al_text_utf8(struct al_buf *b, struct al_slice text, size_t bytes_max)
{
    size_t used = 0;
    while (text.n > 0) {
        size_t n;
        bool valid = decode(&n, text) >= 0;
        size_t put_n = valid ? n : 3;
        if (put_n > bytes_max - used)
            return;
        al_buf_put(b, valid ? text.p : (const uint8_t *)"\xEF\xBF\xBD", put_n);
        used += put_n;
        text = al_slice_of(text.p + n, text.n - n);
    }
}
