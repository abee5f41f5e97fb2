/*
 * Every hash and signature of aloud names its purpose, so that bytes valid in one place are
 * nothing in another. BLAKE2b: RFC 7693, with the personalisation of the BLAKE2 paper, section
 * 2.8; Ed25519: RFC 8032, checked by crypto_sign_verify_detached of libsodium alone.
 */
#ifndef AL_HASH_H
#define AL_HASH_H

#include "bytes.h"
#include "err.h"

/* Purposes: at most 16 ASCII bytes, zero-padded where used. The whole list stands here. */
#define AL_P_ENTRY "aloud1-entry"
#define AL_P_PAYLOAD "aloud1-payload"
#define AL_P_GENESIS "aloud1-genesis"
#define AL_P_STATEMENT "aloud1-stmt"
#define AL_P_IDENTITY "aloud1-ident"
#define AL_P_ROOT "aloud1-root"
#define AL_P_READ "aloud1-read"
#define AL_P_ME "aloud1-me"
#define AL_P_HINT "aloud1-hint"
#define AL_P_SEAL "aloud1-seal"
#define AL_P_EPOCH "aloud1-epoch"
#define AL_P_PIECE "aloud1-piece"
#define AL_P_BOOT "aloud1-boot"
#define AL_P_NETWORK "aloud1-net"
#define AL_P_INVITE "aloud1-invite"
#define AL_P_INTEREST "aloud1-interest"
#define AL_P_RECONCILE "aloud1-rbsr"
#define AL_P_BEACON "aloud1-beacon"
#define AL_P_ADDRESS "aloud1-addr"
#define AL_P_SOURCE "aloud1-source" /* local only: what an import has brought already */
#define AL_P_DRAFT "aloud1-draft"   /* local only: names what was written and not yet answered */
#define AL_P_HOST "aloud1-host"     /* local only: which machine the key files were made on */
#define AL_P_FILE "aloud1-file"     /* local only: the key of a file from its upload */
#define AL_P_SIG_ENTRY "aloud1-sig-entry"
#define AL_P_SIG_ROOT "aloud1-sig-root"
#define AL_P_SIG_DEVICE "aloud1-sig-dev"
#define AL_P_SIG_BOOT "aloud1-sig-boot"
#define AL_P_SIG_ADDRESS "aloud1-sig-addr"

/* H(purpose, parts): BLAKE2b-256 of the |count| parts, concatenated. */
void al_hash(struct al_hash *out, const char *purpose, const struct al_slice *parts, size_t count);

/* H(purpose, m) of one part. */
void al_hash1(struct al_hash *out, const char *purpose, const void *m, size_t n);

/* K(key, purpose, m): the same, keyed with 32 secret bytes. |out| is 32 bytes. */
void al_keyed_hash(
    uint8_t out[32], const uint8_t key[32], const char *purpose, const void *m, size_t n);

/* S(secret, purpose, m) with |m| of 32 bytes; |secret| is libsodium's 64-byte form. */
void al_sign(
    struct al_sig *out, const uint8_t secret[64], const char *purpose, const uint8_t m[32]);

/* Check S(...) against |public|, 32 bytes. Returns 0 or AL_E_SIG. */
AL_MUST_CHECK int al_verify(
    const struct al_sig *sig, const uint8_t public[32], const char *purpose, const uint8_t m[32]);

/*
 * Check that |public| is an Ed25519 key of the prime-order group, as every root and device key
 * must be: verification alone accepts keys with a torsion part, and libraries differ about them.
 * Returns 0 or AL_E_POINT.
 */
AL_MUST_CHECK int al_check_point(const uint8_t public[32]);

/*
 * The start-up self-test: libsodium initialises, refuses a key with a torsion part
 * (CVE-2025-69277 let one class through), and hashes and verifies a known answer.
 * Returns 0 or AL_E_CRYPTO.
 */
AL_MUST_CHECK int al_crypto_self_test(void);

#endif
