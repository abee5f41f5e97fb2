/* Circles in the log: what is sealed for them, and what opens late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desk.h"
#include "write.h"

static struct desk ana, ben;
static const struct al_circle_id cid = {.b = {1, 2, 3}};

static const struct al_record *record_of(void *arg, const struct al_identity *identity)
{
    const struct al_person *p = al_logs_person(((struct desk *)arg)->l, identity);
    return p == NULL ? NULL : p->record;
}

/* Everything that |from| knows of its own identity. */
static void introduce(struct desk *from, struct desk *to)
{
    const struct al_record *record = from->l->self->record;
    for (size_t i = 0; i < al_record_count(record); i++) {
        bool is_new;
        assert_int_equal(
            al_logs_statement(to->l, &is_new, al_record_statement(record, i, NULL)), 0);
    }
}

static int setup(void **state)
{
    (void)state;
    desk_open(&ana, 1);
    desk_open(&ben, 2);
    introduce(&ana, &ben);
    introduce(&ben, &ana);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&ana);
    desk_close(&ben);
    return 0;
}

/* Entries first..last of the own log of |d|, as they are sent. */
static struct al_buf cut_out(struct desk *d, uint64_t first, uint64_t last)
{
    struct al_export *x;
    struct al_buf b = al_heapbuf();
    assert_int_equal(al_export_new(&x), 0);
    assert_int_equal(al_export_segment(d->l, x, d->l->own, first, last), 0);
    al_segment_encode(&b, &x->segment);
    al_export_free(x);
    return b;
}

static void give(struct desk *to, struct al_buf *b)
{
    static struct al_segment seg;
    assert_int_equal(al_segment_open(&seg, al_buf_slice(b)), 0);
    assert_int_equal(desk_ingest(to, &seg), 0);
    al_heapbuf_free(b);
}

static void send_some(struct desk *from, struct desk *to, uint64_t first, uint64_t last)
{
    struct al_buf b = cut_out(from, first, last);
    give(to, &b);
}

static void send_all(struct desk *from, struct desk *to)
{
    send_some(from, to, 1, al_log_head(from->l->own));
}

static const struct al_circle *circle_at(const struct desk *d)
{
    return al_circles_find(d->l->circles, &ana.me.root.identity, &cid);
}

/* Ana makes the circle with ben, or changes it. */
static void change(const struct al_circle_change *change)
{
    struct al_buf b = al_heapbuf();
    struct al_payload p;
    struct al_identity who;
    struct al_place place;
    assert_int_equal(al_append_place(ana.l, &place), 0);
    assert_int_equal(
        al_circle_compose(ana.l->circles, &b, &p, &who, change, &place, record_of, &ana, &ana.rng),
        0);
    assert_int_equal(desk_append(&ana, NULL, &p), 0);
    al_heapbuf_free(&b);
}

static void make(void)
{
    const struct al_circle_change made = {
        .cid = cid, .name = al_slice_str("team"), .add = &ben.me.root.identity, .add_count = 1};
    change(&made);
}

static struct al_ref post(struct desk *d, struct al_payload *p)
{
    struct al_ref ref;
    p->audience = AL_AUDIENCE_CIRCLE;
    p->epoch_key = al_circles_key(d->l->circles, circle_at(d));
    assert_non_null(p->epoch_key);
    assert_int_equal(desk_append(d, &ref, p), 0);
    return ref;
}

static struct al_ref note(struct desk *d, const char *text)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, text);
    return post(d, &p);
}

/* The text of an entry that |d| holds, sealed for the circle. */
static bool reads(struct desk *d, const struct al_ref *ref, const char *text)
{
    struct al_store_row row;
    struct al_sealed sealed;
    struct al_unsealed un;
    struct al_payload p;
    uint8_t bytes[1024], clear[1024];
    const struct al_log *log = al_logs_find(d->l, &ref->device, &ref->log);
    struct al_place place = {.device = ref->device, .log = ref->log, .seq = ref->seq};
    assert_true(desk_row(d, &row, ref));
    memcpy(bytes, row.payload.p, row.payload.n);
    struct al_slice payload = al_slice_of(bytes, row.payload.n);
    assert_int_equal(al_log_prev(d->l, &place.prev, log, ref->seq), 0);
    assert_int_equal(al_sealed_open(&sealed, payload), 0);
    if (al_circles_decrypt(d->l->circles, clear, &un, &sealed, &place, &log->person->identity) != 0)
        return false;
    assert_int_equal(al_payload_open(&p, al_slice_of(clear, un.n), true), 0);
    assert_ptr_equal(un.circle, circle_at(d));
    return al_slice_is(p.text, text);
}

struct seen {
    uint32_t unlocked;
    uint32_t log_no;
};

static int count_unlocked(
    void *arg, const struct al_store_change *c, const struct al_store_row *row)
{
    struct seen *seen = arg;
    (void)row;
    if (c->what == AL_CHANGE_UNLOCKED) {
        seen->unlocked++;
        seen->log_no = c->log_no;
    }
    return 0;
}

static struct seen unlocked_since(struct desk *d, uint64_t pos)
{
    struct seen seen = {.unlocked = 0};
    assert_int_equal(al_store_changes(d->store, pos, 1000, count_unlocked, &seen), 0);
    return seen;
}

static void what_a_member_writes_is_read_by_the_other(void **state)
{
    (void)state;
    make();
    send_all(&ana, &ben);
    struct al_ref ref = note(&ben, "hello");
    send_all(&ben, &ana);
    assert_true(reads(&ben, &ref, "hello"));
    assert_true(reads(&ana, &ref, "hello"));
    desk_reopen(&ana);
    assert_true(reads(&ana, &ref, "hello"));
}

static void who_makes_a_circle_knows_it_at_once_and_tells_the_views(void **state)
{
    (void)state;
    uint64_t before = ana.l->pos;
    make();
    assert_true(circle_at(&ana)->mine);
    struct seen seen = unlocked_since(&ana, before);
    assert_int_equal(seen.unlocked, 1);
    assert_int_equal(seen.log_no, ana.l->own->no);
    assert_int_equal(ana.l->again, 0); /* there is nothing that could have been sealed with it */
}

static void a_key_that_comes_late_opens_what_came_before(void **state)
{
    (void)state;
    make();
    struct al_buf first = cut_out(&ana, 1, al_log_head(ana.l->own));
    struct al_ref ref = note(&ana, "early");
    struct al_payload edit = desk_payload(AL_KIND_EDIT, "changed");
    edit.of = ref;
    struct al_ref edited = post(&ana, &edit);
    uint64_t head = al_log_head(ana.l->own);
    send_some(&ana, &ben, head - 1, head);
    assert_false(reads(&ben, &ref, "early"));
    uint64_t before = ben.l->pos;
    give(&ben, &first);
    assert_true(reads(&ben, &ref, "early"));
    struct seen seen = unlocked_since(&ben, before);
    assert_int_equal(seen.unlocked, 1);
    assert_int_equal(seen.log_no, al_logs_find(ben.l, &ref.device, &ref.log)->no);
    /* the node itself looks again, also after a restart */
    struct al_slice found;
    uint8_t key[64];
    memcpy(key, ref.id.b, 32);
    memcpy(key + 32, edited.id.b, 32);
    struct al_slice k = al_slice_of(key, sizeof(key));
    assert_int_equal(al_store_kv_get(ben.store, &found, AL_SPACE_EDIT, k), AL_E_NOT_FOUND);
    desk_reopen(&ben);
    assert_int_equal(ben.l->again, 1);
    assert_int_equal(al_apply_step(ben.l), 0);
    assert_int_equal(al_store_kv_get(ben.store, &found, AL_SPACE_EDIT, k), 0);
    assert_int_equal(ben.l->again, 0);
    desk_reopen(&ben);
    assert_int_equal(ben.l->again, 0);
}

static void a_long_log_is_looked_through_in_steps_over_its_holes(void **state)
{
    (void)state;
    make();
    for (int i = 0; i < 300; i++)
        (void)note(&ana, "early");
    uint64_t head = al_log_head(ana.l->own);
    send_some(&ana, &ben, 257, head);
    send_some(&ana, &ben, 65, 128);
    send_some(&ana, &ben, 1, 64);
    assert_int_equal(ben.l->again, 1);
    int steps = 0;
    for (; ben.l->again > 0; steps++)
        assert_int_equal(al_apply_step(ben.l), 0);
    assert_int_equal(steps, 2);
}

static enum al_circle_need needs(struct desk *d)
{
    return al_circle_needs(d->l->circles, circle_at(d), record_of, d);
}

static void a_wish_to_leave_reaches_the_owner(void **state)
{
    (void)state;
    make();
    send_all(&ana, &ben);
    struct al_payload p = desk_payload(AL_KIND_LEAVE, NULL);
    p.cid = al_slice_of(cid.b, sizeof(cid.b));
    (void)post(&ben, &p);
    send_all(&ben, &ana);
    assert_int_equal(needs(&ana), AL_CIRCLE_NEEDS_PARTING);
    desk_reopen(&ana);
    assert_int_equal(needs(&ana), AL_CIRCLE_NEEDS_PARTING);
    const struct al_circle_change next = {.circle = circle_at(&ana)};
    change(&next);
    assert_false(al_circle_has(circle_at(&ana), &ben.me.root.identity));
    assert_int_equal(needs(&ana), AL_CIRCLE_NEEDS_NOTHING);
}

static void a_wish_that_names_another_circle_is_none(void **state)
{
    static const uint8_t other[AL_CIRCLE_ID_BYTES] = {9};
    (void)state;
    make();
    send_all(&ana, &ben);
    struct al_payload p = desk_payload(AL_KIND_LEAVE, NULL);
    p.cid = al_slice_of(other, sizeof(other));
    (void)post(&ben, &p);
    send_all(&ben, &ana);
    assert_int_equal(needs(&ana), AL_CIRCLE_NEEDS_NOTHING);
}

static void a_choice_sealed_for_a_circle_is_no_choice(void **state)
{
    (void)state;
    char key[AL_RELATION_KEY_BYTES];
    uint8_t yes = 0xc3;
    struct al_buf map = al_heapbuf();
    static struct al_segment seg;
    static uint8_t space[AL_PAYLOAD_MAX];
    make();
    /* made by hand: al_append() would refuse it */
    struct al_payload p = desk_payload(AL_KIND_STATE, NULL);
    al_apply_relation_key(key, "follow", &ben.me.root.identity);
    p.audience = AL_AUDIENCE_ME;
    p.key = al_slice_str(key);
    p.val = al_slice_of(&yes, 1);
    assert_int_equal(al_payload_encode(&map, &p), 0);
    uint8_t nonce[AL_NONCE_BYTES] = {1}, one[1];
    const uint8_t *epoch = al_circles_key(ana.l->circles, circle_at(&ana));
    sample_segment(&seg, &ana.me.as_sample, 1, NULL, 1, one, 1, 1);
    struct al_place place = {.device = seg.device, .log = seg.log, .seq = 1, .prev = seg.prev};
    struct al_buf payload = al_buf_fixed(space, sizeof(space));
    assert_int_equal(al_sealed_encode(&payload, epoch, nonce, &place, al_buf_slice(&map)), 0);
    seg.items[0].payload = al_buf_slice(&payload);
    sample_sign(&seg, &ana.me.as_sample);
    assert_int_equal(desk_ingest(&ana, &seg), 0);
    assert_false(al_logs_person(ana.l, &ben.me.root.identity)->follow);
    al_heapbuf_free(&map);
}

static void a_reply_in_a_circle_leaves_no_edge(void **state)
{
    (void)state;
    struct al_slice found;
    uint8_t key[64];
    make();
    struct al_ref ref = note(&ana, "question");
    struct al_payload p = desk_payload(AL_KIND_REPLY, "answer");
    p.re = p.rt = ref;
    struct al_ref reply = post(&ana, &p);
    memcpy(key, ref.id.b, 32);
    memcpy(key + 32, reply.id.b, 32);
    assert_int_equal(
        al_store_kv_get(ana.store, &found, AL_SPACE_REPLY, al_slice_of(key, sizeof(key))),
        AL_E_NOT_FOUND);
}

/* The last entry of ana's own log. */
static struct al_ref last_of_ana(void)
{
    struct al_log *log = ana.l->own;
    struct al_store_row row;
    assert_int_equal(al_store_get(ana.store, &row, log->no, al_log_head(log)), 0);
    return (struct al_ref){.device = log->device, .log = log->name, .seq = row.seq, .id = row.id};
}

static void what_is_written_again_is_sealed_again(void **state)
{
    (void)state;
    make();
    struct al_circle_change next = {
        .circle = circle_at(&ana), .name = al_slice_str("crew"), .history = true};
    (void)note(&ana, "old");
    change(&next);
    (void)note(&ana, "new");
    ana.l->own->hold = 0;
    assert_int_equal(al_logs_rewrite(ana.l, ana.l->own, 1, ana.now), 0);
    assert_int_equal(ana.l->aside, 0);
    struct al_ref again = last_of_ana();
    assert_int_equal(again.seq, 4);
    assert_true(reads(&ana, &again, "new"));
    assert_string_equal(circle_at(&ana)->name, "crew");
    assert_int_equal(circle_at(&ana)->n, 2);
    assert_int_equal(circle_at(&ana)->heads, 1);
    /* others understand it, too: places, parents and earlier keys fit */
    send_all(&ana, &ben);
    assert_int_equal(circle_at(&ben)->heads, 1);
    assert_true(reads(&ben, &again, "new"));
    again.seq = 2;
    assert_true(reads(&ben, &again, "old"));
    desk_reopen(&ana);
    assert_int_equal(circle_at(&ana)->n, 2);
}

static void leaving_by_choice_is_kept(void **state)
{
    (void)state;
    char key[AL_LEFT_KEY_BYTES];
    uint8_t value = 1;
    make();
    send_all(&ana, &ben);
    struct al_payload p = desk_payload(AL_KIND_STATE, NULL);
    al_apply_left_key(key, &ana.me.root.identity, &cid);
    p.audience = AL_AUDIENCE_ME;
    p.key = al_slice_str(key);
    p.val = al_slice_of(&value, 1);
    assert_false(circle_at(&ben)->left);
    assert_int_equal(desk_append(&ben, NULL, &p), 0);
    assert_true(circle_at(&ben)->left);
    desk_reopen(&ben);
    assert_true(circle_at(&ben)->left);
}

int main(void)
{
#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        DESK_TEST(what_a_member_writes_is_read_by_the_other),
        DESK_TEST(who_makes_a_circle_knows_it_at_once_and_tells_the_views),
        DESK_TEST(a_key_that_comes_late_opens_what_came_before),
        DESK_TEST(a_long_log_is_looked_through_in_steps_over_its_holes),
        DESK_TEST(a_wish_to_leave_reaches_the_owner),
        DESK_TEST(a_wish_that_names_another_circle_is_none),
        DESK_TEST(a_choice_sealed_for_a_circle_is_no_choice),
        DESK_TEST(a_reply_in_a_circle_leaves_no_edge),
        DESK_TEST(what_is_written_again_is_sealed_again),
        DESK_TEST(leaving_by_choice_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
