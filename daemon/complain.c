#include "complain.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "text.h"

enum al_status al_status_of(int err)
{
    switch (err) {
    case 0:
        return AL_STATUS_DONE;
    case AL_E_CORRUPT:
    case AL_E_SCHEMA:
    case AL_E_VERSION:
        return AL_STATUS_DATA;
    case AL_E_BUSY:
        return AL_STATUS_NO_NODE;
    case AL_E_IO:
    case AL_E_FULL:
    case AL_E_READ_ONLY:
        return AL_STATUS_DISK;
    case AL_E_PERMISSION:
    case AL_E_EXISTS:
        return AL_STATUS_REFUSED;
    case AL_E_CONFIG:
    case AL_E_NOT_INITIALISED:
    case AL_E_PATH:
    case AL_E_SOCKET_PATH:
        return AL_STATUS_CONFIG;
    case AL_E_PARAMS:
        return AL_STATUS_USAGE;
    default:
        return AL_STATUS_FAILED;
    }
}

static const char *why_of(const struct al_complaint *c)
{
    return c->why != NULL ? c->why : al_err_words(c->err);
}

void al_complain_of_dir(struct al_complaint *c, int err, const char *path)
{
    c->err = err;
    c->what = "the data directory cannot be used";
    c->why = c->text;
    c->hint = "aloud paths";
    (void)snprintf(c->text, sizeof(c->text), "%s: %s", path, al_err_words(err));
    if (err != AL_E_PERMISSION)
        return;
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        (void)snprintf(c->text, sizeof(c->text),
            "%s is a link, and another could be put in its place unnoticed", path);
        char real[PATH_MAX];
        const char *name = realpath(path, real);
        (void)snprintf(
            c->command, sizeof(c->command), "aloud --home '%s'", name == NULL ? "DIRECTORY" : name);
        c->hint = c->command;
        return;
    }
    (void)snprintf(c->text, sizeof(c->text), "%s must be yours, and closed to others", path);
    (void)snprintf(c->command, sizeof(c->command), "chmod 700 '%s'", path);
    c->hint = c->command;
}

int al_complain_of_paths(struct al_complaint *c, int err, const char *hint)
{
    const char *home = getenv("HOME");
    bool lost = err == AL_E_PATH && (home == NULL || home[0] != '/');
    c->err = err;
    c->what = "there is no place for aloud's files";
    c->why = !lost ? NULL : home == NULL ? "HOME is not set" : "HOME is not an absolute path";
    c->hint = hint;
    return err;
}

static void put(struct al_buf *b, const char *before, const char *text, const char *after)
{
    if (text == NULL || text[0] == '\0')
        return;
    al_buf_put(b, before, strlen(before));
    al_text_safe(b, al_slice_str(text), AL_TEXT_LINE);
    al_buf_put(b, after, strlen(after));
}

int al_complain(const struct al_complaint *c)
{
    uint8_t bytes[4096];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    put(&b, "aloudd: ", c->what, ".\n");
    put(&b, "  ", why_of(c), ".\n");
    put(&b, "  try: ", c->hint, "\n");
    ssize_t written = write(STDERR_FILENO, b.p, b.n);
    (void)written; /* there is nobody left to tell */
    return (int)al_status_of(c->err);
}

void al_complaint_line(char *out, size_t cap, const struct al_complaint *c)
{
    struct al_buf b = al_buf_fixed((uint8_t *)out, cap - 1);
    put(&b, "", c->what, "");
    put(&b, ": ", why_of(c), "");
    out[b.n] = '\0';
}
