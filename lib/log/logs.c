#include "logs.h"

#include <stdlib.h>

#include "apply.h"
#include "attach.h"
#include "check.h"
#include "heapbuf.h"
#include "read.h"
#include "rewrite.h"
#include "settle.h"

#define LOG_KEY_BYTES (32 + 8)
#define LEFT_BYTES (8 + 8) /* of AL_META_LEFT */
#define STATEMENT_KEY_BYTES (32 + 32)

/* What stands for the owner of a device that two identities claim: it counts for neither. */
static struct al_person disputed;

struct load {
    struct al_logs *l;
    struct al_log *log;
};

static void log_key(
    uint8_t out[LOG_KEY_BYTES], const struct al_device *device, const struct al_logname *name)
{
    memcpy(out, device->b, 32);
    memcpy(out + 32, name->b, 8);
}

static void statement_key(uint8_t out[STATEMENT_KEY_BYTES], const struct al_statement *s)
{
    memcpy(out, s->identity.b, 32);
    memcpy(out + 32, s->hash.b, 32);
}

struct al_person *al_logs_person(const struct al_logs *l, const struct al_identity *identity)
{
    return al_map_get(l->people, identity->b);
}

struct al_log *al_logs_find(
    const struct al_logs *l, const struct al_device *device, const struct al_logname *name)
{
    uint8_t key[LOG_KEY_BYTES];
    log_key(key, device, name);
    return al_map_get(l->logs, key);
}

struct al_person *al_logs_owner(const struct al_logs *l, const struct al_device *device)
{
    struct al_person *p = al_map_get(l->devices, device->b);
    return p == &disputed ? NULL : p;
}

static void person_free(struct al_person *p)
{
    if (p == NULL)
        return;
    al_record_free(p->record);
    free(p->logs);
    free(p);
}

int al_logs_person_add(
    struct al_logs *l, struct al_person **ret, const struct al_identity *identity)
{
    struct al_person *p = al_logs_person(l, identity);
    if (p != NULL) {
        *ret = p;
        return 0;
    }
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return AL_E_NOMEM;
    p->identity = *identity;
    p->record = al_record_new(identity);
    if (p->record == NULL || al_map_put(l->people, identity->b, p) != 0) {
        person_free(p);
        return AL_E_NOMEM;
    }
    *ret = p;
    return 0;
}

static int index_device(struct al_logs *l, const struct al_device *device, struct al_person *p)
{
    struct al_person *old = al_map_get(l->devices, device->b);
    if (old == p)
        return 0;
    return al_map_put(l->devices, device->b, old == NULL ? p : &disputed);
}

/* Index a verified statement. */
static int take_statement(
    struct al_logs *l, bool *ret_new, const struct al_statement *s, struct al_slice bytes)
{
    struct al_person *p;
    int err = al_logs_person_add(l, &p, &s->identity);
    if (err == 0)
        err = al_record_add(p->record, ret_new, s, bytes);
    if (err == 0 && s->kind == AL_STATEMENT_CERT)
        err = index_device(l, &s->device, p);
    return err;
}

int al_logs_learn(struct al_logs *l)
{
    bool is_new;
    al_keyring_learn(&l->keys, &is_new, l->self->record);
    int err = is_new ? al_circles_retry(l->circles, l->now) : 0;
    for (uint32_t i = 0; is_new && err == 0 && i < l->self->log_count; i++)
        err = al_apply_again(l, l->self->logs[i]);
    return err;
}

int al_logs_statement(struct al_logs *l, bool *ret_new, struct al_slice bytes)
{
    struct al_statement s;
    bool is_new = false;
    int err = al_statement_open(&s, bytes);
    if (err == 0)
        err = take_statement(l, &is_new, &s, bytes);
    if (err != 0)
        return err;
    if (is_new) {
        uint8_t key[STATEMENT_KEY_BYTES];
        l->said++;
        statement_key(key, &s);
        err = al_store_kv_put(l->store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)), bytes);
        if (err == 0)
            err = al_store_change(l->store, &l->pos, AL_CHANGE_PEOPLE, 0, 0);
        if (err == 0 && s.kind != AL_STATEMENT_READ)
            err = al_settle_device(l, al_logs_person(l, &s.identity), &s.device);
        if (err != 0)
            return err;
    }
    *ret_new = is_new;
    return is_new && al_identity_eq(&s.identity, &l->keyring->identity) ? al_logs_learn(l) : 0;
}

/* --- logs ---------------------------------------------------------------------------------- */

static void log_free(struct al_log *log)
{
    if (log == NULL)
        return;
    free(log->runs);
    free(log);
}

static int index_log(struct al_logs *l, struct al_log **ret, uint32_t no, struct al_person *p,
    const struct al_device *device, const struct al_logname *name)
{
    struct al_log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return AL_E_NOMEM;
    log->no = no;
    log->person = p;
    log->device = *device;
    log->name = *name;
    log->hold = AL_SEQ_MAX;
    al_settle_cut(log);
    if (p->log_count == p->log_cap) {
        uint32_t cap = p->log_cap == 0 ? 4 : p->log_cap * 2;
        struct al_log **logs = realloc(p->logs, cap * sizeof(struct al_log *));
        if (logs == NULL) {
            log_free(log);
            return AL_E_NOMEM;
        }
        p->logs = logs;
        p->log_cap = cap;
    }
    uint8_t key[LOG_KEY_BYTES];
    log_key(key, device, name);
    if (al_map_put(l->logs, key, log) != 0) {
        log_free(log);
        return AL_E_NOMEM;
    }
    p->logs[p->log_count++] = log;
    *ret = log;
    return 0;
}

bool al_logs_has_room(const struct al_person *person, const struct al_device *device)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < person->log_count; i++)
        n += al_device_eq(&person->logs[i]->device, device);
    return n < AL_LOGS_PER_DEVICE_MAX;
}

int al_logs_open(struct al_logs *l, struct al_log **ret, const struct al_device *device,
    const struct al_logname *name)
{
    struct al_log *log = al_logs_find(l, device, name);
    if (log == NULL) {
        struct al_person *p = al_logs_owner(l, device);
        if (p == NULL)
            return AL_E_NOT_CERTIFIED;
        if (!al_logs_has_room(p, device))
            return AL_E_LIMIT;
        uint32_t no;
        int err = al_store_log_add(l->store, &no, &p->identity, device, name);
        if (err == 0)
            err = index_log(l, &log, no, p, device, name);
        if (err != 0)
            return err;
    }
    *ret = log;
    return 0;
}

uint64_t al_log_head(const struct al_log *log)
{
    return log->run_count == 0 ? 0 : log->runs[0].last;
}

const struct al_store_run *al_log_run_at(const struct al_log *log, uint64_t seq)
{
    uint32_t low = 0;
    uint32_t high = log->run_count;
    while (low < high) { /* the first run, descending, that begins at or below |seq| */
        uint32_t mid = low + (high - low) / 2;
        if (log->runs[mid].first <= seq)
            high = mid;
        else
            low = mid + 1;
    }
    return low < log->run_count ? &log->runs[low] : NULL;
}

bool al_log_holds(const struct al_log *log, uint64_t seq)
{
    const struct al_store_run *run = al_log_run_at(log, seq);
    return run != NULL && seq <= run->last;
}

bool al_log_knows(const struct al_log *log, uint64_t seq)
{
    const struct al_store_run *run = al_log_run_at(log, seq + 1);
    return run != NULL && (run->first == seq + 1 || run->last >= seq);
}

int al_log_prev(struct al_logs *l, struct al_hash *ret, const struct al_log *log, uint64_t first)
{
    if (first == 1) {
        al_entry_genesis(ret, &log->person->identity, &log->device, &log->name);
        return 0;
    }
    const struct al_store_run *run = al_log_run_at(log, first);
    if (run != NULL && run->first == first) {
        *ret = run->prev;
        return 0;
    }
    if (first - 1 == al_log_head(log)) {
        *ret = log->head_id;
        return 0;
    }
    struct al_store_row row;
    int err = al_store_get(l->store, &row, log->no, first - 1);
    if (err == 0)
        *ret = row.id;
    return err;
}

int al_log_note_run(struct al_log *log, uint64_t first, uint64_t last, const struct al_hash *prev)
{
    uint32_t at = 0; /* where the new run belongs, descending */
    while (at < log->run_count && log->runs[at].first > last)
        at++;
    bool joins_above = at > 0 && log->runs[at - 1].first == last + 1;
    bool joins_below = at < log->run_count && log->runs[at].last + 1 == first;
    log->held += last - first + 1;
    if (joins_below) {
        log->runs[at].last = last;
        if (joins_above) {
            log->runs[at].last = log->runs[at - 1].last;
            memmove(
                &log->runs[at - 1], &log->runs[at], (log->run_count - at) * sizeof(log->runs[0]));
            log->run_count--;
        }
        return 0;
    }
    if (joins_above) {
        log->runs[at - 1].first = first;
        log->runs[at - 1].prev = *prev;
        return 0;
    }
    if (log->run_count == log->run_cap) {
        uint32_t cap = log->run_cap == 0 ? 1 : log->run_cap * 2;
        struct al_store_run *runs = realloc(log->runs, cap * sizeof(runs[0]));
        if (runs == NULL)
            return AL_E_NOMEM;
        log->runs = runs;
        log->run_cap = cap;
    }
    memmove(&log->runs[at + 1], &log->runs[at], (log->run_count - at) * sizeof(log->runs[0]));
    log->runs[at] = (struct al_store_run){.first = first, .last = last, .prev = *prev};
    log->run_count++;
    return 0;
}

/* Read the runs, the head and the count of |log| from the store again. */
static int reload_log(struct al_logs *l, struct al_log *log);

int al_log_take_out(struct al_logs *l, struct al_log *log, uint64_t seq)
{
    const struct al_store_run *run = al_log_run_at(log, seq);
    uint64_t block = al_block_of(seq);
    AL_ASSERT(run != NULL && run->last >= seq);
    uint64_t first = run->first > al_block_first(block) ? run->first : al_block_first(block);
    int err = al_attach_forget_block(l, log, first);
    if (err == 0)
        err = al_store_remove(l->store, log->no, first);
    if (err == 0)
        err = al_store_position(l->store, &l->pos);
    return err == 0 ? reload_log(l, log) : err;
}

uint64_t al_logs_cut(
    const struct al_person *person, const struct al_device *device, const struct al_logname *name)
{
    struct al_cut cut = {.seq = 0};
    switch (al_record_standing(person->record, &cut, device, name)) {
    case AL_STANDING_CERTIFIED:
        return AL_SEQ_MAX;
    case AL_STANDING_REVOKED:
        return cut.seq;
    case AL_STANDING_UNKNOWN:
        break;
    }
    return 0;
}

int al_logs_leave_own(struct al_logs *l)
{
    l->own = NULL;
    return al_store_kv_del(l->store, AL_SPACE_META, al_slice_str(AL_META_OWN_LOG));
}

int al_logs_left_save(struct al_logs *l)
{
    uint8_t value[LEFT_BYTES];
    const struct al_log *own = l->own;
    if (own == NULL || own->hold == AL_SEQ_MAX)
        return 0;
    memcpy(value, own->name.b, sizeof(own->name.b));
    al_u64be(value + sizeof(own->name.b), own->left);
    return al_store_kv_put(
        l->store, AL_SPACE_META, al_slice_str(AL_META_LEFT), al_slice_of(value, sizeof(value)));
}

int al_logs_left_forget(struct al_logs *l)
{
    return al_store_kv_del(l->store, AL_SPACE_META, al_slice_str(AL_META_LEFT));
}

int al_logs_acked_save(struct al_logs *l, const struct al_log *log)
{
    uint8_t key[LOG_KEY_BYTES];
    uint8_t value[8];
    log_key(key, &log->device, &log->name);
    al_u64be(value, log->acked);
    return al_store_kv_put(
        l->store, AL_SPACE_ACKED, al_slice_of(key, sizeof(key)), al_slice_of(value, sizeof(value)));
}

uint64_t al_logs_own_entries(const struct al_logs *l)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < l->self->log_count; i++)
        n += l->self->logs[i]->held;
    return n;
}

/* --- loading ------------------------------------------------------------------------------- */

static int load_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    struct al_statement s;
    bool is_new;
    uint8_t name[STATEMENT_KEY_BYTES];
    /* It was verified when it came in; its hash in the key tells whether it is still the same. */
    if (al_statement_read(&s, value) != 0)
        return AL_E_CORRUPT;
    statement_key(name, &s);
    if (key.n != sizeof(name) || memcmp(key.p, name, sizeof(name)) != 0)
        return AL_E_CORRUPT;
    return take_statement(l, &is_new, &s, value);
}

static int load_run(void *arg, const struct al_store_run *run)
{
    struct load *load = arg;
    return al_log_note_run(load->log, run->first, run->last, &run->prev);
}

static int reload_log(struct al_logs *l, struct al_log *log)
{
    struct load load = {.l = l, .log = log};
    struct al_store_log stored;
    int err = al_store_log_get(l->store, &stored, log->no);
    if (err != 0)
        return err;
    l->entries -= log->held;
    l->entries += stored.held;
    log->head_id = stored.head_id;
    log->run_count = 0;
    log->held = 0;
    err = al_store_runs(l->store, log->no, load_run, &load);
    return err == 0 ? al_store_position(l->store, &l->pos) : err;
}

static int collect_log(void *arg, const struct al_store_log *stored)
{
    struct al_logs *l = arg;
    struct al_person *p;
    int err = al_logs_person_add(l, &p, &stored->identity);
    struct al_log *log;
    if (err == 0)
        err = index_log(l, &log, stored->no, p, &stored->device, &stored->log);
    if (err != 0)
        return err;
    log->head_id = stored->head_id;
    l->entries += stored->held;
    return 0;
}

static int load_logs(struct al_logs *l)
{
    int err = al_store_logs(l->store, collect_log, l);
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (err == 0 && al_map_next(l->logs, &walk, NULL, &value)) {
        struct load load = {.l = l, .log = value};
        err = al_store_runs(l->store, load.log->no, load_run, &load);
    }
    return err;
}

static int load_fork(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    struct al_log *log = key.n == LOG_KEY_BYTES ? al_map_get(l->logs, key.p) : NULL;
    if (log != NULL && value.n >= 8)
        log->frozen = al_u64be_read(value.p);
    return 0;
}

static int load_acked(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_logs *l = arg;
    struct al_log *log = key.n == LOG_KEY_BYTES ? al_map_get(l->logs, key.p) : NULL;
    if (value.n != 8)
        return AL_E_CORRUPT;
    uint64_t seq = al_u64be_read(value.p);
    if (log != NULL)
        log->acked = seq < al_log_head(log) ? seq : al_log_head(log);
    return 0;
}

static int load_left(struct al_logs *l, struct al_log *own)
{
    struct al_slice left;
    int err = al_store_kv_get(l->store, &left, AL_SPACE_META, al_slice_str(AL_META_LEFT));
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    own->left = al_log_head(own);
    if (err == 0 && left.n != LEFT_BYTES)
        return AL_E_CORRUPT;
    if (err == 0 && memcmp(left.p, own->name.b, sizeof(own->name.b)) == 0) {
        uint64_t seq = al_u64be_read(left.p + sizeof(own->name.b));
        own->left = seq < own->left ? seq : own->left;
    }
    own->left = own->left < own->hold ? own->hold : own->left;
    return 0;
}

static int load_own_log(struct al_logs *l)
{
    struct al_slice name;
    int err = al_store_kv_get(l->store, &name, AL_SPACE_META, al_slice_str(AL_META_OWN_LOG));
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err != 0)
        return err;
    if (name.n != sizeof(struct al_logname))
        return AL_E_CORRUPT;
    struct al_logname log;
    memcpy(log.b, name.p, sizeof(log.b));
    l->own = al_logs_find(l, &l->keyring->device, &log);
    if (l->own == NULL)
        return 0;
    l->own->hold = l->own->acked; /* until it is known that nobody holds more of it */
    return load_left(l, l->own);
}

static int load_local_log(struct al_logs *l)
{
    struct al_slice name;
    int err = al_store_kv_get(l->store, &name, AL_SPACE_META, al_slice_str(AL_META_LOCAL_LOG));
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err != 0)
        return err;
    /* of the device that this was when the copy wrote */
    l->local = name.n == LOG_KEY_BYTES ? al_map_get(l->logs, name.p) : NULL;
    return l->local == NULL ? AL_E_CORRUPT : 0;
}

static int load(struct al_logs *l)
{
    int err =
        al_store_kv_scan(l->store, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), load_statement, l);
    if (err != 0)
        return err;
    l->self = al_logs_owner(l, &l->keyring->device);
    if (l->self == NULL || !al_identity_eq(&l->self->identity, &l->keyring->identity))
        return AL_E_NOT_INITIALISED;
    bool is_new;
    al_keyring_learn(&l->keys, &is_new, l->self->record);
    err = load_logs(l);
    if (err == 0)
        err = al_store_kv_scan(l->store, AL_SPACE_FORK, al_slice_of(NULL, 0), load_fork, l);
    if (err == 0)
        err = al_store_kv_scan(l->store, AL_SPACE_ACKED, al_slice_of(NULL, 0), load_acked, l);
    if (err == 0)
        err = al_circles_new(&l->circles, l->store, l->keyring);
    if (err == 0)
        err = al_apply_load(l);
    if (err == 0)
        err = load_own_log(l);
    if (err == 0)
        err = load_local_log(l);
    if (err == 0)
        err = al_rewrite_load(l);
    if (err == 0)
        err = al_store_position(l->store, &l->pos);
    l->relations_changed = false; /* nobody knew of any before */
    return err;
}

int al_logs_new(struct al_logs **ret, struct al_store *store, const struct al_keyring *keyring,
    struct al_rng *rng)
{
    struct al_logs *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return AL_E_NOMEM;
    l->store = store;
    l->keys = *keyring;
    l->keyring = &l->keys;
    l->rng = rng;
    l->pieces = al_heapbuf();
    uint8_t key[16];
    al_rng_bytes(rng, key, sizeof(key));
    l->people = al_map_new(32, key);
    l->devices = al_map_new(32, key);
    l->logs = al_map_new(LOG_KEY_BYTES, key);
    l->retracted = al_map_new(64, key);
    bool complete =
        l->people != NULL && l->devices != NULL && l->logs != NULL && l->retracted != NULL;
    int err = complete ? load(l) : AL_E_NOMEM;
    if (err != 0) {
        al_logs_free(l);
        return err;
    }
    *ret = l;
    return 0;
}

void al_logs_free(struct al_logs *l)
{
    if (l == NULL)
        return;
    al_heapbuf_free(&l->pieces);
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (l->logs != NULL && al_map_next(l->logs, &walk, NULL, &value))
        log_free(value);
    walk = (struct al_map_walk){.at = 0};
    while (l->people != NULL && al_map_next(l->people, &walk, NULL, &value))
        person_free(value);
    al_circles_free(l->circles);
    al_map_free(l->people);
    al_map_free(l->devices);
    al_map_free(l->logs);
    al_map_free(l->retracted);
    al_keyring_wipe(&l->keys);
    free(l);
}
