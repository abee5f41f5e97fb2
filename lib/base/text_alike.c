/*
 * When two names look alike: after Unicode Technical Standard 39, section 4, with the look-alikes
 * of Latin that common keyboards can type. Names that differ here may still be told apart by a
 * careful eye; names that are equal here can't be trusted to be.
 */
#include <stdlib.h>
#include <utf8proc.h>

#include "heapbuf.h"
#include "text.h"

struct alike {
    int32_t from;
    char to;
};

/* Sorted by |from|. Capitals stand here where they look like another letter than their small one.
 */
static const struct alike table[] = {
    {'0', 'o'}, {'1', 'l'}, {'I', 'l'}, {'i', 'l'}, {'|', 'l'}, {0x0131, 'l'}, /* dotless i */
    {0x0251, 'a'}, {0x0261, 'g'}, {0x0269, 'l'}, {0x028B, 'v'},                /* IPA */
    {0x0391, 'a'}, {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'}, {0x0399, 'l'},
    {0x039A, 'k'}, {0x039C, 'm'}, {0x039D, 'n'}, {0x039F, 'o'}, {0x03A1, 'p'}, {0x03A4, 't'},
    {0x03A5, 'y'}, {0x03A7, 'x'}, /* Greek */
    {0x03B1, 'a'}, {0x03B3, 'y'}, {0x03B5, 'e'}, {0x03B9, 'l'}, {0x03BA, 'k'}, {0x03BD, 'v'},
    {0x03BF, 'o'}, {0x03C1, 'p'}, {0x03C3, 'o'}, {0x03C5, 'u'}, {0x03C7, 'x'}, {0x03F2, 'c'},
    {0x0405, 's'}, {0x0406, 'l'}, {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'}, {0x0415, 'e'},
    {0x041A, 'k'}, {0x041C, 'm'}, {0x041D, 'h'}, {0x041E, 'o'}, {0x0420, 'p'}, {0x0421, 'c'},
    {0x0422, 't'}, {0x0423, 'y'}, {0x0425, 'x'}, /* Cyrillic */
    {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'}, {0x0435, 'e'}, {0x043A, 'k'}, {0x043C, 'm'},
    {0x043D, 'h'}, {0x043E, 'o'}, {0x043F, 'n'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'},
    {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'l'}, {0x0458, 'j'}, {0x04AF, 'y'},
    {0x04BB, 'h'}, {0x04C0, 'l'}, {0x04CF, 'l'}, {0x0501, 'd'}, {0x051B, 'q'}, {0x051D, 'w'},
    {0x0561, 'w'}, {0x0566, 'q'}, {0x0570, 'h'}, {0x0578, 'n'}, {0x057D, 'u'}, {0x0581, 'g'},
    {0x0584, 'f'}, {0x0585, 'o'}, /* Armenian */
};

static int compare(const void *key, const void *element)
{
    int32_t a = *(const int32_t *)key;
    int32_t b = ((const struct alike *)element)->from;
    return (a > b) - (a < b);
}

static utf8proc_int32_t fold(utf8proc_int32_t cp, void *data)
{
    (void)data;
    const struct alike *found =
        bsearch(&cp, table, sizeof(table) / sizeof(table[0]), sizeof(table[0]), compare);
    return found != NULL ? found->to : cp;
}

/* Append |s| composed and case folded, look-alikes folded before and, with what came of it, after.
 */
static void append_folded(struct al_buf *b, struct al_slice s)
{
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t n = utf8proc_map_custom(s.p, (utf8proc_ssize_t)s.n, &out,
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, fold, NULL);
    if (n < 0)
        b->full = true; /* no memory: safe text always maps */
    else
        al_buf_put(b, out, (size_t)n);
    free(out);
}

void al_text_skeleton(struct al_buf *b, struct al_slice s)
{
    struct al_buf safe = al_heapbuf();
    struct al_buf once = al_heapbuf();
    struct al_buf twice = al_heapbuf();
    al_text_safe(&safe, s, AL_TEXT_NAME);
    append_folded(&once, al_buf_slice(&safe));
    append_folded(&twice, al_buf_slice(&once));
    b->full |= safe.full || once.full || twice.full;
    /* Two letters that look like one. */
    for (size_t i = 0; i < twice.n; i++) {
        bool rn = i + 1 < twice.n && twice.p[i] == 'r' && twice.p[i + 1] == 'n';
        bool vv = i + 1 < twice.n && twice.p[i] == 'v' && twice.p[i + 1] == 'v';
        al_buf_put(b, rn ? "m" : vv ? "w" : (const char *)&twice.p[i], 1);
        i += rn || vv;
    }
    al_heapbuf_free(&safe);
    al_heapbuf_free(&once);
    al_heapbuf_free(&twice);
}
