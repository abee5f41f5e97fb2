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

/* --- reading keys ---------------------------------------------------------------------------- */

/* A reading key of |generation| with boxes for the devices |first| to |last|. */
static void sign_boxes(struct signed_one *out, uint32_t generation, unsigned first, unsigned last)
{
    uint8_t sk[32], pk[32];
    struct al_read_box boxes[8];
    uint32_t count = 0;
    struct al_rng rng;
    const uint8_t seed[32] = {(uint8_t)generation, (uint8_t)first};
    al_rng_init(&rng, seed);
    al_root_read_key(sk, &root, generation);
    al_read_key_public(pk, sk);
    for (unsigned i = first; i <= last; i++) {
        struct al_read_box box = {.device = device_number(i).device};
        uint32_t at = count++;
        assert_int_equal(al_read_box_seal(box.box, &box.device, sk, &rng), 0);
        for (; at > 0 && memcmp(boxes[at - 1].device.b, box.device.b, 32) > 0; at--)
            boxes[at] = boxes[at - 1];
        boxes[at] = box;
    }
    out->bytes = al_heapbuf();
    al_statement_encode_read(
        &out->bytes, &root.identity, root.secret, generation, pk, boxes, count);
    open_it(out);
}

static void a_reading_key_is_unsafe_once_a_device_with_a_box_is_revoked(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct al_reading reading;
    struct signed_one ones[5];
    sign_boxes(&ones[0], 1, 1, 3);
    sign_boxes(&ones[1], 2, 1, 2);
    sign_boxes(&ones[2], 2, 5, 5);
    sign_revocation(&ones[3], 3, NULL, 0);
    sign_revocation(&ones[4], 5, NULL, 0);
    al_record_reading(r, &reading);
    assert_int_equal(reading.generation, 0);
    assert_false(reading.unsafe);

    assert_true(add(r, &ones[0]));
    al_record_reading(r, &reading);
    assert_int_equal(reading.generation, 1);
    assert_memory_equal(reading.read_pk, ones[0].s.read_pk, 32);
    assert_false(reading.unsafe);
    assert_true(add(r, &ones[3])); /* the device needs no certificate for that */
    al_record_reading(r, &reading);
    assert_true(reading.unsafe);

    assert_true(add(r, &ones[1]));
    al_record_reading(r, &reading);
    assert_int_equal(reading.generation, 2);
    assert_memory_equal(reading.read_pk, ones[1].s.read_pk, 32);
    assert_false(reading.unsafe);
    assert_true(add(r, &ones[2]));
    assert_true(add(r, &ones[4]));
    al_record_reading(r, &reading);
    assert_true(reading.unsafe); /* whichever statement it stands in */
    free_all(ones, 5);
    al_record_free(r);
}

static void of_several_reading_keys_the_smallest_hash_speaks(void **state)
{
    (void)state;
    struct signed_one ones[3];
    for (unsigned i = 0; i < 3; i++)
        sign_read(&ones[i], 4, i);
    /* the statements differ by their boxes; give each a key of its own to tell them apart */
    for (unsigned i = 0; i < 3; i++)
        ones[i].s.read_pk[0] = (uint8_t)i;
    unsigned least = 0;
    for (unsigned i = 1; i < 3; i++) {
        if (memcmp(ones[i].s.hash.b, ones[least].s.hash.b, 32) < 0)
            least = i;
    }
    for (unsigned start = 0; start < 3; start++) {
        struct al_record *r = al_record_new(&root.identity);
        struct al_reading reading;
        for (unsigned i = 0; i < 3; i++)
            assert_true(add(r, &ones[(start + i) % 3]));
        al_record_reading(r, &reading);
        assert_int_equal(reading.read_pk[0], least);
        al_record_free(r);
    }
    free_all(ones, 3);
}

static void a_box_is_found_in_any_statement_of_its_generation(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct signed_one ones[3];
    uint8_t box[AL_READ_BOX_BYTES], pk[32], sk[32], want[32];
    sign_boxes(&ones[0], 7, 1, 3);
    sign_boxes(&ones[1], 7, 4, 4);
    sign_boxes(&ones[2], 8, 1, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_true(add(r, &ones[i]));
    for (unsigned i = 1; i <= 4; i++) {
        struct al_keyring k = device_number(i);
        assert_int_equal(al_record_read_box(r, box, pk, 7, &k.device), 0);
        assert_memory_equal(pk, ones[0].s.read_pk, 32);
        assert_int_equal(al_read_box_open(sk, box, &k), 0);
        al_root_read_key(want, &root, 7);
        assert_memory_equal(sk, want, 32);
        assert_int_equal(al_record_read_box(r, box, pk, 8, &k.device), i == 1 ? 0 : AL_E_NOT_FOUND);
    }
    const struct al_device other = device_number(9).device;
    assert_int_equal(al_record_read_box(r, box, pk, 7, &other), AL_E_NOT_FOUND);
    assert_int_equal(al_record_read_box(r, box, pk, 6, &other), AL_E_NOT_FOUND);
    free_all(ones, 3);
    al_record_free(r);
}

/* A keyring of device |i| with the reading key of generation |g|. */
static struct al_keyring keyring_at(unsigned i, uint32_t g)
{
    struct al_keyring k;
    uint8_t sk[32];
    const uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 7};
    al_root_read_key(sk, &root, g);
    assert_int_equal(al_keyring_init(&k, &root.identity, seed, g, sk), 0);
    return k;
}

static void a_keyring_learns_the_newest_generation_it_has_a_box_of(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct al_keyring k = keyring_at(1, 2), other = keyring_at(4, 2);
    struct signed_one ones[3];
    uint8_t want[32];
    bool is_new = true;
    sign_boxes(&ones[0], 2, 1, 4);
    sign_boxes(&ones[1], 5, 1, 2);
    sign_boxes(&ones[2], 9, 2, 3);
    al_keyring_learn(&k, &is_new, r);
    assert_false(is_new);
    for (unsigned i = 0; i < 3; i++)
        assert_true(add(r, &ones[i]));
    al_keyring_learn(&k, &is_new, r);
    assert_true(is_new);
    assert_int_equal(k.generation, 5);
    al_root_read_key(want, &root, 5);
    assert_memory_equal(k.read_sk, want, 32);
    const struct al_keyring fresh = keyring_at(1, 5);
    assert_memory_equal(k.me_key, fresh.me_key, 32);
    al_root_read_key(want, &root, 3);
    uint8_t older[32];
    assert_int_equal(al_keyring_read_sk(older, &k, 3), 0);
    assert_memory_equal(older, want, 32);
    al_keyring_learn(&k, &is_new, r);
    assert_false(is_new);
    al_keyring_learn(&other, &is_new, r); /* generation 2 is what it has */
    assert_false(is_new);
    assert_int_equal(other.generation, 2);
    free_all(ones, 3);
    al_record_free(r);
}

/* A reading key of |generation| whose box for device 1 holds |sk| and whose statement shows |pk|.
 */
static void sign_odd(
    struct signed_one *out, uint32_t generation, const uint8_t sk[32], const uint8_t pk[32])
{
    struct al_rng rng;
    struct al_read_box box = {.device = device_number(1).device};
    const uint8_t seed[32] = {3};
    al_rng_init(&rng, seed);
    assert_int_equal(al_read_box_seal(box.box, &box.device, sk, &rng), 0);
    out->bytes = al_heapbuf();
    al_statement_encode_read(&out->bytes, &root.identity, root.secret, generation, pk, &box, 1);
    open_it(out);
}

static void a_reading_key_that_does_not_fit_is_passed_over(void **state)
{
    (void)state;
    struct al_record *r = al_record_new(&root.identity);
    struct al_keyring k = keyring_at(1, 2);
    struct signed_one ones[4];
    uint8_t sk[32], pk[32], alien[32] = {1};
    bool is_new;
    sign_boxes(&ones[0], 3, 1, 1); /* good */
    sign_read(&ones[1], 4, 0);     /* a box of zeros, but for another device */
    al_root_read_key(sk, &root, 5);
    al_read_key_public(pk, sk);
    sign_odd(&ones[2], 5, alien, pk); /* the box holds another key than the statement shows */
    al_read_key_public(pk, alien);
    sign_odd(&ones[3], 6, alien, pk); /* the key at hand does not follow from it */
    for (unsigned i = 0; i < 4; i++)
        assert_true(add(r, &ones[i]));
    al_keyring_learn(&k, &is_new, r);
    assert_true(is_new);
    assert_int_equal(k.generation, 3);

    struct al_record *damaged = al_record_new(&root.identity);
    struct al_keyring untouched = keyring_at(1, 2), same = untouched;
    struct signed_one one;
    struct al_read_box zeros = {.device = untouched.device};
    one.bytes = al_heapbuf();
    al_statement_encode_read(&one.bytes, &root.identity, root.secret, 3, pk, &zeros, 1);
    open_it(&one);
    assert_true(add(damaged, &one));
    al_keyring_learn(&untouched, &is_new, damaged);
    assert_false(is_new);
    assert_memory_equal(&untouched, &same, sizeof(same));
    al_heapbuf_free(&one.bytes);
    al_record_free(damaged);
    free_all(ones, 4);
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
        cmocka_unit_test(a_reading_key_is_unsafe_once_a_device_with_a_box_is_revoked),
        cmocka_unit_test(of_several_reading_keys_the_smallest_hash_speaks),
        cmocka_unit_test(a_box_is_found_in_any_statement_of_its_generation),
        cmocka_unit_test(a_keyring_learns_the_newest_generation_it_has_a_box_of),
        cmocka_unit_test(a_reading_key_that_does_not_fit_is_passed_over),
        cmocka_unit_test(over_the_limits_the_named_statements_stay),
        cmocka_unit_test(the_order_of_arrival_never_matters),
    };
    return cmocka_run_group_tests(tests, set_up_excess, tear_down_excess);
}
