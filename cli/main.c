/* aloud: read the line, run one command, print, and go. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "cmds.h"
#include "help.h"

const struct al_cmd *const al_commands[] = {
#define AL_X(name) &al_cmd_##name,
    AL_CMDS(AL_X)
#undef AL_X
        NULL,
};

static bool wants_color(const char *when, bool clever)
{
    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    const char *no = getenv("NO_COLOR");
    return clever && (no == NULL || no[0] == '\0');
}

static void screen_size(struct al_out_opts *opts)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        opts->columns = size.ws_col;
        opts->lines = size.ws_row;
    } else {
        opts->columns = 80;
        opts->lines = 24;
    }
    if (columns != NULL && atoi(columns) > 0)
        opts->columns = (size_t)atoi(columns);
}

static struct al_out *open_output(const struct al_args_form *form, bool help)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    const char *term = getenv("TERM"); /* a dumb one has neither colours nor a pager */
    bool clever = terminal && term != NULL && strcmp(term, "dumb") != 0;
    struct al_out_opts opts = {.fd = STDOUT_FILENO, .fields = form->fields};
    opts.form = terminal ? AL_OUT_PRETTY : AL_OUT_PLAIN;
    if (form->json)
        opts.form = AL_OUT_JSON;
    if (form->plain)
        opts.form = AL_OUT_PLAIN;
    if (form->pretty || help)
        opts.form = AL_OUT_PRETTY;
    opts.color = wants_color(form->color, clever);
    opts.pager = clever;
    if (opts.form == AL_OUT_PRETTY)
        screen_size(&opts);
    return al_out_new(&opts);
}

static int find_paths(struct al_cli *c)
{
    int err = al_paths_init(&c->paths, c->home);
    if (err != 0)
        return al_fail_err(c, err, "there is no place for aloud's files",
            al_cli_str(c, "%s.", al_err_words(err)), "--home DIR");
    if (c->socket == NULL)
        c->socket = c->paths.socket;
    return 0;
}

/* Say what went wrong with the output, which may be late to be noticed. */
static int close_output(struct al_cli *c, int status)
{
    struct al_out *out = c->out;
    const char *unknown = al_out_unknown_field(out);
    c->out = NULL;
    int err = al_out_close(out);
    if (unknown != NULL)
        return al_fail(c, AL_EXIT_USAGE,
            al_cli_str(c, "there is no field '%.*s' here", (int)strcspn(unknown, ","), unknown),
            al_cli_str(c, "The fields are: %s.", c->cmd->fields), NULL);
    if (err != 0 && status == AL_EXIT_DONE)
        return al_fail_err(c, err, "the output could not be written",
            al_cli_str(c, "%s.", al_err_words(err)), NULL);
    return status;
}

int main(int argc, char **argv)
{
    struct al_cli c = {0};
    struct al_args_form form = {0};
    /* What this makes is for its owner's eyes; and a reader that leaves early is no crash. */
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    int status = AL_EXIT_USAGE;
    enum al_args_want want = al_args_read(&c, &form, argc, argv);
    if (want != AL_ARGS_FAILED) {
        c.no_input = c.no_input || isatty(STDIN_FILENO) != 1;
        c.out = open_output(&form, want == AL_ARGS_HELP);
        status = c.out == NULL ? AL_EXIT_NOTHING : 0;
    }
    if (status == 0 && want == AL_ARGS_HELP)
        al_help(&c);
    else if (status == 0)
        status = find_paths(&c);
    if (status == 0 && want == AL_ARGS_RUN)
        status = c.cmd->run(&c);
    if (c.out != NULL)
        status = close_output(&c, status);
    al_cli_fini(&c);
    return status;
}
