#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the new process, until exec: nothing here may allocate. */
static void become(const char *const argv[], const struct al_child_opts *opts)
{
    const int wanted[3] = {opts->in, opts->out, opts->err};
    for (int fd = 0; fd < 3; fd++) {
        if (wanted[fd] >= 0 && wanted[fd] != fd && dup2(wanted[fd], fd) < 0)
            return;
    }
    if (opts->keep > 0 && fcntl(opts->keep, F_SETFD, 0) != 0)
        return;
    if (opts->detach && (setsid() < 0 || chdir("/") != 0))
        return;
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    union {
        const char *const *borrowed;
        char *const *argv;
    } exec = {.borrowed = argv}; /* exec's prototype is older than const */
    (void)execvp(argv[0], exec.argv);
}

int al_child_start(const char *const argv[], const struct al_child_opts *opts)
{
    pid_t pid = fork();
    if (pid == 0) {
        become(argv, opts);
        _exit(127);
    }
    return pid;
}

int al_child_wait(int pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
