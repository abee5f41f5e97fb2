#include <inttypes.h>
#include <libsmartcols.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "cli.h"
#include "id.h"
#include "out_int.h"
#include "when.h"

static const char *const colors[] = {
    [AL_STYLE_NONE] = NULL,
    [AL_STYLE_STRONG] = "bold",
    [AL_STYLE_DIM] = "darkgray",
    [AL_STYLE_ID] = "bold",
    [AL_STYLE_NAME] = "cyan",
    [AL_STYLE_TAG] = "blue",
    [AL_STYLE_MATCH] = "yellow",
    [AL_STYLE_GOOD] = "green",
    [AL_STYLE_WARN] = "brown",
    [AL_STYLE_BAD] = "red",
};

struct al_out_table {
    struct libscols_table *cells;
    uint64_t now_ms;
};

void al_out_table(struct al_out *o, const struct al_out_col *cols, size_t n)
{
    o->cols = cols;
    o->col_count = n;
}

static bool add_column(struct al_out_table *t, const struct al_out_col *col)
{
    int flags = (col->right ? SCOLS_FL_RIGHT : 0) | (col->cut ? SCOLS_FL_TRUNC : 0);
    struct libscols_column *c = scols_table_new_column(t->cells, col->title, 0, flags);
    return c != NULL && scols_column_set_color(c, colors[col->style]) == 0;
}

static struct al_out_table *table_new(const struct al_out *o)
{
    /* libsmartcols measures with the C library's locale, which nothing else here needs. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        (void)setlocale(LC_CTYPE, "");
    struct al_out_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->now_ms = al_cli_now_ms();
    t->cells = scols_new_table();
    bool ok = t->cells != NULL;
    bool titles = false;
    for (size_t i = 0; i < o->col_count && ok; i++) {
        ok = add_column(t, &o->cols[i]);
        titles = titles || o->cols[i].title[0] != '\0';
    }
    if (ok) {
        (void)scols_table_enable_noheadings(t->cells, !titles);
        (void)scols_table_enable_noencoding(t->cells, 1); /* cells are safe already */
        (void)scols_table_enable_colors(t->cells, o->opts.color);
        (void)scols_table_set_column_separator(t->cells, "  ");
        (void)scols_table_set_termforce(t->cells, SCOLS_TERMFORCE_ALWAYS);
        (void)scols_table_set_termwidth(t->cells, al_out_width(o));
        return t;
    }
    scols_unref_table(t->cells);
    free(t);
    return NULL;
}

/* The field that a column shows, which every row has. */
static const struct al_out_field *find(const struct al_out *o, const char *name)
{
    size_t i = 0;
    while (i < o->field_count && strcmp(o->fields[i].name, name) != 0)
        i++;
    AL_ASSERT(i < o->field_count);
    return &o->fields[i];
}

/* The text of a cell, on the heap. NULL: no memory. */
static char *cell(const struct al_out *o, const struct al_out_field *f)
{
    char tmp[64] = "";
    switch (f->type) {
    case AL_OUT_TEXT:
        return strndup((const char *)o->texts.p + f->from, f->n);
    case AL_OUT_TEXTS: {
        char *joined = malloc(f->n + 1);
        for (size_t i = 0; joined != NULL && i < f->n; i++) {
            char c = (char)o->texts.p[f->from + i];
            joined[i] = c != '\0' ? c : i + 1 < f->n ? ' ' : '\0';
        }
        if (joined != NULL)
            joined[f->n] = '\0';
        return joined;
    }
    case AL_OUT_UINT:
        (void)snprintf(tmp, sizeof(tmp), "%" PRIu64, f->num);
        break;
    case AL_OUT_BOOL:
        return strdup(f->num != 0 ? "yes" : "no");
    case AL_OUT_TIME:
        if (f->num != 0)
            al_when_relative(tmp, sizeof(tmp), f->num, o->table->now_ms);
        break;
    case AL_OUT_ID:
        if (f->n != 0)
            al_id_text_prefix(
                tmp, o->texts.p + f->from, f->num == 0 || f->num > AL_ID_CHARS ? 8 : f->num);
        break;
    }
    return strdup(tmp);
}

void al_out_table_row(struct al_out *o)
{
    if (o->cols == NULL)
        return;
    if (o->table == NULL)
        o->table = table_new(o);
    struct libscols_line *line =
        o->table == NULL ? NULL : scols_table_new_line(o->table->cells, NULL);
    bool ok = line != NULL;
    for (size_t i = 0; i < o->col_count && ok; i++) {
        char *text = cell(o, find(o, o->cols[i].field));
        ok = text != NULL && scols_line_refer_data(line, i, text) == 0;
    }
    if (!ok)
        o->err = AL_E_NOMEM;
}

void al_out_table_end(struct al_out *o)
{
    if (o->table == NULL)
        return;
    char *text = NULL;
    if (o->err == 0 && scols_print_table_to_string(o->table->cells, &text) == 0) {
        al_out_puts(o, text);
        al_out_put(o, "\n", 1);
    } else if (o->err == 0) {
        o->err = AL_E_NOMEM;
    }
    free(text);
    scols_unref_table(o->table->cells);
    free(o->table);
    o->table = NULL;
}
