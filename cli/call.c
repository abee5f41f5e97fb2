#include "call.h"

#include <stdlib.h>

#include "heapbuf.h"
#include "rpc.h"
#include "write.h"

#define HEADER_BYTES 5 /* room for the map's header in its longest form */

static void key(struct al_params *p, const char *name)
{
    if (p->buf.grow == NULL) {
        static const uint8_t room[HEADER_BYTES];
        p->buf = al_heapbuf();
        al_buf_put(&p->buf, room, sizeof(room));
    }
    al_write_cstr(&p->buf, name);
    p->pairs++;
}

void al_params_str(struct al_params *p, const char *name, struct al_slice v)
{
    key(p, name);
    al_write_str(&p->buf, v);
}

void al_params_cstr(struct al_params *p, const char *name, const char *v)
{
    al_params_str(p, name, al_slice_str(v));
}

void al_params_uint(struct al_params *p, const char *name, uint64_t v)
{
    key(p, name);
    al_write_uint(&p->buf, v);
}

void al_params_bool(struct al_params *p, const char *name, bool v)
{
    key(p, name);
    al_write_bool(&p->buf, v);
}

void al_params_bin(struct al_params *p, const char *name, const void *v, size_t n)
{
    key(p, name);
    al_write_bin(&p->buf, v, n);
}

void al_params_raw(struct al_params *p, const char *name, struct al_slice v)
{
    key(p, name);
    al_write_raw(&p->buf, v);
}

void al_params_key(struct al_params *p)
{
    uint8_t random[16];
    arc4random_buf(random, sizeof(random));
    al_params_bin(p, "key", random, sizeof(random));
}

struct al_slice al_params_done(struct al_params *p)
{
    static const uint8_t empty_map[] = {0x80};
    if (p == NULL || p->pairs == 0)
        return al_slice_of(empty_map, sizeof(empty_map));
    if (p->buf.full)
        return al_slice_of(NULL, 0);
    uint8_t bytes[HEADER_BYTES];
    struct al_buf header = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&header, p->pairs);
    uint8_t *start = p->buf.p + HEADER_BYTES - header.n;
    memcpy(start, bytes, header.n);
    return al_slice_of(start, p->buf.n - (HEADER_BYTES - header.n));
}

void al_params_free(struct al_params *p)
{
    if (p != NULL)
        al_heapbuf_free(&p->buf);
}

/* A cursor at the value of |name|, and its type; AL_TYPE_END when it is absent. */
static enum al_type find(struct al_read *ret, struct al_slice map, const char *name)
{
    struct al_slice v = map.n == 0 ? map : al_rpc_param(map, name);
    *ret = al_read_init(v);
    return v.n == 0 ? AL_TYPE_END : al_read_peek(ret);
}

struct al_slice al_get_str(struct al_slice map, const char *name)
{
    struct al_read r;
    if (find(&r, map, name) != AL_TYPE_STR)
        return al_slice_of(NULL, 0);
    return al_read_str(&r, SIZE_MAX);
}

struct al_slice al_get_bin(struct al_slice map, const char *name)
{
    struct al_read r;
    if (find(&r, map, name) != AL_TYPE_BIN)
        return al_slice_of(NULL, 0);
    return al_read_bin(&r, 0, SIZE_MAX);
}

uint64_t al_get_uint(struct al_slice map, const char *name)
{
    struct al_read r;
    return find(&r, map, name) == AL_TYPE_UINT ? al_read_uint(&r, UINT64_MAX) : 0;
}

bool al_get_bool(struct al_slice map, const char *name)
{
    struct al_read r;
    return find(&r, map, name) == AL_TYPE_BOOL && al_read_bool(&r);
}

const uint8_t *al_get_b32(struct al_slice map, const char *name)
{
    struct al_slice v = al_get_bin(map, name);
    return v.n == 32 ? v.p : NULL;
}

struct al_read al_get_array(struct al_slice map, const char *name, uint32_t *ret_count)
{
    struct al_read r;
    *ret_count = 0;
    if (find(&r, map, name) == AL_TYPE_ARRAY)
        *ret_count = al_read_array(&r, 0, UINT32_MAX);
    return r;
}
