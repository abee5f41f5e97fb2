#include "names.h"

#include <unistd.h>

#include "bytes.h"
#include "text.h"

bool al_names_good(const char *name)
{
    uint8_t bytes[AL_NAME_MAX * 4];
    struct al_buf safe = al_buf_fixed(bytes, sizeof(bytes));
    size_t n = strlen(name);
    if (n == 0 || n > AL_NAME_MAX || name[0] == ' ' || name[n - 1] == ' ')
        return false;
    al_text_safe(&safe, al_slice_str(name), AL_TEXT_NAME);
    return al_slice_is(al_buf_slice(&safe), name);
}

bool al_names_device(char name[AL_NAMES_BYTES])
{
    if (name[0] == '\0' && (gethostname(name, AL_NAMES_BYTES) != 0 || !al_names_good(name)))
        (void)strlcpy(name, "device", AL_NAMES_BYTES);
    return al_names_good(name);
}
