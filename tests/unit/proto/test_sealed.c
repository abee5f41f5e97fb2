/* Sealed payloads: opened only with their key, at their place, with their padding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "hash.h"
#include "limit.h"
#include "sample.h"
#include "sealed.h"
#include "write.h"

static uint8_t space[AL_PAYLOAD_MAX];
static uint8_t inner[AL_SEALED_INNER_MAX + 1];
static uint8_t out[AL_PAYLOAD_MAX];
static uint8_t key[32];
static uint8_t nonce[AL_NONCE_BYTES];
static struct al_place place;

static int setup(void **state)
{
    (void)state;
    sample_bytes(inner, sizeof(inner), 1);
    sample_bytes(key, sizeof(key), 2);
    sample_bytes(nonce, sizeof(nonce), 3);
    struct sample_person p = sample_person(1);
    place = (struct al_place){.device = p.device, .log = p.log, .seq = 17};
    sample_bytes(place.prev.b, 32, 4);
    return 0;
}

static struct al_slice seal(size_t n)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    assert_int_equal(al_sealed_encode(&b, key, nonce, &place, al_slice_of(inner, n)), 0);
    return al_buf_slice(&b);
}

static int unseal(struct al_slice bytes, size_t *ret_n)
{
    struct al_sealed s;
    int err = al_sealed_open(&s, bytes);
    return err != 0 ? err : al_sealed_decrypt(out, ret_n, &s, key, &place);
}

static void padding_grows_by_at_most_an_eighth(void **state)
{
    (void)state;
    assert_int_equal(al_padme(0), AL_PAD_MIN);
    assert_int_equal(al_padme(128), 128);
    assert_int_equal(al_padme(129), 144);
    assert_int_equal(al_padme(1000), 1024);
    assert_int_equal(al_padme(61440), 61440);
    for (size_t n = AL_PAD_MIN; n <= AL_SEALED_INNER_MAX + 1; n++) {
        size_t padded = al_padme(n);
        assert_true(padded >= n && padded - n <= n / 8);
        assert_int_equal(al_padme(padded), padded);
    }
}

static void a_sealed_payload_opens_to_what_went_in(void **state)
{
    (void)state;
    for (size_t n = 0; n <= AL_SEALED_INNER_MAX; n += n < 300 ? 1 : 1117) {
        size_t got = 0;
        inner[n == 0 ? 0 : n - 1] = n % 2 == 0 ? 0x80 : 0; /* looks like padding */
        assert_int_equal(unseal(seal(n), &got), 0);
        assert_int_equal(got, n);
        assert_memory_equal(out, inner, n);
    }
}

static void the_size_of_the_text_is_limited(void **state)
{
    (void)state;
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    assert_int_equal(
        al_sealed_encode(&b, key, nonce, &place, al_slice_of(inner, AL_SEALED_INNER_MAX + 1)),
        AL_E_LENGTH);
    assert_int_equal(b.n, 0);
    assert_true(seal(AL_SEALED_INNER_MAX).n <= AL_PAYLOAD_MAX);
    struct al_buf small = al_buf_fixed(space, 190);
    assert_int_equal(
        al_sealed_encode(&small, key, nonce, &place, al_slice_of(inner, 1)), AL_E_SPACE);
}

static void one_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct al_slice bytes = seal(200);
    for (size_t bit = 0; bit < bytes.n * 8; bit++) {
        size_t got = 0;
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(unseal(bytes, &got), 0);
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void the_key_for_me_follows_from_the_reading_key(void **state)
{
    (void)state;
    uint8_t read_sk[32] = {1};
    uint8_t once[32];
    uint8_t again[32];
    al_sealed_me_key(once, read_sk);
    al_sealed_me_key(again, read_sk);
    assert_memory_equal(once, again, 32);
    read_sk[31] = 1;
    al_sealed_me_key(again, read_sk);
    assert_memory_not_equal(once, again, 32);
}

static void another_place_or_key_does_not_open_it(void **state)
{
    (void)state;
    struct al_slice bytes = seal(50);
    struct al_sealed s;
    size_t got = 0;
    assert_int_equal(al_sealed_open(&s, bytes), 0);
    struct al_place other = place;
    other.seq++;
    assert_int_equal(al_sealed_decrypt(out, &got, &s, key, &other), AL_E_SEALED);
    other = place;
    other.prev.b[31] ^= 1;
    assert_int_equal(al_sealed_decrypt(out, &got, &s, key, &other), AL_E_SEALED);
    other = place;
    other.log.b[0] ^= 1;
    assert_int_equal(al_sealed_decrypt(out, &got, &s, key, &other), AL_E_SEALED);
    other = place;
    other.device.b[0] ^= 1;
    assert_int_equal(al_sealed_decrypt(out, &got, &s, key, &other), AL_E_SEALED);
    uint8_t other_key[32];
    memcpy(other_key, key, 32);
    other_key[5] ^= 1;
    assert_true(al_sealed_hint_matches(&s, key));
    assert_false(al_sealed_hint_matches(&s, other_key));
    assert_int_equal(al_sealed_decrypt(out, &got, &s, other_key, &place), AL_E_SEALED);
}

/* A sealed payload whose plaintext, padding included, is |n| bytes at |plain|. */
static struct al_slice seal_raw(const uint8_t *plain, size_t n)
{
    uint8_t hint[32];
    uint8_t seal_key[32];
    uint8_t ad[96] = AL_P_SEAL;
    uint8_t box[4096];
    memcpy(ad + 16, place.device.b, 32);
    memcpy(ad + 48, place.log.b, 8);
    al_u64be(ad + 56, place.seq);
    memcpy(ad + 64, place.prev.b, 32);
    al_keyed_hash(hint, key, AL_P_HINT, nonce, sizeof(nonce));
    al_keyed_hash(seal_key, key, AL_P_SEAL, NULL, 0);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        box, NULL, plain, n, ad, sizeof(ad), NULL, nonce, seal_key);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 4);
    al_write_uint(&b, 1);
    al_write_bin(&b, nonce, sizeof(nonce));
    al_write_bin(&b, hint, AL_HINT_BYTES);
    al_write_bin(&b, box, n + 16);
    return al_buf_slice(&b);
}

static void only_the_one_right_padding_is_accepted(void **state)
{
    (void)state;
    uint8_t plain[1024] = {0};
    size_t got = 0;
    assert_int_equal(unseal(seal_raw(plain, 128), &got), AL_E_PADDING); /* no end mark */
    plain[10] = 0x80;
    assert_int_equal(unseal(seal_raw(plain, 128), &got), 0);
    assert_int_equal(got, 10);
    assert_int_equal(unseal(seal_raw(plain, 144), &got), AL_E_PADDING); /* more than needed */
    plain[20] = 1;
    assert_int_equal(unseal(seal_raw(plain, 128), &got), AL_E_PADDING); /* not zero */
    assert_int_equal(unseal(seal_raw(plain, 129), &got), AL_E_LENGTH);  /* no such length */
    assert_int_equal(unseal(seal_raw(plain, 112), &got), AL_E_LENGTH);
}

static void another_form_is_refused_by_name(void **state)
{
    (void)state;
    struct al_sealed s;
    struct al_slice bytes = seal(10);
    space[1] = 2;
    assert_int_equal(al_sealed_open(&s, bytes), AL_E_VERSION);
    space[1] = 1;
    space[3] = 23; /* a shorter nonce: what follows is read as something else */
    assert_int_not_equal(al_sealed_open(&s, bytes), 0);
    assert_int_equal(al_sealed_open(&s, al_slice_str("\x80")), AL_E_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_grows_by_at_most_an_eighth),
        cmocka_unit_test_setup(a_sealed_payload_opens_to_what_went_in, setup),
        cmocka_unit_test_setup(the_size_of_the_text_is_limited, setup),
        cmocka_unit_test_setup(one_flipped_bit_is_refused, setup),
        cmocka_unit_test(the_key_for_me_follows_from_the_reading_key),
        cmocka_unit_test_setup(another_place_or_key_does_not_open_it, setup),
        cmocka_unit_test_setup(only_the_one_right_padding_is_accepted, setup),
        cmocka_unit_test_setup(another_form_is_refused_by_name, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
