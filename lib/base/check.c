#include "check.h"

#include <stdio.h>
#include <stdlib.h>

void al_assert_failed(const char *cond, const char *file, int line, const char *func)
{
    (void)fprintf(stderr, "<2>%s:%d: %s: assertion failed: %s\n", file, line, func, cond);
    abort();
}
