#include "args.h"

#include <getopt.h>
#include <stdio.h>

#include "check.h"
#include "help.h"

#define LONG_BASE 256 /* long options are numbered from here, so no letter is one of them */

const struct al_cli_opt al_args_common[] = {
    {"json", 0, "[=FIELDS]", "print JSON, one object a line; FIELDS are separated by commas"},
    {"plain", 0, NULL, "print as into a pipe: fields separated by TABs"},
    {"pretty", 0, NULL, "print as on a terminal"},
    {"quiet", 'q', NULL, "print no remarks"},
    {"verbose", 'v', NULL, "say more"},
    {"no-input", 0, NULL, "ask nothing"},
    {"yes", 'y', NULL, "answer every question with yes"},
    {"color", 0, "WHEN", "auto, always or never"},
    {"socket", 0, "PATH", "the node's socket"},
    {"home", 0, "DIR", "keep everything under DIR"},
    {"version", 'V', NULL, "print the version"},
    {"help", 'h', NULL, "print help"},
    {0},
};

const struct al_cmd *al_args_command(const char *name)
{
    for (size_t i = 0; al_commands[i] != NULL; i++) {
        if (strcmp(al_commands[i]->name, name) == 0)
            return al_commands[i];
    }
    return NULL;
}

/* Changes of one letter (swaps count as one) that lead from |a| to |b|; names are short. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    size_t d[MAX + 1][MAX + 1];
    size_t an = strnlen(a, MAX);
    size_t bn = strnlen(b, MAX);
    for (size_t i = 0; i <= an; i++) {
        for (size_t j = 0; j <= bn; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[an][bn];
}

const char *al_args_similar(const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) < 4 ? 2 : 3; /* further away is no likeness */
    for (size_t i = 0; al_commands[i] != NULL; i++) {
        size_t d = distance(name, al_commands[i]->name);
        if (d < best_distance) {
            best_distance = d;
            best = al_commands[i]->name;
        }
    }
    return best;
}

/* ---- getopt_long, fed from the tables ---- */

struct table {
    struct option longs[AL_CLI_OPTS_MAX];
    const struct al_cli_opt *opts[AL_CLI_OPTS_MAX];
    char letters[2 * AL_CLI_OPTS_MAX + 2];
    int count;
};

static void add_opts(struct table *t, const struct al_cli_opt *opts)
{
    size_t n = strlen(t->letters);
    for (; opts != NULL && opts->name != NULL && t->count < AL_CLI_OPTS_MAX - 1; opts++) {
        int has_arg = opts->arg == NULL     ? no_argument
                      : opts->arg[0] == '[' ? optional_argument
                                            : required_argument;
        t->longs[t->count] = (struct option){opts->name, has_arg, NULL, LONG_BASE + t->count};
        t->opts[t->count++] = opts;
        if (opts->letter != 0) {
            t->letters[n++] = opts->letter;
            if (has_arg == required_argument)
                t->letters[n++] = ':';
        }
    }
    t->letters[n] = '\0';
}

static const struct al_cli_opt *find_opt(const struct table *t, int got)
{
    if (got >= LONG_BASE)
        return t->opts[got - LONG_BASE];
    for (int i = 0; i < t->count; i++) {
        if (t->opts[i]->letter == got)
            return t->opts[i];
    }
    return NULL;
}

static void take_common(
    struct al_cli *c, struct al_args_form *form, const char *name, const char *value)
{
    if (strcmp(name, "json") == 0) {
        form->json = true;
        form->fields = value;
        c->json = true;
    } else if (strcmp(name, "plain") == 0) {
        form->plain = true;
    } else if (strcmp(name, "pretty") == 0) {
        form->pretty = true;
    } else if (strcmp(name, "quiet") == 0) {
        c->quiet = true;
    } else if (strcmp(name, "verbose") == 0) {
        c->verbose = true;
    } else if (strcmp(name, "no-input") == 0) {
        c->no_input = true;
    } else if (strcmp(name, "yes") == 0) {
        c->yes = true;
    } else if (strcmp(name, "color") == 0) {
        form->color = value;
    } else if (strcmp(name, "socket") == 0) {
        c->socket = value;
    } else if (strcmp(name, "home") == 0) {
        c->home = value;
    } else if (strcmp(name, "version") == 0) {
        form->version = true;
    }
}

static bool is_common(const struct al_cli_opt *opt)
{
    for (const struct al_cli_opt *o = al_args_common; o->name != NULL; o++) {
        if (o == opt)
            return true;
    }
    return false;
}

/* The option that |word|, "--form=kai", was probably meant to be, or NULL. */
static const char *similar_option(const struct table *t, const char *word)
{
    char name[32];
    const char *best = NULL;
    size_t best_distance = 3;
    if (strncmp(word, "--", 2) != 0)
        return NULL;
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (int i = 0; i < t->count; i++) {
        size_t d = distance(name, t->opts[i]->name);
        if (d < best_distance) {
            best_distance = d;
            best = t->opts[i]->name;
        }
    }
    return best;
}

/* Say what getopt_long() did not like about the word before optind. */
static void bad_option(struct al_cli *c, const struct table *t, int got, const char *word)
{
    const char *name = word;
    if (optopt > 0 && optopt < LONG_BASE && strncmp(word, "--", 2) != 0)
        name = al_cli_str(c, "-%c", optopt);
    const char *what = al_cli_str(c, "there is no option %s", name);
    if (got == ':')
        what = al_cli_str(c, "%s needs a value", name);
    else if (optopt >= LONG_BASE)
        what = al_cli_str(c, "%s takes no value", name);
    const char *hint = "aloud help";
    if (c->cmd != NULL)
        hint = al_cli_str(c, "aloud %s --help", c->cmd->name);
    const char *similar = got == ':' || optopt >= LONG_BASE ? NULL : similar_option(t, word);
    const char *why = NULL;
    if (similar != NULL)
        why = al_cli_str(c, "Did you mean --%s?", similar);
    else if (c->cmd != NULL && c->cmd->args_max < 0)
        why = "Words that begin with a dash go after --.";
    (void)al_fail(c, AL_EXIT_USAGE, what, why, hint);
}

/* Read options from argv[1], up to the first word when |before_command|. */
static enum al_args_want read_opts(struct al_cli *c, struct al_args_form *form,
    const struct table *t, int argc, char **argv, bool before_command)
{
    char letters[sizeof(t->letters) + 2];
    (void)snprintf(letters, sizeof(letters), "%s:%s", before_command ? "+" : "", t->letters);
    enum al_args_want want = AL_ARGS_RUN;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    for (;;) {
        int got = getopt_long(argc, argv, letters, t->longs, NULL);
        if (got == -1)
            return want;
        if (got == '?' || got == ':') {
            bad_option(c, t, got, argv[optind - 1]);
            return AL_ARGS_FAILED;
        }
        const struct al_cli_opt *opt = find_opt(t, got);
        AL_ASSERT(opt != NULL);
        if (opt->letter == 'h')
            want = AL_ARGS_HELP;
        else if (is_common(opt))
            take_common(c, form, opt->name, optarg);
        else if (c->opt_count < AL_CLI_OPTS_MAX)
            c->opts[c->opt_count++] =
                (struct al_cli_value){opt->name, optarg != NULL ? optarg : ""};
    }
}

/* The command named by argv[0], or NULL after saying that there is none. */
static const struct al_cmd *find_command(struct al_cli *c, const char *name)
{
    const struct al_cmd *cmd = al_args_command(name);
    if (cmd == NULL) {
        const char *similar = al_args_similar(name);
        const char *why = similar == NULL ? NULL : al_cli_str(c, "Did you mean %s?", similar);
        (void)al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "there is no command '%s'", name), why,
            similar == NULL ? "aloud help" : al_cli_str(c, "aloud %s --help", similar));
    }
    return cmd;
}

/*
 * Refuse a field that the command never prints: before it does anything, for what it does may not
 * be done twice.
 */
static int check_fields(struct al_cli *c, const char *asked)
{
    static const char between[] = ", ;:";
    for (; asked != NULL && c->cmd->fields != NULL; asked = strchr(asked, ',')) {
        asked += *asked == ',';
        size_t n = strcspn(asked, ",");
        bool found = n == 0;
        for (const char *p = c->cmd->fields; *p != '\0' && !found; p += strspn(p, between)) {
            size_t k = strcspn(p, between);
            found = k == n && strncmp(p, asked, n) == 0;
            p += k;
        }
        if (!found)
            return al_fail(c, AL_EXIT_USAGE,
                al_cli_str(c, "there is no field '%.*s' here", (int)n, asked),
                al_cli_str(c, "The fields are: %s.", c->cmd->fields), NULL);
    }
    return 0;
}

static enum al_args_want check(struct al_cli *c, const struct al_args_form *form)
{
    const char *color = form->color;
    if (color != NULL && strcmp(color, "auto") != 0 && strcmp(color, "always") != 0 &&
        strcmp(color, "never") != 0) {
        (void)al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "--color can't be '%s'", color), NULL,
            "--color=auto, --color=always or --color=never");
        return AL_ARGS_FAILED;
    }
    bool few = c->arg_count < c->cmd->args_min;
    if (few || (c->cmd->args_max >= 0 && c->arg_count > c->cmd->args_max)) {
        const char *what = al_cli_str(
            c, few ? "something is missing after '%s'" : "too many words after '%s'", c->cmd->name);
        const char *why = al_cli_str(c, "Usage: aloud %s%s%s", c->cmd->name,
            c->cmd->usage[0] != '\0' ? " " : "", c->cmd->usage);
        (void)al_fail(c, AL_EXIT_USAGE, what, why, al_cli_str(c, "aloud %s --help", c->cmd->name));
        return AL_ARGS_FAILED;
    }
    return check_fields(c, form->fields) == 0 ? AL_ARGS_RUN : AL_ARGS_FAILED;
}

/* `aloud --version` is `aloud version`, wherever it stands. */
static enum al_args_want run_version(struct al_cli *c)
{
    c->cmd = al_args_command("version");
    c->arg_count = 0;
    return AL_ARGS_RUN;
}

enum al_args_want al_args_read(struct al_cli *c, struct al_args_form *form, int argc, char **argv)
{
    struct table common = {0};
    add_opts(&common, al_args_common);
    enum al_args_want want = read_opts(c, form, &common, argc, argv, true);
    if (want == AL_ARGS_FAILED)
        return want;
    argc -= optind;
    argv += optind;
    if (form->version && want == AL_ARGS_RUN)
        return run_version(c);
    if (argc == 0 && want == AL_ARGS_RUN)
        c->cmd = al_args_command("home");
    if (argc == 0)
        return want;
    bool help = want == AL_ARGS_HELP;
    if (strcmp(argv[0], "help") == 0) {
        help = true;
        if (argc == 1 || strcmp(argv[1], "help") == 0 || argv[1][0] == '-')
            return AL_ARGS_HELP;
        argc--;
        argv++;
    }
    c->args = argv;
    c->arg_count = 1;
    if (help && al_help_is_topic(argv[0]))
        return AL_ARGS_HELP;
    c->cmd = find_command(c, argv[0]);
    if (c->cmd == NULL)
        return AL_ARGS_FAILED;
    struct table own = {0};
    add_opts(&own, al_args_common);
    add_opts(&own, c->cmd->opts);
    want = read_opts(c, form, &own, argc, argv, false);
    if (want != AL_ARGS_RUN || help)
        return want == AL_ARGS_FAILED ? want : AL_ARGS_HELP;
    if (form->version)
        return run_version(c);
    c->args = argv + optind;
    c->arg_count = argc - optind;
    return check(c, form);
}
