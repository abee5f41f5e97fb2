/* What the vectors of keys, messages, payloads and tickets mean, in terms of proto/ and keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keyring.h"
#include "message.h"
#include "payload.h"
#include "phrase.h"
#include "statement.h"
#include "ticket.h"
#include "vector.h"

static uint8_t space[AL_MESSAGE_MAX];

int check_keys(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    struct al_root root;
    struct al_keyring ring;
    uint8_t entropy[32];
    uint8_t read_sk[32];
    uint8_t read_pk[32];
    size_t where = 0;
    int err = al_phrase_parse(entropy, &where, vector_text(v, "phrase"));
    if (err != 0)
        return err;
    vector_expect(v, "entropy", entropy, 32);
    al_root_derive(&root, entropy);
    vector_expect(v, "identity", root.identity.b, 32);
    uint32_t generation = (uint32_t)vector_uint(v, "generation");
    al_root_read_key(read_sk, &root, generation);
    vector_expect(v, "read_sk", read_sk, 32);
    al_read_key_public(read_pk, read_sk);
    vector_expect(v, "read_pk", read_pk, 32);
    err =
        al_keyring_init(&ring, &root.identity, vector_hex(v, "device_seed").p, generation, read_sk);
    if (err != 0)
        return err;
    vector_expect(v, "me_key", ring.me_key, 32);
    vector_expect(v, "device", ring.device.b, 32);
    vector_expect(v, "noise_public", ring.noise_public, 32);
    struct al_slice box = vector_hex(v, "box");
    assert_int_equal(box.n, AL_READ_BOX_BYTES);
    memset(read_sk, 0, sizeof(read_sk));
    err = al_read_box_open(read_sk, box.p, &ring);
    vector_expect(v, "read_sk", read_sk, 32);
    return err;
}

int check_message(const json_t *v, struct al_slice bytes)
{
    struct al_message m;
    int err = al_message_decode(&m, bytes);
    if (err != 0)
        return err;
    assert_true(al_slice_is(vector_text(v, "type"), al_message_name(m.type)));
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_message_encode(&b, &m);
    assert_true(al_slice_eq(al_buf_slice(&b), bytes));
    return 0;
}

int check_interests(const json_t *v, struct al_slice bytes)
{
    struct al_identity ids[4];
    struct al_hash out;
    assert_true(bytes.n % 32 == 0 && bytes.n <= sizeof(ids));
    if (bytes.n > 0)
        memcpy(ids, bytes.p, bytes.n);
    al_interests_digest(&out, ids, bytes.n / 32);
    vector_expect(v, "out", out.b, 32);
    return 0;
}

int check_payload(const json_t *v, struct al_slice bytes)
{
    struct al_payload p;
    bool sealed = json_is_true(json_object_get(v, "sealed"));
    int err = al_payload_open(&p, bytes, sealed);
    if (err != 0)
        return err;
    const char *audience = sealed ? "sealed" : al_audience_name(p.audience);
    assert_true(al_slice_eq(vector_text(v, "kind"), p.kind_name));
    assert_true(al_slice_is(vector_text(v, "known"), al_kind_name(p.kind)));
    assert_true(al_slice_is(vector_text(v, "audience"), audience));
    return 0;
}

int check_invite(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    struct al_invite invite;
    uint8_t scratch[AL_TICKET_MAX];
    int err = al_invite_parse(&invite, scratch, vector_text(v, "text"));
    if (err != 0)
        return err;
    vector_expect(v, "network", invite.network.b, 32);
    vector_expect(v, "identity", invite.identity.b, 32);
    vector_expect(v, "device", invite.device.b, 32);
    assert_int_equal(vector_uint(v, "addresses"), invite.address_count);
    vector_expect(v, "token", invite.token, sizeof(invite.token));
    assert_true(vector_uint(v, "expires_s") == invite.expires_s);
    return 0;
}

int check_address(const json_t *v, struct al_slice bytes)
{
    struct al_address_record record;
    int err = al_address_record_open(&record, bytes);
    if (err != 0)
        return err;
    vector_expect(v, "device", record.device.b, 32);
    assert_true(vector_uint(v, "counter") == record.counter);
    assert_int_equal(vector_uint(v, "addresses"), record.address_count);
    return 0;
}

int check_host(const json_t *v, struct al_slice bytes)
{
    (void)bytes;
    char host[256];
    uint16_t port = 0;
    int err = al_address_split(host, &port, vector_text(v, "text"));
    if (err != 0)
        return err;
    assert_true(al_slice_is(vector_text(v, "host"), host));
    assert_int_equal(vector_uint(v, "port"), port);
    return 0;
}

int check_beacon(const json_t *v, struct al_slice bytes)
{
    struct al_device device;
    struct al_network network;
    uint8_t made[AL_BEACON_BYTES];
    uint16_t port = 0;
    uint64_t hour = vector_uint(v, "hour");
    memcpy(device.b, vector_hex(v, "device").p, 32);
    memcpy(network.b, vector_hex(v, "network").p, 32);
    assert_true(al_beacon_match(&port, bytes, &device, &network, hour));
    assert_int_equal(vector_uint(v, "port"), port);
    assert_false(al_beacon_match(&port, bytes, &device, &network, hour + 1));
    al_beacon_encode(made, &device, &network, hour, port);
    assert_true(al_slice_eq(bytes, al_slice_of(made, sizeof(made))));
    return 0;
}
