#include "methods.h"

const struct al_method al_methods[] = {
#define AL_X(name, where, params, result, summary)                                                 \
    {#name, AL_METHOD_##where, params, result, summary},
    AL_METHODS(AL_X)
#undef AL_X
};

const size_t al_method_count = sizeof(al_methods) / sizeof(al_methods[0]);

const struct al_method *al_method_find(struct al_slice name)
{
    for (size_t i = 0; i < al_method_count; i++) {
        if (al_slice_is(name, al_methods[i].name))
            return &al_methods[i];
    }
    return NULL;
}
