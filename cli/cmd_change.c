/* Changing one's mind about what one wrote: edit, retract, share. */
#include <errno.h>
#include <unistd.h>

#include "audience.h"
#include "change.h"
#include "cli.h"
#include "cmds.h"
#include "dirs.h"
#include "draft.h"
#include "editor.h"
#include "feed.h"
#include "heapbuf.h"
#include "posted.h"
#include "refs.h"
#include "row_say.h"
#include "rpc.h"
#include "scan.h"
#include "to.h"
#include "write.h"

#define STDIN_BYTES_MAX (1024 * 1024)

/* ---- edit ---- */

struct edit {
    struct al_row row;
    struct al_slice text;
    const char *file; /* where the editor left it, or NULL */
    struct al_tags tags;
    const char *again;
};

static int fail_tag(struct al_cli *c, int err, const char *tag)
{
    if (err == AL_E_LIMIT)
        return al_fail(c, AL_EXIT_DATA,
            al_cli_str(c, "an entry can have %d tags, and there are more", AL_TAGS_MAX), NULL,
            NULL);
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'%s' is no tag", tag),
        "A tag has letters, digits and - _ . / inside, and at most 64 bytes.", NULL);
}

/* True if the text by itself, or an option, says that |tag| goes. */
static bool is_untagged(const struct al_cli *c, const char *tag, const struct al_tags *in_text)
{
    const char *gone;
    for (size_t i = 0; i < in_text->count; i++) {
        if (strcmp(in_text->tag[i], tag) == 0)
            return true;
    }
    for (int i = 0; (gone = al_cli_opt_nth(c, "untag", i)) != NULL; i++) {
        if (strcmp(gone + (gone[0] == '#' || gone[0] == '+'), tag) == 0)
            return true;
    }
    return false;
}

/*
 * The tags of the new version: those of the old one that stood beside its text, those of the new
 * text, and those of the options.
 */
static int edit_tags(struct al_cli *c, struct edit *e)
{
    struct al_tags old = {.count = 0};
    struct al_tags in_text = {.count = 0};
    const char *tag;
    int err = 0;
    al_change_tags(&old, &e->row);
    (void)!al_tags_scan(&in_text, e->row.text);
    for (size_t i = 0; i < old.count; i++) {
        if (!is_untagged(c, old.tag[i], &in_text))
            (void)!al_tags_add(&e->tags, al_slice_str(old.tag[i]));
    }
    for (int i = 0; (tag = al_cli_opt_nth(c, "tag", i)) != NULL; i++) {
        err = al_tags_add(&e->tags, al_slice_str(tag));
        if (err != 0)
            return fail_tag(c, err, tag);
    }
    err = al_tags_scan(&e->tags, e->text);
    return err == 0 ? 0 : fail_tag(c, err, "");
}

static void join_words(struct al_cli *c, struct edit *e)
{
    struct al_buf text = al_heapbuf();
    for (int i = 1; i < c->arg_count; i++) {
        if (i > 1)
            al_buf_put(&text, " ", 1);
        al_buf_put(&text, c->args[i], strlen(c->args[i]));
    }
    e->text = al_cli_keep(c, al_editor_trim(al_buf_slice(&text)));
    al_heapbuf_free(&text);
}

static int read_stdin(struct al_cli *c, struct edit *e)
{
    struct al_buf text = al_heapbuf();
    int status = 0;
    if (al_dirs_read(&text, STDIN_FILENO, STDIN_BYTES_MAX) != 0)
        status = al_fail_errno(c, errno, "the text can't be read", NULL);
    e->text = al_cli_keep(c, al_editor_trim(al_buf_slice(&text)));
    al_heapbuf_free(&text);
    return status;
}

/* There is nothing to edit, but what was typed or piped in may be nowhere else. */
static void keep_text(struct al_cli *c, struct edit *e)
{
    join_words(c, e);
    if (e->text.n == 0 && isatty(STDIN_FILENO) != 1)
        (void)!read_stdin(c, e);
    al_draft_leave(c, e->text);
}

/* The new text from words, else from stdin, else from the editor, where the present one stands. */
static int take_text(struct al_cli *c, struct edit *e)
{
    bool only_tags = al_cli_opt(c, "tag") != NULL || al_cli_opt(c, "untag") != NULL;
    bool editor = al_cli_opt(c, "edit") != NULL;
    int status = 0;
    join_words(c, e);
    if (e->text.n == 0 && !editor && isatty(STDIN_FILENO) != 1)
        status = read_stdin(c, e);
    if (status != 0 || (e->text.n > 0 && !editor))
        return status;
    if (only_tags && !editor) {
        e->text = e->row.text;
        return 0;
    }
    if (!editor && c->no_input)
        return al_fail(c, AL_EXIT_NOTHING, "nothing changed: the new text is empty",
            "To take the whole entry back, retract it.",
            al_cli_str(c, "aloud retract %s", al_change_id(c, &e->row)));
    return al_editor(c, &e->text, &e->file, e->text.n > 0 ? e->text : e->row.text,
        al_cli_str(c,
            "A new version of %s, for the same readers (%s). The versions before it stay\n"
            "visible: aloud show --history. Leave it as it is, or empty, to change nothing.\n",
            al_change_id(c, &e->row), al_cli_dup(c, e->row.to)));
}

static bool is_unchanged(const struct edit *e)
{
    struct al_tags old = {.count = 0};
    al_change_tags(&old, &e->row);
    bool same = old.count == e->tags.count &&
                al_slice_eq(al_editor_trim(e->text), al_editor_trim(e->row.text));
    for (size_t i = 0; same && i < old.count; i++)
        same = strcmp(old.tag[i], e->tags.tag[i]) == 0;
    return same;
}

static int send_edit(struct al_cli *c, struct edit *e)
{
    struct al_draft d = {.text = e->text, .file = e->file, .again = e->again};
    struct al_slice answer;
    if (!al_utf8_valid(e->text))
        return al_draft_refuse(
            c, &d, (struct al_trouble){.status = AL_EXIT_DATA, .what = "the text is not UTF-8"});
    al_change_content(&d.call, "edit", &e->row, e->text, &e->tags);
    int status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(
            c, answer, &(struct al_posted){.kind = "edit", .tags = &e->tags, .of = e->row.id});
    return status;
}

static int run_edit(struct al_cli *c)
{
    struct edit e = {.again = al_cli_str(c, "aloud edit %s", c->args[0])};
    int status = al_change_find_readable(c, &e.row, c->args[0], "edit");
    if (status != 0) {
        keep_text(c, &e);
        return status;
    }
    status = take_text(c, &e);
    if (status == 0)
        status = edit_tags(c, &e);
    if (status != 0)
        return status;
    if (!is_unchanged(&e))
        return send_edit(c, &e);
    if (e.file != NULL)
        (void)unlink(e.file);
    al_cli_note(c, "aloud: nothing changed: it says that already.");
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_edit = {
    .name = "edit",
    .group = AL_GROUP_WRITE,
    .usage = "ID [TEXT...]",
    .summary = "give an own entry another text",
    .about = "The new text comes from words, stdin or, on a terminal, your editor, where the "
             "present one stands. It has the readers of the entry. The versions before it stay "
             "in your log, and show --history shows them: what should not be read any more is "
             "to be retracted.",
    .opts = (const struct al_cli_opt[]){{"edit", 'e', NULL, "write it in $VISUAL or $EDITOR"},
        {"tag", 't', "TAG", "add a tag; may be repeated"},
        {"untag", 0, "TAG", "take a tag away; may be repeated"}, {0}},
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud edit last", "aloud edit q7xk \"one turn later, not two\" -t libuv"},
    .args_min = 1,
    .args_max = -1,
    .run = run_edit,
};

/* ---- retract ---- */

static int run_retract(struct al_cli *c)
{
    struct edit why = {.file = NULL};
    int status = al_change_find(c, &why.row, c->args[0], "retract");
    join_words(c, &why);
    return status == 0 ? al_change_retract(c, &why.row, why.text) : status;
}

const struct al_cmd al_cmd_retract = {
    .name = "retract",
    .group = AL_GROUP_WRITE,
    .usage = "ID [WHY...]",
    .summary = "take an own entry back",
    .about = "Asks first. Its words and every version of it are dropped: from the logs, the "
             "search index and the files here, and on every honest node that hears of it. "
             "Copies that others made stay with them. The reason, if you give one, is for "
             "everybody to read. Said again, last still means the entry that was retracted, and "
             "no older one.",
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud retract last", "aloud retract q7xk \"that was not mine to tell\" --yes"},
    .args_min = 1,
    .args_max = -1,
    .run = run_retract,
};

/* ---- share ---- */

static const char *const gains[][2] = {
    {"network", "everybody who carries your log, now and later"},
    {"web", "everybody: the site you export shows it"},
};

/* Who can read it now, and who else then; and the very text. */
static void say_share(
    struct al_cli *c, const struct al_row *row, const struct al_to *to, const char *audience)
{
    const char *who = "its members";
    for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) {
        if (strcmp(to->name, gains[i][0]) == 0)
            who = gains[i][1];
    }
    al_say(c->out, AL_STYLE_NONE, "from %s to ", al_cli_dup(c, row->to));
    al_say(c->out, AL_STYLE_WARN, "%s", audience);
    al_say(c->out, AL_STYLE_NONE, "\n");
    al_say_wrapped(c->out, AL_STYLE_NONE,
        al_slice_str(
            al_cli_str(c, "Who gains it: %s. They read exactly this, under your name:", who)),
        0);
    struct al_styled t;
    al_styled_init(&t);
    al_row_say_body(&t, row);
    al_say(c->out, AL_STYLE_NONE, "\n");
    struct al_styled_box box = {.indent = 2, .columns = al_feed_columns(c->out) - 2};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
    for (size_t i = 0; i < row->tag_count; i++) {
        al_say(c->out, AL_STYLE_TAG, i == 0 ? "  #" : " #");
        al_say_line(c->out, AL_STYLE_TAG, row->tags[i]);
    }
    al_say(c->out, AL_STYLE_NONE, row->tag_count > 0 ? "\n\n" : "\n");
    al_out_flush(c->out);
}

static int rank(struct al_slice to)
{
    static const char *const order[] = {"me", "circle", "network", "web"};
    for (int i = 0; i < 4; i++) {
        if (al_slice_is(to, order[i]))
            return i;
    }
    return 4;
}

/* Outward only; the node knows it as well, but this is the time to say why. */
static int check_wider(struct al_cli *c, const struct al_row *row, const struct al_to *to)
{
    int before = rank(row->to);
    int then = rank(al_slice_str(to->name));
    if (then > before)
        return 0;
    const char *id = al_change_id(c, row);
    if (then == before)
        return al_fail_err(c, AL_E_AUDIENCE,
            al_cli_str(c, "%s goes to %s already", id, al_cli_dup(c, row->to)),
            then == 1 ? "One circle is not wider than another: what is for both is posted to both."
                      : "A share is for more readers than the entry has.",
            al_cli_str(c, "aloud show %s", id));
    return al_fail_err(c, AL_E_AUDIENCE,
        al_cli_str(c, "%s can't be taken from %s back to %s", id, al_cli_dup(c, row->to), to->name),
        "Whoever has it has it. What is retracted is dropped by honest nodes.",
        al_cli_str(c, "aloud retract %s", id));
}

/* With the numbers that go with it, for which the node is asked. */
static int audience_now(struct al_cli *c, const char **ret, const struct al_to *to)
{
    struct al_slice result;
    *ret = to->words;
    if (to->circle.circle != NULL)
        return 0;
    int status = al_cli_call(c, &result, "status", NULL);
    if (status == 0)
        *ret = al_audience_words(c, al_slice_str(to->name), al_get_uint(result, "people"),
            al_get_uint(result, "devices"));
    return status;
}

static int send_share(struct al_cli *c, const struct al_row *row, const struct al_to *to)
{
    struct al_tags tags = {.count = 0};
    struct al_draft d = {.text = al_slice_str(al_cli_str(
                             c, "share %s to %s", al_change_id(c, row), al_cli_opt(c, "to"))),
        .name_only = true};
    struct al_slice answer;
    al_change_tags(&tags, row);
    al_change_content(&d.call, "share", row, row->text, &tags);
    al_to_params(&d.call, to);
    int status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(c, answer,
            &(struct al_posted){.kind = "share", .to = to->name, .tags = &tags, .of = row->id});
    return status;
}

static int run_share(struct al_cli *c)
{
    struct al_row row;
    struct al_to to;
    const char *audience;
    const char *typed = al_cli_opt(c, "to");
    if (typed == NULL)
        return al_fail(c, AL_EXIT_USAGE, "say who is to gain it: --to is missing",
            "Outward only: from me to a circle, the network or the web.",
            al_cli_str(c, "aloud share %s --to network", c->args[0]));
    int status = al_change_find_readable(c, &row, c->args[0], "share");
    if (status == 0)
        status = al_to_read(c, &to, typed);
    if (status == 0)
        status = check_wider(c, &row, &to);
    if (status == 0)
        status = audience_now(c, &audience, &to);
    if (status != 0)
        return status;
    say_share(c, &row, &to, audience);
    if (al_cli_opt(c, "dry-run") != NULL) {
        al_out_row(c->out);
        al_out_id(c->out, "id", NULL, 0);
        al_out_cstr(c->out, "kind", "share");
        al_out_cstr(c->out, "to", to.name);
        al_out_cstr(c->out, "audience", audience);
        al_out_texts(c->out, "tags", row.tags, row.tag_count);
        al_out_id(c->out, "of", row.id, 0);
        al_out_uint(c->out, "held", 0);
        al_out_row_end(c->out);
        return AL_EXIT_DONE;
    }
    if (!al_cli_confirm(c, al_cli_str(c, "Share it with %s?", audience)))
        return al_fail(c, AL_EXIT_REFUSED, "nothing shared: it was not confirmed", NULL,
            al_cli_str(c, "aloud share %s --to %s --yes", al_change_id(c, &row), typed));
    return send_share(c, &row, &to);
}

const struct al_cmd al_cmd_share = {
    .name = "share",
    .group = AL_GROUP_WRITE,
    .usage = "ID --to AUDIENCE",
    .summary = "let more people read an own entry",
    .about = "Outward only: from me to a circle, from there to the network, from there to the "
             "web. Shows the exact text and who gains it, and asks. It becomes an entry of its "
             "own; the first one stays as it is, and its later versions are not shared along.",
    .opts = (const struct al_cli_opt[]){{"to", 0, "AUDIENCE", "circle:NAME, network or web"},
        {"dry-run", 0, NULL, "only show what would be shared"}, {0}},
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud share q7xk --to network", "aloud share last --to web --dry-run"},
    .args_min = 1,
    .args_max = 1,
    .run = run_share,
};
