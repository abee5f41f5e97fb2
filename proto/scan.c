#include "scan.h"

#include "limit.h"

#define STACK_MAX 32

const struct al_scan_limits al_scan_message = {
    .profile = AL_SCAN_CANONICAL,
    .depth_max = AL_MSG_DEPTH_MAX,
    .elements_max = AL_MSG_ELEMENTS_MAX,
};

const struct al_scan_limits al_scan_rpc = {
    .profile = AL_SCAN_ANY,
    .depth_max = AL_RPC_DEPTH_MAX,
    .elements_max = AL_RPC_ELEMENTS_MAX,
};

const struct al_scan_limits al_scan_answer = {
    .profile = AL_SCAN_ANY,
    .depth_max = AL_RPC_DEPTH_MAX,
    .elements_max = AL_RPC_ANSWER_ELEMENTS_MAX,
};

static_assert(AL_RPC_DEPTH_MAX <= STACK_MAX && AL_MSG_DEPTH_MAX <= STACK_MAX, "the stack holds");

struct level {
    uint64_t left; /* values still to come, keys included */
    bool map;
    bool key;            /* the next value is a key */
    const uint8_t *last; /* encoded bytes of the last key */
    size_t last_n;
};

struct scanner {
    const uint8_t *p;
    const uint8_t *end;
    const struct al_scan_limits *limits;
    uint32_t elements;
    uint32_t depth; /* open containers */
    struct level stack[STACK_MAX];
};

/* What one tag byte and its length bytes say. */
struct token {
    enum { SCALAR, STR, BIN, EXT, ARRAY, MAP } shape;
    uint64_t n; /* bytes that follow, or elements */
};

bool al_utf8_valid(struct al_slice s)
{
    const uint8_t *p = s.p;
    const uint8_t *end = al_slice_end(s);
    while (p < end) {
        uint8_t c = *p++;
        if (c < 0x80)
            continue;
        int more;
        uint8_t low = 0x80;
        uint8_t high = 0xbf;
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            if (c == 0xe0)
                low = 0xa0;
            if (c == 0xed)
                high = 0x9f;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            if (c == 0xf0)
                low = 0x90;
            if (c == 0xf4)
                high = 0x8f;
        } else {
            return false;
        }
        for (; more > 0; more--) {
            if (p == end || *p < low || *p > high)
                return false;
            p++;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

static int take_be(struct scanner *s, size_t bytes, uint64_t *ret_v)
{
    if ((size_t)(s->end - s->p) < bytes)
        return AL_E_TRUNCATED;
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | *s->p++;
    *ret_v = v;
    return 0;
}

/* The smallest value that needs a length or number of |bytes| bytes. */
static uint64_t least(size_t bytes)
{
    return UINT64_C(1) << (bytes * 4);
}

/* The least length or count that needs a head with |bytes| bytes for it. */
static uint64_t least_length(const struct token *t, size_t bytes)
{
    bool counted = t->shape == ARRAY || t->shape == MAP; /* these have no one-byte form */
    if (bytes == 1)
        return t->shape == STR ? 32 : 0;
    return bytes == 2 && counted ? 16 : least(bytes);
}

static int take_length(struct scanner *s, size_t bytes, struct token *t)
{
    int err = take_be(s, bytes, &t->n);
    if (err != 0)
        return err;
    bool canonical = s->limits->profile == AL_SCAN_CANONICAL;
    return canonical && t->n < least_length(t, bytes) ? AL_E_LONG_FORM : 0;
}

static int take_int(struct scanner *s, uint8_t tag)
{
    uint64_t v;
    size_t bytes = (size_t)1 << (tag & 3);
    int err = take_be(s, bytes, &v);
    if (err != 0 || s->limits->profile == AL_SCAN_ANY)
        return err;
    if (tag <= 0xcf) /* uint 8, 16, 32, 64 */
        return v < (bytes == 1 ? 128 : least(bytes)) ? AL_E_LONG_FORM : 0;
    /* int 8 to 64: only for numbers that no shorter form and no uint can hold */
    uint64_t sign = UINT64_C(1) << (bytes * 8 - 1);
    if ((v & sign) == 0)
        return AL_E_LONG_FORM;
    uint64_t magnitude = (bytes == 8 ? 0 : (UINT64_C(1) << (bytes * 8))) - v; /* of -v */
    uint64_t shorter = bytes == 1 ? 32 : UINT64_C(1) << (bytes * 4 - 1);
    return magnitude <= shorter ? AL_E_LONG_FORM : 0;
}

static int skip_any(struct scanner *s, uint64_t n)
{
    if (s->limits->profile == AL_SCAN_CANONICAL)
        return AL_E_TYPE;
    if ((uint64_t)(s->end - s->p) < n)
        return AL_E_TRUNCATED;
    s->p += n;
    return 0;
}

/* Reads a tag with its length; the content of STR, BIN and EXT is left to the caller. */
static int take_token(struct scanner *s, struct token *t)
{
    uint8_t tag = *s->p++;
    t->shape = SCALAR;
    t->n = 0;
    if (tag <= 0x7f || tag >= 0xe0)
        return 0;
    if (tag <= 0x8f) {
        t->shape = MAP;
        t->n = tag & 0x0f;
        return 0;
    }
    if (tag <= 0x9f) {
        t->shape = ARRAY;
        t->n = tag & 0x0f;
        return 0;
    }
    if (tag <= 0xbf) {
        t->shape = STR;
        t->n = tag & 0x1f;
        return 0;
    }
    switch (tag) {
    case 0xc0: /* nil */
        return skip_any(s, 0);
    case 0xc1: /* never used */
        return AL_E_TYPE;
    case 0xc2:
    case 0xc3:
        return 0;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        t->shape = BIN;
        return take_length(s, (size_t)1 << (tag - 0xc4), t);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        if (s->limits->profile == AL_SCAN_CANONICAL)
            return AL_E_TYPE;
        t->shape = EXT;
        return take_length(s, (size_t)1 << (tag - 0xc7), t);
    case 0xca:
        return skip_any(s, 4);
    case 0xcb:
        return skip_any(s, 8);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return skip_any(s, 1 + (UINT64_C(1) << (tag - 0xd4)));
    case 0xd9:
    case 0xda:
    case 0xdb:
        t->shape = STR;
        return take_length(s, (size_t)1 << (tag - 0xd9), t);
    case 0xdc:
    case 0xdd:
        t->shape = ARRAY;
        return take_length(s, (size_t)2 << (tag - 0xdc), t);
    case 0xde:
    case 0xdf:
        t->shape = MAP;
        return take_length(s, (size_t)2 << (tag - 0xde), t);
    default: /* 0xcc to 0xd3 */
        return take_int(s, tag);
    }
}

static int take_content(struct scanner *s, const struct token *t)
{
    uint64_t n = t->n + (t->shape == EXT ? 1 : 0);
    if ((uint64_t)(s->end - s->p) < n)
        return AL_E_TRUNCATED;
    if (t->shape == STR && !al_utf8_valid(al_slice_of(s->p, (size_t)n)))
        return AL_E_UTF8;
    s->p += n;
    return 0;
}

static int open_container(struct scanner *s, const struct token *t)
{
    if (s->depth + 1 > s->limits->depth_max)
        return AL_E_DEPTH;
    uint64_t values = t->shape == MAP ? t->n * 2 : t->n;
    if (values > s->limits->elements_max - s->elements)
        return AL_E_ELEMENTS;
    /* a value is at least one byte, so a count beyond the bytes left is refused here already */
    if (values > (uint64_t)(s->end - s->p))
        return AL_E_TRUNCATED;
    if (values == 0)
        return 0;
    s->stack[s->depth++] =
        (struct level){.left = values, .map = t->shape == MAP, .key = t->shape == MAP};
    return 0;
}

/* Keys are compared by their encoded bytes: shorter ones first, as their tags are smaller. */
static int check_key(struct level *l, const uint8_t *key, size_t n)
{
    if (l->last != NULL && al_slice_cmp(al_slice_of(l->last, l->last_n), al_slice_of(key, n)) >= 0)
        return AL_E_KEY_ORDER;
    l->last = key;
    l->last_n = n;
    return 0;
}

static int scan_value(struct scanner *s)
{
    if (s->p == s->end)
        return AL_E_TRUNCATED;
    if (s->elements == s->limits->elements_max)
        return AL_E_ELEMENTS;
    s->elements++;
    struct level *parent = s->depth > 0 ? &s->stack[s->depth - 1] : NULL;
    bool is_key = parent != NULL && parent->key;
    if (parent != NULL) {
        parent->left--;
        parent->key = parent->map && !parent->key;
    }
    const uint8_t *start = s->p;
    struct token t;
    int err = take_token(s, &t);
    if (err != 0)
        return err;
    bool canonical = s->limits->profile == AL_SCAN_CANONICAL;
    if (is_key && t.shape != STR && canonical)
        return AL_E_KEY_TYPE;
    if (t.shape == ARRAY || t.shape == MAP)
        return open_container(s, &t);
    if (s->depth + 1 > s->limits->depth_max)
        return AL_E_DEPTH;
    if (t.shape != SCALAR)
        err = take_content(s, &t);
    if (err == 0 && is_key && canonical)
        err = check_key(parent, start, (size_t)(s->p - start));
    return err;
}

static int scan_one(size_t *ret_n, struct al_slice bytes, const struct al_scan_limits *limits)
{
    struct scanner s = {.p = bytes.p, .end = al_slice_end(bytes), .limits = limits};
    do {
        int err = scan_value(&s);
        if (err != 0)
            return err;
        while (s.depth > 0 && s.stack[s.depth - 1].left == 0)
            s.depth--;
    } while (s.depth > 0);
    *ret_n = (size_t)(s.p - bytes.p);
    return 0;
}

int al_scan(struct al_slice bytes, const struct al_scan_limits *limits)
{
    size_t n = 0;
    int err = scan_one(&n, bytes, limits);
    if (err == 0 && n != bytes.n)
        return AL_E_TRAILING;
    return err;
}

int al_scan_first(size_t *ret_n, struct al_slice bytes, const struct al_scan_limits *limits)
{
    int err = scan_one(ret_n, bytes, limits);
    return err == AL_E_TRUNCATED ? AL_E_MORE : err;
}
