/* The list of methods: each is found by its name, and no name stands twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "methods.h"

static void each_method_is_found_by_its_name_and_only_one(void **state)
{
    (void)state;
    assert_true(al_method_count > 20);
    for (size_t i = 0; i < al_method_count; i++) {
        assert_ptr_equal(al_method_find(al_slice_str(al_methods[i].name)), &al_methods[i]);
        assert_true(strlen(al_methods[i].summary) > 0);
    }
    assert_null(al_method_find(al_slice_str("no_such_method")));
    assert_null(al_method_find(al_slice_of(NULL, 0)));
}

static void a_method_says_who_answers_it(void **state)
{
    (void)state;
    assert_int_equal(al_method_find(al_slice_str("hello"))->where, AL_METHOD_LOOP);
    assert_int_equal(al_method_find(al_slice_str("post"))->where, AL_METHOD_NODE);
    assert_int_equal(al_method_find(al_slice_str("timeline"))->where, AL_METHOD_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_is_found_by_its_name_and_only_one),
        cmocka_unit_test(a_method_says_who_answers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
