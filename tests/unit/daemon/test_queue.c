/* The queue between threads: order, lanes, marks, waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <uv.h>

#include "queue.h"

struct thing {
    struct al_item item;
    unsigned number;
};

static struct al_queue *new_queue(void (*on_room)(void *), void *arg)
{
    const struct al_queue_opts opts = {.mark_bytes = {100, 100}, .on_room = on_room, .arg = arg};
    struct al_queue *q = al_queue_new(&opts);
    assert_non_null(q);
    return q;
}

static void push(struct al_queue *q, enum al_lane lane, unsigned number, size_t bytes)
{
    struct thing *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    t->number = number;
    t->item.bytes = bytes;
    al_queue_push(q, lane, &t->item);
}

/* The number of the next item; 0 when there is none. */
static unsigned pop(struct al_queue *q)
{
    struct thing *t = (struct thing *)al_queue_pop(q);
    unsigned number = t == NULL ? 0 : t->number;
    free(t);
    return number;
}

static void free_item(struct al_item *item)
{
    free(item);
}

static void local_items_overtake_others_and_each_lane_keeps_its_order(void **state)
{
    (void)state;
    struct al_queue *q = new_queue(NULL, NULL);
    assert_true(al_queue_is_empty(q));
    push(q, AL_LANE_NET, 1, 1);
    push(q, AL_LANE_NET, 2, 1);
    push(q, AL_LANE_LOCAL, 3, 1);
    push(q, AL_LANE_LOCAL, 4, 1);
    assert_int_equal(pop(q), 3);
    assert_int_equal(pop(q), 4);
    assert_int_equal(pop(q), 1);
    push(q, AL_LANE_LOCAL, 5, 1);
    assert_int_equal(pop(q), 5);
    assert_int_equal(pop(q), 2);
    assert_int_equal(pop(q), 0);
    al_queue_free(q, free_item);
}

static void count_room(void *arg)
{
    ++*(unsigned *)arg;
}

static void a_lane_is_full_above_its_mark_until_it_is_below_half(void **state)
{
    (void)state;
    unsigned rooms = 0;
    struct al_queue *q = new_queue(count_room, &rooms);
    push(q, AL_LANE_NET, 1, 50);
    push(q, AL_LANE_NET, 2, 50);
    assert_false(al_queue_full(q, AL_LANE_NET)); /* at the mark, not above */
    push(q, AL_LANE_NET, 3, 1);
    push(q, AL_LANE_NET, 4, 30);
    assert_true(al_queue_full(q, AL_LANE_NET));
    assert_false(al_queue_full(q, AL_LANE_LOCAL));
    assert_int_equal(pop(q), 1);
    assert_true(al_queue_full(q, AL_LANE_NET)); /* 81 of 100 */
    assert_int_equal(rooms, 0);
    assert_int_equal(pop(q), 2);
    assert_false(al_queue_full(q, AL_LANE_NET));
    assert_int_equal(rooms, 1);
    assert_int_equal(pop(q), 3);
    assert_int_equal(rooms, 1);
    al_queue_free(q, free_item);
}

static void a_wait_ends_at_its_time_or_at_once_when_there_is_something(void **state)
{
    (void)state;
    struct al_queue *q = new_queue(NULL, NULL);
    uint64_t until = uv_hrtime() + 2000000;
    al_queue_wait(q, until);
    assert_true(uv_hrtime() >= until);
    push(q, AL_LANE_NET, 1, 1);
    al_queue_wait(q, UINT64_MAX);
    al_queue_free(q, free_item);
}

static void close_later(void *arg)
{
    al_queue_close(arg);
}

static void closing_ends_every_wait(void **state)
{
    (void)state;
    struct al_queue *q = new_queue(NULL, NULL);
    push(q, AL_LANE_NET, 1, 1000);
    uv_thread_t thread;
    assert_int_equal(uv_thread_create(&thread, close_later, q), 0);
    al_queue_wait_room(q, AL_LANE_NET);
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_true(al_queue_closed(q));
    assert_int_equal(pop(q), 1);
    al_queue_wait(q, UINT64_MAX);
    al_queue_free(q, free_item);
}

#define MANY 20000

static void push_many(void *arg)
{
    struct al_queue *q = arg;
    for (unsigned i = 1; i <= MANY; i++) {
        al_queue_wait_room(q, AL_LANE_NET);
        push(q, AL_LANE_NET, i, 10);
    }
}

static void one_thread_fills_and_another_empties_without_loss(void **state)
{
    (void)state;
    struct al_queue *q = new_queue(NULL, NULL);
    uv_thread_t thread;
    assert_int_equal(uv_thread_create(&thread, push_many, q), 0);
    for (unsigned expected = 1; expected <= MANY;) {
        al_queue_wait(q, UINT64_MAX);
        unsigned number;
        while ((number = pop(q)) != 0)
            assert_int_equal(number, expected++);
    }
    assert_int_equal(uv_thread_join(&thread), 0);
    al_queue_free(q, free_item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_items_overtake_others_and_each_lane_keeps_its_order),
        cmocka_unit_test(a_lane_is_full_above_its_mark_until_it_is_below_half),
        cmocka_unit_test(a_wait_ends_at_its_time_or_at_once_when_there_is_something),
        cmocka_unit_test(closing_ends_every_wait),
        cmocka_unit_test(one_thread_fills_and_another_empties_without_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
