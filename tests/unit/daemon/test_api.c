/* The local API over a running loop: what clients may do to it, and what they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "fake.h"
#include "fixture.h"
#include "heapbuf.h"
#include "read.h"
#include "write.h"

static struct fixture *f;

static const struct al_slice none = {NULL, 0};

/* {key: v} in |b|. */
static struct al_slice map_of(struct al_buf *b, const char *key, uint64_t v)
{
    static uint8_t bytes[64];
    *b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(b, 1);
    al_write_cstr(b, key);
    al_write_uint(b, v);
    return al_buf_slice(b);
}

static void expect_error(int fd, uint32_t id, int err, const char *message, const char *hint)
{
    struct al_rpc m;
    struct al_rpc_error e;
    assert_true(fixture_read(fd, &m));
    assert_int_equal(m.id, id);
    assert_int_equal(al_rpc_error_read(&e, m.error), 0);
    assert_int_equal(e.code, err);
    assert_true(al_slice_is(e.name, al_err_name(err)));
    assert_true(al_slice_is(e.message, message));
    assert_true(al_slice_is(e.hint, hint));
}

static void expect_result(int fd, uint32_t id, struct al_rpc *m)
{
    assert_true(fixture_read(fd, m));
    assert_int_equal(m->type, AL_RPC_RESPONSE);
    assert_int_equal(m->id, id);
    assert_int_equal(m->error.n, 0);
}

static void a_request_in_single_bytes_is_answered(void **state)
{
    (void)state;
    int fd = fixture_connect(f);
    struct al_buf b = al_heapbuf(), params;
    al_rpc_request(&b, 7, "hello", map_of(&params, "v", 1));
    for (size_t i = 0; i < b.n; i++)
        fixture_write(fd, b.p + i, 1);
    al_heapbuf_free(&b);
    struct al_rpc m;
    expect_result(fd, 7, &m);
    assert_int_equal(fixture_uint(m.result, "v"), 1);
    assert_int_equal(fixture_uint(m.result, "pid"), getpid());
    fixture_close(fd);
}

static void many_requests_in_one_write_are_answered_in_order(void **state)
{
    (void)state;
    int fd = fixture_connect(f);
    struct al_buf b = al_heapbuf();
    for (uint32_t i = 0; i < 1000; i++)
        al_rpc_request(&b, i, "post", none);
    fixture_write(fd, b.p, b.n);
    al_heapbuf_free(&b);
    struct al_rpc m;
    for (uint32_t i = 0; i < 1000; i++) {
        expect_result(fd, i, &m);
        assert_int_equal(fixture_uint(m.result, "pos"), i + 1);
    }
    fixture_close(fd);
}

static void errors_carry_code_name_message_and_hint_made_safe(void **state)
{
    (void)state;
    struct al_buf b;
    int fd = fixture_connect(f);
    fixture_request(fd, 1, "no_such_method", none);
    expect_error(fd, 1, AL_E_METHOD, al_err_words(AL_E_METHOD), "");
    fixture_request(fd, 2, "peers", none);
    expect_error(fd, 2, AL_E_STATE, "no \xef\xbf\xbd[31mpeers", "aloud join");
    fixture_request(fd, 3, "search", none);
    expect_error(fd, 3, AL_E_QUERY, "an open quote", "");
    fixture_request(fd, 4, "hello", map_of(&b, "v", 2));
    expect_error(fd, 4, AL_E_VERSION, al_err_words(AL_E_VERSION), "aloud node restart");
    fixture_request(fd, 5, "unsubscribe", map_of(&b, "sub", 99));
    expect_error(fd, 5, AL_E_NOT_FOUND, al_err_words(AL_E_NOT_FOUND), "");
    fixture_request(fd, 6, "unsubscribe", none);
    expect_error(fd, 6, AL_E_PARAMS, al_err_words(AL_E_PARAMS), "");
    fixture_close(fd);
}

static void garbage_ends_its_own_client_only(void **state)
{
    (void)state;
    struct al_rpc m;
    int good = fixture_connect(f);
    static const struct al_slice bad[] = {
        {(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18},
        {(const uint8_t *)"\xdd\x0f\xff\xff\xff", 5},
        {(const uint8_t *)"\xc1", 1},
        {(const uint8_t *)"\x94\x00\x01\xa1\xff\x80", 6},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = fixture_connect(f);
        fixture_write(fd, bad[i].p, bad[i].n);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        assert_false(fixture_read(fd, &m));
        fixture_close(fd);
    }
    fixture_request(good, 1, "post", none);
    expect_result(good, 1, &m);
    fixture_close(good);
}

static void a_request_beyond_the_limit_ends_its_client(void **state)
{
    (void)state;
    int fd = fixture_connect(f);
    struct al_buf b = al_heapbuf();
    al_write_array(&b, 4);
    al_write_uint(&b, 0);
    al_write_uint(&b, 1);
    al_write_cstr(&b, "post");
    al_write_map(&b, 1);
    al_write_cstr(&b, "x");
    uint8_t *big = calloc(1, AL_RPC_REQUEST_MAX);
    al_write_bin(&b, big, AL_RPC_REQUEST_MAX);
    free(big);
    (void)send(fd, b.p, b.n, MSG_NOSIGNAL); /* the other side may close before it is all there */
    al_heapbuf_free(&b);
    struct al_rpc m;
    assert_false(fixture_read(fd, &m));
    fixture_close(fd);
}

static void what_a_client_wrote_is_seen_by_the_next_who_reads(void **state)
{
    (void)state;
    struct al_rpc m;
    for (uint32_t i = 1; i <= 50; i++) {
        int writer = fixture_connect(f);
        fixture_request(writer, i, "post", none);
        expect_result(writer, i, &m);
        fixture_close(writer);
        int reader = fixture_connect(f);
        fixture_request(reader, i, "timeline", none);
        expect_result(reader, i, &m);
        assert_int_equal(fixture_uint(m.result, "pos"), i);
        fixture_close(reader);
    }
}

/* The number of rows in a notification for |sub|, and its position. */
static uint32_t expect_rows(int fd, uint64_t sub, uint64_t *ret_pos)
{
    struct al_rpc m;
    assert_true(fixture_read(fd, &m));
    assert_int_equal(m.type, AL_RPC_NOTIFICATION);
    assert_true(al_slice_is(m.method, "rows"));
    assert_int_equal(fixture_uint(m.params, "sub"), sub);
    *ret_pos = fixture_uint(m.params, "pos");
    struct al_read rows = al_read_init(al_rpc_param(m.params, "rows"));
    return al_read_array(&rows, 1, 1000);
}

static void a_subscription_replays_and_then_follows_without_gap(void **state)
{
    (void)state;
    struct al_rpc m;
    struct al_buf b;
    int writer = fixture_connect(f);
    for (uint32_t i = 0; i < 200; i++) {
        fixture_request(writer, i, "post", none);
        expect_result(writer, i, &m);
    }
    int fd = fixture_connect(f);
    fixture_request(fd, 1, "subscribe", map_of(&b, "from", 10));
    expect_result(fd, 1, &m);
    uint64_t sub = fixture_uint(m.result, "sub"), pos = 10;
    while (pos < 200) {
        uint64_t before = pos;
        uint32_t rows = expect_rows(fd, sub, &pos);
        assert_int_equal(pos, before + rows);
    }
    for (uint64_t i = 201; i < 220; i++) {
        fixture_request(writer, 1, "post", none);
        expect_result(writer, 1, &m);
        assert_int_equal(expect_rows(fd, sub, &pos), 1);
        assert_int_equal(pos, i);
    }
    fixture_request(fd, 2, "unsubscribe", map_of(&b, "sub", sub));
    expect_result(fd, 2, &m);
    fixture_close(fd);
    fixture_close(writer);
}

static void a_subscription_from_now_begins_after_the_last_write(void **state)
{
    (void)state;
    struct al_rpc m;
    int fd = fixture_connect(f);
    fixture_request(fd, 1, "post", none);
    expect_result(fd, 1, &m);
    fixture_request(fd, 2, "subscribe", none);
    expect_result(fd, 2, &m);
    assert_int_equal(fixture_uint(m.result, "pos"), 1);
    fixture_close(fd);
}

static void a_subscriber_that_does_not_read_is_told_once_and_costs_no_more(void **state)
{
    (void)state;
    fake_seen.row_bytes = 64 * 1024;
    struct al_rpc m;
    struct al_buf b;
    int slow = fixture_connect(f);
    fixture_request(slow, 1, "subscribe", map_of(&b, "from", 0));
    expect_result(slow, 1, &m);
    int writer = fixture_connect(f);
    for (uint32_t i = 0; i < 400; i++) {
        fixture_request(writer, i, "post", none);
        expect_result(writer, i, &m);
        fixture_request(writer, i, "timeline", none); /* so that the views are that far */
        expect_result(writer, i, &m);
    }
    unsigned lagged = 0, rows = 0;
    for (;;) {
        fixture_request(writer, 1, "post", none);
        expect_result(writer, 1, &m);
        assert_true(fixture_read(slow, &m));
        lagged += al_slice_is(m.method, "lagged");
        rows += al_slice_is(m.method, "rows");
        if (lagged > 0)
            break;
    }
    assert_in_range(rows, 1, 200);
    fixture_request(slow, 2, "timeline", none); /* the client itself goes on */
    expect_result(slow, 2, &m);
    fixture_close(slow);
    fixture_close(writer);
}

static void the_node_hears_of_a_caller_that_went_away(void **state)
{
    (void)state;
    int fd = fixture_connect(f);
    fixture_request(fd, 1, "wait", none);
    fixture_request(fd, 2, "post", none);
    struct al_rpc m;
    expect_result(fd, 2, &m);
    fixture_close(fd);
    fixture_wait(fake_seen.calls_gone, 1);
}

static void a_client_beyond_the_limit_waits_for_a_place(void **state)
{
    (void)state;
    int fds[AL_RPC_CLIENTS_MAX + 1];
    struct al_rpc m;
    for (size_t i = 0; i < AL_RPC_CLIENTS_MAX; i++) {
        fds[i] = fixture_connect(f);
        fixture_request(fds[i], 1, "post", none);
        expect_result(fds[i], 1, &m);
    }
    fds[AL_RPC_CLIENTS_MAX] = fixture_connect(f);
    fixture_request(fds[AL_RPC_CLIENTS_MAX], 1, "post", none);
    fixture_close(fds[3]);
    expect_result(fds[AL_RPC_CLIENTS_MAX], 1, &m);
    for (size_t i = 0; i <= AL_RPC_CLIENTS_MAX; i++) {
        if (i != 3)
            fixture_close(fds[i]);
    }
}

static void a_backup_is_read_in_parts_and_then_gone(void **state)
{
    (void)state;
    struct al_rpc m;
    int fd = fixture_connect(f), other = fixture_connect(f);
    fixture_request(fd, 1, "backup", none);
    expect_result(fd, 1, &m);
    uint64_t handle = fixture_uint(m.result, "handle"), size = fixture_uint(m.result, "size");
    uint8_t bytes[64];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 2);
    al_write_cstr(&b, "handle");
    al_write_uint(&b, handle);
    al_write_cstr(&b, "offset");
    al_write_uint(&b, 0);
    fixture_request(other, 2, "backup_read", al_buf_slice(&b)); /* it is not theirs */
    expect_error(other, 2, AL_E_NOT_FOUND, al_err_words(AL_E_NOT_FOUND), "");
    fixture_request(fd, 3, "backup_read", al_buf_slice(&b));
    expect_result(fd, 3, &m);
    struct al_read data = al_read_init(al_rpc_param(m.result, "data"));
    assert_int_equal(al_read_bin(&data, 0, SIZE_MAX).n, size);
    fixture_request(fd, 4, "backup_read", al_buf_slice(&b));
    expect_error(fd, 4, AL_E_NOT_FOUND, al_err_words(AL_E_NOT_FOUND), "");
    fixture_close(fd);
    fixture_close(other);
}

static void stopping_answers_what_was_asked_before(void **state)
{
    (void)state;
    struct al_rpc m;
    int fd = fixture_connect(f);
    struct al_buf b = al_heapbuf();
    for (uint32_t i = 0; i < 10; i++)
        al_rpc_request(&b, i, "post", none);
    al_rpc_request(&b, 10, "stop", none);
    fixture_write(fd, b.p, b.n);
    al_heapbuf_free(&b);
    bool answered[11] = {false};
    while (fixture_read(fd, &m)) {
        assert_int_equal(m.error.n, 0);
        answered[m.id] = true;
    }
    for (uint32_t i = 0; i <= 10; i++)
        assert_true(answered[i]);
    fixture_close(fd);
    f->is_running = false;
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

#define API_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(a_request_in_single_bytes_is_answered),
        API_TEST(many_requests_in_one_write_are_answered_in_order),
        API_TEST(errors_carry_code_name_message_and_hint_made_safe),
        API_TEST(garbage_ends_its_own_client_only),
        API_TEST(a_request_beyond_the_limit_ends_its_client),
        API_TEST(what_a_client_wrote_is_seen_by_the_next_who_reads),
        API_TEST(a_subscription_replays_and_then_follows_without_gap),
        API_TEST(a_subscription_from_now_begins_after_the_last_write),
        API_TEST(a_subscriber_that_does_not_read_is_told_once_and_costs_no_more),
        API_TEST(the_node_hears_of_a_caller_that_went_away),
        API_TEST(a_client_beyond_the_limit_waits_for_a_place),
        API_TEST(a_backup_is_read_in_parts_and_then_gone),
        API_TEST(stopping_answers_what_was_asked_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
