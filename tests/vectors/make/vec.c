#include "vec.h"

#include <assert.h>
#include <stdlib.h>

#include "err.h"

#define RUN_MIN 256 /* repeated bytes that are worth a part of their own */

static json_t *hex_of(const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(n * 2 + 1);
    assert(text != NULL);
    for (size_t i = 0; i < n; i++) {
        text[i * 2] = digits[p[i] >> 4];
        text[i * 2 + 1] = digits[p[i] & 15];
    }
    json_t *v = json_stringn(text, n * 2);
    free(text);
    return v;
}

static size_t run_at(struct al_slice s, size_t at)
{
    size_t n = 1;
    while (at + n < s.n && s.p[at + n] == s.p[at])
        n++;
    return n;
}

static void add_part(json_t *parts, const uint8_t *p, size_t n, size_t times)
{
    if (n > 0)
        json_array_append_new(parts, json_pack("[o,I]", hex_of(p, n), (json_int_t)times));
}

/* Long runs of one byte are written once, with their count. */
static json_t *parts_of(struct al_slice s)
{
    json_t *parts = json_array();
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        size_t run = run_at(s, at);
        if (run >= RUN_MIN) {
            add_part(parts, s.p + from, at - from, 1);
            add_part(parts, s.p + at, 1, run);
            from = at + run;
        }
        at += run;
    }
    add_part(parts, s.p + from, s.n - from, 1);
    return parts;
}

json_t *vec_bare(json_t *list, const char *name, int err)
{
    json_t *v = json_pack("{s:s,s:b}", "name", name, "valid", err == 0);
    if (err != 0)
        json_object_set_new(v, "error", json_string(al_err_name(err)));
    json_array_append_new(list, v);
    return v;
}

json_t *vec_add(json_t *list, const char *name, int err, struct al_slice bytes)
{
    json_t *v = vec_bare(list, name, err);
    json_t *parts = parts_of(bytes);
    if (json_array_size(parts) > 1) {
        json_object_set_new(v, "parts", parts);
        return v;
    }
    json_decref(parts);
    vec_hex(v, "bytes", bytes.p, bytes.n);
    return v;
}

void vec_hex(json_t *v, const char *key, const void *p, size_t n)
{
    json_object_set_new(v, key, hex_of(p, n));
}

void vec_uint(json_t *v, const char *key, uint64_t n)
{
    json_object_set_new(v, key, json_integer((json_int_t)n));
}

void vec_text(json_t *v, const char *key, struct al_slice s)
{
    json_object_set_new(v, key, json_stringn((const char *)s.p, s.n));
}

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

struct al_slice vec_unhex(uint8_t *out, size_t cap, const char *hex)
{
    size_t n = 0;
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert(n < cap && hex[1] != '\0');
        out[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
        hex += 2;
    }
    return al_slice_of(out, n);
}

struct al_slice vec_patch(
    uint8_t *out, size_t cap, struct al_slice bytes, size_t at, size_t cut, const char *hex)
{
    assert(at + cut <= bytes.n && bytes.n <= cap);
    memcpy(out, bytes.p, at);
    size_t n = at + vec_unhex(out + at, cap - at, hex).n;
    size_t rest = bytes.n - at - cut;
    assert(rest <= cap - n);
    memcpy(out + n, bytes.p + at + cut, rest);
    return al_slice_of(out, n + rest);
}
