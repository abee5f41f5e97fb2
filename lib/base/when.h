/* Dates as people type and read them. The clock and the time zone come in as arguments. */
#ifndef AL_WHEN_H
#define AL_WHEN_H

#include "bytes.h"
#include "err.h"

/*
 * Read a date: ISO 8601 ("2026-11-22", "2026-11-22T14:03", with seconds, with zone), "14:03" or
 * "9:03", "now", "today", "yesterday", "yesterday 17:00", "monday" (the newest, today included),
 * "last monday" (before today), "-2d", "3 days ago" (s, m, h, d, w and their words; "mo" and "y";
 * the same time of day). A day without a time is its first instant, in local time. A time that
 * comes twice is the first one, one that clocks skip is as much later. |now_ms| is since 1970. The
 * time zone is that of the process (TZ). Returns 0 or AL_E_WHEN.
 */
AL_MUST_CHECK int al_when_parse(uint64_t *ret_ms, struct al_slice text, uint64_t now_ms);

/* The first instant of the local day that holds |ms|. */
uint64_t al_when_day(uint64_t ms);

/* RFC 3339 in UTC with seconds, and NUL: "2026-11-22T14:03:05Z". |out| has 32 bytes. */
void al_when_utc(char *out, uint64_t ms);

/*
 * For people: "just now", "5 min ago", "14:03", "yesterday 17:00", "Mon 3 Nov", "3 Nov 2025"; of
 * what is to come "in 5 min", "14:03", "tomorrow 17:00". 20 bytes are enough.
 */
void al_when_relative(char *out, size_t cap, uint64_t ms, uint64_t now_ms);

/* The local time of day, "14:03", and NUL. |out| has 8 bytes. */
void al_when_clock(char *out, uint64_t ms);

/* The local date whatever the present, "3 Nov 2025", and NUL. |out| has 16 bytes. */
void al_when_day_text(char *out, uint64_t ms);

/* The local date, "Sunday 22 November", with its year unless that is the year of |now_ms|. */
void al_when_date(char *out, size_t cap, uint64_t ms, uint64_t now_ms);

#endif
