/* Open payloads: every kind with its fields, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "payload.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_has_one_encoding),
        cmocka_unit_test(a_sealed_payload_has_neither_audience_nor_salt),
        cmocka_unit_test(each_kind_needs_its_fields),
        cmocka_unit_test(an_unknown_kind_is_kept_and_its_common_fields_are_read),
        cmocka_unit_test(the_api_takes_keys_and_tags_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
