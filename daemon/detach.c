#include "detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The new process speaks of its troubles on stderr, which both share; here only the end counts. */
static _Noreturn void wait_for(pid_t child, int fd)
{
    char line[512];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof(line) && (got = read(fd, line + n, sizeof(line) - n)) != 0) {
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            break;
    }
    if (n == strlen("ready\n") && memcmp(line, "ready\n", n) == 0)
        _exit(0);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int al_detach(struct al_ready *ready)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    if (child > 0) {
        (void)close(ends[1]);
        al_ready_forget(ready);
        wait_for(child, ends[0]);
    }
    (void)close(ends[0]);
    al_ready_add(ready, ends[1]);
    return setsid() < 0 || chdir("/") != 0 ? -1 : 0;
}

void al_detach_stdio(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        (void)dup2(null, fd);
    if (null > STDERR_FILENO)
        (void)close(null);
}
