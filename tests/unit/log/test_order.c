/*
 * Everything about one person's log arrives at several nodes in any order, in part or late: the
 * words of its root, both branches of a fork and their proof, retractions and edits, of which some
 * cease to count. When they have told one another, all show the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain.h"
#include "check.h"
#include "proof.h"

#define NODES 3
#define BLOCKS 3
#define ROUNDS_MAX 40
#define RUNS 120 /* ALOUD_RUNS plays more, ALOUD_RUN only one */

enum {
    KEPT = 5,    /* a note that only the thief's branch takes back */
    LEGIT = 20,  /* a note that the author takes back at 30, with its edit at 70 */
    EDITED = 10, /* edited at 40, taken back only beyond the cut */
    PART = 50,   /* the last that the branches have in common */
    CUT = 90,    /* what the root names */
    EVENTS = 17,
};

static struct chain mine, thiefs, thirds;
static struct desk nodes[NODES];
static struct al_segment seg;
static struct al_rng dice;
static bool revoked; /* in this run */
static unsigned run;

static struct al_payload changing(enum al_kind kind, const struct chain *c, uint64_t of)
{
    struct al_payload p = desk_payload(kind, kind == AL_KIND_EDIT ? "changed" : NULL);
    p.of = chain_ref(c, of);
    return p;
}

static void add(struct chain *c, enum al_kind kind, uint64_t of)
{
    struct al_payload p = changing(kind, c, of);
    (void)chain_add(c, &p);
}

static int make_chains(void **state)
{
    struct rig_person author;
    (void)state;
    rig_person(&author, 50);
    chain_init(&mine, &author);
    chain_notes(&mine, 29, "mine");
    add(&mine, AL_KIND_RETRACT, LEGIT);
    chain_notes(&mine, 9, "mine");
    add(&mine, AL_KIND_EDIT, EDITED);
    chain_notes(&mine, PART - 40, "mine");
    chain_branch(&thiefs, &mine, PART);
    chain_branch(&thirds, &mine, 45);
    chain_notes(&mine, 19, "mine");
    add(&mine, AL_KIND_EDIT, LEGIT);
    chain_notes(&mine, 29, "mine");
    add(&mine, AL_KIND_RETRACT, EDITED);
    chain_notes(&mine, 20, "mine");
    assert_int_equal(mine.count, 120);
    add(&thiefs, AL_KIND_RETRACT, KEPT);
    chain_notes(&thiefs, 40, "thief's");
    add(&thiefs, AL_KIND_RETRACT, EDITED);
    chain_notes(&thiefs, 40, "thief's");
    chain_notes(&thirds, 30, "third");
    return 0;
}

/* --- what happens to a node ------------------------------------------------------------------- */

static struct al_log *log_of(struct desk *d)
{
    return al_logs_find(d->l, &mine.who.keyring.device, &mine.who.as_sample.log);
}

static void take(struct desk *d)
{
    struct al_ingest in;
    int err = al_ingest_segment(d->l, &in, &seg, d->now);
    if (al_store_is_error(err))
        fail_msg("run %u: %s", run, al_err_words(err));
}

static void piece(struct desk *d, const struct chain *c, uint64_t first, uint64_t last)
{
    chain_piece(&seg, c, first, last);
    take(d);
}

static void proof_of(struct desk *d, const struct chain *a, const struct chain *b)
{
    static struct al_segment other;
    uint8_t bytes[AL_FORK_MAX];
    struct al_buf proof = al_buf_fixed(bytes, sizeof(bytes));
    uint64_t seq;
    bool is_new;
    if (log_of(d) == NULL)
        return;
    chain_piece(&seg, a, 41, 60);
    chain_piece(&other, b, 1, 64);
    assert_int_equal(al_fork_find(&seq, &seg, &other), 0);
    al_fork_encode(&proof, &seg, &other);
    assert_int_equal(al_ingest_fork(d->l, &is_new, log_of(d), seq, al_buf_slice(&proof)), 0);
}

static void happen(struct desk *d, int event)
{
    switch (event) {
    case 0:
        assert_int_equal(chain_certify(d, &mine), 0);
        break;
    case 1:
        if (revoked)
            assert_int_equal(chain_revoke(d, &mine, CUT), 0);
        break;
    case 2:
        if (revoked)
            assert_int_equal(chain_revoke(d, &mine, 110), 0);
        break;
    case 3:
        piece(d, &mine, 1, 40);
        break;
    case 4:
        piece(d, &mine, 41, 64);
        break;
    case 5:
        piece(d, &mine, 1, 64);
        break;
    case 6:
        piece(d, &mine, 65, 120);
        break;
    case 7:
        piece(d, &mine, 70, 80);
        break;
    case 8:
        chain_bare(&seg, &mine, 65, CUT);
        take(d);
        break;
    case 9:
        piece(d, &thiefs, 1, 64);
        break;
    case 10:
        if (revoked) /* else nobody could tell where below 48 it parts from the third branch */
            piece(d, &thiefs, 48, 55);
        break;
    case 11:
        piece(d, &thiefs, 65, 128);
        break;
    case 12:
        piece(d, &thiefs, 129, 132);
        break;
    case 13:
        proof_of(d, &mine, &thiefs);
        break;
    case 14:
        piece(d, &thirds, 1, 64);
        break;
    case 15:
        proof_of(d, &thiefs, &thirds);
        break;
    case 16:
        desk_reopen(d);
        break;
    default:
        AL_ASSERT(false);
    }
}

static void shuffle(int *list, int n)
{
    for (int i = 0; i < n; i++)
        list[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int k = (int)al_rng_below(&dice, (uint64_t)i + 1);
        int t = list[i];
        list[i] = list[k];
        list[k] = t;
    }
}

/* --- telling one another ---------------------------------------------------------------------- */

static void tell_statements(struct desk *from, struct desk *to)
{
    const struct al_person *p = al_logs_person(from->l, &mine.who.root.identity);
    bool is_new;
    for (size_t i = 0; p != NULL && i < al_record_count(p->record); i++)
        assert_int_equal(
            al_logs_statement(to->l, &is_new, al_record_statement(p->record, i, NULL)), 0);
}

static void tell_proof(struct desk *from, struct desk *to)
{
    struct al_slice proof;
    uint8_t bytes[AL_FORK_MAX];
    bool is_new;
    struct al_log *log;
    if (log_of(from) == NULL || log_of(from)->frozen == 0)
        return;
    assert_int_equal(
        al_logs_open(to->l, &log, &mine.who.keyring.device, &mine.who.as_sample.log), 0);
    assert_int_equal(al_ingest_proof(from->l, &proof, log_of(from)), 0);
    memcpy(bytes, proof.p, proof.n);
    assert_int_equal(al_ingest_fork(to->l, &is_new, log_of(to), log_of(from)->frozen,
                         al_slice_of(bytes, proof.n)),
        0);
}

static void tell_entries(struct desk *from, struct desk *to)
{
    struct al_export *x;
    if (log_of(from) == NULL)
        return;
    assert_int_equal(al_export_new(&x), 0);
    for (uint64_t block = BLOCKS; block-- > 0;) {
        for (uint64_t first = al_block_first(block); first <= al_block_last(block);) {
            int err = al_export_segment(from->l, x, log_of(from), first, al_block_last(block));
            if (err != 0 && err != AL_E_NOT_FOUND)
                fail_msg("run %u: %s", run, al_err_words(err));
            first = err == 0 ? al_segment_last(&x->segment) + 1 : first + 1;
            if (err == 0) {
                seg = x->segment;
                take(to);
            }
        }
    }
    al_export_free(x);
}

static int first_missing(void *arg, struct al_slice key, struct al_slice value)
{
    (void)value;
    memcpy(arg, key.p, key.n);
    return 1;
}

/* What |d| misses comes from somebody who kept it in spite of what the thief took back. */
static void bring_payloads(struct desk *d)
{
    uint8_t key[48];
    while (al_store_kv_scan(d->store, AL_SPACE_MISSING, al_slice_of(NULL, 0), first_missing, key) ==
           1) {
        uint64_t seq = al_u64be_read(key + 40);
        assert_int_equal(
            al_store_kv_del(d->store, AL_SPACE_MISSING, al_slice_of(key, sizeof(key))), 0);
        int err = al_ingest_payload(d->l, &mine.who.keyring.device, &mine.who.as_sample.log, seq,
            mine.items[seq - 1].payload);
        assert_true(err == 0 || err == AL_E_PAYLOAD_HASH || err == AL_E_NOT_FOUND);
    }
}

static uint64_t positions(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < NODES; i++)
        sum += nodes[i].l->pos;
    return sum;
}

static void converge(void)
{
    uint64_t before;
    int rounds = 0;
    /* what a payload's holder dropped before both knew of the revocation is not asked of others */
    for (int i = 0; i < NODES * NODES; i++)
        tell_statements(&nodes[i / NODES], &nodes[i % NODES]);
    do {
        before = positions();
        for (int a = 0; a < NODES; a++) {
            for (int b = 0; b < NODES; b++) {
                if (a == b)
                    continue;
                tell_proof(&nodes[a], &nodes[b]);
                tell_entries(&nodes[a], &nodes[b]);
                bring_payloads(&nodes[b]);
            }
        }
        /* the author has what the root named, and below */
        if (revoked) {
            happen(&nodes[0], 8);
            happen(&nodes[0], 5);
        }
        if (++rounds > ROUNDS_MAX)
            fail_msg("run %u: they never agree", run);
    } while (positions() != before);
}

/* --- what they show --------------------------------------------------------------------------- */

static int on_change(void *arg, const struct al_store_change *c, const struct al_store_row *row)
{
    uint64_t *marks = arg;
    (void)row;
    if (c->what == AL_CHANGE_HIDDEN)
        marks[0] = c->seq;
    if (c->what == AL_CHANGE_FROZEN)
        marks[1] = c->seq;
    return 0;
}

/* What followers have been told is what is so. */
static void check_marks(struct desk *d)
{
    uint64_t marks[2] = {0, 0};
    const struct al_log *log = log_of(d);
    assert_int_equal(al_store_changes(d->store, 0, UINT32_MAX, on_change, marks), 0);
    if (al_log_head(log) > log->cut.seq && marks[0] != log->cut.seq + 1)
        fail_msg("run %u: entries beyond the cut are not hidden", run);
    if (marks[1] != (al_log_disputed(log) ? log->frozen : 0))
        fail_msg("run %u: disputed at %u, but followers know %u", run, (unsigned)log->frozen,
            (unsigned)marks[1]);
}

static void check_same_proof(struct desk *a, struct desk *b)
{
    struct al_slice x;
    struct al_slice y;
    assert_int_equal(al_ingest_proof(a->l, &x, log_of(a)), 0);
    assert_int_equal(al_ingest_proof(b->l, &y, log_of(b)), 0);
    if (!al_slice_eq(x, y))
        fail_msg("run %u: they keep different proofs", run);
}

static void check_same(struct desk *a, struct desk *b)
{
    uint64_t seq[2];
    struct al_hash id[2];
    struct al_store_row row;
    const struct al_log *x = log_of(a);
    const struct al_log *y = log_of(b);
    if (al_log_disputed(x) != al_log_disputed(y) || x->frozen != y->frozen)
        fail_msg(
            "run %u: one forks at %u, one at %u", run, (unsigned)x->frozen, (unsigned)y->frozen);
    if (al_log_disputed(x)) {
        check_same_proof(a, b);
        return; /* what lies below is the same as far as anybody has a signature over it */
    }
    assert_int_equal(al_log_offer(a->l, &seq[0], &id[0], x), 0);
    assert_int_equal(al_log_offer(b->l, &seq[1], &id[1], y), 0);
    if (seq[0] != seq[1] || !al_hash_eq(&id[0], &id[1]))
        fail_msg("run %u: one offers %u, one %u", run, (unsigned)seq[0], (unsigned)seq[1]);
    for (uint64_t i = 1; i <= seq[0]; i++) {
        if (!al_log_holds(x, i) && !al_log_holds(y, i))
            continue; /* nobody had it, or a signature over it */
        assert_int_equal(al_store_get(a->store, &row, x->no, i), 0);
        bool held = row.payload.n > 0;
        id[0] = row.id;
        assert_int_equal(al_store_get(b->store, &row, y->no, i), 0);
        if (!al_hash_eq(&row.id, &id[0]) || held != (row.payload.n > 0))
            fail_msg("run %u: they show another entry %u", run, (unsigned)i);
    }
}

static void check_settled(struct desk *d)
{
    struct al_store_row row;
    uint64_t seq;
    struct al_hash id;
    assert_int_equal(al_log_offer(d->l, &seq, &id, log_of(d)), 0);
    if (seq != CUT || !al_log_whole(log_of(d), CUT) || al_log_disputed(log_of(d)))
        fail_msg("run %u: it is not settled: %u", run, (unsigned)seq);
    for (uint64_t i = 1; i <= CUT; i++) {
        assert_int_equal(al_store_get(d->store, &row, log_of(d)->no, i), 0);
        bool gone = i == LEGIT || i == 70;
        if (!al_hash_eq(&row.id, &mine.items[i - 1].id) || gone != (row.payload.n == 0))
            fail_msg("run %u: entry %u is not as the author left it", run, (unsigned)i);
    }
}

static void play(uint64_t chance)
{
    for (int i = 0; i < NODES; i++)
        desk_open(&nodes[i], (uint64_t)i + 1);
    int skipped[EVENTS] = {0};
    for (int i = 0; i < NODES; i++) {
        int order[EVENTS];
        shuffle(order, EVENTS);
        for (int k = 0; k < EVENTS; k++) {
            if (al_rng_below(&dice, 100) < chance && skipped[order[k]] < NODES - 1)
                skipped[order[k]]++;
            else
                happen(&nodes[i], order[k]);
        }
    }
    /* whatever came before the certificate was for nobody */
    happen(&nodes[0], 0);
    happen(&nodes[0], 5);
    converge();
    for (int i = 0; i < NODES; i++) {
        check_marks(&nodes[i]);
        if (revoked)
            check_settled(&nodes[i]);
        desk_reopen(&nodes[i]);
        if (i > 0)
            check_same(&nodes[0], &nodes[i]);
    }
    for (int i = 0; i < NODES; i++)
        desk_close(&nodes[i]);
}

static void runs(void)
{
    const char *only = getenv("ALOUD_RUN");
    const char *more = getenv("ALOUD_RUNS");
    unsigned long count = more == NULL ? RUNS : strtoul(more, NULL, 10);
    for (run = 0; run < count; run++) {
        uint8_t seed[32] = {9, (uint8_t)run, (uint8_t)(run >> 8), revoked};
        if (only != NULL && strtoul(only, NULL, 10) != run)
            continue;
        al_rng_init(&dice, seed);
        play(run % 3 * 30);
    }
}

static void a_fork_is_the_same_fork_everywhere(void **state)
{
    (void)state;
    revoked = false;
    runs();
}

static void the_roots_word_ends_in_the_same_log_everywhere(void **state)
{
    (void)state;
    revoked = true;
    runs();
}

/* All orders of a few: the certificate, the revocation, both branches at the cut and below. */
static void every_order_of_what_settles_a_fork_ends_alike(void **state)
{
    static const int events[] = {0, 1, 5, 8, 9, 11};
    enum { N = sizeof(events) / sizeof(events[0]) };
    (void)state;
    revoked = true;
    for (run = 0; run < 720; run++) {
        int left[N];
        unsigned code = run;
        struct desk *d = &nodes[0];
        memcpy(left, events, sizeof(left));
        desk_open(d, 1);
        for (unsigned n = N; n > 0; n--) {
            unsigned k = code % n;
            code /= n;
            happen(d, left[k]);
            memmove(&left[k], &left[k + 1], (n - k - 1) * sizeof(left[0]));
        }
        /* what was declined is fetched again, newest first */
        happen(d, 8);
        happen(d, 5);
        uint64_t seq;
        struct al_hash id;
        assert_int_equal(al_log_offer(d->l, &seq, &id, log_of(d)), 0);
        if (seq != CUT || !al_log_whole(log_of(d), CUT))
            fail_msg("order %u: %u", run, (unsigned)seq);
        check_marks(d);
        desk_close(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fork_is_the_same_fork_everywhere),
        cmocka_unit_test(the_roots_word_ends_in_the_same_log_everywhere),
        cmocka_unit_test(every_order_of_what_settles_a_fork_ends_alike),
    };
    return cmocka_run_group_tests(tests, make_chains, NULL);
}
