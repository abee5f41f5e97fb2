/*
 * Writes the kept corpora from valid encodings: make_corpus FOLDER makes FOLDER/TARGET/NAME.
 * Run again when a format changes; run.sh adds what the fuzzers find only when asked to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "circle.h"
#include "entry.h"
#include "fuzz.h"
#include "id.h"
#include "proof.h"
#include "rpc.h"
#include "sample.h"
#include "sample_wire.h"
#include "sealed.h"
#include "statement.h"
#include "ticket.h"
#include "write.h"

static const char *root;

/* Write FOLDER/target/name: |first| (unless negative) and |bytes|. */
static void keep(const char *target, const char *name, int first, struct al_slice bytes)
{
    char path[4096];
    AL_ASSERT(mkdir(root, 0755) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof(path), "%s/%s", root, target);
    AL_ASSERT(mkdir(path, 0755) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", root, target, name);
    FILE *file = fopen(path, "wb");
    AL_ASSERT(file != NULL);
    if (first >= 0)
        (void)fputc(first, file);
    (void)fwrite(bytes.p, 1, bytes.n, file);
    AL_ASSERT(fclose(file) == 0);
}

static void make_entries(void)
{
    struct al_header h = {.seq = 1, .plen = 1};
    struct al_buf b = fuzz_buf();
    al_header_encode(&b, &h);
    keep("entry", "least", -1, al_buf_slice(&b));
    keep("scan", "header", -1, al_buf_slice(&b));
    memset(&h, 0xff, sizeof(h));
    h.seq = AL_SEQ_MAX;
    h.time_ms = AL_TIME_MAX;
    h.plen = AL_PAYLOAD_MAX;
    b = fuzz_buf();
    al_header_encode(&b, &h);
    keep("entry", "greatest", -1, al_buf_slice(&b));
}

/* A run of |count| entries whose payloads have |size| bytes; every third becomes a stub. */
static void sample_run(struct al_segment *s, uint64_t first, uint32_t count, size_t size)
{
    static uint8_t payloads[AL_BLOCK_ENTRIES * 256];
    struct sample_person p = sample_person(1);
    sample_segment(s, &p, first, NULL, count, payloads, size, 5);
    for (uint32_t i = 2; i < count; i += 3) {
        s->items[i].payload = al_slice_of(NULL, 0);
        s->items[i].stub = i % 2 == 0 ? AL_STUB_ASK : AL_STUB_NOT_HELD;
    }
}

static void make_segments(void)
{
    static const struct {
        const char *name;
        uint64_t first;
        uint32_t count;
        size_t size;
    } runs[] = {
        {"one", 1, 1, 1},
        {"few", 2, 5, 40},
        {"block", 65, 64, 3},
        {"last", AL_SEQ_MAX - 1, 2, 200},
    };
    static struct al_segment s;
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        sample_run(&s, runs[i].first, runs[i].count, runs[i].size);
        s.items[0].time_ms = i == 3 ? AL_TIME_MAX : s.items[0].time_ms;
        struct al_buf b = fuzz_buf();
        al_segment_encode(&b, &s);
        keep("segment", runs[i].name, -1, al_buf_slice(&b));
    }
}

static void make_forks(void)
{
    static struct al_segment x, y;
    uint8_t space[8192];
    sample_run(&x, 1, 2, 9);
    sample_run(&y, 1, 3, 9);
    y.items[1].time_ms += 5;
    struct sample_person p = sample_person(1);
    sample_sign(&y, &p);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_fork_encode(&b, &x, &y);
    keep("fork", "proof", 0, al_buf_slice(&b));
    keep("fork", "pair", 1, al_buf_slice(&b));
    keep("scan", "fork", -1, al_buf_slice(&b));
}

static void make_excerpt(void)
{
    static struct al_segment s;
    struct sample_person p = sample_person(1);
    sample_run(&s, 1, 3, 30);
    s.items[0].payload = al_slice_of(NULL, 0);
    s.items[0].stub = AL_STUB_NOT_HELD;
    struct al_buf b = fuzz_buf();
    al_write_array(&b, 2);
    al_write_array(&b, 1);
    al_statement_encode_cert(&b, &p.identity, p.root_secret, &p.device, p.device_secret,
        SAMPLE_TIME, al_slice_str("desk"));
    al_segment_encode(&b, &s);
    keep("excerpt", "one", -1, al_buf_slice(&b));
}

/* Keep the statement in |b| and, for the fuzzer to work on, its body alone. */
static void keep_statement(const char *name, const struct al_buf *b)
{
    char body[64];
    struct al_statement s;
    AL_ASSERT(al_statement_open(&s, al_buf_slice(b)) == 0);
    keep("statement", name, 0, al_buf_slice(b));
    (void)snprintf(body, sizeof(body), "%s-body", name);
    keep("statement", body, 1, s.body);
}

static void make_statements(void)
{
    struct sample_person p = sample_person(1);
    struct al_buf b = fuzz_buf();
    al_statement_encode_cert(&b, &p.identity, p.root_secret, &p.device, p.device_secret,
        SAMPLE_TIME, al_slice_str("laptop"));
    keep_statement("cert", &b);
    const struct al_cut cuts[] = {{.log = {{1}}, .seq = 1}, {.log = {{2}}, .seq = AL_SEQ_MAX}};
    b = fuzz_buf();
    al_statement_encode_revoke(&b, &p.identity, p.root_secret, &p.device, cuts, 2);
    keep_statement("revoke", &b);
    const struct al_read_box boxes[] = {{.device = {{1}}}, {.device = {{2}}}};
    static const uint8_t read_pk[32] = {9};
    b = fuzz_buf();
    al_statement_encode_read(&b, &p.identity, p.root_secret, 1, read_pk, boxes, 2);
    keep_statement("read", &b);
}

static void make_messages(void)
{
    static uint8_t list_space[16384];
    for (uint64_t type = 0; type < 64; type++) {
        struct al_message m;
        struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
        if (!sample_message(&m, type, &lists))
            continue;
        struct al_buf b = fuzz_buf();
        al_message_encode(&b, &m);
        keep("message", al_message_name(m.type), -1, al_buf_slice(&b));
        if (type == AL_MSG_RECONCILE)
            keep("scan", "reconcile", -1, al_buf_slice(&b));
    }
    keep("message", "unknown", -1, al_slice_str("\x93\xcd\x01\x01\xc3\xa1x"));
}

static void make_payloads(void)
{
    for (enum al_kind kind = AL_KIND_PROFILE; kind < AL_KIND_COUNT; kind++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            char name[64];
            struct al_buf b = fuzz_buf();
            if (!sample_payload(&b, kind, sealed == 1))
                continue;
            (void)snprintf(
                name, sizeof(name), "%s%s", al_kind_name(kind), sealed == 1 ? "-sealed" : "");
            keep("payload", name, sealed, al_buf_slice(&b));
            if (kind == AL_KIND_LINK || kind == AL_KIND_CIRCLE)
                keep("scan", name, -1, al_buf_slice(&b));
        }
    }
    keep("payload", "api", 2,
        al_slice_str("\x83\xa4text\xa2hi\xa1k\xa4note\xa4tags\x92\xa2zz\xa1"
                     "b"));
    keep("payload", "unknown-sealed", 1, al_slice_str("\x82\xa1k\xa5later\xa4text\xa1x"));
    keep("payload", "api-files", 2,
        al_slice_str("\x83\xa4text\xa2hi\xa1k\xa4note\xa5"
                     "files\x91\xc4\x01x"));
}

static void make_circles(void)
{
    static const uint8_t key[AL_EPOCH_KEY_BYTES] = {1};
    struct al_buf b = fuzz_buf();
    AL_ASSERT(sample_payload(&b, AL_KIND_CIRCLE, false));
    keep("circle", "entry", 0, al_buf_slice(&b));
    const struct al_member members[] = {
        {.identity = {{1}}, .in = true, .changed = 1, .generation = 1},
        {.identity = {{2}}, .changed = 300},
        {.identity = {{3}}, .in = true, .changed = UINT64_MAX, .generation = 64},
    };
    const struct al_circle_meta meta = {
        .name = al_slice_str("lunch"), .members = members, .count = 3};
    b = fuzz_buf();
    al_circle_meta_encode(&b, &meta);
    keep("circle", "meta", 1, al_buf_slice(&b));
    keep("scan", "circle-meta", -1, al_buf_slice(&b));
    const struct al_ref epoch = sample_ref(5);
    b = fuzz_buf();
    al_circle_old_encode(&b, key, &epoch);
    keep("circle", "old", 2, al_buf_slice(&b));
    uint8_t box[AL_CIRCLE_BOX_BYTES];
    al_circle_box_fake(box, key);
    keep("circle", "box", 3, al_slice_of(box, sizeof(box)));
}

static void make_attachments(void)
{
    struct al_buf b = fuzz_buf();
    keep("attachment", "two", 0, sample_files(&b));
    keep("attachment", "piece", 1, al_slice_str("the clear bytes of a piece"));
}

static void make_sealed(void)
{
    static const uint8_t key[32] = {1};
    static const uint8_t nonce[AL_NONCE_BYTES] = {7};
    static const struct al_place place = {.seq = 1};
    struct al_buf b = fuzz_buf();
    AL_ASSERT(al_sealed_encode(&b, key, nonce, &place, al_slice_str("\x80")) == 0);
    keep("sealed", "one", 0, al_buf_slice(&b));
    keep("sealed", "inner", 1, al_slice_str("\x82\xa1k\xa4note\xa4text\xa2hi"));
}

static void make_tickets(void)
{
    struct sample_person p = sample_person(1);
    struct al_invite invite = {.identity = p.identity,
        .device = p.device,
        .addresses = {al_slice_str("192.0.2.7:4747"), al_slice_str("[2001:db8::1]:80")},
        .address_count = 2,
        .expires_s = 1800000000};
    char text[AL_TICKET_MAX];
    al_network_public(&invite.network);
    AL_ASSERT(al_invite_text(text, sizeof(text), &invite) == 0);
    keep("ticket", "invite", 0, al_slice_str(text));

    struct al_address_record record = {.device = p.device, .counter = 300, .address_count = 1};
    record.addresses[0] = invite.addresses[0];
    struct al_buf b = fuzz_buf();
    al_address_record_encode(&b, &record, p.device_secret);
    keep("ticket", "record", 2, al_buf_slice(&b));
    keep("ticket", "record-body", 3, al_slice_of(b.p + 3, b.p[2])); /* behind 92 c4 n */

    b = fuzz_buf();
    al_write_array(&b, 7);
    al_write_uint(&b, 1);
    al_write_bin(&b, invite.network.b, 32);
    al_write_bin(&b, invite.identity.b, 32);
    al_write_bin(&b, invite.device.b, 32);
    al_write_array(&b, 1);
    al_write_str(&b, invite.addresses[0]);
    al_write_bin(&b, invite.token, sizeof(invite.token));
    al_write_uint(&b, 5);
    keep("ticket", "invite-array", 1, al_buf_slice(&b));

    keep("ticket", "address", 4, invite.addresses[0]);
    keep("ticket", "address-v6", 4, invite.addresses[1]);
    keep("ticket", "address-host", 4, al_slice_str("kai.example.org"));
    const struct al_device device = {{1}};
    const struct al_network network = {{2}};
    uint8_t beacon[AL_BEACON_BYTES];
    al_beacon_encode(beacon, &device, &network, 3, 4747);
    keep("ticket", "beacon", 5, al_slice_of(beacon, sizeof(beacon)));
}

static void make_rpc(void)
{
    static const struct al_rpc_error error = {.code = AL_E_NOT_FOUND};
    struct al_slice params = al_slice_str("\x82\xa5query\xa5tag:c\xa5limit\x32");
    struct al_buf b = fuzz_buf();
    al_rpc_request(&b, 1, "search", params);
    keep("rpc", "request", -1, al_buf_slice(&b));
    al_rpc_request(&b, 2, "status", al_slice_of(NULL, 0));
    keep("rpc", "two", -1, al_buf_slice(&b));
    b = fuzz_buf();
    al_rpc_response(&b, 1, params);
    al_rpc_error_response(&b, 2, &error);
    al_rpc_notification(&b, "rows", params);
    keep("rpc", "answers", -1, al_buf_slice(&b));
    keep("rpc", "array", -1, al_slice_str("\x94\xcc\0\x01\xa4stop\x91\x80"));
    keep("rpc", "part", -1, al_slice_str("\x94\x01\x01\xc0\xc6"));
    keep("scan", "rpc", -1, al_buf_slice(&b));
}

static void make_ids(void)
{
    uint8_t bytes[32];
    char text[AL_ID_TEXT];
    sample_bytes(bytes, sizeof(bytes), 1);
    al_id_text(text, bytes);
    keep("id", "full", -1, al_slice_str(text));
    keep("id", "prefix", -1, al_slice_str("q7xk"));
    keep("id", "alike", -1, al_slice_str("OILoil"));
}

/* Steps of a peer, as fuzz_engine.c numbers them. */
static void make_sessions(void)
{
    static const struct {
        const char *name;
        size_t n;
        uint8_t steps[24];
    } sessions[] = {
        {"catch-up", 12, {6, 0, 1, 245, 9, 0, 9, 0, 9, 0, 2, 10}},
        {"fork", 10, {8, 0, 8, 1, 15, 1, 8, 2, 2, 10}},
        {"payload", 7, {8, 128, 11, 1, 0, 2, 10}},
        {"own-heads", 12, {7, 2, 0, 7, 200, 1, 9, 3, 2, 255, 16, 2}},
        {"lies", 14, {5, 15, 128, 246, 130, 246, 132, 246, 9, 1, 9, 1, 9, 1}},
        {"statements", 13, {6, 0, 0, 7, 12, 0, 0, 0, 0, 1, 12, 1, 1}},
        {"serve", 15, {13, 2, 16, 201, 14, 1, 0, 14, 1, 64, 19, 0, 14, 1, 1}},
        {"bad-commit", 14, {8, 0, 17, 0, 0, 1, 1, 8, 2, 18, 0, 0, 1, 8}},
        {"samples", 20, {3, 4, 0, 3, 1, 0, 3, 10, 1, 0, 9, 3, 3, 16, 2, 0, 1, 2, 0, 9}},
    };
    for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++)
        keep("engine", sessions[i].name, -1, al_slice_of(sessions[i].steps, sessions[i].n));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_corpus FOLDER\n");
        return 2;
    }
    root = argv[1];
    make_entries();
    make_segments();
    make_forks();
    make_excerpt();
    make_statements();
    make_messages();
    make_payloads();
    make_circles();
    make_attachments();
    make_sealed();
    make_tickets();
    make_rpc();
    make_ids();
    make_sessions();
    return 0;
}
