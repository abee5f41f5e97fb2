/* Headers of entries. */
#include "entry.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct al_header h;
    if (al_header_decode(&h, al_slice_of(data, n)) == 0) {
        AL_ASSERT(n <= AL_HEADER_MAX);
        struct al_buf b = fuzz_buf();
        al_header_encode(&b, &h);
        AL_ASSERT(al_slice_eq(al_buf_slice(&b), al_slice_of(data, n)));
    }
    return 0;
}
