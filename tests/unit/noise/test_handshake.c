/*
 * Noise_XK byte for byte against the vectors of other implementations, and X25519 against the
 * published edge cases.
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
#include <string.h>

#include "handshake.h"
#include "heapbuf.h"

#define MESSAGES_MAX 8
#define SUITE "Noise_XK_25519_ChaChaPoly_BLAKE2b"

struct bytes {
    uint8_t p[512];
    size_t n;
};

struct vector {
    struct bytes init_static, resp_static, init_ephemeral, resp_ephemeral, prologue;
    struct bytes hash; /* of the handshake; n = 0 when the vector has none */
    struct bytes payloads[MESSAGES_MAX], ciphertexts[MESSAGES_MAX];
    size_t messages;
    size_t fourth; /* who sends the first message after the handshake: 0 the initiator */
};

static void from_hex(struct bytes *out, const char *hex)
{
    assert_non_null(hex);
    assert_int_equal(
        sodium_hex2bin(out->p, sizeof(out->p), hex, strlen(hex), NULL, &out->n, NULL), 0);
}

static struct al_slice slice(const struct bytes *b)
{
    return al_slice_of(b->p, b->n);
}

/* Write the next message on one side, compare it with the vector, read it on the other. */
static void pass(struct al_handshake *from, struct al_handshake *to, const struct bytes *payload,
    const struct bytes *ciphertext)
{
    struct al_buf out = al_heapbuf(), got = al_heapbuf();
    assert_true(al_handshake_my_turn(from));
    assert_false(al_handshake_my_turn(to));
    assert_int_equal(al_handshake_write(from, &out, slice(payload)), 0);
    assert_true(al_slice_eq(al_buf_slice(&out), slice(ciphertext)));
    assert_int_equal(al_handshake_read(to, &got, al_buf_slice(&out)), 0);
    assert_true(al_slice_eq(al_buf_slice(&got), slice(payload)));
    al_heapbuf_free(&out);
    al_heapbuf_free(&got);
}

static void start(struct al_handshake *hs, const struct vector *v, bool initiator)
{
    uint8_t public[32], remote[32];
    const struct bytes *mine = initiator ? &v->init_static : &v->resp_static;
    const struct bytes *ephemeral = initiator ? &v->init_ephemeral : &v->resp_ephemeral;
    crypto_scalarmult_base(public, mine->p);
    crypto_scalarmult_base(remote, v->resp_static.p);
    al_handshake_init(hs, &(struct al_handshake_opts){
                              .initiator = initiator,
                              .prologue = slice(&v->prologue),
                              .static_secret = mine->p,
                              .static_public = public,
                              .remote_public = initiator ? remote : NULL,
                              .ephemeral_secret = ephemeral->p,
                          });
}

static void run_vector(const struct vector *v)
{
    struct al_handshake init, resp;
    start(&init, v, true);
    start(&resp, v, false);
    pass(&init, &resp, &v->payloads[0], &v->ciphertexts[0]);
    pass(&resp, &init, &v->payloads[1], &v->ciphertexts[1]);
    pass(&init, &resp, &v->payloads[2], &v->ciphertexts[2]);
    assert_memory_equal(init.h, resp.h, AL_HANDSHAKE_HASH);
    assert_memory_equal(resp.rs, init.s_public, 32);
    if (v->hash.n > 0)
        assert_true(al_slice_eq(al_slice_of(init.h, AL_HANDSHAKE_HASH), slice(&v->hash)));

    struct al_cipher sending[2], receiving[2];
    al_handshake_split(&init, &sending[0], &receiving[1]);
    al_handshake_split(&resp, &sending[1], &receiving[0]);
    for (size_t i = 3; i < v->messages; i++) {
        size_t from = (i - 3 + v->fourth) % 2;
        struct al_slice none = al_slice_of(NULL, 0);
        const struct bytes *plain = &v->payloads[i];
        uint8_t sealed[512], got[512];
        assert_int_equal(al_cipher_encrypt(&sending[from], sealed, none, slice(plain)), 0);
        struct al_slice s = al_slice_of(sealed, plain->n + AL_CIPHER_TAG);
        assert_true(al_slice_eq(s, slice(&v->ciphertexts[i])));
        assert_int_equal(al_cipher_decrypt(&receiving[from], got, none, s), 0);
        assert_memory_equal(got, plain->p, plain->n);
    }
    al_handshake_wipe(&init);
    assert_true(sodium_is_zero((const uint8_t *)&init, sizeof(init)));
}

/* One line of a vector of flynn/noise: name=hex. */
static void take_line(struct vector *v, const char *name, const char *hex)
{
    unsigned i;
    int end = 0;
    if (strcmp(name, "init_static") == 0) {
        from_hex(&v->init_static, hex);
    } else if (strcmp(name, "resp_static") == 0) {
        from_hex(&v->resp_static, hex);
    } else if (strcmp(name, "gen_init_ephemeral") == 0) {
        from_hex(&v->init_ephemeral, hex);
    } else if (strcmp(name, "gen_resp_ephemeral") == 0) {
        from_hex(&v->resp_ephemeral, hex);
    } else if (strcmp(name, "prologue") == 0) {
        from_hex(&v->prologue, hex);
    } else if (sscanf(name, "msg_%u_payload%n", &i, &end) == 1 && end > 0) {
        assert_true(i < MESSAGES_MAX);
        from_hex(&v->payloads[i], hex);
    } else {
        assert_int_equal(sscanf(name, "msg_%u_ciphertext%n", &i, &end), 1);
        assert_true(end > 0 && i < MESSAGES_MAX);
        from_hex(&v->ciphertexts[i], hex);
        v->messages = i + 1;
    }
}

static void the_vectors_of_flynn_noise_match(void **state)
{
    (void)state;
    char path[4096], line[2048];
    const char *dir = getenv("ALOUD_PUBLISHED");
    assert_non_null(dir);
    (void)snprintf(path, sizeof(path), "%s/noise/flynn-xk.txt", dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    static struct vector v;
    int ran = 0, messages = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *hex = strchr(line, '=');
        if (hex != NULL) {
            *hex++ = '\0';
            if (strcmp(line, "handshake") == 0) {
                assert_string_equal(hex, SUITE);
                memset(&v, 0, sizeof(v));
            } else {
                take_line(&v, line, hex);
            }
        } else { /* an empty line ends each vector */
            run_vector(&v);
            messages += (int)v.messages;
            ran++;
        }
    }
    (void)fclose(f);
    assert_int_equal(ran, 4);
    assert_int_equal(messages, 20);
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void take_json(struct vector *v, const json_t *o)
{
    memset(v, 0, sizeof(*v));
    v->fourth = 1;
    from_hex(&v->init_static, text_of(o, "init_static"));
    from_hex(&v->resp_static, text_of(o, "resp_static"));
    from_hex(&v->init_ephemeral, text_of(o, "init_ephemeral"));
    from_hex(&v->resp_ephemeral, text_of(o, "resp_ephemeral"));
    from_hex(&v->prologue, text_of(o, "init_prologue"));
    if (text_of(o, "handshake_hash") != NULL)
        from_hex(&v->hash, text_of(o, "handshake_hash"));
    const json_t *messages = json_object_get(o, "messages");
    v->messages = json_array_size(messages);
    assert_true(v->messages <= MESSAGES_MAX);
    for (size_t i = 0; i < v->messages; i++) {
        const json_t *m = json_array_get(messages, i);
        from_hex(&v->payloads[i], text_of(m, "payload"));
        from_hex(&v->ciphertexts[i], text_of(m, "ciphertext"));
    }
}

/*
 * A file of the vectors that ALOUD_VECTORS points to; NULL, said in words, when it is not set.
 * (The skip() of cmocka 1.1.5 reads as a failure in TAP.)
 */
static json_t *load_external(const char *name)
{
    const char *dir = getenv("ALOUD_VECTORS");
    if (dir == NULL || dir[0] == '\0') {
        print_message("# skipped %s: ALOUD_VECTORS is not set\n", name);
        return NULL;
    }
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

static void the_vectors_of_cacophony_snow_and_noise_c_match(void **state)
{
    (void)state;
    json_t *root = load_external("noise/shortlist-25519_ChaChaPoly_BLAKE2b.json");
    if (root == NULL)
        return;
    static struct vector v;
    size_t i;
    json_t *o;
    int ran = 0, hashes = 0;
    json_array_foreach(json_object_get(root, "vectors"), i, o)
    {
        if (strcmp(text_of(o, "protocol_name"), SUITE) != 0)
            continue;
        take_json(&v, o);
        run_vector(&v);
        hashes += v.hash.n > 0;
        ran++;
    }
    assert_int_equal(ran, 4);
    assert_int_equal(hashes, 2);
    json_decref(root);
}

static void x25519_agrees_with_wycheproof_and_refuses_secrets_of_zero(void **state)
{
    (void)state;
    json_t *root = load_external("wycheproof/x25519_test.json");
    if (root == NULL)
        return;
    size_t g, i;
    json_t *group, *test;
    int equal = 0, refused = 0;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), i, test)
        {
            struct bytes public, private, shared;
            uint8_t got[32];
            from_hex(&public, text_of(test, "public"));
            from_hex(&private, text_of(test, "private"));
            from_hex(&shared, text_of(test, "shared"));
            if (al_handshake_dh(got, private.p, public.p) == 0) {
                assert_memory_equal(got, shared.p, 32);
                equal++;
            } else {
                assert_true(sodium_is_zero(shared.p, 32));
                refused++;
            }
        }
    }
    assert_int_equal(equal, 487);
    assert_int_equal(refused, 31);
    json_decref(root);
}

/* A pair whose first |done| messages were passed, for the tests of what is refused. */
static struct vector pair_of_seven;

static void make_pair(struct al_handshake *init, struct al_handshake *resp)
{
    struct vector *v = &pair_of_seven;
    memset(v, 7, sizeof(*v));
    v->prologue.n = 8;
    v->init_static.p[0] = 8;
    v->init_ephemeral.p[0] = 9;
    v->resp_ephemeral.p[0] = 10;
    start(init, v, true);
    start(resp, v, false);
}

static void each_cut_or_changed_handshake_message_is_refused(void **state)
{
    (void)state;
    struct al_handshake side[2];
    make_pair(&side[0], &side[1]);
    for (size_t m = 0; m < AL_HANDSHAKE_MESSAGES; m++) {
        uint8_t bytes[96], payload[32];
        struct al_buf out = al_buf_fixed(bytes, sizeof(bytes));
        assert_int_equal(al_handshake_write(&side[m % 2], &out, al_slice_of(NULL, 0)), 0);
        assert_int_equal(out.n, al_handshake_sizes[m]);
        const struct al_handshake before = side[1 - m % 2];
        for (size_t n = 0; n < out.n; n++) {
            struct al_handshake reader = before;
            struct al_buf b = al_buf_fixed(payload, sizeof(payload));
            assert_int_equal(al_handshake_read(&reader, &b, al_slice_of(bytes, n)), AL_E_HANDSHAKE);
        }
        for (size_t bit = 0; bit < out.n * 8; bit++) {
            struct al_handshake reader = before;
            struct al_buf b = al_buf_fixed(payload, sizeof(payload));
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_not_equal(al_handshake_read(&reader, &b, al_buf_slice(&out)), 0);
            assert_int_equal(b.n, 0);
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        struct al_buf b = al_buf_fixed(payload, sizeof(payload));
        assert_int_equal(al_handshake_read(&side[1 - m % 2], &b, al_buf_slice(&out)), 0);
    }
}

static void another_prologue_or_responder_is_refused_at_the_first_message(void **state)
{
    (void)state;
    for (int what = 0; what < 3; what++) {
        struct al_handshake init, resp;
        make_pair(&init, &resp);
        if (what == 1)
            pair_of_seven.prologue.p[7] ^= 1;
        if (what == 2)
            pair_of_seven.resp_static.p[7] ^= 1;
        start(&resp, &pair_of_seven, false);
        uint8_t bytes[64], payload[32];
        struct al_buf out = al_buf_fixed(bytes, sizeof(bytes));
        struct al_buf b = al_buf_fixed(payload, sizeof(payload));
        assert_int_equal(al_handshake_write(&init, &out, al_slice_of(NULL, 0)), 0);
        assert_int_equal(
            al_handshake_read(&resp, &b, al_buf_slice(&out)), what == 0 ? 0 : AL_E_HANDSHAKE);
    }
}

static void keys_of_small_order_are_refused_on_both_sides(void **state)
{
    (void)state;
    struct al_handshake init, resp;
    uint8_t bytes[64] = {1}, payload[32]; /* u = 1 has order 4 */
    make_pair(&init, &resp);
    struct al_buf b = al_buf_fixed(payload, sizeof(payload));
    assert_int_equal(al_handshake_read(&resp, &b, al_slice_of(bytes, 48)), AL_E_POINT);

    struct al_buf out = al_buf_fixed(bytes, sizeof(bytes));
    memset(init.rs, 0, 32);
    assert_int_equal(al_handshake_write(&init, &out, al_slice_of(NULL, 0)), AL_E_POINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_flynn_noise_match),
        cmocka_unit_test(the_vectors_of_cacophony_snow_and_noise_c_match),
        cmocka_unit_test(x25519_agrees_with_wycheproof_and_refuses_secrets_of_zero),
        cmocka_unit_test(each_cut_or_changed_handshake_message_is_refused),
        cmocka_unit_test(another_prologue_or_responder_is_refused_at_the_first_message),
        cmocka_unit_test(keys_of_small_order_are_refused_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
