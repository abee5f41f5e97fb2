#include "fail.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "heapbuf.h"
#include "text.h"

/* The one table from codes to exit statuses; what is not in it is a plain failure. */
static const struct {
    int err;
    int status;
} statuses[] = {
    {AL_E_SIG, AL_EXIT_DATA},
    {AL_E_FORK, AL_EXIT_DATA},
    {AL_E_REVOKED, AL_EXIT_DATA},
    {AL_E_NOT_CERTIFIED, AL_EXIT_DATA},
    {AL_E_TICKET, AL_EXIT_DATA},
    {AL_E_TEXT_FORM, AL_EXIT_DATA},
    {AL_E_UTF8, AL_EXIT_DATA},
    {AL_E_LENGTH, AL_EXIT_DATA},
    {AL_E_KIND, AL_EXIT_DATA},
    {AL_E_AUDIENCE, AL_EXIT_REFUSED},
    {AL_E_NETWORK, AL_EXIT_DATA},
    {AL_E_CORRUPT, AL_EXIT_DATA},
    {AL_E_SCHEMA, AL_EXIT_DATA},
    {AL_E_PHRASE_WORD, AL_EXIT_DATA},
    {AL_E_PHRASE_CHECKSUM, AL_EXIT_DATA},
    {AL_E_NOT_FOUND, AL_EXIT_NO_SUCH},
    {AL_E_AMBIGUOUS, AL_EXIT_NO_SUCH},
    {AL_E_NO_NODE, AL_EXIT_NO_NODE},
    {AL_E_CLOSED, AL_EXIT_NO_NODE},
    {AL_E_RPC, AL_EXIT_NO_NODE},
    {AL_E_METHOD, AL_EXIT_NO_NODE},
    {AL_E_IO, AL_EXIT_DISK},
    {AL_E_FULL, AL_EXIT_DISK},
    {AL_E_READ_ONLY, AL_EXIT_DISK},
    {AL_E_TIMEOUT, AL_EXIT_LATER},
    {AL_E_BUSY, AL_EXIT_LATER},
    {AL_E_DOUBT, AL_EXIT_LATER},
    {AL_E_STATE, AL_EXIT_LATER},
    {AL_E_STRANGER, AL_EXIT_REFUSED},
    {AL_E_INVITE, AL_EXIT_REFUSED},
    {AL_E_BLOCKED, AL_EXIT_REFUSED},
    {AL_E_DECLINED, AL_EXIT_REFUSED},
    {AL_E_LIMIT, AL_EXIT_REFUSED},
    {AL_E_PERMISSION, AL_EXIT_REFUSED},
    {AL_E_PEER_UID, AL_EXIT_REFUSED},
    {AL_E_SELF, AL_EXIT_REFUSED},
    {AL_E_CONFIG, AL_EXIT_CONFIG},
    {AL_E_NOT_INITIALISED, AL_EXIT_CONFIG},
    {AL_E_PARAMS, AL_EXIT_USAGE},
    {AL_E_QUERY, AL_EXIT_USAGE},
    {AL_E_WHEN, AL_EXIT_USAGE},
    {AL_E_ADDRESS, AL_EXIT_USAGE},
};

int al_exit_of(int err)
{
    if (err == 0)
        return AL_EXIT_DONE;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].err == err)
            return statuses[i].status;
    }
    return AL_EXIT_NOTHING;
}

static void put(struct al_buf *b, const char *s)
{
    al_buf_put(b, s, strlen(s));
}

/* |lead|, the text made safe, and |end|; nothing when there is no text. */
static void put_part(struct al_buf *b, const char *lead, const char *text, const char *end)
{
    if (text == NULL || text[0] == '\0')
        return;
    put(b, lead);
    al_text_safe(b, al_slice_str(text), AL_TEXT_BLOCK);
    put(b, end);
}

static void put_object(struct al_buf *b, const struct al_trouble *t)
{
    const struct {
        const char *key;
        const char *text;
    } parts[] = {{"name", t->name}, {"what", t->what}, {"why", t->why}, {"try", t->hint}};
    json_t *error = json_pack("{s:i}", "exit", t->status);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct al_buf safe = al_heapbuf();
        put_part(&safe, "", parts[i].text, "");
        if (safe.n > 0)
            (void)json_object_set_new(
                error, parts[i].key, json_stringn((const char *)safe.p, safe.n));
        al_heapbuf_free(&safe);
    }
    json_t *all = json_pack("{s:i, s:o}", "v", 1, "error", error);
    char *text = json_dumps(all, JSON_COMPACT);
    if (text != NULL)
        put(b, text);
    put(b, "\n");
    free(text);
    json_decref(all);
}

int al_fail_trouble(struct al_cli *c, const struct al_trouble *t)
{
    struct al_buf b = al_heapbuf();
    if (c->json) {
        put_object(&b, t);
    } else {
        put_part(&b, "aloud: ", t->what, ".\n");
        put_part(&b, "  ", t->why, "\n");
        put_part(&b, "  try: ", t->hint, "\n");
    }
    /* What was printed before stays before. */
    if (c->out != NULL)
        al_out_flush(c->out);
    (void)!write(STDERR_FILENO, b.p, b.n);
    al_heapbuf_free(&b);
    return t->status;
}

int al_fail(struct al_cli *c, int status, const char *what, const char *why, const char *hint)
{
    return al_fail_trouble(c, &(struct al_trouble){status, NULL, what, why, hint});
}

int al_fail_err(struct al_cli *c, int err, const char *what, const char *why, const char *hint)
{
    return al_fail_trouble(
        c, &(struct al_trouble){al_exit_of(err), al_err_name(err), what, why, hint});
}

int al_fail_errno(struct al_cli *c, int errnum, const char *what, const char *hint)
{
    const char *why = al_cli_str(c, "The system says: %s.", strerrordesc_np(errnum));
    return al_fail(c, AL_EXIT_DISK, what, why, hint);
}
