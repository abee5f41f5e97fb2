/* Threads: parents before children, whatever is missing between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "read.h"
#include "shelfrig.h"

#define T SAMPLE_TIME

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_fini(*state);
    return 0;
}

/* The rows as "depth text|...". */
static const char *tree(struct rig *r, struct al_ref ref)
{
    static char out[2048];
    size_t n = 0;
    out[0] = '\0';
    assert_int_equal(rig_ask(r, "thread", "id:i", ref.id.b), 0);
    for (size_t i = 0; i < rig_count(r, "rows"); i++) {
        struct al_slice row = rig_at(r, "rows", i);
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%u %s", i == 0 ? "" : "|",
            (unsigned)map_uint(row, "depth"), map_str(row, "text"));
    }
    return out;
}

static void a_thread_is_the_same_from_each_of_its_entries(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 0, "root", T);
    struct al_ref b = rig_reply(r, 1, "b", root, root, T + 20);
    struct al_ref a = rig_reply(r, 2, "a", root, root, T + 10);
    struct al_ref a1 = rig_reply(r, 0, "a1", a, root, T + 30);
    (void)rig_reply(r, 1, "b1", b, root, T + 15); /* clocks differ: a child is below all the same */
    (void)rig_note(r, 1, "something else", T + 40);
    rig_sync(r, 3);
    static const char whole[] = "0 root|1 a|2 a1|1 b|2 b1";
    assert_string_equal(tree(r, root), whole);
    assert_string_equal(tree(r, a1), whole);
    assert_memory_equal(map_bin(al_buf_slice(&r->out), "root").p, root.id.b, 32);
    assert_int_equal(rig_count(r, "missing"), 0);
    assert_false(map_bool(al_buf_slice(&r->out), "more"));
    assert_int_equal(rig_ask(r, "show", "id:i", root.id.b), 0);
    assert_int_equal(rig_uint(r, "replies"), 2);
}

static void what_is_not_here_is_named(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 0, "root", T);
    struct al_ref gone = root;
    gone.id.b[0] ^= 1;
    struct al_ref reply = rig_reply(r, 1, "orphan", gone, root, T + 1);
    struct al_ref child = rig_reply(r, 2, "child", reply, root, T + 2);
    struct al_ref far = gone;
    far.id.b[1] ^= 1;
    struct al_ref lost = rig_reply(r, 2, "lost", gone, far, T + 3);
    rig_sync(r, 100);
    assert_string_equal(tree(r, child), "0 root|1 orphan|2 child");
    assert_int_equal(rig_count(r, "missing"), 1);
    struct al_read read = al_read_init(rig_at(r, "missing", 0));
    struct al_ref ref;
    al_read_ref(&read, &ref);
    assert_memory_equal(ref.id.b, gone.id.b, 32);
    assert_string_equal(tree(r, lost), "0 lost"); /* as far up as is held */
    assert_int_equal(rig_count(r, "missing"), 1);
}

static void a_retracted_entry_keeps_its_place_in_a_thread(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 0, "root", T);
    struct al_ref a = rig_reply(r, 1, "regret", root, root, T + 1);
    (void)rig_reply(r, 2, "answer", a, root, T + 2);
    (void)rig_retract(r, 1, a, T + 3);
    rig_sync(r, 100);
    assert_string_equal(tree(r, root), "0 root|1 |2 answer");
    rig_rebuild(r);
    assert_string_equal(tree(r, root), "0 root|1 |2 answer");
    assert_int_equal(rig_ask(r, "show", "id:i", root.id.b), 0);
    assert_int_equal(rig_uint(r, "replies"), 0);
}

static void a_long_thread_is_cut_and_says_so(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 0, "root", T);
    struct al_ref last = root;
    for (uint64_t i = 0; i < 20; i++)
        last = rig_reply(r, (int)(i % 3), "deeper", last, root, T + i);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "thread", "id:i limit:u", last.id.b, UINT64_C(5)), 0);
    assert_int_equal(rig_count(r, "rows"), 5);
    assert_true(map_bool(al_buf_slice(&r->out), "more"));
    assert_int_equal(rig_ask(r, "thread", "id:i", last.id.b), 0);
    assert_int_equal(rig_count(r, "rows"), 21);
    assert_int_equal(map_uint(rig_at(r, "rows", 20), "depth"), 20);
    uint8_t unknown[32] = {9};
    assert_int_equal(rig_ask(r, "thread", "id:i", unknown), AL_E_NOT_FOUND);
}

static void what_the_blocked_wrote_is_not_in_threads(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 0, "root", T);
    struct al_ref a = rig_reply(r, 1, "noise", root, root, T + 1);
    (void)rig_reply(r, 2, "answer", a, root, T + 2);
    rig_relate(r, "block", 1, true, T + 3);
    rig_sync(r, 100);
    assert_string_equal(tree(r, root), "0 root|1 answer");
    assert_int_equal(rig_count(r, "missing"), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_thread_is_the_same_from_each_of_its_entries),
        TEST(what_is_not_here_is_named),
        TEST(a_retracted_entry_keeps_its_place_in_a_thread),
        TEST(a_long_thread_is_cut_and_says_so),
        TEST(what_the_blocked_wrote_is_not_in_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
