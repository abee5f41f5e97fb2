/* What people write: post and reply. */
#include <errno.h>
#include <unistd.h>

#include "audience.h"
#include "cli.h"
#include "cmds.h"
#include "dirs.h"
#include "draft.h"
#include "editor.h"
#include "heapbuf.h"
#include "id.h"
#include "posted.h"
#include "quote.h"
#include "refs.h"
#include "rpc.h"
#include "scan.h"
#include "tags.h"
#include "to.h"
#include "upload.h"
#include "write.h"

#define STDIN_BYTES_MAX (1024 * 1024)
#define PIECES_MAX (AL_PAYLOAD_MAX / 34) /* of all files: an entry has the hash of each */

/* An entry as it comes together. */
struct entry {
    const char *kind;
    struct al_to to; /* no name: that of the thread */
    uint64_t at_ms;
    struct al_tags tags;
    struct al_slice text;
    struct al_slice re; /* encoded ref of what is answered, or n = 0 */
    bool editor;        /* write it there */
    const char *file;
    const char *again;
    const char *files[AL_UPLOAD_FILES_MAX + 1]; /* to attach */
    size_t file_count;
    struct al_slice handles; /* of these, at the node */
    bool piped;              /* the text came from stdin */
};

static int check_to(struct al_cli *c, struct entry *e)
{
    const char *to = al_cli_opt(c, "to");
    return to == NULL ? 0 : al_to_read(c, &e->to, to);
}

static int check_kind(struct al_cli *c, struct entry *e)
{
    static const char *const kinds[] = {"note", "question", "lesson"};
    const char *kind = al_cli_opt(c, "kind");
    if (kind == NULL)
        return 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            e->kind = kinds[i];
            return 0;
        }
    }
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'%s' can't be posted as a kind", kind),
        "The kinds for it are note, question and lesson.", NULL);
}

/* What one tells has happened. */
static int check_at(struct al_cli *c, struct entry *e)
{
    int status = al_cli_opt_when(c, &e->at_ms, "at");
    if (status == 0 && e->at_ms > al_cli_now_ms())
        status =
            al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'%s' is still to come", al_cli_opt(c, "at")),
                "--at says when it happened.", NULL);
    return status;
}

static int fail_tag(struct al_cli *c, int err, const char *tag)
{
    if (err == AL_E_LIMIT)
        return al_fail(c, AL_EXIT_DATA,
            al_cli_str(c, "an entry can have %d tags, and there are more", AL_TAGS_MAX), NULL,
            NULL);
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'%s' is no tag", tag),
        "A tag has letters, digits and - _ . / inside, and at most 64 bytes.", NULL);
}

static int take_tags(struct al_cli *c, struct entry *e)
{
    const char *tag;
    for (int i = 0; (tag = al_cli_opt_nth(c, "tag", i)) != NULL; i++) {
        int err = al_tags_add(&e->tags, al_slice_str(tag));
        if (err != 0)
            return fail_tag(c, err, tag);
    }
    return 0;
}

/* Join the words from args[first] on; +tag words become tags. */
static int take_words(struct al_cli *c, struct entry *e, int first)
{
    struct al_buf text = al_heapbuf();
    int status = 0;
    for (int i = first; i < c->arg_count && status == 0; i++) {
        const char *word = c->args[i];
        if (al_tags_is_word(word)) {
            int err = al_tags_add(&e->tags, al_slice_str(word));
            status = err == 0 ? 0 : fail_tag(c, err, word);
            continue;
        }
        if (text.n > 0)
            al_buf_put(&text, " ", 1);
        al_buf_put(&text, word, strlen(word));
    }
    e->text = al_cli_keep(c, al_editor_trim(al_buf_slice(&text)));
    al_heapbuf_free(&text);
    return status;
}

static int take_stdin(struct al_cli *c, struct entry *e)
{
    struct al_buf text = al_heapbuf();
    int status = 0;
    e->piped = true;
    if (al_dirs_read(&text, STDIN_FILENO, STDIN_BYTES_MAX) != 0)
        status = errno != EFBIG ? al_fail_errno(c, errno, "the text can't be read", NULL)
                                : al_fail(c, AL_EXIT_DATA, "not posted: the text is too long",
                                      al_cli_str(c, "An entry holds %d bytes.", AL_TEXT_MAX),
                                      "post what it is about, and where to find it");
    e->text = al_cli_keep(c, al_editor_trim(al_buf_slice(&text)));
    al_heapbuf_free(&text);
    return status;
}

/*
 * The command was refused before the text had its turn: what is piped in is nowhere else, and is
 * kept. Words are with who typed them. Returns |status|.
 */
static int keep_stdin(struct al_cli *c, struct entry *e, int first, int status)
{
    bool words = e->text.n > 0;
    for (int i = first; i < c->arg_count; i++)
        words = words || !al_tags_is_word(c->args[i]);
    if (!words && isatty(STDIN_FILENO) != 1)
        (void)take_stdin(c, e);
    if (!words)
        al_draft_leave(c, e->text);
    return status;
}

/* The text from words, else from stdin; else it is the editor's turn. */
static int take_text(struct al_cli *c, struct entry *e, int first)
{
    int status = take_words(c, e, first);
    if (status != 0)
        return keep_stdin(c, e, first, status);
    if (e->text.n > 0)
        return 0;
    if (isatty(STDIN_FILENO) != 1)
        return take_stdin(c, e);
    e->editor = !c->no_input;
    return 0;
}

/* Let the editor have it, if it is its turn; |remark| stands below. An empty text ends it. */
static int finish_text(struct al_cli *c, struct entry *e, const char *remark)
{
    if (e->editor)
        return al_editor(c, &e->text, &e->file, e->text, remark);
    if (e->text.n == 0)
        return al_fail(c, AL_EXIT_NOTHING, "nothing posted: the text is empty", NULL,
            al_cli_str(c, "aloud %s --help", c->cmd->name));
    return 0;
}

static struct al_slice encode_entry(struct al_buf *b, const struct entry *e)
{
    bool re = e->re.n > 0;
    al_write_map(b, (size_t)2 + (e->at_ms != 0) + (e->tags.count > 0) + re + (e->file_count > 0));
    al_write_cstr(b, "k");
    al_write_cstr(b, e->kind);
    if (e->at_ms != 0) {
        al_write_cstr(b, "at");
        al_write_uint(b, e->at_ms);
    }
    if (e->file_count > 0) {
        al_write_cstr(b, "files");
        al_write_raw(b, e->handles);
    }
    if (re) {
        al_write_cstr(b, "re");
        al_write_raw(b, e->re);
    }
    if (e->tags.count > 0) {
        al_write_cstr(b, "tags");
        al_write_array(b, e->tags.count);
        for (size_t i = 0; i < e->tags.count; i++)
            al_write_cstr(b, e->tags.tag[i]);
    }
    al_write_cstr(b, "text");
    al_write_str(b, e->text);
    return al_buf_slice(b);
}

/* What the node would refuse for certain. */
static int check_text(struct al_cli *c, const struct entry *e, const struct al_draft *d)
{
    struct al_trouble t = {.status = AL_EXIT_DATA};
    if (!al_utf8_valid(e->text))
        t = (struct al_trouble){.status = AL_EXIT_DATA,
            .what = "the text is not UTF-8",
            .hint = al_cli_str(c, "iconv -f latin1 -t utf-8 FILE | %s", e->again)};
    else if (e->text.n > AL_TEXT_MAX)
        t.what =
            al_cli_str(c, "the text has %zu bytes, and an entry holds %d", e->text.n, AL_TEXT_MAX);
    return t.what == NULL ? 0 : al_draft_refuse(c, d, t);
}

/* The command with the options it was given: nobody else is to read what is posted again. */
static const char *with_options(struct al_cli *c, const struct entry *e)
{
    static const char *const options[] = {"to", "kind", "at"};
    const char *command = e->again;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *value = al_cli_opt(c, options[i]);
        if (value != NULL)
            command = al_cli_str(c, "%s --%s %s", command, options[i], al_quote(c, value));
    }
    for (size_t i = 0; i < e->tags.count; i++)
        command = al_cli_str(c, "%s -t %s", command, al_quote(c, e->tags.tag[i]));
    for (size_t i = 0; i < e->file_count; i++)
        command = al_cli_str(c, "%s -a %s", command, al_quote(c, e->files[i]));
    return command;
}

/* The files go first; where that can't be, the text stays, and how to post both. */
static int send_files(struct al_cli *c, struct entry *e, const struct al_draft *d)
{
    struct al_trouble t;
    if (al_upload_pieces(e->files, e->file_count) > PIECES_MAX)
        return al_draft_refuse(c, d,
            (struct al_trouble){.status = AL_EXIT_DATA,
                .name = al_err_name(AL_E_LENGTH),
                .what = "the files are too large together: attach less to one entry",
                .why = "All the files of an entry have at most about 100 MiB.",
                .hint = "aloud drafts"});
    if (e->file_count == 0 || al_upload(c, &e->handles, &t, e->files, e->file_count) == 0)
        return 0;
    t.hint = NULL;
    return al_draft_refuse(c, d, t);
}

static int send_entry(struct al_cli *c, struct entry *e)
{
    e->again = with_options(c, e);
    struct al_draft d = {.text = e->text, .file = e->file, .again = e->again};
    int status = check_text(c, e, &d);
    if (status != 0)
        return status;
    int err = al_tags_scan(&e->tags, e->text);
    if (err != 0)
        return al_draft_refuse(c, &d,
            (struct al_trouble){.status = AL_EXIT_DATA,
                .what = al_cli_str(c, "an entry can have %d tags", AL_TAGS_MAX)});
    status = send_files(c, e, &d);
    if (status != 0)
        return status;
    struct al_buf entry = al_heapbuf();
    al_params_raw(&d.call, "entry", encode_entry(&entry, e));
    al_heapbuf_free(&entry);
    al_to_params(&d.call, &e->to);
    struct al_slice answer;
    status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(
            c, answer, &(struct al_posted){.kind = e->kind, .to = e->to.name, .tags = &e->tags});
    return status;
}

static int take_files(struct al_cli *c, struct entry *e)
{
    const char *path;
    while (e->file_count <= AL_UPLOAD_FILES_MAX &&
           (path = al_cli_opt_nth(c, "attach", (int)e->file_count)) != NULL)
        e->files[e->file_count++] = path;
    return al_upload_check(c, e->files, e->file_count);
}

/* The options that post and reply share. */
static int take_options(struct al_cli *c, struct entry *e)
{
    e->editor = al_cli_opt(c, "edit") != NULL;
    int status = check_to(c, e);
    if (status == 0)
        status = check_kind(c, e);
    if (status == 0)
        status = check_at(c, e);
    if (status == 0)
        status = take_files(c, e);
    return status == 0 ? take_tags(c, e) : status;
}

static int run_resend(struct al_cli *c)
{
    size_t sent = 0;
    int status = al_draft_send_waiting(c, &sent);
    if (status == 0 && sent == 0) {
        al_cli_note(c, "aloud: nothing waits to be posted.");
        status = AL_EXIT_NOTHING;
    }
    return status;
}

/* Who will read it, in words, when the editor is to show them. */
static int post_audience(struct al_cli *c, const char **ret, const struct entry *e)
{
    struct al_slice to = al_slice_str("");
    if (e->to.name != NULL) {
        *ret = e->to.words;
        return 0;
    }
    if (e->editor) {
        struct al_slice result;
        int status = al_cli_call(c, &result, "status", NULL);
        if (status != 0)
            return status;
        to = al_get_str(result, "audience");
    }
    *ret = al_audience_words(c, to, 0, 0);
    return 0;
}

static int run_post(struct al_cli *c)
{
    struct entry e = {.kind = "note", .again = "aloud post"};
    if (al_cli_opt(c, "resend") != NULL)
        return run_resend(c);
    int status = take_options(c, &e);
    if (status != 0)
        return keep_stdin(c, &e, 0, status);
    status = take_text(c, &e, 0);
    if (status != 0)
        return status;
    const char *to;
    status = post_audience(c, &to, &e);
    if (status != 0) {
        al_draft_leave(c, e.text);
        return status;
    }
    status = finish_text(c, &e,
        al_cli_str(
            c, "It goes to %s. #tag makes a tag. Leave the text empty to post nothing.\n", to));
    return status == 0 ? send_entry(c, &e) : status;
}

static const struct al_cli_opt post_opts[] = {
    {"edit", 'e', NULL, "write it in $VISUAL or $EDITOR"},
    {"tag", 't', "TAG", "add a tag; may be repeated"},
    {"attach", 'a', "FILE", "attach a file of at most 32 MiB; may be repeated: 8 files, 100 MiB"},
    {"kind", 'k', "KIND", "note (the default), question or lesson"},
    {"at", 0, "WHEN", "when it happened: yesterday, \"monday 14:00\", -2d, 2026-11-22"},
    {"to", 0, "AUDIENCE", "me, circle:NAME, network or web; audience.default, else network"},
    {"resend", 0, NULL, "only send what could not be sent before"},
    {0},
};

const struct al_cmd al_cmd_post = {
    .name = "post",
    .group = AL_GROUP_WRITE,
    .usage = "[TEXT...]",
    .summary = "write down what you do, learn or wonder",
    .about = "Words are joined; without any the text comes from stdin, or from your editor on a "
             "terminal. The first sentence is the title. A tag is a word of its own on the command "
             "line, +tag, or a #tag inside the text; a +tag within quotes stays text. Nothing "
             "written is lost: it is on disk before it is sent, and what can't "
             "be sent now is sent by the next post, never twice.",
    .opts = post_opts,
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud post \"uv_close runs its callback one turn later\" +libuv",
        "git diff --stat | aloud post --to me -t wip"},
    .args_max = -1,
    .run = run_post,
};

/* The readers of an answer are those of its parent, which must be known, or named. */
static int check_parent(struct al_cli *c, const struct entry *e, const struct al_row *parent)
{
    bool retracted = al_slice_is(parent->state, "retracted");
    bool readable = !retracted && !al_slice_is(parent->state, "missing") &&
                    !al_slice_is(parent->state, "unreadable");
    if (readable || e->to.name != NULL)
        return 0;
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, parent->id, parent->id_chars);
    const char *again = al_cli_str(c, "%s --to network", with_options(c, e));
    struct al_trouble t = {.status = AL_EXIT_NO_SUCH,
        .name = al_err_name(AL_E_NOT_FOUND),
        .what = al_cli_str(c, retracted ? "%s was retracted" : "the words of %s are not here", id),
        .why = "So it is not known for whom the answer is. Say it: --to me, circle:NAME, network "
               "or web.",
        .hint = again};
    if (e->piped)
        t.hint = NULL;
    else if (e->text.n > 0)
        t.hint = al_cli_str(c, "%s -- %s", again, al_quote(c, al_cli_dup(c, e->text)));
    const struct al_draft d = {.text = e->text, .again = again, .name_only = !e->piped};
    return al_draft_refuse(c, &d, t);
}

static int run_reply(struct al_cli *c)
{
    struct entry e = {.kind = "reply", .again = al_cli_str(c, "aloud reply %s", c->args[0])};
    struct al_row parent;
    int status = take_options(c, &e);
    if (status != 0)
        return keep_stdin(c, &e, 1, status);
    status = take_text(c, &e, 1);
    if (status != 0)
        return status;
    status = al_refs_target(c, &parent, c->args[0]);
    if (status != 0) {
        al_draft_leave(c, e.text);
        return status;
    }
    status = check_parent(c, &e, &parent);
    if (status != 0)
        return status;
    e.re = parent.ref;
    status = finish_text(c, &e,
        al_cli_str(c, "A reply to %s, for the same readers (%s):\n\n%s\n",
            al_refs_name(c, parent.identity, parent.name, parent.petname), al_cli_dup(c, parent.to),
            al_cli_dup(c, parent.text)));
    return status == 0 ? send_entry(c, &e) : status;
}

static const struct al_cli_opt reply_opts[] = {
    {"edit", 'e', NULL, "write it in $VISUAL or $EDITOR"},
    {"tag", 't', "TAG", "add a tag; may be repeated"},
    {"attach", 'a', "FILE", "attach a file of at most 32 MiB; may be repeated: 8 files, 100 MiB"},
    {"at", 0, "WHEN", "when it happened"},
    {"to", 0, "AUDIENCE", "me, circle:NAME, network or web; without it, that of the thread"},
    {0},
};

const struct al_cmd al_cmd_reply = {
    .name = "reply",
    .group = AL_GROUP_WRITE,
    .usage = "ID [TEXT...]",
    .summary = "answer an entry",
    .about = "ID is the beginning of an id, last, last~2 or @kai/last. The text comes from words, "
             "stdin or the editor, as with post. The reply has the readers of its thread.",
    .opts = reply_opts,
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud reply q7xk \"the callback runs in the next turn\"", "aloud reply last -e"},
    .args_min = 1,
    .args_max = -1,
    .run = run_reply,
};
