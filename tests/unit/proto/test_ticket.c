/* Invites, address records, addresses and beacons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "hash.h"
#include "ticket.h"
#include "write.h"

static struct al_invite some_invite(void)
{
    struct al_invite invite = {.address_count = 2, .expires_s = 1800000000};
    al_network_public(&invite.network);
    memset(invite.identity.b, 1, sizeof(invite.identity.b));
    memset(invite.device.b, 2, sizeof(invite.device.b));
    memset(invite.token, 3, sizeof(invite.token));
    invite.addresses[0] = al_slice_str("192.0.2.7:4747");
    invite.addresses[1] = al_slice_str("kai.example.org");
    return invite;
}

static int parse(struct al_invite *ret, const char *text)
{
    static uint8_t scratch[AL_TICKET_MAX];
    return al_invite_parse(ret, scratch, al_slice_str(text));
}

static void an_invite_survives_its_text_form(void **state)
{
    (void)state;
    struct al_invite invite = some_invite();
    char text[AL_TICKET_MAX];
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    struct al_invite got;
    assert_int_equal(parse(&got, text), 0);
    assert_memory_equal(&got.network, &invite.network, 32);
    assert_memory_equal(&got.identity, &invite.identity, 32);
    assert_memory_equal(&got.device, &invite.device, 32);
    assert_memory_equal(got.token, invite.token, sizeof(got.token));
    assert_int_equal(got.expires_s, invite.expires_s);
    assert_int_equal(got.address_count, 2);
    assert_true(al_slice_is(got.addresses[1], "kai.example.org"));

    char spaced[AL_TICKET_MAX];
    assert_true(strlen(text) + 5 < sizeof(spaced));
    strcpy(spaced, " \t");
    strcat(spaced, text);
    strcat(spaced, "\r\n");
    assert_int_equal(parse(&got, spaced), 0);
    assert_int_equal(al_invite_text(text, strlen(text), &invite), AL_E_SPACE);
}

static void any_mistyped_character_is_noticed(void **state)
{
    (void)state;
    struct al_invite invite = some_invite();
    char text[AL_TICKET_MAX];
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    struct al_invite got;
    for (size_t i = 0; i < strlen(text); i++) {
        char was = text[i];
        for (int c = 1; c < 256; c++) {
            text[i] = (char)c;
            assert_int_equal(parse(&got, text), text[i] == was ? 0 : AL_E_TICKET);
        }
        text[i] = was;
    }
    text[strlen(text) - 1] = '\0';
    assert_int_equal(parse(&got, text), AL_E_TICKET);
    assert_int_equal(parse(&got, ""), AL_E_TICKET);
    assert_int_equal(parse(&got, "aloud:"), AL_E_TICKET);
    assert_int_equal(parse(&got, "https://example.org"), AL_E_TICKET);
}

static void the_longest_invite_fits(void **state)
{
    (void)state;
    static const char longest[AL_ADDRESS_MAX] = {[0] = 'x'};
    struct al_invite invite = some_invite();
    invite.expires_s = AL_TIME_MAX;
    invite.address_count = AL_ADDRESSES_MAX;
    for (size_t i = 0; i < AL_ADDRESSES_MAX; i++)
        invite.addresses[i] = al_slice_of(longest, sizeof(longest));
    char text[AL_TICKET_MAX];
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    struct al_invite got;
    assert_int_equal(parse(&got, text), 0);
}

/* An invite whose array is |body|, with a right checksum. */
static int parse_body(struct al_slice body)
{
    uint8_t bytes[512];
    struct al_hash check;
    al_hash1(&check, AL_P_INVITE, body.p, body.n);
    memcpy(bytes, body.p, body.n);
    memcpy(bytes + body.n, check.b, 4);
    char text[1024] = "aloud:";
    (void)sodium_bin2base64(
        text + 6, sizeof(text) - 6, bytes, body.n + 4, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    struct al_invite got;
    return parse(&got, text);
}

static struct al_slice invite_body(
    uint64_t version, size_t network, const char *address, uint64_t expires, bool more)
{
    static uint8_t space[256];
    static const uint8_t zeros[33];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, more ? 8 : 7);
    al_write_uint(&b, version);
    al_write_bin(&b, zeros, network);
    al_write_bin(&b, zeros, 32);
    al_write_bin(&b, zeros, 32);
    al_write_array(&b, 1);
    al_write_cstr(&b, address);
    al_write_bin(&b, zeros, AL_TOKEN_BYTES);
    al_write_uint(&b, expires);
    if (more)
        al_write_uint(&b, 0);
    return al_buf_slice(&b);
}

static void the_fields_of_an_invite_are_checked(void **state)
{
    (void)state;
    assert_int_equal(parse_body(invite_body(1, 32, "a", 5, false)), 0);
    assert_int_equal(parse_body(invite_body(2, 32, "a", 5, true)), AL_E_VERSION);
    assert_int_equal(parse_body(invite_body(1, 32, "a", 5, true)), AL_E_COUNT);
    assert_int_equal(parse_body(invite_body(1, 33, "a", 5, false)), AL_E_LENGTH);
    assert_int_equal(parse_body(invite_body(1, 32, "", 5, false)), AL_E_LENGTH);
    assert_int_equal(parse_body(invite_body(1, 32, "a", AL_TIME_MAX + 1, false)), AL_E_RANGE);
    assert_int_equal(parse_body(al_slice_str("\xc1")), AL_E_TYPE);
}

static void an_address_record_is_only_worth_its_signature(void **state)
{
    (void)state;
    struct al_address_record record = {.counter = 7, .address_count = 1};
    uint8_t secret[64];
    static const uint8_t seed[32] = {9};
    assert_int_equal(crypto_sign_seed_keypair(record.device.b, secret, seed), 0);
    record.addresses[0] = al_slice_str("[2001:db8::1]:4747");
    uint8_t space[512];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_address_record_encode(&b, &record, secret);
    struct al_address_record got;
    assert_int_equal(al_address_record_open(&got, al_buf_slice(&b)), 0);
    assert_int_equal(got.counter, 7);
    assert_true(al_device_eq(&got.device, &record.device));
    assert_true(al_slice_eq(got.addresses[0], record.addresses[0]));

    space[b.n - 1] ^= 1;
    assert_int_equal(al_address_record_open(&got, al_buf_slice(&b)), AL_E_SIG);
    space[b.n - 1] ^= 1;
    assert_int_equal(al_address_record_open(&got, al_slice_of(b.p, b.n - 1)), AL_E_TRUNCATED);

    memset(record.device.b, 0, sizeof(record.device.b)); /* of small order */
    b.n = 0;
    al_address_record_encode(&b, &record, secret);
    assert_int_equal(al_address_record_open(&got, al_buf_slice(&b)), AL_E_POINT);
}

static void an_address_is_split_into_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"example.org:80", "example.org", 80},
        {"example.org", "example.org", AL_PORT},
        {"192.0.2.1:65535", "192.0.2.1", 65535},
        {"[2001:db8::1]:1", "2001:db8::1", 1},
        {"[::1]", "::1", AL_PORT},
        {"::1", "::1", AL_PORT},
        {"2001:db8::1", "2001:db8::1", AL_PORT},
        {"", NULL, 0},
        {":80", NULL, 0},
        {"a:", NULL, 0},
        {"a:0", NULL, 0},
        {"a:65536", NULL, 0},
        {"a:123456", NULL, 0},
        {"a:4294967376", NULL, 0}, /* 2^32 + 80 */
        {"azAZ09.-:1", "azAZ09.-", 1},
        {"a:8x", NULL, 0},
        {"a b:80", NULL, 0},
        {"a/b", NULL, 0},
        {"[::1", NULL, 0},
        {"[]:80", NULL, 0},
        {"[::1]80", NULL, 0},
        {"[::1]:", NULL, 0},
        {"fe80::1%eth0", NULL, 0},
        {"user@host", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char host[256] = "kept";
        uint16_t port = 0;
        int err = al_address_split(host, &port, al_slice_str(cases[i].address));
        assert_int_equal(err, cases[i].host != NULL ? 0 : AL_E_ADDRESS);
        assert_string_equal(host, cases[i].host != NULL ? cases[i].host : "kept");
        assert_int_equal(port, cases[i].port);
    }
    char longest[257];
    char host[256];
    uint16_t port;
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(al_address_split(host, &port, al_slice_of(longest, 255)), 0);
    assert_int_equal(al_address_split(host, &port, al_slice_of(longest, 256)), AL_E_ADDRESS);
}

static void a_beacon_is_recognised_only_by_who_knows_the_device(void **state)
{
    (void)state;
    struct al_device device = {{5}};
    struct al_device other = {{6}};
    struct al_network network;
    al_network_public(&network);
    uint8_t beacon[AL_BEACON_BYTES];
    al_beacon_encode(beacon, &device, &network, 500000, 0x1234);
    assert_memory_equal(beacon, "ALO1", 4);
    uint16_t port = 0;
    struct al_slice bytes = al_slice_of(beacon, sizeof(beacon));
    assert_true(al_beacon_match(&port, bytes, &device, &network, 500000));
    assert_int_equal(port, 0x1234);
    assert_false(al_beacon_match(&port, bytes, &device, &network, 500001));
    assert_false(al_beacon_match(&port, bytes, &other, &network, 500000));
    network.b[0] ^= 1;
    assert_false(al_beacon_match(&port, bytes, &device, &network, 500000));
    network.b[0] ^= 1;
    bytes.n--;
    assert_false(al_beacon_match(&port, bytes, &device, &network, 500000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_survives_its_text_form),
        cmocka_unit_test(any_mistyped_character_is_noticed),
        cmocka_unit_test(the_longest_invite_fits),
        cmocka_unit_test(the_fields_of_an_invite_are_checked),
        cmocka_unit_test(an_address_record_is_only_worth_its_signature),
        cmocka_unit_test(an_address_is_split_into_host_and_port),
        cmocka_unit_test(a_beacon_is_recognised_only_by_who_knows_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
