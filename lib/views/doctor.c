#include <stdarg.h>
#include <stdio.h>

#include "doctor_int.h"
#include "id.h"
#include "prev.h"
#include "segment.h"
#include "verify.h"
#include "write.h"

#define FINDINGS_MAX 200
#define PART_ENTRIES 4096 /* read at once: a long read keeps what was dropped on the disk */

void al_doctor_find(struct al_doctor *k, const char *code, const char *severity, const char *hint,
    const char *format, ...)
{
    if (k->findings.count >= FINDINGS_MAX)
        return;
    char text[AL_DOCTOR_TEXT_BYTES * 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct al_buf *b = &k->findings.rows;
    al_write_map(b, 4);
    al_write_cstr(b, "code");
    al_write_cstr(b, code);
    al_write_cstr(b, "severity");
    al_write_cstr(b, severity);
    al_write_cstr(b, "text");
    al_write_cstr(b, text);
    al_write_cstr(b, "try");
    al_write_cstr(b, hint);
    k->findings.count++;
}

/* What a log is called: the name of its author, and where its device's id begins. */
static int name_log(struct al_doctor *k)
{
    char device[9];
    char who[9];
    al_id_text_prefix(device, k->log->device.b, 8);
    al_id_text_prefix(who, k->log->identity.b, 8);
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(
        k->c, &st, "SELECT coalesce(petname, name, '') FROM author WHERE identity = ?1");
    struct al_slice name = al_slice_of(NULL, 0);
    if (got == 0) {
        al_viewdb_bind_blob(st, 1, al_slice_of(k->log->identity.b, 32));
        got = al_viewdb_step(st);
        name = al_viewdb_slice(st, 0);
    }
    (void)snprintf(k->name, sizeof(k->name), "the log of %.*s~%s on device %s", (int)name.n,
        name.n > 0 ? (const char *)name.p : "", who, device);
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

static int on_entry(void *arg, const struct al_store_row *row)
{
    struct al_doctor *k = arg;
    struct al_hash id;
    if (row->seq != k->next) {
        al_doctor_find(k, "entry-missing", "error", "aloud restore --backup FILE",
            "%s lacks entry %llu", k->name, (unsigned long long)k->next);
        return 1;
    }
    al_verify_row_id(&id, k->log, &k->prev, row);
    if (!al_hash_eq(&id, &row->id))
        al_doctor_find(k, "entry-damaged", "error", "aloud restore --backup FILE",
            "%s is damaged at entry %llu: its content does not match its id", k->name,
            (unsigned long long)row->seq);
    k->stubs += row->payload.n == 0 ? 1 : 0;
    k->prev = row->id;
    k->next++;
    k->entries++;
    return 0;
}

static int check_signature(
    struct al_doctor *k, bool *ret_good, const struct al_sig *sig, uint64_t seq)
{
    struct al_store_row row;
    int err = al_store_get(k->c->r->log, &row, k->log->no, seq);
    *ret_good = false;
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    if (al_segment_sig_is_absent(sig))
        return al_verify_unsigned(k->c->r->log, ret_good, k->log, seq, &row.id);
    *ret_good = al_entry_verify(sig, &k->log->device, &row.id) == 0;
    return 0;
}

/* Every signature kept over entries first..last: those of blocks, and the head's. */
static int check_signatures(struct al_doctor *k, uint64_t first, uint64_t last)
{
    struct al_store *s = k->c->r->log;
    uint64_t seq = first;
    while (seq <= last) {
        struct al_sig sig;
        uint64_t at;
        int err = al_store_sig(s, &at, &sig, k->log->no, seq);
        if (err == AL_E_NOT_FOUND || (err == 0 && at > last)) {
            al_doctor_find(k, "signature-missing", "error", "aloud restore --backup FILE",
                "%s has no signature over its entries %llu to %llu", k->name,
                (unsigned long long)seq, (unsigned long long)last);
            return 0;
        }
        bool good = false;
        if (err == 0)
            err = check_signature(k, &good, &sig, at);
        if (err != 0)
            return err;
        if (!good)
            al_doctor_find(k, "signature-bad", "error", "aloud restore --backup FILE",
                "%s has a signature at entry %llu that is not its device's", k->name,
                (unsigned long long)at);
        seq = at + 1;
    }
    return 0;
}

static int on_run(void *arg, const struct al_store_run *run)
{
    struct al_doctor *k = arg;
    struct al_hash genesis;
    if (k->last_run != 0)
        al_doctor_find(k, "gap", "note", "aloud wait --synced",
            "%s is not held between entries %llu and %llu", k->name, (unsigned long long)run->last,
            (unsigned long long)k->last_run);
    k->last_run = run->first;
    k->prev = run->prev;
    k->next = run->first;
    if (run->first == 1) {
        al_entry_genesis(&genesis, &k->log->identity, &k->log->device, &k->log->log);
        if (!al_hash_eq(&genesis, &run->prev))
            al_doctor_find(k, "chain-broken", "error", "aloud restore --backup FILE",
                "%s does not begin as the log of that person", k->name);
    }
    int err = 0;
    for (uint64_t at = run->first; err == 0 && at <= run->last; at += PART_ENTRIES) {
        uint64_t last = run->last - at < PART_ENTRIES ? run->last : at + PART_ENTRIES - 1;
        err = al_store_entries(k->c->r->log, k->log->no, at, last, on_entry, k);
    }
    return err < 0 ? err : check_signatures(k, run->first, run->last);
}

static int on_log(void *arg, const struct al_store_log *log)
{
    struct al_doctor *k = arg;
    if (k->only != NULL && !al_identity_eq(k->only, &log->identity))
        return 0;
    k->log = log;
    k->last_run = 0;
    k->logs++;
    int err = name_log(k);
    if (err == 0)
        err = al_store_runs(k->c->r->log, log->no, on_run, k);
    return err;
}

/* What the views know beyond the chains: forks, and entries that nobody can read. */
static int check_views(struct al_doctor *k)
{
    sqlite3_stmt *st = NULL;
    int64_t unreadable;
    int err = al_call_unreadable(k->c, &unreadable);
    if (err == 0 && k->only == NULL && unreadable > 0)
        al_doctor_find(k, "unreadable", "note", "",
            "%lld entries are carried here, but not readable: sealed by others for themselves, or"
            " written by a newer version; nothing is wrong with that",
            (long long)unreadable);
    if (err == 0)
        err = al_call_prepare(k->c, &st,
            "SELECT coalesce(a.petname, a.name, ''), l.frozen, a.identity FROM log l"
            " JOIN author a ON a.no = l.author WHERE l.frozen IS NOT NULL");
    int got = 0;
    while (err == 0 && (got = al_viewdb_step(st)) > 0) {
        uint8_t identity[32];
        char who[9];
        al_viewdb_bytes(st, 2, identity, sizeof(identity));
        if (k->only != NULL && memcmp(identity, k->only->b, sizeof(identity)) != 0)
            continue;
        bool mine = memcmp(identity, k->c->r->keyring->identity.b, sizeof(identity)) == 0;
        al_id_text_prefix(who, identity, 8);
        struct al_slice name = al_viewdb_slice(st, 0);
        unsigned long long seq = al_viewdb_uint(st, 1);
        al_doctor_find(k, "fork", "error", mine ? "aloud device ls" : "aloud people",
            "%.*s~%s's log forks at entry %llu: two different entries carry the same number. From "
            "%llu on, entries are marked disputed%s",
            (int)name.n, name.n > 0 ? (const char *)name.p : "", who, seq, seq,
            mine ? ": somebody else has a key of yours; revoke the device that was stolen" : "");
    }
    (void)sqlite3_finalize(st);
    return err != 0 ? err : got;
}

int al_doctor_call(struct al_call *c, struct al_buf *out)
{
    struct al_identity only;
    struct al_doctor k = {.c = c};
    if (al_call_bytes32(c, "from", only.b))
        k.only = &only;
    if (c->err != 0)
        return c->err;
    al_page_init(&k.findings);
    int err = al_store_logs(c->r->log, on_log, &k);
    if (err == 0)
        err = al_doctor_people(&k);
    if (err == 0)
        err = check_views(&k);
    if (err == 0 && k.stubs > 0)
        al_doctor_find(&k, "payload-missing", "note", "",
            "%llu entries are held without their content", (unsigned long long)k.stubs);
    if (err == 0 && k.findings.count == 0)
        al_doctor_find(
            &k, "ok", "ok", "", "every chain, signature and payload held is as it should be");
    if (err == 0) {
        al_write_map(out, 3);
        err = al_page_write(&k.findings, out, "findings");
        al_write_cstr(out, "entries");
        al_write_uint(out, k.entries);
        al_write_cstr(out, "logs");
        al_write_uint(out, k.logs);
    }
    al_page_free(&k.findings);
    return err;
}
