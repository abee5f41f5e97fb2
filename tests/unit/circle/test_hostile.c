/* Circle entries by people who mean no good, or whose program is wrong: data, and nothing more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ring.h"
#include "write.h"

enum { ANA, BEN, CAI, EVE };

static struct ring r;
static struct ring_reader ana, ben, eve;
static struct ring_item made;
static const int with_ben[] = {BEN, -1};

static int setup(void **state)
{
    (void)state;
    ring_init(&r);
    ring_open(&r, &ana, ANA, 0, 1);
    ring_open(&r, &ben, BEN, 0, 1);
    ring_open(&r, &eve, EVE, 0, 1);
    made = ring_new(&r, &ana, "team", with_ben);
    ring_take(&ben, &made);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ring_drop(&made);
    ring_close(&ana);
    ring_close(&ben);
    ring_close(&eve);
    ring_fini(&r);
    return 0;
}

/* An entry made by hand, with whatever can be wrong in it. */
struct forged {
    uint64_t n;
    const struct al_ref *parent;
    struct al_circle_id cid;
    int box_for;                     /* a person */
    const struct al_identity *bound; /* owner in the binding of the box */
    const char *name;
    const struct al_member *members;
    uint32_t count;
    bool shut; /* the meta is sealed with another key than is in the box */
};

static struct al_circle_id cid_of(const struct ring_item *item)
{
    struct al_payload p;
    struct al_circle_id cid;
    assert_int_equal(al_payload_open(&p, al_slice_of(item->payload, item->n), false), 0);
    memcpy(cid.b, p.cid.p, sizeof(cid.b));
    return cid;
}

static struct ring_item forge(const struct ring_reader *rd, const struct forged *f)
{
    uint8_t key[AL_EPOCH_KEY_BYTES], box[AL_CIRCLE_BOX_BYTES], seed[32], nonce[AL_NONCE_BYTES];
    struct al_buf meta = al_heapbuf(), sealed = al_heapbuf(), payload = al_heapbuf();
    struct al_buf parents = al_heapbuf(), boxes = al_heapbuf(), old = al_heapbuf();
    struct al_place place = ring_place(&r, rd);
    const struct al_circle_meta clear = {
        .name = al_slice_str(f->name), .members = f->members, .count = f->count};
    al_rng_bytes(&r.rng, key, sizeof(key));
    al_rng_bytes(&r.rng, seed, sizeof(seed));
    al_rng_bytes(&r.rng, nonce, sizeof(nonce));
    struct al_reading reading;
    al_record_reading(r.people[f->box_for].record, &reading);
    assert_int_equal(
        al_circle_box_seal(box, key, f->bound, &f->cid, f->n, reading.read_pk, seed), 0);
    al_circle_meta_encode(&meta, &clear);
    key[0] ^= f->shut;
    assert_int_equal(al_sealed_encode(&sealed, key, nonce, &place, al_buf_slice(&meta)), 0);
    al_write_array(&parents, f->parent == NULL ? 0 : 1);
    if (f->parent != NULL)
        al_write_ref(&parents, f->parent);
    al_write_array(&boxes, 1);
    al_write_bin(&boxes, box, sizeof(box));
    al_write_array(&old, 0);
    struct al_payload p = {.kind = AL_KIND_CIRCLE,
        .kind_name = al_slice_str("circle"),
        .audience = AL_AUDIENCE_NETWORK,
        .cid = al_slice_of(f->cid.b, sizeof(f->cid.b)),
        .n = f->n,
        .parents = al_buf_slice(&parents),
        .boxes = al_buf_slice(&boxes),
        .old = al_buf_slice(&old),
        .meta = al_buf_slice(&sealed)};
    assert_int_equal(al_payload_encode(&payload, &p), 0);
    struct ring_item item = ring_item(rd, &place, al_buf_slice(&payload));
    struct al_buf *all[] = {&meta, &sealed, &payload, &parents, &boxes, &old};
    for (size_t i = 0; i < 6; i++)
        al_heapbuf_free(all[i]);
    return item;
}

/* Both are in, since the first epoch. */
static const struct al_member *both(void)
{
    static struct al_member list[2];
    int low = memcmp(ring_id(&r, ANA), ring_id(&r, BEN), 32) < 0 ? ANA : BEN;
    for (int i = 0; i < 2; i++)
        list[i] = (struct al_member){.identity = *ring_id(&r, i == 0 ? low : ANA + BEN - low),
            .in = true,
            .changed = 1,
            .generation = 1};
    return list;
}

/* A good second epoch of ana's, to be spoiled. */
static struct forged good(void)
{
    return (struct forged){.n = 2,
        .parent = &made.ref,
        .cid = cid_of(&made),
        .box_for = BEN,
        .bound = ring_id(&r, ANA),
        .name = "forged",
        .members = both(),
        .count = 2};
}

/* What ben makes of an entry by |rd|: the name of the circle afterwards. */
static const char *taken(const struct ring_reader *rd, const struct forged *f)
{
    struct ring_item item = forge(rd, f);
    ring_take(&ben, &item);
    ring_drop(&item);
    ring_reopen(&ben);
    const struct al_circle *circle = ring_circle(&ben, &made);
    assert_non_null(circle);
    return circle->name;
}

static void what_is_right_counts(void **state)
{
    struct forged f = good();
    (void)state;
    assert_string_equal(taken(&ana, &f), "forged");
}

static void an_entry_by_somebody_else_is_of_another_circle(void **state)
{
    struct forged f = good();
    (void)state;
    assert_string_equal(taken(&eve, &f), "team");
    f = good();
    f.bound = ring_id(&r, EVE);
    assert_string_equal(taken(&eve, &f), "team");
    assert_int_equal(al_circles_count(ben.circles), 2); /* eve's own, of the same id */
    assert_int_equal(ring_circle(&ben, &made)->heads, 1);
}

static void a_number_that_does_not_follow_is_passed_over(void **state)
{
    (void)state;
    for (uint64_t n = 3; n < 6; n++) {
        struct forged f = good();
        f.n = n == 5 ? UINT64_MAX : n;
        assert_string_equal(taken(&ana, &f), "team");
    }
}

static void a_box_bound_to_another_place_is_none(void **state)
{
    struct forged f = good();
    (void)state;
    f.bound = ring_id(&r, EVE);
    /* ben is not in what he can't read: that is how one notices to be out */
    assert_string_equal(taken(&ana, &f), "team");
    assert_false(ring_circle(&ben, &made)->member);
}

static void a_list_that_does_not_open_is_passed_over(void **state)
{
    struct forged f = good();
    (void)state;
    f.shut = true;
    assert_string_equal(taken(&ana, &f), "team");
    assert_true(ring_circle(&ben, &made)->member);
}

static void members_changed_in_the_future_are_passed_over(void **state)
{
    struct forged f = good();
    struct al_member list[2];
    (void)state;
    memcpy(list, both(), sizeof(list));
    list[0].changed = 3;
    f.members = list;
    assert_string_equal(taken(&ana, &f), "team");
}

static void too_many_members_are_passed_over(void **state)
{
    struct forged f = good();
    struct al_member *list = calloc(AL_MEMBERS_MAX + 1, sizeof(*list));
    (void)state;
    for (uint32_t i = 0; i <= AL_MEMBERS_MAX; i++) {
        list[i] = (struct al_member){.in = true, .changed = 1, .generation = 1};
        list[i].identity.b[0] = (uint8_t)i;
        list[i].identity.b[1] = 7;
    }
    f.members = list;
    f.count = AL_MEMBERS_MAX + 1;
    assert_string_equal(taken(&ana, &f), "team");
    free(list);
}

static void a_parent_of_another_circle_is_as_good_as_unknown(void **state)
{
    struct forged f = good();
    (void)state;
    struct ring_item other = ring_new(&r, &ana, "other", with_ben);
    ring_take(&ben, &other);
    f.parent = &other.ref;
    assert_string_equal(taken(&ana, &f), "forged"); /* the newer of two heads */
    assert_int_equal(ring_circle(&ben, &made)->heads, 2);
    assert_int_equal(ring_circle(&ben, &other)->heads, 1);
    ring_drop(&other);
}

static void a_parent_that_comes_late_is_held_against_the_number(void **state)
{
    struct forged f = good();
    struct ring_item second, third;
    (void)state;
    second = forge(&ana, &f);
    f.n = 9;
    f.name = "ninth";
    f.parent = &second.ref;
    third = forge(&ana, &f);
    ring_take(&ben, &third);
    assert_string_equal(ring_circle(&ben, &made)->name, "ninth");
    ring_take(&ben, &second);
    assert_string_equal(ring_circle(&ben, &made)->name, "forged");
    ring_drop(&second);
    ring_drop(&third);
}

static void an_owner_has_a_budget_of_trials(void **state)
{
    (void)state;
    struct ring_item *flood = calloc(AL_CIRCLE_TRIES_PER_DAY + 10, sizeof(*flood));
    struct forged f = good();
    f.bound = ring_id(&r, EVE);
    f.n = 1;
    f.parent = NULL;
    for (uint32_t i = 0; i < AL_CIRCLE_TRIES_PER_DAY + 10; i++) {
        al_rng_bytes(&r.rng, f.cid.b, sizeof(f.cid.b));
        flood[i] = forge(&eve, &f);
        ring_take(&ben, &flood[i]);
    }
    assert_int_equal(al_circles_count(ben.circles), 1 + AL_CIRCLE_TRIES_AT_ONCE - 1);
    for (int turns = 0; turns < 40; turns++) {
        assert_true(turns > 15 || al_circles_deadline(ben.circles) == ben.now.mono_ms + 1 ||
                    al_circles_count(ben.circles) > AL_CIRCLE_TRIES_PER_DAY);
        ben.now.mono_ms++;
        assert_int_equal(al_circles_retry(ben.circles, ben.now), 0);
    }
    assert_int_equal(al_circles_count(ben.circles), 1 + AL_CIRCLE_TRIES_PER_DAY);
    /* another owner is not made to wait by that */
    struct ring_item second = ring_new(&r, &ana, "second", with_ben);
    ben.now.mono_ms++;
    ring_take(&ben, &second);
    assert_non_null(ring_circle(&ben, &second));
    /* the rest has its turn on the next day */
    uint64_t at = al_circles_deadline(ben.circles);
    assert_true(at > ben.now.mono_ms + 23ull * 3600 * 1000 && at != UINT64_MAX);
    for (int turns = 0; turns < 5; turns++) {
        ben.now.mono_ms = at + (uint64_t)turns;
        assert_int_equal(al_circles_retry(ben.circles, ben.now), 0);
    }
    assert_int_equal(al_circles_count(ben.circles), 2 + AL_CIRCLE_TRIES_PER_DAY + 10);
    assert_true(al_circles_deadline(ben.circles) == UINT64_MAX);
    ring_drop(&second);
    for (uint32_t i = 0; i < AL_CIRCLE_TRIES_PER_DAY + 10; i++)
        ring_drop(&flood[i]);
    free(flood);
}

static void who_was_handed_a_key_does_not_pass_for_a_member(void **state)
{
    (void)state;
    /* eve has all of ana's keys, as from a leak, and writes with that of the circle */
    struct ring_item note = ring_note(&r, &ana, ring_circle(&ana, &made), "hello");
    assert_true(ring_reads(&ben, &note, NULL));
    note.author = *ring_id(&r, EVE);
    assert_false(ring_reads(&ben, &note, NULL));
    ring_drop(&note);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        RING_TEST(what_is_right_counts),
        RING_TEST(an_entry_by_somebody_else_is_of_another_circle),
        RING_TEST(a_number_that_does_not_follow_is_passed_over),
        RING_TEST(a_box_bound_to_another_place_is_none),
        RING_TEST(a_list_that_does_not_open_is_passed_over),
        RING_TEST(members_changed_in_the_future_are_passed_over),
        RING_TEST(too_many_members_are_passed_over),
        RING_TEST(a_parent_of_another_circle_is_as_good_as_unknown),
        RING_TEST(a_parent_that_comes_late_is_held_against_the_number),
        RING_TEST(an_owner_has_a_budget_of_trials),
        RING_TEST(who_was_handed_a_key_does_not_pass_for_a_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
