/* The three forms of the same rows, and that nothing from outside can steer a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "out.h"

static const uint8_t id[32] = {0x12, 0x34, 0x56};

static void print_row(struct al_out *o)
{
    const struct al_slice tags[] = {al_slice_str("c"), al_slice_str("libuv")};
    al_out_row(o);
    al_out_id(o, "id", id, 6);
    al_out_text(o, "text", al_slice_str("two\nlines\tand \\ \033[31m\u202egnp"));
    al_out_uint(o, "n", 7);
    al_out_bool(o, "mine", true);
    al_out_time(o, "at", 1700000000000);
    al_out_time(o, "never", 0);
    al_out_texts(o, "tags", tags, 2);
    al_out_row_end(o);
}

static const struct al_out_col cols[] = {
    {.field = "id", .title = "id"},
    {.field = "text", .title = "text"},
    {.field = "n", .title = "n", .right = true},
    {.field = "tags", .title = "tags"},
};

/* What is printed in |form|; |text| has 1024 bytes. */
static int print(char *text, enum al_out_form form, const char *fields)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct al_out_opts opts = {.form = form, .fields = fields, .fd = ends[1], .columns = 80};
    struct al_out *o = al_out_new(&opts);
    assert_non_null(o);
    al_out_table(o, cols, 4);
    print_row(o);
    al_say(o, AL_STYLE_BAD, "only %s\033[0m\n", "pretty");
    int err = al_out_close(o);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], text, 1023);
    assert_true(n >= 0);
    text[n] = '\0';
    (void)close(ends[0]);
    return err;
}

static void plain_is_one_record_a_line(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(print(text, AL_OUT_PLAIN, NULL), 0);
    assert_string_equal(text,
        "28t5c00000000000000000000000000000000000000000000000\t"
        "two\\nlines\\tand \\\\ \uFFFD[31m\uFFFDgnp\t7\ttrue\t2023-11-14T22:13:20Z\t\tc libuv\n");
}

static void json_is_one_versioned_object_a_line(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(print(text, AL_OUT_JSON, NULL), 0);
    assert_string_equal(text,
        "{\"v\":1,\"id\":\"28t5c00000000000000000000000000000000000000000000000\","
        "\"text\":\"two\\nlines    and \\\\ \uFFFD[31m\uFFFDgnp\",\"n\":7,\"mine\":true,"
        "\"at\":\"2023-11-14T22:13:20Z\",\"never\":null,\"tags\":[\"c\",\"libuv\"]}\n");
}

static void json_fields_are_selected(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(print(text, AL_OUT_JSON, "n,mine"), 0);
    assert_string_equal(text, "{\"v\":1,\"n\":7,\"mine\":true}\n");
    assert_int_equal(print(text, AL_OUT_JSON, "n,nonsense"), AL_E_PARAMS);
    assert_string_equal(text, "");
}

static void pretty_is_a_table_and_what_was_said(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(print(text, AL_OUT_PRETTY, NULL), 0);
    assert_string_equal(text, "only pretty\uFFFD[0m\n"
                              "id      text                       n  tags\n"
                              "28t5c0  two lines and \\ \uFFFD[31m\uFFFDgnp  7  c libuv\n");
}

static void a_style_ends_with_its_line(void **state)
{
    (void)state;
    char text[64];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct al_out_opts opts = {.color = true, .fd = ends[1], .columns = 80};
    struct al_out *o = al_out_new(&opts);
    assert_non_null(o);
    al_say(o, AL_STYLE_BAD, "a\nb\n");
    assert_int_equal(al_out_close(o), 0);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "\033[31ma\033[0m\n\033[31mb\033[0m\n");
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_is_one_record_a_line),
        cmocka_unit_test(json_is_one_versioned_object_a_line),
        cmocka_unit_test(json_fields_are_selected),
        cmocka_unit_test(pretty_is_a_table_and_what_was_said),
        cmocka_unit_test(a_style_ends_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
