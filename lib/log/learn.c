/* Newer reading keys: what came before them was carried here, but could not be read. */
#include <stdlib.h>

#include "apply.h"
#include "check.h"

/* Entry |seq|, of a log of one's own, as if it had come now; |payload| has AL_PAYLOAD_MAX bytes. */
static int apply_again(struct al_logs *l, struct al_log *log, uint64_t seq, uint8_t *payload)
{
    struct al_store_row row;
    struct al_place place = {.device = log->device, .log = log->name, .seq = seq};
    int err = al_store_get(l->store, &row, log->no, seq);
    if (err != 0)
        return err;
    if (row.payload.n == 0 || !al_payload_is_sealed(row.payload))
        return 0;
    AL_ASSERT(row.payload.n <= AL_PAYLOAD_MAX);
    memcpy(payload, row.payload.p, row.payload.n);
    row.payload.p = payload;
    err = al_log_prev(l, &place.prev, log, seq);
    if (err == 0)
        err = al_apply_payload(l, log, &place, row.time_ms, &row.id, row.payload);
    return err;
}

/* Runs may be joined meanwhile, but nothing that is held goes away. */
static int apply_log_again(struct al_logs *l, struct al_log *log, uint8_t *payload)
{
    uint64_t seq = 0;
    int err = 0;
    for (uint32_t i = log->run_count; err == 0 && i-- > 0;) {
        uint64_t last = log->runs[i].last;
        for (seq = log->runs[i].first; err == 0 && seq <= last; seq++)
            err = apply_again(l, log, seq, payload);
    }
    return err == 0 ? al_store_change(l->store, &l->pos, AL_CHANGE_UNLOCKED, log->no, 0) : err;
}

int al_logs_learn(struct al_logs *l)
{
    bool is_new;
    al_keyring_learn(&l->keys, &is_new, l->self->record);
    if (!is_new)
        return 0;
    uint8_t *payload = malloc(AL_PAYLOAD_MAX);
    int err = payload == NULL ? AL_E_NOMEM : 0;
    for (uint32_t i = 0; err == 0 && i < l->self->log_count; i++)
        err = apply_log_again(l, l->self->logs[i], payload);
    free(payload);
    return err;
}
