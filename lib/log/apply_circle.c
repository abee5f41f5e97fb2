/* Circles in the log: their entries, whom they make known, and what opens late. */
#include <stdlib.h>

#include "apply_int.h"
#include "check.h"
#include "id.h"
#include "read.h"

/* --- choices --------------------------------------------------------------------------------- */

static const char hex[] = "0123456789abcdef";

void al_apply_left_key(char *out, const struct al_identity *owner, const struct al_circle_id *cid)
{
    al_apply_relation_key(out, AL_STATE_LEFT, owner);
    char *at = out + strlen(out);
    *at++ = '/';
    for (size_t i = 0; i < sizeof(cid->b); i++) {
        *at++ = hex[cid->b[i] >> 4];
        *at++ = hex[cid->b[i] & 15];
    }
    *at = '\0';
}

/* Read IDENTITY/CID, what stands after `left/`. */
static int left_read(struct al_identity *owner, struct al_circle_id *cid, struct al_slice text)
{
    size_t id_n = AL_ID_TEXT - 1;
    if (text.n != id_n + 1 + 2 * sizeof(cid->b) || text.p[id_n] != '/')
        return AL_E_TEXT_FORM;
    for (size_t i = 0; i < sizeof(cid->b); i++) {
        const char *high = memchr(hex, text.p[id_n + 1 + 2 * i], 16);
        const char *low = memchr(hex, text.p[id_n + 2 + 2 * i], 16);
        if (high == NULL || low == NULL)
            return AL_E_TEXT_FORM;
        cid->b[i] = (uint8_t)((high - hex) << 4 | (low - hex));
    }
    return al_id_parse_full(owner->b, al_slice_of(text.p, id_n));
}

int choose_left(struct al_logs *l, struct al_slice key, struct al_slice value)
{
    struct al_identity owner;
    struct al_circle_id cid;
    struct al_read r = al_read_init(value);
    if (left_read(&owner, &cid, key) != 0)
        return 0;
    uint64_t n = al_read_peek(&r) == AL_TYPE_UINT ? al_read_uint(&r, UINT64_MAX) : 0;
    return al_circles_choose_left(l->circles, &owner, &cid, n);
}

/* --- what opens late ------------------------------------------------------------------------- */

#define AGAIN_KEY_BYTES (1 + 32 + 8)
#define AGAIN 'a' /* in AL_SPACE_CIRCLE, with device and log -> u64 the next entry to look at */
#define AGAIN_STEP 128

static void again_key(uint8_t out[AGAIN_KEY_BYTES], const struct al_log *log)
{
    out[0] = AGAIN;
    memcpy(out + 1, log->device.b, sizeof(log->device.b));
    memcpy(out + 33, log->name.b, sizeof(log->name.b));
}

static int save_again(struct al_logs *l, struct al_log *log, uint64_t seq)
{
    uint8_t bytes[AGAIN_KEY_BYTES];
    uint8_t value[8];
    struct al_slice key = al_slice_of(bytes, sizeof(bytes));
    again_key(bytes, log);
    al_u64be(value, seq);
    l->again -= log->again != 0;
    l->again += seq != 0;
    log->again = seq;
    return seq == 0
               ? al_store_kv_del(l->store, AL_SPACE_CIRCLE, key)
               : al_store_kv_put(l->store, AL_SPACE_CIRCLE, key, al_slice_of(value, sizeof(value)));
}

static int load_one_again(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    struct al_device device;
    struct al_logname name;
    if (key.n != AGAIN_KEY_BYTES || value.n != 8)
        return AL_E_CORRUPT;
    memcpy(device.b, key.p + 1, sizeof(device.b));
    memcpy(name.b, key.p + 33, sizeof(name.b));
    struct al_log *log = al_logs_find(l, &device, &name);
    if (log != NULL) {
        log->again = al_u64be_read(value.p);
        l->again += log->again != 0;
    }
    return 0;
}

int load_again(struct al_logs *l)
{
    uint8_t prefix = AGAIN;
    return al_store_kv_scan(l->store, AL_SPACE_CIRCLE, al_slice_of(&prefix, 1), load_one_again, l);
}

int al_apply_again(struct al_logs *l, struct al_log *log)
{
    if (log->held == 0)
        return 0;
    int err = al_store_change(l->store, &l->pos, AL_CHANGE_UNLOCKED, log->no, 0);
    return err != 0 ? err : save_again(l, log, 1);
}

/* Apply entry |seq| if it is sealed. The store may move its bytes meanwhile. */
static int apply_one_again(struct al_logs *l, struct al_log *log, uint64_t seq, uint8_t *space)
{
    struct al_store_row row;
    struct al_place place = {.device = log->device, .log = log->name, .seq = seq};
    int err = al_store_get(l->store, &row, log->no, seq);
    if (err != 0 || row.payload.n == 0 || !al_payload_is_sealed(row.payload))
        return err;
    AL_ASSERT(row.payload.n <= AL_PAYLOAD_MAX);
    struct al_slice payload = al_slice_of(space, row.payload.n);
    struct al_hash id = row.id;
    uint64_t time_ms = row.time_ms;
    memcpy(space, row.payload.p, row.payload.n);
    err = al_log_prev(l, &place.prev, log, seq);
    return err != 0 ? err : al_apply_payload(l, log, &place, time_ms, &id, payload);
}

static int step_log(struct al_logs *l, struct al_log *log, uint32_t *left, uint8_t *space)
{
    uint64_t seq = log->again;
    uint64_t head = al_log_head(log);
    int err = 0;
    for (; err == 0 && *left > 0 && seq <= head; seq++) {
        if (!al_log_holds(log, seq)) {
            uint32_t i = log->run_count; /* on to the next that is held */
            while (i > 0 && log->runs[i - 1].first <= seq)
                i--;
            seq = log->runs[i - 1].first - 1; /* one is above: the head is */
            continue;
        }
        (*left)--;
        err = apply_one_again(l, log, seq, space);
    }
    return err != 0 ? err : save_again(l, log, seq <= head ? seq : 0);
}

int al_apply_step(struct al_logs *l)
{
    struct al_map_walk walk = {.at = 0};
    uint32_t left = AGAIN_STEP;
    void *value;
    int err = 0;
    if (l->again == 0)
        return 0;
    uint8_t *space = malloc(AL_PAYLOAD_MAX);
    if (space == NULL)
        return AL_E_NOMEM;
    while (err == 0 && left > 0 && al_map_next(l->logs, &walk, NULL, &value)) {
        if (((struct al_log *)value)->again != 0)
            err = step_log(l, value, &left, space);
    }
    free(space);
    return err;
}

/* --- circle entries -------------------------------------------------------------------------- */

int al_apply_members(struct al_logs *l)
{
    for (size_t i = 0; i < al_circles_count(l->circles); i++) {
        const struct al_circle *circle = al_circles_at(l->circles, i);
        for (uint32_t k = 0; circle->member && k < circle->member_count; k++) {
            struct al_person *p;
            int err =
                circle->members[k].in ? al_logs_person_add(l, &p, &circle->members[k].identity) : 0;
            if (err != 0)
                return err;
        }
    }
    return 0;
}

/* Everybody who is or was in may have written what opens now. */
static int unlock_circle(struct al_logs *l, const struct al_circle *circle)
{
    for (uint32_t i = 0; i < circle->member_count; i++) {
        const struct al_person *p = al_logs_person(l, &circle->members[i].identity);
        for (uint32_t k = 0; p != NULL && k < p->log_count; k++) {
            int err = al_apply_again(l, p->logs[k]);
            if (err != 0)
                return err;
        }
    }
    return 0;
}

int al_apply_unlocked(struct al_logs *l)
{
    const struct al_circle *circle;
    int err = 0;
    while (err == 0 && (circle = al_circles_next_unlocked(l->circles)) != NULL)
        err = unlock_circle(l, circle);
    return err != 0 ? err : al_apply_members(l);
}

int apply_circle(struct al_logs *l, struct al_log *log, uint64_t seq, const struct al_hash *id,
    const struct al_payload *p)
{
    struct al_ref ref = {.device = log->device, .log = log->name, .seq = seq, .id = *id};
    struct al_place place = {.device = log->device, .log = log->name, .seq = seq};
    const struct al_identity *owner = &log->person->identity;
    int err = al_log_prev(l, &place.prev, log, seq);
    if (err == 0)
        err = al_circles_take(l->circles, owner, &ref, &place, p, l->now);
    if (err != 0)
        return err;
    if (!al_device_eq(&log->device, &l->keyring->device))
        return al_apply_unlocked(l);
    /* the key was made just now: nobody can have used it */
    while (al_circles_next_unlocked(l->circles) != NULL)
        continue;
    err = al_store_change(l->store, &l->pos, AL_CHANGE_UNLOCKED, log->no, 0);
    return err != 0 ? err : al_apply_members(l);
}
