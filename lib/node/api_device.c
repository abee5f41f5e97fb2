/*
 * Calls about the own devices: devices, device_rename, device_revoke, device_rekey. The last two
 * need the root, which is made from the 24 words for as long as the call takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "node_int.h"
#include "phrase.h"
#include "statement.h"

#define DEVICE_NAME "device-name"
#define WORDS_MAX 1024

static int refuse(struct al_node *n, int err, const char *why, const char *hint)
{
    (void)strlcpy(n->why, why, sizeof(n->why));
    n->hint = hint;
    return err;
}

static bool is_revoked(const struct al_node *n, const struct al_device *device)
{
    return al_record_standing(n->logs->self->record, NULL, device, NULL) == AL_STANDING_REVOKED;
}

uint64_t node_count_devices(const struct al_node *n)
{
    uint64_t count = 0;
    const struct al_record *record = n->logs->self->record;
    for (size_t i = 0; i < al_record_devices(record); i++) {
        struct al_device device;
        struct al_slice name;
        al_record_device(record, i, &device, &name);
        count += !is_revoked(n, &device);
    }
    return count;
}

/* --- the list ------------------------------------------------------------------------------ */

static void name_key(char out[AL_RELATION_KEY_BYTES], const struct al_device *device)
{
    struct al_identity as; /* the text of 32 bytes, whatever they name */
    memcpy(as.b, device->b, sizeof(as.b));
    al_apply_relation_key(out, DEVICE_NAME, &as);
}

/* What the person calls |device|: a choice, else |certified|, the name it got when it was made. */
static int write_name(struct al_node *n, struct al_buf *out, const struct al_device *device,
    struct al_slice certified)
{
    char key[AL_RELATION_KEY_BYTES];
    struct al_slice state;
    name_key(key, device);
    int err = al_store_kv_get(n->store, &state, AL_SPACE_STATE, al_slice_str(key));
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    if (err == 0) {
        struct al_read r = al_read_init(state);
        (void)al_read_array(&r, 3, 3);
        (void)al_read_uint(&r, UINT64_MAX);
        (void)al_read_bin(&r, 32, 32);
        struct al_slice chosen = al_read_str(&r, AL_NAME_MAX);
        if (r.err == 0 && chosen.n > 0)
            certified = chosen;
    }
    al_write_cstr(out, "name");
    al_write_str(out, certified);
    return 0;
}

struct tally {
    uint64_t logs, entries, last_ms;
};

static int count_logs(struct al_node *n, struct tally *out, const struct al_device *device)
{
    *out = (struct tally){.logs = 0};
    for (uint32_t i = 0; i < n->logs->self->log_count; i++) {
        const struct al_log *log = n->logs->self->logs[i];
        struct al_store_row row;
        if (!al_device_eq(&log->device, device) || log->held == 0)
            continue;
        out->logs++;
        out->entries += log->held;
        int err = al_store_get(n->store, &row, log->no, al_log_head(log));
        if (err != 0)
            return err;
        if (row.time_ms > out->last_ms)
            out->last_ms = row.time_ms;
    }
    return 0;
}

static void write_uint(struct al_buf *out, const char *key, uint64_t v)
{
    al_write_cstr(out, key);
    al_write_uint(out, v);
}

static void write_bool(struct al_buf *out, const char *key, bool v)
{
    al_write_cstr(out, key);
    al_write_bool(out, v);
}

static int write_device(struct al_node *n, struct al_buf *out, size_t i)
{
    const struct al_record *record = n->logs->self->record;
    struct al_device device;
    struct al_slice name;
    struct al_statement cert;
    struct tally tally;
    al_record_device(record, i, &device, &name);
    int err = al_statement_read(&cert, al_record_cert(record, &device));
    if (err == 0)
        err = count_logs(n, &tally, &device);
    if (err != 0)
        return err;
    al_write_map(out, 8);
    al_write_cstr(out, "device");
    al_write_bin(out, device.b, sizeof(device.b));
    write_bool(out, "this", al_device_eq(&device, &n->opts.keyring->device));
    write_bool(out, "revoked", is_revoked(n, &device));
    write_uint(out, "created", cert.created_ms);
    write_uint(out, "logs", tally.logs);
    write_uint(out, "entries", tally.entries);
    write_uint(out, "last", tally.last_ms);
    return write_name(n, out, &device, name);
}

int api_devices(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_reading reading;
    size_t count = al_record_devices(n->logs->self->record);
    (void)call;
    (void)params;
    al_record_reading(n->logs->self->record, &reading);
    al_write_map(out, 4);
    al_write_cstr(out, "devices");
    al_write_array(out, count);
    int err = 0;
    for (size_t i = 0; err == 0 && i < count; i++)
        err = write_device(n, out, i);
    write_uint(out, "generation", reading.generation);
    write_bool(out, "unsafe", reading.unsafe);
    write_bool(out, "copy", n->logs->copy);
    return err;
}

/* The own device that a call names. */
static int param_device(struct al_node *n, struct al_device *ret, struct al_slice params)
{
    if (param_bytes(ret->b, sizeof(ret->b), params, "device") != 0)
        return AL_E_PARAMS;
    if (al_record_cert(n->logs->self->record, ret).n == 0)
        return refuse(n, AL_E_NOT_FOUND, "that is no device of yours", "aloud device ls");
    return 0;
}

int api_device_rename(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_device device;
    struct al_identity as;
    struct al_slice name;
    uint8_t bytes[AL_NAME_MAX + 8];
    struct al_buf value = al_buf_fixed(bytes, sizeof(bytes));
    (void)call;
    int err = param_device(n, &device, params);
    if (err == 0 && (param_str(&name, AL_NAME_MAX, params, "name") != 0 || name.n == 0))
        err = refuse(n, AL_E_PARAMS, "a name has 1 to 64 bytes", NULL);
    if (err != 0)
        return err;
    al_write_str(&value, name);
    memcpy(as.b, device.b, sizeof(as.b));
    err = node_choose(n, DEVICE_NAME, &as, al_buf_slice(&value));
    al_write_map(out, 1);
    write_uint(out, "pos", n->logs->pos);
    return err;
}

/* --- the words ----------------------------------------------------------------------------- */

/* Make the root from the words of a call; it is to be wiped in any case. */
static int param_root(struct al_node *n, struct al_root *ret, struct al_slice params)
{
    uint8_t entropy[AL_ENTROPY_BYTES] = {0};
    struct al_slice words;
    size_t where = 0;
    if (param_str(&words, WORDS_MAX, params, "words") != 0)
        return refuse(n, AL_E_PARAMS, "the 24 words are needed for that", NULL);
    int err = al_phrase_parse(entropy, &where, words);
    if (err == AL_E_PHRASE_WORD)
        (void)snprintf(n->why, sizeof(n->why), "word %zu is not on the list", where);
    else if (err == AL_E_COUNT)
        (void)snprintf(n->why, sizeof(n->why), "there are %zu words, not 24", where);
    else if (err == AL_E_PHRASE_CHECKSUM)
        (void)snprintf(n->why, sizeof(n->why),
            "each word is on the list, but one is another, or two have changed places");
    if (err == 0) {
        al_root_derive(ret, entropy);
        if (!al_identity_eq(&ret->identity, &n->opts.keyring->identity))
            err = refuse(n, AL_E_IDENTITY, "these words belong to somebody else", NULL);
    }
    explicit_bzero(entropy, sizeof(entropy));
    return err;
}

/* Take in what the root has just said, and tell everybody. */
static int publish(struct al_node *n, const struct al_buf *statement)
{
    bool is_new;
    if (statement->full)
        return AL_E_LENGTH;
    int err = al_logs_statement(n->logs, &is_new, al_buf_slice(statement));
    return err == 0 ? al_gossip_record_changed(n->gossip, n->logs->self) : err;
}

/* --- the reading key ----------------------------------------------------------------------- */

static uint32_t next_generation(const struct al_node *n)
{
    uint32_t published = al_record_read_generation(n->logs->self->record);
    uint32_t held = n->logs->keyring->generation;
    return (published > held ? published : held) + 1;
}

/* A box of |read_sk| for each device that counts, ascending; |without| may be NULL. */
static int seal_boxes(struct al_node *n, struct al_read_box *boxes, uint32_t *ret_count,
    const uint8_t read_sk[32], const struct al_device *without)
{
    const struct al_record *record = n->logs->self->record;
    uint32_t count = 0;
    int err = 0;
    for (size_t i = 0; err == 0 && i < al_record_devices(record); i++) {
        struct al_device device;
        struct al_slice name;
        al_record_device(record, i, &device, &name);
        if (is_revoked(n, &device) || (without != NULL && al_device_eq(&device, without)))
            continue;
        boxes[count].device = device;
        err = al_read_box_seal(boxes[count++].box, &device, read_sk, &n->rng);
    }
    *ret_count = count;
    return err;
}

/* Publish the next reading key, for all devices that count but |without|. */
static int rekey(struct al_node *n, const struct al_root *root, uint32_t generation,
    const struct al_device *without, uint32_t *ret_devices)
{
    uint8_t read_sk[32], read_pk[32];
    uint8_t *bytes = malloc(AL_STATEMENT_MAX);
    struct al_read_box *boxes = calloc(AL_READ_BOXES_MAX, sizeof(*boxes));
    int err = bytes == NULL || boxes == NULL ? AL_E_NOMEM : 0;
    al_root_read_key(read_sk, root, generation);
    if (err == 0)
        err = seal_boxes(n, boxes, ret_devices, read_sk, without);
    if (err == 0) {
        struct al_buf b = al_buf_fixed(bytes, AL_STATEMENT_MAX);
        al_read_key_public(read_pk, read_sk);
        al_statement_encode_read(
            &b, &root->identity, root->secret, generation, read_pk, boxes, *ret_devices);
        err = publish(n, &b);
    }
    explicit_bzero(read_sk, sizeof(read_sk));
    free(bytes);
    free(boxes);
    return err;
}

int api_device_rekey(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_root root = {.entropy = {0}};
    uint32_t generation = next_generation(n);
    uint32_t devices = 0;
    (void)call;
    int err = node_refuse_copy(n);
    if (err == 0 && generation > AL_READ_GENERATIONS_MAX)
        err = refuse(
            n, AL_E_LIMIT, "there have been 64 reading keys, and there can be no more", NULL);
    if (err == 0)
        err = param_root(n, &root, params);
    if (err == 0)
        err = rekey(n, &root, generation, NULL, &devices);
    al_root_wipe(&root);
    if (err != 0)
        return err;
    al_write_map(out, 3);
    write_uint(out, "generation", generation);
    write_uint(out, "devices", devices);
    write_uint(out, "pos", n->logs->pos);
    return 0;
}

/* --- revocation ---------------------------------------------------------------------------- */

struct plan {
    struct al_device device;
    uint64_t since_ms; /* what arrived from then on does not count; 0: all held does */
    struct al_cut cuts[AL_LOGS_PER_DEVICE_MAX];
    uint32_t count;
    uint64_t kept, hidden;
    uint64_t found; /* the first that arrived too late */
    bool further;   /* what counts until now would not count any more */
};

static int find_late(void *arg, const struct al_store_row *row)
{
    struct plan *p = arg;
    if (row->arrived_ms < p->since_ms)
        return 0;
    p->found = row->seq;
    return 1;
}

/* The last entry of |log| that counts: all below it came in time. */
static int last_in_time(
    struct al_node *n, struct plan *p, uint64_t *ret_seq, const struct al_log *log)
{
    *ret_seq = al_log_head(log);
    int found = 0;
    for (uint32_t i = log->run_count; found == 0 && p->since_ms != 0 && i-- > 0;)
        found = al_store_entries(
            n->store, log->no, log->runs[i].first, log->runs[i].last, find_late, p);
    if (found == 1)
        *ret_seq = p->found - 1;
    p->further = p->further || (found == 1 && p->found <= log->cut.seq);
    if (*ret_seq > log->cut.seq)
        *ret_seq = log->cut.seq; /* it was revoked before */
    return found < 0 ? found : 0;
}

static void count_held(struct plan *p, const struct al_log *log, uint64_t last)
{
    uint64_t kept = 0;
    for (uint32_t i = 0; i < log->run_count; i++) {
        const struct al_store_run *run = &log->runs[i];
        if (run->first <= last)
            kept += (run->last < last ? run->last : last) - run->first + 1;
    }
    p->kept += kept;
    p->hidden += log->held - kept;
}

static int plan_log(struct al_node *n, struct plan *p, const struct al_log *log)
{
    uint64_t last;
    struct al_cut cut = {.log = log->name};
    int err = last_in_time(n, p, &last, log);
    if (err != 0)
        return err;
    count_held(p, log, last);
    if (last == 0)
        return 0; /* a log that is not named does not count at all */
    cut.seq = last;
    err = last == log->cut.seq ? 0 : al_log_prev(n->logs, &cut.id, log, last + 1);
    if (last == log->cut.seq)
        cut.id = log->cut.id;
    uint32_t at = p->count;
    while (at > 0 && memcmp(p->cuts[at - 1].log.b, cut.log.b, sizeof(cut.log.b)) > 0)
        at--;
    memmove(&p->cuts[at + 1], &p->cuts[at], (p->count - at) * sizeof(cut));
    p->cuts[at] = cut;
    p->count++;
    return err;
}

static int count_revocations(const struct al_node *n, const struct al_device *device)
{
    const struct al_record *record = n->logs->self->record;
    int count = 0;
    for (size_t i = 0; i < al_record_count(record); i++) {
        struct al_statement s;
        count += al_statement_read(&s, al_record_statement(record, i, NULL)) == 0 &&
                 s.kind == AL_STATEMENT_REVOKE && al_device_eq(&s.device, device);
    }
    return count;
}

/* For a device that is revoked: only to cut off more of it makes sense. */
static int check_again(struct al_node *n, const struct plan *p)
{
    if (!is_revoked(n, &p->device) || p->further)
        return 0;
    return refuse(n, AL_E_EXISTS,
        p->since_ms == 0 ? "that device is revoked already"
                         : "that device is revoked already, and nothing of it that counts has "
                           "arrived since then",
        "aloud device ls");
}

static int make_plan(struct al_node *n, struct plan *p, struct al_slice params)
{
    int err = param_device(n, &p->device, params);
    if (err == 0 && param_uint(&p->since_ms, params, "since", 0) != 0)
        err = AL_E_PARAMS;
    if (err == 0 && al_device_eq(&p->device, &n->opts.keyring->device))
        err = refuse(n, AL_E_SELF, "a device can't revoke itself: do it on another one of yours",
            "aloud device ls");
    if (err == 0 && count_revocations(n, &p->device) >= AL_REVOCATIONS_PER_DEVICE_MAX)
        err = refuse(
            n, AL_E_LIMIT, "that device has been revoked four times, which is the most", NULL);
    for (uint32_t i = 0; err == 0 && i < n->logs->self->log_count; i++) {
        const struct al_log *log = n->logs->self->logs[i];
        if (al_device_eq(&log->device, &p->device) && p->count < AL_LOGS_PER_DEVICE_MAX)
            err = plan_log(n, p, log);
    }
    return err == 0 ? check_again(n, p) : err;
}

static int revoke(struct al_node *n, const struct plan *p, const struct al_root *root)
{
    uint8_t bytes[AL_STATEMENT_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_statement_encode_revoke(&b, &root->identity, root->secret, &p->device, p->cuts, p->count);
    return publish(n, &b);
}

int api_device_revoke(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct plan *p = calloc(1, sizeof(*p));
    struct al_root root = {.entropy = {0}};
    uint32_t generation = next_generation(n);
    uint32_t devices = 0;
    bool does = al_rpc_param(params, "words").n > 0;
    (void)call;
    int err = p == NULL ? AL_E_NOMEM : node_refuse_copy(n);
    if (err == 0)
        err = make_plan(n, p, params);
    if (err == 0 && does)
        err = param_root(n, &root, params);
    if (err == 0 && does)
        err = revoke(n, p, &root);
    if (generation > AL_READ_GENERATIONS_MAX)
        generation = AL_READ_GENERATIONS_MAX; /* the last stays; status tells that it is unsafe */
    else if (err == 0 && does)
        err = rekey(n, &root, generation, &p->device, &devices);
    al_root_wipe(&root);
    if (err == 0) {
        al_write_map(out, 5);
        write_uint(out, "logs", p->count);
        write_uint(out, "kept", p->kept);
        write_uint(out, "hidden", p->hidden);
        write_uint(out, "generation", generation);
        write_uint(out, "pos", n->logs->pos);
    }
    free(p);
    return err;
}
