/*
 * The line of time: one number for each entry that says where it stands, newest last. Its upper
 * bits are the time in milliseconds, its lower ones the first bits of the id, so that entries of
 * one instant have an order that does not depend on how they arrived. Two entries that agree in
 * both, which takes a search for one of 500,000, stand side by side in order of arrival.
 */
#ifndef AL_LINES_H
#define AL_LINES_H

#include "bytes.h"
#include "err.h"
#include "payload.h"

#define AL_LINE_ID_BITS 19
#define AL_LINE_TIME_MAX ((UINT64_C(1) << 44) - 1) /* until the year 2527 */

/* Kinds that a timeline shows unless asked for others, and that search knows. */
#define AL_LINE_KINDS                                                                              \
    (1U << AL_KIND_UNKNOWN | 1U << AL_KIND_NOTE | 1U << AL_KIND_QUESTION | 1U << AL_KIND_ANSWER |  \
        1U << AL_KIND_ACCEPT | 1U << AL_KIND_REPLY | 1U << AL_KIND_THANKS | 1U << AL_KIND_LINK |   \
        1U << AL_KIND_LESSON | 1U << AL_KIND_GOAL | 1U << AL_KIND_SHARE)

/* Kinds that have a place at all: those above, and what a timeline shows when asked for it. */
#define AL_LINE_KINDS_ALL (AL_LINE_KINDS | 1U << AL_KIND_PROFILE | 1U << AL_KIND_FOLLOW)

/* The kind that most entries have: the others have an index (views_schema.c). */
#define AL_LINE_KIND_COMMON 2

/*
 * What one reads without asking for it: by oneself, by whom one follows, and whatever is said in a
 * circle one is in. |entry| names a table with a column audience; the author is |a|.
 */
#define AL_CLOSE_SQL(entry)                                                                        \
    "(a.shown OR (" entry ".audience = 1 AND NOT a.blocked AND NOT a.muted))"
static_assert(AL_AUDIENCE_CIRCLE == 1, "AL_CLOSE_SQL() says so");
static_assert(AL_LINE_KIND_COMMON == AL_KIND_NOTE, "most entries are notes");

/* The first place at |time_ms|. */
static inline int64_t al_line_at(uint64_t time_ms)
{
    uint64_t t = time_ms < AL_LINE_TIME_MAX ? time_ms : AL_LINE_TIME_MAX;
    return (int64_t)(t << AL_LINE_ID_BITS);
}

/* The place of an entry, never 0. */
static inline int64_t al_line_key(uint64_t time_ms, const struct al_hash *id)
{
    int64_t k = al_line_at(time_ms) | (int64_t)(al_u64be_read(id->b) >> (64 - AL_LINE_ID_BITS));
    return k == 0 ? 1 : k;
}

/* The first 8 bytes of an id, as a signed number that sorts as they do. */
static inline int64_t al_line_id8(const uint8_t id[32])
{
    return (int64_t)(al_u64be_read(id) ^ UINT64_C(1) << 63);
}

#endif
