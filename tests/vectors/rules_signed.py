"""The rules of everything signed: entries, segments, sealed payloads, statements, proofs."""
import nacl.bindings as sodium

from rules_base import (
    H, K, PAYLOAD_MAX, SEQ_MAX, TIME_MAX, Refused, array, bin_of, check_point, check_read_key,
    check_signature, decode, encode, purpose16, refuse_if, sint, text, uint, versioned)

INLINE_MAX = 192 * 1024
BLOCK = 64


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
        self.ids, self.payloads, self.states, self.stubs, self.times = [], [], [], [], []
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
            self.times.append(time_ms)
            inlined += len(self.payloads[-1] or b"")
            refuse_if(inlined > INLINE_MAX, "inline")
            prev = header_id(self.device, self.log, self.first + i, time_ms, prev, plen, phash)
            self.ids.append(prev)
        self.signature = bin_of(v[5], 64)

    def content(self, v):
        if isinstance(v, bytes):
            self.payloads.append(bin_of(v, 1, PAYLOAD_MAX))
            self.states.append(None)
            self.stubs.append(None)
            return len(v), H("aloud1-payload", v)
        array(v, 3)
        plen, phash = uint(v[0], PAYLOAD_MAX), bin_of(v[1], 32)
        self.payloads.append(None)
        self.states.append(uint(v[2], 1))
        self.stubs.append((plen, phash, v[2]))
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
