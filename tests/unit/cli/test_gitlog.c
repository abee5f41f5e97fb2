/* What git prints, also when it is hostile, cut anywhere and fed in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gitlog.h"

#define HASH "8b9a9a7c29c499f513132b4a32e5df9662603cc3"
#define HASH2 "27d18f0a2b7f4f0c7b1a4fb8e1b1d9c8a7e6f5d4c3b2a1908f7e6d5c4b3a2918"

/* Two commits as recorded from git 2.39, the second of a SHA-256 repository. */
static const char recorded[] = HASH "\0"
                                    "1795385110\0"
                                    "ada@example.org\0"
                                    "cli: first\n\nBecause.\n\nSigned-off-by: Ada\n\0" HASH2 "\0"
                                    "1112911993\0"
                                    "kai@example.org\0"
                                    "second\0";

static struct al_gitlog g; /* large: not on the stack */

static void expect_first(const struct al_commit *commit)
{
    assert_true(al_slice_is(commit->hash, HASH));
    assert_true(al_slice_is(commit->email, "ada@example.org"));
    assert_true(al_slice_is(commit->message, "cli: first\n\nBecause.\n\nSigned-off-by: Ada"));
    assert_int_equal(commit->at_ms, UINT64_C(1795385110000));
}

/* Feed |bytes| in pieces of |piece| and count the commits; |ret| is the last one. */
static size_t feed_all(struct al_commit *ret, struct al_slice bytes, size_t piece, int *ret_err)
{
    size_t count = 0;
    *ret_err = 0;
    while (bytes.n > 0) {
        size_t n = bytes.n < piece ? bytes.n : piece;
        size_t used = 0;
        int err = al_gitlog_feed(&g, ret, &used, al_slice_of(bytes.p, n));
        bytes = al_slice_of(bytes.p + used, bytes.n - used);
        if (err == 0 && count++ == 0 && bytes.n > 0)
            expect_first(ret);
        if (err != 0 && err != AL_E_MORE) {
            *ret_err = err;
            break;
        }
    }
    return count;
}

static int fresh(void **state)
{
    (void)state;
    memset(&g, 0, sizeof(g));
    return 0;
}

static void recorded_commits_come_out_whole_in_any_pieces(void **state)
{
    struct al_slice bytes = al_slice_of(recorded, sizeof(recorded) - 1);
    for (size_t piece = 1; piece <= bytes.n; piece++) {
        struct al_commit commit;
        int err;
        fresh(state);
        assert_int_equal(feed_all(&commit, bytes, piece, &err), 2);
        assert_int_equal(err, 0);
        assert_true(al_slice_is(commit.hash, HASH2));
        assert_true(al_slice_is(commit.message, "second"));
        assert_true(al_gitlog_at_end(&g));
    }
}

static void output_that_ends_early_is_not_at_its_end(void **state)
{
    size_t first = 0; /* where the first commit ends */
    for (int nuls = 0; nuls < AL_GITLOG_FIELDS; first++)
        nuls += recorded[first] == '\0';
    for (size_t n = 1; n < sizeof(recorded) - 1; n++) {
        struct al_commit commit;
        int err;
        fresh(state);
        size_t count = feed_all(&commit, al_slice_of(recorded, n), 7, &err);
        assert_int_equal(err, 0);
        assert_int_equal(al_gitlog_at_end(&g), n == first);
        assert_int_equal(count, n >= first);
    }
    fresh(state);
    assert_true(al_gitlog_at_end(&g)); /* a history of no commits */
}

static void expect_time(const char *digits, uint64_t want_ms)
{
    char bytes[256];
    size_t n = 0;
    struct al_commit commit;
    size_t used;
    const char *fields[] = {HASH, digits, "a@b", "x"};
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes + n, fields[i], strlen(fields[i]) + 1);
        n += strlen(fields[i]) + 1;
    }
    fresh(NULL);
    assert_int_equal(al_gitlog_feed(&g, &commit, &used, al_slice_of(bytes, n)), 0);
    assert_int_equal(used, n);
    assert_int_equal(commit.at_ms, want_ms);
}

static void impossible_times_become_possible_ones(void **state)
{
    (void)state;
    expect_time("0", 1);
    expect_time("", 1);
    expect_time("-5", 1);
    expect_time("12x", 1);
    expect_time("1", 1000);
    expect_time("281474976710", UINT64_C(281474976710000));
    expect_time("281474976711", AL_TIME_MAX);
    expect_time("18446744073709551617", AL_TIME_MAX);
    expect_time("99999999999999999999999999999999999999", AL_TIME_MAX);
}

static void expect_hash(const char *hash, int want)
{
    struct al_commit commit;
    size_t used;
    char bytes[256];
    size_t n = strlen(hash) + 1;
    memcpy(bytes, hash, n);
    memcpy(bytes + n, "1\0a\0x", 6);
    fresh(NULL);
    assert_int_equal(al_gitlog_feed(&g, &commit, &used, al_slice_of(bytes, n + 6)), want);
}

static void what_is_no_commit_is_refused(void **state)
{
    (void)state;
    expect_hash(HASH, 0);
    expect_hash(HASH2, 0);
    expect_hash("", AL_E_CORRUPT);
    expect_hash("gpg: Signature made", AL_E_CORRUPT);
    expect_hash(HASH "0", AL_E_CORRUPT);
    expect_hash(HASH2 "0", AL_E_CORRUPT);
    expect_hash("8B9A9A7C29c499f513132b4a32e5df9662603cc3", AL_E_CORRUPT);
}

static void long_fields_are_cut_and_cost_no_memory(void **state)
{
    struct al_commit commit;
    size_t used;
    char many[4096];
    fresh(state);
    memset(many, 'm', sizeof(many));
    assert_int_equal(al_gitlog_feed(&g, &commit, &used,
                         al_slice_of(HASH "\0"
                                          "7\0",
                             43)),
        AL_E_MORE);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            al_gitlog_feed(&g, &commit, &used, al_slice_of(many, sizeof(many))), AL_E_MORE);
    assert_int_equal(al_gitlog_feed(&g, &commit, &used, al_slice_of("\0", 1)), AL_E_MORE);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            al_gitlog_feed(&g, &commit, &used, al_slice_of(many, sizeof(many))), AL_E_MORE);
    assert_int_equal(al_gitlog_feed(&g, &commit, &used, al_slice_of("\0", 1)), 0);
    assert_int_equal(commit.message.n, AL_TEXT_MAX);
    assert_true(commit.email.n <= sizeof(g.email));
}

static void blank_messages_are_empty(void **state)
{
    struct al_commit commit;
    size_t used;
    static const char bytes[] = HASH "\0"
                                     "7\0"
                                     "\0"
                                     "\n\r\n \t\n";
    fresh(state);
    assert_int_equal(al_gitlog_feed(&g, &commit, &used, al_slice_of(bytes, sizeof(bytes))), 0);
    assert_int_equal(commit.message.n, 0);
    assert_int_equal(commit.email.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_commits_come_out_whole_in_any_pieces),
        cmocka_unit_test(output_that_ends_early_is_not_at_its_end),
        cmocka_unit_test(impossible_times_become_possible_ones),
        cmocka_unit_test(what_is_no_commit_is_refused),
        cmocka_unit_test(long_fields_are_cut_and_cost_no_memory),
        cmocka_unit_test(blank_messages_are_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
