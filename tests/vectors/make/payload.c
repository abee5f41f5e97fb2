/* Open payloads: each kind with all its fields, and each rule broken. */
#include "payload.h"

#include "form.h"
#include "sample_wire.h"
#include "vec.h"

#define OPEN(kind) "'a' 'network' 'k' '" kind "' 's' <16> "
#define CIRCLE(n, cid, boxes, parents)                                                             \
    "89 'a' 'network' 'k' 'circle' 'n' " n " 's' <16> 'cid' " cid                                  \
    " 'old' 90 'meta' <20> 'boxes' " boxes " 'parents' " parents

struct row {
    const char *name;
    int err;
    bool sealed;
    const char *form;
};

static const struct row table[] = {
    {"note for the web", 0, false, "84 'a' 'web' 'k' 'note' 's' <16> 'text' 'hi'"},
    {"note in a sealed payload", 0, true, "82 'k' 'note' 'text' 'hi'"},
    {"note with a key of a later version", 0, false,
        "85 " OPEN("note") "'zz' 93010203 'text' 'hi'"},
    {"note with the longest text", 0, false, "84 " OPEN("note") "'text' [32768=61]"},
    {"note with the longest tag", 0, false, "85 " OPEN("note") "'tags' 91 [64=61] 'text' 'hi'"},
    {"an unknown kind with known keys", 0, false, "85 " OPEN("dance") "'url' 05 'text' 'hi'"},
    {"thanks for a person", 0, false, "84 " OPEN("thanks") "'who' <32>"},
    {"circle of the first epoch", 0, false, CIRCLE("01", "<16>", "91 <96>", "90")},

    {"note with a file", 0, false,
        "85 " OPEN("note") "'text' 'hi' 'files' 91 95 01 '' 'a' <32> 91 <32>"},
    {"leaving a circle", 0, true, "82 'k' 'leave' 'cid' <16>"},

    {"not a map", AL_E_TYPE, false, "01"},
    {"cut short", AL_E_TRUNCATED, false, "84 " OPEN("note") "'text'"},
    {"keys unsorted", AL_E_KEY_ORDER, false, "84 'k' 'note' 'a' 'network' 's' <16> 'text' 'hi'"},
    {"over the size of a payload", AL_E_LENGTH, false, "<65536=00>"},
    {"without its kind", AL_E_MISSING, false, "83 'a' 'network' 's' <16> 'text' 'hi'"},
    {"without its audience", AL_E_MISSING, false, "83 'k' 'note' 's' <16> 'text' 'hi'"},
    {"without its salt", AL_E_MISSING, false, "83 'a' 'network' 'k' 'note' 'text' 'hi'"},
    {"salt of 15 bytes", AL_E_LENGTH, false, "84 'a' 'network' 'k' 'note' 's' <15> 'text' 'hi'"},
    {"open for me", AL_E_AUDIENCE, false, "84 'a' 'me' 'k' 'note' 's' <16> 'text' 'hi'"},
    {"open for a circle", AL_E_AUDIENCE, false, "84 'a' 'circle' 'k' 'note' 's' <16> 'text' 'hi'"},
    {"open for nobody known", AL_E_AUDIENCE, false, "84 'a' 'all' 'k' 'note' 's' <16> 'text' 'hi'"},
    {"audience in a sealed payload", AL_E_KIND, true, "83 'a' 'network' 'k' 'note' 'text' 'hi'"},
    {"salt in a sealed payload", AL_E_KIND, true, "83 'k' 'note' 's' <16> 'text' 'hi'"},
    {"kind is empty", AL_E_LENGTH, false, "84 'a' 'network' 'k' '' 's' <16> 'text' 'hi'"},
    {"kind of 33 bytes", AL_E_LENGTH, false, "84 'a' 'network' 'k' [33=61] 's' <16> 'text' 'hi'"},

    {"note without text", AL_E_MISSING, false, "83 " OPEN("note")},
    {"note with an empty text", AL_E_LENGTH, false, "84 " OPEN("note") "'text' ''"},
    {"note with a text over its cap", AL_E_LENGTH, false, "84 " OPEN("note") "'text' [32769=61]"},
    {"note with a bin as text", AL_E_TYPE, false, "84 " OPEN("note") "'text' <3>"},
    {"note with a url", AL_E_KIND, false, "85 " OPEN("note") "'url' 'x' 'text' 'hi'"},
    {"note with a time over its cap", AL_E_RANGE, false,
        "85 " OPEN("note") "'at' cf0001000000000000 'text' 'hi'"},
    {"tags unsorted", AL_E_ORDER, false, "85 " OPEN("note") "'tags' 92 'b' 'a' 'text' 'hi'"},
    {"one tag twice", AL_E_ORDER, false, "85 " OPEN("note") "'tags' 92 'a' 'a' 'text' 'hi'"},
    {"an empty tag", AL_E_LENGTH, false, "85 " OPEN("note") "'tags' 91 '' 'text' 'hi'"},
    {"a tag of 65 bytes", AL_E_LENGTH, false, "85 " OPEN("note") "'tags' 91 [65=61] 'text' 'hi'"},
    {"an empty list of tags", AL_E_COUNT, false, "85 " OPEN("note") "'tags' 90 'text' 'hi'"},
    {"17 tags", AL_E_COUNT, false, "85 " OPEN("note") "'tags' dc0011 {17:'a'} 'text' 'hi'"},
    {"source of 129 bytes", AL_E_LENGTH, false, "85 " OPEN("note") "'src' [129=61] 'text' 'hi'"},
    {"reply without a root", AL_E_MISSING, false, "85 " OPEN("reply") "'re' @ 'text' 'hi'"},
    {"reply without a parent", AL_E_MISSING, false, "85 " OPEN("reply") "'rt' @ 'text' 'hi'"},
    {"reply to three fields", AL_E_COUNT, false,
        "86 " OPEN("reply") "'re' 93 <32> <8> 01 'rt' @ 'text' 'hi'"},
    {"reply to seq 0", AL_E_RANGE, false,
        "86 " OPEN("reply") "'re' 94 <32> <8> 00 <32> 'rt' @ 'text' 'hi'"},
    {"answer without text", AL_E_MISSING, false, "85 " OPEN("answer") "'re' @ 'rt' @"},
    {"accept with tags", AL_E_KIND, false, "86 " OPEN("accept") "'re' @ 'rt' @ 'tags' 91 'a'"},
    {"thanks for nothing", AL_E_MISSING, false, "84 " OPEN("thanks") "'text' 'hi'"},
    {"thanks for a person of 31 bytes", AL_E_LENGTH, false, "84 " OPEN("thanks") "'who' <31>"},
    {"link without url", AL_E_MISSING, false, "84 " OPEN("link") "'text' 'hi'"},
    {"link of 2049 bytes", AL_E_LENGTH, false, "84 " OPEN("link") "'url' [2049=61]"},
    {"lesson from nothing", AL_E_COUNT, false, "85 " OPEN("lesson") "'from' 90 'text' 'hi'"},
    {"lesson from 65", AL_E_COUNT, false, "85 " OPEN("lesson") "'from' dc0041 {65:@} 'text' 'hi'"},
    {"goal in no known state", AL_E_KIND, false, "85 " OPEN("goal") "'text' 'hi' 'state' 'maybe'"},
    {"edit of nothing", AL_E_MISSING, false, "84 " OPEN("edit") "'text' 'hi'"},
    {"share of nothing", AL_E_MISSING, false, "84 " OPEN("share") "'text' 'hi'"},
    {"retract of nothing", AL_E_MISSING, false, "83 " OPEN("retract")},
    {"retract that is sealed", AL_E_AUDIENCE, true, "82 'k' 'retract' 'of' @"},
    {"profile without a name", AL_E_MISSING, false, "84 " OPEN("profile") "'about' 'x'"},
    {"profile with a name of 65 bytes", AL_E_LENGTH, false, "84 " OPEN("profile") "'name' [65=61]"},
    {"profile that is sealed", AL_E_AUDIENCE, true, "82 'k' 'profile' 'name' 'kai'"},
    {"follow of nobody", AL_E_MISSING, false, "83 " OPEN("follow")},
    {"state that is open", AL_E_AUDIENCE, false, "85 " OPEN("state") "'key' 'x' 'val' c3"},
    {"state without a value", AL_E_MISSING, true, "82 'k' 'state' 'key' 'x'"},
    {"circle for the web", AL_E_AUDIENCE, false,
        "89 'a' 'web' 'k' 'circle' 'n' 01 's' <16> 'cid' <16> 'old' 90 'meta' <20> 'boxes' "
        "91 <96> 'parents' 90"},
    {"circle of epoch 0", AL_E_RANGE, false, CIRCLE("00", "<16>", "91 <96>", "90")},
    {"circle with an id of 15 bytes", AL_E_LENGTH, false, CIRCLE("01", "<15>", "91 <96>", "90")},
    {"circle with a box of 95 bytes", AL_E_LENGTH, false, CIRCLE("01", "<16>", "91 <95>", "90")},
    {"circle without boxes", AL_E_COUNT, false, CIRCLE("01", "<16>", "90", "90")},
    {"circle with a box too many", AL_E_COUNT, false,
        CIRCLE("01", "<16>", "dc0099 {153:<96>}", "90")},
    {"circle with five parents", AL_E_COUNT, false, CIRCLE("02", "<16>", "91 <96>", "95 {5:@}")},
};

static uint8_t space[AL_PAYLOAD_MAX + 1024];

static void add(json_t *list, const char *name, int err, bool sealed, struct al_slice bytes)
{
    json_t *v = vec_add(list, name, err, bytes);
    json_object_set_new(v, "sealed", json_boolean(sealed));
    struct al_payload p;
    if (err != 0 || al_payload_open(&p, bytes, sealed) != 0)
        return;
    vec_text(v, "kind", p.kind_name);
    vec_text(v, "known", al_slice_str(al_kind_name(p.kind)));
    vec_text(v, "audience", al_slice_str(sealed ? "sealed" : al_audience_name(p.audience)));
}

void make_payload(json_t *list)
{
    for (enum al_kind kind = AL_KIND_PROFILE; kind < AL_KIND_COUNT; kind++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            struct al_buf b = al_buf_fixed(space, sizeof(space));
            if (sample_payload(&b, kind, sealed == 1))
                add(list, "all fields of a kind", 0, sealed == 1, al_buf_slice(&b));
        }
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        form_put(&b, table[i].form);
        add(list, table[i].name, table[i].err, table[i].sealed, al_buf_slice(&b));
    }
}
