/* Reading in the order of time: timeline, day, log. And the tags. */
#include "cli.h"
#include "cmds.h"
#include "listing.h"
#include "row_out.h"
#include "when.h"

#define TIMELINE_DEFAULT 50

#define OPT_FROM                                                                                   \
    {                                                                                              \
        "from", 0, "@PERSON", "only what this person wrote"                                        \
    }
#define OPT_TAG                                                                                    \
    {                                                                                              \
        "tag", 't', "TAG", "only entries with this tag"                                            \
    }
#define OPT_KIND                                                                                   \
    {                                                                                              \
        "kind", 'k', "KIND", "only note, question, answer, reply, link, lesson or profile"         \
    }
#define OPT_TO                                                                                     \
    {                                                                                              \
        "to", 0, "AUDIENCE", "only what goes to me, circle, circle:NAME, network or web"           \
    }
#define OPT_SINCE                                                                                  \
    {                                                                                              \
        "since", 0, "WHEN", "only from this time on"                                               \
    }
#define OPT_UNTIL                                                                                  \
    {                                                                                              \
        "until", 0, "WHEN", "only before this time"                                                \
    }
#define OPT_LIMIT                                                                                  \
    {                                                                                              \
        "limit", 'n', "COUNT", "at most so many entries"                                           \
    }

/* Say that there was nothing. */
static int nothing(struct al_cli *c, const char *words)
{
    al_cli_note(c, "%s", words);
    return AL_EXIT_NOTHING;
}

static int run_timeline(struct al_cli *c)
{
    struct al_listing l = {.limit = TIMELINE_DEFAULT, .style = AL_FEED_FOLDED};
    uint64_t count;
    bool more;
    int status = al_listing_opts(c, &l);
    if (status == 0)
        status = al_listing_print(c, &l, &count, &more);
    if (status != 0)
        return status;
    if (count == 0)
        return nothing(c,
            c->opt_count > 0 ? "Nothing found."
                             : "Nothing here yet. Begin with: aloud post \"what I am working on\"");
    if (more)
        al_say(
            c->out, AL_STYLE_DIM, "\n… older ones: -n %llu\n", (unsigned long long)(2 * l.limit));
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_timeline = {
    .name = "timeline",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "what you and the people you follow wrote, newest first",
    .about = "Many entries of one import or of one minute read as one line.",
    .opts = (const struct al_cli_opt[]){OPT_FROM, OPT_TAG, OPT_KIND, OPT_TO, OPT_SINCE, OPT_UNTIL,
        OPT_LIMIT, {0}},
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud timeline --since monday", "aloud timeline --from @kai --tag libuv"},
    .run = run_timeline,
};

static int run_log(struct al_cli *c)
{
    struct al_listing l = {.mine = true, .style = AL_FEED_FULL};
    uint64_t count;
    bool more;
    int status = al_listing_opts(c, &l);
    if (status == 0)
        status = al_listing_print(c, &l, &count, &more);
    if (status != 0)
        return status;
    return count > 0 ? AL_EXIT_DONE
                     : nothing(c, c->opt_count > 0 ? "Nothing found." : "Nothing there yet.");
}

const struct al_cmd al_cmd_log = {
    .name = "log",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "your own journal in full, newest first; --from: another's",
    .opts = (const struct al_cli_opt[]){OPT_FROM, OPT_TAG, OPT_KIND, OPT_TO, OPT_SINCE, OPT_UNTIL,
        OPT_LIMIT, {0}},
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud log --since \"last monday\"", "aloud log --from @kai -n 10"},
    .args_max = 0,
    .run = run_log,
};

/* The day that the words name, and the person among them. */
static int read_day(struct al_cli *c, struct al_listing *l)
{
    const char *when = "";
    for (int i = 0; i < c->arg_count; i++) {
        if (c->args[i][0] != '@') {
            when = al_cli_str(c, "%s%s%s", when, when[0] == '\0' ? "" : " ", c->args[i]);
            continue;
        }
        int status = al_listing_from(c, l, c->args[i]);
        if (status != 0)
            return status;
    }
    uint64_t ms = al_cli_now_ms();
    if (when[0] != '\0' && al_when_parse(&ms, al_slice_str(when), ms) != 0)
        return al_fail_err(c, AL_E_WHEN, al_cli_str(c, "'%s' is no day", when),
            "A person is written with an @: aloud day @kai.",
            "aloud day yesterday, aloud day monday, aloud day 2026-11-22");
    l->since_ms = al_when_day(ms);
    /* No day has more than 25 hours or less than 23: 36 later is always the next one. */
    l->until_ms = al_when_day(l->since_ms + UINT64_C(36) * 3600 * 1000);
    return 0;
}

static int run_day(struct al_cli *c)
{
    struct al_listing l = {.oldest_first = true, .style = AL_FEED_FULL};
    uint64_t count;
    bool more;
    int status = read_day(c, &l);
    if (status == 0)
        status = al_listing_print(c, &l, &count, &more);
    if (status != 0)
        return status;
    return count > 0 ? AL_EXIT_DONE : nothing(c, "Nothing on that day.");
}

const struct al_cmd al_cmd_day = {
    .name = "day",
    .group = AL_GROUP_READ,
    .usage = "[WHEN] [@PERSON]",
    .summary = "one day in full, from morning to night",
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud day yesterday", "aloud day 2026-11-22 @kai"},
    .args_max = -1,
    .run = run_day,
};

static int run_tags(struct al_cli *c)
{
    static const struct al_out_col cols[] = {
        {.field = "tag", .title = "", .style = AL_STYLE_TAG},
        {.field = "count", .title = "entries", .right = true},
        {.field = "last", .title = "last"},
    };
    struct al_listing l = {.limit = 1000};
    int status = al_listing_opts(c, &l);
    if (status != 0)
        return status;
    struct al_params params = {0};
    struct al_slice result;
    al_params_uint(&params, "limit", l.limit);
    if (l.from != NULL)
        al_params_bin(&params, "from", l.from, 32);
    status = al_cli_call(c, &result, "tags", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    uint32_t count;
    struct al_read tags = al_get_array(result, "tags", &count);
    al_out_table(c->out, cols, 3);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice tag = al_read_raw(&tags);
        al_out_row(c->out);
        al_out_name(c->out, "tag", al_get_str(tag, "tag"));
        al_out_uint(c->out, "count", al_get_uint(tag, "count"));
        al_out_time(c->out, "last", al_get_uint(tag, "last"));
        al_out_row_end(c->out);
    }
    return count > 0 ? AL_EXIT_DONE : nothing(c, "No tags yet.");
}

const struct al_cmd al_cmd_tags = {
    .name = "tags",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "tags by use",
    .opts = (const struct al_cli_opt[]){OPT_FROM, OPT_LIMIT, {0}},
    .fields = "tag, count, last",
    .examples = {"aloud tags", "aloud tags --from @kai -n 20"},
    .run = run_tags,
};
