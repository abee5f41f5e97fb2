/*
 * The key files and the lock: what was written comes back, what others could have touched is
 * refused, and damaged files are called damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "private.h"
#include "write.h"

static char base[] = "/tmp/aloud-files-XXXXXX"; /* made anew for each test */
static char keys[64], device[80], instance_file[80];
static struct al_keyring keyring;
static const uint8_t instance[AL_INSTANCE_BYTES] = "instance of test";

static int set_up(void **state)
{
    (void)state;
    strcpy(base + strlen(base) - 6, "XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    (void)snprintf(keys, sizeof(keys), "%s/data/keys", base);
    (void)snprintf(device, sizeof(device), "%s/device", keys);
    (void)snprintf(instance_file, sizeof(instance_file), "%s/instance", keys);
    struct al_root root;
    const uint8_t entropy[32] = {3}, seed[32] = {4};
    uint8_t read_sk[32];
    al_root_derive(&root, entropy);
    al_root_read_key(read_sk, &root, 2);
    return al_keyring_init(&keyring, &root.identity, seed, 2, read_sk);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

static void create(void)
{
    assert_int_equal(al_files_create(keys, &keyring, instance), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static int load(void)
{
    struct al_keyring k;
    return al_files_load(&k, keys);
}

/* Boots are numbers here. */
static int start(struct al_files_boot *ret, uint64_t number)
{
    uint8_t bytes[AL_BOOT_BYTES];
    al_u64be(bytes, number);
    return al_files_boot(ret, keys, bytes);
}

static int boot(void)
{
    struct al_files_boot b;
    return start(&b, 1);
}

/* Replace the file |name| of the keys directory by |n| bytes, mode 0600. */
static void replace(const char *name, const void *p, size_t n)
{
    int fd;
    assert_int_equal(al_private_open_dir(&fd, keys), 0);
    assert_int_equal(al_private_write(fd, name, al_slice_of(p, n)), 0);
    assert_int_equal(close(fd), 0);
}

static void what_was_created_is_loaded_and_never_overwritten(void **state)
{
    (void)state;
    struct al_keyring got;
    memset(&got, 0, sizeof(got)); /* padding too: the whole is compared */
    assert_int_equal(load(), AL_E_NOT_INITIALISED);
    assert_int_equal(boot(), AL_E_NOT_INITIALISED);
    create();
    assert_int_equal(al_files_load(&got, keys), 0);
    assert_memory_equal(&got, &keyring, sizeof(got));
    assert_int_equal(al_files_create(keys, &keyring, instance), AL_E_EXISTS);
}

static void files_are_0600_in_a_0700_directory_under_any_umask(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 022, 077, 0277, 0777};
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        mode_t before = umask(masks[i]);
        int err = al_files_create(keys, &keyring, instance);
        umask(before);
        assert_int_equal(err, 0);
        assert_int_equal(mode_of(keys), 0700);
        assert_int_equal(mode_of(device), 0600);
        assert_int_equal(mode_of(instance_file), 0600);
        assert_int_equal(boot(), 0);
        assert_int_equal(mode_of(instance_file), 0600);
        assert_int_equal(tear_down(NULL), 0);
    }
}

static void each_start_is_counted_and_the_instance_stays(void **state)
{
    (void)state;
    create();
    for (uint64_t i = 1; i <= 3; i++) {
        struct al_files_boot b;
        assert_int_equal(start(&b, i), 0);
        assert_int_equal(b.starts, i);
        assert_false(b.host_differs);
        assert_memory_equal(b.instance, instance, sizeof(instance));
    }
}

static void write_instance(uint64_t starts, const uint8_t *boots, size_t n)
{
    static uint8_t bytes[(AL_FILES_BOOTS_MAX + 32) * AL_BOOT_BYTES];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 5);
    al_write_uint(&b, 1);
    al_write_bin(&b, instance, sizeof(instance));
    al_write_bin(&b, NULL, 0);
    al_write_uint(&b, starts);
    al_write_bin(&b, boots, n);
    assert_false(b.full);
    replace("instance", bytes, b.n);
}

static void boots_are_kept_and_the_oldest_give_way(void **state)
{
    (void)state;
    static struct al_files_boot b;
    static uint8_t boots[AL_FILES_BOOTS_MAX - 1][AL_BOOT_BYTES];
    create();
    assert_int_equal(start(&b, 1), 0);
    assert_int_equal(b.boot_count, 1);
    assert_int_equal(start(&b, 2), 0);
    assert_int_equal(b.boot_count, 2);
    assert_int_equal(al_u64be_read(b.boots[0]), 1);
    assert_int_equal(al_u64be_read(b.boots[1]), 2);

    for (uint64_t i = 1; i < AL_FILES_BOOTS_MAX; i++)
        al_u64be(boots[i - 1], i);
    write_instance(AL_FILES_BOOTS_MAX - 1, boots[0], sizeof(boots));
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(start(&b, AL_FILES_BOOTS_MAX + i), 0);
        assert_int_equal(b.boot_count, AL_FILES_BOOTS_MAX);
        assert_int_equal(al_u64be_read(b.boots[0]), i + 1);
        assert_int_equal(al_u64be_read(b.boots[AL_FILES_BOOTS_MAX - 1]), AL_FILES_BOOTS_MAX + i);
        assert_false(b.boots_lost);
    }
}

/* As files were before boots were kept in them. */
static void an_old_file_is_read_and_known_to_have_forgotten(void **state)
{
    (void)state;
    static const uint64_t starts[] = {0, 3};
    for (size_t i = 0; i < 2; i++) {
        struct al_files_boot got;
        uint8_t bytes[128];
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        if (i == 0)
            create();
        al_write_array(&b, 4);
        al_write_uint(&b, 1);
        al_write_bin(&b, instance, sizeof(instance));
        al_write_bin(&b, NULL, 0);
        al_write_uint(&b, starts[i]);
        replace("instance", bytes, b.n);
        for (uint64_t n = 1; n <= 2; n++) {
            assert_int_equal(start(&got, n), 0);
            assert_int_equal(got.starts, starts[i] + n);
            assert_int_equal(got.boot_count, n);
            assert_int_equal(got.boots_lost, starts[i] > 0);
        }
    }
}

static void boots_that_are_no_whole_ones_are_called_corrupt(void **state)
{
    (void)state;
    static const uint8_t zeros[AL_FILES_BOOTS_MAX * AL_BOOT_BYTES + AL_BOOT_BYTES];
    static const size_t sizes[] = {7, 9, sizeof(zeros)};
    create();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        write_instance(1, zeros, sizes[i]);
        assert_int_equal(boot(), AL_E_CORRUPT);
    }
}

static void a_copy_on_another_host_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[128];
    const uint8_t other_host[32] = {1};
    create();
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 4);
    al_write_uint(&b, 1);
    al_write_bin(&b, instance, sizeof(instance));
    al_write_bin(&b, other_host, sizeof(other_host));
    al_write_uint(&b, 7);
    replace("instance", bytes, b.n);
    struct al_files_boot got;
    for (int i = 0; i < 2; i++) { /* and the notice does not wear off */
        assert_int_equal(start(&got, 1), 0);
        assert_true(got.host_differs);
    }
    assert_int_equal(got.starts, 9);

    b = al_buf_fixed(bytes, sizeof(bytes)); /* made where a machine has no id */
    al_write_array(&b, 4);
    al_write_uint(&b, 1);
    al_write_bin(&b, instance, sizeof(instance));
    al_write_bin(&b, NULL, 0);
    al_write_uint(&b, 7);
    replace("instance", bytes, b.n);
    assert_int_equal(start(&got, 1), 0);
    assert_false(got.host_differs);
}

static void rights_for_others_are_refused(void **state)
{
    (void)state;
    create();
    for (unsigned bit = 0; bit < 6; bit++) {
        assert_int_equal(chmod(keys, 0700 | 1U << bit), 0);
        assert_int_equal(load(), AL_E_PERMISSION);
        assert_int_equal(boot(), AL_E_PERMISSION);
        assert_int_equal(al_files_create(keys, &keyring, instance), AL_E_PERMISSION);
        assert_int_equal(chmod(keys, 0700), 0);
        assert_int_equal(chmod(device, 0600 | 1U << bit), 0);
        assert_int_equal(load(), AL_E_PERMISSION);
        assert_int_equal(chmod(device, 0600), 0);
        assert_int_equal(chmod(instance_file, 0600 | 1U << bit), 0);
        assert_int_equal(boot(), AL_E_PERMISSION);
        assert_int_equal(chmod(instance_file, 0600), 0);
    }
    assert_int_equal(load(), 0);
}

static void links_pipes_and_second_names_are_refused(void **state)
{
    (void)state;
    char aside[96];
    create();
    (void)snprintf(aside, sizeof(aside), "%s/aside", base);

    assert_int_equal(link(device, aside), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(unlink(device), 0);
    assert_int_equal(symlink(aside, device), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(al_files_create(keys, &keyring, instance), AL_E_EXISTS);
    assert_int_equal(unlink(device), 0);
    assert_int_equal(mkfifo(device, 0600), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(unlink(device), 0);
    assert_int_equal(mkdir(device, 0700), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(rmdir(device), 0);
    assert_int_equal(rename(aside, device), 0);
    assert_int_equal(load(), 0);

    assert_int_equal(rename(keys, aside), 0);
    assert_int_equal(symlink(aside, keys), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(boot(), AL_E_PERMISSION);
}

static void links_laid_where_a_file_will_be_written_are_not_followed(void **state)
{
    (void)state;
    char victim[96], draft[96];
    create();
    (void)snprintf(victim, sizeof(victim), "%s/victim", base);
    (void)snprintf(draft, sizeof(draft), "%s/instance.new", keys);
    assert_int_equal(symlink(victim, draft), 0);
    assert_int_equal(boot(), 0);
    assert_int_not_equal(access(victim, F_OK), 0);
    assert_int_not_equal(access(draft, F_OK), 0);
}

static void files_of_another_owner_are_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("# skipped: only root can give a file away\n");
        return;
    }
    create();
    assert_int_equal(chown(device, 12345, 12345), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(chown(device, 0, 0), 0);
    assert_int_equal(chown(keys, 12345, 12345), 0);
    assert_int_equal(load(), AL_E_PERMISSION);
    assert_int_equal(boot(), AL_E_PERMISSION);
}

static size_t slurp(uint8_t *out, size_t cap, const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, cap, f);
    (void)fclose(f);
    return n;
}

static void cut_lengthened_and_garbled_files_are_called_corrupt(void **state)
{
    (void)state;
    uint8_t good[256], bad[512] = {0};
    create();
    size_t n = slurp(good, sizeof(good), device);
    for (size_t cut = 0; cut < n; cut++) {
        replace("device", good, cut);
        assert_int_equal(load(), AL_E_CORRUPT);
    }
    memcpy(bad, good, n);
    replace("device", bad, n + 1);
    assert_int_equal(load(), AL_E_CORRUPT);
    replace("device", bad, sizeof(bad));
    assert_int_equal(load(), AL_E_CORRUPT);
    memset(bad, 0xa5, sizeof(bad));
    replace("device", bad, n);
    assert_int_equal(load(), AL_E_CORRUPT);
    memcpy(bad, good, n);
    bad[1] = 2;
    replace("device", bad, n);
    assert_int_equal(load(), AL_E_VERSION);

    n = slurp(good, sizeof(good), instance_file);
    for (size_t cut = 0; cut < n; cut++) {
        replace("instance", good, cut);
        assert_int_equal(boot(), AL_E_CORRUPT);
    }
    assert_int_equal(unlink(instance_file), 0); /* a device without it: something was lost */
    assert_int_equal(boot(), AL_E_CORRUPT);
}

static void keys_out_of_their_range_are_called_corrupt(void **state)
{
    (void)state;
    const uint8_t seed[32] = {1};
    create();
    for (int what = 0; what < 4; what++) {
        uint8_t bytes[128];
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        al_write_array(&b, 5);
        al_write_uint(&b, 1);
        al_write_bin(&b, what == 1 ? (const uint8_t[32]){0} : keyring.identity.b, 32);
        al_write_bin(&b, seed, 32);
        al_write_uint(&b, what == 2 ? 0 : what == 3 ? 65 : 1);
        al_write_bin(&b, seed, 32);
        replace("device", bytes, b.n);
        assert_int_equal(load(), what == 0 ? 0 : AL_E_CORRUPT);
    }
}

static void the_lock_excludes_others_names_them_and_ends_with_its_holder(void **state)
{
    (void)state;
    char data[80];
    int fd = -1, other = -1, ready[2], go[2];
    pid_t holder = 0;
    (void)snprintf(data, sizeof(data), "%s/data", base);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        char c = al_files_lock(&fd, &holder, data) == 0 ? 'y' : 'n';
        (void)!write(ready[1], &c, 1);
        (void)!read(go[0], &c, 1);
        _exit(0); /* without unlocking: the process ends, so does the lock */
    }
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    assert_int_equal(al_files_lock(&fd, &holder, data), AL_E_BUSY);
    assert_int_equal(holder, child);
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);

    assert_int_equal(al_files_lock(&fd, &holder, data), 0);
    assert_int_equal(al_files_lock(&other, &holder, data), AL_E_BUSY);
    assert_int_equal(holder, getpid());
    al_files_unlock(fd);
    assert_int_equal(al_files_lock(&fd, &holder, data), 0);
    al_files_unlock(fd);
    assert_int_equal(mode_of(data), 0700);
    for (int i = 0; i < 2; i++) {
        (void)close(ready[i]);
        (void)close(go[i]);
    }
}

static void a_lock_file_that_is_a_link_is_refused(void **state)
{
    (void)state;
    char path[96], victim[96], data[80];
    int fd;
    pid_t holder;
    (void)snprintf(data, sizeof(data), "%s/data", base);
    (void)snprintf(path, sizeof(path), "%s/lock", data);
    (void)snprintf(victim, sizeof(victim), "%s/victim", base);
    assert_int_equal(al_private_make_dir(data), 0);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(al_files_lock(&fd, &holder, data), AL_E_PERMISSION);
    assert_int_not_equal(access(victim, F_OK), 0);
}

static void a_directory_is_made_with_all_above_it_or_refused(void **state)
{
    (void)state;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/a/b/c/", base);
    assert_int_equal(al_private_make_dir(path), 0);
    assert_int_equal(al_private_make_dir(path), 0);
    path[strlen(path) - 3] = '\0';
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(al_private_make_dir(path), AL_E_PERMISSION);
    assert_int_equal(al_private_make_dir(""), AL_E_PATH);
    assert_int_equal(al_private_make_dir("/proc/here"), AL_E_NOT_FOUND);
    (void)snprintf(path, sizeof(path), "%s/file", base);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(al_private_make_dir(path), AL_E_PERMISSION);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* --- restore ------------------------------------------------------------------------------- */

static struct al_files_restore begun(uint8_t seed, uint64_t created_ms)
{
    struct al_files_restore r = {.identity = keyring.identity, .created_ms = created_ms};
    memset(r.device_seed, seed, sizeof(r.device_seed));
    memset(r.boot, seed, sizeof(r.boot));
    return r;
}

static void a_restore_that_was_cut_off_goes_on_with_its_device(void **state)
{
    (void)state;
    struct al_files_restore first = begun(1, 100), again = begun(2, 200), other = begun(3, 300);
    assert_false(al_files_restore_open(keys));
    assert_int_equal(al_files_restore_begin(&first, keys), 0);
    assert_true(al_files_restore_open(keys));
    assert_int_equal(al_files_restore_begin(&again, keys), 0);
    assert_int_equal(again.device_seed[0], 1);
    assert_int_equal(again.created_ms, 100);
    assert_int_equal(again.boot[0], 1);
    other.identity.b[0] ^= 1; /* other words: nothing of the first device is for them */
    assert_int_equal(al_files_restore_begin(&other, keys), 0);
    assert_int_equal(other.device_seed[0], 3);
    assert_int_equal(al_files_restore_end(keys), 0);
    assert_false(al_files_restore_open(keys));
    assert_int_equal(al_files_restore_end(keys), 0);
}

static void a_new_device_takes_the_place_of_the_old_one(void **state)
{
    (void)state;
    struct al_keyring loaded, next;
    struct al_files_boot boot;
    const struct al_files_restore restore = {.boot = {9}};
    uint8_t other[AL_INSTANCE_BYTES] = "another instance", seed[32] = {9};
    assert_int_equal(al_files_create(keys, &keyring, instance), 0);
    assert_int_equal(start(&boot, 7), 0);
    assert_int_equal(al_keyring_init(&next, &keyring.identity, seed, 3, keyring.read_sk), 0);
    assert_int_equal(al_files_replace(keys, &next, other, &restore), 0);
    assert_int_equal(al_files_load(&loaded, keys), 0);
    assert_memory_equal(&loaded, &next, sizeof(next));
    assert_int_equal(start(&boot, 7), 0);
    assert_int_equal(boot.starts, 1);
    assert_memory_equal(boot.instance, other, sizeof(other));
    assert_int_equal(boot.boot_count, 2); /* what a peer was shown is nobody else's */
    assert_memory_equal(boot.boots[0], restore.boot, AL_BOOT_BYTES);
    assert_int_equal(al_u64be_read(boot.boots[1]), 7);
    assert_false(boot.boots_lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_created_is_loaded_and_never_overwritten),
        TEST(files_are_0600_in_a_0700_directory_under_any_umask),
        TEST(each_start_is_counted_and_the_instance_stays),
        TEST(boots_are_kept_and_the_oldest_give_way),
        TEST(an_old_file_is_read_and_known_to_have_forgotten),
        TEST(boots_that_are_no_whole_ones_are_called_corrupt),
        TEST(a_copy_on_another_host_is_noticed),
        TEST(rights_for_others_are_refused),
        TEST(links_pipes_and_second_names_are_refused),
        TEST(links_laid_where_a_file_will_be_written_are_not_followed),
        TEST(files_of_another_owner_are_refused),
        TEST(cut_lengthened_and_garbled_files_are_called_corrupt),
        TEST(keys_out_of_their_range_are_called_corrupt),
        TEST(the_lock_excludes_others_names_them_and_ends_with_its_holder),
        TEST(a_lock_file_that_is_a_link_is_refused),
        TEST(a_directory_is_made_with_all_above_it_or_refused),
        cmocka_unit_test_setup_teardown(
            a_restore_that_was_cut_off_goes_on_with_its_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_new_device_takes_the_place_of_the_old_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
