/* Rows as people read them: by day, wrapped, bursts folded. Pretty form only. */
#ifndef AL_FEED_H
#define AL_FEED_H

#include "err.h"
#include "out.h"
#include "row.h"

#define AL_FEED_INDENT 7   /* columns before the words of an entry */
#define AL_FEED_MEASURE 92 /* longer lines are hard to read */
#define AL_FEED_LINES 12   /* of one entry among many */

enum al_feed_style {
    AL_FEED_FOLDED, /* bursts as one line, long texts cut */
    AL_FEED_FULL,   /* everything */
    AL_FEED_TITLES, /* bursts as one line, one line of each entry, close together */
};

struct al_feed {
    struct al_out *out;
    uint64_t now_ms;
    enum al_feed_style style;
    size_t id_chars; /* of every id: as many as the longest needs */
    bool begun;      /* a day was printed */
    uint64_t day;    /* the first instant of it */
    bool cut;        /* more rows follow than will be printed: the last day may have more */
};

/* Print |n| rows, in their order, under the days they belong to. Returns 0 or AL_E_NOMEM. */
AL_MUST_CHECK int al_feed_rows(struct al_feed *f, const struct al_row *rows, size_t n);

/* Columns for the words of an entry. */
size_t al_feed_columns(const struct al_out *o);

#endif
