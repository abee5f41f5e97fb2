#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "client.h"
#include "dirs.h"

#define READY_MS 60000 /* migrating a large log may take a while */
#define SAID_BYTES 512
#define HELD "a node is running already"    /* what aloudd says then */
#define CONFIG "the configuration is wrong" /* and this, when it is */
#define HALF "a restore was begun here"
#define GONE "there are keys, but no log"
#define HELD_TRIES 50
#define HELD_PAUSE_MS 100
#define STOP_MS 20000
#define ALOUDD_ARGS 32
#define STOP_STEP_MS 20

const char *al_start_program(struct al_cli *c)
{
    char self[AL_PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    while (n > 0 && self[n - 1] != '/')
        n--;
    const char *beside = al_cli_str(c, "%.*saloudd", (int)(n > 0 ? n : 0), self);
    return n > 0 && access(beside, X_OK) == 0 ? beside : "aloudd";
}

const char *al_start_log(struct al_cli *c)
{
    return al_cli_str(c, "%s/aloudd.log", c->paths.state);
}

static int fail(struct al_cli *c, int status, const char *what, const char *why, const char *hint)
{
    c->no_node = (struct al_trouble){status, NULL, what, why, hint};
    return AL_E_NO_NODE;
}

/* Start aloudd with |ready| inherited; its process id, or -1 with errno. */
static int spawn(struct al_cli *c, int ready)
{
    const char *argv[8] = {al_start_program(c), "--ready-fd", al_cli_str(c, "%d", ready)};
    if (c->home != NULL) {
        argv[3] = "--home";
        argv[4] = c->paths.data; /* absolute: it runs at the root directory */
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(al_start_log(c), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    struct al_child_opts opts = {
        .in = null, .out = null, .err = log >= 0 ? log : null, .keep = ready, .detach = true};
    int pid = null < 0 ? -1 : al_child_start(argv, &opts);
    int errnum = errno;
    if (null >= 0)
        (void)close(null);
    if (log >= 0)
        (void)close(log);
    errno = errnum;
    return pid;
}

/* What the node says on the pipe before it closes it: "ready", or what is wrong. */
static void hear(int fd, char said[SAID_BYTES])
{
    size_t n = 0;
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    while (n < SAID_BYTES - 1 && poll(&pfd, 1, READY_MS) > 0) {
        ssize_t got = read(fd, said + n, SAID_BYTES - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        if (memchr(said, '\n', n) != NULL)
            break;
    }
    said[n] = '\0';
    said[strcspn(said, "\n")] = '\0';
}

/*
 * Start a node and wait until it answers. Returns 0, AL_E_NO_NODE, or AL_E_BUSY when another one
 * holds the directory.
 */
static int start_and_wait(struct al_cli *c)
{
    static const char what[] = "no node could be started";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(c, AL_EXIT_NO_NODE, what, strerrordesc_np(errno), NULL);
    int pid = spawn(c, ends[1]);
    int errnum = errno;
    char said[SAID_BYTES] = "";
    (void)close(ends[1]);
    if (pid > 0)
        hear(ends[0], said);
    (void)close(ends[0]);
    if (pid < 0)
        return fail(c, AL_EXIT_NO_NODE, what, strerrordesc_np(errnum), NULL);
    if (strcmp(said, "ready") == 0)
        return 0;
    if (strncmp(said, HELD, strlen(HELD)) == 0) {
        (void)fail(c, AL_EXIT_NO_NODE, what, al_cli_str(c, "%s.", said), "aloud node logs");
        return AL_E_BUSY;
    }
    int status = al_child_wait(pid);
    if (status == AL_EXIT_CONFIG && strncmp(said, CONFIG, strlen(CONFIG)) == 0)
        return fail(c, status, what, al_cli_str(c, "%s.", said),
            al_cli_str(c, "edit %s; man aloud names its keys", c->paths.config_file));
    if (strncmp(said, HALF, strlen(HALF)) == 0 || strncmp(said, GONE, strlen(GONE)) == 0)
        return fail(c, AL_EXIT_CONFIG, what, al_cli_str(c, "%s.", said), "aloud restore");
    if (said[0] != '\0')
        return fail(c, AL_EXIT_NO_NODE, what, al_cli_str(c, "%s.", said), "aloud node logs");
    if (status == 127)
        return fail(c, AL_EXIT_NO_NODE, what,
            "aloudd is not installed: it belongs beside this program, or into PATH.", NULL);
    return fail(c, status == AL_EXIT_CONFIG ? AL_EXIT_CONFIG : AL_EXIT_NO_NODE, what,
        al_cli_str(c, "It ended with status %d; %s says more.", status, al_start_log(c)),
        "aloud node logs");
}

/* Returns as al_client_connect() does. */
static int start_and_connect(struct al_cli *c)
{
    int err = AL_E_BUSY;
    /* A node that was killed holds its directory a moment longer than its socket. */
    for (int i = 0; err == AL_E_BUSY && i < HELD_TRIES; i++) {
        if (i > 0)
            (void)poll(NULL, 0, HELD_PAUSE_MS);
        err = start_and_wait(c);
        if (err == 0)
            return al_client_connect(&c->client, c->socket);
        if (al_client_connect(&c->client, c->socket) == 0)
            return 0; /* somebody else has started one meanwhile */
    }
    return AL_E_NO_NODE;
}

int al_start_node(struct al_cli *c)
{
    if (c->socket != c->paths.socket)
        return fail(
            c, AL_EXIT_NO_NODE, al_cli_str(c, "no node listens on %s", c->socket), NULL, NULL);
    if (access(c->paths.keys, F_OK) != 0)
        return fail(c, AL_EXIT_CONFIG, "no identity on this machine yet", NULL,
            "aloud init   (or: aloud restore)");
    if (al_dirs_make(c->paths.state) != 0)
        return fail(c, AL_EXIT_DISK, al_cli_str(c, "%s can't be made", c->paths.state),
            al_cli_str(c, "The system says: %s.", strerrordesc_np(errno)), "aloud paths");
    /* Whoever comes second waits here, and then finds the node of the first. */
    int lock =
        open(al_cli_str(c, "%s/start.lock", c->paths.state), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock >= 0)
        (void)flock(lock, LOCK_EX);
    int err = al_client_connect(&c->client, c->socket);
    if (err == AL_E_NO_NODE)
        err = start_and_connect(c);
    if (lock >= 0)
        (void)close(lock);
    if (err != 0 && err != AL_E_NO_NODE)
        return fail(c, AL_EXIT_NO_NODE, "the node was started, but can't be reached",
            al_cli_str(c, "%s: %s.", c->socket, al_err_words(err)), "aloud node logs");
    return err;
}

int al_start_aloudd(struct al_cli *c, const char *command, const char *const *options, size_t count)
{
    const char *argv[ALOUDD_ARGS] = {al_start_program(c), command};
    size_t n = 2;
    for (size_t i = 0; i < count; i++) {
        const char *value = al_cli_opt(c, options[i]);
        AL_ASSERT(n + 4 < ALOUDD_ARGS);
        if (value == NULL)
            continue;
        argv[n++] = al_cli_str(c, "--%s", options[i]);
        argv[n++] = value;
    }
    if (c->yes && strcmp(command, "restore") == 0)
        argv[n++] = "--yes";
    if (c->home != NULL) {
        argv[n++] = "--home";
        argv[n++] = c->paths.data;
    }
    struct al_child_opts opts = {.in = -1, .out = STDERR_FILENO, .err = -1};
    int pid = al_child_start(argv, &opts);
    int status = pid < 0 ? -1 : al_child_wait(pid);
    if (status < 0)
        return al_fail_errno(c, errno, "aloudd could not be started", NULL);
    if (status == 127)
        return al_fail(c, AL_EXIT_NO_NODE, "aloudd is not installed",
            "It belongs beside this program, or into PATH.", NULL);
    return status;
}

/* Wait until it has let go of its data: then others may touch it. False: it has not. */
static bool wait_gone(struct al_cli *c)
{
    const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
    int lock = open(al_cli_str(c, "%s/lock", c->paths.data), O_RDONLY | O_CLOEXEC);
    bool gone = lock < 0;
    for (int waited = 0; waited < STOP_MS && !gone; waited += STOP_STEP_MS) {
        gone = flock(lock, LOCK_SH | LOCK_NB) == 0;
        if (!gone)
            (void)nanosleep(&step, NULL);
    }
    if (lock >= 0)
        (void)close(lock);
    return gone;
}

int al_start_stop(struct al_cli *c)
{
    struct al_client *k;
    struct al_slice result;
    if (al_client_connect(&k, c->socket) != 0)
        return 0;
    int err = al_client_call(k, &result, "stop", al_params_done(NULL));
    al_client_free(k);
    if (err != 0 && err != AL_E_CLOSED)
        return al_fail_err(
            c, err, "the node would not stop", al_cli_str(c, "%s.", al_err_words(err)), NULL);
    if (wait_gone(c))
        return 0;
    return al_fail_err(c, AL_E_TIMEOUT, "the node is still stopping", NULL, "aloud node status");
}
