/* A database file that comes from elsewhere, looked at before it is used. */
#include <string.h>

#include "schema.h"
#include "sqlconn.h"
#include "sqlerr.h"
#include "store.h"

#define LIST "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
#define LIST_COLUMNS 4

/* An empty database with the tables that one of ours has. */
static int make_model(sqlite3 **ret)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(
        ":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    int err = rc == SQLITE_OK ? al_schema_migrate(db, 0) : al_sqlerr(db, rc);
    if (err != 0)
        sqlite3_close(db);
    else
        *ret = db;
    return err;
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < LIST_COLUMNS; i++) {
        const unsigned char *x = sqlite3_column_text(a, i);
        const unsigned char *y = sqlite3_column_text(b, i);
        if (x == NULL || y == NULL || strcmp((const char *)x, (const char *)y) != 0)
            return false;
    }
    return true;
}

/* Tables are told by the words that made them: what else stands there was put in by hand. */
static int compare_tables(sqlite3 *db, sqlite3 *model)
{
    sqlite3_stmt *a = NULL, *b = NULL;
    int rc = sqlite3_prepare_v2(db, LIST, -1, &a, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(model, LIST, -1, &b, NULL);
    bool same = rc == SQLITE_OK;
    int left = SQLITE_ROW;
    while (same && left == SQLITE_ROW) {
        left = sqlite3_step(a);
        same = sqlite3_step(b) == left && (left != SQLITE_ROW || same_row(a, b));
    }
    sqlite3_finalize(a);
    sqlite3_finalize(b);
    return same && left == SQLITE_DONE ? 0 : AL_E_CORRUPT;
}

static int check_pages(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);
    bool ok = false;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        const unsigned char *said = sqlite3_column_text(st, 0);
        ok = said != NULL && strcmp((const char *)said, "ok") == 0;
    }
    int err = ok ? 0 : rc == SQLITE_ROW ? AL_E_CORRUPT : al_sqlerr(db, rc);
    sqlite3_finalize(st);
    return err;
}

int al_store_check(const char *path)
{
    sqlite3 *db = NULL, *model = NULL;
    int version = 0;
    int err = al_sqlconn_open(&db, path, SQLITE_OPEN_READWRITE);
    if (err == 0)
        err = al_schema_version(db, &version);
    if (err == 0 && version == 0)
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = check_pages(db);
    if (err == 0)
        err = al_schema_migrate(db, version);
    if (err == 0)
        err = make_model(&model);
    if (err == 0)
        err = compare_tables(db, model);
    sqlite3_close(model);
    sqlite3_close(db);
    return err;
}
