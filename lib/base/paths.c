#include "paths.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* |dir| "/" |rest| into |out|; AL_E_PATH when it does not fit. */
static int join(char *out, size_t cap, const char *dir, const char *rest)
{
    size_t n = strlen(dir);
    while (n > 0 && dir[n - 1] == '/')
        n--;
    if (n >= cap)
        return AL_E_PATH;
    memcpy(out, dir, n);
    out[n] = '\0';
    if (strlcat(out, "/", cap) >= cap || strlcat(out, rest, cap) >= cap)
        return AL_E_PATH;
    return 0;
}

static int copy(char out[AL_PATH_BYTES], const char *path)
{
    return strlcpy(out, path, AL_PATH_BYTES) < AL_PATH_BYTES ? 0 : AL_E_PATH;
}

/* The value of a variable, if it is an absolute path: others are to be ignored. */
static const char *absolute(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] == '/' ? value : NULL;
}

/* $|name|/aloud, else $HOME/|fallback|/aloud. */
static int xdg_dir(char out[AL_PATH_BYTES], const char *name, const char *fallback)
{
    const char *dir = absolute(name);
    if (dir != NULL)
        return join(out, AL_PATH_BYTES, dir, "aloud");
    const char *home = absolute("HOME");
    return home == NULL ? AL_E_PATH : join(out, AL_PATH_BYTES, home, fallback);
}

static int xdg_dirs(struct al_paths *p)
{
    int err = xdg_dir(p->data, "XDG_DATA_HOME", ".local/share/aloud");
    if (err == 0)
        err = xdg_dir(p->config, "XDG_CONFIG_HOME", ".config/aloud");
    if (err == 0)
        err = xdg_dir(p->state, "XDG_STATE_HOME", ".local/state/aloud");
    if (err != 0)
        return err;
    const char *runtime = absolute("XDG_RUNTIME_DIR");
    if (runtime != NULL)
        return join(p->runtime, sizeof(p->runtime), runtime, "aloud");
    return copy(p->runtime, p->data);
}

static int home_dirs(struct al_paths *p, const char *home)
{
    char root[AL_PATH_BYTES];
    int err;
    if (home[0] == '/') {
        err = copy(root, home);
    } else {
        char here[AL_PATH_BYTES];
        if (home[0] == '\0' || getcwd(here, sizeof(here)) == NULL)
            return AL_E_PATH;
        err = join(root, sizeof(root), here, home);
    }
    if (err != 0)
        return err;
    for (size_t n = strlen(root); n > 1 && root[n - 1] == '/'; n--)
        root[n - 1] = '\0';
    err = copy(p->data, root);
    if (err == 0)
        err = copy(p->config, root);
    if (err == 0)
        err = copy(p->runtime, root);
    return err == 0 ? join(p->state, sizeof(p->state), root, "state") : err;
}

int al_paths_init(struct al_paths *ret, const char *home)
{
    struct al_paths p;
    int err = home != NULL ? home_dirs(&p, home) : xdg_dirs(&p);
    if (err == 0)
        err = join(p.keys, sizeof(p.keys), p.data, "keys");
    if (err == 0)
        err = join(p.log_db, sizeof(p.log_db), p.data, "log.db");
    if (err == 0)
        err = join(p.views_db, sizeof(p.views_db), p.data, "views.db");
    if (err == 0)
        err = join(p.config_file, sizeof(p.config_file), p.config, "config");
    if (err != 0)
        return err;
    if (join(p.socket, sizeof(p.socket), p.runtime, "socket") != 0)
        return AL_E_SOCKET_PATH;
    *ret = p;
    return 0;
}
