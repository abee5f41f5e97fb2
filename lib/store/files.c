#include "files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "hash.h"
#include "private.h"
#include "read.h"
#include "write.h"

#define DEVICE "device"
#define INSTANCE "instance"
#define RESTORE "restore"
#define LOCK "lock"
#define VERSION 1
#define FILE_MAX 256
#define BOOTS_BYTES ((size_t)AL_FILES_BOOTS_MAX * AL_BOOT_BYTES)
#define INSTANCE_MAX (FILE_MAX + BOOTS_BYTES)

/* --- device -------------------------------------------------------------------------------- */

static_assert(sizeof(((struct al_keyring *)0)->device_secret) == 2 * crypto_sign_SEEDBYTES,
    "the seed is the first half of the secret key");

static int write_device(int dir_fd, const struct al_keyring *k)
{
    uint8_t bytes[FILE_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 5);
    al_write_uint(&b, VERSION);
    al_write_bin(&b, k->identity.b, sizeof(k->identity.b));
    al_write_bin(&b, k->device_secret, crypto_sign_SEEDBYTES);
    al_write_uint(&b, k->generation);
    al_write_bin(&b, k->read_sk, sizeof(k->read_sk));
    AL_ASSERT(!b.full);
    int err = al_private_write(dir_fd, DEVICE, al_buf_slice(&b));
    sodium_memzero(bytes, sizeof(bytes));
    return err;
}

static int parse_device(struct al_keyring *ret, struct al_slice bytes)
{
    struct al_identity identity;
    uint8_t seed[crypto_sign_SEEDBYTES], read_sk[32];
    struct al_read r = al_read_message(bytes);
    (void)al_read_array_v1(&r, 5, 5);
    al_read_bytes(&r, identity.b, sizeof(identity.b));
    al_read_bytes(&r, seed, sizeof(seed));
    uint32_t generation = (uint32_t)al_read_uint(&r, AL_READ_GENERATIONS_MAX);
    al_read_bytes(&r, read_sk, sizeof(read_sk));
    int err = al_read_end(&r);
    if (err == 0 && generation == 0)
        err = AL_E_RANGE;
    if (err == 0)
        err = al_keyring_init(ret, &identity, seed, generation, read_sk);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(read_sk, sizeof(read_sk));
    return err;
}

/* What is wrong with a file of ours, in words for the person: its bytes are not of interest. */
static int file_error(int err)
{
    switch (err) {
    case 0:
    case AL_E_VERSION:
    case AL_E_PERMISSION:
    case AL_E_IO:
    case AL_E_FULL:
    case AL_E_READ_ONLY:
    case AL_E_NOMEM:
    case AL_E_PATH:
        return err;
    default:
        return AL_E_CORRUPT;
    }
}

int al_files_load(struct al_keyring *ret, const char *dir)
{
    int fd;
    int err = al_private_open_dir(&fd, dir);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? AL_E_NOT_INITIALISED : err;
    uint8_t bytes[FILE_MAX];
    size_t n;
    err = al_private_read(&n, bytes, sizeof(bytes), fd, DEVICE);
    (void)close(fd);
    if (err == AL_E_NOT_FOUND)
        return AL_E_NOT_INITIALISED;
    if (err == 0)
        err = parse_device(ret, al_slice_of(bytes, n));
    sodium_memzero(bytes, sizeof(bytes));
    return file_error(err);
}

/* --- instance ------------------------------------------------------------------------------ */

struct instance {
    uint8_t id[AL_INSTANCE_BYTES];
    struct al_hash host;
    bool has_host;
    uint64_t starts;
    uint8_t boots[AL_FILES_BOOTS_MAX][AL_BOOT_BYTES];
    size_t boot_count;
};

/* The first line of |path|, if it is a machine's id: false when there is none. */
static bool read_host(struct al_hash *out, const char *path)
{
    char line[64] = {0};
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    bool ok = fgets(line, sizeof(line), f) != NULL;
    (void)fclose(f);
    size_t n = strcspn(line, "\n");
    /* systemd writes "uninitialized" into the images that many machines start from */
    if (!ok || n < 16 || strncmp(line, "uninitialized", 13) == 0)
        return false;
    al_hash1(out, AL_P_HOST, line, n); /* the id itself is not to be passed around: machine-id(5) */
    return true;
}

static bool find_host(struct al_hash *out)
{
    return read_host(out, "/etc/machine-id") || read_host(out, "/var/lib/dbus/machine-id") ||
           read_host(out, "/etc/hostid");
}

static int write_instance(int dir_fd, const struct instance *in)
{
    uint8_t bytes[INSTANCE_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 5);
    al_write_uint(&b, VERSION);
    al_write_bin(&b, in->id, sizeof(in->id));
    al_write_bin(&b, in->host.b, in->has_host ? sizeof(in->host.b) : 0);
    al_write_uint(&b, in->starts);
    al_write_bin(&b, in->boots[0], in->boot_count * AL_BOOT_BYTES);
    AL_ASSERT(!b.full);
    return al_private_write(dir_fd, INSTANCE, al_buf_slice(&b));
}

static int read_instance(struct instance *out, int dir_fd)
{
    uint8_t bytes[INSTANCE_MAX];
    size_t n;
    int err = al_private_read(&n, bytes, sizeof(bytes), dir_fd, INSTANCE);
    if (err != 0)
        return err;
    struct al_read r = al_read_message(al_slice_of(bytes, n));
    struct al_slice boots = al_slice_of(NULL, 0);
    uint32_t fields = al_read_array_v1(&r, 4, 5);
    al_read_bytes(&r, out->id, sizeof(out->id));
    struct al_slice host = al_read_bin(&r, 0, sizeof(out->host.b));
    out->starts = al_read_uint(&r, UINT64_MAX - 1);
    if (fields == 5)
        boots = al_read_bin(&r, 0, BOOTS_BYTES);
    err = al_read_end(&r);
    if (err != 0)
        return err;
    if ((host.n != 0 && host.n != sizeof(out->host.b)) || boots.n % AL_BOOT_BYTES != 0)
        return AL_E_LENGTH;
    out->has_host = host.n != 0;
    if (out->has_host)
        memcpy(out->host.b, host.p, host.n);
    out->boot_count = boots.n / AL_BOOT_BYTES;
    if (boots.n > 0)
        memcpy(out->boots, boots.p, boots.n);
    return 0;
}

/* The oldest gives way when there are too many. */
static void add_boot(struct instance *in, const uint8_t boot[AL_BOOT_BYTES])
{
    if (in->boot_count == AL_FILES_BOOTS_MAX) {
        in->boot_count--;
        memmove(in->boots[0], in->boots[1], in->boot_count * AL_BOOT_BYTES);
    }
    memcpy(in->boots[in->boot_count++], boot, AL_BOOT_BYTES);
}

static bool is_elsewhere(const struct instance *in)
{
    struct al_hash host;
    return in->has_host && (!find_host(&host) || !al_hash_eq(&host, &in->host));
}

int al_files_host_differs(bool *ret, const char *dir)
{
    int fd;
    struct instance in;
    int err = al_private_open_dir(&fd, dir);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? AL_E_NOT_INITIALISED : err;
    err = read_instance(&in, fd);
    (void)close(fd);
    if (err == 0)
        *ret = is_elsewhere(&in);
    return err == AL_E_NOT_FOUND ? AL_E_NOT_INITIALISED : file_error(err);
}

int al_files_boot(struct al_files_boot *ret, const char *dir, const uint8_t boot[AL_BOOT_BYTES])
{
    int fd;
    struct instance in;
    int err = al_private_open_dir(&fd, dir);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? AL_E_NOT_INITIALISED : err;
    err = read_instance(&in, fd);
    if (err == AL_E_NOT_FOUND && faccessat(fd, DEVICE, F_OK, 0) != 0) {
        err = AL_E_NOT_INITIALISED;
        goto out;
    }
    if (err == 0) {
        in.starts++;
        add_boot(&in, boot);
        err = write_instance(fd, &in);
    }
    err = file_error(err);
    if (err == 0) {
        memcpy(ret->instance, in.id, sizeof(ret->instance));
        ret->starts = in.starts;
        ret->host_differs = is_elsewhere(&in);
        memcpy(ret->boots, in.boots, in.boot_count * AL_BOOT_BYTES);
        ret->boot_count = in.boot_count;
        ret->boots_lost = in.boot_count < in.starts && in.boot_count < AL_FILES_BOOTS_MAX;
    }
out:
    (void)close(fd);
    return err;
}

/* Make the keys directory if it is missing, and open it. */
static int make_dir(int *ret_fd, const char *dir)
{
    int err = al_private_make_dir(dir);
    return err == 0 ? al_private_open_dir(ret_fd, dir) : err;
}

/* |boot|: that was shown before the first start; NULL: none was. */
static int write_new_instance(
    int dir_fd, const uint8_t id[AL_INSTANCE_BYTES], const uint8_t boot[AL_BOOT_BYTES])
{
    struct instance in = {.starts = 0};
    memcpy(in.id, id, sizeof(in.id));
    if (boot != NULL)
        add_boot(&in, boot);
    in.has_host = find_host(&in.host);
    return write_instance(dir_fd, &in);
}

int al_files_create(
    const char *dir, const struct al_keyring *k, const uint8_t instance[AL_INSTANCE_BYTES])
{
    int fd;
    int err = make_dir(&fd, dir);
    if (err != 0)
        return err;
    if (faccessat(fd, DEVICE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        err = AL_E_EXISTS;
    if (err == 0)
        err = write_new_instance(fd, instance, NULL);
    if (err == 0) /* the last: with it there is a device */
        err = write_device(fd, k);
    (void)close(fd);
    return err;
}

/* --- restore ------------------------------------------------------------------------------- */

static int write_restore(int dir_fd, const struct al_files_restore *restore)
{
    uint8_t bytes[FILE_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 5);
    al_write_uint(&b, VERSION);
    al_write_bin(&b, restore->identity.b, sizeof(restore->identity.b));
    al_write_bin(&b, restore->device_seed, sizeof(restore->device_seed));
    al_write_uint(&b, restore->created_ms);
    al_write_bin(&b, restore->boot, sizeof(restore->boot));
    AL_ASSERT(!b.full);
    int err = al_private_write(dir_fd, RESTORE, al_buf_slice(&b));
    sodium_memzero(bytes, sizeof(bytes));
    return err;
}

static int read_restore(struct al_files_restore *out, int dir_fd)
{
    uint8_t bytes[FILE_MAX];
    size_t n;
    int err = al_private_read(&n, bytes, sizeof(bytes), dir_fd, RESTORE);
    if (err != 0)
        return err;
    struct al_read r = al_read_message(al_slice_of(bytes, n));
    (void)al_read_array_v1(&r, 5, 5);
    al_read_bytes(&r, out->identity.b, sizeof(out->identity.b));
    al_read_bytes(&r, out->device_seed, sizeof(out->device_seed));
    out->created_ms = al_read_uint(&r, AL_TIME_MAX);
    al_read_bytes(&r, out->boot, sizeof(out->boot));
    sodium_memzero(bytes, sizeof(bytes));
    return al_read_end(&r);
}

int al_files_restore_begin(struct al_files_restore *restore, const char *dir)
{
    int fd;
    struct al_files_restore before;
    int err = make_dir(&fd, dir);
    if (err != 0)
        return err;
    err = read_restore(&before, fd);
    if (err == 0 && al_identity_eq(&before.identity, &restore->identity))
        *restore = before;
    else if (err == 0 || err == AL_E_NOT_FOUND)
        err = write_restore(fd, restore);
    sodium_memzero(&before, sizeof(before));
    (void)close(fd);
    return file_error(err);
}

bool al_files_restore_open(const char *dir)
{
    int fd;
    if (al_private_open_dir(&fd, dir) != 0)
        return false;
    bool open = faccessat(fd, RESTORE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    (void)close(fd);
    return open;
}

/* While the instance is the old one, the new device still counts as on the old one's machine. */
int al_files_replace(const char *dir, const struct al_keyring *k,
    const uint8_t instance[AL_INSTANCE_BYTES], const struct al_files_restore *restore)
{
    int fd;
    int err = make_dir(&fd, dir);
    if (err != 0)
        return err;
    bool was_there = faccessat(fd, DEVICE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (!was_there)
        err = write_new_instance(fd, instance, restore->boot);
    if (err == 0)
        err = write_device(fd, k);
    if (err == 0 && was_there)
        err = write_new_instance(fd, instance, restore->boot);
    (void)close(fd);
    return err;
}

int al_files_restore_end(const char *dir)
{
    int fd;
    int err = al_private_open_dir(&fd, dir);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    if (unlinkat(fd, RESTORE, 0) != 0 && errno != ENOENT)
        err = al_private_err(errno);
    if (err == 0 && fsync(fd) != 0)
        err = al_private_err(errno);
    (void)close(fd);
    return err;
}

/* --- lock ---------------------------------------------------------------------------------- */

static pid_t read_pid(const char *path)
{
    char text[32] = {0};
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fgets(text, sizeof(text), f) == NULL)
        text[0] = '\0';
    (void)fclose(f);
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

int al_files_lock(int *ret_fd, pid_t *holder, const char *data_dir)
{
    char path[PATH_MAX];
    int err = al_private_make_dir(data_dir);
    if (err != 0)
        return err;
    if (snprintf(path, sizeof(path), "%s/" LOCK, data_dir) >= (int)sizeof(path))
        return AL_E_PATH;
    int fd =
        flopen(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EWOULDBLOCK) {
        *holder = read_pid(path);
        return AL_E_BUSY;
    }
    if (fd < 0)
        return al_private_err(errno);
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        err = al_private_err(errno);
        (void)close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

void al_files_unlock(int fd)
{
    (void)close(fd);
}
