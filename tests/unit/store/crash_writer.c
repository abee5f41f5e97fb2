/*
 * A small writer to be killed, or failed, at any system call:
 *
 *     crash_writer write FILE RUN      open or make FILE and add entries, a transaction each
 *     crash_writer check FILE          read everything back
 *
 * Each entry tells which run wrote it. "ack SEQ RUN" is printed after the commit that holds the
 * entry, "error NAME" for whatever fails; a failed commit is followed by what store.h demands:
 * close, open, read, go on from there. `check` prints "held SEQ RUN" for each entry, and exits
 * with 1 if anything contradicts anything.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "limit.h"
#include "store.h"

#define TRANSACTIONS 5
#define ERRORS_MAX 3 /* a disk that fails for ever ends the run */

static const struct al_device device = {{7}};
static const struct al_logname name = {{9}};

/* --- made-up entries ------------------------------------------------------------------------ */

static struct al_hash id_of(uint64_t seq, uint8_t run)
{
    uint8_t m[9];
    struct al_hash id;
    al_u64be(m, seq);
    m[8] = run;
    al_hash1(&id, AL_P_ENTRY, m, sizeof(m));
    return id;
}

static struct al_sig sig_of(const struct al_hash *id)
{
    struct al_sig sig = {{0}};
    memcpy(sig.b + 32, id->b, 32);
    return sig;
}

static uint32_t size_of(uint64_t seq)
{
    return (uint32_t)(100 + seq * 701 % 3000);
}

/* --- writing -------------------------------------------------------------------------------- */

static int complain(int err)
{
    printf("error %s\n", al_err_name(err));
    return err;
}

/* Open the store and find its log, made at first. */
static int open_log(struct al_store **ret, struct al_store_log *log, const char *path)
{
    struct al_identity identity = {{5}};
    struct al_store *s;
    uint32_t no;
    int err = al_store_open(&s, path, AL_STORE_CREATE);
    if (err != 0)
        return err;
    err = al_store_log_find(s, log, &device, &name);
    if (err == AL_E_NOT_FOUND) {
        err = al_store_begin(s);
        if (err == 0)
            err = al_store_log_add(s, &no, &identity, &device, &name);
        if (err == 0)
            err = al_store_commit(s);
        if (err == 0)
            err = al_store_log_get(s, log, no);
    }
    if (err != 0)
        al_store_close(s);
    else
        *ret = s;
    return err;
}

/* Add one entry after the head, and the fact that says so, in one transaction. */
static int add_one(struct al_store *s, const struct al_store_log *log, uint8_t run)
{
    static uint8_t payload[8192];
    uint64_t seq = log->head_seq + 1, pos;
    struct al_store_item item = {.id = id_of(seq, run), .plen = size_of(seq)};
    struct al_sig sig = sig_of(&item.id);
    memset(payload, run, sizeof(payload));
    item.payload = al_slice_of(payload, item.plen);

    int err = al_store_begin(s);
    if (err != 0)
        return err;
    err = al_store_put(s, &pos, log->no, seq, &log->head_id, &item, 1, &sig, 1);
    if (err == 0)
        err =
            al_store_kv_put(s, AL_SPACE_META, al_slice_str("head"), al_slice_of(&seq, sizeof(seq)));
    if (err == 0)
        err = al_store_commit(s);
    else
        al_store_rollback(s);
    if (err == 0)
        printf("ack %llu %d\n", (unsigned long long)seq, run);
    return err;
}

static void write_entries(const char *path, uint8_t run)
{
    struct al_store *s = NULL;
    struct al_store_log log;
    int errors = 0;
    for (int i = 0; i < TRANSACTIONS && errors < ERRORS_MAX; i++) {
        int err = s == NULL ? open_log(&s, &log, path) : 0;
        if (err == 0)
            err = al_store_log_get(s, &log, log.no);
        if (err == 0)
            err = add_one(s, &log, run);
        if (err == 0 && i % 3 == 2)
            err = al_store_tidy(s);
        if (err != 0) {
            complain(err);
            errors++;
            al_store_close(s);
            s = NULL;
        }
    }
    al_store_close(s);
}

/* --- reading back --------------------------------------------------------------------------- */

struct reader {
    uint64_t seq;
    struct al_hash id; /* of |seq| */
};

static int on_row(void *arg, const struct al_store_row *row)
{
    struct reader *r = arg;
    uint8_t run = row->payload.n == 0 ? 0 : row->payload.p[0];
    struct al_hash id = id_of(row->seq, run);
    if (row->seq != r->seq + 1 || row->pos != row->seq || row->plen != size_of(row->seq) ||
        row->payload.n != row->plen || !al_hash_eq(&id, &row->id))
        return AL_E_CORRUPT;
    for (size_t i = 0; i < row->payload.n; i++) {
        if (row->payload.p[i] != run)
            return AL_E_CORRUPT;
    }
    printf("held %llu %d\n", (unsigned long long)row->seq, run);
    r->seq = row->seq;
    r->id = id;
    return 0;
}

static int on_run(void *arg, const struct al_store_run *run)
{
    struct reader *r = arg;
    return run->first == 1 && run->last == r->seq ? 0 : AL_E_CORRUPT;
}

/* What is beside the entries says the same as they do. */
static int check_rest(struct al_store *s, const struct al_store_log *log, struct reader *r)
{
    struct al_sig sig, right = sig_of(&r->id);
    struct al_slice fact;
    uint64_t seq, pos;
    if (log->head_seq != r->seq || log->held != r->seq)
        return AL_E_CORRUPT;
    int err = al_store_position(s, &pos);
    if (err != 0 || pos != r->seq)
        return AL_E_CORRUPT;
    if (r->seq == 0)
        return 0;
    err = al_store_runs(s, log->no, on_run, r);
    if (err == 0)
        err = al_store_sig(s, &seq, &sig, log->no, 1);
    if (err == 0)
        err = al_store_kv_get(s, &fact, AL_SPACE_META, al_slice_str("head"));
    if (err != 0)
        return err;
    bool same = seq == r->seq && memcmp(sig.b, right.b, sizeof(sig.b)) == 0 &&
                al_hash_eq(&log->head_id, &r->id) && fact.n == sizeof(seq) &&
                memcmp(fact.p, &seq, sizeof(seq)) == 0;
    return same ? 0 : AL_E_CORRUPT;
}

static int check(const char *path)
{
    struct al_store *s;
    struct al_store_log log;
    struct reader r = {0};
    int err = al_store_open(&s, path, AL_STORE_WRITE);
    if (err == AL_E_NOT_FOUND)
        return 0; /* it never came to be */
    if (err != 0)
        return complain(err);
    err = al_store_log_find(s, &log, &device, &name);
    if (err == 0)
        err = al_store_entries(s, log.no, 1, AL_SEQ_MAX, on_row, &r);
    if (err == 0)
        err = check_rest(s, &log, &r);
    al_store_close(s);
    return err == 0 || err == AL_E_NOT_FOUND ? 0 : complain(err);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        write_entries(argv[2], (uint8_t)atoi(argv[3]));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(argv[2]) == 0 ? 0 : 1;
    return 2;
}
