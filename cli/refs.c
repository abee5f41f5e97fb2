#include "refs.h"

#include "heapbuf.h"
#include "id.h"
#include "text.h"

#define LISTED_MAX 4 /* candidates in a sentence */
#define TITLE_COLUMNS 28
#define NAME_CHARS 4

static void puts_to(struct al_buf *b, const char *s)
{
    al_buf_put(b, s, strlen(s));
}

/* `q7xk "uv_close order"`, an id that is enough and what the entry is about. */
static void put_candidate(struct al_buf *b, const struct al_row *row)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, row->id, row->id_chars);
    puts_to(b, id);
    struct al_buf title = al_heapbuf();
    al_text_title(&title, row->text, TITLE_COLUMNS);
    if (title.n > 0) {
        puts_to(b, " \"");
        al_buf_put(b, title.p, title.n);
        puts_to(b, "\"");
    } else {
        bool ok = al_slice_is(row->state, "ok") || al_slice_is(row->state, "edited");
        puts_to(b, " (");
        al_text_safe(b, ok ? row->kind : row->state, AL_TEXT_NAME);
        puts_to(b, ")");
    }
    al_heapbuf_free(&title);
}

static int fail_several(struct al_cli *c, const char *typed, struct al_read rows, uint32_t count)
{
    struct al_buf list = al_heapbuf();
    char first[AL_ID_TEXT] = "";
    for (uint32_t i = 0; i < count && i < LISTED_MAX; i++) {
        struct al_row row;
        al_row_read(&row, al_read_raw(&rows));
        if (i > 0)
            puts_to(&list, ", ");
        else
            al_id_text_prefix(first, row.id, row.id_chars);
        put_candidate(&list, &row);
    }
    if (count > LISTED_MAX)
        puts_to(&list, ", ...");
    const char *words = al_cli_dup(c, al_buf_slice(&list));
    al_heapbuf_free(&list);
    return al_fail_err(c, AL_E_AMBIGUOUS,
        al_cli_str(c, "'%s' could be %u entries: %s", typed, count, words), NULL,
        al_cli_str(c, "aloud %s %s", c->cmd->name, first));
}

/* "Did you mean kai, or kaia?", or NULL when nothing is similar. */
static const char *did_you_mean(struct al_cli *c, struct al_slice result)
{
    uint32_t count;
    struct al_read similar = al_get_array(result, "similar", &count);
    const char *words = NULL;
    for (uint32_t i = 0; i < count && i < LISTED_MAX; i++) {
        const char *one = al_cli_dup(c, al_read_str(&similar, SIZE_MAX));
        words = words == NULL ? al_cli_str(c, "Did you mean %s", one)
                              : al_cli_str(c, "%s, or %s", words, one);
    }
    return words == NULL ? NULL : al_cli_str(c, "%s?", words);
}

static int resolve(struct al_cli *c, struct al_row *ret, const char *typed, bool retracted)
{
    struct al_params params = {0};
    struct al_slice result;
    if (strncmp(typed, "held/", strlen("held/")) == 0)
        return al_fail_err(c, AL_E_NOT_FOUND,
            al_cli_str(c, "'%s' names a post that is held, and is no entry yet", typed),
            "Until it goes out it can only be looked at, or taken away whole with undo.",
            "aloud held");
    al_params_cstr(&params, "ref", typed);
    al_params_bool(&params, "retracted", retracted);
    int status = al_cli_call(c, &result, "resolve", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    uint32_t count;
    struct al_read rows = al_get_array(result, "rows", &count);
    if (count > 1)
        return fail_several(c, typed, rows, count);
    if (count == 0)
        return al_fail_err(c, AL_E_NOT_FOUND, al_cli_str(c, "there is no entry '%s' here", typed),
            did_you_mean(c, result), "aloud timeline");
    al_row_read(ret, al_read_raw(&rows));
    return 0;
}

int al_refs_entry(struct al_cli *c, struct al_row *ret, const char *typed)
{
    return resolve(c, ret, typed, false);
}

/* What was written last is still held: it can't be meant, and nothing else is. */
static int check_held(struct al_cli *c, const char *typed)
{
    struct al_slice result;
    uint64_t newest = 0;
    uint32_t count;
    int status = al_cli_call(c, &result, "held", NULL);
    if (status != 0)
        return status;
    struct al_read rows = al_get_array(result, "held", &count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = al_get_uint(al_read_raw(&rows), "n");
        newest = n > newest ? n : newest;
    }
    if (newest == 0)
        return 0;
    return al_fail_err(c, AL_E_AMBIGUOUS,
        al_cli_str(c, "'%s' could mean held/%llu, which has not gone out yet", typed,
            (unsigned long long)newest),
        "What is held can only be taken away whole. An entry that went out before it is named by "
        "its id.",
        "aloud undo");
}

int al_refs_target(struct al_cli *c, struct al_row *ret, const char *typed)
{
    bool last = strncmp(typed, "last", 4) == 0 && (typed[4] == '\0' || typed[4] == '~');
    int status = last ? check_held(c, typed) : 0;
    return status == 0 ? resolve(c, ret, typed, true) : status;
}

const char *al_refs_name(
    struct al_cli *c, const uint8_t *identity, struct al_slice name, bool petname)
{
    char prefix[NAME_CHARS + 1];
    al_id_text_prefix(prefix, identity, NAME_CHARS);
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, name, AL_TEXT_NAME);
    const char *words = al_cli_dup(c, al_buf_slice(&safe));
    al_heapbuf_free(&safe);
    if (name.n == 0)
        return al_cli_str(c, "@%s", prefix);
    return petname ? words : al_cli_str(c, "%s~%s", words, prefix);
}

static void person_read(struct al_person *ret, struct al_slice map)
{
    static const uint8_t nobody[32];
    const uint8_t *identity = al_get_b32(map, "identity");
    *ret = (struct al_person){
        .identity = identity != NULL ? identity : nobody,
        .name = al_get_str(map, "name"),
        .petname = al_get_str(map, "petname").n > 0,
        .me = al_get_bool(map, "me"),
    };
    if (ret->petname)
        ret->name = al_get_str(map, "petname");
}

static int fail_several_people(
    struct al_cli *c, const char *typed, struct al_read people, uint32_t count)
{
    const char *words = "";
    const char *first = "";
    for (uint32_t i = 0; i < count && i < LISTED_MAX; i++) {
        struct al_person p;
        char id[AL_ID_TEXT];
        person_read(&p, al_read_raw(&people));
        al_id_text_prefix(id, p.identity, 8);
        words = al_cli_str(c, "%s%s@%s (%s)", words, i > 0 ? ", " : "", id,
            al_refs_name(c, p.identity, p.name, p.petname));
        if (i == 0)
            first = al_cli_str(c, "aloud %s @%s", c->again != NULL ? c->again : c->cmd->name, id);
    }
    return al_fail_err(c, AL_E_AMBIGUOUS,
        al_cli_str(c, "'%s' could be %u people: %s", typed, count, words), NULL, first);
}

/* A whole id names somebody who is not known here yet. */
static bool read_full_id(struct al_cli *c, struct al_person *ret, const char *typed)
{
    uint8_t identity[32];
    if (al_id_parse_full(identity, al_slice_str(typed + (typed[0] == '@'))) != 0)
        return false;
    struct al_slice kept = al_cli_keep(c, al_slice_of(identity, sizeof(identity)));
    *ret = (struct al_person){.identity = kept.p};
    return true;
}

int al_refs_person(struct al_cli *c, struct al_person *ret, const char *typed)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_cstr(&params, "who", typed);
    int status = al_cli_call(c, &result, "person", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    uint32_t count;
    struct al_read people = al_get_array(result, "people", &count);
    if (count > 1)
        return fail_several_people(c, typed, people, count);
    if (count == 0 && read_full_id(c, ret, typed))
        return 0;
    if (count == 0)
        return al_fail_err(c, AL_E_NOT_FOUND, al_cli_str(c, "nobody called '%s' here", typed),
            did_you_mean(c, result), "aloud people");
    person_read(ret, al_read_raw(&people));
    return 0;
}

const char *al_refs_who(struct al_cli *c, const uint8_t *identity)
{
    char id[AL_ID_TEXT];
    struct al_params params = {0};
    struct al_slice result;
    struct al_person p = {.identity = identity};
    uint32_t count = 0;
    al_id_text(id, identity);
    al_params_cstr(&params, "who", id);
    int err = al_cli_try(c, &result, "person", &params);
    al_params_free(&params);
    if (err == 0) {
        result = al_cli_keep(c, result);
        struct al_read people = al_get_array(result, "people", &count);
        if (count == 1)
            person_read(&p, al_read_raw(&people));
    }
    return p.me ? "you" : al_refs_name(c, identity, p.name, p.petname);
}
