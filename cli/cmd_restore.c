/* One's own self again, on another machine. */
#include "cli.h"
#include "client.h"
#include "cmds.h"
#include "listing.h"
#include "progress.h"
#include "row_out.h"
#include "start.h"

#define NEWEST 50          /* shown as soon as they are here */
#define TURN_MS 100        /* how often to look until they are */
#define SLOW_TURN_MS 500   /* and then */
#define UNREACHED_MS 20000 /* without any peer */
#define STALLED_MS 60000   /* without anything new */

/* How far it is. */
struct state {
    uint64_t own, behind, peers, unseen;
    bool synced;
};

/* A running node has its files open: it is in the way, unless it is the one to be replaced. */
static int stop_copy(struct al_cli *c)
{
    struct al_slice status;
    bool replaces = al_cli_opt(c, "backup") != NULL;
    if (al_client_connect(&c->client, c->socket) != 0)
        return 0; /* aloudd looks at the files itself */
    int err = al_cli_try(c, &status, "status", NULL);
    bool copy = err == 0 && al_get_bool(status, "copy");
    al_client_free(c->client);
    c->client = NULL;
    if (err == 0 && !copy && !replaces && !c->yes && c->no_input)
        return al_fail_err(c, AL_E_EXISTS, "this machine has an identity already",
            "Restore is for an empty machine and for a copy. With --yes it would make this machine "
            "a new device of yours; the present one would stay in the list, and write no more.",
            "aloud status");
    return al_start_stop(c);
}

static int look(struct al_cli *c, struct state *s, uint32_t wait_ms)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_uint(&params, "pos", 0);
    al_params_uint(&params, "timeout", wait_ms);
    int status = al_cli_call(c, &result, "wait", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    s->synced = al_get_bool(result, "synced");
    status = al_cli_call(c, &result, "status", NULL);
    if (status != 0)
        return status;
    s->own = al_get_uint(result, "own_entries");
    s->behind = al_get_uint(result, "behind");
    s->peers = al_get_uint(result, "peers");
    status = al_cli_call(c, &result, "views_status", NULL);
    if (status == 0)
        s->unseen = al_get_uint(result, "behind");
    return status;
}

static int count_newest(struct al_cli *c, uint32_t *ret)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_bool(&params, "mine", true);
    al_params_uint(&params, "limit", NEWEST);
    int status = al_cli_call(c, &result, "timeline", &params);
    al_params_free(&params);
    if (status == 0)
        (void)al_get_array(result, "rows", ret);
    return status;
}

static int show_newest(struct al_cli *c)
{
    struct al_listing l = {.limit = NEWEST, .mine = true, .style = AL_FEED_TITLES};
    uint64_t count;
    bool more;
    int status = al_listing_print(c, &l, &count, &more);
    al_out_flush(c->out);
    return status;
}

static bool is_over(const struct state *s)
{
    return s->synced && s->peers > 0 && s->unseen == 0;
}

/* Show the newest entries as soon as they are here, and how far the rest is. */
static int follow(struct al_cli *c, struct state *s)
{
    struct al_progress bar;
    bool shown = false;
    uint64_t last_own = 0;
    uint64_t moved_ms = al_cli_now_ms();
    int status = 0;
    al_progress_init(&bar, c, 0);
    while (status == 0) {
        uint32_t newest = 0;
        status = look(c, s, shown ? SLOW_TURN_MS : TURN_MS);
        if (status == 0 && !shown)
            status = count_newest(c, &newest);
        if (status == 0 && !shown && (newest == NEWEST || is_over(s))) {
            al_progress_end(&bar);
            status = show_newest(c);
            shown = true;
        }
        if (status != 0 || is_over(s))
            break;
        uint64_t now_ms = al_cli_now_ms();
        if (s->own != last_own)
            moved_ms = now_ms;
        last_own = s->own;
        if (now_ms - moved_ms > (s->peers == 0 ? UNREACHED_MS : STALLED_MS))
            break;
        bar.total = s->own + s->behind;
        al_progress_at(&bar, s->own);
    }
    al_progress_end(&bar);
    return status;
}

static int tell_end(struct al_cli *c, const struct state *s)
{
    unsigned long long own = s->own;
    if (is_over(s)) {
        al_cli_note(c, "Everything that is known of you there is here: %llu entries.", own);
        return AL_EXIT_DONE;
    }
    if (s->peers > 0)
        al_cli_note(
            c, "%llu entries are here, and more will come by themselves: aloud status", own);
    else
        al_cli_note(c,
            "No peer can be reached at the moment. The rest comes by itself when one is there: "
            "aloud peers");
    return AL_EXIT_LATER;
}

static int run_restore(struct al_cli *c)
{
    static const char *const passed[] = {"from", "backup", "phrase-in", "device"};
    struct al_slice result;
    struct state s = {0};
    int status = stop_copy(c);
    if (status == 0)
        status = al_start_aloudd(c, "restore", passed, sizeof(passed) / sizeof(passed[0]));
    if (status == 0)
        status = al_cli_call(c, &result, "status", NULL); /* starts the node */
    if (status != 0)
        return status;
    if (al_cli_opt(c, "from") == NULL) {
        status = look(c, &s, 0);
        return status == 0 && s.own > 0 ? show_newest(c) : status;
    }
    status = follow(c, &s);
    return status == 0 ? tell_end(c, &s) : status;
}

static const struct al_cli_opt restore_opts[] = {
    {"from", 0, "TICKET", "from a node that carries your log: its invite, or DEVICE@HOST:PORT"},
    {"backup", 0, "FILE", "from a copy that aloud backup has made"},
    {"phrase-in", 0, "FILE",
        "read the 24 words from this file of yours, when there is no terminal"},
    {"device", 0, "NAME", "what to call this machine; its host name unless you say"},
    {0},
};

const struct al_cmd al_cmd_restore = {
    .name = "restore",
    .group = AL_GROUP_START,
    .usage = "",
    .summary = "be yourself again on this machine, with the 24 words",
    .about =
        "Makes this machine a new device of yours. What you ever wrote comes back from a node "
        "that carries your log, notes for yourself and choices included: ask somebody who "
        "follows you, or another machine of yours, for an invite. Without --from it comes when "
        "you join somebody. In a copy of another machine's files it makes the copy a device of "
        "its own; with --yes, or when you say so, it does that to a machine that is no copy as "
        "well. Broken off, it can be begun again.",
    .opts = restore_opts,
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud restore --from aloud:...", "aloud restore --backup ~/aloud-2026-11.db"},
    .run = run_restore,
};
