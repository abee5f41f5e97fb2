/* Giving out what is held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "desk.h"

static struct desk d;
static struct al_export *x;

static int setup(void **state)
{
    (void)state;
    desk_open(&d, 1);
    return al_export_new(&x);
}

static int teardown(void **state)
{
    (void)state;
    al_export_free(x);
    desk_close(&d);
    return 0;
}

static void append_notes(uint32_t count, size_t bytes)
{
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    for (uint32_t i = 0; i < count; i++)
        (void)desk_note(&d, text, AL_AUDIENCE_NETWORK);
    free(text);
}

static int export(uint64_t first, uint64_t last)
{
    return al_export_segment(d.l, x, d.l->own, first, last);
}

/* Send it over the wire and look at it there. */
static void assert_valid(void)
{
    static uint8_t bytes[AL_MESSAGE_MAX];
    static struct al_segment seg;
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_segment_encode(&b, &x->segment);
    assert_false(b.full);
    assert_int_equal(al_segment_open(&seg, al_buf_slice(&b)), 0);
    assert_int_equal(al_segment_verify(&seg), 0);
}

static void a_block_goes_out_whole_and_verifies(void **state)
{
    (void)state;
    append_notes(70, 10);
    assert_int_equal(export(1, 64), 0);
    assert_int_equal(x->segment.count, 64);
    assert_valid();
    assert_int_equal(export(65, 128), 0);
    assert_int_equal(x->segment.count, 6);
    assert_valid();
}

static void a_part_ends_at_a_signature_that_is_held(void **state)
{
    (void)state;
    append_notes(70, 10);
    assert_int_equal(export(30, 64), 0);
    assert_int_equal(x->segment.first, 30);
    assert_int_equal(x->segment.count, 35);
    assert_valid();
    assert_int_equal(export(1, 63), AL_E_NOT_FOUND); /* nothing vouches for 63 */
}

static void what_is_not_held_is_not_found(void **state)
{
    (void)state;
    append_notes(3, 10);
    assert_int_equal(export(4, 64), AL_E_NOT_FOUND);
    assert_int_equal(export(65, 70), AL_E_NOT_FOUND);
}

static void the_newest_payloads_go_inline_and_the_rest_can_be_asked_for(void **state)
{
    (void)state;
    append_notes(10, 30000);
    assert_int_equal(export(1, 64), 0);
    assert_int_equal(x->segment.items[9].stub, AL_STUB_NONE);
    assert_int_equal(x->segment.items[4].stub, AL_STUB_NONE);
    assert_int_equal(x->segment.items[3].stub, AL_STUB_ASK);
    assert_int_equal(x->segment.items[0].stub, AL_STUB_ASK);
    assert_valid();
}

static void a_dropped_payload_is_not_offered(void **state)
{
    (void)state;
    append_notes(3, 10);
    assert_int_equal(al_store_payload_drop(d.store, d.l->own->no, 2), 0);
    assert_int_equal(export(1, 64), 0);
    assert_int_equal(x->segment.items[1].stub, AL_STUB_NOT_HELD);
    assert_valid();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_block_goes_out_whole_and_verifies, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_ends_at_a_signature_that_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_held_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_newest_payloads_go_inline_and_the_rest_can_be_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_payload_is_not_offered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
