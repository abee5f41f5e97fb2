#include "to.h"

#include <stdlib.h>

#include "audience.h"
#include "refs.h"
#include "rpc.h"

#define PREFIX "circle:"
#define LISTED_MAX 4

static void circle_read(struct al_circle_row *ret, struct al_slice map)
{
    static const uint8_t nobody[32];
    struct al_slice id = al_get_bin(map, "circle");
    const uint8_t *owner = al_get_b32(map, "owner");
    *ret = (struct al_circle_row){
        .circle = id.n == 16 ? id.p : nobody,
        .owner = owner != NULL ? owner : nobody,
        .name = al_get_str(map, "name"),
        .mine = al_get_bool(map, "mine"),
        .member = al_get_bool(map, "member"),
        .epoch = al_get_uint(map, "epoch"),
        .heads = al_get_uint(map, "heads"),
        .warn = al_get_str(map, "warn"),
        .members = al_rpc_param(map, "members"),
        .former = al_rpc_param(map, "former"),
    };
    (void)al_get_array(map, "members", &ret->member_count);
}

int al_to_circles(struct al_cli *c, struct al_circle_row *ret, size_t cap, size_t *ret_count)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "circles", NULL);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    uint32_t count;
    struct al_read r = al_get_array(result, "circles", &count);
    size_t n = 0;
    for (uint32_t i = 0; i < count && n < cap; i++)
        circle_read(&ret[n++], al_read_raw(&r));
    *ret_count = n;
    return 0;
}

/* circle:team@kai, where others may have one of that name. */
static const char *full_name(struct al_cli *c, const struct al_circle_row *row)
{
    const char *name = al_cli_dup(c, row->name);
    if (row->mine)
        return al_cli_str(c, PREFIX "%s", name);
    return al_cli_str(c, PREFIX "%s@%s", name, al_refs_who(c, row->owner));
}

static int fail_none(struct al_cli *c, const char *name, const struct al_circle_row *rows, size_t n)
{
    const char *words = NULL;
    for (size_t i = 0; i < n && i < LISTED_MAX; i++) {
        const char *one = full_name(c, &rows[i]);
        words = words == NULL ? al_cli_str(c, "There is %s", one)
                              : al_cli_str(c, "%s, and %s", words, one);
    }
    return al_fail_err(c, AL_E_NOT_FOUND, al_cli_str(c, "there is no circle '%s' here", name),
        words == NULL ? NULL : al_cli_str(c, "%s%s.", words, n > LISTED_MAX ? ", and more" : ""),
        words == NULL ? al_cli_str(c, "aloud circle new %s", name) : "aloud circle ls");
}

static int fail_several(
    struct al_cli *c, const char *name, const struct al_circle_row *const *found, size_t n)
{
    const char *words = "";
    for (size_t i = 0; i < n && i < LISTED_MAX; i++)
        words = al_cli_str(c, "%s%s%s", words, i > 0 ? ", " : "", full_name(c, found[i]));
    return al_fail_err(c, AL_E_AMBIGUOUS,
        al_cli_str(c, "'%s' could be %zu circles: %s", name, n, words),
        "Name the owner behind an @.", "aloud circle ls");
}

/* Of the circles called |name|, owned by |owner| unless NULL: mine counts before all others. */
static int choose(struct al_cli *c, struct al_circle_row *ret, const char *name,
    const uint8_t *owner, const struct al_circle_row *rows, size_t n)
{
    const struct al_circle_row *found[LISTED_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!al_slice_is(rows[i].name, name) ||
            (owner != NULL && memcmp(rows[i].owner, owner, 32) != 0))
            continue;
        if (rows[i].mine && count > 0 && !found[0]->mine)
            count = 0;
        if (count > 0 && found[0]->mine && !rows[i].mine)
            continue;
        if (count < LISTED_MAX)
            found[count] = &rows[i];
        count++;
    }
    if (count == 0)
        return fail_none(c, name, rows, n);
    if (count > 1)
        return fail_several(c, name, found, count < LISTED_MAX ? count : LISTED_MAX);
    *ret = *found[0];
    return 0;
}

int al_to_circle(struct al_cli *c, struct al_circle_row *ret, const char *typed)
{
    if (strncmp(typed, PREFIX, strlen(PREFIX)) == 0)
        typed += strlen(PREFIX);
    const char *at = strrchr(typed, '@');
    const char *name = typed;
    struct al_person owner = {.identity = NULL};
    int status = 0;
    if (at != NULL && at != typed) {
        name = al_cli_dup(c, al_slice_of((const uint8_t *)typed, (size_t)(at - typed)));
        status = al_refs_person(c, &owner, at + 1);
    }
    struct al_circle_row *rows = calloc(AL_CIRCLE_ROWS_MAX, sizeof(*rows));
    size_t n = 0;
    if (rows == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    if (status == 0)
        status = al_to_circles(c, rows, AL_CIRCLE_ROWS_MAX, &n);
    if (status == 0)
        status = choose(c, ret, name, owner.identity, rows, n);
    free(rows);
    return status;
}

int al_to_read(struct al_cli *c, struct al_to *ret, const char *typed)
{
    static const char *const names[] = {"me", "network", "web"};
    *ret = (struct al_to){.name = NULL};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(typed, names[i]) == 0)
            ret->name = names[i];
    }
    if (ret->name != NULL) {
        ret->words = al_audience_words(c, al_slice_str(ret->name), 0, 0);
        return 0;
    }
    if (strncmp(typed, PREFIX, strlen(PREFIX)) != 0 || typed[strlen(PREFIX)] == '\0')
        return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "nothing can be posted to '%s'", typed),
            "It goes to me (only my devices), circle:NAME (its members), network (anyone here) or "
            "web (public).",
            NULL);
    int status = al_to_circle(c, &ret->circle, typed);
    ret->name = "circle";
    if (status == 0)
        ret->words = al_audience_circle(c, ret->circle.name, ret->circle.member_count);
    return status;
}

void al_to_params(struct al_params *p, const struct al_to *to)
{
    if (to->name == NULL)
        return;
    al_params_cstr(p, "to", to->name);
    if (to->circle.circle == NULL)
        return;
    al_params_bin(p, "circle", to->circle.circle, 16);
    al_params_bin(p, "owner", to->circle.owner, 32);
}
