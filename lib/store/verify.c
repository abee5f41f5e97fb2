#include "verify.h"

#include <stdio.h>

#include "entry.h"
#include "id.h"
#include "record.h"
#include "segment.h"
#include "statement.h"

#define PROGRESS_ENTRIES 4096

struct check {
    struct al_verify *v;
    struct al_store *s;
    const struct al_store_log *log;
    bool certified;
    struct al_hash prev;
    uint64_t next; /* the entry that is due */
};

/* |what| is the matter with the log at entry |seq|. */
static int corrupt(struct check *k, const char *what, uint64_t seq)
{
    char who[9], device[9];
    al_id_text_prefix(who, k->log->identity.b, 8);
    al_id_text_prefix(device, k->log->device.b, 8);
    (void)snprintf(k->v->why, sizeof(k->v->why), "the log of ~%s on device %s %s, at entry %llu",
        who, device, what, (unsigned long long)seq);
    return AL_E_CORRUPT;
}

/* --- statements ---------------------------------------------------------------------------- */

static int check_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct check *k = arg;
    struct al_statement s;
    if (al_statement_open(&s, value) == 0 && key.n == 64 && memcmp(key.p, s.identity.b, 32) == 0 &&
        memcmp(key.p + 32, s.hash.b, 32) == 0)
        return 0;
    (void)snprintf(k->v->why, sizeof(k->v->why), "a statement about a device is damaged");
    return AL_E_CORRUPT;
}

static int find_cert(void *arg, struct al_slice key, struct al_slice value)
{
    struct check *k = arg;
    struct al_statement s;
    (void)key;
    k->certified = al_statement_read(&s, value) == 0 && s.kind == AL_STATEMENT_CERT &&
                   al_device_eq(&s.device, &k->log->device);
    return k->certified; /* ends the scan */
}

/* --- entries ------------------------------------------------------------------------------- */

void al_verify_row_id(struct al_hash *ret, const struct al_store_log *log,
    const struct al_hash *prev, const struct al_store_row *row)
{
    struct al_header h = {
        .device = log->device,
        .log = log->log,
        .seq = row->seq,
        .time_ms = row->time_ms,
        .prev = *prev,
        .plen = row->plen,
        .phash = row->phash,
    };
    if (row->payload.n > 0) {
        h.plen = (uint32_t)row->payload.n;
        al_entry_payload_hash(&h.phash, row->payload);
    }
    al_header_id(ret, &h);
}

static int check_entry(void *arg, const struct al_store_row *row)
{
    struct check *k = arg;
    struct al_hash id;
    if (row->seq != k->next)
        return corrupt(k, "has a gap", k->next);
    al_verify_row_id(&id, k->log, &k->prev, row);
    if (!al_hash_eq(&id, &row->id))
        return corrupt(k, "is damaged", row->seq);
    k->prev = id;
    k->next++;
    k->v->entries++;
    if (k->v->on_progress != NULL && k->v->entries % PROGRESS_ENTRIES == 0)
        k->v->on_progress(k->v->arg, k->v->entries, k->v->all);
    return 0;
}

/* Does the proof of a fork vouch for entry |seq|? Its place may have moved down since. */
static int proof_vouches(
    struct al_store *s, bool *ret, const struct al_store_log *log, uint64_t seq)
{
    uint8_t key[32 + 8];
    struct al_slice proof;
    memcpy(key, log->device.b, 32);
    memcpy(key + 32, log->log.b, 8);
    int err = al_store_kv_get(s, &proof, AL_SPACE_FORK, al_slice_of(key, sizeof(key)));
    *ret = err == 0 && proof.n > 8 && al_u64be_read(proof.p) <= seq + 1;
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int al_verify_unsigned(struct al_store *s, bool *ret, const struct al_store_log *log, uint64_t seq,
    const struct al_hash *id)
{
    struct al_record *record;
    struct al_cut cut;
    int err = al_store_record(&record, NULL, s, &log->identity);
    if (err != 0)
        return err;
    *ret = al_record_standing(record, &cut, &log->device, &log->log) == AL_STANDING_REVOKED &&
           cut.seq <= seq && (cut.seq < seq || al_hash_eq(&cut.id, id));
    al_record_free(record);
    return *ret ? 0 : proof_vouches(s, ret, log, seq);
}

/* Each signature kept within a run is the device's, and the last of them ends it. */
static int check_signatures(struct check *k, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last;) {
        struct al_sig sig;
        struct al_store_row row;
        uint64_t at;
        int err = al_store_sig(k->s, &at, &sig, k->log->no, seq);
        if (err == AL_E_NOT_FOUND || (err == 0 && at > last))
            return corrupt(k, "lacks a signature", last);
        if (err == 0)
            err = al_store_get(k->s, &row, k->log->no, at);
        if (err != 0)
            return err;
        bool good = al_entry_verify(&sig, &k->log->device, &row.id) == 0;
        if (al_segment_sig_is_absent(&sig))
            err = al_verify_unsigned(k->s, &good, k->log, at, &row.id);
        if (err != 0)
            return err;
        if (!good)
            return corrupt(k, "has a wrong signature", at);
        seq = at + 1;
    }
    return 0;
}

static int check_run(void *arg, const struct al_store_run *run)
{
    struct check *k = arg;
    struct al_hash genesis;
    al_entry_genesis(&genesis, &k->log->identity, &k->log->device, &k->log->log);
    if (run->first == 1 && !al_hash_eq(&genesis, &run->prev))
        return corrupt(k, "does not begin as theirs", 1);
    k->prev = run->prev;
    k->next = run->first;
    int err = al_store_entries(k->s, k->log->no, run->first, run->last, check_entry, k);
    if (err == 0 && k->next != run->last + 1)
        err = corrupt(k, "has a gap", k->next);
    return err != 0 ? err : check_signatures(k, run->first, run->last);
}

static int check_log(void *arg, const struct al_store_log *log)
{
    struct check *k = arg;
    k->log = log;
    k->certified = false;
    k->v->logs++;
    int err = al_store_kv_scan(k->s, AL_SPACE_STATEMENT,
        al_slice_of(log->identity.b, sizeof(log->identity.b)), find_cert, k);
    if (err < 0)
        return err;
    if (!k->certified)
        return corrupt(k, "has no certificate", log->head_seq);
    return al_store_runs(k->s, log->no, check_run, k);
}

static int count(void *arg, const struct al_store_log *log)
{
    struct check *k = arg;
    k->v->all += log->held;
    return 0;
}

int al_verify_store(struct al_verify *v, struct al_store *s)
{
    struct check k = {.v = v, .s = s};
    v->entries = v->all = v->logs = 0;
    v->why[0] = '\0';
    int err = al_store_kv_scan(s, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), check_statement, &k);
    if (err == 0)
        err = al_store_logs(s, count, &k);
    if (err == 0)
        err = al_store_logs(s, check_log, &k);
    return err;
}
