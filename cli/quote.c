#include "quote.h"

#include <stdio.h>

#include "heapbuf.h"
#include "text.h"

static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,+=";

/* True if it is shown as it is. */
static bool is_shown(struct al_slice word)
{
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, word, AL_TEXT_BLOCK);
    bool same = al_slice_eq(al_buf_slice(&safe), word);
    al_heapbuf_free(&safe);
    return same && memchr(word.p, '\n', word.n) == NULL;
}

static void put_quoted(struct al_buf *b, struct al_slice word)
{
    al_buf_put(b, "'", 1);
    for (size_t i = 0; i < word.n; i++)
        al_buf_put(
            b, word.p[i] == '\'' ? (const void *)"'\\''" : word.p + i, word.p[i] == '\'' ? 4 : 1);
    al_buf_put(b, "'", 1);
}

/* $'...', where every byte has a number. */
static void put_escaped(struct al_buf *b, struct al_slice word)
{
    al_buf_put(b, "$'", 2);
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        char escaped[5];
        bool as_is = c >= ' ' && c < 0x7f && c != '\'' && c != '\\';
        (void)snprintf(escaped, sizeof(escaped), "\\%03o", c);
        al_buf_put(b, as_is ? (const void *)&c : escaped, as_is ? 1 : 4);
    }
    al_buf_put(b, "'", 1);
}

const char *al_quote(struct al_cli *c, const char *word)
{
    struct al_slice s = al_slice_str(word);
    struct al_buf b = al_heapbuf();
    if (s.n > 0 && strspn(word, plain) == s.n)
        return word;
    if (is_shown(s))
        put_quoted(&b, s);
    else
        put_escaped(&b, s);
    const char *quoted = al_cli_dup(c, al_buf_slice(&b));
    al_heapbuf_free(&b);
    return quoted;
}
