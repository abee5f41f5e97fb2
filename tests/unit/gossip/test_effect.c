/* The queue of effects: nothing comes out before its commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "effect.h"

static struct al_effects *q;

static int setup(void **state)
{
    (void)state;
    q = al_effects_new();
    return q == NULL;
}

static int teardown(void **state)
{
    (void)state;
    al_effects_free(q);
    return 0;
}

static void add(enum al_effect_type type, const char *bytes)
{
    struct al_effect e = {.type = type, .conn = 7, .bytes = al_slice_str(bytes)};
    al_effects_add(q, &e);
}

static void nothing_comes_out_before_the_release(void **state)
{
    struct al_effect e;
    (void)state;
    add(AL_EFFECT_SEND, "a");
    assert_false(al_effects_poll(q, &e));
    al_effects_release(q);
    assert_true(al_effects_poll(q, &e));
    assert_int_equal(e.type, AL_EFFECT_SEND);
    assert_false(al_effects_poll(q, &e));
}

static void effects_come_out_in_order(void **state)
{
    struct al_effect e;
    (void)state;
    add(AL_EFFECT_SEND, "a");
    al_effects_release(q);
    add(AL_EFFECT_SEND, "b");
    al_effects_release(q);
    assert_true(al_effects_poll(q, &e) && al_slice_is(e.bytes, "a"));
    assert_true(al_effects_poll(q, &e) && al_slice_is(e.bytes, "b"));
}

static void a_lost_turn_keeps_its_closes_and_log_lines_only(void **state)
{
    struct al_effect e;
    (void)state;
    add(AL_EFFECT_SEND, "a");
    add(AL_EFFECT_CLOSE, "");
    add(AL_EFFECT_REPLY, "b");
    al_effects_log(q, 3, "line %d", 1);
    al_effects_discard(q);
    al_effects_release(q);
    assert_true(al_effects_poll(q, &e));
    assert_int_equal(e.type, AL_EFFECT_CLOSE);
    assert_int_equal(e.conn, 7);
    assert_true(al_effects_poll(q, &e));
    assert_true(e.type == AL_EFFECT_LOG && al_slice_is(e.bytes, "line 1"));
    assert_false(al_effects_poll(q, &e));
}

static void bytes_and_texts_are_copies(void **state)
{
    char bytes[] = "bytes";
    char why[] = "why";
    struct al_effect e = {.type = AL_EFFECT_REPLY, .message = why, .hint = why};
    (void)state;
    e.bytes = al_slice_str(bytes);
    al_effects_add(q, &e);
    bytes[0] = why[0] = '?';
    al_effects_release(q);
    assert_true(al_effects_poll(q, &e));
    assert_true(al_slice_is(e.bytes, "bytes"));
    assert_string_equal(e.message, "why");
    assert_string_equal(e.hint, "why");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_comes_out_before_the_release, setup, teardown),
        cmocka_unit_test_setup_teardown(effects_come_out_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_lost_turn_keeps_its_closes_and_log_lines_only, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_and_texts_are_copies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
