/* Segments: an opened one encodes to its bytes, and attests what it says. */
#include "fuzz.h"
#include "segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct al_segment s;
    if (al_segment_open(&s, al_slice_of(data, n)) != 0)
        return 0;
    AL_ASSERT(s.count >= 1 && s.count <= AL_BLOCK_ENTRIES);
    uint64_t last = al_segment_last(&s);
    AL_ASSERT(al_block_of(s.first) == al_block_of(last) && last <= AL_SEQ_MAX);
    AL_ASSERT(al_hash_eq(al_segment_attests(&s, last), &s.items[s.count - 1].id));
    AL_ASSERT(al_segment_attests(&s, last + 1) == NULL);
    AL_ASSERT((al_segment_attests(&s, s.first - 1) == NULL) == (s.first == 1));
    size_t inlined = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        AL_ASSERT(s.items[i].time_ms <= AL_TIME_MAX);
        AL_ASSERT(s.items[i].plen >= 1 && s.items[i].plen <= AL_PAYLOAD_MAX);
        AL_ASSERT((s.items[i].stub == AL_STUB_NONE) == (s.items[i].payload.n > 0));
        inlined += s.items[i].payload.n;
    }
    AL_ASSERT(inlined <= AL_SEGMENT_INLINE_MAX);
    struct al_buf b = fuzz_buf();
    al_segment_encode(&b, &s);
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), al_slice_of(data, n)));
    return 0;
}
