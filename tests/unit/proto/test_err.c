/* The table of errors: names are unique, found again, and no code is a libuv code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "err.h"

static const int all[] = {
#define AL_X(name, value, wire, words) name,
    AL_ERRORS(AL_X)
#undef AL_X
};

static void names_lead_back_to_their_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(al_err_of_name(al_err_name(all[i])), all[i]);
        assert_true(all[i] < -10000);
        assert_true(strlen(al_err_words(all[i])) > 0);
    }
    assert_int_equal(al_err_of_name("no such name"), 0);
    assert_string_equal(al_err_name(0), "ok");
    assert_string_equal(al_err_name(-4095), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_back_to_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
