/* The configuration file: a few keys, each checked; what is unknown is refused with its line. */
#ifndef AL_CONF_H
#define AL_CONF_H

#include "err.h"
#include "limit.h"
#include "netaddr.h"

#define AL_CONF_ADDRESSES 4
#define AL_CONF_WHY 512
#define AL_CONF_PATH 1024

struct al_conf {
    struct al_netaddr listen;                           /* ":4747" unless given */
    bool listen_given;                                  /* then the port is open from the start */
    char addresses[AL_CONF_ADDRESSES][AL_NETADDR_TEXT]; /* announced in invites */
    size_t address_count;
    char network_file[AL_CONF_PATH]; /* secret of a private network, 32 bytes; empty: public */
    char audience[16];               /* of posts that name none: network, me, web */
    uint32_t hold_s;                 /* how long posts wait before they go out */
    uint64_t pieces_bytes;           /* of other people's files that are kept */
    int log_level;                   /* of <syslog.h> */
};

/* What counts without a file. */
void al_conf_init(struct al_conf *conf);

/*
 * Read the file |path| over |conf|; no file is an empty one. Returns 0, or AL_E_CONFIG or AL_E_IO
 * with words for people in |ret_why| ("PATH:LINE: ...").
 */
AL_MUST_CHECK int al_conf_read(struct al_conf *conf, char ret_why[AL_CONF_WHY], const char *path);

/* Set one key, e.g. from the command line. Returns 0 or AL_E_CONFIG. */
AL_MUST_CHECK int al_conf_set(
    struct al_conf *conf, char ret_why[AL_CONF_WHY], const char *key, const char *value);

#endif
