/* Attachments and the sealed pieces of files. */
#include "attachment.h"

#include "form.h"
#include "sample.h"
#include "vec.h"

#define FILE(size, mime, name, key, hashes) "91 95 " size " " mime " " name " " key " " hashes

static const struct {
    const char *name;
    int err;
    const char *form;
} table[] = {
    {"the least", 0, FILE("01", "''", "'a'", "<32>", "91 <32>")},
    {"a piece and a byte", 0,
        FILE("ce00010001", "'image/png'", "'board.png'", "<32>", "92 {2:<32>}")},
    {"the largest", 0, FILE("ce02000000", "[64=61]", "[128=61]", "<32>", "dc0200 {512:<32>}")},
    {"eight", 0, "98 {8:95 01 '' 'a' <32> 91 <32>}"},
    {"a name of dots", 0, FILE("01", "''", "'...'", "<32>", "91 <32>")},
    {"nine", AL_E_COUNT, "99 {9:95 01 '' 'a' <32> 91 <32>}"},
    {"none", AL_E_COUNT, "90"},
    {"of four fields", AL_E_COUNT, "91 94 01 '' 'a' <32>"},
    {"of no bytes", AL_E_RANGE, FILE("00", "''", "'a'", "<32>", "91 <32>")},
    {"over the largest", AL_E_RANGE, FILE("ce02000001", "''", "'a'", "<32>", "dc0200 {512:<32>}")},
    {"513 hashes", AL_E_COUNT, FILE("ce02000000", "''", "'a'", "<32>", "dc0201 {513:<32>}")},
    {"a hash too few", AL_E_COUNT, FILE("ce00010001", "''", "'a'", "<32>", "91 <32>")},
    {"a hash too many", AL_E_COUNT, FILE("ce00010000", "''", "'a'", "<32>", "92 {2:<32>}")},
    {"no hash", AL_E_COUNT, FILE("01", "''", "'a'", "<32>", "90")},
    {"a hash of 31 bytes", AL_E_LENGTH, FILE("01", "''", "'a'", "<32>", "91 <31>")},
    {"without a key", AL_E_LENGTH, FILE("01", "''", "'a'", "<0>", "91 <32>")},
    {"mime of 65 bytes", AL_E_LENGTH, FILE("01", "[65=61]", "'a'", "<32>", "91 <32>")},
    {"an empty name", AL_E_LENGTH, FILE("01", "''", "''", "<32>", "91 <32>")},
    {"a name of 129 bytes", AL_E_LENGTH, FILE("01", "''", "[129=61]", "<32>", "91 <32>")},
    {"a name with a slash", AL_E_RANGE, FILE("01", "''", "'a/b'", "<32>", "91 <32>")},
    {"the name of this folder", AL_E_RANGE, FILE("01", "''", "'.'", "<32>", "91 <32>")},
    {"the name of the folder above", AL_E_RANGE, FILE("01", "''", "'..'", "<32>", "91 <32>")},
    {"a name with an escape", AL_E_RANGE, FILE("01", "''", "a2 1b61", "<32>", "91 <32>")},
    {"a name with a zero", AL_E_RANGE, FILE("01", "''", "a2 6100", "<32>", "91 <32>")},
    {"a name with U+009B", AL_E_RANGE, FILE("01", "''", "a2 c29b", "<32>", "91 <32>")},
    {"a name that is a bin", AL_E_TYPE, FILE("01", "''", "<3>", "<32>", "91 <32>")},
    {"a name that is not UTF-8", AL_E_UTF8, FILE("01", "''", "a1 ff", "<32>", "91 <32>")},
    {"a byte too many", AL_E_TRAILING, FILE("01", "''", "'a'", "<32>", "91 <32>") " 00"},
};

void make_attachment(json_t *list)
{
    static uint8_t space[32768];
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        form_put(&b, table[i].form);
        json_t *v = vec_add(list, table[i].name, table[i].err, al_buf_slice(&b));
        struct al_attachment a;
        if (table[i].err != 0 || al_attachment_get(&a, al_buf_slice(&b), 0) != 0)
            continue;
        vec_uint(v, "count", al_attachment_count(al_buf_slice(&b)));
        vec_uint(v, "size", a.size);
        vec_text(v, "mime", a.mime);
        vec_text(v, "file", a.name);
        vec_hex(v, "key", a.key, sizeof(a.key));
        vec_uint(v, "pieces", a.pieces);
    }
}

static json_t *add_piece(json_t *list, const char *name, int err, const uint8_t key[32],
    uint32_t index, struct al_slice sealed)
{
    json_t *v = vec_add(list, name, err, sealed);
    vec_hex(v, "key", key, 32);
    vec_uint(v, "index", index);
    return v;
}

void make_piece(json_t *list)
{
    static const struct {
        size_t n;
        uint32_t index;
    } cases[] = {{1, 0}, {40, 1}, {300, 511}};
    uint8_t key[32], clear[512], sealed[512 + 16];
    struct al_hash hash;
    sample_bytes(key, sizeof(key), 7500);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sample_bytes(clear, cases[i].n, 7600 + i);
        al_piece_seal(sealed, &hash, key, cases[i].index, al_slice_of(clear, cases[i].n));
        json_t *v = add_piece(
            list, "a piece", 0, key, cases[i].index, al_slice_of(sealed, cases[i].n + 16));
        vec_hex(v, "clear", clear, cases[i].n);
        vec_hex(v, "hash", hash.b, 32);
    }
    struct al_slice bytes = al_slice_of(sealed, 300 + 16);
    add_piece(list, "in another place", AL_E_SEALED, key, 510, bytes);
    key[31] ^= 1;
    add_piece(list, "under another key", AL_E_SEALED, key, 511, bytes);
    key[31] ^= 1;
    add_piece(list, "cut short", AL_E_SEALED, key, 511, al_slice_of(sealed, 300));
    add_piece(list, "shorter than its tag", AL_E_SEALED, key, 511, al_slice_of(sealed, 15));
    sealed[0] ^= 1;
    add_piece(list, "damaged", AL_E_SEALED, key, 511, bytes);
}
