#include "apply.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "apply_int.h"
#include "attach.h"
#include "check.h"
#include "hash.h"
#include "heapbuf.h"
#include "id.h"
#include "limit.h"
#include "read.h"
#include "sealed.h"
#include "write.h"

#define STATE_VALUE_MAX 512

void al_apply_relation_key(char *out, const char *relation, const struct al_identity *identity)
{
    char text[AL_ID_TEXT];
    al_id_text(text, identity->b);
    (void)snprintf(out, AL_RELATION_KEY_BYTES, "%s/%s", relation, text);
}

/* --- own choices --------------------------------------------------------------------------- */

int al_apply_choose(struct al_logs *l, struct al_slice key, struct al_slice value)
{
    const uint8_t *slash = key.n == 0 ? NULL : memchr(key.p, '/', key.n);
    if (slash == NULL)
        return 0;
    struct al_slice relation = al_slice_of(key.p, (size_t)(slash - key.p));
    struct al_slice text = al_slice_of(slash + 1, key.n - relation.n - 1);
    struct al_identity identity;
    struct al_read r = al_read_init(value);
    if (al_slice_is(relation, AL_STATE_LEFT))
        return choose_left(l, text, value);
    if (al_id_parse_full(identity.b, text) != 0 || al_read_peek(&r) != AL_TYPE_BOOL)
        return 0;
    bool on = al_read_bool(&r);
    struct al_person *p;
    int err = al_logs_person_add(l, &p, &identity);
    if (err != 0)
        return err;
    l->relations_changed = true;
    if (al_slice_is(relation, "follow"))
        p->follow = on;
    else if (al_slice_is(relation, "admit"))
        p->admit = on;
    else if (al_slice_is(relation, "block"))
        p->block = on;
    return 0;
}

/* Read [time_ms, id, value] of AL_SPACE_STATE. */
static int state_open(
    uint64_t *ret_time, struct al_hash *ret_id, struct al_slice *ret_value, struct al_slice bytes)
{
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 3, 3);
    *ret_time = al_read_uint(&r, AL_TIME_MAX);
    al_read_bytes(&r, ret_id->b, sizeof(ret_id->b));
    *ret_value = al_read_raw(&r);
    return al_read_end(&r) == 0 ? 0 : AL_E_CORRUPT;
}

int al_apply_chosen_ms(struct al_logs *l, uint64_t *ret, struct al_slice key)
{
    struct al_slice bytes;
    struct al_slice value;
    struct al_hash id;
    int err = al_store_kv_get(l->store, &bytes, AL_SPACE_STATE, key);
    *ret = 0;
    if (err == AL_E_NOT_FOUND)
        return 0;
    return err != 0 ? err : state_open(ret, &id, &value, bytes);
}

static int apply_state(
    struct al_logs *l, uint64_t time_ms, const struct al_hash *id, const struct al_payload *p)
{
    struct al_slice old;
    int err = al_store_kv_get(l->store, &old, AL_SPACE_STATE, p->key);
    if (err == 0) {
        uint64_t old_time;
        struct al_hash old_id;
        struct al_slice old_value;
        err = state_open(&old_time, &old_id, &old_value, old);
        if (err != 0)
            return err;
        if (old_time > time_ms ||
            (old_time == time_ms && memcmp(old_id.b, id->b, sizeof(id->b)) >= 0))
            return 0; /* a later choice stands */
    } else if (err != AL_E_NOT_FOUND) {
        return err;
    }
    uint8_t bytes[STATE_VALUE_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 3);
    al_write_uint(&b, time_ms);
    al_write_bin(&b, id->b, sizeof(id->b));
    al_write_raw(&b, p->val);
    if (b.full)
        return 0; /* larger than any choice of ours: left to whoever knows it */
    err = al_store_kv_put(l->store, AL_SPACE_STATE, p->key, al_buf_slice(&b));
    if (err == 0)
        err = al_store_change(l->store, &l->pos, AL_CHANGE_STATE, 0, 0);
    if (err == 0)
        err = al_apply_choose(l, p->key, p->val);
    return err;
}

static int load_state(void *arg, struct al_slice key, struct al_slice value)
{
    uint64_t time_ms;
    struct al_hash id;
    struct al_slice chosen;
    int err = state_open(&time_ms, &id, &chosen, value);
    return err != 0 ? err : al_apply_choose(arg, key, chosen);
}

/* --- retractions --------------------------------------------------------------------------- */

/*
 * Retractions are kept by target and retractor, as anybody can name any target, and by where they
 * stand, as one that ceases to count is undone.
 */
#define RETRACTION_BYTES 64
#define RETRACTION_KEY_BYTES (RETRACTION_BYTES + 32 + 8 + 8)
#define EDIT_KEY_BYTES 64

static void retraction_key(
    uint8_t out[RETRACTION_BYTES], const struct al_hash *target, const struct al_person *by)
{
    memcpy(out, target->b, 32);
    memcpy(out + 32, by->identity.b, 32);
}

static int load_retraction(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    (void)value;
    return key.n != RETRACTION_KEY_BYTES ? AL_E_CORRUPT : al_map_put(l->retracted, key.p, l);
}

int al_apply_load(struct al_logs *l)
{
    int err =
        al_store_kv_scan(l->store, AL_SPACE_RETRACT, al_slice_of(NULL, 0), load_retraction, l);
    if (err == 0)
        err = al_store_kv_scan(l->store, AL_SPACE_STATE, al_slice_of(NULL, 0), load_state, l);
    if (err == 0)
        err = load_again(l);
    if (err == 0)
        err = al_apply_members(l);
    return err;
}

/* |ret_circle| is the circle that it was sealed for, and in which epoch; NULL in it when none. */
static int read_payload(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    struct al_unsealed *ret_un, const struct al_log *log, const struct al_place *place,
    struct al_slice payload)
{
    struct al_sealed sealed;
    *ret_clear = NULL;
    *ret_un = (struct al_unsealed){.n = 0};
    if (!al_payload_is_sealed(payload))
        return al_payload_open(ret, payload, false);
    int err = al_sealed_open(&sealed, payload);
    if (err != 0)
        return err;
    uint8_t *inner = malloc(sealed.box.n);
    if (inner == NULL)
        return AL_E_NOMEM;
    err = al_circles_decrypt(l->circles, inner, ret_un, &sealed, place, &log->person->identity);
    if (err == 0)
        err = al_payload_open(ret, al_slice_of(inner, ret_un->n), true);
    if (err == 0 && ret_un->circle != NULL)
        ret->audience = AL_AUDIENCE_CIRCLE;
    if (err != 0)
        free(inner);
    else
        *ret_clear = inner;
    return err;
}

int al_apply_read(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_log *log, const struct al_place *place, struct al_slice payload)
{
    struct al_unsealed un;
    return read_payload(l, ret, ret_clear, &un, log, place, payload);
}

int al_apply_read_for(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_circle **ret_circle, const struct al_log *log, const struct al_place *place,
    struct al_slice payload)
{
    struct al_unsealed un;
    int err = read_payload(l, ret, ret_clear, &un, log, place, payload);
    *ret_circle = err == 0 ? un.circle : NULL;
    return err;
}

/* What others build upon can't be taken back: it would change who reads, and what was taken back.
 */
static bool can_be_retracted(const struct al_payload *p)
{
    return p->kind != AL_KIND_CIRCLE && p->kind != AL_KIND_RETRACT && p->kind != AL_KIND_STATE;
}

/* Drop the payload of |seq| if the entry held there is the one that was retracted. */
static int drop_retracted(
    struct al_logs *l, const struct al_log *log, uint64_t seq, const struct al_hash *id)
{
    struct al_store_row row;
    struct al_place place = {.device = log->device, .log = log->name, .seq = seq};
    struct al_payload p;
    uint8_t *clear;
    if (!al_log_holds(log, seq))
        return 0;
    int err = al_log_prev(l, &place.prev, log, seq);
    if (err == 0)
        err = al_store_get(l->store, &row, log->no, seq);
    if (err != 0 || !al_hash_eq(&row.id, id) || row.payload.n == 0)
        return err;
    err = al_apply_read(l, &p, &clear, log, &place, row.payload);
    bool drop = err != 0 || can_be_retracted(&p);
    free(clear);
    if (err == AL_E_NOMEM || !drop)
        return err == AL_E_NOMEM ? err : 0;
    err = al_attach_forget_row(l, log, &row);
    if (err == 0)
        err = al_store_payload_drop(l->store, log->no, seq);
    return err != 0 ? err : al_store_position(l->store, &l->pos);
}

bool al_apply_is_retracted(
    const struct al_logs *l, const struct al_hash *id, const struct al_person *by)
{
    uint8_t key[RETRACTION_BYTES];
    if (al_map_count(l->retracted) == 0)
        return false;
    retraction_key(key, id, by);
    return al_map_get(l->retracted, key) != NULL;
}

/* Anybody can name any target: only those of one person are collected. */
struct edits {
    const struct al_logs *l;
    const struct al_person *by;
    struct al_buf refs;
};

static int collect_edit(void *arg, struct al_slice key, struct al_slice value)
{
    struct edits *e = arg;
    struct al_ref ref;
    struct al_read r = al_read_init(value);
    al_read_ref(&r, &ref);
    if (key.n != EDIT_KEY_BYTES || al_read_end(&r) != 0)
        return AL_E_CORRUPT;
    const struct al_log *log = al_logs_find(e->l, &ref.device, &ref.log);
    if (log != NULL && log->person == e->by)
        al_buf_put(&e->refs, &ref, sizeof(ref));
    return e->refs.full ? AL_E_NOMEM : 0;
}

int al_apply_edits(struct al_logs *l, const struct al_hash *target, const struct al_person *by,
    int (*cb)(void *arg, const struct al_ref *edit), void *arg)
{
    struct edits e = {.l = l, .by = by, .refs = al_heapbuf()};
    int err = al_store_kv_scan(
        l->store, AL_SPACE_EDIT, al_slice_of(target->b, sizeof(target->b)), collect_edit, &e);
    for (size_t at = 0; err == 0 && at < e.refs.n; at += sizeof(struct al_ref)) {
        struct al_ref ref;
        memcpy(&ref, e.refs.p + at, sizeof(ref));
        err = cb(arg, &ref);
    }
    al_heapbuf_free(&e.refs);
    return err;
}

static int drop_edit(void *arg, const struct al_ref *edit)
{
    struct al_logs *l = arg;
    const struct al_log *log = al_logs_find(l, &edit->device, &edit->log);
    return drop_retracted(l, log, edit->seq, &edit->id);
}

/* It counts only for the retractor's own entries, and takes what they were changed into along. */
static int apply_retract(
    struct al_logs *l, struct al_log *log, uint64_t seq, const struct al_payload *p)
{
    uint8_t key[RETRACTION_KEY_BYTES];
    uint8_t bytes[128];
    struct al_buf of = al_buf_fixed(bytes, sizeof(bytes));
    bool known = al_apply_is_retracted(l, &p->of.id, log->person);
    retraction_key(key, &p->of.id, log->person);
    memcpy(key + RETRACTION_BYTES, log->device.b, 32);
    memcpy(key + RETRACTION_BYTES + 32, log->name.b, 8);
    al_u64be(key + RETRACTION_BYTES + 40, seq);
    al_write_ref(&of, &p->of);
    int err = al_store_kv_put(
        l->store, AL_SPACE_RETRACT, al_slice_of(key, sizeof(key)), al_buf_slice(&of));
    if (err != 0 || known)
        return err; /* all of it is gone, and what still comes goes as it comes */
    err = al_map_put(l->retracted, key, l);
    struct al_log *target = al_logs_find(l, &p->of.device, &p->of.log);
    if (err == 0 && target != NULL && target->person == log->person)
        err = drop_retracted(l, target, p->of.seq, &p->of.id);
    if (err == 0)
        err = al_apply_edits(l, &p->of.id, log->person, drop_edit, l);
    return err;
}

/* Remember it for the retraction of its target, which may have come first. */
static int apply_edit(struct al_logs *l, struct al_log *log, uint64_t seq, const struct al_hash *id,
    const struct al_payload *p)
{
    struct al_ref ref = {.device = log->device, .log = log->name, .seq = seq, .id = *id};
    uint8_t key[EDIT_KEY_BYTES];
    memcpy(key, p->of.id.b, 32);
    memcpy(key + 32, id->b, 32);
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_ref(&b, &ref);
    int err =
        al_store_kv_put(l->store, AL_SPACE_EDIT, al_slice_of(key, sizeof(key)), al_buf_slice(&b));
    if (err == 0 && al_apply_is_retracted(l, &p->of.id, log->person))
        err = drop_retracted(l, log, seq, id);
    return err;
}

/* --- the rest ------------------------------------------------------------------------------ */

static int apply_reply(struct al_logs *l, struct al_log *log, uint64_t seq,
    const struct al_hash *id, const struct al_payload *p)
{
    uint8_t key[64];
    memcpy(key, p->re.id.b, 32);
    memcpy(key + 32, id->b, 32);
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_ref ref = {.device = log->device, .log = log->name, .seq = seq, .id = *id};
    al_write_ref(&b, &ref);
    return al_store_kv_put(
        l->store, AL_SPACE_REPLY, al_slice_of(key, sizeof(key)), al_buf_slice(&b));
}

/* That it is there is all that anybody asks. */
static int apply_source(struct al_logs *l, struct al_slice src)
{
    struct al_hash key;
    al_hash1(&key, AL_P_SOURCE, src.p, src.n);
    return al_store_kv_put(
        l->store, AL_SPACE_SOURCE, al_slice_of(key.b, sizeof(key.b)), al_slice_str("1"));
}

int al_apply_source(struct al_logs *l, bool *ret_known, struct al_slice src)
{
    struct al_hash key;
    struct al_slice value;
    al_hash1(&key, AL_P_SOURCE, src.p, src.n);
    int err = al_store_kv_get(l->store, &value, AL_SPACE_SOURCE, al_slice_of(key.b, sizeof(key.b)));
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    *ret_known = err == 0;
    return 0;
}

/* The name in the newest own profile, in whatever order they come. */
static int apply_profile(struct al_logs *l, uint64_t time_ms, const struct al_payload *p)
{
    struct al_slice named;
    uint8_t now[8];
    int err = al_store_kv_get(l->store, &named, AL_SPACE_META, al_slice_str(AL_META_NAMED));
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    if (err == 0 && named.n == sizeof(now) && al_u64be_read(named.p) > time_ms)
        return 0;
    al_u64be(now, time_ms);
    err = al_store_kv_put(
        l->store, AL_SPACE_META, al_slice_str(AL_META_NAMED), al_slice_of(now, sizeof(now)));
    if (err == 0)
        err = al_store_kv_put(l->store, AL_SPACE_META, al_slice_str(AL_META_OWN_NAME), p->name);
    return err;
}

int al_apply_open(struct al_logs *l, struct al_log *log, uint64_t seq, uint64_t time_ms,
    const struct al_hash *id, const struct al_payload *p)
{
    bool mine = log->person == l->self;
    bool open = p->audience == AL_AUDIENCE_NETWORK || p->audience == AL_AUDIENCE_WEB;
    int err = 0;
    if (p->kind == AL_KIND_RETRACT && open)
        err = apply_retract(l, log, seq, p);
    if (p->kind == AL_KIND_CIRCLE && open)
        err = apply_circle(l, log, seq, id, p);
    bool gone = p->kind == AL_KIND_EDIT && al_apply_is_retracted(l, &p->of.id, log->person);
    if (p->kind == AL_KIND_EDIT)
        err = apply_edit(l, log, seq, id, p);
    if (err == 0 && p->files.n > 0 && !gone)
        err = al_attach_note(l, log, id, p);
    if (err == 0 && p->re.seq != 0 && open)
        err = apply_reply(l, log, seq, id, p);
    if (err == 0 && mine && p->kind == AL_KIND_STATE && p->audience == AL_AUDIENCE_ME)
        err = apply_state(l, time_ms, id, p);
    if (err == 0 && mine && p->kind == AL_KIND_PROFILE)
        err = apply_profile(l, time_ms, p);
    if (err == 0 && mine && p->src.n > 0)
        err = apply_source(l, p->src);
    return err;
}

/* A wish that counts for the circle whose key it was sealed with. */
static int apply_leave(struct al_logs *l, const struct al_log *log, const struct al_unsealed *un,
    const struct al_payload *p)
{
    if (un->circle == NULL || memcmp(un->circle->cid.b, p->cid.p, sizeof(un->circle->cid.b)) != 0)
        return 0;
    return al_circles_take_leave(l->circles, un->circle, &log->person->identity, un->epoch);
}

int al_apply_payload(struct al_logs *l, struct al_log *log, const struct al_place *place,
    uint64_t time_ms, const struct al_hash *id, struct al_slice payload)
{
    struct al_payload p;
    struct al_unsealed un;
    uint8_t *clear;
    bool retracted = al_apply_is_retracted(l, id, log->person);
    int err = read_payload(l, &p, &clear, &un, log, place, payload);
    if (err == AL_E_NOMEM)
        return err;
    if (retracted && (err != 0 || can_be_retracted(&p)))
        err = drop_retracted(l, log, place->seq, id);
    else if (err == 0 && p.kind == AL_KIND_LEAVE)
        err = apply_leave(l, log, &un, &p);
    else if (err == 0)
        err = al_apply_open(l, log, place->seq, time_ms, id, &p);
    else
        err = 0; /* it is data */
    free(clear);
    return err;
}
