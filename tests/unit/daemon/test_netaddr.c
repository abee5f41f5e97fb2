/* Addresses that people and peers write, and the networks they count for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "netaddr.h"

static struct sockaddr_storage literal(const char *text)
{
    struct al_netaddr a;
    struct sockaddr_storage sa;
    assert_int_equal(al_netaddr_parse(&a, al_slice_str(text), true), 0);
    assert_int_equal(al_netaddr_literal(&sa, &a), 0);
    return sa;
}

static void names_and_literals_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        {"home.example.org:4747", "home.example.org", 4747},
        {"10.0.0.1:1", "10.0.0.1", 1},
        {"[::1]:65535", "::1", 65535},
        {"a_b-c.onion:9", "a_b-c.onion", 9},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_netaddr a;
        assert_int_equal(al_netaddr_parse(&a, al_slice_str(cases[i].text), false), 0);
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
    }
}

static void what_a_resolver_should_not_see_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"", ":", "host", "host:", "host:70000", "host:123456",
        "host:-1", "host:1x", ":4747", "a b:1", "a/b:1", "-a:1", "a..b:1", ".a:1", "\xc3\xa9:1",
        "::1:1", "[::1]", "[::1:1", "[x]:1", "[]:1", "[127.0.0.1]:1", "a\n:1",
        "0123456789012345678901234567890123456789012345678901234567890123:1"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_netaddr a;
        assert_int_equal(al_netaddr_parse(&a, al_slice_str(cases[i]), false), AL_E_ADDRESS);
    }
    struct al_netaddr a;
    const uint8_t with_nul[] = "a\0b:1";
    assert_int_equal(
        al_netaddr_parse(&a, al_slice_of(with_nul, sizeof(with_nul) - 1), false), AL_E_ADDRESS);
    char longest[AL_ADDRESS_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + sizeof(longest) - 3, ":1", 3);
    assert_int_equal(al_netaddr_parse(&a, al_slice_str(longest), false), AL_E_ADDRESS);
}

static void addresses_are_written_as_they_are_read(void **state)
{
    (void)state;
    char text[AL_NETADDR_TEXT];
    struct sockaddr_storage sa = literal("[2001:db8::1]:80");
    al_netaddr_text(text, (const struct sockaddr *)&sa);
    assert_string_equal(text, "[2001:db8::1]:80");
    sa = literal("[::ffff:192.0.2.7]:80");
    al_netaddr_text(text, (const struct sockaddr *)&sa);
    assert_string_equal(text, "192.0.2.7:80");
    sa = literal(":80");
    al_netaddr_text(text, (const struct sockaddr *)&sa);
    assert_string_equal(text, "[::]:80");
}

static bool same_prefix(const char *a, const char *b)
{
    struct sockaddr_storage sa = literal(a), sb = literal(b);
    uint8_t pa[8], pb[8];
    al_netaddr_prefix(pa, (const struct sockaddr *)&sa);
    al_netaddr_prefix(pb, (const struct sockaddr *)&sb);
    return memcmp(pa, pb, sizeof(pa)) == 0;
}

static void hosts_of_one_network_share_a_prefix(void **state)
{
    (void)state;
    assert_true(same_prefix("192.0.2.1:1", "192.0.2.255:2"));
    assert_true(same_prefix("192.0.2.1:1", "[::ffff:192.0.2.9]:2"));
    assert_false(same_prefix("192.0.2.1:1", "192.0.3.1:1"));
    assert_true(same_prefix("[2001:db8:0:aa::1]:1", "[2001:db8:0:bb::1]:1"));
    assert_false(same_prefix("[2001:db8:0:1aa::1]:1", "[2001:db8:0:2aa::1]:1"));
    assert_false(same_prefix("192.0.2.1:1", "[c000:200::]:1"));
}

static void loopback_is_recognised(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        struct sockaddr_storage sa = literal(yes[i]);
        assert_true(al_netaddr_is_loopback((const struct sockaddr *)&sa));
    }
    struct sockaddr_storage sa = literal("128.0.0.1:1");
    assert_false(al_netaddr_is_loopback((const struct sockaddr *)&sa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_literals_are_read),
        cmocka_unit_test(what_a_resolver_should_not_see_is_refused),
        cmocka_unit_test(addresses_are_written_as_they_are_read),
        cmocka_unit_test(hosts_of_one_network_share_a_prefix),
        cmocka_unit_test(loopback_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
