/* Whom one follows, lets in, and keeps out; who is known; who is connected. */
#include "cli.h"
#include "cmds.h"
#include "heapbuf.h"
#include "id.h"
#include "refs.h"

/* ---- relations ---- */

static int relate(struct al_cli *c, const struct al_person *p, const char *relation, bool value)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_key(&params);
    al_params_bin(&params, "identity", p->identity, 32);
    al_params_cstr(&params, "relation", relation);
    al_params_bool(&params, "value", value);
    int status = al_cli_call(c, &result, "relate", &params);
    al_params_free(&params);
    return status;
}

static int give_petname(struct al_cli *c, const struct al_person *p, const char *name)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_key(&params);
    al_params_bin(&params, "identity", p->identity, 32);
    al_params_cstr(&params, "relation", "petname");
    al_params_cstr(&params, "value", name);
    int status = al_cli_call(c, &result, "relate", &params);
    al_params_free(&params);
    return status;
}

/*
 * What a relation and its opposite are called, and what they bring about. |done| and |undone| are
 * sentences after the name of the person.
 */
struct relation {
    const char *name;
    const char *done;
    const char *undone;
};

static const struct relation follow = {"follow",
    ": you follow them. Their entries come in as your peers have them.",
    ": you no longer follow them. What is here of theirs stays until room is needed."};
static const struct relation admit = {"admit",
    " may connect to this node, and gets what it carries for them.",
    " may no longer connect to this node, unless you follow them."};
static const struct relation block = {"block",
    " is blocked: they can't connect to this node, which passes on nothing of theirs, and shows it "
    "only when you ask for them by name. They are not told. What they hold of yours stays with "
    "them, and others who follow them still do.",
    " is no longer blocked; what else you chose for them counts again."};

static int change(struct al_cli *c, const struct relation *r, bool value)
{
    struct al_person p;
    int status = al_refs_person(c, &p, c->args[0]);
    if (status != 0)
        return status;
    if (p.me)
        return al_fail(c, AL_EXIT_USAGE,
            al_cli_str(c, "that is you: %s takes others", c->cmd->name), NULL, "aloud people");
    const char *petname = al_cli_opt(c, "as");
    if (petname != NULL) {
        status = give_petname(c, &p, petname);
        p.name = al_slice_str(petname);
        p.petname = true;
    }
    if (status == 0)
        status = relate(c, &p, r->name, value);
    if (status != 0)
        return status;
    const char *name = al_refs_name(c, p.identity, p.name, p.petname);
    al_say_wrapped(c->out, AL_STYLE_NONE,
        al_slice_str(al_cli_str(c, "%s%s", name, value ? r->done : r->undone)), 0);
    al_out_row(c->out);
    al_out_id(c->out, "identity", p.identity, 0);
    al_out_name(c->out, "name", p.name);
    al_out_cstr(c->out, "relation", r->name);
    al_out_bool(c->out, "value", value);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

static int run_follow(struct al_cli *c)
{
    return change(c, &follow, true);
}

static int run_unfollow(struct al_cli *c)
{
    return change(c, &follow, false);
}

static int run_admit(struct al_cli *c)
{
    return change(c, &admit, al_cli_opt(c, "undo") == NULL);
}

static int run_block(struct al_cli *c)
{
    return change(c, &block, al_cli_opt(c, "undo") == NULL);
}

#define RELATION_FIELDS "identity, name, relation, value"

static const struct al_cli_opt follow_opts[] = {
    {"as", 0, "NAME", "call them so here: a petname, which only you see"},
    {0},
};

static const struct al_cli_opt undo_opts[] = {
    {"undo", 0, NULL, "take it back"},
    {0},
};

const struct al_cmd al_cmd_follow = {
    .name = "follow",
    .group = AL_GROUP_PEOPLE,
    .usage = "PERSON",
    .summary = "want the entries of a person",
    .about = "PERSON is a name, the beginning of an id, or a full id of somebody not known here "
             "yet. Following is private; it does not let them connect: see admit and invite.",
    .opts = follow_opts,
    .fields = RELATION_FIELDS,
    .examples = {"aloud follow kai", "aloud follow @7k2mq9xq --as lin"},
    .args_min = 1,
    .args_max = 1,
    .run = run_follow,
};

const struct al_cmd al_cmd_unfollow = {
    .name = "unfollow",
    .group = AL_GROUP_PEOPLE,
    .usage = "PERSON",
    .summary = "no longer want them",
    .fields = RELATION_FIELDS,
    .examples = {"aloud unfollow kai"},
    .args_min = 1,
    .args_max = 1,
    .run = run_unfollow,
};

const struct al_cmd al_cmd_admit = {
    .name = "admit",
    .group = AL_GROUP_PEOPLE,
    .usage = "PERSON",
    .summary = "let a person's devices connect to this node",
    .opts = undo_opts,
    .fields = RELATION_FIELDS,
    .examples = {"aloud admit kai", "aloud admit kai --undo"},
    .args_min = 1,
    .args_max = 1,
    .run = run_admit,
};

const struct al_cmd al_cmd_block = {
    .name = "block",
    .group = AL_GROUP_PEOPLE,
    .usage = "PERSON",
    .summary = "have nothing to do with a person",
    .about = "This node passes on nothing of theirs, shows it only when you ask for them by name, "
             "and lets none of their devices connect. It is private. It can't take back what they "
             "hold already, nor keep "
             "others from following them.",
    .opts = undo_opts,
    .fields = RELATION_FIELDS,
    .examples = {"aloud block mallory", "aloud block mallory --undo"},
    .args_min = 1,
    .args_max = 1,
    .run = run_block,
};

/* ---- people ---- */

static const char *relations(struct al_cli *c, struct al_slice p)
{
    if (al_get_bool(p, "blocked"))
        return "blocked";
    if (al_get_bool(p, "me"))
        return "you";
    const char *words = al_cli_str(c, "%s%s%s", al_get_bool(p, "following") ? " following" : "",
        al_get_bool(p, "admitted") ? " admitted" : "", al_get_bool(p, "muted") ? " muted" : "");
    return words[0] == ' ' ? words + 1 : words;
}

/* The name that a row of `people` goes by here. */
static const char *shown_name(struct al_cli *c, struct al_slice p)
{
    struct al_slice petname = al_get_str(p, "petname");
    const uint8_t *identity = al_get_b32(p, "identity");
    bool own = petname.n > 0 || al_get_bool(p, "me");
    if (identity == NULL)
        return "";
    return al_refs_name(c, identity, petname.n > 0 ? petname : al_get_str(p, "name"), own);
}

static int run_people(struct al_cli *c)
{
    static const struct al_out_col cols[] = {
        {.field = "shown", .title = "", .style = AL_STYLE_NAME},
        {.field = "relation", .title = "", .cut = true},
        {.field = "entries", .title = "entries", .right = true},
        {.field = "last", .title = "last"},
        {.field = "identity", .title = "id", .style = AL_STYLE_DIM},
    };
    struct al_slice result;
    int status = al_cli_call(c, &result, "people", NULL);
    if (status != 0)
        return status;
    uint32_t count;
    struct al_read people = al_get_array(result, "people", &count);
    al_out_table(c->out, cols, sizeof(cols) / sizeof(cols[0]));
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice p = al_read_raw(&people);
        al_out_row(c->out);
        al_out_id(c->out, "identity", al_get_b32(p, "identity"), 0);
        al_out_cstr(c->out, "shown", shown_name(c, p));
        al_out_name(c->out, "name", al_get_str(p, "name"));
        al_out_name(c->out, "petname", al_get_str(p, "petname"));
        al_out_cstr(c->out, "relation", relations(c, p));
        al_out_uint(c->out, "entries", al_get_uint(p, "entries"));
        al_out_time(c->out, "last", al_get_uint(p, "last"));
        al_out_uint(c->out, "devices", al_get_uint(p, "devices"));
        al_out_row_end(c->out);
    }
    if (count <= 1)
        al_cli_note(c, "Nobody else is known here yet. To meet somebody: aloud invite");
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_people = {
    .name = "people",
    .group = AL_GROUP_PEOPLE,
    .usage = "",
    .summary = "everybody known here",
    .about = "A petname stands alone; a name that was only claimed is followed by the beginning of "
             "the id.",
    .fields = "identity, shown, name, petname, relation, entries, last, devices",
    .examples = {"aloud people", "aloud people --json=name,identity"},
    .run = run_people,
};

/* ---- peers ---- */

/* The name for an identity in the answer of `people`. */
static const char *name_of(struct al_cli *c, struct al_slice all, const uint8_t *identity)
{
    uint32_t count;
    struct al_read people = al_get_array(all, "people", &count);
    for (uint32_t i = 0; i < count && identity != NULL; i++) {
        struct al_slice p = al_read_raw(&people);
        const uint8_t *one = al_get_b32(p, "identity");
        if (one != NULL && memcmp(one, identity, 32) == 0)
            return shown_name(c, p);
    }
    return identity == NULL ? "" : al_refs_name(c, identity, al_slice_of(NULL, 0), false);
}

static void print_peer(struct al_cli *c, struct al_slice peer, struct al_slice people)
{
    const uint8_t *identity = al_get_b32(peer, "identity");
    struct al_slice state = al_get_str(peer, "state");
    if (al_slice_is(state, "ready"))
        state = al_slice_str("connected");
    al_out_row(c->out);
    al_out_cstr(c->out, "who", name_of(c, people, identity));
    al_out_text(c->out, "state", state);
    al_out_text(c->out, "address", al_get_str(peer, "address"));
    al_out_bool(c->out, "outgoing", al_get_bool(peer, "outgoing"));
    al_out_uint(c->out, "behind", al_get_uint(peer, "behind"));
    al_out_uint(c->out, "ahead", al_get_uint(peer, "ahead"));
    al_out_time(c->out, "since", al_get_uint(peer, "since"));
    al_out_time(c->out, "seen", al_get_uint(peer, "seen"));
    al_out_text(c->out, "why", al_get_str(peer, "why"));
    al_out_time(c->out, "next", al_get_uint(peer, "next"));
    al_out_id(c->out, "identity", identity, 0);
    al_out_id(c->out, "device", al_get_b32(peer, "device"), 0);
    al_out_row_end(c->out);
}

static int run_peers(struct al_cli *c)
{
    static const struct al_out_col cols[] = {
        {.field = "who", .title = "", .style = AL_STYLE_NAME},
        {.field = "state", .title = ""},
        {.field = "address", .title = "address", .cut = true},
        {.field = "behind", .title = "behind", .right = true},
        {.field = "ahead", .title = "ahead", .right = true},
        {.field = "seen", .title = "seen"},
        {.field = "why", .title = "why", .cut = true},
        {.field = "next", .title = "next try"},
    };
    struct al_slice people;
    struct al_slice result;
    int status = al_cli_call(c, &people, "people", NULL);
    if (status != 0)
        return status;
    people = al_cli_keep(c, people);
    status = al_cli_call(c, &result, "peers", NULL);
    if (status != 0)
        return status;
    uint32_t count;
    struct al_read peers = al_get_array(result, "peers", &count);
    al_out_table(c->out, cols, sizeof(cols) / sizeof(cols[0]));
    for (uint32_t i = 0; i < count; i++)
        print_peer(c, al_read_raw(&peers), people);
    if (count == 0)
        al_cli_note(c, "No peers yet. To meet somebody: aloud invite");
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_peers = {
    .name = "peers",
    .group = AL_GROUP_PEOPLE,
    .usage = "",
    .summary = "the nodes this one is connected to, or tries to reach",
    .about = "behind: entries that we lack of what the peer holds; ahead: the other way round.",
    .fields = "who, state, address, outgoing, behind, ahead, since, seen, why, next, identity, "
              "device",
    .examples = {"aloud peers", "aloud peers --json=who,state,behind"},
    .run = run_peers,
};
