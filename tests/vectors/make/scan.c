/* Canonical MessagePack: each form at its edges, and each rule broken once. */
#include "err.h"
#include "limit.h"
#include "vec.h"

static const struct {
    const char *name;
    int err;
    const char *hex;
} table[] = {
    {"uint 0", 0, "00"},
    {"uint 127", 0, "7f"},
    {"uint 128", 0, "cc80"},
    {"uint 255", 0, "ccff"},
    {"uint 256", 0, "cd0100"},
    {"uint 65535", 0, "cdffff"},
    {"uint 65536", 0, "ce00010000"},
    {"uint 2^32-1", 0, "ceffffffff"},
    {"uint 2^32", 0, "cf0000000100000000"},
    {"uint 2^64-1", 0, "cfffffffffffffffff"},
    {"int -1", 0, "ff"},
    {"int -32", 0, "e0"},
    {"int -33", 0, "d0df"},
    {"int -128", 0, "d080"},
    {"int -129", 0, "d1ff7f"},
    {"int -32768", 0, "d18000"},
    {"int -32769", 0, "d2ffff7fff"},
    {"int -2^31", 0, "d280000000"},
    {"int -2^31-1", 0, "d3ffffffff7fffffff"},
    {"int -2^63", 0, "d38000000000000000"},
    {"true", 0, "c3"},
    {"false", 0, "c2"},
    {"bin empty", 0, "c400"},
    {"bin of 3", 0, "c403 010203"},
    {"str empty", 0, "a0"},
    {"str ascii", 0, "a3 616263"},
    {"str of two, three and four bytes a letter", 0, "a9 c3bc e282ac f09f8c8d"},
    {"str with the largest code point", 0, "a4 f48fbfbf"},
    {"str with a zero byte", 0, "a1 00"},
    {"array empty", 0, "90"},
    {"array of mixed types", 0, "95 01 a161 c40161 c3 80"},
    {"map sorted", 0, "82 a161 01 a162 02"},
    {"map: shorter keys first", 0, "82 a17a 01 a26161 02"},
    {"depth 8", 0, "9191919191919100"},
    {"depth 8, an empty array inside", 0, "9191919191919190"},

    {"nothing", AL_E_TRUNCATED, ""},
    {"uint cut", AL_E_TRUNCATED, "cd01"},
    {"str cut", AL_E_TRUNCATED, "a3 6162"},
    {"bin cut", AL_E_TRUNCATED, "c403 0102"},
    {"bin length cut", AL_E_TRUNCATED, "c501"},
    {"array cut", AL_E_TRUNCATED, "92 01"},
    {"array longer than the bytes left", AL_E_TRUNCATED, "dcfffe 00"},
    {"map without its last value", AL_E_TRUNCATED, "82 a161 01 a162"},
    {"a second value", AL_E_TRAILING, "01 02"},
    {"a byte after an array", AL_E_TRAILING, "91 01 00"},

    {"uint 127 in 8 bits", AL_E_LONG_FORM, "cc7f"},
    {"uint 255 in 16 bits", AL_E_LONG_FORM, "cd00ff"},
    {"uint 65535 in 32 bits", AL_E_LONG_FORM, "ce0000ffff"},
    {"uint 2^32-1 in 64 bits", AL_E_LONG_FORM, "cf00000000ffffffff"},
    {"uint 1 as int 8", AL_E_LONG_FORM, "d001"},
    {"uint 128 as int 16", AL_E_LONG_FORM, "d10080"},
    {"uint 2^31 as int 64", AL_E_LONG_FORM, "d30000000080000000"},
    {"int -32 in 8 bits", AL_E_LONG_FORM, "d0e0"},
    {"int -128 in 16 bits", AL_E_LONG_FORM, "d1ff80"},
    {"int -32768 in 32 bits", AL_E_LONG_FORM, "d2ffff8000"},
    {"int -2^31 in 64 bits", AL_E_LONG_FORM, "d3ffffffff80000000"},
    {"str of 3 with an 8-bit length", AL_E_LONG_FORM, "d903 616263"},
    {"str of 3 with a 16-bit length", AL_E_LONG_FORM, "da0003 616263"},
    {"str of 3 with a 32-bit length", AL_E_LONG_FORM, "db00000003 616263"},
    {"bin of 1 with a 16-bit length", AL_E_LONG_FORM, "c50001 61"},
    {"bin of 1 with a 32-bit length", AL_E_LONG_FORM, "c600000001 61"},
    {"array of 1 with a 16-bit count", AL_E_LONG_FORM, "dc0001 00"},
    {"array of 1 with a 32-bit count", AL_E_LONG_FORM, "dd00000001 00"},
    {"map of 1 with a 16-bit count", AL_E_LONG_FORM, "de0001 a161 00"},
    {"map of 1 with a 32-bit count", AL_E_LONG_FORM, "df00000001 a161 00"},

    {"nil", AL_E_TYPE, "c0"},
    {"the unused tag", AL_E_TYPE, "c1"},
    {"float 32", AL_E_TYPE, "ca00000000"},
    {"float 64", AL_E_TYPE, "cb0000000000000000"},
    {"ext 8", AL_E_TYPE, "c70101 00"},
    {"ext 16", AL_E_TYPE, "c8010001 00"},
    {"ext 32", AL_E_TYPE, "c90001000001 00"},
    {"fixext 1", AL_E_TYPE, "d401 00"},
    {"fixext 16", AL_E_TYPE, "d801 00000000000000000000000000000000"},
    {"nil inside an array", AL_E_TYPE, "91c0"},

    {"utf8: a byte that begins nothing", AL_E_UTF8, "a1 ff"},
    {"utf8: a lone continuation byte", AL_E_UTF8, "a1 80"},
    {"utf8: cut inside a letter", AL_E_UTF8, "a2 e282"},
    {"utf8: overlong slash in two bytes", AL_E_UTF8, "a2 c0af"},
    {"utf8: overlong in three bytes", AL_E_UTF8, "a3 e09fbf"},
    {"utf8: overlong in four bytes", AL_E_UTF8, "a4 f08fbfbf"},
    {"utf8: a surrogate", AL_E_UTF8, "a3 eda080"},
    {"utf8: beyond U+10FFFF", AL_E_UTF8, "a4 f4908080"},
    {"utf8: broken in a key", AL_E_UTF8, "81 a1ff 00"},

    {"map unsorted", AL_E_KEY_ORDER, "82 a162 01 a161 02"},
    {"map: longer key first", AL_E_KEY_ORDER, "82 a26161 01 a17a 02"},
    {"map with one key twice", AL_E_KEY_ORDER, "82 a161 01 a161 02"},
    {"map with a uint key", AL_E_KEY_TYPE, "81 01 01"},
    {"map with a bin key", AL_E_KEY_TYPE, "81 c40161 01"},
    {"map with a map as key", AL_E_KEY_TYPE, "81 80 01"},
    {"depth 9", AL_E_DEPTH, "919191919191919100"},
    {"depth 9, an empty map inside", AL_E_DEPTH, "919191919191919180"},
    {"depth 9 through maps", AL_E_DEPTH, "81a16181a16181a16181a16181a16181a16181a16181a16100"},
    {"array of 2^32-1", AL_E_ELEMENTS, "ddffffffff 00"},
    {"map of 2^31", AL_E_ELEMENTS, "df80000000 a161 00"},
};

/* An array of |n| zeros, or a text or bin of |n| bytes: head and then the same byte. */
static void add_long(
    json_t *list, const char *name, int err, const char *head, uint8_t byte, size_t n)
{
    static uint8_t bytes[70000];
    size_t at = vec_unhex(bytes, 8, head).n;
    memset(bytes + at, byte, n);
    vec_add(list, name, err, al_slice_of(bytes, at + n));
}

void make_scan(json_t *list)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint8_t bytes[64];
        vec_add(list, table[i].name, table[i].err, vec_unhex(bytes, sizeof(bytes), table[i].hex));
    }
    add_long(list, "str of 31", 0, "bf", 'a', 31);
    add_long(list, "str of 32", 0, "d920", 'a', 32);
    add_long(list, "str of 256", 0, "da0100", 'a', 256);
    add_long(list, "str of 31 with an 8-bit length", AL_E_LONG_FORM, "d91f", 'a', 31);
    add_long(list, "str of 255 with a 16-bit length", AL_E_LONG_FORM, "da00ff", 'a', 255);
    add_long(list, "bin of 255", 0, "c4ff", 0, 255);
    add_long(list, "bin of 256", 0, "c50100", 0, 256);
    add_long(list, "bin of 65536", 0, "c600010000", 0, 65536);
    add_long(list, "bin of 255 with a 16-bit length", AL_E_LONG_FORM, "c500ff", 0, 255);
    add_long(list, "bin of 65535 with a 32-bit length", AL_E_LONG_FORM, "c60000ffff", 0, 65535);
    add_long(list, "array of 15", 0, "9f", 0, 15);
    add_long(list, "array of 16", 0, "dc0010", 0, 16);
    add_long(list, "array of 15 with a 16-bit count", AL_E_LONG_FORM, "dc000f", 0, 15);
    add_long(list, "65536 elements in all", 0, "dcffff", 0, 65535);
    add_long(list, "65537 elements in all", AL_E_ELEMENTS, "92 00 dcffff", 0, 65535);
    static_assert(AL_MSG_ELEMENTS_MAX == 65536, "the two vectors above stand at the limit");
}
