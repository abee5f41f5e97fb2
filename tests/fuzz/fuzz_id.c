/* Text forms of ids. */
#include "fuzz.h"
#include "id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct al_id_prefix prefix;
    if (al_id_parse(&prefix, al_slice_of(data, n)) != 0)
        return 0;
    AL_ASSERT(n >= 1 && n <= AL_ID_CHARS);
    AL_ASSERT(al_id_has_prefix(prefix.b, &prefix));
    char text[AL_ID_TEXT];
    al_id_text_prefix(text, prefix.b, n);
    struct al_id_prefix again;
    AL_ASSERT(al_id_parse(&again, al_slice_str(text)) == 0);
    AL_ASSERT(memcmp(again.b, prefix.b, sizeof(again.b)) == 0 && again.bits == prefix.bits);
    uint8_t full[32];
    AL_ASSERT((al_id_parse_full(full, al_slice_of(data, n)) == 0) == (n == AL_ID_CHARS));
    return 0;
}
