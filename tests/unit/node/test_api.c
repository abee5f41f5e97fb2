/* Calls of the local API that the node answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "payload.h"
#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "ticket.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static struct al_buf b;

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    b = al_heapbuf();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    al_heapbuf_free(&b);
    rig_fini(&r);
    return 0;
}

static int post(uint64_t key, const char *text, const char *to, const struct al_ref *re)
{
    al_heapbuf_free(&b);
    b = rig_post_params(key, text, to, re);
    return rig_call(n, "post", al_buf_slice(&b));
}

static struct al_ref posted(void)
{
    struct al_ref ref;
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref"));
    al_read_ref(&in, &ref);
    assert_int_equal(al_read_end(&in), 0);
    return ref;
}

static void assert_audience(const char *to)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "to"));
    assert_true(al_slice_is(al_read_str(&in, 16), to));
}

static struct al_slice payload_of(const struct al_ref *ref)
{
    struct al_store_log log;
    struct al_store_row row;
    assert_int_equal(al_store_log_find(n->store, &log, &ref->device, &ref->log), 0);
    assert_int_equal(al_store_get(n->store, &row, log.no, ref->seq), 0);
    return row.payload;
}

static void put_key(uint8_t first)
{
    uint8_t key[16] = {first};
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, sizeof(key));
}

static void an_unknown_method_is_refused(void **state)
{
    (void)state;
    assert_int_equal(rig_call(n, "nothing", al_slice_str("\x80")), AL_E_METHOD);
}

static void a_write_needs_a_key(void **state)
{
    (void)state;
    assert_int_equal(rig_call(n, "post", al_slice_str("\x80")), AL_E_PARAMS);
    assert_string_not_equal(rig_last(&r)->message, "");
}

static void asked_again_under_the_same_key_it_gives_the_same_answer_and_does_nothing(void **state)
{
    struct al_ref first;
    struct al_ref again;
    uint64_t entries;
    (void)state;
    assert_int_equal(post(1, "one", "network", NULL), 0);
    first = posted();
    entries = rig_status(n, "own_entries");
    assert_int_equal(post(1, "another text", "network", NULL), 0);
    again = posted();
    assert_memory_equal(&again, &first, sizeof(first));
    assert_int_equal(rig_status(n, "own_entries"), entries);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(post(1, "one", "network", NULL), 0);
    again = posted();
    assert_memory_equal(&again, &first, sizeof(first));
}

static void a_refused_call_may_be_put_right_under_its_key(void **state)
{
    (void)state;
    assert_int_equal(post(1, "one", "circle:x", NULL), AL_E_AUDIENCE);
    assert_int_equal(post(1, "one", "network", NULL), 0);
}

static void an_answer_is_forgotten_after_thirty_days(void **state)
{
    struct al_ref first;
    (void)state;
    assert_int_equal(post(1, "one", "network", NULL), 0);
    first = posted();
    r.now.wall_ms += UINT64_C(31) * 24 * 3600 * 1000;
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(post(1, "one", "network", NULL), 0);
    assert_int_equal(posted().seq, first.seq + 1);
}

static void what_is_for_me_is_sealed(void **state)
{
    (void)state;
    assert_int_equal(post(1, "secret", "me", NULL), 0);
    struct al_ref ref = posted();
    struct al_slice payload = payload_of(&ref);
    assert_true(al_payload_is_sealed(payload));
    assert_null(memmem(payload.p, payload.n, "secret", 6));
}

static void a_post_that_names_no_audience_goes_to_the_network(void **state)
{
    (void)state;
    assert_int_equal(post(1, "one", NULL, NULL), 0);
    assert_audience("network");
}

static void a_reply_takes_the_audience_of_its_thread(void **state)
{
    (void)state;
    assert_int_equal(post(1, "secret", "me", NULL), 0);
    struct al_ref ref = posted();
    assert_int_equal(post(2, "reply", NULL, &ref), 0);
    assert_audience("me");
    assert_int_equal(post(3, "open", "network", NULL), 0);
    ref = posted();
    assert_int_equal(post(4, "reply", NULL, &ref), 0);
    assert_audience("network");
}

static void a_reply_to_the_web_stays_in_the_network_unless_said(void **state)
{
    (void)state;
    assert_int_equal(post(1, "open", "web", NULL), 0);
    struct al_ref ref = posted();
    assert_int_equal(post(2, "reply", NULL, &ref), 0);
    assert_audience("network");
}

static void a_reply_to_a_me_entry_cannot_be_wider(void **state)
{
    uint64_t entries;
    (void)state;
    assert_int_equal(post(1, "secret", "me", NULL), 0);
    struct al_ref ref = posted();
    entries = rig_status(n, "own_entries");
    assert_int_equal(post(2, "reply", "network", &ref), AL_E_AUDIENCE);
    assert_int_equal(rig_status(n, "own_entries"), entries);
}

static void a_reply_to_what_is_not_here_needs_an_audience(void **state)
{
    struct al_ref ref = {.seq = 5};
    (void)state;
    sample_bytes(&ref.device, sizeof(ref.device), 1);
    assert_int_equal(post(1, "reply", NULL, &ref), AL_E_NOT_FOUND);
    assert_int_equal(post(1, "reply", "network", &ref), 0);
}

static void a_text_too_long_is_refused_and_nothing_is_stored(void **state)
{
    char *text = malloc(AL_TEXT_MAX + 2);
    uint64_t entries;
    (void)state;
    entries = rig_status(n, "own_entries");
    memset(text, 'x', AL_TEXT_MAX + 1);
    text[AL_TEXT_MAX + 1] = '\0';
    assert_int_equal(post(1, text, "network", NULL), AL_E_LENGTH);
    assert_int_equal(rig_status(n, "own_entries"), entries);
    free(text);
}

/* Params of post_many: notes with the sources in |srcs|, one letter each; '!' has no text. */
static int import(uint8_t key, const char *srcs)
{
    al_heapbuf_free(&b);
    al_write_map(&b, 3);
    put_key(key);
    al_write_cstr(&b, "to");
    al_write_cstr(&b, "network");
    al_write_cstr(&b, "entries");
    al_write_array(&b, strlen(srcs));
    for (const char *s = srcs; *s != '\0'; s++) {
        al_write_map(&b, *s == '!' ? 2 : 3);
        al_write_cstr(&b, "k");
        al_write_cstr(&b, "note");
        al_write_cstr(&b, "src");
        al_write_str(&b, al_slice_of(s, 1));
        if (*s != '!') {
            al_write_cstr(&b, "text");
            al_write_cstr(&b, "text");
        }
    }
    return rig_call(n, "post_many", al_buf_slice(&b));
}

static uint64_t number(const char *key)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), key));
    return al_read_uint(&in, UINT64_MAX);
}

static void an_import_leaves_out_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(import(1, "abc"), 0);
    assert_int_equal(number("added"), 3);
    assert_int_equal(import(2, "abcde"), 0);
    assert_int_equal(number("added"), 2);
    assert_int_equal(number("known"), 3);
}

static void an_import_is_whole_or_nothing(void **state)
{
    uint64_t entries;
    (void)state;
    entries = rig_status(n, "own_entries");
    assert_int_not_equal(import(1, "ab!c"), 0);
    assert_non_null(strstr(rig_last(&r)->message, "entry 3"));
    assert_int_equal(rig_status(n, "own_entries"), entries);
}

static void nobody_relates_to_himself(void **state)
{
    (void)state;
    al_write_map(&b, 4);
    put_key(1);
    al_write_cstr(&b, "identity");
    al_write_bin(&b, n->me.root.identity.b, 32);
    al_write_cstr(&b, "relation");
    al_write_cstr(&b, "follow");
    al_write_cstr(&b, "value");
    al_write_bool(&b, true);
    assert_int_equal(rig_call(n, "relate", al_buf_slice(&b)), AL_E_SELF);
}

static void choices_survive_a_restart(void **state)
{
    struct rig_person other;
    (void)state;
    rig_person(&other, 1);
    rig_relate(n, &other.root.identity, "follow", true);
    assert_int_equal(rig_status(n, "following"), 1);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_status(n, "following"), 1);
}

static void the_last_choice_counts_when_the_clock_goes_back(void **state)
{
    struct rig_person other;
    (void)state;
    rig_person(&other, 1);
    rig_relate(n, &other.root.identity, "follow", true);
    r.now.wall_ms -= UINT64_C(24) * 3600 * 1000;
    rig_relate(n, &other.root.identity, "follow", false);
    assert_int_equal(rig_status(n, "following"), 0);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_status(n, "following"), 0);
}

static int call_invite(uint8_t key)
{
    al_heapbuf_free(&b);
    al_write_map(&b, 1);
    put_key(key);
    return rig_call(n, "invite", al_buf_slice(&b));
}

static void an_invite_waits_for_the_port_and_keeps_its_answer(void **state)
{
    struct al_slice ticket;
    char first[AL_TICKET_MAX];
    (void)state;
    /* the port opens with the effect of this very call */
    assert_int_equal(call_invite(1), 0);
    assert_int_equal(n->listens, 1);
    ticket = al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ticket");
    assert_in_range(ticket.n, 50, sizeof(first));
    memcpy(first, ticket.p, ticket.n);
    assert_int_equal(call_invite(1), 0);
    ticket = al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ticket");
    assert_memory_equal(first, ticket.p, ticket.n);
}

static void a_port_that_cannot_open_fails_the_invite_with_its_reason(void **state)
{
    (void)state;
    al_write_map(&b, 1);
    put_key(1);
    rig_begin(n);
    uint64_t id = rig_call_in_turn(n, "invite", al_buf_slice(&b));
    al_node_listening(n->node, NULL, 0, "port 4747 is taken");
    rig_end(n);
    assert_int_equal(rig_answer(&r, id)->err, AL_E_ADDRESS);
    assert_non_null(strstr(rig_answer(&r, id)->message, "port 4747 is taken"));
}

static void joins_are_refused_by_name(void **state)
{
    struct al_invite invite = {.expires_s = RIG_WALL_MS / 1000 + 100, .address_count = 1};
    struct rig_person other;
    char text[AL_TICKET_MAX];
    (void)state;
    rig_person(&other, 1);
    al_network_public(&invite.network);
    invite.identity = other.root.identity;
    invite.device = other.keyring.device;
    invite.addresses[0] = al_slice_str("there:1");

    invite.network.b[0] ^= 1;
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    assert_int_equal(rig_join(n, text), AL_E_NETWORK);
    invite.network.b[0] ^= 1;

    invite.expires_s = RIG_WALL_MS / 1000 - 3600;
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    assert_int_equal(rig_join(n, text), AL_E_INVITE);
    invite.expires_s = RIG_WALL_MS / 1000 + 100;

    invite.identity = n->me.root.identity;
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    assert_int_equal(rig_join(n, text), AL_E_SELF);
    invite.identity = other.root.identity;

    assert_int_equal(rig_join(n, "aloud:nonsense"), AL_E_TICKET);

    rig_relate(n, &other.root.identity, "block", true);
    assert_int_equal(al_invite_text(text, sizeof(text), &invite), 0);
    assert_int_equal(rig_join(n, text), AL_E_BLOCKED);
    assert_int_equal(n->dials, 0);
}

static void every_method_survives_any_parameters(void **state)
{
    static const char *const methods[] = {"confirm_phrase", "invite", "join", "peers", "post",
        "post_many", "relate", "status", "wait"};
    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        for (uint64_t seed = 0; seed < 200; seed++) {
            uint8_t junk[24];
            sample_bytes(junk, sizeof(junk), seed);
            al_heapbuf_free(&b);
            al_write_map(&b, 2);
            put_key((uint8_t)seed);
            al_write_cstr(&b, seed % 2 == 0 ? "entry" : "identity");
            al_write_bin(&b, junk, sizeof(junk));
            (void)rig_call(n, methods[i], al_buf_slice(&b));
        }
    }
    assert_int_equal(rig_post(n, "still here", "network", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unknown_method_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_needs_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(
            asked_again_under_the_same_key_it_gives_the_same_answer_and_does_nothing, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            a_refused_call_may_be_put_right_under_its_key, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_is_forgotten_after_thirty_days, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_for_me_is_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_post_that_names_no_audience_goes_to_the_network, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_takes_the_audience_of_its_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_reply_to_the_web_stays_in_the_network_unless_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_to_a_me_entry_cannot_be_wider, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_reply_to_what_is_not_here_needs_an_audience, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_text_too_long_is_refused_and_nothing_is_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_leaves_out_what_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_is_whole_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_relates_to_himself, setup, teardown),
        cmocka_unit_test_setup_teardown(choices_survive_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_last_choice_counts_when_the_clock_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_invite_waits_for_the_port_and_keeps_its_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_port_that_cannot_open_fails_the_invite_with_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(joins_are_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(every_method_survives_any_parameters, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
