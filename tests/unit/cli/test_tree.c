/* The tree of a thread: shape, what is missing, and depth without danger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "heapbuf.h"
#include "tree.h"

static uint8_t ids[26][32];

static const uint8_t *id_of(char letter)
{
    size_t i = (size_t)(letter - 'a');
    ids[i][0] = (uint8_t)letter;
    return ids[i];
}

static struct al_row row_of(char id, char re)
{
    return (struct al_row){.id = id_of(id), .re = re == '-' ? NULL : id_of(re)};
}

/* Draw the rows "id parent" as lines of a margin and a letter; "?" marks what is missing. */
static void expect(const char *pairs, size_t levels_max, const char *want)
{
    struct al_row rows[26];
    size_t n = strlen(pairs) / 2;
    for (size_t i = 0; i < n; i++)
        rows[i] = row_of(pairs[2 * i], pairs[2 * i + 1]);
    struct al_tree tree;
    struct al_buf b = al_heapbuf();
    assert_int_equal(al_tree_build(&tree, rows, n), 0);
    for (size_t i = tree.first; i != AL_TREE_NONE; i = al_tree_next(&tree, i)) {
        al_tree_margin(&b, &tree, i, levels_max, true);
        al_buf_put(&b, tree.nodes[i].id, 1);
        al_buf_put(&b, tree.nodes[i].row == NULL ? "?\n" : "\n", tree.nodes[i].row == NULL ? 2 : 1);
    }
    al_buf_put(&b, "", 1);
    assert_string_equal((const char *)b.p, want);
    al_heapbuf_free(&b);
    al_tree_free(&tree);
}

static void replies_hang_on_their_parents_in_order(void **state)
{
    (void)state;
    expect("", 9, "");
    expect("a-", 9, "a\n");
    expect("a-bacaebdb", 9, "a\n├─ b\n│  ├─ e\n│  └─ d\n└─ c\n");
    expect("a-bacbdc", 9, "a\n└─ b\n   └─ c\n      └─ d\n");
}

static void a_parent_that_is_not_here_is_named_once(void **state)
{
    (void)state;
    expect("a-bxcx", 9, "a\nx?\n├─ b\n└─ c\n");
    expect("bxcbdx", 9, "x?\n├─ b\n│  └─ c\n└─ d\n");
}

static void replies_that_name_each_other_make_no_loop(void **state)
{
    (void)state;
    expect("abba", 9, "b?\n└─ a\n   └─ b\n");
    expect("aa", 9, "a?\n└─ a\n");
}

static void deep_levels_stand_at_the_last_one(void **state)
{
    (void)state;
    expect("a-bacbdcea", 2, "a\n├─ b\n│  └─ c\n│  ├─ d\n└─ e\n");
}

/* Like expect(), for rows whose small letters are of strangers; the entry |keep| was asked for. */
static void expect_folded(const char *pairs, const char *close, char keep, const char *want)
{
    struct al_row rows[26];
    size_t n = strlen(pairs) / 2;
    for (size_t i = 0; i < n; i++) {
        rows[i] = row_of(pairs[2 * i], pairs[2 * i + 1]);
        rows[i].close = strchr(close, pairs[2 * i]) != NULL;
    }
    struct al_tree tree;
    struct al_buf b = al_heapbuf();
    assert_int_equal(al_tree_build(&tree, rows, n), 0);
    al_tree_fold(&tree, id_of(keep));
    for (size_t i = tree.first; i != AL_TREE_NONE;) {
        const struct al_tree_node *node = &tree.nodes[i];
        char digit = node->folded ? (char)('0' + al_tree_folded(&tree, i)) : (char)node->id[0];
        al_buf_put(&b, &digit, 1);
        i = node->folded ? al_tree_unfold(&tree, i) : al_tree_next(&tree, i);
    }
    al_buf_put(&b, "", 1);
    assert_string_equal((const char *)b.p, want);
    al_heapbuf_free(&b);
    al_tree_free(&tree);
}

static void branches_of_strangers_are_folded(void **state)
{
    (void)state;
    expect_folded("a-bacaebdb", "abcde", 'a', "abedc");
    expect_folded("a-bacaebdb", "", 'a', "a4");     /* the root stays, whoever wrote it */
    expect_folded("a-bacaebdb", "c", 'a', "a3c");   /* a branch, then one of a friend */
    expect_folded("a-bacaebdb", "d", 'a', "ab1d1"); /* what a friend answers stays */
    expect_folded("a-bacaebdb", "", 'e', "abe11");  /* so does what was asked for */
    expect_folded("bxcbdx", "", 'b', "xb11");       /* below a parent that is not here */
}

static void lines_below_a_node_keep_its_margin(void **state)
{
    (void)state;
    const struct al_row rows[] = {
        row_of('a', '-'), row_of('b', 'a'), row_of('c', 'b'), row_of('d', 'a')};
    struct al_tree tree;
    struct al_buf b = al_heapbuf();
    assert_int_equal(al_tree_build(&tree, rows, 4), 0);
    al_tree_margin(&b, &tree, 2, 9, false);
    al_buf_put(&b, "|", 1);
    al_tree_margin(&b, &tree, 3, 9, false);
    al_buf_put(&b, "", 1);
    assert_string_equal((const char *)b.p, "│     |   ");
    al_heapbuf_free(&b);
    al_tree_free(&tree);
}

static void a_thousand_levels_end(void **state)
{
    (void)state;
    enum { N = 1000 };
    static uint8_t many[N][32];
    struct al_row *rows = calloc(N, sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < N; i++) {
        memcpy(many[i], &i, sizeof(i));
        rows[i] = (struct al_row){.id = many[i], .re = i == 0 ? NULL : many[i - 1]};
    }
    struct al_tree tree;
    assert_int_equal(al_tree_build(&tree, rows, N), 0);
    size_t seen = 0;
    for (size_t i = tree.first; i != AL_TREE_NONE; i = al_tree_next(&tree, i))
        seen++;
    assert_int_equal(seen, N);
    assert_int_equal(tree.nodes[N - 1].level, N - 1);
    al_tree_free(&tree);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branches_of_strangers_are_folded),
        cmocka_unit_test(replies_hang_on_their_parents_in_order),
        cmocka_unit_test(a_parent_that_is_not_here_is_named_once),
        cmocka_unit_test(replies_that_name_each_other_make_no_loop),
        cmocka_unit_test(deep_levels_stand_at_the_last_one),
        cmocka_unit_test(lines_below_a_node_keep_its_margin),
        cmocka_unit_test(a_thousand_levels_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
