/*
 * Text from outside made safe for every sink: terminal, log, RPC error, page. Measured in columns
 * of a terminal.
 */
#ifndef AL_TEXT_H
#define AL_TEXT_H

#include "bytes.h"

enum al_text_use {
    AL_TEXT_BLOCK, /* newlines stay; a tab becomes four spaces */
    AL_TEXT_LINE,  /* white space becomes single spaces, none at either end */
    AL_TEXT_NAME,  /* a line; joiners and variation selectors vanish, blank letters go too */
    AL_TEXT_FIELD, /* for TAB-separated output: newline, TAB, backslash as \n \t \\ */
};

/*
 * Append |s| to |b| with everything gone that could fool a reader or steer a terminal: C0 (but
 * what |use| keeps), DEL, C1, invalid UTF-8, bidirectional controls, zero width, line and
 * paragraph separators, tags, private use, unassigned, marks without a base or more than 8 on
 * one. A run of what is removed becomes one U+FFFD. A joiner stays only between emoji and inside
 * a word of the scripts that spell with it. CR LF is a newline. Applying it twice changes nothing
 * (except for FIELD, which escapes).
 */
void al_text_safe(struct al_buf *b, struct al_slice s, enum al_text_use use);

/*
 * Append |s| as valid UTF-8: each byte that is none becomes U+FFFD. At most |bytes_max| bytes, cut
 * between two code points. For text that is stored; what is shown needs al_text_safe().
 */
void al_text_utf8(struct al_buf *b, struct al_slice s, size_t bytes_max);

/*
 * Columns that safe text takes; wide characters count 2, combining ones 0, a newline 0. Joined
 * emoji count as drawn apart: never too few.
 */
size_t al_text_width(struct al_slice s);

/* The longest prefix of |s| of at most |columns| columns, never inside a cluster: its bytes. */
size_t al_text_fit(struct al_slice s, size_t columns);

/*
 * Append |s|, which is safe, wrapped at spaces (and between wide characters) to |columns|; each
 * line but the first is preceded by |indent| spaces, which do not count. A word that is longer
 * than a line is broken. Newlines stay, but the last one goes.
 */
void al_text_wrap(struct al_buf *b, struct al_slice s, size_t columns, size_t indent);

/*
 * One step of it: how many bytes of |s| stand on its first line, without the spaces it is broken
 * at; |ret_next| is where the next line begins. It is s.n on the last.
 */
size_t al_text_line(size_t *ret_next, struct al_slice s, size_t columns);

/*
 * The first sentence or line of |s|, which is its title: at most |columns| columns, cut at a
 * word with an ellipsis. Appends it, line-safe.
 */
void al_text_title(struct al_buf *b, struct al_slice s, size_t columns);

/* Composed, case and look-alikes folded: two names with equal skeletons look alike. */
void al_text_skeleton(struct al_buf *b, struct al_slice s);

#endif
