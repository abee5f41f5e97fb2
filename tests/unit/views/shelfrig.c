#include "shelfrig.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "heapbuf.h"
#include "id.h"
#include "read.h"
#include "rpc.h"
#include "scan.h"
#include "sealed.h"
#include "write.h"

#define OK(expression) AL_ASSERT((expression) == 0)

static void open_views(struct rig *r)
{
    OK(al_store_open(&r->follower, r->log_path, AL_STORE_READ));
    OK(al_views_open(&r->views, r->views_path, r->follower, &r->keyring));
    OK(al_views_reader_open(&r->reader, r->views_path, r->log_path, &r->keyring));
}

static void close_views(struct rig *r)
{
    al_views_reader_close(r->reader);
    al_views_close(r->views);
    al_store_close(r->follower);
}

void rig_init(struct rig *r)
{
    *r = (struct rig){.salt = 1};
    (void)snprintf(r->dir, sizeof(r->dir), "%s", "/tmp/aloud-views-XXXXXX");
    AL_ASSERT(mkdtemp(r->dir) != NULL);
    (void)snprintf(r->log_path, sizeof(r->log_path), "%s/log.db", r->dir);
    (void)snprintf(r->views_path, sizeof(r->views_path), "%s/views.db", r->dir);
    OK(al_store_open(&r->store, r->log_path, AL_STORE_CREATE));
    OK(al_store_begin(r->store));
    for (int i = 0; i < RIG_PEOPLE; i++) {
        struct sample_person *p = &r->people[i];
        uint32_t no;
        *p = sample_person((uint64_t)i + 1);
        OK(al_store_log_add(r->store, &no, &p->identity, &p->device, &p->log));
    }
    OK(al_store_commit(r->store));
    uint8_t seed[32];
    uint8_t read_sk[32];
    sample_bytes(seed, sizeof(seed), 77);
    sample_bytes(read_sk, sizeof(read_sk), 78);
    OK(al_keyring_init(&r->keyring, &r->people[0].identity, seed, 1, read_sk));
    r->out = al_heapbuf();
    open_views(r);
}

void rig_fini(struct rig *r)
{
    close_views(r);
    al_store_close(r->store);
    al_heapbuf_free(&r->out);
    DIR *dir = opendir(r->dir);
    AL_ASSERT(dir != NULL);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[400];
        (void)snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
        (void)unlink(path);
    }
    (void)closedir(dir);
    (void)rmdir(r->dir);
}

void rig_sync(struct rig *r, uint32_t limit)
{
    uint64_t pos;
    bool more = true;
    while (more)
        OK(al_views_step(r->views, &pos, &more, limit));
}

void rig_tidy(struct rig *r)
{
    bool more = true;
    while (more)
        OK(al_views_tidy(r->views, &more));
}

void rig_reopen(struct rig *r)
{
    close_views(r);
    open_views(r);
    rig_sync(r, 1000);
}

void rig_rebuild(struct rig *r)
{
    close_views(r);
    OK(unlink(r->views_path));
    open_views(r);
    rig_sync(r, 1000);
}

void rig_twin(struct rig *twin, const struct rig *r)
{
    *twin = *r;
    (void)snprintf(twin->views_path, sizeof(twin->views_path), "%s/twin.db", r->dir);
    twin->out = al_heapbuf();
    open_views(twin);
    rig_sync(twin, 1000);
}

void rig_twin_fini(struct rig *twin)
{
    close_views(twin);
    al_heapbuf_free(&twin->out);
    OK(unlink(twin->views_path));
}

void rig_change(struct rig *r, enum al_change what, uint32_t log_no, uint64_t seq)
{
    uint64_t pos;
    OK(al_store_begin(r->store));
    OK(al_store_change(r->store, &pos, what, log_no, seq));
    OK(al_store_commit(r->store));
}

/* --- posting -------------------------------------------------------------------------------- */

static void encode(
    struct rig *r, struct al_buf *b, const struct al_payload *p, const struct al_place *place)
{
    if (p->raw.n > 0) {
        al_buf_put(b, p->raw.p, p->raw.n);
        return;
    }
    if (p->audience != AL_AUDIENCE_ME && p->audience != AL_AUDIENCE_CIRCLE) {
        OK(al_payload_encode(b, p));
        return;
    }
    struct al_buf inner = al_heapbuf();
    uint8_t nonce[AL_NONCE_BYTES];
    sample_bytes(nonce, sizeof(nonce), r->salt);
    struct al_payload clear = *p;
    if (p->kind == AL_KIND_STATE) /* also in a circle, where our own code would not put it */
        clear.audience = AL_AUDIENCE_ME;
    OK(al_payload_encode(&inner, &clear));
    const uint8_t *key = p->audience == AL_AUDIENCE_ME ? r->keyring.me_key : p->epoch_key;
    OK(al_sealed_encode(b, key, nonce, place, al_buf_slice(&inner)));
    al_heapbuf_free(&inner);
}

/* As the node does it: the latest choice stands. */
static void choose(struct rig *r, struct al_slice key, struct al_slice value,
    const struct al_ref *ref, uint64_t time_ms)
{
    struct al_slice old;
    struct al_read read;
    uint8_t room[256];
    uint64_t pos;
    struct al_buf b = al_buf_fixed(room, sizeof(room));
    if (al_store_kv_get(r->store, &old, AL_SPACE_STATE, key) == 0) {
        read = al_read_init(old);
        (void)al_read_array(&read, 3, 3);
        if (al_read_uint(&read, UINT64_MAX) > time_ms)
            return;
    }
    al_write_array(&b, 3);
    al_write_uint(&b, time_ms);
    al_write_bin(&b, ref->id.b, sizeof(ref->id.b));
    al_write_raw(&b, value);
    OK(al_store_begin(r->store));
    OK(al_store_kv_put(r->store, AL_SPACE_STATE, key, al_buf_slice(&b)));
    OK(al_store_change(r->store, &pos, AL_CHANGE_STATE, 0, 0));
    OK(al_store_commit(r->store));
}

struct al_place rig_place(struct rig *r, int who)
{
    const struct sample_person *person = &r->people[who];
    struct al_store_log log;
    OK(al_store_log_find(r->store, &log, &person->device, &person->log));
    struct al_place place = {.device = log.device, .log = log.log, .seq = log.head_seq + 1};
    if (log.head_seq == 0)
        al_entry_genesis(&place.prev, &log.identity, &log.device, &log.log);
    else
        place.prev = log.head_id;
    return place;
}

uint32_t rig_log(struct rig *r, int who)
{
    const struct sample_person *person = &r->people[who];
    struct al_store_log log;
    OK(al_store_log_find(r->store, &log, &person->device, &person->log));
    return log.no;
}

struct al_ref rig_post(struct rig *r, int who, struct al_payload p, uint64_t time_ms)
{
    const struct sample_person *person = &r->people[who];
    struct al_store_log log;
    OK(al_store_log_find(r->store, &log, &person->device, &person->log));
    struct al_place place = rig_place(r, who);
    sample_bytes(p.salt, sizeof(p.salt), r->salt++);
    struct al_buf payload = al_heapbuf();
    encode(r, &payload, &p, &place);
    struct al_store_item item = {.time_ms = time_ms, .payload = al_buf_slice(&payload)};
    item.plen = (uint32_t)payload.n;
    al_entry_payload_hash(&item.phash, item.payload);
    const struct al_header h = {.device = log.device,
        .log = log.log,
        .seq = place.seq,
        .time_ms = time_ms,
        .prev = place.prev,
        .plen = item.plen,
        .phash = item.phash};
    al_header_id(&item.id, &h);
    struct al_sig sig;
    al_entry_sign(&sig, person->device_secret, &item.id);
    uint64_t pos;
    OK(al_store_begin(r->store));
    OK(al_store_put(r->store, &pos, log.no, place.seq, &place.prev, &item, 1, &sig,
        r->arrived != 0 ? r->arrived++ : time_ms));
    OK(al_store_commit(r->store));
    al_heapbuf_free(&payload);
    struct al_ref ref = {log.device, log.log, place.seq, item.id};
    if (who == 0 && p.kind == AL_KIND_STATE)
        choose(r, p.key, p.val, &ref, time_ms);
    return ref;
}

struct al_ref rig_note(struct rig *r, int who, const char *text, uint64_t time_ms)
{
    struct al_payload p = {.kind = AL_KIND_NOTE, .text = al_slice_str(text)};
    p.audience = AL_AUDIENCE_NETWORK;
    return rig_post(r, who, p, time_ms);
}

struct al_ref rig_reply(
    struct rig *r, int who, const char *text, struct al_ref re, struct al_ref rt, uint64_t time_ms)
{
    struct al_payload p = {.kind = AL_KIND_REPLY, .text = al_slice_str(text), .re = re, .rt = rt};
    p.audience = AL_AUDIENCE_NETWORK;
    return rig_post(r, who, p, time_ms);
}

struct al_ref rig_retract(struct rig *r, int who, struct al_ref of, uint64_t time_ms)
{
    struct al_payload p = {.kind = AL_KIND_RETRACT, .of = of};
    p.audience = AL_AUDIENCE_NETWORK;
    return rig_post(r, who, p, time_ms);
}

struct al_ref rig_edit(struct rig *r, int who, struct al_ref of, const char *text, uint64_t time_ms)
{
    struct al_payload p = {.kind = AL_KIND_EDIT, .of = of, .text = al_slice_str(text)};
    p.audience = AL_AUDIENCE_NETWORK;
    return rig_post(r, who, p, time_ms);
}

static void state(
    struct rig *r, const char *relation, int who, struct al_slice value, uint64_t time_ms)
{
    char id[AL_ID_TEXT];
    char key[96];
    al_id_text(id, r->people[who].identity.b);
    (void)snprintf(key, sizeof(key), "%s/%s", relation, id);
    struct al_payload p = {.kind = AL_KIND_STATE, .key = al_slice_str(key), .val = value};
    p.audience = AL_AUDIENCE_ME;
    (void)rig_post(r, 0, p, time_ms);
}

void rig_relate(struct rig *r, const char *relation, int who, bool value, uint64_t time_ms)
{
    const uint8_t encoded = value ? 0xc3 : 0xc2;
    state(r, relation, who, al_slice_of(&encoded, 1), time_ms);
}

void rig_petname(struct rig *r, int who, const char *name, uint64_t time_ms)
{
    uint8_t room[80];
    struct al_buf b = al_buf_fixed(room, sizeof(room));
    al_write_cstr(&b, name);
    state(r, "petname", who, al_buf_slice(&b), time_ms);
}

struct al_payload rig_tagged(const char *text, const char *tag)
{
    struct al_payload p = {.kind = AL_KIND_NOTE, .text = al_slice_str(text), .tag_count = 1};
    p.audience = AL_AUDIENCE_NETWORK;
    p.tags[0] = al_slice_str(tag);
    return p;
}

/* --- asking --------------------------------------------------------------------------------- */

static void put_param(struct al_buf *b, char type, va_list *args)
{
    struct al_slice s;
    switch (type) {
    case 's':
        al_write_cstr(b, va_arg(*args, const char *));
        break;
    case 'u':
        al_write_uint(b, va_arg(*args, uint64_t));
        break;
    case 'b':
        al_write_bool(b, va_arg(*args, int) != 0);
        break;
    case 'i':
        al_write_bin(b, va_arg(*args, const uint8_t *), 32);
        break;
    default:
        s = va_arg(*args, struct al_slice);
        al_write_bin(b, s.p, s.n);
        break;
    }
}

int rig_ask(struct rig *r, const char *method, const char *format, ...)
{
    struct al_buf params = al_heapbuf();
    size_t count = 0;
    for (const char *p = format; *p != '\0'; p++)
        count += *p == ':' ? 1 : 0;
    al_write_map(&params, count);
    va_list args;
    va_start(args, format);
    for (const char *p = format; *p != '\0';) {
        const char *colon = strchr(p, ':');
        AL_ASSERT(colon != NULL);
        al_write_str(&params, al_slice_of(p, (size_t)(colon - p)));
        put_param(&params, colon[1], &args);
        p = colon + 2;
        p += *p == ' ' ? 1 : 0;
    }
    va_end(args);
    al_heapbuf_free(&r->out);
    r->out = al_heapbuf();
    struct al_now now = {.wall_ms = RIG_NOW};
    int err = al_views_query(
        r->reader, &r->out, r->why, al_slice_str(method), al_buf_slice(&params), now);
    AL_ASSERT(err == 0 || r->out.n == 0);
    if (err == 0)
        OK(al_scan(al_buf_slice(&r->out), &al_scan_rpc));
    al_heapbuf_free(&params);
    return err;
}

struct al_slice rig_value(struct rig *r, const char *key)
{
    struct al_slice s = al_rpc_param(al_buf_slice(&r->out), key);
    AL_ASSERT(s.n > 0);
    return s;
}

uint64_t rig_uint(struct rig *r, const char *key)
{
    return map_uint(al_buf_slice(&r->out), key);
}

size_t rig_count(struct rig *r, const char *key)
{
    struct al_read read = al_read_init(rig_value(r, key));
    return al_read_array(&read, 0, UINT32_MAX);
}

struct al_slice rig_at(struct rig *r, const char *key, size_t i)
{
    struct al_read read = al_read_init(rig_value(r, key));
    size_t count = al_read_array(&read, 0, UINT32_MAX);
    AL_ASSERT(i < count);
    while (i-- > 0)
        (void)al_read_raw(&read);
    return al_read_raw(&read);
}

const char *map_str(struct al_slice map, const char *key)
{
    static char text[8][70000];
    static unsigned turn;
    char *out = text[turn++ % 8];
    struct al_read read = al_read_init(al_rpc_param(map, key));
    struct al_slice s = al_read_str(&read, 69999);
    AL_ASSERT(read.err == 0);
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return out;
}

uint64_t map_uint(struct al_slice map, const char *key)
{
    struct al_read read = al_read_init(al_rpc_param(map, key));
    uint64_t v = al_read_uint(&read, UINT64_MAX);
    AL_ASSERT(read.err == 0);
    return v;
}

bool map_bool(struct al_slice map, const char *key)
{
    struct al_read read = al_read_init(al_rpc_param(map, key));
    bool v = al_read_bool(&read);
    AL_ASSERT(read.err == 0);
    return v;
}

struct al_slice map_bin(struct al_slice map, const char *key)
{
    struct al_read read = al_read_init(al_rpc_param(map, key));
    struct al_slice s = al_read_bin(&read, 0, SIZE_MAX);
    AL_ASSERT(read.err == 0);
    return s;
}

const char *rig_texts(struct rig *r)
{
    static char text[8][4096];
    static unsigned turn;
    char *out = text[turn++ % 8];
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < rig_count(r, "rows"); i++) {
        int k = snprintf(out + n, sizeof(text[0]) - n, "%s%s", i == 0 ? "" : "|",
            map_str(rig_at(r, "rows", i), "text"));
        AL_ASSERT(k >= 0 && (size_t)k < sizeof(text[0]) - n);
        n += (size_t)k;
    }
    return out;
}

bool rig_files_hold(struct rig *r, const char *text)
{
    static const char *const suffixes[] = {"", "-wal"};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s%s", r->views_path, suffixes[i]);
        FILE *f = fopen(path, "rb");
        if (f == NULL)
            continue;
        char *bytes = malloc(64 << 20);
        AL_ASSERT(bytes != NULL);
        size_t n = fread(bytes, 1, 64 << 20, f);
        (void)fclose(f);
        found = found || memmem(bytes, n, text, strlen(text)) != NULL;
        free(bytes);
    }
    return found;
}
