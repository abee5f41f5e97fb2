/* The node itself: where it lives and which version runs. */
#include <stdio.h>

#include "cli.h"
#include "client.h"
#include "cmds.h"

static int run_paths(struct al_cli *c)
{
    const struct {
        const char *name;
        const char *path;
    } rows[] = {
        {"data", c->paths.data},
        {"config", c->paths.config_file},
        {"state", c->paths.state},
        {"keys", c->paths.keys},
        {"log", c->paths.log_db},
        {"views", c->paths.views_db},
        {"socket", c->socket},
    };
    static const struct al_out_col cols[] = {
        {.field = "name", .title = ""},
        {.field = "path", .title = ""},
    };
    al_out_table(c->out, cols, 2);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        al_out_row(c->out);
        al_out_cstr(c->out, "name", rows[i].name);
        al_out_cstr(c->out, "path", rows[i].path);
        al_out_row_end(c->out);
    }
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_paths = {
    .name = "paths",
    .group = AL_GROUP_START,
    .usage = "",
    .summary = "where everything is kept",
    .about = "Follows XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_RUNTIME_DIR; --home "
             "puts everything under one directory.",
    .fields = "name, path",
    .examples = {"aloud paths", "aloud paths --json"},
    .run = run_paths,
};

/* The version of the node that runs now; "" when none does: asking must not start one. */
static const char *node_version(struct al_cli *c)
{
    struct al_client *k;
    if (al_client_connect(&k, c->socket) != 0)
        return "";
    struct al_params params = {0};
    al_params_uint(&params, "v", AL_RPC_VERSION);
    struct al_slice result;
    const char *agent = "";
    if (al_client_call(k, &result, "hello", al_params_done(&params)) == 0)
        agent = al_cli_dup(c, al_get_str(result, "agent"));
    al_params_free(&params);
    al_client_free(k);
    return agent;
}

static int run_version(struct al_cli *c)
{
    const char *node = node_version(c);
    al_say(c->out, AL_STYLE_NONE, "aloud %s\n", ALOUD_VERSION);
    al_say(c->out, AL_STYLE_NONE, "node  %s\n", node[0] != '\0' ? node : "not running");
    al_out_row(c->out);
    al_out_cstr(c->out, "version", ALOUD_VERSION);
    al_out_cstr(c->out, "node", node);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_version = {
    .name = "version",
    .group = AL_GROUP_START,
    .usage = "",
    .summary = "the version of this program and of the running node",
    .fields = "version, node",
    .examples = {"aloud version", "aloud version --json=version"},
    .run = run_version,
};
