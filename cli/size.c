#include "size.h"

#include <stdio.h>

#define KB UINT64_C(1000)
#define MB UINT64_C(1000000)

/* No unit says less than there is. */
static unsigned long long up(uint64_t bytes, uint64_t unit)
{
    return bytes / unit + (bytes % unit != 0);
}

const char *al_size_words(char out[AL_SIZE_TEXT], uint64_t bytes)
{
    if (bytes < KB)
        (void)snprintf(out, AL_SIZE_TEXT, "%u %s", (unsigned)bytes, bytes == 1 ? "byte" : "bytes");
    else if (up(bytes, KB) < 1000)
        (void)snprintf(out, AL_SIZE_TEXT, "%llu KB", up(bytes, KB));
    else if (up(bytes, MB / 10) < 100)
        (void)snprintf(
            out, AL_SIZE_TEXT, "%llu.%llu MB", up(bytes, MB / 10) / 10, up(bytes, MB / 10) % 10);
    else
        (void)snprintf(out, AL_SIZE_TEXT, "%llu MB", up(bytes, MB));
    return out;
}
