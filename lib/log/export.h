/* Giving out what is held: segments made from the store, as they go to other nodes. */
#ifndef AL_EXPORT_H
#define AL_EXPORT_H

#include "logs.h"
#include "segment.h"

/* A segment with the memory its payloads live in. */
struct al_export {
    struct al_segment segment;
    uint8_t *bytes;
    size_t cap, used;
};

/* AL_E_NOMEM. */
AL_MUST_CHECK int al_export_new(struct al_export **ret);
void al_export_free(struct al_export *x);

/*
 * Make in |x| the segment from |first| that ends at the last signature held at or before |last|,
 * which lies in the same block. Nothing beyond al_log_offer() goes into it; what ends just there
 * may have no signature, when the root or a proof vouches for it. Payloads go inline, the newest
 * first, up to AL_SEGMENT_INLINE_MAX; the others become stubs.
 *
 * Returns 0, AL_E_NOT_FOUND (|first| is not held or not offered, or nothing vouches for it within
 * |last|), or a store error.
 */
AL_MUST_CHECK int al_export_segment(struct al_logs *l, struct al_export *x,
    const struct al_log *log, uint64_t first, uint64_t last);

/* Entries |first|..|last|, all held and in one block, with all payloads; |sig| is left alone. */
AL_MUST_CHECK int al_export_rows(struct al_logs *l, struct al_export *x, const struct al_log *log,
    uint64_t first, uint64_t last);

/* Copy |payload| beside those of the segment, in whose block it stands. */
struct al_slice al_export_keep(struct al_export *x, struct al_slice payload);

/*
 * The same for ourselves: whatever is held, with all payloads inline, also where it ends at an
 * entry that was taken without a signature.
 */
AL_MUST_CHECK int al_export_held(struct al_logs *l, struct al_export *x, const struct al_log *log,
    uint64_t first, uint64_t last);

#endif
