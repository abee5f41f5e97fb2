#include <jansson.h>

#include "id.h"
#include "out_int.h"
#include "when.h"

#define JSON_VERSION 1

static json_t *texts(const struct al_out *o, const struct al_out_field *f)
{
    json_t *list = json_array();
    const char *s = (const char *)o->texts.p + f->from;
    for (uint64_t i = 0; i < f->num; i++, s += strlen(s) + 1)
        (void)json_array_append_new(list, json_string(s));
    return list;
}

/* A new reference; NULL: no memory. */
static json_t *value(const struct al_out *o, const struct al_out_field *f)
{
    char tmp[AL_ID_TEXT > 32 ? AL_ID_TEXT : 32];
    switch (f->type) {
    case AL_OUT_TEXT: {
        struct al_slice s = al_out_field_text(o, f);
        return json_stringn((const char *)s.p, s.n);
    }
    case AL_OUT_TEXTS:
        return texts(o, f);
    case AL_OUT_UINT:
        return json_integer((json_int_t)f->num);
    case AL_OUT_BOOL:
        return json_boolean(f->num != 0);
    case AL_OUT_TIME:
        if (f->num == 0)
            return json_null();
        al_when_utc(tmp, f->num);
        return json_string(tmp);
    case AL_OUT_ID:
        if (f->n == 0)
            return json_null();
        al_id_text(tmp, o->texts.p + f->from);
        return json_string(tmp);
    }
    return NULL;
}

/* The next name in a comma-separated list. */
static struct al_slice next_name(const char **list)
{
    size_t n = strcspn(*list, ",");
    struct al_slice name = al_slice_of(*list, n);
    *list += n + ((*list)[n] == ',');
    return name;
}

static bool wanted(const char *list, const char *name)
{
    if (list == NULL)
        return true;
    while (*list != '\0') {
        if (al_slice_is(next_name(&list), name))
            return true;
    }
    return false;
}

/* Rows of one command are alike: look once whether they have what was asked for. */
static void check_fields(struct al_out *o)
{
    const char *list = o->opts.fields;
    o->fields_checked = true;
    while (list != NULL && *list != '\0') {
        const char *at = list;
        struct al_slice name = next_name(&list);
        bool found = false;
        for (size_t i = 0; i < o->field_count; i++)
            found = found || al_slice_is(name, o->fields[i].name);
        if (!found) {
            o->unknown_field = at;
            o->err = AL_E_PARAMS;
            return;
        }
    }
}

void al_out_json_row(struct al_out *o)
{
    if (!o->fields_checked)
        check_fields(o);
    if (o->err != 0)
        return;
    json_t *row = json_object();
    bool ok = row != NULL && json_object_set_new(row, "v", json_integer(JSON_VERSION)) == 0;
    for (size_t i = 0; i < o->field_count && ok; i++) {
        const struct al_out_field *f = &o->fields[i];
        if (wanted(o->opts.fields, f->name))
            ok = json_object_set_new(row, f->name, value(o, f)) == 0;
    }
    char *text = ok ? json_dumps(row, JSON_COMPACT) : NULL;
    if (text != NULL) {
        al_out_puts(o, text);
        al_out_put(o, "\n", 1);
    } else {
        o->err = AL_E_NOMEM;
    }
    free(text);
    json_decref(row);
}
