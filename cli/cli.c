#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "client.h"
#include "heapbuf.h"
#include "start.h"
#include "text.h"
#include "when.h"

struct al_cli_string {
    struct al_cli_string *next;
    char text[];
};

uint64_t al_cli_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static char *string_new(struct al_cli *c, size_t n)
{
    struct al_cli_string *s = malloc(sizeof(*s) + n + 1);
    AL_ASSERT(s != NULL);
    s->next = c->strings;
    c->strings = s;
    s->text[n] = '\0';
    return s->text;
}

char *al_cli_str(struct al_cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    AL_ASSERT(n >= 0);
    char *text = string_new(c, (size_t)n);
    va_start(ap, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return text;
}

char *al_cli_dup(struct al_cli *c, struct al_slice s)
{
    char *text = string_new(c, s.n);
    if (s.n > 0)
        memcpy(text, s.p, s.n);
    return text;
}

struct al_slice al_cli_keep(struct al_cli *c, struct al_slice s)
{
    return al_slice_of(al_cli_dup(c, s), s.n);
}

void al_cli_fini(struct al_cli *c)
{
    al_client_free(c->client);
    c->client = NULL;
    while (c->strings != NULL) {
        struct al_cli_string *next = c->strings->next;
        free(c->strings);
        c->strings = next;
    }
}

/* ---- options ---- */

const char *al_cli_opt_nth(const struct al_cli *c, const char *name, int i)
{
    for (int k = 0; k < c->opt_count; k++) {
        if (strcmp(c->opts[k].name, name) == 0 && i-- == 0)
            return c->opts[k].value;
    }
    return NULL;
}

const char *al_cli_opt(const struct al_cli *c, const char *name)
{
    return al_cli_opt_nth(c, name, 0);
}

static int bad_value(struct al_cli *c, const char *name, const char *value, const char *why)
{
    return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "--%s can't be '%s'", name, value), why,
        al_cli_str(c, "aloud %s --help", c->cmd->name));
}

int al_cli_opt_uint(struct al_cli *c, uint64_t *ret, const char *name, uint64_t min, uint64_t max)
{
    const char *value = al_cli_opt(c, name);
    if (value == NULL)
        return 0;
    char *end;
    unsigned long long v = strtoull(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
    if (!digits || v < min || v > max)
        return bad_value(c, name, value,
            al_cli_str(c, "It is a number from %llu to %llu.", (unsigned long long)min,
                (unsigned long long)max));
    *ret = v;
    return 0;
}

int al_cli_opt_when(struct al_cli *c, uint64_t *ret, const char *name)
{
    const char *value = al_cli_opt(c, name);
    if (value == NULL || al_when_parse(ret, al_slice_str(value), al_cli_now_ms()) == 0)
        return 0;
    return bad_value(c, name, value,
        "It is a date such as yesterday, \"last monday 14:00\", 9:30, -2d or 2026-11-22.");
}

/* ---- talking ---- */

void al_cli_note(struct al_cli *c, const char *fmt, ...)
{
    if (c->quiet)
        return;
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, al_slice_of(text, (size_t)n), AL_TEXT_BLOCK);
    al_buf_put(&safe, "\n", 1);
    (void)!write(STDERR_FILENO, safe.p, safe.n);
    al_heapbuf_free(&safe);
    free(text);
}

bool al_cli_confirm(struct al_cli *c, const char *question)
{
    if (c->yes || c->no_input)
        return c->yes;
    (void)fprintf(stderr, "%s [y/N] ", question);
    int first = getchar();
    for (int ch = first; ch != '\n' && ch != EOF;)
        ch = getchar();
    return first == 'y' || first == 'Y';
}

/* ---- the node ---- */

static int connect_node(struct al_cli *c)
{
    if (c->client != NULL)
        return 0;
    int err = al_client_connect(&c->client, c->socket);
    if (err == AL_E_NO_NODE)
        return al_start_node(c);
    if (err == 0)
        return 0;
    const char *why =
        err == AL_E_PERMISSION ? "another user's, or closed to you" : al_err_words(err);
    c->no_node = (struct al_trouble){al_exit_of(err), al_err_name(err), "the node can't be reached",
        al_cli_str(c, "%s: %s.", c->socket, why), "aloud paths"};
    return AL_E_NO_NODE;
}

static int call_once(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_slice params)
{
    int err = connect_node(c);
    if (err != 0)
        return err;
    if (c->limit_ms != 0)
        al_client_limit(c->client, c->limit_ms);
    return al_client_call(c->client, ret, method, params);
}

int al_cli_try_encoded(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_slice params)
{
    int err = call_once(c, ret, method, params);
    if (err != AL_E_CLOSED || al_client_error(c->client) != NULL)
        return err;
    /* The node ended meanwhile. To ask again is safe: what writes carries a key. */
    al_client_free(c->client);
    c->client = NULL;
    return call_once(c, ret, method, params);
}

int al_cli_try(struct al_cli *c, struct al_slice *ret, const char *method, struct al_params *params)
{
    struct al_slice encoded = al_params_done(params);
    AL_ASSERT(encoded.n > 0);
    return al_cli_try_encoded(c, ret, method, encoded);
}

struct al_trouble al_cli_trouble(struct al_cli *c, int err)
{
    const struct al_rpc_error *said = al_client_error(c->client);
    if (said != NULL)
        return (struct al_trouble){
            .status = al_exit_of(err),
            .name = al_err_name(err),
            .what = said->message.n > 0 ? al_cli_dup(c, said->message) : al_err_words(err),
            .hint = said->hint.n > 0 ? al_cli_dup(c, said->hint) : NULL,
        };
    if (c->client == NULL)
        return c->no_node;
    return (struct al_trouble){
        .status = al_exit_of(err),
        .name = al_err_name(err),
        .what = "the node did not answer",
        .why = al_cli_str(c, "%s.", al_err_words(err)),
        .hint = "aloud node status",
    };
}

int al_cli_fail_call(struct al_cli *c, int err)
{
    struct al_trouble t = al_cli_trouble(c, err);
    return al_fail_trouble(c, &t);
}

int al_cli_call(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_params *params)
{
    int err = al_cli_try(c, ret, method, params);
    return err == 0 ? 0 : al_cli_fail_call(c, err);
}
