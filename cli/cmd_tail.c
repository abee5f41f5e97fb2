/* What arrives, as it arrives. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "client.h"
#include "cmds.h"
#include "cursor.h"
#include "feed.h"
#include "row_out.h"

#define FIRST_ROWS 10
#define WAIT_MS 5000 /* between looks at whether somebody still reads */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 2000

struct tail {
    struct al_cli *cli;
    struct al_feed feed;
    const char *cursor_path; /* NULL: none */
    uint64_t pos;            /* everything up to here was printed */
};

static void on_interrupt(int sig)
{
    (void)sig;
    _exit(AL_EXIT_INTERRUPTED);
}

/*
 * Ctrl-C ends the process, but only where interrupts are let through: while waiting, never in
 * the middle of a line or between a line and its cursor.
 */
static void hold_interrupts(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGINT, on_interrupt);
}

static void let_interrupts(bool through)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(through ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static int print_rows(struct tail *t, struct al_slice map, bool newest_first)
{
    struct al_out *o = t->cli->out;
    struct al_row *rows;
    size_t n;
    int err = al_row_out_read(&rows, &n, map, "rows");
    for (size_t i = 0; i < n && err == 0; i++) {
        const struct al_row *r = &rows[newest_first ? n - 1 - i : i];
        t->feed.now_ms = al_cli_now_ms();
        if (al_out_is_pretty(o))
            err = al_feed_rows(&t->feed, r, 1);
        else
            al_row_out(o, r);
    }
    free(rows);
    al_out_flush(o);
    return err;
}

/* Remember that everything up to |pos| was printed. */
static int advance(struct tail *t, uint64_t pos)
{
    t->pos = pos;
    if (t->cursor_path == NULL || al_out_gone(t->cli->out))
        return 0;
    int err = al_cursor_write(t->cursor_path, pos);
    return err == 0 ? 0
                    : al_fail_err(t->cli, err,
                          al_cli_str(t->cli, "'%s' can't be written", t->cursor_path),
                          al_cli_str(t->cli, "%s.", al_err_words(err)), NULL);
}

/* Subscribe from |t->pos|, or from now. Returns 0 or the AL_E_* of the call. */
static int subscribe(struct tail *t, bool from_now)
{
    struct al_params params = {0};
    struct al_slice result;
    if (!from_now)
        al_params_uint(&params, "from", t->pos);
    int err = al_cli_try(t->cli, &result, "subscribe", &params);
    al_params_free(&params);
    if (err == 0 && from_now)
        t->pos = al_get_uint(result, "pos");
    return err;
}

/* The last rows there are, and where to go on after them. */
static int first_rows(struct tail *t, uint64_t limit)
{
    struct al_params params = {0};
    struct al_slice result;
    al_params_uint(&params, "limit", limit);
    int status = al_cli_call(t->cli, &result, "timeline", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    int err = print_rows(t, result, true);
    if (err != 0)
        return al_cli_fail_call(t->cli, err);
    return advance(t, al_get_uint(result, "pos"));
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000 * 1000};
    (void)nanosleep(&pause, NULL);
}

/* Come back to a node that went away; it is not ours to start it again. */
static void reconnect(struct tail *t)
{
    struct al_cli *c = t->cli;
    long wait_ms = RETRY_FIRST_MS;
    al_client_free(c->client);
    c->client = NULL;
    al_cli_note(c, "The node went away; waiting for it.");
    let_interrupts(true);
    for (;;) {
        if (al_client_connect(&c->client, c->socket) == 0) {
            if (subscribe(t, false) == 0)
                break;
            al_client_free(c->client);
            c->client = NULL;
        }
        pause_ms(wait_ms);
        wait_ms = wait_ms * 2 < RETRY_MAX_MS ? wait_ms * 2 : RETRY_MAX_MS;
    }
    let_interrupts(false);
    al_cli_note(c, "It is back.");
}

/* The node gave up on this subscription: ask for the rest, but not as fast as one can. */
static int resume(struct tail *t)
{
    let_interrupts(true);
    pause_ms(RETRY_FIRST_MS);
    let_interrupts(false);
    int err = subscribe(t, false);
    return err == 0 ? 0 : al_cli_fail_call(t->cli, err);
}

/* Print what one notification brings. Returns 0 or the exit status. */
static int take(struct tail *t, const struct al_rpc *rpc)
{
    if (al_slice_is(rpc->method, "lagged"))
        return resume(t);
    if (!al_slice_is(rpc->method, "rows"))
        return 0;
    uint64_t pos = al_get_uint(rpc->params, "pos");
    int err = print_rows(t, rpc->params, false);
    if (err != 0)
        return al_cli_fail_call(t->cli, err);
    return advance(t, pos);
}

static int follow(struct tail *t)
{
    struct al_cli *c = t->cli;
    int status = 0;
    while (status == 0 && !al_out_left(c->out)) {
        struct al_rpc rpc;
        let_interrupts(true);
        int err = al_client_next(c->client, &rpc, WAIT_MS);
        let_interrupts(false);
        if (err == 0)
            status = take(t, &rpc);
        else if (err == AL_E_CLOSED)
            reconnect(t);
        else if (err != AL_E_TIMEOUT)
            status = al_cli_fail_call(c, err);
    }
    return status;
}

/* A cursor of a journal that was replaced would wait for ever. */
static int check_cursor(struct tail *t)
{
    struct al_slice result;
    int status = al_cli_call(t->cli, &result, "status", NULL);
    if (status != 0 || t->pos <= al_get_uint(result, "pos"))
        return status;
    return al_fail_err(t->cli, AL_E_CORRUPT,
        al_cli_str(t->cli, "'%s' belongs to another journal", t->cursor_path),
        "It is further than this one has come.", al_cli_str(t->cli, "rm %s", t->cursor_path));
}

/* Where to begin: at the cursor, after the last rows, or now. */
static int begin(struct tail *t)
{
    struct al_cli *c = t->cli;
    uint64_t limit = FIRST_ROWS;
    int status = al_cli_opt_uint(c, &limit, "limit", 0, 1000);
    if (status != 0)
        return status;
    int err = t->cursor_path == NULL ? AL_E_NOT_FOUND : al_cursor_read(t->cursor_path, &t->pos);
    if (err != 0 && err != AL_E_NOT_FOUND)
        return al_fail_err(c, err, al_cli_str(c, "'%s' can't be read", t->cursor_path),
            err == AL_E_CORRUPT ? "It is not a file that aloud tail wrote." : NULL, NULL);
    bool from_now = err == AL_E_NOT_FOUND && limit == 0;
    if (err == 0)
        status = check_cursor(t);
    else if (limit > 0)
        status = first_rows(t, limit);
    if (status != 0)
        return status;
    err = subscribe(t, from_now);
    if (err != 0)
        return al_cli_fail_call(c, err);
    return from_now ? advance(t, t->pos) : 0;
}

static int run_tail(struct al_cli *c)
{
    struct tail t = {.cli = c,
        .feed = {.out = c->out, .style = AL_FEED_FOLDED},
        .cursor_path = al_cli_opt(c, "cursor")};
    hold_interrupts();
    int status = begin(&t);
    return status == 0 ? follow(&t) : status;
}

const struct al_cmd al_cmd_tail = {
    .name = "tail",
    .group = AL_GROUP_READ,
    .usage = "",
    .summary = "the newest entries, and then each as it arrives, until Ctrl-C",
    .about = "With --cursor it goes on where it stopped the last time, without gap or repetition; "
             "the file is made when it is not there. It outlives a restart of the node.",
    .opts = (const struct al_cli_opt[]){{"limit", 'n', "COUNT",
                                            "entries to begin with: 10 unless there is a cursor"},
        {"cursor", 0, "FILE", "keep in FILE how far it got"}, {0}},
    .fields = AL_ROW_OUT_FIELDS,
    .examples = {"aloud tail", "aloud tail --cursor ~/.aloud-seen --json=name,text"},
    .run = run_tail,
};
