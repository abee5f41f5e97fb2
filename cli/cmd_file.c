/* Files of entries: attach some to an entry that is there, and save one. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"
#include "cli.h"
#include "cmds.h"
#include "dirs.h"
#include "draft.h"
#include "heapbuf.h"
#include "id.h"
#include "newfile.h"
#include "posted.h"
#include "progress.h"
#include "quote.h"
#include "refs.h"
#include "rpc.h"
#include "size.h"
#include "tags.h"
#include "text.h"
#include "upload.h"
#include "write.h"

#define TURN_MS 400    /* of waiting for pieces, between two looks at the bar */
#define LONELY_MS 3000 /* nobody who is connected has it */
#define PATIENCE_S 60  /* without a piece */

static const char *short_id(struct al_cli *c, const struct al_row *r)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, r->id, r->id_chars);
    return al_cli_str(c, "%s", id);
}

/* ---- save: which file, and where to ---- */

struct save {
    struct al_row row;
    size_t number; /* from 0 */
    struct al_row_file file;
    const char *id;
    const char *path;
    bool force;
    bool to_stdout;
    uint64_t written; /* of it, to standard output */
    uint64_t patience_ms;
};

static size_t count_files(const struct al_row *r)
{
    struct al_row_file file;
    size_t n = 0;
    while (n < AL_ROW_FILES_MAX && al_row_file(&file, r, n))
        n++;
    return n;
}

/* Split "r2dn/2"; without a number it is the only file, or the question which. */
static int find_file(struct al_cli *c, struct save *s, const char *typed)
{
    const char *slash = strrchr(typed, '/');
    bool numbered =
        slash != NULL && slash[1] != '\0' && strspn(slash + 1, "0123456789") == strlen(slash + 1);
    const char *entry = numbered ? al_cli_str(c, "%.*s", (int)(slash - typed), typed) : typed;
    int status = al_refs_entry(c, &s->row, entry);
    if (status != 0)
        return status;
    s->id = short_id(c, &s->row);
    size_t count = count_files(&s->row);
    size_t number = numbered ? strtoul(slash + 1, NULL, 10) : 1;
    if (count == 0)
        return al_fail(c, AL_EXIT_NO_SUCH, al_cli_str(c, "%s has no files", s->id), NULL,
            al_cli_str(c, "aloud show %s", s->id));
    if (!numbered && count > 1)
        return al_fail(c, AL_EXIT_USAGE, al_cli_str(c, "%s has %zu files: say which", s->id, count),
            NULL, al_cli_str(c, "aloud save %s/1", s->id));
    if (number == 0 || number > count)
        return al_fail(c, AL_EXIT_NO_SUCH,
            al_cli_str(
                c, "%s has %zu %s, numbered from 1", s->id, count, count == 1 ? "file" : "files"),
            NULL, al_cli_str(c, "aloud show %s", s->id));
    s->number = number - 1;
    (void)al_row_file(&s->file, &s->row, s->number);
    return 0;
}

/* The name that the author suggests, made safe; NULL when it is none to be taken as it is. */
static const char *suggested(struct al_cli *c, const struct save *s)
{
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, s->file.name, AL_TEXT_NAME);
    const char *name = al_cli_dup(c, al_buf_slice(&safe));
    al_heapbuf_free(&safe);
    bool fits = name[0] != '\0' && name[0] != '.' && name[0] != '-' && name[0] != '~' &&
                strchr(name, '/') == NULL;
    return fits ? name : NULL;
}

static int fail_exists(struct al_cli *c, const struct save *s)
{
    const struct al_trouble t = {.status = AL_EXIT_REFUSED,
        .name = al_err_name(AL_E_EXISTS),
        .what = al_cli_str(c, "'%s' is there already", s->path),
        .why = "Nothing is overwritten without --force.",
        .hint = al_cli_str(c, "aloud save %s/%zu -o FILE", s->id, s->number + 1)};
    return al_fail_trouble(c, &t);
}

/* Somebody else's bytes are nothing for a terminal to obey, and no rows stand among them. */
static int check_stdout(struct al_cli *c, struct save *s)
{
    s->to_stdout = true;
    s->path = "standard output";
    if (c->json)
        return al_fail(c, AL_EXIT_USAGE, "--json and -o - don't go together",
            "Standard output gets the bytes of the file, and nothing else.",
            al_cli_str(c, "aloud save %s/%zu -o -", s->id, s->number + 1));
    if (isatty(STDOUT_FILENO) == 1)
        return al_fail(c, AL_EXIT_USAGE, "a file is not written to a terminal",
            "What is in it could make the terminal do things.",
            al_cli_str(c, "aloud save %s/%zu -o - | less", s->id, s->number + 1));
    return 0;
}

static int choose_path(struct al_cli *c, struct save *s)
{
    const char *given = al_cli_opt(c, "output");
    const char *name = suggested(c, s);
    struct stat st;
    bool in_dir = given != NULL && stat(given, &st) == 0 && S_ISDIR(st.st_mode);
    if (given != NULL && strcmp(given, "-") == 0)
        return check_stdout(c, s);
    if (given != NULL && !in_dir)
        s->path = given;
    else if (name == NULL)
        return al_fail(c, AL_EXIT_USAGE, "say what to call the file",
            "Its author suggests a name that could hide it, or do harm.",
            al_cli_str(c, "aloud save %s/%zu -o FILE", s->id, s->number + 1));
    else
        s->path = in_dir ? al_cli_str(c, "%s/%s", given, name) : name;
    if (s->force || lstat(s->path, &st) != 0)
        return 0;
    return fail_exists(c, s);
}

/* ---- save: the pieces come to the node ---- */

static void put_which(struct al_params *p, const struct save *s)
{
    al_params_raw(p, "ref", s->row.ref);
    al_params_uint(p, "file", s->number);
}

static int fail_incomplete(struct al_cli *c, uint64_t have, uint64_t pieces, uint64_t holders)
{
    return al_fail(c, AL_EXIT_LATER,
        al_cli_str(c, "not saved yet: %llu of %llu pieces are here", (unsigned long long)have,
            (unsigned long long)pieces),
        holders == 0 ? "Nobody who is connected has the others. What is here stays for a while."
                     : "The others do not come. What is here stays for a while.",
        "aloud peers");
}

/* Wait until the node has every piece. */
static int fetch(struct al_cli *c, const struct save *s)
{
    struct al_progress bar;
    uint64_t have = 0, last = 0, idle_ms = 0, lonely_ms = 0;
    al_progress_init(&bar, c, s->file.size);
    al_progress_bytes(&bar);
    for (;;) {
        struct al_params p = {0};
        struct al_slice result;
        uint64_t begun = al_cli_now_ms();
        put_which(&p, s);
        al_params_uint(&p, "timeout", TURN_MS);
        int err = al_cli_try(c, &result, "file_get", &p);
        al_params_free(&p);
        if (err != 0) {
            al_progress_end(&bar);
            return al_cli_fail_call(c, err);
        }
        have = al_get_uint(result, "have");
        uint64_t pieces = al_get_uint(result, "pieces");
        uint64_t holders = al_get_uint(result, "holders");
        al_progress_at(&bar, have * AL_PIECE_BYTES);
        uint64_t ms = al_cli_now_ms() - begun;
        idle_ms = have == last ? idle_ms + ms + 1 : 0;
        lonely_ms = holders == 0 ? lonely_ms + ms + 1 : 0;
        last = have;
        if (have < pieces && idle_ms < s->patience_ms && lonely_ms < LONELY_MS) {
            if (ms < TURN_MS / 4)
                (void)usleep(TURN_MS * 250);
            continue;
        }
        al_progress_end(&bar);
        return have < pieces ? fail_incomplete(c, have, pieces, holders) : 0;
    }
}

/* ---- save: into the file ---- */

/*
 * Write the file to |fd|, from |*offset| on, which is moved along. Returns 0, an AL_E_* of the
 * node, or -1 with errno.
 */
static int copy_out(struct al_cli *c, const struct save *s, int fd, uint64_t *offset)
{
    for (bool last = false; !last;) {
        struct al_params p = {0};
        struct al_slice result;
        put_which(&p, s);
        al_params_uint(&p, "offset", *offset);
        int err = al_cli_try(c, &result, "file_read", &p);
        al_params_free(&p);
        if (err != 0)
            return err;
        struct al_slice data = al_get_bin(result, "data");
        if (data.n == 0)
            return AL_E_RPC;
        if (al_dirs_write(fd, data) != 0)
            return -1;
        *offset += data.n;
        last = al_get_bool(result, "last");
    }
    return 0;
}

/* What was written stays, should pieces be missing on the way: the next turn goes on from there. */
static int write_stdout(struct al_cli *c, struct save *s, bool *ret_missing)
{
    int err = copy_out(c, s, STDOUT_FILENO, &s->written);
    *ret_missing = err == AL_E_NOT_FOUND;
    if (err == -1)
        return al_fail_errno(c, errno, "standard output can't be written", NULL);
    return err == 0 ? 0 : *ret_missing ? AL_EXIT_LATER : al_cli_fail_call(c, err);
}

static int write_file(struct al_cli *c, const struct save *s, bool *ret_missing)
{
    struct al_newfile file;
    uint64_t offset = 0;
    int err = -1;
    *ret_missing = false;
    if (al_newfile_begin(&file, s->path) == 0) {
        err = copy_out(c, s, file.fd, &offset);
        if (err == 0)
            err = al_newfile_finish(&file, s->force);
    }
    int errnum = errno;
    al_newfile_end(&file);
    *ret_missing = err == AL_E_NOT_FOUND;
    if (err == -1 && errnum == EEXIST)
        return fail_exists(c, s);
    if (err == -1)
        return al_fail_errno(c, errnum, al_cli_str(c, "'%s' can't be written", s->path), NULL);
    if (err != 0)
        return *ret_missing ? AL_EXIT_LATER : al_cli_fail_call(c, err);
    return 0;
}

static void print_saved(struct al_cli *c, const struct save *s)
{
    al_out_row(c->out);
    al_out_id(c->out, "id", s->row.id, 0);
    al_out_uint(c->out, "file", s->number + 1);
    al_out_name(c->out, "name", s->file.name);
    al_out_name(c->out, "mime", s->file.mime);
    al_out_uint(c->out, "size", s->file.size);
    al_out_cstr(c->out, "path", s->path);
    al_out_row_end(c->out);
    char size[AL_SIZE_TEXT];
    al_say(c->out, AL_STYLE_NONE, "saved  %s  (%s)\n", s->path, al_size_words(size, s->file.size));
}

static int run_save(struct al_cli *c)
{
    struct save s = {.force = al_cli_opt(c, "force") != NULL};
    uint64_t patience_s = PATIENCE_S;
    int status = al_cli_opt_uint(c, &patience_s, "wait", 0, 86400);
    if (status == 0)
        status = find_file(c, &s, c->args[0]);
    if (status == 0)
        status = choose_path(c, &s);
    if (status != 0)
        return status;
    s.patience_ms = patience_s * 1000;
    /* pieces may give way to others between the two steps, but hardly time after time */
    bool missing = true;
    for (int i = 0; status == 0 && missing && i < 3; i++) {
        status = fetch(c, &s);
        if (status != 0)
            return status;
        status = s.to_stdout ? write_stdout(c, &s, &missing) : write_file(c, &s, &missing);
        if (status != 0 && missing)
            status = 0;
    }
    if (status == 0 && missing)
        status = al_fail(c, AL_EXIT_LATER, "not saved: its pieces give way to those of other files",
            "attachments.quota is what the node keeps of other people's files.", "aloud help save");
    if (status == 0 && !s.to_stdout)
        print_saved(c, &s);
    return status;
}

static const struct al_cli_opt save_opts[] = {
    {"output", 'o', "FILE", "where to; a directory keeps the suggested name, - is stdout"},
    {"force", 'f', NULL, "overwrite a file that is there"},
    {"wait", 0, "SECONDS", "for a piece that does not come; 60 unless given"},
    {0},
};

const struct al_cmd al_cmd_save = {
    .name = "save",
    .group = AL_GROUP_READ,
    .usage = "ID[/N] [-o FILE]",
    .summary = "save a file of an entry",
    .about = "N counts the files as show lists them. The pieces come from whoever is connected and "
             "has them, and stay for a while: cut off, the same command goes on where it was. "
             "The file appears whole or not at all, and never in place of another one. Without -o "
             "it gets the name that its author suggests, in this directory.",
    .opts = save_opts,
    .fields = "id, file, name, mime, size, path",
    .examples = {"aloud save r2dn -o plot.png", "aloud save q7xk/2 -o ~/Downloads"},
    .args_min = 1,
    .args_max = 1,
    .run = run_save,
};

/* ---- attach ---- */

static const char *const carried[] = {"url", "title", "quote", "from", "state"};

static void put_tags(struct al_params *entry, const struct al_row *row)
{
    struct al_buf tags = al_heapbuf();
    if (row->tag_count == 0)
        return;
    al_write_array(&tags, (uint32_t)row->tag_count);
    for (size_t i = 0; i < row->tag_count; i++)
        al_write_str(&tags, row->tags[i]);
    al_params_raw(entry, "tags", al_buf_slice(&tags));
    al_heapbuf_free(&tags);
}

/* An edit that leaves the entry as it is, but for the files that it adds. */
static void put_edit(struct al_params *call, const struct al_row *row, struct al_slice files)
{
    struct al_params entry = {0};
    al_params_cstr(&entry, "k", "edit");
    al_params_raw(&entry, "of", row->ref);
    if (row->text.n > 0)
        al_params_str(&entry, "text", row->text);
    put_tags(&entry, row);
    for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
        struct al_slice value =
            row->fields.n == 0 ? al_slice_of(NULL, 0) : al_rpc_param(row->fields, carried[i]);
        if (value.n > 0)
            al_params_raw(&entry, carried[i], value);
    }
    al_params_raw(&entry, "files", files);
    al_params_raw(call, "entry", al_params_done(&entry));
    al_params_free(&entry);
}

/* True if file |s->number|, as the node has it, is what |fd| holds. What can't be read is not. */
static bool is_same(struct al_cli *c, const struct save *s, int fd)
{
    uint64_t offset = 0;
    bool same = true;
    for (bool last = false; same && !last;) {
        static uint8_t here[8 * AL_PIECE_BYTES];
        struct al_params p = {0};
        struct al_slice result;
        put_which(&p, s);
        al_params_uint(&p, "offset", offset);
        int err = al_cli_try(c, &result, "file_read", &p);
        al_params_free(&p);
        if (err != 0)
            return false;
        struct al_slice data = al_get_bin(result, "data");
        same = data.n > 0 && data.n <= sizeof(here) &&
               pread(fd, here, data.n, (off_t)offset) == (ssize_t)data.n &&
               memcmp(here, data.p, data.n) == 0;
        offset += data.n;
        last = al_get_bool(result, "last");
    }
    return same;
}

/* True if the file at |path| is attached to |row| already, under its name. */
static bool is_attached(struct al_cli *c, const struct al_row *row, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    struct save s = {.row = *row};
    struct stat st;
    bool found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    for (; !found && fstat(fd, &st) == 0 && al_row_file(&s.file, row, s.number); s.number++)
        found = al_slice_is(s.file.name, name) && s.file.size == (uint64_t)st.st_size &&
                is_same(c, &s, fd);
    (void)close(fd);
    return found;
}

/* What does not fit goes into an answer. */
static int check_room(
    struct al_cli *c, const struct al_row *row, const char *const *paths, size_t count)
{
    size_t here = count_files(row);
    if (here + count <= AL_UPLOAD_FILES_MAX)
        return 0;
    const char *hint = al_cli_str(c, "aloud reply %s more", short_id(c, row));
    for (size_t i = 0; i < count; i++)
        hint = al_cli_str(c, "%s -a %s", hint, al_quote(c, paths[i]));
    return al_fail_err(c, AL_E_LIMIT,
        al_cli_str(c, "%s has %zu %s already, and an entry holds at most %d", short_id(c, row),
            here, here == 1 ? "file" : "files", AL_UPLOAD_FILES_MAX),
        "Nothing was attached.", hint);
}

static int run_attach(struct al_cli *c)
{
    const char *paths[AL_UPLOAD_FILES_MAX];
    size_t count = 0;
    struct al_row row;
    struct al_slice files, answer;
    struct al_trouble trouble;
    int status = al_upload_check(c, (const char *const *)(c->args + 1), (size_t)c->arg_count - 1);
    if (status == 0)
        status = al_change_find_readable(c, &row, c->args[0], "attach to");
    for (int i = 1; status == 0 && i < c->arg_count; i++) {
        if (!is_attached(c, &row, c->args[i]))
            paths[count++] = c->args[i];
    }
    if (status == 0 && count == 0) {
        al_cli_note(c, "aloud: nothing changed: %s there already.",
            c->arg_count == 2 ? "that file is" : "those files are");
        return AL_EXIT_DONE;
    }
    if (status == 0)
        status = check_room(c, &row, paths, count);
    if (status != 0)
        return status;
    if (al_upload(c, &files, &trouble, paths, count) != 0)
        return al_fail_trouble(c, &trouble);
    struct al_draft d = {
        .text = al_slice_str(al_cli_str(c, "attach to %s", short_id(c, &row))), .name_only = true};
    put_edit(&d.call, &row, files);
    status = al_draft_send(c, &answer, &d);
    al_params_free(&d.call);
    if (status == 0)
        al_posted_print(c, answer, &(struct al_posted){.kind = "edit", .of = row.id});
    return status;
}

const struct al_cmd al_cmd_attach = {
    .name = "attach",
    .group = AL_GROUP_WRITE,
    .usage = "ID FILE...",
    .summary = "attach files to an entry that is there",
    .about =
        "It is an edit that changes nothing but to add files, for the readers of the entry. To "
        "write something with a file, use post -a. A file has at most 32 MiB, an entry at "
        "most 8 files.",
    .fields = AL_POSTED_FIELDS,
    .examples = {"aloud attach last trace.log"},
    .args_min = 2,
    .args_max = 1 + AL_UPLOAD_FILES_MAX,
    .run = run_attach,
};
