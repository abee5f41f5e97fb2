/*
 * The published vectors of Project Wycheproof against the primitives that signatures, sealed
 * payloads and frames stand on. They run where ALOUD_VECTORS points to a folder that has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"

#define FIELD_MAX 2048 /* bytes of any field */

struct field {
    uint8_t b[FIELD_MAX];
    size_t n;
};

/* The file |name|; NULL, and it says so, when there is none to be run. */
static json_t *load(const char *name)
{
    char path[4096];
    const char *dir = getenv("ALOUD_VECTORS");
    if (dir == NULL) { /* cmocka's own skip() is a failure in TAP */
        print_message("# skipped %s: ALOUD_VECTORS is not set\n", name);
        return NULL;
    }
    (void)snprintf(path, sizeof(path), "%s/wycheproof/%s", dir, name);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

static struct field field(const json_t *v, const char *key)
{
    struct field f = {.n = 0};
    const char *hex = json_string_value(json_object_get(v, key));
    assert_non_null(hex);
    assert_int_equal(sodium_hex2bin(f.b, sizeof(f.b), hex, strlen(hex), NULL, &f.n, NULL), 0);
    return f;
}

static bool is_valid(const json_t *v)
{
    return strcmp(json_string_value(json_object_get(v, "result")), "valid") == 0;
}

/* Run |agrees| over all tests of a file; how many must agree, and how many be passed over. */
static void run(const char *name,
    bool (*agrees)(const json_t *group, const json_t *v, bool *ret_skip), size_t want_agreed,
    size_t want_skipped)
{
    size_t agreed = 0;
    size_t skipped = 0;
    json_t *root = load(name);
    if (root == NULL)
        return;
    const json_t *groups = json_object_get(root, "testGroups");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        const json_t *tests = json_object_get(group, "tests");
        for (size_t k = 0; k < json_array_size(tests); k++) {
            const json_t *v = json_array_get(tests, k);
            bool skip_it = false;
            bool agreed_here = agrees(group, v, &skip_it);
            if (!agreed_here && !skip_it)
                print_message("# test %lld disagrees\n",
                    (long long)json_integer_value(json_object_get(v, "tcId")));
            agreed += agreed_here;
            skipped += skip_it;
        }
    }
    json_decref(root);
    assert_int_equal(agreed, want_agreed);
    assert_int_equal(skipped, want_skipped);
}

static bool ed25519_agrees(const json_t *group, const json_t *v, bool *ret_skip)
{
    (void)ret_skip;
    struct field pk = field(json_object_get(group, "publicKey"), "pk");
    struct field msg = field(v, "msg");
    struct field sig = field(v, "sig");
    bool accepted = pk.n == 32 && sig.n == 64 && al_check_point(pk.b) == 0 &&
                    crypto_sign_verify_detached(sig.b, msg.b, msg.n, pk.b) == 0;
    return accepted == is_valid(v);
}

static bool aead_agrees(const json_t *v, size_t nonce_bytes, bool *ret_skip,
    int (*decrypt)(unsigned char *, unsigned long long *, unsigned char *, const unsigned char *,
        unsigned long long, const unsigned char *, unsigned long long, const unsigned char *,
        const unsigned char *))
{
    struct field key = field(v, "key");
    struct field nonce = field(v, "iv");
    struct field ad = field(v, "aad");
    struct field msg = field(v, "msg");
    struct field box = field(v, "ct");
    struct field tag = field(v, "tag");
    struct field out;
    *ret_skip = nonce.n != nonce_bytes;
    if (*ret_skip)
        return false;
    assert_true(key.n == 32 && tag.n == 16);
    memcpy(box.b + box.n, tag.b, tag.n);
    bool accepted =
        decrypt(out.b, NULL, NULL, box.b, box.n + tag.n, ad.b, ad.n, nonce.b, key.b) == 0;
    return accepted == is_valid(v) && (!accepted || memcmp(out.b, msg.b, msg.n) == 0);
}

static bool chacha20_agrees(const json_t *group, const json_t *v, bool *ret_skip)
{
    (void)group;
    return aead_agrees(v, 12, ret_skip, crypto_aead_chacha20poly1305_ietf_decrypt);
}

static bool xchacha20_agrees(const json_t *group, const json_t *v, bool *ret_skip)
{
    (void)group;
    return aead_agrees(v, 24, ret_skip, crypto_aead_xchacha20poly1305_ietf_decrypt);
}

/* What fingerprints of reconciliation sum up: this version reads them, and makes none itself. */
static bool siphash_agrees(const json_t *group, const json_t *v, bool *ret_skip)
{
    (void)group;
    (void)ret_skip;
    struct field key = field(v, "key");
    struct field msg = field(v, "msg");
    struct field tag = field(v, "tag");
    uint8_t out[crypto_shorthash_siphashx24_BYTES];
    assert_int_equal(key.n, crypto_shorthash_siphashx24_KEYBYTES);
    (void)crypto_shorthash_siphashx24(out, msg.b, msg.n, key.b);
    return (tag.n == sizeof(out) && memcmp(tag.b, out, sizeof(out)) == 0) == is_valid(v);
}

static void ed25519_agrees_with_all_151(void **state)
{
    (void)state;
    run("ed25519_test.json", ed25519_agrees, 151, 0);
}

static void chacha20_poly1305_agrees_with_all_316_of_its_nonce_size(void **state)
{
    (void)state;
    run("chacha20_poly1305_test.json", chacha20_agrees, 316, 9);
}

static void xchacha20_poly1305_agrees_with_all_306_of_its_nonce_size(void **state)
{
    (void)state;
    run("xchacha20_poly1305_test.json", xchacha20_agrees, 306, 9);
}

static void siphash_2_4_128_agrees_with_all_40(void **state)
{
    (void)state;
    run("siphashx_2_4_test.json", siphash_agrees, 40, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_agrees_with_all_151),
        cmocka_unit_test(chacha20_poly1305_agrees_with_all_316_of_its_nonce_size),
        cmocka_unit_test(siphash_2_4_128_agrees_with_all_40),
        cmocka_unit_test(xchacha20_poly1305_agrees_with_all_306_of_its_nonce_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
