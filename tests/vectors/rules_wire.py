"""The rules of what is sent: messages, payloads, invites, addresses."""
import base64
import re
import unicodedata

from rules_base import (
    H, PAYLOAD_MAX, SEQ_MAX, TIME_MAX, Refused, array, bin_of, check_point, check_signature,
    decode, refuse_if, text, uint, versioned)

BLOCK = 64


# --- Messages: a reader for each form of a field -------------------------------------------------


def number(least, most):
    return lambda v: refuse_if(uint(v, most) < least, "range")


def b(size):
    return lambda v: bin_of(v, size)


def some(least, most):
    return lambda v: bin_of(v, least, most)


def optional(size):
    def read(v):
        bin_of(v, 0, size)
        refuse_if(len(v) not in (0, size), "length")
    return read


def words(most):
    return lambda v: text(v, most)


def boolean(v):
    refuse_if(not isinstance(v, bool), "type")


def list_of(element, most, key=None):
    """At most |most| elements, strictly ascending by |key| where there is one."""
    def read(v):
        last = None
        for i, one in enumerate(array(v, 0, most)):
            element(one)
            if key is not None:
                refuse_if(i > 0 and not key(last) < key(one), "order")
            last = one
    return read


def row(*fields):
    def read(v):
        for field, one in zip(fields, array(v, len(fields))):
            field(one)
    return read


def signature_or_none(v):
    bin_of(v, 0, 64)
    refuse_if(len(v) not in (0, 64), "length")


def segment_form(v):
    array(v, 6)


def range_form(v):
    array(v, 2, 3)
    bin_of(v[0], 0, 72)
    mode = uint(v[1], 3)
    refuse_if(len(v) != (2 if mode == 0 else 3), "count")
    if mode == 1:
        row(b(16), number(0, 2**32 - 1))(v[2])
    elif mode > 1:
        list_of(item_form, 65536)(v[2])


def bound(v):
    """Bounds ascend; the empty one is the end of all, after which nothing comes."""
    return (1, b"") if v[0] == b"" else (0, v[0])


U32 = number(0, 2**32 - 1)
U64 = number(0, 2**64 - 1)
REQ = number(1, 2**32 - 1)
SEQ = number(1, SEQ_MAX)
REF = row(b(32), b(8), SEQ, b(32))
HEAD = row(b(32), b(8), SEQ, b(16))
STATEMENT = row(some(1, 16384), b(64), signature_or_none)
ADDRESS = row(some(1, 2048), b(64))
item_form = row(b(32), b(32), b(8), number(0, 2**48 - 1), b(16))
IDENTITIES = list_of(b(32), 4096, key=lambda v: v)

MESSAGES = {
    0: ("hello", [U64, words(64), U64, STATEMENT, optional(16), b(8), b(64),
                  number(0, TIME_MAX), words(64)]),
    1: ("interests", [optional(32), b(32), IDENTITIES, IDENTITIES, boolean]),
    2: ("reset", []),
    3: ("own-heads", [list_of(REF, 64)]),
    4: ("reconcile", [U32, U32, boolean, list_of(range_form, 1024, key=bound)]),
    5: ("want", [REQ, b(32), b(8), SEQ, SEQ]),
    6: ("segment", [U32, segment_form]),
    7: ("payload", [REQ, b(32), b(8), SEQ, some(1, PAYLOAD_MAX)]),
    8: ("done", [REQ, number(0, 3)]),
    9: ("want-payload", [REQ, b(32), b(8), list_of(SEQ, 64, key=lambda v: v)]),
    10: ("heads", [list_of(HEAD, 512)]),
    11: ("link", [b(32), b(8), boolean]),
    12: ("decline", [b(32), b(32), b(8), number(1, 5), number(0, TIME_MAX)]),
    13: ("statements", [U32, list_of(STATEMENT, 65536), boolean]),
    14: ("want-statements", [REQ, list_of(b(32), 256, key=lambda v: v)]),
    15: ("addresses", [list_of(ADDRESS, 64)]),
    16: ("fork", [segment_form, segment_form]),
    17: ("fetch", [REQ, REF]),
    18: ("excerpt", [REQ, list_of(STATEMENT, 256), segment_form]),
    19: ("replies", [REQ, REF]),
    20: ("refs", [REQ, list_of(REF, 64)]),
    21: ("piece-want", [REQ, b(32)]),
    22: ("piece", [REQ, some(1, 65536 + 16)]),
    30: ("ping", [U64]),
    31: ("pong", [U64]),
    32: ("goodbye", [words(64)]),
    33: ("clone", [b(8), b(64), boolean]),
}


def open_message(data):
    refuse_if(len(data) > 256 * 1024, "message-size")
    v = array(decode(data), 1, 2**32)
    kind = uint(v[0], 65535)
    if kind not in MESSAGES:
        return "unknown"
    name, fields = MESSAGES[kind]
    refuse_if(len(v) != 1 + len(fields), "count")
    for field, one in zip(fields, v[1:]):
        field(one)
    refuse_if(name == "hello" and v[1] != 1, "version")
    if name == "want":
        refuse_if(v[4] > v[5], "range")
        refuse_if((v[4] - 1) // BLOCK != (v[5] - 1) // BLOCK, "block")
    return name


# --- Payloads ------------------------------------------------------------------------------------


def short(most):
    def read(v):
        refuse_if(len(text(v, most)) == 0, "length")
    return read


def open_audience(v):
    refuse_if(text(v, 64) not in ("network", "web"), "audience")


def progress(v):
    short(64)(v)
    refuse_if(v not in ("open", "done", "dropped"), "kind")


def anything(_):
    pass


def at_least_one(element, most, key=None):
    def read(v):
        refuse_if(isinstance(v, list) and not v, "count")
        list_of(element, most, key)(v)
    return read


def file_name(v):
    short(128)(v)
    refuse_if(v in (".", "..") or any(unicodedata.category(c) == "Cc" or c == "/" for c in v),
              "range")


def attachment(v):
    row(number(1, 2**25), words(64), file_name, b(32), at_least_one(b(32), 512))(v)
    refuse_if(len(v[4]) != -(-v[0] // 65536), "count")


FIELDS = {
    "a": open_audience, "k": short(32), "n": number(1, 2**64 - 1), "s": b(16),
    "at": number(0, TIME_MAX), "of": REF, "re": REF, "rt": REF, "cid": b(16), "key": short(128),
    "old": list_of(some(1, PAYLOAD_MAX), 64), "src": short(128), "url": short(2048),
    "val": anything, "who": b(32), "from": at_least_one(REF, 64), "meta": some(1, PAYLOAD_MAX),
    "name": short(64), "tags": at_least_one(short(64), 16, key=lambda v: v.encode()),
    "text": short(32768), "about": short(4096), "boxes": at_least_one(b(96), 152),
    "files": at_least_one(attachment, 8), "knows": short(4096), "quote": short(8192),
    "state": progress, "title": short(512),
    "wants": short(4096), "parents": list_of(REF, 4), "working": short(4096),
}
CONTENT = ["at", "src", "text", "tags", "files"]
PIECES = ["url", "title", "quote", "from", "state"]
SEALED, NETWORK, WEB = {"sealed"}, {"network"}, {"web"}
ANY = SEALED | NETWORK | WEB
# kind: audiences, fields it needs, fields it may have
KINDS = {
    "profile": (NETWORK | WEB, ["name"], ["about", "working", "wants", "knows"]),
    "note": (ANY, ["text"], CONTENT),
    "question": (ANY, ["text"], CONTENT),
    "answer": (ANY, ["re", "rt", "text"], CONTENT),
    "accept": (ANY, ["re", "rt"], ["text"]),
    "reply": (ANY, ["re", "rt", "text"], CONTENT),
    "thanks": (ANY, [], ["re", "who", "rt"] + CONTENT),
    "link": (ANY, ["url"], ["title", "quote"] + CONTENT),
    "lesson": (ANY, ["text"], ["from"] + CONTENT),
    "goal": (ANY, ["text"], ["state"] + CONTENT),
    "edit": (ANY, ["of"], PIECES + CONTENT),
    "retract": (NETWORK | WEB, ["of"], ["text"]),
    "share": (ANY, ["of"], PIECES + CONTENT),
    "circle": (NETWORK, ["cid", "n", "parents", "boxes", "old", "meta"], []),
    "follow": (NETWORK | WEB, ["who"], ["text"]),
    "state": (SEALED, ["key", "val"], []),
    "leave": (SEALED, ["cid"], ["text"]),
}


def open_payload(data, sealed):
    refuse_if(len(data) > PAYLOAD_MAX, "length")
    v = decode(data)
    refuse_if(not isinstance(v, dict), "type")
    kind = v.get("k")
    known = isinstance(kind, str) and kind in KINDS
    for key, value in v.items():
        if key in FIELDS and (known or key in ("a", "k", "s")):
            FIELDS[key](value)
    audience = "sealed" if sealed else v.get("a", "network")
    audiences, needs, may = KINDS[kind] if known else (ANY, [], list(FIELDS))
    common = ["k"] if sealed else ["a", "k", "s"]
    refuse_if(audience not in audiences, "audience")
    refuse_if(any(key not in v for key in common + needs), "missing")
    refuse_if(kind == "thanks" and "re" not in v and "who" not in v, "missing")
    refuse_if(sealed and ("a" in v or "s" in v), "kind")
    refuse_if(any(key in FIELDS and key not in common + needs + may for key in v), "kind")
    return {"kind": kind, "known": kind if known else "unknown", "audience": audience}


# --- Invites and addresses -----------------------------------------------------------------------


ADDRESSES = list_of(short(128), 8)


def read_invite(s):
    """What it says, the addresses as a list."""
    s = s.strip(" \t\n\v\f\r")
    refuse_if(not re.fullmatch(r"aloud:[A-Za-z0-9_-]+", s), "ticket")
    code = s[6:]
    try:
        raw = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except ValueError:
        raise Refused("ticket") from None
    # the decoder here lets bits at the end be anything
    refuse_if(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != code, "ticket")
    body, check = raw[:-4], raw[-4:]
    refuse_if(len(raw) < 4 or H("aloud1-invite", body)[:4] != check, "ticket")
    v = versioned(decode(body), 7)
    for field, one in zip([b(32), b(32), b(32), ADDRESSES, b(16), number(0, TIME_MAX)], v[1:]):
        field(one)
    return {"network": v[1], "identity": v[2], "device": v[3], "addresses": v[4],
            "token": v[5], "expires_s": v[6]}


def open_invite(s):
    invite = read_invite(s)
    return dict(invite, addresses=len(invite["addresses"]))


def open_address_record(data):
    body, signature = array(decode(data), 2)
    bin_of(body, 1, 2048)
    bin_of(signature, 64)
    v = versioned(decode(body), 4)
    bin_of(v[1], 32)
    U64(v[2])
    ADDRESSES(v[3])
    check_point(v[1])
    check_signature(signature, v[1], "aloud1-sig-addr", H("aloud1-addr", body))
    return {"device": v[1], "counter": v[2], "addresses": len(v[3])}


def split_address(s):
    match = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", s)
    if match is None and s.startswith("["):
        raise Refused("address")
    if match is None and s.count(":") != 1:
        match = re.fullmatch(r"(.*?)()", s)
    elif match is None:
        match = re.fullmatch(r"(.*):(.*)", s)
        refuse_if(match[2] == "", "address")
    host, port = match[1], match[2] or "4747"
    refuse_if(not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536, "address")
    refuse_if(not re.fullmatch(r"[A-Za-z0-9.:-]{1,255}", host), "address")
    return {"host": host, "port": int(port)}
