#include "change.h"

#include "draft.h"
#include "feed.h"
#include "heapbuf.h"
#include "id.h"
#include "refs.h"
#include "row_say.h"
#include "rpc.h"
#include "write.h"

#define TITLE_COLUMNS 60

/* Fields that go along unchanged, as far as the entry has them. */
static const char *const carried[] = {"url", "title", "quote", "from", "state"};
#define CARRIED (sizeof(carried) / sizeof(carried[0]))

const char *al_change_id(struct al_cli *c, const struct al_row *r)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, r->id, r->id_chars);
    return al_cli_str(c, "%s", id);
}

int al_change_find(struct al_cli *c, struct al_row *ret, const char *typed, const char *verb)
{
    int status = al_refs_target(c, ret, typed);
    if (status != 0)
        return status;
    const char *id = al_change_id(c, ret);
    if (!ret->mine)
        return al_fail_err(c, AL_E_PERMISSION,
            al_cli_str(c, "%s is an entry of %s", id,
                al_refs_name(c, ret->identity, ret->name, ret->petname)),
            al_cli_str(c, "Only who wrote an entry can %s it.", verb),
            al_cli_str(c, "aloud reply %s", id));
    if (al_slice_is(ret->state, "retracted"))
        return al_fail_err(c, AL_E_NOT_FOUND, al_cli_str(c, "%s was retracted already", id),
            "Nothing of its words is here any more. An older entry is named by its id.",
            "aloud log");
    return 0;
}

/* What was written, as opposed to what was only told to the node. */
static int check_kind(struct al_cli *c, const struct al_row *r, const char *verb)
{
    static const char *const kinds[] = {"note", "question", "answer", "accept", "reply", "thanks",
        "link", "lesson", "goal", "share"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (al_slice_is(r->kind, kinds[i]))
            return 0;
    }
    const char *id = al_change_id(c, r);
    if (al_slice_is(r->kind, "profile"))
        return al_fail_err(c, AL_E_KIND, al_cli_str(c, "%s is your profile", id),
            "It is changed by a command of its own, and is for everybody who knows you.",
            "aloud profile edit");
    return al_fail_err(c, AL_E_KIND,
        al_cli_str(c, "%s is an entry of the kind '%s'", id, al_cli_dup(c, r->kind)),
        al_cli_str(c, "One can %s what was written: notes, replies and the like.", verb),
        al_cli_str(c, "aloud show %s", id));
}

int al_change_find_readable(
    struct al_cli *c, struct al_row *ret, const char *typed, const char *verb)
{
    int status = al_change_find(c, ret, typed, verb);
    bool there = !al_slice_is(ret->state, "missing") && !al_slice_is(ret->state, "unreadable");
    if (status != 0)
        return status;
    if (there)
        return check_kind(c, ret, verb);
    return al_fail_err(c, AL_E_NOT_FOUND,
        al_cli_str(c, "the words of %s are not here", al_change_id(c, ret)),
        "They come from another device of yours, once it is connected.", "aloud peers");
}

static void put_tags(struct al_params *entry, const struct al_tags *tags)
{
    struct al_buf b = al_heapbuf();
    if (tags->count == 0)
        return;
    al_write_array(&b, tags->count);
    for (size_t i = 0; i < tags->count; i++)
        al_write_cstr(&b, tags->tag[i]);
    al_params_raw(entry, "tags", al_buf_slice(&b));
    al_heapbuf_free(&b);
}

void al_change_content(struct al_params *call, const char *kind, const struct al_row *row,
    struct al_slice text, const struct al_tags *tags)
{
    struct al_params entry = {0};
    al_params_cstr(&entry, "k", kind);
    al_params_raw(&entry, "of", row->ref);
    if (text.n > 0)
        al_params_str(&entry, "text", text);
    put_tags(&entry, tags);
    for (size_t i = 0; i < CARRIED; i++) {
        struct al_slice value =
            row->fields.n == 0 ? al_slice_of(NULL, 0) : al_rpc_param(row->fields, carried[i]);
        if (value.n > 0)
            al_params_raw(&entry, carried[i], value);
    }
    al_params_raw(call, "entry", al_params_done(&entry));
    al_params_free(&entry);
}

void al_change_tags(struct al_tags *ret, const struct al_row *row)
{
    for (size_t i = 0; i < row->tag_count; i++)
        (void)!al_tags_add(ret, row->tags[i]);
}

/* ---- taking back ---- */

static const char *copies(const struct al_row *r)
{
    if (al_slice_is(r->to, "me"))
        return "It was sealed for your own devices. Other nodes held only the sealed form, and "
               "drop it, too; a backup of a device keeps what it has.";
    return "What somebody has copied, read, printed or backed up stays with them, and so does what "
           "they quoted in an answer.";
}

static void say_retraction(struct al_cli *c, const struct al_row *r)
{
    struct al_styled t;
    al_styled_init(&t);
    al_styled_add_id(&t, r->id, r->id_chars);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_title(&t, r, TITLE_COLUMNS);
    struct al_styled_box box = {.columns = al_feed_columns(c->out)};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
    al_say_wrapped(c->out, AL_STYLE_NONE,
        al_slice_str("Its words, all its versions among them, are dropped here within a minute, "
                     "and on each honest node as soon as it hears of this. That there was an "
                     "entry, and when, stays visible."),
        2);
    al_say_wrapped(c->out, AL_STYLE_NONE, al_slice_str(copies(r)), 2);
    al_out_flush(c->out);
}

int al_change_retract(struct al_cli *c, const struct al_row *row, struct al_slice why)
{
    const char *id = al_change_id(c, row);
    say_retraction(c, row);
    if (!al_cli_confirm(c, al_cli_str(c, "Retract %s?", id)))
        return al_fail(c, AL_EXIT_REFUSED, "nothing retracted: it was not confirmed", NULL,
            al_cli_str(c, "aloud retract %s --yes", id));
    struct al_params entry = {0};
    struct al_draft d = {.text = why, .again = al_cli_str(c, "aloud retract %s", id)};
    struct al_slice answer;
    al_params_cstr(&entry, "k", "retract");
    al_params_raw(&entry, "of", row->ref);
    if (why.n > 0)
        al_params_str(&entry, "text", why);
    al_params_raw(&d.call, "entry", al_params_done(&entry));
    al_params_free(&entry);
    d.name_only = d.text.n == 0;
    if (d.name_only)
        d.text = al_slice_str(al_cli_str(c, "retract %s", id));
    int status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(c, answer, &(struct al_posted){.kind = "retract", .of = row->id});
    return status;
}
