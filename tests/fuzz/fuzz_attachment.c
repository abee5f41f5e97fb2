/*
 * Attachments. An even first byte: the rest is the array of them. An odd one: the rest is a piece,
 * which is sealed and opens in its place only, and is then taken for a sealed one itself.
 */
#include "attachment.h"
#include "fuzz.h"
#include "read.h"
#include "write.h"

static void take_files(struct al_slice bytes)
{
    static struct al_attachment a[AL_ATTACHMENTS_MAX];
    struct al_read r = al_read_message(bytes);
    uint32_t count = al_read_array(&r, 1, AL_ATTACHMENTS_MAX);
    for (uint32_t i = 0; i < count; i++)
        al_attachment_read(&r, &a[i]);
    if (al_read_end(&r) != 0)
        return;
    AL_ASSERT(al_attachment_count(bytes) == count);
    struct al_buf b = fuzz_buf();
    al_write_array(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_attachment same;
        struct al_hash last;
        AL_ASSERT(al_attachment_get(&same, bytes, i) == 0);
        AL_ASSERT(same.size == a[i].size && al_slice_eq(same.name, a[i].name));
        AL_ASSERT(a[i].name.n > 0 && memchr(a[i].name.p, '/', a[i].name.n) == NULL);
        AL_ASSERT(a[i].pieces > 0 && (a[i].size - 1) / AL_PIECE_BYTES == a[i].pieces - 1);
        al_attachment_hash(&last, &a[i], a[i].pieces - 1);
        AL_ASSERT(memcmp(last.b, al_slice_end(a[i].hashes) - 32, 32) == 0);
        al_attachment_encode(&b, &a[i]);
    }
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), bytes));
}

static void take_piece(struct al_slice clear)
{
    static uint8_t sealed[AL_PIECE_SEALED_BYTES], opened[AL_PIECE_BYTES];
    static const uint8_t key[32] = {1};
    struct al_hash hash;
    size_t n = 0;
    if (clear.n > AL_PIECE_BYTES)
        return;
    al_piece_seal(sealed, &hash, key, 7, clear);
    struct al_slice bytes = al_slice_of(sealed, clear.n + 16);
    AL_ASSERT(al_piece_open(opened, &n, key, 7, bytes) == 0);
    AL_ASSERT(al_slice_eq(al_slice_of(opened, n), clear));
    AL_ASSERT(al_piece_open(opened, &n, key, 8, bytes) == AL_E_SEALED);
    AL_ASSERT(al_piece_open(opened, &n, key, 7, clear) == AL_E_SEALED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if ((data[0] & 1) == 0)
        take_files(rest);
    else
        take_piece(rest);
    return 0;
}
