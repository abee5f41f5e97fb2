/* The first minute, and how things stand. */
#include <errno.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"
#include "cmds.h"
#include "draft.h"
#include "start.h"

#define PROBLEMS_MAX 32

/* ---- init ---- */

/* The words are kept nowhere, so nobody can check them but the person. */
static int confirm_phrase(struct al_cli *c)
{
    struct al_params params = {0};
    struct al_slice result;
    if (!al_cli_confirm(c, "Have you written down the 24 words, where you will find them?"))
        return al_fail(c, AL_EXIT_NOTHING, "not confirmed", NULL, NULL);
    al_params_key(&params);
    int status = al_cli_call(c, &result, "confirm_phrase", &params);
    al_params_free(&params);
    if (status == 0)
        al_cli_note(c, "Noted.");
    return status;
}

static int run_init(struct al_cli *c)
{
    if (al_cli_opt(c, "confirm") != NULL)
        return confirm_phrase(c);
    if (access(c->paths.keys, F_OK) == 0)
        return al_fail_err(c, AL_E_EXISTS, "there is an identity on this machine already",
            al_cli_str(c, "Its keys are in %s.", c->paths.keys), "aloud status");
    static const char *const passed[] = {"name", "device", "phrase-out"};
    int status = al_start_aloudd(c, "init", passed, sizeof(passed) / sizeof(passed[0]));
    if (status != 0 || al_out_is_pretty(c->out))
        return status; /* aloudd has said what it made, and what could be next */
    struct al_slice result;
    status = al_cli_call(c, &result, "status", NULL);
    if (status != 0)
        return status;
    al_out_row(c->out);
    al_out_id(c->out, "identity", al_get_b32(result, "identity"), 0);
    al_out_id(c->out, "device", al_get_b32(result, "device"), 0);
    al_out_name(c->out, "name", al_get_str(result, "name"));
    al_out_cstr(c->out, "data", c->paths.data);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

static const struct al_cli_opt init_opts[] = {
    {"name", 0, "NAME", "what you are called; asked for when it is missing"},
    {"confirm", 0, NULL, "only note that you have written down the 24 words"},
    {"device", 0, "NAME", "of this machine (its host name, unless given)"},
    {"phrase-out", 0, "FILE", "write the 24 words to this new file, when there is no terminal"},
    {0},
};

const struct al_cmd al_cmd_init = {
    .name = "init",
    .group = AL_GROUP_START,
    .usage = "",
    .summary = "make your identity on this machine",
    .about = "Shows 24 words, which are the only way to get your identity back: write them down. "
             "They are kept nowhere.",
    .opts = init_opts,
    .fields = "identity, device, name, data",
    .examples = {"aloud init", "aloud init --name pit"},
    .run = run_init,
};

/* ---- status ---- */

struct problem {
    const char *text;
    const char *hint; /* or NULL */
};

struct state {
    struct al_slice node;  /* the answer of status */
    struct al_slice views; /* of views_status */
    struct problem problems[PROBLEMS_MAX];
    size_t problem_count;
};

static void add(struct state *s, const char *text, const char *hint)
{
    if (s->problem_count < PROBLEMS_MAX)
        s->problems[s->problem_count++] = (struct problem){text, hint};
}

/* What the node complains of, and what only we can see. */
static void find_problems(struct al_cli *c, struct state *s)
{
    uint32_t count;
    struct al_read problems = al_get_array(s->node, "problems", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice p = al_read_raw(&problems);
        struct al_slice hint = al_get_str(p, "try");
        add(s, al_cli_dup(c, al_get_str(p, "text")), hint.n > 0 ? al_cli_dup(c, hint) : NULL);
    }
    struct al_draft_count drafts = al_draft_count(c);
    if (drafts.waiting > 0)
        add(s,
            al_cli_str(c, "%zu %s not posted yet", drafts.waiting,
                drafts.waiting == 1 ? "entry is" : "entries are"),
            "aloud post --resend");
    if (drafts.left > 0)
        add(s,
            al_cli_str(c, "%zu unfinished %s among the drafts", drafts.left,
                drafts.left == 1 ? "text is" : "texts are"),
            "aloud drafts");
    uint64_t behind = al_get_uint(s->views, "behind");
    if (behind > 0)
        add(s,
            al_cli_str(c, "search and lists are %llu changes behind, and catching up",
                (unsigned long long)behind),
            NULL);
    if (al_get_bool(s->views, "safe_mode"))
        add(s, "search and lists can't be written, and show what they have", "aloud doctor");
}

static const char *plural(struct al_cli *c, uint64_t n, const char *one, const char *many)
{
    return al_cli_str(c, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static void label(struct al_out *o, const char *text)
{
    al_say(o, AL_STYLE_DIM, "%-9s", text);
}

static const char *listening(struct al_cli *c, struct al_slice status)
{
    uint32_t count;
    struct al_read list = al_get_array(status, "listening", &count);
    const char *words = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const char *one = al_cli_dup(c, al_read_str(&list, SIZE_MAX));
        words = words == NULL ? one : al_cli_str(c, "%s, %s", words, one);
    }
    return words;
}

/* The five lines. */
static void say_state(struct al_cli *c, const struct state *s)
{
    struct al_out *o = c->out;
    const uint8_t *identity = al_get_b32(s->node, "identity");
    const char *heard = listening(c, s->node);
    label(o, "you");
    al_say_line(o, AL_STYLE_NAME, al_get_str(s->node, "name"));
    if (identity != NULL) {
        al_say(o, AL_STYLE_NONE, "  @");
        al_say_id(o, identity, 0);
    }
    al_say(o, AL_STYLE_NONE, "  %s\n",
        plural(c, al_get_uint(s->node, "devices"), "device", "devices"));
    label(o, "entries");
    uint64_t all = al_get_uint(s->node, "entries");
    uint64_t own = al_get_uint(s->node, "own_entries");
    uint64_t held = al_get_uint(s->node, "held");
    al_say(o, AL_STYLE_NONE, "%llu, %s%s\n", (unsigned long long)all,
        own == all ? "all yours" : al_cli_str(c, "%llu of them yours", (unsigned long long)own),
        held == 0 ? "" : al_cli_str(c, "; %llu held back", (unsigned long long)held));
    label(o, "people");
    al_say(o, AL_STYLE_NONE, "%llu known, %llu followed\n",
        (unsigned long long)al_get_uint(s->node, "people"),
        (unsigned long long)al_get_uint(s->node, "following"));
    label(o, "network");
    al_say(o, AL_STYLE_NONE, "%s connected, %s%s\n",
        plural(c, al_get_uint(s->node, "peers"), "peer", "peers"),
        heard != NULL ? "listening on " : "not listening", heard != NULL ? heard : "");
    label(o, "node");
    al_say(o, AL_STYLE_NONE, "%s, since ", al_cli_dup(c, al_get_str(s->node, "agent")));
    al_say_time(o, AL_STYLE_NONE, al_get_uint(s->node, "started"));
    al_say(o, AL_STYLE_NONE, "\n");
}

static void print_state(struct al_cli *c, const struct state *s)
{
    struct al_slice problems[PROBLEMS_MAX];
    for (size_t i = 0; i < s->problem_count; i++) {
        const struct problem *p = &s->problems[i];
        problems[i] = al_slice_str(p->text);
        al_say(c->out, AL_STYLE_WARN, "! %s\n", p->text);
        if (p->hint != NULL)
            al_say(c->out, AL_STYLE_NONE, "  try: %s\n", p->hint);
    }
    if (s->problem_count > 0)
        al_say(c->out, AL_STYLE_NONE, "\n");
    say_state(c, s);
    static const char *const numbers[] = {"devices", "entries", "own_entries", "logs", "people",
        "following", "peers", "alone", "behind", "held"};
    al_out_row(c->out);
    al_out_id(c->out, "identity", al_get_b32(s->node, "identity"), 0);
    al_out_id(c->out, "device", al_get_b32(s->node, "device"), 0);
    al_out_name(c->out, "name", al_get_str(s->node, "name"));
    al_out_text(c->out, "agent", al_get_str(s->node, "agent"));
    al_out_time(c->out, "started", al_get_uint(s->node, "started"));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        al_out_uint(c->out, numbers[i], al_get_uint(s->node, numbers[i]));
    al_out_uint(c->out, "views_behind", al_get_uint(s->views, "behind"));
    al_out_cstr(c->out, "listening", listening(c, s->node));
    al_out_bool(c->out, "phrase_confirmed", al_get_bool(s->node, "phrase_confirmed"));
    al_out_texts(c->out, "problems", problems, s->problem_count);
    al_out_row_end(c->out);
}

static int run_status(struct al_cli *c)
{
    struct state s = {0};
    int status = al_cli_call(c, &s.node, "status", NULL);
    if (status != 0)
        return status;
    s.node = al_cli_keep(c, s.node);
    if (al_cli_try(c, &s.views, "views_status", NULL) == 0)
        s.views = al_cli_keep(c, s.views);
    else
        add(&s, "search and lists don't answer", "aloud node logs");
    find_problems(c, &s);
    print_state(c, &s);
    return s.problem_count > 0 && al_cli_opt(c, "check") != NULL ? AL_EXIT_NOTHING : AL_EXIT_DONE;
}

static const struct al_cli_opt status_opts[] = {
    {"check", 0, NULL, "end with status 1 if there is a problem"},
    {0},
};

const struct al_cmd al_cmd_status = {
    .name = "status",
    .group = AL_GROUP_START,
    .usage = "",
    .summary = "how things stand: problems first, else five lines",
    .opts = status_opts,
    .fields = "identity, device, name, agent, started, devices, entries, own_entries, logs, "
              "people, following, peers, alone, behind, held, views_behind, listening, "
              "phrase_confirmed, problems",
    .examples = {"aloud status", "aloud status --check >/dev/null || aloud status"},
    .run = run_status,
};
