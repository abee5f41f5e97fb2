/* Circles: their entries, boxes, and what stands under an epoch's key. */
#include "circle.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#include "form.h"
#include "sample.h"
#include "sample_wire.h"
#include "vec.h"

static uint8_t space[AL_PAYLOAD_MAX];

struct row {
    const char *name;
    int err;
    const char *form;
};

#define ENTRY(n, cid, old, meta, boxes, parents)                                                   \
    "89 'a' 'network' 'k' 'circle' 'n' " n " 's' <16> 'cid' " cid " 'old' " old " 'meta' " meta    \
    " 'boxes' " boxes " 'parents' " parents

static const struct row entries[] = {
    {"the first epoch", 0, ENTRY("01", "<16>", "90", "<20>", "94 {4:<96>}", "90")},
    {"two epochs joined", 0, ENTRY("09", "<16>", "91 <20>", "<20>", "94 {4:<96>}", "92 @ @")},
    {"the most of all lists", 0,
        ENTRY("09", "<16>", "dc0040 {64:<20>}", "<20>", "dc0098 {152:<96>}", "94 {4:@}")},
    {"with a key of a later version", 0,
        "8a 'a' 'network' 'k' 'circle' 'n' 01 's' <16> 'cid' <16> 'old' 90 'meta' <20>"
        "'boxes' 91 <96> 'later' c3 'parents' 90"},
    {"the first epoch with a parent", AL_E_RANGE,
        ENTRY("01", "<16>", "90", "<20>", "94 {4:<96>}", "91 @")},
    {"a later epoch without parents", AL_E_RANGE,
        ENTRY("02", "<16>", "90", "<20>", "94 {4:<96>}", "90")},
    {"epoch 0", AL_E_RANGE, ENTRY("00", "<16>", "90", "<20>", "94 {4:<96>}", "90")},
    {"five parents", AL_E_COUNT, ENTRY("09", "<16>", "90", "<20>", "94 {4:<96>}", "95 {5:@}")},
    {"153 boxes", AL_E_COUNT, ENTRY("01", "<16>", "90", "<20>", "dc0099 {153:<96>}", "90")},
    {"no box", AL_E_COUNT, ENTRY("01", "<16>", "90", "<20>", "90", "90")},
    {"65 old keys", AL_E_COUNT,
        ENTRY("01", "<16>", "dc0041 {65:<20>}", "<20>", "94 {4:<96>}", "90")},
    {"a box of 95 bytes", AL_E_LENGTH, ENTRY("01", "<16>", "90", "<20>", "91 <95>", "90")},
    {"an old key of 0 bytes", AL_E_LENGTH,
        ENTRY("01", "<16>", "91 <0>", "<20>", "94 {4:<96>}", "90")},
    {"meta of 0 bytes", AL_E_LENGTH, ENTRY("01", "<16>", "90", "<0>", "94 {4:<96>}", "90")},
    {"cid of 17 bytes", AL_E_LENGTH, ENTRY("01", "<17>", "90", "<20>", "94 {4:<96>}", "90")},
    {"without meta", AL_E_MISSING,
        "88 'a' 'network' 'k' 'circle' 'n' 01 's' <16> 'cid' <16> 'old' 90 'boxes' 91 <96>"
        "'parents' 90"},
    {"for the web", AL_E_AUDIENCE,
        "89 'a' 'web' 'k' 'circle' 'n' 01 's' <16> 'cid' <16> 'old' 90 'meta' <20>"
        "'boxes' 91 <96> 'parents' 90"},
    {"with a text", AL_E_KIND,
        "8a 'a' 'network' 'k' 'circle' 'n' 01 's' <16> 'cid' <16> 'old' 90 'meta' <20> 'text' 'hi'"
        "'boxes' 91 <96> 'parents' 90"},
    {"a note", AL_E_KIND, "84 'a' 'network' 'k' 'note' 's' <16> 'text' 'hi'"},
};

void make_circle(json_t *list)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        form_put(&b, entries[i].form);
        json_t *v = vec_add(list, entries[i].name, entries[i].err, al_buf_slice(&b));
        struct al_payload p;
        struct al_circle_entry c;
        if (entries[i].err != 0 || al_payload_open(&p, al_buf_slice(&b), false) != 0 ||
            al_circle_open(&c, &p) != 0)
            continue;
        vec_hex(v, "cid", c.cid.b, sizeof(c.cid.b));
        vec_uint(v, "n", c.n);
        vec_uint(v, "parents", c.parent_count);
        vec_uint(v, "boxes", c.box_count);
        vec_uint(v, "old", c.old_count);
    }
}

/* --- boxes ----------------------------------------------------------------------------------- */

struct boxing {
    uint8_t key[AL_EPOCH_KEY_BYTES];
    struct al_identity owner;
    struct al_circle_id cid;
    uint64_t n;
    uint8_t read_sk[32];
    uint8_t ephemeral[32];
};

static struct boxing sample_boxing(uint64_t seed)
{
    struct boxing x = {.owner = sample_person(seed).identity, .n = 1 + seed * 70000};
    sample_bytes(x.key, sizeof(x.key), seed + 7000);
    sample_bytes(x.cid.b, sizeof(x.cid.b), seed + 7100);
    sample_bytes(x.read_sk, sizeof(x.read_sk), seed + 7200);
    sample_bytes(x.ephemeral, sizeof(x.ephemeral), seed + 7300);
    return x;
}

static void add_box(json_t *list, const char *name, int err, const struct boxing *x,
    const uint8_t box[AL_CIRCLE_BOX_BYTES])
{
    json_t *v = vec_add(list, name, err, al_slice_of(box, AL_CIRCLE_BOX_BYTES));
    vec_hex(v, "owner", x->owner.b, 32);
    vec_hex(v, "cid", x->cid.b, sizeof(x->cid.b));
    vec_uint(v, "n", x->n);
    vec_hex(v, "read_sk", x->read_sk, 32);
    if (err == 0) {
        vec_hex(v, "key", x->key, sizeof(x->key));
        vec_hex(v, "ephemeral", x->ephemeral, 32);
    }
}

void make_box(json_t *list)
{
    uint8_t box[AL_CIRCLE_BOX_BYTES], read_pk[32];
    for (uint64_t i = 0; i < 3; i++) {
        struct boxing x = sample_boxing(i);
        (void)crypto_scalarmult_base(read_pk, x.read_sk);
        int err = al_circle_box_seal(box, x.key, &x.owner, &x.cid, x.n, read_pk, x.ephemeral);
        assert(err == 0);
        add_box(list, "a box", 0, &x, box);
    }
    struct boxing good = sample_boxing(2), x = good;
    x.owner.b[0] ^= 1;
    add_box(list, "of another owner", AL_E_SEALED, &x, box);
    x = good;
    x.cid.b[15] ^= 1;
    add_box(list, "of another circle", AL_E_SEALED, &x, box);
    x = good;
    x.n++;
    add_box(list, "of another epoch", AL_E_SEALED, &x, box);
    x = good;
    x.read_sk[8] ^= 1;
    add_box(list, "for another reader", AL_E_SEALED, &x, box);
    box[95] ^= 1;
    add_box(list, "damaged", AL_E_SEALED, &good, box);
    box[95] ^= 1;
    box[31] ^= 0x80;
    add_box(list, "the ignored bit of its ephemeral key flipped", AL_E_SEALED, &good, box);
    al_circle_box_fake(box, good.ephemeral);
    add_box(list, "for nobody", AL_E_SEALED, &good, box);
}

/* --- meta, old -------------------------------------------------------------------------------- */

#define META(name, members) "82 'name' " name " 'members' " members
#define IN(byte) "94 <32=" byte "> c3 01 01"
#define OUT(byte) "94 <32=" byte "> c2 05 00"

static const struct row metas[] = {
    {"the owner alone", 0, META("'lunch'", "91 " IN("11"))},
    {"one who left and one who is in", 0, META("'lunch'", "92 " OUT("11") " " IN("22"))},
    {"nobody", 0, META("'x'", "90")},
    {"the greatest numbers", 0, META("[64=61]", "91 94 <32> c3 cfffffffffffffffff 40")},
    {"with a key of a later version", 0, "83 'name' 'x' 'later' c3 'members' 90"},
    {"150 in", 0, "82 'name' 'x' 'members' #150"},
    {"151 in", AL_E_COUNT, "82 'name' 'x' 'members' #151"},
    {"members unsorted", AL_E_ORDER, META("'x'", "92 " IN("22") " " IN("11"))},
    {"a member twice", AL_E_ORDER, META("'x'", "92 " IN("11") " " OUT("11"))},
    {"in without a generation", AL_E_RANGE, META("'x'", "91 94 <32> c3 01 00")},
    {"out with a generation", AL_E_RANGE, META("'x'", "91 94 <32> c2 01 01")},
    {"generation 65", AL_E_RANGE, META("'x'", "91 94 <32> c3 01 41")},
    {"changed in epoch 0", AL_E_RANGE, META("'x'", "91 94 <32> c3 00 01")},
    {"a member of three fields", AL_E_COUNT, META("'x'", "91 93 <32> c3 01")},
    {"an identity of 31 bytes", AL_E_LENGTH, META("'x'", "91 94 <31> c3 01 01")},
    {"in is a number", AL_E_TYPE, META("'x'", "91 94 <32> 01 01 01")},
    {"513 members", AL_E_COUNT, META("'x'", "dc0201 {513:" OUT("11") "}")},
    {"an empty name", AL_E_LENGTH, META("''", "90")},
    {"a name of 65 bytes", AL_E_LENGTH, META("[65=61]", "90")},
    {"name is a bin", AL_E_TYPE, META("<3>", "90")},
    {"without a name", AL_E_MISSING, "81 'members' 90"},
    {"without members", AL_E_MISSING, "81 'name' 'x'"},
    {"keys unsorted", AL_E_KEY_ORDER, "82 'members' 90 'name' 'x'"},
    {"an array", AL_E_TYPE, "92 'x' 90"},
    {"a byte too many", AL_E_TRAILING, META("'x'", "90") " 00"},
};

/* Many members ascend, which the form can't say: "#n" at its end is an array of n who are in. */
static void put_meta(struct al_buf *b, const char *form)
{
    static struct al_member members[AL_CIRCLE_LIST_MAX];
    const char *count = strchr(form, '#');
    if (count == NULL) {
        form_put(b, form);
        return;
    }
    struct al_circle_meta meta = {.name = al_slice_str("x"), .members = members};
    for (const char *p = count + 1; *p != '\0'; p++)
        meta.count = meta.count * 10 + (uint32_t)(*p - '0');
    for (uint32_t i = 0; i < meta.count; i++) {
        members[i] = (struct al_member){.in = true, .changed = i + 1, .generation = 1 + i % 64};
        members[i].identity.b[0] = (uint8_t)i;
    }
    al_circle_meta_encode(b, &meta);
}

void make_meta(json_t *list)
{
    static struct al_member members[AL_CIRCLE_LIST_MAX];
    for (size_t i = 0; i < sizeof(metas) / sizeof(metas[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        put_meta(&b, metas[i].form);
        json_t *v = vec_add(list, metas[i].name, metas[i].err, al_buf_slice(&b));
        struct al_circle_meta meta;
        if (al_circle_meta_open(&meta, members, al_buf_slice(&b)) != 0)
            continue;
        vec_text(v, "circle", meta.name);
        json_t *array = json_array();
        for (uint32_t at = 0; at < meta.count; at++) {
            const struct al_member *m = &members[at];
            char hex[65];
            sodium_bin2hex(hex, sizeof(hex), m->identity.b, 32);
            char changed[24]; /* as numbers of JSON, these may be too large */
            (void)snprintf(changed, sizeof(changed), "%llu", (unsigned long long)m->changed);
            json_array_append_new(
                array, json_pack("[s,b,s,i]", hex, m->in, changed, (int)m->generation));
        }
        json_object_set_new(v, "members", array);
    }
}

static const struct row olds[] = {
    {"a key", 0, "82 'key' <32=07> 'epoch' @"},
    {"with a key of a later version", 0, "83 'key' <32=07> 'epoch' @ 'later' 01"},
    {"a key of 31 bytes", AL_E_LENGTH, "82 'key' <31> 'epoch' @"},
    {"a reference of three fields", AL_E_COUNT, "82 'key' <32> 'epoch' 93 <32> <8> 01"},
    {"epoch of seq 0", AL_E_RANGE, "82 'key' <32> 'epoch' 94 <32> <8> 00 <32>"},
    {"without an epoch", AL_E_MISSING, "81 'key' <32>"},
    {"without a key", AL_E_MISSING, "81 'epoch' @"},
    {"keys unsorted", AL_E_KEY_ORDER, "82 'epoch' @ 'key' <32>"},
    {"an array", AL_E_TYPE, "92 <32> @"},
};

void make_old(json_t *list)
{
    for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        uint8_t key[AL_EPOCH_KEY_BYTES];
        struct al_ref epoch;
        form_put(&b, olds[i].form);
        json_t *v = vec_add(list, olds[i].name, olds[i].err, al_buf_slice(&b));
        if (al_circle_old_open(key, &epoch, al_buf_slice(&b)) != 0)
            continue;
        vec_hex(v, "key", key, sizeof(key));
        vec_hex(v, "id", epoch.id.b, 32);
        vec_uint(v, "seq", epoch.seq);
    }
}
