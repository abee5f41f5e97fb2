#include "netwatch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "check.h"
#include "input.h"

#define SOURCES 2

struct source {
    struct al_netwatch *watch;
    uv_poll_t poll;
    int fd; /* -1: not to be had here, which is no reason not to run */
};

struct al_netwatch {
    struct al_queue *in;
    struct source sources[SOURCES];
    uv_timer_t calm;
    unsigned handles;
};

/* The kernel tells of addresses and links here. */
static int open_netlink(void)
{
    struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* A timer for the end of time that is cancelled when the clock is set, as it is after a sleep. */
static int open_clock(void)
{
    const struct itimerspec never = {.it_value = {.tv_sec = 9000000000}}; /* in the year 2255 */
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0 && timerfd_settime(fd, flags, &never, NULL) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void on_calm(uv_timer_t *timer)
{
    struct al_netwatch *w = timer->data;
    al_input_network_changed(w->in);
}

/* What it says is of no interest, only that it speaks; a cancelled timer reads as an error. */
static void on_event(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct source *s = poll->data;
    uint8_t bytes[8192];
    ssize_t n;
    do
        n = read(s->fd, bytes, sizeof(bytes));
    while (n > 0);
    if (status != 0)
        (void)uv_poll_stop(poll);
    else if (!uv_is_active((uv_handle_t *)&s->watch->calm))
        (void)uv_timer_start(&s->watch->calm, on_calm, AL_NETWATCH_CALM_MS, 0);
}

static void watch(struct al_netwatch *w, uv_loop_t *loop, struct source *s, int fd)
{
    s->watch = w;
    s->fd = fd;
    if (fd < 0)
        return;
    AL_ASSERT(uv_poll_init(loop, &s->poll, fd) == 0);
    s->poll.data = s;
    w->handles++;
    AL_ASSERT(uv_poll_start(&s->poll, UV_READABLE, on_event) == 0);
}

struct al_netwatch *al_netwatch_new(uv_loop_t *loop, struct al_queue *in)
{
    struct al_netwatch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    w->in = in;
    AL_ASSERT(uv_timer_init(loop, &w->calm) == 0);
    w->calm.data = w;
    w->handles = 1;
    watch(w, loop, &w->sources[0], open_netlink());
    watch(w, loop, &w->sources[1], open_clock());
    return w;
}

static void unref(struct al_netwatch *w)
{
    if (--w->handles == 0)
        free(w);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    (void)close(s->fd);
    unref(s->watch);
}

static void on_timer_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

void al_netwatch_stop(struct al_netwatch *w)
{
    if (w == NULL)
        return;
    for (int i = 0; i < SOURCES; i++) {
        if (w->sources[i].fd >= 0)
            uv_close((uv_handle_t *)&w->sources[i].poll, on_poll_closed);
    }
    uv_close((uv_handle_t *)&w->calm, on_timer_closed);
}
