/* What a node finds to do when it starts; and being a copy, which is found out then or later. */
#include <stdio.h>

#include "id.h"
#include "init.h"
#include "node_int.h"

#define WHY_BYTES 128
#define WHO_CHARS 12

/* --- a copy -------------------------------------------------------------------------------- */

static int mark_copy(struct al_node *n)
{
    n->logs->copy = true;
    n->logs->own = NULL;
    return al_store_kv_put(n->store, AL_SPACE_META, al_slice_str(AL_META_COPY), al_slice_str("1"));
}

bool node_is_revoked(const struct al_node *n)
{
    return al_record_standing(n->logs->self->record, NULL, &n->opts.keyring->device, NULL) ==
           AL_STANDING_REVOKED;
}

int node_load_copy(struct al_node *n)
{
    bool marked;
    int err = al_restore_is_copy(n->store, &marked);
    if (err == 0 && (marked || n->opts.copy || node_is_revoked(n)))
        n->logs->copy = true;
    return err;
}

int node_obey_revocation(struct al_node *n)
{
    if (n->logs->copy || !node_is_revoked(n))
        return 0;
    al_gossip_close_all(n->gossip, AL_E_CLOSED); /* `revoked` would tell the peers that they are */
    al_effects_log(n->effects, 4, "this device was revoked: from now on nothing leaves it");
    return mark_copy(n);
}

int node_become_copy(void *arg)
{
    struct al_node *n = arg;
    if (n->logs->copy)
        return 0;
    struct al_log *own = n->logs->own;
    al_gossip_close_all(n->gossip, AL_E_CLONE);
    al_effects_log(n->effects, 4,
        "another machine runs with the key of this device: from now on nothing leaves this one");
    int err = mark_copy(n);
    /* the other one may go on with this log: what has not left it yet must never stand there */
    if (err == 0 && own != NULL && own->hold < AL_SEQ_MAX && own->left < al_log_head(own))
        err = al_logs_rewrite(n->logs, own, own->left + 1, n->now);
    return err == AL_E_LIMIT ? 0 : err; /* it waits aside for the new device */
}

int node_refuse_copy(struct al_node *n)
{
    if (!n->logs->copy)
        return 0;
    (void)strlcpy(n->why, "this is a copy of another machine, and talks to nobody", sizeof(n->why));
    n->hint = "aloud restore";
    return AL_E_CLONE;
}

/* --- the first turn ------------------------------------------------------------------------ */

/* Remember why a new own log is started. */
static int note_new_log(struct al_node *n, const char *why)
{
    uint8_t bytes[WHY_BYTES + 32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 2);
    al_write_uint(&b, n->now.wall_ms);
    al_write_cstr(&b, why);
    return al_store_kv_put(
        n->store, AL_SPACE_META, al_slice_str(AL_META_NEW_LOG), al_buf_slice(&b));
}

int node_note_own_left(struct al_node *n)
{
    char who[AL_ID_TEXT], why[WHY_BYTES];
    if (!n->logs->own_left)
        return 0;
    n->logs->own_left = false;
    al_id_text_prefix(who, al_gossip_own_from(n->gossip)->b, WHO_CHARS);
    (void)snprintf(
        why, sizeof(why), "entries of your own log, which were not here, came back from ~%s", who);
    al_effects_log(n->effects, 4, "%s: entries go into a new log", why);
    return note_new_log(n, why);
}

/* The name given to init becomes the first profile. */
static int post_first_profile(struct al_node *n)
{
    char name[AL_NAME_MAX + 1];
    int err = node_meta(n, name, sizeof(name), AL_META_NAME);
    if (err != 0 || name[0] == '\0')
        return err;
    struct al_payload profile = {
        .kind = AL_KIND_PROFILE,
        .kind_name = al_slice_str(al_kind_name(AL_KIND_PROFILE)),
        .audience = AL_AUDIENCE_NETWORK,
        .name = al_slice_str(name),
    };
    err = node_append(n, NULL, &profile, 1);
    if (err == 0)
        err = al_store_kv_del(n->store, AL_SPACE_META, al_slice_str(AL_META_NAME));
    return err;
}

/* Whoever a restore was begun with is dialled, and may dial this new device too. */
static int meet_first_contact(struct al_node *n)
{
    struct al_slice value;
    struct al_restore_peer peer;
    uint8_t bytes[2048];
    int err = al_store_kv_get(n->store, &value, AL_SPACE_META, al_slice_str(AL_META_CONTACT));
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err == 0 && value.n > sizeof(bytes))
        err = AL_E_CORRUPT;
    if (err != 0)
        return err;
    memcpy(bytes, value.p, value.n);
    err = al_restore_contact(&peer, al_slice_of(bytes, value.n));
    const struct al_person *known = err == 0 ? al_logs_person(n->logs, &peer.identity) : NULL;
    bool welcome = known != NULL && (known == n->logs->self || known->admit || known->block);
    if (err == 0 && !welcome)
        err = node_choose_bool(n, "admit", &peer.identity, true);
    if (err == 0)
        err = al_gossip_contact(n->gossip, &peer.device, &peer.identity, peer.addresses,
            peer.address_count, peer.token, n->now);
    if (err == 0)
        err = al_store_kv_del(n->store, AL_SPACE_META, al_slice_str(AL_META_CONTACT));
    n->due = true; /* dial in the next turn, which is at once */
    return err;
}

/* The statements that a restore has brought may say less of what is here than was known before. */
static int hide_revoked(struct al_node *n)
{
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < n->logs->self->log_count; i++) {
        const struct al_log *log = n->logs->self->logs[i];
        if (log->cut.seq < al_log_head(log))
            err = al_store_change(
                n->store, &n->logs->pos, AL_CHANGE_HIDDEN, log->no, log->cut.seq + 1);
    }
    return err;
}

/* The first start of a device that was restored: what was written in a copy becomes its own. */
static int take_over(struct al_node *n)
{
    struct al_slice value;
    int err = al_store_kv_get(n->store, &value, AL_SPACE_META, al_slice_str(AL_META_RESTORED));
    if (err == AL_E_NOT_FOUND || n->logs->copy)
        return err == AL_E_NOT_FOUND ? 0 : err;
    if (err == 0)
        err = hide_revoked(n);
    if (err == 0)
        err = al_logs_adopt_local(n->logs, n->now);
    if (err == 0)
        err = al_store_kv_del(n->store, AL_SPACE_META, al_slice_str(AL_META_RESTORED));
    return err;
}

static int open_port_again(struct al_node *n)
{
    char listen[8];
    int err = node_meta(n, listen, sizeof(listen), AL_META_LISTEN);
    if (err == 0 && !n->logs->copy && (listen[0] == '1' || n->opts.listens_at_start)) {
        struct al_effect e = {.type = AL_EFFECT_LISTEN};
        al_effects_add(n->effects, &e);
    }
    return err;
}

/* They were kept here once, where an older log.db lost them; now beside the keys: files.h. */
static int forget_boots(struct al_node *n)
{
    int err = al_store_kv_del(n->store, AL_SPACE_META, al_slice_str("boots"));
    return err == 0 ? al_store_kv_del(n->store, AL_SPACE_META, al_slice_str("boots-lost")) : err;
}

int node_start_up(struct al_node *n)
{
    int err = n->logs->copy ? mark_copy(n) : 0;
    if (err == 0 && n->opts.new_log && n->opts.new_log_why != NULL)
        err = note_new_log(n, n->opts.new_log_why);
    if (err == 0)
        err = post_first_profile(n);
    if (err == 0)
        err = forget_boots(n);
    if (err == 0)
        err = al_logs_left_save(n->logs);
    if (err == 0)
        err = take_over(n);
    if (err == 0)
        err = meet_first_contact(n);
    if (err == 0)
        err = node_forget_answers(n);
    if (err == 0)
        err = node_forget_uploads(n);
    if (err == 0)
        err = node_post_due(n, true);
    return err == 0 ? open_port_again(n) : err;
}
