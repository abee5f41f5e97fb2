#include "help.h"

#include <stdio.h>

#include "args.h"
#include "fail.h"
#include "heapbuf.h"
#include "man.h"
#include "text.h"

#define MEASURE_MIN 24 /* columns that words need beside a name */

static const char *const groups[AL_GROUP_COUNT] = {
    [AL_GROUP_START] = "Start",
    [AL_GROUP_WRITE] = "Write",
    [AL_GROUP_READ] = "Read",
    [AL_GROUP_PEOPLE] = "People",
    [AL_GROUP_IN_OUT] = "In and out",
};

/* Name and explanation side by side; one below the other where that would be too narrow. */
static void pair(struct al_out *o, const char *left, size_t column, const char *words)
{
    size_t width = al_out_width(o);
    if (width < column + MEASURE_MIN) {
        al_say(o, AL_STYLE_NONE, "  %s\n", left);
        al_say_wrapped(o, AL_STYLE_NONE, al_slice_str(words), 10);
        return;
    }
    struct al_buf lines = al_heapbuf();
    al_text_wrap(&lines, al_slice_str(words), width - column, column);
    al_say(o, AL_STYLE_NONE, "  %-*s %.*s\n", (int)column - 3, left, (int)lines.n,
        (const char *)lines.p);
    al_heapbuf_free(&lines);
}

static void overview(struct al_out *o)
{
    al_say_wrapped(
        o, AL_STYLE_NONE, al_slice_str("aloud: work out loud together, without a platform"), 0);
    for (int g = 0; g < AL_GROUP_COUNT; g++) {
        al_say(o, AL_STYLE_STRONG, "\n%s\n", groups[g]);
        for (size_t i = 0; al_commands[i] != NULL; i++) {
            const struct al_cmd *cmd = al_commands[i];
            if (cmd->group == (enum al_cli_group)g)
                pair(o, cmd->name, 13, cmd->summary);
        }
    }
    al_say(o, AL_STYLE_NONE, "\n");
    al_say_wrapped(o, AL_STYLE_NONE,
        al_slice_str("More: aloud COMMAND --help, aloud help exit-codes, man aloud"), 0);
}

static void exit_codes(struct al_out *o)
{
    static const struct {
        int status;
        const char *words;
    } exits[] = {
#define AL_X(name, status, words) {status, words},
        AL_EXITS(AL_X)
#undef AL_X
    };
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        al_say(o, AL_STYLE_NONE, "%5d  %s\n", exits[i].status, exits[i].words);
}

static void options(struct al_out *o, const char *title, const struct al_cli_opt *opts)
{
    al_say(o, AL_STYLE_STRONG, "\n%s\n", title);
    for (; opts != NULL && opts->name != NULL; opts++) {
        char left[64];
        const char *arg = opts->arg != NULL ? opts->arg : "";
        const char *equals = arg[0] == '\0' || arg[0] == '[' ? "" : "=";
        (void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", opts->letter != 0 ? '-' : ' ',
            opts->letter != 0 ? opts->letter : ' ', opts->letter != 0 ? ", " : "  ", opts->name,
            equals, arg);
        pair(o, left, 27, opts->help);
    }
}

static void command(struct al_out *o, const struct al_cmd *cmd)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "aloud %s: %s\nusage: aloud %s [OPTION...]%s%s", cmd->name,
        cmd->summary, cmd->name, cmd->usage[0] != '\0' ? " " : "", cmd->usage);
    al_say_wrapped(o, AL_STYLE_NONE, al_slice_str(line), 0);
    if (cmd->about != NULL) {
        al_say(o, AL_STYLE_NONE, "\n");
        al_say_wrapped(o, AL_STYLE_NONE, al_slice_str(cmd->about), 0);
    }
    if (cmd->opts != NULL)
        options(o, "Options", cmd->opts);
    options(o, "Options of every command", al_args_common);
    if (cmd->fields != NULL) {
        al_say(o, AL_STYLE_STRONG, "\nFields of --json and --plain\n");
        al_say_wrapped(o, AL_STYLE_NONE, al_slice_str(cmd->fields), 2);
    }
    al_say(o, AL_STYLE_STRONG, "\nExamples\n");
    for (size_t i = 0; i < 2 && cmd->examples[i] != NULL; i++)
        al_say(o, AL_STYLE_NONE, "  %s\n", cmd->examples[i]);
}

static const struct {
    const char *name;
    void (*print)(struct al_out *o);
} topics[] = {
    {"exit-codes", exit_codes},
    {"man-commands", al_man_commands}, /* for the build of the man page */
    {"man-exit-codes", al_man_exits},
};

bool al_help_is_topic(const char *name)
{
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        if (strcmp(name, topics[i].name) == 0)
            return true;
    }
    return false;
}

void al_help(const struct al_cli *c)
{
    if (c->cmd != NULL) {
        command(c->out, c->cmd);
        return;
    }
    if (c->arg_count == 0)
        overview(c->out);
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]) && c->arg_count > 0; i++) {
        if (strcmp(c->args[0], topics[i].name) == 0)
            topics[i].print(c->out);
    }
}
