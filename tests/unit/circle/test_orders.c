/* Changes by two devices of the owner, in every order: everybody ends with the same circle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ring.h"

enum { ANA, BEN, CAI, DEE, EVE };

#define CHANGES 10
#define WORLDS 12
#define ORDERS 40

static struct ring r;
static struct ring_reader first, second;
static struct ring_item items[CHANGES + 1];
static uint32_t count;

static int setup(void **state)
{
    (void)state;
    ring_init(&r);
    ring_open(&r, &first, ANA, 0, 1);
    ring_open(&r, &second, ANA, 1, 1);
    count = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < count; i++)
        ring_drop(&items[i]);
    ring_close(&first);
    ring_close(&second);
    ring_fini(&r);
    return 0;
}

/* What two readers must agree about. */
struct outcome {
    char name[AL_NAME_MAX + 1];
    uint64_t n;
    struct al_hash epoch;
    uint32_t heads;
    uint32_t member_count;
    struct al_member members[RING_PEOPLE];
};

static void outcome_of(struct outcome *out, const struct ring_reader *rd)
{
    const struct al_circle *circle = ring_circle(rd, &items[0]);
    memset(out, 0, sizeof(*out));
    assert_non_null(circle);
    assert_true(circle->member_count <= RING_PEOPLE);
    memcpy(out->name, circle->name, sizeof(out->name));
    out->n = circle->n;
    out->epoch = circle->epoch.id;
    out->heads = circle->heads;
    out->member_count = circle->member_count;
    for (uint32_t i = 0; i < circle->member_count; i++) {
        out->members[i].identity = circle->members[i].identity;
        out->members[i].in = circle->members[i].in;
        out->members[i].changed = circle->members[i].changed;
        out->members[i].generation = circle->members[i].generation;
    }
}

/* Take all items at a fresh device of person |i|, in the order of |order|. */
static void arrive(struct outcome *out, int i, uint64_t device, const uint32_t *order)
{
    struct ring_reader rd;
    struct outcome again;
    ring_open(&r, &rd, i, device, 1);
    for (uint32_t k = 0; k < count; k++) {
        rd.now.mono_ms++;
        ring_take(&rd, &items[order[k]]);
    }
    outcome_of(out, &rd);
    ring_reopen(&rd);
    outcome_of(&again, &rd);
    assert_memory_equal(&again, out, sizeof(*out));
    ring_close(&rd);
}

static void shuffle(uint32_t *order)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t k = (uint32_t)al_rng_below(&r.rng, i);
        uint32_t swap = order[k];
        order[k] = order[i - 1];
        order[i - 1] = swap;
    }
}

static void check_order(const struct outcome *expected, const uint32_t *order)
{
    struct outcome got;
    arrive(&got, ANA, 2, order);
    assert_memory_equal(&got, expected, sizeof(got));
}

/* Something that one of the two devices does with what it knows. */
static void change_at_random(struct ring_reader *rd)
{
    static const char *const names[] = {"team", "crew", "gang"};
    const struct al_circle *circle = ring_circle(rd, &items[0]);
    int who = 1 + (int)al_rng_below(&r.rng, 6);
    bool in = al_circle_has(circle, ring_id(&r, who));
    struct al_circle_change change = ring_who(&r, circle, in ? -1 : who, in ? who : -1);
    if (al_rng_below(&r.rng, 4) == 0)
        change = (struct al_circle_change){
            .circle = circle, .name = al_slice_str(names[al_rng_below(&r.rng, 3)])};
    change.history = al_rng_below(&r.rng, 3) == 0;
    items[count++] = ring_change(&r, rd, &change);
}

static void make_world(void)
{
    static const int members[] = {BEN, CAI, -1};
    items[count++] = ring_new(&r, &first, "team", members);
    ring_take(&second, &items[0]);
    while (count < CHANGES) {
        change_at_random(al_rng_below(&r.rng, 2) == 0 ? &first : &second);
        if (al_rng_below(&r.rng, 3) > 0)
            continue;
        uint32_t told = (uint32_t)al_rng_below(&r.rng, count);
        ring_take(&first, &items[told]);
        ring_take(&second, &items[told]);
    }
}

static void any_order_ends_the_same(void **state)
{
    (void)state;
    for (int world = 0; world < WORLDS; world++) {
        uint32_t order[CHANGES + 1];
        struct outcome expected;
        make_world();
        for (uint32_t i = 0; i < count; i++)
            order[i] = i;
        arrive(&expected, ANA, 2, order);
        for (int k = 0; k < ORDERS; k++) {
            shuffle(order);
            check_order(&expected, order);
        }
        (void)teardown(state);
        (void)setup(state);
        uint8_t seed[32] = {(uint8_t)(world + 1), 9};
        al_rng_init(&r.rng, seed);
    }
}

/* One device puts cai in while the other puts ben out, and each renames. */
static void concurrent_changes_merge(void **state)
{
    static const int members[] = {BEN, -1};
    struct outcome expected, got;
    uint32_t order[] = {0, 1, 2, 3, 4};
    (void)state;
    items[count++] = ring_new(&r, &first, "team", members);
    ring_take(&second, &items[0]);
    struct al_circle_change change = ring_who(&r, ring_circle(&first, &items[0]), CAI, -1);
    items[count++] = ring_change(&r, &first, &change);
    change = ring_who(&r, ring_circle(&second, &items[0]), -1, BEN);
    items[count++] = ring_change(&r, &second, &change);
    ring_take(&first, &items[2]);
    ring_take(&second, &items[1]);
    const struct al_circle *circle = ring_circle(&first, &items[0]);
    assert_int_equal(circle->heads, 2);
    assert_true(al_circle_has(circle, ring_id(&r, CAI)));
    assert_false(al_circle_has(circle, ring_id(&r, BEN)));
    assert_int_equal(al_circle_needs(first.circles, circle, ring_record, &r), AL_CIRCLE_NEEDS_JOIN);
    change = (struct al_circle_change){.circle = circle};
    items[count++] = ring_change(&r, &first, &change);
    assert_int_equal(ring_circle(&first, &items[0])->heads, 1);
    assert_int_equal(
        al_circle_needs(first.circles, ring_circle(&first, &items[0]), ring_record, &r),
        AL_CIRCLE_NEEDS_NOTHING);
    change = ring_who(&r, ring_circle(&first, &items[0]), DEE, -1);
    items[count++] = ring_change(&r, &first, &change);
    arrive(&expected, ANA, 2, order);
    /* all 120 orders */
    for (uint32_t k = 0; k < 120; k++) {
        uint32_t left[] = {0, 1, 2, 3, 4};
        uint32_t rest = k;
        for (uint32_t i = 0; i < 5; i++) {
            uint32_t at = rest % (5 - i);
            rest /= 5 - i;
            order[i] = left[at];
            memmove(&left[at], &left[at + 1], (4 - at) * sizeof(left[0]));
        }
        arrive(&got, ANA, 2, order);
        assert_memory_equal(&got, &expected, sizeof(got));
        arrive(&got, CAI, 0, order);
        assert_int_equal(got.n, expected.n);
        assert_memory_equal(&got.epoch, &expected.epoch, sizeof(got.epoch));
    }
}

static void two_removals_at_once_both_hold(void **state)
{
    static const int members[] = {BEN, CAI, DEE, -1};
    (void)state;
    items[count++] = ring_new(&r, &first, "team", members);
    ring_take(&second, &items[0]);
    struct al_circle_change change = ring_who(&r, ring_circle(&first, &items[0]), -1, BEN);
    items[count++] = ring_change(&r, &first, &change);
    change = ring_who(&r, ring_circle(&second, &items[0]), -1, CAI);
    items[count++] = ring_change(&r, &second, &change);
    ring_take(&first, &items[2]);
    change = (struct al_circle_change){.circle = ring_circle(&first, &items[0])};
    items[count++] = ring_change(&r, &first, &change);
    struct ring_item note = ring_note(&r, &first, ring_circle(&first, &items[0]), "for dee alone");
    for (int i = BEN; i <= DEE; i++) {
        struct ring_reader rd;
        ring_open(&r, &rd, i, 0, 1);
        for (uint32_t k = 0; k < count; k++) {
            rd.now.mono_ms++;
            ring_take(&rd, &items[k]);
        }
        assert_int_equal(ring_reads(&rd, &note, NULL), i == DEE);
        assert_int_equal(ring_circle(&rd, &items[0])->member, i == DEE);
        ring_close(&rd);
    }
    ring_drop(&note);
}

/* Both with number 3: one device puts cai in again, the other, who never heard he was out, out. */
static void of_putting_in_and_out_at_once_out_wins(void **state)
{
    static const int members[] = {BEN, CAI, -1};
    (void)state;
    items[count++] = ring_new(&r, &first, "team", members);
    ring_take(&second, &items[0]);
    struct al_circle_change change = ring_who(&r, ring_circle(&first, &items[0]), -1, CAI);
    items[count++] = ring_change(&r, &first, &change);
    change = ring_who(&r, ring_circle(&first, &items[0]), CAI, -1);
    items[count++] = ring_change(&r, &first, &change);
    change = ring_who(&r, ring_circle(&second, &items[0]), DEE, -1);
    items[count++] = ring_change(&r, &second, &change);
    change = ring_who(&r, ring_circle(&second, &items[0]), -1, CAI);
    items[count++] = ring_change(&r, &second, &change);
    for (uint32_t i = 0; i < count; i++) {
        ring_take(&first, &items[i]);
        ring_take(&second, &items[i]);
    }
    const struct al_circle *circle = ring_circle(&first, &items[0]);
    assert_int_equal(circle->heads, 2);
    assert_false(al_circle_has(circle, ring_id(&r, CAI)));
    assert_int_equal(al_circle_member(circle, ring_id(&r, CAI))->changed, 3);
    assert_true(al_circle_has(circle, ring_id(&r, DEE)));
    assert_false(al_circle_has(ring_circle(&second, &items[0]), ring_id(&r, CAI)));
}

static void heads_that_say_the_same_need_no_joining(void **state)
{
    static const int members[] = {BEN, CAI, -1};
    (void)state;
    items[count++] = ring_new(&r, &first, "team", members);
    ring_take(&second, &items[0]);
    struct al_circle_change change = ring_who(&r, ring_circle(&first, &items[0]), -1, BEN);
    items[count++] = ring_change(&r, &first, &change);
    change = ring_who(&r, ring_circle(&second, &items[0]), -1, BEN);
    items[count++] = ring_change(&r, &second, &change);
    ring_take(&first, &items[2]);
    const struct al_circle *circle = ring_circle(&first, &items[0]);
    assert_int_equal(circle->heads, 2);
    assert_int_equal(
        al_circle_needs(first.circles, circle, ring_record, &r), AL_CIRCLE_NEEDS_NOTHING);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        RING_TEST(any_order_ends_the_same),
        RING_TEST(concurrent_changes_merge),
        RING_TEST(two_removals_at_once_both_hold),
        RING_TEST(of_putting_in_and_out_at_once_out_wins),
        RING_TEST(heads_that_say_the_same_need_no_joining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
