/* Gossip messages: one of each type, and each rule of a field broken. */
#include "message.h"

#include "form.h"
#include "sample.h"
#include "sample_wire.h"
#include "vec.h"

#define CERT "93 <9> <64> <64>"
#define SEGMENT "96 <32> <8> 01 <32> 91 92 05 <3> <64>"
#define ITEM "95 <32> <32> <8> 01 <16>"

static const struct {
    const char *name;
    int err;
    const char *form;
} table[] = {
    {"hello without token", 0, "9a 00 01 'aloud/0.1' 00 " CERT " <0> <8> <64> 05 ''"},
    {"interests, the first ever", 0, "96 01 <0> <32> 90 90 c3"},
    {"reconcile, nothing to say", 0, "95 04 02 00 c2 90"},
    {"reconcile, a frozen log", 0,
        "95 04 02 00 c2 91 93 <0> 03 91 95 <32> <32> <8> cf0000ffffffffffff <16>"},
    {"segment pushed", 0, "93 06 00 " SEGMENT},
    {"statements, the last and empty page", 0, "94 0d 05 90 c3"},
    {"refs, none", 0, "93 14 05 90"},

    {"no type", AL_E_COUNT, "90"},
    {"not an array", AL_E_TYPE, "1e"},
    {"type is a text", AL_E_TYPE, "92 'ping' 01"},
    {"type over 16 bits", AL_E_RANGE, "92 ce00010000 01"},
    {"a second value", AL_E_TRAILING, "92 1e 01 00"},
    {"ping without its number", AL_E_COUNT, "91 1e"},
    {"ping with a field more", AL_E_COUNT, "93 1e 01 01"},
    {"ping with a negative number", AL_E_TYPE, "92 1e ff"},
    {"ping in long form", AL_E_LONG_FORM, "92 1e cc01"},
    {"pong with a text", AL_E_TYPE, "92 1f 'a'"},
    {"reset with a field", AL_E_COUNT, "92 02 00"},
    {"goodbye of 65 bytes", AL_E_LENGTH, "92 20 [65=61]"},

    {"hello of version 2", AL_E_VERSION, "9a 00 02 'a' 00 " CERT " <16> <8> <64> 05 ''"},
    {"hello, agent of 65 bytes", AL_E_LENGTH, "9a 00 01 [65=61] 00 " CERT " <16> <8> <64> 05 ''"},
    {"hello, statement of two fields", AL_E_COUNT,
        "9a 00 01 'a' 00 92 <9> <64> <16> <8> <64> 05 ''"},
    {"hello, token of 15 bytes", AL_E_LENGTH, "9a 00 01 'a' 00 " CERT " <15> <8> <64> 05 ''"},
    {"hello, boot of 7 bytes", AL_E_LENGTH, "9a 00 01 'a' 00 " CERT " <16> <7> <64> 05 ''"},
    {"hello, signature of boot missing", AL_E_LENGTH,
        "9a 00 01 'a' 00 " CERT " <16> <8> <0> 05 ''"},
    {"hello of nine fields", AL_E_COUNT, "99 00 01 'a' 00 " CERT " <16> <8> 05 ''"},
    {"hello, time over its cap", AL_E_RANGE,
        "9a 00 01 'a' 00 " CERT " <16> <8> <64> cf0001000000000000 ''"},
    {"hello, seen of 65 bytes", AL_E_LENGTH, "9a 00 01 'a' 00 " CERT " <16> <8> <64> 05 [65=61]"},

    {"interests, before of 16 bytes", AL_E_LENGTH, "96 01 <16> <32> 90 90 c3"},
    {"interests, after missing", AL_E_LENGTH, "96 01 <32> <0> 90 90 c3"},
    {"interests unsorted", AL_E_ORDER, "96 01 <0> <32> 92 <32=22> <32=11> 90 c3"},
    {"interests, one twice", AL_E_ORDER, "96 01 <0> <32> 90 92 <32=22> <32=22> c3"},
    {"interests, last is a number", AL_E_TYPE, "96 01 <0> <32> 90 90 01"},
    {"interests, one over the most", AL_E_COUNT, "96 01 <0> <32> dc1001 {4097:<32>} 90 c3"},

    {"own-heads, seq 0", AL_E_RANGE, "92 03 91 94 <32> <8> 00 <32>"},
    {"own-heads, a reference of three fields", AL_E_COUNT, "92 03 91 93 <32> <8> 01"},
    {"own-heads, one over the most", AL_E_COUNT, "92 03 dc0041 {65:@}"},

    {"reconcile, session over 32 bits", AL_E_RANGE, "95 04 cf0000000100000000 00 c2 90"},
    {"reconcile, mode 4", AL_E_RANGE, "95 04 02 00 c2 91 93 <0> 04 90"},
    {"reconcile, skip with a body", AL_E_COUNT, "95 04 02 00 c2 91 93 <0> 00 90"},
    {"reconcile, items without a body", AL_E_COUNT, "95 04 02 00 c2 91 92 <0> 02"},
    {"reconcile, bound of 73 bytes", AL_E_LENGTH, "95 04 02 00 c2 91 92 <73> 00"},
    {"reconcile, bounds unsorted", AL_E_ORDER, "95 04 02 00 c2 92 92 <2> 00 92 <1> 00"},
    {"reconcile, a range after the end", AL_E_ORDER, "95 04 02 00 c2 92 92 <0> 00 92 <1> 00"},
    {"reconcile, sum of 15 bytes", AL_E_LENGTH, "95 04 02 00 c2 91 93 <0> 01 92 <15> 05"},
    {"reconcile, item of four fields", AL_E_COUNT,
        "95 04 02 00 c2 91 93 <0> 02 91 94 <32> <32> <8> 01"},
    {"reconcile, item beyond a frozen log", AL_E_RANGE,
        "95 04 02 00 c2 91 93 <0> 03 91 95 <32> <32> <8> cf0001000000000000 <16>"},
    {"reconcile, one range over the most", AL_E_COUNT, "95 04 02 00 c2 dc0401 {1025:92 <1> 00}"},

    {"want across blocks", AL_E_BLOCK, "96 05 01 <32> <8> 40 41"},
    {"want, last before first", AL_E_RANGE, "96 05 01 <32> <8> 02 01"},
    {"want from 0", AL_E_RANGE, "96 05 01 <32> <8> 00 01"},
    {"want over the cap", AL_E_RANGE, "96 05 01 <32> <8> cf0000fffffffffffe cf0000ffffffffffff"},
    {"want with request 0", AL_E_RANGE, "96 05 00 <32> <8> 01 01"},
    {"want with a request over 32 bits", AL_E_RANGE, "96 05 cf0000000100000000 <32> <8> 01 01"},
    {"want, device of 31 bytes", AL_E_LENGTH, "96 05 01 <31> <8> 01 01"},
    {"want, device as text", AL_E_TYPE, "96 05 01 [32=61] <8> 01 01"},
    {"want, log of 7 bytes", AL_E_LENGTH, "96 05 01 <32> <7> 01 01"},

    {"segment of five fields", AL_E_COUNT, "93 06 01 95 <32> <8> 01 <32> 90"},
    {"segment that is a bin", AL_E_TYPE, "93 06 01 <32>"},
    {"payload of 0 bytes", AL_E_LENGTH, "96 07 01 <32> <8> 01 <0>"},
    {"payload over its cap", AL_E_LENGTH, "96 07 01 <32> <8> 01 <65537=00>"},
    {"done with status 4", AL_E_RANGE, "93 08 01 04"},
    {"want-payload unsorted", AL_E_ORDER, "95 09 01 <32> <8> 92 02 01"},
    {"want-payload, one twice", AL_E_ORDER, "95 09 01 <32> <8> 92 02 02"},
    {"want-payload of 0", AL_E_RANGE, "95 09 01 <32> <8> 91 00"},
    {"want-payload, one over the most", AL_E_COUNT, "95 09 01 <32> <8> dc0041 {65:01}"},
    {"heads, tag of 15 bytes", AL_E_LENGTH, "92 0a 91 94 <32> <8> 01 <15>"},
    {"heads, seq 0", AL_E_RANGE, "92 0a 91 94 <32> <8> 00 <16>"},
    {"heads, one over the most", AL_E_COUNT, "92 0a dc0201 {513:94 <32> <8> 01 <16>}"},
    {"link, eager is a number", AL_E_TYPE, "94 0b <32> <8> 01"},
    {"decline for reason 0", AL_E_RANGE, "96 0c <32> <32> <8> 00 05"},
    {"decline for reason 6", AL_E_RANGE, "96 0c <32> <32> <8> 06 05"},
    {"statements, body empty", AL_E_LENGTH, "94 0d 01 91 93 <0> <64> <64> c3"},
    {"statements, device signature of 32 bytes", AL_E_LENGTH, "94 0d 01 91 93 <9> <64> <32> c3"},
    {"want-statements unsorted", AL_E_ORDER, "93 0e 01 92 <32=22> <32=11>"},
    {"want-statements, one over the most", AL_E_COUNT, "93 0e 01 dc0101 {257:<32>}"},
    {"addresses, one over the most", AL_E_COUNT, "92 0f dc0041 {65:92 <9> <64>}"},
    {"addresses, a record of three fields", AL_E_COUNT, "92 0f 91 93 <9> <64> 00"},
    {"addresses, body over its cap", AL_E_LENGTH, "92 0f 91 92 <2049> <64>"},
    {"fork with one segment", AL_E_COUNT, "92 10 " SEGMENT},
    {"fetch of seq 0", AL_E_RANGE, "93 11 01 94 <32> <8> 00 <32>"},
    {"excerpt, a statement too many", AL_E_COUNT, "94 12 01 dc0101 {257:" CERT "} " SEGMENT},
    {"replies to three fields", AL_E_COUNT, "93 13 01 93 <32> <8> 01"},
    {"refs, one over the most", AL_E_COUNT, "93 14 01 dc0041 {65:@}"},
    {"piece-want, hash of 31 bytes", AL_E_LENGTH, "93 15 01 <31>"},
    {"piece-want with request 0", AL_E_RANGE, "93 15 00 <32>"},
    {"piece of 0 bytes", AL_E_LENGTH, "93 16 01 <0>"},
    {"piece over its size", AL_E_LENGTH, "93 16 01 <65553=00>"},
    {"clone, signature of 63 bytes", AL_E_LENGTH, "94 21 <8> <63> c3"},
    {"clone, boot of 9 bytes", AL_E_LENGTH, "94 21 <9> <64> c3"},
    {"clone, yield is a number", AL_E_TYPE, "94 21 <8> <64> 01"},
    {"clone without yield", AL_E_COUNT, "93 21 <8> <64>"},
};

static void add_type(json_t *list, uint64_t type)
{
    static uint8_t lists_space[64 * 1024];
    static uint8_t space[64 * 1024];
    struct al_message m;
    struct al_buf lists = al_buf_fixed(lists_space, sizeof(lists_space));
    if (!sample_message(&m, type, &lists))
        return;
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_message_encode(&b, &m);
    json_t *v = vec_add(list, al_message_name(m.type), 0, al_buf_slice(&b));
    vec_text(v, "type", al_slice_str(al_message_name(m.type)));
}

void make_message(json_t *list)
{
    static uint8_t space[AL_MESSAGE_MAX + 1];
    for (uint64_t type = 0; type < 64; type++)
        add_type(list, type);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        form_put(&b, table[i].form);
        json_t *v = vec_add(list, table[i].name, table[i].err, al_buf_slice(&b));
        struct al_message m;
        if (table[i].err == 0 && al_message_decode(&m, al_buf_slice(&b)) == 0)
            vec_text(v, "type", al_slice_str(al_message_name(m.type)));
    }
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    form_put(&b, "93 28 a5 6c61746572 81 a161 01");
    json_t *v = vec_add(list, "a type of a later version", 0, al_buf_slice(&b));
    vec_text(v, "type", al_slice_str("unknown"));
    vec_add(list, "over the size of a message", AL_E_MESSAGE_SIZE,
        al_slice_of(memset(space, 0, sizeof(space)), sizeof(space)));
}

void make_interests(json_t *list)
{
    for (size_t count = 0; count < 4; count++) {
        struct al_identity ids[4];
        struct al_hash out;
        for (size_t i = 0; i < count; i++)
            memset(ids[i].b, (int)(i * 16 + 1), sizeof(ids[i].b));
        al_interests_digest(&out, ids, count);
        json_t *v =
            vec_add(list, "ids one after the other", 0, al_slice_of(ids, count * sizeof(ids[0])));
        vec_hex(v, "out", out.b, 32);
    }
}

void make_boot(json_t *list)
{
    struct sample_person p = sample_person(3), other = sample_person(4);
    uint8_t boot[AL_BOOT_BYTES];
    struct al_sig sig;
    sample_bytes(boot, sizeof(boot), 7700);
    al_boot_sign(&sig, &p.device, p.device_secret, boot);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {
            "a boot", "another boot", "another device", "signature damaged"};
        struct al_device device = i == 2 ? other.device : p.device;
        uint8_t shown[AL_BOOT_BYTES];
        memcpy(shown, boot, sizeof(shown));
        shown[7] ^= i == 1;
        sig.b[40] ^= i == 3;
        json_t *v =
            vec_add(list, names[i], i == 0 ? 0 : AL_E_SIG, al_slice_of(sig.b, sizeof(sig.b)));
        vec_hex(v, "device", device.b, 32);
        vec_hex(v, "boot", shown, sizeof(shown));
    }
}
