/* What the files that answer reading calls share. The writer knows nothing of it. */
#ifndef AL_READER_INT_H
#define AL_READER_INT_H

#include "keyring.h"
#include "now.h"
#include "payload.h"
#include "store.h"
#include "tokens.h"
#include "viewdb.h"

#define AL_WHY_BYTES 128
#define AL_ROWS_MAX 1000               /* of one page */
#define AL_ROWS_BYTES_MAX (512 * 1024) /* a page ends after the row that passes this */
#define AL_FILTER_MAX 16               /* authors, tags of one filter */

struct al_views_reader {
    sqlite3 *db;
    struct al_store *log;
    const struct al_keyring *keyring;
    struct al_tokens *tokens;
    sqlite3_stmt *row;     /* one entry with everything a row needs */
    sqlite3_stmt *circle;  /* what a circle is called */
    sqlite3_stmt *related; /* whose an entry is that another one names, and for whom */
    sqlite3_stmt *above;   /* the neighbours of an id */
    sqlite3_stmt *below;
    sqlite3_stmt *replies; /* how many there are */
};

/*
 * One call being answered. Errors of parameters stick in |err|, so that a method reads all of
 * them and looks once.
 */
struct al_call {
    struct al_views_reader *r;
    struct al_slice params;
    struct al_now now;
    char *why; /* AL_WHY_BYTES for people */
    int err;
};

typedef int al_method_fn(struct al_call *c, struct al_buf *out);

/* --- reads.c: parameters -------------------------------------------------------------------- */

uint64_t al_call_uint(struct al_call *c, const char *name, uint64_t absent, uint64_t max);
bool al_call_bool(struct al_call *c, const char *name, bool absent);

/* A text, or n = 0 when it is absent. */
struct al_slice al_call_str(struct al_call *c, const char *name, size_t max);

/* 32 bytes; false when absent. */
bool al_call_bytes32(struct al_call *c, const char *name, uint8_t out[32]);

/* A cursor of two numbers, as al_call_put_cursor() wrote it; false when absent. */
bool al_call_cursor(struct al_call *c, int64_t *ret_a, int64_t *ret_b);
void al_call_put_cursor(struct al_buf *out, int64_t a, int64_t b);

/* Note why a call fails and return |err|. */
__attribute__((format(printf, 3, 4))) int al_call_fail(
    struct al_call *c, int err, const char *format, ...);

/* Where the views stand, and how many positions the store is ahead. */
AL_MUST_CHECK
int al_call_position(struct al_call *c, uint64_t *ret_pos, uint64_t *ret_behind);

/* A number of the table meta, 0 when absent. */
AL_MUST_CHECK
int al_call_meta(struct al_call *c, const char *key, int64_t *ret);

/* How many entries are held that can't be read. */
AL_MUST_CHECK
int al_call_unreadable(struct al_call *c, int64_t *ret);

/* Compile |sql| for this one call; the caller finalizes it. */
AL_MUST_CHECK
int al_call_prepare(struct al_call *c, sqlite3_stmt **ret, const char *sql);

/* --- rows.c: what a row carries ------------------------------------------------------------- */

struct al_row_opts {
    uint32_t depth; /* in a thread */
    uint64_t pos;   /* 0: the position of the entry */
    struct al_slice snippet;
    bool own; /* its own content, even if an edit stands for it */
};

/* Append the row of entry |n|. Returns 1, 0 when there is no such entry, or an error. */
AL_MUST_CHECK
int al_row_write(struct al_call *c, struct al_buf *out, int64_t n, const struct al_row_opts *opts);

/* A page of rows on its way: rows are gathered before their number is known. */
struct al_page {
    struct al_buf rows;
    uint32_t count;
};

void al_page_init(struct al_page *p);
void al_page_free(struct al_page *p);

/* Add a row, if there is such an entry. */
AL_MUST_CHECK
int al_page_add(struct al_page *p, struct al_call *c, int64_t n, const struct al_row_opts *opts);

/* True when the page should end here. */
bool al_page_full(const struct al_page *p, uint64_t limit);

/* Append the key |name| and the array of rows. */
AL_MUST_CHECK
int al_page_write(const struct al_page *p, struct al_buf *out, const char *name);

/* The entry with |id|. Returns 1, 0, or an error. */
AL_MUST_CHECK
int al_row_find(struct al_call *c, int64_t *ret_n, const uint8_t id[32]);

/* The direct replies to |id| that show. */
AL_MUST_CHECK
int al_row_replies(struct al_call *c, uint64_t *ret, const uint8_t id[32]);

/* --- walk.c: along the line of time --------------------------------------------------------- */

struct al_filter {
    int64_t authors[AL_FILTER_MAX]; /* any of them */
    int author_count;               /* 0: everybody */
    int64_t tags[AL_FILTER_MAX];    /* all of them */
    int tag_count;
    int64_t first, end;             /* places in the line: first <= k < end */
    uint32_t kinds;                 /* bits of enum al_kind */
    uint32_t audiences;             /* bits of enum al_audience */
    struct al_slice kind_name;      /* an unknown kind by its name, n = 0: no matter */
    int64_t circles[AL_FILTER_MAX]; /* any of them */
    int circle_count;               /* 0: no matter */
    bool shown_only;                /* own and followed, nobody muted or blocked */
    bool others_only;
    bool blocked_too;
    int64_t after; /* arrived after this position; 0: no matter */
};

/* Everything but what the blocked wrote. */
struct al_filter al_filter_all(void);

struct al_spot {
    int64_t k;
    int64_t n;
};

/* Walk from place |from| on (exclusive; newest first from INT64_MAX, oldest first from 0). */
AL_MUST_CHECK
int al_walk_open(struct al_call *c, sqlite3_stmt **ret, const struct al_filter *f, int64_t from,
    bool oldest_first);

/* The next entry. Returns 1, 0 at the end, or an error. The caller finalizes |walk|. */
AL_MUST_CHECK
int al_walk_next(sqlite3_stmt *walk, struct al_spot *ret);

/* --- people.c ------------------------------------------------------------------------------- */

/*
 * Whom |who| can mean: at most |max| author numbers. Returns their number or an error.
 */
AL_MUST_CHECK
int al_people_find(struct al_call *c, int64_t *out, int max, struct al_slice who);

/* Append the array of names like |who|, at most 3. */
AL_MUST_CHECK
int al_people_similar(struct al_call *c, struct al_buf *out, struct al_slice who);

/* AL_E_NOT_FOUND: nobody is called |who|; why says who is called nearly so. */
AL_MUST_CHECK
int al_people_unknown(struct al_call *c, struct al_slice who);

/* The author number of an identity. Returns 1, 0, or an error. */
AL_MUST_CHECK
int al_people_author(struct al_call *c, int64_t *ret, const uint8_t identity[32]);

/*
 * The circles called |name|, of which there may be several: at most |max| of their numbers. Returns
 * how many, or an error.
 */
AL_MUST_CHECK
int al_circles_named(struct al_call *c, int64_t *out, int max, struct al_slice name);

/* Whether some entry is of the kind |name|, which is none that we know. Returns 1, 0, or an error.
 */
AL_MUST_CHECK
int al_kind_seen(struct al_call *c, struct al_slice name);

/* The number of a tag. Returns 1, 0, or an error. */
AL_MUST_CHECK
int al_tag_number(struct al_call *c, int64_t *ret, struct al_slice name);

/* --- the methods ---------------------------------------------------------------------------- */

al_method_fn al_timeline_call;
al_method_fn al_changes_call;
al_method_fn al_show_call;
al_method_fn al_resolve_call;
al_method_fn al_thread_call;
al_method_fn al_search_call;
al_method_fn al_tags_call;
al_method_fn al_people_call;
al_method_fn al_person_call;
al_method_fn al_profile_call;
al_method_fn al_doctor_call;

#endif
