/* Pieces of attachments: own ones in log.db, those of others in a cache that may be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attachment.h"
#include "world.h"

#define SIZE 5000

/* Piece |n|: SIZE bytes that no other piece has. */
static struct al_slice piece_of(uint8_t n)
{
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(n + i / 256 * 31 + i % 256);
    return al_slice_of(bytes, sizeof(bytes));
}

static void put(struct world *w, uint8_t n, bool own, uint64_t now_ms)
{
    struct al_hash hash = id_of(n);
    assert_int_equal(al_store_piece_put(w->s, &hash, piece_of(n), own, now_ms), 0);
}

static bool has(struct al_store *s, uint8_t n)
{
    struct al_hash hash = id_of(n);
    struct al_slice piece;
    bool there = false;
    assert_int_equal(al_store_piece_has(s, &there, &hash), 0);
    int err = al_store_piece_get(s, &piece, &hash);
    assert_int_equal(err, there ? 0 : AL_E_NOT_FOUND);
    if (there)
        assert_true(al_slice_eq(piece, piece_of(n)));
    return there;
}

static void drop(struct world *w, uint8_t n)
{
    struct al_hash hash = id_of(n);
    assert_int_equal(al_store_piece_drop(w->s, &hash), 0);
}

static void expect_usage(struct al_store *s, uint64_t own, uint64_t cache)
{
    uint64_t seen_own, seen_cache;
    assert_int_equal(al_store_piece_usage(s, &seen_own, &seen_cache), 0);
    assert_int_equal(seen_own, own * SIZE);
    assert_int_equal(seen_cache, cache * SIZE);
}

/* --- what holds for every store -------------------------------------------------------------- */

static void pieces_come_back_and_stay(struct world *w)
{
    assert_false(has(w->s, 1));
    expect_usage(w->s, 0, 0);
    begin(w);
    put(w, 1, true, 10);
    put(w, 2, false, 10);
    assert_true(has(w->s, 1));
    assert_true(has(w->s, 2));
    put(w, 1, false, 20); /* own already: stays own */
    put(w, 2, false, 20); /* there already */
    expect_usage(w->s, 1, 1);
    commit(w);
    world_reopen(w);
    assert_true(has(w->s, 1));
    assert_true(has(w->s, 2));
    expect_usage(w->s, 1, 1);
}

static void the_largest_piece_fits(struct world *w)
{
    static uint8_t bytes[AL_PIECE_SEALED_BYTES];
    struct al_slice piece = al_slice_of(bytes, sizeof(bytes)), back;
    struct al_hash hashes[2] = {id_of(1), id_of(2)};
    memset(bytes, 0x5a, sizeof(bytes));
    begin(w);
    for (int own = 0; own < 2; own++)
        assert_int_equal(al_store_piece_put(w->s, &hashes[own], piece, own == 1, 1), 0);
    commit(w);
    for (int own = 0; own < 2; own++) {
        assert_int_equal(al_store_piece_get(w->s, &back, &hashes[own]), 0);
        assert_true(al_slice_eq(back, piece));
    }
}

static void a_piece_of_the_cache_becomes_own(struct world *w)
{
    begin(w);
    put(w, 1, false, 10);
    put(w, 1, true, 20);
    expect_usage(w->s, 1, 0);
    assert_int_equal(al_store_piece_trim(w->s, 0), 0);
    assert_true(has(w->s, 1));
    commit(w);
}

static void what_was_unused_the_longest_goes_first(struct world *w)
{
    begin(w);
    put(w, 9, true, 1);
    for (uint8_t n = 1; n <= 5; n++)
        put(w, n, false, n);
    struct al_hash first = id_of(1), second = id_of(2), own = id_of(9), none = id_of(77);
    assert_int_equal(al_store_piece_touch(w->s, &first, 100), 0);
    assert_int_equal(al_store_piece_touch(w->s, &second, 1), 0); /* the past changes nothing */
    assert_int_equal(al_store_piece_touch(w->s, &own, 100), 0);
    assert_int_equal(al_store_piece_touch(w->s, &none, 100), 0);
    commit(w);
    begin(w);
    assert_int_equal(al_store_piece_trim(w->s, 3 * SIZE + 1), 0);
    expect_usage(w->s, 1, 3);
    assert_true(has(w->s, 1) && has(w->s, 4) && has(w->s, 5));
    assert_false(has(w->s, 2) || has(w->s, 3));
    assert_int_equal(al_store_piece_trim(w->s, SIZE), 0);
    assert_true(has(w->s, 1));
    assert_false(has(w->s, 4) || has(w->s, 5));
    assert_int_equal(al_store_piece_trim(w->s, 0), 0);
    assert_true(has(w->s, 9));
    expect_usage(w->s, 1, 0);
    assert_int_equal(al_store_piece_trim(w->s, 0), 0);
    commit(w);
}

static void dropped_pieces_are_gone_wherever_they_were(struct world *w)
{
    begin(w);
    put(w, 1, true, 1);
    put(w, 2, false, 1);
    put(w, 3, false, 1);
    commit(w);
    begin(w);
    drop(w, 1);
    drop(w, 2);
    drop(w, 77);
    commit(w);
    world_reopen(w);
    assert_false(has(w->s, 1) || has(w->s, 2));
    assert_true(has(w->s, 3));
    expect_usage(w->s, 0, 1);
}

static void a_rollback_undoes_them_too(struct world *w)
{
    begin(w);
    put(w, 1, true, 1);
    put(w, 2, false, 1);
    commit(w);
    begin(w);
    put(w, 3, true, 1);
    put(w, 4, false, 1);
    drop(w, 1);
    drop(w, 2);
    expect_usage(w->s, 1, 1);
    al_store_rollback(w->s);
    assert_true(has(w->s, 1) && has(w->s, 2));
    assert_false(has(w->s, 3) || has(w->s, 4));
    expect_usage(w->s, 1, 1);
}

/* --- what only files can show ---------------------------------------------------------------- */

static const char *in_dir(const struct world *w, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    return path;
}

static void the_cache_is_its_owners_and_made_when_needed(void **state)
{
    struct world w;
    struct stat st;
    (void)state;
    mode_t old = umask(0);
    world_open(&w, SQLITE);
    begin(&w);
    put(&w, 1, true, 1);
    drop(&w, 7);
    assert_false(has(w.s, 2));
    commit(&w);
    assert_int_equal(stat(in_dir(&w, "pieces.db"), &st), -1);
    begin(&w);
    put(&w, 2, false, 1);
    commit(&w);
    umask(old);
    static const char *const names[] = {"pieces.db", "pieces.db-wal", "pieces.db-shm"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(stat(in_dir(&w, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    world_close(&w);
}

static void a_reader_sees_pieces_of_files_that_come_and_go(void **state)
{
    struct world w;
    struct al_store *reader;
    (void)state;
    world_open(&w, SQLITE);
    assert_int_equal(al_store_open(&reader, w.path, AL_STORE_READ), 0);
    assert_false(has(reader, 1));
    expect_usage(reader, 0, 0);
    begin(&w);
    put(&w, 1, true, 1);
    put(&w, 2, false, 1);
    assert_false(has(reader, 1) || has(reader, 2));
    commit(&w);
    assert_true(has(reader, 1) && has(reader, 2));
    expect_usage(reader, 1, 1);
    /* The file is thrown away beside the reader, and another one made. */
    al_store_close(w.s);
    w.s = NULL;
    unlink(in_dir(&w, "pieces.db"));
    unlink(in_dir(&w, "pieces.db-wal"));
    unlink(in_dir(&w, "pieces.db-shm"));
    world_reopen(&w);
    begin(&w);
    put(&w, 3, false, 1);
    commit(&w);
    assert_true(has(reader, 3));
    assert_false(has(reader, 2));
    unlink(in_dir(&w, "pieces.db"));
    assert_false(has(reader, 3));
    al_store_close(reader);
    world_close(&w);
}

static void damage(const struct world *w, long from)
{
    FILE *f = fopen(in_dir(w, "pieces.db"), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    for (long at = from; at < size; at++) {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_not_equal(fputc(0xa5, f), EOF);
    }
    assert_int_equal(fclose(f), 0);
}

static void a_damaged_cache_is_made_anew(void **state)
{
    static const long from[] = {0, 100, 4096, 2 * 4096};
    (void)state;
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        struct world w;
        world_open(&w, SQLITE);
        begin(&w);
        put(&w, 1, true, 1);
        for (uint8_t n = 2; n < 20; n++)
            put(&w, n, false, n);
        commit(&w);
        assert_int_equal(al_store_tidy(w.s), 0);
        al_store_close(w.s);
        w.s = NULL;
        damage(&w, from[i]);
        world_reopen(&w);
        for (int round = 0; round < 2; round++) { /* noticed at the latest in the first one */
            begin(&w);
            assert_int_equal(al_store_piece_trim(w.s, 3 * SIZE), 0);
            struct al_hash hash = id_of(30);
            int err = al_store_piece_put(w.s, &hash, piece_of(30), false, 1000);
            assert_true(err == 0 || (round == 0 && err == AL_E_IO));
            commit(&w);
        }
        assert_true(has(w.s, 1) && has(w.s, 30));
        world_close(&w);
    }
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_cache_of_another_version_is_made_anew(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, SQLITE);
    begin(&w);
    put(&w, 2, false, 1);
    commit(&w);
    al_store_close(w.s);
    w.s = NULL;
    sql(in_dir(&w, "pieces.db"), "PRAGMA user_version = 77; DROP TABLE piece");
    struct al_store *reader;
    assert_int_equal(al_store_open(&reader, w.path, AL_STORE_READ), 0);
    assert_false(has(reader, 2));
    world_reopen(&w);
    begin(&w);
    put(&w, 3, false, 1);
    commit(&w);
    assert_true(has(w.s, 3) && has(reader, 3));
    al_store_close(reader);
    world_close(&w);
}

static void a_dropped_piece_leaves_every_file(void **state)
{
    static const char own[] = "an own picture that nobody shall see any more";
    static const char other[] = "a picture of somebody who has retracted it now";
    struct world w;
    struct al_hash hashes[2] = {id_of(1), id_of(2)};
    (void)state;
    world_open(&w, SQLITE);
    begin(&w);
    assert_int_equal(
        al_store_piece_put(w.s, &hashes[0], al_slice_of(own, sizeof(own)), true, 1), 0);
    assert_int_equal(
        al_store_piece_put(w.s, &hashes[1], al_slice_of(other, sizeof(other)), false, 1), 0);
    commit(&w);
    assert_true(world_holds_bytes(&w, own, sizeof(own)));
    assert_true(world_holds_bytes(&w, other, sizeof(other)));
    begin(&w);
    drop(&w, 1);
    drop(&w, 2);
    commit(&w);
    assert_int_equal(al_store_tidy(w.s), 0);
    assert_false(world_holds_bytes(&w, own, sizeof(own)));
    assert_false(world_holds_bytes(&w, other, sizeof(other)));
    world_close(&w);
}

static void a_backup_holds_own_pieces_and_no_others(void **state)
{
    struct world w;
    struct al_store *s;
    char away[] = "/tmp/aloud-pieces.XXXXXX", copy[64];
    (void)state;
    assert_non_null(mkdtemp(away));
    snprintf(copy, sizeof(copy), "%s/log.db", away);
    world_open(&w, SQLITE);
    begin(&w);
    put(&w, 1, true, 1);
    put(&w, 2, false, 1);
    commit(&w);
    assert_int_equal(al_store_backup(w.path, copy), 0);
    assert_int_equal(al_store_open(&s, copy, AL_STORE_READ), 0);
    assert_true(has(s, 1));
    assert_false(has(s, 2));
    expect_usage(s, 1, 0);
    al_store_close(s);
    assert_int_equal(unlink(copy), 0);
    unlink(strcat(copy, "-wal"));
    copy[strlen(copy) - 4] = '\0';
    unlink(strcat(copy, "-shm"));
    assert_int_equal(rmdir(away), 0);
    world_close(&w);
}

/* --- the version before ---------------------------------------------------------------------- */

/* log.db as the first version made it, word for word, with an entry in it. */
static const char version_1[] =
    "CREATE TABLE log (no INTEGER PRIMARY KEY, identity BLOB NOT NULL, device BLOB NOT NULL,"
    " name BLOB NOT NULL, head_seq INTEGER NOT NULL, head_id BLOB NOT NULL,"
    " held INTEGER NOT NULL, UNIQUE (device, name)) STRICT;"
    "CREATE TABLE entry (pos INTEGER PRIMARY KEY, log INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " time INTEGER NOT NULL, arrived INTEGER NOT NULL, id BLOB NOT NULL, plen INTEGER,"
    " phash BLOB, payload BLOB) STRICT;"
    "CREATE TABLE span (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " pos INTEGER NOT NULL, PRIMARY KEY (log, first)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE run (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " prev BLOB NOT NULL, PRIMARY KEY (log, first)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sig (log INTEGER NOT NULL, seq INTEGER NOT NULL, sig BLOB NOT NULL,"
    " PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE change (pos INTEGER PRIMARY KEY, what INTEGER NOT NULL, log INTEGER NOT NULL,"
    " seq INTEGER NOT NULL) STRICT;"
    "CREATE TABLE kv (space INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;"
    "INSERT INTO log VALUES (1, zeroblob(32), zeroblob(32), zeroblob(8), 1, zeroblob(32), 1);"
    "INSERT INTO entry VALUES (1, 1, 1, 1700000000000, 1700000000001, zeroblob(32), NULL, NULL,"
    " x'81a16ba46e6f7465');"
    "INSERT INTO span VALUES (1, 1, 1, 1);"
    "INSERT INTO run VALUES (1, 1, 1, zeroblob(32));"
    "INSERT INTO sig VALUES (1, 1, zeroblob(64));"
    "INSERT INTO kv VALUES (1, CAST('k' AS BLOB), CAST('v' AS BLOB));"
    "PRAGMA application_id = 1634496356; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;";

static void world_of_version_1(struct world *w)
{
    world_open(w, SQLITE);
    al_store_close(w->s);
    w->s = NULL;
    assert_int_equal(unlink(w->path), 0);
    sql(w->path, version_1);
}

static void expect_old_data(struct al_store *s)
{
    struct al_store_row row;
    struct al_slice value;
    uint64_t pos;
    assert_int_equal(al_store_get(s, &row, 1, 1), 0);
    assert_int_equal(row.payload.n, 8);
    assert_int_equal(al_store_position(s, &pos), 0);
    assert_int_equal(pos, 1);
    assert_int_equal(al_store_kv_get(s, &value, AL_SPACE_META, al_slice_str("k")), 0);
    assert_true(al_slice_is(value, "v"));
}

static void a_file_of_the_first_version_is_brought_forward(void **state)
{
    struct world w;
    struct al_store *reader;
    (void)state;
    world_of_version_1(&w);
    /* A reader changes nothing, and finds no pieces. */
    assert_int_equal(al_store_open(&reader, w.path, AL_STORE_READ), 0);
    expect_old_data(reader);
    assert_false(has(reader, 1));
    expect_usage(reader, 0, 0);
    al_store_close(reader);

    world_reopen(&w);
    expect_old_data(w.s);
    begin(&w);
    put(&w, 1, true, 1);
    commit(&w);
    world_reopen(&w);
    expect_old_data(w.s);
    assert_true(has(w.s, 1));
    world_close(&w);
}

/* A step that fails leaves the file as it was, and is done at the next opening. */
static void a_step_that_failed_is_done_again(void **state)
{
    struct world w;
    struct al_store *s;
    (void)state;
    world_of_version_1(&w);
    sql(w.path, "CREATE TABLE piece (x)");
    assert_int_equal(al_store_open(&s, w.path, AL_STORE_WRITE), AL_E_CORRUPT);
    assert_int_equal(al_store_open(&s, w.path, AL_STORE_READ), 0);
    expect_old_data(s);
    al_store_close(s);
    sql(w.path, "DROP TABLE piece");
    world_reopen(&w);
    expect_old_data(w.s);
    begin(&w);
    put(&w, 1, true, 1);
    commit(&w);
    world_close(&w);
}

/* --- the same cases for both ----------------------------------------------------------------- */

#define CASES(X)                                                                                   \
    X(pieces_come_back_and_stay)                                                                   \
    X(the_largest_piece_fits)                                                                      \
    X(a_piece_of_the_cache_becomes_own)                                                            \
    X(what_was_unused_the_longest_goes_first)                                                      \
    X(dropped_pieces_are_gone_wherever_they_were)                                                  \
    X(a_rollback_undoes_them_too)

static void run_in(enum kind kind, void (*body)(struct world *w))
{
    struct world w;
    world_open(&w, kind);
    body(&w);
    world_close(&w);
}

#define X(name)                                                                                    \
    static void mem_##name(void **state)                                                           \
    {                                                                                              \
        (void)state;                                                                               \
        run_in(MEM, name);                                                                         \
    }                                                                                              \
    static void sqlite_##name(void **state)                                                        \
    {                                                                                              \
        (void)state;                                                                               \
        run_in(SQLITE, name);                                                                      \
    }
CASES(X)
#undef X

int main(void)
{
#define X(name) cmocka_unit_test(mem_##name), cmocka_unit_test(sqlite_##name),
    const struct CMUnitTest tests[] = {
        CASES(X) cmocka_unit_test(the_cache_is_its_owners_and_made_when_needed),
        cmocka_unit_test(a_reader_sees_pieces_of_files_that_come_and_go),
        cmocka_unit_test(a_damaged_cache_is_made_anew),
        cmocka_unit_test(a_cache_of_another_version_is_made_anew),
        cmocka_unit_test(a_dropped_piece_leaves_every_file),
        cmocka_unit_test(a_backup_holds_own_pieces_and_no_others),
        cmocka_unit_test(a_file_of_the_first_version_is_brought_forward),
        cmocka_unit_test(a_step_that_failed_is_done_again),
    };
#undef X
    return cmocka_run_group_tests(tests, NULL, NULL);
}
