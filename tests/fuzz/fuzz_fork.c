/*
 * Proofs of forks. An even first byte: the rest is a proof. An odd one: the rest is an array of
 * two segments; both are given the device of a sample and signed, and made into a proof.
 */
#include "fuzz.h"
#include "proof.h"
#include "read.h"
#include "sample.h"

#define DEVICE_AT 3 /* in a segment: behind the heads of the array and of the bin */

static struct al_segment a, b;

static void check(struct al_slice bytes)
{
    struct al_fork fork;
    if (al_fork_open(&fork, bytes) != 0)
        return;
    AL_ASSERT(bytes.n <= AL_FORK_MAX);
    AL_ASSERT(al_segment_open(&a, fork.a) == 0 && al_segment_open(&b, fork.b) == 0);
    AL_ASSERT(al_segment_verify(&a) == 0 && al_segment_verify(&b) == 0);
    uint64_t seq;
    AL_ASSERT(al_fork_find(&seq, &a, &b) == 0 && seq == fork.seq);
    AL_ASSERT(!al_hash_eq(al_segment_attests(&a, seq), al_segment_attests(&b, seq)));
    struct al_buf again = fuzz_buf();
    al_fork_encode(&again, &b, &a); /* whichever comes first */
    AL_ASSERT(al_slice_eq(al_buf_slice(&again), bytes));
}

/* Open |bytes| as a segment of the sample's device and sign it. */
static bool open_signed(struct al_segment *s, uint8_t *space, size_t cap, struct al_slice bytes)
{
    struct sample_person p = sample_person(1);
    if (bytes.n < DEVICE_AT + sizeof(p.device.b) || bytes.n > cap)
        return false;
    memcpy(space, bytes.p, bytes.n);
    memcpy(space + DEVICE_AT, p.device.b, sizeof(p.device.b));
    if (al_segment_open(s, al_slice_of(space, bytes.n)) != 0)
        return false;
    sample_sign(s, &p);
    return true;
}

static void sign_and_check(struct al_slice bytes)
{
    static uint8_t first[AL_MESSAGE_MAX];
    static uint8_t second[AL_MESSAGE_MAX];
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 2, 2);
    struct al_slice one = al_read_raw(&r);
    struct al_slice two = al_read_raw(&r);
    if (al_read_end(&r) != 0 || !open_signed(&a, first, sizeof(first), one) ||
        !open_signed(&b, second, sizeof(second), two))
        return;
    uint64_t seq;
    bool differ = al_fork_find(&seq, &a, &b) == 0;
    struct al_buf proof = fuzz_buf();
    al_fork_encode(&proof, &a, &b);
    uint8_t copy[AL_FORK_MAX];
    if (proof.n > sizeof(copy))
        return;
    memcpy(copy, proof.p, proof.n);
    struct al_fork fork;
    int err = al_fork_open(&fork, al_slice_of(copy, proof.n));
    AL_ASSERT((err == 0) == differ);
    if (err == 0) {
        AL_ASSERT(fork.seq == seq);
        check(al_slice_of(copy, proof.n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if ((data[0] & 1) == 0)
        check(rest);
    else
        sign_and_check(rest);
    return 0;
}
