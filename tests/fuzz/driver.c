/*
 * A main for fuzz targets where no fuzzer is: runs the files named, and those in the folders
 * named, once each.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define FILE_MAX (2 * 1024 * 1024)

static uint8_t whole[FILE_MAX];

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t n = fread(whole, 1, sizeof(whole), file);
    (void)fclose(file);
    /* an exact copy, so that a sanitizer sees a read beyond the end */
    uint8_t *copy = malloc(n > 0 ? n : 1);
    AL_ASSERT(copy != NULL);
    memcpy(copy, whole, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    return true;
}

static bool run_folder(const char *path, DIR *folder, unsigned *runs)
{
    bool good = true;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        int n = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        good = n > 0 && (size_t)n < sizeof(name) && run_file(name) && good;
        *runs += 1;
    }
    return good;
}

int main(int argc, char **argv)
{
    unsigned runs = 0;
    bool good = true;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder == NULL) {
            good = run_file(argv[i]) && good;
            runs++;
        } else {
            good = run_folder(argv[i], folder, &runs) && good;
            (void)closedir(folder);
        }
    }
    (void)printf("%u inputs\n", runs);
    return good && runs > 0 ? 0 : 1;
}
