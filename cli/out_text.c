#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "heapbuf.h"
#include "id.h"
#include "out_int.h"
#include "text.h"
#include "when.h"

/* Colour carries meaning only, and never meaning alone: everything reads the same without it. */
static const char *const escapes[] = {
    [AL_STYLE_NONE] = NULL,
    [AL_STYLE_STRONG] = "1",
    [AL_STYLE_DIM] = "2",
    [AL_STYLE_ID] = "1",
    [AL_STYLE_NAME] = "36",
    [AL_STYLE_TAG] = "34",
    [AL_STYLE_MATCH] = "1;33",
    [AL_STYLE_GOOD] = "32",
    [AL_STYLE_WARN] = "33",
    [AL_STYLE_BAD] = "31",
};

static void put_line(struct al_out *o, enum al_style style, struct al_slice s)
{
    bool colored = o->opts.color && escapes[style] != NULL && s.n > 0;
    if (colored) {
        al_out_puts(o, "\033[");
        al_out_puts(o, escapes[style]);
        al_out_puts(o, "m");
    }
    al_out_put(o, s.p, s.n);
    if (colored)
        al_out_puts(o, "\033[0m");
}

/* Print safe text in a style, each line by itself: pagers forget the style at its end. */
static void put_styled(struct al_out *o, enum al_style style, struct al_slice s)
{
    const uint8_t *end;
    while (s.n > 0 && (end = memchr(s.p, '\n', s.n)) != NULL) {
        size_t n = (size_t)(end - s.p);
        put_line(o, style, al_slice_of(s.p, n));
        al_out_put(o, "\n", 1);
        s = al_slice_of(s.p + n + 1, s.n - n - 1);
    }
    put_line(o, style, s);
}

static void say_safe(struct al_out *o, enum al_style style, struct al_slice s, enum al_text_use use)
{
    if (!al_out_is_pretty(o))
        return;
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, s, use);
    put_styled(o, style, al_buf_slice(&safe));
    al_heapbuf_free(&safe);
}

void al_say(struct al_out *o, enum al_style style, const char *fmt, ...)
{
    if (!al_out_is_pretty(o))
        return;
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        o->err = AL_E_NOMEM;
        return;
    }
    say_safe(o, style, al_slice_of(s, (size_t)n), AL_TEXT_BLOCK);
    free(s);
}

void al_say_line(struct al_out *o, enum al_style style, struct al_slice s)
{
    say_safe(o, style, s, AL_TEXT_LINE);
}

void al_say_id(struct al_out *o, const uint8_t b32[32], size_t chars)
{
    if (!al_out_is_pretty(o))
        return;
    char text[AL_ID_TEXT];
    if (chars == 0 || chars > AL_ID_CHARS)
        chars = 8;
    al_id_text_prefix(text, b32, chars);
    size_t enough = chars > 2 ? chars - 2 : chars;
    put_styled(o, AL_STYLE_ID, al_slice_of(text, enough));
    put_styled(o, AL_STYLE_DIM, al_slice_of(text + enough, chars - enough));
}

void al_say_wrapped(struct al_out *o, enum al_style style, struct al_slice s, size_t indent)
{
    if (!al_out_is_pretty(o))
        return;
    struct al_buf safe = al_heapbuf();
    struct al_buf lines = al_heapbuf();
    al_text_safe(&safe, s, AL_TEXT_BLOCK);
    for (size_t i = 0; i < indent; i++)
        al_buf_put(&lines, " ", 1);
    al_text_wrap(&lines, al_buf_slice(&safe), al_out_width(o) - indent, indent);
    put_styled(o, style, al_buf_slice(&lines));
    al_out_put(o, "\n", 1);
    al_heapbuf_free(&safe);
    al_heapbuf_free(&lines);
}

void al_say_time(struct al_out *o, enum al_style style, uint64_t ms)
{
    char text[64];
    al_when_relative(text, sizeof(text), ms, al_cli_now_ms());
    al_say(o, style, "%s", text);
}
