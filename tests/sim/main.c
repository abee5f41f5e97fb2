/* aloud-sim: run worlds from seeds, each twice if asked, and print what happened. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static const struct option options[] = {
    {"seed", required_argument, NULL, 's'},
    {"seeds", required_argument, NULL, 'S'},
    {"nodes", required_argument, NULL, 'n'},
    {"follows", required_argument, NULL, 'f'},
    {"posts", required_argument, NULL, 'p'},
    {"minutes", required_argument, NULL, 'm'},
    {"twice", no_argument, NULL, 't'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: aloud-sim [--seed N] [--seeds COUNT] [--nodes N] [--follows N] [--posts N]\n"
    "                 [--minutes N] [--twice] [--verbose]\n"
    "Runs worlds of real nodes; each kind of fault is off in half of the seeds.\n";

static int run_once(const struct world_opts *opts, struct world_report *ret)
{
    struct world *w = world_new(opts);
    if (w == NULL)
        return 1;
    const char *broken = world_run(w, ret);
    if (broken != NULL) {
        printf("seed %" PRIu64 ": %s\n", opts->seed, broken);
        printf("again: aloud-sim --seed=%" PRIu64 " --nodes=%u --follows=%u --posts=%u "
               "--minutes=%" PRIu64 " --verbose\n",
            opts->seed, opts->nodes, opts->follows, opts->posts, opts->minutes);
    }
    world_free(w);
    return broken != NULL;
}

static int run_seed(struct world_opts *opts, bool twice)
{
    struct world_report report;
    struct world_report again;
    opts->cuts = (opts->seed & 1) != 0;
    opts->crashes = (opts->seed & 2) != 0;
    opts->bad_commits = (opts->seed & 4) != 0;
    opts->liar = (opts->seed & 8) != 0;
    opts->full = (opts->seed & 16) != 0;
    opts->clocks = (opts->seed & 32) != 0;
    opts->thief = opts->nodes > 2 && (opts->seed & 128) != 0;
    opts->rollbacks = !opts->thief && opts->crashes && (opts->seed & 64) != 0;
    if (run_once(opts, &report) != 0)
        return 1;
    printf("seed %" PRIu64 ": %" PRIu64 " events, %" PRIu64 " posts, %" PRIu64 " messages, %" PRIu64
           " bytes, %" PRIu64 " cuts, %" PRIu64 " crashes, %" PRIu64 " rollbacks, %" PRIu64
           " bad commits, %" PRIu64 " lies, healed in %" PRIu64 " s\n",
        opts->seed, report.events, report.posts, report.messages, report.bytes, report.cuts,
        report.crashes, report.rollbacks, report.bad_commits, report.lies, report.healed_ms / 1000);
    if (!twice)
        return 0;
    if (run_once(opts, &again) != 0)
        return 1;
    if (memcmp(report.digest, again.digest, sizeof(report.digest)) != 0) {
        printf("seed %" PRIu64 ": two runs of it differ\n", opts->seed);
        return 1;
    }
    return 0;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    struct world_opts opts = {.seed = 1, .nodes = 8, .follows = 2, .posts = 100, .minutes = 10};
    uint64_t seeds = 1;
    bool twice = false;
    int failed = 0;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 's':
            opts.seed = number(optarg);
            break;
        case 'S':
            seeds = number(optarg);
            break;
        case 'n':
            opts.nodes = (uint32_t)number(optarg);
            break;
        case 'f':
            opts.follows = (uint32_t)number(optarg);
            break;
        case 'p':
            opts.posts = (uint32_t)number(optarg);
            break;
        case 'm':
            opts.minutes = number(optarg);
            break;
        case 't':
            twice = true;
            break;
        case 'v':
            opts.verbose = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (opts.nodes < 2 || opts.minutes == 0 || seeds == 0) {
        fputs(usage, stderr);
        return 2;
    }
    for (uint64_t i = 0; i < seeds; i++) {
        failed += run_seed(&opts, twice);
        opts.seed++;
    }
    return failed == 0 ? 0 : 1;
}
