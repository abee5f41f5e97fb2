/* Statements: both signatures, the points of the keys, order and limits of their lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "hash.h"
#include "sample.h"
#include "statement.h"
#include "write.h"

static uint8_t space[AL_STATEMENT_MAX + 64];
static struct al_statement opened;
static struct sample_person p;
static struct al_cut cuts[AL_LOGS_PER_DEVICE_MAX + 1];
static struct al_read_box boxes[AL_READ_BOXES_MAX + 1];
static uint8_t read_pk[32];

static int setup(void **state)
{
    (void)state;
    p = sample_person(1);
    for (size_t i = 0; i <= AL_LOGS_PER_DEVICE_MAX; i++) {
        sample_bytes(&cuts[i], sizeof(cuts[i]), i);
        cuts[i].seq = AL_SEQ_MAX - i;
        al_u64be(cuts[i].log.b, i * 1000);
    }
    for (size_t i = 0; i <= AL_READ_BOXES_MAX; i++) {
        sample_bytes(&boxes[i], sizeof(boxes[i]), i);
        al_u64be(boxes[i].device.b, i * 1000);
    }
    uint8_t read_sk[32];
    sample_bytes(read_sk, sizeof(read_sk), 1);
    (void)crypto_scalarmult_base(read_pk, read_sk);
    return 0;
}

static struct al_slice cert(struct al_slice name, uint64_t created_ms)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_cert(
        &b, &p.identity, p.root_secret, &p.device, p.device_secret, created_ms, name);
    assert_false(b.full);
    return al_buf_slice(&b);
}

static struct al_slice revoke(uint32_t count)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_revoke(&b, &p.identity, p.root_secret, &p.device, cuts, count);
    assert_false(b.full);
    return al_buf_slice(&b);
}

static struct al_slice reading(uint32_t generation, uint32_t count)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_read(&b, &p.identity, p.root_secret, generation, read_pk, boxes, count);
    assert_false(b.full);
    return al_buf_slice(&b);
}

static int open_of(struct al_slice bytes)
{
    return al_statement_open(&opened, bytes);
}

/* Wrap |body| as a statement, signed by root and, if |both|, by the device. */
static struct al_slice signed_body(const struct al_buf *body, bool both)
{
    struct al_hash hash;
    struct al_sig root_sig;
    struct al_sig device_sig;
    al_hash1(&hash, AL_P_STATEMENT, body->p, body->n);
    al_sign(&root_sig, p.root_secret, AL_P_SIG_ROOT, hash.b);
    al_sign(&device_sig, p.device_secret, AL_P_SIG_DEVICE, hash.b);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 3);
    al_write_bin(&b, body->p, body->n);
    al_write_bin(&b, root_sig.b, 64);
    al_write_bin(&b, device_sig.b, both ? 64 : 0);
    return al_buf_slice(&b);
}

static void a_certificate_survives_encoding(void **state)
{
    (void)state;
    assert_int_equal(open_of(cert(al_slice_str("laptop"), SAMPLE_TIME)), 0);
    assert_int_equal(opened.kind, AL_STATEMENT_CERT);
    assert_true(al_identity_eq(&opened.identity, &p.identity));
    assert_true(al_device_eq(&opened.device, &p.device));
    assert_true(opened.created_ms == SAMPLE_TIME);
    assert_true(al_slice_is(opened.name, "laptop"));
    assert_int_equal(open_of(cert(al_slice_str(""), AL_TIME_MAX)), 0);
}

static void a_revocation_survives_encoding(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= AL_LOGS_PER_DEVICE_MAX; count++) {
        assert_int_equal(open_of(revoke(count)), 0);
        assert_int_equal(opened.count, count);
        for (uint32_t i = 0; i < count; i++) {
            struct al_cut cut;
            al_statement_cut(&cut, &opened, i);
            assert_true(al_logname_eq(&cut.log, &cuts[i].log));
            assert_true(cut.seq == cuts[i].seq && al_hash_eq(&cut.id, &cuts[i].id));
        }
    }
}

static void a_reading_key_survives_encoding(void **state)
{
    (void)state;
    assert_int_equal(open_of(reading(64, AL_READ_BOXES_MAX)), 0);
    assert_int_equal(opened.generation, 64);
    assert_memory_equal(opened.read_pk, read_pk, 32);
    for (uint32_t i = 0; i < opened.count; i++) {
        struct al_read_box box;
        al_statement_box(&box, &opened, i);
        assert_memory_equal(&box, &boxes[i], sizeof(box));
    }
    assert_int_equal(open_of(reading(1, 0)), 0);
}

static void one_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct al_slice bytes = kind == 0   ? cert(al_slice_str("x"), SAMPLE_TIME)
                                : kind == 1 ? revoke(2)
                                            : reading(3, 1);
        for (size_t bit = 0; bit < bytes.n * 8; bit++) {
            space[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(open_of(bytes), 0);
            space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void numbers_and_texts_have_their_limits(void **state)
{
    (void)state;
    static const char name65[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_int_equal(open_of(cert(al_slice_of(name65, 64), 0)), 0);
    assert_int_equal(open_of(cert(al_slice_of(name65, 65), 0)), AL_E_LENGTH);
    assert_int_equal(open_of(cert(al_slice_str("a"), AL_TIME_MAX + 1)), AL_E_RANGE);
    assert_int_equal(open_of(cert(al_slice_str("\xff"), 0)), AL_E_UTF8);
    assert_int_equal(open_of(reading(0, 1)), AL_E_RANGE);
    assert_int_equal(open_of(reading(65, 1)), AL_E_RANGE);
    assert_int_equal(open_of(reading(1, AL_READ_BOXES_MAX + 1)), AL_E_COUNT);
    assert_int_equal(open_of(revoke(AL_LOGS_PER_DEVICE_MAX + 1)), AL_E_COUNT);
    cuts[0].seq = 0;
    assert_int_equal(open_of(revoke(1)), AL_E_RANGE);
    cuts[0].seq = AL_SEQ_MAX + 1;
    assert_int_equal(open_of(revoke(1)), AL_E_RANGE);
    assert_int_equal(open_of(al_slice_of(space, AL_STATEMENT_MAX + 1)), AL_E_LENGTH);
}

static void lists_are_ascending_and_unique(void **state)
{
    (void)state;
    struct al_cut first = cuts[0];
    cuts[0] = cuts[1];
    assert_int_equal(open_of(revoke(2)), AL_E_ORDER); /* twice the same */
    cuts[1] = first;
    assert_int_equal(open_of(revoke(2)), AL_E_ORDER);
    boxes[1].device = boxes[0].device;
    assert_int_equal(open_of(reading(1, 2)), AL_E_ORDER);
    boxes[0].device = boxes[2].device;
    assert_int_equal(open_of(reading(1, 2)), AL_E_ORDER);
}

static void a_device_can_not_be_claimed_without_its_key(void **state)
{
    (void)state;
    struct sample_person q = sample_person(2);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_cert(
        &b, &q.identity, q.root_secret, &p.device, q.device_secret, 0, al_slice_str("mine"));
    assert_int_equal(open_of(al_buf_slice(&b)), AL_E_SIG);
    b.n = 0; /* nor an identity */
    al_statement_encode_cert(
        &b, &q.identity, p.root_secret, &p.device, p.device_secret, 0, al_slice_str("mine"));
    assert_int_equal(open_of(al_buf_slice(&b)), AL_E_SIG);
    b.n = 0; /* nor the device with the opposite sign, which has the same X25519 form */
    struct al_device negated = p.device;
    negated.b[31] ^= 0x80;
    al_statement_encode_cert(
        &b, &p.identity, p.root_secret, &negated, p.device_secret, 0, al_slice_str("-A"));
    assert_int_equal(open_of(al_buf_slice(&b)), AL_E_SIG);
}

static void keys_of_small_order_are_refused(void **state)
{
    (void)state;
    memset(p.device.b, 0, 32);
    assert_int_equal(open_of(cert(al_slice_str("x"), 0)), AL_E_POINT);
    assert_int_equal(open_of(revoke(1)), AL_E_POINT);
    memset(read_pk, 0, 32);
    assert_int_equal(open_of(reading(1, 1)), AL_E_POINT);
    read_pk[0] = 1;
    assert_int_equal(open_of(reading(1, 1)), AL_E_POINT);
    memset(p.identity.b, 0, 32);
    (void)setup(NULL);
    memset(p.identity.b, 0, 32);
    assert_int_equal(open_of(reading(1, 1)), AL_E_POINT);
}

static void another_form_is_refused_by_name(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct al_buf body = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&body, 6);
    al_write_uint(&body, 1);
    al_write_uint(&body, 3);
    al_write_bin(&body, p.identity.b, 32);
    al_write_uint(&body, 1);
    al_write_bin(&body, read_pk, 32);
    al_write_array(&body, 0);
    assert_int_equal(open_of(signed_body(&body, false)), 0);
    assert_int_equal(open_of(signed_body(&body, true)), AL_E_LENGTH); /* no device signs it */
    bytes[1] = 2;
    assert_int_equal(open_of(signed_body(&body, false)), AL_E_VERSION);
    bytes[1] = 1;
    bytes[2] = 4;
    assert_int_equal(open_of(signed_body(&body, false)), AL_E_STATEMENT_KIND);
    bytes[2] = 0;
    assert_int_equal(open_of(signed_body(&body, false)), AL_E_STATEMENT_KIND);
    bytes[2] = 2; /* a revocation has five fields */
    assert_int_equal(open_of(signed_body(&body, false)), AL_E_COUNT);
    bytes[2] = 3;
    al_write_uint(&body, 0);
    assert_int_equal(open_of(signed_body(&body, false)), AL_E_TRAILING);
}

static void a_certificate_needs_the_device_signature(void **state)
{
    (void)state;
    struct al_slice bytes = cert(al_slice_str("x"), 0);
    assert_int_equal(open_of(bytes), 0);
    size_t n = bytes.n - 64;
    space[n - 1] = 0; /* an empty bin instead */
    assert_int_equal(open_of(al_slice_of(space, n)), AL_E_LENGTH);
}

static void the_digest_does_not_depend_on_the_order(void **state)
{
    (void)state;
    struct al_hash hashes[3];
    struct al_hash turned[3];
    sample_bytes(hashes, sizeof(hashes), 1);
    for (size_t i = 0; i < 3; i++)
        turned[i] = hashes[2 - i];
    struct al_hash a;
    struct al_hash b;
    al_statement_digest(&a, hashes, 3);
    al_statement_digest(&b, turned, 3);
    assert_true(al_hash_eq(&a, &b));
    assert_memory_equal(hashes, turned, sizeof(hashes));
    al_statement_digest(&b, turned, 2);
    assert_false(al_hash_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_certificate_survives_encoding, setup),
        cmocka_unit_test_setup(a_revocation_survives_encoding, setup),
        cmocka_unit_test_setup(a_reading_key_survives_encoding, setup),
        cmocka_unit_test_setup(one_flipped_bit_is_refused, setup),
        cmocka_unit_test_setup(numbers_and_texts_have_their_limits, setup),
        cmocka_unit_test_setup(lists_are_ascending_and_unique, setup),
        cmocka_unit_test_setup(a_device_can_not_be_claimed_without_its_key, setup),
        cmocka_unit_test_setup(keys_of_small_order_are_refused, setup),
        cmocka_unit_test_setup(another_form_is_refused_by_name, setup),
        cmocka_unit_test_setup(a_certificate_needs_the_device_signature, setup),
        cmocka_unit_test(the_digest_does_not_depend_on_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
