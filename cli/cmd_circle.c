/* Circles: who is in, and who can read what. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audience.h"
#include "cli.h"
#include "cmds.h"
#include "heapbuf.h"
#include "id.h"
#include "limit.h"
#include "payload.h"
#include "refs.h"
#include "rpc.h"
#include "to.h"
#include "write.h"

#define PEOPLE_MAX 150
#define GROUP_CHARS 4 /* of a fingerprint, between spaces */

/* ---- people ---- */

struct people {
    struct al_person p[PEOPLE_MAX];
    size_t count;
};

/* Those that args[first] and the further ones name, each once, and not oneself. */
static int read_people(struct al_cli *c, struct people *ret, int first)
{
    for (int i = first; i < c->arg_count; i++) {
        struct al_person p;
        bool twice = false;
        int status = al_refs_person(c, &p, c->args[i]);
        if (status != 0)
            return status;
        for (size_t k = 0; k < ret->count; k++)
            twice = twice || memcmp(ret->p[k].identity, p.identity, 32) == 0;
        if (twice)
            continue;
        if (p.me)
            return al_fail(c, AL_EXIT_USAGE, "that is you: the owner of a circle is always in it",
                NULL, "aloud circle ls");
        if (ret->count == PEOPLE_MAX)
            return al_fail_err(c, AL_E_LIMIT,
                al_cli_str(c, "a circle has at most %d members", PEOPLE_MAX), NULL, NULL);
        ret->p[ret->count++] = p;
    }
    return 0;
}

static void put_people(struct al_params *params, const char *key, const struct people *people)
{
    struct al_buf b = al_heapbuf();
    al_write_array(&b, people->count);
    for (size_t i = 0; i < people->count; i++)
        al_write_bin(&b, people->p[i].identity, 32);
    al_params_raw(params, key, al_buf_slice(&b));
    al_heapbuf_free(&b);
}

/* "kai, noor~7k2m and lin". */
static const char *names(struct al_cli *c, const struct people *people)
{
    const char *words = "";
    for (size_t i = 0; i < people->count; i++) {
        const char *before = i == 0 ? "" : i + 1 == people->count ? " and " : ", ";
        const struct al_person *p = &people->p[i];
        words = al_cli_str(
            c, "%s%s%s", words, before, al_refs_name(c, p->identity, p->name, p->petname));
    }
    return words;
}

/* ---- circles ---- */

/* How it is typed: with its owner where it is somebody else's. */
static const char *typed_name(struct al_cli *c, const struct al_circle_row *row)
{
    const char *name = row->name.n > 0 ? al_cli_dup(c, row->name) : "(no name)";
    if (row->mine)
        return al_cli_str(c, "circle:%s", name);
    return al_cli_str(c, "circle:%s@%s", name, al_refs_who(c, row->owner));
}

static void out_circle(struct al_cli *c, const struct al_circle_row *row)
{
    static const char digits[] = "0123456789abcdef";
    char hex[33] = "";
    for (size_t i = 0; i < 16; i++) {
        hex[2 * i] = digits[row->circle[i] >> 4];
        hex[2 * i + 1] = digits[row->circle[i] & 15];
    }
    al_out_row(c->out);
    al_out_cstr(c->out, "circle", typed_name(c, row));
    al_out_uint(c->out, "members", row->member_count);
    al_out_cstr(c->out, "standing", row->mine ? "owner" : row->member ? "member" : "former");
    al_out_uint(c->out, "epoch", row->epoch);
    al_out_id(c->out, "owner", row->owner, 0);
    al_out_cstr(c->out, "id", hex);
    al_out_text(c->out, "warn", row->warn);
    al_out_row_end(c->out);
}

/* Print how a circle is after a change: it is asked for anew. */
static int print_after(struct al_cli *c, const uint8_t *cid, const uint8_t *owner, const char *said)
{
    struct al_circle_row *rows = calloc(AL_CIRCLE_ROWS_MAX, sizeof(*rows));
    size_t n = 0;
    int status = rows == NULL ? al_cli_fail_call(c, AL_E_NOMEM)
                              : al_to_circles(c, rows, AL_CIRCLE_ROWS_MAX, &n);
    for (size_t i = 0; status == 0 && i < n; i++) {
        if (memcmp(rows[i].circle, cid, 16) != 0 || memcmp(rows[i].owner, owner, 32) != 0)
            continue;
        al_say(c->out, AL_STYLE_STRONG, "%s",
            al_audience_circle(c, rows[i].name, rows[i].member_count));
        al_say(c->out, AL_STYLE_NONE, "\n");
        al_say_wrapped(c->out, AL_STYLE_NONE, al_slice_str(said), 2);
        if (!al_out_is_pretty(c->out))
            out_circle(c, &rows[i]);
    }
    free(rows);
    return status;
}

/* The circle that args[1] names, which must be one's own to |verb| it. */
static int find_own(struct al_cli *c, struct al_circle_row *ret, const char *verb)
{
    int status = al_to_circle(c, ret, c->args[1]);
    if (status != 0 || ret->mine)
        return status;
    return al_fail_err(c, AL_E_PERMISSION,
        al_cli_str(c, "%s is %s's circle", typed_name(c, ret), al_refs_who(c, ret->owner)),
        al_cli_str(c, "Only its owner can %s.", verb),
        al_cli_str(c, "aloud circle show %s", typed_name(c, ret)));
}

static bool is_in(struct al_slice people, const uint8_t *identity)
{
    struct al_read r = al_read_init(people);
    uint32_t count = people.n == 0 ? 0 : al_read_array(&r, 0, UINT32_MAX);
    for (uint32_t i = 0; i < count && r.err == 0; i++) {
        struct al_slice one = al_read_bin(&r, 32, 32);
        if (r.err == 0 && memcmp(one.p, identity, 32) == 0)
            return true;
    }
    return false;
}

/* All of them must be in the circle, or all out of it: else what is said after would be false. */
static int check_people(
    struct al_cli *c, const struct al_circle_row *row, const struct people *people, bool in)
{
    for (size_t i = 0; i < people->count; i++) {
        const struct al_person *p = &people->p[i];
        if (is_in(row->members, p->identity) == in)
            continue;
        const char *name = al_refs_name(c, p->identity, p->name, p->petname);
        const char *why = "Nothing was changed.";
        if (in && is_in(row->former, p->identity))
            why = "They were removed before, or have left. Nothing was changed.";
        else if (!in)
            why = "Nothing was changed. With --with-history they could read what was posted "
                  "before they came, too.";
        return al_fail_err(c, in ? AL_E_NOT_FOUND : AL_E_EXISTS,
            al_cli_str(c, in ? "%s is not in %s" : "%s is in %s already", name, typed_name(c, row)),
            why, al_cli_str(c, "aloud circle show %s", c->args[1]));
    }
    return 0;
}

/* ---- verbs ---- */

static int run_ls(struct al_cli *c)
{
    static const struct al_out_col cols[] = {
        {.field = "circle", .title = "circle", .style = AL_STYLE_STRONG},
        {.field = "members", .title = "members", .right = true},
        {.field = "standing", .title = "you are"},
        {.field = "warn", .title = "", .style = AL_STYLE_WARN, .cut = true},
    };
    struct al_circle_row *rows = calloc(AL_CIRCLE_ROWS_MAX, sizeof(*rows));
    size_t n = 0;
    int status = rows == NULL ? al_cli_fail_call(c, AL_E_NOMEM)
                              : al_to_circles(c, rows, AL_CIRCLE_ROWS_MAX, &n);
    al_out_table(c->out, cols, sizeof(cols) / sizeof(cols[0]));
    for (size_t i = 0; status == 0 && i < n; i++)
        out_circle(c, &rows[i]);
    if (status == 0 && n == 0) {
        al_cli_note(c, "aloud: no circles yet. To make one: aloud circle new NAME PERSON...");
        status = AL_EXIT_NOTHING;
    }
    free(rows);
    return status;
}

/* Two circles of one name would be two traps. */
static int check_name_is_free(struct al_cli *c, const char *name)
{
    struct al_circle_row *rows = calloc(AL_CIRCLE_ROWS_MAX, sizeof(*rows));
    size_t n = 0;
    if (rows == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    int status = al_to_circles(c, rows, AL_CIRCLE_ROWS_MAX, &n);
    for (size_t i = 0; status == 0 && i < n; i++) {
        if (rows[i].mine && al_slice_is(rows[i].name, name))
            status =
                al_fail_err(c, AL_E_EXISTS, al_cli_str(c, "you have a circle '%s' already", name),
                    NULL, al_cli_str(c, "aloud circle show %s", name));
    }
    free(rows);
    return status;
}

static int check_name(struct al_cli *c, const char *name)
{
    for (enum al_audience a = AL_AUDIENCE_ME; a <= AL_AUDIENCE_WEB; a++) {
        if (strcmp(name, al_audience_name(a)) == 0)
            return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "a circle can't be called '%s'", name),
                al_cli_str(c, "--to %s has a meaning of its own already.", name),
                "aloud circle new team");
    }
    if (name[0] != '\0' && strlen(name) <= AL_NAME_MAX && strpbrk(name, "@: \t\n") == NULL)
        return check_name_is_free(c, name);
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "a circle can't be called '%s'", name),
        al_cli_str(c, "A name has 1 to %d bytes, and no @, no colon and no space.", AL_NAME_MAX),
        "aloud circle new team");
}

static int run_new(struct al_cli *c)
{
    struct people people = {.count = 0};
    int status = check_name(c, c->args[1]);
    if (status == 0)
        status = read_people(c, &people, 2);
    if (status != 0)
        return status;
    struct al_params params = {0};
    struct al_slice result;
    al_params_key(&params);
    al_params_cstr(&params, "name", c->args[1]);
    put_people(&params, "members", &people);
    status = al_cli_call(c, &result, "circle_new", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    struct al_slice cid = al_get_bin(result, "circle");
    const uint8_t *owner = al_get_b32(result, "owner");
    if (cid.n != 16 || owner == NULL)
        return al_cli_fail_call(c, AL_E_RPC);
    const char *said =
        people.count == 0
            ? al_cli_str(c, "Nobody else is in it yet: aloud circle add %s PERSON", c->args[1])
            : al_cli_str(c, "You%s%s can read what is posted to circle:%s.",
                  people.count == 1 ? " and " : ", ", names(c, &people), c->args[1]);
    return print_after(c, cid.p, owner, said);
}

/* Change an own circle; |params| has what is to change. */
static int change(
    struct al_cli *c, const struct al_circle_row *row, struct al_params *params, const char *said)
{
    struct al_slice result;
    al_params_key(params);
    al_params_bin(params, "circle", row->circle, 16);
    int status = al_cli_call(c, &result, "circle_change", params);
    al_params_free(params);
    return status == 0 ? print_after(c, row->circle, row->owner, said) : status;
}

static int run_add(struct al_cli *c)
{
    struct al_circle_row row;
    struct people people = {.count = 0};
    struct al_params params = {0};
    bool history = al_cli_opt(c, "with-history") != NULL;
    int status = find_own(c, &row, "let people in");
    if (status == 0)
        status = read_people(c, &people, 2);
    if (status == 0 && !history)
        status = check_people(c, &row, &people, false);
    if (status != 0)
        return status;
    put_people(&params, "add", &people);
    if (history)
        al_params_bool(&params, "history", true);
    return change(c, &row, &params,
        al_cli_str(c, "%s can read what is posted to it from now on%s.", names(c, &people),
            history ? ", and all that was posted before" : "; nothing that was posted before"));
}

static int run_remove(struct al_cli *c)
{
    struct al_circle_row row;
    struct people people = {.count = 0};
    struct al_params params = {0};
    int status = find_own(c, &row, "remove somebody");
    if (status == 0)
        status = read_people(c, &people, 2);
    if (status == 0)
        status = check_people(c, &row, &people, true);
    if (status != 0)
        return status;
    put_people(&params, "remove", &people);
    return change(c, &row, &params,
        al_cli_str(c,
            "%s can't read what is posted to it from now on. What was posted before stays readable "
            "to them. Members learn of it as their nodes meet yours.",
            names(c, &people)));
}

static int run_rename(struct al_cli *c)
{
    struct al_circle_row row;
    struct al_params params = {0};
    int status = find_own(c, &row, "rename it");
    if (status == 0)
        status = check_name(c, c->args[2]);
    if (status != 0)
        return status;
    al_params_cstr(&params, "name", c->args[2]);
    return change(c, &row, &params,
        "Its members see the new name as their nodes meet yours. Entries keep their readers.");
}

static int run_leave(struct al_cli *c)
{
    struct al_circle_row row;
    struct al_params params = {0};
    struct al_slice result;
    int status = al_to_circle(c, &row, c->args[1]);
    if (status != 0)
        return status;
    const char *name = typed_name(c, &row);
    if (row.mine)
        return al_fail_err(c, AL_E_PERMISSION, al_cli_str(c, "%s is your own circle", name),
            "Its owner can't leave it, but can remove everybody else.",
            al_cli_str(c, "aloud circle remove %s PERSON", c->args[1]));
    al_say_wrapped(c->out, AL_STYLE_NONE,
        al_slice_str(al_cli_str(c,
            "%s: your node fetches nothing more of it for you. Its owner's node then lets you out "
            "by itself, as soon as it hears of it; until then you could still read what is posted. "
            "What you could read before stays readable to you.",
            name)),
        0);
    al_out_flush(c->out);
    if (!al_cli_confirm(c, al_cli_str(c, "Leave %s?", name)))
        return al_fail(c, AL_EXIT_REFUSED, "nothing done: it was not confirmed", NULL,
            al_cli_str(c, "aloud circle leave %s --yes", name));
    al_params_key(&params);
    al_params_bin(&params, "circle", row.circle, 16);
    al_params_bin(&params, "owner", row.owner, 32);
    status = al_cli_call(c, &result, "circle_leave", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    row.member = false;
    al_say(c->out, AL_STYLE_NONE, "You have left %s.\n", name);
    if (!al_out_is_pretty(c->out))
        out_circle(c, &row);
    return AL_EXIT_DONE;
}

/* ---- show ---- */

struct shown {
    const uint8_t *identity;
    const char *name;
    uint32_t devices; /* of theirs that can read */
    bool owner, me;
};

/* Fill in what is known of the person |s->identity|. */
static int describe(struct al_cli *c, struct shown *s)
{
    struct al_params params = {0};
    struct al_slice profile;
    al_params_bin(&params, "identity", s->identity, 32);
    int err = al_cli_try(c, &profile, "profile", &params);
    al_params_free(&params);
    s->name = al_refs_name(c, s->identity, al_slice_of(NULL, 0), false);
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err != 0)
        return al_cli_fail_call(c, err);
    struct al_slice petname = al_get_str(profile, "petname");
    struct al_slice name = petname.n > 0 ? petname : al_get_str(profile, "name");
    s->me = al_get_bool(profile, "me");
    uint32_t count;
    struct al_read devices = al_get_array(profile, "devices", &count);
    for (uint32_t i = 0; i < count; i++)
        s->devices += !al_get_bool(al_read_raw(&devices), "revoked");
    s->name = s->me ? "you" : al_refs_name(c, s->identity, name, petname.n > 0);
    return 0;
}

/* The owner, then oneself, then the others by name. */
static int compare_shown(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    if (x->owner != y->owner)
        return x->owner ? -1 : 1;
    if (x->me != y->me)
        return x->me ? -1 : 1;
    int order = strcasecmp(x->name, y->name);
    return order != 0 ? order : memcmp(x->identity, y->identity, 32);
}

/* The whole id in groups, to be compared aloud. */
static const char *fingerprint(struct al_cli *c, const uint8_t *identity)
{
    char id[AL_ID_TEXT];
    char out[AL_ID_TEXT + AL_ID_CHARS / GROUP_CHARS + 1];
    size_t n = 0;
    al_id_text(id, identity);
    for (size_t i = 0; id[i] != '\0'; i++) {
        if (i > 0 && i % GROUP_CHARS == 0)
            out[n++] = ' ';
        out[n++] = id[i];
    }
    out[n] = '\0';
    return al_cli_str(c, "%s", out);
}

static void show_person(
    struct al_cli *c, const struct al_circle_row *row, const struct shown *s, bool former)
{
    al_say(c->out, AL_STYLE_NONE, "  ");
    al_say(c->out, AL_STYLE_NAME, "%s", s->name);
    al_say(c->out, AL_STYLE_DIM, "%s", s->owner ? "  owner" : "");
    if (!former)
        al_say(
            c->out, AL_STYLE_NONE, "  %u %s", s->devices, s->devices == 1 ? "device" : "devices");
    al_say(c->out, AL_STYLE_DIM, "\n    %s\n", fingerprint(c, s->identity));
    al_out_row(c->out);
    al_out_cstr(c->out, "circle", typed_name(c, row));
    al_out_cstr(c->out, "standing", former ? "former" : s->owner ? "owner" : "member");
    al_out_cstr(c->out, "name", s->name);
    al_out_id(c->out, "identity", s->identity, 0);
    al_out_uint(c->out, "devices", s->devices);
    al_out_row_end(c->out);
}

static int show_people(
    struct al_cli *c, const struct al_circle_row *row, struct al_slice people, bool former)
{
    struct al_read r = al_read_init(people);
    uint32_t count = people.n == 0 ? 0 : al_read_array(&r, 0, UINT32_MAX);
    if (count > people.n)
        return al_cli_fail_call(c, AL_E_RPC);
    struct shown *all = calloc((size_t)count + 1, sizeof(*all));
    if (all == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        all[i].identity = al_read_bin(&r, 32, 32).p;
        if (r.err != 0) {
            status = al_cli_fail_call(c, AL_E_RPC);
        } else {
            all[i].owner = memcmp(all[i].identity, row->owner, 32) == 0;
            status = describe(c, &all[i]);
        }
    }
    if (status == 0) {
        qsort(all, count, sizeof(*all), compare_shown);
        for (uint32_t i = 0; i < count; i++)
            show_person(c, row, &all[i], former);
    }
    free(all);
    return status;
}

static int run_show(struct al_cli *c)
{
    struct al_circle_row row;
    int status = al_to_circle(c, &row, c->args[1]);
    if (status != 0)
        return status;
    al_say(c->out, AL_STYLE_STRONG, "%s", typed_name(c, &row));
    al_say(c->out, AL_STYLE_NONE, " (%u)\n", row.member_count);
    if (row.warn.n > 0)
        al_say_wrapped(c->out, AL_STYLE_WARN, row.warn, 2);
    if (!row.member && !row.mine)
        al_say(c->out, AL_STYLE_WARN, "  You are not in it any more.\n");
    al_say(c->out, AL_STYLE_NONE, "These can read what is posted to it now:\n");
    status = show_people(c, &row, row.members, false);
    struct al_read former = al_read_init(row.former);
    if (status != 0 || row.former.n == 0 || al_read_array(&former, 0, UINT32_MAX) == 0)
        return status;
    al_say(c->out, AL_STYLE_NONE, "These can read what was posted before they left:\n");
    return show_people(c, &row, row.former, true);
}

static int run_circle(struct al_cli *c)
{
    static const struct {
        const char *name;
        int (*run)(struct al_cli *c);
        int min, max; /* words, the verb among them; -1: any number */
        const char *usage;
    } verbs[] = {
        {"ls", run_ls, 1, 1, ""},
        {"new", run_new, 2, -1, "NAME [PERSON...]"},
        {"show", run_show, 2, 2, "NAME"},
        {"add", run_add, 3, -1, "NAME PERSON..."},
        {"remove", run_remove, 3, -1, "NAME PERSON..."},
        {"leave", run_leave, 2, 2, "NAME"},
        {"rename", run_rename, 3, 3, "NAME NEW"},
    };
    const char *verb = c->arg_count > 0 ? c->args[0] : "ls";
    int count = c->arg_count > 0 ? c->arg_count : 1;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i].name) != 0)
            continue;
        if (count >= verbs[i].min && (verbs[i].max < 0 || count <= verbs[i].max)) {
            c->again = count < 2 ? NULL : al_cli_str(c, "circle %s %s", verb, c->args[1]);
            return verbs[i].run(c);
        }
        return al_fail(c, AL_EXIT_USAGE,
            al_cli_str(c, "%s 'circle %s'",
                count < verbs[i].min ? "something is missing after" : "too many words after", verb),
            al_cli_str(c, "Usage: aloud circle %s%s%s", verb, verbs[i].usage[0] == '\0' ? "" : " ",
                verbs[i].usage),
            "aloud circle --help");
    }
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "a circle can't '%s'", verb),
        "It can new, ls, show, add, remove, leave and rename.", "aloud circle --help");
}

const struct al_cmd al_cmd_circle = {
    .name = "circle",
    .group = AL_GROUP_PEOPLE,
    .usage = "[ls | new NAME [PERSON...] | show NAME | add NAME PERSON... | remove NAME PERSON... "
             "| leave NAME | rename NAME NEW]",
    .summary = "groups of people who alone can read what is posted to them",
    .about = "What goes to circle:NAME is sealed for its members. Only its owner changes who is "
             "in; show lists exactly who can read. Who is added reads what is posted from then "
             "on, and with --with-history what was posted before; who is removed keeps what they "
             "could read. Of a circle of somebody else the name is NAME@OWNER.",
    .opts =
        (const struct al_cli_opt[]){
            {"with-history", 0, NULL, "with add: let them read all that was posted before, too"},
            {0}},
    .fields = "circle, members, standing, epoch, owner, id, warn; show: circle, standing, name, "
              "identity, devices",
    .examples = {"aloud circle new team kai noor", "aloud circle show team"},
    .args_max = -1,
    .run = run_circle,
};
