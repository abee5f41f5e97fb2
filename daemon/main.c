/* aloudd: read the line, boot, run the loop, and leave with a status that means something. */
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "detach.h"
#include "hash.h"
#include "init_cmd.h"
#include "loop.h"
#include "private.h"
#include "ready.h"
#include "restore_cmd.h"

#define AGENT "aloudd/" ALOUD_VERSION

static const char usage[] =
    "usage: aloudd [options]            run the node\n"
    "       aloudd init [options]       make an identity; see aloudd init --help\n"
    "       aloudd restore [options]    bring one back; see aloudd restore --help\n"
    "\n"
    "  --foreground     stay in this terminal and log to it\n"
    "  --home DIR       keep everything under DIR\n"
    "  --config FILE    read FILE instead of the configuration file\n"
    "  --socket PATH    serve the local API there\n"
    "  --listen ADDR    the port for other nodes: :PORT, IPV4:PORT or [IPV6]:PORT\n"
    "  --ready-fd N     write the line 'ready', or what is wrong, to descriptor N\n"
    "  --version\n"
    "  --help\n";

struct options {
    const char *home;
    const char *config;
    const char *socket;
    const char *listen;
    int ready_fd;
    bool foreground;
};

struct process {
    struct options options;
    struct al_paths paths;
    struct al_conf conf;
    struct al_ready ready;
    struct al_logger *logger;
    struct al_boot boot;
    struct al_complaint complaint;
};

/* Returns -1 to go on, or the exit status. */
static int read_line(struct options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"foreground", no_argument, NULL, 'f'},
        {"home", required_argument, NULL, 'H'},
        {"config", required_argument, NULL, 'c'},
        {"socket", required_argument, NULL, 's'},
        {"listen", required_argument, NULL, 'l'},
        {"ready-fd", required_argument, NULL, 'r'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f':
            o->foreground = true;
            break;
        case 'H':
            o->home = optarg;
            break;
        case 'c':
            o->config = optarg;
            break;
        case 's':
            o->socket = optarg;
            break;
        case 'l':
            o->listen = optarg;
            break;
        case 'r':
            o->ready_fd = atoi(optarg);
            break;
        case 'v':
            return printf("aloudd " ALOUD_VERSION "\n") > 0 ? 0 : AL_STATUS_DISK;
        case 'h':
            return fputs(usage, stdout) >= 0 ? 0 : AL_STATUS_DISK;
        default:
            (void)fputs("  try: aloudd --help\n", stderr);
            return AL_STATUS_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    (void)fprintf(stderr, "aloudd: it takes no arguments.\n  try: aloudd --help\n");
    return AL_STATUS_USAGE;
}

static int fail(struct process *p, int err, const char *what, const char *hint)
{
    p->complaint.err = err;
    p->complaint.what = what;
    p->complaint.hint = hint;
    return err;
}

/* What is said later runs in another directory. */
static int make_absolute(struct process *p, char *out, size_t cap, const char *path)
{
    char cwd[PATH_MAX] = "";
    if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
        return fail(p, AL_E_PATH, "the working directory is gone", NULL);
    int n = snprintf(out, cap, "%s%s%s", cwd, path[0] == '/' ? "" : "/", path);
    if (n < 0 || (size_t)n >= cap)
        return fail(p, AL_E_PATH, "a path is too long", NULL);
    return 0;
}

static int configure(struct process *p)
{
    const struct options *o = &p->options;
    int err = al_paths_init(&p->paths, o->home);
    if (err != 0)
        return al_complain_of_paths(&p->complaint, err, "aloudd --home DIR");
    if (o->socket != NULL)
        err = make_absolute(p, p->paths.socket, sizeof(p->paths.socket), o->socket);
    if (err == 0 && o->config != NULL)
        err = make_absolute(p, p->paths.config_file, sizeof(p->paths.config_file), o->config);
    if (err != 0)
        return err;
    al_conf_init(&p->conf);
    p->complaint.why = p->complaint.text;
    err = al_conf_read(&p->conf, p->complaint.text, p->paths.config_file);
    if (err == 0 && o->listen != NULL)
        err = al_conf_set(&p->conf, p->complaint.text, "listen", o->listen);
    if (err != 0)
        return fail(p, AL_E_CONFIG, "the configuration is wrong", NULL);
    p->complaint.why = NULL;
    return 0;
}

static int open_log(struct process *p)
{
    if (p->options.foreground)
        return al_logger_new(&p->logger, NULL, p->conf.log_level);
    char path[AL_PATH_BYTES + 16];
    (void)snprintf(path, sizeof(path), "%s/aloudd.log", p->paths.state);
    int err = al_private_make_dir(p->paths.state);
    return err == 0 ? al_logger_new(&p->logger, path, p->conf.log_level) : err;
}

/* Whoever could write there could put another socket in place of ours. */
static int make_socket_dir(const struct process *p)
{
    char dir[AL_SOCKET_BYTES];
    (void)strcpy(dir, p->paths.socket);
    *strrchr(dir, '/') = '\0'; /* the path is absolute */
    return al_private_make_dir(dir);
}

static int prepare(struct process *p)
{
    int err = al_crypto_self_test();
    if (err != 0)
        return fail(p, err, "libsodium fails its self-test", NULL);
    err = configure(p);
    if (err != 0)
        return err;
    if (!p->options.foreground && al_detach(&p->ready) != 0)
        return fail(p, AL_E_NOMEM, "no new process could be made", "aloudd --foreground");
    err = open_log(p);
    if (err != 0)
        return fail(p, err, "the log file cannot be written", "aloud paths");
    err = make_socket_dir(p);
    if (err != 0)
        return fail(p, err, "the directory of the socket is not safe", "aloud paths");
    p->boot.paths = &p->paths;
    p->boot.conf = &p->conf;
    p->boot.agent = AGENT;
    return al_boot(&p->boot, &p->complaint);
}

static void on_ready(void *arg)
{
    struct process *p = arg;
    al_ready_say(&p->ready, "ready");
    if (!p->options.foreground)
        al_detach_stdio();
}

static int run(struct process *p)
{
    if (p->boot.is_copy)
        al_logger_line(p->logger, LOG_WARNING,
            "this is a copy of another machine: nothing leaves it before aloud restore");
    else if (p->boot.new_log != NULL)
        al_logger_line(p->logger, LOG_WARNING, "%s: entries go into a new log", p->boot.new_log);
    const struct al_loop_opts opts = {
        .conf = &p->conf,
        .paths = &p->paths,
        .keyring = &p->boot.keyring,
        .network = p->boot.network,
        .node = p->boot.node,
        .logger = p->logger,
        .on_ready = on_ready,
        .arg = p,
        .agent = AGENT,
        .inherited_socket = al_ready_inherited_socket(),
    };
    int err = al_loop_run(&opts);
    return err == 0 ? 0 : fail(p, err, "the node had to stop", "aloud node logs");
}

/* Before any thread, any secret and any file. */
static void harden(void)
{
    const struct rlimit none = {0, 0};
    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setenv("UV_THREADPOOL_SIZE", "4", 0);
    (void)mallopt(M_ARENA_MAX, 2); /* each thread with a heap of its own would idle at megabytes */
}

int main(int argc, char **argv)
{
    harden();
    if (argc > 1 && strcmp(argv[1], "init") == 0)
        return al_init_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "restore") == 0)
        return al_restore_command(argc - 1, argv + 1);
    static struct process process = {.options = {.ready_fd = -1}, .boot = {.lock = -1}};
    struct process *p = &process;
    int status = read_line(&p->options, argc, argv);
    if (status >= 0)
        return status;
    al_ready_init(&p->ready);
    if (p->options.ready_fd > STDERR_FILENO)
        al_ready_add(&p->ready, p->options.ready_fd);
    int err = prepare(p);
    if (err == 0)
        err = run(p);
    if (err != 0) {
        char line[512];
        status = al_complain(&p->complaint);
        al_complaint_line(line, sizeof(line), &p->complaint);
        al_logger_line(p->logger, LOG_ERR, "%s", line);
        al_ready_say(&p->ready, line);
    }
    al_boot_fini(&p->boot);
    al_logger_free(p->logger);
    return err == 0 ? 0 : status;
}
