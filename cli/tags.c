#include "tags.h"

#include <stdlib.h>
#include <utf8proc.h>

/* One character of a tag: its bytes, 0 if it can't be part of one. */
static size_t tag_char(struct al_slice s, bool *ret_letter, utf8proc_int32_t *ret_lower)
{
    utf8proc_int32_t cp;
    utf8proc_ssize_t n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.n, &cp);
    if (n <= 0)
        return 0;
    utf8proc_category_t category = utf8proc_category(cp);
    bool letter = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
                  category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC;
    bool joins = cp == '-' || cp == '_' || cp == '.' || cp == '/';
    if (!letter && category != UTF8PROC_CATEGORY_ND && !joins)
        return 0;
    *ret_letter = letter;
    *ret_lower = utf8proc_tolower(cp);
    return (size_t)n;
}

/* The length of the tag that |s| begins with, 0 when it is none; punctuation at its end is not
 * part of it. */
static size_t tag_length(struct al_slice s)
{
    size_t n = 0;
    size_t end = 0;
    bool any_letter = false;
    while (n < s.n) {
        bool letter;
        utf8proc_int32_t lower;
        size_t k = tag_char(al_slice_of(s.p + n, s.n - n), &letter, &lower);
        if (k == 0)
            break;
        bool joins = strchr("-_./", s.p[n]) != NULL;
        if (n == 0 && joins)
            break;
        n += k;
        any_letter = any_letter || letter;
        if (!joins)
            end = n;
    }
    return any_letter ? end : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

int al_tags_add(struct al_tags *t, struct al_slice tag)
{
    if (tag.n > 0 && (tag.p[0] == '+' || tag.p[0] == '#'))
        tag = al_slice_of(tag.p + 1, tag.n - 1);
    if (tag.n == 0 || tag_length(tag) != tag.n)
        return AL_E_KIND;
    char lower[AL_TAG_MAX + 1];
    size_t n = 0;
    while (tag.n > 0) {
        bool letter;
        utf8proc_int32_t cp;
        utf8proc_uint8_t bytes[4];
        size_t k = tag_char(tag, &letter, &cp);
        size_t m = (size_t)utf8proc_encode_char(cp, bytes);
        if (n + m > AL_TAG_MAX)
            return AL_E_LENGTH;
        memcpy(lower + n, bytes, m);
        n += m;
        tag = al_slice_of(tag.p + k, tag.n - k);
    }
    lower[n] = '\0';
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->tag[i], lower) == 0)
            return 0;
    }
    if (t->count == AL_TAGS_MAX)
        return AL_E_LIMIT;
    memcpy(t->tag[t->count++], lower, n + 1);
    qsort(t->tag, t->count, sizeof(t->tag[0]), compare);
    return 0;
}

bool al_tags_is_word(const char *word)
{
    struct al_slice tag = al_slice_str(word);
    return tag.n > 1 && tag.p[0] == '+' &&
           tag_length(al_slice_of(tag.p + 1, tag.n - 1)) == tag.n - 1;
}

/* The number of |c| that |s| begins with. */
static size_t run_of(struct al_slice s, uint8_t c)
{
    size_t n = 0;
    while (n < s.n && s.p[n] == c)
        n++;
    return n;
}

/* The bytes of the code span or block at the start of |s|, which are |ticks| backticks: up to as
 * many again; when they are never closed, only themselves. */
static size_t code_length(struct al_slice s, size_t ticks)
{
    for (size_t i = ticks; i < s.n;) {
        size_t n = run_of(al_slice_of(s.p + i, s.n - i), '`');
        if (n == ticks)
            return i + n;
        i += n > 0 ? n : 1;
    }
    return ticks;
}

int al_tags_scan(struct al_tags *t, struct al_slice text)
{
    bool begins = true; /* a word may begin here */
    for (size_t i = 0; i < text.n;) {
        struct al_slice rest = al_slice_of(text.p + i, text.n - i);
        size_t ticks = run_of(rest, '`');
        if (ticks > 0) {
            i += code_length(rest, ticks);
            begins = false;
            continue;
        }
        if (begins && rest.p[0] == '#') {
            size_t n = tag_length(al_slice_of(rest.p + 1, rest.n - 1));
            int err = n == 0 ? 0 : al_tags_add(t, al_slice_of(rest.p, n + 1));
            if (err != 0 && err != AL_E_LENGTH)
                return err;
            i += n;
        }
        begins = strchr(" \t\r\n([{\"'", text.p[i]) != NULL && text.p[i] != '\0';
        i++;
    }
    return 0;
}
