#include "views_schema.h"

#include "lines.h"
#include "viewdb.h"

#define STR1(x) #x
#define STR(x) STR1(x)

/*
 * n is the store's position of an entry. k is its place in time: milliseconds, then bits of the
 * id (lines.h); NULL when it has no place there. Wide rows are only ever appended, in the order
 * of arrival; all that is ordered by something else is narrow, so that a bulk of entries in any
 * order touches few pages. id8 is the first 8 bytes of an id, as a number that sorts like them.
 */
/* clang-format off */
static const char tables[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE author (no INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, name TEXT,"
    " profile INTEGER, petname TEXT, mine INTEGER NOT NULL, shown INTEGER NOT NULL,"
    " following INTEGER NOT NULL DEFAULT 0, admitted INTEGER NOT NULL DEFAULT 0,"
    " blocked INTEGER NOT NULL DEFAULT 0, muted INTEGER NOT NULL DEFAULT 0,"
    " entries INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE log (no INTEGER PRIMARY KEY, author INTEGER NOT NULL, device BLOB NOT NULL,"
    " name BLOB NOT NULL, hidden INTEGER, frozen INTEGER);"
    "CREATE INDEX log_author ON log (author);"
    "CREATE TABLE circle (no INTEGER PRIMARY KEY, owner INTEGER NOT NULL, cid BLOB NOT NULL,"
    " name TEXT, UNIQUE (owner, cid));"
    "CREATE TABLE entry (n INTEGER PRIMARY KEY, k INTEGER, id BLOB NOT NULL, log INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, author INTEGER NOT NULL, kind, audience INTEGER, circle INTEGER,"
    " time INTEGER NOT NULL, at INTEGER, claimed INTEGER NOT NULL, arrived INTEGER NOT NULL,"
    " state INTEGER NOT NULL, edit INTEGER, re BLOB, rt BLOB, tags BLOB, fields BLOB,"
    " text TEXT);"
    "CREATE INDEX entry_place ON entry (log, seq);"
    "CREATE INDEX entry_unreadable ON entry (log) WHERE state = 3;"
    "CREATE TABLE name (id8 INTEGER, n INTEGER, PRIMARY KEY (id8, n)) WITHOUT ROWID;"
    "CREATE TABLE line (k INTEGER PRIMARY KEY, n INTEGER NOT NULL, author INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, audience INTEGER NOT NULL);"
    "CREATE INDEX line_author ON line (author);"
    "CREATE INDEX line_kind ON line (kind) WHERE kind <> " STR(AL_LINE_KIND_COMMON) ";"
    "CREATE TABLE tag (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " count INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX tag_count ON tag (count);"
    "CREATE TABLE tagged (tag INTEGER, k INTEGER, PRIMARY KEY (tag, k)) WITHOUT ROWID;"
    "CREATE TABLE author_tag (author INTEGER, tag INTEGER, count INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (author, tag)) WITHOUT ROWID;"
    "CREATE TABLE reply (parent INTEGER, n INTEGER, direct INTEGER NOT NULL,"
    " PRIMARY KEY (parent, n)) WITHOUT ROWID;"
    "CREATE TABLE amend (target INTEGER, author INTEGER, what INTEGER, fit INTEGER, time INTEGER,"
    " id8 INTEGER, n INTEGER, PRIMARY KEY (target, author, what, fit, time, id8, n))"
    " WITHOUT ROWID;"
    "CREATE TABLE late (n INTEGER PRIMARY KEY, pos INTEGER NOT NULL);"
    "CREATE INDEX late_pos ON late (pos);"
    "CREATE TABLE part (no INTEGER PRIMARY KEY, used INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, dirty INTEGER NOT NULL);"
    "CREATE TABLE doc (r INTEGER PRIMARY KEY, n INTEGER NOT NULL, k INTEGER NOT NULL,"
    " author INTEGER NOT NULL, kind INTEGER NOT NULL, audience INTEGER NOT NULL,"
    " size INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX doc_n ON doc (n);"
    "PRAGMA user_version = " STR(AL_VIEWS_SCHEMA);
/* clang-format on */

/* An old file with new statements fails where it is asked, which may be long after. */
_Static_assert(sizeof(tables) == 2657, "the tables have changed: raise AL_VIEWS_SCHEMA, then this");

static const char *const statements[] = {
#define AL_X(name, sql) [AL_SQL_##name] = sql,
    AL_VIEWS_SQL(AL_X)
#undef AL_X
};

int al_views_schema_make(sqlite3 *db)
{
    return al_viewdb_exec(db, tables);
}

int al_views_schema_version(sqlite3 *db, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int got = al_viewdb_prepare(db, &st, "PRAGMA user_version");
    if (got == 0)
        got = al_viewdb_int(st, ret, NULL, 0);
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

const char *al_views_schema_sql(enum al_views_sql which)
{
    return statements[which];
}
