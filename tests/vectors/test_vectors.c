/*
 * The committed vectors, read back: valid ones mean what stands beside them, broken ones are
 * refused with the error they name. ALOUD_VECTORS_DIR is the folder of the JSON files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vector.h"

#define TOPIC(name, least)                                                                         \
    static void name##_vectors_hold(void **state)                                                  \
    {                                                                                              \
        (void)state;                                                                               \
        vector_run(#name, check_##name, least);                                                    \
    }
VECTOR_TOPICS(TOPIC)
#undef TOPIC

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TOPIC(name, least) cmocka_unit_test(name##_vectors_hold),
        VECTOR_TOPICS(TOPIC)
#undef TOPIC
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
