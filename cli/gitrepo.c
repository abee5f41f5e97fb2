#include "gitrepo.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"

#define LINE_BYTES 4096
#define ARGS_MAX 24
#define STATUS_NO_PROGRAM 127

/* Start git in |repo_path| with |words|, which end with NULL, its output in a pipe. */
static int start(struct al_gitrepo_log *ret, const char *repo_path, const char *const *words)
{
    const char *argv[ARGS_MAX] = {"git", "-C", repo_path};
    size_t n = 3;
    for (; *words != NULL && n < ARGS_MAX - 1; words++)
        argv[n++] = *words;
    int ends[2];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)close(null);
        return -1;
    }
    struct al_child_opts opts = {.in = null, .out = ends[1], .err = null};
    ret->pid = al_child_start(argv, &opts);
    ret->fd = ends[0];
    (void)close(ends[1]);
    (void)close(null);
    if (ret->pid < 0)
        (void)close(ends[0]);
    return ret->pid < 0 ? -1 : 0;
}

/* What git prints as its only line, without the newline. Returns its exit status, or -1. */
static int ask(struct al_cli *c, const char **ret, const char *path, const char *const *words)
{
    char line[LINE_BYTES];
    size_t n = 0;
    struct al_gitrepo_log git;
    *ret = "";
    if (start(&git, path, words) != 0)
        return -1;
    while (n < sizeof(line)) {
        ssize_t got = read(git.fd, line + n, sizeof(line) - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    (void)close(git.fd);
    int status = al_child_wait(git.pid);
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        n--;
    if (status == 0)
        *ret = al_cli_dup(c, al_slice_of(line, n));
    return status;
}

/* The last part of a path or address, without the ".git" of a bare repository. */
static const char *name_of(struct al_cli *c, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && path[from - 1] != '/' && path[from - 1] != ':')
        from--;
    if (n - from > 4 && memcmp(path + n - 4, ".git", 4) == 0)
        n -= 4;
    return al_cli_dup(c, al_slice_of(path + from, n - from));
}

int al_gitrepo_open(struct al_cli *c, struct al_gitrepo *ret, const char *path)
{
    static const char *const top_words[] = {"rev-parse", "--show-toplevel", NULL};
    static const char *const dir_words[] = {"rev-parse", "--absolute-git-dir", NULL};
    static const char *const head_words[] = {"rev-parse", "-q", "--verify", "HEAD^{commit}", NULL};
    static const char *const email_words[] = {"config", "user.email", NULL};
    static const char *const origin_words[] = {"config", "remote.origin.url", NULL};
    const char *top;
    const char *head;
    const char *origin;
    struct al_gitrepo repo = {.path = path};
    int status = ask(c, &top, path, top_words);
    if (status != 0)
        status = ask(c, &top, path, dir_words); /* a bare one has no top */
    if (status == STATUS_NO_PROGRAM || status < 0)
        return al_fail(c, AL_EXIT_NO_SUCH, "the program git can't be run",
            "It reads the history that is to be imported.", "apt install git");
    if (status != 0)
        return al_fail(c, AL_EXIT_NO_SUCH, al_cli_str(c, "'%s' is no git repository", path), NULL,
            al_cli_str(c, "git -C %s status", path));
    if (ask(c, &head, path, head_words) != 0)
        return al_fail(
            c, AL_EXIT_NOTHING, al_cli_str(c, "'%s' has no commits yet", path), NULL, NULL);
    /* Everybody who works on it calls it by its origin, wherever they keep it. */
    bool has_origin = ask(c, &origin, path, origin_words) == 0 && origin[0] != '\0';
    repo.name = name_of(c, has_origin ? origin : top);
    if (ask(c, &repo.email, path, email_words) != 0)
        repo.email = "";
    *ret = repo;
    return 0;
}

int al_gitrepo_log(struct al_cli *c, struct al_gitrepo_log *ret, const struct al_gitrepo *repo,
    const struct al_gitrepo_pick *pick, const char *format)
{
    /* What a user's configuration could add to the output is switched off. */
    const char *words[ARGS_MAX] = {"log", "-z", "--reverse", "--no-merges", "--no-show-signature",
        "--no-color", "--encoding=UTF-8", al_cli_str(c, "--format=%s", format)};
    size_t n = 8;
    if (pick->email != NULL) {
        words[n++] = "--fixed-strings";
        words[n++] = "--regexp-ignore-case";
        words[n++] = al_cli_str(c, "--author=<%s>", pick->email);
    } else if (pick->pattern != NULL) {
        words[n++] = al_cli_str(c, "--author=%s", pick->pattern);
    }
    words[n++] = "HEAD";
    words[n] = "--";
    if (start(ret, repo->path, words) != 0)
        return al_fail_errno(c, errno, "git can't be started", NULL);
    return 0;
}

bool al_gitrepo_close(struct al_gitrepo_log *log)
{
    (void)close(log->fd);
    return al_child_wait(log->pid) == 0;
}
