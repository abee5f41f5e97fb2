#include "fields.h"

#include "attachment.h"
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
#define FIELDS_MAX (TABLE_COUNT + 1) /* and files */

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

/* What a row says of attachments: not their keys, nor their pieces. */
static void write_files(struct al_buf *b, struct al_slice files)
{
    uint32_t count = al_attachment_count(files);
    al_write_array(b, count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_attachment a;
        if (al_attachment_get(&a, files, i) != 0)
            a = (struct al_attachment){.size = 0}; /* it fits no file: it has no name either */
        al_write_array(b, 3);
        al_write_uint(b, a.size);
        al_write_str(b, a.mime);
        al_write_str(b, a.name);
    }
}

void al_fields_write(struct al_buf *b, const struct al_payload *p)
{
    size_t count = p->files.n > 0 ? 1 : 0;
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
    if (p->files.n > 0) {
        al_write_cstr(b, "files");
        write_files(b, p->files);
    }
}

static bool find(struct al_slice *ret, struct al_slice fields, const char *name)
{
    struct al_read r = al_read_init(fields);
    uint32_t left = fields.n == 0 ? 0 : al_read_map(&r, FIELDS_MAX);
    for (; left > 0; left--) {
        bool found = al_slice_is(al_read_str(&r, AL_NAME_MAX), name);
        *ret = al_read_raw(&r);
        if (found)
            return true;
    }
    return false;
}

struct al_slice al_fields_text(struct al_slice fields, const char *name)
{
    struct al_slice raw;
    if (!find(&raw, fields, name))
        return al_slice_of(NULL, 0);
    struct al_read r = al_read_init(raw);
    return al_read_peek(&r) == AL_TYPE_STR ? al_read_str(&r, AL_PAYLOAD_MAX) : al_slice_of(NULL, 0);
}

struct al_slice al_fields_ref(struct al_slice fields, const char *name)
{
    struct al_slice raw;
    return find(&raw, fields, name) ? raw : al_slice_of(NULL, 0);
}

/* --- what a row shows ----------------------------------------------------------------------- */

static bool is_changed_by_edits(struct al_slice name)
{
    static const char *const names[] = {"url", "title", "quote", "from", "state"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (al_slice_is(name, names[i]))
            return true;
    }
    return false;
}

/* Go through |fields|: append to |b|, which may be NULL, what shows; returns how much that is. */
static size_t pick(struct al_buf *b, struct al_slice fields, bool changeable, bool rest, bool of)
{
    struct al_read r = al_read_init(fields);
    size_t count = 0;
    if (fields.n == 0)
        return 0;
    for (uint32_t left = al_read_map(&r, FIELDS_MAX); left > 0; left--) {
        struct al_slice name = al_read_str(&r, AL_NAME_MAX);
        struct al_slice raw = al_read_raw(&r);
        bool wanted = is_changed_by_edits(name) ? changeable : rest;
        if (al_slice_is(name, "files"))
            continue; /* see shown_files() */
        if (!wanted || (!of && al_slice_is(name, "of")))
            continue;
        count++;
        if (b != NULL) {
            al_write_str(b, name);
            al_write_raw(b, raw);
        }
    }
    return count;
}

/* Edits add files: one that has none leaves those of the entry as they are. */
static bool shown_files(struct al_slice *ret, const struct al_fields_opts *opts)
{
    return find(ret, opts->shown, "files") || find(ret, opts->own, "files");
}

void al_fields_put(struct al_buf *b, const struct al_fields_opts *opts)
{
    struct al_slice files;
    bool has_files = shown_files(&files, opts);
    size_t count = pick(NULL, opts->own, false, true, !opts->unlinked) +
                   pick(NULL, opts->shown, true, false, false) + (opts->wider ? 1 : 0) +
                   (has_files ? 1 : 0);
    al_write_map(b, count);
    if (has_files) {
        al_write_cstr(b, "files");
        al_write_raw(b, files);
    }
    (void)pick(b, opts->own, false, true, !opts->unlinked);
    (void)pick(b, opts->shown, true, false, false);
    if (opts->wider) {
        al_write_cstr(b, "wider");
        al_write_bool(b, true);
    }
}

/* --- what search finds ---------------------------------------------------------------------- */

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
