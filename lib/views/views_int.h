/* What the files of the writer share. Readers know nothing of it. */
#ifndef AL_VIEWS_INT_H
#define AL_VIEWS_INT_H

#include "circles.h"
#include "keyring.h"
#include "payload.h"
#include "sealed.h"
#include "store.h"
#include "tally.h"
#include "viewdb.h"
#include "views.h"
#include "views_schema.h"

/* A log as the writer remembers it, with the entry that it took in last. */
struct al_views_log {
    bool known;
    int64_t author;
    uint64_t hidden; /* entries from here on do not count; UINT64_MAX: all do */
    struct al_identity identity;
    struct al_device device;
    struct al_logname name;
    uint64_t last_seq;
    struct al_hash last_id;
};

/*
 * A change that takes more than one step: hiding the entries of a revoked device, reading what a
 * new key opens. Until it is done the views stay at the position before it; if the process ends
 * first, the change is met once more, and what is done already is passed over.
 */
struct al_views_job {
    enum {
        AL_JOB_NONE,
        AL_JOB_HIDE,   /* entries of |log_no| from |seq| on, and none below */
        AL_JOB_UNLOCK, /* what could not be read of |log_no| */
        AL_JOB_RETRY,  /* what could not be read at all: our reading key is newer */
    } what;
    uint64_t pos; /* where the views are when it is done */
    uint32_t log_no;
    uint64_t seq;
    uint64_t first, last; /* HIDE: entries left to look at */
    uint64_t below;       /* HIDE: entries below are to be shown, the others to be hidden */
    int64_t log, n;       /* others: the last entry that was looked at */
    uint32_t generation;  /* RETRY: of the key that it is done with */
};

/* Positions within which an entry that a key opens later is still news for who follows. */
#define AL_VIEWS_LATE_MAX 256

#define AL_VIEWS_FRESH_MAX 64 /* entries of one step that are indexed at once */

struct al_views {
    sqlite3 *db;
    char *path;
    struct al_store *store;
    struct al_keyring keyring;  /* our own: it learns newer reading keys */
    struct al_circles *circles; /* over |store|; NULL: not loaded */
    uint64_t circles_pos;       /* of the store when |circles| were looked at last */
    bool circles_stale;         /* something has come since that may be news for them */
    uint32_t tried;             /* the generation of the reading key with which all was tried */
    struct al_views_job job;
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
    int64_t fresh[AL_VIEWS_FRESH_MAX];
    int64_t fresh_first; /* the first of them, by number */
    size_t fresh_count;  /* may exceed the room: then the drain takes them */
    bool people_changed;
    bool state_changed;
    bool removed;   /* entries were taken out */
    uint8_t *plain; /* AL_PAYLOAD_MAX bytes for an opened payload */

    /* of the words: statements of the partition in use */
    int64_t part;
    sqlite3_stmt *part_add;
};

/* An entry that is there, without its content. */
struct al_entry_head {
    int64_t n;
    int64_t k; /* 0: no place in the line */
    int64_t author;
    int kind;
    int audience;
    int64_t circle; /* 0: none */
    int state;
    int64_t edit; /* the entry whose content shows instead, 0: none */
    struct al_hash id;
    int64_t time;
    int64_t claimed; /* its header's time, the same on every node */
    uint32_t log_no;
    uint64_t seq;
};

/* What shows of an entry; borrowed until al_shown_done(). */
struct al_shown {
    sqlite3_stmt *st;
    int64_t k;
    int64_t author;
    int kind;
    int audience;
    int64_t circle;
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

/* --- views_circles.c: what opens sealed entries --------------------------------------------- */

/* Load the circles, and take the newest reading key that the store has a box of for us. */
AL_MUST_CHECK
int al_views_circles_load(struct al_views *v);

/* Look again, if something has come since that the circles may not know. */
AL_MUST_CHECK
int al_views_circles_refresh(struct al_views *v);

/* Something at |pos| may be news for them. */
void al_views_circles_touch(struct al_views *v, uint64_t pos);

/* Statements have come: our own may hold a newer reading key. */
AL_MUST_CHECK
int al_views_learn(struct al_views *v);

/*
 * Open a sealed payload into |v|->plain. |ret_circle| is the number of the circle that it is
 * sealed for, 0 for ourselves. Returns 0, AL_E_SEALED and the like: it is not for us; a store
 * error.
 */
AL_MUST_CHECK
int al_views_unseal(struct al_views *v, struct al_slice *ret, int64_t *ret_circle,
    const struct al_sealed *sealed, const struct al_place *place, const struct al_identity *author);

/* --- take.c: one entry comes in, or goes ---------------------------------------------------- */

/* Take in an entry that was not here before. */
AL_MUST_CHECK
int al_take_entry(struct al_views *v, const struct al_store_row *row);

/*
 * Take in entry |n| once more, as the store has it now; what followed from it before is taken
 * back.
 */
AL_MUST_CHECK
int al_take_again(struct al_views *v, int64_t n);

/* The payload of an entry came at position |pos|. */
AL_MUST_CHECK
int al_take_payload(struct al_views *v, const struct al_store_row *row, uint64_t pos);

/* The payload of an entry was dropped: only its header stays. */
AL_MUST_CHECK
int al_take_drop(struct al_views *v, uint32_t log_no, uint64_t seq);

/* Entries from |seq| to the end of its block that came before |pos| were taken out of the store. */
AL_MUST_CHECK
int al_take_remove(struct al_views *v, uint32_t log_no, uint64_t seq, uint64_t pos);

/* Hide entry |n|: nothing that followed from it counts any more. */
AL_MUST_CHECK
int al_take_hide(struct al_views *v, int64_t n);

/* Whether the entry |row|, which could not be read, can be read now. 1, 0, or an error. */
AL_MUST_CHECK
int al_take_reads(struct al_views *v, const struct al_store_row *row);

/* --- job.c: what takes more than one step --------------------------------------------------- */

/* Begin what |change| asks for. */
AL_MUST_CHECK
int al_job_begin(struct al_views *v, const struct al_store_change *change);

/* Do a part of it, of at most |limit| entries. |ret_done|: that was the last. */
AL_MUST_CHECK
int al_job_go_on(struct al_views *v, bool *ret_done, uint32_t limit);

/* --- shelf.c: where an entry stands --------------------------------------------------------- */

/* Returns 1 and fills |ret|, 0 when there is no such entry, or an error. */
AL_MUST_CHECK
int al_shelf_head(struct al_views *v, struct al_entry_head *ret, int64_t n);

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

/*
 * Take entry |n| from the line, the tags and the words, so that nothing of its text stays in the
 * index; |state| says why. Its row stays.
 */
AL_MUST_CHECK
int al_shelf_leave(struct al_views *v, const struct al_entry_head *e, enum al_entry_state state);

/* The content of entry |n| is gone for good. */
AL_MUST_CHECK
int al_shelf_wipe(struct al_views *v, int64_t n);

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

/* Take in an edit or retraction |e|. */
AL_MUST_CHECK
int al_amend_take(struct al_views *v, const struct al_entry_head *e);

/* The edit or retraction |e| does not count any more. */
AL_MUST_CHECK
int al_amend_drop(struct al_views *v, const struct al_entry_head *e);

/* Whether |author| has retracted the entry |id|. Returns 1, 0, or an error. */
AL_MUST_CHECK
int al_amend_retracted(struct al_views *v, int64_t author, const struct al_hash *id);

/* Show the newest edit of entry |n| that is here, or its own content when there is none. */
AL_MUST_CHECK
int al_amend_apply(struct al_views *v, int64_t n);

/* --- relate.c: own choices, and who is called what ------------------------------------------ */

/* Take over all choices that the store keeps. */
AL_MUST_CHECK
int al_relate_load(struct al_views *v);

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

/* Let searches find entry |n| no more. |gone|: its words must not stay on the disk. */
AL_MUST_CHECK
int al_words_remove(struct al_views *v, int64_t n, bool gone);

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
