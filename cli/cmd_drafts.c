/* Texts that have not been posted: to look at, to send, to let go. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "cmds.h"
#include "draft.h"
#include "editor.h"
#include "heapbuf.h"
#include "posted.h"
#include "tags.h"
#include "text.h"
#include "to.h"
#include "write.h"

#define DRAFTS_MAX 4096
#define TITLE_COLUMNS 50

struct drafts {
    struct al_draft_info *rows;
    size_t count;
};

static const char *state_of(const struct al_draft_info *d)
{
    return d->busy ? "busy" : d->waits ? "waits" : "left";
}

static void out_draft(struct al_cli *c, const struct al_draft_info *d)
{
    struct al_buf title = al_heapbuf();
    al_text_title(&title, d->text, TITLE_COLUMNS);
    al_out_row(c->out);
    al_out_cstr(c->out, "draft", d->name);
    al_out_cstr(c->out, "state", state_of(d));
    al_out_time(c->out, "time", d->time_ms);
    al_out_text(c->out, "title", al_buf_slice(&title));
    al_out_text(c->out, "text", d->text);
    al_out_cstr(c->out, "path", d->path);
    al_out_row_end(c->out);
    al_heapbuf_free(&title);
}

/* The one whose name begins with |typed|. */
static int find(
    struct al_cli *c, const struct al_draft_info **ret, const struct drafts *all, const char *typed)
{
    size_t found = 0;
    const struct al_draft_info *match = NULL;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->rows[i].name, typed) == 0) {
            *ret = &all->rows[i];
            return 0;
        }
        if (strncmp(all->rows[i].name, typed, strlen(typed)) == 0) {
            match = &all->rows[i];
            found++;
        }
    }
    if (found == 1) {
        *ret = match;
        return 0;
    }
    return al_fail_err(c, found == 0 ? AL_E_NOT_FOUND : AL_E_AMBIGUOUS,
        found == 0 ? al_cli_str(c, "there is no draft '%s'", typed)
                   : al_cli_str(c, "'%s' could be %zu drafts", typed, found),
        NULL, "aloud drafts");
}

/* ---- verbs ---- */

static int run_ls(struct al_cli *c, const struct drafts *all)
{
    static const struct al_out_col cols[] = {
        {.field = "draft", .title = "draft", .style = AL_STYLE_ID},
        {.field = "state", .title = "state"},
        {.field = "time", .title = "written"},
        {.field = "title", .title = "", .cut = true},
    };
    if (all->count == 0) {
        al_cli_note(c, "aloud: no drafts: all that was written was posted, or let go.");
        return AL_EXIT_NOTHING;
    }
    al_out_table(c->out, cols, sizeof(cols) / sizeof(cols[0]));
    for (size_t i = 0; i < all->count; i++)
        out_draft(c, &all->rows[i]);
    return AL_EXIT_DONE;
}

static int run_show(struct al_cli *c, const struct drafts *all)
{
    const struct al_draft_info *d = NULL;
    int status = find(c, &d, all, c->args[1]);
    if (d == NULL)
        return status;
    al_say_wrapped(c->out, AL_STYLE_NONE, d->text, 0);
    if (!al_out_is_pretty(c->out))
        out_draft(c, d);
    return AL_EXIT_DONE;
}

/* A text that was left goes out as a note. */
static int post_left(struct al_cli *c, const struct al_draft_info *left, const struct al_to *to)
{
    struct al_draft d = {
        .text = al_editor_trim(left->text), .file = left->path, .again = "aloud post"};
    struct al_params entry = {0};
    struct al_tags tags = {.count = 0};
    struct al_slice answer;
    if (d.text.n == 0)
        return al_fail(c, AL_EXIT_NOTHING, "nothing posted: the draft is empty", NULL,
            al_cli_str(c, "aloud drafts drop %s", left->name));
    if (al_tags_scan(&tags, d.text) != 0)
        return al_draft_refuse(c, &d,
            (struct al_trouble){.status = AL_EXIT_DATA,
                .what = al_cli_str(c, "an entry can have %d tags", AL_TAGS_MAX)});
    al_params_cstr(&entry, "k", "note");
    al_params_str(&entry, "text", d.text);
    if (tags.count > 0) {
        struct al_buf b = al_heapbuf();
        al_write_array(&b, tags.count);
        for (size_t i = 0; i < tags.count; i++)
            al_write_cstr(&b, tags.tag[i]);
        al_params_raw(&entry, "tags", al_buf_slice(&b));
        al_heapbuf_free(&b);
    }
    al_params_raw(&d.call, "entry", al_params_done(&entry));
    al_params_free(&entry);
    al_to_params(&d.call, to);
    int status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(
            c, answer, &(struct al_posted){.kind = "note", .to = to->name, .tags = &tags});
    return status;
}

static int run_send(struct al_cli *c, const struct drafts *all)
{
    const struct al_draft_info *d = NULL;
    struct al_to to = {.name = NULL};
    const char *typed = al_cli_opt(c, "to");
    int status = find(c, &d, all, c->args[1]);
    if (status == 0 && typed != NULL)
        status = al_to_read(c, &to, typed);
    if (status != 0 || d == NULL)
        return status;
    if (d->waits && typed != NULL)
        return al_fail(c, AL_EXIT_USAGE, "that draft waits with its readers settled",
            "It may have arrived already, so it can only be sent as it was.",
            al_cli_str(c, "aloud drafts send %s", d->name));
    return d->waits ? al_draft_send_one(c, d) : post_left(c, d, &to);
}

static int run_drop(struct al_cli *c, const struct drafts *all)
{
    const struct al_draft_info *d = NULL;
    int status = find(c, &d, all, c->args[1]);
    if (status != 0)
        return status;
    if (d->busy)
        return al_fail_err(
            c, AL_E_BUSY, "another aloud is sending that draft", NULL, "aloud drafts");
    al_say_wrapped(c->out, AL_STYLE_NONE, d->text, 2);
    al_out_flush(c->out);
    if (!al_cli_confirm(c, "Let go of it for good?"))
        return al_fail(c, AL_EXIT_REFUSED, "nothing dropped: it was not confirmed", NULL,
            al_cli_str(c, "aloud drafts drop %s --yes", d->name));
    if (unlink(d->path) != 0)
        return al_fail_errno(c, errno, al_cli_str(c, "%s can't be removed", d->path), NULL);
    if (!al_out_is_pretty(c->out))
        out_draft(c, d);
    return AL_EXIT_DONE;
}

static int run_drafts(struct al_cli *c)
{
    static const struct {
        const char *name;
        int (*run)(struct al_cli *c, const struct drafts *all);
        int args;
    } verbs[] = {
        {"ls", run_ls, 1}, {"show", run_show, 2}, {"send", run_send, 2}, {"drop", run_drop, 2}};
    const char *verb = c->arg_count > 0 ? c->args[0] : "ls";
    int args = c->arg_count > 0 ? c->arg_count : 1;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i].name) != 0 || args != verbs[i].args)
            continue;
        struct drafts all = {.rows = calloc(DRAFTS_MAX, sizeof(*all.rows))};
        if (all.rows == NULL)
            return al_cli_fail_call(c, AL_E_NOMEM);
        all.count = al_draft_list(c, all.rows, DRAFTS_MAX);
        int status = verbs[i].run(c, &all);
        free(all.rows);
        return status;
    }
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'drafts %s' can't be done like that", verb),
        "It is ls, or show, send or drop with the name of a draft.", "aloud drafts");
}

const struct al_cmd al_cmd_drafts = {
    .name = "drafts",
    .group = AL_GROUP_WRITE,
    .usage = "[ls | show DRAFT | send DRAFT | drop DRAFT]",
    .summary = "texts that were written but not posted",
    .about = "One that waits could not be sent; the next post sends it, or send does now. One "
             "that was left was refused, or stayed in an editor: send posts it as a note, and "
             "aloud reply ID < FILE makes a reply of it. A draft is named by the beginning of "
             "its name.",
    .opts =
        (const struct al_cli_opt[]){
            {"to", 0, "AUDIENCE", "with send: me, circle:NAME, network or web"}, {0}},
    .fields = "draft, state, time, title, text, path",
    .examples = {"aloud drafts", "aloud drafts send 2026-11-22"},
    .args_max = 2,
    .run = run_drafts,
};
