#include "row.h"

#include "call.h"
#include "id.h"
#include "rpc.h"

#define SHORT_CHARS 8 /* of an id whose shortest unique prefix is not known */

static const uint8_t nobody[32];

static const uint8_t *b32_or_zeros(struct al_slice map, const char *name)
{
    const uint8_t *b = al_get_b32(map, name);
    return b != NULL ? b : nobody;
}

void al_row_read(struct al_row *ret, struct al_slice map)
{
    uint64_t enough = al_get_uint(map, "short");
    *ret = (struct al_row){
        .id = b32_or_zeros(map, "id"),
        .ref = al_rpc_param(map, "ref"),
        .identity = b32_or_zeros(map, "identity"),
        .name = al_get_str(map, "name"),
        .petname = al_get_bool(map, "petname"),
        .mine = al_get_bool(map, "mine"),
        .close = al_get_bool(map, "close"),
        .kind = al_get_str(map, "kind"),
        .to = al_get_str(map, "to"),
        .circle = al_get_str(map, "circle"),
        .time_ms = al_get_uint(map, "time"),
        .at_ms = al_get_uint(map, "at"),
        .claimed_ms = al_get_uint(map, "claimed"),
        .arrived_ms = al_get_uint(map, "arrived"),
        .pos = al_get_uint(map, "pos"),
        .text = al_get_str(map, "text"),
        .re = al_get_b32(map, "re"),
        .rt = al_get_b32(map, "rt"),
        .replies = al_get_uint(map, "replies"),
        .id_chars = enough > 0 && enough <= AL_ID_CHARS - 2 ? (size_t)enough + 2 : SHORT_CHARS,
        .depth = (size_t)al_get_uint(map, "depth"),
        .snippet = al_get_str(map, "snippet"),
        .state = al_get_str(map, "state"),
        .fields = al_rpc_param(map, "fields"),
    };
    uint32_t count;
    struct al_read tags = al_get_array(map, "tags", &count);
    for (uint32_t i = 0; i < count && i < sizeof(ret->tags) / sizeof(ret->tags[0]); i++) {
        struct al_slice tag = al_read_str(&tags, SIZE_MAX);
        if (tags.err == 0)
            ret->tags[ret->tag_count++] = tag;
    }
}

bool al_row_file(struct al_row_file *ret, const struct al_row *r, size_t i)
{
    uint32_t count;
    struct al_read files = al_get_array(r->fields, "files", &count);
    if (i >= count)
        return false;
    while (i-- > 0)
        (void)al_read_raw(&files);
    (void)al_read_array(&files, 3, 3);
    *ret = (struct al_row_file){.size = al_read_uint(&files, UINT64_MAX)};
    ret->mime = al_read_str(&files, SIZE_MAX);
    ret->name = al_read_str(&files, SIZE_MAX);
    return files.err == 0;
}
