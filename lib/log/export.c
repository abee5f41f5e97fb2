#include "export.h"

#include <stdlib.h>

#include "check.h"

struct reading {
    struct al_export *x;
    size_t used;
};

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

static int read_row(void *arg, const struct al_store_row *row)
{
    struct reading *r = arg;
    struct al_segment *s = &r->x->segment;
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
    if (row->payload.n > r->x->cap - r->used)
        return AL_E_CORRUPT;
    memcpy(r->x->bytes + r->used, row->payload.p, row->payload.n);
    item->payload = al_slice_of(r->x->bytes + r->used, row->payload.n);
    item->stub = AL_STUB_NONE;
    r->used += row->payload.n;
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

int al_export_segment(
    struct al_logs *l, struct al_export *x, const struct al_log *log, uint64_t first, uint64_t last)
{
    struct al_segment *s = &x->segment;
    const struct al_store_run *run = al_log_run_at(log, first);
    AL_ASSERT(al_block_of(first) == al_block_of(last));
    if (run == NULL || run->last < first)
        return AL_E_NOT_FOUND;
    uint64_t signed_seq = 0;
    for (uint64_t seq = first; seq <= last && seq <= run->last; seq = signed_seq + 1) {
        uint64_t at;
        struct al_sig sig;
        int err = al_store_sig(l->store, &at, &sig, log->no, seq);
        if (err == AL_E_NOT_FOUND || (err == 0 && (at > last || at > run->last)))
            break;
        if (err != 0)
            return err;
        signed_seq = at;
        s->sig = sig;
    }
    if (signed_seq == 0)
        return AL_E_NOT_FOUND;
    s->device = log->device;
    s->log = log->name;
    s->first = first;
    s->count = 0;
    int err = al_log_prev(l, &s->prev, log, first);
    struct reading r = {.x = x};
    if (err == 0)
        err = al_store_entries(l->store, log->no, first, signed_seq, read_row, &r);
    if (err == 0 && s->count != signed_seq - first + 1)
        err = AL_E_CORRUPT;
    if (err == 0)
        cut_inline(s);
    return err;
}
