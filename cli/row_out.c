#include "row_out.h"

#include <stdlib.h>

#include "call.h"
#include "heapbuf.h"

#define ROWS_MAX 65536

static void out_field(struct al_out *o, const char *name, const struct al_row *r, const char *key)
{
    al_out_text(o, name, al_get_str(r->fields, key));
}

static void out_place(struct al_out *o, const struct al_row *r)
{
    struct al_ref ref = {0};
    struct al_read read = al_read_init(r->ref);
    if (r->ref.n > 0)
        al_read_ref(&read, &ref);
    static const char hex[] = "0123456789abcdef";
    char log[2 * sizeof(ref.log.b)];
    for (size_t i = 0; i < sizeof(ref.log.b); i++) {
        log[2 * i] = hex[ref.log.b[i] >> 4];
        log[2 * i + 1] = hex[ref.log.b[i] & 15];
    }
    al_out_id(o, "device", ref.device.b, 0);
    al_out_name(o, "log", al_slice_of(log, sizeof(log)));
    al_out_uint(o, "seq", ref.seq);
}

/* The names of its attachments, in the order in which `save` numbers them. */
static void out_files(struct al_out *o, const struct al_row *r)
{
    struct al_slice names[AL_ROW_FILES_MAX];
    size_t n = 0;
    struct al_row_file file;
    while (n < AL_ROW_FILES_MAX && al_row_file(&file, r, n))
        names[n++] = file.name;
    al_out_texts(o, "files", names, n);
}

/* Without the marks around what matched, which are for people's eyes. */
static void out_snippet(struct al_out *o, struct al_slice s)
{
    struct al_buf plain = al_heapbuf();
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != AL_ROW_MATCH_BEGIN && s.p[i] != AL_ROW_MATCH_END)
            al_buf_put(&plain, s.p + i, 1);
    }
    al_out_text(o, "snippet", al_buf_slice(&plain));
    al_heapbuf_free(&plain);
}

void al_row_out(struct al_out *o, const struct al_row *r)
{
    al_out_row(o);
    al_out_time(o, "time", r->time_ms);
    al_out_id(o, "id", r->id, r->id_chars);
    al_out_name(o, "name", r->name);
    al_out_name(o, "kind", r->kind);
    al_out_name(o, "to", r->to);
    al_out_texts(o, "tags", r->tags, r->tag_count);
    al_out_text(o, "text", r->text);
    al_out_name(o, "state", r->state);
    al_out_uint(o, "replies", r->replies);
    al_out_bool(o, "mine", r->mine);
    al_out_bool(o, "petname", r->petname);
    al_out_id(o, "identity", r->identity, 0);
    al_out_id(o, "re", r->re, 0);
    al_out_id(o, "rt", r->rt, 0);
    out_field(o, "url", r, "url");
    out_field(o, "title", r, "title");
    out_field(o, "quote", r, "quote");
    out_field(o, "src", r, "src");
    al_out_id(o, "who", al_get_b32(r->fields, "who"), 0);
    out_field(o, "profile_name", r, "name");
    out_field(o, "about", r, "about");
    out_field(o, "working", r, "working");
    out_field(o, "wants", r, "wants");
    out_field(o, "knows", r, "knows");
    out_snippet(o, r->snippet);
    al_out_uint(o, "depth", r->depth);
    al_out_time(o, "at", r->at_ms);
    al_out_time(o, "claimed", r->claimed_ms);
    al_out_time(o, "arrived", r->arrived_ms);
    out_place(o, r);
    al_out_uint(o, "pos", r->pos);
    al_out_name(o, "circle", r->circle);
    al_out_bool(o, "close", r->close);
    out_files(o, r);
    al_out_row_end(o);
}

int al_row_out_read(struct al_row **ret, size_t *ret_count, struct al_slice map, const char *key)
{
    uint32_t count;
    struct al_read r = al_get_array(map, key, &count);
    if (count > ROWS_MAX)
        return AL_E_RPC;
    struct al_row *rows = NULL;
    if (count > 0) {
        rows = calloc(count, sizeof(*rows));
        if (rows == NULL)
            return AL_E_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice raw = al_read_raw(&r);
        if (raw.n == 0) {
            free(rows);
            return AL_E_RPC;
        }
        al_row_read(&rows[i], raw);
    }
    *ret = rows;
    *ret_count = count;
    return 0;
}
