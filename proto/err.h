/*
 * The one table of error codes: value, name on the wire of the local API, and words for people.
 * Values start below -10000, so a libuv code (-1 to -4095) can never be mistaken for one.
 */
#ifndef AL_ERR_H
#define AL_ERR_H

#define AL_MUST_CHECK __attribute__((warn_unused_result))

/* X(NAME, value, wire name, words). Never renumber: scripts and peers see the names. */
#define AL_ERRORS(X)                                                                               \
    /* the scanner and the readers */                                                              \
    X(AL_E_TRUNCATED, -10001, "truncated", "the bytes end in the middle of a value")               \
    X(AL_E_TRAILING, -10002, "trailing", "bytes follow after the value")                           \
    X(AL_E_LONG_FORM, -10003, "long-form", "a number or length is not in its shortest form")       \
    X(AL_E_TYPE, -10004, "type", "a value has a type that is not allowed there")                   \
    X(AL_E_UTF8, -10005, "utf8", "a text is not valid UTF-8")                                      \
    X(AL_E_KEY_ORDER, -10006, "key-order", "the keys of a map are not sorted and unique")          \
    X(AL_E_KEY_TYPE, -10007, "key-type", "a key of a map is not a text")                           \
    X(AL_E_DEPTH, -10008, "depth", "values are nested too deeply")                                 \
    X(AL_E_ELEMENTS, -10009, "elements", "the value has too many elements")                        \
    X(AL_E_RANGE, -10010, "range", "a number is out of its range")                                 \
    X(AL_E_LENGTH, -10011, "length", "a byte string or text has a wrong length")                   \
    X(AL_E_COUNT, -10012, "count", "an array has a wrong number of elements")                      \
    X(AL_E_MISSING, -10013, "missing", "a required field is missing")                              \
    X(AL_E_SPACE, -10014, "space", "the result does not fit its buffer")                           \
    X(AL_E_MORE, -10015, "more", "the value is not complete yet")                                  \
    X(AL_E_VERSION, -10016, "version", "the format version is unknown")                            \
    X(AL_E_TEXT_FORM, -10017, "text-form", "that is not a well-formed id")                         \
    X(AL_E_ORDER, -10018, "order", "the elements of a list are not ascending and unique")          \
    /* what is signed */                                                                           \
    X(AL_E_SIG, -10030, "signature", "a signature does not match")                                 \
    X(AL_E_POINT, -10031, "point", "a public key is not a valid point")                            \
    X(AL_E_PREV, -10032, "prev", "an entry does not follow the one before it")                     \
    X(AL_E_BLOCK, -10033, "block", "a segment crosses a block boundary")                           \
    X(AL_E_PAYLOAD_HASH, -10034, "payload-hash", "a payload does not match its hash")              \
    X(AL_E_INLINE, -10035, "inline", "a segment carries the wrong payloads inline")                \
    X(AL_E_FORK, -10036, "fork", "two different entries carry the same number")                    \
    X(AL_E_NO_FORK, -10037, "no-fork", "the two segments do not contradict each other")            \
    X(AL_E_IDENTITY, -10038, "identity", "a statement belongs to another identity")                \
    X(AL_E_NOT_CERTIFIED, -10039, "not-certified", "no certificate of that device is known")       \
    X(AL_E_REVOKED, -10040, "revoked", "the device was revoked before that entry")                 \
    X(AL_E_STATEMENT_KIND, -10041, "statement-kind", "the statement is of an unknown kind")        \
    X(AL_E_GAP, -10042, "gap", "an entry is missing in between")                                   \
    X(AL_E_SEALED, -10043, "sealed", "no known key opens it")                                      \
    X(AL_E_PADDING, -10044, "padding", "the padding of a sealed payload is wrong")                 \
    X(AL_E_KIND, -10045, "kind", "the fields do not fit the kind of the entry")                    \
    X(AL_E_AUDIENCE, -10046, "audience", "that audience is not possible for this entry")           \
    X(AL_E_PHRASE_WORD, -10047, "phrase-word", "a word is not on the list")                        \
    X(AL_E_PHRASE_CHECKSUM, -10048, "phrase-checksum", "the words do not fit together")            \
    X(AL_E_TICKET, -10049, "ticket", "that is not an invite, or it was mistyped")                  \
    /* the transport */                                                                            \
    X(AL_E_HANDSHAKE, -10060, "handshake", "the handshake failed")                                 \
    X(AL_E_DECRYPT, -10061, "decrypt", "a frame could not be decrypted")                           \
    X(AL_E_FRAME, -10062, "frame", "a frame is malformed")                                         \
    X(AL_E_MESSAGE_SIZE, -10063, "message-size", "a message is too large")                         \
    X(AL_E_CLOSED, -10064, "closed", "the connection is closed")                                   \
    X(AL_E_REPLAY, -10065, "replay", "the handshake was seen before")                              \
    X(AL_E_UNEXPECTED, -10066, "unexpected", "that message is not allowed now")                    \
    X(AL_E_BUDGET, -10067, "budget", "the peer asked for more than its share")                     \
    X(AL_E_STRANGER, -10068, "stranger", "the peer is not admitted here")                          \
    X(AL_E_INVITE, -10069, "invite", "the invite is unknown, used up or expired")                  \
    X(AL_E_BLOCKED, -10070, "blocked", "the identity is blocked")                                  \
    X(AL_E_NETWORK, -10071, "network", "the invite is for another network")                        \
    X(AL_E_DUPLICATE, -10072, "duplicate", "there is another connection to that device")           \
    X(AL_E_CLONE, -10073, "clone", "another machine runs with this device key")                    \
    X(AL_E_TIMEOUT, -10074, "timeout", "the other side did not answer in time")                    \
    X(AL_E_SELF, -10075, "self", "that is this node itself")                                       \
    X(AL_E_ADDRESS, -10076, "address", "that is not a usable address")                             \
    X(AL_E_REFUSED, -10077, "refused", "nobody listens there")                                     \
    X(AL_E_UNREACHABLE, -10078, "unreachable", "no way leads there")                               \
    X(AL_E_HOST, -10079, "host", "the host name is unknown")                                       \
    /* store and node */                                                                           \
    X(AL_E_NOMEM, -10090, "no-memory", "out of memory")                                            \
    X(AL_E_IO, -10091, "io", "reading or writing the disk failed")                                 \
    X(AL_E_FULL, -10092, "disk-full", "the disk is full")                                          \
    X(AL_E_CORRUPT, -10093, "corrupt", "stored data is damaged")                                   \
    X(AL_E_BUSY, -10094, "busy", "it is in use by somebody else")                                  \
    X(AL_E_READ_ONLY, -10095, "read-only", "the data cannot be written")                           \
    X(AL_E_SCHEMA, -10096, "schema", "the data was written by a newer version")                    \
    X(AL_E_NOT_FOUND, -10097, "not-found", "nothing like that is here")                            \
    X(AL_E_AMBIGUOUS, -10098, "ambiguous", "that could be several things")                         \
    X(AL_E_EXISTS, -10099, "exists", "it is there already")                                        \
    X(AL_E_LIMIT, -10100, "limit", "a limit is reached")                                           \
    X(AL_E_PERMISSION, -10101, "permission", "the permissions are not safe")                       \
    X(AL_E_DOUBT, -10102, "doubt", "it is not certain whether it was saved")                       \
    X(AL_E_CRYPTO, -10103, "crypto", "the cryptographic library is not safe to use")               \
    X(AL_E_STATE, -10104, "state", "that is not possible in the present state")                    \
    X(AL_E_DECLINED, -10105, "declined", "it is not wanted here")                                  \
    X(AL_E_CONFIG, -10106, "config", "the configuration is wrong")                                 \
    X(AL_E_PATH, -10107, "path", "a path is missing or too long")                                  \
    X(AL_E_SOCKET_PATH, -10108, "socket-path", "the path of the socket is longer than 107 bytes")  \
    /* the local API */                                                                            \
    X(AL_E_RPC, -10120, "rpc", "that is not a MessagePack-RPC message")                            \
    X(AL_E_METHOD, -10121, "method", "there is no such method")                                    \
    X(AL_E_PARAMS, -10122, "params", "the parameters do not fit the method")                       \
    X(AL_E_NO_NODE, -10123, "no-node", "no node is running")                                       \
    X(AL_E_LAGGED, -10124, "lagged", "the client did not keep up")                                 \
    X(AL_E_NOT_INITIALISED, -10125, "not-initialised", "no identity on this machine yet")          \
    X(AL_E_QUERY, -10126, "query", "the search query cannot be understood")                        \
    X(AL_E_WHEN, -10127, "when", "that is not a date")                                             \
    X(AL_E_PEER_UID, -10128, "peer-uid", "another user may not talk to this node")

enum al_err {
#define AL_X(name, value, wire, words) name = value,
    AL_ERRORS(AL_X)
#undef AL_X
};

/* The stable short name of |err|, e.g. "key-order"; "ok" for 0, "unknown" for no code of ours. */
const char *al_err_name(int err);

/* What |err| means in words for people, without a full stop; never NULL. */
const char *al_err_words(int err);

/* The code whose short name is |name|, or 0 if there is none. */
int al_err_of_name(const char *name);

#endif
