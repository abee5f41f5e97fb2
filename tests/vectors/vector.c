#include "vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"

/* Bytes decoded for one vector; a field is never longer than a message. */
static uint8_t pool[2 * 1024 * 1024];
static size_t pool_used;

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct al_slice unhex(const char *hex)
{
    size_t n = strlen(hex) / 2;
    assert_true(n <= sizeof(pool) - pool_used);
    uint8_t *p = pool + pool_used;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(digit(hex[i * 2]) << 4 | digit(hex[i * 2 + 1]));
    pool_used += n;
    return al_slice_of(p, n);
}

struct al_slice vector_hex(const json_t *v, const char *key)
{
    const char *hex =
        key == NULL ? json_string_value(v) : json_string_value(json_object_get(v, key));
    assert_non_null(hex);
    return unhex(hex);
}

uint64_t vector_uint(const json_t *v, const char *key)
{
    const json_t *n = json_object_get(v, key);
    assert_true(json_is_integer(n));
    return (uint64_t)json_integer_value(n);
}

struct al_slice vector_text(const json_t *v, const char *key)
{
    const json_t *s = json_object_get(v, key);
    assert_true(json_is_string(s));
    return al_slice_of(json_string_value(s), json_string_length(s));
}

void vector_expect(const json_t *v, const char *key, const void *p, size_t n)
{
    assert_true(al_slice_eq(vector_hex(v, key), al_slice_of(p, n)));
}

/* The bytes: in one piece, in parts with their counts, or none. */
static struct al_slice bytes_of(const json_t *v)
{
    if (json_object_get(v, "bytes") != NULL)
        return vector_hex(v, "bytes");
    const json_t *parts = json_object_get(v, "parts");
    const uint8_t *start = pool + pool_used;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        json_int_t times = json_integer_value(json_array_get(part, 1));
        for (json_int_t k = 0; k < times; k++)
            (void)unhex(json_string_value(json_array_get(part, 0)));
    }
    return al_slice_of(start, (size_t)(pool + pool_used - start));
}

static json_t *load(const char *topic)
{
    char path[4096];
    const char *dir = getenv("ALOUD_VECTORS_DIR");
    assert_non_null(dir);
    (void)snprintf(path, sizeof(path), "%s/%s.json", dir, topic);
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    return root;
}

void vector_run(
    const char *topic, int (*check)(const json_t *v, struct al_slice bytes), size_t count)
{
    json_t *root = load(topic);
    const json_t *list = json_object_get(root, "vectors");
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *v = json_array_get(list, i);
        pool_used = 0;
        const char *said = al_err_name(check(v, bytes_of(v)));
        const char *named = json_is_true(json_object_get(v, "valid"))
                                ? "ok"
                                : json_string_value(json_object_get(v, "error"));
        if (strcmp(said, named) != 0)
            fail_msg("%s: \"%s\": the vector names %s, the code says %s", topic,
                json_string_value(json_object_get(v, "name")), named, said);
    }
    json_decref(root);
}
