#include "rpc.h"

#include "limit.h"
#include "read.h"
#include "scan.h"
#include "write.h"

#define METHOD_MAX 64

static const uint8_t empty_map[] = {0x80};

static struct al_slice no_params(void)
{
    return al_slice_of(empty_map, sizeof(empty_map));
}

/* A map, an array that holds nothing but a map, or an empty array. */
static struct al_slice read_params(struct al_read *r)
{
    if (al_read_peek(r) == AL_TYPE_ARRAY && al_read_array(r, 0, 1) == 0)
        return no_params();
    if (al_read_peek(r) != AL_TYPE_MAP)
        al_read_fail(r, AL_E_RPC);
    return al_read_raw(r);
}

static struct al_slice read_method(struct al_read *r)
{
    struct al_slice name = al_read_str(r, METHOD_MAX);
    if (name.n == 0)
        al_read_fail(r, AL_E_RPC);
    return name;
}

/* The error of a response is nil, or an array that al_rpc_error_read() reads. */
static struct al_slice read_error(struct al_read *r)
{
    if (al_read_peek(r) == AL_TYPE_NIL) {
        al_read_nil(r);
        return al_slice_of(NULL, 0);
    }
    if (al_read_peek(r) != AL_TYPE_ARRAY)
        al_read_fail(r, AL_E_RPC);
    return al_read_raw(r);
}

static int read_envelope(struct al_rpc *ret, struct al_slice bytes)
{
    struct al_rpc m = {.params = no_params()};
    struct al_read r = al_read_init(bytes);
    uint32_t count = al_read_array(&r, 3, 4);
    uint64_t type = al_read_uint(&r, AL_RPC_NOTIFICATION);
    m.type = (enum al_rpc_type)type;
    if (count != (m.type == AL_RPC_NOTIFICATION ? 3 : 4))
        al_read_fail(&r, AL_E_RPC);
    if (m.type != AL_RPC_NOTIFICATION)
        m.id = (uint32_t)al_read_uint(&r, UINT32_MAX);
    if (m.type == AL_RPC_RESPONSE) {
        m.error = read_error(&r);
        m.result = al_read_raw(&r);
    } else {
        m.method = read_method(&r);
        m.params = read_params(&r);
    }
    if (al_read_end(&r) != 0)
        return AL_E_RPC;
    *ret = m;
    return 0;
}

static int first(struct al_rpc *ret, size_t *ret_n, struct al_slice bytes, size_t max,
    const struct al_scan_limits *limits)
{
    if (bytes.n == 0)
        return AL_E_MORE;
    if (!al_tag_is_array(bytes.p[0]))
        return AL_E_RPC; /* text, HTTP, noise: no need to wait for more of it */
    bool all = bytes.n >= max;
    if (all)
        bytes.n = max;
    size_t n = 0;
    int err = al_scan_first(&n, bytes, limits);
    if (err == AL_E_MORE && all)
        return AL_E_LENGTH;
    if (err == 0)
        err = read_envelope(ret, al_slice_of(bytes.p, n));
    if (err == 0)
        *ret_n = n;
    return err;
}

int al_rpc_first(struct al_rpc *ret, size_t *ret_n, struct al_slice bytes)
{
    return first(ret, ret_n, bytes, AL_RPC_REQUEST_MAX, &al_scan_rpc);
}

int al_rpc_first_answer(struct al_rpc *ret, size_t *ret_n, struct al_slice bytes)
{
    return first(ret, ret_n, bytes, AL_RPC_ANSWER_MAX, &al_scan_answer);
}

static void write_params(struct al_buf *b, struct al_slice params)
{
    al_write_raw(b, params.n > 0 ? params : no_params());
}

void al_rpc_request(struct al_buf *b, uint32_t id, const char *method, struct al_slice params)
{
    al_write_array(b, 4);
    al_write_uint(b, AL_RPC_REQUEST);
    al_write_uint(b, id);
    al_write_cstr(b, method);
    write_params(b, params);
}

void al_rpc_response(struct al_buf *b, uint32_t id, struct al_slice result)
{
    al_write_array(b, 4);
    al_write_uint(b, AL_RPC_RESPONSE);
    al_write_uint(b, id);
    al_write_nil(b);
    write_params(b, result);
}

void al_rpc_error_response(struct al_buf *b, uint32_t id, const struct al_rpc_error *error)
{
    al_write_array(b, 4);
    al_write_uint(b, AL_RPC_RESPONSE);
    al_write_uint(b, id);
    al_write_array(b, 4);
    al_write_int(b, error->code);
    al_write_str(b, error->name);
    al_write_str(b, error->message);
    al_write_str(b, error->hint);
    al_write_nil(b);
}

void al_rpc_notification(struct al_buf *b, const char *method, struct al_slice params)
{
    al_write_array(b, 3);
    al_write_uint(b, AL_RPC_NOTIFICATION);
    al_write_cstr(b, method);
    write_params(b, params);
}

int al_rpc_error_read(struct al_rpc_error *ret, struct al_slice error)
{
    struct al_rpc_error e;
    struct al_read r = al_read_init(error);
    (void)al_read_array(&r, 4, 4);
    e.code = (int)al_read_int(&r, INT32_MIN, INT32_MAX);
    e.name = al_read_str(&r, AL_RPC_REQUEST_MAX);
    e.message = al_read_str(&r, AL_RPC_REQUEST_MAX);
    e.hint = al_read_str(&r, AL_RPC_REQUEST_MAX);
    if (al_read_end(&r) != 0)
        return AL_E_RPC;
    *ret = e;
    return 0;
}

struct al_slice al_rpc_param(struct al_slice map, const char *key)
{
    struct al_read r = al_read_init(map);
    for (uint32_t left = al_read_map(&r, UINT32_MAX); left > 0; left--) {
        bool text = al_read_peek(&r) == AL_TYPE_STR;
        struct al_slice name = text ? al_read_str(&r, SIZE_MAX) : al_read_raw(&r);
        struct al_slice value = al_read_raw(&r);
        if (text && al_slice_is(name, key))
            return value;
    }
    return al_slice_of(NULL, 0);
}
