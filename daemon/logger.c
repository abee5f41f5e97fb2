#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "check.h"
#include "text.h"
#include "when.h"

#define LINE_MAX_BYTES 2048

struct al_logger {
    uv_mutex_t mutex;
    int level;
    int fd;
    bool journal;
    size_t size;         /* of the file */
    char path[PATH_MAX]; /* empty: stderr */
};

static const char *const names[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

/* systemd names the journal's end of stderr by device and inode; a redirected stderr differs. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    char expected[64];
    (void)snprintf(
        expected, sizeof(expected), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, expected) == 0;
}

static int open_file(struct al_logger *l)
{
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    if (l->fd < 0 || fstat(l->fd, &st) != 0)
        return AL_E_IO;
    l->size = (size_t)st.st_size;
    return 0;
}

int al_logger_new(struct al_logger **ret, const char *path, int level)
{
    struct al_logger *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return AL_E_NOMEM;
    AL_ASSERT(uv_mutex_init(&l->mutex) == 0);
    l->level = level;
    l->fd = STDERR_FILENO;
    if (path == NULL) {
        l->journal = stderr_is_journal();
    } else if (strlen(path) >= sizeof(l->path) || (strcpy(l->path, path), open_file(l) != 0)) {
        al_logger_free(l);
        return AL_E_IO;
    }
    *ret = l;
    return 0;
}

void al_logger_free(struct al_logger *l)
{
    if (l == NULL)
        return;
    if (l->path[0] != '\0' && l->fd >= 0)
        (void)close(l->fd);
    uv_mutex_destroy(&l->mutex);
    free(l);
}

/* Without the old file there is still the new one; without that there is no log, but a node. */
static void rotate(struct al_logger *l)
{
    char old[PATH_MAX + 2];
    (void)snprintf(old, sizeof(old), "%s.1", l->path);
    (void)rename(l->path, old);
    (void)close(l->fd);
    (void)open_file(l);
}

static void put_head(struct al_logger *l, struct al_buf *line, int priority)
{
    char head[80];
    if (l->journal) {
        (void)snprintf(head, sizeof(head), "<%d>", priority);
    } else {
        char when[32];
        al_when_utc(when, (uint64_t)time(NULL) * 1000);
        (void)snprintf(head, sizeof(head), "%s %s: ", when, names[priority]);
    }
    al_buf_put(line, head, strlen(head));
}

void al_logger_line(struct al_logger *l, int priority, const char *format, ...)
{
    if (l == NULL || priority > l->level)
        return;
    AL_ASSERT(priority >= LOG_EMERG && priority <= LOG_DEBUG);
    char text[LINE_MAX_BYTES / 4];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    /* Making text safe can replace each byte by the three of U+FFFD. */
    uint8_t bytes[LINE_MAX_BYTES];
    struct al_buf line = al_buf_fixed(bytes, sizeof(bytes) - 1);
    put_head(l, &line, priority);
    al_text_safe(&line, al_slice_str(text), AL_TEXT_LINE);
    line.p[line.n++] = '\n';

    uv_mutex_lock(&l->mutex);
    if (l->path[0] != '\0' && l->size + line.n > AL_LOGGER_FILE_MAX)
        rotate(l);
    if (l->fd >= 0 && write(l->fd, line.p, line.n) > 0)
        l->size += line.n;
    uv_mutex_unlock(&l->mutex);
}
