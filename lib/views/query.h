/*
 * What people type into a search: words that must all be there, "phrases", -without, prefix*,
 * and tag: from: kind: to: since: until:. Whatever cannot be an operator where it stands is a
 * word; nothing that was typed ever reaches FTS5 but inside quotes.
 */
#ifndef AL_QUERY_H
#define AL_QUERY_H

#include "bytes.h"
#include "err.h"
#include "tokens.h"

#define AL_QUERY_BYTES_MAX 4096
#define AL_QUERY_TERMS_MAX 32
#define AL_QUERY_NAMES_MAX 8 /* of one sort: tags, people */

struct al_term {
    struct al_slice text;
    bool prefix; /* words that begin with its last word count, too */
    bool not ;
};

struct al_query {
    struct al_term terms[AL_QUERY_TERMS_MAX]; /* only those that hold a word */
    uint32_t term_count;
    uint32_t wanted;                          /* how many of them are not excluded */
    struct al_slice tags[AL_QUERY_NAMES_MAX]; /* all of them */
    uint32_t tag_count;
    struct al_slice people[AL_QUERY_NAMES_MAX]; /* any of them */
    uint32_t people_count;
    uint32_t kinds;                              /* bits of enum al_kind, 0: not said */
    uint32_t audiences;                          /* bits of enum al_audience, 0: not said */
    struct al_slice circles[AL_QUERY_NAMES_MAX]; /* any of them */
    uint32_t circle_count;
    uint64_t since_ms;
    uint64_t until_ms; /* AL_TIME_MAX when not said */
};

/*
 * Take |text| apart; |ret| points into it. |now_ms| is for dates. AL_E_QUERY, with |why| (128
 * bytes) in words, when there is nothing to search for or a field can't be read; AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_query_parse(struct al_query *ret, char *why, struct al_slice text, struct al_tokens *tokens,
    uint64_t now_ms);

/*
 * Append the expression for MATCH, NUL at its end: what |q| wants and excludes, and |extra|, which
 * is an expression of our own or empty. One of both must be there.
 */
void al_query_match(struct al_buf *b, const struct al_query *q, struct al_slice extra);

/* Append |text| as FTS5 takes a phrase: in quotes, whatever it holds. */
void al_query_quote(struct al_buf *b, struct al_slice text);

#endif
