/* A circle's life: who reads what, and since when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ring.h"

enum { ANA, BEN, CAI, DEE };

static struct ring r;
static struct ring_reader ana, ben, cai, dee, out;
static const int with_ben[] = {BEN, -1};
static const int with_both[] = {BEN, CAI, -1};

static int setup(void **state)
{
    (void)state;
    ring_init(&r);
    ring_open(&r, &ana, ANA, 0, 1);
    ring_open(&r, &ben, BEN, 0, 1);
    ring_open(&r, &cai, CAI, 0, 1);
    ring_open(&r, &dee, DEE, 0, 1);
    ring_open(&r, &out, 5, 0, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    struct ring_reader *all[] = {&ana, &ben, &cai, &dee, &out};
    for (size_t i = 0; i < 5; i++)
        ring_close(all[i]);
    ring_fini(&r);
    return 0;
}

/* Give |item| to everybody, and forget it. */
static void tell(struct ring_item *item)
{
    struct ring_reader *all[] = {&ana, &ben, &cai, &dee, &out};
    for (size_t i = 0; i < 5; i++)
        ring_take(all[i], item);
}

static void members_read_and_others_do_not(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    const struct al_circle *mine = ring_circle(&ana, &made);
    const struct al_circle *bens = ring_circle(&ben, &made);
    assert_non_null(mine);
    assert_non_null(bens);
    assert_true(mine->mine && mine->member && !bens->mine && bens->member);
    assert_string_equal(bens->name, "team");
    assert_int_equal(al_circle_size(bens), 2);
    assert_true(al_circle_has(bens, ring_id(&r, ANA)) && al_circle_has(bens, ring_id(&r, BEN)));
    assert_false(al_circle_has(bens, ring_id(&r, CAI)));
    assert_int_equal(bens->n, 1);
    assert_int_equal(bens->heads, 1);
    assert_null(ring_circle(&cai, &made));
    assert_int_equal(al_circles_count(cai.circles), 0);
    struct ring_item note = ring_note(&r, &ben, bens, "hello");
    struct al_unsealed un;
    assert_true(ring_reads(&ana, &note, &un));
    assert_ptr_equal(un.circle, ring_circle(&ana, &made));
    assert_int_equal(un.epoch, 1);
    assert_true(ring_reads(&ben, &note, NULL));
    assert_false(ring_reads(&cai, &note, NULL));
    ring_drop(&note);
    ring_drop(&made);
}

static void what_is_known_is_found_again_at_the_next_start(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    struct ring_item note = ring_note(&r, &ana, ring_circle(&ana, &made), "hello");
    ring_reopen(&ben);
    assert_null(al_circles_next_unlocked(ben.circles));
    assert_true(ring_reads(&ben, &note, NULL));
    assert_true(ring_circle(&ben, &made)->member);
    ring_reopen(&cai);
    assert_int_equal(al_circles_count(cai.circles), 0);
    ring_drop(&note);
    ring_drop(&made);
}

static void who_was_put_out_reads_nothing_new(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_both);
    tell(&made);
    struct ring_item old = ring_note(&r, &ana, ring_circle(&ana, &made), "old");
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), -1, BEN);
    struct ring_item second = ring_change(&r, &ana, &change);
    tell(&second);
    struct ring_item new = ring_note(&r, &cai, ring_circle(&cai, &made), "new");
    assert_true(ring_reads(&ben, &old, NULL));
    assert_false(ring_reads(&ben, &new, NULL));
    assert_true(ring_reads(&ana, &new, NULL));
    assert_false(ring_circle(&ben, &made)->member);
    assert_null(al_circles_key(ben.circles, ring_circle(&ben, &made)));
    const struct al_member *m = al_circle_member(ring_circle(&cai, &made), ring_id(&r, BEN));
    assert_non_null(m);
    assert_false(m->in);
    assert_int_equal(m->changed, 2);
    ring_reopen(&ben);
    assert_false(ring_circle(&ben, &made)->member);
    assert_false(ring_reads(&ben, &new, NULL));
    ring_drop(&old);
    ring_drop(&new);
    ring_drop(&second);
    ring_drop(&made);
}

static void who_was_added_reads_what_is_older_only_when_it_is_granted(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    struct ring_item old = ring_note(&r, &ben, ring_circle(&ben, &made), "old");
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), CAI, -1);
    struct ring_item second = ring_change(&r, &ana, &change);
    tell(&second);
    struct ring_item new = ring_note(&r, &ben, ring_circle(&ben, &made), "new");
    assert_true(ring_reads(&cai, &new, NULL));
    assert_false(ring_reads(&cai, &old, NULL));
    change = ring_who(&r, ring_circle(&ana, &made), DEE, -1);
    change.history = true;
    struct ring_item third = ring_change(&r, &ana, &change);
    while (al_circles_next_unlocked(dee.circles) != NULL)
        continue;
    tell(&third);
    assert_true(ring_reads(&dee, &old, NULL) && ring_reads(&dee, &new, NULL));
    assert_non_null(al_circles_next_unlocked(dee.circles));
    assert_null(al_circles_next_unlocked(dee.circles));
    ring_reopen(&dee);
    assert_true(ring_reads(&dee, &old, NULL) && ring_reads(&dee, &new, NULL));
    ring_drop(&old);
    ring_drop(&new);
    ring_drop(&third);
    ring_drop(&second);
    ring_drop(&made);
}

static void what_is_granted_opens_also_when_the_grant_comes_first(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    struct ring_item old = ring_note(&r, &ana, ring_circle(&ana, &made), "old");
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), CAI, -1);
    change.history = true;
    struct ring_item second = ring_change(&r, &ana, &change);
    ring_take(&cai, &second);
    assert_false(ring_reads(&cai, &old, NULL));
    ring_take(&cai, &made);
    assert_true(ring_reads(&cai, &old, NULL));
    ring_drop(&old);
    ring_drop(&second);
    ring_drop(&made);
}

static void what_is_old_counts_by_the_greatest_number(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_both);
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), -1, CAI);
    struct ring_item second = ring_change(&r, &ana, &change);
    ring_take(&ben, &second);
    ring_take(&ben, &made);
    assert_int_equal(ring_circle(&ben, &made)->n, 2);
    assert_int_equal(ring_circle(&ben, &made)->heads, 1);
    assert_false(al_circle_has(ring_circle(&ben, &made), ring_id(&r, CAI)));
    ring_drop(&second);
    ring_drop(&made);
}

static void a_name_changes_and_people_stay(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    struct al_circle_change change = {
        .circle = ring_circle(&ana, &made), .name = al_slice_str("crew")};
    struct ring_item second = ring_change(&r, &ana, &change);
    tell(&second);
    assert_string_equal(ring_circle(&ben, &made)->name, "crew");
    assert_int_equal(al_circle_size(ring_circle(&ben, &made)), 2);
    assert_int_equal(al_circle_member(ring_circle(&ben, &made), ring_id(&r, BEN))->changed, 1);
    ring_drop(&second);
    ring_drop(&made);
}

static enum al_circle_need needs(const struct ring_reader *rd, const struct ring_item *item)
{
    return al_circle_needs(rd->circles, ring_circle(rd, item), ring_record, &r);
}

static void a_new_reading_key_needs_a_new_epoch(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_NOTHING);
    ring_read_key(&r, BEN, 2, 0);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_KEYS);
    assert_int_equal(needs(&ben, &made), AL_CIRCLE_NEEDS_KEYS);
    struct al_circle_change change = {.circle = ring_circle(&ana, &made)};
    struct ring_item second = ring_change(&r, &ana, &change);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_NOTHING);
    /* a thief with the old key reads nothing new; ben, once he has the new one, does */
    ring_take(&ben, &second);
    struct ring_item note = ring_note(&r, &ana, ring_circle(&ana, &made), "new");
    assert_false(ring_reads(&ben, &note, NULL));
    al_root_read_key(ben.keyring.read_sk, &r.people[BEN].who.root, 2);
    ben.keyring.generation = 2;
    assert_true(al_circles_deadline(ben.circles) <= ben.now.mono_ms + 1);
    ben.now.mono_ms++;
    assert_int_equal(al_circles_retry(ben.circles, ben.now), 0);
    assert_true(ring_reads(&ben, &note, NULL));
    assert_true(al_circles_deadline(ben.circles) == UINT64_MAX);
    ring_drop(&note);
    ring_drop(&second);
    ring_drop(&made);
}

static void a_reading_key_in_wrong_hands_is_no_reason_for_a_new_epoch(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    const struct rig_person *who = &r.people[BEN].who;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    struct al_statement s;
    bool is_new;
    al_statement_encode_revoke(
        &b, &who->root.identity, who->root.secret, &who->keyring.device, NULL, 0);
    assert_int_equal(al_statement_open(&s, al_buf_slice(&b)), 0);
    assert_int_equal(al_record_add(r.people[BEN].record, &is_new, &s, al_buf_slice(&b)), 0);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_STATEMENT);
    struct al_circle_change change = {.circle = ring_circle(&ana, &made)};
    struct ring_item second = ring_change(&r, &ana, &change);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_STATEMENT);
    ring_drop(&second);
    ring_drop(&made);
}

static void who_asks_to_leave_is_out_with_the_next_epoch(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_both);
    tell(&made);
    const struct al_circle *circle = ring_circle(&ana, &made);
    assert_int_equal(
        al_circles_take_leave(ana.circles, circle, ring_id(&r, ANA), 1), 0); /* the owner can't */
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_NOTHING);
    assert_int_equal(al_circles_take_leave(ana.circles, circle, ring_id(&r, BEN), 1), 0);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_PARTING);
    ring_reopen(&ana);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_PARTING);
    struct al_circle_change change = {.circle = ring_circle(&ana, &made)};
    struct ring_item second = ring_change(&r, &ana, &change);
    tell(&second);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_NOTHING);
    assert_false(ring_circle(&ben, &made)->member);
    /* put in again, the old wish is over */
    change = ring_who(&r, ring_circle(&ana, &made), BEN, -1);
    struct ring_item third = ring_change(&r, &ana, &change);
    tell(&third);
    assert_int_equal(needs(&ana, &made), AL_CIRCLE_NEEDS_NOTHING);
    assert_true(ring_circle(&ben, &made)->member);
    ring_drop(&third);
    ring_drop(&second);
    ring_drop(&made);
}

static void who_left_by_choice_writes_no_more_until_put_in_again(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    tell(&made);
    const struct al_circle *circle = ring_circle(&ben, &made);
    assert_int_equal(al_circles_choose_left(ben.circles, &circle->owner, &circle->cid, 1), 0);
    circle = ring_circle(&ben, &made);
    assert_true(circle->left);
    assert_null(al_circles_key(ben.circles, circle));
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), -1, BEN);
    struct ring_item second = ring_change(&r, &ana, &change);
    change = ring_who(&r, ring_circle(&ana, &made), BEN, -1);
    struct ring_item third = ring_change(&r, &ana, &change);
    tell(&second);
    tell(&third);
    assert_false(ring_circle(&ben, &made)->left);
    assert_non_null(al_circles_key(ben.circles, ring_circle(&ben, &made)));
    ring_drop(&third);
    ring_drop(&second);
    ring_drop(&made);
}

static void a_circle_has_room_for_150(void **state)
{
    (void)state;
    struct al_identity *many = calloc(AL_MEMBERS_MAX, sizeof(*many));
    struct al_circle_change change = {.name = al_slice_str("all"), .add = many};
    struct ring_item made;
    for (uint32_t i = 0; i < AL_MEMBERS_MAX; i++)
        sample_bytes(&many[i], sizeof(many[i]), 100 + i);
    change.add_count = AL_MEMBERS_MAX; /* and the owner */
    assert_int_equal(ring_compose(&r, &ana, &made, &change), AL_E_LIMIT);
    change.add_count = 1;
    assert_int_equal(ring_compose(&r, &ana, &made, &change), AL_E_NOT_FOUND); /* unknown */
    free(many);
}

static void only_the_owner_changes_a_circle_and_the_owner_stays(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    struct ring_item none;
    tell(&made);
    struct al_circle_change change = ring_who(&r, ring_circle(&ben, &made), CAI, -1);
    assert_int_equal(ring_compose(&r, &ben, &none, &change), AL_E_STATE);
    change = ring_who(&r, ring_circle(&ana, &made), -1, ANA);
    assert_int_equal(ring_compose(&r, &ana, &none, &change), AL_E_STATE);
    change = (struct al_circle_change){.name = al_slice_str("")};
    assert_int_equal(ring_compose(&r, &ana, &none, &change), AL_E_LENGTH);
    ring_drop(&made);
}

static void what_is_ours_alone_needs_no_circle(void **state)
{
    uint8_t bytes[512], inner[16], nonce[AL_NONCE_BYTES] = {1};
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_place place = ring_place(&r, &ana);
    struct al_unsealed un;
    (void)state;
    memset(inner, 1, sizeof(inner));
    assert_int_equal(
        al_sealed_encode(&b, ana.keyring.me_key, nonce, &place, al_slice_of(inner, sizeof(inner))),
        0);
    struct ring_item item = ring_item(&ana, &place, al_buf_slice(&b));
    assert_true(ring_reads(&ana, &item, &un));
    assert_null(un.circle);
    assert_false(ring_reads(&ben, &item, NULL));
    ring_drop(&item);
}

static void a_reader_follows_what_the_node_has_noted(void **state)
{
    (void)state;
    struct al_circles *views;
    assert_int_equal(al_circles_new(&views, ben.store, &ben.keyring), 0);
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    ring_take(&ben, &made);
    assert_int_equal(al_circles_count(views), 0);
    assert_int_equal(al_circles_relearn(views), 0);
    assert_int_equal(al_circles_count(views), 1);
    assert_non_null(al_circles_next_unlocked(views));
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), CAI, -1);
    struct ring_item second = ring_change(&r, &ana, &change);
    ring_take(&ben, &second);
    assert_int_equal(al_circles_relearn(views), 0);
    assert_int_equal(al_circles_at(views, 0)->n, 2);
    assert_non_null(al_circles_next_unlocked(views));
    assert_int_equal(
        al_circles_hide(ben.circles, ring_id(&r, ANA), &second.ref.device, &second.ref.log, 1, 1),
        0);
    assert_int_equal(al_circles_relearn(views), 0);
    assert_int_equal(al_circles_at(views, 0)->n, 1);
    ring_take_again(&ben, &second);
    assert_int_equal(ring_circle(&ben, &made)->n, 2);
    assert_int_equal(al_circles_relearn(views), 0);
    assert_int_equal(al_circles_at(views, 0)->n, 2);
    al_circles_free(views);
    ring_drop(&second);
    ring_drop(&made);
}

/* Whoever revokes a device with thousands of epochs makes nobody read the circle as often. */
static void what_ceases_to_count_at_once_is_looked_at_once(void **state)
{
    (void)state;
    struct ring_item made = ring_new(&r, &ana, "team", with_ben);
    ring_take(&ben, &made);
    struct al_circle_change change = ring_who(&r, ring_circle(&ana, &made), CAI, -1);
    struct ring_item second = ring_change(&r, &ana, &change);
    ring_take(&ben, &second);
    struct ring_item other = second;
    for (uint8_t i = 0; i < 20; i++) { /* of the same log, and not to be opened */
        other.ref.seq++;
        other.ref.id.b[0]++;
        ring_take_again(&ben, &other);
    }
    uint64_t before = al_circles_version(ben.circles);
    assert_int_equal(
        al_circles_hide(ben.circles, ring_id(&r, ANA), &second.ref.device, &second.ref.log, 1, 64),
        0);
    assert_int_equal(al_circles_version(ben.circles), before + 1);
    assert_int_equal(ring_circle(&ben, &made)->n, 1);
    ring_reopen(&ben);
    assert_int_equal(ring_circle(&ben, &made)->n, 1);
    ring_drop(&second);
    ring_drop(&made);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        RING_TEST(members_read_and_others_do_not),
        RING_TEST(what_is_known_is_found_again_at_the_next_start),
        RING_TEST(who_was_put_out_reads_nothing_new),
        RING_TEST(who_was_added_reads_what_is_older_only_when_it_is_granted),
        RING_TEST(what_is_granted_opens_also_when_the_grant_comes_first),
        RING_TEST(what_is_old_counts_by_the_greatest_number),
        RING_TEST(a_name_changes_and_people_stay),
        RING_TEST(a_new_reading_key_needs_a_new_epoch),
        RING_TEST(a_reading_key_in_wrong_hands_is_no_reason_for_a_new_epoch),
        RING_TEST(who_asks_to_leave_is_out_with_the_next_epoch),
        RING_TEST(who_left_by_choice_writes_no_more_until_put_in_again),
        RING_TEST(a_circle_has_room_for_150),
        RING_TEST(only_the_owner_changes_a_circle_and_the_owner_stays),
        RING_TEST(what_is_ours_alone_needs_no_circle),
        RING_TEST(a_reader_follows_what_the_node_has_noted),
        RING_TEST(what_ceases_to_count_at_once_is_looked_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
