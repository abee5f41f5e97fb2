/* Proofs: a fork is where two signed runs disagree; an excerpt shows one payload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proof.h"
#include "sample.h"
#include "write.h"

static uint8_t space[64 * 1024];
static uint8_t payloads_a[AL_BLOCK_ENTRIES * 64];
static uint8_t payloads_b[AL_BLOCK_ENTRIES * 64];
static struct al_segment a;
static struct al_segment b;
static struct sample_person p;

/* Two runs of one log that agree up to |fork| - 1 and differ from there. */
static void fork_at(uint32_t fork, uint32_t count_a, uint32_t count_b)
{
    p = sample_person(1);
    sample_segment(&a, &p, 1, NULL, count_a, payloads_a, 20, 1);
    sample_segment(&b, &p, 1, NULL, count_b, payloads_b, 20, 1);
    if (fork <= count_b)
        payloads_b[(fork - 1) * 20] ^= 1;
    sample_sign(&b, &p);
}

static struct al_slice encode(void)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_fork_encode(&out, &a, &b);
    assert_false(out.full);
    return al_buf_slice(&out);
}

static void a_fork_is_found_at_its_first_number(void **state)
{
    (void)state;
    for (uint32_t fork = 1; fork <= 64; fork++) {
        uint64_t seq = 0;
        struct al_fork proof;
        fork_at(fork, 64, fork);
        assert_int_equal(al_fork_find(&seq, &a, &b), 0);
        assert_int_equal(seq, fork);
        assert_int_equal(al_fork_find(&seq, &b, &a), 0);
        struct al_slice bytes = encode();
        assert_true(bytes.n <= AL_FORK_MAX);
        assert_int_equal(al_fork_open(&proof, bytes), 0);
        assert_int_equal(proof.seq, fork);
        assert_true(al_device_eq(&proof.device, &p.device));
        assert_true(al_logname_eq(&proof.log, &p.log));
    }
}

static void the_largest_fork_fits_its_limit(void **state)
{
    (void)state;
    p = sample_person(1);
    struct al_hash prev;
    sample_bytes(prev.b, 32, 5);
    uint64_t first = al_block_first(al_block_of(AL_SEQ_MAX) - 1);
    sample_segment(&a, &p, first, &prev, 64, payloads_a, 20, 1);
    for (uint32_t i = 0; i < 64; i++) {
        a.items[i].payload = al_slice_of(NULL, 0);
        a.items[i].stub = AL_STUB_ASK;
        a.items[i].plen = AL_PAYLOAD_MAX;
        a.items[i].time_ms = i % 2 == 0 ? AL_TIME_MAX : 0;
    }
    b = a;
    b.items[0].plen--;
    sample_sign(&a, &p);
    sample_sign(&b, &p);
    struct al_fork proof;
    assert_int_equal(al_fork_open(&proof, encode()), 0);
    assert_true(proof.seq == first);
}

static void a_proof_has_one_form(void **state)
{
    (void)state;
    uint8_t other[sizeof(space)];
    fork_at(3, 10, 5);
    struct al_slice once = encode();
    memcpy(other, once.p, once.n);
    struct al_segment kept = a;
    a = b;
    b = kept;
    assert_true(al_slice_eq(encode(), al_slice_of(other, once.n)));

    struct al_fork proof;
    assert_int_equal(al_fork_open(&proof, once), 0);
    struct al_buf turned = al_buf_fixed(other, sizeof(other));
    al_write_array(&turned, 2);
    al_write_raw(&turned, proof.b);
    al_write_raw(&turned, proof.a);
    assert_int_equal(al_fork_open(&proof, al_buf_slice(&turned)), AL_E_ORDER);
}

static struct al_slice pair(const struct al_segment *x, const struct al_segment *y)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_write_array(&out, 2);
    al_segment_encode(&out, x);
    al_segment_encode(&out, y);
    return al_buf_slice(&out);
}

static void payloads_have_no_place_in_a_proof(void **state)
{
    (void)state;
    struct al_fork proof;
    fork_at(1, 1, 2); /* a sorts before b by the number of its items */
    assert_int_equal(al_fork_open(&proof, pair(&a, &b)), AL_E_INLINE);
    for (uint32_t i = 0; i < 2; i++) {
        a.items[i].payload = b.items[i].payload = al_slice_of(NULL, 0);
        a.items[i].stub = b.items[i].stub = AL_STUB_NOT_HELD;
    }
    assert_int_equal(al_fork_open(&proof, pair(&a, &b)), 0);
    b.items[0].stub = AL_STUB_ASK;
    assert_int_equal(al_fork_open(&proof, pair(&a, &b)), AL_E_INLINE);
}

static void agreement_is_no_fork(void **state)
{
    (void)state;
    uint64_t seq = 0;
    struct al_fork proof;
    fork_at(99, 64, 10);
    assert_int_equal(al_fork_find(&seq, &a, &b), AL_E_NO_FORK);
    assert_int_equal(al_fork_open(&proof, encode()), AL_E_NO_FORK);
    b = a;
    assert_int_equal(al_fork_open(&proof, encode()), AL_E_NO_FORK);
    fork_at(1, 3, 3);
    b.log.b[0] ^= 1; /* another log */
    assert_int_equal(al_fork_find(&seq, &a, &b), AL_E_NO_FORK);
    fork_at(1, 3, 3);
    b.device.b[0] ^= 1; /* another device */
    assert_int_equal(al_fork_find(&seq, &a, &b), AL_E_NO_FORK);
    struct al_hash prev = a.items[2].id;
    fork_at(1, 3, 3);
    sample_segment(&b, &p, 5, &prev, 1, payloads_b, 20, 3); /* spans that do not meet */
    assert_int_equal(al_fork_find(&seq, &a, &b), AL_E_NO_FORK);
}

static void a_different_predecessor_is_a_fork(void **state)
{
    (void)state;
    uint64_t seq = 0;
    fork_at(99, 3, 3);
    struct al_hash prev;
    sample_bytes(prev.b, 32, 5);
    sample_segment(&b, &p, 4, &prev, 1, payloads_b, 20, 3);
    assert_int_equal(al_fork_find(&seq, &a, &b), 0);
    assert_int_equal(seq, 3);
}

static void a_fork_needs_both_signatures(void **state)
{
    (void)state;
    struct al_fork proof;
    fork_at(2, 3, 3);
    b.sig.b[0] ^= 1;
    assert_int_equal(al_fork_open(&proof, encode()), AL_E_SIG);
    fork_at(2, 3, 3);
    a.sig.b[0] ^= 1;
    assert_int_equal(al_fork_open(&proof, encode()), AL_E_SIG);
    assert_int_equal(al_fork_open(&proof, al_slice_of(space, AL_FORK_MAX + 1)), AL_E_LENGTH);
    assert_int_equal(al_fork_open(&proof, al_slice_str("\x91\x90")), AL_E_COUNT);
}

static void one_flipped_bit_in_a_fork_is_refused(void **state)
{
    (void)state;
    fork_at(2, 2, 2);
    struct al_slice bytes = encode();
    for (size_t bit = 0; bit < bytes.n * 8; bit++) {
        struct al_fork proof;
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(al_fork_open(&proof, bytes), 0);
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static struct al_slice excerpt(size_t statements)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_write_array(&out, 2);
    al_write_array(&out, statements);
    for (size_t i = 0; i < statements; i++)
        al_write_uint(&out, i % 100);
    al_segment_encode(&out, &a);
    return al_buf_slice(&out);
}

static void an_excerpt_shows_exactly_one_payload(void **state)
{
    (void)state;
    static struct al_excerpt ex;
    fork_at(99, 5, 5);
    assert_int_equal(al_excerpt_open(&ex, excerpt(1)), AL_E_INLINE);
    struct al_slice payload = a.items[3].payload;
    for (uint32_t i = 0; i < 5; i++) {
        a.items[i].payload = al_slice_of(NULL, 0);
        a.items[i].stub = AL_STUB_NOT_HELD;
    }
    assert_int_equal(al_excerpt_open(&ex, excerpt(1)), AL_E_INLINE);
    a.items[3].payload = payload;
    assert_int_equal(al_excerpt_open(&ex, excerpt(2)), 0);
    assert_int_equal(ex.index, 3);
    assert_int_equal(ex.statement_count, 2);
    assert_int_equal(ex.statements.n, 3);
    assert_true(al_slice_eq(ex.segment.items[3].payload, payload));
    assert_int_equal(al_excerpt_open(&ex, excerpt(AL_EXCERPT_STATEMENTS_MAX)), 0);
    assert_int_equal(al_excerpt_open(&ex, excerpt(AL_EXCERPT_STATEMENTS_MAX + 1)), AL_E_COUNT);
    a.sig.b[5] ^= 1;
    assert_int_equal(al_excerpt_open(&ex, excerpt(2)), AL_E_SIG);
}

static void an_excerpt_of_another_form_is_refused_by_name(void **state)
{
    (void)state;
    static struct al_excerpt ex;
    struct al_slice bytes = excerpt(0);
    space[0] = 0x93;
    assert_int_equal(al_excerpt_open(&ex, bytes), AL_E_TRUNCATED);
    space[0] = 0x92;
    space[1] = 0; /* no list of statements */
    assert_int_equal(al_excerpt_open(&ex, bytes), AL_E_TYPE);
    space[1] = 0x90;
    space[2] = 0x95; /* a segment of five fields, and what follows it */
    assert_int_equal(al_excerpt_open(&ex, bytes), AL_E_TRAILING);
    space[2] = 0x80;
    assert_int_equal(al_excerpt_open(&ex, al_slice_of(space, 3)), AL_E_TYPE);
}

static void the_parts_of_an_excerpt_are_opened_like_the_whole(void **state)
{
    (void)state;
    static struct al_excerpt ex;
    fork_at(99, 1, 1);
    struct al_slice whole = excerpt(2);
    struct al_slice statements = al_slice_of(whole.p + 1, 3);
    struct al_slice segment = al_slice_of(whole.p + 4, whole.n - 4);
    assert_int_equal(al_excerpt_open_parts(&ex, statements, segment), 0);
    assert_int_equal(ex.statement_count, 2);
    assert_int_equal(ex.index, 0);
    assert_true(al_slice_eq(ex.statements, statements));
    assert_int_equal(al_excerpt_open_parts(&ex, al_slice_str("\x90"), segment), 0);
    assert_int_equal(al_excerpt_open_parts(&ex, al_slice_str("\x05"), segment), AL_E_TYPE);
    assert_int_equal(al_excerpt_open_parts(&ex, al_slice_str("\x91"), segment), AL_E_TRUNCATED);
    assert_int_equal(al_excerpt_open_parts(&ex, al_slice_of(NULL, 0), segment), AL_E_TRUNCATED);
    segment.n--;
    assert_int_equal(al_excerpt_open_parts(&ex, statements, segment), AL_E_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fork_is_found_at_its_first_number),
        cmocka_unit_test(the_largest_fork_fits_its_limit),
        cmocka_unit_test(a_proof_has_one_form),
        cmocka_unit_test(payloads_have_no_place_in_a_proof),
        cmocka_unit_test(agreement_is_no_fork),
        cmocka_unit_test(a_different_predecessor_is_a_fork),
        cmocka_unit_test(a_fork_needs_both_signatures),
        cmocka_unit_test(one_flipped_bit_in_a_fork_is_refused),
        cmocka_unit_test(an_excerpt_shows_exactly_one_payload),
        cmocka_unit_test(the_parts_of_an_excerpt_are_opened_like_the_whole),
        cmocka_unit_test(an_excerpt_of_another_form_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
