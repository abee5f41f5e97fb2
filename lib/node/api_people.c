/* Calls about people: relate, invite, join; and what happens when an invite is shown. */
#include <stdio.h>
#include <stdlib.h>

#include "id.h"
#include "node_int.h"
#include "ticket.h"

#define INVITE_USES_MAX 1000
#define INVITE_DEFAULT_S ((uint64_t)7 * 24 * 3600)

/* --- relations ----------------------------------------------------------------------------- */

/* Whoever was away or blocked for long would be dialled minutes later only. */
static void welcome(
    struct al_node *n, const struct al_identity *identity, const char *relation, bool on)
{
    bool blocks = strcmp(relation, "block") == 0;
    if (on == blocks || strcmp(relation, "mute") == 0)
        return;
    al_gossip_welcome(n->gossip, identity, n->now);
    n->due = true;
}

int api_relate(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    static const char *const bools[] = {"follow", "admit", "block", "mute"};
    struct al_identity identity;
    struct al_slice relation;
    struct al_slice value = al_rpc_param(params, "value");
    struct al_read r = al_read_init(value);
    (void)call;
    if (param_bytes(identity.b, sizeof(identity.b), params, "identity") != 0 ||
        param_str(&relation, 16, params, "relation") != 0 || value.n == 0)
        return AL_E_PARAMS;
    if (al_identity_eq(&identity, &n->opts.keyring->identity) && !al_slice_is(relation, "petname"))
        return AL_E_SELF;
    int err = AL_E_PARAMS;
    for (size_t i = 0; i < sizeof(bools) / sizeof(bools[0]); i++) {
        if (!al_slice_is(relation, bools[i]))
            continue;
        bool on = al_read_bool(&r);
        err = r.err != 0 ? AL_E_PARAMS : node_choose_bool(n, bools[i], &identity, on);
        if (err == 0)
            welcome(n, &identity, bools[i], on);
    }
    if (al_slice_is(relation, "petname")) {
        uint8_t bytes[AL_NAME_MAX + 8];
        struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
        al_write_str(&b, al_read_str(&r, AL_NAME_MAX));
        if (r.err == AL_E_LENGTH)
            (void)snprintf(n->why, sizeof(n->why), "a petname has at most %d bytes", AL_NAME_MAX);
        err = r.err != 0 ? AL_E_PARAMS : node_choose(n, "petname", &identity, al_buf_slice(&b));
    }
    if (err != 0)
        return err;
    al_write_map(out, 1);
    al_write_cstr(out, "pos");
    al_write_uint(out, n->logs->pos);
    return 0;
}

/* --- invites given out: token -> [expires_s, uses left, [identity]] ----------------------------
 */

struct given {
    uint64_t expires_s;
    uint64_t uses;
    uint32_t count;
    struct al_slice bound; /* encoded identities, without the array's head */
};

static int given_read(struct given *ret, struct al_slice bytes)
{
    struct al_read r = al_read_init(bytes);
    (void)al_read_array(&r, 3, 3);
    ret->expires_s = al_read_uint(&r, UINT64_MAX);
    ret->uses = al_read_uint(&r, INVITE_USES_MAX);
    ret->count = al_read_array(&r, 0, INVITE_USES_MAX);
    ret->bound = al_slice_of(r.p, (size_t)(r.end - r.p));
    return r.err == 0 ? 0 : AL_E_CORRUPT;
}

static int given_write(struct al_node *n, const uint8_t token[AL_TOKEN_BYTES],
    const struct given *given, const struct al_identity *also)
{
    struct al_buf b = al_heapbuf();
    al_write_array(&b, 3);
    al_write_uint(&b, given->expires_s);
    al_write_uint(&b, given->uses);
    al_write_array(&b, given->count + (also == NULL ? 0 : 1));
    al_write_raw(&b, given->bound);
    if (also != NULL)
        al_write_bin(&b, also->b, sizeof(also->b));
    int err = b.full ? AL_E_NOMEM
                     : al_store_kv_put(n->store, AL_SPACE_INVITE,
                           al_slice_of(token, AL_TOKEN_BYTES), al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

static bool is_bound(const struct given *given, const struct al_identity *identity)
{
    struct al_read r = al_read_init(given->bound);
    for (uint32_t i = 0; i < given->count; i++) {
        struct al_identity id;
        al_read_bytes(&r, id.b, sizeof(id.b));
        if (r.err == 0 && al_identity_eq(&id, identity))
            return true;
    }
    return false;
}

int node_redeem(
    void *arg, const uint8_t token[16], const struct al_identity *identity, struct al_now now)
{
    struct al_node *n = arg;
    struct al_slice bytes;
    struct given given;
    int err =
        al_store_kv_get(n->store, &bytes, AL_SPACE_INVITE, al_slice_of(token, AL_TOKEN_BYTES));
    if (err == 0)
        err = given_read(&given, bytes);
    if (err == AL_E_NOT_FOUND)
        return AL_E_INVITE;
    if (err != 0)
        return err;
    if (now.wall_ms / 1000 >= given.expires_s)
        return AL_E_INVITE;
    /* whoever came in by it and is not admitted any more was sent away since */
    if (is_bound(&given, identity) || given.uses == 0)
        return AL_E_INVITE;
    given.uses--;
    err = given_write(n, token, &given, identity);
    if (err == 0)
        err = node_choose_bool(n, "admit", identity, true);
    if (err == 0)
        err = node_choose_bool(n, "follow", identity, true);
    return err;
}

/* --- inviting ------------------------------------------------------------------------------ */

static int answer_invite(
    struct al_node *n, const uint8_t token[AL_TOKEN_BYTES], uint64_t expires_s, struct al_buf *out)
{
    struct al_invite invite = {
        .network = n->opts.network,
        .identity = n->opts.keyring->identity,
        .device = n->opts.keyring->device,
        .expires_s = expires_s,
    };
    char text[AL_TICKET_MAX];
    memcpy(invite.token, token, sizeof(invite.token));
    for (size_t i = 0; i < n->opts.static_address_count; i++) {
        if (invite.address_count < AL_ADDRESSES_MAX)
            invite.addresses[invite.address_count++] = n->opts.static_addresses[i];
    }
    for (uint32_t i = 0; i < n->address_count; i++) {
        if (invite.address_count < AL_ADDRESSES_MAX)
            invite.addresses[invite.address_count++] = al_slice_str(n->addresses[i]);
    }
    if (invite.address_count == 0) {
        (void)snprintf(n->why, sizeof(n->why), "this node can't be reached: %s",
            n->listen_error[0] == '\0' ? "it has no address" : n->listen_error);
        return AL_E_ADDRESS;
    }
    int err = al_invite_text(text, sizeof(text), &invite);
    if (err != 0)
        return err;
    al_write_map(out, 2);
    al_write_cstr(out, "ticket");
    al_write_cstr(out, text);
    al_write_cstr(out, "expires");
    al_write_uint(out, expires_s);
    return 0;
}

int node_answer_invites(struct al_node *n)
{
    struct call *c;
    int lost = 0;
    while (lost == 0 && (c = STAILQ_FIRST(&n->invites)) != NULL) {
        struct al_buf out = al_heapbuf();
        STAILQ_REMOVE_HEAD(&n->invites, link);
        n->why[0] = '\0';
        int err = answer_invite(n, c->token, c->expires_s, &out);
        if (err == 0)
            lost = node_keep_answer(n, c->key, &out);
        if (err == 0)
            node_reply(n, c->id, &out);
        else
            node_reply_error(n, c->id, err);
        al_heapbuf_free(&out);
        STAILQ_INSERT_TAIL(&n->in_turn, c, link); /* it is told, should the turn be lost */
    }
    return lost;
}

static int open_port(struct al_node *n)
{
    struct al_effect e = {.type = AL_EFFECT_LISTEN};
    al_effects_add(n->effects, &e);
    return al_store_kv_put(
        n->store, AL_SPACE_META, al_slice_str(AL_META_LISTEN), al_slice_str("1"));
}

int api_invite(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    uint8_t key[AL_RPC_KEY_BYTES];
    uint8_t token[AL_TOKEN_BYTES];
    struct given given = {.count = 0};
    uint64_t now_s = n->now.wall_ms / 1000;
    if (param_bytes(key, sizeof(key), params, "key") != 0 ||
        param_uint(&given.uses, params, "uses", 1) != 0 ||
        param_uint(&given.expires_s, params, "expires", now_s + INVITE_DEFAULT_S) != 0 ||
        given.uses == 0 || given.uses > INVITE_USES_MAX || given.expires_s <= now_s)
        return AL_E_PARAMS;
    int err = node_refuse_copy(n);
    if (err != 0)
        return err;
    al_rng_bytes(&n->rng, token, sizeof(token));
    err = given_write(n, token, &given, NULL);
    if (err == 0 && !n->listening)
        err = open_port(n);
    if (err != 0)
        return err;
    if (n->listening)
        return answer_invite(n, token, given.expires_s, out);
    struct call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    c->id = call;
    c->expires_s = given.expires_s;
    memcpy(c->key, key, sizeof(key));
    memcpy(c->token, token, sizeof(token));
    STAILQ_INSERT_TAIL(&n->invites, c, link);
    return CALL_WAITS;
}

/* --- joining ------------------------------------------------------------------------------- */

static int fail_join(struct al_node *n, int err, const char *why, const char *hint)
{
    (void)strlcpy(n->why, why, sizeof(n->why));
    n->hint = hint;
    return err;
}

static int check_invite(struct al_node *n, const struct al_invite *invite)
{
    if (memcmp(invite->network.b, n->opts.network.b, sizeof(invite->network.b)) != 0)
        return AL_E_NETWORK;
    if (al_identity_eq(&invite->identity, &n->opts.keyring->identity))
        return fail_join(n, AL_E_SELF, "that invite is your own",
            "send it to somebody else, who runs: aloud join TICKET");
    if (n->now.wall_ms / 1000 >= invite->expires_s)
        return fail_join(
            n, AL_E_INVITE, "the invite has expired", "ask them for a new one: aloud invite");
    const struct al_person *person = al_logs_person(n->logs, &invite->identity);
    if (person != NULL && person->block)
        return fail_join(n, AL_E_BLOCKED, "you have blocked them", "aloud block PERSON --undo");
    return 0;
}

int api_join(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    uint8_t scratch[AL_TICKET_MAX];
    struct al_invite invite;
    struct al_slice ticket;
    bool follow;
    (void)call;
    if (param_str(&ticket, 2 * AL_TICKET_MAX, params, "ticket") != 0 ||
        param_bool(&follow, params, "follow", true) != 0)
        return AL_E_PARAMS;
    int err = node_refuse_copy(n);
    if (err != 0)
        return err;
    err = al_invite_parse(&invite, scratch, ticket);
    if (err != 0)
        return fail_join(n, err, al_err_words(err), "copy the whole of it, from aloud: on");
    err = check_invite(n, &invite);
    if (err == 0)
        err = node_choose_bool(n, "admit", &invite.identity, true);
    if (err == 0 && follow)
        err = node_choose_bool(n, "follow", &invite.identity, true);
    if (err == 0)
        err = al_gossip_contact(n->gossip, &invite.device, &invite.identity, invite.addresses,
            invite.address_count, al_slice_of(invite.token, sizeof(invite.token)), n->now);
    if (err == 0 && !n->listening)
        err = open_port(n);
    if (err != 0)
        return err;
    n->due = true; /* dial in the next turn, which is at once */
    al_write_map(out, 2);
    al_write_cstr(out, "identity");
    al_write_bin(out, invite.identity.b, sizeof(invite.identity.b));
    al_write_cstr(out, "device");
    al_write_bin(out, invite.device.b, sizeof(invite.device.b));
    return 0;
}
