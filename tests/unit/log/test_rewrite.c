/* Own entries that can't stay: set aside, and written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "chain.h"
#include "rewrite.h"
#include "statement.h"

static struct desk d;
static struct al_segment seg;
static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    desk_open(&d, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

/* |count| notes of which |acked| have left, and a restart: whether more have is not known. */
static struct al_ref restarted(uint32_t count, uint64_t acked)
{
    struct al_ref ref = {.seq = 0};
    for (uint32_t i = 0; i < count; i++) {
        d.now.wall_ms += 1000;
        ref = desk_note(&d, "note", i % 2 == 0 ? AL_AUDIENCE_NETWORK : AL_AUDIENCE_ME);
    }
    d.l->own->acked = acked;
    assert_int_equal(al_logs_acked_save(d.l, d.l->own), 0);
    desk_reopen(&d);
    assert_int_equal(d.l->own->hold, acked);
    return ref;
}

static struct al_log *old_log(const struct al_ref *ref)
{
    return al_logs_find(d.l, &ref->device, &ref->log);
}

/* What another holds of our log |log|: it is the same up to |seq|, and goes on for |count|. */
static void elsewhere(
    struct al_segment *out, const struct al_log *log, uint64_t seq, uint64_t skip, uint32_t count)
{
    static struct al_segment all;
    struct rig_person me = d.me;
    struct al_hash prev;
    me.as_sample.log = log->name;
    assert_int_equal(al_log_prev(d.l, &prev, log, seq + 1), 0);
    sample_segment(&all, &me.as_sample, seq + 1, &prev, (uint32_t)skip + count, space, RIG_PAYLOAD,
        seq * 1000 + 7);
    *out = all;
    out->first += skip;
    out->count = count;
    out->prev = skip == 0 ? prev : all.items[skip - 1].id;
    memcpy(out->items, all.items + skip, count * sizeof(out->items[0]));
    sample_sign(out, &me.as_sample);
}

static uint64_t offered(const struct al_log *log)
{
    uint64_t seq;
    struct al_hash id;
    assert_int_equal(al_log_offer(d.l, &seq, &id, log), 0);
    return seq;
}

static void nothing_that_is_on_hold_is_given_out(void **state)
{
    struct al_export *x;
    (void)state;
    (void)restarted(10, 4);
    assert_int_equal(offered(d.l->own), 4);
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_segment(d.l, x, d.l->own, 1, 64), AL_E_NOT_FOUND);
    d.l->own->hold = AL_SEQ_MAX;
    assert_int_equal(offered(d.l->own), 10);
    assert_int_equal(al_export_segment(d.l, x, d.l->own, 1, 64), 0);
    al_export_free(x);
}

static void a_log_that_was_begun_in_this_life_is_on_no_hold(void **state)
{
    (void)state;
    (void)desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    assert_int_equal(offered(d.l->own), 1);
}

static void the_text_of(char out[64], const struct al_log *log, uint64_t seq, uint64_t *ret_time)
{
    struct al_store_row row;
    struct al_place place = {.device = log->device, .log = log->name, .seq = seq};
    struct al_payload p;
    uint8_t *clear;
    static uint8_t payload[AL_PAYLOAD_MAX];
    assert_int_equal(al_log_prev(d.l, &place.prev, log, seq), 0);
    assert_int_equal(al_store_get(d.store, &row, log->no, seq), 0);
    memcpy(payload, row.payload.p, row.payload.n);
    assert_int_equal(
        al_apply_read(d.l, &p, &clear, log, &place, al_slice_of(payload, row.payload.n)), 0);
    memcpy(out, p.text.p, p.text.n);
    out[p.text.n] = '\0';
    *ret_time = row.time_ms;
    free(clear);
}

static void unsent_entries_are_written_again_when_the_log_was_not_whole(void **state)
{
    struct al_ref ref;
    char text[64];
    uint64_t time_ms;
    (void)state;
    ref = restarted(10, 6);
    elsewhere(&seg, old_log(&ref), 6, 0, 5);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(al_log_head(old_log(&ref)), 11);
    assert_int_equal(old_log(&ref)->frozen, 0);
    assert_true(al_log_whole(old_log(&ref), 11));
    /* four notes, two of them sealed, stand in a new log with their times */
    assert_non_null(d.l->own);
    assert_ptr_not_equal(d.l->own, old_log(&ref));
    assert_int_equal(al_log_head(d.l->own), 4);
    assert_int_equal(d.l->written_again, 1);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        the_text_of(text, d.l->own, seq, &time_ms);
        assert_string_equal(text, "note");
        assert_int_equal(time_ms, RIG_WALL_MS + (6 + seq) * 1000);
    }
    assert_int_equal(d.l->aside, 0);
    assert_int_equal(offered(d.l->own), 4);
    desk_reopen(&d);
    assert_int_equal(al_logs_own_entries(d.l), 15);
}

static void what_comes_back_is_not_written_again(void **state)
{
    static struct al_segment back;
    struct al_export *x;
    struct al_ref ref;
    (void)state;
    ref = restarted(10, 4); /* others got 8 of them; 9 and 10 were written after an older copy */
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_rows(d.l, x, old_log(&ref), 5, 8), 0);
    elsewhere(&seg, old_log(&ref), 8, 2, 5); /* 11 to 15: what they follow is not held */
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(d.l->aside, 6);
    assert_int_equal(al_log_head(old_log(&ref)), 15);
    assert_true(al_log_whole(old_log(&ref), 4));
    assert_null(d.l->own);
    back = x->segment;
    al_entry_sign(&back.sig, d.me.keyring.device_secret, &back.items[3].id);
    assert_int_equal(desk_ingest(&d, &back), 0);
    assert_int_equal(d.l->aside, 6);
    struct rig_person me = d.me;
    me.as_sample.log = ref.log;
    struct al_hash prev = back.items[3].id;
    sample_segment(&seg, &me.as_sample, 9, &prev, 7, space, RIG_PAYLOAD, 8007);
    seg.count = 2;
    sample_sign(&seg, &me.as_sample);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_true(al_log_whole(old_log(&ref), 15));
    assert_int_equal(d.l->aside, 0);
    assert_int_equal(al_log_head(d.l->own), 2);
    al_export_free(x);
}

static void what_does_not_come_back_is_written_again_in_the_end(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = restarted(10, 4);
    elsewhere(&seg, old_log(&ref), 8, 2, 5);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(al_rewrite_tick(d.l, d.now), 0);
    assert_int_equal(d.l->aside, 6);
    desk_reopen(&d);
    assert_int_equal(d.l->aside, 6);
    assert_int_equal(al_rewrite_tick(d.l, d.now), 0);
    d.now.mono_ms += AL_REWRITE_WAIT_MS;
    assert_int_equal(al_rewrite_tick(d.l, d.now), 0);
    assert_int_equal(d.l->aside, 0);
    assert_int_equal(al_log_head(d.l->own), 6);
}

static void what_has_left_is_a_fork(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = restarted(10, 6);
    d.l->own->hold = AL_SEQ_MAX;
    elsewhere(&seg, old_log(&ref), 6, 0, 5);
    assert_int_equal(desk_ingest(&d, &seg), AL_E_FORK);
    assert_int_equal(old_log(&ref)->frozen, 7);
    assert_int_equal(al_logs_rewrite(d.l, old_log(&ref), 7, d.now), AL_E_STATE);
    ref = desk_note(&d, "goes on", AL_AUDIENCE_NETWORK);
    assert_int_equal(ref.seq, 1);
}

static void references_among_them_move_along(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_REPLY, "reply");
    struct al_store_row row;
    struct al_ref ref;
    struct al_ref kept;
    (void)state;
    kept = restarted(70, 68);
    ref = desk_note(&d, "parent", AL_AUDIENCE_NETWORK);
    p.re = ref;
    p.rt = kept;
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    struct al_log *log = old_log(&ref);
    assert_int_equal(al_logs_rewrite(d.l, log, 71, d.now), 0);
    assert_int_equal(al_log_head(log), 70);
    assert_true(al_log_whole(log, 70));
    assert_int_equal(al_store_get(d.store, &row, d.l->own->no, 1), 0);
    struct al_hash parent = row.id;
    assert_int_equal(al_store_get(d.store, &row, d.l->own->no, 2), 0);
    assert_int_equal(al_payload_open(&p, row.payload, false), 0);
    assert_memory_equal(&p.re.id, &parent, sizeof(parent));
    assert_memory_equal(&p.re.log, &d.l->own->name, sizeof(p.re.log));
    assert_int_equal(p.re.seq, 1);
    assert_memory_equal(&p.rt, &kept, sizeof(kept));
}

static void what_was_taken_back_is_not_written_again(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_RETRACT, NULL);
    struct al_ref ref;
    (void)state;
    ref = restarted(3, 1);
    p.of = ref;
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    assert_int_equal(al_logs_rewrite(d.l, old_log(&ref), 2, d.now), 0);
    assert_int_equal(al_log_head(d.l->own), 1);
    assert_int_equal(d.l->aside, 0);
}

static void choices_outlive_it_in_their_order(void **state)
{
    char key[AL_RELATION_KEY_BYTES];
    struct rig_person other;
    struct al_payload p = desk_payload(AL_KIND_STATE, NULL);
    uint8_t on = 0xc3;
    uint8_t off = 0xc2;
    (void)state;
    rig_person(&other, 2);
    desk_meet(&d, &other);
    (void)restarted(1, 1);
    al_apply_relation_key(key, "follow", &other.root.identity);
    p.audience = AL_AUDIENCE_ME;
    p.key = al_slice_str(key);
    for (int i = 0; i < 3; i++) {
        p.val = al_slice_of(i % 2 == 0 ? &on : &off, 1);
        d.now.wall_ms += 10;
        assert_int_equal(desk_append(&d, NULL, &p), 0);
    }
    struct al_log *log = d.l->own;
    d.now.wall_ms += 10;
    assert_int_equal(al_logs_rewrite(d.l, log, 2, d.now), 0);
    assert_int_equal(al_log_head(d.l->own), 3);
    assert_true(al_logs_person(d.l, &other.root.identity)->follow);
    uint64_t chosen_ms;
    assert_int_equal(al_apply_chosen_ms(d.l, &chosen_ms, al_slice_str(key)), 0);
    assert_true(chosen_ms < d.now.wall_ms);
}

/* --- copies --------------------------------------------------------------------------------- */

static void a_copy_writes_where_nobody_gets_it_until_it_is_a_device_of_its_own(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = desk_note(&d, "sent", AL_AUDIENCE_NETWORK);
    d.l->copy = true;
    struct al_ref local = desk_note(&d, "draft", AL_AUDIENCE_ME);
    assert_memory_not_equal(&local.log, &ref.log, sizeof(ref.log));
    assert_int_equal(offered(d.l->local), 0);
    assert_int_equal(al_logs_adopt_local(d.l, d.now), AL_E_STATE);
    desk_reopen(&d);
    assert_int_equal(offered(d.l->local), 0);
    d.l->copy = true;
    (void)desk_note(&d, "another", AL_AUDIENCE_NETWORK);
    assert_int_equal(al_log_head(d.l->local), 2);

    /* the words were typed: a new device of the same person */
    struct rig_person as_new;
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    bool is_new;
    rig_person(&as_new, 77);
    as_new.root = d.me.root;
    rig_cert(&b, &as_new);
    assert_int_equal(al_logs_statement(d.l, &is_new, al_buf_slice(&b)), 0);
    d.me.keyring.device = as_new.keyring.device;
    memcpy(d.me.keyring.device_secret, as_new.keyring.device_secret, 64);
    desk_reopen(&d);
    assert_null(d.l->own);
    assert_int_equal(al_logs_adopt_local(d.l, d.now), 0);
    assert_null(d.l->local);
    assert_memory_equal(&d.l->own->device, &as_new.keyring.device, sizeof(struct al_device));
    assert_int_equal(offered(d.l->own), 2);
    assert_int_equal(al_log_head(old_log(&local)), 0);
    assert_int_equal(al_log_head(old_log(&ref)), 1);
    desk_reopen(&d);
    assert_null(d.l->local);
    assert_int_equal(al_logs_adopt_local(d.l, d.now), 0);
    assert_int_equal(al_log_head(d.l->own), 2);
}

static void a_revoked_device_writes_no_more(void **state)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_payload p = desk_payload(AL_KIND_NOTE, "more");
    bool is_new;
    (void)state;
    (void)desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    al_statement_encode_revoke(
        &b, &d.me.root.identity, d.me.root.secret, &d.me.keyring.device, NULL, 0);
    assert_int_equal(al_logs_statement(d.l, &is_new, al_buf_slice(&b)), 0);
    assert_int_equal(desk_append(&d, NULL, &p), AL_E_REVOKED);
    d.l->copy = true;
    assert_int_equal(desk_append(&d, NULL, &p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_that_is_on_hold_is_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_log_that_was_begun_in_this_life_is_on_no_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(
            unsent_entries_are_written_again_when_the_log_was_not_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_back_is_not_written_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_does_not_come_back_is_written_again_in_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_left_is_a_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(references_among_them_move_along, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_taken_back_is_not_written_again, setup, teardown),
        cmocka_unit_test_setup_teardown(choices_outlive_it_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_copy_writes_where_nobody_gets_it_until_it_is_a_device_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_revoked_device_writes_no_more, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
