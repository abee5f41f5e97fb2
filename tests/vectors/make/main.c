/*
 * Write the vectors: make-vectors FOLDER makes every file anew, make-vectors --check FOLDER says
 * whether the files are what it would write. The same bytes in every run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "vec.h"

static const struct {
    const char *topic;
    const char *about;
    void (*make)(json_t *list);
} topics[] = {
    {"scan", "canonical MessagePack: bytes are one value in its only form, or refused", make_scan},
    {"hash", "H, K and S: out from purpose, key and message", make_hash},
    {"id", "text forms of 32 bytes", make_id},
    {"header", "headers of entries and their ids", make_header},
    {"genesis", "what stands as prev in the first entry of a log", make_genesis},
    {"segment", "segments: form first, then the signature; ids of all entries", make_segment},
    {"padding", "padded length of a plaintext, its end mark not counted yet", make_padding},
    {"sealed", "sealed payloads, opened with a key at a place", make_sealed},
    {"statement", "statements of a root key", make_statement},
    {"digest", "digest of an identity record, from its statements in any order", make_digest},
    {"fork", "fork proofs", make_fork},
    {"excerpt", "excerpts", make_excerpt},
    {"keys", "what follows from a phrase and from the seed of a device", make_keys},
    {"circle", "circle entries: a payload of that kind", make_circle},
    {"box", "boxes of circle entries, opened with a reading key in their place", make_box},
    {"meta", "name and members of a circle, unsealed", make_meta},
    {"old", "keys of earlier epochs, unsealed", make_old},
    {"epoch", "whole circle entries in their place, opened with a reading key", make_epoch},
    {"attachment", "files of a payload", make_attachment},
    {"piece", "sealed pieces of a file", make_piece},
    {"boot", "signatures of a start, by the device", make_boot},
    {"handshake", "handshakes between known keys, as both sides read them", make_handshake},
    {"frame", "frames, opened with a key and a nonce", make_frame},
    {"message", "gossip messages, by their form", make_message},
    {"interests", "digest of a set of identities", make_interests},
    {"payload", "open payloads, also out of a sealed one", make_payload},
    {"invite", "invites in their text form", make_invite},
    {"address", "address records", make_address},
    {"host", "addresses, as host and port", make_host},
    {"beacon", "LAN beacons", make_beacon},
};

static char *text_of(size_t i)
{
    json_t *list = json_array();
    topics[i].make(list);
    json_t *root = json_pack(
        "{s:s,s:s,s:o}", "topic", topics[i].topic, "about", topics[i].about, "vectors", list);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(root);
    return text;
}

static bool write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return false;
    bool written = fprintf(f, "%s\n", text) > 0;
    return fclose(f) == 0 && written;
}

static bool same_as_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    size_t n = strlen(text);
    bool same = true;
    for (size_t i = 0; same && i <= n; i++)
        same = fgetc(f) == (i < n ? (unsigned char)text[i] : '\n');
    same = same && fgetc(f) == EOF;
    fclose(f);
    return same;
}

int main(int argc, char **argv)
{
    bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 && !check) {
        fprintf(stderr, "usage: make-vectors [--check] FOLDER\n");
        return 2;
    }
    if (al_crypto_self_test() != 0)
        return 1;
    int failed = 0;
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%s.json", argv[argc - 1], topics[i].topic);
        char *text = text_of(i);
        bool ok = check ? same_as_file(path, text) : write_file(path, text);
        if (!ok) {
            fprintf(stderr, "make-vectors: %s: %s\n", path,
                check ? "is not what the generator makes" : "could not be written");
            failed = 1;
        }
        free(text);
    }
    return failed;
}
