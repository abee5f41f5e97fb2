/* Segments: runs of entries, whole and stubbed, and each rule broken once. */
#include "segment.h"

#include "hash.h"

#include "sample.h"
#include "vec.h"

static uint8_t payloads[AL_SEGMENT_INLINE_MAX + 1];
static uint8_t space[AL_MESSAGE_MAX];
static uint8_t patched[AL_MESSAGE_MAX];
static struct al_segment segment;

static struct al_slice encode(void)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_segment_encode(&b, &segment);
    assert(!b.full);
    return al_buf_slice(&b);
}

static void add(json_t *list, const char *name, int err)
{
    json_t *v = vec_add(list, name, err, encode());
    if (err != 0)
        return;
    json_t *ids = json_array();
    for (uint32_t i = 0; i < segment.count; i++) {
        json_t *id = json_object();
        vec_hex(id, "id", segment.items[i].id.b, 32);
        json_array_append(ids, json_object_get(id, "id"));
        json_decref(id);
    }
    vec_uint(v, "first", segment.first);
    json_object_set_new(v, "ids", ids);
}

static void make(uint64_t first, uint32_t count, size_t size)
{
    struct sample_person p = sample_person(1);
    struct al_hash prev;
    sample_bytes(prev.b, 32, 99);
    sample_segment(&segment, &p, first, first == 1 ? NULL : &prev, count, payloads, size, first);
}

static void sign(void)
{
    struct sample_person p = sample_person(1);
    sample_sign(&segment, &p);
}

static void drop(uint32_t i, enum al_stub stub)
{
    segment.items[i].payload = al_slice_of(NULL, 0);
    segment.items[i].stub = stub;
}

static void add_valid(json_t *list)
{
    make(1, 1, 20);
    add(list, "the first entry of a log", 0);
    make(1, 64, 7);
    add(list, "a whole block", 0);
    make(65, 5, 30);
    drop(1, AL_STUB_ASK);
    drop(3, AL_STUB_NOT_HELD);
    add(list, "payloads and stubs of both states", 0);
    make(70, 4, 9);
    segment.items[1].time_ms = 0;
    segment.items[2].time_ms = AL_TIME_MAX;
    segment.items[3].time_ms = 1;
    sign();
    add(list, "times go back and forth", 0);
    make(AL_SEQ_MAX, 1, 3);
    add(list, "the last possible entry", 0);
    make(1, 3, AL_PAYLOAD_MAX);
    memset(payloads, 0, sizeof(payloads));
    sign();
    static_assert(3 * AL_PAYLOAD_MAX == AL_SEGMENT_INLINE_MAX, "three largest payloads fill it");
    add(list, "as much inline as fits", 0);
}

static void add_broken_numbers(json_t *list)
{
    make(1, 1, 20);
    segment.first = 0;
    add(list, "first is 0", AL_E_RANGE);
    make(AL_SEQ_MAX + 1, 1, 3);
    add(list, "first over the cap", AL_E_RANGE);
    make(AL_SEQ_MAX, 2, 3);
    add(list, "last over the cap", AL_E_RANGE);
    make(64, 2, 20);
    add(list, "crosses a block", AL_E_BLOCK);
    make(1, 1, 20);
    segment.items[0].time_ms = AL_TIME_MAX + 1;
    add(list, "first time over the cap", AL_E_RANGE);
    make(1, 2, 20);
    segment.items[1].time_ms = AL_TIME_MAX + 1;
    add(list, "difference leads over the cap", AL_E_RANGE);
    segment.items[1].time_ms = UINT64_MAX;
    add(list, "difference leads below zero", AL_E_RANGE);
    make(1, 1, 20);
    drop(0, AL_STUB_ASK);
    segment.items[0].plen = 0;
    add(list, "stub of 0 bytes", AL_E_RANGE);
    segment.items[0].plen = AL_PAYLOAD_MAX + 1;
    add(list, "stub over the payload cap", AL_E_RANGE);
}

static void add_broken_payloads(json_t *list)
{
    make(1, 1, 20);
    segment.count = 0;
    add(list, "no items", AL_E_COUNT);
    make(1, 1, 20);
    segment.items[0].payload.n = 0;
    segment.items[0].stub = AL_STUB_ASK;
    struct al_slice bytes = encode();
    size_t at = bytes.n - 66 - 1; /* the state, before the signature */
    vec_add(list, "stub with state 2", AL_E_RANGE,
        vec_patch(patched, sizeof(patched), bytes, at, 1, "02"));
    vec_add(list, "stub with a field more", AL_E_COUNT,
        vec_patch(patched, sizeof(patched), bytes, at - 36, 1, "94 00"));
    vec_add(list, "an empty payload inline", AL_E_LENGTH,
        vec_patch(patched, sizeof(patched), bytes, at - 36, 37, "c400"));
    vec_add(list, "a text as payload", AL_E_TYPE,
        vec_patch(patched, sizeof(patched), bytes, at - 36, 37, "a161"));
    make(1, 1, AL_PAYLOAD_MAX);
    memset(payloads, 0, sizeof(payloads));
    segment.items[0].payload.n++;
    add(list, "a payload over its cap", AL_E_LENGTH);
    make(1, 4, AL_PAYLOAD_MAX / 2);
    memset(payloads, 0, sizeof(payloads));
    for (uint32_t i = 0; i < 4; i++)
        segment.items[i].payload = al_slice_of(payloads, AL_SEGMENT_INLINE_MAX / 4 + (i == 3));
    add(list, "one byte too much inline", AL_E_INLINE);
}

void make_segment(json_t *list)
{
    add_valid(list);
    add_broken_numbers(list);
    add_broken_payloads(list);

    make(1, 2, 20);
    struct al_slice good = encode();
#define BROKEN(name, err, at, cut, hex)                                                            \
    vec_add(list, name, err, vec_patch(patched, sizeof(patched), good, at, cut, hex))
    BROKEN("a field more", AL_E_COUNT, 0, 1, "97 00");
    BROKEN("trailing byte", AL_E_TRAILING, good.n, 0, "00");
    BROKEN("cut short", AL_E_TRUNCATED, good.n - 1, 1, "");
    BROKEN("device of 33 bytes", AL_E_LENGTH, 2, 1, "21 00");
    BROKEN("signature of 63 bytes", AL_E_LENGTH, good.n - 65, 2, "3f");
    BROKEN("signature damaged", AL_E_SIG, good.n - 1, 1, "ff");
    BROKEN("prev changed", AL_E_SIG, 48, 1, "ff");
    BROKEN("log changed", AL_E_SIG, 37, 1, "ff");
    BROKEN("seq changed", AL_E_SIG, 45, 1, "02");
    BROKEN("payload changed", AL_E_SIG, good.n - 66 - 1, 1, "ff");
#undef BROKEN
    struct sample_person other = sample_person(2);
    al_entry_sign(&segment.sig, other.device_secret, &segment.items[1].id);
    add(list, "signed by another device", AL_E_SIG);
    make(1, 2, 20);
    struct sample_person p = sample_person(1);
    al_entry_sign(&segment.sig, p.device_secret, &segment.items[0].id);
    add(list, "signed at an earlier entry", AL_E_SIG);
    al_sign(&segment.sig, p.device_secret, AL_P_SIG_DEVICE, segment.items[1].id.b);
    add(list, "signed for another purpose", AL_E_SIG);
}
