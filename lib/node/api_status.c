/* Calls that tell how the node is: status, peers, wait, confirm_phrase. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "node_int.h"
#include "ticket.h"

/* --- status -------------------------------------------------------------------------------- */

#define PROBLEMS_MAX 16
#define NEW_LOG_TOLD_MS ((uint64_t)7 * 24 * 3600 * 1000)
#define NEW_LOG_WHY_MAX 160

struct problem {
    const char *code;
    const char *text;
    const char *hint;
};

struct problems {
    struct problem list[PROBLEMS_MAX];
    uint32_t count;
    char new_log[NEW_LOG_WHY_MAX + 128];
    char said[192];
};

static void put_uint(struct al_buf *out, const char *key, uint64_t v)
{
    al_write_cstr(out, key);
    al_write_uint(out, v);
}

static void put_str(struct al_buf *out, const char *key, const char *v)
{
    al_write_cstr(out, key);
    al_write_cstr(out, v);
}

uint64_t node_count_people(const struct al_node *n, bool only_followed)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    uint64_t count = 0;
    while (al_map_next(n->logs->people, &walk, NULL, &value)) {
        const struct al_person *p = value;
        bool known = p != n->logs->self && (p->log_count > 0 || p->follow || p->admit);
        count += only_followed ? p->follow && !p->block : known;
    }
    return count;
}

/* The problem |p| joins those found so far. */
static void add(struct problems *out, struct problem p)
{
    AL_ASSERT(out->count < PROBLEMS_MAX);
    out->list[out->count++] = p;
}

/* What keeps this device from speaking for its person. */
static void find_device_problems(const struct al_node *n, struct problems *out)
{
    if (node_is_revoked(n))
        add(out,
            (struct problem){"revoked",
                "this device was revoked: nothing that it writes counts any more, and it talks "
                "to nobody",
                "aloud restore"});
    else if (n->logs->copy)
        add(out, (struct problem){"copy",
                     "this is a copy of another machine: you can read and write here, but nothing "
                     "leaves it until it is a device of its own",
                     "aloud restore"});
    else if (al_gossip_clone_seen(n->gossip))
        add(out, (struct problem){"clone",
                     "another machine ran with the key of this device, and was let go: this one "
                     "goes on; that one is a copy, and can become a device of its own over there",
                     "aloud restore   (on the other machine)"});
}

/* What peers say is no proof: it changes nothing but what the person knows. */
static void find_hints(const struct al_node *n, struct problems *out)
{
    uint32_t said = al_gossip_revoked_said(n->gossip);
    if (said == 0 || n->logs->copy)
        return;
    (void)snprintf(out->said, sizeof(out->said),
        "%u %s that this device was revoked, and %s it in no more; if that is so, it can "
        "become a new one",
        said, said == 1 ? "peer says" : "peers say", said == 1 ? "lets" : "let");
    add(out, (struct problem){"revoked-said", out->said, "aloud restore --yes"});
}

/* What own logs tell. */
static void find_log_problems(const struct al_node *n, struct problems *out)
{
    uint32_t own_logs = 0;
    bool forked = false;
    for (uint32_t i = 0; i < n->logs->self->log_count; i++) {
        const struct al_log *log = n->logs->self->logs[i];
        own_logs += al_device_eq(&log->device, &n->opts.keyring->device);
        forked = forked || al_log_disputed(log);
    }
    if (forked)
        add(out, (struct problem){"fork",
                     "one of your devices has given two different entries the same number: from "
                     "there on its log is disputed, until you revoke that device from another one",
                     "aloud doctor"});
    if (own_logs >= AL_LOGS_PER_DEVICE_WARN)
        add(out, (struct problem){"logs-many",
                     "this device has started nearly as many logs as it may: make it a new one",
                     "aloud restore"});
}

/* What the reading key lacks. */
static void find_key_problems(const struct al_node *n, struct problems *out)
{
    struct al_reading reading;
    al_record_reading(n->logs->self->record, &reading);
    if (reading.unsafe)
        add(out, (struct problem){"reading-key-unsafe",
                     "a device that is revoked can read what is sealed for you from now on",
                     "aloud device rekey"});
    if (reading.generation > n->logs->keyring->generation)
        add(out, (struct problem){"reading-key-missing",
                     "this device was not given your newest reading key, and can't read what is "
                     "sealed with it",
                     "aloud device rekey"});
}

/* Why a new log was started lately: told for a week. */
static int find_new_log(struct al_node *n, struct problems *out)
{
    struct al_slice bytes;
    int err = al_store_kv_get(n->store, &bytes, AL_SPACE_META, al_slice_str(AL_META_NEW_LOG));
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    struct al_read r = al_read_init(bytes);
    (void)al_read_array(&r, 2, 2);
    uint64_t when_ms = al_read_uint(&r, UINT64_MAX);
    struct al_slice why = al_read_str(&r, NEW_LOG_WHY_MAX);
    if (r.err != 0 || n->now.wall_ms >= when_ms + NEW_LOG_TOLD_MS)
        return 0;
    (void)snprintf(out->new_log, sizeof(out->new_log),
        "a new log was started: %.*s. Nothing is lost; what others have of the old one comes back "
        "from them",
        (int)why.n, (const char *)why.p);
    add(out, (struct problem){"new-log", out->new_log, ""});
    return 0;
}

static int find_problems(struct al_node *n, struct problems *out, bool confirmed)
{
    if (n->full)
        add(out, (struct problem){"disk-full",
                     "the disk is full: until there is space nothing is written, sent or taken in",
                     "aloud paths"});
    find_device_problems(n, out);
    if (!confirmed)
        add(out, (struct problem){"phrase-not-confirmed",
                     "the 24 words were not confirmed: without them a lost machine is a lost "
                     "identity",
                     "aloud init --confirm"});
    if (n->listen_error[0] != '\0')
        add(out, (struct problem){"not-listening", n->listen_error,
                     "set another listen address and restart the node"});
    find_hints(n, out);
    find_log_problems(n, out);
    find_key_problems(n, out);
    if (n->outbox.failed > 0)
        add(out,
            (struct problem){"held-failed",
                "a held post could not go out when it was due; its text is kept", "aloud held"});
    return find_new_log(n, out);
}

static void write_network(struct al_node *n, struct al_buf *out)
{
    struct al_network public;
    al_network_public(&public);
    bool is_public = memcmp(public.b, n->opts.network.b, sizeof(public.b)) == 0;
    put_str(out, "network", is_public ? "public" : "private");
}

static int write_names(struct al_node *n, struct al_buf *out, bool *ret_confirmed)
{
    char text[AL_NAME_MAX + 1];
    int err = node_meta(n, text, sizeof(text), AL_META_PHRASE);
    if (err != 0)
        return err;
    *ret_confirmed = text[0] == '1';
    al_write_cstr(out, "phrase_confirmed");
    al_write_bool(out, *ret_confirmed);
    err = node_meta(n, text, sizeof(text), AL_META_OWN_NAME);
    if (err == 0)
        put_str(out, "name", text);
    return err;
}

int api_status(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct problems problems = {.count = 0};
    struct al_reading reading;
    bool confirmed = false;
    (void)call;
    (void)params;
    al_write_map(out, 24);
    al_write_cstr(out, "identity");
    al_write_bin(out, n->opts.keyring->identity.b, 32);
    al_write_cstr(out, "device");
    al_write_bin(out, n->opts.keyring->device.b, 32);
    put_str(out, "agent", n->opts.agent);
    int err = write_names(n, out, &confirmed);
    if (err != 0)
        return err;
    write_network(n, out);
    put_str(out, "audience", n->opts.audience != NULL ? n->opts.audience : "network");
    put_uint(out, "started", n->started_ms);
    put_uint(out, "entries", n->logs->entries);
    put_uint(out, "own_entries", al_logs_own_entries(n->logs));
    put_uint(out, "logs", al_map_count(n->logs->logs));
    put_uint(out, "people", node_count_people(n, false));
    put_uint(out, "following", node_count_people(n, true));
    put_uint(out, "devices", node_count_devices(n));
    put_uint(out, "peers", al_gossip_ready_peers(n->gossip));
    al_write_cstr(out, "listening");
    al_write_array(out, n->listening ? n->address_count : 0);
    for (uint32_t i = 0; n->listening && i < n->address_count; i++)
        al_write_cstr(out, n->addresses[i]);
    put_str(out, "listen_error", n->listen_error);
    put_uint(out, "pos", n->logs->pos);
    put_uint(out, "behind", al_gossip_behind(n->gossip));
    put_uint(out, "alone", al_gossip_alone(n->gossip));
    put_uint(out, "held", n->outbox.count);
    al_write_cstr(out, "copy");
    al_write_bool(out, n->logs->copy);
    al_record_reading(n->logs->self->record, &reading);
    put_uint(out, "generation", reading.generation);
    err = find_problems(n, &problems, confirmed);
    al_write_cstr(out, "problems");
    al_write_array(out, problems.count);
    for (uint32_t i = 0; i < problems.count; i++) {
        al_write_map(out, 3);
        put_str(out, "code", problems.list[i].code);
        put_str(out, "text", problems.list[i].text);
        put_str(out, "try", problems.list[i].hint);
    }
    return err;
}

/* --- peers --------------------------------------------------------------------------------- */

struct peer_list {
    struct al_buf bytes;
    uint32_t count;
};

static void write_peer(void *arg, const struct al_peer_info *info)
{
    struct peer_list *list = arg;
    struct al_buf *b = &list->bytes;
    list->count++;
    al_write_map(b, 11);
    al_write_cstr(b, "device");
    al_write_bin(b, info->device.b, sizeof(info->device.b));
    al_write_cstr(b, "identity");
    al_write_bin(b, info->identity.b, sizeof(info->identity.b));
    put_str(b, "state", info->state);
    al_write_cstr(b, "address");
    al_write_str(b, info->address);
    al_write_cstr(b, "outgoing");
    al_write_bool(b, info->outgoing);
    put_uint(b, "since", info->since_ms);
    put_uint(b, "seen", info->seen_ms);
    put_uint(b, "behind", info->behind);
    put_uint(b, "ahead", info->ahead);
    put_str(b, "why", info->why);
    put_uint(b, "next", info->next_ms);
}

int api_peers(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct peer_list list = {.bytes = al_heapbuf()};
    (void)call;
    (void)params;
    al_gossip_peers(n->gossip, n->now, write_peer, &list);
    al_write_map(out, 1);
    al_write_cstr(out, "peers");
    al_write_array(out, list.count);
    al_write_raw(out, al_buf_slice(&list.bytes));
    bool full = list.bytes.full;
    al_heapbuf_free(&list.bytes);
    return full ? AL_E_NOMEM : 0;
}

/* --- the rest ------------------------------------------------------------------------------ */

int api_wait(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    uint64_t timeout;
    (void)out;
    if (param_uint(&timeout, params, "timeout", 60000) != 0 || timeout > 3600000)
        return AL_E_PARAMS;
    struct call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    c->id = call;
    c->deadline_ms = n->now.mono_ms + timeout;
    STAILQ_INSERT_TAIL(&n->waits, c, link); /* the end of this turn looks at it first */
    return CALL_WAITS;
}

int api_confirm_phrase(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    (void)call;
    (void)params;
    int err =
        al_store_kv_put(n->store, AL_SPACE_META, al_slice_str(AL_META_PHRASE), al_slice_str("1"));
    if (err == 0)
        al_write_map(out, 0);
    return err;
}
