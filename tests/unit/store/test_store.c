/* Every promise of store.h, proved for the store in memory and for SQLite by the same cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "limit.h"
#include "world.h"

/* --- seeing what is there ------------------------------------------------------------------ */

/* A growing line of text, to compare what came out with what should. */
struct line {
    char text[8192];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct line *l, const char *form, ...)
{
    va_list args;
    va_start(args, form);
    int n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, form, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(l->text) - l->n);
    l->n += (size_t)n;
}

static int say_run(void *arg, const struct al_store_run *run)
{
    struct al_hash prev = id_of(run->first - 1);
    assert_memory_equal(prev.b, run->prev.b, 32);
    say(arg, "%" PRIu64 "-%" PRIu64 " ", run->first, run->last);
    return 0;
}

static void expect_runs(struct world *w, uint32_t log_no, const char *wanted)
{
    struct line l = {.n = 0};
    assert_int_equal(al_store_runs(w->s, log_no, say_run, &l), 0);
    assert_string_equal(l.text, wanted);
}

/* The places of all signatures that are kept. */
static void expect_sigs(struct world *w, uint32_t log_no, const char *wanted)
{
    struct line l = {.n = 0};
    struct al_sig sig;
    uint64_t seq = 0;
    int err;
    while ((err = al_store_sig(w->s, &seq, &sig, log_no, seq + 1)) == 0) {
        struct al_sig right = sig_of(seq);
        assert_memory_equal(sig.b, right.b, sizeof(sig.b));
        say(&l, "%" PRIu64 " ", seq);
    }
    assert_int_equal(err, AL_E_NOT_FOUND);
    assert_string_equal(l.text, wanted);
}

static void expect_row(const struct al_store_row *row, uint32_t log_no, uint64_t seq)
{
    struct al_store_item item = item_of(seq);
    assert_int_equal(row->log_no, log_no);
    assert_int_equal(row->seq, seq);
    assert_int_equal(row->time_ms, item.time_ms);
    assert_memory_equal(row->id.b, item.id.b, 32);
    assert_int_equal(row->plen, item.plen);
    assert_true(al_slice_eq(row->payload, item.payload));
    struct al_hash phash = item.phash;
    if (item.payload.n > 0)
        al_hash1(&phash, AL_P_PAYLOAD, item.payload.p, item.payload.n);
    assert_memory_equal(row->phash.b, phash.b, 32);
}

static int say_change(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    static const char *const words[] = {
        "", "entry", "in", "out", "unlocked", "hidden", "frozen", "state", "people"};
    bool has_row = change->what == AL_CHANGE_ENTRY || change->what == AL_CHANGE_PAYLOAD_IN;
    assert_int_equal(row != NULL, has_row);
    if (has_row) {
        assert_int_equal(row->log_no, change->log_no);
        assert_int_equal(row->seq, change->seq);
        struct al_hash id = id_of(row->seq);
        assert_memory_equal(row->id.b, id.b, 32);
    }
    say(arg, "%s %" PRIu32 "/%" PRIu64 "@%" PRIu64 " ", words[change->what], change->log_no,
        change->seq, change->pos);
    return 0;
}

static void expect_changes(struct world *w, uint64_t from, uint32_t limit, const char *wanted)
{
    struct line l = {.n = 0};
    assert_int_equal(al_store_changes(w->s, from, limit, say_change, &l), 0);
    assert_string_equal(l.text, wanted);
}

/* --- logs and entries ---------------------------------------------------------------------- */

static int collect_log(void *arg, const struct al_store_log *log)
{
    say(arg, "%" PRIu32 ":%" PRIu64 " ", log->no, log->head_seq);
    return 0;
}

static void logs_are_found_by_name_and_by_number(struct world *w)
{
    begin(w);
    assert_int_equal(add_log(w, 1), 1);
    assert_int_equal(add_log(w, 2), 2);
    put_all(w, 2, 1, 5);
    commit(w);

    struct al_store_log log;
    struct al_device device = device_of(2);
    struct al_logname name = name_of(2), other = name_of(3);
    assert_int_equal(al_store_log_find(w->s, &log, &device, &name), 0);
    assert_int_equal(log.no, 2);
    assert_int_equal(log.identity.b[0], identity_of(2).b[0]);
    assert_int_equal(log.head_seq, 5);
    assert_int_equal(log.held, 5);
    struct al_hash head = id_of(5);
    assert_memory_equal(log.head_id.b, head.b, 32);

    assert_int_equal(al_store_log_get(w->s, &log, 1), 0);
    assert_memory_equal(log.device.b, device_of(1).b, 32);
    assert_memory_equal(log.log.b, name_of(1).b, 8);
    assert_int_equal(log.head_seq, 0);
    assert_int_equal(al_store_log_find(w->s, &log, &device, &other), AL_E_NOT_FOUND);
    assert_int_equal(al_store_log_get(w->s, &log, 3), AL_E_NOT_FOUND);
    assert_int_equal(al_store_log_get(w->s, &log, 0), AL_E_NOT_FOUND);

    struct line l = {.n = 0};
    assert_int_equal(al_store_logs(w->s, collect_log, &l), 0);
    assert_string_equal(l.text, "1:0 2:5 ");
}

static void a_log_can_be_added_only_once(struct world *w)
{
    struct al_identity identity = identity_of(9);
    struct al_device device = device_of(1);
    struct al_logname name = name_of(1);
    uint32_t no = 77;
    begin(w);
    add_log(w, 1);
    assert_int_equal(al_store_log_add(w->s, &no, &identity, &device, &name), AL_E_EXISTS);
    assert_int_equal(no, 77);
    commit(w);
}

static int check_rows(void *arg, const struct al_store_row *row)
{
    expect_row(row, 1, row->seq);
    assert_int_equal(row->arrived_ms, 1800000000001 + (row->seq - 1) / 64 * 64);
    return say_change(arg, &(struct al_store_change){row->pos, AL_CHANGE_ENTRY, 1, row->seq}, row);
}

static void entries_come_back_as_they_were_put(struct world *w)
{
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 150);
    commit(w);
    world_reopen(w);
    for (uint64_t seq = 1; seq <= 150; seq++) {
        struct al_store_row row;
        assert_int_equal(al_store_get(w->s, &row, 1, seq), 0);
        assert_int_equal(row.pos, seq);
        expect_row(&row, 1, seq);
    }
    struct al_store_row row;
    assert_int_equal(al_store_get(w->s, &row, 1, 151), AL_E_NOT_FOUND);
    assert_int_equal(al_store_get(w->s, &row, 1, 0), AL_E_NOT_FOUND);
    assert_int_equal(al_store_get(w->s, &row, 2, 1), AL_E_NOT_FOUND);

    struct line l = {.n = 0};
    assert_int_equal(al_store_entries(w->s, 1, 63, 66, check_rows, &l), 0);
    assert_string_equal(l.text, "entry 1/63@63 entry 1/64@64 entry 1/65@65 entry 1/66@66 ");
}

static void a_payload_of_the_largest_size_comes_back(struct world *w)
{
    static uint8_t bytes[AL_PAYLOAD_MAX];
    struct al_store_item item = {.id = id_of(1), .plen = AL_PAYLOAD_MAX};
    struct al_hash prev = id_of(0);
    struct al_sig sig = sig_of(1);
    uint64_t pos;
    memset(bytes, 0xa5, sizeof(bytes));
    item.payload = al_slice_of(bytes, sizeof(bytes));
    begin(w);
    add_log(w, 1);
    assert_int_equal(al_store_put(w->s, &pos, 1, 1, &prev, &item, 1, &sig, 7), 0);
    commit(w);
    struct al_store_row row;
    assert_int_equal(al_store_get(w->s, &row, 1, 1), 0);
    assert_true(al_slice_eq(row.payload, item.payload));
    assert_int_equal(row.plen, AL_PAYLOAD_MAX);
}

static int say_seq(void *arg, const struct al_store_row *row)
{
    say(arg, "%" PRIu64 " ", row->seq);
    return row->seq == 130 ? 42 : 0;
}

static void entries_are_read_across_gaps_until_the_callback_says_stop(struct world *w)
{
    struct line l = {.n = 0};
    begin(w);
    add_log(w, 1);
    add_log(w, 2);
    put_all(w, 1, 129, 131);
    put_all(w, 1, 62, 66);
    put_all(w, 2, 60, 70);
    commit(w);
    assert_int_equal(al_store_entries(w->s, 1, 1, 128, say_seq, &l), 0);
    assert_string_equal(l.text, "62 63 64 65 66 ");
    l = (struct line){.n = 0};
    assert_int_equal(al_store_entries(w->s, 1, 66, UINT32_MAX, say_seq, &l), 42);
    assert_string_equal(l.text, "66 129 130 ");
    l = (struct line){.n = 0};
    assert_int_equal(al_store_entries(w->s, 1, 67, 128, say_seq, &l), 0);
    assert_string_equal(l.text, "");
}

/* --- runs and signatures ------------------------------------------------------------------- */

static void runs_join_on_either_side(struct world *w)
{
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 129, 140);
    put_all(w, 1, 65, 100);
    expect_runs(w, 1, "129-140 65-100 ");
    put_all(w, 1, 110, 128);
    expect_runs(w, 1, "110-140 65-100 ");
    put_all(w, 1, 101, 105);
    expect_runs(w, 1, "110-140 65-105 ");
    put_all(w, 1, 106, 109);
    expect_runs(w, 1, "65-140 ");
    put_all(w, 1, 1, 64);
    expect_runs(w, 1, "1-140 ");
    expect_runs(w, 2, "");
    commit(w);
    struct al_store_log log;
    assert_int_equal(al_store_log_get(w->s, &log, 1), 0);
    assert_int_equal(log.head_seq, 140);
    assert_int_equal(log.held, 140);
}

static void signatures_stay_at_ends_of_blocks_and_of_runs_only(struct world *w)
{
    begin(w);
    uint64_t seq;
    add_log(w, 1);
    add_log(w, 2);
    put_all(w, 2, 1, 3);
    put_all(w, 1, 1, 10);
    expect_sigs(w, 1, "10 ");
    put_all(w, 1, 11, 20);
    expect_sigs(w, 1, "20 ");
    put_all(w, 1, 31, 40);
    expect_sigs(w, 1, "20 40 ");
    put_all(w, 1, 21, 30);
    expect_sigs(w, 1, "40 ");
    put_all(w, 1, 41, 64);
    put_all(w, 1, 65, 66);
    expect_sigs(w, 1, "64 66 ");
    put_all(w, 1, 67, 200);
    expect_sigs(w, 1, "64 128 192 200 ");
    put_all(w, 1, 260, 270);
    struct al_store_item item = item_of(259);
    struct al_hash prev = id_of(258);
    assert_int_equal(al_store_put(w->s, &seq, 1, 259, &prev, &item, 1, NULL, 7), 0);
    expect_sigs(w, 1, "64 128 192 200 270 ");
    put_all(w, 1, 257, 258);
    item = item_of(256);
    prev = id_of(255);
    assert_int_equal(al_store_put(w->s, &seq, 1, 256, &prev, &item, 1, NULL, 7), AL_E_SIG);
    expect_sigs(w, 2, "3 ");
    commit(w);

    struct al_sig sig;
    assert_int_equal(al_store_sig(w->s, &seq, &sig, 1, 64), 0);
    assert_int_equal(seq, 64);
    assert_int_equal(al_store_sig(w->s, &seq, &sig, 1, 65), 0);
    assert_int_equal(seq, 128);
}

static void what_does_not_fit_is_refused_and_changes_nothing(struct world *w)
{
    struct al_store_item item = item_of(41);
    struct al_hash wrong = id_of(7);
    struct al_sig sig = sig_of(41);
    uint64_t pos = 99;
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 11, 20);
    put_all(w, 1, 31, 40);
    put_all(w, 1, 51, 60);

    assert_int_equal(try_put(w, 1, 5, 11), AL_E_EXISTS);
    assert_int_equal(try_put(w, 1, 20, 22), AL_E_EXISTS);
    assert_int_equal(try_put(w, 1, 12, 13), AL_E_EXISTS);
    assert_int_equal(try_put(w, 1, 25, 45), AL_E_EXISTS);
    assert_int_equal(try_put(w, 1, 31, 31), AL_E_EXISTS);
    assert_int_equal(try_put(w, 1, 61, 65), AL_E_BLOCK);
    assert_int_equal(try_put(w, 2, 1, 5), AL_E_NOT_FOUND);
    /* Does not follow 40, which is no head; nor 60, which is; is not followed by 51. */
    assert_int_equal(al_store_put(w->s, &pos, 1, 41, &wrong, &item, 1, &sig, 7), AL_E_PREV);
    assert_int_equal(al_store_put(w->s, &pos, 1, 61, &wrong, &item, 1, &sig, 7), AL_E_PREV);
    assert_int_equal(al_store_put(w->s, &pos, 1, 50, &wrong, &item, 1, &sig, 7), AL_E_PREV);
    /* Only an entry before one that is held can do without a signature, but for a block's last. */
    assert_int_equal(al_store_put(w->s, &pos, 1, 3, &wrong, &item, 1, NULL, 7), AL_E_SIG);
    assert_int_equal(pos, 99);
    commit(w);

    expect_runs(w, 1, "51-60 31-40 11-20 ");
    expect_sigs(w, 1, "20 40 60 ");
    assert_int_equal(al_store_position(w->s, &pos), 0);
    assert_int_equal(pos, 30);
}

/* --- positions and changes ----------------------------------------------------------------- */

static void one_counter_numbers_entries_and_other_changes(struct world *w)
{
    uint64_t pos;
    assert_int_equal(al_store_position(w->s, &pos), 0);
    assert_int_equal(pos, 0);
    begin(w);
    add_log(w, 1);
    add_log(w, 2);
    assert_int_equal(put_all(w, 1, 3, 4), 2);
    assert_int_equal(al_store_change(w->s, &pos, AL_CHANGE_STATE, 0, 0), 0);
    assert_int_equal(pos, 3);
    assert_int_equal(put_all(w, 2, 1, 2), 5);
    assert_int_equal(al_store_change(w->s, &pos, AL_CHANGE_FROZEN, 1, 4), 0);
    assert_int_equal(al_store_payload_drop(w->s, 1, 3), 0);
    commit(w);
    world_reopen(w);
    begin(w);
    assert_int_equal(put_all(w, 1, 2, 2), 8);
    commit(w);
    expect_changes(w, 0, 100,
        "entry 1/3@1 entry 1/4@2 state 0/0@3 entry 2/1@4 entry 2/2@5 frozen 1/4@6 out 1/3@7 "
        "entry 1/2@8 ");
    expect_changes(w, 2, 2, "state 0/0@3 entry 2/1@4 ");
    expect_changes(w, 5, 2, "frozen 1/4@6 out 1/3@7 ");
    expect_changes(w, 8, 5, "");
    expect_changes(w, 0, 0, "");
}

static int stop_at_two(
    void *arg, const struct al_store_change *change, const struct al_store_row *row)
{
    (void)arg;
    (void)row;
    return change->pos == 2 ? -5 : 0;
}

static void a_follower_can_stop_in_the_middle(struct world *w)
{
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 3);
    commit(w);
    assert_int_equal(al_store_changes(w->s, 0, 100, stop_at_two, NULL), -5);
    expect_changes(w, 2, 9, "entry 1/3@3 ");
}

static void payloads_go_and_come_back(struct world *w)
{
    struct al_store_row row;
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 12);
    assert_int_equal(al_store_payload_drop(w->s, 1, 3), 0);
    assert_int_equal(al_store_payload_drop(w->s, 1, 3), 0); /* once is enough */
    assert_int_equal(al_store_payload_drop(w->s, 1, 99), AL_E_NOT_FOUND);
    commit(w);

    struct al_store_item item = item_of(3);
    struct al_hash phash;
    al_hash1(&phash, AL_P_PAYLOAD, item.payload.p, item.payload.n);
    assert_int_equal(al_store_get(w->s, &row, 1, 3), 0);
    assert_int_equal(row.payload.n, 0);
    assert_int_equal(row.plen, item.plen);
    assert_memory_equal(row.phash.b, phash.b, 32);
    assert_memory_equal(row.id.b, item.id.b, 32);

    begin(w);
    assert_int_equal(al_store_payload_put(w->s, 1, 3, item.payload), 0);
    assert_int_equal(al_store_payload_put(w->s, 1, 3, item.payload), 0);
    assert_int_equal(al_store_payload_put(w->s, 2, 3, item.payload), AL_E_NOT_FOUND);
    commit(w);
    assert_int_equal(al_store_get(w->s, &row, 1, 3), 0);
    expect_row(&row, 1, 3);
    expect_changes(w, 12, 9, "out 1/3@13 in 1/3@14 ");
}

/* --- small facts --------------------------------------------------------------------------- */

static void put_fact(struct world *w, enum al_space space, const char *key, const char *value)
{
    assert_int_equal(al_store_kv_put(w->s, space, al_slice_str(key), al_slice_str(value)), 0);
}

static int say_fact(void *arg, struct al_slice key, struct al_slice value)
{
    say(arg, "%.*s=%.*s ", (int)key.n, (const char *)key.p, (int)value.n, (const char *)value.p);
    return al_slice_is(value, "stop") ? 9 : 0;
}

static void expect_facts(
    struct world *w, enum al_space space, const char *prefix, int result, const char *wanted)
{
    struct line l = {.n = 0};
    assert_int_equal(al_store_kv_scan(w->s, space, al_slice_str(prefix), say_fact, &l), result);
    assert_string_equal(l.text, wanted);
}

static void facts_are_kept_in_their_space(struct world *w)
{
    struct al_slice v;
    begin(w);
    put_fact(w, AL_SPACE_META, "a", "1");
    put_fact(w, AL_SPACE_STATE, "a", "2");
    put_fact(w, AL_SPACE_META, "a", "3");
    put_fact(w, AL_SPACE_META, "empty", "");
    commit(w);
    world_reopen(w);
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_META, al_slice_str("a")), 0);
    assert_true(al_slice_is(v, "3"));
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_STATE, al_slice_str("a")), 0);
    assert_true(al_slice_is(v, "2"));
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_META, al_slice_str("empty")), 0);
    assert_int_equal(v.n, 0);
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_PEER, al_slice_str("a")), AL_E_NOT_FOUND);

    begin(w);
    assert_int_equal(al_store_kv_del(w->s, AL_SPACE_META, al_slice_str("a")), 0);
    assert_int_equal(al_store_kv_del(w->s, AL_SPACE_META, al_slice_str("a")), 0);
    commit(w);
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_META, al_slice_str("a")), AL_E_NOT_FOUND);
    assert_int_equal(al_store_kv_get(w->s, &v, AL_SPACE_STATE, al_slice_str("a")), 0);
}

static void facts_are_scanned_by_prefix_in_order(struct world *w)
{
    begin(w);
    put_fact(w, AL_SPACE_REPLY, "b", "3");
    put_fact(w, AL_SPACE_REPLY, "ab", "2");
    put_fact(w, AL_SPACE_REPLY, "a", "1");
    put_fact(w, AL_SPACE_REPLY, "a\xff", "x");
    put_fact(w, AL_SPACE_REPLY, "\xff\xff", "y");
    put_fact(w, AL_SPACE_REPLY, "\xff\xff\x01", "z");
    put_fact(w, AL_SPACE_FORK, "a", "other");
    commit(w);
    expect_facts(w, AL_SPACE_REPLY, "a", 0, "a=1 ab=2 a\xff=x ");
    expect_facts(w, AL_SPACE_REPLY, "a\xff", 0, "a\xff=x ");
    expect_facts(w, AL_SPACE_REPLY, "\xff\xff", 0, "\xff\xff=y \xff\xff\x01=z ");
    expect_facts(w, AL_SPACE_REPLY, "c", 0, "");
    expect_facts(w, AL_SPACE_REPLY, "", 0, "a=1 ab=2 a\xff=x b=3 \xff\xff=y \xff\xff\x01=z ");
    begin(w);
    put_fact(w, AL_SPACE_REPLY, "ab", "stop");
    commit(w);
    expect_facts(w, AL_SPACE_REPLY, "", 9, "a=1 ab=stop ");
}

/* --- transactions -------------------------------------------------------------------------- */

static void rollback_undoes_everything(struct world *w)
{
    uint64_t pos;
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 10);
    put_fact(w, AL_SPACE_META, "k", "old");
    commit(w);

    begin(w);
    add_log(w, 2);
    put_all(w, 1, 11, 70);
    put_fact(w, AL_SPACE_META, "k", "new");
    put_fact(w, AL_SPACE_META, "k", "newer");
    put_fact(w, AL_SPACE_META, "l", "new");
    assert_int_equal(al_store_kv_del(w->s, AL_SPACE_META, al_slice_str("l")), 0);
    assert_int_equal(al_store_kv_del(w->s, AL_SPACE_META, al_slice_str("k")), 0);
    assert_int_equal(al_store_payload_drop(w->s, 1, 1), 0);
    al_store_rollback(w->s);

    expect_runs(w, 1, "1-10 ");
    expect_sigs(w, 1, "10 ");
    expect_facts(w, AL_SPACE_META, "", 0, "k=old ");
    struct al_store_row row;
    assert_int_equal(al_store_get(w->s, &row, 1, 1), 0);
    expect_row(&row, 1, 1);
    assert_int_equal(al_store_position(w->s, &pos), 0);
    assert_int_equal(pos, 10);
    begin(w);
    assert_int_equal(add_log(w, 3), 2);
    assert_int_equal(put_all(w, 1, 11, 11), 11);
    commit(w);
}

static void closing_rolls_back(struct world *w)
{
    begin(w);
    add_log(w, 1);
    commit(w);
    begin(w);
    put_all(w, 1, 1, 10);
    world_reopen(w);
    expect_runs(w, 1, "");
}

static void a_transaction_reads_its_own_writes(struct world *w)
{
    struct al_store_row row;
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 2);
    assert_int_equal(al_store_get(w->s, &row, 1, 2), 0);
    expect_row(&row, 1, 2);
    expect_changes(w, 0, 9, "entry 1/1@1 entry 1/2@2 ");
    commit(w);
}

struct nested {
    struct world *w;
    struct line l;
};

static int read_inner(void *arg, const struct al_store_row *row)
{
    struct nested *n = arg;
    say(&n->l, "%" PRIu64 " ", row->seq);
    return 0;
}

static int read_outer(void *arg, const struct al_store_row *row)
{
    struct nested *n = arg;
    struct al_store_row other;
    assert_int_equal(al_store_get(n->w->s, &other, 1, 9), 0);
    expect_row(row, 1, row->seq);
    assert_int_equal(al_store_entries(n->w->s, 1, 7, 8, read_inner, n), 0);
    expect_row(row, 1, row->seq);
    return 0;
}

static void callbacks_may_read(struct world *w)
{
    struct nested n = {.w = w};
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 9);
    commit(w);
    assert_int_equal(al_store_entries(w->s, 1, 2, 3, read_outer, &n), 0);
    assert_string_equal(n.l.text, "7 8 7 8 ");
}

static void tidying_loses_nothing(struct world *w)
{
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 200);
    commit(w);
    assert_int_equal(al_store_tidy(w->s), 0);
    expect_runs(w, 1, "1-200 ");
}

static void what_is_taken_out_makes_it_untidy(struct world *w)
{
    begin(w);
    add_log(w, 1);
    put_all(w, 1, 1, 3);
    assert_int_equal(
        al_store_kv_put(w->s, AL_SPACE_OUTBOX, al_slice_str("1"), al_slice_str("words")), 0);
    commit(w);
    assert_false(al_store_is_untidy(w->s));
    begin(w);
    assert_int_equal(al_store_payload_drop(w->s, 1, 2), 0);
    commit(w);
    assert_true(al_store_is_untidy(w->s));
    assert_int_equal(al_store_tidy(w->s), 0);
    assert_false(al_store_is_untidy(w->s));
    begin(w);
    assert_int_equal(al_store_kv_del(w->s, AL_SPACE_OUTBOX, al_slice_str("1")), 0);
    commit(w);
    assert_true(al_store_is_untidy(w->s));
}

/* --- in memory only ------------------------------------------------------------------------ */

static void a_failed_commit_leaves_only_doubt(void **state)
{
    for (int there = 0; there <= 1; there++) {
        struct world w;
        struct al_slice v;
        uint64_t pos;
        world_open(&w, MEM);
        al_store_disk_fail_commit(w.disk, AL_E_IO, there == 1);
        begin(&w);
        put_fact(&w, AL_SPACE_META, "a", "1");
        assert_int_equal(al_store_commit(w.s), AL_E_IO);
        assert_int_equal(al_store_begin(w.s), AL_E_DOUBT);
        assert_int_equal(al_store_position(w.s, &pos), AL_E_DOUBT);
        world_reopen(&w);
        assert_int_equal(al_store_kv_get(w.s, &v, AL_SPACE_META, al_slice_str("a")),
            there == 1 ? 0 : AL_E_NOT_FOUND);
        begin(&w);
        commit(&w);
        world_close(&w);
    }
    (void)state;
}

static void a_disk_holds_one_open_store(void **state)
{
    struct world w;
    struct al_store *second;
    world_open(&w, MEM);
    assert_int_equal(al_store_open_disk(&second, w.disk), AL_E_BUSY);
    world_close(&w);
    assert_int_equal(al_store_open_mem(&second), 0);
    al_store_close(second);
    al_store_close(NULL);
    (void)state;
}

/* --- the same cases for both --------------------------------------------------------------- */

#define CASES(X)                                                                                   \
    X(logs_are_found_by_name_and_by_number)                                                        \
    X(a_log_can_be_added_only_once)                                                                \
    X(entries_come_back_as_they_were_put)                                                          \
    X(a_payload_of_the_largest_size_comes_back)                                                    \
    X(entries_are_read_across_gaps_until_the_callback_says_stop)                                   \
    X(runs_join_on_either_side)                                                                    \
    X(signatures_stay_at_ends_of_blocks_and_of_runs_only)                                          \
    X(what_does_not_fit_is_refused_and_changes_nothing)                                            \
    X(one_counter_numbers_entries_and_other_changes)                                               \
    X(a_follower_can_stop_in_the_middle)                                                           \
    X(payloads_go_and_come_back)                                                                   \
    X(facts_are_kept_in_their_space)                                                               \
    X(facts_are_scanned_by_prefix_in_order)                                                        \
    X(rollback_undoes_everything)                                                                  \
    X(closing_rolls_back)                                                                          \
    X(a_transaction_reads_its_own_writes)                                                          \
    X(callbacks_may_read)                                                                          \
    X(tidying_loses_nothing)                                                                       \
    X(what_is_taken_out_makes_it_untidy)

static void run_in(enum kind kind, void (*body)(struct world *w))
{
    struct world w;
    world_open(&w, kind);
    body(&w);
    world_close(&w);
}

#define X(name)                                                                                    \
    static void mem_##name(void **state)                                                           \
    {                                                                                              \
        (void)state;                                                                               \
        run_in(MEM, name);                                                                         \
    }                                                                                              \
    static void sqlite_##name(void **state)                                                        \
    {                                                                                              \
        (void)state;                                                                               \
        run_in(SQLITE, name);                                                                      \
    }
CASES(X)
#undef X

int main(void)
{
#define X(name) cmocka_unit_test(mem_##name), cmocka_unit_test(sqlite_##name),
    const struct CMUnitTest tests[] = {
        CASES(X) cmocka_unit_test(a_failed_commit_leaves_only_doubt),
        cmocka_unit_test(a_disk_holds_one_open_store),
    };
#undef X
    return cmocka_run_group_tests(tests, NULL, NULL);
}
