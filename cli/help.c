#include "help.h"

#include <stdio.h>

#include "args.h"
#include "fail.h"
#include "man.h"

static const char *const groups[AL_GROUP_COUNT] = {
    [AL_GROUP_START] = "Start",
    [AL_GROUP_WRITE] = "Write",
    [AL_GROUP_READ] = "Read",
    [AL_GROUP_PEOPLE] = "People",
    [AL_GROUP_IN_OUT] = "In and out",
};

static void overview(struct al_out *o)
{
    al_say(o, AL_STYLE_NONE, "aloud: work out loud together, without a platform\n");
    for (int g = 0; g < AL_GROUP_COUNT; g++) {
        al_say(o, AL_STYLE_STRONG, "\n%s\n", groups[g]);
        for (size_t i = 0; al_commands[i] != NULL; i++) {
            const struct al_cmd *cmd = al_commands[i];
            if (cmd->group == (enum al_cli_group)g)
                al_say(o, AL_STYLE_NONE, "  %-10s %s\n", cmd->name, cmd->summary);
        }
    }
    al_say(o, AL_STYLE_NONE, "\nMore: aloud COMMAND --help, aloud help exit-codes, man aloud\n");
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
        al_say(o, AL_STYLE_NONE, "  %-24s %s\n", left, opts->help);
    }
}

static void command(struct al_out *o, const struct al_cmd *cmd)
{
    al_say(o, AL_STYLE_NONE, "aloud %s: %s\n", cmd->name, cmd->summary);
    al_say(o, AL_STYLE_NONE, "usage: aloud %s [OPTION...]%s%s\n", cmd->name,
        cmd->usage[0] != '\0' ? " " : "", cmd->usage);
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
