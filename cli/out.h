/*
 * What a command prints. There are two ways to say something, and each form takes what it needs:
 *
 *   rows of named, typed fields     --json: one object a row; --plain: one line a row;
 *                                   pretty: only in a table set with al_out_table()
 *   al_say() and friends            pretty only: sentences, wrapped text, colours
 *
 * Every text is made safe here, so that no command can forget it. Nothing else writes to stdout,
 * but `save -o -`, which prints only a file.
 */
#ifndef AL_OUT_H
#define AL_OUT_H

#include "bytes.h"
#include "err.h"

enum al_out_form {
    AL_OUT_PRETTY, /* for people: colours, wrapped, relative times */
    AL_OUT_PLAIN,  /* for pipes: TAB-separated, RFC 3339, full ids, one record a line */
    AL_OUT_JSON,   /* one object a line, each with "v":1 */
};

struct al_out;

struct al_out_opts {
    enum al_out_form form;
    const char *fields; /* JSON: only these, comma-separated; NULL: all */
    bool color;
    bool pager;     /* pretty: page what is longer than a screen */
    int fd;         /* where it goes */
    size_t columns; /* of the terminal */
    size_t lines;
};

/* NULL: no memory. */
struct al_out *al_out_new(const struct al_out_opts *opts);

/* Print what is left, wait for the pager. Returns 0, or AL_E_IO, AL_E_FULL, AL_E_PARAMS (see
 * al_out_unknown_field()). A reader that went away (EPIPE) is no error. Frees |o|. */
AL_MUST_CHECK
int al_out_close(struct al_out *o);

/* Print what there is now: for output that follows events. No pager from then on. */
void al_out_flush(struct al_out *o);

/* True if the reader of our output has gone: time to stop. */
bool al_out_gone(const struct al_out *o);

/* The same, looking at the descriptor: for output that may have nothing to say for long. */
bool al_out_left(struct al_out *o);

/* A field asked for with --json=... that the first row did not have, or NULL. */
const char *al_out_unknown_field(const struct al_out *o);

bool al_out_is_pretty(const struct al_out *o);
/* Columns to fill, 40..200; 80 when it is not a terminal. */
size_t al_out_width(const struct al_out *o);

/*
 * Rows. Between al_out_row() and al_out_row_end() come the fields, in the same order in every row
 * of a command, each with a name of static duration.
 */
void al_out_row(struct al_out *o);
void al_out_row_end(struct al_out *o);
void al_out_text(struct al_out *o, const char *name, struct al_slice v); /* may have newlines */
void al_out_name(struct al_out *o, const char *name, struct al_slice v); /* of a person or thing */
void al_out_cstr(struct al_out *o, const char *name, const char *v);     /* NULL: empty */
void al_out_uint(struct al_out *o, const char *name, uint64_t v);
void al_out_bool(struct al_out *o, const char *name, bool v);
/* Milliseconds since 1970; 0: none. Pretty: relative. */
void al_out_time(struct al_out *o, const char *name, uint64_t ms);
/* 32 bytes; NULL: none. Pretty: the first |chars| characters (0: 8). */
void al_out_id(struct al_out *o, const char *name, const uint8_t *b32, size_t chars);
/* Texts; plain: separated by spaces. */
void al_out_texts(struct al_out *o, const char *name, const struct al_slice *v, size_t n);

enum al_style {
    AL_STYLE_NONE,
    AL_STYLE_STRONG,
    AL_STYLE_DIM,
    AL_STYLE_ID,   /* the part of an id that is enough to type */
    AL_STYLE_NAME, /* of a person */
    AL_STYLE_TAG,
    AL_STYLE_MATCH, /* what a search found */
    AL_STYLE_GOOD,
    AL_STYLE_WARN,
    AL_STYLE_BAD,
};

/* A column of a pretty table. */
struct al_out_col {
    const char *field; /* name of the field it shows */
    const char *title; /* heading; "" for none */
    enum al_style style;
    bool right; /* numbers: aligned right */
    bool cut;   /* shortened first when the terminal is too narrow */
};

/* Show rows from here on as a table of |n| columns, printed at al_out_close(). |cols| borrowed. */
void al_out_table(struct al_out *o, const struct al_out_col *cols, size_t n);

/* Print, pretty only: newlines stay, the rest is made safe. */
void al_say(struct al_out *o, enum al_style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for bytes from outside, on one line. */
void al_say_line(struct al_out *o, enum al_style style, struct al_slice s);

/* An id: the first chars - 2 characters, which are enough, strong; then two more. 0: 8. */
void al_say_id(struct al_out *o, const uint8_t b32[32], size_t chars);

/* A text, wrapped to the width, every line indented by |indent| spaces, with a newline at its
 * end. */
void al_say_wrapped(struct al_out *o, enum al_style style, struct al_slice s, size_t indent);

/* A time as people say it. */
void al_say_time(struct al_out *o, enum al_style style, uint64_t ms);

#endif
