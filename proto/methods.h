/*
 * The one list of methods of the local API. It feeds the dispatcher, `api_info`, the CLI and
 * docs/rpc.md. Params and results are maps, written here as NAME:TYPE, NAME?:TYPE when optional.
 *
 * Types: str, uint, int, bool, bin16, bin32 (bytes), ref = [device bin32, log bin8, seq, id
 * bin32], row (see AL_ROW_FIELDS), cursor = opaque bin: pass what the last page gave; a page
 * without "next" is the last. Times are milliseconds since 1970. People and entries are named by
 * their bytes: `resolve` and `person` turn what was typed into them.
 *
 * X(NAME, WHERE, PARAMS, RESULT, SUMMARY); WHERE says who answers:
 *   LOOP  the event loop itself
 *   NODE  the node, in its order, after its commit; "key" makes a write idempotent for 30 days
 *   READ  a reader on the thread pool, after the views hold this client's last change
 */
#ifndef AL_METHODS_H
#define AL_METHODS_H

#include "bytes.h"

#define AL_METHODS(X)                                                                              \
    X(hello, LOOP, "v:uint client?:str", "v:uint agent:str pid:uint",                              \
        "agree on the version of this API")                                                        \
    X(api_info, LOOP, "", "methods:[{name:str params:str result:str summary:str}]",                \
        "describe every method")                                                                   \
    X(stop, LOOP, "", "", "stop the node cleanly")                                                 \
    X(subscribe, LOOP, "from?:uint", "sub:uint pos:uint",                                          \
        "then notifications 'rows' {sub, pos, rows:[row]}; 'lagged' {sub} ends it; without from: " \
        "from now")                                                                                \
    X(unsubscribe, LOOP, "sub:uint", "", "end a subscription")                                     \
    X(status, NODE, "",                                                                            \
        "identity:bin32 device:bin32 name:str agent:str phrase_confirmed:bool network:str "        \
        "audience:str "                                                                            \
        "started:uint entries:uint own_entries:uint logs:uint people:uint following:uint "         \
        "devices:uint peers:uint listening:[str] listen_error:str pos:uint behind:uint "           \
        "alone:uint held:uint copy:bool generation:uint problems:[{code:str text:str try:str}]",   \
        "the state of the node; audience: of posts that name none; alone: own entries that no "    \
        "other node is known to hold; held: posts that wait in the outbox; copy: nothing leaves "  \
        "this node; generation: of the newest reading key")                                        \
    X(post, NODE, "key:bin16 entry:{k:str ...} to?:str circle?:bin16 owner?:bin32 hold?:uint",     \
        "ref?:ref held?:uint due?:uint pos:uint to:str circle:str warn?:str people:uint "          \
        "devices:uint",                                                                            \
        "append one entry; entry has the fields of its kind (docs/protocol.md), files being "      \
        "handles of file_new; to is me, "                                                          \
        "circle (with its id and owner), network "                                                 \
        "or web; without to a reply takes its thread's, all else that of status; says who can "    \
        "read it: people and devices "                                                             \
        "are those of status, for a circle people is its size, circle its name, and warn tells "   \
        "who else may still read it. An edit, a retract or a share names in of an own entry; an "  \
        "edit "                                                                                    \
        "has "                                                                                     \
        "its readers, a share a wider to. With hold (seconds; absent: post.hold of the "           \
        "configuration) it is held, not posted: its number and when it is due, and no ref")        \
    X(held, NODE, "", "held:[{n:uint due:uint to:str circle:str why:str entry:{...}}]",            \
        "posts that wait in the outbox; why: what was wrong when one was due")                     \
    X(unhold, NODE, "key:bin16 n:uint", "to:str entry:{...}",                                      \
        "take a held post out: it is gone, and its text is in this answer only; asked again the "  \
        "answer is empty")                                                                         \
    X(post_many, NODE, "key:bin16 to:str circle?:bin16 owner?:bin32 entries:[{k:str ...}]",        \
        "added:uint known:uint pos:uint",                                                          \
        "append many entries, e.g. of an import, skipping those whose src is there already")       \
    X(circles, NODE, "",                                                                           \
        "circles:[{circle:bin16 owner:bin32 name:str mine:bool member:bool epoch:uint heads:uint " \
        "warn:str members:[bin32] former:[bin32]}]",                                               \
        "the circles one is or was in, also those one left; warn: why somebody else than the "     \
        "members may read what is written to it now, or empty")                                    \
    X(circle_new, NODE, "key:bin16 name:str members:[bin32]",                                      \
        "circle:bin16 owner:bin32 epoch:uint pos:uint",                                            \
        "make a circle of oneself and members, who must be known here; own circles have "          \
        "different "                                                                               \
        "names")                                                                                   \
    X(circle_change, NODE,                                                                         \
        "key:bin16 circle:bin16 add?:[bin32] remove?:[bin32] name?:str history?:bool",             \
        "epoch:uint pos:uint",                                                                     \
        "change an own circle; with history all members can read what was written before they "    \
        "came; add of who is in already (without history) is exists, remove of who is not in is "  \
        "not-found, and nothing is changed")                                                       \
    X(circle_leave, NODE, "key:bin16 circle:bin16 owner:bin32", "pos:uint",                        \
        "leave a circle of somebody else: they are asked to take one out, and one's own node "     \
        "wants its members no more")                                                               \
    X(relate, NODE, "key:bin16 identity:bin32 relation:str value:any", "pos:uint",                 \
        "relation: follow, admit, block, mute (value bool) or petname (value str, may be empty)")  \
    X(invite, NODE, "key:bin16 uses?:uint expires?:uint", "ticket:str expires:uint",               \
        "make an invite; opens the port if it is not open; expires in seconds since 1970")         \
    X(join, NODE, "key:bin16 ticket:str follow?:bool", "identity:bin32 device:bin32",              \
        "follow and admit who invites, and dial them until it works")                              \
    X(peers, NODE, "",                                                                             \
        "peers:[{device:bin32 identity:bin32 state:str address:str outgoing:bool since:uint "      \
        "seen:uint behind:uint ahead:uint why:str next:uint}]",                                    \
        "connections and dial attempts; state: ready, hello, dialling or waiting; behind: "        \
        "entries "                                                                                 \
        "we lack of what it holds; times in milliseconds since 1970, next: of the next dial")      \
    X(fetch, NODE, "ref:ref timeout?:uint", "found:bool asked:uint",                               \
        "get one entry from connected peers, also of people who are not followed; answers when "   \
        "it is here, when all have answered, or after timeout milliseconds (10 s); asked: peers")  \
    X(replies, NODE, "ref:ref timeout?:uint", "found:uint asked:uint",                             \
        "get the entries that answer one, from connected peers, also by people who are not "       \
        "followed; found: how many were not here before; timeout as of fetch")                     \
    X(wait, NODE, "pos:uint timeout?:uint", "synced:bool",                                         \
        "answer when nothing is known to be missing any more, or after timeout milliseconds")      \
    X(confirm_phrase, NODE, "key:bin16", "", "note that the 24 words were written down")           \
    X(file_new, NODE, "key:bin16 size:uint name:str mime:str", "file:bin16 pieces:uint",           \
        "begin to send in a file, to be named in the files of an entry; forgotten after a day")    \
    X(file_put, NODE, "file:bin16 index:uint data:[bin]", "have:uint",                             \
        "its pieces from number index on, 64 KiB each but for the last one, at most 15 a call; "   \
        "have: how many are here, where to go on")                                                 \
    X(file_get, NODE, "ref:ref file:uint timeout?:uint", "have:uint pieces:uint holders:uint",     \
        "fetch file number file (from 0) of an entry from peers; answers when it is whole, when "  \
        "nothing more is to be expected, or after timeout milliseconds; holders: connected "       \
        "peers that may have what is missing; asked again, it goes on")                            \
    X(file_read, NODE, "ref:ref file:uint offset:uint", "data:bin last:bool",                      \
        "bytes of a file from offset on, a multiple of 64 KiB: at most 8 pieces, as far as they "  \
        "are here; not-found names the piece that is not, see file_get")                           \
    X(devices, NODE, "",                                                                           \
        "devices:[{device:bin32 name:str this:bool revoked:bool created:uint logs:uint "           \
        "entries:uint last:uint}] generation:uint unsafe:bool copy:bool",                          \
        "the own devices; generation: of the newest reading key, unsafe when a revoked device "    \
        "has "                                                                                     \
        "it")                                                                                      \
    X(device_rename, NODE, "key:bin16 device:bin32 name:str", "pos:uint",                          \
        "what the own devices call one of them")                                                   \
    X(device_revoke, NODE, "key:bin16 words?:str device:bin32 since?:uint",                        \
        "logs:uint kept:uint hidden:uint generation:uint pos:uint",                                \
        "entries of that device count no longer, but for those held (since: that arrived "         \
        "before); "                                                                                \
        "publishes the next reading key; without the 24 words it only says what would be; exists " \
        "when it is revoked and since cuts off nothing more")                                      \
    X(device_rekey, NODE, "key:bin16 words:str", "generation:uint devices:uint pos:uint",          \
        "publish the next reading key, for the devices that are not revoked")                      \
    X(timeline, READ,                                                                              \
        "limit?:uint cursor?:cursor from?:bin32 mine?:bool tag?:str kind?:str since?:uint "        \
        "until?:uint to?:str unread?:bool oldest_first?:bool",                                     \
        "rows:[row] next?:cursor pos:uint behind:uint",                                            \
        "entries by time, newest first unless said otherwise; without from or mine: own and "      \
        "followed")                                                                                \
    X(changes, READ, "from:uint limit?:uint", "rows:[row] pos:uint",                               \
        "entries of the timeline in order of arrival; go on from pos; a page without rows is the " \
        "last")                                                                                    \
    X(show, READ, "id:bin32",                                                                      \
        "row:row header:{seq:uint time:uint prev:bin32 plen:uint phash:bin32} sig?:{seq:uint "     \
        "sig:bin64} payload?:bin edits:[row] replies:uint",                                        \
        "one entry with everything known of it")                                                   \
    X(thread, READ, "id:bin32 limit?:uint", "root:bin32 rows:[row] missing:[ref] more:bool",       \
        "the thread of an entry, parents before children; rows carry depth")                       \
    X(search, READ, "query:str limit?:uint cursor?:cursor rank?:bool",                             \
        "rows:[row] next?:cursor of:uint behind:uint",                                             \
        "full-text search: words, phrases in quotes, -without, prefix*, tag: from: kind: to: "     \
        "since: "                                                                                  \
        "until:; "                                                                                 \
        "ranked unless rank is false; of: how many were found, of the newest 2,000; rows carry "   \
        "snippet: text with \\x02 and \\x03 around what matched")                                  \
    X(tags, READ, "limit?:uint from?:bin32", "tags:[{tag:str count:uint last:uint}]",              \
        "tags by use")                                                                             \
    X(people, READ, "",                                                                            \
        "people:[{identity:bin32 name:str petname:str me:bool following:bool admitted:bool "       \
        "blocked:bool muted:bool entries:uint last:uint devices:uint}]",                           \
        "everybody known here")                                                                    \
    X(person, READ, "who:str",                                                                     \
        "people:[{identity:bin32 name:str petname:str me:bool}] similar:[str]",                    \
        "whom a typed name, petname or id prefix can mean: one, several, or none")                 \
    X(profile, READ, "identity:bin32",                                                             \
        "identity:bin32 name:str petname:str me:bool following:bool admitted:bool blocked:bool "   \
        "muted:bool about:str working:str wants:str knows:str entries:uint first:uint last:uint "  \
        "devices:[{device:bin32 name:str revoked:bool}]",                                          \
        "a person's newest profile")                                                               \
    X(resolve, READ, "ref:str retracted?:bool", "rows:[row] similar:[str]",                        \
        "entries that a typed reference can mean: an id prefix, last, last~N, @name/last, where "  \
        "retracted entries count if retracted")                                                    \
    X(views_status, READ, "",                                                                      \
        "pos:uint behind:uint entries:uint unindexed:uint unreadable:uint rebuilt:uint "           \
        "safe_mode:bool",                                                                          \
        "how far the views are; unindexed: positions that search does not know yet; rebuilt: how " \
        "often the file was thrown away")                                                          \
    X(doctor, READ, "from?:bin32",                                                                 \
        "findings:[{code:str severity:str text:str try:str}] entries:uint logs:uint",              \
        "check every chain held; severity is ok, note, warning or error")                          \
    X(backup, READ, "", "handle:uint size:uint", "write a consistent copy of the log database")    \
    X(backup_read, READ, "handle:uint offset:uint", "data:bin last:bool",                          \
        "a part of that copy; after the last one it is gone")

/*
 * What a row carries, always all of them:
 *   id:bin32 ref:ref identity:bin32 name:str (petname, else claimed name, may be empty)
 *   petname:bool mine:bool close:bool (by this person or somebody they follow, or said in a circle
 *   of theirs) kind:str to:str (me, circle, network, web; empty when it can't be read) circle:str
 * (its name when to is circle, else empty) time:uint (sorts by it) at:uint (0 unless given)
 * claimed:uint arrived:uint pos:uint text:str tags:[str] re:bin32|nil rt:bin32|nil replies:uint
 * short:uint (characters that name it today) depth:uint snippet:str state:str (ok, edited,
 * retracted, missing, unreadable, disputed, revoked) fields:{...} (url, title, quote, name, about,
 * working, wants, knows, who, src, of, from..., those that it has; files: [[size, mime, name],
 * ...]; wider: true when it answers an entry that fewer can read)
 */
#define AL_ROW_FIELDS 25

enum al_method_where { AL_METHOD_LOOP, AL_METHOD_NODE, AL_METHOD_READ };

struct al_method {
    const char *name;
    enum al_method_where where;
    const char *params;
    const char *result;
    const char *summary;
};

/* The list above, for whoever needs it at run time. */
extern const struct al_method al_methods[];
extern const size_t al_method_count;

/* The method called |name|, or NULL. */
const struct al_method *al_method_find(struct al_slice name);

#endif
