#include "restore_cmd.h"

#include <getopt.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "boot.h"
#include "files.h"
#include "hash.h"
#include "id.h"
#include "identity.h"
#include "init.h"
#include "names.h"
#include "node_thread.h"
#include "peer_link.h"
#include "phrase_in.h"
#include "place.h"
#include "terminal.h"
#include "text.h"

#define SHOWN_CHARS 12 /* of an identity */

static const char usage[] =
    "usage: aloudd restore [options]\n"
    "\n"
    "  --from TICKET|DEVICE@HOST:PORT    a node that carries your log\n"
    "  --backup FILE        a copy that aloud backup has made\n"
    "  --phrase-in FILE     read the 24 words from this file of yours instead of asking\n"
    "  --device NAME        of this machine (its host name, unless given)\n"
    "  --yes                answer every question with yes\n"
    "  --home DIR           keep everything under DIR\n"
    "  --help\n";

struct restore {
    const char *from, *backup, *phrase_in, *home;
    bool yes;
    char device_name[AL_NAMES_BYTES];
    struct al_paths paths;
    struct al_conf conf;
    struct al_network network;
    int lock;
    bool has_keys;             /* a device is here, which this one takes the place of */
    bool begun;                /* an earlier try was cut off */
    bool renews;               /* that device is no copy: it is given up for a new one */
    struct al_keyring old;     /* of that device */
    struct al_place_found log; /* what is here; with --backup what was brought */
    char staged[AL_PATH_BYTES + 16];
    struct al_restore_peer peer;
    uint8_t ticket[AL_TICKET_MAX];
    struct al_root root;
    struct al_files_restore device;
    struct al_keyring keyring;
    struct al_record *record; /* what is known of the identity */
    struct al_complaint complaint;
};

static int fail(struct restore *r, int err, const char *what, const char *why, const char *hint)
{
    r->complaint.err = err;
    r->complaint.what = what;
    r->complaint.why = why;
    r->complaint.hint = hint;
    return err;
}

/* Made safe: a name in a backup is anybody's text. */
static void say_safe(const char *text)
{
    uint8_t bytes[4096];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes) - 1);
    al_text_safe(&b, al_slice_str(text), AL_TEXT_BLOCK);
    bytes[b.n] = '\0';
    al_terminal_say((const char *)bytes);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say_safe(text);
}

static bool confirm(const struct restore *r, const char *question)
{
    char answer[16];
    if (r->yes)
        return true;
    if (!al_terminal_is_there())
        return false;
    say_safe(question);
    return al_terminal_ask(answer, sizeof(answer), "") && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The command that was given, with |more|; for a hint. */
static const char *again(struct restore *r, const char *more)
{
    char *out = r->complaint.command;
    size_t cap = sizeof(r->complaint.command);
    (void)strlcpy(out, "aloud restore", cap);
    const struct {
        const char *option, *value;
    } given[] = {{" --from ", r->from}, {" --backup ", r->backup}, {" --phrase-in ", r->phrase_in}};
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
        if (given[i].value == NULL)
            continue;
        (void)strlcat(out, given[i].option, cap);
        (void)strlcat(out, given[i].value, cap);
    }
    (void)strlcat(out, " ", cap);
    (void)strlcat(out, more, cap);
    return out;
}

/* --- the line ------------------------------------------------------------------------------ */

/* Returns -1 to go on, or the exit status. */
static int read_line(struct restore *r, int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},
        {"backup", required_argument, NULL, 'b'},
        {"phrase-in", required_argument, NULL, 'p'},
        {"device", required_argument, NULL, 'd'},
        {"yes", no_argument, NULL, 'y'},
        {"home", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f':
            r->from = optarg;
            break;
        case 'b':
            r->backup = optarg;
            break;
        case 'p':
            r->phrase_in = optarg;
            break;
        case 'd':
            (void)strlcpy(r->device_name, optarg, sizeof(r->device_name));
            break;
        case 'y':
            r->yes = true;
            break;
        case 'H':
            r->home = optarg;
            break;
        case 'h':
            al_terminal_say(usage);
            return 0;
        default:
            optind = argc + 1;
            break;
        }
    }
    if (optind == argc)
        return -1;
    (void)fputs("  try: aloudd restore --help\n", stderr);
    return AL_STATUS_USAGE;
}

static int prepare(struct restore *r)
{
    int err = al_crypto_self_test();
    if (err != 0)
        return fail(r, err, "libsodium fails its self-test", NULL, NULL);
    err = al_paths_init(&r->paths, r->home);
    if (err != 0)
        return al_complain_of_paths(&r->complaint, err, "aloud restore --home DIR");
    if (r->phrase_in == NULL && !al_terminal_is_there())
        return fail(r, AL_E_PARAMS, "the 24 words cannot be asked for", "there is no terminal",
            again(r, "--phrase-in FILE"));
    if (!al_names_device(r->device_name))
        return fail(r, AL_E_PARAMS, "that device name is not possible", AL_NAMES_RULE, NULL);
    al_conf_init(&r->conf);
    err = al_conf_read(&r->conf, r->complaint.text, r->paths.config_file);
    if (err != 0)
        return fail(r, err, "the configuration is wrong", r->complaint.text, NULL);
    (void)snprintf(r->staged, sizeof(r->staged), "%s.restore", r->paths.log_db);
    return al_boot_network(&r->network, &r->conf, &r->complaint);
}

/* --- what is here already ------------------------------------------------------------------ */

static int look_at_keys(struct restore *r)
{
    bool elsewhere = false;
    r->begun = al_files_restore_open(r->paths.keys);
    int err = al_files_load(&r->old, r->paths.keys);
    r->has_keys = err == 0;
    if (err == 0)
        err = al_files_host_differs(&elsewhere, r->paths.keys);
    r->log.copy = r->log.copy || elsewhere;
    if (err != 0 && err != AL_E_NOT_INITIALISED)
        return fail(r, err, "there are key files that cannot be used", NULL, "aloud paths");
    return 0;
}

static const char *name_of(const struct al_place_found *log)
{
    return log->name[0] == '\0' ? "somebody" : log->name;
}

/* May what is here give way to a backup? */
static int ask_to_replace(struct restore *r)
{
    char question[256];
    if (!r->log.has_entries || r->begun)
        return 0;
    (void)snprintf(question, sizeof(question),
        "There is a log of %s here, with %llu entries. It is kept beside the one from the backup, "
        "and not used any more.\nGo on? [y/N] ",
        name_of(&r->log), (unsigned long long)r->log.entries);
    if (confirm(r, question))
        return 0;
    return fail(r, AL_E_EXISTS, "there is a log here already",
        "the backup would take its place; nothing was changed", again(r, "--yes"));
}

/* A device that was revoked does not always know it. */
static int ask_to_renew(struct restore *r)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, r->old.device.b, SHOWN_CHARS);
    say("This machine is a device of yours already, %s, and no copy of another. It would become a "
        "new\ndevice, with a log of its own; what is here stays, and %s writes nothing more.\n",
        id, id);
    if (confirm(r, "Make it a new one? [y/N] ")) {
        r->renews = true;
        r->log.copy = true;
        return 0;
    }
    return fail(r, AL_E_EXISTS, "this machine has an identity already",
        "restore is for an empty machine and for a copy; with --yes it makes this one a new device",
        "aloud status");
}

static int look_around(struct restore *r)
{
    pid_t holder;
    int err = al_files_lock(&r->lock, &holder, r->paths.data);
    if (err == AL_E_BUSY)
        return fail(r, AL_E_EXISTS, "a node runs here",
            "it would not notice what is done to its files", "aloud node stop");
    if (err != 0) {
        al_complain_of_dir(&r->complaint, err, r->paths.data);
        return err;
    }
    err = al_place_look(&r->log, r->paths.log_db);
    bool unreadable = err != 0;
    if (unreadable && r->backup == NULL)
        return fail(
            r, err, "there is a log here that cannot be read", NULL, "aloud restore --backup FILE");
    err = look_at_keys(r);
    if (err != 0)
        return err;
    if (r->backup != NULL)
        return ask_to_replace(r);
    if (r->has_keys && r->log.there && !r->log.copy && !r->begun)
        return ask_to_renew(r);
    return 0;
}

static int bring_backup(struct restore *r)
{
    if (r->backup == NULL)
        return r->log.has_entries ? al_place_verify(r->paths.log_db, &r->complaint) : 0;
    bool was_copy = r->log.copy;
    int err = al_place_stage(r->staged, r->backup, &r->complaint);
    if (err != 0)
        return err;
    err = al_place_look(&r->log, r->staged);
    r->log.copy = r->log.copy || was_copy;
    if (err == 0)
        say("This is a backup of %s, with %llu entries.\n", name_of(&r->log),
            (unsigned long long)r->log.entries);
    return err == 0 ? 0 : fail(r, err, "the backup cannot be used", NULL, NULL);
}

/* --- the peer, and the words ----------------------------------------------------------------- */

static int fail_peer(struct restore *r, int err)
{
    const char *why = NULL;
    const char *hint = "aloud restore --from ANOTHER-TICKET   (or without --from: join later)";
    switch (err) {
    case AL_E_TICKET:
    case AL_E_TEXT_FORM:
    case AL_E_ADDRESS:
        return fail(r, AL_E_PARAMS, "that is neither a ticket nor an address",
            "it is what aloud invite prints, or DEVICE@HOST:PORT",
            "copy the whole of it, from aloud: on");
    case AL_E_HANDSHAKE:
        why = "whoever answers there is not that device, or of another network";
        break;
    case AL_E_STRANGER:
    case AL_E_INVITE:
        why =
            "it closed the door: it does not know you, or the invite is used up; ask for a new one";
        break;
    default:
        break;
    }
    return fail(r, err, "the peer cannot be asked", why, hint);
}

static int reach_peer(struct restore *r)
{
    if (r->from == NULL)
        return 0;
    int err = al_peer_link_parse(&r->peer, r->ticket, &r->network, r->from);
    if (err == 0) {
        say("Looking for the peer ... ");
        err = al_peer_link_probe(&r->peer, &r->network);
        say(err == 0 ? "it is there.\n" : "no.\n");
    }
    return err == 0 ? 0 : fail_peer(r, err);
}

/* The words of somebody else would make this log theirs. */
static int compare_owner(struct restore *r, const struct al_identity *owner, const char *what)
{
    static const struct al_identity nobody;
    char theirs[AL_ID_TEXT], words[AL_ID_TEXT];
    if (al_identity_eq(owner, &nobody) || al_identity_eq(owner, &r->root.identity))
        return 0;
    al_id_text_prefix(theirs, owner->b, SHOWN_CHARS);
    al_id_text_prefix(words, r->root.identity.b, SHOWN_CHARS);
    (void)snprintf(r->complaint.text, sizeof(r->complaint.text),
        "%s %s%s~%s, and the words are those of ~%s", what, r->log.name,
        r->log.name[0] == '\0' ? "" : " ", theirs, words);
    return fail(r, AL_E_IDENTITY, "these words belong to somebody else", r->complaint.text, NULL);
}

static int take_words(struct restore *r)
{
    uint8_t entropy[AL_ENTROPY_BYTES];
    int err = 0;
    if (r->phrase_in != NULL)
        err = al_phrase_in_read(entropy, r->phrase_in, &r->complaint);
    else if (!al_phrase_in_ask(entropy))
        err = fail(r, AL_E_PARAMS, "there are no words", "the input ended", NULL);
    if (err != 0)
        return err;
    al_root_derive(&r->root, entropy);
    sodium_memzero(entropy, sizeof(entropy));
    if (r->has_keys)
        err = compare_owner(r, &r->old.identity, "this machine is that of");
    if (err == 0)
        err = compare_owner(r, &r->log.owner,
            r->backup != NULL ? "the backup is that of" : "the log here is that of");
    return err;
}

/* --- the device ---------------------------------------------------------------------------- */

static int derive(struct restore *r, uint32_t generation)
{
    uint8_t read_sk[32];
    al_root_read_key(read_sk, &r->root, generation);
    int err =
        al_keyring_init(&r->keyring, &r->root.identity, r->device.device_seed, generation, read_sk);
    sodium_memzero(read_sk, sizeof(read_sk));
    return err == 0 ? 0 : fail(r, err, "no usable keys could be made", NULL, NULL);
}

/* The device is decided, and kept, before anybody hears of it. */
static int choose_device(struct restore *r)
{
    r->device = (struct al_files_restore){
        .identity = r->root.identity, .created_ms = al_node_thread_now().wall_ms};
    randombytes_buf(r->device.device_seed, sizeof(r->device.device_seed));
    randombytes_buf(r->device.boot, sizeof(r->device.boot));
    int err = al_files_restore_begin(&r->device, r->paths.keys);
    if (err != 0)
        return fail(r, err, "the key files cannot be written", NULL, "aloud paths");
    r->record = al_record_new(&r->root.identity);
    return r->record == NULL ? fail(r, AL_E_NOMEM, "no memory is left", NULL, NULL) : derive(r, 1);
}

static int take_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct restore *r = arg;
    struct al_statement s;
    bool is_new;
    (void)key;
    int err = al_statement_open(&s, value);
    return err == 0 ? al_record_add(r->record, &is_new, &s, value) : AL_E_CORRUPT;
}

/* What the log at hand knows of the identity. */
static int read_own_record(struct restore *r)
{
    struct al_store *store;
    if (!r->log.there)
        return 0;
    int err =
        al_store_open(&store, r->backup != NULL ? r->staged : r->paths.log_db, AL_STORE_WRITE);
    if (err == 0) {
        err = al_store_kv_scan(store, AL_SPACE_STATEMENT,
            al_slice_of(r->root.identity.b, sizeof(r->root.identity.b)), take_statement, r);
        al_store_close(store);
    }
    return err == 0 ? 0 : fail(r, err, "the log cannot be read", NULL, NULL);
}

static int ask_peer(struct restore *r)
{
    uint8_t bytes[512];
    struct al_buf cert = al_buf_fixed(bytes, sizeof(bytes));
    if (r->from == NULL)
        return 0;
    al_statement_encode_cert(&cert, &r->root.identity, r->root.secret, &r->keyring.device,
        r->keyring.device_secret, r->device.created_ms, al_slice_str(r->device_name));
    say("Asking it for what it knows of you ... ");
    int err = al_peer_link_fetch(
        &r->peer, r->record, &r->network, &r->keyring, al_buf_slice(&cert), r->device.boot);
    size_t devices = al_record_devices(r->record);
    if (err != 0) {
        say("no.\n");
        return fail_peer(r, err);
    }
    if (al_record_read_generation(r->record) > 0) {
        say("%zu %s.\n", devices - 1, devices == 2 ? "device" : "devices");
        return 0;
    }
    say("nothing.\n");
    if (confirm(r,
            "This peer knows nobody with these words: it has nothing of yours to give back.\n"
            "Go on with an empty log? [y/N] "))
        return 0;
    return fail(r, AL_E_NOT_FOUND, "this peer knows nobody with these words",
        "check that they are the right ones, or ask somebody who follows you",
        "aloud restore --from ANOTHER-TICKET");
}

/* --- making -------------------------------------------------------------------------------- */

static int open_log(struct restore *r, struct al_store **ret)
{
    char kept[AL_PATH_BYTES + 16] = "";
    int err = 0;
    if (r->backup == NULL && !r->log.has_entries && !r->has_keys) {
        err = al_place_clear(r->paths.log_db, &r->complaint);
        if (err != 0)
            return err;
    }
    if (r->backup != NULL && r->has_keys) { /* before it has its name: no start may go on with it */
        err = al_store_open(ret, r->staged, AL_STORE_WRITE);
        if (err == 0) {
            err = al_restore_mark_copy(*ret);
            al_store_close(*ret);
        }
        if (err != 0)
            return fail(r, err, "the backup cannot be used", NULL, NULL);
    }
    if (r->backup != NULL)
        err = al_place_put(r->paths.log_db, r->staged, kept, &r->complaint);
    if (err != 0)
        return err;
    if (kept[0] != '\0')
        say("The log that was here is kept as %s.\n", kept);
    err = al_store_open(ret, r->paths.log_db, AL_STORE_CREATE);
    return err == 0 ? 0 : fail(r, err, "the log cannot be made", NULL, "aloud paths");
}

static int fill_log(struct restore *r, struct al_store *store)
{
    struct al_slice statements[AL_RECORD_STATEMENTS_MAX];
    struct al_restore_opts opts = {
        .root = &r->root,
        .keyring = &r->keyring,
        .device_name = al_slice_str(r->device_name),
        .created_ms = r->device.created_ms,
        .statements = statements,
        .statement_count = al_record_count(r->record),
        .peer = r->from != NULL ? &r->peer : NULL,
    };
    for (size_t i = 0; i < opts.statement_count; i++)
        statements[i] = al_record_statement(r->record, i, NULL);
    randombytes_buf(opts.seed, sizeof(opts.seed));
    int err = al_restore_store(store, &opts);
    sodium_memzero(opts.seed, sizeof(opts.seed));
    return err;
}

/*
 * Where there are no keys they come last: with them the directory is whole. Where there are, the
 * log is that of a copy until the new device has taken their place, so that no start in between
 * goes on with a log of the old one.
 */
static int make(struct restore *r)
{
    struct al_store *store;
    uint8_t instance[AL_INSTANCE_BYTES];
    randombytes_buf(instance, sizeof(instance));
    int err = open_log(r, &store);
    if (err != 0)
        return err;
    if (r->has_keys)
        err = al_restore_mark_copy(store);
    if (err == 0 && r->has_keys)
        err = al_files_replace(r->paths.keys, &r->keyring, instance, &r->device);
    if (err == 0)
        err = fill_log(r, store);
    if (err == 0 && !r->has_keys)
        err = al_files_replace(r->paths.keys, &r->keyring, instance, &r->device);
    if (err == 0)
        err = al_files_restore_end(r->paths.keys);
    al_store_close(store);
    return err == 0 ? 0 : fail(r, err, "the identity could not be saved", NULL, "aloud restore");
}

static void tell(const struct restore *r)
{
    char id[AL_ID_TEXT];
    al_id_text_prefix(id, r->root.identity.b, SHOWN_CHARS);
    say("\nThis is you again: ~%s, on %s.\n"
        "It is a new device of yours, with a log of its own.\n",
        id, r->device_name);
    if (r->from == NULL)
        say("What others carry of yours comes when you meet one of them: aloud join TICKET\n");
    if (!r->has_keys)
        return;
    al_id_text_prefix(id, r->old.device.b, SHOWN_CHARS);
    if (r->renews)
        say("The device that this machine was, %s, stays in your list. To cut it off for good:\n"
            "  aloud device revoke %s\n",
            id, id);
    else
        say("What was written here as a copy is posted by the new device, under new ids.\n"
            "The device that this was a copy of, %s, keeps its own key. If it is gone or stolen:\n"
            "  aloud device revoke %s\n",
            id, id);
}

static int run(struct restore *r)
{
    int err = prepare(r);
    if (err == 0)
        err = look_around(r);
    if (err == 0)
        err = reach_peer(r);
    if (err == 0)
        err = bring_backup(r);
    if (err == 0)
        err = take_words(r);
    if (err == 0)
        err = choose_device(r);
    if (err == 0)
        err = read_own_record(r);
    if (err == 0)
        err = ask_peer(r);
    uint32_t generation = err == 0 ? al_record_read_generation(r->record) : 0;
    if (err == 0 && generation > 1)
        err = derive(r, generation);
    if (err == 0)
        err = make(r);
    if (err == 0)
        tell(r);
    return err;
}

int al_restore_command(int argc, char **argv)
{
    static struct restore restore = {.lock = -1};
    struct restore *r = &restore;
    int status = read_line(r, argc, argv);
    if (status >= 0)
        return status;
    int err = run(r);
    status = err == 0 ? 0 : al_complain(&r->complaint);
    al_root_wipe(&r->root);
    al_keyring_wipe(&r->keyring);
    al_keyring_wipe(&r->old);
    sodium_memzero(&r->device, sizeof(r->device));
    al_record_free(r->record);
    if (r->lock >= 0)
        al_files_unlock(r->lock);
    return status;
}
