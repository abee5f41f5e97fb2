#include "fetching.h"

#include "row.h"
#include "rpc.h"

#define ROWS_MAX 1000
#define ROUNDS_MAX 8    /* what comes may name something else that is missing */
#define ENTRIES_MAX 32  /* of one round that are fetched, or whose answers are looked for */
#define TIMEOUT_MS 5000 /* for one of them, when a peer is silent */

static int get_thread(struct al_cli *c, struct al_slice *ret, const uint8_t *id)
{
    struct al_params params = {0};
    al_params_bin(&params, "id", id, 32);
    al_params_uint(&params, "limit", ROWS_MAX);
    int status = al_cli_call(c, ret, "thread", &params);
    al_params_free(&params);
    if (status == 0)
        *ret = al_cli_keep(c, *ret);
    return status;
}

/* Call |method| for |ref|, encoded; |ret| is the answer. */
static int ask(struct al_cli *c, struct al_slice *ret, struct al_fetched *f, const char *method,
    struct al_slice ref)
{
    struct al_params params = {0};
    al_params_raw(&params, "ref", ref);
    al_params_uint(&params, "timeout", TIMEOUT_MS);
    int status = al_cli_call(c, ret, method, &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    uint64_t asked = al_get_uint(*ret, "asked");
    if (asked > f->asked)
        f->asked = asked;
    return 0;
}

/* One round: what is missing in |thread|. |ret_found| is how much of it has come. */
static int fetch_missing(
    struct al_cli *c, struct al_fetched *f, struct al_slice thread, uint64_t *ret_found)
{
    uint32_t count;
    struct al_read missing = al_get_array(thread, "missing", &count);
    struct al_slice answer;
    uint64_t found = 0;
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        int status = ask(c, &answer, f, "fetch", al_read_raw(&missing));
        if (status != 0)
            return status;
        found += al_get_bool(answer, "found");
    }
    f->entries += found;
    f->missing = count - found;
    *ret_found = found;
    return 0;
}

static int fetch_replies(struct al_cli *c, struct al_fetched *f, struct al_slice thread)
{
    uint32_t count;
    struct al_read rows = al_get_array(thread, "rows", &count);
    struct al_slice answer;
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        struct al_row row;
        al_row_read(&row, al_read_raw(&rows));
        if (row.ref.n == 0)
            continue;
        int status = ask(c, &answer, f, "replies", row.ref);
        if (status != 0)
            return status;
        f->replies += al_get_uint(answer, "found");
    }
    return 0;
}

int al_fetch_thread(struct al_cli *c, struct al_fetched *ret, const uint8_t *id)
{
    struct al_fetched f = {.asked = 0};
    struct al_slice thread = {.n = 0};
    uint64_t found = 1;
    int status = 0;
    for (int round = 0; status == 0 && found > 0 && round < ROUNDS_MAX; round++) {
        status = get_thread(c, &thread, id);
        if (status == 0)
            status = fetch_missing(c, &f, thread, &found);
    }
    if (status == 0)
        status = fetch_replies(c, &f, thread);
    *ret = f;
    return status;
}

static const char *plural(struct al_cli *c, uint64_t n, const char *one, const char *many)
{
    return al_cli_str(c, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

void al_fetch_note(struct al_cli *c, const struct al_fetched *f)
{
    if (f->asked == 0) {
        al_cli_note(c, "aloud: nobody is connected who could be asked. See: aloud peers");
        return;
    }
    al_cli_note(c, "aloud: asked %s: %s fetched, %s found%s.", plural(c, f->asked, "peer", "peers"),
        plural(c, f->entries, "missing entry", "missing entries"),
        plural(c, f->replies, "reply", "replies"),
        f->missing == 0 ? ""
                        : al_cli_str(c, ", %llu still missing", (unsigned long long)f->missing));
}
