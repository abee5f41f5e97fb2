#include "vec.h"

#include <assert.h>
#include <stdlib.h>

#include "err.h"

#define PERIOD_MAX 200
#define REPEATED_MIN 256 /* repeated bytes that are worth a part of their own */

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

/* How often the |period| bytes at |at| stand there one after the other. */
static size_t repeats_at(struct al_slice s, size_t at, size_t period)
{
    size_t n = period;
    while (at + n < s.n && s.p[at + n] == s.p[at + n - period])
        n++;
    return n / period;
}

/* The shortest period of a long repetition at |at|, or 0. */
static size_t period_at(struct al_slice s, size_t at)
{
    for (size_t period = 1; period <= PERIOD_MAX && at + period <= s.n; period++) {
        if (repeats_at(s, at, period) * period >= REPEATED_MIN + period)
            return period;
    }
    return 0;
}

static void add_part(json_t *parts, const uint8_t *p, size_t n, size_t times)
{
    if (n > 0)
        json_array_append_new(parts, json_pack("[o,I]", hex_of(p, n), (json_int_t)times));
}

/* Long repetitions are written once, with their count. */
static json_t *parts_of(struct al_slice s)
{
    json_t *parts = json_array();
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        size_t period = period_at(s, at);
        if (period == 0) {
            at++;
            continue;
        }
        size_t times = repeats_at(s, at, period);
        add_part(parts, s.p + from, at - from, 1);
        add_part(parts, s.p + at, period, times);
        from = at += times * period;
    }
    add_part(parts, s.p + from, s.n - from, 1);
    return parts;
}

static bool has_repetition(const json_t *parts)
{
    for (size_t i = 0; i < json_array_size(parts); i++) {
        if (json_integer_value(json_array_get(json_array_get(parts, i), 1)) > 1)
            return true;
    }
    return false;
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
    if (has_repetition(parts))
        json_object_set(v, "parts", parts);
    else
        vec_hex(v, "bytes", bytes.p, bytes.n);
    json_decref(parts);
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
