/* A conversation as a tree. */
#include <stdlib.h>

#include "cli.h"
#include "cmds.h"
#include "feed.h"
#include "fetching.h"
#include "heapbuf.h"
#include "refs.h"
#include "row_out.h"
#include "row_say.h"
#include "tree.h"
#include "when.h"

#define ROWS_MAX 1000
#define LEVEL_COLUMNS 3
#define FOLD_LEVELS 12      /* a fold is indented by at most */
#define TEXT_COLUMNS_MIN 30 /* what deep levels leave for the words */

static void add_head(struct al_styled *t, const struct al_row *r, uint64_t now_ms)
{
    char when[64];
    al_when_relative(when, sizeof(when), r->time_ms, now_ms);
    al_styled_add_id(t, r->id, r->id_chars);
    al_styled_addf(t, AL_STYLE_NONE, "  ");
    al_row_say_author(t, r);
    al_styled_addf(t, AL_STYLE_NONE, "  ");
    al_row_say_audience(t, r);
    al_styled_addf(t, AL_STYLE_DIM, "  %s", when);
    if (!al_slice_is(r->kind, "reply"))
        al_row_say_marks(t, r);
}

static void say_node(struct al_out *o, const struct al_tree *tree, size_t i, uint64_t now_ms)
{
    const struct al_tree_node *node = &tree->nodes[i];
    size_t width = al_out_width(o) < AL_FEED_MEASURE ? al_out_width(o) : AL_FEED_MEASURE;
    size_t levels_max = (width - TEXT_COLUMNS_MIN) / LEVEL_COLUMNS;
    size_t level = node->level < levels_max ? node->level : levels_max;
    struct al_buf lead = al_heapbuf();
    struct al_buf margin = al_heapbuf();
    al_tree_margin(&lead, tree, i, levels_max, true);
    al_buf_put(&lead, "", 1);
    al_tree_margin(&margin, tree, i, levels_max, false);
    al_buf_put(&margin, "", 1);

    struct al_styled t;
    al_styled_init(&t);
    if (node->row != NULL) {
        add_head(&t, node->row, now_ms);
        al_styled_addf(&t, AL_STYLE_NONE, "\n");
        al_row_say_body(&t, node->row);
    } else {
        al_styled_add_id(&t, node->id, 0);
        al_styled_addf(&t, AL_STYLE_DIM, "  (not here, or blocked)");
    }
    struct al_styled_box box = {.lead = (const char *)lead.p,
        .margin = (const char *)margin.p,
        .indent = LEVEL_COLUMNS * level,
        .columns = width - LEVEL_COLUMNS * level};
    (void)al_styled_say(o, &t, &box);
    al_styled_fini(&t);
    al_heapbuf_free(&lead);
    al_heapbuf_free(&margin);
}

/* One line for branches by people one does not follow. */
static void say_fold(struct al_cli *c, const struct al_tree *tree, size_t i, const uint8_t *id)
{
    size_t count = al_tree_folded(tree, i);
    size_t level = tree->nodes[i].level;
    al_say(c->out, AL_STYLE_DIM, "%*s… %zu %s by people you don't follow: aloud thread --all ",
        (int)(LEVEL_COLUMNS * (level < FOLD_LEVELS ? level : FOLD_LEVELS)), "", count,
        count == 1 ? "entry" : "entries");
    al_say_id(c->out, id, 0);
    al_say(c->out, AL_STYLE_NONE, "\n");
}

/* |id| is the entry that was asked for. */
static int say_tree(struct al_cli *c, const struct al_row *rows, size_t n, const uint8_t *id)
{
    struct al_tree tree;
    if (al_tree_build(&tree, rows, n) != 0)
        return AL_E_NOMEM;
    uint64_t now_ms = al_cli_now_ms();
    if (al_cli_opt(c, "all") == NULL)
        al_tree_fold(&tree, id);
    for (size_t i = tree.first; i != AL_TREE_NONE;) {
        if (tree.nodes[i].folded) {
            say_fold(c, &tree, i, id);
            i = al_tree_unfold(&tree, i);
            continue;
        }
        if (tree.nodes[i].level == 0 && i != tree.first)
            al_say(c->out, AL_STYLE_NONE, "\n");
        say_node(c->out, &tree, i, now_ms);
        i = al_tree_next(&tree, i);
    }
    al_tree_free(&tree);
    return 0;
}

/* What is missing, as rows of their own. */
static void out_missing(struct al_cli *c, struct al_slice result)
{
    uint32_t count;
    struct al_read missing = al_get_array(result, "missing", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_row row = {.ref = al_read_raw(&missing), .state = al_slice_str("missing")};
        struct al_ref ref;
        struct al_read r = al_read_init(row.ref);
        al_read_ref(&r, &ref);
        if (row.ref.n == 0 || al_read_end(&r) != 0)
            return;
        row.id = ref.id.b;
        al_row_out(c->out, &row);
    }
}

static int run_thread(struct al_cli *c)
{
    struct al_row entry;
    int status = al_refs_entry(c, &entry, c->args[0]);
    if (status != 0)
        return status;
    struct al_params params = {0};
    struct al_slice result;
    uint8_t id[32]; /* the row is gone with the next answer */
    memcpy(id, entry.id, sizeof(id));
    if (al_cli_opt(c, "fetch") != NULL) {
        struct al_fetched fetched;
        status = al_fetch_thread(c, &fetched, id);
        if (status != 0)
            return status;
        al_fetch_note(c, &fetched);
    }
    al_params_bin(&params, "id", id, sizeof(id));
    al_params_uint(&params, "limit", ROWS_MAX);
    status = al_cli_call(c, &result, "thread", &params);
    al_params_free(&params);
    if (status != 0)
        return status;

    struct al_row *rows;
    size_t n;
    int err = al_row_out_read(&rows, &n, result, "rows");
    if (err != 0)
        return al_cli_fail_call(c, err);
    if (al_out_is_pretty(c->out)) {
        err = say_tree(c, rows, n, id);
    } else {
        for (size_t i = 0; i < n; i++)
            al_row_out(c->out, &rows[i]);
        out_missing(c, result);
    }
    free(rows);
    if (err != 0)
        return al_cli_fail_call(c, err);
    if (al_get_bool(result, "more"))
        al_cli_note(c, "The thread goes on; these are its first %u entries.", ROWS_MAX);
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_thread = {
    .name = "thread",
    .group = AL_GROUP_READ,
    .usage = "ID",
    .summary = "the conversation around an entry, as a tree",
    .about =
        "Entries that somebody refers to but that are not here are named; so are those of people "
        "whom you block. Branches by people whom you don't follow are one line.",
    .opts = (const struct al_cli_opt[]){{"all", 0, NULL, "fold nothing"},
        {"fetch", 0, NULL, "first get what is missing, and more replies, from connected peers"},
        {0}},
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud thread q7xk", "aloud thread last --fetch"},
    .args_min = 1,
    .args_max = 1,
    .run = run_thread,
};
