/* Excerpts: one entry, with what proves it. */
#include "fuzz.h"
#include "limit.h"
#include "proof.h"
#include "write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct al_excerpt e;
    struct al_slice bytes = al_slice_of(data, n);
    if (al_excerpt_open(&e, bytes) != 0)
        return 0;
    static struct al_excerpt parts;
    static uint8_t segment_space[AL_MESSAGE_MAX];
    struct al_buf segment = al_buf_fixed(segment_space, sizeof(segment_space));
    al_segment_encode(&segment, &e.segment);
    AL_ASSERT(al_excerpt_open_parts(&parts, e.statements, al_buf_slice(&segment)) == 0);
    AL_ASSERT(parts.index == e.index && parts.statement_count == e.statement_count);
    AL_ASSERT(al_segment_verify(&e.segment) == 0);
    AL_ASSERT(e.index < e.segment.count);
    AL_ASSERT(e.statement_count <= AL_EXCERPT_STATEMENTS_MAX);
    for (uint32_t i = 0; i < e.segment.count; i++)
        AL_ASSERT((e.segment.items[i].payload.n > 0) == (i == e.index));
    struct al_buf b = fuzz_buf();
    al_write_array(&b, 2);
    al_write_raw(&b, e.statements);
    al_segment_encode(&b, &e.segment);
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), bytes));
    return 0;
}
