/*
 * Sealed payloads. An even first byte: the rest is one. An odd one: the rest is a map to be
 * sealed, which comes out again with the right key and place and with no other.
 */
#include "fuzz.h"
#include "limit.h"
#include "sealed.h"

static uint8_t opened[AL_PAYLOAD_MAX];

static void check(struct al_slice bytes)
{
    static const uint8_t key[32] = {1};
    static const struct al_place place = {.seq = 1};
    struct al_sealed s;
    size_t n = 0;
    if (bytes.n > AL_PAYLOAD_MAX || al_sealed_open(&s, bytes) != 0)
        return;
    AL_ASSERT(s.box.n <= sizeof(opened));
    if (al_sealed_decrypt(opened, &n, &s, key, &place) == 0)
        AL_ASSERT(n < s.box.n);
}

static void seal_and_open(struct al_slice inner)
{
    static const uint8_t nonce[AL_NONCE_BYTES] = {3};
    uint8_t key[32] = {2};
    struct al_place place = {.seq = 77};
    struct al_buf b = fuzz_buf();
    int err = al_sealed_encode(&b, key, nonce, &place, inner);
    AL_ASSERT((err == 0) == (inner.n <= AL_SEALED_INNER_MAX));
    if (err != 0)
        return;
    AL_ASSERT(b.n <= AL_PAYLOAD_MAX);
    struct al_sealed s;
    size_t n = 0;
    AL_ASSERT(al_sealed_open(&s, al_buf_slice(&b)) == 0);
    AL_ASSERT(al_sealed_hint_matches(&s, key));
    AL_ASSERT(al_sealed_decrypt(opened, &n, &s, key, &place) == 0);
    AL_ASSERT(al_slice_eq(al_slice_of(opened, n), inner));
    place.seq++;
    AL_ASSERT(al_sealed_decrypt(opened, &n, &s, key, &place) == AL_E_SEALED);
    place.seq--;
    key[0]++;
    AL_ASSERT(al_sealed_decrypt(opened, &n, &s, key, &place) == AL_E_SEALED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if ((data[0] & 1) == 0)
        check(rest);
    else
        seal_and_open(rest);
    return 0;
}
