#include "id.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Five bits of |b| starting at bit |at|, with zeros beyond the end. */
static unsigned bits5(const uint8_t b[32], size_t at)
{
    size_t byte = at / 8;
    unsigned two = (unsigned)b[byte] << 8;
    if (byte + 1 < 32)
        two |= b[byte + 1];
    return two >> (11 - at % 8) & 31;
}

void al_id_text_prefix(char *out, const uint8_t b[32], size_t chars)
{
    if (chars > AL_ID_CHARS)
        chars = AL_ID_CHARS;
    for (size_t i = 0; i < chars; i++)
        out[i] = alphabet[bits5(b, i * 5)];
    out[chars] = '\0';
}

void al_id_text(char out[AL_ID_TEXT], const uint8_t b[32])
{
    al_id_text_prefix(out, b, AL_ID_CHARS);
}

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        c = (uint8_t)(c - 'A' + 'a');
    if (c == 'o')
        return 0;
    if (c == 'i' || c == 'l')
        return 1;
    for (int v = 0; v < 32; v++) {
        if ((uint8_t)alphabet[v] == c)
            return v;
    }
    return -1;
}

int al_id_parse(struct al_id_prefix *ret, struct al_slice text)
{
    if (text.n == 0 || text.n > AL_ID_CHARS)
        return AL_E_TEXT_FORM;
    struct al_id_prefix prefix = {.bits = 0};
    for (size_t i = 0; i < text.n; i++) {
        int v = value_of(text.p[i]);
        if (v < 0)
            return AL_E_TEXT_FORM;
        for (size_t k = 0; k < 5; k++) {
            size_t at = i * 5 + k;
            bool one = (v >> (4 - k) & 1) != 0;
            if (at >= 256 && one)
                return AL_E_TEXT_FORM;
            if (one)
                prefix.b[at / 8] |= (uint8_t)(0x80 >> at % 8);
        }
    }
    prefix.bits = text.n == AL_ID_CHARS ? 256 : (unsigned)text.n * 5;
    *ret = prefix;
    return 0;
}

int al_id_parse_full(uint8_t ret[32], struct al_slice text)
{
    struct al_id_prefix prefix;
    if (text.n != AL_ID_CHARS)
        return AL_E_TEXT_FORM;
    int err = al_id_parse(&prefix, text);
    if (err == 0)
        memcpy(ret, prefix.b, 32);
    return err;
}

bool al_id_has_prefix(const uint8_t b[32], const struct al_id_prefix *prefix)
{
    size_t bytes = prefix->bits / 8;
    if (memcmp(b, prefix->b, bytes) != 0)
        return false;
    unsigned rest = prefix->bits % 8;
    return rest == 0 || (b[bytes] >> (8 - rest)) == (prefix->b[bytes] >> (8 - rest));
}

size_t al_id_common(const uint8_t a[32], const uint8_t b[32])
{
    size_t i = 0;
    while (i < AL_ID_CHARS && bits5(a, i * 5) == bits5(b, i * 5))
        i++;
    return i;
}
