/* Shared by out*.c only: a row, and the printer that all forms append to. */
#ifndef AL_OUT_INT_H
#define AL_OUT_INT_H

#include "out.h"

#define AL_OUT_FIELDS_MAX 40

enum al_out_type {
    AL_OUT_TEXT,
    AL_OUT_UINT,
    AL_OUT_BOOL,
    AL_OUT_TIME,
    AL_OUT_ID,
    AL_OUT_TEXTS,
};

struct al_out_field {
    const char *name;
    enum al_out_type type;
    uint64_t num;   /* UINT, BOOL, TIME; ID: characters to show; TEXTS: how many */
    size_t from, n; /* in |texts|: safe text; ID: 32 bytes or none; TEXTS: each with a NUL */
};

struct al_out_table;

struct al_out {
    struct al_out_opts opts;
    struct al_buf buf; /* printed, but not written yet */
    size_t newlines;   /* in |buf| */
    int fd;            /* where |buf| goes: stdout, or the pager */
    int pager_pid;     /* 0: none */
    bool gone;         /* nobody reads any more */
    int err;           /* the first AL_E_* that stuck */
    struct al_out_field fields[AL_OUT_FIELDS_MAX];
    size_t field_count;
    struct al_buf texts;
    bool fields_checked;
    const char *unknown_field;
    const struct al_out_col *cols;
    size_t col_count;
    struct al_out_table *table;
};

/* Append to the output; starts the pager when a screen is full. */
void al_out_put(struct al_out *o, const void *p, size_t n);
void al_out_puts(struct al_out *o, const char *s);

/* The bytes of a field's text. */
struct al_slice al_out_field_text(const struct al_out *o, const struct al_out_field *f);

/* Print the row that is complete, each in its form. */
void al_out_plain_row(struct al_out *o);
void al_out_json_row(struct al_out *o);
void al_out_table_row(struct al_out *o);

/* Print the table, if there is one, and forget it. */
void al_out_table_end(struct al_out *o);

#endif
