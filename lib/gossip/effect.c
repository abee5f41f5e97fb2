#include "effect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "check.h"

struct node {
    STAILQ_ENTRY(node) link;
    struct al_effect e;
    uint8_t *bytes;
    char *message;
    char *hint;
};

STAILQ_HEAD(list, node);

struct al_effects {
    struct list pending;
    struct list ready;
    struct node *last; /* handed out by the last poll */
};

struct al_effects *al_effects_new(void)
{
    struct al_effects *q = calloc(1, sizeof(*q));
    if (q != NULL) {
        STAILQ_INIT(&q->pending);
        STAILQ_INIT(&q->ready);
    }
    return q;
}

static void node_free(struct node *n)
{
    if (n == NULL)
        return;
    free(n->bytes);
    free(n->message);
    free(n->hint);
    free(n);
}

void al_effects_free(struct al_effects *q)
{
    if (q == NULL)
        return;
    al_effects_discard(q);
    struct node *n;
    while ((n = STAILQ_FIRST(&q->ready)) != NULL) {
        STAILQ_REMOVE_HEAD(&q->ready, link);
        node_free(n);
    }
    node_free(q->last);
    free(q);
}

static char *copy_text(const char *s)
{
    char *copy = s == NULL ? NULL : strdup(s);
    AL_ASSERT(s == NULL || copy != NULL);
    return copy;
}

void al_effects_take(struct al_effects *q, const struct al_effect *e, uint8_t *bytes)
{
    struct node *n = calloc(1, sizeof(*n));
    AL_ASSERT(n != NULL);
    n->e = *e;
    n->bytes = bytes;
    n->e.bytes.p = bytes;
    n->message = copy_text(e->message);
    n->hint = copy_text(e->hint);
    n->e.message = n->message;
    n->e.hint = n->hint;
    STAILQ_INSERT_TAIL(&q->pending, n, link);
}

void al_effects_add(struct al_effects *q, const struct al_effect *e)
{
    uint8_t *copy = NULL;
    if (e->bytes.n > 0) {
        copy = malloc(e->bytes.n);
        AL_ASSERT(copy != NULL);
        memcpy(copy, e->bytes.p, e->bytes.n);
    }
    al_effects_take(q, e, copy);
}

void al_effects_log(struct al_effects *q, int priority, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    struct al_effect e = {.type = AL_EFFECT_LOG, .priority = priority, .bytes = al_slice_str(line)};
    al_effects_add(q, &e);
}

void al_effects_release(struct al_effects *q)
{
    STAILQ_CONCAT(&q->ready, &q->pending);
}

void al_effects_discard(struct al_effects *q)
{
    struct node *n;
    while ((n = STAILQ_FIRST(&q->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&q->pending, link);
        if (n->e.type == AL_EFFECT_LOG || n->e.type == AL_EFFECT_CLOSE)
            STAILQ_INSERT_TAIL(&q->ready, n, link);
        else
            node_free(n);
    }
}

bool al_effects_poll(struct al_effects *q, struct al_effect *ret)
{
    node_free(q->last);
    q->last = STAILQ_FIRST(&q->ready);
    if (q->last == NULL)
        return false;
    STAILQ_REMOVE_HEAD(&q->ready, link);
    *ret = q->last->e;
    return true;
}
