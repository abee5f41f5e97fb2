/* Keeping a log whole: a copy elsewhere, and a look at every chain. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "cmds.h"
#include "dirs.h"
#include "refs.h"

#define SLOW_MS (30 * 60 * 1000) /* calls that read everything there is */

/* ---- backup ---- */

/* Fetch the copy part by part into |fd|. */
static int fetch(struct al_cli *c, int fd, uint64_t handle, uint64_t size)
{
    uint64_t done = 0;
    bool last = false;
    bool meter = !c->quiet && isatty(STDERR_FILENO) == 1;
    while (!last) {
        struct al_params params = {0};
        struct al_slice part;
        al_params_uint(&params, "handle", handle);
        al_params_uint(&params, "offset", done);
        int status = al_cli_call(c, &part, "backup_read", &params);
        al_params_free(&params);
        if (status != 0)
            return status;
        struct al_slice data = al_get_bin(part, "data");
        last = al_get_bool(part, "last");
        if (data.n == 0 && !last)
            return al_fail_err(c, AL_E_RPC, "the node ended the copy too early", NULL, NULL);
        if (al_dirs_write(fd, data) != 0)
            return al_fail_errno(c, errno, "the backup can't be written", NULL);
        done += data.n;
        if (meter)
            (void)fprintf(stderr, "\r%3llu %%",
                (unsigned long long)(size == 0 || done > size ? 100 : done * 100 / size));
    }
    if (meter)
        (void)fprintf(stderr, "\r     \r");
    if (done != size)
        return al_fail_err(c, AL_E_RPC, "the backup has the wrong size", NULL, NULL);
    return 0;
}

/* Make the copy under another name, and only then give it |path|, if nothing has that name. */
static int write_backup(struct al_cli *c, const char *path, uint64_t *ret_size)
{
    struct al_slice result;
    const char *part = al_cli_str(c, "%s.%08x.part", path, arc4random());
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return al_fail_errno(c, errno, al_cli_str(c, "%s can't be written", path), NULL);
    int status = al_cli_call(c, &result, "backup", NULL);
    if (status == 0) {
        *ret_size = al_get_uint(result, "size");
        status = fetch(c, fd, al_get_uint(result, "handle"), *ret_size);
    }
    if (status == 0 && fsync(fd) != 0)
        status = al_fail_errno(c, errno, "the backup can't be written", NULL);
    (void)close(fd);
    if (status == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        status = al_fail_errno(c, errno, al_cli_str(c, "%s can't be written", path), NULL);
    if (status != 0)
        (void)unlink(part);
    return status;
}

static int run_backup(struct al_cli *c)
{
    const char *path = c->args[0];
    uint64_t size = 0;
    if (access(path, F_OK) == 0)
        return al_fail(c, AL_EXIT_REFUSED, al_cli_str(c, "%s is there already", path),
            "A backup never replaces a file.", "another name");
    c->limit_ms = SLOW_MS;
    int status = write_backup(c, path, &size);
    if (status != 0)
        return status;
    al_say(c->out, AL_STYLE_NONE,
        "%s: %.1f MB, every entry here. It holds no key: your identity comes back with the 24 "
        "words.\n",
        path, (double)size / 1e6);
    al_out_row(c->out);
    al_out_cstr(c->out, "file", path);
    al_out_uint(c->out, "size", size);
    al_out_row_end(c->out);
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_backup = {
    .name = "backup",
    .group = AL_GROUP_START,
    .usage = "FILE",
    .summary = "copy all entries into one file",
    .about = "A consistent copy, made while the node runs. It never replaces a file, and holds no "
             "secret key.",
    .fields = "file, size",
    .examples = {"aloud backup ~/aloud-2026-11.db"},
    .args_min = 1,
    .args_max = 1,
    .run = run_backup,
};

/* ---- doctor ---- */

static enum al_style style_of(struct al_slice severity)
{
    return al_slice_is(severity, "error")     ? AL_STYLE_BAD
           : al_slice_is(severity, "warning") ? AL_STYLE_WARN
                                              : AL_STYLE_NONE;
}

static void print_one(struct al_cli *c, struct al_slice f, struct al_slice severity)
{
    struct al_slice hint = al_get_str(f, "try");
    if (!al_slice_is(severity, "ok")) { /* the last line says that */
        al_say_line(c->out, style_of(severity), severity);
        al_say(c->out, AL_STYLE_NONE, "  ");
        al_say_line(c->out, AL_STYLE_STRONG, al_get_str(f, "code"));
        al_say(c->out, AL_STYLE_NONE, "\n");
        al_say_wrapped(c->out, AL_STYLE_NONE, al_get_str(f, "text"), 2);
        if (hint.n > 0)
            al_say(c->out, AL_STYLE_NONE, "  try: %s\n", al_cli_dup(c, hint));
    }
    al_out_row(c->out);
    al_out_text(c->out, "severity", severity);
    al_out_text(c->out, "code", al_get_str(f, "code"));
    al_out_text(c->out, "text", al_get_str(f, "text"));
    al_out_text(c->out, "try", hint);
    al_out_row_end(c->out);
}

static void print_finding(struct al_cli *c, struct al_slice f)
{
    print_one(c, f, al_get_str(f, "severity"));
}

/* True if it is more than something to think of. */
static bool print_problem(struct al_cli *c, struct al_slice p)
{
    static const char *const notes[] = {"phrase-not-confirmed", "not-listening", "new-log"};
    bool note = false;
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        note = note || al_slice_is(al_get_str(p, "code"), notes[i]);
    print_one(c, p, al_slice_str(note ? "note" : "warning"));
    return !note;
}

/* What the node complains of is not in the log; |ret_count| grows by what is wrong. */
static int print_problems(struct al_cli *c, size_t *ret_count)
{
    struct al_slice result;
    uint32_t count;
    int status = al_cli_call(c, &result, "status", NULL);
    if (status != 0)
        return status;
    struct al_read problems = al_get_array(result, "problems", &count);
    for (uint32_t i = 0; i < count; i++)
        *ret_count += print_problem(c, al_read_raw(&problems));
    return 0;
}

static int run_doctor(struct al_cli *c)
{
    struct al_params params = {0};
    struct al_slice result;
    if (c->arg_count > 0) {
        struct al_person p;
        int status = al_refs_person(c, &p, c->args[0]);
        if (status != 0)
            return status;
        al_params_bin(&params, "from", p.identity, 32);
    }
    c->limit_ms = SLOW_MS;
    int status = al_cli_call(c, &result, "doctor", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    uint32_t count;
    size_t bad = 0;
    struct al_read findings = al_get_array(result, "findings", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_slice f = al_read_raw(&findings);
        struct al_slice severity = al_get_str(f, "severity");
        bool error = al_slice_is(severity, "error");
        bad += error || al_slice_is(severity, "warning");
        print_finding(c, f);
        status = error ? AL_EXIT_DATA : status;
    }
    unsigned long long entries = al_get_uint(result, "entries");
    unsigned long long logs = al_get_uint(result, "logs");
    size_t problems = 0;
    int asked = c->arg_count == 0 ? print_problems(c, &problems) : 0;
    if (asked != 0)
        return asked;
    bad += problems;
    al_say(c->out, bad > 0 ? AL_STYLE_WARN : AL_STYLE_GOOD, "%llu %s in %llu %s checked: %s\n",
        entries, entries == 1 ? "entry" : "entries", logs, logs == 1 ? "log" : "logs",
        bad > 0 ? al_cli_str(c, "%zu %s to look at", bad, bad == 1 ? "thing" : "things")
                : "all is well");
    return status == 0 && bad > 0 ? AL_EXIT_NOTHING : status;
}

const struct al_cmd al_cmd_doctor = {
    .name = "doctor",
    .group = AL_GROUP_START,
    .usage = "[PERSON]",
    .summary = "check every chain that is here",
    .about = "Ends with status 65 when something is wrong with a log, 1 when there is a warning.",
    .fields = "severity, code, text, try",
    .examples = {"aloud doctor", "aloud doctor kai"},
    .args_max = 1,
    .run = run_doctor,
};
