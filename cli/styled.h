/* Text in several styles that is wrapped as one. */
#ifndef AL_STYLED_H
#define AL_STYLED_H

#include "out.h"

#define AL_STYLED_RUNS 64 /* what comes after so many has the style of the last */

struct al_styled {
    struct al_buf text; /* safe */
    struct {
        size_t end; /* in |text| */
        enum al_style style;
    } runs[AL_STYLED_RUNS];
    size_t run_count;
};

void al_styled_init(struct al_styled *t);
void al_styled_fini(struct al_styled *t);

/* Append text from outside, made safe; newlines stay. */
void al_styled_add(struct al_styled *t, enum al_style style, struct al_slice s);

/* The same, on one line. */
void al_styled_add_line(struct al_styled *t, enum al_style style, struct al_slice s);

/* The same, for words of our own. */
void al_styled_addf(struct al_styled *t, enum al_style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An id as al_say_id() prints it. */
void al_styled_add_id(struct al_styled *t, const uint8_t b32[32], size_t chars);

/* Where the lines stand. */
struct al_styled_box {
    const char *lead;   /* printed before the first line, as wide as |indent|; NULL: spaces */
    const char *margin; /* printed before each other line, as wide as |indent|; NULL: spaces */
    size_t indent;      /* columns */
    size_t columns;     /* of the text beside it */
    size_t lines_max;   /* 0: all */
};

/* Print it, pretty only, with a newline at the end. False if lines were left out. */
bool al_styled_say(struct al_out *o, const struct al_styled *t, const struct al_styled_box *box);

#endif
