#include "styled.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "heapbuf.h"
#include "id.h"
#include "text.h"

void al_styled_init(struct al_styled *t)
{
    *t = (struct al_styled){.text = al_heapbuf()};
}

void al_styled_fini(struct al_styled *t)
{
    if (t != NULL)
        al_heapbuf_free(&t->text);
}

/* What was appended last has |style|. */
static void end_run(struct al_styled *t, enum al_style style)
{
    size_t n = t->run_count;
    if (n > 0 && (n == AL_STYLED_RUNS || t->runs[n - 1].style == style))
        t->runs[n - 1].end = t->text.n;
    else {
        t->runs[n].end = t->text.n;
        t->runs[n].style = style;
        t->run_count++;
    }
}

void al_styled_add(struct al_styled *t, enum al_style style, struct al_slice s)
{
    al_text_safe(&t->text, s, AL_TEXT_BLOCK);
    end_run(t, style);
}

void al_styled_add_line(struct al_styled *t, enum al_style style, struct al_slice s)
{
    al_text_safe(&t->text, s, AL_TEXT_LINE);
    end_run(t, style);
}

void al_styled_addf(struct al_styled *t, enum al_style style, const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        t->text.full = true;
        return;
    }
    al_styled_add(t, style, al_slice_of(s, (size_t)n));
    free(s);
}

void al_styled_add_id(struct al_styled *t, const uint8_t b32[32], size_t chars)
{
    char text[AL_ID_TEXT];
    if (chars == 0 || chars > AL_ID_CHARS)
        chars = 8;
    size_t enough = chars > 2 ? chars - 2 : chars;
    al_id_text_prefix(text, b32, chars);
    al_styled_add(t, AL_STYLE_ID, al_slice_of(text, enough));
    al_styled_add(t, AL_STYLE_DIM, al_slice_of(text + enough, chars - enough));
}

/* The bytes |from|..|end| of the text, each run in its style; |run| is where |from| lies. */
static void say_part(
    struct al_out *o, const struct al_styled *t, size_t *run, size_t from, size_t end)
{
    while (from < end) {
        while (*run + 1 < t->run_count && t->runs[*run].end <= from)
            ++*run;
        size_t stop = t->runs[*run].end < end ? t->runs[*run].end : end;
        if (stop <= from)
            stop = end;
        al_say(o, t->runs[*run].style, "%.*s", (int)(stop - from), (char *)t->text.p + from);
        from = stop;
    }
}

/* What stands left of a line; before an |empty| one without the spaces at its end. */
static void say_margin(struct al_out *o, const char *margin, size_t indent, bool empty)
{
    if (margin == NULL) {
        al_say(o, AL_STYLE_NONE, "%*s", empty ? 0 : (int)indent, "");
        return;
    }
    size_t n = strlen(margin);
    while (empty && n > 0 && margin[n - 1] == ' ')
        n--;
    al_say(o, AL_STYLE_DIM, "%.*s", (int)n, margin);
}

bool al_styled_say(struct al_out *o, const struct al_styled *t, const struct al_styled_box *box)
{
    if (!al_out_is_pretty(o))
        return true;
    size_t run = 0;
    size_t lines = 0;
    size_t at = 0;
    do {
        if (box->lines_max > 0 && lines == box->lines_max)
            return false;
        size_t next = 0;
        size_t n = al_text_line(&next, al_slice_of(t->text.p + at, t->text.n - at), box->columns);
        const char *margin = lines == 0 ? box->lead : box->margin;
        say_margin(o, margin, box->indent, n == 0);
        say_part(o, t, &run, at, at + n);
        al_say(o, AL_STYLE_NONE, "\n");
        lines++;
        at += next;
    } while (at < t->text.n);
    return true;
}
