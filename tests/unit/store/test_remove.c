/*
 * Taking entries out: random puts and removals beside a model that only knows which entries are
 * held, at which position, under which signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"
#include "rng.h"
#include "world.h"

#define SEQ_RANGE 320
#define STEPS 300
#define SEEDS 8

struct model {
    uint64_t pos[SEQ_RANGE + 2]; /* of each entry that is held, else 0 */
    bool sig[SEQ_RANGE + 2];
    uint64_t newest;
    uint64_t changes[STEPS]; /* positions of REMOVED, */
    uint64_t from[STEPS];    /* and what they say */
    size_t change_count;
};

static bool ends_block(uint64_t seq)
{
    return seq % AL_BLOCK_ENTRIES == 0;
}

static uint64_t end_of_block(uint64_t seq)
{
    return (seq + AL_BLOCK_ENTRIES - 1) / AL_BLOCK_ENTRIES * AL_BLOCK_ENTRIES;
}

/* A signature stays where a block or a run ends. */
static void model_sigs(struct model *m)
{
    for (uint64_t seq = 1; seq <= SEQ_RANGE; seq++) {
        bool ends = ends_block(seq) || m->pos[seq + 1] == 0;
        m->sig[seq] = m->sig[seq] && m->pos[seq] != 0 && ends;
    }
}

static int model_put(struct model *m, uint64_t first, uint64_t last)
{
    if (end_of_block(first) != end_of_block(last))
        return AL_E_BLOCK;
    for (uint64_t seq = first; seq <= last; seq++) {
        if (m->pos[seq] != 0)
            return AL_E_EXISTS;
    }
    for (uint64_t seq = first; seq <= last; seq++)
        m->pos[seq] = ++m->newest;
    m->sig[last] = true;
    model_sigs(m);
    return 0;
}

static int model_remove(struct model *m, uint64_t first)
{
    uint64_t count = 0;
    for (uint64_t seq = first; seq <= end_of_block(first) && seq <= SEQ_RANGE; seq++)
        count += m->pos[seq] != 0;
    if (count == 0)
        return AL_E_NOT_FOUND;
    if (first > 1 && !ends_block(first - 1) && m->pos[first - 1] != 0)
        return AL_E_BLOCK;
    for (uint64_t seq = first; seq <= end_of_block(first) && seq <= SEQ_RANGE; seq++) {
        m->pos[seq] = 0;
        m->sig[seq] = false;
    }
    m->from[m->change_count] = first;
    m->changes[m->change_count++] = ++m->newest;
    return 0;
}

/* --- comparing ------------------------------------------------------------------------------ */

struct seen {
    const struct model *m;
    uint64_t at; /* the last entry, run or change that was seen */
    uint64_t count;
};

static int on_row(void *arg, const struct al_store_row *row)
{
    struct seen *seen = arg;
    struct al_store_item item = item_of(row->seq);
    assert_int_equal(row->pos, seen->m->pos[row->seq]);
    assert_memory_equal(row->id.b, item.id.b, 32);
    assert_true(al_slice_eq(row->payload, item.payload));
    assert_true(row->seq > seen->at);
    seen->at = row->seq;
    seen->count++;
    return 0;
}

static int on_run(void *arg, const struct al_store_run *run)
{
    struct seen *seen = arg;
    struct al_hash prev = id_of(run->first - 1);
    assert_memory_equal(run->prev.b, prev.b, 32);
    assert_int_equal(seen->m->pos[run->first - 1], 0);
    assert_int_equal(seen->m->pos[run->last + 1], 0);
    for (uint64_t seq = run->first; seq <= run->last; seq++)
        assert_true(seen->m->pos[seq] != 0);
    seen->count += run->last - run->first + 1;
    return 0;
}

static int on_change(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    struct seen *seen = arg;
    assert_true(change->pos > seen->at);
    seen->at = change->pos;
    if (change->what == AL_CHANGE_ENTRY) {
        assert_int_equal(row->pos, change->pos);
        assert_int_equal(seen->m->pos[change->seq], change->pos);
        seen->count++;
        return 0;
    }
    assert_int_equal(change->what, AL_CHANGE_REMOVED);
    assert_null(row);
    for (size_t i = 0; i < seen->m->change_count; i++) {
        if (seen->m->changes[i] == change->pos) {
            assert_int_equal(seen->m->from[i], change->seq);
            seen->count++;
            return 0;
        }
    }
    fail();
    return 0;
}

static void expect_sigs(struct world *w, const struct model *m)
{
    struct al_sig sig;
    uint64_t seq = 0, at = 0;
    while (al_store_sig(w->s, &at, &sig, 1, seq + 1) == 0) {
        for (seq++; seq < at; seq++)
            assert_false(m->sig[seq]);
        assert_true(m->sig[at]);
    }
    for (seq++; seq <= SEQ_RANGE; seq++)
        assert_false(m->sig[seq]);
}

static void expect_model(struct world *w, const struct model *m)
{
    struct seen rows = {.m = m}, runs = {.m = m}, changes = {.m = m};
    struct al_store_log log;
    struct al_store_row row;
    uint64_t held = 0, head = 0, pos;
    for (uint64_t seq = 1; seq <= SEQ_RANGE; seq++) {
        held += m->pos[seq] != 0;
        head = m->pos[seq] != 0 ? seq : head;
        int err = al_store_get(w->s, &row, 1, seq);
        assert_int_equal(err, m->pos[seq] != 0 ? 0 : AL_E_NOT_FOUND);
        if (err == 0)
            assert_int_equal(row.pos, m->pos[seq]);
    }
    assert_int_equal(al_store_entries(w->s, 1, 1, SEQ_RANGE, on_row, &rows), 0);
    assert_int_equal(rows.count, held);
    assert_int_equal(al_store_runs(w->s, 1, on_run, &runs), 0);
    assert_int_equal(runs.count, held);
    assert_int_equal(al_store_changes(w->s, 0, UINT32_MAX, on_change, &changes), 0);
    assert_int_equal(changes.count, held + m->change_count);
    assert_int_equal(al_store_position(w->s, &pos), 0);
    assert_int_equal(pos, m->newest);
    assert_int_equal(al_store_log_get(w->s, &log, 1), 0);
    assert_int_equal(log.held, held);
    assert_int_equal(log.head_seq, head);
    struct al_hash id = {{0}};
    if (head > 0)
        id = id_of(head);
    assert_memory_equal(log.head_id.b, id.b, 32);
    expect_sigs(w, m);
}

/* --- random work ---------------------------------------------------------------------------- */

static void step(struct world *w, struct model *m, struct al_rng *r)
{
    uint64_t first = 1 + al_rng_below(r, SEQ_RANGE - 40);
    uint64_t kind = al_rng_below(r, 12);
    if (kind < 2) { /* mostly where it may be done */
        if (kind == 0)
            first = (first - 1) / AL_BLOCK_ENTRIES * AL_BLOCK_ENTRIES + 1;
        assert_int_equal(al_store_remove(w->s, 1, first), model_remove(m, first));
    } else if (kind >= 10) { /* one after the other, over the ends of blocks */
        uint64_t end = end_of_block(first);
        for (uint64_t last = end; last <= end + AL_BLOCK_ENTRIES && last <= SEQ_RANGE;
             first = last + 1, last = end_of_block(first))
            assert_int_equal(try_put(w, 1, first, last), model_put(m, first, last));
    } else {
        uint64_t last = first + al_rng_below(r, kind < 6 ? 40 : 4);
        assert_int_equal(try_put(w, 1, first, last), model_put(m, first, last));
    }
}

static void random_work_leaves_what_the_model_holds(enum kind kind)
{
    for (uint8_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct model m = {0};
        struct al_rng r;
        uint8_t key[32] = {seed};
        al_rng_init(&r, key);
        world_open(&w, kind);
        begin(&w);
        add_log(&w, 1);
        for (int i = 0; i < STEPS; i++) {
            step(&w, &m, &r);
            if (i % 25 != 0)
                continue;
            expect_model(&w, &m);
            commit(&w);
            world_reopen(&w);
            begin(&w);
        }
        expect_model(&w, &m);
        assert_true(m.change_count > 10);
        commit(&w);
        world_close(&w);
    }
}

static void mem_as_the_model(void **state)
{
    (void)state;
    random_work_leaves_what_the_model_holds(MEM);
}

static void sqlite_as_the_model(void **state)
{
    (void)state;
    random_work_leaves_what_the_model_holds(SQLITE);
}

/* --- what the model does not know ----------------------------------------------------------- */

struct count {
    int payloads_in, all;
};

static int count_changes(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    struct count *n = arg;
    n->all++;
    n->payloads_in += change->what == AL_CHANGE_PAYLOAD_IN;
    assert_true(row == NULL || row->pos <= change->pos);
    return 0;
}

/* A payload that came in for an entry that is gone is no news of the one that came after it. */
static void payloads_of_what_is_gone_are_no_news(void **state)
{
    (void)state;
    for (int kind = MEM; kind <= SQLITE; kind++) {
        struct world w;
        struct count n = {0};
        struct al_store_item item = item_of(3);
        world_open(&w, (enum kind)kind);
        begin(&w);
        add_log(&w, 1);
        put_all(&w, 1, 1, 3);
        assert_int_equal(al_store_payload_drop(w.s, 1, 3), 0);
        assert_int_equal(al_store_payload_put(w.s, 1, 3, item.payload), 0);
        assert_int_equal(al_store_changes(w.s, 0, 100, count_changes, &n), 0);
        assert_int_equal(n.payloads_in, 1);
        assert_int_equal(al_store_remove(w.s, 1, 1), 0);
        n = (struct count){0};
        assert_int_equal(al_store_changes(w.s, 0, 100, count_changes, &n), 0);
        assert_int_equal(n.payloads_in, 0);
        assert_int_equal(n.all, 2); /* out, removed */
        put_all(&w, 1, 1, 3);
        n = (struct count){0};
        /* What is left out does not count either: a page is never empty before the last one. */
        assert_int_equal(al_store_changes(w.s, 4, 2, count_changes, &n), 0);
        assert_int_equal(n.payloads_in, 0);
        assert_int_equal(n.all, 2);
        commit(&w);
        world_close(&w);
    }
}

static void nothing_of_it_is_found_in_the_files(void **state)
{
    static const char secret[] = "taken out, and not to be found again";
    struct world w;
    uint64_t pos;
    (void)state;
    world_open(&w, SQLITE);
    begin(&w);
    uint32_t no = add_log(&w, 1);
    struct al_store_item item = {
        .id = id_of(1), .plen = sizeof(secret), .payload = al_slice_of(secret, sizeof(secret))};
    struct al_hash prev = id_of(0);
    struct al_sig sig = sig_of(1);
    assert_int_equal(al_store_put(w.s, &pos, no, 1, &prev, &item, 1, &sig, 5), 0);
    commit(&w);
    assert_true(world_holds_bytes(&w, secret, sizeof(secret)));
    begin(&w);
    assert_int_equal(al_store_remove(w.s, no, 1), 0);
    commit(&w);
    assert_int_equal(al_store_tidy(w.s), 0);
    assert_false(world_holds_bytes(&w, secret, sizeof(secret)));
    world_close(&w);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    for (int kind = MEM; kind <= SQLITE; kind++) {
        struct world w;
        world_open(&w, (enum kind)kind);
        begin(&w);
        assert_int_equal(al_store_remove(w.s, 1, 1), AL_E_NOT_FOUND);
        add_log(&w, 1);
        add_log(&w, 2);
        put_all(&w, 1, 3, 5);
        put_all(&w, 2, 1, 70);
        assert_int_equal(al_store_remove(w.s, 1, 4), AL_E_BLOCK);
        assert_int_equal(al_store_remove(w.s, 1, 6), AL_E_NOT_FOUND);
        assert_int_equal(al_store_remove(w.s, 1, 65), AL_E_NOT_FOUND);
        assert_int_equal(al_store_remove(w.s, 1, 3), 0);
        assert_int_equal(al_store_remove(w.s, 1, 3), AL_E_NOT_FOUND);
        al_store_rollback(w.s);
        begin(&w);
        assert_int_equal(al_store_remove(w.s, 1, 1), AL_E_NOT_FOUND);
        al_store_rollback(w.s);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mem_as_the_model),
        cmocka_unit_test(sqlite_as_the_model),
        cmocka_unit_test(payloads_of_what_is_gone_are_no_news),
        cmocka_unit_test(nothing_of_it_is_found_in_the_files),
        cmocka_unit_test(what_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
