#!/usr/bin/python3
"""Check the vectors against docs/protocol.md, sharing no code with the C.

Every rule stands in the modules beside this file a second time, in its plainest form: hashlib for
BLAKE2b, PyNaCl for signatures and ciphers, msgpack only to compare encodings.
Usage: check.py FOLDER
"""
import hashlib
import json
import pathlib
import sys

import nacl.bindings as sodium

from rules_base import H, K, P, Refused, decode, purpose16, refuse_if
from rules_circle import (
    check_boot_signature, open_box, open_circle, open_epoch, open_files, open_meta, open_old,
    open_piece)
from rules_signed import (
    Segment, genesis, open_excerpt, open_fork, open_header, open_sealed, open_statement, padme)
from rules_transport import open_frame, shake_hands
from rules_wire import (
    open_address_record, open_invite, open_message, open_payload, split_address)

# One check a topic: what a valid vector means, from its bytes and fields.


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


def check_keys(v, _):
    """All but the words, for which the list of BIP-39 would be needed."""
    e, seed = bytes.fromhex(v["entropy"]), bytes.fromhex(v["device_seed"])
    identity, _ = sodium.crypto_sign_seed_keypair(K(e, "aloud1-root", b""))
    read_sk = e
    for _ in range(64 - v["generation"] + 1):
        read_sk = K(read_sk, "aloud1-read", b"")
    device, secret = sodium.crypto_sign_seed_keypair(seed)
    noise_secret = hashlib.sha512(seed).digest()[:32]
    y = int.from_bytes(device, "little") & (2**255 - 1)
    noise_public = ((1 + y) * pow(1 - y, -1, P) % P).to_bytes(32, "little")
    box = bytes.fromhex(v["box"])
    nonce = hashlib.blake2b(box[:32] + noise_public, digest_size=24).digest()
    assert sodium.crypto_scalarmult_base(noise_secret) == noise_public
    assert sodium.crypto_box_open(box[32:], nonce, box[:32], noise_secret) == read_sk
    return {"identity": identity, "read_sk": read_sk,
            "read_pk": sodium.crypto_scalarmult_base(read_sk),
            "me_key": K(read_sk, "aloud1-me", b""), "device": device,
            "noise_public": noise_public}


def check_circle(_, data):
    return open_circle(data)


def check_box(v, data):
    owner, cid, read_sk = (bytes.fromhex(v[k]) for k in ("owner", "cid", "read_sk"))
    return {"key": open_box(data, owner, cid, v["n"], read_sk)}


def check_meta(_, data):
    return open_meta(data)


def check_old(_, data):
    return open_old(data)


def check_epoch(v, data):
    owner, read_sk, device, log, prev = (
        bytes.fromhex(v[k]) for k in ("owner", "read_sk", "device", "log", "prev"))
    return open_epoch(data, owner, read_sk, (device, log, v["seq"], prev))


def check_attachment(_, data):
    return open_files(data)


def check_piece(v, data):
    return open_piece(data, bytes.fromhex(v["key"]), v["index"])


def check_boot(v, data):
    check_boot_signature(data, bytes.fromhex(v["device"]), bytes.fromhex(v["boot"]))
    return {}


def check_handshake(v, data):
    keys = {k: bytes.fromhex(v[k]) for k in ("network", "dialler", "dialler_ephemeral",
                                             "responder", "responder_ephemeral")}
    return shake_hands(keys["network"], (keys["dialler"], keys["dialler_ephemeral"]),
                       (keys["responder"], keys["responder_ephemeral"]), data)


def check_frame(v, data):
    return open_frame(data, bytes.fromhex(v["key"]), v["nonce"])


def check_message(_, data):
    return {"type": open_message(data)}


def check_interests(_, data):
    return {"out": H("aloud1-interest", data)}


def check_payload(v, data):
    return open_payload(data, v["sealed"])


def check_invite(v, _):
    return open_invite(v["text"])


def check_address(_, data):
    return open_address_record(data)


def check_host(v, _):
    return split_address(v["text"])


def check_beacon(v, _):
    device, network = bytes.fromhex(v["device"]), bytes.fromhex(v["network"])
    refuse_if(network != H("aloud1-net", b"public"), "network")
    mark = K(device, "aloud1-beacon", network + v["hour"].to_bytes(8, "big"))[:16]
    return {"bytes": b"ALO1" + mark + v["port"].to_bytes(2, "big")}


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
