#include "record.h"

struct load {
    struct al_record *record;
    size_t bad;
};

static int on_statement(void *arg, struct al_slice key, struct al_slice value)
{
    (void)key;
    struct load *load = arg;
    struct al_statement s;
    bool is_new;
    int err = al_statement_open(&s, value);
    if (err == 0)
        err = al_record_add(load->record, &is_new, &s, value);
    if (err == AL_E_NOMEM)
        return err;
    load->bad += err != 0 ? 1 : 0;
    return 0;
}

int al_store_record(struct al_record **ret, size_t *ret_bad, struct al_store *store,
    const struct al_identity *identity)
{
    struct load load = {.record = al_record_new(identity)};
    if (load.record == NULL)
        return AL_E_NOMEM;
    int err = al_store_kv_scan(store, AL_SPACE_STATEMENT,
        al_slice_of(identity->b, sizeof(identity->b)), on_statement, &load);
    if (err != 0) {
        al_record_free(load.record);
        return err;
    }
    *ret = load.record;
    if (ret_bad != NULL)
        *ret_bad = load.bad;
    return 0;
}
