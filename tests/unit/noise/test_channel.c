/*
 * The channel as its two users see it: whole messages arrive however the stream is cut, and nothing
 * that was changed, lost, doubled or invented on the way ever does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "handshake.h"
#include "limit.h"

struct pair {
    struct al_channel *dialler, *responder;
    uint8_t dialler_public[32], responder_public[32];
};

static struct al_channel *new_side(
    bool dialler, uint8_t seed, uint8_t network, uint8_t public[32], const uint8_t remote[32])
{
    uint8_t secret[32];
    struct al_rng rng;
    memset(secret, seed, sizeof(secret));
    crypto_scalarmult_base(public, secret);
    al_rng_init(&rng, secret);
    return al_channel_new(&(struct al_channel_opts){
        .dialler = dialler,
        .static_secret = secret,
        .static_public = public,
        .remote_public = remote,
        .network = {{'n', 'e', 't', network}},
        .rng = &rng,
    });
}

static struct pair new_pair(void)
{
    struct pair p;
    p.responder = new_side(false, 2, 0, p.responder_public, NULL);
    p.dialler = new_side(true, 1, 0, p.dialler_public, p.responder_public);
    assert_non_null(p.responder);
    assert_non_null(p.dialler);
    return p;
}

static void free_pair(struct pair *p)
{
    al_channel_free(p->dialler);
    al_channel_free(p->responder);
}

/* Move all output of |from| into |to| at once. */
static int carry(struct al_channel *from, struct al_channel *to)
{
    size_t n = 0;
    uint8_t *bytes = al_channel_output_take(from, &n);
    int err = bytes == NULL ? 0 : al_channel_input(to, bytes, n);
    free(bytes);
    return err;
}

static struct pair open_pair(void)
{
    struct pair p = new_pair();
    assert_int_equal(carry(p.dialler, p.responder), 0);
    assert_int_equal(carry(p.responder, p.dialler), 0);
    assert_int_equal(carry(p.dialler, p.responder), 0);
    assert_true(al_channel_open(p.dialler));
    assert_true(al_channel_open(p.responder));
    return p;
}

/* A message of |n| bytes that tells its size and number. */
static struct al_slice message_of(uint32_t number, size_t n)
{
    static uint8_t bytes[AL_MESSAGE_MAX + 1];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
    return al_slice_of(bytes, n);
}

static void expect_message(struct al_channel *c, uint32_t number, size_t n)
{
    struct al_slice got;
    assert_true(al_channel_message(c, &got));
    assert_true(al_slice_eq(got, message_of(number, n)));
}

static void expect_none(struct al_channel *c)
{
    struct al_slice got;
    assert_false(al_channel_message(c, &got));
}

static void both_sides_know_each_other_after_three_messages(void **state)
{
    (void)state;
    struct pair p = new_pair();
    assert_int_equal(al_channel_output_size(p.dialler), 2 + 48);
    assert_int_equal(al_channel_output_size(p.responder), 0);
    assert_null(al_channel_remote_ephemeral(p.responder));
    size_t n = 0;
    uint8_t *first = al_channel_output_take(p.dialler, &n);
    assert_int_equal(n, 50);
    assert_null(al_channel_output_take(p.dialler, &n));
    assert_int_equal(al_channel_input(p.responder, first, n), 0);
    assert_memory_equal(al_channel_remote_ephemeral(p.responder), first + 2, 32);
    assert_false(al_channel_open(p.responder));
    free(first);
    assert_int_equal(al_channel_output_size(p.responder), 2 + 48);
    assert_int_equal(carry(p.responder, p.dialler), 0);
    assert_true(al_channel_open(p.dialler));
    assert_int_equal(al_channel_output_size(p.dialler), 2 + 64);
    assert_int_equal(carry(p.dialler, p.responder), 0);
    assert_true(al_channel_open(p.responder));
    assert_memory_equal(al_channel_remote(p.responder), p.dialler_public, 32);
    assert_memory_equal(al_channel_remote(p.dialler), p.responder_public, 32);
    assert_memory_equal(al_channel_hash(p.dialler), al_channel_hash(p.responder), 64);
    free_pair(&p);
    al_channel_free(NULL);
}

static void messages_of_every_size_pass_in_both_directions(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 100, 65517, 65518, 65519, 2 * 65518, 2 * 65518 + 1,
        AL_MESSAGE_MAX - 1, AL_MESSAGE_MAX};
    struct pair p = open_pair();
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(al_channel_send(p.dialler, message_of(i, sizes[i])), 0);
        assert_int_equal(al_channel_send(p.responder, message_of(i + 50, sizes[i])), 0);
    }
    assert_int_equal(carry(p.dialler, p.responder), 0);
    assert_int_equal(carry(p.responder, p.dialler), 0);
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        expect_message(p.responder, i, sizes[i]);
        expect_message(p.dialler, i + 50, sizes[i]);
    }
    expect_none(p.responder);
    expect_none(p.dialler);
    free_pair(&p);
}

static void what_cannot_be_sent_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct pair p = new_pair();
    assert_int_equal(al_channel_send(p.dialler, message_of(1, 5)), AL_E_STATE);
    free_pair(&p);
    p = open_pair();
    assert_int_equal(al_channel_send(p.dialler, message_of(1, 0)), AL_E_MESSAGE_SIZE);
    assert_int_equal(
        al_channel_send(p.dialler, message_of(1, AL_MESSAGE_MAX + 1)), AL_E_MESSAGE_SIZE);
    assert_int_equal(al_channel_output_size(p.dialler), 0);
    assert_int_equal(al_channel_send(p.dialler, message_of(2, 5)), 0);
    assert_int_equal(carry(p.dialler, p.responder), 0);
    expect_message(p.responder, 2, 5);
    free_pair(&p);
}

/* The sizes of the session below: one message of two frames, and small ones around it. */
static const size_t session[] = {1, 300, 70000, 17};
#define SESSION (sizeof(session) / sizeof(session[0]))

/*
 * All that the dialler says in a session: message 1, message 3, then the frames. The responder is
 * fed in the same order in which it would hear them.
 */
static size_t record(uint8_t *out, size_t cap)
{
    struct pair p = new_pair();
    size_t n = 0, at = 0;
    for (int part = 0; part < 2; part++) {
        uint8_t *bytes = al_channel_output_take(p.dialler, &n);
        assert_true(at + n <= cap);
        memcpy(out + at, bytes, n);
        at += n;
        assert_int_equal(al_channel_input(p.responder, bytes, n), 0);
        free(bytes);
        if (part == 0)
            assert_int_equal(carry(p.responder, p.dialler), 0);
    }
    for (uint32_t i = 0; i < SESSION; i++)
        assert_int_equal(al_channel_send(p.dialler, message_of(i, session[i])), 0);
    uint8_t *bytes = al_channel_output_take(p.dialler, &n);
    assert_true(at + n <= cap);
    memcpy(out + at, bytes, n);
    free(bytes);
    free_pair(&p);
    return at + n;
}

static struct al_channel *new_responder(void)
{
    uint8_t public[32];
    return new_side(false, 2, 0, public, NULL);
}

static void the_stream_may_be_cut_into_pieces_of_every_size(void **state)
{
    (void)state;
    static uint8_t stream[80000];
    size_t n = record(stream, sizeof(stream));
    for (size_t piece = 1; piece <= n; piece = piece < 200 ? piece + 1 : piece * 5 / 4) {
        struct al_channel *c = new_responder();
        uint32_t next = 0;
        for (size_t at = 0; at < n; at += piece) {
            size_t take = piece < n - at ? piece : n - at;
            assert_int_equal(al_channel_input(c, stream + at, take), 0);
            struct al_slice got;
            while (al_channel_message(c, &got)) {
                assert_true(next < SESSION);
                assert_true(al_slice_eq(got, message_of(next, session[next])));
                next++;
            }
        }
        assert_int_equal(next, SESSION);
        al_channel_free(c);
    }
}

static void messages_may_be_taken_later_than_they_come(void **state)
{
    (void)state;
    static uint8_t stream[80000];
    size_t n = record(stream, sizeof(stream));
    struct al_channel *c = new_responder();
    for (size_t at = 0; at < n; at += 997)
        assert_int_equal(al_channel_input(c, stream + at, n - at < 997 ? n - at : 997), 0);
    expect_message(c, 0, session[0]);
    expect_message(c, 1, session[1]);
    assert_int_equal(al_channel_input(c, stream, 0), 0);
    expect_message(c, 2, session[2]);
    expect_message(c, 3, session[3]);
    expect_none(c);
    al_channel_free(c);
}

/*
 * Feed a stream that was tampered with: what arrives is a true beginning of the session, never more
 * than |whole| messages, and never anything else. Returns what the channel ended with.
 */
static int feed_tampered(const uint8_t *stream, size_t n, size_t whole)
{
    struct al_channel *c = new_responder();
    int err = al_channel_input(c, stream, n);
    struct al_slice got;
    uint32_t next = 0;
    while (al_channel_message(c, &got)) {
        assert_true(next < whole);
        assert_true(al_slice_eq(got, message_of(next, session[next])));
        next++;
    }
    if (err != 0) {
        assert_int_equal(al_channel_input(c, stream, 1), err); /* it stays ended */
        assert_int_equal(al_channel_send(c, message_of(0, 1)), AL_E_STATE);
    }
    al_channel_free(c);
    return err;
}

/* Where message |i| of the session ends in the stream. */
static size_t end_of(size_t i)
{
    size_t at = 2 + 48 + 2 + 64;
    for (size_t k = 0; k <= i; k++)
        at += session[k] + (2 + 17) * ((session[k] + 65517) / 65518);
    return at;
}

static void no_changed_bit_goes_unnoticed(void **state)
{
    (void)state;
    static uint8_t stream[80000];
    (void)record(stream, sizeof(stream));
    size_t n = end_of(1); /* the first two messages: a short session */
    for (size_t bit = 0; bit < n * 8; bit++) {
        size_t whole = 0;
        while (whole < 2 && end_of(whole) <= bit / 8)
            whole++;
        stream[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int err = feed_tampered(stream, n, whole);
        /* A length made longer leaves a frame that waits for its end: nothing comes of it. */
        bool in_length =
            bit / 8 >= 116 && (bit / 8 < 118 || (bit / 8 >= end_of(0) && bit / 8 < end_of(0) + 2));
        assert_true(err != 0 || in_length);
        stream[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void lost_doubled_and_swapped_frames_end_the_channel(void **state)
{
    (void)state;
    static uint8_t stream[80000], bent[160000];
    size_t n = record(stream, sizeof(stream));
    for (size_t i = 0; i + 1 < SESSION; i++) {
        size_t from = i == 0 ? 116 : end_of(i - 1), to = end_of(i), after = end_of(i + 1);
        memcpy(bent, stream, from); /* lost */
        memcpy(bent + from, stream + to, n - to);
        assert_int_equal(feed_tampered(bent, n - (to - from), i), AL_E_DECRYPT);

        memcpy(bent, stream, to); /* doubled */
        memcpy(bent + to, stream + from, n - from);
        assert_int_equal(feed_tampered(bent, n + (to - from), i + 1), AL_E_DECRYPT);

        memcpy(bent, stream, from); /* swapped */
        memcpy(bent + from, stream + to, after - to);
        memcpy(bent + from + after - to, stream + from, to - from);
        assert_int_equal(feed_tampered(bent, after, i), AL_E_DECRYPT);
    }
}

static void frames_of_an_impossible_size_are_refused_at_their_first_bytes(void **state)
{
    (void)state;
    for (unsigned size = 0; size < 17; size++) {
        struct pair p = open_pair();
        const uint8_t head[2] = {0, (uint8_t)size};
        assert_int_equal(al_channel_input(p.responder, head, 1), 0);
        assert_int_equal(al_channel_input(p.responder, head + 1, 1), AL_E_FRAME);
        free_pair(&p);
    }
    for (unsigned size = 0; size < 65536; size += size < 300 ? 1 : 251) {
        struct al_channel *c = new_responder();
        const uint8_t head[2] = {(uint8_t)(size >> 8), (uint8_t)size};
        assert_int_equal(al_channel_input(c, head, 2), size == 48 ? 0 : AL_E_HANDSHAKE);
        al_channel_free(c);
    }
}

/*
 * A peer that writes frames of its own making: a dialler built on the handshake alone, so that it
 * can say what the channel never would.
 */
struct rogue {
    struct al_channel *victim;
    struct al_cipher sending;
};

static struct rogue new_rogue(void)
{
    struct rogue r;
    uint8_t secret[32], public[32], remote[32], prologue[39] = "aloud/1net";
    struct al_handshake hs;
    r.victim = new_side(false, 2, 0, remote, NULL);
    memset(secret, 1, sizeof(secret));
    crypto_scalarmult_base(public, secret);
    al_handshake_init(&hs, &(struct al_handshake_opts){
                               .initiator = true,
                               .prologue = al_slice_of(prologue, sizeof(prologue)),
                               .static_secret = secret,
                               .static_public = public,
                               .remote_public = remote,
                               .ephemeral_secret = secret,
                           });
    uint8_t bytes[66], payload[16];
    struct al_buf out = al_buf_fixed(bytes, sizeof(bytes));
    struct al_buf empty = al_buf_fixed(payload, sizeof(payload));
    al_buf_put(&out, (const uint8_t[]){0, 48}, 2);
    assert_int_equal(al_handshake_write(&hs, &out, al_slice_of(NULL, 0)), 0);
    assert_int_equal(al_channel_input(r.victim, bytes, out.n), 0);
    size_t n = 0;
    uint8_t *answer = al_channel_output_take(r.victim, &n);
    assert_int_equal(al_handshake_read(&hs, &empty, al_slice_of(answer + 2, n - 2)), 0);
    free(answer);
    out.n = 0;
    al_buf_put(&out, (const uint8_t[]){0, 64}, 2);
    assert_int_equal(al_handshake_write(&hs, &out, al_slice_of(NULL, 0)), 0);
    assert_int_equal(al_channel_input(r.victim, bytes, out.n), 0);
    struct al_cipher receiving;
    al_handshake_split(&hs, &r.sending, &receiving);
    return r;
}

static int say(struct rogue *r, uint8_t flag, size_t data)
{
    static uint8_t plain[65536], frame[65600];
    plain[0] = flag;
    size_t n = 1 + data + 16;
    frame[0] = (uint8_t)(n >> 8);
    frame[1] = (uint8_t)n;
    assert_int_equal(al_cipher_encrypt(&r->sending, frame + 2, al_slice_of(NULL, 0),
                         al_slice_of(plain, 1 + data)),
        0);
    return al_channel_input(r->victim, frame, 2 + n);
}

static void well_sealed_nonsense_is_refused_by_name(void **state)
{
    (void)state;
    struct rogue r = new_rogue();
    assert_int_equal(say(&r, 2, 5), AL_E_FRAME);
    al_channel_free(r.victim);

    r = new_rogue();
    assert_int_equal(say(&r, 0, 0), AL_E_FRAME); /* an empty message */
    al_channel_free(r.victim);

    r = new_rogue(); /* empty frames inside a message say nothing, and do no harm */
    assert_int_equal(say(&r, 1, 0), 0);
    assert_int_equal(say(&r, 1, 3), 0);
    expect_none(r.victim);
    assert_int_equal(say(&r, 0, 0), 0);
    struct al_slice got;
    assert_true(al_channel_message(r.victim, &got));
    assert_int_equal(got.n, 3);
    al_channel_free(r.victim);

    r = new_rogue();
    for (int i = 0; i < 4; i++)
        assert_int_equal(say(&r, 1, 65518), 0);
    assert_int_equal(say(&r, 1, AL_MESSAGE_MAX - 4 * 65518), 0);
    assert_int_equal(say(&r, 1, 1), AL_E_MESSAGE_SIZE);
    expect_none(r.victim);
    al_channel_free(r.victim);
}

static void keys_change_after_65535_frames_and_the_session_goes_on(void **state)
{
    (void)state;
    struct rogue r = new_rogue();
    struct al_slice got;
    for (int i = 0; i < 65535; i++) {
        assert_int_equal(say(&r, 0, 1), 0);
        assert_true(al_channel_message(r.victim, &got));
    }
    struct al_cipher without = r.sending;
    al_cipher_rekey(&r.sending);
    for (int i = 0; i < 65535; i++) {
        assert_int_equal(say(&r, 0, 1), 0);
        assert_true(al_channel_message(r.victim, &got));
    }
    al_cipher_rekey(&r.sending);
    assert_int_equal(say(&r, 0, 1), 0);
    r.sending.nonce = 2 * 65535 + 1;
    memcpy(r.sending.key, without.key, 32);
    assert_int_equal(say(&r, 0, 1), AL_E_DECRYPT);
    al_channel_free(r.victim);

    struct pair p = open_pair(); /* and both ends of a true channel agree about it */
    for (int round = 0; round < 150; round++) {
        for (int i = 0; i < 1000; i++)
            assert_int_equal(al_channel_send(p.responder, al_slice_str("x")), 0);
        assert_int_equal(carry(p.responder, p.dialler), 0);
        for (int i = 0; i < 1000; i++)
            assert_true(al_channel_message(p.dialler, &got));
    }
    free_pair(&p);
}

static void another_network_or_key_gets_no_answer(void **state)
{
    (void)state;
    for (uint8_t network = 0; network < 2; network++) {
        uint8_t public[32], other[32];
        struct al_channel *responder = new_side(false, 2, 0, public, NULL);
        public[0] ^= network == 0; /* the right network, but not the right key */
        struct al_channel *stranger = new_side(true, 1, network, other, public);
        assert_int_equal(carry(stranger, responder), AL_E_HANDSHAKE);
        assert_int_equal(al_channel_output_size(responder), 0);
        al_channel_free(responder);
        al_channel_free(stranger);
    }
}

static void a_remote_key_of_small_order_ends_the_dial_before_a_byte(void **state)
{
    (void)state;
    uint8_t public[32];
    const uint8_t zeros[32] = {0};
    struct al_channel *c = new_side(true, 1, 0, public, zeros);
    assert_int_equal(al_channel_output_size(c), 0);
    assert_int_equal(al_channel_input(c, zeros, 1), AL_E_POINT);
    al_channel_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_know_each_other_after_three_messages),
        cmocka_unit_test(messages_of_every_size_pass_in_both_directions),
        cmocka_unit_test(what_cannot_be_sent_is_refused_and_changes_nothing),
        cmocka_unit_test(the_stream_may_be_cut_into_pieces_of_every_size),
        cmocka_unit_test(messages_may_be_taken_later_than_they_come),
        cmocka_unit_test(no_changed_bit_goes_unnoticed),
        cmocka_unit_test(lost_doubled_and_swapped_frames_end_the_channel),
        cmocka_unit_test(frames_of_an_impossible_size_are_refused_at_their_first_bytes),
        cmocka_unit_test(well_sealed_nonsense_is_refused_by_name),
        cmocka_unit_test(keys_change_after_65535_frames_and_the_session_goes_on),
        cmocka_unit_test(another_network_or_key_gets_no_answer),
        cmocka_unit_test(a_remote_key_of_small_order_ends_the_dial_before_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
