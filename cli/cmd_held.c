/* Posts that wait in the node before they go out: what there is, and taking one out again. */
#include "change.h"
#include "cli.h"
#include "cmds.h"
#include "feed.h"
#include "heapbuf.h"
#include "refs.h"
#include "rpc.h"
#include "text.h"
#include "when.h"

#define TITLE_COLUMNS 50

/* One row of `held`, borrowed from the answer. */
struct held {
    uint64_t number;
    uint64_t due_ms;
    struct al_slice to, circle, why, kind, text;
    struct al_ref of; /* what it changes; seq 0: nothing */
    uint32_t files;
};

static void held_read(struct held *ret, struct al_slice map)
{
    struct al_slice entry = al_rpc_param(map, "entry");
    *ret = (struct held){
        .number = al_get_uint(map, "n"),
        .due_ms = al_get_uint(map, "due"),
        .to = al_get_str(map, "to"),
        .circle = al_get_str(map, "circle"),
        .why = al_get_str(map, "why"),
    };
    if (entry.n == 0)
        return;
    ret->kind = al_get_str(entry, "k");
    ret->text = al_get_str(entry, "text");
    if (ret->text.n == 0)
        ret->text = al_get_str(entry, "url");
    struct al_slice of = al_rpc_param(entry, "of");
    struct al_read r = al_read_init(of);
    if (of.n > 0)
        al_read_ref(&r, &ret->of);
    (void)al_get_array(entry, "files", &ret->files);
}

/* "circle:team", or where else it goes. */
static const char *readers(struct al_cli *c, const struct held *h)
{
    return h->circle.n > 0 ? al_cli_str(c, "circle:%s", al_cli_dup(c, h->circle))
                           : al_cli_dup(c, h->to);
}

static int get_held(struct al_cli *c, struct al_read *ret, uint32_t *ret_count)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "held", NULL);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    *ret = al_get_array(result, "held", ret_count);
    return 0;
}

/* ---- held ---- */

static const char *time_left(struct al_cli *c, const struct held *h, uint64_t now_ms)
{
    if (h->why.n > 0)
        return "could not go out";
    if (h->due_ms <= now_ms)
        return "now";
    return al_cli_str(c, "in %llu s", (unsigned long long)((h->due_ms - now_ms + 999) / 1000));
}

static void say_held(struct al_cli *c, const struct held *h)
{
    struct al_buf title = al_heapbuf();
    al_text_title(&title, h->text, TITLE_COLUMNS);
    al_say(c->out, AL_STYLE_STRONG, "held/%llu", (unsigned long long)h->number);
    al_say(c->out, AL_STYLE_NONE, "  %s ", al_cli_dup(c, h->kind));
    if (h->of.seq != 0) {
        al_say(c->out, AL_STYLE_NONE, "of ");
        al_say_id(c->out, h->of.id.b, 0);
        al_say(c->out, AL_STYLE_NONE, " ");
    }
    al_say(c->out, AL_STYLE_NONE, "to %s, ", readers(c, h));
    if (h->files > 0)
        al_say(c->out, AL_STYLE_NONE, "%u %s, ", h->files, h->files == 1 ? "file" : "files");
    al_say(c->out, h->why.n > 0 ? AL_STYLE_BAD : AL_STYLE_NONE, "%s\n",
        time_left(c, h, al_cli_now_ms()));
    al_say(c->out, AL_STYLE_NONE, "       ");
    al_say_line(c->out, AL_STYLE_NONE, al_buf_slice(&title));
    al_say(c->out, AL_STYLE_NONE, "\n");
    if (h->why.n > 0)
        al_say_wrapped(c->out, AL_STYLE_BAD, h->why, 7);
    al_heapbuf_free(&title);
}

static int run_held(struct al_cli *c)
{
    struct al_read rows;
    uint32_t count;
    int status = get_held(c, &rows, &count);
    if (status != 0)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        struct held h;
        held_read(&h, al_read_raw(&rows));
        say_held(c, &h);
        al_out_row(c->out);
        al_out_uint(c->out, "held", h.number);
        al_out_time(c->out, "due", h.due_ms);
        al_out_name(c->out, "kind", h.kind);
        al_out_cstr(c->out, "to", readers(c, &h));
        al_out_text(c->out, "text", h.text);
        al_out_text(c->out, "why", h.why);
        al_out_id(c->out, "of", h.of.seq != 0 ? h.of.id.b : NULL, 0);
        al_out_uint(c->out, "files", h.files);
        al_out_row_end(c->out);
    }
    if (count == 0)
        return al_fail(c, AL_EXIT_NOTHING, "nothing is held",
            "`post.hold = 30` in the configuration holds posts for half a minute.", NULL);
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_held = {
    .name = "held",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "posts that have not gone out yet",
    .about = "With post.hold = SECONDS in the configuration what you post waits in your node, "
             "unsigned, for so long. Until then undo takes it away whole. What can't go out when "
             "it is due stays here, with the reason.",
    .fields = "held, due, kind, to, text, why, of, files",
    .examples = {"aloud held", "aloud held --json=held,due,text"},
    .run = run_held,
};

/* ---- undo ---- */

/* Take out number |n|. What it said is printed once: here, and nowhere else any more. */
static int take_out(struct al_cli *c, uint64_t n)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_key(&params);
    al_params_uint(&params, "n", n);
    int status = al_cli_call(c, &result, "unhold", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    struct al_slice entry = al_rpc_param(result, "entry");
    struct al_slice text = entry.n == 0 ? entry : al_get_str(entry, "text");
    if (text.n == 0 && entry.n > 0)
        text = al_get_str(entry, "url");
    al_say(c->out, AL_STYLE_NONE, "held/%llu is gone: nobody has seen it. It said:\n\n",
        (unsigned long long)n);
    al_say_wrapped(c->out, AL_STYLE_NONE, text, 2);
    al_out_row(c->out);
    al_out_uint(c->out, "held", n);
    al_out_text(c->out, "kind", entry.n == 0 ? entry : al_get_str(entry, "k"));
    al_out_text(c->out, "text", text);
    al_out_id(c->out, "id", NULL, 0);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

/* It has gone out: it can only be taken back, which is something else. */
static int offer_retraction(struct al_cli *c)
{
    struct al_row row;
    int status = al_refs_target(c, &row, "last");
    if (status != 0)
        return status;
    if (al_slice_is(row.state, "retracted"))
        return al_fail(c, AL_EXIT_NOTHING,
            al_cli_str(c, "nothing is held, and the last entry, %s, was retracted already",
                al_change_id(c, &row)),
            "To take an older one back, name it.", "aloud log");
    if (al_slice_is(row.kind, "profile"))
        return al_fail(
            c, AL_EXIT_NOTHING, "nothing is held, and there is no post to take back", NULL, NULL);
    char when[64];
    al_when_relative(when, sizeof(when), row.claimed_ms, al_cli_now_ms());
    al_say_wrapped(c->out, AL_STYLE_NONE,
        al_slice_str(al_cli_str(c,
            "Nothing is held. Your last entry went out %s, to %s: it can't be undone, only "
            "retracted.",
            when,
            row.circle.n > 0 ? al_cli_str(c, "circle:%s", al_cli_dup(c, row.circle))
                             : al_cli_dup(c, row.to))),
        0);
    al_say(c->out, AL_STYLE_NONE, "\n");
    return al_change_retract(c, &row, al_slice_of(NULL, 0));
}

static int run_undo(struct al_cli *c)
{
    struct al_read rows;
    uint32_t count;
    struct held newest = {.number = 0};
    int status = get_held(c, &rows, &count);
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        struct held h;
        held_read(&h, al_read_raw(&rows));
        if (h.number > newest.number)
            newest = h;
    }
    if (status != 0)
        return status;
    return newest.number != 0 ? take_out(c, newest.number) : offer_retraction(c);
}

const struct al_cmd al_cmd_undo = {
    .name = "undo",
    .group = AL_GROUP_WRITE,
    .usage = "",
    .summary = "take the newest held post away, or offer to retract the last entry",
    .about = "A post that is still held vanishes whole; its text is printed a last time. What "
             "has gone out can only be retracted: then undo says so, and asks.",
    .fields = "held, kind, text, id; when it retracts: " AL_CHANGE_FIELDS,
    .examples = {"aloud undo", "aloud undo --json=text"},
    .run = run_undo,
};
