/*
 * Statements. An even first byte: the rest is a statement. An odd one: the rest is a body, which
 * is given the keys of a sample and signed, so that the fuzzer gets behind the signatures.
 */
#include "fuzz.h"
#include "hash.h"
#include "sample.h"
#include "statement.h"
#include "write.h"

#define IDENTITY_AT 5 /* in every body: behind the array, two small numbers and a bin's head */
#define DEVICE_AT 39  /* in a certificate and a revocation */

static void check(struct al_slice bytes)
{
    struct al_statement s;
    if (al_statement_open(&s, bytes) != 0)
        return;
    struct al_hash hash;
    al_hash1(&hash, AL_P_STATEMENT, s.body.p, s.body.n);
    AL_ASSERT(al_hash_eq(&hash, &s.hash));
    AL_ASSERT(bytes.n <= AL_STATEMENT_MAX);
    AL_ASSERT(s.name.n <= AL_NAME_MAX);
    struct al_logname last_log;
    for (uint32_t i = 0; i < s.count && s.kind == AL_STATEMENT_REVOKE; i++) {
        struct al_cut cut;
        al_statement_cut(&cut, &s, i);
        AL_ASSERT(cut.seq >= 1 && cut.seq <= AL_SEQ_MAX);
        AL_ASSERT(i == 0 || memcmp(last_log.b, cut.log.b, sizeof(cut.log.b)) < 0);
        last_log = cut.log;
    }
    struct al_device last_device;
    for (uint32_t i = 0; i < s.count && s.kind == AL_STATEMENT_READ; i++) {
        struct al_read_box box;
        al_statement_box(&box, &s, i);
        AL_ASSERT(i == 0 || memcmp(last_device.b, box.device.b, sizeof(box.device.b)) < 0);
        last_device = box.device;
    }
}

static void sign_and_check(struct al_slice body)
{
    static uint8_t bytes[AL_STATEMENT_MAX];
    struct sample_person p = sample_person(1);
    memcpy(bytes, body.p, body.n);
    if (body.n >= IDENTITY_AT + sizeof(p.identity.b))
        memcpy(bytes + IDENTITY_AT, p.identity.b, sizeof(p.identity.b));
    bool read = body.n > 2 && body.p[2] == AL_STATEMENT_READ;
    if (!read && body.n >= DEVICE_AT + sizeof(p.device.b))
        memcpy(bytes + DEVICE_AT, p.device.b, sizeof(p.device.b));

    struct al_hash hash;
    struct al_sig sig;
    struct al_buf b = fuzz_buf();
    al_hash1(&hash, AL_P_STATEMENT, bytes, body.n);
    al_write_array(&b, 3);
    al_write_bin(&b, bytes, body.n);
    al_sign(&sig, p.root_secret, AL_P_SIG_ROOT, hash.b);
    al_write_bin(&b, sig.b, sizeof(sig.b));
    al_sign(&sig, p.device_secret, AL_P_SIG_DEVICE, hash.b);
    bool cert = body.n > 2 && body.p[2] == AL_STATEMENT_CERT;
    al_write_bin(&b, sig.b, cert ? sizeof(sig.b) : 0);
    check(al_buf_slice(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if ((data[0] & 1) == 0)
        check(rest);
    else if (rest.n <= AL_STATEMENT_MAX)
        sign_and_check(rest);
    return 0;
}
