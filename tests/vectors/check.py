#!/usr/bin/python3
"""Check the vectors against docs/protocol.md, sharing no code with the C.

Every rule stands here a second time, in its plainest form: hashlib for BLAKE2b, PyNaCl for the
signatures and ciphers, msgpack only to compare encodings. Usage: check.py FOLDER
"""
import hashlib
import json
import pathlib
import sys

import msgpack
import nacl.bindings as sodium

SEQ_MAX = 2**48 - 2
TIME_MAX = 2**48 - 1
PAYLOAD_MAX = 65536
INLINE_MAX = 192 * 1024
BLOCK = 64


class Refused(Exception):
    """The bytes break a rule; the argument is the rule's name."""


def refuse_if(condition, name):
    if condition:
        raise Refused(name)


# --- Encoding ------------------------------------------------------------------------------------


class Scanner:
    """Canonical MessagePack, read into Python values; text and bytes keep apart as str, bytes."""

    DEPTH_MAX = 8
    ELEMENTS_MAX = 65536

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.elements = 0

    def take(self, n):
        refuse_if(len(self.data) - self.at < n, "truncated")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def length(self, size, least):
        n = self.number(size)
        refuse_if(n < least, "long-form")
        return n

    def integer(self, tag):
        size = 1 << (tag & 3)
        if tag <= 0xCF:
            return self.length(size, {1: 128, 2: 256, 4: 2**16, 8: 2**32}[size])
        n = int.from_bytes(self.take(size), "big", signed=True)
        refuse_if(n >= {1: -32, 2: -128, 4: -(2**15), 8: -(2**31)}[size], "long-form")
        return n

    def head(self):
        """The kind of the next value, and its number, length or count."""
        tag = self.take(1)[0]
        if tag <= 0x7F:
            return "int", tag
        if tag <= 0x8F:
            return "map", tag & 15
        if tag <= 0x9F:
            return "array", tag & 15
        if tag <= 0xBF:
            return "str", tag & 31
        if tag >= 0xE0:
            return "int", tag - 256
        if tag in (0xC2, 0xC3):
            return "bool", tag == 0xC3
        if 0xC4 <= tag <= 0xC6:
            return "bin", self.length(1 << (tag - 0xC4), {0xC4: 0, 0xC5: 256, 0xC6: 2**16}[tag])
        if 0xCC <= tag <= 0xD3:
            return "int", self.integer(tag)
        if 0xD9 <= tag <= 0xDB:
            return "str", self.length(1 << (tag - 0xD9), {0xD9: 32, 0xDA: 256, 0xDB: 2**16}[tag])
        if tag in (0xDC, 0xDD):
            return "array", self.length(2 << (tag - 0xDC), {0xDC: 16, 0xDD: 2**16}[tag])
        if tag in (0xDE, 0xDF):
            return "map", self.length(2 << (tag - 0xDE), {0xDE: 16, 0xDF: 2**16}[tag])
        raise Refused("type")

    def value(self, depth=1, key=False):
        refuse_if(self.at == len(self.data), "truncated")
        refuse_if(self.elements == self.ELEMENTS_MAX, "elements")
        self.elements += 1
        kind, n = self.head()
        refuse_if(key and kind != "str", "key-type")
        refuse_if(depth > self.DEPTH_MAX, "depth")
        if kind == "bin":
            return self.take(n)
        if kind == "str":
            raw = self.take(n)
            try:
                return raw.decode("utf-8")
            except UnicodeDecodeError:
                raise Refused("utf8") from None
        if kind in ("array", "map"):
            count = n * 2 if kind == "map" else n
            refuse_if(count > self.ELEMENTS_MAX - self.elements, "elements")
            refuse_if(count > len(self.data) - self.at, "truncated")
            return self.array(n, depth) if kind == "array" else self.map(n, depth)
        return n

    def array(self, n, depth):
        return [self.value(depth + 1) for _ in range(n)]

    def map(self, n, depth):
        result = {}
        last = b""
        for _ in range(n):
            start = self.at
            key = self.value(depth + 1, key=True)
            encoded = self.data[start:self.at]
            refuse_if(encoded <= last, "key-order")
            last = encoded
            result[key] = self.value(depth + 1)
        return result


def encode(value):
    return msgpack.packb(value, use_bin_type=True)


def decode(data):
    """The one value that |data| encodes."""
    scanner = Scanner(data)
    value = scanner.value()
    refuse_if(scanner.at != len(data), "trailing")
    # a second opinion: a general encoder writes the same bytes
    assert encode(value) == data, "canonical bytes that msgpack writes otherwise"
    return value


def is_int(v):
    return isinstance(v, int) and not isinstance(v, bool)


def uint(v, most, least=0):
    refuse_if(not is_int(v) or v < 0, "type")
    refuse_if(not least <= v <= most, "range")
    return v


def sint(v, least, most):
    refuse_if(not is_int(v), "type")
    refuse_if(not least <= v <= most, "range")
    return v


def bin_of(v, least, most=None):
    refuse_if(not isinstance(v, bytes), "type")
    refuse_if(not least <= len(v) <= (least if most is None else most), "length")
    return v


def text(v, most):
    refuse_if(not isinstance(v, str), "type")
    refuse_if(len(v.encode()) > most, "length")
    return v


def array(v, least, most=None):
    refuse_if(not isinstance(v, list), "type")
    refuse_if(not least <= len(v) <= (least if most is None else most), "count")
    return v


def versioned(v, least, most=None):
    array(v, 1, 2**32)
    refuse_if(uint(v[0], 2**64) != 1, "version")
    return array(v, least, most)


# --- Hashes and signatures -----------------------------------------------------------------------


def purpose16(purpose):
    return purpose.encode().ljust(16, b"\0")


def H(purpose, message):
    return hashlib.blake2b(message, digest_size=32, person=purpose16(purpose)).digest()


def K(key, purpose, message):
    return hashlib.blake2b(message, digest_size=32, key=key, person=purpose16(purpose)).digest()


def check_signature(signature, public, purpose, message):
    try:
        sodium.crypto_sign_open(signature + purpose16(purpose) + message, public)
    except Exception:
        raise Refused("signature") from None


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def edwards_add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P
    return x, y


def edwards_point(public):
    n = int.from_bytes(public, "little")
    sign, y = n >> 255, n & (2**255 - 1)
    refuse_if(y >= P, "point")
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * pow(2, (P - 1) // 4, P) % P
    refuse_if(x * x % P != x2, "point")
    refuse_if(x == 0 and sign == 1, "point")
    return (x if x & 1 == sign else P - x), y


def check_point(public):
    """On the curve, canonical, of the prime order: computed here, not asked of a library."""
    point = edwards_point(public)
    refuse_if(point == (0, 1), "point")
    total, scalar = (0, 1), L
    while scalar:
        if scalar & 1:
            total = edwards_add(total, point)
        point = edwards_add(point, point)
        scalar >>= 1
    refuse_if(total != (0, 1), "point")


def check_read_key(public):
    try:
        sodium.crypto_scalarmult(b"\x09" + bytes(31), public)
    except Exception:
        raise Refused("point") from None


# --- Entries and segments ------------------------------------------------------------------------


def header_id(device, log, seq, time_ms, prev, plen, phash):
    return H("aloud1-entry", encode([1, device, log, seq, time_ms, prev, plen, phash]))


def open_header(data):
    v = versioned(decode(data), 8)
    device, log = bin_of(v[1], 32), bin_of(v[2], 8)
    # the ranges' lower ends are judged last, as the reader of numbers knows only upper ends
    seq, time_ms = uint(v[3], SEQ_MAX), uint(v[4], TIME_MAX)
    prev, plen, phash = bin_of(v[5], 32), uint(v[6], PAYLOAD_MAX), bin_of(v[7], 32)
    refuse_if(seq == 0 or plen == 0, "range")
    return {"device": device, "log": log, "seq": seq, "time_ms": time_ms, "prev": prev,
            "plen": plen, "phash": phash, "id": H("aloud1-entry", data)}


def genesis(identity, device, log):
    return H("aloud1-genesis", identity + device + log)


class Segment:
    def __init__(self, v):
        array(v, 6)
        self.device, self.log = bin_of(v[0], 32), bin_of(v[1], 8)
        self.first, self.prev = uint(v[2], SEQ_MAX), bin_of(v[3], 32)
        items = array(v[4], 1, BLOCK)
        self.last = self.first + len(items) - 1
        refuse_if(self.first == 0 or self.last > SEQ_MAX, "range")
        refuse_if((self.first - 1) // BLOCK != (self.last - 1) // BLOCK, "block")
        self.ids, self.payloads, self.states = [], [], []
        time_ms = inlined = 0
        prev = self.prev
        for i, item in enumerate(items):
            array(item, 2)
            if i == 0:
                time_ms = uint(item[0], TIME_MAX)
            else:
                time_ms += sint(item[0], -TIME_MAX, TIME_MAX)
                refuse_if(not 0 <= time_ms <= TIME_MAX, "range")
            plen, phash = self.content(item[1])
            inlined += len(self.payloads[-1] or b"")
            refuse_if(inlined > INLINE_MAX, "inline")
            prev = header_id(self.device, self.log, self.first + i, time_ms, prev, plen, phash)
            self.ids.append(prev)
        self.signature = bin_of(v[5], 64)

    def content(self, v):
        if isinstance(v, bytes):
            self.payloads.append(bin_of(v, 1, PAYLOAD_MAX))
            self.states.append(None)
            return len(v), H("aloud1-payload", v)
        array(v, 3)
        plen, phash = uint(v[0], PAYLOAD_MAX), bin_of(v[1], 32)
        self.payloads.append(None)
        self.states.append(uint(v[2], 1))
        refuse_if(plen == 0, "range")
        return plen, phash

    def verify(self):
        check_signature(self.signature, self.device, "aloud1-sig-entry", self.ids[-1])

    def attested(self):
        ids = {self.first + i: id_ for i, id_ in enumerate(self.ids)}
        if self.first > 1:
            ids[self.first - 1] = self.prev
        return ids


# --- Sealed payloads -----------------------------------------------------------------------------


def padme(n):
    n = max(n, 128)
    exponent = n.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    return -(-n >> zeros) << zeros


def open_sealed(data, key, device, log, seq, prev):
    v = versioned(decode(data), 4)
    nonce, hint = bin_of(v[1], 24), bin_of(v[2], 16)
    box = bin_of(v[3], 128 + 16, padme(61440) + 16)
    refuse_if(padme(len(box) - 16) != len(box) - 16, "length")
    refuse_if(K(key, "aloud1-hint", nonce)[:16] != hint, "sealed")
    place = purpose16("aloud1-seal") + device + log + seq.to_bytes(8, "big") + prev
    try:
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            box, place, nonce, K(key, "aloud1-seal", b""))
    except Exception:
        raise Refused("sealed") from None
    inner = plain.rstrip(b"\0")
    refuse_if(not inner.endswith(b"\x80"), "padding")
    refuse_if(padme(len(inner)) != len(plain), "padding")
    return inner[:-1]


# --- Statements ----------------------------------------------------------------------------------


def open_certificate(v):
    return {"device": bin_of(v[3], 32), "created_ms": uint(v[4], TIME_MAX),
            "device_name": text(v[5], 64)}


def ascending(keys):
    refuse_if(any(a >= b for a, b in zip(keys, keys[1:])), "order")


def open_revocation(v):
    device = bin_of(v[3], 32)
    cuts = array(v[4], 0, 64)
    for cut in cuts:
        array(cut, 3)
        bin_of(cut[0], 8)
        seq = uint(cut[1], SEQ_MAX)
        bin_of(cut[2], 32)
        refuse_if(seq == 0, "range")
    ascending([cut[0] for cut in cuts])
    return {"device": device, "count": len(cuts)}


def open_reading_key(v):
    generation, read_pk = uint(v[3], 64), bin_of(v[4], 32)
    refuse_if(generation == 0, "range")
    boxes = array(v[5], 0, 96)
    for box in boxes:
        array(box, 2)
        bin_of(box[0], 32)
        bin_of(box[1], 80)
    ascending([box[0] for box in boxes])
    return {"generation": generation, "read_pk": read_pk, "count": len(boxes)}


def open_statement(data):
    refuse_if(len(data) > 16384, "length")
    outer = array(decode(data), 3)
    body, root_sig = bin_of(outer[0], 1, 16384), bin_of(outer[1], 64)
    device_sig = bin_of(outer[2], 0, 64)
    v = versioned(decode(body), 2, 2**32)
    kind = uint(v[1], 2**64)
    refuse_if(kind not in (1, 2, 3), "statement-kind")
    array(v, {1: 6, 2: 5, 3: 6}[kind])
    identity = bin_of(v[2], 32)
    fields = {1: open_certificate, 2: open_revocation, 3: open_reading_key}[kind](v)
    refuse_if(len(device_sig) != (64 if kind == 1 else 0), "length")
    check_point(identity)
    if kind == 3:
        check_read_key(fields["read_pk"])
    else:
        check_point(fields["device"])
    name = H("aloud1-stmt", body)
    check_signature(root_sig, identity, "aloud1-sig-root", name)
    if kind == 1:
        check_signature(device_sig, fields["device"], "aloud1-sig-dev", name)
    return dict(fields, kind=kind, identity=identity, hash=name)


# --- Proofs --------------------------------------------------------------------------------------


def open_fork(data):
    refuse_if(len(data) > 7 * 1024, "length")
    raw = array(decode(data), 2)
    refuse_if(encode(raw[0]) > encode(raw[1]), "order")
    segments = []
    for v in raw:
        segment = Segment(v)
        refuse_if(any(state != 1 for state in segment.states), "inline")
        segments.append(segment)
    a, b = segments
    refuse_if((a.device, a.log) != (b.device, b.log), "no-fork")
    in_a, in_b = a.attested(), b.attested()
    differ = [seq for seq in in_a if seq in in_b and in_a[seq] != in_b[seq]]
    refuse_if(not differ, "no-fork")
    a.verify()
    b.verify()
    return {"device": a.device, "log": a.log, "seq": min(differ)}


def open_excerpt(data):
    v = array(decode(data), 2)
    statements = array(v[0], 0, 256)
    segment = Segment(v[1])
    shown = [i for i, payload in enumerate(segment.payloads) if payload is not None]
    refuse_if(len(shown) != 1, "inline")
    segment.verify()
    for statement in statements:
        open_statement(encode(statement))
    return {"statements": len(statements), "index": shown[0], "id": segment.ids[shown[0]],
            "payload": segment.payloads[shown[0]]}


# --- One check a topic: what a valid vector means, from its bytes and fields ----------------------


def check_scan(_, data):
    decode(data)
    return {}


def check_hash(v, data):
    if v["name"] == "H":
        return {"out": H(v["purpose"], data)}
    if v["name"] == "K":
        return {"out": K(bytes.fromhex(v["key"]), v["purpose"], data)}
    public, secret = sodium.crypto_sign_seed_keypair(bytes.fromhex(v["seed"]))
    return {"public": public,
            "out": sodium.crypto_sign(purpose16(v["purpose"]) + data, secret)[:64]}


def check_id(v, _):
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    refuse_if(len(v["text"]) != 52 or any(c not in alphabet for c in v["text"]), "text-form")
    n = 0
    for c in v["text"]:
        n = n << 5 | alphabet.index(c)
    refuse_if(n & 15, "text-form")
    return {"bytes": (n >> 4).to_bytes(32, "big")}


def check_header(_, data):
    return open_header(data)


def check_genesis(v, _):
    return {"out": genesis(*(bytes.fromhex(v[k]) for k in ("identity", "device", "log")))}


def check_segment(_, data):
    segment = Segment(decode(data))
    segment.verify()
    return {"first": segment.first, "ids": segment.ids}


def check_padding(v, _):
    return {"padded": padme(v["length"])}


def check_sealed(v, data):
    place = [bytes.fromhex(v[k]) for k in ("key", "device", "log", "prev")]
    return {"inner": open_sealed(data, place[0], place[1], place[2], v["seq"], place[3])}


def check_statement(_, data):
    return open_statement(data)


def check_digest(v, _):
    names = [open_statement(bytes.fromhex(s))["hash"] for s in v["statements"]]
    return {"out": H("aloud1-ident", b"".join(sorted(names)))}


def check_fork(_, data):
    return open_fork(data)


def check_excerpt(_, data):
    return open_excerpt(data)


def bytes_of(v):
    if "parts" in v:
        return b"".join(bytes.fromhex(part) * times for part, times in v["parts"])
    return bytes.fromhex(v.get("bytes", ""))


def as_json(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [as_json(x) for x in value]
    return value


def check_vector(check, v):
    """A complaint, or None."""
    try:
        meaning = check(v, bytes_of(v))
    except Refused as refused:
        said = refused.args[0]
        return None if said == v.get("error") else f"refused as {said}"
    if not v["valid"]:
        return f"accepted, but should be refused as {v['error']}"
    for key, value in meaning.items():
        if v.get(key) != as_json(value):
            return f"{key} is {as_json(value)}, the vector says {v.get(key)}"
    return None


def main():
    bad = total = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        content = json.loads(path.read_text())
        check = globals()["check_" + content["topic"]]
        for v in content["vectors"]:
            total += 1
            complaint = check_vector(check, v)
            if complaint:
                bad += 1
                print(f"{path.name}: {v['name']}: {complaint}")
    print(f"{total - bad} of {total} vectors hold")
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main())
