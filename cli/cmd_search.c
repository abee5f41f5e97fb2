/* Full-text search. */
#include <stdlib.h>

#include "cli.h"
#include "cmds.h"
#include "feed.h"
#include "heapbuf.h"
#include "row_out.h"
#include "row_say.h"
#include "when.h"

#define DEFAULT_HITS 20
#define HITS_MAX 1000

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* The snippet on one line, with what matched in its style. */
static void add_snippet(struct al_styled *t, struct al_slice s)
{
    struct al_buf part = al_heapbuf();
    bool match = false;
    for (size_t i = 0; i < s.n; i++) {
        bool mark = s.p[i] == AL_ROW_MATCH_BEGIN || s.p[i] == AL_ROW_MATCH_END;
        if (mark) {
            al_styled_add(t, match ? AL_STYLE_MATCH : AL_STYLE_NONE, al_buf_slice(&part));
            part.n = 0;
            match = s.p[i] == AL_ROW_MATCH_BEGIN;
        } else if (!is_space(s.p[i])) {
            al_buf_put(&part, s.p + i, 1);
        } else if (i == 0 || !is_space(s.p[i - 1])) {
            al_buf_put(&part, " ", 1);
        }
    }
    al_styled_add(t, match ? AL_STYLE_MATCH : AL_STYLE_NONE, al_buf_slice(&part));
    al_heapbuf_free(&part);
}

static void say_hit(struct al_cli *c, const struct al_row *r, uint64_t now_ms)
{
    char when[64];
    struct al_styled t;
    al_when_relative(when, sizeof(when), r->time_ms, now_ms);
    al_styled_init(&t);
    al_styled_add_id(&t, r->id, r->id_chars);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_author(&t, r);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_audience(&t, r);
    al_styled_addf(&t, AL_STYLE_DIM, "  %s", when);
    al_row_say_marks(&t, r);
    struct al_styled_box box = {.columns = al_out_width(c->out)};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);

    al_styled_init(&t);
    if (r->snippet.n > 0)
        add_snippet(&t, r->snippet);
    else
        al_row_say_title(&t, r, al_feed_columns(c->out));
    box = (struct al_styled_box){.indent = 2, .columns = al_feed_columns(c->out)};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
}

static int print_hits(struct al_cli *c, struct al_slice result, size_t *ret_count)
{
    struct al_row *rows;
    size_t n;
    int err = al_row_out_read(&rows, &n, result, "rows");
    if (err != 0)
        return al_cli_fail_call(c, err);
    uint64_t now_ms = al_cli_now_ms();
    for (size_t i = 0; i < n; i++) {
        if (!al_out_is_pretty(c->out)) {
            al_row_out(c->out, &rows[i]);
            continue;
        }
        if (i > 0)
            al_say(c->out, AL_STYLE_NONE, "\n");
        say_hit(c, &rows[i], now_ms);
    }
    free(rows);
    *ret_count = n;
    return 0;
}

/*
 * The words as one query. The shell has taken the quotes off: among several words, one with
 * spaces was a phrase.
 */
static const char *query_of(struct al_cli *c)
{
    if (c->arg_count == 1)
        return c->args[0];
    const char *query = "";
    for (int i = 0; i < c->arg_count; i++) {
        const char *word = c->args[i];
        bool phrase = strchr(word, ' ') != NULL && strchr(word, '"') == NULL;
        query = al_cli_str(
            c, "%s%s%s%s%s", query, i > 0 ? " " : "", phrase ? "\"" : "", word, phrase ? "\"" : "");
    }
    return query;
}

static int run_search(struct al_cli *c)
{
    uint64_t limit = DEFAULT_HITS;
    size_t count;
    int status = al_cli_opt_uint(c, &limit, "limit", 1, HITS_MAX);
    if (status != 0)
        return status;
    struct al_params params = {0};
    struct al_slice result;
    al_params_cstr(&params, "query", query_of(c));
    al_params_uint(&params, "limit", limit);
    al_params_bool(&params, "rank", al_cli_opt(c, "newest") == NULL);
    status = al_cli_call(c, &result, "search", &params);
    al_params_free(&params);
    if (status == 0)
        status = print_hits(c, result, &count);
    if (status != 0)
        return status;

    uint64_t of = al_get_uint(result, "of");
    uint64_t behind = al_get_uint(result, "behind");
    if (count > 0 && of > count)
        al_say(c->out, AL_STYLE_DIM, "\n%zu of %llu shown\n", count, (unsigned long long)of);
    if (behind > 0)
        al_cli_note(c, "The index is %llu changes behind; ask again in a moment.",
            (unsigned long long)behind);
    if (count == 0)
        al_cli_note(c, "Nothing found.");
    return count > 0 ? AL_EXIT_DONE : AL_EXIT_NOTHING;
}

const struct al_cmd al_cmd_search = {
    .name = "search",
    .group = AL_GROUP_READ,
    .usage = "QUERY...",
    .summary = "find entries by their words",
    .about =
        "All words must be there. \"a phrase\" keeps words together, -word leaves entries out, "
        "begin* stands for every word that begins so. tag:, from:, kind:, to:, since: and "
        "until: narrow it down. Words that begin with a dash go after --.",
    .opts = (const struct al_cli_opt[]){{"newest", 0, NULL, "the newest first, not the best"},
        {"limit", 'n', "COUNT", "at most so many entries"}, {0}},
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud search uv_close tag:libuv", "aloud search 'since:monday \"file locks\"'"},
    .args_min = 1,
    .args_max = -1,
    .run = run_search,
};
