/* What the files of the writer share. Readers know nothing of it. */
#ifndef AL_VIEWS_INT_H
#define AL_VIEWS_INT_H

#include "keyring.h"
#include "payload.h"
#include "store.h"
#include "tally.h"
#include "viewdb.h"
#include "views.h"
#include "views_schema.h"

/* A log as the writer remembers it, with the entry that it took in last. */
struct al_views_log {
    bool known;
    bool mine;
    int64_t author;
    uint64_t hidden; /* entries from here on do not count; UINT64_MAX: all do */
    struct al_device device;
    struct al_logname name;
    uint64_t last_seq;
    struct al_hash last_id;
};

/* By which an entry is found: the first bytes of its id. */
struct al_name {
    int64_t id8;
    int64_t n;
};

#define AL_VIEWS_FRESH_MAX 64 /* entries of one step that are indexed at once */

struct al_views {
    sqlite3 *db;
    char *path;
    struct al_store *store;
    const struct al_keyring *keyring;
    sqlite3_stmt *sql[AL_SQL_COUNT];
    uint64_t pos;     /* every change up to here is in the rows */
    uint64_t indexed; /* every entry up to here is in the words */
    bool damaged;     /* the file is to be thrown away */
    bool drained;     /* this connection wrote much of the search index */
    bool amended;     /* some entry was edited or retracted: look whether this one was */

    /* of the step under way */
    struct al_views_log *logs; /* by their number in the store */
    uint32_t log_count;
    struct al_tally tally;
    struct al_name *names; /* of entries taken in, not written yet */
    size_t name_count;
    size_t name_cap;
    int64_t fresh[AL_VIEWS_FRESH_MAX];
    size_t fresh_count; /* may exceed the room: then the drain takes them */
    int64_t unreadable;
    bool people_changed;
    uint8_t *plain; /* AL_PAYLOAD_MAX bytes for an opened payload */

    /* of the words: statements of the partition in use */
    int64_t part;
    sqlite3_stmt *part_add;
    sqlite3_stmt *part_drop;
};

/* An entry that is there, without its content. */
struct al_entry_head {
    int64_t n;
    int64_t k; /* 0: no place in the line */
    int64_t author;
    int kind;
    int audience;
    int state;
    int64_t edit; /* the entry whose content shows instead, 0: none */
    struct al_hash id;
    int64_t time;
};

/* What shows of an entry; borrowed until al_shown_done(). */
struct al_shown {
    sqlite3_stmt *st;
    int64_t k;
    int64_t author;
    int kind;
    int audience;
    struct al_slice text;
    struct al_slice tags;   /* encoded array of str, or empty */
    struct al_slice fields; /* encoded map, or empty */
};

/* --- views_logs.c -------------------------------------------------------------------------- */

/* The log number |no|, read from the store when it is new. */
AL_MUST_CHECK
int al_views_log(struct al_views *v, struct al_views_log **ret, uint32_t no);

/* The author number of |identity|, made when it is new. */
AL_MUST_CHECK
int al_views_author(struct al_views *v, int64_t *ret, const struct al_identity *identity);

/* What is remembered of logs may be of a step that was undone. */
void al_views_forget_logs(struct al_views *v);

/* --- take.c: one entry comes in, or goes ---------------------------------------------------- */

/* Take in an entry that was not here before. */
AL_MUST_CHECK
int al_take_entry(struct al_views *v, const struct al_store_row *row);

/* Take in an entry again, whose payload came at position |late_pos|. */
AL_MUST_CHECK
int al_take_payload(struct al_views *v, const struct al_store_row *row, uint64_t late_pos);

/* The payload of an entry was dropped: only its header stays. */
AL_MUST_CHECK
int al_take_drop(struct al_views *v, uint32_t log_no, uint64_t seq);

/* Entries of a log from |seq| on do not count any more. */
AL_MUST_CHECK
int al_take_hide(struct al_views *v, uint32_t log_no, uint64_t seq);

/* A key arrived: try again what could not be read of a log. */
AL_MUST_CHECK
int al_take_unlock(struct al_views *v, uint32_t log_no);

/* --- shelf.c: where an entry stands --------------------------------------------------------- */

/* Returns 1 and fills |ret|, 0 when there is no such entry, or an error. */
AL_MUST_CHECK
int al_shelf_head(struct al_views *v, struct al_entry_head *ret, int64_t n);

/* Note the id of entry |n|, which can be found from al_shelf_names() on. AL_E_NOMEM. */
AL_MUST_CHECK
int al_shelf_name(struct al_views *v, int64_t n, const struct al_hash *id);

/* Write the ids noted, in their order: a bulk of them in any other touches every page anew. */
AL_MUST_CHECK
int al_shelf_names(struct al_views *v);

/* What shows of entry |n|. Returns 1, 0 when it has no place in the line, or an error. */
AL_MUST_CHECK
int al_shown_load(struct al_views *v, struct al_shown *ret, int64_t n);
void al_shown_done(struct al_shown *s);

/* Give entry |n| its place in the line of time: |ret_k|. */
AL_MUST_CHECK
int al_shelf_place(struct al_views *v, int64_t *ret_k, const struct al_entry_head *e);

/* Count and list the |tags| (an encoded array) of an entry, or take them back (|delta| -1). */
AL_MUST_CHECK
int al_shelf_tags(
    struct al_views *v, int64_t author, int64_t k, struct al_slice tags, int64_t delta);

/* Take entry |n| from the line, the tags and the words; |state| says why. Its row stays. */
AL_MUST_CHECK
int al_shelf_leave(struct al_views *v, int64_t n, enum al_entry_state state);

/* The same, and its content is gone for good. */
AL_MUST_CHECK
int al_shelf_wipe(struct al_views *v, int64_t n, enum al_entry_state state);

/*
 * Show the content of entry |edit| (0: its own) in place of entry |n|'s. |gone|: what showed until
 * now must not stay on the disk.
 */
AL_MUST_CHECK
int al_shelf_show(struct al_views *v, int64_t n, int64_t edit, bool gone);

/* Write the counts that the step gathered. */
AL_MUST_CHECK
int al_shelf_count(struct al_views *v);

/* --- amend.c: edits and retractions --------------------------------------------------------- */

/* Take in an edit or retraction |e| of |target|, which may be there or not. */
AL_MUST_CHECK
int al_amend_take(struct al_views *v, const struct al_entry_head *e, const struct al_ref *target);

/* Whether |author| has retracted the entry |id|. Returns 1, 0, or an error. */
AL_MUST_CHECK
int al_amend_retracted(struct al_views *v, int64_t author, const struct al_hash *id);

/* Show the newest edit of entry |n| that is here, or its own content when there is none. */
AL_MUST_CHECK
int al_amend_apply(struct al_views *v, int64_t n);

/* The edit |n| does not count any more: what it stood for shows something else. */
AL_MUST_CHECK
int al_amend_withdraw(struct al_views *v, int64_t n);

/* --- relate.c: own choices, and who is called what ------------------------------------------ */

/* Take in an own state entry. */
AL_MUST_CHECK
int al_relate_state(struct al_views *v, const struct al_entry_head *e, const struct al_payload *p);

/* Take in a profile: the newest one names its author. */
AL_MUST_CHECK
int al_relate_profile(struct al_views *v, const struct al_entry_head *e, struct al_slice name);

/* The profile that names |author| is gone: find the one before. */
AL_MUST_CHECK
int al_relate_profile_lost(struct al_views *v, int64_t author);

/* --- words.c: the search index -------------------------------------------------------------- */

/* Index entry |n|, if it has a place in the line and is of a kind that search knows. */
AL_MUST_CHECK
int al_words_add(struct al_views *v, int64_t n);

/* Take what shows of entry |n| out of the index. |gone|: its text must not stay on the disk. */
AL_MUST_CHECK
int al_words_remove(struct al_views *v, int64_t n, const struct al_shown *s, bool gone);

/* Index the entries that a small step took in up to |pos|; those of a large one wait. */
AL_MUST_CHECK
int al_words_fresh(struct al_views *v, uint64_t pos);

/* Index what is not yet of the next partition: one large transaction. */
AL_MUST_CHECK
int al_words_drain(struct al_views *v);

/* Rewrite one partition that still holds words of what is gone. |ret_more|: there are others. */
AL_MUST_CHECK
int al_words_clean(struct al_views *v, bool *ret_more);

/* Close the statements of the partition in use. */
void al_words_close(struct al_views *v);

#endif
