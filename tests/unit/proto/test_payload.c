/* Open payloads: every kind with its fields, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "payload.h"
#include "sample_wire.h"
#include "write.h"

static struct al_ref some_ref(void)
{
    struct al_ref ref = {.seq = 300};
    memset(ref.device.b, 0x11, sizeof(ref.device.b));
    memset(ref.log.b, 0x22, sizeof(ref.log.b));
    memset(ref.id.b, 0x33, sizeof(ref.id.b));
    return ref;
}

static struct al_payload note(const char *text)
{
    return (struct al_payload){
        .kind = AL_KIND_NOTE, .audience = AL_AUDIENCE_NETWORK, .text = al_slice_str(text)};
}

static uint8_t space[AL_PAYLOAD_MAX + 4096];

static int encode(struct al_buf *b, const struct al_payload *p)
{
    *b = al_buf_fixed(space, sizeof(space));
    return al_payload_encode(b, p);
}

static int check(const struct al_payload *p)
{
    struct al_buf b;
    return encode(&b, p);
}

static void a_note_has_one_encoding(void **state)
{
    (void)state;
    struct al_payload p = note("hi");
    memset(p.salt, 7, sizeof(p.salt));
    p.at_ms = 5;
    p.tags[0] = al_slice_str("b");
    p.tags[1] = al_slice_str("c");
    p.tag_count = 2;
    struct al_buf b;
    assert_int_equal(encode(&b, &p), 0);
    static const char want[] = "\x86\xa1"
                               "a\xa7network\xa1k\xa4note\xa1s\xc4\x10"
                               "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7"
                               "\xa2"
                               "at\x05\xa4tags\x92\xa1"
                               "b\xa1"
                               "c\xa4text\xa2hi";
    assert_int_equal(b.n, sizeof(want) - 1);
    assert_memory_equal(b.p, want, b.n);
    struct al_payload got;
    assert_int_equal(al_payload_open(&got, al_buf_slice(&b), false), 0);
    assert_int_equal(got.kind, AL_KIND_NOTE);
    assert_int_equal(got.at_ms, 5);
    assert_int_equal(got.tag_count, 2);
    assert_true(al_slice_is(got.tags[1], "c"));
    assert_true(al_slice_is(got.text, "hi"));
    assert_true(al_slice_is(got.kind_name, "note"));
}

static void a_sealed_payload_has_neither_audience_nor_salt(void **state)
{
    (void)state;
    struct al_payload p = note("for me");
    struct al_payload got;
    struct al_buf b;
    assert_int_equal(encode(&b, &p), 0);
    assert_int_equal(al_payload_open(&got, al_buf_slice(&b), true), AL_E_KIND);
    p.audience = AL_AUDIENCE_ME;
    assert_int_equal(encode(&b, &p), 0);
    assert_int_equal(b.n, 21 - 1);
    assert_int_equal(al_payload_open(&got, al_buf_slice(&b), false), AL_E_MISSING);
    assert_int_equal(al_payload_open(&got, al_buf_slice(&b), true), 0);
    assert_int_equal(got.audience, AL_AUDIENCE_ME);
    p.audience = AL_AUDIENCE_CIRCLE;
    assert_int_equal(encode(&b, &p), 0);
}

static void each_kind_needs_its_fields(void **state)
{
    (void)state;
    struct al_ref ref = some_ref();
    static const uint8_t who[32];
    struct al_payload p = {.kind = AL_KIND_REPLY, .audience = AL_AUDIENCE_WEB};
    assert_int_equal(check(&p), AL_E_MISSING);
    p.text = al_slice_str("yes");
    p.re = ref;
    assert_int_equal(check(&p), AL_E_MISSING);
    p.rt = ref;
    assert_int_equal(check(&p), 0);
    p.kind = AL_KIND_ANSWER;
    assert_int_equal(check(&p), 0);
    p.kind = AL_KIND_NOTE;
    assert_int_equal(check(&p), AL_E_KIND);
    p.kind = AL_KIND_UNKNOWN;
    assert_int_equal(check(&p), AL_E_KIND);

    p = (struct al_payload){.kind = AL_KIND_THANKS, .audience = AL_AUDIENCE_NETWORK};
    assert_int_equal(check(&p), AL_E_MISSING);
    p.who = al_slice_of(who, sizeof(who));
    assert_int_equal(check(&p), 0);
    p.who.n = 0;
    p.re = ref;
    assert_int_equal(check(&p), 0);

    p = (struct al_payload){.kind = AL_KIND_RETRACT, .audience = AL_AUDIENCE_NETWORK, .of = ref};
    assert_int_equal(check(&p), 0);
    p.audience = AL_AUDIENCE_ME;
    assert_int_equal(check(&p), AL_E_AUDIENCE);

    p = (struct al_payload){.kind = AL_KIND_STATE, .audience = AL_AUDIENCE_ME};
    p.key = al_slice_str("follow");
    p.val = al_slice_str("\xc3");
    assert_int_equal(check(&p), 0);
    p.val = al_slice_str("\xcc\x01");
    assert_int_equal(check(&p), AL_E_LONG_FORM);
    p.val = al_slice_str("\xc3");
    p.audience = AL_AUDIENCE_NETWORK;
    assert_int_equal(check(&p), AL_E_AUDIENCE);
}

static void an_unknown_kind_is_kept_and_its_common_fields_are_read(void **state)
{
    (void)state;
    static const char bytes[] = "\x86\xa1"
                                "a\xa3web\xa1k\xa5later\xa1s\xc4\x10"
                                "0123456789abcdef"
                                "\xa2"
                                "at\xc3\xa3new\x90\xa4text\xa2hi";
    struct al_payload p;
    assert_int_equal(al_payload_open(&p, al_slice_of(bytes, sizeof(bytes) - 1), false), 0);
    assert_int_equal(p.kind, AL_KIND_UNKNOWN);
    assert_true(al_slice_is(p.kind_name, "later"));
    assert_true(al_slice_is(p.text, "hi"));
    assert_int_equal(p.at_ms, 0);
    assert_int_equal(p.audience, AL_AUDIENCE_WEB);
}

static void the_api_takes_keys_and_tags_in_any_order(void **state)
{
    (void)state;
    static const char map[] = "\x83\xa4text\xa2hi\xa1k\xa4note\xa4tags\x94\xa1z\xa1"
                              "b\xa1z\xa1"
                              "a";
    struct al_payload p;
    assert_int_equal(al_payload_from_api(&p, al_slice_of(map, sizeof(map) - 1)), 0);
    assert_int_equal(p.kind, AL_KIND_NOTE);
    assert_int_equal(p.tag_count, 3);
    assert_true(al_slice_is(p.tags[0], "a"));
    assert_true(al_slice_is(p.tags[2], "z"));
    p.audience = AL_AUDIENCE_NETWORK;
    assert_int_equal(check(&p), 0);
    assert_int_equal(al_payload_from_api(&p, al_slice_str("\x81\xa3odd\x01")), AL_E_PARAMS);
    assert_int_equal(al_payload_from_api(&p, al_slice_str("\x81\xa1s\x01")), AL_E_PARAMS);
    assert_int_equal(al_payload_from_api(&p, al_slice_str("\x81\xa4text\x01")), AL_E_TYPE);
    assert_int_equal(al_payload_from_api(&p, al_slice_str("\x81\xa4text\xa0")), AL_E_LENGTH);
}

static void every_kind_is_read_as_it_was_written(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (enum al_kind kind = AL_KIND_PROFILE; kind < AL_KIND_COUNT; kind++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            struct al_buf b = al_buf_fixed(space, sizeof(space));
            struct al_payload p;
            if (!sample_payload(&b, kind, sealed == 1))
                continue;
            seen++;
            assert_int_equal(al_payload_open(&p, al_buf_slice(&b), sealed == 1), 0);
            assert_int_equal(p.kind, kind);
            assert_true(al_slice_is(p.kind_name, al_kind_name(kind)));
            assert_int_equal(al_kind_of(p.kind_name), kind);
            for (size_t n = 0; n < b.n; n++)
                assert_int_not_equal(al_payload_open(&p, al_slice_of(b.p, n), sealed == 1), 0);
            uint8_t again[2048];
            struct al_buf second = al_buf_fixed(again, sizeof(again));
            assert_int_equal(al_payload_open(&p, al_buf_slice(&b), sealed == 1), 0);
            if (sealed == 1 && kind != AL_KIND_STATE)
                p.audience = AL_AUDIENCE_CIRCLE; /* known only from the key that opened it */
            assert_int_equal(al_payload_encode(&second, &p), 0);
            assert_true(al_slice_eq(al_buf_slice(&second), al_buf_slice(&b)));
        }
    }
    /* 11 kinds both ways; profile, retract, circle and follow open, state and leave sealed */
    assert_int_equal(seen, 2 * 11 + 4 + 2);
}

static void texts_have_their_limits(void **state)
{
    (void)state;
    static uint8_t letters[AL_TEXT_MAX + 1];
    memset(letters, 'x', sizeof(letters));
    struct al_payload p = note("");
    p.text = al_slice_of(letters, AL_TEXT_MAX);
    assert_int_equal(check(&p), 0);
    p.text.n++;
    assert_int_equal(check(&p), AL_E_LENGTH);
    p = (struct al_payload){.kind = AL_KIND_LINK, .audience = AL_AUDIENCE_WEB};
    p.url = al_slice_of(letters, AL_URL_MAX);
    p.title = al_slice_of(letters, AL_TITLE_MAX);
    p.quote = al_slice_of(letters, AL_QUOTE_MAX);
    p.src = al_slice_of(letters, AL_SRC_MAX);
    assert_int_equal(check(&p), 0);
    struct al_slice *const texts[] = {&p.url, &p.title, &p.quote, &p.src};
    for (size_t i = 0; i < 4; i++) {
        texts[i]->n++;
        assert_int_equal(check(&p), AL_E_LENGTH);
        texts[i]->n--;
    }
    p = (struct al_payload){.kind = AL_KIND_PROFILE, .audience = AL_AUDIENCE_NETWORK};
    p.name = al_slice_of(letters, AL_NAME_MAX);
    assert_int_equal(check(&p), 0);
    p.name.n++;
    assert_int_equal(check(&p), AL_E_LENGTH);
    p = note("\xff");
    assert_int_equal(check(&p), AL_E_UTF8);
}

static void tags_are_sorted_unique_and_few(void **state)
{
    (void)state;
    struct al_payload p = note("hi");
    p.tags[0] = al_slice_str("b");
    p.tags[1] = al_slice_str("a");
    p.tag_count = 2;
    assert_int_equal(check(&p), AL_E_ORDER);
    p.tags[1] = al_slice_str("b");
    assert_int_equal(check(&p), AL_E_ORDER);
    p.tags[1] = al_slice_str("");
    assert_int_equal(check(&p), AL_E_LENGTH);
    p.tag_count = AL_TAGS_MAX + 1;
    assert_int_equal(check(&p), AL_E_COUNT);
}

static void a_time_is_within_its_range(void **state)
{
    (void)state;
    struct al_payload p = note("hi");
    p.at_ms = AL_TIME_MAX;
    assert_int_equal(check(&p), 0);
    p.at_ms++;
    assert_int_equal(check(&p), AL_E_RANGE);
}

static void a_goal_is_open_done_or_dropped(void **state)
{
    (void)state;
    struct al_payload p = note("learn to swim");
    p.kind = AL_KIND_GOAL;
    p.state = al_slice_str("dropped");
    assert_int_equal(check(&p), 0);
    p.state = al_slice_str("lost");
    assert_int_equal(check(&p), AL_E_KIND);
}

static int open_bytes(const char *bytes, size_t n)
{
    struct al_payload p;
    return al_payload_open(&p, al_slice_of(bytes, n), false);
}

#define SALT                                                                                       \
    "\xa1s\xc4\x10"                                                                                \
    "0123456789abcdef"
#define OPEN(bytes) open_bytes(bytes, sizeof(bytes) - 1)

static void an_open_payload_says_kind_audience_and_salt(void **state)
{
    (void)state;
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa3web\xa1k\xa4note" SALT "\xa4text\xa1x"),
        0);
    assert_int_equal(OPEN("\x83\xa1k\xa4note" SALT "\xa4text\xa1x"), AL_E_MISSING);
    assert_int_equal(OPEN("\x83\xa1"
                          "a\xa3web" SALT "\xa4text\xa1x"),
        AL_E_MISSING);
    assert_int_equal(OPEN("\x83\xa1"
                          "a\xa3web\xa1k\xa4note\xa4text\xa1x"),
        AL_E_MISSING);
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa2me\xa1k\xa4note" SALT "\xa4text\xa1x"),
        AL_E_AUDIENCE);
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa3you\xa1k\xa4note" SALT "\xa4text\xa1x"),
        AL_E_AUDIENCE);
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa3web\xa1k\xa4note\xa1s\xc4\x01x\xa4text\xa1x"),
        AL_E_LENGTH);
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa3web\xa1k\xa4note" SALT "\xa4text\xa0"),
        AL_E_LENGTH);
    assert_int_equal(OPEN("\x84\xa1"
                          "a\xa3web\xa1k\xa4note" SALT "\xa4text\x05"),
        AL_E_TYPE);
    assert_int_equal(OPEN("\x83\xa1"
                          "a\xa3web\xa1k\xa0" SALT),
        AL_E_LENGTH);
    assert_int_equal(OPEN("\x90"), AL_E_TYPE);
    /* a key of a later version changes nothing */
    assert_int_equal(OPEN("\x85\xa1"
                          "a\xa3web\xa1k\xa4note" SALT "\xa1z\x91\x05\xa4text\xa1x"),
        0);
}

static void the_fields_of_a_circle_are_checked(void **state)
{
    (void)state;
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_payload p;
    assert_true(sample_payload(&b, AL_KIND_CIRCLE, false));
    assert_int_equal(al_payload_open(&p, al_buf_slice(&b), false), 0);
    uint8_t *n = (uint8_t *)memmem(b.p, b.n, "\xa1n\x02", 3) + 2;
    *n = 0;
    assert_int_equal(al_payload_open(&p, al_buf_slice(&b), false), AL_E_RANGE);
}

static void a_payload_has_a_size_limit(void **state)
{
    (void)state;
    static uint8_t zeros[AL_PAYLOAD_MAX + 1];
    struct al_payload p;
    assert_int_equal(al_payload_open(&p, al_slice_of(zeros, sizeof(zeros)), false), AL_E_LENGTH);
    uint8_t small[30];
    struct al_buf b = al_buf_fixed(small, sizeof(small));
    p = note("does not fit");
    assert_int_equal(al_payload_encode(&b, &p), AL_E_SPACE);
}

static void names_of_kinds_and_audiences_lead_back(void **state)
{
    (void)state;
    for (enum al_kind kind = AL_KIND_PROFILE; kind < AL_KIND_COUNT; kind++)
        assert_int_equal(al_kind_of(al_slice_str(al_kind_name(kind))), kind);
    assert_int_equal(al_kind_of(al_slice_str("unknown")), AL_KIND_UNKNOWN);
    assert_int_equal(al_kind_of(al_slice_str("Note")), AL_KIND_UNKNOWN);
    enum al_audience audience;
    for (enum al_audience a = AL_AUDIENCE_ME; a <= AL_AUDIENCE_WEB; a++) {
        assert_int_equal(al_audience_of(&audience, al_slice_str(al_audience_name(a))), 0);
        assert_int_equal(audience, a);
    }
    assert_int_equal(al_audience_of(&audience, al_slice_str("all")), AL_E_AUDIENCE);
}

static void a_sealed_payload_is_told_by_its_first_byte(void **state)
{
    (void)state;
    assert_true(al_payload_is_sealed(al_slice_str("\x94")));
    assert_true(al_payload_is_sealed(al_slice_str("\xdc")));
    assert_false(al_payload_is_sealed(al_slice_str("\x84")));
    assert_false(al_payload_is_sealed(al_slice_of(NULL, 0)));
}

static void the_api_takes_at_most_sixteen_different_tags(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_payload p;
    al_write_map(&b, 1);
    al_write_cstr(&b, "tags");
    al_write_array(&b, 33);
    for (char i = 0; i < 33; i++) {
        const char tag[] = {(char)('z' - i % 16), '\0'};
        al_write_cstr(&b, tag);
    }
    assert_int_equal(al_payload_from_api(&p, al_buf_slice(&b)), 0);
    assert_int_equal(p.tag_count, AL_TAGS_MAX);
    b.p[b.n - 1] = '0';
    assert_int_equal(al_payload_from_api(&p, al_buf_slice(&b)), AL_E_COUNT);
}

static void the_least_and_the_most_of_each_field_is_accepted(void **state)
{
    (void)state;
    struct al_payload p = note("x");
    p.at_ms = 1;
    p.src = al_slice_str("x");
    p.tags[0] = al_slice_str("x");
    p.tag_count = 1;
    assert_int_equal(check(&p), 0);
    static const char letters[] = "abcdefghijklmnop";
    for (p.tag_count = 0; p.tag_count < AL_TAGS_MAX; p.tag_count++)
        p.tags[p.tag_count] = al_slice_of(letters + p.tag_count, 1);
    assert_int_equal(check(&p), 0);
    p = (struct al_payload){.kind = AL_KIND_PROFILE, .audience = AL_AUDIENCE_NETWORK};
    p.name = p.about = p.working = p.wants = p.knows = al_slice_str("x");
    assert_int_equal(check(&p), 0);
    p = (struct al_payload){.kind = AL_KIND_RETRACT, .audience = AL_AUDIENCE_NETWORK};
    p.of.seq = 1;
    assert_int_equal(check(&p), 0);
    /* nothing that a circle does not have */
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    assert_true(sample_payload(&b, AL_KIND_CIRCLE, false));
    b.p[0]++;
    al_write_cstr(&b, "zzzzzzzz");
    al_write_uint(&b, 0);
    assert_int_equal(al_payload_open(&p, al_buf_slice(&b), false), 0);
    b = al_buf_fixed(space, sizeof(space));
    p = note("x");
    p.kind = AL_KIND_CIRCLE;
    assert_int_equal(al_payload_encode(&b, &p), AL_E_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_has_one_encoding),
        cmocka_unit_test(a_sealed_payload_has_neither_audience_nor_salt),
        cmocka_unit_test(each_kind_needs_its_fields),
        cmocka_unit_test(an_unknown_kind_is_kept_and_its_common_fields_are_read),
        cmocka_unit_test(the_api_takes_keys_and_tags_in_any_order),
        cmocka_unit_test(every_kind_is_read_as_it_was_written),
        cmocka_unit_test(texts_have_their_limits),
        cmocka_unit_test(tags_are_sorted_unique_and_few),
        cmocka_unit_test(a_time_is_within_its_range),
        cmocka_unit_test(a_goal_is_open_done_or_dropped),
        cmocka_unit_test(an_open_payload_says_kind_audience_and_salt),
        cmocka_unit_test(the_fields_of_a_circle_are_checked),
        cmocka_unit_test(a_payload_has_a_size_limit),
        cmocka_unit_test(names_of_kinds_and_audiences_lead_back),
        cmocka_unit_test(a_sealed_payload_is_told_by_its_first_byte),
        cmocka_unit_test(the_api_takes_at_most_sixteen_different_tags),
        cmocka_unit_test(the_least_and_the_most_of_each_field_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
