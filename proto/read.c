#include "read.h"

#include "limit.h"
#include "scan.h"

struct al_read al_read_init(struct al_slice bytes)
{
    return (struct al_read){.p = bytes.p, .end = al_slice_end(bytes)};
}

struct al_read al_read_message(struct al_slice bytes)
{
    struct al_read r = al_read_init(bytes);
    r.err = al_scan(bytes, &al_scan_message);
    return r;
}

void al_read_fail(struct al_read *r, int err)
{
    if (r->err == 0)
        r->err = err;
}

enum al_type al_read_peek(const struct al_read *r)
{
    if (r->err != 0 || r->p == r->end)
        return AL_TYPE_END;
    uint8_t tag = *r->p;
    if (tag <= 0x7f)
        return AL_TYPE_UINT;
    if (tag <= 0x8f)
        return AL_TYPE_MAP;
    if (tag <= 0x9f)
        return AL_TYPE_ARRAY;
    if (tag <= 0xbf)
        return AL_TYPE_STR;
    if (tag >= 0xe0)
        return AL_TYPE_NEGATIVE;
    switch (tag) {
    case 0xc2:
    case 0xc3:
        return AL_TYPE_BOOL;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return AL_TYPE_BIN;
    case 0xca:
    case 0xcb:
        return AL_TYPE_FLOAT;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return AL_TYPE_UINT;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: /* the long form of a positive number reaches us only through the local API */
        return (r->p[1] & 0x80) != 0 ? AL_TYPE_NEGATIVE : AL_TYPE_UINT;
    case 0xd9:
    case 0xda:
    case 0xdb:
        return AL_TYPE_STR;
    case 0xdc:
    case 0xdd:
        return AL_TYPE_ARRAY;
    case 0xde:
    case 0xdf:
        return AL_TYPE_MAP;
    case 0xc0:
        return AL_TYPE_NIL;
    default:
        return AL_TYPE_EXT;
    }
}

static bool expect(struct al_read *r, enum al_type type)
{
    if (r->err != 0)
        return false;
    if (r->p == r->end)
        al_read_fail(r, AL_E_MISSING);
    else if (al_read_peek(r) != type)
        al_read_fail(r, AL_E_TYPE);
    return r->err == 0;
}

static uint64_t take_be(struct al_read *r, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | *r->p++;
    return v;
}

uint64_t al_read_uint(struct al_read *r, uint64_t max)
{
    if (!expect(r, AL_TYPE_UINT))
        return 0;
    uint8_t tag = *r->p++;
    uint64_t v = tag <= 0x7f ? tag : take_be(r, (size_t)1 << (tag & 3));
    if (v > max) {
        al_read_fail(r, AL_E_RANGE);
        return 0;
    }
    return v;
}

int64_t al_read_int(struct al_read *r, int64_t min, int64_t max)
{
    int64_t v;
    if (al_read_peek(r) == AL_TYPE_NEGATIVE) {
        uint8_t tag = *r->p++;
        if (tag >= 0xe0) {
            /* NOLINTNEXTLINE(bugprone-signed-char-misuse,cert-str34-c): the tag is the number */
            v = (int8_t)tag;
        } else {
            size_t bytes = (size_t)1 << (tag & 3);
            uint64_t raw = take_be(r, bytes);
            if (bytes < 8)
                raw |= UINT64_MAX << (bytes * 8); /* extend the sign */
            v = (int64_t)raw;
        }
    } else {
        v = (int64_t)al_read_uint(r, INT64_MAX);
    }
    if (r->err == 0 && (v < min || v > max))
        al_read_fail(r, AL_E_RANGE);
    return r->err == 0 ? v : 0;
}

bool al_read_bool(struct al_read *r)
{
    return expect(r, AL_TYPE_BOOL) && *r->p++ == 0xc3;
}

void al_read_nil(struct al_read *r)
{
    if (expect(r, AL_TYPE_NIL))
        r->p++;
}

/* The count of an array or of the pairs of a map, which expect() has seen. */
static uint32_t take_count(struct al_read *r)
{
    uint8_t tag = *r->p++;
    if (tag <= 0x9f)
        return tag & 0x0f;
    return (uint32_t)take_be(r, (tag & 1) == 0 ? 2 : 4);
}

uint32_t al_read_array(struct al_read *r, uint32_t min, uint32_t max)
{
    if (!expect(r, AL_TYPE_ARRAY))
        return 0;
    uint32_t n = take_count(r);
    if (n < min || n > max) {
        al_read_fail(r, AL_E_COUNT);
        return 0;
    }
    return n;
}

uint32_t al_read_array_v1(struct al_read *r, uint32_t min, uint32_t max)
{
    uint32_t n = al_read_array(r, 1, UINT32_MAX);
    uint64_t version = al_read_uint(r, UINT64_MAX);
    if (r->err == 0 && version != 1)
        al_read_fail(r, AL_E_VERSION);
    else if (n < min || n > max)
        al_read_fail(r, AL_E_COUNT);
    return r->err == 0 ? n : 0;
}

uint32_t al_read_map(struct al_read *r, uint32_t max)
{
    if (!expect(r, AL_TYPE_MAP))
        return 0;
    uint32_t n = take_count(r);
    if (n > max) {
        al_read_fail(r, AL_E_COUNT);
        return 0;
    }
    return n;
}

static struct al_slice take_slice(struct al_read *r, size_t n)
{
    struct al_slice s = al_slice_of(r->p, n);
    r->p += n;
    return s;
}

struct al_slice al_read_bin(struct al_read *r, size_t min, size_t max)
{
    if (!expect(r, AL_TYPE_BIN))
        return al_slice_of(NULL, 0);
    uint8_t tag = *r->p++;
    struct al_slice s = take_slice(r, (size_t)take_be(r, (size_t)1 << (tag - 0xc4)));
    if (s.n < min || s.n > max) {
        al_read_fail(r, AL_E_LENGTH);
        return al_slice_of(NULL, 0);
    }
    return s;
}

void al_read_bytes(struct al_read *r, uint8_t *out, size_t n)
{
    struct al_slice s = al_read_bin(r, n, n);
    if (s.n == n)
        memcpy(out, s.p, n);
    else
        memset(out, 0, n);
}

struct al_slice al_read_str(struct al_read *r, size_t max)
{
    if (!expect(r, AL_TYPE_STR))
        return al_slice_of(NULL, 0);
    uint8_t tag = *r->p++;
    size_t n = tag <= 0xbf ? tag & 0x1f : (size_t)take_be(r, (size_t)1 << (tag - 0xd9));
    struct al_slice s = take_slice(r, n);
    if (s.n > max) {
        al_read_fail(r, AL_E_LENGTH);
        return al_slice_of(NULL, 0);
    }
    return s;
}

static void skip_ext(struct al_read *r)
{
    uint8_t tag = *r->p++;
    bool fixed = tag >= 0xd4;
    size_t n = (size_t)1 << (fixed ? tag - 0xd4 : tag - 0xc7);
    (void)take_slice(r, 1 + (fixed ? n : (size_t)take_be(r, n)));
}

/* Passes one value, of a container only the head. Returns the number of values in it. */
static uint64_t skip_one(struct al_read *r)
{
    switch (al_read_peek(r)) {
    case AL_TYPE_ARRAY:
        return take_count(r);
    case AL_TYPE_MAP:
        return (uint64_t)take_count(r) * 2;
    case AL_TYPE_BIN:
        (void)al_read_bin(r, 0, SIZE_MAX);
        break;
    case AL_TYPE_STR:
        (void)al_read_str(r, SIZE_MAX);
        break;
    case AL_TYPE_EXT:
        skip_ext(r);
        break;
    case AL_TYPE_FLOAT:
        r->p += *r->p == 0xca ? 5 : 9;
        break;
    case AL_TYPE_UINT:
        (void)al_read_uint(r, UINT64_MAX);
        break;
    case AL_TYPE_NEGATIVE:
        (void)al_read_int(r, INT64_MIN, INT64_MAX);
        break;
    case AL_TYPE_BOOL:
    case AL_TYPE_NIL:
        r->p++;
        break;
    case AL_TYPE_END:
        break;
    }
    return 0;
}

struct al_slice al_read_raw(struct al_read *r)
{
    if (al_read_peek(r) == AL_TYPE_END) {
        al_read_fail(r, AL_E_MISSING);
        return al_slice_of(NULL, 0);
    }
    const uint8_t *start = r->p;
    for (uint64_t left = 1; left > 0; left--)
        left += skip_one(r);
    return al_slice_of(start, (size_t)(r->p - start));
}

void al_read_ref(struct al_read *r, struct al_ref *out)
{
    (void)al_read_array(r, 4, 4);
    al_read_bytes(r, out->device.b, sizeof(out->device.b));
    al_read_bytes(r, out->log.b, sizeof(out->log.b));
    out->seq = al_read_uint(r, AL_SEQ_MAX);
    if (out->seq == 0)
        al_read_fail(r, AL_E_RANGE);
    al_read_bytes(r, out->id.b, sizeof(out->id.b));
}

int al_read_end(const struct al_read *r)
{
    if (r->err != 0)
        return r->err;
    return r->p == r->end ? 0 : AL_E_COUNT;
}
