/* One entry with everything known of it. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "cmds.h"
#include "entry.h"
#include "feed.h"
#include "heapbuf.h"
#include "id.h"
#include "refs.h"
#include "row_out.h"
#include "row_say.h"
#include "rpc.h"
#include "when.h"

#define LABEL_COLUMNS 9

/* What `show` answers about how an entry is signed. */
struct proof {
    struct al_header header;
    struct al_sig sig;
    uint64_t sig_seq; /* of the entry that is signed; 0: not known */
    struct al_slice payload;
};

static bool read_proof(struct proof *ret, const struct al_row *r, struct al_slice result)
{
    struct al_ref ref;
    struct al_read place = al_read_init(r->ref);
    al_read_ref(&place, &ref);
    struct al_slice header = al_rpc_param(result, "header");
    const uint8_t *prev = al_get_b32(header, "prev");
    const uint8_t *phash = al_get_b32(header, "phash");
    if (al_read_end(&place) != 0 || prev == NULL || phash == NULL)
        return false;
    struct proof p = {.header = {.device = ref.device,
                          .log = ref.log,
                          .seq = ref.seq,
                          .time_ms = al_get_uint(header, "time"),
                          .plen = (uint32_t)al_get_uint(header, "plen")},
        .payload = al_get_bin(result, "payload")};
    memcpy(p.header.prev.b, prev, 32);
    memcpy(p.header.phash.b, phash, 32);
    struct al_slice signature = al_rpc_param(result, "sig");
    struct al_slice sig = signature.n > 0 ? al_get_bin(signature, "sig") : signature;
    if (sig.n == sizeof(p.sig.b)) {
        memcpy(p.sig.b, sig.p, sizeof(p.sig.b));
        p.sig_seq = al_get_uint(signature, "seq");
    }
    *ret = p;
    return true;
}

/* ---- --verify ---- */

static bool say_check(struct al_cli *c, bool ok, const char *good, const char *bad)
{
    al_say(c->out, ok ? AL_STYLE_GOOD : AL_STYLE_BAD, "%s", ok ? "✓" : "✗");
    al_say(c->out, AL_STYLE_NONE, " %s\n", ok ? good : bad);
    al_out_row(c->out);
    al_out_bool(c->out, "ok", ok);
    al_out_cstr(c->out, "check", ok ? good : bad);
    al_out_row_end(c->out);
    return ok;
}

static int verify(struct al_cli *c, const struct al_row *r, const struct proof *p)
{
    struct al_hash id;
    struct al_hash phash;
    al_header_id(&id, &p->header);
    bool ok = say_check(c, memcmp(id.b, r->id, 32) == 0, "the id is the hash of the header",
        "the header has another hash than the id");
    if (p->payload.n > 0) {
        al_entry_payload_hash(&phash, p->payload);
        bool same = al_hash_eq(&phash, &p->header.phash) && p->payload.n == p->header.plen;
        ok &= say_check(c, same, "the header names this content", "the header names other content");
    } else {
        al_cli_note(c, "The content is not here, so it can't be compared with its hash.");
    }
    if (p->sig_seq == p->header.seq)
        ok &= say_check(c, al_entry_verify(&p->sig, &p->header.device, &id) == 0,
            "the device signed it", "the signature does not match");
    else if (p->sig_seq != 0)
        al_cli_note(c,
            "Entry %llu of the log is signed and vouches for this one, number %llu: "
            "that chain was checked when it came in, and aloud doctor checks it again.",
            (unsigned long long)p->sig_seq, (unsigned long long)p->header.seq);
    return ok ? AL_EXIT_DONE
              : al_fail_err(
                    c, AL_E_SIG, "this entry is not what its author signed", NULL, "aloud doctor");
}

/* ---- --raw ---- */

static void hex(struct al_buf *b, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        const char two[2] = {digits[p[i] >> 4], digits[p[i] & 15]};
        al_buf_put(b, two, 2);
    }
}

static void say_label(struct al_cli *c, const char *label, enum al_style style, struct al_slice s)
{
    char lead[32];
    struct al_styled t;
    (void)snprintf(lead, sizeof(lead), "%-*s", LABEL_COLUMNS, label);
    al_styled_init(&t);
    al_styled_add(&t, style, s);
    struct al_styled_box box = {
        .lead = lead, .indent = LABEL_COLUMNS, .columns = al_out_width(c->out) - LABEL_COLUMNS};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
}

static void out_hex(struct al_cli *c, const char *name, const uint8_t *p, size_t n)
{
    struct al_buf b = al_heapbuf();
    hex(&b, p, n);
    say_label(c, name, AL_STYLE_NONE, al_buf_slice(&b));
    al_out_name(c->out, name, al_buf_slice(&b));
    al_heapbuf_free(&b);
}

static void out_number(struct al_cli *c, const char *name, uint64_t v)
{
    say_label(c, name, AL_STYLE_NONE, al_slice_str(al_cli_str(c, "%llu", (unsigned long long)v)));
    al_out_uint(c->out, name, v);
}

/* Everything that is signed, for other programs to check. */
static void raw(struct al_cli *c, const struct al_row *r, const struct proof *p)
{
    al_out_row(c->out);
    out_hex(c, "id", r->id, 32);
    out_hex(c, "device", p->header.device.b, sizeof(p->header.device.b));
    out_hex(c, "log", p->header.log.b, sizeof(p->header.log.b));
    out_number(c, "seq", p->header.seq);
    out_number(c, "time_ms", p->header.time_ms);
    out_hex(c, "prev", p->header.prev.b, sizeof(p->header.prev.b));
    out_number(c, "plen", p->header.plen);
    out_hex(c, "phash", p->header.phash.b, sizeof(p->header.phash.b));
    out_number(c, "sig_seq", p->sig_seq);
    out_hex(c, "sig", p->sig.b, p->sig_seq != 0 ? sizeof(p->sig.b) : 0);
    out_hex(c, "payload", p->payload.p, p->payload.n);
    al_out_row_end(c->out);
}

/* ---- the entry ---- */

static void say_moment(struct al_cli *c, const char *label, uint64_t ms)
{
    char date[48];
    char clock[8];
    char relative[64];
    uint64_t now_ms = al_cli_now_ms();
    al_when_date(date, sizeof(date), ms, now_ms);
    al_when_clock(clock, ms);
    al_when_relative(relative, sizeof(relative), ms, now_ms);
    bool recent = strstr(relative, "ago") != NULL || strstr(relative, "now") != NULL;
    say_label(c, label, AL_STYLE_NONE,
        al_slice_str(al_cli_str(c, "%s %s%s%s%s", date, clock, recent ? " (" : "",
            recent ? relative : "", recent ? ")" : "")));
}

static void say_styled_label(struct al_cli *c, const char *label,
    void (*add)(struct al_styled *t, const struct al_row *r), const struct al_row *r)
{
    struct al_styled t;
    al_styled_init(&t);
    add(&t, r);
    char lead[32];
    (void)snprintf(lead, sizeof(lead), "%-*s", LABEL_COLUMNS, label);
    struct al_styled_box box = {
        .lead = lead, .indent = LABEL_COLUMNS, .columns = al_out_width(c->out) - LABEL_COLUMNS};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
}

static void add_full_id(struct al_styled *t, const struct al_row *r)
{
    char text[AL_ID_TEXT];
    size_t enough = r->id_chars > 2 && r->id_chars <= AL_ID_CHARS ? r->id_chars - 2 : 6;
    al_id_text(text, r->id);
    al_styled_add(t, AL_STYLE_ID, al_slice_of(text, enough));
    al_styled_add(t, AL_STYLE_DIM, al_slice_of(text + enough, AL_ID_CHARS - enough));
}

static void add_kind(struct al_styled *t, const struct al_row *r)
{
    al_styled_add_line(t, AL_STYLE_NONE, r->kind);
    if (!al_slice_is(r->state, "ok"))
        al_styled_addf(t, AL_STYLE_WARN, ", %.*s", (int)r->state.n, (const char *)r->state.p);
}

static void add_parent(struct al_styled *t, const struct al_row *r)
{
    al_styled_add_id(t, r->re, 0);
}

static void add_tags(struct al_styled *t, const struct al_row *r)
{
    struct al_row tags = *r;
    tags.text = al_slice_of(NULL, 0); /* all of them, here */
    (void)al_row_say_tags(t, &tags);
}

static void say_entry(struct al_cli *c, const struct al_row *r)
{
    say_styled_label(c, "entry", add_full_id, r);
    say_styled_label(c, "author", al_row_say_author, r);
    say_styled_label(c, "kind", add_kind, r);
    say_styled_label(c, "to", al_row_say_audience, r);
    say_moment(c, "time", r->time_ms);
    if (r->arrived_ms > r->time_ms + 60000)
        say_moment(c, "arrived", r->arrived_ms);
    if (r->re != NULL)
        say_styled_label(c, "reply to", add_parent, r);
    if (r->tag_count > 0)
        say_styled_label(c, "tags", add_tags, r);
    struct al_slice src = al_get_str(r->fields, "src");
    if (src.n > 0)
        say_label(c, "source", AL_STYLE_NONE, src);

    struct al_styled t;
    al_styled_init(&t);
    al_row_say_body(&t, r);
    al_say(c->out, AL_STYLE_NONE, "\n");
    struct al_styled_box box = {.columns = al_feed_columns(c->out)};
    (void)al_styled_say(c->out, &t, &box);
    al_styled_fini(&t);
    if (r->replies > 0) {
        al_say(c->out, AL_STYLE_DIM, "\n%llu %s: aloud thread ", (unsigned long long)r->replies,
            r->replies == 1 ? "reply" : "replies");
        al_say_id(c->out, r->id, r->id_chars);
        al_say(c->out, AL_STYLE_NONE, "\n");
    }
}

/* Every version, oldest first; an entry that was never edited has one. */
static int history(struct al_cli *c, const struct al_row *r, struct al_slice result)
{
    struct al_row *versions;
    size_t n;
    int err = al_row_out_read(&versions, &n, result, "edits");
    if (err != 0)
        return al_cli_fail_call(c, err);
    const struct al_row *rows = n > 0 ? versions : r;
    n = n > 0 ? n : 1;
    if (al_out_is_pretty(c->out)) {
        struct al_feed feed = {.out = c->out, .now_ms = al_cli_now_ms(), .style = AL_FEED_FULL};
        err = al_feed_rows(&feed, rows, n);
    }
    for (size_t i = 0; i < n && !al_out_is_pretty(c->out); i++)
        al_row_out(c->out, &rows[i]);
    free(versions);
    return err == 0 ? AL_EXIT_DONE : al_cli_fail_call(c, err);
}

static int run_show(struct al_cli *c)
{
    struct al_row row;
    struct proof proof;
    int status = al_refs_entry(c, &row, c->args[0]);
    if (status != 0)
        return status;
    struct al_params params = {0};
    struct al_slice result;
    al_params_bin(&params, "id", row.id, 32);
    status = al_cli_call(c, &result, "show", &params);
    al_params_free(&params);
    if (status != 0)
        return status;
    al_row_read(&row, al_rpc_param(result, "row"));
    if (al_cli_opt(c, "history") != NULL)
        return history(c, &row, result);
    if (al_cli_opt(c, "raw") == NULL && al_cli_opt(c, "verify") == NULL) {
        if (al_out_is_pretty(c->out))
            say_entry(c, &row);
        else
            al_row_out(c->out, &row);
        return AL_EXIT_DONE;
    }
    if (!read_proof(&proof, &row, result))
        return al_cli_fail_call(c, AL_E_RPC);
    if (al_cli_opt(c, "verify") != NULL)
        return verify(c, &row, &proof);
    raw(c, &row, &proof);
    return AL_EXIT_DONE;
}

const struct al_cmd al_cmd_show = {
    .name = "show",
    .group = AL_GROUP_READ,
    .usage = "ID",
    .summary = "one entry with everything known of it",
    .about = "An id may be as short as it is unique; last and last~2 are your own newest ones, "
             "@kai/last is his.",
    .opts = (const struct al_cli_opt[]){{"history", 0, NULL, "every version of it, oldest first"},
        {"verify", 0, NULL, "check hash and signature here, not in the node"},
        {"raw", 0, NULL, "header, signature and content, in hexadecimal"}, {0}},
    .fields = AL_ROW_OUT_FIELDS
    "; --verify: ok, check; --raw: id, device, log, seq, time_ms, prev, plen, phash, sig_seq, sig, "
    "payload",
    .examples = {"aloud show q7xk", "aloud show --verify last"},
    .args_min = 1,
    .args_max = 1,
    .run = run_show,
};
