#include "editor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "dirs.h"
#include "draft.h"
#include "heapbuf.h"

#define TEXT_BYTES_MAX (1024 * 1024)

static const char cut[] = "-- aloud: what stands below this line is not posted --";

struct al_slice al_editor_trim(struct al_slice s)
{
    static const char white[] = " \t\r\n";
    while (s.n > 0 && memchr(white, s.p[s.n - 1], sizeof(white) - 1) != NULL)
        s.n--;
    /* Lines that are empty go at the start, but not the indentation of the first. */
    for (size_t i = 0; i < s.n && memchr(white, s.p[i], sizeof(white) - 1) != NULL; i++) {
        if (s.p[i] == '\n') {
            s = al_slice_of(s.p + i + 1, s.n - i - 1);
            i = (size_t)-1;
        }
    }
    return s;
}

static struct al_slice before_cut(struct al_slice s)
{
    const uint8_t *at = s.n == 0 ? NULL : memmem(s.p, s.n, cut, sizeof(cut) - 1);
    return at == NULL ? s : al_slice_of(s.p, (size_t)(at - s.p));
}

/* Run the editor on |path|: its exit status, or -1. */
static int run_editor(struct al_cli *c, const char *path)
{
    const char *editor = getenv("VISUAL");
    if (editor == NULL || editor[0] == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0')
        editor = "vi";
    /* As git does it: the variable may hold options, the path may hold spaces. */
    const char *command = al_cli_str(c, "%s \"$@\"", editor);
    const char *const argv[] = {"/bin/sh", "-c", command, editor, path, NULL};
    struct al_child_opts opts = {.in = -1, .out = -1, .err = -1};
    void (*old)(int) = signal(SIGINT, SIG_IGN); /* Ctrl-C is the editor's */
    int pid = al_child_start(argv, &opts);
    int status = pid < 0 ? -1 : al_child_wait(pid);
    (void)signal(SIGINT, old);
    return status;
}

static int fill(int fd, struct al_slice initial, const char *remark)
{
    struct al_buf all = al_heapbuf();
    al_buf_put(&all, initial.p, initial.n);
    al_buf_put(&all, "\n\n", 2);
    al_buf_put(&all, cut, sizeof(cut) - 1);
    al_buf_put(&all, "\n", 1);
    al_buf_put(&all, remark, strlen(remark));
    int failed = al_dirs_write(fd, al_buf_slice(&all));
    al_heapbuf_free(&all);
    return failed;
}

/* Read the file back, and leave in it what counts. Editors may have replaced it: open it anew. */
static int read_back(struct al_cli *c, struct al_slice *ret, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct al_buf all = al_heapbuf();
    int failed = al_dirs_read(&all, fd, TEXT_BYTES_MAX);
    int errnum = errno;
    if (failed == 0) {
        struct al_slice text = before_cut(al_buf_slice(&all));
        *ret = al_cli_keep(c, al_editor_trim(text));
        (void)!ftruncate(fd, (off_t)text.n);
    }
    al_heapbuf_free(&all);
    (void)close(fd);
    errno = errnum;
    return failed;
}

int al_editor(struct al_cli *c, struct al_slice *ret_text, const char **ret_file,
    struct al_slice initial, const char *remark)
{
    const char *path = NULL;
    int fd = al_draft_new_text(c, &path);
    if (fd < 0)
        return al_fail_errno(c, errno, "no draft can be written", "aloud paths");
    int failed = fill(fd, initial, remark);
    int errnum = errno;
    (void)close(fd);
    if (failed != 0) {
        (void)unlink(path);
        return al_fail_errno(c, errnum, "no draft can be written", "aloud paths");
    }
    int status = run_editor(c, path);
    struct al_slice text;
    if (read_back(c, &text, path) != 0)
        return al_fail_errno(c, errno, al_cli_str(c, "%s can't be read", path), NULL);
    if (status != 0) {
        bool any = text.n > 0;
        if (!any)
            (void)unlink(path);
        return al_fail(c, AL_EXIT_NOTHING, "nothing posted: the editor did not end well",
            any ? al_cli_str(c, "What was written is kept in %s.", path) : NULL,
            "VISUAL or EDITOR names the editor to use");
    }
    if (text.n == 0) {
        (void)unlink(path);
        return al_fail(c, AL_EXIT_NOTHING, "nothing posted: the text is empty", NULL, NULL);
    }
    *ret_text = text;
    *ret_file = path;
    return 0;
}
