/* Look-alikes: names that could be taken for one another have one skeleton. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heapbuf.h"
#include "text.h"

static bool alike(const char *a, const char *b)
{
    struct al_buf x = al_heapbuf();
    struct al_buf y = al_heapbuf();
    al_text_skeleton(&x, al_slice_str(a));
    al_text_skeleton(&y, al_slice_str(b));
    assert_false(x.full || y.full);
    bool same = al_slice_eq(al_buf_slice(&x), al_buf_slice(&y));
    al_heapbuf_free(&x);
    al_heapbuf_free(&y);
    return same;
}

static void names_in_other_letters_or_forms_look_alike(void **state)
{
    (void)state;
    assert_true(alike("kai", "Kai"));
    assert_true(alike("kai", "kаi")); /* Cyrillic a */
    assert_true(alike("noor", "ոօօr"));
    assert_true(alike("MAX", "МАХ"));   /* Cyrillic */
    assert_true(alike("Ivan", "lvan")); /* capital i, small l */
    assert_true(alike("paul", "pau1")); /* digit one */
    assert_true(alike("modern", "modem"));
    assert_true(alike("kai", "ｋａｉ")); /* full width */
    assert_true(alike("kai", "𝐤𝐚𝐢"));    /* mathematical */
    assert_true(alike("René", "Rene\xCC\x81"));
    assert_true(alike("kai", "k\xE2\x80\x8D"
                             "ai "));
}

static void names_that_differ_to_the_eye_stay_apart(void **state)
{
    (void)state;
    assert_false(alike("kai", "kay"));
    assert_false(alike("René", "Rene"));
    assert_false(alike("anna", "hanna"));
    assert_false(alike("田中", "田申"));
    assert_false(alike("", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_other_letters_or_forms_look_alike),
        cmocka_unit_test(names_that_differ_to_the_eye_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
