/*
 * Runs a fuzz target over the kept inputs of a directory, in the order of their names: what was
 * found once stays found, also where the compiler has no fuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1024 * 1024)

static int is_input(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int run_file(const char *dir, const char *name)
{
    static uint8_t input[INPUT_MAX];
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        perror(path);
        return -1;
    }
    size_t n = fread(input, 1, sizeof(input), f);
    int err = ferror(f) != 0 || fgetc(f) != EOF ? -1 : 0;
    (void)fclose(f);
    if (err != 0) {
        (void)fprintf(stderr, "%s: cannot be read whole\n", path);
        return err;
    }
    /* On the heap and of the exact size, so that a sanitizer sees each byte read beyond it. */
    uint8_t *exact = malloc(n > 0 ? n : 1);
    if (exact == NULL)
        return -1;
    memcpy(exact, input, n);
    (void)printf("%s\n", path);
    (void)fflush(stdout); /* the last line names the input that fails */
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    struct dirent **names = NULL;
    int n = scandir(argv[1], &names, is_input, alphasort);
    int failed = n <= 0; /* no inputs: something was lost */
    for (int i = 0; i < n; i++) {
        failed |= run_file(argv[1], names[i]->d_name) != 0;
        free(names[i]);
    }
    free(names);
    return failed;
}
