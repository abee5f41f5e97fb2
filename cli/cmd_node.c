/* The node itself: where it lives and which version runs. */
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"
#include "client.h"
#include "cmds.h"
#include "dirs.h"
#include "heapbuf.h"
#include "start.h"

#define LOG_BYTES_MAX (1024 * 1024)

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

/* The node that runs now: asking must not start one. */
struct running {
    const char *agent; /* "": none runs */
    uint64_t pid;
};

static struct running ask_running(struct al_cli *c)
{
    struct running r = {"", 0};
    struct al_client *k;
    if (al_client_connect(&k, c->socket) != 0)
        return r;
    struct al_params params = {0};
    struct al_slice result;
    al_params_uint(&params, "v", AL_RPC_VERSION);
    if (al_client_call(k, &result, "hello", al_params_done(&params)) == 0)
        r = (struct running){
            al_cli_dup(c, al_get_str(result, "agent")), al_get_uint(result, "pid")};
    al_params_free(&params);
    al_client_free(k);
    return r;
}

static int run_version(struct al_cli *c)
{
    struct running r = ask_running(c);
    al_say(c->out, AL_STYLE_NONE, "aloud %s\n", ALOUD_VERSION);
    al_say(c->out, AL_STYLE_NONE, "node  %s\n", r.pid != 0 ? r.agent : "not running");
    al_out_row(c->out);
    al_out_cstr(c->out, "version", ALOUD_VERSION);
    al_out_cstr(c->out, "node", r.agent);
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

/* ---- node ---- */

static int print_running(struct al_cli *c)
{
    struct running r = ask_running(c);
    if (r.pid == 0)
        al_say(c->out, AL_STYLE_NONE, "The node is not running.\n");
    else
        al_say(c->out, AL_STYLE_NONE, "%s is running as process %llu.\n", r.agent,
            (unsigned long long)r.pid);
    al_out_row(c->out);
    al_out_bool(c->out, "running", r.pid != 0);
    al_out_cstr(c->out, "agent", r.agent);
    al_out_uint(c->out, "pid", r.pid);
    al_out_row_end(c->out);
    return r.pid != 0 ? AL_EXIT_DONE : AL_EXIT_NO_NODE;
}

static int node_start(struct al_cli *c)
{
    int err = al_client_connect(&c->client, c->socket);
    if (err != 0)
        err = al_start_node(c);
    return err != 0 ? al_cli_fail_call(c, err) : print_running(c);
}

static int node_stop(struct al_cli *c)
{
    bool ran = ask_running(c).pid != 0;
    int status = al_start_stop(c);
    if (status == 0)
        al_cli_note(c, ran ? "The node has stopped." : "No node was running.");
    return status;
}

static int node_restart(struct al_cli *c)
{
    int status = al_start_stop(c);
    return status != 0 ? status : node_start(c);
}

/* The last lines of the log of a node that was started from here. */
static int node_logs(struct al_cli *c)
{
    uint64_t lines = 100;
    int status = al_cli_opt_uint(c, &lines, "lines", 1, 100000);
    if (status != 0)
        return status;
    const char *path = al_start_log(c);
    struct al_buf log = al_heapbuf();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (fd >= 0 && size > LOG_BYTES_MAX)
        (void)lseek(fd, size - LOG_BYTES_MAX, SEEK_SET);
    else if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    if (fd < 0 || al_dirs_read(&log, fd, 2 * LOG_BYTES_MAX) != 0) {
        status = al_fail(c, AL_EXIT_NO_SUCH, al_cli_str(c, "%s can't be read", path),
            "A node that systemd runs writes into the journal.", "journalctl --user -u aloud");
    }
    size_t from = log.n;
    while (from > 0 && (log.p[from - 1] != '\n' || from == log.n || --lines > 0))
        from--;
    for (size_t at = from; at < log.n;) {
        const uint8_t *end = memchr(log.p + at, '\n', log.n - at);
        size_t n = end == NULL ? log.n - at : (size_t)(end - log.p) - at;
        al_say_line(c->out, AL_STYLE_NONE, al_slice_of(log.p + at, n));
        al_say(c->out, AL_STYLE_NONE, "\n");
        al_out_row(c->out);
        al_out_text(c->out, "line", al_slice_of(log.p + at, n));
        al_out_row_end(c->out);
        at += n + 1;
    }
    if (fd >= 0)
        (void)close(fd);
    al_heapbuf_free(&log);
    return status;
}

static int run_node(struct al_cli *c)
{
    static const struct {
        const char *verb;
        int (*run)(struct al_cli *c);
    } verbs[] = {
        {"start", node_start},
        {"stop", node_stop},
        {"restart", node_restart},
        {"status", print_running},
        {"logs", node_logs},
    };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c->args[0], verbs[i].verb) == 0)
            return verbs[i].run(c);
    }
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "node can't '%s'", c->args[0]),
        "It is start, stop, restart, status or logs.", "aloud node --help");
}

static const struct al_cli_opt node_opts[] = {
    {"lines", 'n', "N", "logs: how many; 100 unless you say"},
    {0},
};

const struct al_cmd al_cmd_node = {
    .name = "node",
    .group = AL_GROUP_START,
    .usage = "start | stop | restart | status | logs",
    .summary = "the program that runs behind: start and stop it",
    .about = "Other commands start it by themselves when it does not run. status ends with 69 when "
             "none runs.",
    .opts = node_opts,
    .fields = "running, agent, pid; logs: line",
    .examples = {"aloud node restart", "aloud node logs -n 20"},
    .args_min = 1,
    .args_max = 1,
    .run = run_node,
};
