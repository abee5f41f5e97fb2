#include "cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADING "aloud-cursor "

int al_cursor_read(const char *path, uint64_t *ret_pos)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? AL_E_NOT_FOUND : AL_E_IO;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n < 0)
        return AL_E_IO;
    size_t heading = strlen(HEADING);
    if (strncmp(text, HEADING, heading) != 0 || text[heading] < '0' || text[heading] > '9')
        return AL_E_CORRUPT;
    char *end;
    errno = 0;
    unsigned long long pos = strtoull(text + heading, &end, 10);
    if (errno != 0 || *end != '\n' || end + 1 != text + n)
        return AL_E_CORRUPT;
    *ret_pos = pos;
    return 0;
}

int al_cursor_write(const char *path, uint64_t pos)
{
    char text[64];
    char *tmp = NULL;
    int n = snprintf(text, sizeof(text), HEADING "%" PRIu64 "\n", pos);
    if (asprintf(&tmp, "%s.new", path) < 0)
        return AL_E_IO;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    int errnum = errno;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    ok = ok && rename(tmp, path) == 0;
    free(tmp);
    if (ok)
        return 0;
    return errnum == ENOSPC || errnum == EDQUOT ? AL_E_FULL : AL_E_IO;
}
