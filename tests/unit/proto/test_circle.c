/* Circle entries: boxes that open for one reader in one place, and what the epoch's key seals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "circle.h"
#include "sample.h"
#include "sample_wire.h"
#include "write.h"

static const struct al_identity owner = {{1}};
static const struct al_circle_id cid = {{2}};
static const uint8_t key[AL_EPOCH_KEY_BYTES] = {3};
static const uint8_t seed[32] = {0x40};
static uint8_t space[AL_PAYLOAD_MAX];
static struct al_member members[AL_CIRCLE_LIST_MAX], got[AL_CIRCLE_LIST_MAX];

/* --- the entry ------------------------------------------------------------------------------- */

static struct al_slice list(struct al_buf *b, uint32_t count, size_t size)
{
    static const uint8_t zeros[AL_CIRCLE_BOX_BYTES];
    size_t start = b->n;
    al_write_array(b, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[AL_CIRCLE_BOX_BYTES];
        memcpy(bytes, zeros, size);
        bytes[0] = (uint8_t)(i + 1);
        al_write_bin(b, bytes, size);
    }
    return al_slice_of(b->p + start, b->n - start);
}

/* An entry's payload, opened, its bytes in |space|. */
static void entry(struct al_payload *out, uint64_t n, uint32_t parents, uint32_t old)
{
    static uint8_t lists_space[AL_PAYLOAD_MAX];
    struct al_buf lists = al_buf_fixed(lists_space, sizeof(lists_space));
    struct al_payload p = {.kind = AL_KIND_CIRCLE, .audience = AL_AUDIENCE_NETWORK, .n = n};
    p.cid = al_slice_of(cid.b, sizeof(cid.b));
    p.meta = al_slice_str("meta");
    p.boxes = list(&lists, 4, AL_CIRCLE_BOX_BYTES);
    p.old = list(&lists, old, 30);
    size_t start = lists.n;
    al_write_array(&lists, parents);
    for (uint32_t i = 0; i < parents; i++) {
        struct al_ref ref = sample_ref(i * 60000);
        al_write_ref(&lists, &ref);
    }
    p.parents = al_slice_of(lists.p + start, lists.n - start);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    assert_int_equal(al_payload_encode(&b, &p), 0);
    assert_int_equal(al_payload_open(out, al_buf_slice(&b), false), 0);
}

static void an_entry_is_taken_apart_into_its_lists(void **state)
{
    (void)state;
    struct al_payload p;
    struct al_circle_entry c;
    entry(&p, 7, 4, 3);
    assert_int_equal(al_circle_open(&c, &p), 0);
    assert_memory_equal(c.cid.b, cid.b, sizeof(cid.b));
    assert_int_equal(c.n, 7);
    assert_true(al_slice_is(c.meta, "meta"));
    assert_int_equal(c.parent_count, 4);
    assert_int_equal(c.box_count, 4);
    assert_int_equal(c.old_count, 3);
    for (uint32_t i = 0; i < 4; i++) {
        struct al_ref ref, want = sample_ref(i * 60000);
        al_circle_parent(&ref, &c, i);
        assert_int_equal(ref.seq, want.seq);
        assert_memory_equal(ref.id.b, want.id.b, sizeof(ref.id.b));
        assert_int_equal(al_circle_box(&c, i)[0], i + 1);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(al_circle_old(&c, i).n, 30);
        assert_int_equal(al_circle_old(&c, i).p[0], i + 1);
    }
}

static void only_the_first_epoch_has_no_parents(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        uint32_t parents;
        int err;
    } cases[] = {{1, 0, 0}, {2, 0, AL_E_RANGE}, {1, 1, AL_E_RANGE}, {2, 1, 0}, {UINT64_MAX, 4, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_payload p;
        struct al_circle_entry c;
        entry(&p, cases[i].n, cases[i].parents, 0);
        assert_int_equal(al_circle_open(&c, &p), cases[i].err);
    }
    struct al_payload note = {.kind = AL_KIND_NOTE};
    struct al_circle_entry c;
    assert_int_equal(al_circle_open(&c, &note), AL_E_KIND);
}

/* --- boxes ----------------------------------------------------------------------------------- */

static void a_box_opens_for_one_reader_in_one_place(void **state)
{
    (void)state;
    const uint8_t read_sk[32] = {0x50}, other_sk[32] = {0x60};
    uint8_t read_pk[32], other_pk[32], box[AL_CIRCLE_BOX_BYTES], opened[AL_EPOCH_KEY_BYTES] = {0};
    (void)crypto_scalarmult_base(read_pk, read_sk);
    (void)crypto_scalarmult_base(other_pk, other_sk);
    assert_int_equal(al_circle_box_seal(box, key, &owner, &cid, 9, read_pk, seed), 0);
    assert_int_equal(al_circle_box_open(opened, box, &owner, &cid, 9, read_sk, read_pk), 0);
    assert_memory_equal(opened, key, sizeof(key));

    const struct al_identity other_owner = {{9}};
    const struct al_circle_id other_cid = {{9}};
    memset(opened, 0, sizeof(opened));
    assert_int_equal(
        al_circle_box_open(opened, box, &other_owner, &cid, 9, read_sk, read_pk), AL_E_SEALED);
    assert_int_equal(
        al_circle_box_open(opened, box, &owner, &other_cid, 9, read_sk, read_pk), AL_E_SEALED);
    assert_int_equal(
        al_circle_box_open(opened, box, &owner, &cid, 10, read_sk, read_pk), AL_E_SEALED);
    assert_int_equal(
        al_circle_box_open(opened, box, &owner, &cid, 9, other_sk, other_pk), AL_E_SEALED);
    assert_true(sodium_is_zero(opened, sizeof(opened)));
    for (size_t bit = 0; bit < sizeof(box) * 8; bit++) {
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            al_circle_box_open(opened, box, &owner, &cid, 9, read_sk, read_pk), AL_E_SEALED);
        box[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    static const uint8_t small[32];
    assert_int_equal(al_circle_box_seal(box, key, &owner, &cid, 9, small, seed), AL_E_POINT);
}

static void a_fake_box_opens_for_nobody_and_differs_by_its_seed(void **state)
{
    (void)state;
    const uint8_t read_sk[32] = {0x50}, other_seed[32] = {0x70};
    uint8_t read_pk[32], box[AL_CIRCLE_BOX_BYTES], second[AL_CIRCLE_BOX_BYTES];
    uint8_t opened[AL_EPOCH_KEY_BYTES];
    (void)crypto_scalarmult_base(read_pk, read_sk);
    al_circle_box_fake(box, seed);
    assert_int_equal(
        al_circle_box_open(opened, box, &owner, &cid, 9, read_sk, read_pk), AL_E_SEALED);
    al_circle_box_fake(second, other_seed);
    for (size_t i = 0; i < sizeof(box); i += 32)
        assert_memory_not_equal(box + i, second + i, 32);
    al_circle_box_fake(second, seed); /* a simulated node replays */
    assert_memory_equal(box, second, sizeof(box));
}

static void the_number_of_boxes_hides_that_of_the_members(void **state)
{
    (void)state;
    static const uint32_t cases[][2] = {{0, 4}, {1, 4}, {4, 4}, {5, 8}, {8, 8}, {9, 16}, {33, 64},
        {65, 128}, {128, 128}, {129, 152}, {150, 152}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(al_circle_box_count(cases[i][0]), cases[i][1]);
}

/* --- meta ------------------------------------------------------------------------------------ */

static struct al_circle_meta meta_of(uint32_t count, uint32_t in)
{
    memset(members, 0, sizeof(members));
    for (uint32_t i = 0; i < count; i++) {
        members[i].identity.b[0] = (uint8_t)(i >> 8);
        members[i].identity.b[1] = (uint8_t)i;
        members[i].in = i < in;
        members[i].changed = i + 1;
        members[i].generation = i < in ? 1 + i % AL_READ_GENERATIONS_MAX : 0;
    }
    return (struct al_circle_meta){
        .name = al_slice_str("the lunch group"), .members = members, .count = count};
}

static int reopen(struct al_circle_meta *ret, const struct al_circle_meta *meta)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_circle_meta_encode(&b, meta);
    assert_false(b.full);
    assert_true(b.n <= AL_SEALED_INNER_MAX);
    return al_circle_meta_open(ret, got, al_buf_slice(&b));
}

static void a_meta_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const uint32_t cases[][2] = {
        {0, 0}, {1, 1}, {150, 150}, {AL_CIRCLE_LIST_MAX, AL_MEMBERS_MAX}};
    for (size_t at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
        struct al_circle_meta out, meta = meta_of(cases[at][0], cases[at][1]);
        assert_int_equal(reopen(&out, &meta), 0);
        assert_true(al_slice_eq(out.name, meta.name));
        assert_int_equal(out.count, meta.count);
        assert_ptr_equal(out.members, got);
        for (uint32_t i = 0; i < out.count; i++) {
            assert_true(al_identity_eq(&got[i].identity, &members[i].identity));
            assert_int_equal(got[i].in, members[i].in);
            assert_int_equal(got[i].changed, members[i].changed);
            assert_int_equal(got[i].generation, members[i].generation);
        }
    }
}

static void members_ascend_and_are_in_with_a_generation(void **state)
{
    (void)state;
    struct al_circle_meta out, meta = meta_of(3, 2);
    members[1].identity = members[2].identity;
    assert_int_equal(reopen(&out, &meta), AL_E_ORDER);
    meta = meta_of(3, 2);
    members[0].identity.b[1] = 9;
    assert_int_equal(reopen(&out, &meta), AL_E_ORDER);
    meta = meta_of(3, 2);
    members[0].generation = 0;
    assert_int_equal(reopen(&out, &meta), AL_E_RANGE);
    meta = meta_of(3, 2);
    members[2].generation = 1;
    assert_int_equal(reopen(&out, &meta), AL_E_RANGE);
    meta = meta_of(3, 2);
    members[1].generation = AL_READ_GENERATIONS_MAX + 1;
    assert_int_equal(reopen(&out, &meta), AL_E_RANGE);
    meta = meta_of(3, 2);
    members[1].changed = 0;
    assert_int_equal(reopen(&out, &meta), AL_E_RANGE);
    meta = meta_of(AL_MEMBERS_MAX + 1, AL_MEMBERS_MAX + 1);
    assert_int_equal(reopen(&out, &meta), AL_E_COUNT);
}

static void a_circle_has_a_name(void **state)
{
    (void)state;
    static uint8_t letters[AL_NAME_MAX + 1];
    memset(letters, 'x', sizeof(letters));
    struct al_circle_meta out, meta = meta_of(1, 1);
    meta.name = al_slice_of(letters, AL_NAME_MAX);
    assert_int_equal(reopen(&out, &meta), 0);
    meta.name.n++;
    assert_int_equal(reopen(&out, &meta), AL_E_LENGTH);
    meta.name.n = 0;
    assert_int_equal(reopen(&out, &meta), AL_E_LENGTH);
}

static int open_meta(struct al_slice bytes)
{
    struct al_circle_meta out;
    return al_circle_meta_open(&out, got, bytes);
}

static void a_meta_of_another_form_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(open_meta(al_slice_str("\x81\xa4name\xa1x")), AL_E_MISSING);
    assert_int_equal(open_meta(al_slice_str("\x81\xa7members\x90")), AL_E_MISSING);
    assert_int_equal(open_meta(al_slice_str("\x82\xa4name\xa1x\xa7members\x90")), 0);
    assert_int_equal(open_meta(al_slice_str("\x83\xa4name\xa1x\xa5later\xc3\xa7members\x90")), 0);
    assert_int_equal(open_meta(al_slice_str("\x82\xa7members\x90\xa4name\xa1x")), AL_E_KEY_ORDER);
    assert_int_equal(open_meta(al_slice_str("\x82\xa4name\x01\xa7members\x90")), AL_E_TYPE);
    assert_int_equal(
        open_meta(al_slice_str("\x82\xa4name\xa1x\xa7members\x91\x93")), AL_E_TRUNCATED);
    assert_int_equal(
        open_meta(al_slice_str("\x82\xa4name\xa1x\xa7members\x91\x93\1\1\1")), AL_E_COUNT);
    assert_int_equal(open_meta(al_slice_str("\x90")), AL_E_TYPE);
    struct al_circle_meta meta = meta_of(AL_CIRCLE_LIST_MAX, 1);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_circle_meta_encode(&b, &meta);
    static const uint8_t head[] = {0xdc, 0x02, 0x00};
    uint8_t *count = memmem(b.p, b.n, head, sizeof(head));
    assert_non_null(count);
    count[2] = 1; /* 513 announced; the scan finds the end before the reader counts */
    assert_int_equal(open_meta(al_buf_slice(&b)), AL_E_TRUNCATED);
    al_write_uint(&b, 0);
    assert_int_equal(open_meta(al_buf_slice(&b)), AL_E_COUNT);
}

/* --- old ------------------------------------------------------------------------------------- */

static void an_old_key_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t opened[AL_EPOCH_KEY_BYTES];
    struct al_ref ref, epoch = sample_ref(5);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_circle_old_encode(&b, key, &epoch);
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), 0);
    assert_memory_equal(opened, key, sizeof(key));
    assert_int_equal(ref.seq, epoch.seq);
    assert_memory_equal(ref.id.b, epoch.id.b, sizeof(ref.id.b));
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(al_circle_old_open(opened, &ref, al_slice_of(b.p, n)), AL_E_TRUNCATED);
    b.p[0] = 0x83; /* with a key of a later version */
    al_write_cstr(&b, "later");
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), AL_E_TRUNCATED);
    al_write_uint(&b, 1);
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), 0);
}

static void an_old_key_needs_both_its_parts(void **state)
{
    (void)state;
    uint8_t opened[AL_EPOCH_KEY_BYTES];
    struct al_ref ref, epoch = sample_ref(5);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_map(&b, 1);
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, sizeof(key));
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), AL_E_MISSING);
    b.n = 0;
    al_write_map(&b, 1);
    al_write_cstr(&b, "epoch");
    al_write_ref(&b, &epoch);
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), AL_E_MISSING);
    b.n = 0;
    al_write_map(&b, 1);
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, 31);
    assert_int_equal(al_circle_old_open(opened, &ref, al_buf_slice(&b)), AL_E_LENGTH);
    assert_int_equal(al_circle_old_open(opened, &ref, al_slice_str("\x01")), AL_E_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_taken_apart_into_its_lists),
        cmocka_unit_test(only_the_first_epoch_has_no_parents),
        cmocka_unit_test(a_box_opens_for_one_reader_in_one_place),
        cmocka_unit_test(a_fake_box_opens_for_nobody_and_differs_by_its_seed),
        cmocka_unit_test(the_number_of_boxes_hides_that_of_the_members),
        cmocka_unit_test(a_meta_is_read_as_it_was_written),
        cmocka_unit_test(members_ascend_and_are_in_with_a_generation),
        cmocka_unit_test(a_circle_has_a_name),
        cmocka_unit_test(a_meta_of_another_form_is_refused_by_name),
        cmocka_unit_test(an_old_key_is_read_as_it_was_written),
        cmocka_unit_test(an_old_key_needs_both_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
