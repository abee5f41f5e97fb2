/* Who one is and what one is after, for others to find. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "audience.h"
#include "cli.h"
#include "cmds.h"
#include "dirs.h"
#include "draft.h"
#include "editor.h"
#include "heapbuf.h"
#include "limit.h"
#include "refs.h"
#include "scan.h"
#include "write.h"

#define STDIN_BYTES_MAX (64 * 1024)

enum field { NAME, WORKING, WANTS, KNOWS, ABOUT, FIELD_COUNT };

static const struct {
    const char *key;   /* in the entry, in options and answers */
    const char *label; /* in the form and on the screen */
    size_t max;
} fields[FIELD_COUNT] = {
    [NAME] = {"name", "name", AL_NAME_MAX},
    [WORKING] = {"working", "working on", AL_TEXT_MAX},
    [WANTS] = {"wants", "wants to learn", AL_TEXT_MAX},
    [KNOWS] = {"knows", "knows", AL_TEXT_MAX},
    [ABOUT] = {"about", "about", AL_TEXT_MAX},
};

struct profile {
    struct al_slice field[FIELD_COUNT];
};

static int get(struct al_cli *c, struct al_slice *ret, const uint8_t *identity)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_bin(&params, "identity", identity, 32);
    int status = al_cli_call(c, &result, "profile", &params);
    al_params_free(&params);
    if (status == 0)
        *ret = al_cli_keep(c, result);
    return status;
}

static int get_own(struct al_cli *c, struct al_slice *ret)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "status", NULL);
    if (status != 0)
        return status;
    const uint8_t *identity = al_get_b32(al_cli_keep(c, result), "identity");
    if (identity == NULL)
        return al_fail_err(c, AL_E_RPC, "the node did not say who you are", NULL, "aloud version");
    return get(c, ret, identity);
}

/* ---- show ---- */

static void print(struct al_cli *c, struct al_slice p)
{
    const uint8_t *identity = al_get_b32(p, "identity");
    struct al_slice petname = al_get_str(p, "petname");
    al_say_line(c->out, AL_STYLE_NAME, petname.n > 0 ? petname : al_get_str(p, "name"));
    if (identity != NULL) {
        al_say(c->out, AL_STYLE_NONE, "  @");
        al_say_id(c->out, identity, 0);
    }
    al_say(c->out, AL_STYLE_NONE, "\n");
    for (int i = WORKING; i < FIELD_COUNT; i++) {
        struct al_slice v = al_get_str(p, fields[i].key);
        if (v.n == 0)
            continue;
        if (i != ABOUT)
            al_say(c->out, AL_STYLE_DIM, "  %s\n", fields[i].label);
        al_say_wrapped(c->out, AL_STYLE_NONE, v, i == ABOUT ? 2 : 4);
    }
    al_say(c->out, AL_STYLE_DIM, "  %llu entries, %s\n",
        (unsigned long long)al_get_uint(p, "entries"),
        al_get_bool(p, "me")          ? "this is you"
        : al_get_bool(p, "blocked")   ? "blocked"
        : al_get_bool(p, "following") ? "you follow them"
                                      : "you don't follow them");
    al_out_row(c->out);
    al_out_id(c->out, "identity", identity, 0);
    al_out_name(c->out, "petname", petname);
    for (int i = 0; i < FIELD_COUNT; i++)
        al_out_text(c->out, fields[i].key, al_get_str(p, fields[i].key));
    al_out_bool(c->out, "me", al_get_bool(p, "me"));
    al_out_bool(c->out, "following", al_get_bool(p, "following"));
    al_out_bool(c->out, "admitted", al_get_bool(p, "admitted"));
    al_out_bool(c->out, "blocked", al_get_bool(p, "blocked"));
    al_out_uint(c->out, "entries", al_get_uint(p, "entries"));
    al_out_time(c->out, "first", al_get_uint(p, "first"));
    al_out_time(c->out, "last", al_get_uint(p, "last"));
    al_out_row_end(c->out);
}

static int show(struct al_cli *c, const char *typed)
{
    struct al_slice p = {0};
    int status;
    if (typed == NULL) {
        status = get_own(c, &p);
    } else {
        struct al_person person;
        status = al_refs_person(c, &person, typed);
        if (status == 0)
            status = get(c, &p, person.identity);
    }
    if (status == 0)
        print(c, p);
    return status;
}

/* ---- edit ---- */

/* The form that the editor shows: one line for each short field, then the text about oneself. */
static struct al_slice form(struct al_cli *c, const struct profile *p)
{
    const char *text = "";
    for (int i = 0; i < ABOUT; i++)
        text = al_cli_str(c, "%s%s: %s\n", text, fields[i].label, al_cli_dup(c, p->field[i]));
    return al_slice_str(al_cli_str(c, "%s\n%s", text, al_cli_dup(c, p->field[ABOUT])));
}

/* What follows |word| and a colon in |line|, or n = 0 and NULL when that is not its beginning. */
static struct al_slice after(struct al_slice line, const char *word)
{
    size_t k = strlen(word);
    if (line.n <= k || memcmp(line.p, word, k) != 0 || line.p[k] != ':')
        return al_slice_of(NULL, 0);
    return al_slice_of(line.p + k + 1, line.n - k - 1);
}

/* Read a form. Lines up to the first that is empty or no field are fields; the rest is about. */
static void read_form(struct profile *p, struct al_slice text)
{
    *p = (struct profile){0};
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        int found = -1;
        for (int i = 0; i < ABOUT; i++) {
            struct al_slice v = after(al_slice_of(text.p, n), fields[i].label);
            if (v.p == NULL)
                v = after(al_slice_of(text.p, n), fields[i].key);
            if (v.p != NULL) {
                found = i;
                while (v.n > 0 && v.p[0] == ' ')
                    v = al_slice_of(v.p + 1, v.n - 1);
                p->field[i] = al_editor_trim(v);
            }
        }
        if (found < 0)
            break;
        text = al_slice_of(text.p + n + (end != NULL), text.n - n - (end != NULL));
    }
    p->field[ABOUT] = al_editor_trim(text);
}

/* What the options say; true if they say anything. */
static bool take_options(const struct al_cli *c, struct profile *p)
{
    bool any = false;
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *value = al_cli_opt(c, fields[i].key);
        if (value != NULL)
            p->field[i] = al_slice_str(value);
        any = any || value != NULL;
    }
    return any;
}

/* The form from stdin, or from the editor. */
static int take_form(struct al_cli *c, struct profile *p, struct al_draft *d)
{
    if (isatty(STDIN_FILENO) == 1) {
        int status = al_editor(c, &d->text, &d->file, form(c, p),
            "Others on the network can read it. The text about you goes below the empty line.\n");
        if (status != 0)
            return status;
    } else {
        struct al_buf text = al_heapbuf();
        int failed = al_dirs_read(&text, STDIN_FILENO, STDIN_BYTES_MAX);
        int errnum = errno;
        d->text = al_cli_keep(c, al_buf_slice(&text));
        al_heapbuf_free(&text);
        if (failed != 0)
            return al_fail_errno(c, errnum, "the profile can't be read", NULL);
    }
    read_form(p, d->text);
    return 0;
}

static int check(struct al_cli *c, const struct profile *p, const struct al_draft *d)
{
    struct al_trouble t = {.status = AL_EXIT_DATA};
    if (p->field[NAME].n == 0)
        t.what = "a profile needs a name";
    for (int i = 0; i < FIELD_COUNT && t.what == NULL; i++) {
        if (!al_utf8_valid(p->field[i]))
            t.what = al_cli_str(c, "'%s' is not UTF-8", fields[i].label);
        else if (p->field[i].n > fields[i].max)
            t.what = al_cli_str(c, "'%s' has more than %zu bytes", fields[i].label, fields[i].max);
    }
    return t.what == NULL ? 0 : al_draft_refuse(c, d, t);
}

static void encode(struct al_buf *b, const struct profile *p)
{
    size_t pairs = 1;
    for (int i = 0; i < FIELD_COUNT; i++)
        pairs += p->field[i].n > 0;
    al_write_map(b, pairs);
    al_write_cstr(b, "k");
    al_write_cstr(b, "profile");
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (p->field[i].n > 0) {
            al_write_cstr(b, fields[i].key);
            al_write_str(b, p->field[i]);
        }
    }
}

static bool is_as_before(const struct profile *p, struct al_slice old)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!al_slice_eq(p->field[i], al_get_str(old, fields[i].key)))
            return false;
    }
    return true;
}

static int edit(struct al_cli *c)
{
    struct al_slice old;
    struct al_slice answer;
    struct profile p;
    struct al_draft d = {.again = "aloud profile edit"};
    int status = get_own(c, &old);
    if (status != 0)
        return status;
    for (int i = 0; i < FIELD_COUNT; i++)
        p.field[i] = al_get_str(old, fields[i].key);
    if (take_options(c, &p))
        d.text = form(c, &p);
    else
        status = take_form(c, &p, &d);
    if (status == 0)
        status = check(c, &p, &d);
    if (status != 0)
        return status;
    if (is_as_before(&p, old)) {
        if (d.file != NULL)
            (void)unlink(d.file);
        al_cli_note(c, "Nothing has changed.");
        return AL_EXIT_DONE;
    }
    struct al_buf entry = al_heapbuf();
    encode(&entry, &p);
    al_params_raw(&d.call, "entry", al_buf_slice(&entry));
    al_heapbuf_free(&entry);
    al_params_cstr(&d.call, "to", "network");
    status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    return status != 0 ? status : show(c, NULL);
}

static int run_profile(struct al_cli *c)
{
    const char *verb = c->arg_count > 0 ? c->args[0] : "show";
    const char *who = c->arg_count > 1 ? c->args[1] : NULL;
    struct profile given;
    if (strcmp(verb, "edit") == 0 && who == NULL)
        return edit(c);
    if (take_options(c, &given))
        return al_fail(c, AL_EXIT_USAGE, "fields can only be changed with edit", NULL,
            "aloud profile edit --help");
    if (strcmp(verb, "show") == 0)
        return show(c, who);
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "profile can't '%s'", verb),
        "It is show [PERSON], or edit.", "aloud profile --help");
}

static const struct al_cli_opt profile_opts[] = {
    {"name", 0, "NAME", "edit: what you are called"},
    {"about", 0, "TEXT", "edit: who you are"},
    {"working", 0, "TEXT", "edit: what you are working on"},
    {"wants", 0, "TEXT", "edit: what you want to learn"},
    {"knows", 0, "TEXT", "edit: what you can help with"},
    {0},
};

const struct al_cmd al_cmd_profile = {
    .name = "profile",
    .group = AL_GROUP_PEOPLE,
    .usage = "[show [PERSON] | edit]",
    .summary = "what a person is working on, knows and wants to learn",
    .about =
        "edit changes the fields that are given as options and keeps the others; without "
        "options it opens your editor, or takes the same form from stdin: lines that begin with "
        "name:, working on:, wants to learn: and knows:, and after an empty one the text about "
        "you. Your profile is readable by anyone on the network.",
    .opts = profile_opts,
    .fields = "identity, petname, name, working, wants, knows, about, me, following, admitted, "
              "blocked, entries, first, last",
    .examples = {"aloud profile show kai", "aloud profile edit --wants \"more about FTS5\""},
    .args_max = 2,
    .run = run_profile,
};
