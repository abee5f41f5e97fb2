/* Who wants what: lists, changes, and what follows from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rig.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct al_identity ids[4096]; /* ascending */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct al_identity));
}

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_fini(&r);
    return 0;
}

static void send_list(const struct al_hash *before, const struct al_hash *after,
    const struct al_identity *add, uint32_t count, bool last)
{
    static const uint8_t empty = 0x90;
    struct al_buf list = al_heapbuf();
    struct al_message m = {.type = AL_MSG_INTERESTS};
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_write_bin(&list, add[i].b, sizeof(add[i].b));
    if (before != NULL)
        m.u.interests.before = al_slice_of(before->b, sizeof(before->b));
    m.u.interests.after = *after;
    m.u.interests.add = al_buf_slice(&list);
    m.u.interests.add_count = count;
    m.u.interests.drop = al_slice_of(&empty, 1);
    m.u.interests.last = last;
    rig_peer_send(&p, &m);
    al_heapbuf_free(&list);
}

static void a_new_choice_is_told_as_a_change(void **state)
{
    struct al_message m;
    struct rig_person other;
    (void)state;
    rig_person(&other, 2);
    rig_relate(n, &other.root.identity, "follow", true);
    assert_true(rig_peer_next(&p, AL_MSG_INTERESTS, &m));
    assert_int_equal(m.u.interests.before.n, 32);
    assert_int_equal(m.u.interests.add_count, 1);
    assert_int_equal(m.u.interests.drop_count, 0);
    rig_relate(n, &other.root.identity, "follow", false);
    assert_true(rig_peer_next(&p, AL_MSG_INTERESTS, &m));
    assert_int_equal(m.u.interests.add_count, 0);
    assert_int_equal(m.u.interests.drop_count, 1);
}

static void blocks_are_not_told(void **state)
{
    struct al_message m;
    struct rig_person other;
    (void)state;
    rig_person(&other, 2);
    rig_relate(n, &other.root.identity, "block", true);
    assert_false(rig_peer_next(&p, AL_MSG_INTERESTS, &m));
}

static void a_change_of_an_unknown_list_asks_for_the_whole(void **state)
{
    struct al_message m;
    struct al_hash digest = {{1}};
    (void)state;
    send_list(&digest, &digest, &n->me.root.identity, 1, true);
    assert_true(rig_peer_next(&p, AL_MSG_RESET, &m));
}

static void a_change_that_fits_is_taken(void **state)
{
    struct al_message m;
    struct al_hash digest;
    struct al_hash next = {{7}};
    (void)state;
    al_interests_digest(&digest, &p.who.root.identity, 1);
    send_list(NULL, &digest, &p.who.root.identity, 1, true);
    send_list(&digest, &next, &n->me.root.identity, 1, true);
    assert_false(rig_peer_next(&p, AL_MSG_RESET, &m));
    assert_int_equal(rig_post(n, "one", "network", NULL), 0);
    rig_wait(&r, 300);
    assert_true(rig_peer_next(&p, AL_MSG_HEADS, &m));
}

static void a_reset_brings_the_whole_list(void **state)
{
    struct al_message m = {.type = AL_MSG_RESET};
    (void)state;
    rig_peer_send(&p, &m);
    assert_true(rig_peer_next(&p, AL_MSG_INTERESTS, &m));
    assert_int_equal(m.u.interests.before.n, 0);
    assert_int_equal(m.u.interests.add_count, 2);
}

static void a_list_without_end_is_bounded(void **state)
{
    struct al_hash digest = {{1}};
    size_t before;
    int lists = 0;
    (void)state;
    before = rig_heap();
    while (rig_peer_closed(&p) == 0 && lists < 100) {
        sample_bytes(ids, sizeof(ids), 500 + (uint64_t)lists++);
        qsort(ids, 4096, sizeof(ids[0]), compare_ids);
        send_list(NULL, &digest, ids, 4096, false);
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_LIMIT);
    assert_int_equal(lists, 17); /* 65536 identities, and then one more list */
    assert_true(rig_heap() < before + (size_t)16 * 1024 * 1024);
}

static void a_newly_wanted_person_is_compared_at_once(void **state)
{
    struct al_message m;
    struct al_hash digest;
    struct al_hash next = {{7}};
    (void)state;
    al_interests_digest(&digest, &p.who.root.identity, 1);
    send_list(NULL, &digest, &p.who.root.identity, 1, true);
    rig_peer_drop(&p);
    send_list(&digest, &next, &n->me.root.identity, 1, true);
    assert_true(rig_peer_next(&p, AL_MSG_RECONCILE, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_choice_is_told_as_a_change, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_are_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_change_of_an_unknown_list_asks_for_the_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_that_fits_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_brings_the_whole_list, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_without_end_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newly_wanted_person_is_compared_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
