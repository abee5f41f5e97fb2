/*
 * The thread that owns views.db: it follows the change log as far as commits reach, then sleeps.
 */
#ifndef AL_VIEWS_THREAD_H
#define AL_VIEWS_THREAD_H

#include <uv.h>

#include "keyring.h"
#include "logger.h"

struct al_views_thread;

/* Everything is borrowed. */
struct al_views_thread_opts {
    const char *views_db;
    const char *log_db; /* is there already */
    const struct al_keyring *keyring;
    struct al_logger *logger;
    uv_async_t *wake; /* after each step */
};

/* NULL: no memory. */
struct al_views_thread *al_views_thread_start(const struct al_views_thread_opts *opts);

/* Finish the step that runs, close views.db and end the thread. NULL is allowed. */
void al_views_thread_stop(struct al_views_thread *t);

/* From any thread: the log has reached |pos|. */
void al_views_thread_changed(struct al_views_thread *t, uint64_t pos);

/* From any thread: true once views.db can be read; then |ret_pos| is how far the views are. */
bool al_views_thread_position(struct al_views_thread *t, uint64_t *ret_pos);

#endif
