/*
 * What every command gets: its part of the line, where things are, where output goes, and the
 * way to the node. One of it lives for the time of the process.
 */
#ifndef AL_CLI_H
#define AL_CLI_H

#include "bytes.h"
#include "call.h"
#include "fail.h"
#include "out.h"
#include "paths.h"

/* One option of a command, or one that all commands have. */
struct al_cli_opt {
    const char *name; /* long form; NULL ends a table */
    char letter;      /* short form, or 0 */
    const char *arg;  /* what to call its value in the help, or NULL when it takes none */
    const char *help; /* lower case, no full stop */
};

enum al_cli_group {
    AL_GROUP_START,
    AL_GROUP_WRITE,
    AL_GROUP_READ,
    AL_GROUP_PEOPLE,
    AL_GROUP_IN_OUT,
    AL_GROUP_COUNT,
};

struct al_cli;

/* What can be said of a failure: see al_fail(). */
struct al_trouble {
    int status;
    const char *name; /* of the AL_E_* code, or NULL */
    const char *what;
    const char *why;
    const char *hint;
};

/* A command as the table, the help text and the man page know it. */
struct al_cmd {
    const char *name;
    enum al_cli_group group;
    const char *usage;             /* what follows the name: "[TEXT...]" */
    const char *summary;           /* one line, lower case, no full stop */
    const char *about;             /* sentences for --help, or NULL */
    const struct al_cli_opt *opts; /* or NULL */
    const char *fields;            /* of --json and --plain, in order; NULL: prints no rows */
    const char *examples[2];
    int args_min;
    int args_max; /* -1: any number */
    /* Do it. Returns the exit status; what went wrong has been said by al_fail(). */
    int (*run)(struct al_cli *c);
};

#define AL_CLI_OPTS_MAX 64 /* options of a command, and on one line */

/* An option that was given. */
struct al_cli_value {
    const char *name;
    const char *value; /* "" when it takes none */
};

struct al_cli {
    const struct al_cmd *cmd;
    const char
        *again;  /* what hints put before a name or id: "circle add team"; NULL: the command */
    char **args; /* the words after the command, without options */
    int arg_count;
    struct al_cli_value opts[AL_CLI_OPTS_MAX]; /* those given, in order */
    int opt_count;
    const char *home;   /* --home, or NULL */
    const char *socket; /* the node's socket: --socket, or where paths say */
    struct al_paths paths;
    bool quiet;
    bool verbose;
    bool no_input; /* ask nothing: --no-input, or no terminal */
    bool yes;      /* every question is answered with yes */
    bool json;     /* errors are objects, too */
    struct al_out *out;
    uint32_t limit_ms;         /* for a call; 0: the client's own */
    struct al_client *client;  /* NULL until the first call */
    struct al_trouble no_node; /* why there is no node, when there is none */
    struct al_cli_string *strings;
};

/* Let go of the node and of all strings. */
void al_cli_fini(struct al_cli *c);

/* The value of an option of the command ("" if it takes none), or NULL if it was not given. */
const char *al_cli_opt(const struct al_cli *c, const char *name);

/* The |i|th value of an option that may be repeated, or NULL. */
const char *al_cli_opt_nth(const struct al_cli *c, const char *name, int i);

/*
 * Read a number option in min..max into |ret|, which is left alone when the option is absent.
 * Returns 0, or the exit status after saying what is wrong.
 */
AL_MUST_CHECK
int al_cli_opt_uint(struct al_cli *c, uint64_t *ret, const char *name, uint64_t min, uint64_t max);

/* The same for a date as people type it, in milliseconds since 1970. */
AL_MUST_CHECK
int al_cli_opt_when(struct al_cli *c, uint64_t *ret, const char *name);

/* A string that lives as long as |c|. Aborts when there is no memory. */
char *al_cli_str(struct al_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same from |s|. */
char *al_cli_dup(struct al_cli *c, struct al_slice s);

/* A remark for people on stderr, made safe; nothing with -q. */
void al_cli_note(struct al_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Ask |question| on the terminal; --yes answers yes, --no-input and no terminal answer no.
 */
bool al_cli_confirm(struct al_cli *c, const char *question);

/*
 * Call the node and store the result, a map that stays valid until the next call. |params| is
 * finished by it, and may be NULL. Connects first, and starts a node if none runs.
 *
 * Returns 0, or the exit status after saying what went wrong.
 */
AL_MUST_CHECK
int al_cli_call(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_params *params);

/*
 * The same, but says nothing: returns 0; the AL_E_* that the node answered; AL_E_NO_NODE when
 * there is none to be had; or what al_client_call() says when the node fell silent.
 */
AL_MUST_CHECK int al_cli_try(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_params *params);

/* The same with parameters that are encoded already. */
AL_MUST_CHECK int al_cli_try_encoded(
    struct al_cli *c, struct al_slice *ret, const char *method, struct al_slice params);

/* What there is to say about the last al_cli_try(), which returned |err|. */
struct al_trouble al_cli_trouble(struct al_cli *c, int err);

/* Say it, and return the exit status. */
AL_MUST_CHECK int al_cli_fail_call(struct al_cli *c, int err);

/* A copy of an answer that outlives the next call, as long as |c|. */
struct al_slice al_cli_keep(struct al_cli *c, struct al_slice s);

/* The present, in milliseconds since 1970. */
uint64_t al_cli_now_ms(void);

#endif
