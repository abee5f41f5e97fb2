/* Safe text, and how it is laid out: nothing forbidden, nothing lost twice, no line too wide. */
#include <utf8proc.h>

#include "fuzz.h"
#include "scan.h"
#include "text.h"

static void check_safe(struct al_slice s, bool one_line)
{
    AL_ASSERT(al_utf8_valid(s));
    for (size_t at = 0; at < s.n;) {
        int32_t cp;
        at += (size_t)utf8proc_iterate(s.p + at, (utf8proc_ssize_t)(s.n - at), &cp);
        AL_ASSERT(cp >= ' ' || (cp == '\n' && !one_line));
        AL_ASSERT(cp < 0x7F || cp > 0x9F);
        AL_ASSERT(cp < 0x202A || cp > 0x202E); /* bidirectional overrides */
        AL_ASSERT(cp < 0x2060 || cp > 0x206F);
        AL_ASSERT(cp < 0xE0000 || cp > 0xE00FF); /* tags */
        AL_ASSERT(cp != 0x200B && cp != 0x200E && cp != 0x200F && cp != 0xFEFF);
    }
}

static void check_use(struct al_slice in, enum al_text_use use)
{
    static uint8_t room[1 << 20];
    struct al_buf once = fuzz_buf();
    struct al_buf twice = al_buf_fixed(room, sizeof(room));
    al_text_safe(&once, in, use);
    if (once.full)
        return;
    check_safe(al_buf_slice(&once), use != AL_TEXT_BLOCK);
    if (use == AL_TEXT_FIELD)
        return;
    al_text_safe(&twice, al_buf_slice(&once), use);
    AL_ASSERT(al_slice_eq(al_buf_slice(&once), al_buf_slice(&twice)));
}

static void check_lines(struct al_slice text, size_t columns)
{
    while (text.n > 0) {
        size_t next;
        size_t n = al_text_line(&next, text, columns);
        AL_ASSERT(n <= next && next >= 1 && next <= text.n);
        /* A character that is wider than a line stands alone on one. */
        struct al_slice line = al_slice_of(text.p, n);
        AL_ASSERT(al_text_width(line) <= columns || al_text_fit(line, columns) == 0);
        text = al_slice_of(text.p + next, text.n - next);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > 4096)
        return 0;
    size_t columns = data[0] % 80 + 1;
    struct al_slice in = al_slice_of(data + 1, n - 1);
    check_use(in, AL_TEXT_BLOCK);
    check_use(in, AL_TEXT_LINE);
    check_use(in, AL_TEXT_NAME);
    check_use(in, AL_TEXT_FIELD);
    struct al_buf safe = fuzz_buf();
    al_text_safe(&safe, in, AL_TEXT_BLOCK);
    check_lines(al_buf_slice(&safe), columns);

    struct al_buf title = fuzz_buf();
    al_text_title(&title, in, columns);
    check_safe(al_buf_slice(&title), true);
    AL_ASSERT(al_text_width(al_buf_slice(&title)) <= columns);

    struct al_buf kept = fuzz_buf();
    al_text_utf8(&kept, in, columns);
    AL_ASSERT(kept.n <= columns && al_utf8_valid(al_buf_slice(&kept)));
    struct al_buf skeleton = fuzz_buf();
    al_text_skeleton(&skeleton, in);
    AL_ASSERT(al_utf8_valid(al_buf_slice(&skeleton)));
    return 0;
}
