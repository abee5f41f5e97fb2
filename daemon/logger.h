/*
 * Lines for the operator, from any thread: to stderr, or to a file of bounded size when the
 * program runs detached. For journald each line begins with its priority.
 */
#ifndef AL_LOGGER_H
#define AL_LOGGER_H

#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */

#include "bytes.h"
#include "err.h"

#define AL_LOGGER_FILE_MAX (1024 * 1024) /* then the file becomes PATH.1 and a new one begins */

struct al_logger;

/*
 * A logger to the file |path| (0600, appended), or to stderr when it is NULL. Lines of a higher
 * number than |level| are dropped. Returns 0 or AL_E_IO, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_logger_new(struct al_logger **ret, const char *path, int level);
void al_logger_free(struct al_logger *l);

/* Write one line, made like printf; its text is made safe. A |l| of NULL drops it. */
void al_logger_line(struct al_logger *l, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
