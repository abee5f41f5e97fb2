/* The start-up self-test refuses a cryptographic library that is broken in one of these ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"

/* The linker leads every call of the real functions here (--wrap). */
int __real_sodium_init(void);
int __wrap_sodium_init(void);
int __real_crypto_core_ed25519_is_valid_point(const unsigned char *p);
int __wrap_crypto_core_ed25519_is_valid_point(const unsigned char *p);
int __real_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *m,
    unsigned long long n, const unsigned char *public);
int __wrap_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *m,
    unsigned long long n, const unsigned char *public);
int __real_crypto_generichash_blake2b_salt_personal(unsigned char *out, size_t out_n,
    const unsigned char *m, unsigned long long n, const unsigned char *key, size_t key_n,
    const unsigned char *salt, const unsigned char *personal);
int __wrap_crypto_generichash_blake2b_salt_personal(unsigned char *out, size_t out_n,
    const unsigned char *m, unsigned long long n, const unsigned char *key, size_t key_n,
    const unsigned char *salt, const unsigned char *personal);

static enum flaw {
    SOUND,
    NO_START,
    EVERY_POINT_VALID,
    NO_POINT_VALID,
    EVERY_SIGNATURE_VALID,
    NO_SIGNATURE_VALID,
    NO_PERSONAL,
} library;

int __wrap_sodium_init(void)
{
    return library == NO_START ? -1 : __real_sodium_init();
}

int __wrap_crypto_core_ed25519_is_valid_point(const unsigned char *p)
{
    if (library == EVERY_POINT_VALID || library == NO_POINT_VALID)
        return library == EVERY_POINT_VALID;
    return __real_crypto_core_ed25519_is_valid_point(p);
}

int __wrap_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *m,
    unsigned long long n, const unsigned char *public)
{
    if (library == EVERY_SIGNATURE_VALID || library == NO_SIGNATURE_VALID)
        return library == EVERY_SIGNATURE_VALID ? 0 : -1;
    return __real_crypto_sign_verify_detached(sig, m, n, public);
}

int __wrap_crypto_generichash_blake2b_salt_personal(unsigned char *out, size_t out_n,
    const unsigned char *m, unsigned long long n, const unsigned char *key, size_t key_n,
    const unsigned char *salt, const unsigned char *personal)
{
    return __real_crypto_generichash_blake2b_salt_personal(
        out, out_n, m, n, key, key_n, salt, library == NO_PERSONAL ? NULL : personal);
}

static int verdict_on(enum flaw flaw)
{
    library = flaw;
    return al_crypto_self_test();
}

static void a_sound_library_passes(void **state)
{
    (void)state;
    assert_int_equal(verdict_on(SOUND), 0);
}

static void a_broken_library_is_refused(void **state)
{
    (void)state;
    for (enum flaw kind = NO_START; kind <= NO_PERSONAL; kind++)
        assert_int_equal(verdict_on(kind), AL_E_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_library_passes),
        cmocka_unit_test(a_broken_library_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
