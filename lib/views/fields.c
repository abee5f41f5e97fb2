#include "fields.h"

#include "read.h"
#include "write.h"

enum shape { TEXT, BYTES, RAW, REF };

static const struct {
    const char *name;
    enum shape shape;
    size_t offset;
} table[] = {
#define FIELD(name, shape)                                                                         \
    {                                                                                              \
#name, shape, offsetof(struct al_payload, name)                                            \
    }
    FIELD(url, TEXT),
    FIELD(title, TEXT),
    FIELD(quote, TEXT),
    FIELD(name, TEXT),
    FIELD(about, TEXT),
    FIELD(working, TEXT),
    FIELD(wants, TEXT),
    FIELD(knows, TEXT),
    FIELD(who, BYTES),
    FIELD(src, TEXT),
    FIELD(key, TEXT),
    FIELD(val, RAW),
    FIELD(from, RAW),
    FIELD(state, TEXT),
    FIELD(of, REF),
#undef FIELD
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

static const void *field(const struct al_payload *p, size_t i)
{
    return (const uint8_t *)p + table[i].offset;
}

static bool has(const struct al_payload *p, size_t i)
{
    if (table[i].shape == REF)
        return ((const struct al_ref *)field(p, i))->seq != 0;
    return ((const struct al_slice *)field(p, i))->n != 0;
}

void al_fields_write(struct al_buf *b, const struct al_payload *p)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        count += has(p, i) ? 1 : 0;
    if (count == 0)
        return;
    al_write_map(b, count);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!has(p, i))
            continue;
        const struct al_slice *s = field(p, i);
        al_write_cstr(b, table[i].name);
        switch (table[i].shape) {
        case TEXT:
            al_write_str(b, *s);
            break;
        case BYTES:
            al_write_bin(b, s->p, s->n);
            break;
        case RAW:
            al_write_raw(b, *s);
            break;
        case REF:
            al_write_ref(b, field(p, i));
            break;
        }
    }
}

struct al_slice al_fields_text(struct al_slice fields, const char *name)
{
    if (fields.n == 0)
        return fields;
    struct al_read r = al_read_init(fields);
    for (uint32_t left = al_read_map(&r, TABLE_COUNT); left > 0; left--) {
        bool found = al_slice_is(al_read_str(&r, AL_NAME_MAX), name);
        if (found && al_read_peek(&r) == AL_TYPE_STR)
            return al_read_str(&r, AL_PAYLOAD_MAX);
        (void)al_read_raw(&r);
    }
    return al_slice_of(NULL, 0);
}

static void put_line(struct al_buf *b, struct al_slice s)
{
    if (s.n == 0)
        return;
    if (b->n > 0)
        al_buf_put(b, "\n", 1);
    al_buf_put(b, s.p, s.n);
}

void al_fields_words(struct al_buf *b, struct al_slice tags, struct al_slice fields)
{
    if (tags.n > 0) {
        struct al_read r = al_read_init(tags);
        for (uint32_t left = al_read_array(&r, 0, AL_TAGS_MAX); left > 0; left--)
            put_line(b, al_read_str(&r, AL_TAG_MAX));
    }
    put_line(b, al_fields_text(fields, "title"));
    put_line(b, al_fields_text(fields, "quote"));
    put_line(b, al_fields_text(fields, "url"));
}
