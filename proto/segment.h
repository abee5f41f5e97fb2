/*
 * A segment: a run of consecutive entries inside one block of 64, ending at a signature. The one
 * unit of transfer and proof: the receiver recomputes headers and ids and checks one signature.
 * docs/protocol.md, "Segments".
 */
#ifndef AL_SEGMENT_H
#define AL_SEGMENT_H

#include "bytes.h"
#include "entry.h"
#include "err.h"
#include "limit.h"

enum al_stub {
    AL_STUB_NONE = -1,   /* the payload is inline */
    AL_STUB_ASK = 0,     /* the sender has the payload: ask with want-payload */
    AL_STUB_NOT_HELD = 1 /* the sender does not hold it (any more) */
};

struct al_segment_item {
    uint64_t time_ms;
    struct al_slice payload; /* inline, or n = 0 with the two below */
    uint32_t plen;
    struct al_hash phash;
    enum al_stub stub;
    struct al_hash id; /* computed by al_segment_open(); input of nothing */
};

struct al_segment {
    struct al_device device;
    struct al_logname log;
    uint64_t first;      /* sequence number of item 0 */
    struct al_hash prev; /* id of first - 1, or the genesis when first is 1 */
    uint32_t count;      /* 1..64 */
    struct al_sig sig;   /* over the id of the last item */
    struct al_segment_item items[AL_BLOCK_ENTRIES];
};

/*
 * Decode |bytes| (canonical, one array), compute payload hashes and ids, and check form, block
 * bounds, sequence and time ranges and the inline limit. The signature is not checked yet.
 * Slices in |ret| point into |bytes|. |ret| is large, so it is filled in place: what it holds
 * after an error means nothing.
 *
 * Returns 0 or an error of the scanner or reader, AL_E_RANGE, AL_E_BLOCK, AL_E_INLINE.
 */
AL_MUST_CHECK int al_segment_open(struct al_segment *ret, struct al_slice bytes);

/*
 * True if |sig| is all zeros: none is given. Where something else vouches for the last entry such a
 * segment is good; docs/protocol.md, "Segments".
 */
bool al_segment_sig_is_absent(const struct al_sig *sig);

/* Check the signature of an opened segment under its own device key. Returns 0 or AL_E_SIG. */
AL_MUST_CHECK int al_segment_verify(const struct al_segment *s);

/*
 * Append the canonical encoding; items with a payload go inline, the others as stubs, whose
 * |stub| says which.
 */
void al_segment_encode(struct al_buf *b, const struct al_segment *s);

/* Sequence number of the last item. */
uint64_t al_segment_last(const struct al_segment *s);

/*
 * The id that |s| attests for |seq|, or NULL when it attests none: first - 1 (by |prev|, unless
 * first is 1) up to the last.
 */
const struct al_hash *al_segment_attests(const struct al_segment *s, uint64_t seq);

#endif
