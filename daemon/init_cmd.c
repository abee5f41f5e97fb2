#include "init_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"
#include "conf.h"
#include "files.h"
#include "hash.h"
#include "id.h"
#include "init.h"
#include "limit.h"
#include "names.h"
#include "node_thread.h"
#include "paths.h"
#include "phrase.h"
#include "place.h"
#include "private.h"
#include "scan.h"
#include "store.h"
#include "terminal.h"
#include "text.h"

static const char usage[] =
    "usage: aloudd init [options]\n"
    "\n"
    "  --name NAME          your name, as others will see it\n"
    "  --device NAME        of this machine (its host name, unless given)\n"
    "  --phrase-out FILE    write the 24 words to this new file instead of showing them\n"
    "  --home DIR           keep everything under DIR\n"
    "  --help\n";

struct init {
    const char *phrase_out;
    const char *home;
    char name[AL_NAMES_BYTES];
    char device[AL_NAMES_BYTES];
    struct al_paths paths;
    int lock;
    bool has_phrase_file; /* made here, of no use unless all the rest succeeds */
    struct al_root root;
    struct al_keyring keyring;
    struct al_store *store;
    struct al_complaint complaint;
};

/* Returns -1 to go on, or the exit status. */
static int read_line(struct init *n, int argc, char **argv)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'},
        {"device", required_argument, NULL, 'd'},
        {"phrase-out", required_argument, NULL, 'p'},
        {"home", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            (void)strlcpy(n->name, optarg, sizeof(n->name));
            break;
        case 'd':
            (void)strlcpy(n->device, optarg, sizeof(n->device));
            break;
        case 'p':
            n->phrase_out = optarg;
            break;
        case 'H':
            n->home = optarg;
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
    (void)fputs("  try: aloudd init --help\n", stderr);
    return AL_STATUS_USAGE;
}

static int fail(struct init *n, int err, const char *what, const char *why, const char *hint)
{
    n->complaint.err = err;
    n->complaint.what = what;
    n->complaint.why = why;
    n->complaint.hint = hint;
    return err;
}

/* --- what is there already ----------------------------------------------------------------- */

/* A log without keys is what a broken-off init leaves, unless there are entries in it. */
static int clear_half_made(struct init *n)
{
    int err = al_place_clear(n->paths.log_db, &n->complaint);
    return err != AL_E_EXISTS
               ? err
               : fail(n, err, "there is a log here, but no keys",
                     "its entries belong to somebody: init does not touch them", "aloud restore");
}

static int look_around(struct init *n)
{
    pid_t holder;
    int err = al_files_lock(&n->lock, &holder, n->paths.data);
    if (err == AL_E_BUSY)
        return fail(n, AL_E_EXISTS, "a node runs here already", NULL, "aloud status");
    if (err != 0) {
        al_complain_of_dir(&n->complaint, err, n->paths.data);
        return err;
    }
    if (al_files_restore_open(n->paths.keys))
        return fail(n, AL_E_EXISTS, "a restore was begun here and did not come to its end",
            "it can be begun again, with the same words", "aloud restore");
    err = al_files_load(&n->keyring, n->paths.keys);
    if (err == 0)
        return fail(n, AL_E_EXISTS, "this machine has an identity already",
            "init never replaces keys", "aloud status");
    if (err != AL_E_NOT_INITIALISED)
        return fail(n, err, "there are key files that cannot be used", NULL, "aloud paths");
    return clear_half_made(n);
}

/* --- names --------------------------------------------------------------------------------- */

static int find_names(struct init *n)
{
    bool asks = n->name[0] == '\0' && al_terminal_is_there();
    if (n->name[0] == '\0' && !asks)
        return fail(n, AL_E_PARAMS, "a name is needed", "there is no terminal to ask at",
            "aloud init --name NAME --phrase-out FILE");
    if (asks && !al_terminal_ask(n->name, sizeof(n->name), "Your name, as others will see it: "))
        return fail(n, AL_E_PARAMS, "a name is needed", "the input ended", NULL);
    if (!al_names_good(n->name))
        return fail(n, AL_E_PARAMS, "that name is not possible", AL_NAMES_RULE, NULL);
    if (!al_names_device(n->device))
        return fail(n, AL_E_PARAMS, "that device name is not possible", AL_NAMES_RULE, NULL);
    return 0;
}

/* --- the phrase ---------------------------------------------------------------------------- */

static int write_phrase_file(struct init *n)
{
    char phrase[AL_PHRASE_BYTES];
    int fd = open(n->phrase_out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(n, errno == EEXIST ? AL_E_EXISTS : al_private_err(errno),
            "the file for the words cannot be made",
            errno == ENOENT ? "its directory is not there" : NULL,
            "aloud init --phrase-out NEW-FILE");
    n->has_phrase_file = true;
    al_phrase_text(phrase, n->root.entropy);
    size_t size = strlen(phrase);
    phrase[size++] = '\n';
    bool written = write(fd, phrase, size) == (ssize_t)size && fsync(fd) == 0;
    int errnum = errno;
    sodium_memzero(phrase, sizeof(phrase));
    if (close(fd) != 0 || !written)
        return fail(n, al_private_err(errnum), "the words cannot be written", NULL, NULL);
    return 0;
}

/* The words leave before anything is made with them: what is made can't be had without them. */
static int give_phrase(struct init *n)
{
    if (n->phrase_out != NULL)
        return write_phrase_file(n);
    al_terminal_say("\nThese 24 words are you: they bring everything back on a new machine.\n"
                    "Write them down now; they are stored nowhere, and nobody can reset them.\n\n");
    al_terminal_show_phrase(n->root.entropy);
    al_terminal_say("\n");
    return 0;
}

/* --- making -------------------------------------------------------------------------------- */

static int derive(struct init *n)
{
    uint8_t entropy[AL_ENTROPY_BYTES], device_seed[32], read_sk[32];
    randombytes_buf(entropy, sizeof(entropy));
    randombytes_buf(device_seed, sizeof(device_seed));
    al_root_derive(&n->root, entropy);
    al_root_read_key(read_sk, &n->root, 1);
    int err = al_keyring_init(&n->keyring, &n->root.identity, device_seed, 1, read_sk);
    sodium_memzero(entropy, sizeof(entropy));
    sodium_memzero(device_seed, sizeof(device_seed));
    sodium_memzero(read_sk, sizeof(read_sk));
    return err == 0 ? 0 : fail(n, err, "no usable keys could be made", NULL, NULL);
}

/* The keys come last: with them the directory is whole, without them init begins anew. */
static int make(struct init *n)
{
    uint8_t seed[32], instance[AL_INSTANCE_BYTES];
    randombytes_buf(seed, sizeof(seed));
    randombytes_buf(instance, sizeof(instance));
    int err = al_init_store(n->store, &n->root, &n->keyring, al_slice_str(n->name),
        al_slice_str(n->device), al_node_thread_now().wall_ms, seed);
    sodium_memzero(seed, sizeof(seed));
    if (err == 0)
        err = al_files_create(n->paths.keys, &n->keyring, instance);
    return err == 0 ? 0 : fail(n, err, "the identity could not be saved", NULL, "aloudd init");
}

static void check_phrase(struct init *n)
{
    if (n->phrase_out != NULL)
        return;
    al_terminal_say("To be sure, three of them (Enter skips):\n");
    if (al_terminal_check_phrase(n->root.entropy) && al_init_confirm(n->store) == 0)
        al_terminal_say("  Right.\n");
    else
        al_terminal_say("  Skipped; aloud status will remind you.\n");
}

static void tell(const struct init *n)
{
    char id[AL_ID_TEXT], text[512];
    al_id_text_prefix(id, n->root.identity.b, 12);
    (void)snprintf(text, sizeof(text), "\n%s (%s) on %s.%s%s\n", n->name, id, n->device,
        n->phrase_out == NULL ? "" : " The 24 words are in ",
        n->phrase_out == NULL ? "" : n->phrase_out);
    al_terminal_say(text);
    al_terminal_say("Nothing leaves this machine before your first invite or join.\n"
                    "  aloud post \"what I am working on\"\n"
                    "  aloud invite\n"
                    "  aloud status\n");
}

/* A node that can't start is found out before there is an identity, not after it. */
static int check_config(struct init *n)
{
    struct al_conf conf;
    al_conf_init(&conf);
    int err = al_conf_read(&conf, n->complaint.text, n->paths.config_file);
    return err == 0 ? 0 : fail(n, err, "the configuration is wrong", n->complaint.text, NULL);
}

static int run(struct init *n)
{
    int err = al_crypto_self_test();
    if (err != 0)
        return fail(n, err, "libsodium fails its self-test", NULL, NULL);
    err = al_paths_init(&n->paths, n->home);
    if (err != 0)
        return al_complain_of_paths(&n->complaint, err, "aloud init --home DIR");
    if (n->phrase_out == NULL && !al_terminal_is_there())
        return fail(n, AL_E_PARAMS, "the 24 words have nowhere to go", "there is no terminal",
            "aloud init --name NAME --phrase-out FILE");
    err = check_config(n);
    if (err == 0)
        err = look_around(n);
    if (err == 0)
        err = find_names(n);
    if (err == 0)
        err = derive(n);
    if (err != 0)
        return err;
    err = al_store_open(&n->store, n->paths.log_db, AL_STORE_CREATE);
    if (err != 0)
        return fail(n, err, "the log cannot be made", NULL, "aloud paths");
    err = give_phrase(n);
    if (err == 0)
        err = make(n);
    if (err == 0) {
        check_phrase(n);
        tell(n);
    } else if (n->has_phrase_file) {
        (void)unlink(n->phrase_out);
    }
    return err;
}

int al_init_command(int argc, char **argv)
{
    static struct init init = {.lock = -1};
    struct init *n = &init;
    int status = read_line(n, argc, argv);
    if (status >= 0)
        return status;
    int err = run(n);
    status = err == 0 ? 0 : al_complain(&n->complaint);
    al_store_close(n->store);
    al_root_wipe(&n->root);
    al_keyring_wipe(&n->keyring);
    if (n->lock >= 0)
        al_files_unlock(n->lock);
    return status;
}
