/* Where things live: the XDG directories, or everything under one directory of the caller. */
#ifndef AL_PATHS_H
#define AL_PATHS_H

#include "err.h"

#define AL_PATH_BYTES 1024  /* with the NUL */
#define AL_SOCKET_BYTES 108 /* with the NUL: sun_path of struct sockaddr_un on Linux */

/* Absolute paths. Whoever writes there makes the directories, with mode 0700. */
struct al_paths {
    char data[AL_PATH_BYTES];    /* the log, the keys: what must not be lost */
    char config[AL_PATH_BYTES];  /* what people edit */
    char state[AL_PATH_BYTES];   /* drafts and log files */
    char runtime[AL_PATH_BYTES]; /* holds the socket */
    char keys[AL_PATH_BYTES];    /* key files */
    char log_db[AL_PATH_BYTES];
    char views_db[AL_PATH_BYTES];
    char config_file[AL_PATH_BYTES];
    char socket[AL_SOCKET_BYTES];
};

/*
 * Find all paths. |home| is the directory of --home, or NULL for the XDG directories; a relative
 * one starts at the working directory. Reads the environment: HOME, XDG_DATA_HOME,
 * XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR, of which relative values count as unset.
 *
 * Returns 0, AL_E_PATH (HOME is needed and not set, or a path is too long), AL_E_SOCKET_PATH
 * (the path of the socket has more than 107 bytes).
 */
AL_MUST_CHECK
int al_paths_init(struct al_paths *ret, const char *home);

#endif
