/* The root's word: what counts of a revoked device's log, and which side of a fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain.h"
#include "verify.h"

static struct desk d;
static struct chain mine, thiefs; /* they part after 50 */
static struct al_segment seg;

static int setup(void **state)
{
    struct rig_person author;
    (void)state;
    desk_open(&d, 1);
    rig_person(&author, 2);
    chain_init(&mine, &author);
    chain_notes(&mine, 150, "mine");
    chain_branch(&thiefs, &mine, 50);
    chain_notes(&thiefs, 140, "thief's");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

static struct al_log *log_here(void)
{
    return al_logs_find(d.l, &mine.who.keyring.device, &mine.who.as_sample.log);
}

static int take(const struct chain *c, uint64_t first, uint64_t last)
{
    chain_piece(&seg, c, first, last);
    return desk_ingest(&d, &seg);
}

static uint64_t offered(void)
{
    uint64_t seq;
    struct al_hash id;
    assert_int_equal(al_log_offer(d.l, &seq, &id, log_here()), 0);
    if (seq > 0) {
        struct al_store_row row;
        assert_int_equal(al_store_get(d.store, &row, log_here()->no, seq), 0);
        assert_true(al_hash_eq(&row.id, &id));
    }
    return seq;
}

static bool holds(const struct chain *c, uint64_t seq)
{
    struct al_store_row row;
    struct al_ref ref = chain_ref(c, seq);
    return desk_row(&d, &row, &ref) && al_hash_eq(&row.id, &ref.id);
}

/* --- changes, as followers see them ----------------------------------------------------------- */

struct marks {
    uint64_t hidden, frozen, removed;
    uint32_t hidden_count, frozen_count, removed_count;
};

static int on_change(void *arg, const struct al_store_change *c, const struct al_store_row *row)
{
    struct marks *m = arg;
    (void)row;
    if (c->what == AL_CHANGE_HIDDEN) {
        m->hidden = c->seq;
        m->hidden_count++;
    } else if (c->what == AL_CHANGE_FROZEN) {
        m->frozen = c->seq;
        m->frozen_count++;
    } else if (c->what == AL_CHANGE_REMOVED) {
        m->removed = c->seq;
        m->removed_count++;
    }
    return 0;
}

static struct marks marks(void)
{
    struct marks m = {.hidden = 0};
    assert_int_equal(al_store_changes(d.store, 0, UINT32_MAX, on_change, &m), 0);
    return m;
}

/* --- cuts ----------------------------------------------------------------------------------- */

static void what_lies_beyond_the_cut_is_hidden_and_not_given_out(void **state)
{
    struct al_export *x;
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_int_equal(take(&mine, 65, 100), 0);
    assert_int_equal(offered(), 100);
    assert_int_equal(chain_revoke(&d, &mine, 80), 0);
    assert_int_equal(marks().hidden, 81);
    assert_int_equal(marks().hidden_count, 1);
    assert_int_equal(offered(), 80);
    assert_int_equal(log_here()->held, 100);
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_segment(d.l, x, log_here(), 65, 128), 0);
    assert_int_equal(al_segment_last(&x->segment), 80);
    assert_int_equal(al_export_segment(d.l, x, log_here(), 81, 128), AL_E_NOT_FOUND);
    al_export_free(x);
    desk_reopen(&d);
    assert_int_equal(offered(), 80);
    assert_int_equal(marks().hidden_count, 1);
}

static void a_revocation_that_comes_first_hides_nothing_as_nothing_comes(void **state)
{
    (void)state;
    assert_int_equal(chain_revoke(&d, &mine, 64), 0);
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&mine, 65, 100), AL_E_REVOKED);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_int_equal(marks().hidden_count, 0);
    assert_int_equal(offered(), 64);
}

static void the_smallest_of_several_cuts_counts_and_each_move_is_told(void **state)
{
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_int_equal(chain_revoke(&d, &mine, 60), 0);
    assert_int_equal(chain_revoke(&d, &mine, 20), 0);
    assert_int_equal(chain_revoke(&d, &mine, 40), 0);
    assert_int_equal(marks().hidden, 21);
    assert_int_equal(marks().hidden_count, 2);
    assert_int_equal(offered(), 20);
}

static void what_ends_at_the_cut_needs_no_signature(void **state)
{
    struct al_export *x;
    struct al_verify v = {.on_progress = NULL};
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    chain_bare(&seg, &mine, 65, 80);
    assert_int_equal(desk_ingest(&d, &seg), AL_E_DECLINED);
    assert_int_equal(chain_revoke(&d, &mine, 80), 0);
    chain_bare(&seg, &mine, 65, 79);
    assert_int_equal(desk_ingest(&d, &seg), AL_E_DECLINED);
    chain_bare(&seg, &thiefs, 65, 80);
    assert_int_equal(desk_ingest(&d, &seg), AL_E_DECLINED);
    chain_bare(&seg, &mine, 65, 80);
    seg.sig.b[0] = 1;
    assert_int_equal(desk_ingest(&d, &seg), AL_E_SIG);
    seg.sig.b[0] = 0;
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_int_equal(offered(), 80);
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_segment(d.l, x, log_here(), 70, 128), 0);
    assert_int_equal(al_segment_last(&x->segment), 80);
    assert_true(al_segment_sig_is_absent(&x->segment.sig));
    al_export_free(x);
    assert_int_equal(al_verify_store(&v, d.l->store), 0); /* as it is before a backup is taken */
}

static void an_entry_at_the_cut_that_the_root_did_not_name_is_not_taken(void **state)
{
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(chain_revoke(&d, &mine, 80), 0);
    assert_int_equal(take(&thiefs, 65, 80), AL_E_REVOKED);
    assert_int_equal(take(&mine, 65, 80), 0);
}

/* --- forks ---------------------------------------------------------------------------------- */

static void fork_it(void)
{
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&thiefs, 1, 64), 0);
    assert_int_equal(take(&thiefs, 65, 128), 0);
    assert_int_equal(take(&mine, 1, 64), AL_E_FORK);
    assert_true(al_log_disputed(log_here()));
}

static void of_a_disputed_log_what_lies_below_is_offered(void **state)
{
    struct al_export *x;
    struct desk other = d;
    (void)state;
    fork_it();
    assert_int_equal(marks().frozen, 51);
    assert_int_equal(offered(), 50);
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_segment(d.l, x, log_here(), 1, 64), 0);
    assert_int_equal(al_segment_last(&x->segment), 50);
    /* who has the proof takes it, whoever has not declines */
    struct al_slice proof;
    static uint8_t bytes[AL_FORK_MAX];
    assert_int_equal(al_ingest_proof(d.l, &proof, log_here()), 0);
    memcpy(bytes, proof.p, proof.n);
    desk_open(&other, 3);
    assert_int_equal(chain_certify(&other, &mine), 0);
    assert_int_equal(desk_ingest(&other, &x->segment), AL_E_DECLINED);
    struct al_log *log;
    bool is_new;
    assert_int_equal(
        al_logs_open(other.l, &log, &mine.who.keyring.device, &mine.who.as_sample.log), 0);
    assert_int_equal(al_ingest_fork(other.l, &is_new, log, 51, al_slice_of(bytes, proof.n)), 0);
    assert_int_equal(desk_ingest(&other, &x->segment), 0);
    assert_int_equal(log->held, 50);
    al_export_free(x);
    desk_close(&other);
}

static void a_smaller_fork_is_noticed_in_what_is_not_taken_any_more(void **state)
{
    static struct chain third;
    (void)state;
    fork_it();
    chain_branch(&third, &thiefs, 30);
    chain_notes(&third, 40, "third");
    assert_int_equal(take(&third, 1, 64), AL_E_FORK);
    assert_int_equal(log_here()->frozen, 31);
    assert_int_equal(marks().frozen, 31);
    assert_int_equal(take(&third, 1, 64), AL_E_DECLINED);
}

static void a_revocation_settles_a_fork_and_the_other_branch_goes_block_by_block(void **state)
{
    (void)state;
    fork_it();
    assert_int_equal(chain_revoke(&d, &mine, 100), 0);
    assert_false(al_log_disputed(log_here()));
    assert_int_equal(marks().frozen, 0);
    /* the block of the cut contradicted the root */
    assert_int_equal(marks().removed, 65);
    assert_int_equal(log_here()->held, 64);
    assert_int_equal(offered(), 50);
    assert_int_equal(take(&thiefs, 65, 99), AL_E_DECLINED);
    assert_int_equal(take(&mine, 65, 90), AL_E_DECLINED); /* as far as anybody can tell from here */
    assert_int_equal(take(&mine, 65, 100), 0);
    assert_int_equal(marks().removed, 1);
    assert_int_equal(log_here()->held, 36);
    assert_int_equal(offered(), 100);
    assert_int_equal(take(&thiefs, 1, 64), AL_E_DECLINED);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_true(al_log_whole(log_here(), 100));
    assert_true(holds(&mine, 51) && holds(&mine, 100));
    desk_reopen(&d);
    assert_true(al_log_whole(log_here(), 100));
    assert_false(al_log_disputed(log_here()));
}

static void a_branch_in_line_with_the_root_stays(void **state)
{
    uint64_t before;
    (void)state;
    fork_it();
    before = log_here()->held;
    assert_int_equal(chain_revoke(&d, &thiefs, 100), 0);
    assert_int_equal(marks().removed_count, 0);
    assert_int_equal(log_here()->held, before);
    assert_int_equal(offered(), 100);
    assert_int_equal(marks().hidden, 101);
}

static void what_follows_the_other_branch_beyond_the_cut_makes_way(void **state)
{
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&thiefs, 65, 128), 0);
    assert_int_equal(chain_revoke(&d, &mine, 64), 0);
    assert_int_equal(marks().removed, 65);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_true(al_log_whole(log_here(), 64));
}

static void what_agrees_in_a_block_that_is_taken_out_stays(void **state)
{
    struct al_store_row row;
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&thiefs, 1, 55), 0);
    assert_int_equal(take(&mine, 60, 64), 0);
    assert_int_equal(take(&mine, 65, 100), 0);
    assert_int_equal(chain_revoke(&d, &mine, 100), 0);
    assert_int_equal(marks().removed_count, 0);
    /* the sender has dropped a text that is held here */
    chain_piece(&seg, &mine, 1, 59);
    seg.items[9].payload = al_slice_of(NULL, 0);
    seg.items[9].stub = AL_STUB_NOT_HELD;
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_true(al_log_whole(log_here(), 100));
    struct al_ref ref = chain_ref(&mine, 10);
    assert_true(desk_row(&d, &row, &ref) && row.payload.n > 0);
    assert_true(holds(&mine, 55) && holds(&mine, 62));
}

static void a_proof_about_a_revoked_log_disputes_nothing(void **state)
{
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(chain_revoke(&d, &mine, 100), 0);
    assert_int_equal(take(&mine, 65, 100), 0);
    assert_int_equal(take(&thiefs, 1, 64), AL_E_FORK); /* it shows another 64 */
    assert_false(al_log_disputed(log_here()));
    assert_int_equal(marks().frozen_count, 0);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_true(al_log_whole(log_here(), 100));
}

/* --- what ceases to count leaves no trace ----------------------------------------------------- */

static bool has_payload(const struct al_ref *ref)
{
    struct al_store_row row;
    assert_true(desk_row(&d, &row, ref));
    return row.payload.n > 0;
}

static int find_missing(void *arg, struct al_slice key, struct al_slice value)
{
    (void)value;
    *(uint64_t *)arg = al_u64be_read(key.p + 40);
    return 0;
}

static void what_only_a_thief_took_back_is_asked_for_again(void **state)
{
    static struct chain gone;
    struct al_payload p = desk_payload(AL_KIND_RETRACT, NULL);
    struct al_ref ref = chain_ref(&mine, 5);
    uint64_t missing = 0;
    (void)state;
    chain_branch(&gone, &mine, 64);
    p.of = ref;
    (void)chain_add(&gone, &p);
    assert_int_equal(chain_certify(&d, &mine), 0);
    assert_int_equal(take(&mine, 1, 64), 0);
    assert_int_equal(take(&gone, 65, 65), 0);
    assert_false(has_payload(&ref));
    assert_int_equal(chain_revoke(&d, &mine, 64), 0);
    assert_false(al_apply_is_retracted(d.l, &ref.id, log_here()->person));
    assert_int_equal(
        al_store_kv_scan(d.store, AL_SPACE_MISSING, al_slice_of(NULL, 0), find_missing, &missing),
        0);
    assert_int_equal(missing, 5);
    assert_true(d.l->misses);
    assert_int_equal(al_ingest_payload(d.l, &ref.device, &ref.log, 5, mine.items[4].payload), 0);
    assert_true(has_payload(&ref));
    desk_reopen(&d);
    assert_false(al_apply_is_retracted(d.l, &ref.id, log_here()->person));
}

/* Another device of this node's own person chooses whether to follow the author. */
static void choose_elsewhere(struct chain *c, bool on)
{
    char key[AL_RELATION_KEY_BYTES];
    uint8_t value = on ? 0xc3 : 0xc2;
    uint8_t bytes[CHAIN_PAYLOAD];
    uint8_t sealed[CHAIN_PAYLOAD];
    uint8_t nonce[AL_NONCE_BYTES] = {(uint8_t)c->count};
    struct al_payload p = desk_payload(AL_KIND_STATE, NULL);
    struct al_buf inner = al_buf_fixed(bytes, sizeof(bytes));
    struct al_buf box = al_buf_fixed(sealed, sizeof(sealed));
    struct al_place place = {.device = c->who.keyring.device, .log = c->who.as_sample.log};
    al_apply_relation_key(key, "follow", &mine.who.root.identity);
    p.audience = AL_AUDIENCE_ME;
    p.key = al_slice_str(key);
    p.val = al_slice_of(&value, 1);
    place.seq = c->count + 1;
    if (c->count > 0)
        place.prev = c->items[c->count - 1].id;
    else
        al_entry_genesis(&place.prev, &c->who.root.identity, &place.device, &place.log);
    assert_int_equal(al_payload_encode(&inner, &p), 0);
    assert_int_equal(
        al_sealed_encode(&box, d.me.keyring.me_key, nonce, &place, al_buf_slice(&inner)), 0);
    (void)chain_add_raw(c, al_buf_slice(&box));
}

static void what_a_thief_chose_in_my_name_is_undone(void **state)
{
    static struct chain phone;
    struct rig_person as_phone;
    (void)state;
    assert_int_equal(chain_certify(&d, &mine), 0);
    const struct al_person *author = al_logs_person(d.l, &mine.who.root.identity);
    rig_person(&as_phone, 66);
    as_phone.root = d.me.root;
    as_phone.as_sample.identity = d.me.root.identity;
    chain_init(&phone, &as_phone);
    choose_elsewhere(&phone, true);
    choose_elsewhere(&phone, false);
    assert_int_equal(chain_certify(&d, &phone), 0);
    assert_int_equal(take(&phone, 1, 1), 0);
    assert_true(author->follow);
    assert_int_equal(take(&phone, 2, 2), 0);
    assert_false(author->follow);
    assert_int_equal(chain_revoke(&d, &phone, 1), 0);
    assert_true(author->follow);
    desk_reopen(&d);
    assert_true(al_logs_person(d.l, &mine.who.root.identity)->follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_lies_beyond_the_cut_is_hidden_and_not_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_revocation_that_comes_first_hides_nothing_as_nothing_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_smallest_of_several_cuts_counts_and_each_move_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_at_the_cut_needs_no_signature, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_entry_at_the_cut_that_the_root_did_not_name_is_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_disputed_log_what_lies_below_is_offered, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_smaller_fork_is_noticed_in_what_is_not_taken_any_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_revocation_settles_a_fork_and_the_other_branch_goes_block_by_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_branch_in_line_with_the_root_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_follows_the_other_branch_beyond_the_cut_makes_way, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_agrees_in_a_block_that_is_taken_out_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_proof_about_a_revoked_log_disputes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_only_a_thief_took_back_is_asked_for_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_thief_chose_in_my_name_is_undone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
