/* Dates as people type them: what is understood is a time that can be said again. */
#include "fuzz.h"
#include "limit.h"
#include "when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint64_t now_ms = UINT64_C(1795352585678);
    uint64_t ms;
    uint64_t again;
    char out[64];
    if (al_when_parse(&ms, al_slice_of(data, n), now_ms) != 0)
        return 0;
    AL_ASSERT(ms <= AL_TIME_MAX);
    uint64_t day = al_when_day(ms);
    AL_ASSERT(day <= ms && ms - day < UINT64_C(26) * 3600 * 1000);
    AL_ASSERT(al_when_day(day) == day);
    al_when_relative(out, sizeof(out), ms, now_ms);
    AL_ASSERT(strlen(out) < 24);
    al_when_utc(out, ms);
    if (strlen(out) == 20) { /* four digits of a year */
        AL_ASSERT(al_when_parse(&again, al_slice_str(out), now_ms) == 0);
        AL_ASSERT(again == ms / 1000 * 1000);
    }
    return 0;
}
