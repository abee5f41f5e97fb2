#include "export.h"

#include <stdlib.h>

#include "check.h"
#include "settle.h"

int al_export_new(struct al_export **ret)
{
    struct al_export *x = calloc(1, sizeof(*x));
    if (x == NULL)
        return AL_E_NOMEM;
    x->cap = (size_t)AL_BLOCK_ENTRIES * AL_PAYLOAD_MAX;
    x->bytes = malloc(x->cap); /* touched only as far as payloads are read into it */
    if (x->bytes == NULL) {
        free(x);
        return AL_E_NOMEM;
    }
    *ret = x;
    return 0;
}

void al_export_free(struct al_export *x)
{
    if (x == NULL)
        return;
    free(x->bytes);
    free(x);
}

struct al_slice al_export_keep(struct al_export *x, struct al_slice payload)
{
    AL_ASSERT(payload.n <= x->cap - x->used);
    uint8_t *at = x->bytes + x->used;
    memcpy(at, payload.p, payload.n);
    x->used += payload.n;
    return al_slice_of(at, payload.n);
}

static int read_row(void *arg, const struct al_store_row *row)
{
    struct al_export *x = arg;
    struct al_segment *s = &x->segment;
    if (s->count == AL_BLOCK_ENTRIES || row->seq != s->first + s->count)
        return AL_E_CORRUPT;
    struct al_segment_item *item = &s->items[s->count++];
    *item = (struct al_segment_item){
        .time_ms = row->time_ms,
        .plen = row->plen,
        .phash = row->phash,
        .id = row->id,
        .stub = AL_STUB_NOT_HELD,
    };
    if (row->payload.n == 0)
        return 0;
    if (row->payload.n > x->cap - x->used)
        return AL_E_CORRUPT;
    item->payload = al_export_keep(x, row->payload);
    item->stub = AL_STUB_NONE;
    return 0;
}

/* What does not fit inline becomes a stub that can be asked for, the oldest first. */
static void cut_inline(struct al_segment *s)
{
    size_t left = AL_SEGMENT_INLINE_MAX;
    bool full = false;
    for (uint32_t i = s->count; i-- > 0;) {
        struct al_segment_item *item = &s->items[i];
        if (item->payload.n == 0)
            continue;
        full = full || item->payload.n > left;
        if (!full) {
            left -= item->payload.n;
            continue;
        }
        item->payload = al_slice_of(NULL, 0);
        item->stub = AL_STUB_ASK;
    }
}

/*
 * Where a segment from |first| can end, at most at |last|: the last place up to there at which a
 * signature is kept; 0 when there is none. |absent|: also one that is not there, as the entry was
 * taken without.
 */
static int last_signed(struct al_logs *l, uint64_t *ret_seq, struct al_sig *ret_sig,
    const struct al_log *log, uint64_t first, uint64_t last, bool absent)
{
    *ret_seq = 0;
    for (uint64_t seq = first; seq <= last;) {
        uint64_t at;
        struct al_sig sig;
        int err = al_store_sig(l->store, &at, &sig, log->no, seq);
        if (err == AL_E_NOT_FOUND || (err == 0 && at > last))
            return 0;
        if (err != 0)
            return err;
        if (absent || !al_segment_sig_is_absent(&sig)) {
            *ret_seq = at;
            *ret_sig = sig;
        }
        seq = at + 1;
    }
    return 0;
}

int al_export_rows(
    struct al_logs *l, struct al_export *x, const struct al_log *log, uint64_t first, uint64_t last)
{
    struct al_segment *s = &x->segment;
    x->used = 0;
    s->device = log->device;
    s->log = log->name;
    s->first = first;
    s->count = 0;
    int err = al_log_prev(l, &s->prev, log, first);
    if (err == 0)
        err = al_store_entries(l->store, log->no, first, last, read_row, x);
    if (err == 0 && s->count != last - first + 1)
        err = AL_E_CORRUPT;
    return err;
}

int al_export_held(
    struct al_logs *l, struct al_export *x, const struct al_log *log, uint64_t first, uint64_t last)
{
    const struct al_store_run *run = al_log_run_at(log, first);
    uint64_t end;
    AL_ASSERT(al_block_of(first) == al_block_of(last));
    if (run == NULL || run->last < first)
        return AL_E_NOT_FOUND;
    int err = last_signed(
        l, &end, &x->segment.sig, log, first, run->last < last ? run->last : last, true);
    if (err == 0 && end == 0)
        err = AL_E_NOT_FOUND;
    return err == 0 ? al_export_rows(l, x, log, first, end) : err;
}

/* Entry |seq| is the last that may be given out: does it need no signature to be believed? */
static int stands_unsigned(struct al_logs *l, bool *ret, const struct al_log *log, uint64_t seq)
{
    struct al_hash id;
    int err = al_log_prev(l, &id, log, seq + 1);
    return err == 0 ? al_settle_names(l, ret, log, seq, &id) : err;
}

int al_export_segment(
    struct al_logs *l, struct al_export *x, const struct al_log *log, uint64_t first, uint64_t last)
{
    struct al_segment *s = &x->segment;
    const struct al_store_run *run = al_log_run_at(log, first);
    uint64_t limit;
    uint64_t floor;
    uint64_t end;
    bool unsigned_end = false;
    AL_ASSERT(al_block_of(first) == al_block_of(last));
    if (run == NULL || run->last < first)
        return AL_E_NOT_FOUND;
    int err = al_settle_limit(l, &limit, log);
    if (err == 0)
        err = al_settle_floor(l, &floor, log);
    if (err != 0)
        return err;
    /* of a settled fork what the root's word has not reached yet may be of the wrong branch */
    if (log->frozen != 0 && first < floor && limit > log->frozen - 1)
        limit = log->frozen - 1;
    if (first > limit)
        return AL_E_NOT_FOUND;
    last = last < limit ? last : limit;
    last = last < run->last ? last : run->last;
    err = last_signed(l, &end, &s->sig, log, first, last, false);
    if (err == 0 && end < last && last == limit)
        err = stands_unsigned(l, &unsigned_end, log, last);
    if (err == 0 && unsigned_end) {
        end = last;
        s->sig = (struct al_sig){{0}};
    }
    if (err == 0 && end == 0)
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = al_export_rows(l, x, log, first, end);
    if (err == 0)
        cut_inline(s);
    return err;
}
