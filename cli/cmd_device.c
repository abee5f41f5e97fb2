/* One's own machines: which there are, what they are called, and what to do when one is lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "client.h"
#include "cmds.h"
#include "id.h"

#define WORDS 24
#define WORD_BYTES 32
#define TEXT_BYTES 4096
#define PREFIX_MIN 4

/* ---- which there are ---- */

struct device {
    const uint8_t *id;
    struct al_slice name;
    bool this, revoked;
    uint64_t created_ms, logs, entries, last_ms;
};

/* This one, then the others as they were certified. */
static int compare_devices(const void *a, const void *b)
{
    const struct device *x = a, *y = b;
    if (x->this != y->this)
        return x->this ? -1 : 1;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return memcmp(x->id, y->id, 32);
}

/* The devices, which live as long as |c|: an array of |ret_count|, which the caller frees. */
static int fetch(struct al_cli *c, struct device **ret, uint32_t *ret_count)
{
    struct al_slice result;
    int status = al_cli_call(c, &result, "devices", NULL);
    if (status != 0)
        return status;
    result = al_cli_keep(c, result);
    uint32_t count;
    struct al_read list = al_get_array(result, "devices", &count);
    struct device *devices = calloc((size_t)count + 1, sizeof(*devices));
    if (devices == NULL)
        return al_cli_fail_call(c, AL_E_NOMEM);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice d = al_read_raw(&list);
        devices[i] = (struct device){
            .id = al_get_b32(d, "device"),
            .name = al_get_str(d, "name"),
            .this = al_get_bool(d, "this"),
            .revoked = al_get_bool(d, "revoked"),
            .created_ms = al_get_uint(d, "created"),
            .logs = al_get_uint(d, "logs"),
            .entries = al_get_uint(d, "entries"),
            .last_ms = al_get_uint(d, "last"),
        };
        if (devices[i].id == NULL) {
            free(devices);
            return al_cli_fail_call(c, AL_E_RPC);
        }
    }
    qsort(devices, count, sizeof(*devices), compare_devices);
    *ret = devices;
    *ret_count = count;
    return 0;
}

static int list_devices(struct al_cli *c)
{
    static const struct al_out_col cols[] = {
        {.field = "device", .title = "device", .style = AL_STYLE_ID},
        {.field = "name", .title = "name", .style = AL_STYLE_NAME, .cut = true},
        {.field = "state", .title = ""},
        {.field = "entries", .title = "entries", .right = true},
        {.field = "last", .title = "last wrote"},
    };
    struct device *devices;
    uint32_t count;
    int status = fetch(c, &devices, &count);
    if (status != 0)
        return status;
    al_out_table(c->out, cols, sizeof(cols) / sizeof(cols[0]));
    for (uint32_t i = 0; i < count; i++) {
        const struct device *d = &devices[i];
        al_out_row(c->out);
        al_out_id(c->out, "device", d->id, 0);
        al_out_name(c->out, "name", d->name);
        al_out_cstr(c->out, "state", d->revoked ? "revoked" : d->this ? "this one" : "");
        al_out_uint(c->out, "logs", d->logs);
        al_out_uint(c->out, "entries", d->entries);
        al_out_time(c->out, "created", d->created_ms);
        al_out_time(c->out, "last", d->last_ms);
        al_out_row_end(c->out);
    }
    free(devices);
    return AL_EXIT_DONE;
}

/* Does |typed| name |d|: by the whole name, or the beginning of the id? */
static bool is_meant(const struct device *d, const char *typed)
{
    char text[AL_ID_TEXT];
    size_t n = strlen(typed);
    al_id_text(text, d->id);
    return al_slice_is(d->name, typed) ||
           (n >= PREFIX_MIN && n < sizeof(text) && strncasecmp(text, typed, n) == 0);
}

/* The device that |typed| means, in |ret|. */
static int find(struct al_cli *c, struct device *ret, const char *typed)
{
    struct device *devices;
    uint32_t count;
    uint32_t found = 0;
    int status = fetch(c, &devices, &count);
    if (status != 0)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        if (is_meant(&devices[i], typed)) {
            *ret = devices[i];
            found++;
        }
    }
    free(devices);
    if (found == 1)
        return 0;
    return al_fail(c, AL_EXIT_NO_SUCH,
        al_cli_str(
            c, found == 0 ? "you have no device '%s'" : "'%s' could be several devices", typed),
        found == 0 ? NULL : "The beginning of its id tells it from the others.", "aloud device ls");
}

static int rename_device(struct al_cli *c)
{
    struct device d;
    struct al_params params = {0};
    struct al_slice result;
    int status = find(c, &d, c->args[1]);
    if (status != 0)
        return status;
    al_params_key(&params);
    al_params_bin(&params, "device", d.id, 32);
    al_params_cstr(&params, "name", c->args[2]);
    status = al_cli_call(c, &result, "device_rename", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    al_out_row(c->out);
    al_out_id(c->out, "device", d.id, 0);
    al_out_cstr(c->out, "name", c->args[2]);
    al_out_row_end(c->out);
    al_cli_note(c, "Your devices call it %s now.", c->args[2]);
    return AL_EXIT_DONE;
}

/* ---- the 24 words ---- */

struct words {
    char text[TEXT_BYTES]; /* as they are sent */
    bool typed;
};

/* Read a line without its end; false at the end of the input. */
static bool read_typed(char *out, size_t cap, const char *question)
{
    (void)fputs(question, stderr);
    (void)fflush(stderr);
    size_t n = 0;
    char ch = '\0';
    while (read(STDIN_FILENO, &ch, 1) == 1 && ch != '\n') {
        if (n + 1 < cap)
            out[n++] = ch;
    }
    out[n] = '\0';
    return ch == '\n';
}

static size_t count_words(const char *text)
{
    size_t count = 0;
    while (*(text += strspn(text, " \t\r")) != '\0') {
        count++;
        text += strcspn(text, " \t\r");
    }
    return count;
}

/* In one line or many, until there are 24. */
static bool type_words(struct words *w)
{
    size_t n = 0;
    (void)fputs("The 24 words, in their order; the first four letters of each will do.\n", stderr);
    w->text[0] = '\0';
    while (count_words(w->text) < WORDS && n + 2 < sizeof(w->text)) {
        char question[48];
        (void)snprintf(question, sizeof(question), "word %zu and on: ", count_words(w->text) + 1);
        if (!read_typed(w->text + n, sizeof(w->text) - n - 1, question))
            return false;
        n = strlen(w->text);
        w->text[n++] = ' ';
        w->text[n] = '\0';
    }
    w->typed = true;
    return true;
}

/* Put another word in the place of word |number|. */
static bool type_one(struct words *w, unsigned number)
{
    char word[WORD_BYTES], question[32], rest[TEXT_BYTES];
    char *at = w->text;
    (void)snprintf(question, sizeof(question), "word %u: ", number);
    bool ok = read_typed(word, sizeof(word), question);
    for (unsigned i = 1; ok && i <= number; i++) {
        at += strspn(at, " \t\r");
        if (i < number)
            at += strcspn(at, " \t\r");
    }
    (void)strlcpy(rest, at + strcspn(at, " \t\r"), sizeof(rest));
    if (ok)
        (void)snprintf(at, sizeof(w->text) - (size_t)(at - w->text), "%s%s", word, rest);
    explicit_bzero(word, sizeof(word));
    explicit_bzero(rest, sizeof(rest));
    return ok;
}

static int read_words(struct al_cli *c, struct words *w, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int errnum = errno;
        if (fd >= 0)
            (void)close(fd);
        return al_fail_errno(c, errnum, al_cli_str(c, "%s can't be read", path), NULL);
    }
    bool ours = S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
    ssize_t n = ours ? read(fd, w->text, sizeof(w->text) - 1) : 0;
    (void)close(fd);
    if (!ours)
        return al_fail_err(c, AL_E_PERMISSION, al_cli_str(c, "%s is not safe", path),
            "It must be a plain file of yours that nobody else can read.",
            al_cli_str(c, "chmod 600 '%s'", path));
    w->text[n < 0 ? 0 : n] = '\0';
    for (char *p = w->text; *p != '\0'; p++)
        *p = *p == '\n' ? ' ' : *p;
    return 0;
}

static int get_words(struct al_cli *c, struct words *w)
{
    const char *path = al_cli_opt(c, "phrase-in");
    if (path != NULL)
        return read_words(c, w, path);
    if (c->no_input)
        return al_fail(c, AL_EXIT_USAGE, "the 24 words are needed for that",
            "There is no terminal to ask at.",
            al_cli_str(c, "aloud device %s --phrase-in FILE", c->args[0]));
    return type_words(w)
               ? 0
               : al_fail(c, AL_EXIT_INTERRUPTED, "there are no words", "The input ended.", NULL);
}

/* Say why the words did not do it. */
static int fail_words(struct al_cli *c, int err)
{
    if (err != AL_E_IDENTITY)
        return al_cli_fail_call(c, err);
    return al_fail_err(c, err, "these words belong to somebody else",
        "It takes the 24 words that were shown when this identity was made. Nothing was changed.",
        al_cli_str(c, "aloud device %s%s%s", c->args[0], c->arg_count > 1 ? " " : "",
            c->arg_count > 1 ? c->args[1] : ""));
}

/* Call |method| with the words; one that is not on the list is typed again. */
static int call_with_words(
    struct al_cli *c, struct al_slice *ret, const char *method, const struct device *d)
{
    struct words w = {.typed = false};
    uint8_t key[16];
    uint64_t since_ms = 0;
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none); /* whatever happens, the words are in no core */
    int status = al_cli_opt_when(c, &since_ms, "since");
    if (status == 0)
        status = get_words(c, &w);
    int err = 0;
    unsigned number = 0;
    while (status == 0) {
        struct al_params params = {0};
        arc4random_buf(key, sizeof(key));
        al_params_bin(&params, "key", key, sizeof(key));
        al_params_cstr(&params, "words", w.text);
        if (d != NULL)
            al_params_bin(&params, "device", d->id, 32);
        if (since_ms != 0)
            al_params_uint(&params, "since", since_ms);
        err = al_cli_try(c, ret, method, &params);
        al_params_free(&params);
        if (err != AL_E_PHRASE_WORD || !w.typed)
            break;
        struct al_trouble t = al_cli_trouble(c, err);
        if (t.what == NULL || sscanf(t.what, "word %u", &number) != 1 || number == 0)
            break;
        (void)fprintf(stderr, "Word %u is not on the list.\n", number);
        if (!type_one(&w, number))
            break;
    }
    explicit_bzero(&w, sizeof(w));
    if (status != 0)
        return status;
    return err == 0 ? 0 : fail_words(c, err);
}

/* ---- revoke, rekey ---- */

static const char *entries(struct al_cli *c, uint64_t n)
{
    return al_cli_str(c, "%llu %s", (unsigned long long)n, n == 1 ? "entry" : "entries");
}

/* Ask the node what would be. */
static int plan(struct al_cli *c, struct al_slice *ret, const struct device *d)
{
    struct al_params params = {0};
    uint64_t since_ms = 0;
    int status = al_cli_opt_when(c, &since_ms, "since");
    if (status != 0)
        return status;
    al_params_key(&params);
    al_params_bin(&params, "device", d->id, 32);
    if (since_ms != 0)
        al_params_uint(&params, "since", since_ms);
    status = al_cli_call(c, ret, "device_revoke", &params);
    al_params_free(&params);
    return status;
}

static void say_plan(struct al_cli *c, struct al_slice p, const struct device *d)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, d->id, 8);
    uint64_t hidden = al_get_uint(p, "hidden");
    al_cli_note(c, "%s (%s) is to be revoked, for good:", al_cli_dup(c, d->name), id);
    uint64_t kept = al_get_uint(p, "kept");
    al_cli_note(c, "  %s of it in %llu %s %s.", entries(c, kept),
        (unsigned long long)al_get_uint(p, "logs"), al_get_uint(p, "logs") == 1 ? "log" : "logs",
        kept == 1 ? "stays" : "stay");
    al_cli_note(c, "  %s%s hidden, here and on every node that hears of it.", entries(c, hidden),
        hidden == 1 ? " is" : " are");
    al_cli_note(c, "  What it writes from now on counts nowhere, and nobody lets it in.");
    al_cli_note(c, "  Your other devices get a new reading key (generation %llu); it does not.",
        (unsigned long long)al_get_uint(p, "generation"));
}

static void print_revoked(struct al_cli *c, struct al_slice r, const struct device *d)
{
    al_out_row(c->out);
    al_out_id(c->out, "device", d->id, 0);
    al_out_uint(c->out, "logs", al_get_uint(r, "logs"));
    al_out_uint(c->out, "kept", al_get_uint(r, "kept"));
    al_out_uint(c->out, "hidden", al_get_uint(r, "hidden"));
    al_out_uint(c->out, "generation", al_get_uint(r, "generation"));
    al_out_row_end(c->out);
}

static int revoke_device(struct al_cli *c)
{
    struct device d;
    struct al_slice result;
    int status = find(c, &d, c->args[1]);
    if (status == 0)
        status = plan(c, &result, &d);
    if (status != 0)
        return status;
    say_plan(c, result, &d);
    if (al_cli_opt(c, "dry-run") != NULL) {
        print_revoked(c, result, &d);
        return AL_EXIT_DONE;
    }
    if (!al_cli_confirm(c, "Revoke it?"))
        return al_fail(c, AL_EXIT_REFUSED, "nothing was revoked: it was not confirmed",
            "A revocation can't be taken back.",
            al_cli_str(c, "aloud device revoke %s --yes%s", c->args[1],
                c->no_input ? " --phrase-in FILE" : ""));
    status = call_with_words(c, &result, "device_revoke", &d);
    if (status != 0)
        return status;
    print_revoked(c, result, &d);
    al_cli_note(c, "Revoked. Others hear of it as soon as they are connected.");
    return AL_EXIT_DONE;
}

static int rekey(struct al_cli *c)
{
    struct al_slice result;
    int status = call_with_words(c, &result, "device_rekey", NULL);
    if (status != 0)
        return status;
    al_out_row(c->out);
    al_out_uint(c->out, "generation", al_get_uint(result, "generation"));
    al_out_uint(c->out, "devices", al_get_uint(result, "devices"));
    al_out_row_end(c->out);
    uint64_t devices = al_get_uint(result, "devices");
    al_cli_note(c,
        "You have a new reading key, number %llu. What is sealed for you from now on, %s can read.",
        (unsigned long long)al_get_uint(result, "generation"),
        devices == 1 ? "only this device"
                     : al_cli_str(c, "these %llu devices of yours", (unsigned long long)devices));
    return AL_EXIT_DONE;
}

static int run_device(struct al_cli *c)
{
    static const struct {
        const char *verb;
        int args;
        int (*run)(struct al_cli *c);
    } verbs[] = {
        {"ls", 1, list_devices},
        {"rename", 3, rename_device},
        {"revoke", 2, revoke_device},
        {"rekey", 1, rekey},
    };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c->args[0], verbs[i].verb) == 0 && c->arg_count == verbs[i].args)
            return verbs[i].run(c);
    }
    return al_fail(c, AL_EXIT_USAGE, "that is not what device can do",
        "It is ls, rename DEVICE NAME, revoke DEVICE, or rekey.", "aloud device --help");
}

static const struct al_cli_opt device_opts[] = {
    {"since", 0, "WHEN", "revoke: what arrived from then on does not count"},
    {"dry-run", 0, NULL, "revoke: only say what would be"},
    {"phrase-in", 0, "FILE", "read the 24 words from this file of yours instead of asking"},
    {0},
};

const struct al_cmd al_cmd_device = {
    .name = "device",
    .group = AL_GROUP_START,
    .usage = "ls | rename DEVICE NAME | revoke DEVICE | rekey",
    .summary = "your machines: name them, and cut off one that is lost",
    .about =
        "revoke and rekey need the 24 words. A revoked device counts only with what you name: "
        "everything that has arrived here, or with --since what arrived before. rekey gives "
        "your devices a new reading key, when status says that the present one is not safe, or "
        "not here. A machine is added with aloud restore.",
    .opts = device_opts,
    .fields = "ls: device, name, state, logs, entries, created, last; rename: device, name; "
              "revoke: device, logs, kept, hidden, generation; rekey: generation, devices",
    .examples = {"aloud device ls", "aloud device revoke laptop --since \"last monday\""},
    .args_min = 1,
    .args_max = 3,
    .run = run_device,
};
