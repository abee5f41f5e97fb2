/*
 * Vectors that others published, where the environment says where they are: ALOUD_VECTORS is a
 * folder with msgpack/msgpack-test-suite.json (kawanet/msgpack-test-suite) and
 * utf8/utf8tests.txt (flenniken/utf8tests).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc.h"
#include "scan.h"
#include "write.h"

static const char *folder;

/* The path of |name| in the folder of vectors. */
static const char *vectors(const char *name)
{
    static char path[4096];
    assert_true(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path));
    return path;
}

/* The bytes of "c4-01 ff" and the like, in a static buffer. */
static struct al_slice from_hex(const char *hex, size_t n)
{
    static uint8_t bytes[8192];
    size_t used = 0;
    assert_int_equal(sodium_hex2bin(bytes, sizeof(bytes), hex, n, "- ", &used, NULL), 0);
    return al_slice_of(bytes, used);
}

/* The local API takes |value| as the result of a response and hands it out unchanged. */
static bool passes_rpc(struct al_slice value)
{
    uint8_t space[8192];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_rpc m;
    size_t n = 0;
    al_rpc_response(&b, 1, value);
    return !b.full && al_rpc_first(&m, &n, al_buf_slice(&b)) == 0 && n == b.n &&
           al_slice_eq(m.result, value);
}

static void msgpack_has_233_encodings_of_which_56_are_canonical(void **state)
{
    (void)state;
    json_error_t error;
    json_t *suite = json_load_file(vectors("msgpack/msgpack-test-suite.json"), 0, &error);
    assert_non_null(suite);
    unsigned accepted = 0;
    unsigned canonical = 0;
    const char *name;
    json_t *cases;
    json_object_foreach(suite, name, cases)
    {
        size_t i;
        json_t *one;
        json_array_foreach(cases, i, one)
        {
            size_t k;
            json_t *hex;
            json_array_foreach(json_object_get(one, "msgpack"), k, hex)
            {
                struct al_slice bytes = from_hex(json_string_value(hex), json_string_length(hex));
                accepted += passes_rpc(bytes);
                canonical += al_scan(bytes, &al_scan_message) == 0;
            }
        }
    }
    json_decref(suite);
    assert_int_equal(accepted, 233);
    assert_int_equal(canonical, 56);
}

static void utf8_has_76_valid_and_140_invalid_cases(void **state)
{
    (void)state;
    FILE *file = fopen(vectors("utf8/utf8tests.txt"), "r");
    assert_non_null(file);
    unsigned valid = 0;
    unsigned invalid = 0;
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        const char *type = strchr(line, ':');
        if (line[0] == '#' || type == NULL)
            continue;
        type += strspn(type, ": ");
        const char *text = strchr(type, ':');
        assert_non_null(text);
        text++;
        if (strncmp(type, "valid:", 6) == 0) {
            assert_true(al_utf8_valid(al_slice_str(text)));
            valid++;
            continue;
        }
        struct al_slice bytes = from_hex(text, strcspn(text, ":"));
        if (strncmp(type, "valid hex:", 10) == 0) {
            assert_true(al_utf8_valid(bytes));
            valid++;
        } else {
            assert_int_equal(strncmp(type, "invalid hex:", 12), 0);
            assert_false(al_utf8_valid(bytes));
            invalid++;
        }
    }
    free(line);
    (void)fclose(file);
    /* six lines, 36.1 to 36.6, have a blank after the number, which the format does not know */
    assert_int_equal(valid, 76 + 1);
    assert_int_equal(invalid, 140 + 5);
}

int main(void)
{
    folder = getenv("ALOUD_VECTORS");
    if (folder == NULL || folder[0] == '\0') {
        (void)puts("1..0 # SKIP ALOUD_VECTORS is not set");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msgpack_has_233_encodings_of_which_56_are_canonical),
        cmocka_unit_test(utf8_has_76_valid_and_140_invalid_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
