#include "man.h"

#include <ctype.h>

#include "args.h"
#include "fail.h"
#include "heapbuf.h"
#include "text.h"

#define INDENT 4 /* what scdoc wants as a TAB */
#define COLUMNS 74

/* Print words, indented and wrapped, with what scdoc would take for markup escaped. */
static void words(struct al_out *o, const char *text, size_t indent)
{
    struct al_buf escaped = al_heapbuf();
    struct al_buf lines = al_heapbuf();
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("\\*_#", *p) != NULL)
            al_buf_put(&escaped, "\\", 1);
        al_buf_put(&escaped, p, 1);
    }
    al_text_wrap(&lines, al_buf_slice(&escaped), COLUMNS, indent);
    al_say(o, AL_STYLE_NONE, "%*s%.*s", (int)indent, "", (int)lines.n, (const char *)lines.p);
    al_heapbuf_free(&escaped);
    al_heapbuf_free(&lines);
}

static void option(struct al_out *o, const struct al_cli_opt *opt)
{
    al_say(o, AL_STYLE_NONE, "\n*");
    if (opt->letter != 0)
        al_say(o, AL_STYLE_NONE, "-%c*, *", opt->letter);
    al_say(o, AL_STYLE_NONE, "--%s*", opt->name);
    if (opt->arg != NULL)
        al_say(o, AL_STYLE_NONE, "%s%s", opt->arg[0] != '[' ? " " : "", opt->arg);
    al_say(o, AL_STYLE_NONE, "\n");
    words(o, opt->help, INDENT);
    al_say(o, AL_STYLE_NONE, ".\n");
}

static void command(struct al_out *o, const struct al_cmd *cmd)
{
    al_say(o, AL_STYLE_NONE, "\n## aloud %s%s%s\n\n", cmd->name, cmd->usage[0] != '\0' ? " " : "",
        cmd->usage);
    al_say(o, AL_STYLE_NONE, "%c", toupper((unsigned char)cmd->summary[0]));
    words(o, cmd->summary + 1, 0);
    al_say(o, AL_STYLE_NONE, ".\n");
    if (cmd->about != NULL) {
        al_say(o, AL_STYLE_NONE, "\n");
        words(o, cmd->about, 0);
        al_say(o, AL_STYLE_NONE, "\n");
    }
    for (const struct al_cli_opt *opt = cmd->opts; opt != NULL && opt->name != NULL; opt++)
        option(o, opt);
    if (cmd->fields != NULL) {
        al_say(o, AL_STYLE_NONE, "\nFields of --json and --plain:\n");
        words(o, cmd->fields, 0);
        al_say(o, AL_STYLE_NONE, ".\n");
    }
    al_say(o, AL_STYLE_NONE, "\n```\n");
    for (size_t i = 0; i < 2 && cmd->examples[i] != NULL; i++)
        al_say(o, AL_STYLE_NONE, "%s\n", cmd->examples[i]);
    al_say(o, AL_STYLE_NONE, "```\n");
}

void al_man_commands(struct al_out *o)
{
    al_say(o, AL_STYLE_NONE, "Every command has these options:\n");
    for (const struct al_cli_opt *opt = al_args_common; opt->name != NULL; opt++)
        option(o, opt);
    for (size_t i = 0; al_commands[i] != NULL; i++)
        command(o, al_commands[i]);
}

void al_man_exits(struct al_out *o)
{
#define AL_X(name, status, meaning)                                                                \
    al_say(o, AL_STYLE_NONE, "*%d*\n", status);                                                    \
    words(o, meaning, INDENT);                                                                     \
    al_say(o, AL_STYLE_NONE, ".\n\n");
    AL_EXITS(AL_X)
#undef AL_X
}
