/*
 * Text from outside made safe for every sink: terminal, log, RPC error, page. Measured in columns
 * of a terminal.
 */
#ifndef AL_TEXT_H
#define AL_TEXT_H

#include "bytes.h"

enum al_text_use {
    AL_TEXT_BLOCK, /* newlines stay; tabs become spaces */
    AL_TEXT_LINE,  /* newlines and tabs become single spaces */
    AL_TEXT_NAME,  /* a line, and zero-width and other invisible characters go */
    AL_TEXT_FIELD, /* for TAB-separated output: newline, TAB, backslash as \n \t \\ */
};

/*
 * Append |s| to |b| with everything gone that could fool a reader or steer a terminal: C0 (but
 * what |use| keeps), DEL, C1, invalid UTF-8, bidirectional controls, line and paragraph
 * separators, tags, private use, unassigned. What is removed becomes U+FFFD; a ZWJ stays only
 * between emoji. Applying it twice changes nothing.
 */
void al_text_safe(struct al_buf *b, struct al_slice s, enum al_text_use use);

/* Columns that safe text takes; wide characters count 2, combining ones 0. */
size_t al_text_width(struct al_slice s);

/* The longest prefix of |s| of at most |columns| columns, never inside a cluster: its bytes. */
size_t al_text_fit(struct al_slice s, size_t columns);

/*
 * Append |s|, wrapped at spaces to |columns|, each line but the first preceded by |indent|
 * spaces. A word that is longer than a line is broken.
 */
void al_text_wrap(struct al_buf *b, struct al_slice s, size_t columns, size_t indent);

/*
 * The first sentence or line of |s|, which is its title: at most |columns| columns, cut at a
 * word with an ellipsis. Appends it, line-safe.
 */
void al_text_title(struct al_buf *b, struct al_slice s, size_t columns);

/* NFC, case folded, look-alikes folded: two names with equal skeletons look alike. */
void al_text_skeleton(struct al_buf *b, struct al_slice s);

#endif
