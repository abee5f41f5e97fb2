#include "err.h"

#include <stddef.h>
#include <string.h>

static const struct {
    int value;
    const char *name;
    const char *words;
} table[] = {
#define AL_X(name, value, wire, words) {name, wire, words},
    AL_ERRORS(AL_X)
#undef AL_X
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

const char *al_err_name(int err)
{
    if (err == 0)
        return "ok";
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].value == err)
            return table[i].name;
    }
    return "unknown";
}

const char *al_err_words(int err)
{
    if (err == 0)
        return "all is well";
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].value == err)
            return table[i].words;
    }
    return "an unknown error";
}

int al_err_of_name(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0)
            return table[i].value;
    }
    return 0;
}
