/*
 * The record of an identity: which devices count and up to where, and that neither the order of
 * arrival nor a root that signs too much ever makes two nodes disagree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "heapbuf.h"
#include "identity.h"
#include "keyring.h"
#include "rng.h"

static struct al_root root;
static const struct al_logname log_a = {"log a.."}, log_b = {"log b.."};

/* An encoded statement, opened. */
struct signed_one {
    struct al_buf bytes;
    struct al_statement s;
};

static int set_up(void **state)
{
    (void)state;
    const uint8_t entropy[32] = {1};
    al_root_derive(&root, entropy);
    return 0;
}

static struct al_keyring device_number(unsigned i)
{
    struct al_keyring k;
    const uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 7};
    assert_int_equal(al_keyring_init(&k, &root.identity, seed, 1, seed), 0);
    return k;
}

static void open_it(struct signed_one *out)
{
    assert_false(out->bytes.full);
    assert_int_equal(al_statement_open(&out->s, al_buf_slice(&out->bytes)), 0);
}

static void sign_cert(
    struct signed_one *out, unsigned device, uint64_t created_ms, const char *name)
{
    struct al_keyring k = device_number(device);
    out->bytes = al_heapbuf();
    al_statement_encode_cert(&out->bytes, &root.identity, root.secret, &k.device, k.device_secret,
        created_ms, al_slice_str(name));
    open_it(out);
}

static void sign_revocation(
    struct signed_one *out, unsigned device, const struct al_cut *cuts, uint32_t count)
{
    struct al_keyring k = device_number(device);
    out->bytes = al_heapbuf();
    al_statement_encode_revoke(&out->bytes, &root.identity, root.secret, &k.device, cuts, count);
    open_it(out);
}

static void sign_read(struct signed_one *out, uint32_t generation, unsigned variant)
{
    uint8_t sk[32], pk[32];
    struct al_read_box box = {.device = device_number(0).device, .box = {(uint8_t)variant}};
    al_root_read_key(sk, &root, generation);
    al_read_key_public(pk, sk);
    out->bytes = al_heapbuf();
    al_statement_encode_read(&out->bytes, &root.identity, root.secret, generation, pk, &box, 1);
    open_it(out);
}

static bool add(struct al_record *r, const struct signed_one *one)
{
    bool is_new = false;
    assert_int_equal(al_record_add(r, &is_new, &one->s, al_buf_slice(&one->bytes)), 0);
    return is_new;
}

static void free_all(struct signed_one *ones, size_t n)
{
    for (size_t i = 0; i < n; i++)
        al_heapbuf_free(&ones[i].bytes);
}

static struct al_cut cut_at(const struct al_logname *log, uint64_t seq, uint8_t id)
{
    return (struct al_cut){.log = *log, .seq = seq, .id = {{id}}};
}

static void a_device_counts_from_its_certificate_until_it_is_revoked(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    const struct al_device device = device_number(1).device;
    struct al_cut cut = {.seq = 99};
    struct signed_one cert, revocation;
    sign_cert(&cert, 1, 1000, "laptop");
    const struct al_cut cuts[] = {cut_at(&log_a, 12, 5)};
    sign_revocation(&revocation, 1, cuts, 1);

    assert_int_equal(al_record_standing(r, &cut, &device, &log_a), AL_STANDING_UNKNOWN);
    assert_int_equal(al_record_cert(r, &device).n, 0);
    assert_true(add(r, &cert));
    assert_false(add(r, &cert));
    assert_int_equal(al_record_standing(r, &cut, &device, &log_a), AL_STANDING_CERTIFIED);
    assert_true(al_slice_eq(al_record_cert(r, &device), al_buf_slice(&cert.bytes)));
    assert_int_equal(cut.seq, 99);

    assert_true(add(r, &revocation));
    assert_int_equal(al_record_standing(r, NULL, &device, NULL), AL_STANDING_REVOKED);
    assert_int_equal(al_record_standing(r, &cut, &device, &log_a), AL_STANDING_REVOKED);
    assert_int_equal(cut.seq, 12);
    assert_int_equal(cut.id.b[0], 5);
    assert_int_equal(al_record_standing(r, &cut, &device, &log_b), AL_STANDING_REVOKED);
    assert_int_equal(cut.seq, 0); /* a log that is not named does not count */
    assert_true(al_logname_eq(&cut.log, &log_b));

    const struct al_device other = device_number(2).device;
    assert_int_equal(al_record_standing(r, &cut, &other, &log_a), AL_STANDING_UNKNOWN);
    al_record_free(r);
    al_record_free(NULL);
    al_heapbuf_free(&cert.bytes);
    al_heapbuf_free(&revocation.bytes);
}

static void a_revocation_alone_makes_no_device_known(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    const struct al_device device = device_number(1).device;
    struct al_cut cut;
    struct signed_one ones[2];
    const struct al_cut cuts[] = {cut_at(&log_a, 3, 1)};
    sign_revocation(&ones[0], 1, cuts, 1);
    sign_cert(&ones[1], 1, 5, "");
    assert_true(add(r, &ones[0]));
    assert_int_equal(al_record_standing(r, &cut, &device, &log_a), AL_STANDING_UNKNOWN);
    assert_int_equal(al_record_devices(r), 0);
    assert_true(add(r, &ones[1])); /* but it waits for the certificate */
    assert_int_equal(al_record_standing(r, &cut, &device, &log_a), AL_STANDING_REVOKED);
    assert_int_equal(cut.seq, 3);
    free_all(ones, 2);
    al_record_free(r);
}

static void of_several_revocations_all_are_met(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    const struct al_device device = device_number(1).device;
    struct signed_one ones[4];
    struct al_cut cut;
    const struct al_cut both[] = {cut_at(&log_a, 9, 1), cut_at(&log_b, 4, 1)};
    const struct al_cut lower[] = {cut_at(&log_a, 7, 2), cut_at(&log_b, 6, 2)};
    const struct al_cut same_seq[] = {cut_at(&log_a, 7, 1)}; /* the other branch of a fork */
    sign_cert(&ones[0], 1, 1, "x");
    sign_revocation(&ones[1], 1, both, 2);
    sign_revocation(&ones[2], 1, lower, 2);
    sign_revocation(&ones[3], 1, same_seq, 1);
    for (size_t i = 0; i < 3; i++)
        assert_true(add(r, &ones[i]));
    (void)al_record_standing(r, &cut, &device, &log_a);
    assert_int_equal(cut.seq, 7);
    assert_int_equal(cut.id.b[0], 2);
    (void)al_record_standing(r, &cut, &device, &log_b);
    assert_int_equal(cut.seq, 4);
    assert_true(add(r, &ones[3]));
    (void)al_record_standing(r, &cut, &device, &log_a);
    assert_int_equal(cut.id.b[0], 1);
    (void)al_record_standing(r, &cut, &device, &log_b);
    assert_int_equal(cut.seq, 0);
    free_all(ones, 4);
    al_record_free(r);
}

static void statements_of_another_identity_are_refused(void **state)
{
    (void)state;
    const struct al_identity other = {{9}};
    struct al_record *r = al_record_new(&other);
    struct signed_one cert;
    bool is_new = true;
    sign_cert(&cert, 1, 1, "x");
    assert_int_equal(al_record_add(r, &is_new, &cert.s, al_buf_slice(&cert.bytes)), AL_E_IDENTITY);
    assert_int_equal(al_record_count(r), 0);
    assert_memory_equal(al_record_identity(r), &other, sizeof(other));
    al_heapbuf_free(&cert.bytes);
    al_record_free(r);
}

static void devices_come_by_key_with_the_name_of_their_oldest_certificate(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct signed_one ones[4];
    sign_cert(&ones[0], 1, 500, "later name");
    sign_cert(&ones[1], 1, 400, "first name");
    sign_cert(&ones[2], 2, 300, "");
    sign_cert(&ones[3], 3, 600, "phone");
    for (size_t i = 0; i < 4; i++)
        assert_true(add(r, &ones[i]));
    assert_int_equal(al_record_devices(r), 3);
    struct al_device before = {{0}}, device;
    struct al_slice name;
    for (size_t i = 0; i < 3; i++) {
        al_record_device(r, i, &device, &name);
        assert_true(memcmp(before.b, device.b, sizeof(device.b)) < 0);
        before = device;
        if (al_device_eq(&device, &ones[0].s.device))
            assert_true(al_slice_is(name, "first name"));
        else if (al_device_eq(&device, &ones[2].s.device))
            assert_int_equal(name.n, 0);
        else
            assert_true(al_slice_is(name, "phone"));
    }
    assert_true(al_slice_eq(al_record_cert(r, &ones[0].s.device), al_buf_slice(&ones[1].bytes)));
    free_all(ones, 4);
    al_record_free(r);
}

static void the_highest_generation_of_the_reading_key_is_current(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct signed_one ones[2], cert;
    sign_cert(&cert, 1, 1, "x");
    sign_read(&ones[0], 10, 0);
    sign_read(&ones[1], 9, 0);
    assert_int_equal(al_record_read_generation(r), 0);
    assert_true(add(r, &cert));
    assert_int_equal(al_record_read_generation(r), 0);
    assert_true(add(r, &ones[0]));
    assert_true(add(r, &ones[1]));
    assert_int_equal(al_record_read_generation(r), 10);
    free_all(ones, 2);
    al_heapbuf_free(&cert.bytes);
    al_record_free(r);
}

/* --- a root that signs too much ------------------------------------------------------------ */

#define CERTS 100  /* 4 too many */
#define REVOKED 99 /* devices, 3 too many */
#define REVISED 7  /* revocations of one device, 3 too many */
#define READS 6    /* of each of two generations, 2 too many */
#define EXCESS (CERTS + REVOKED + REVISED - 1 + 2 * READS)
#define KEPT (96 + 96 + 3 + 2 * 4)

static struct signed_one excess[EXCESS];

static void sign_excess(void)
{
    size_t n = 0;
    for (unsigned i = 0; i < CERTS;
         i++) /* created at 25 moments: the device decides between equals */
        sign_cert(&excess[n++], i, 1000 + i % 25, "x");
    struct al_cut cut = cut_at(&log_a, 50, 1);
    for (unsigned i = 0; i < REVOKED; i++)
        sign_revocation(&excess[n++], i, &cut, 1);
    /* Revise the device with the smallest key, which is among the first 96 for sure. */
    unsigned least = 0;
    for (unsigned i = 1; i < REVOKED; i++) {
        if (memcmp(excess[CERTS + i].s.device.b, excess[CERTS + least].s.device.b, 32) < 0)
            least = i;
    }
    for (unsigned i = 1; i < REVISED; i++) {
        cut.seq = 50 + i;
        sign_revocation(&excess[n++], least, &cut, 1);
    }
    for (unsigned i = 0; i < READS; i++) {
        sign_read(&excess[n++], 1, i);
        sign_read(&excess[n++], 2, i);
    }
    assert_int_equal(n, EXCESS);
}

static void shuffle(size_t order[EXCESS], struct al_rng *rng)
{
    for (size_t i = 0; i < EXCESS; i++) {
        size_t j = (size_t)al_rng_below(rng, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* How many certificates are older; of equal ones the smaller device is. */
static size_t older_certs(const struct al_statement *s)
{
    size_t n = 0;
    for (size_t i = 0; i < CERTS; i++) {
        const struct al_statement *o = &excess[i].s;
        n += o->created_ms != s->created_ms ? o->created_ms < s->created_ms
                                            : memcmp(o->device.b, s->device.b, 32) < 0;
    }
    return n;
}

/* How many statements of the same generation have a smaller hash. */
static size_t smaller_reads(const struct al_statement *s)
{
    size_t n = 0;
    for (size_t i = EXCESS - 2 * READS; i < EXCESS; i++) {
        const struct al_statement *o = &excess[i].s;
        n += o->generation == s->generation && memcmp(o->hash.b, s->hash.b, 32) < 0;
    }
    return n;
}

static bool holds(const struct al_record *r, const struct al_statement *s)
{
    for (size_t i = 0; i < al_record_count(r); i++) {
        struct al_hash hash;
        (void)al_record_statement(r, i, &hash);
        if (al_hash_eq(&hash, &s->hash))
            return true;
    }
    return false;
}

static void over_the_limits_the_named_statements_stay(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    for (size_t i = 0; i < EXCESS; i++)
        (void)add(r, &excess[i]);
    assert_int_equal(al_record_count(r), KEPT);
    for (size_t i = 0; i < CERTS; i++)
        assert_true(holds(r, &excess[i].s) == (older_certs(&excess[i].s) < 96));
    for (size_t i = EXCESS - 2 * READS; i < EXCESS; i++)
        assert_true(holds(r, &excess[i].s) == (smaller_reads(&excess[i].s) < 4));
    struct al_hash before = {{0}}, hash;
    for (size_t i = 0; i < KEPT; i++) {
        struct al_slice bytes = al_record_statement(r, i, &hash);
        assert_ptr_equal(al_record_statement(r, i, NULL).p, bytes.p);
        assert_true(memcmp(before.b, hash.b, 32) < 0);
        before = hash;
    }
    al_record_free(r);
}

static void the_order_of_arrival_never_matters(void **state)
{
    (void)state;
    struct al_rng rng;
    al_rng_init(&rng, (const uint8_t[32]){4});
    struct al_hash expect = {{0}}, digest;
    for (int round = 0; round < 200; round++) {
        size_t order[EXCESS];
        shuffle(order, &rng);
        struct al_record *r = al_record_new(&root.identity);
        for (size_t i = 0; i < EXCESS; i++) {
            size_t count = al_record_count(r);
            struct al_hash was;
            al_record_digest(r, &was);
            bool is_new = add(r, &excess[order[i]]);
            al_record_digest(r, &digest);
            assert_true(is_new == !al_hash_eq(&was, &digest));
            assert_true(is_new == holds(r, &excess[order[i]].s));
            assert_true(is_new || al_record_count(r) == count);
        }
        if (round == 0)
            expect = digest;
        assert_memory_equal(&digest, &expect, sizeof(digest));
        /* What one node would pass on, another one keeps whole: records merge in any grouping. */
        struct al_record *merged = al_record_new(&root.identity);
        size_t cut = (size_t)al_rng_below(&rng, EXCESS);
        for (size_t i = cut; i < EXCESS; i++)
            (void)add(merged, &excess[order[i]]);
        struct al_record *first = al_record_new(&root.identity);
        for (size_t i = 0; i < cut; i++)
            (void)add(first, &excess[order[i]]);
        for (size_t i = 0; i < EXCESS; i++) {
            if (holds(first, &excess[i].s))
                (void)add(merged, &excess[i]);
        }
        al_record_digest(merged, &digest);
        assert_memory_equal(&digest, &expect, sizeof(digest));
        al_record_free(first);
        al_record_free(merged);
        al_record_free(r);
    }
}

static int set_up_excess(void **state)
{
    int err = set_up(state);
    sign_excess();
    return err;
}

static int tear_down_excess(void **state)
{
    (void)state;
    free_all(excess, EXCESS);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_counts_from_its_certificate_until_it_is_revoked),
        cmocka_unit_test(a_revocation_alone_makes_no_device_known),
        cmocka_unit_test(of_several_revocations_all_are_met),
        cmocka_unit_test(statements_of_another_identity_are_refused),
        cmocka_unit_test(devices_come_by_key_with_the_name_of_their_oldest_certificate),
        cmocka_unit_test(the_highest_generation_of_the_reading_key_is_current),
        cmocka_unit_test(over_the_limits_the_named_statements_stay),
        cmocka_unit_test(the_order_of_arrival_never_matters),
    };
    return cmocka_run_group_tests(tests, set_up_excess, tear_down_excess);
}
