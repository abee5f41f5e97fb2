/* Connections to other nodes over a running loop: handshakes, messages, silence, dials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "err.h"
#include "fake.h"
#include "fixture.h"
#include "write.h"

static struct fixture *f;

/* The other side: a channel over a blocking socket. */
struct peer {
    int fd;
    struct al_channel *channel;
};

static struct peer new_peer(int fd, bool dialler, const uint8_t secret[32])
{
    uint8_t public[32], seed[32];
    assert_int_equal(crypto_scalarmult_base(public, secret), 0);
    randombytes_buf(seed, sizeof(seed));
    struct al_rng rng;
    al_rng_init(&rng, seed);
    const struct al_channel_opts opts = {
        .dialler = dialler,
        .static_secret = secret,
        .static_public = public,
        .remote_public = dialler ? f->keyring.noise_public : NULL,
        .rng = &rng,
    };
    struct peer p = {.fd = fd, .channel = al_channel_new(&opts)};
    assert_non_null(p.channel);
    return p;
}

static void flush(struct peer *p)
{
    size_t n;
    uint8_t *bytes = al_channel_output_take(p->channel, &n);
    if (bytes != NULL)
        fixture_write(p->fd, bytes, n);
    free(bytes);
}

/* Take in what comes next: false at the end of the stream. */
static bool receive(struct peer *p)
{
    uint8_t bytes[65536];
    ssize_t n = recv(p->fd, bytes, sizeof(bytes), 0);
    if (n <= 0)
        return false;
    assert_int_equal(al_channel_input(p->channel, bytes, (size_t)n), 0);
    return true;
}

static struct peer connect_peer(void)
{
    const uint8_t secret[32] = {5};
    struct peer p = new_peer(fixture_dial(f), true, secret);
    while (!al_channel_open(p.channel)) {
        flush(&p);
        assert_true(receive(&p));
    }
    flush(&p);
    return p;
}

static void send_message(struct peer *p, struct al_slice message)
{
    assert_int_equal(al_channel_send(p->channel, message), 0);
    flush(p);
}

static void expect_message(struct peer *p, struct al_slice expected)
{
    struct al_slice message;
    while (!al_channel_message(p->channel, &message))
        assert_true(receive(p));
    assert_true(al_slice_eq(message, expected));
}

static void close_peer(struct peer *p)
{
    al_channel_free(p->channel);
    fixture_close(p->fd);
}

static void messages_of_every_size_come_back_in_order(void **state)
{
    (void)state;
    struct peer p = connect_peer();
    uint8_t *bytes = calloc(1, AL_MESSAGE_MAX);
    static const size_t sizes[] = {1, 2, 1000, 65518, 65519, 100000, AL_MESSAGE_MAX};
    size_t total = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(bytes, (int)i, sizes[i]);
        send_message(&p, al_slice_of(bytes, sizes[i]));
        expect_message(&p, al_slice_of(bytes, sizes[i]));
        total += sizes[i];
    }
    fixture_wait(fake_seen.sent_bytes, total); /* the node hears what has left, once */
    assert_int_equal(fake_seen.sent_bytes, total);
    assert_int_equal(fake_seen.connected, 1);
    free(bytes);
    close_peer(&p);
    fixture_wait(fake_seen.closed, 1);
}

static void a_flood_waits_for_the_node_and_loses_nothing(void **state)
{
    (void)state;
    struct peer p = connect_peer();
    uint8_t bytes[1000];
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 200; i++) {
            memset(bytes, (int)i, sizeof(bytes));
            assert_int_equal(al_channel_send(p.channel, al_slice_of(bytes, sizeof(bytes))), 0);
        }
        flush(&p);
        for (unsigned i = 0; i < 200; i++) {
            memset(bytes, (int)i, sizeof(bytes));
            expect_message(&p, al_slice_of(bytes, sizeof(bytes)));
        }
    }
    assert_int_equal(fake_seen.messages, 10000);
    close_peer(&p);
}

static void what_is_queued_arrives_before_the_node_closes(void **state)
{
    (void)state;
    struct peer p = connect_peer();
    send_message(&p, al_slice_str("bye"));
    expect_message(&p, al_slice_str("bye"));
    assert_false(receive(&p));
    close_peer(&p);
    fixture_wait(fake_seen.closed, 1);
}

/* True if nothing comes from |fd| within |ms|, and it stays open. */
static bool is_silent(int fd, int ms)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    return poll(&pfd, 1, ms) == 0;
}

static void a_wrong_first_message_meets_silence(void **state)
{
    (void)state;
    int fd = fixture_dial(f);
    uint8_t bytes[50] = {0, 48, 1, 2, 3};
    fixture_write(fd, bytes, sizeof(bytes));
    assert_true(is_silent(fd, 200));
    fixture_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_true(is_silent(fd, 100));
    assert_int_equal(fake_seen.connected, 0);
    fixture_close(fd);
}

static void a_replayed_first_message_meets_silence(void **state)
{
    (void)state;
    const uint8_t secret[32] = {5};
    struct peer p = new_peer(fixture_dial(f), true, secret);
    size_t n;
    uint8_t *first = al_channel_output_take(p.channel, &n);
    fixture_write(p.fd, first, n);
    assert_true(receive(&p)); /* the first time it is answered */
    int fd = fixture_dial(f);
    fixture_write(fd, first, n);
    assert_true(is_silent(fd, 200));
    free(first);
    fixture_close(fd);
    close_peer(&p);
}

static void a_damaged_frame_ends_its_connection_only(void **state)
{
    (void)state;
    struct peer good = connect_peer(), bad = connect_peer();
    uint8_t frame[40] = {0, 38, 1, 2, 3};
    fixture_write(bad.fd, frame, sizeof(frame));
    assert_false(receive(&bad));
    fixture_wait(fake_seen.closed, 1);
    send_message(&good, al_slice_str("still here"));
    expect_message(&good, al_slice_str("still here"));
    close_peer(&bad);
    close_peer(&good);
}

static void handshakes_beyond_the_limit_push_each_other_out(void **state)
{
    (void)state;
    int fds[AL_HALF_OPEN_MAX * 2];
    size_t count = sizeof(fds) / sizeof(fds[0]);
    for (size_t i = 0; i < count; i++)
        fds[i] = fixture_dial(f);
    size_t closed = 0;
    for (int tries = 0; tries < 100 && closed < AL_HALF_OPEN_MAX; tries++) {
        closed = 0;
        for (size_t i = 0; i < count; i++)
            closed += !is_silent(fds[i], 0);
        uv_sleep(10);
    }
    assert_int_equal(closed, AL_HALF_OPEN_MAX);
    struct peer p = connect_peer(); /* an honest one still gets in */
    close_peer(&p);
    for (size_t i = 0; i < count; i++)
        fixture_close(fds[i]);
}

/* Have the node dial |address|. */
static void join(const char *address)
{
    uint8_t bytes[256];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 1);
    al_write_cstr(&b, "ticket");
    al_write_cstr(&b, address);
    int fd = fixture_connect(f);
    fixture_request(fd, 1, "join", al_buf_slice(&b));
    struct al_rpc m;
    assert_true(fixture_read(fd, &m));
    fixture_close(fd);
}

static int listen_here(char address[32])
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sa, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &size), 0);
    (void)snprintf(address, 32, "127.0.0.1:%u", ntohs(sa.sin_port));
    return fd;
}

static void a_dial_that_fails_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        int err;
    } cases[] = {
        {"no port", AL_E_ADDRESS},
        {"bad host:1", AL_E_ADDRESS},
        {"127.0.0.1:1", AL_E_REFUSED},
        {"name.invalid:1", AL_E_HOST},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_seen.dial_err = 0;
        join(cases[i].address);
        for (int left = 8000; fake_seen.dial_err == 0 && left > 0; left--)
            uv_sleep(1);
        assert_int_equal(fake_seen.dial_err, cases[i].err);
    }
}

static void a_dial_reaches_only_the_key_it_asked_for(void **state)
{
    (void)state;
    char address[32];
    int listener = listen_here(address);
    join(address);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    const uint8_t other[32] = {77};
    struct peer p = new_peer(fd, false, other);
    uint8_t bytes[1000];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    assert_true(n > 0);
    assert_int_not_equal(al_channel_input(p.channel, bytes, (size_t)n), 0);
    al_channel_free(p.channel);
    (void)close(fd);
    (void)close(listener);
    for (int left = 5000; fake_seen.dial_err == 0 && left > 0; left--)
        uv_sleep(1);
    assert_int_equal(fake_seen.dial_err, AL_E_CLOSED);
    assert_int_equal(fake_seen.connected, 0);
}

static int set_up(void **state)
{
    (void)state;
    f = fixture_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(f);
    return 0;
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(messages_of_every_size_come_back_in_order),
        LINK_TEST(a_flood_waits_for_the_node_and_loses_nothing),
        LINK_TEST(what_is_queued_arrives_before_the_node_closes),
        LINK_TEST(a_wrong_first_message_meets_silence),
        LINK_TEST(a_replayed_first_message_meets_silence),
        LINK_TEST(a_damaged_frame_ends_its_connection_only),
        LINK_TEST(handshakes_beyond_the_limit_push_each_other_out),
        LINK_TEST(a_dial_that_fails_says_why),
        LINK_TEST(a_dial_reaches_only_the_key_it_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
