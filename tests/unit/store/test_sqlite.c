/* What only a file can show: modes, versions, readers beside the writer, damage, backups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit.h"
#include "world.h"

/* --- files and raw SQL ---------------------------------------------------------------------- */

struct file {
    uint8_t *p;
    size_t n;
};

static struct file slurp(const char *path)
{
    struct file f = {0};
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return f;
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    f.n = (size_t)ftell(in);
    rewind(in);
    f.p = malloc(f.n + 1);
    assert_non_null(f.p);
    assert_int_equal(fread(f.p, 1, f.n, in), f.n);
    fclose(in);
    return f;
}

static void write_file(const char *path, const void *p, size_t n)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(p, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
}

/* The file at |path| is as |before|, which is freed. */
static void expect_same(struct file *before, const char *path)
{
    struct file after = slurp(path);
    assert_int_equal(after.n, before->n);
    assert_memory_equal(after.p, before->p, before->n);
    free(after.p);
    free(before->p);
}

static const char *beside(const struct world *w, const char *end)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s%s", w->path, end);
    return path;
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A closed store with 100 entries in log 1. */
static void world_with_entries(struct world *w)
{
    world_open(w, SQLITE);
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 100);
    commit(w);
}

static int refused(const struct world *w, enum al_store_mode mode)
{
    struct al_store *s = NULL;
    int err = al_store_open(&s, w->path, mode);
    assert_null(s);
    return err;
}

static void shut(struct world *w)
{
    al_store_close(w->s);
    w->s = NULL;
}

/* --- opening -------------------------------------------------------------------------------- */

static void the_files_are_for_their_owner_only(void **state)
{
    struct world w;
    mode_t old = umask(0);
    (void)state;
    world_with_entries(&w);
    umask(old);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct stat st;
        assert_int_equal(stat(beside(&w, ends[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    world_close(&w);
}

static void a_file_that_is_missing_or_empty_is_not_found(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, SQLITE);
    shut(&w);
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(refused(&w, AL_STORE_READ), AL_E_NOT_FOUND);
    assert_int_equal(refused(&w, AL_STORE_WRITE), AL_E_NOT_FOUND);
    assert_int_equal(access(w.path, F_OK), -1);
    /* Empty: the program stopped right after it made the file. */
    write_file(w.path, "", 0);
    assert_int_equal(refused(&w, AL_STORE_READ), AL_E_NOT_FOUND);
    assert_int_equal(refused(&w, AL_STORE_WRITE), AL_E_NOT_FOUND);
    world_reopen(&w);
    shut(&w);
    assert_int_equal(al_store_open(&w.s, w.path, AL_STORE_WRITE), 0);
    world_close(&w);
}

static void a_directory_that_is_missing_is_not_found(void **state)
{
    struct al_store *s;
    (void)state;
    assert_int_equal(
        al_store_open(&s, "/tmp/aloud-no-such-directory/log.db", AL_STORE_CREATE), AL_E_NOT_FOUND);
}

static void a_newer_schema_is_refused_untouched(void **state)
{
    struct world w;
    sqlite3 *db;
    (void)state;
    world_with_entries(&w);
    shut(&w);
    /* As a newer program leaves it when it is killed: the news stand in the write-ahead log. */
    assert_int_equal(sqlite3_open(w.path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version = 99; CREATE TABLE news (x)", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    struct file before = slurp(w.path), wal_before = slurp(beside(&w, "-wal"));
    assert_true(wal_before.n > 0);
    for (int mode = AL_STORE_CREATE; mode <= AL_STORE_READ; mode++)
        assert_int_equal(refused(&w, (enum al_store_mode)mode), AL_E_SCHEMA);
    expect_same(&before, w.path);
    expect_same(&wal_before, beside(&w, "-wal"));
    world_close(&w);
}

static void what_is_no_log_db_is_refused(void **state)
{
    struct world w;
    char noise[8192];
    (void)state;
    world_open(&w, SQLITE);
    shut(&w);
    assert_int_equal(unlink(w.path), 0);
    sql(w.path, "CREATE TABLE other (x)");
    assert_int_equal(refused(&w, AL_STORE_CREATE), AL_E_CORRUPT);
    assert_int_equal(refused(&w, AL_STORE_READ), AL_E_CORRUPT);
    memset(noise, 'x', sizeof(noise));
    write_file(w.path, noise, sizeof(noise));
    assert_int_equal(refused(&w, AL_STORE_CREATE), AL_E_CORRUPT);
    assert_int_equal(refused(&w, AL_STORE_READ), AL_E_CORRUPT);
    world_close(&w);
}

/* --- readers and writers -------------------------------------------------------------------- */

static void a_reader_sees_each_commit_and_nothing_before_it(void **state)
{
    struct world w;
    struct al_store *reader;
    uint64_t pos;
    (void)state;
    world_with_entries(&w);
    assert_int_equal(al_store_open(&reader, w.path, AL_STORE_READ), 0);
    begin(&w);
    put_all(&w, 1, 101, 110);
    assert_int_equal(al_store_position(reader, &pos), 0);
    assert_int_equal(pos, 100);
    commit(&w);
    assert_int_equal(al_store_position(reader, &pos), 0);
    assert_int_equal(pos, 110);
    assert_int_equal(al_store_begin(reader), AL_E_READ_ONLY);
    al_store_close(reader);
    world_close(&w);
}

static int stop_at_once(void *arg, const struct al_store_row *row)
{
    (void)arg;
    (void)row;
    return 1;
}

static void a_reader_holds_no_snapshot_between_calls(void **state)
{
    struct world w;
    struct al_store *reader;
    struct al_store_row row;
    (void)state;
    world_with_entries(&w);
    assert_int_equal(al_store_open(&reader, w.path, AL_STORE_READ), 0);
    assert_int_equal(al_store_get(reader, &row, 1, 7), 0);
    assert_int_equal(al_store_entries(reader, 1, 1, 9, stop_at_once, NULL), 1);
    /* Emptying the write-ahead log wants it free of readers. */
    assert_int_equal(al_store_tidy(w.s), 0);
    struct stat st;
    assert_int_equal(stat(beside(&w, "-wal"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(row.seq, 7);
    assert_int_equal(row.payload.n, row.plen);
    al_store_close(reader);
    world_close(&w);
}

static void a_reader_that_is_last_leaves_the_files_as_they_are(void **state)
{
    struct world w, copy;
    struct al_store *reader;
    struct al_store_log log;
    (void)state;
    /* The files of a node that was killed: what is committed stands in the write-ahead log. */
    world_with_entries(&w);
    struct file db = slurp(w.path), wal = slurp(beside(&w, "-wal"));
    assert_true(wal.n > 0);
    world_open(&copy, SQLITE);
    shut(&copy);
    write_file(copy.path, db.p, db.n);
    write_file(beside(&copy, "-wal"), wal.p, wal.n);

    assert_int_equal(al_store_open(&reader, copy.path, AL_STORE_READ), 0);
    assert_int_equal(al_store_log_get(reader, &log, 1), 0);
    assert_int_equal(log.held, 100);
    al_store_close(reader);

    expect_same(&db, copy.path);
    expect_same(&wal, beside(&copy, "-wal"));
    world_close(&copy);
    world_close(&w);
}

static void two_writers_do_not_write_at_once(void **state)
{
    struct world w;
    struct al_store *second;
    (void)state;
    world_with_entries(&w);
    assert_int_equal(al_store_open(&second, w.path, AL_STORE_WRITE), 0);
    begin(&w);
    assert_int_equal(al_store_begin(second), AL_E_BUSY);
    commit(&w);
    assert_int_equal(al_store_begin(second), 0);
    al_store_close(second);
    world_close(&w);
}

static void the_write_ahead_log_stays_bounded(void **state)
{
    struct world w;
    uint8_t *bytes = calloc(1, 512 * 1024);
    (void)state;
    assert_non_null(bytes);
    world_open(&w, SQLITE);
    off_t largest = 0;
    for (int i = 0; i < 100; i++) { /* 50 MiB */
        struct stat st;
        memset(bytes, i, 512 * 1024);
        begin(&w);
        assert_int_equal(
            al_store_kv_put(w.s, AL_SPACE_META, al_slice_str("k"), al_slice_of(bytes, 512 * 1024)),
            0);
        commit(&w);
        assert_int_equal(stat(beside(&w, "-wal"), &st), 0);
        largest = st.st_size > largest ? st.st_size : largest;
    }
    assert_true(largest > 1024 * 1024);
    assert_true(largest < 16 * 1024 * 1024);
    free(bytes);
    world_close(&w);
}

/* --- what must not stay, and what must not be believed -------------------------------------- */

static bool holds_bytes(const char *path, const void *needle, size_t n)
{
    struct file f = slurp(path);
    bool found = f.p != NULL && memmem(f.p, f.n, needle, n) != NULL;
    free(f.p);
    return found;
}

static void a_dropped_payload_leaves_every_file(void **state)
{
    static const char secret[] = "nobody shall read this again";
    static const char neighbour[] = "but this one stays where it is";
    struct world w;
    uint64_t pos;
    (void)state;
    world_open(&w, SQLITE);
    begin(&w);
    uint32_t no = add_log(&w, 1);
    struct al_store_item items[2] = {
        {.id = id_of(1), .plen = sizeof(secret), .payload = al_slice_of(secret, sizeof(secret))},
        {.id = id_of(2),
            .plen = sizeof(neighbour),
            .payload = al_slice_of(neighbour, sizeof(neighbour))},
    };
    struct al_hash prev = id_of(0);
    struct al_sig sig = sig_of(2);
    assert_int_equal(al_store_put(w.s, &pos, no, 1, &prev, items, 2, &sig, 5), 0);
    commit(&w);
    assert_true(holds_bytes(beside(&w, "-wal"), secret, sizeof(secret)));
    begin(&w);
    assert_int_equal(al_store_payload_drop(w.s, no, 1), 0);
    commit(&w);
    assert_int_equal(al_store_tidy(w.s), 0);
    assert_false(holds_bytes(w.path, secret, sizeof(secret)));
    assert_false(holds_bytes(beside(&w, "-wal"), secret, sizeof(secret)));
    assert_true(holds_bytes(w.path, neighbour, sizeof(neighbour)));
    world_close(&w);
}

static int on_row(void *arg, const struct al_store_row *row)
{
    (void)row;
    ++*(int *)arg;
    return 0;
}

static void damaged_rows_are_named_corrupt(void **state)
{
    static const char *const damage[] = {
        "UPDATE entry SET id = x'00' WHERE pos = 7",
        "UPDATE entry SET seq = 8 WHERE pos = 7",
        "UPDATE entry SET payload = NULL, phash = NULL WHERE pos = 7",
        "UPDATE entry SET payload = NULL, phash = zeroblob(32), plen = -1 WHERE pos = 7",
        "UPDATE entry SET payload = zeroblob(65537) WHERE pos = 7",
        "UPDATE entry SET time = -1 WHERE pos = 7",
        "DELETE FROM entry WHERE pos = 7",
        "UPDATE span SET last = 0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        struct world w;
        struct al_store_row row = {.seq = 99};
        world_with_entries(&w);
        shut(&w);
        sql(w.path, damage[i]);
        world_reopen(&w);
        assert_int_equal(al_store_get(w.s, &row, 1, 7), AL_E_CORRUPT);
        assert_int_equal(row.seq, 99);
        world_close(&w);
    }
}

static void damaged_pages_never_do_more_than_fail(void **state)
{
    struct world w;
    int failures = 0;
    (void)state;
    world_with_entries(&w);
    shut(&w);
    struct file good = slurp(w.path);
    for (size_t at = 100; at < good.n; at += 611) {
        struct al_store *s;
        int rows = 0;
        uint8_t byte = good.p[at];
        good.p[at] ^= 0xff;
        write_file(w.path, good.p, good.n);
        good.p[at] = byte;
        int err = al_store_open(&s, w.path, AL_STORE_READ);
        if (err == 0) {
            err = al_store_entries(s, 1, 1, 100, on_row, &rows);
            al_store_close(s);
        }
        assert_true(err == 0 || err == AL_E_CORRUPT || err == AL_E_SCHEMA);
        failures += err != 0;
    }
    assert_true(failures > 0);
    free(good.p);
    world_close(&w);
}

/* --- backup --------------------------------------------------------------------------------- */

static void a_backup_is_a_store_with_everything_committed(void **state)
{
    struct world w;
    struct al_store *s;
    struct al_store_log log;
    struct stat st;
    char copy[128];
    (void)state;
    world_with_entries(&w);
    snprintf(copy, sizeof(copy), "%s/backup.db", w.dir);
    begin(&w);
    put_all(&w, 1, 101, 120); /* not committed: not part of it */
    assert_int_equal(al_store_backup(w.path, copy), 0);
    assert_int_equal(al_store_backup(w.path, copy), AL_E_EXISTS);
    commit(&w);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(al_store_open(&s, copy, AL_STORE_READ), 0);
    assert_int_equal(al_store_log_get(s, &log, 1), 0);
    assert_int_equal(log.held, 100);
    al_store_close(s);
    assert_int_equal(unlink(copy), 0);

    char nowhere[128];
    snprintf(nowhere, sizeof(nowhere), "%s/no/backup.db", w.dir);
    assert_int_equal(al_store_backup(w.path, nowhere), AL_E_NOT_FOUND);
    assert_int_equal(al_store_backup(nowhere, copy), AL_E_NOT_FOUND);
    assert_int_equal(access(copy, F_OK), -1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_are_for_their_owner_only),
        cmocka_unit_test(a_file_that_is_missing_or_empty_is_not_found),
        cmocka_unit_test(a_directory_that_is_missing_is_not_found),
        cmocka_unit_test(a_newer_schema_is_refused_untouched),
        cmocka_unit_test(what_is_no_log_db_is_refused),
        cmocka_unit_test(a_reader_sees_each_commit_and_nothing_before_it),
        cmocka_unit_test(a_reader_holds_no_snapshot_between_calls),
        cmocka_unit_test(a_reader_that_is_last_leaves_the_files_as_they_are),
        cmocka_unit_test(two_writers_do_not_write_at_once),
        cmocka_unit_test(the_write_ahead_log_stays_bounded),
        cmocka_unit_test(a_dropped_payload_leaves_every_file),
        cmocka_unit_test(damaged_rows_are_named_corrupt),
        cmocka_unit_test(damaged_pages_never_do_more_than_fail),
        cmocka_unit_test(a_backup_is_a_store_with_everything_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
