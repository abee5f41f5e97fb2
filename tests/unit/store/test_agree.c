/*
 * The two stores agree: the same random work (puts in any order, refused ones, removals, rollbacks,
 * dropped payloads, facts, reopening) leaves the same answers to every question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heapbuf.h"
#include "limit.h"
#include "rng.h"
#include "world.h"

#define LOGS 3
#define SEQ_RANGE 300
#define STEPS 400
#define SEEDS 6

/* --- all that a store answers, as bytes ----------------------------------------------------- */

static void dump_row(struct al_buf *b, const struct al_store_row *row)
{
    const uint64_t numbers[] = {
        row->pos, row->log_no, row->seq, row->time_ms, row->arrived_ms, row->plen, row->payload.n};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        al_buf_put_u64be(b, numbers[i]);
    al_buf_put(b, row->id.b, sizeof(row->id.b));
    al_buf_put(b, row->phash.b, sizeof(row->phash.b));
    al_buf_put(b, row->payload.p, row->payload.n);
}

static int on_row(void *arg, const struct al_store_row *row)
{
    dump_row(arg, row);
    return 0;
}

static int on_run(void *arg, const struct al_store_run *run)
{
    al_buf_put_u64be(arg, run->first);
    al_buf_put_u64be(arg, run->last);
    al_buf_put(arg, run->prev.b, sizeof(run->prev.b));
    return 0;
}

static int on_log(void *arg, const struct al_store_log *log)
{
    al_buf_put_u64be(arg, log->no);
    al_buf_put_u64be(arg, log->head_seq);
    al_buf_put_u64be(arg, log->held);
    al_buf_put(arg, log->head_id.b, sizeof(log->head_id.b));
    al_buf_put(arg, log->device.b, sizeof(log->device.b));
    return 0;
}

static int on_change(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    al_buf_put_u64be(arg, change->pos);
    al_buf_put_u64be(arg, (uint64_t)change->what);
    al_buf_put_u64be(arg, change->log_no);
    al_buf_put_u64be(arg, change->seq);
    if (row != NULL)
        dump_row(arg, row);
    return 0;
}

static int on_fact(void *arg, struct al_slice key, struct al_slice value)
{
    al_buf_put_u64be(arg, key.n);
    al_buf_put(arg, key.p, key.n);
    al_buf_put(arg, value.p, value.n);
    return 0;
}

static void dump_sigs(struct al_buf *b, struct world *w, uint32_t log_no)
{
    struct al_sig sig;
    uint64_t seq = 0;
    while (al_store_sig(w->s, &seq, &sig, log_no, seq + 1) == 0) {
        al_buf_put_u64be(b, seq);
        al_buf_put(b, sig.b, sizeof(sig.b));
    }
}

static struct al_buf dump(struct world *w)
{
    struct al_buf b = al_heapbuf();
    uint64_t pos;
    assert_int_equal(al_store_position(w->s, &pos), 0);
    al_buf_put_u64be(&b, pos);
    assert_int_equal(al_store_logs(w->s, on_log, &b), 0);
    for (uint32_t no = 1; no <= LOGS; no++) {
        assert_int_equal(al_store_runs(w->s, no, on_run, &b), 0);
        assert_int_equal(al_store_entries(w->s, no, 1, SEQ_RANGE, on_row, &b), 0);
        assert_int_equal(al_store_entries(w->s, no, 70, 90, on_row, &b), 0);
        dump_sigs(&b, w, no);
    }
    assert_int_equal(al_store_changes(w->s, 0, UINT32_MAX, on_change, &b), 0);
    assert_int_equal(al_store_changes(w->s, pos / 2, 7, on_change, &b), 0);
    for (int space = AL_SPACE_META; space <= AL_SPACE_EXCERPT; space++) {
        uint8_t prefix = 1;
        assert_int_equal(
            al_store_kv_scan(w->s, (enum al_space)space, (struct al_slice){0}, on_fact, &b), 0);
        assert_int_equal(
            al_store_kv_scan(w->s, (enum al_space)space, al_slice_of(&prefix, 1), on_fact, &b), 0);
    }
    assert_false(b.full);
    return b;
}

/* --- random work ---------------------------------------------------------------------------- */

static int put_somewhere(struct world *w, struct al_rng *r)
{
    uint32_t log_no =
        (uint32_t)(1 + al_rng_below(r, LOGS + 1)); /* sometimes there is no such log */
    uint64_t first = 1 + al_rng_below(r, SEQ_RANGE - 1);
    uint64_t last = first + al_rng_below(r, 20); /* sometimes over the end of the block */
    return try_put(w, log_no, first, last);
}

static int remove_somewhere(struct world *w, struct al_rng *r)
{
    uint32_t log_no = (uint32_t)(1 + al_rng_below(r, LOGS));
    uint64_t first = 1 + al_rng_below(r, SEQ_RANGE);
    return al_store_remove(w->s, log_no, first);
}

static int change_a_payload(struct world *w, struct al_rng *r)
{
    uint32_t log_no = (uint32_t)(1 + al_rng_below(r, LOGS));
    uint64_t seq = 1 + al_rng_below(r, SEQ_RANGE);
    struct al_store_item item = item_of(seq);
    if (al_rng_below(r, 2) == 0 || item.payload.n == 0)
        return al_store_payload_drop(w->s, log_no, seq);
    return al_store_payload_put(w->s, log_no, seq, item.payload);
}

static int change_a_fact(struct world *w, struct al_rng *r)
{
    uint8_t key[3], value[300];
    enum al_space space = (enum al_space)(AL_SPACE_META + (int)al_rng_below(r, AL_SPACE_EXCERPT));
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(al_rng_below(r, 3) * 127);
    struct al_slice k = al_slice_of(key, al_rng_below(r, sizeof(key) + 1));
    al_rng_bytes(r, value, sizeof(value));
    if (al_rng_below(r, 3) == 0)
        return al_store_kv_del(w->s, space, k);
    return al_store_kv_put(w->s, space, k, al_slice_of(value, al_rng_below(r, sizeof(value) + 1)));
}

static int log_a_change(struct world *w, struct al_rng *r)
{
    uint64_t pos;
    enum al_change what = (enum al_change)(AL_CHANGE_UNLOCKED + (int)al_rng_below(r, 5));
    return al_store_change(w->s, &pos, what, 1, al_rng_below(r, SEQ_RANGE));
}

/* One step; what it returned. */
static int step(struct world *w, struct al_rng *r)
{
    switch (al_rng_below(r, 20)) {
    case 0:
        commit(w);
        begin(w);
        return 0;
    case 1:
        al_store_rollback(w->s);
        begin(w);
        return 0;
    case 2:
        world_reopen(w);
        begin(w);
        return 0;
    case 3:
    case 4:
        return change_a_payload(w, r);
    case 5:
    case 6:
        return change_a_fact(w, r);
    case 7:
        return log_a_change(w, r);
    case 8:
        return remove_somewhere(w, r);
    default:
        return put_somewhere(w, r);
    }
}

static void same_work_leaves_the_same_answers(void **state)
{
    (void)state;
    for (uint8_t seed = 1; seed <= SEEDS; seed++) {
        struct world worlds[2];
        struct al_rng rngs[2];
        uint8_t key[32] = {seed};
        for (int k = MEM; k <= SQLITE; k++) {
            world_open(&worlds[k], (enum kind)k);
            al_rng_init(&rngs[k], key);
            begin(&worlds[k]);
            for (uint8_t n = 1; n <= LOGS; n++)
                add_log(&worlds[k], n);
            commit(&worlds[k]);
            begin(&worlds[k]);
        }
        for (int i = 0; i < STEPS; i++) {
            int mem = step(&worlds[MEM], &rngs[MEM]);
            int sqlite = step(&worlds[SQLITE], &rngs[SQLITE]);
            if (mem != sqlite)
                fail_msg(
                    "seed %d, step %d: %s and %s", seed, i, al_err_name(mem), al_err_name(sqlite));
        }
        struct al_buf mem = dump(&worlds[MEM]), sqlite = dump(&worlds[SQLITE]);
        if (!al_slice_eq(al_buf_slice(&mem), al_buf_slice(&sqlite)))
            fail_msg("seed %d: the answers differ", seed);
        assert_true(mem.n > 20000);
        al_heapbuf_free(&mem);
        al_heapbuf_free(&sqlite);
        world_close(&worlds[MEM]);
        world_close(&worlds[SQLITE]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_work_leaves_the_same_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
