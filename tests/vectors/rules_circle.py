"""The rules of circles, attachments and boots."""
import nacl.bindings as sodium

from rules_base import (
    H, Refused, array, bin_of, check_signature, decode, refuse_if, text, uint)
from rules_signed import open_sealed
from rules_wire import REF, attachment, at_least_one, open_payload


# --- Circles -------------------------------------------------------------------------------------


def open_circle(data):
    kind = open_payload(data, sealed=False)["kind"]
    refuse_if(kind != "circle", "kind")
    v = decode(data)
    refuse_if((v["n"] == 1) != (v["parents"] == []), "range")
    return {"cid": v["cid"], "n": v["n"], "parents": len(v["parents"]), "boxes": len(v["boxes"]),
            "old": len(v["old"])}


def open_box(box, owner, cid, n, read_sk):
    """The epoch's key."""
    read_pk = sodium.crypto_scalarmult_base(read_sk)
    try:
        plain = sodium.crypto_box_seal_open(box, read_pk, read_sk)
    except Exception:
        raise Refused("sealed") from None
    bound = H("aloud1-epoch", owner + cid + n.to_bytes(8, "big") + read_pk)[:16]
    refuse_if(plain[32:] != bound, "sealed")
    return plain[:32]


def member(v):
    array(v, 4)
    identity = bin_of(v[0], 32)
    refuse_if(not isinstance(v[1], bool), "type")
    changed, generation = uint(v[2], 2**64 - 1), uint(v[3], 64)
    refuse_if(changed == 0 or v[1] != (generation > 0), "range")
    return [identity.hex(), v[1], str(changed), generation]


def map_of(data):
    v = decode(data)
    refuse_if(not isinstance(v, dict), "type")
    return v


def open_meta(data):
    v = map_of(data)
    if "name" in v:
        refuse_if(text(v["name"], 64) == "", "length")
    members = []
    for one in array(v.get("members", []), 0, 512):
        members.append(member(one))
        refuse_if(len(members) > 1 and members[-2][0] >= members[-1][0], "order")
    refuse_if(sum(one[1] for one in members) > 150, "count")
    refuse_if("name" not in v or "members" not in v, "missing")
    return {"circle": v["name"], "members": members}


def open_old(data):
    v = map_of(data)
    if "key" in v:
        bin_of(v["key"], 32)
    if "epoch" in v:
        REF(v["epoch"])
    refuse_if("key" not in v or "epoch" not in v, "missing")
    return {"key": v["key"], "id": v["epoch"][3], "seq": v["epoch"][2]}


def open_epoch(data, owner, read_sk, place):
    """An entry, opened by one of its readers; |place| is device, log, seq and prev of it."""
    open_circle(data)
    v = decode(data)
    key = None
    for box in v["boxes"]:
        try:
            key = open_box(box, owner, v["cid"], v["n"], read_sk)
        except Refused:
            continue
    refuse_if(key is None, "sealed")
    meta = open_meta(open_sealed(v["meta"], key, *place))
    refuse_if(any(int(one[2]) > v["n"] for one in meta["members"]), "range")
    old = [open_old(open_sealed(one, key, *place)) for one in v["old"]]
    return {"key": key, "circle": meta["circle"], "in": sum(one[1] for one in meta["members"]),
            "old_key": old[0]["key"], "old_id": old[0]["id"]}


# --- Attachments ---------------------------------------------------------------------------------


def open_files(data):
    v = decode(data)
    at_least_one(attachment, 8)(v)
    size, mime, name, key, hashes = v[0]
    return {"count": len(v), "size": size, "mime": mime, "file": name, "key": key,
            "pieces": len(hashes)}


def open_piece(sealed, key, index):
    nonce = index.to_bytes(8, "little") + bytes(16)
    try:
        clear = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key)
    except Exception:
        raise Refused("sealed") from None
    return {"clear": clear, "hash": H("aloud1-piece", sealed)}


# --- Boots ---------------------------------------------------------------------------------------


def check_boot_signature(signature, device, boot):
    check_signature(signature, device, "aloud1-sig-boot", H("aloud1-boot", device + boot))
