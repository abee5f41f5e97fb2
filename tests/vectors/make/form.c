#include "form.h"

#include <assert.h>
#include <stdlib.h>

#include "vec.h"
#include "write.h"

#define REF "94 <32> <8> 01 <32>"

/* A bin or str of |n| bytes, head included. */
static void put_filled(struct al_buf *b, bool is_bin, size_t n, uint8_t byte)
{
    uint8_t *p = malloc(n + 1);
    assert(p != NULL);
    memset(p, byte, n);
    if (is_bin)
        al_write_bin(b, p, n);
    else
        al_write_str(b, al_slice_of(p, n));
    free(p);
}

static const char *put_bytes(struct al_buf *b, const char *at)
{
    char *end;
    bool is_bin = *at == '<';
    size_t n = strtoul(at + 1, &end, 10);
    unsigned long byte = *end == '=' ? strtoul(end + 1, &end, 16) : 0x11;
    assert(*end == (is_bin ? '>' : ']'));
    put_filled(b, is_bin, n, (uint8_t)byte);
    return end + 1;
}

static const char *put_text(struct al_buf *b, const char *at)
{
    const char *end = strchr(at + 1, '\'');
    assert(end != NULL);
    al_write_str(b, al_slice_of(at + 1, (size_t)(end - at) - 1));
    return end + 1;
}

static const char *put_repeated(struct al_buf *b, const char *at)
{
    char what[256];
    char *colon;
    unsigned long times = strtoul(at + 1, &colon, 10);
    const char *end = strchr(colon, '}');
    assert(*colon == ':' && end != NULL && (size_t)(end - colon) <= sizeof(what));
    memcpy(what, colon + 1, (size_t)(end - colon) - 1);
    what[end - colon - 1] = '\0';
    while (times-- > 0)
        form_put(b, what);
    return end + 1;
}

static const char *put_hex(struct al_buf *b, const char *at)
{
    uint8_t byte;
    const char hex[3] = {at[0], at[1], '\0'};
    (void)vec_unhex(&byte, 1, hex);
    al_buf_put(b, &byte, 1);
    return at + 2;
}

void form_put(struct al_buf *b, const char *form)
{
    while (*form != '\0') {
        switch (*form) {
        case ' ':
            form++;
            break;
        case '<':
        case '[':
            form = put_bytes(b, form);
            break;
        case '\'':
            form = put_text(b, form);
            break;
        case '{':
            form = put_repeated(b, form);
            break;
        case '@':
            form_put(b, REF);
            form++;
            break;
        default:
            form = put_hex(b, form);
        }
    }
    assert(!b->full);
}
