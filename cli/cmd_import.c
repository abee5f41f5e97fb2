/* Taking in what was written elsewhere: the history of git repositories. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "audience.h"
#include "bulk.h"
#include "cli.h"
#include "cmds.h"
#include "gitlog.h"
#include "gitrepo.h"
#include "heapbuf.h"
#include "map.h"
#include "progress.h"
#include "tags.h"
#include "text.h"
#include "when.h"

#define READ_BYTES (64 * 1024)
#define EMAIL_BYTES 64 /* that tell authors apart when they are counted */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* One repository on its way in. */
struct import {
    struct al_cli *cli;
    struct al_gitrepo repo;
    struct al_gitrepo_pick pick;
    const char *to;
    struct al_slice tags[AL_TAGS_MAX];
    size_t tag_count;
    struct al_tags tag_room;
    uint64_t now_ms;

    /* found by the first pass */
    uint64_t commits;
    uint64_t first_ms, last_ms;
    uint64_t authors;

    /* done by the second */
    uint64_t seen;
    struct al_bulk batch;
    struct al_progress progress;
};

/* Give each commit that |pick| names to |take|, which returns 0 or an exit status. */
static int each_commit(struct import *im,
    int (*take)(struct import *im, const struct al_commit *commit, void *data), void *data)
{
    struct al_cli *c = im->cli;
    struct al_gitrepo_log log;
    struct al_gitlog *reader = calloc(1, sizeof(*reader));
    uint8_t *bytes = malloc(READ_BYTES);
    if (reader == NULL || bytes == NULL) {
        free(reader);
        free(bytes);
        return al_cli_fail_call(c, AL_E_NOMEM);
    }
    int status = al_gitrepo_log(c, &log, &im->repo, &im->pick, AL_GITLOG_FORMAT);
    bool started = status == 0;
    bool ended = false;
    int err = 0;
    while (status == 0 && err == 0 && !ended && !interrupted) {
        ssize_t got = read(log.fd, bytes, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        ended = got <= 0;
        struct al_slice rest = al_slice_of(bytes, got > 0 ? (size_t)got : 0);
        while (rest.n > 0 && status == 0 && err == 0 && !interrupted) {
            struct al_commit commit;
            size_t n;
            err = al_gitlog_feed(reader, &commit, &n, rest);
            rest = al_slice_of(rest.p + n, rest.n - n);
            if (err == 0)
                status = take(im, &commit, data);
            else if (err == AL_E_MORE)
                err = 0;
        }
    }
    bool whole = started && ended && al_gitlog_at_end(reader);
    bool content = started && al_gitrepo_close(&log);
    free(reader);
    free(bytes);
    if (status == 0 && !interrupted && !(whole && content))
        status = al_fail(c, AL_EXIT_DATA,
            al_cli_str(c, "git could not read all of '%s'", im->repo.path),
            "What was read before is imported.", al_cli_str(c, "git -C %s fsck", im->repo.path));
    return status;
}

/* ---- the first pass ---- */

static int count_commit(struct import *im, const struct al_commit *commit, void *data)
{
    struct al_map *authors = data;
    char email[EMAIL_BYTES] = "";
    size_t n = commit->email.n < sizeof(email) ? commit->email.n : sizeof(email);
    if (n > 0)
        memcpy(email, commit->email.p, n);
    if (al_map_get(authors, email) == NULL && al_map_put(authors, email, im) != 0)
        return al_cli_fail_call(im->cli, AL_E_NOMEM);
    if (im->commits == 0 || commit->at_ms < im->first_ms)
        im->first_ms = commit->at_ms;
    if (commit->at_ms > im->last_ms)
        im->last_ms = commit->at_ms;
    im->commits++;
    return 0;
}

static int survey(struct import *im)
{
    uint8_t secret[16];
    arc4random_buf(secret, sizeof(secret));
    struct al_map *authors = al_map_new(EMAIL_BYTES, secret);
    if (authors == NULL)
        return al_cli_fail_call(im->cli, AL_E_NOMEM);
    int status = each_commit(im, count_commit, authors);
    im->authors = al_map_count(authors);
    al_map_free(authors);
    return status;
}

/* ---- the second pass ---- */

static int import_commit(struct import *im, const struct al_commit *commit, void *data)
{
    struct al_buf *text = data;
    char src[4 + 64];
    memcpy(src, "git:", 4);
    memcpy(src + 4, commit->hash.p, commit->hash.n);
    text->n = 0;
    al_text_utf8(text, commit->message, AL_TEXT_MAX);
    if (text->n == 0) { /* a commit without a word has at least a name */
        al_buf_put(text, "commit ", 7);
        al_buf_put(text, commit->hash.p, 12);
    }
    struct al_bulk_entry entry = {.text = al_buf_slice(text),
        .src = al_slice_of(src, 4 + commit->hash.n),
        .at_ms = commit->at_ms < im->now_ms ? commit->at_ms : im->now_ms,
        .tags = im->tags,
        .tag_count = im->tag_count};
    im->seen++;
    al_progress_at(&im->progress, im->seen);
    return al_bulk_add(&im->batch, &entry);
}

/* What is to be done when it was interrupted: the answers to what is under way, and a word. */
static int stopped(struct import *im)
{
    int status = al_bulk_stop(&im->batch);
    if (status != 0)
        return status;
    uint64_t done = im->batch.added + im->batch.known;
    return al_fail(im->cli, AL_EXIT_INTERRUPTED,
        al_cli_str(im->cli, "stopped after %llu of %llu commits", (unsigned long long)done,
            (unsigned long long)im->commits),
        "They are all whole. The same command goes on where this stopped.", NULL);
}

static void report(struct import *im)
{
    struct al_out *o = im->cli->out;
    const struct al_bulk *b = &im->batch;
    uint64_t rate = al_progress_rate(&im->progress, im->seen);
    const char *audience = al_audience_words(im->cli, al_slice_str(im->to), 0, 0);
    al_say(o, AL_STYLE_STRONG, "%s", im->repo.name);
    al_say(o, AL_STYLE_NONE, "  %llu added", (unsigned long long)b->added);
    if (b->known > 0)
        al_say(o, AL_STYLE_NONE, ", %llu were here already", (unsigned long long)b->known);
    al_say(o, AL_STYLE_NONE, "  %s", audience);
    al_say(o, AL_STYLE_DIM, "  %llu/s\n", (unsigned long long)rate);
    al_out_row(o);
    al_out_name(o, "repository", al_slice_str(im->repo.name));
    al_out_uint(o, "commits", im->commits);
    al_out_uint(o, "added", b->added);
    al_out_uint(o, "known", b->known);
    al_out_uint(o, "authors", im->authors);
    al_out_time(o, "first", im->first_ms);
    al_out_time(o, "last", im->last_ms);
    al_out_cstr(o, "to", im->to);
    al_out_texts(o, "tags", im->tags, im->tag_count);
    al_out_uint(o, "rate", rate);
    al_out_row_end(o);
}

static int run_batches(struct import *im)
{
    struct al_buf text = al_heapbuf();
    al_progress_init(&im->progress, im->cli, im->commits);
    int status = each_commit(im, import_commit, &text);
    if (status == 0 && !interrupted)
        status = al_bulk_finish(&im->batch);
    al_progress_end(&im->progress);
    if (status == 0 && interrupted)
        status = stopped(im);
    else if (status == 0)
        report(im);
    al_heapbuf_free(&text);
    return status;
}

/* ---- what is asked before ---- */

/* "aloud  143 commits of ada@example.org, 3 Nov 2025 to 22 Nov 2026, #aloud, me" */
static const char *summary(struct import *im)
{
    struct al_cli *c = im->cli;
    char first[16];
    char last[16];
    al_when_day_text(first, im->first_ms);
    al_when_day_text(last, im->last_ms);
    const char *dates = strcmp(first, last) == 0 ? al_cli_str(c, "on %s", first)
                                                 : al_cli_str(c, "from %s to %s", first, last);
    const char *whose = im->pick.email != NULL ? al_cli_str(c, "by %s", im->pick.email)
                        : im->authors == 1
                            ? "by 1 author"
                            : al_cli_str(c, "by %llu authors", (unsigned long long)im->authors);
    const char *tags = "";
    for (size_t i = 0; i < im->tag_count; i++)
        tags = al_cli_str(c, "%s #%s", tags, im->tag_room.tag[i]);
    return al_cli_str(c, "%s: %llu commit%s %s, %s\n  tagged%s, to %s", im->repo.name,
        (unsigned long long)im->commits, im->commits == 1 ? "" : "s", whose, dates, tags,
        al_audience_words(c, al_slice_str(im->to), 0, 0));
}

static int nothing_picked(struct import *im)
{
    struct al_cli *c = im->cli;
    if (im->pick.email != NULL)
        return al_fail(c, AL_EXIT_NOTHING,
            al_cli_str(c, "no commit in '%s' is by %s", im->repo.path, im->pick.email),
            "That is the user.email of this repository.",
            al_cli_str(c, "aloud import git %s --all    (or --author PATTERN)", im->repo.path));
    return al_fail(c, AL_EXIT_NOTHING,
        im->pick.pattern != NULL
            ? al_cli_str(c, "no author in '%s' matches '%s'", im->repo.path, im->pick.pattern)
            : al_cli_str(c, "'%s' has no commits but merges", im->repo.path),
        NULL, NULL);
}

static int read_tags(struct import *im)
{
    struct al_cli *c = im->cli;
    const char *tag;
    for (int i = 0; (tag = al_cli_opt_nth(c, "tag", i)) != NULL; i++) {
        int err = al_tags_add(&im->tag_room, al_slice_str(tag));
        if (err != 0)
            return al_fail_err(c, err, al_cli_str(c, "'%s' can't be a tag", tag), NULL, NULL);
    }
    /* The name of a repository that can't be a tag is no reason to stop. */
    (void)!al_tags_add(&im->tag_room, al_slice_str(im->repo.name));
    im->tag_count = im->tag_room.count;
    for (size_t i = 0; i < im->tag_count; i++)
        im->tags[i] = al_slice_str(im->tag_room.tag[i]);
    return 0;
}

static int read_pick(struct import *im)
{
    struct al_cli *c = im->cli;
    im->pick.pattern = al_cli_opt(c, "author");
    bool all = al_cli_opt(c, "all") != NULL;
    if (all && im->pick.pattern != NULL)
        return al_fail(
            c, AL_EXIT_USAGE, "--all and --author exclude each other", NULL, "aloud import --help");
    if (all || im->pick.pattern != NULL)
        return 0;
    im->pick.email = im->repo.email;
    if (im->pick.email[0] == '\0')
        return al_fail(c, AL_EXIT_CONFIG,
            al_cli_str(c, "git does not know who you are in '%s'", im->repo.path),
            "Your own commits are those of user.email, which is not set.",
            "git config user.email YOU    (or: aloud import git --all)");
    return 0;
}

static int ask_and_run(struct import *im)
{
    struct al_cli *c = im->cli;
    al_cli_note(c, "%s", summary(im));
    if (al_cli_opt(c, "dry-run") != NULL)
        return AL_EXIT_DONE;
    if (c->yes || c->no_input || al_cli_confirm(c, "Import them?"))
        return run_batches(im);
    al_cli_note(c, "Nothing was imported.");
    return interrupted ? AL_EXIT_INTERRUPTED : AL_EXIT_NOTHING;
}

static int import_repo(struct al_cli *c, const char *path, const char *to)
{
    struct import *im = calloc(1, sizeof(*im));
    if (im == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    im->cli = c;
    im->to = to;
    im->now_ms = al_cli_now_ms();
    int status = al_gitrepo_open(c, &im->repo, path);
    if (status == 0)
        status = read_pick(im);
    if (status == 0)
        status = read_tags(im);
    /* Without a node there is no need to read and ask. */
    if (status == 0 && al_cli_opt(c, "dry-run") == NULL)
        status = al_bulk_init(&im->batch, c, to);
    if (status == 0)
        status = survey(im);
    if (status == 0 && interrupted)
        status =
            al_fail(c, AL_EXIT_INTERRUPTED, "stopped before anything was imported", NULL, NULL);
    if (status == 0 && im->commits == 0)
        status = nothing_picked(im);
    if (status == 0)
        status = ask_and_run(im);
    al_bulk_fini(&im->batch);
    free(im);
    return status;
}

static int run_import(struct al_cli *c)
{
    if (strcmp(c->args[0], "git") != 0)
        return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "'%s' can't be imported", c->args[0]),
            "The history of git repositories can.", "aloud import git");
    const char *to = al_cli_opt(c, "to");
    if (to == NULL)
        to = "me";
    if (strcmp(to, "me") != 0 && strcmp(to, "network") != 0 && strcmp(to, "web") != 0)
        return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "nothing can be imported to '%s'", to),
            "It goes to me (only my devices), network (anyone here) or web (public).", NULL);
    struct sigaction action = {.sa_handler = on_interrupt};
    (void)sigaction(SIGINT, &action, NULL);
    if (c->arg_count == 1)
        return import_repo(c, ".", to);
    /* Inside of a git hook these would lead git to another repository than the one named. */
    (void)unsetenv("GIT_DIR");
    (void)unsetenv("GIT_WORK_TREE");
    int status = 0;
    for (int i = 1; i < c->arg_count && status == 0; i++)
        status = import_repo(c, c->args[i], to);
    return status;
}

const struct al_cmd al_cmd_import = {
    .name = "import",
    .group = AL_GROUP_IN_OUT,
    .usage = "git [PATH...]",
    .summary = "take in the history of git repositories",
    .about = "Each commit of yours becomes a note with its date, its message, and the name of the "
             "repository as a tag; merges are left out. What was imported once is known again, so "
             "the same command can be repeated after new commits. They go to nobody but your own "
             "devices unless --to says so.",
    .opts = (const struct al_cli_opt[]){{"all", 0, NULL, "the commits of everybody"},
        {"author", 0, "PATTERN", "the commits of authors that match, as in git log --author"},
        {"to", 0, "AUDIENCE", "me, network or web; me unless given"},
        {"tag", 't', "TAG", "one more tag; may be repeated"},
        {"dry-run", 0, NULL, "say what would be imported, and import nothing"}, {0}},
    .fields = "repository, commits, added, known, authors, first, last, to, tags, rate",
    .examples = {"aloud import git", "aloud import git ~/src/* --dry-run"},
    .args_min = 1,
    .args_max = -1,
    .run = run_import,
};
