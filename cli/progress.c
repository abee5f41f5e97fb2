#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_COLUMNS 24
#define DRAW_MS 100

static uint64_t mono_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void al_progress_init(struct al_progress *p, const struct al_cli *c, uint64_t total)
{
    const char *term = getenv("TERM"); /* a dumb one can't draw a line anew */
    bool clever = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
    *p = (struct al_progress){.shown = !c->quiet && clever, .total = total, .begun_ms = mono_ms()};
}

uint64_t al_progress_rate(const struct al_progress *p, uint64_t done)
{
    uint64_t ms = mono_ms() - p->begun_ms;
    return done * 1000 / (ms > 0 ? ms : 1);
}

void al_progress_bytes(struct al_progress *p)
{
    p->bytes = true;
}

static void print_amounts(const struct al_progress *p, uint64_t part, uint64_t rate)
{
    if (!p->bytes) {
        (void)fprintf(stderr, "%llu of %llu  %llu/s", (unsigned long long)part,
            (unsigned long long)p->total, (unsigned long long)rate);
        return;
    }
    bool large = p->total >= 10000000;
    uint64_t unit = large ? 1000000 : 1000;
    (void)fprintf(stderr, "%llu of %llu %s  %llu KB/s", (unsigned long long)(part / unit),
        (unsigned long long)((p->total + unit - 1) / unit), large ? "MB" : "KB",
        (unsigned long long)(rate / 1000));
}

void al_progress_at(struct al_progress *p, uint64_t done)
{
    uint64_t now_ms = mono_ms();
    if (!p->shown || p->total == 0 || now_ms - p->drawn_ms < DRAW_MS)
        return;
    p->drawn_ms = now_ms;
    p->drawn = true;
    uint64_t part = done < p->total ? done : p->total;
    size_t full = (size_t)(part * BAR_COLUMNS / p->total);
    char bar[BAR_COLUMNS * 3 + 1] = "";
    for (size_t i = 0; i < BAR_COLUMNS; i++)
        memcpy(bar + 3 * i, i < full ? "━" : "╌", 4);
    (void)fprintf(
        stderr, "\r\033[K%s %3llu %%  ", bar, (unsigned long long)(part * 100 / p->total));
    print_amounts(p, part, al_progress_rate(p, done));
}

void al_progress_end(struct al_progress *p)
{
    if (p->drawn)
        (void)fputs("\r\033[K", stderr);
    p->drawn = false;
}
