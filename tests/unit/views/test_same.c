/*
 * Whatever happens in the store: views that saw it happen give the answers of views made from what
 * is there at the end. And whatever order the same facts come in, the same is there at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "heapbuf.h"
#include "read.h"
#include "rng.h"
#include "rpc.h"
#include "shelfrig.h"

#define T SAMPLE_TIME
#define REFS_MAX 400
#define RUNS 10 /* ALOUD_RUNS plays more, ALOUD_RUN only one */
#define DEEDS 60
#define ROWS_MAX 512

/* What a log's entries have become by what was said of them. */
struct said {
    uint64_t frozen, hidden; /* 0: not */
};

struct world {
    struct rig r;
    struct al_rng rng;
    struct al_ref refs[REFS_MAX];
    uint8_t authors[REFS_MAX];
    size_t count;
    uint64_t now;
    struct said said[RIG_PEOPLE];
    struct al_buf gone[REFS_MAX]; /* payloads that were dropped */
    bool drops;                   /* the store drops what is retracted, as the node does */
};

static uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)al_rng_below(&w->rng, n);
}

static enum al_audience some_audience(struct world *w, int who)
{
    uint32_t dice = below(w, 6);
    if (dice == 0)
        return AL_AUDIENCE_WEB;
    return dice == 1 && who == 0 ? AL_AUDIENCE_ME : AL_AUDIENCE_NETWORK;
}

static uint32_t log_of(struct world *w, int who)
{
    struct al_store_log log;
    struct sample_person *p = &w->r.people[who];
    assert_int_equal(al_store_log_find(w->r.store, &log, &p->device, &p->log), 0);
    return log.no;
}

static void post(struct world *w, int who, struct al_payload p)
{
    if (w->count == REFS_MAX)
        return;
    w->refs[w->count] = rig_post(&w->r, who, p, w->now);
    w->authors[w->count++] = (uint8_t)who;
}

static void write_something(struct world *w, int who)
{
    static const char *const texts[] = {"loop one", "loop two", "another loop", "no such word"};
    static const char *const tags[] = {"c", "libuv", "sqlite"};
    struct al_payload p = rig_tagged(texts[below(w, 4)], tags[below(w, 3)]);
    p.audience = some_audience(w, who);
    if (w->count > 0 && below(w, 2) == 0) {
        p.kind = AL_KIND_REPLY;
        p.re = w->refs[below(w, (uint32_t)w->count)];
        p.rt = w->refs[below(w, (uint32_t)w->count)];
    }
    post(w, who, p);
}

static void name_oneself(struct world *w, int who)
{
    static const char *const names[] = {"kai", "kay", "lin", "noor"};
    struct al_payload p = {.kind = AL_KIND_PROFILE, .name = al_slice_str(names[below(w, 4)])};
    p.audience = AL_AUDIENCE_NETWORK;
    post(w, who, p);
}

static void drop(struct world *w, size_t i)
{
    struct al_store_row row;
    uint32_t log = log_of(w, w->authors[i]);
    int err = al_store_get(w->r.store, &row, log, w->refs[i].seq);
    if (err == AL_E_NOT_FOUND)
        return;
    assert_int_equal(err, 0);
    al_buf_put(&w->gone[i], row.payload.p, row.payload.n);
    assert_int_equal(al_store_begin(w->r.store), 0);
    assert_int_equal(al_store_payload_drop(w->r.store, log, w->refs[i].seq), 0);
    assert_int_equal(al_store_commit(w->r.store), 0);
}

/* Some entry, mostly one of |who|. */
static size_t some_entry(struct world *w, int who)
{
    size_t i = below(w, (uint32_t)w->count);
    for (int tries = 0; tries < 8 && w->authors[i] != who; tries++)
        i = below(w, (uint32_t)w->count);
    return i;
}

/* Also of what is not one's own, for other readers, of edits, or twice: that is what it is for. */
static void change_mind(struct world *w, int who)
{
    if (w->count == 0)
        return;
    size_t i = some_entry(w, who);
    struct al_payload p = {.kind = AL_KIND_EDIT, .of = w->refs[i]};
    p.audience = some_audience(w, who);
    p.text = al_slice_str(below(w, 2) == 0 ? "loop, edited" : "changed");
    if (below(w, 3) == 0) {
        p = (struct al_payload){.kind = AL_KIND_RETRACT, .of = w->refs[i]};
        p.audience = AL_AUDIENCE_NETWORK;
    }
    post(w, who, p);
    if (w->drops && p.kind == AL_KIND_RETRACT && w->authors[i] == who)
        drop(w, i);
}

/* --- what the store does -------------------------------------------------------------------- */

struct kept {
    struct al_store_item items[64];
    size_t at[64]; /* of each payload in |bytes| */
    uint32_t count;
    struct al_buf bytes;
};

static int keep(void *arg, const struct al_store_row *row)
{
    struct kept *k = arg;
    k->at[k->count] = k->bytes.n;
    al_buf_put(&k->bytes, row->payload.p, row->payload.n);
    k->items[k->count++] = (struct al_store_item){.time_ms = row->time_ms,
        .id = row->id,
        .plen = row->plen,
        .phash = row->phash,
        .payload = {NULL, row->payload.n}};
    return 0;
}

/* A block is taken out, and perhaps comes again. */
static void take_out(struct world *w, int who)
{
    uint32_t log = log_of(w, who);
    struct al_store *s = w->r.store;
    struct kept k = {.bytes = al_heapbuf()};
    struct al_store_log found;
    struct al_sig sig;
    struct al_hash genesis;
    uint64_t sig_seq;
    assert_int_equal(al_store_log_get(s, &found, log), 0);
    if (found.head_seq == 0 || found.head_seq > 64)
        return;
    assert_int_equal(al_store_entries(s, log, 1, 64, keep, &k), 0);
    for (uint32_t i = 0; i < k.count; i++)
        k.items[i].payload.p = k.bytes.p + k.at[i];
    assert_int_equal(al_store_sig(s, &sig_seq, &sig, log, found.head_seq), 0);
    assert_int_equal(al_store_begin(s), 0);
    assert_int_equal(al_store_remove(s, log, 1), 0);
    assert_int_equal(al_store_commit(s), 0);
    if (below(w, 2) == 0)
        rig_sync(&w->r, 5);
    al_entry_genesis(&genesis, &found.identity, &found.device, &found.log);
    uint64_t pos;
    assert_int_equal(al_store_begin(s), 0);
    assert_int_equal(al_store_put(s, &pos, log, 1, &genesis, k.items, k.count, &sig, w->now), 0);
    assert_int_equal(al_store_commit(s), 0);
    al_heapbuf_free(&k.bytes);
}

static void do_something(struct world *w)
{
    int who = (int)below(w, RIG_PEOPLE);
    w->now += below(w, 3); /* often at the same time */
    w->r.arrived = w->now + 1000;
    uint32_t dice = below(w, 20);
    if (dice < 8)
        write_something(w, who);
    else if (dice < 14)
        change_mind(w, who);
    else if (dice == 14)
        name_oneself(w, who);
    else if (dice == 15)
        rig_relate(&w->r, below(w, 2) == 0 ? "follow" : "mute", 1 + (int)below(w, 3),
            below(w, 2) == 0, w->now);
    else if (dice == 16)
        rig_change(&w->r, AL_CHANGE_FROZEN, log_of(w, who), w->said[who].frozen = below(w, 6));
    else if (dice < 19)
        rig_change(&w->r, AL_CHANGE_HIDDEN, log_of(w, who), w->said[who].hidden = 1 + below(w, 14));
    else
        take_out(w, who);
}

/* --- the comparison ------------------------------------------------------------------------- */

static void put(struct al_buf *b, const char *label, struct al_slice s)
{
    al_buf_put(b, label, strlen(label));
    al_buf_put(b, s.p, s.n);
}

static bool other_order; /* what is compared: then positions differ */

static void put_row(struct al_buf *b, struct al_slice row)
{
    struct al_read r = al_read_init(row);
    for (uint32_t n = al_read_map(&r, UINT32_MAX); n > 0; n--) {
        struct al_slice key = al_read_str(&r, 64);
        struct al_slice value = al_read_raw(&r);
        if (!other_order || !al_slice_is(key, "pos"))
            al_buf_put(b, value.p, value.n);
    }
    assert_int_equal(al_read_end(&r), 0);
}

static void put_rows(struct rig *r, struct al_buf *b, const char *label, const char *list_name)
{
    put(b, label, al_slice_of(NULL, 0));
    struct al_read list = al_read_init(rig_value(r, list_name));
    for (uint32_t n = al_read_array(&list, 0, UINT32_MAX); n > 0; n--)
        put_row(b, al_read_raw(&list));
}

static void ask_lists(struct rig *r, struct al_buf *b)
{
    assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(1000)), 0);
    put_rows(r, b, "timeline", "rows");
    for (size_t i = 0; i < RIG_PEOPLE; i++) {
        assert_int_equal(
            rig_ask(r, "timeline", "limit:u from:i", UINT64_C(1000), r->people[i].identity.b), 0);
        put_rows(r, b, "from", "rows");
        if (rig_ask(r, "profile", "identity:i", r->people[i].identity.b) == 0)
            put(b, "profile", al_buf_slice(&r->out)); /* else nothing of theirs has come yet */
    }
    assert_int_equal(rig_ask(r, "search", "query:s rank:b limit:u", "loop", 0, UINT64_C(1000)), 0);
    put_rows(r, b, "search", "rows");
    assert_int_equal(rig_ask(r, "search", "query:s limit:u", "tag:c", UINT64_C(1000)), 0);
    put_rows(r, b, "tag", "rows");
    assert_int_equal(rig_ask(r, "people", ""), 0);
    put(b, "people", rig_value(r, "people"));
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    for (size_t i = 0; i < rig_count(r, "tags"); i++) {
        struct al_slice tag = rig_at(r, "tags", i);
        put(b, map_str(tag, "tag"), al_rpc_param(tag, "count"));
    }
}

/* Where a payload is gone, only who saw it knows what it was, and where it stood in a thread. */
static void ask_one(struct rig *r, struct al_buf *b, const struct al_ref *ref, bool drops)
{
    int err = rig_ask(r, "show", "id:i", ref->id.b);
    put(b, "show", al_slice_of(&err, sizeof(err)));
    if (err != 0)
        return;
    struct al_slice row = rig_value(r, "row");
    const char *state = map_str(row, "state");
    bool gone = strcmp(state, "retracted") == 0 || strcmp(state, "missing") == 0;
    bool hidden = strcmp(state, "revoked") == 0;
    put(b, drops && gone ? "gone" : state, al_slice_of(NULL, 0));
    if (!drops || (!gone && !hidden))
        put_row(b, row);
    put_rows(r, b, "edits", "edits");
    if (!drops && rig_ask(r, "thread", "id:i", ref->id.b) == 0)
        put_rows(r, b, "thread", "rows");
}

static struct al_buf ask_all(struct world *w, struct rig *r)
{
    struct al_buf b = al_heapbuf();
    ask_lists(r, &b);
    for (size_t i = 0; i < w->count; i++)
        ask_one(r, &b, &w->refs[i], w->drops);
    return b;
}

/* For people: what stands around the first byte that differs. */
static void print_difference(const struct al_buf *a, const struct al_buf *b)
{
    size_t at = 0;
    while (at < a->n && at < b->n && a->p[at] == b->p[at])
        at++;
    const struct al_buf *both[] = {a, b};
    for (size_t k = 0; k < 2; k++) {
        char text[601];
        size_t n = 0;
        for (size_t i = at > 400 ? at - 400 : 0; i < both[k]->n && i < at + 200; i++)
            text[n++] = both[k]->p[i] >= ' ' && both[k]->p[i] < 127 ? (char)both[k]->p[i] : '.';
        text[n] = '\0';
        print_message("%s: %s\n", k == 0 ? "seen" : "made", text);
    }
}

static void compare_with(struct world *w, struct rig *other, uint64_t seed, const char *what)
{
    struct al_buf seen = ask_all(w, &w->r);
    struct al_buf made = ask_all(w, other);
    bool same = seen.n == made.n && memcmp(seen.p, made.p, seen.n) == 0;
    if (!same)
        print_difference(&seen, &made);
    al_heapbuf_free(&seen);
    al_heapbuf_free(&made);
    if (!same)
        fail_msg("seed %llu: the views %s differ after %zu entries", (unsigned long long)seed, what,
            w->count);
}

static void compare(struct world *w, uint64_t seed)
{
    struct rig twin;
    rig_sync(&w->r, 1 + below(w, 20));
    rig_twin(&twin, &w->r);
    compare_with(w, &twin, seed, "made from it");
    rig_twin_fini(&twin);
}

/* --- the same facts in another order ---------------------------------------------------------- */

enum what { HOLD, DROP, FREEZE, HIDE, CHOOSE };

struct fact {
    enum what what;
    int who;
    uint64_t seq;
    struct al_hash prev; /* of an entry that is to be held */
    struct al_store_item item;
    struct al_buf payload;
    uint64_t arrived_ms;
};

struct facts {
    struct world *w;
    struct fact all[2 * ROWS_MAX];
    size_t count;
    int who;
    struct al_hash prev;
};

static struct fact *add_fact(struct facts *f, enum what what, int who, uint64_t seq)
{
    assert_true(f->count < 2 * ROWS_MAX);
    struct fact *new = &f->all[f->count++];
    *new = (struct fact){.who = who, .seq = seq, .payload = al_heapbuf()};
    new->what = what;
    return new;
}

static int add_row(void *arg, const struct al_store_row *row)
{
    struct facts *f = arg;
    struct fact *new = add_fact(f, HOLD, f->who, row->seq);
    new->prev = f->prev;
    new->arrived_ms = row->arrived_ms;
    new->item = (struct al_store_item){
        .time_ms = row->time_ms, .id = row->id, .plen = row->plen, .phash = row->phash};
    al_buf_put(&new->payload, row->payload.p, row->payload.n);
    for (size_t i = 0; row->payload.n == 0 && i < f->w->count; i++) {
        if (!al_hash_eq(&f->w->refs[i].id, &row->id))
            continue;
        al_buf_put(&new->payload, f->w->gone[i].p, f->w->gone[i].n);
        (void)add_fact(f, DROP, f->who, row->seq);
    }
    f->prev = row->id;
    return 0;
}

static void gather(struct facts *f, struct world *w)
{
    f->w = w;
    f->count = 0;
    for (f->who = 0; f->who < RIG_PEOPLE; f->who++) {
        struct al_store_log log;
        const struct said *said = &w->said[f->who];
        uint32_t no = log_of(w, f->who);
        assert_int_equal(al_store_log_get(w->r.store, &log, no), 0);
        al_entry_genesis(&f->prev, &log.identity, &log.device, &log.log);
        if (log.head_seq > 0)
            assert_int_equal(al_store_entries(w->r.store, no, 1, log.head_seq, add_row, f), 0);
        if (said->frozen != 0)
            (void)add_fact(f, FREEZE, f->who, said->frozen);
        if (said->hidden != 0)
            (void)add_fact(f, HIDE, f->who, said->hidden);
    }
    (void)add_fact(f, CHOOSE, 0, 0);
    for (size_t i = f->count; i > 1; i--) {
        size_t k = below(w, (uint32_t)i);
        struct fact swap = f->all[k];
        f->all[k] = f->all[i - 1];
        f->all[i - 1] = swap;
    }
}

static void hold(struct rig *r, uint32_t log, struct fact *f)
{
    struct al_sig sig;
    uint64_t pos;
    f->item.payload = al_buf_slice(&f->payload);
    al_entry_sign(&sig, r->people[f->who].device_secret, &f->item.id);
    assert_int_equal(
        al_store_put(r->store, &pos, log, f->seq, &f->prev, &f->item, 1, &sig, f->arrived_ms), 0);
}

/* Whoever knows of the retraction first takes the entry without what it said. */
static void drop_here(struct facts *f, struct rig *r, uint32_t log, uint64_t seq, int who)
{
    struct al_store_row row;
    int err = al_store_get(r->store, &row, log, seq);
    if (err == 0) {
        assert_int_equal(al_store_payload_drop(r->store, log, seq), 0);
        return;
    }
    assert_int_equal(err, AL_E_NOT_FOUND);
    for (size_t i = 0; i < f->count; i++) {
        if (f->all[i].what == HOLD && f->all[i].who == who && f->all[i].seq == seq)
            f->all[i].payload.n = 0;
    }
}

struct copy {
    struct al_store *to;
};

static int copy_choice(void *arg, struct al_slice key, struct al_slice value)
{
    const struct copy *c = arg;
    return al_store_kv_put(c->to, AL_SPACE_STATE, key, value);
}

static void learn(struct facts *f, struct rig *r, struct fact *fact)
{
    uint32_t log = rig_log(r, fact->who);
    struct copy c = {.to = r->store};
    uint64_t pos;
    assert_int_equal(al_store_begin(r->store), 0);
    switch (fact->what) {
    case HOLD:
        hold(r, log, fact);
        break;
    case DROP:
        drop_here(f, r, log, fact->seq, fact->who);
        break;
    case FREEZE:
    case HIDE:
        assert_int_equal(
            al_store_change(r->store, &pos,
                fact->what == HIDE ? AL_CHANGE_HIDDEN : AL_CHANGE_FROZEN, log, fact->seq),
            0);
        break;
    case CHOOSE:
        assert_int_equal(
            al_store_kv_scan(f->w->r.store, AL_SPACE_STATE, al_slice_of(NULL, 0), copy_choice, &c),
            0);
        assert_int_equal(al_store_change(r->store, &pos, AL_CHANGE_STATE, 0, 0), 0);
        break;
    }
    assert_int_equal(al_store_commit(r->store), 0);
}

static void compare_with_another_order(struct world *w, uint64_t seed)
{
    static struct facts f;
    struct rig other;
    rig_init(&other);
    gather(&f, w);
    for (size_t i = 0; i < f.count; i++) {
        learn(&f, &other, &f.all[i]);
        if (below(w, 8) == 0)
            rig_sync(&other, 1 + below(w, 10));
        if (below(w, 30) == 0)
            rig_tidy(&other);
    }
    rig_sync(&other, 1 + below(w, 20));
    other_order = true;
    compare_with(w, &other, seed, "of another order");
    other_order = false;
    for (size_t i = 0; i < f.count; i++)
        al_heapbuf_free(&f.all[i].payload);
    rig_fini(&other);
}

/* --- the runs --------------------------------------------------------------------------------- */

static void play(struct world *w, uint64_t seed)
{
    rig_init(&w->r);
    for (size_t i = 0; i < REFS_MAX; i++)
        w->gone[i] = al_heapbuf();
    for (int i = 0; i < DEEDS; i++) {
        do_something(w);
        if (below(w, 4) == 0)
            rig_sync(&w->r, 1 + below(w, 10));
        if (below(w, 16) == 0)
            rig_tidy(&w->r);
        if (i % 20 == 19)
            compare(w, seed);
    }
    compare_with_another_order(w, seed);
    for (size_t i = 0; i < REFS_MAX; i++)
        al_heapbuf_free(&w->gone[i]);
    rig_fini(&w->r);
}

static void run(bool drops)
{
    static struct world w;
    const char *only = getenv("ALOUD_RUN");
    const char *more = getenv("ALOUD_RUNS");
    unsigned long count = more == NULL ? RUNS : strtoul(more, NULL, 10);
    for (uint64_t seed = 1; seed <= count; seed++) {
        if (only != NULL && strtoul(only, NULL, 10) != seed)
            continue;
        w = (struct world){.now = T, .drops = drops};
        uint8_t key[32] = {(uint8_t)seed, drops, (uint8_t)(seed >> 8)};
        al_rng_init(&w.rng, key);
        play(&w, seed);
    }
}

static void views_that_saw_it_happen_are_those_made_at_the_end(void **state)
{
    (void)state;
    run(false);
}

static void so_are_they_when_payloads_are_dropped(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_that_saw_it_happen_are_those_made_at_the_end),
        cmocka_unit_test(so_are_they_when_payloads_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
