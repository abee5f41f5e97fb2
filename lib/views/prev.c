#include "prev.h"

static int on_run(void *arg, const struct al_store_run *run)
{
    struct al_store_run *wanted = arg;
    if (run->first != wanted->first)
        return 0;
    wanted->prev = run->prev;
    return 1;
}

int al_prev_find(
    struct al_store *s, struct al_hash *ret, const struct al_store_log *log, uint64_t seq)
{
    if (seq <= 1) {
        al_entry_genesis(ret, &log->identity, &log->device, &log->log);
        return 0;
    }
    struct al_store_row row;
    int err = al_store_get(s, &row, log->no, seq - 1);
    if (err == 0) {
        *ret = row.id;
        return 0;
    }
    if (err != AL_E_NOT_FOUND)
        return err;
    struct al_store_run run = {.first = seq};
    int got = al_store_runs(s, log->no, on_run, &run);
    if (got == 1)
        *ret = run.prev;
    if (got == 0)
        return AL_E_NOT_FOUND;
    return got == 1 ? 0 : got;
}
