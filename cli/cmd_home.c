/* `aloud` alone: today at a glance, and one thing to do next. */
#include <stdlib.h>

#include "cli.h"
#include "cmds.h"
#include "feed.h"
#include "heapbuf.h"
#include "id.h"
#include "row_out.h"
#include "text.h"
#include "when.h"

#define OWN_MAX 50
#define NEWEST_MAX 200   /* in which to look for others */
#define OTHERS_MAX 12    /* shown */
#define TITLE_COLUMNS 40 /* of a question in the next step */

struct home {
    struct al_row *own, *newest;
    size_t own_count, newest_count;
    struct al_row *others; /* among |newest| */
    size_t other_count;
    uint64_t following;
    uint64_t held;
    struct al_slice problems; /* the answer of status */
};

/* The rows of one call of timeline, which stay until the end. */
static int fetch(struct al_cli *c, struct al_row **ret, size_t *ret_count, struct al_params *params)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "timeline", params);
    al_params_free(params);
    if (status != 0)
        return status;
    int err = al_row_out_read(ret, ret_count, al_cli_keep(c, result), "rows");
    return err == 0 ? 0 : al_cli_fail_call(c, err);
}

static int gather(struct al_cli *c, struct home *h)
{
    struct al_params own = {0};
    al_params_bool(&own, "mine", true);
    al_params_uint(&own, "since", al_when_day(al_cli_now_ms()));
    al_params_uint(&own, "limit", OWN_MAX);
    int status = fetch(c, &h->own, &h->own_count, &own);
    if (status != 0)
        return status;
    struct al_params newest = {0};
    al_params_uint(&newest, "limit", NEWEST_MAX);
    status = fetch(c, &h->newest, &h->newest_count, &newest);
    if (status != 0)
        return status;
    h->others = calloc(h->newest_count + 1, sizeof(*h->others));
    if (h->others == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    for (size_t i = 0; i < h->newest_count && h->other_count < OTHERS_MAX; i++) {
        if (!h->newest[i].mine)
            h->others[h->other_count++] = h->newest[i];
    }
    struct al_slice result;
    status = al_cli_call(c, &result, "status", NULL);
    if (status != 0)
        return status;
    h->following = al_get_uint(result, "following");
    h->held = al_get_uint(result, "held");
    h->problems = al_cli_keep(c, result);
    return 0;
}

/* What keeps one from being oneself here comes before everything else. */
static void say_problems(struct al_cli *c, const struct home *h)
{
    static const char *const urgent[] = {
        "copy", "revoked", "clone", "fork", "reading-key-unsafe", "reading-key-missing"};
    uint32_t count;
    struct al_read list = al_get_array(h->problems, "problems", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice p = al_read_raw(&list);
        bool is_urgent = false;
        for (size_t k = 0; k < sizeof(urgent) / sizeof(urgent[0]); k++)
            is_urgent = is_urgent || al_slice_is(al_get_str(p, "code"), urgent[k]);
        if (!is_urgent)
            continue;
        al_say(c->out, AL_STYLE_WARN, "! %s\n", al_cli_dup(c, al_get_str(p, "text")));
        al_say(c->out, AL_STYLE_NONE, "  try: %s\n\n", al_cli_dup(c, al_get_str(p, "try")));
    }
}

static const struct al_row *open_question(const struct home *h)
{
    for (size_t i = 0; i < h->other_count; i++) {
        if (al_slice_is(h->others[i].kind, "question") && h->others[i].replies == 0)
            return &h->others[i];
    }
    return NULL;
}

/* The one thing to do next, and why; NULL: it needs no reason. */
static const char *next_step(struct al_cli *c, const struct home *h, const char **ret_why)
{
    const struct al_row *question = open_question(h);
    if (question != NULL) {
        char id[AL_ID_TEXT];
        struct al_buf title = al_heapbuf();
        al_id_text_prefix(id, question->id, question->id_chars);
        al_text_title(&title, question->text, TITLE_COLUMNS);
        *ret_why =
            al_cli_str(c, "\"%.*s\" waits for an answer", (int)title.n, (const char *)title.p);
        al_heapbuf_free(&title);
        return al_cli_str(c, "aloud reply %s", id);
    }
    *ret_why = NULL;
    if (h->own_count == 0)
        return "aloud post \"what I am working on\"";
    if (h->following > 0)
        return "aloud timeline";
    *ret_why = "and send it to somebody to work with";
    return "aloud invite";
}

static void say_next(struct al_cli *c, const struct home *h)
{
    const char *why;
    const char *step = next_step(c, h, &why);
    al_say(c->out, AL_STYLE_DIM, "next: ");
    al_say(c->out, AL_STYLE_NONE, "%s\n", step);
    if (why != NULL)
        al_say_wrapped(c->out, AL_STYLE_DIM, al_slice_str(why), strlen("next: "));
}

static int say(struct al_cli *c, const struct home *h)
{
    struct al_feed feed = {.out = c->out, .now_ms = al_cli_now_ms(), .style = AL_FEED_TITLES};
    int err = 0;
    say_problems(c, h);
    if (h->own_count > 0) {
        err = al_feed_rows(&feed, h->own, h->own_count);
        al_say(c->out, AL_STYLE_NONE, "\n");
    }
    if (h->other_count > 0 && err == 0) {
        al_say(c->out, AL_STYLE_STRONG, "From others\n");
        feed.begun = true;
        feed.day = al_when_day(feed.now_ms);
        err = al_feed_rows(&feed, h->others, h->other_count);
        al_say(c->out, AL_STYLE_NONE, "\n");
    }
    if (h->held > 0)
        al_say(c->out, AL_STYLE_NONE, "%llu %s out yet: aloud held, aloud undo\n\n",
            (unsigned long long)h->held, h->held == 1 ? "post is not" : "posts are not");
    say_next(c, h);
    return err == 0 ? 0 : al_cli_fail_call(c, err);
}

static int run_home(struct al_cli *c)
{
    struct home h = {0};
    int status = gather(c, &h);
    if (status == 0 && al_out_is_pretty(c->out)) {
        status = say(c, &h);
    } else if (status == 0) {
        for (size_t i = 0; i < h.own_count; i++)
            al_row_out(c->out, &h.own[i]);
        for (size_t i = 0; i < h.other_count; i++)
            al_row_out(c->out, &h.others[i]);
    }
    free(h.own);
    free(h.newest);
    free(h.others);
    return status;
}

const struct al_cmd al_cmd_home = {
    .name = "home",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "today at a glance; the same as aloud alone",
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud", "aloud home --json=name,text"},
    .run = run_home,
};
