#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define KEY_MAX 64

struct key {
    const char *name;
    int (*set)(struct al_conf *conf, const char *value);
    const char *form; /* of its value, for people */
};

static int set_listen(struct al_conf *conf, const char *value)
{
    struct sockaddr_storage sa;
    struct al_netaddr listen;
    if (al_netaddr_parse(&listen, al_slice_str(value), true) != 0 ||
        al_netaddr_literal(&sa, &listen) != 0)
        return AL_E_CONFIG;
    conf->listen = listen;
    conf->listen_given = true;
    return 0;
}

static int set_address(struct al_conf *conf, const char *value)
{
    struct al_netaddr address;
    if (al_netaddr_parse(&address, al_slice_str(value), false) != 0 || address.port == 0 ||
        conf->address_count == AL_CONF_ADDRESSES)
        return AL_E_CONFIG;
    (void)strlcpy(conf->addresses[conf->address_count++], value, sizeof(conf->addresses[0]));
    return 0;
}

static int set_network(struct al_conf *conf, const char *value)
{
    if (value[0] != '/')
        return AL_E_CONFIG;
    size_t n = strlcpy(conf->network_file, value, sizeof(conf->network_file));
    return n < sizeof(conf->network_file) ? 0 : AL_E_CONFIG;
}

/* Index in |words| or -1. */
static int index_of(const char *const *words, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], value) == 0)
            return (int)i;
    }
    return -1;
}

static int set_audience(struct al_conf *conf, const char *value)
{
    static const char *const words[] = {"network", "me", "web"};
    if (index_of(words, sizeof(words) / sizeof(words[0]), value) < 0)
        return AL_E_CONFIG;
    (void)strlcpy(conf->audience, value, sizeof(conf->audience));
    return 0;
}

static int set_hold(struct al_conf *conf, const char *value)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || v > AL_HOLD_MAX_S)
        return AL_E_CONFIG;
    conf->hold_s = (uint32_t)v;
    return 0;
}

/* Of bytes: a number and K, M, G or T, of 1024 each. */
static int set_quota(struct al_conf *conf, const char *value)
{
    static const char units[] = "KMGT";
    uint64_t n = 0;
    const char *p = value;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > 1000000000)
            return AL_E_CONFIG;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    const char *unit = *p == '\0' ? NULL : strchr(units, *p);
    if (p == value || unit == NULL || p[1] != '\0' || n > 1 << 20)
        return AL_E_CONFIG;
    n <<= 10 * (unit - units + 1);
    if (n < AL_ATTACHMENT_MAX)
        return AL_E_CONFIG;
    conf->pieces_bytes = n;
    return 0;
}

static int set_log_level(struct al_conf *conf, const char *value)
{
    static const char *const words[] = {"error", "warning", "notice", "info", "debug"};
    int i = index_of(words, sizeof(words) / sizeof(words[0]), value);
    if (i < 0)
        return AL_E_CONFIG;
    conf->log_level = LOG_ERR + i;
    return 0;
}

static const struct key keys[] = {
    {"listen", set_listen, ":PORT, IPV4:PORT or [IPV6]:PORT"},
    {"address", set_address, "HOST:PORT, at most 4 times"},
    {"network", set_network, "the absolute path of a file of 32 bytes"},
    {"audience.default", set_audience, "network, me or web"},
    {"post.hold", set_hold, "a number of seconds from 0 to 86400"},
    {"attachments.quota", set_quota, "a size from 32M on, with K, M, G or T"},
    {"log.level", set_log_level, "error, warning, notice, info or debug"},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))
_Static_assert(AL_HOLD_MAX_S == 86400, "its form tells it");

static void __attribute__((format(printf, 2, 3)))
say(char ret_why[AL_CONF_WHY], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ret_why, AL_CONF_WHY, format, args);
    va_end(args);
}

void al_conf_init(struct al_conf *conf)
{
    memset(conf, 0, sizeof(*conf));
    conf->listen.port = AL_PORT;
    (void)strlcpy(conf->audience, "network", sizeof(conf->audience));
    conf->log_level = LOG_INFO;
}

/* How many letters must be inserted, removed or replaced (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_MAX + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= strlen(a); i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replace < shift ? replace : shift;
        }
    }
    return row[n];
}

static const char *nearest(const char *name)
{
    const char *best = keys[0].name;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < KEY_COUNT && strlen(name) <= KEY_MAX; i++) {
        size_t d = distance(name, keys[i].name);
        if (d < best_distance) {
            best_distance = d;
            best = keys[i].name;
        }
    }
    return best_distance <= 3 ? best : NULL;
}

/* "listen, address, ... and log.level". */
static const char *all_keys(char *out, size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < KEY_COUNT && at < cap; i++) {
        const char *before = i == 0 ? "" : i + 1 == KEY_COUNT ? " and " : ", ";
        at += (size_t)snprintf(out + at, cap - at, "%s%s", before, keys[i].name);
    }
    return out;
}

int al_conf_set(struct al_conf *conf, char ret_why[AL_CONF_WHY], const char *key, const char *value)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, key) != 0)
            continue;
        int err = keys[i].set(conf, value);
        if (err != 0)
            say(ret_why, "'%s' is not %s", value, keys[i].form);
        return err;
    }
    char names[KEY_COUNT * KEY_MAX];
    const char *hint = nearest(key);
    if (hint != NULL)
        say(ret_why, "unknown key '%s'; did you mean '%s'", key, hint);
    else
        say(ret_why, "unknown key '%s'; there are %s", key, all_keys(names, sizeof(names)));
    return AL_E_CONFIG;
}

/* --- the file ------------------------------------------------------------------------------ */

struct reading {
    struct al_conf *conf;
    FILE *file;
    int line;      /* of what the handler sees */
    int long_line; /* the first that is too long for inih, or 0 */
    int bad_line;
    char why[AL_CONF_WHY];
};

/* Debian builds inih without line numbers, so they are counted where lines are read. */
static char *read_line(char *out, int cap, void *stream)
{
    struct reading *r = stream;
    char *line = fgets(out, cap, r->file);
    if (line == NULL)
        return NULL;
    r->line++;
    if (strchr(line, '\n') == NULL && !feof(r->file) && r->long_line == 0)
        r->long_line = r->line;
    return line;
}

static int on_value(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    char key[KEY_MAX];
    (void)snprintf(key, sizeof(key), "%s%s%s", section, section[0] == '\0' ? "" : ".", name);
    if (r->bad_line == 0 && al_conf_set(r->conf, r->why, key, value) != 0)
        r->bad_line = r->line;
    return 1;
}

/* A pipe is refused: its other end might never write, and the start would wait for it. */
static FILE *open_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    FILE *f = NULL;
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
        errno = ESPIPE;
    else
        f = fdopen(fd, "r");
    if (f == NULL)
        (void)close(fd);
    return f;
}

int al_conf_read(struct al_conf *conf, char ret_why[AL_CONF_WHY], const char *path)
{
    struct reading r = {.conf = conf, .file = open_file(path)};
    if (r.file == NULL) {
        if (errno == ENOENT)
            return 0;
        say(ret_why, "%s: %s", path, strerror(errno));
        return AL_E_IO;
    }
    int syntax = ini_parse_stream(read_line, &r, on_value, &r);
    bool failed = ferror(r.file) != 0;
    (void)fclose(r.file);
    if (failed || syntax < 0) {
        say(ret_why, "%s: it cannot be read", path);
        return AL_E_IO;
    }
    int line = r.bad_line;
    const char *why = r.why;
    if (syntax > 0 && (line == 0 || syntax < line)) {
        line = syntax;
        why = "this is neither [SECTION] nor KEY = VALUE";
    }
    if (r.long_line > 0 && (line == 0 || r.long_line <= line)) {
        line = r.long_line;
        why = "the line is too long";
    }
    if (line == 0)
        return 0;
    say(ret_why, "%s:%d: %s", path, line, why);
    return AL_E_CONFIG;
}
