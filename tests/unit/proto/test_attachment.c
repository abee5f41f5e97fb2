/* Attachments: what an entry says of a file, and its sealed pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attachment.h"
#include "payload.h"
#include "read.h"
#include "sample.h"
#include "sample_wire.h"
#include "write.h"

static uint8_t space[AL_PAYLOAD_MAX];
static uint8_t hash_space[(AL_PIECES_MAX + 1) * 34];

/* An attachment of |size| bytes with |pieces| hashes. */
static struct al_attachment made(uint64_t size, uint32_t pieces)
{
    struct al_buf hashes = al_buf_fixed(hash_space, sizeof(hash_space));
    for (uint32_t i = 0; i < pieces; i++) {
        struct al_hash hash;
        sample_bytes(hash.b, sizeof(hash.b), i);
        al_write_bin(&hashes, hash.b, sizeof(hash.b));
    }
    return (struct al_attachment){.size = size,
        .mime = al_slice_str("text/plain"),
        .name = al_slice_str("notes.txt"),
        .key = {7},
        .hashes = al_buf_slice(&hashes),
        .pieces = pieces};
}

static struct al_slice files(const struct al_attachment *a)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 1);
    al_attachment_encode(&b, a);
    assert_false(b.full);
    return al_buf_slice(&b);
}

static int check(const struct al_attachment *a)
{
    struct al_attachment out;
    return al_attachment_get(&out, files(a), 0);
}

static void attachments_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct al_attachment a;
    struct al_hash hash, want;
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_slice two = sample_files(&b);
    assert_int_equal(al_attachment_count(two), 2);
    assert_int_equal(al_attachment_get(&a, two, 0), 0);
    assert_int_equal(a.size, 1);
    assert_int_equal(a.mime.n, 0);
    assert_int_equal(al_attachment_get(&a, two, 1), 0);
    assert_int_equal(a.size, AL_PIECE_BYTES + 1);
    assert_int_equal(a.pieces, 2);
    assert_true(al_slice_is(a.mime, "image/png"));
    assert_true(al_slice_is(a.name, "a board.png"));
    for (uint32_t i = 0; i < 2; i++) {
        al_attachment_hash(&hash, &a, i);
        sample_bytes(want.b, sizeof(want.b), 10 + i);
        assert_memory_equal(hash.b, want.b, sizeof(hash.b));
    }
    assert_int_equal(al_attachment_get(&a, two, 2), AL_E_NOT_FOUND);
    assert_int_equal(al_attachment_count(al_slice_of(NULL, 0)), 0);

    struct al_attachment most = made(AL_ATTACHMENT_MAX, AL_PIECES_MAX);
    assert_int_equal(al_attachment_get(&a, files(&most), 0), 0);
    assert_int_equal(a.pieces, AL_PIECES_MAX);
    al_attachment_hash(&hash, &a, AL_PIECES_MAX - 1);
    sample_bytes(want.b, sizeof(want.b), AL_PIECES_MAX - 1);
    assert_memory_equal(hash.b, want.b, sizeof(hash.b));
}

static void the_hashes_fit_the_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint32_t pieces;
        int err;
    } cases[] = {
        {0, 1, AL_E_RANGE},
        {1, 1, 0},
        {AL_PIECE_BYTES, 1, 0},
        {AL_PIECE_BYTES, 2, AL_E_COUNT},
        {AL_PIECE_BYTES + 1, 1, AL_E_COUNT},
        {AL_PIECE_BYTES + 1, 2, 0},
        {1, 0, AL_E_COUNT},
        {AL_ATTACHMENT_MAX, AL_PIECES_MAX, 0},
        {AL_ATTACHMENT_MAX + 1, AL_PIECES_MAX, AL_E_RANGE},
        {AL_ATTACHMENT_MAX, AL_PIECES_MAX + 1, AL_E_COUNT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_attachment a = made(cases[i].size, cases[i].pieces);
        assert_int_equal(check(&a), cases[i].err);
    }
}

static void a_name_is_one_part_of_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int err;
    } cases[] = {
        {"x", 0},
        {"...", 0},
        {".profile", 0},
        {"caf\xc3\xa9 \xc2\xa0.txt", 0},
        {"", AL_E_LENGTH},
        {".", AL_E_RANGE},
        {"..", AL_E_RANGE},
        {"a/b", AL_E_RANGE},
        {"/", AL_E_RANGE},
        {"a\nb", AL_E_RANGE},
        {"a\x1b", AL_E_RANGE},
        {"a\x7f", AL_E_RANGE},
        {"\xc2\x80", AL_E_RANGE},
        {"a\xc2\x9f", AL_E_RANGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_attachment a = made(1, 1);
        a.name = al_slice_str(cases[i].name);
        assert_int_equal(check(&a), cases[i].err);
    }
    struct al_attachment a = made(1, 1);
    a.name = al_slice_of("a\0b", 3);
    assert_int_equal(check(&a), AL_E_RANGE);
}

static void texts_have_their_limits(void **state)
{
    (void)state;
    static uint8_t letters[AL_FILE_NAME_MAX + 1];
    memset(letters, 'x', sizeof(letters));
    struct al_attachment a = made(1, 1);
    a.name = al_slice_of(letters, AL_FILE_NAME_MAX);
    a.mime = al_slice_of(letters, AL_MIME_MAX);
    assert_int_equal(check(&a), 0);
    a.name.n++;
    assert_int_equal(check(&a), AL_E_LENGTH);
    a.name.n--;
    a.mime.n++;
    assert_int_equal(check(&a), AL_E_LENGTH);
    a.mime.n = 0;
    assert_int_equal(check(&a), 0);
}

/* A note with |count| attachments of one byte. */
static int note_with(uint32_t count)
{
    static uint8_t note_space[AL_PAYLOAD_MAX];
    struct al_attachment a = made(1, 1);
    struct al_buf list = al_buf_fixed(space, sizeof(space));
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_attachment_encode(&list, &a);
    struct al_payload p = {.kind = AL_KIND_NOTE,
        .audience = AL_AUDIENCE_NETWORK,
        .text = al_slice_str("hi"),
        .files = al_buf_slice(&list)};
    struct al_buf b = al_buf_fixed(note_space, sizeof(note_space));
    int err = al_payload_encode(&b, &p);
    if (err == 0) {
        assert_int_equal(al_payload_open(&p, al_buf_slice(&b), false), 0);
        assert_int_equal(al_attachment_count(p.files), count);
    }
    return err;
}

static void an_entry_has_at_most_eight_attachments(void **state)
{
    (void)state;
    assert_int_equal(note_with(1), 0);
    assert_int_equal(note_with(AL_ATTACHMENTS_MAX), 0);
    assert_int_equal(note_with(AL_ATTACHMENTS_MAX + 1), AL_E_COUNT);
    assert_int_equal(note_with(0), AL_E_COUNT);
}

static void a_broken_attachment_makes_its_payload_unreadable(void **state)
{
    (void)state;
    struct al_attachment a = made(AL_PIECE_BYTES + 1, 1);
    static uint8_t note_space[1024];
    struct al_payload p = {.kind = AL_KIND_NOTE,
        .audience = AL_AUDIENCE_ME,
        .text = al_slice_str("hi"),
        .files = files(&a)};
    struct al_buf b = al_buf_fixed(note_space, sizeof(note_space));
    assert_int_equal(al_payload_encode(&b, &p), AL_E_COUNT);
    p.files = al_slice_str("\x91\x94\1\1\1\1");
    assert_int_equal(al_payload_encode(&b, &p), AL_E_COUNT);
    p.files = al_slice_str("\xc3");
    assert_int_equal(al_payload_encode(&b, &p), AL_E_TYPE);
    struct al_attachment out;
    assert_int_equal(al_attachment_get(&out, al_slice_str("\xc3"), 0), AL_E_TYPE);
}

static void a_client_names_files_by_handles(void **state)
{
    (void)state;
    static const char map[] = "\x82\xa1k\xa4note\xa5"
                              "files\x92\xc4\x01x\xc4\x01y";
    struct al_payload p;
    assert_int_equal(al_payload_from_api(&p, al_slice_of(map, sizeof(map) - 1)), 0);
    assert_int_equal(p.files.n, 7);
    assert_int_equal(p.files.p[0], 0x92);
    assert_int_equal(al_payload_from_api(&p, al_slice_str("\x81\xa5"
                                                          "files\x01")),
        AL_E_TYPE);
}

static void a_piece_opens_in_its_place_only(void **state)
{
    (void)state;
    static uint8_t clear[AL_PIECE_BYTES], sealed[AL_PIECE_SEALED_BYTES], opened[AL_PIECE_BYTES];
    static const uint8_t key[32] = {1}, other[32] = {2};
    static const size_t sizes[] = {1, 100, AL_PIECE_BYTES};
    sample_bytes(clear, sizeof(clear), 3);
    for (size_t i = 0; i < 3; i++) {
        struct al_hash hash, again;
        size_t n = 0;
        al_piece_seal(sealed, &hash, key, 300, al_slice_of(clear, sizes[i]));
        struct al_slice bytes = al_slice_of(sealed, sizes[i] + 16);
        al_piece_hash(&again, bytes);
        assert_true(al_hash_eq(&hash, &again));
        assert_int_equal(al_piece_open(opened, &n, key, 300, bytes), 0);
        assert_int_equal(n, sizes[i]);
        assert_memory_equal(opened, clear, n);
        assert_int_equal(al_piece_open(opened, &n, key, 44, bytes), AL_E_SEALED);
        assert_int_equal(al_piece_open(opened, &n, other, 300, bytes), AL_E_SEALED);
        sealed[sizes[i] / 2] ^= 0x20;
        assert_int_equal(al_piece_open(opened, &n, key, 300, bytes), AL_E_SEALED);
        al_piece_hash(&again, bytes);
        assert_false(al_hash_eq(&hash, &again));
    }
    size_t n = 0;
    assert_int_equal(al_piece_open(opened, &n, key, 0, al_slice_of(sealed, 15)), AL_E_SEALED);
}

static void one_flipped_bit_is_refused_or_says_something_else(void **state)
{
    (void)state;
    static uint8_t again[1024];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_slice two = sample_files(&b);
    for (size_t bit = 8; bit < two.n * 8; bit++) {
        struct al_attachment got[2];
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct al_read r = al_read_message(two);
        (void)al_read_array(&r, 2, 2);
        for (uint32_t i = 0; i < 2; i++)
            al_attachment_read(&r, &got[i]);
        if (al_read_end(&r) == 0) {
            struct al_buf second = al_buf_fixed(again, sizeof(again));
            al_write_array(&second, 2);
            for (uint32_t i = 0; i < 2; i++)
                al_attachment_encode(&second, &got[i]);
            assert_true(al_slice_eq(al_buf_slice(&second), two));
        }
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attachments_are_read_as_they_were_written),
        cmocka_unit_test(the_hashes_fit_the_size),
        cmocka_unit_test(a_name_is_one_part_of_a_path),
        cmocka_unit_test(texts_have_their_limits),
        cmocka_unit_test(an_entry_has_at_most_eight_attachments),
        cmocka_unit_test(a_broken_attachment_makes_its_payload_unreadable),
        cmocka_unit_test(a_client_names_files_by_handles),
        cmocka_unit_test(a_client_names_files_by_handles),
        cmocka_unit_test(a_piece_opens_in_its_place_only),
        cmocka_unit_test(one_flipped_bit_is_refused_or_says_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
