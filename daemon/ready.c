#include "ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

void al_ready_init(struct al_ready *r)
{
    for (int i = 0; i < AL_READY_FDS; i++)
        r->fds[i] = -1;
}

void al_ready_add(struct al_ready *r, int fd)
{
    int i = 0;
    while (r->fds[i] >= 0) {
        i++;
        AL_ASSERT(i < AL_READY_FDS);
    }
    r->fds[i] = fd;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void al_ready_say(struct al_ready *r, const char *line)
{
    char text[512];
    int n = snprintf(text, sizeof(text) - 1, "%s", line);
    size_t size = n < 0 ? 0 : strlen(text);
    text[size++] = '\n';
    for (int i = 0; i < AL_READY_FDS; i++) {
        if (r->fds[i] < 0)
            continue;
        while (write(r->fds[i], text, size) < 0 && errno == EINTR)
            ;
        (void)close(r->fds[i]);
        r->fds[i] = -1;
    }
}

void al_ready_forget(struct al_ready *r)
{
    for (int i = 0; i < AL_READY_FDS; i++) {
        if (r->fds[i] >= 0)
            (void)close(r->fds[i]);
        r->fds[i] = -1;
    }
}

void al_ready_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
    (void)close(fd);
}

int al_ready_inherited_socket(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid() ||
        strtol(count, NULL, 10) < 1)
        return -1;
    (void)fcntl(FIRST_INHERITED, F_SETFD, FD_CLOEXEC);
    return FIRST_INHERITED;
}
