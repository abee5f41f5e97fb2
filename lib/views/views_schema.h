/*
 * The tables of views.db, and every statement that its writer keeps compiled. A reader compiles
 * its own.
 */
#ifndef AL_VIEWS_SCHEMA_H
#define AL_VIEWS_SCHEMA_H

#include <assert.h>
#include <sqlite3.h>
#include <stdint.h>

#include "err.h"

#define AL_VIEWS_SCHEMA 4 /* a file with another number is thrown away and rebuilt */

/* The column state of an entry. */
enum al_entry_state {
    AL_ENTRY_OK,
    AL_ENTRY_RETRACTED,
    AL_ENTRY_MISSING,    /* its payload is not held */
    AL_ENTRY_UNREADABLE, /* not a payload that we know how to read, or sealed for others */
    AL_ENTRY_HIDDEN,     /* beyond what a revocation lets count */
};
static_assert(AL_ENTRY_OK == 0 && AL_ENTRY_UNREADABLE == 3, "SQL names these two by number");

/* In the column what of the table amend, beside kinds: an edit that does not count just now. */
#define AL_AMEND_BURIED 1000

/* What shows of the entry |e|: its own content, or that of the edit that counts. */
#define AL_SHOWN_COLUMN(name)                                                                      \
    "iif(e.edit IS NULL, e." name ", (SELECT s." name " FROM entry s WHERE s.n = e.edit))"
#define AL_SHOWN_COLUMNS                                                                           \
    AL_SHOWN_COLUMN("text") ", " AL_SHOWN_COLUMN("tags") ", " AL_SHOWN_COLUMN("fields")

/* X(NAME, SQL) */
#define AL_VIEWS_SQL(X)                                                                            \
    X(META_GET, "SELECT value FROM meta WHERE key = ?1")                                           \
    X(META_PUT, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)")                                     \
    X(META_ADD, "INSERT INTO meta VALUES (?1, ?2)"                                                 \
                " ON CONFLICT (key) DO UPDATE SET value = value + excluded.value")                 \
    X(AUTHOR_FIND, "SELECT no FROM author WHERE identity = ?1")                                    \
    X(AUTHOR_ADD, "INSERT INTO author (identity, mine, shown) VALUES (?1, ?2, ?2)")                \
    X(AUTHOR_COUNT, "UPDATE author SET entries = entries + ?2 WHERE no = ?1")                      \
    X(AUTHOR_NAME, "UPDATE author SET name = ?2, profile = ?3 WHERE no = ?1")                      \
    X(AUTHOR_FOLLOW, "UPDATE author SET following = ?2 WHERE no = ?1 AND following IS NOT ?2")     \
    X(AUTHOR_ADMIT, "UPDATE author SET admitted = ?2 WHERE no = ?1 AND admitted IS NOT ?2")        \
    X(AUTHOR_BLOCK, "UPDATE author SET blocked = ?2 WHERE no = ?1 AND blocked IS NOT ?2")          \
    X(AUTHOR_MUTE, "UPDATE author SET muted = ?2 WHERE no = ?1 AND muted IS NOT ?2")               \
    X(AUTHOR_PETNAME, "UPDATE author SET petname = ?2 WHERE no = ?1 AND petname IS NOT ?2")        \
    X(AUTHOR_SHOWN, "UPDATE author SET shown = (mine OR following) AND NOT blocked AND NOT muted"  \
                    " WHERE no = ?1")                                                              \
    X(AUTHOR_PROFILE, "SELECT e.k FROM author a JOIN entry e ON e.n = a.profile WHERE a.no = ?1")  \
    X(AUTHOR_BLOCKED, "SELECT blocked FROM author WHERE no = ?1")                                  \
    X(LOG_GET, "SELECT l.author, a.identity, l.hidden, l.device, l.name FROM log l"                \
               " JOIN author a ON a.no = l.author WHERE l.no = ?1")                                \
    X(LOG_ADD, "INSERT INTO log (no, author, device, name) VALUES (?1, ?2, ?3, ?4)")               \
    X(LOG_HIDDEN, "UPDATE log SET hidden = ?2 WHERE no = ?1")                                      \
    X(LOG_FROZEN, "UPDATE log SET frozen = nullif(?2, 0) WHERE no = ?1")                           \
    X(CIRCLE_FIND, "SELECT no, name FROM circle WHERE owner = ?1 AND cid = ?2")                    \
    X(CIRCLE_ADD, "INSERT INTO circle (owner, cid, name) VALUES (?1, ?2, ?3)")                     \
    X(CIRCLE_NAME, "UPDATE circle SET name = ?2 WHERE no = ?1")                                    \
    X(ENTRY_ADD, "INSERT INTO entry (n, k, id, log, seq, author, kind, audience, time, at,"        \
                 " claimed, arrived, state, re, rt, tags, fields, text, circle) VALUES"            \
                 " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)")          \
    X(ENTRY_DROP, "DELETE FROM entry WHERE n = ?1")                                                \
    X(ENTRY_HEAD, "SELECT k, author, kind, audience, state, edit, id, time, circle, log, seq,"     \
                  " claimed FROM entry WHERE n = ?1")                                              \
    X(ENTRY_FIND, "SELECT e.n FROM name m JOIN entry e ON e.n = m.n WHERE m.id8 = ?1"              \
                  " AND e.id = ?2")                                                                \
    X(ENTRY_REFS, "SELECT re, rt FROM entry WHERE n = ?1")                                         \
    X(ENTRY_AT, "SELECT n FROM entry WHERE log = ?1 AND seq BETWEEN ?2 AND ?3 AND n < ?4"          \
                " LIMIT 1")                                                                        \
    X(ENTRY_RANGE, "SELECT n, seq FROM entry WHERE log = ?1 AND seq BETWEEN ?2 AND ?3"             \
                   " ORDER BY seq LIMIT ?4")                                                       \
    X(ENTRY_NEWEST, "SELECT n, id FROM entry ORDER BY n DESC LIMIT 1")                             \
    X(ENTRY_UNREADABLE, "SELECT n, log, seq FROM entry WHERE state = 3 AND (log, n) > (?1, ?2)"    \
                        " AND log <= ?3 AND n <= ?4 ORDER BY log, n LIMIT ?5")                     \
    X(ENTRY_LEAVE, "UPDATE entry SET state = ?2, k = NULL, edit = NULL WHERE n = ?1")              \
    X(ENTRY_EDIT, "UPDATE entry SET edit = ?2 WHERE n = ?1")                                       \
    X(ENTRY_WIPE, "UPDATE entry SET tags = NULL, fields = NULL, text = NULL WHERE n = ?1")         \
    X(NAME_ADD, "INSERT OR IGNORE INTO name VALUES (?1, ?2)")                                      \
    X(NAME_DROP, "DELETE FROM name WHERE id8 = ?1 AND n = ?2")                                     \
    X(SHOWN, "SELECT e.k, e.author, e.kind, e.audience, e.circle, " AL_SHOWN_COLUMNS               \
             " FROM entry e WHERE e.n = ?1 AND e.k IS NOT NULL")                                   \
    X(LINE_ADD, "INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5)")                                    \
    X(LINE_DROP, "DELETE FROM line WHERE k = ?1")                                                  \
    X(LINE_PROFILE, "SELECT n FROM line WHERE author = ?1 AND kind = ?2 ORDER BY k DESC LIMIT 1")  \
    X(TAG_FIND, "SELECT no FROM tag WHERE name = ?1")                                              \
    X(TAG_ADD, "INSERT INTO tag (name) VALUES (?1)")                                               \
    X(TAG_COUNT, "UPDATE tag SET count = count + ?2, last = max(last, ?3) WHERE no = ?1")          \
    X(TAG_DROP, "DELETE FROM tag WHERE no = ?1 AND count <= 0"                                     \
                " AND NOT EXISTS (SELECT 1 FROM tagged WHERE tag = ?1)")                           \
    X(AUTHOR_TAG_DROP, "DELETE FROM author_tag WHERE author = ?1 AND tag = ?2 AND count <= 0")     \
    X(TAG_AUTHOR, "UPDATE tag SET count = tag.count + ?2 * t.count FROM author_tag t"              \
                  " WHERE t.author = ?1 AND t.tag = tag.no")                                       \
    X(TAGGED_ADD, "INSERT OR IGNORE INTO tagged VALUES (?1, ?2)")                                  \
    X(TAGGED_DROP, "DELETE FROM tagged WHERE tag = ?1 AND k = ?2")                                 \
    X(AUTHOR_TAG, "INSERT INTO author_tag VALUES (?1, ?2, ?3, ?4) ON CONFLICT (author, tag)"       \
                  " DO UPDATE SET count = count + excluded.count,"                                 \
                  " last = max(last, excluded.last)")                                              \
    X(REPLY_ADD, "INSERT OR IGNORE INTO reply VALUES (?1, ?2, ?3)")                                \
    X(REPLY_DROP, "DELETE FROM reply WHERE parent = ?1 AND n = ?2")                                \
    X(AMEND_ADD, "INSERT OR IGNORE INTO amend VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                \
    X(AMENDED, "SELECT 1 FROM amend LIMIT 1")                                                      \
    X(AMEND_DROP, "DELETE FROM amend WHERE target = ?1 AND author = ?2 AND what = ?3"              \
                  " AND fit = ?4 AND time = ?5 AND id8 = ?6 AND n = ?7")                           \
    X(AMEND_FITS, "SELECT n FROM amend WHERE target = ?1 AND author = ?2 AND what = ?3"            \
                  " AND fit = ?4 ORDER BY time DESC, id8 DESC, n DESC LIMIT 1")                    \
    X(AMEND_ANY, "SELECT n FROM amend WHERE target = ?1 AND author = ?2 AND what = ?3 LIMIT 1")    \
    X(LATE_ADD, "INSERT OR REPLACE INTO late (n, pos) VALUES (?1, ?2)")                            \
    X(LATE_DROP, "DELETE FROM late WHERE n = ?1")                                                  \
    X(DOC_FIND, "SELECT r FROM doc WHERE n = ?1")                                                  \
    X(DOC_ADD, "INSERT INTO doc VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                              \
    X(DOC_DROP, "DELETE FROM doc WHERE r = ?1")                                                    \
    X(DOC_CLEAR, "DELETE FROM doc WHERE r >= ?1 AND r < ?2")                                       \
    X(PART_GET, "SELECT used FROM part WHERE no = ?1")                                             \
    X(PART_ADD, "INSERT INTO part VALUES (?1, 0, ?2, 0, 0)")                                       \
    X(PART_USE, "UPDATE part SET used = ?2, first = min(first, ?3), last = max(last, ?4)"          \
                " WHERE no = ?1")                                                                  \
    X(PART_CLEAR, "UPDATE part SET used = 0, dirty = 0 WHERE no = ?1")                             \
    X(PART_DIRTY, "UPDATE part SET dirty = 1 WHERE no = ?1")                                       \
    X(PART_NEXT_DIRTY, "SELECT no FROM part WHERE dirty LIMIT 1")                                  \
    X(UNINDEXED, "SELECT k, n FROM entry e WHERE n >= ?1 AND n <= ?2 AND k IS NOT NULL"            \
                 " AND NOT EXISTS (SELECT 1 FROM doc WHERE doc.n = e.n)")

enum al_views_sql {
#define AL_X(name, sql) AL_SQL_##name,
    AL_VIEWS_SQL(AL_X)
#undef AL_X
        AL_SQL_COUNT
};

/* Make the tables in an empty database, inside the caller's transaction. */
AL_MUST_CHECK
int al_views_schema_make(sqlite3 *db);

/* The schema number of a database: 0 when it is empty. */
AL_MUST_CHECK
int al_views_schema_version(sqlite3 *db, int64_t *ret);

/* The statement called |which|. */
const char *al_views_schema_sql(enum al_views_sql which);

#endif
