/* How two people meet: one invites, the other joins. */
#include <stdlib.h>
#include <time.h>

#include "cli.h"
#include "cmds.h"
#include "feed.h"
#include "heapbuf.h"
#include "refs.h"
#include "row_out.h"
#include "when.h"

#define STEP_MS 200   /* between looks at how far it is */
#define ARRIVED_MAX 5 /* entries shown when they arrive */
#define WAIT_S 30

/* ---- invite ---- */

/* When an invite that lasts |span| ("7d", "12h") expires; false when it is none. */
static bool parse_span(struct al_cli *c, uint64_t *ret_ms, const char *span)
{
    uint64_t now = al_cli_now_ms();
    uint64_t back;
    if (span[0] < '0' || span[0] > '9' ||
        al_when_parse(&back, al_slice_str(al_cli_str(c, "-%s", span)), now) != 0 || back >= now)
        return false;
    *ret_ms = now + (now - back);
    return true;
}

static int run_invite(struct al_cli *c)
{
    struct al_params params = {0};
    struct al_slice result;
    uint64_t uses = 0;
    uint64_t until_ms = 0;
    const char *expires = al_cli_opt(c, "expires");
    int status = al_cli_opt_uint(c, &uses, "uses", 1, 1000);
    if (status == 0 && expires != NULL && !parse_span(c, &until_ms, expires))
        status = al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "--expires can't be '%s'", expires),
            "It says for how long: 30m, 12h, 7d, 4w.", "aloud invite --help");
    if (status != 0)
        return status;
    al_params_key(&params);
    if (uses > 0)
        al_params_uint(&params, "uses", uses);
    if (until_ms > 0)
        al_params_uint(&params, "expires", until_ms / 1000);
    status = al_cli_call(c, &result, "invite", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    struct al_slice ticket = al_get_str(result, "ticket");
    uint64_t at_ms = al_get_uint(result, "expires") * 1000;
    char when[64];
    char day[32];
    al_when_utc(day, at_ms);
    al_when_relative(when, sizeof(when), at_ms, al_cli_now_ms());
    al_say(c->out, AL_STYLE_NONE, "aloud join ");
    al_say_line(c->out, AL_STYLE_STRONG, ticket);
    al_say(c->out, AL_STYLE_NONE, "\n\n");
    al_say_wrapped(c->out, AL_STYLE_DIM,
        al_slice_str(al_cli_str(c,
            "Send this line to whom you want to meet, on a way that others don't read. Whoever "
            "uses it first is let in; you follow each other then. It expires %s.",
            when)),
        0);
    al_out_row(c->out);
    al_out_text(c->out, "ticket", ticket);
    al_out_time(c->out, "expires", at_ms);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

static const struct al_cli_opt invite_opts[] = {
    {"uses", 0, "N", "how many people may use it; 1 unless you say"},
    {"expires", 0, "SPAN", "for how long: 12h, 7d (the default), 4w"},
    {0},
};

const struct al_cmd al_cmd_invite = {
    .name = "invite",
    .group = AL_GROUP_PEOPLE,
    .usage = "",
    .summary = "make a ticket with which somebody can join you",
    .about = "Prints the command for the other side. The node opens its port for it.",
    .opts = invite_opts,
    .fields = "ticket, expires",
    .examples = {"aloud invite", "aloud invite --uses 12 --expires 4w"},
    .run = run_invite,
};

/* ---- join ---- */

/* Who is being joined, and how far it is. */
struct join {
    const uint8_t *identity;
    const uint8_t *device;
    bool connected;
    const char *why; /* not connected; "" when not known */
};

/* Look at the peers once. */
static int look(struct al_cli *c, struct join *j)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "peers", NULL);
    if (status != 0)
        return status;
    uint32_t count;
    struct al_read peers = al_get_array(result, "peers", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice peer = al_read_raw(&peers);
        const uint8_t *device = al_get_b32(peer, "device");
        if (device == NULL || memcmp(device, j->device, 32) != 0)
            continue;
        j->connected = al_slice_is(al_get_str(peer, "state"), "ready");
        j->why = al_cli_dup(c, al_get_str(peer, "why"));
        if (j->connected)
            break;
    }
    return 0;
}

static void nap(void)
{
    const struct timespec t = {.tv_nsec = STEP_MS * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Wait until the peer is there, or |until_ms| has passed. */
static int wait_connected(struct al_cli *c, struct join *j, uint64_t until_ms)
{
    bool told = false;
    for (;;) {
        int status = look(c, j);
        if (status != 0 || j->connected || al_cli_now_ms() >= until_ms)
            return status;
        if (!told)
            al_cli_note(c, "Knocking ...");
        told = true;
        nap();
    }
}

/* Wait until what they have is here, as far as that is known. */
static int wait_synced(struct al_cli *c, uint64_t until_ms)
{
    uint64_t now = al_cli_now_ms();
    struct al_params params = {0};
    struct al_slice result;
    al_params_uint(&params, "pos", 0);
    al_params_uint(&params, "timeout", until_ms > now ? until_ms - now : 0);
    al_cli_note(c, "Connected. Fetching what they wrote ...");
    int status = al_cli_call(c, &result, "wait", &params);
    al_params_free(&params);
    return status;
}

/* The newest that they wrote. */
static int print_newest(struct al_cli *c, const uint8_t *identity)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_bin(&params, "from", identity, 32);
    al_params_uint(&params, "limit", ARRIVED_MAX);
    int status = al_cli_call(c, &result, "timeline", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    struct al_row *rows = NULL;
    size_t count = 0;
    struct al_feed feed = {.out = c->out, .now_ms = al_cli_now_ms(), .style = AL_FEED_FOLDED};
    int err = al_row_out_read(&rows, &count, result, "rows");
    if (err == 0 && count > 0)
        err = al_feed_rows(&feed, rows, count);
    free(rows);
    return err == 0 ? 0 : al_fail_err(c, err, "the newest entries can't be shown", NULL, NULL);
}

/* Whom one has met, or is about to meet. */
static const char *print_who(struct al_cli *c, const struct join *j)
{
    struct al_params params = {0};
    struct al_slice profile;
    al_params_bin(&params, "identity", j->identity, 32);
    int err = al_cli_try(c, &profile, "profile", &params);
    al_params_free(&params);
    if (err != 0) /* nothing of theirs has come yet */
        profile = al_slice_of(NULL, 0);
    struct al_slice petname = al_get_str(profile, "petname");
    struct al_slice name = petname.n > 0 ? petname : al_get_str(profile, "name");
    uint64_t entries = al_get_uint(profile, "entries");
    const char *words = al_refs_name(c, j->identity, name, petname.n > 0);
    if (j->connected) {
        al_say(c->out, AL_STYLE_GOOD, "You have met %s.", words);
        al_say(c->out, AL_STYLE_NONE, " You follow each other; %llu %s here of theirs.\n",
            (unsigned long long)entries, entries == 1 ? "entry is" : "entries are");
    }
    al_out_row(c->out);
    al_out_id(c->out, "identity", j->identity, 0);
    al_out_name(c->out, "name", name);
    al_out_bool(c->out, "connected", j->connected);
    al_out_uint(c->out, "entries", entries);
    al_out_row_end(c->out);
    return words;
}

/* Ask the node to join, and learn whom. */
static int ask_join(struct al_cli *c, struct join *j)
{
    static const uint8_t nobody[32];
    struct al_params params = {0};
    struct al_slice result;
    al_params_key(&params);
    al_params_cstr(&params, "ticket", c->args[0]);
    al_params_bool(&params, "follow", al_cli_opt(c, "no-follow") == NULL);
    int status = al_cli_call(c, &result, "join", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    *j = (struct join){al_get_b32(result, "identity"), al_get_b32(result, "device"), false, ""};
    if (j->identity == NULL || j->device == NULL)
        j->identity = j->device = nobody;
    return 0;
}

static int run_join(struct al_cli *c)
{
    struct join j = {0};
    uint64_t seconds = WAIT_S;
    int status = al_cli_opt_uint(c, &seconds, "timeout", 0, 86400);
    if (status == 0)
        status = ask_join(c, &j);
    uint64_t until_ms = al_cli_now_ms() + seconds * 1000;
    if (status == 0)
        status = wait_connected(c, &j, until_ms);
    if (status == 0 && j.connected)
        status = wait_synced(c, until_ms);
    if (status != 0)
        return status;
    const char *who = print_who(c, &j);
    if (j.connected)
        return al_out_is_pretty(c->out) ? print_newest(c, j.identity) : AL_EXIT_DONE;
    return al_fail(c, AL_EXIT_LATER, al_cli_str(c, "%s could not be reached yet", who),
        al_cli_str(c, "%s%sThe node keeps trying.", j.why, j.why[0] != '\0' ? ". " : ""),
        "aloud peers");
}

static const struct al_cli_opt join_opts[] = {
    {"no-follow", 0, NULL, "connect, but don't follow them"},
    {"timeout", 0, "SECONDS", "how long to wait for them; 30 unless you say"},
    {0},
};

const struct al_cmd al_cmd_join = {
    .name = "join",
    .group = AL_GROUP_PEOPLE,
    .usage = "TICKET",
    .summary = "use an invite: you and they follow each other",
    .about = "Waits until they are reached and shows what comes. When they are away, the node goes "
             "on trying by itself, and the exit status is 75.",
    .opts = join_opts,
    .fields = "identity, name, connected, entries",
    .examples = {"aloud join aloud:kgHEIN...", "aloud join aloud:kgHEIN... --no-follow"},
    .args_min = 1,
    .args_max = 1,
    .run = run_join,
};
