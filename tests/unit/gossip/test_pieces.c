/* Files: sent in, named by an entry, fetched piece by piece from whoever has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attachment.h"
#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "write.h"

#define SIZE (2 * AL_PIECE_BYTES + 1000)

static struct rig r;
static struct rig_node *author, *reader;
static struct rig_peer p, q;
static uint8_t content[SIZE];

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    author = rig_add(&r, 0);
    reader = rig_add(&r, 1);
    p = q = (struct rig_peer){.rig = &r, .conn = UINT64_MAX};
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 7 + i / 256 * 13);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&r);
    return 0;
}

static void meet(void)
{
    (void)rig_invite(author, 1);
    assert_int_equal(rig_join(reader, rig_invite(author, 1)), 0);
    rig_relate(author, &reader->me.keyring.identity, "follow", true);
    rig_run(&r);
}

/* --- calls ---------------------------------------------------------------------------------- */

static void put_key(struct al_buf *b)
{
    uint8_t key[16];
    sample_bytes(key, sizeof(key), 90000 + ++r.next_call);
    al_write_cstr(b, "key");
    al_write_bin(b, key, sizeof(key));
}

static int call(struct rig_node *n, const char *method, struct al_buf *params)
{
    int err = rig_call(n, method, al_buf_slice(params));
    al_heapbuf_free(params);
    return err;
}

static uint64_t answer_uint(const char *key)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), key));
    uint64_t value = al_read_uint(&in, UINT64_MAX);
    assert_int_equal(al_read_end(&in), 0);
    return value;
}

struct handle {
    uint8_t b[16];
};

static int file_new(struct rig_node *n, struct handle *ret, uint64_t size, const char *name)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 4);
    put_key(&b);
    al_write_cstr(&b, "size");
    al_write_uint(&b, size);
    al_write_cstr(&b, "name");
    al_write_cstr(&b, name);
    al_write_cstr(&b, "mime");
    al_write_cstr(&b, "text/plain");
    int err = call(n, "file_new", &b);
    if (err == 0) {
        struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "file"));
        al_read_bytes(&in, ret->b, sizeof(ret->b));
        assert_int_equal(al_read_end(&in), 0);
    }
    return err;
}

static int file_put(struct rig_node *n, const struct handle *h, uint32_t index, uint32_t count)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 3);
    al_write_cstr(&b, "file");
    al_write_bin(&b, h->b, sizeof(h->b));
    al_write_cstr(&b, "index");
    al_write_uint(&b, index);
    al_write_cstr(&b, "data");
    al_write_array(&b, count);
    for (uint32_t i = index; i < index + count; i++) {
        size_t at = (size_t)i * AL_PIECE_BYTES;
        size_t left = at < SIZE ? SIZE - at : 1;
        al_write_bin(
            &b, content + (at < SIZE ? at : 0), left < AL_PIECE_BYTES ? left : AL_PIECE_BYTES);
    }
    return call(n, "file_put", &b);
}

static struct handle upload(struct rig_node *n, const char *name)
{
    struct handle h = {{0}};
    assert_int_equal(file_new(n, &h, SIZE, name), 0);
    assert_int_equal(answer_uint("pieces"), 3);
    assert_int_equal(file_put(n, &h, 0, 3), 0);
    assert_int_equal(answer_uint("have"), 3);
    return h;
}

/* Post a note, or an edit of |of|, with the files; |ret| is its place. */
static int post(struct rig_node *n, struct al_ref *ret, const char *to, const struct handle *files,
    uint32_t count, const struct al_ref *of)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, to == NULL ? 2 : 3);
    put_key(&b);
    if (to != NULL) {
        al_write_cstr(&b, "to");
        al_write_cstr(&b, to);
    }
    al_write_cstr(&b, "entry");
    al_write_map(&b, 2 + (count > 0 ? 1U : 0) + (of != NULL ? 1U : 0));
    al_write_cstr(&b, "k");
    al_write_cstr(&b, of == NULL ? "note" : "edit");
    al_write_cstr(&b, "text");
    al_write_cstr(&b, "see the file");
    if (of != NULL) {
        al_write_cstr(&b, "of");
        al_write_ref(&b, of);
    }
    if (count > 0) {
        al_write_cstr(&b, "files");
        al_write_array(&b, count);
        for (uint32_t i = 0; i < count; i++)
            al_write_bin(&b, files[i].b, sizeof(files[i].b));
    }
    int err = call(n, "post", &b);
    if (err == 0) {
        struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref"));
        al_read_ref(&in, ret);
        assert_int_equal(al_read_end(&in), 0);
    }
    return err;
}

static void retract(struct rig_node *n, const struct al_ref *of)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    put_key(&b);
    al_write_cstr(&b, "entry");
    al_write_map(&b, 2);
    al_write_cstr(&b, "k");
    al_write_cstr(&b, "retract");
    al_write_cstr(&b, "of");
    al_write_ref(&b, of);
    assert_int_equal(call(n, "post", &b), 0);
    rig_run(&r);
}

static struct al_buf which(
    const struct al_ref *ref, uint64_t file, const char *more, uint64_t value)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 3);
    al_write_cstr(&b, "ref");
    al_write_ref(&b, ref);
    al_write_cstr(&b, "file");
    al_write_uint(&b, file);
    al_write_cstr(&b, more);
    al_write_uint(&b, value);
    return b;
}

static int file_get(struct rig_node *n, const struct al_ref *ref, uint64_t file)
{
    struct al_buf b = which(ref, file, "timeout", 3000);
    return call(n, "file_get", &b);
}

static void expect_progress(uint64_t have, uint64_t holders)
{
    assert_non_null(rig_last(&r));
    assert_int_equal(rig_last(&r)->err, 0);
    assert_int_equal(answer_uint("pieces"), 3);
    assert_int_equal(answer_uint("have"), have);
    assert_int_equal(answer_uint("holders"), holders);
}

static int file_read(struct rig_node *n, const struct al_ref *ref, uint64_t file, uint64_t offset)
{
    struct al_buf b = which(ref, file, "offset", offset);
    return call(n, "file_read", &b);
}

static void expect_file(struct rig_node *n, const struct al_ref *ref, uint64_t file)
{
    for (size_t from = 0; from < SIZE; from += AL_PIECE_BYTES) {
        assert_int_equal(file_read(n, ref, file, from), 0);
        struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "data"));
        struct al_slice data = al_read_bin(&in, 1, SIZE);
        assert_int_equal(al_read_end(&in), 0);
        assert_int_equal(data.n, SIZE - from);
        assert_memory_equal(data.p, content + from, data.n);
    }
}

static uint64_t own_bytes(struct rig_node *n)
{
    uint64_t own, cache;
    assert_int_equal(al_store_piece_usage(n->store, &own, &cache), 0);
    return own;
}

static uint64_t cached_bytes(struct rig_node *n)
{
    uint64_t own, cache;
    assert_int_equal(al_store_piece_usage(n->store, &own, &cache), 0);
    return cache;
}

#define SEALED (SIZE + 3 * 16)

/* --- sending in ------------------------------------------------------------------------------ */

static void a_file_goes_from_hand_to_hand(void **state)
{
    struct al_ref ref;
    (void)state;
    meet();
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
    rig_run(&r);
    expect_file(author, &ref, 0);
    assert_int_equal(cached_bytes(reader), 0); /* nobody asked for it yet */
    assert_int_equal(file_read(reader, &ref, 0, 0), AL_E_NOT_FOUND);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    rig_run(&r);
    expect_progress(3, 0);
    expect_file(reader, &ref, 0);
    assert_int_equal(own_bytes(author), SEALED);
    assert_int_equal(own_bytes(reader), 0);
    assert_int_equal(cached_bytes(reader), SEALED);
    assert_int_equal(file_get(reader, &ref, 0), 0); /* at once */
    assert_int_equal(file_get(reader, &ref, 1), AL_E_NOT_FOUND);
    assert_int_equal(file_read(reader, &ref, 0, 7), AL_E_PARAMS);
    assert_int_equal(file_read(reader, &ref, 0, 3 * AL_PIECE_BYTES), AL_E_PARAMS);
}

static void what_is_not_here_whole_is_named_by_no_entry(void **state)
{
    struct al_ref ref;
    struct handle h, unknown = {{7}};
    (void)state;
    assert_int_equal(post(author, &ref, "network", &unknown, 1, NULL), AL_E_NOT_FOUND);
    assert_non_null(strstr(rig_last(&r)->message, "07000000"));
    assert_int_equal(file_new(author, &h, SIZE, "plan.txt"), 0);
    assert_int_equal(file_put(author, &h, 0, 2), 0);
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), AL_E_NOT_FOUND);
    assert_non_null(strstr(rig_last(&r)->message, "plan.txt"));
    assert_int_equal(file_put(author, &h, 2, 1), 0);
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
}

static void a_wrong_upload_is_refused(void **state)
{
    static const char *const names[] = {"a/b", "", "..", "bell\a"};
    struct handle h;
    (void)state;
    assert_int_equal(file_new(author, &h, 0, "a"), AL_E_PARAMS);
    assert_int_equal(file_new(author, &h, AL_ATTACHMENT_MAX + 1, "a"), AL_E_LIMIT);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(file_new(author, &h, 1, names[i]), AL_E_PARAMS);
    assert_int_equal(file_new(author, &h, SIZE, "a"), 0);
    assert_int_equal(file_put(author, &h, 1, 1), AL_E_PARAMS); /* the first is missing */
    assert_int_equal(file_put(author, &h, 0, 3), 0);
    assert_int_equal(file_put(author, &h, 0, 3), 0); /* they are there */
    assert_int_equal(answer_uint("have"), 3);
    assert_int_equal(file_put(author, &h, 3, 1), AL_E_PARAMS); /* there is no fourth */
    content[3]++;
    assert_int_equal(file_put(author, &h, 0, 1), AL_E_PARAMS); /* not the same file */
    assert_int_equal(own_bytes(author), SEALED);
}

static void an_upload_survives_a_restart_and_is_forgotten_after_a_day(void **state)
{
    struct handle h;
    struct al_ref ref;
    (void)state;
    assert_int_equal(file_new(author, &h, SIZE, "plan.txt"), 0);
    assert_int_equal(file_put(author, &h, 0, 1), 0);
    rig_stop(author);
    assert_int_equal(rig_start(author), 0);
    assert_int_equal(file_put(author, &h, 1, 2), 0);
    struct handle posted = upload(author, "other.txt");
    assert_int_equal(post(author, &ref, "me", &posted, 1, NULL), 0);
    assert_int_equal(own_bytes(author), 2 * SEALED);
    rig_stop(author);
    r.now.wall_ms += 25 * 3600 * 1000;
    assert_int_equal(rig_start(author), 0);
    assert_int_equal(own_bytes(author), SEALED);
    expect_file(author, &ref, 0);
    assert_int_equal(file_put(author, &h, 2, 1), AL_E_NOT_FOUND);
}

static void one_upload_can_go_into_several_entries(void **state)
{
    struct al_ref a, b;
    (void)state;
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &a, "network", &h, 1, NULL), 0);
    assert_int_equal(post(author, &b, "me", &h, 1, NULL), 0);
    assert_int_equal(own_bytes(author), SEALED);
    retract(author, &a);
    expect_file(author, &b, 0);
    assert_int_equal(own_bytes(author), SEALED);
    retract(author, &b);
    assert_int_equal(own_bytes(author), 0);
    assert_int_equal(post(author, &a, "network", &h, 1, NULL), AL_E_NOT_FOUND); /* it is gone */
    assert_int_equal(file_put(author, &h, 0, 3), 0);
    assert_int_equal(post(author, &a, "network", &h, 1, NULL), 0);
    expect_file(author, &a, 0);
}

static void an_edit_keeps_the_files_and_adds_to_them(void **state)
{
    struct al_ref ref, edit;
    struct handle files[2];
    (void)state;
    files[0] = upload(author, "one.txt");
    assert_int_equal(post(author, &ref, "me", files, 1, NULL), 0);
    files[1] = upload(author, "two.txt");
    assert_int_equal(post(author, &edit, NULL, &files[1], 1, &ref), 0);
    expect_file(author, &edit, 0);
    expect_file(author, &edit, 1);
    expect_file(author, &ref, 1); /* by the entry that was edited, too */
    assert_int_equal(file_read(author, &ref, 2, 0), AL_E_NOT_FOUND);
    assert_int_equal(post(author, &edit, NULL, NULL, 0, &ref), 0);
    expect_file(author, &edit, 1);
    assert_int_equal(own_bytes(author), 2 * SEALED);
    retract(author, &ref); /* and the edits with it */
    assert_int_equal(own_bytes(author), 0);
}

/* --- between nodes ---------------------------------------------------------------------------- */

static void a_retraction_takes_the_pieces_along(void **state)
{
    struct al_ref ref;
    (void)state;
    meet();
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
    rig_run(&r);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    rig_run(&r);
    assert_int_equal(cached_bytes(reader), SEALED);
    retract(author, &ref);
    assert_int_equal(own_bytes(author), 0);
    assert_int_equal(cached_bytes(reader), 0);
    assert_int_equal(file_get(reader, &ref, 0), AL_E_NOT_FOUND);
}

static void pieces_that_come_after_the_retraction_are_not_kept(void **state)
{
    struct al_ref ref;
    struct al_message m;
    (void)state;
    meet();
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
    rig_run(&r);
    rig_stop(author);
    rig_run(&r);
    rig_peer_friend(&p, reader, 5);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    assert_true(rig_peer_next(&p, AL_MSG_PIECE_WANT, &m));
    assert_int_equal(rig_start(author), 0);
    struct al_message reply = {.type = AL_MSG_PIECE, .req = m.req};
    struct al_buf copy = al_heapbuf();
    assert_int_equal(
        al_store_piece_get(author->store, &reply.u.piece.bytes, &m.u.piece_want.hash), 0);
    al_buf_put(&copy, reply.u.piece.bytes.p, reply.u.piece.bytes.n);
    retract(author, &ref);
    rig_wait(&r, 20000);
    assert_int_equal(file_get(reader, &ref, 0), AL_E_NOT_FOUND); /* it knows of the retraction */
    reply.u.piece.bytes = al_buf_slice(&copy);
    rig_peer_send(&p, &reply);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_int_equal(cached_bytes(reader), 0);
    al_heapbuf_free(&copy);
    rig_peer_leave(&p);
}

/* The reader has the entry, and its author is away. */
static struct al_ref with_the_author_away(void)
{
    struct al_ref ref;
    meet();
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
    rig_run(&r);
    rig_stop(author);
    rig_run(&r);
    return ref;
}

static void whoever_sends_wrong_bytes_is_let_go_and_another_one_asked(void **state)
{
    struct al_ref ref = with_the_author_away();
    struct al_message m, other;
    (void)state;
    rig_peer_friend(&p, reader, 5);
    rig_peer_friend(&q, reader, 6);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    assert_true(rig_peer_next(&p, AL_MSG_PIECE_WANT, &m));
    struct al_message reply = {.type = AL_MSG_PIECE, .req = m.req};
    reply.u.piece.bytes = al_slice_of(content, AL_PIECE_SEALED_BYTES);
    rig_peer_send(&p, &reply);
    assert_int_equal(rig_peer_closed(&p), AL_E_PAYLOAD_HASH);
    assert_int_equal(cached_bytes(reader), 0);
    assert_true(rig_peer_next(&q, AL_MSG_PIECE_WANT, &other));
    rig_peer_leave(&p);
    rig_peer_leave(&q);
}

static void whoever_sends_what_nobody_asked_for_is_let_go(void **state)
{
    struct al_message reply = {.type = AL_MSG_PIECE, .req = 77};
    (void)state;
    rig_peer_friend(&p, reader, 5);
    reply.u.piece.bytes = al_slice_of(content, 100);
    rig_peer_send(&p, &reply);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
    rig_peer_leave(&p);
}

static void whoever_does_not_have_it_is_asked_again_later(void **state)
{
    struct al_ref ref = with_the_author_away();
    struct al_message m;
    (void)state;
    rig_peer_friend(&p, reader, 5);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    for (int i = 0; i < 3; i++) {
        assert_true(rig_peer_next(&p, AL_MSG_PIECE_WANT, &m));
        rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    }
    rig_wait(&r, 3100);
    expect_progress(0, 0);
    rig_wait(&r, 5000); /* for as long somebody may ask again */
    assert_true(rig_peer_next(&p, AL_MSG_PIECE_WANT, &m));
    rig_peer_leave(&p);
    rig_wait(&r, 60000);
    assert_int_equal(file_get(reader, &ref, 0), RIG_PENDING);
    rig_wait(&r, 3100);
    expect_progress(0, 0);
}

static void a_peer_may_read_pieces_that_it_can_name(void **state)
{
    struct al_message m = {.type = AL_MSG_PIECE_WANT, .req = 9}, reply;
    struct al_ref ref;
    (void)state;
    struct handle h = upload(author, "plan.txt");
    assert_int_equal(post(author, &ref, "network", &h, 1, NULL), 0);
    rig_peer_friend(&p, author, 5);
    rig_peer_send(&p, &m); /* of a hash that nobody has */
    assert_true(rig_peer_next(&p, AL_MSG_DONE, &reply));
    assert_int_equal(reply.u.done.status, AL_DONE_NOT_HELD);
    uint8_t sealed[AL_PIECE_SEALED_BYTES];
    struct al_store_log stored;
    struct al_store_row row;
    struct al_payload payload;
    struct al_attachment a;
    assert_true(rig_log(author, &stored, &author->me.keyring.device));
    assert_int_equal(al_store_get(author->store, &row, stored.no, ref.seq), 0);
    assert_int_equal(al_payload_open(&payload, row.payload, false), 0);
    assert_int_equal(al_attachment_get(&a, payload.files, 0), 0);
    assert_int_equal(a.size, SIZE);
    al_attachment_hash(&m.u.piece_want.hash, &a, 2);
    uint8_t key[32];
    memcpy(key, a.key, sizeof(key));
    rig_peer_send(&p, &m);
    assert_true(rig_peer_next(&p, AL_MSG_PIECE, &reply));
    size_t n = 0;
    assert_int_equal(al_piece_open(sealed, &n, key, 2, reply.u.piece.bytes), 0);
    assert_int_equal(n, 1000);
    assert_memory_equal(sealed, content + 2 * AL_PIECE_BYTES, n);
    rig_peer_leave(&p);
}

static void pieces_of_others_give_way_and_own_ones_never(void **state)
{
    struct al_ref refs[3];
    (void)state;
    rig_stop(reader);
    reader->pieces_bytes = 2 * SEALED + 100;
    assert_int_equal(rig_start(reader), 0);
    meet();
    struct handle own = upload(reader, "own.txt");
    struct al_ref mine;
    assert_int_equal(post(reader, &mine, "me", &own, 1, NULL), 0);
    for (int i = 0; i < 3; i++) {
        char name[] = "a.txt";
        name[0] = (char)('a' + i);
        content[0] = (uint8_t)i;
        struct handle h = upload(author, name);
        assert_int_equal(post(author, &refs[i], "network", &h, 1, NULL), 0);
        rig_run(&r);
        assert_int_equal(file_get(reader, &refs[i], 0), RIG_PENDING);
        rig_run(&r);
        rig_wait(&r, 1000);
    }
    assert_int_equal(cached_bytes(reader), 2 * SEALED);
    assert_int_equal(own_bytes(reader), SEALED);
    assert_int_equal(file_read(reader, &refs[0], 0, 0), AL_E_NOT_FOUND);
    expect_file(reader, &refs[2], 0);
    assert_int_equal(file_read(reader, &mine, 0, 0), 0);
    rig_stop(reader);
    reader->pieces_bytes = SEALED - 100;
    assert_int_equal(rig_start(reader), 0);
    assert_int_equal(file_get(reader, &refs[0], 0), AL_E_LIMIT);
    assert_int_equal(file_get(reader, &mine, 0), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_file_goes_from_hand_to_hand),
        CASE(what_is_not_here_whole_is_named_by_no_entry),
        CASE(a_wrong_upload_is_refused),
        CASE(an_upload_survives_a_restart_and_is_forgotten_after_a_day),
        CASE(one_upload_can_go_into_several_entries),
        CASE(an_edit_keeps_the_files_and_adds_to_them),
        CASE(a_retraction_takes_the_pieces_along),
        CASE(pieces_that_come_after_the_retraction_are_not_kept),
        CASE(whoever_sends_wrong_bytes_is_let_go_and_another_one_asked),
        CASE(whoever_sends_what_nobody_asked_for_is_let_go),
        CASE(whoever_does_not_have_it_is_asked_again_later),
        CASE(a_peer_may_read_pieces_that_it_can_name),
        CASE(pieces_of_others_give_way_and_own_ones_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
