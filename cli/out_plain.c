#include "id.h"
#include "out_int.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>

static void put_texts(struct al_out *o, const struct al_out_field *f)
{
    const char *s = (const char *)o->texts.p + f->from;
    for (uint64_t i = 0; i < f->num; i++, s += strlen(s) + 1) {
        if (i > 0)
            al_out_put(o, " ", 1);
        al_out_puts(o, s);
    }
}

static void put_field(struct al_out *o, const struct al_out_field *f)
{
    char tmp[AL_ID_TEXT > 32 ? AL_ID_TEXT : 32] = "";
    switch (f->type) {
    case AL_OUT_TEXT: {
        struct al_slice s = al_out_field_text(o, f);
        al_out_put(o, s.p, s.n);
        return;
    }
    case AL_OUT_TEXTS:
        put_texts(o, f);
        return;
    case AL_OUT_UINT:
        (void)snprintf(tmp, sizeof(tmp), "%" PRIu64, f->num);
        break;
    case AL_OUT_BOOL:
        al_out_puts(o, f->num != 0 ? "true" : "false");
        return;
    case AL_OUT_TIME:
        if (f->num != 0)
            al_when_utc(tmp, f->num);
        break;
    case AL_OUT_ID:
        if (f->n != 0)
            al_id_text(tmp, o->texts.p + f->from);
        break;
    }
    al_out_puts(o, tmp);
}

void al_out_plain_row(struct al_out *o)
{
    for (size_t i = 0; i < o->field_count; i++) {
        if (i > 0)
            al_out_put(o, "\t", 1);
        put_field(o, &o->fields[i]);
    }
    al_out_put(o, "\n", 1);
}
