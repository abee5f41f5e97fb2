#!/usr/bin/python3
"""A client that only reads, written from docs/protocol.md alone; it shares no code with the node.

It joins by an invite, fetches the record and the logs of one person from the node that the invite
names, verifies every certificate, chain and signature, and prints the entries, oldest first.

usage: reader.py [--json] [--person IDENTITY] [--expect N] INVITE

IDENTITY is the person to read, in the text form of ids; without it, the one who invites. With
--expect it waits until N entries have come. What can't be verified ends it with status 1.
"""

import argparse
import datetime
import json
import os
import pathlib
import socket
import sys
import time

import nacl.bindings as sodium

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / part)
                for part in ("vectors", "e2e")]
from noise import Channel  # noqa: E402: the transport, from the same document
from record import Record  # noqa: E402
from rules_base import (  # noqa: E402
    H, Refused, bin_of, check_point, check_signature, decode, encode, purpose16, refuse_if)
from rules_signed import Segment, genesis, open_statement  # noqa: E402
from rules_wire import open_message, open_payload, read_invite, split_address  # noqa: E402

(HELLO, INTERESTS, RESET, OWN_HEADS, RECONCILE, WANT, SEGMENT, PAYLOAD, DONE, WANT_PAYLOAD,
 HEADS) = range(11)
STATEMENTS, WANT_STATEMENTS, PING, PONG, GOODBYE = 13, 14, 30, 31, 32
BLOCK = 64
FROZEN = 2**48 - 1
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PATIENCE_S = 30


def id_text(b):
    n = int.from_bytes(b, "big") << 4
    return "".join(ALPHABET[n >> 5 * i & 31] for i in reversed(range(52)))


def id_bytes(text):
    n = 0
    for c in text.lstrip("@").lower().translate(str.maketrans("oil", "011")):
        n = n << 5 | ALPHABET.index(c)
    return (n >> 4).to_bytes(32, "big")


class Myself:
    """An identity made for this one visit, with one device."""

    def __init__(self):
        self.identity, self.root = sodium.crypto_sign_seed_keypair(os.urandom(32))
        self.device, self.secret = sodium.crypto_sign_seed_keypair(os.urandom(32))
        body = encode([1, 1, self.identity, self.device, int(time.time() * 1000), "reader"])
        name = H("aloud1-stmt", body)
        self.certificate = [body, self.sign(self.root, "aloud1-sig-root", name),
                            self.sign(self.secret, "aloud1-sig-dev", name)]
        self.boot = os.urandom(8)

    @staticmethod
    def sign(secret, purpose, digest):
        return sodium.crypto_sign(purpose16(purpose) + digest, secret)[:64]

    def hello(self, token):
        signature = self.sign(self.secret, "aloud1-sig-boot",
                              H("aloud1-boot", self.device + self.boot))
        return [HELLO, 1, "aloud-reader/1", 0, self.certificate, token, self.boot, signature,
                int(time.time() * 1000), ""]


class Session:
    """A connection to the device that an invite names, both hellos over."""

    def __init__(self, invite, me):
        check_point(invite["device"])
        remote = sodium.crypto_sign_ed25519_pk_to_curve25519(invite["device"])
        secret = sodium.crypto_sign_ed25519_sk_to_curve25519(me.secret)
        self.channel = self.dial(invite["addresses"], remote, secret, invite["network"])
        self.req = 0
        self.send(me.hello(invite["token"]))
        kind, hello = self.receive()
        refuse_if(kind != "hello", f"no hello: {hello}")
        certificate = open_statement(encode(hello[4]))
        refuse_if(certificate["kind"] != 1 or certificate["device"] != invite["device"],
                  "not-certified")
        refuse_if(certificate["identity"] != invite["identity"], "identity")
        check_signature(hello[7], invite["device"], "aloud1-sig-boot",
                        H("aloud1-boot", invite["device"] + hello[6]))

    @staticmethod
    def dial(addresses, remote, secret, network):
        failed = None
        for address in addresses:
            at = split_address(address)
            try:
                return Channel((at["host"], at["port"]), remote, secret, network,
                               PATIENCE_S).shake_hands()
            except (OSError, ConnectionError) as error:
                failed = error
        raise failed or Refused("address")

    def send(self, message):
        open_message(encode(message))  # what is sent obeys the same rules
        self.channel.send(encode(message))

    def receive(self):
        """The next message but pings: its name and its elements."""
        while True:
            data = self.channel.receive()
            name = open_message(data)
            message = decode(data)
            if name == "ping":
                self.send([PONG, message[1]])
            elif name == "goodbye":
                raise Refused(f"the node said goodbye: {message[1]}")
            else:
                return name, message

    def next_req(self):
        self.req += 1
        return self.req


class Log:
    """The entries of one log, block by block from the newest; each must lead down to the next."""

    def __init__(self, identity, device, name, cut=None):
        """|cut| is (seq, id) of the last entry that the root lets count, if it said so."""
        self.identity, self.device, self.name, self.cut = identity, device, name, cut
        self.ids = {0: genesis(identity, device, name)}
        self.entries = {}  # seq -> [time_ms, payload or None, may be asked for]

    def take(self, v):
        segment = Segment(v)
        refuse_if((segment.device, segment.log) != (self.device, self.name), "unexpected")
        if segment.signature != bytes(64) or (segment.last, segment.ids[-1]) != self.cut:
            segment.verify()
        for seq, id_ in segment.attested().items():
            refuse_if(self.ids.setdefault(seq, id_) != id_, "prev")
        if segment.first == 1:
            refuse_if(segment.prev != self.ids[0], "prev")
        for i, time_ms in enumerate(segment.times):
            self.entries[segment.first + i] = [time_ms, segment.payloads[i],
                                               segment.stubs[i]]
        return segment.last

    def take_payload(self, seq, payload):
        entry = self.entries[seq]
        refuse_if(entry[2] is None, "unexpected")
        plen, phash, _ = entry[2]
        refuse_if((len(payload), H("aloud1-payload", payload)) != (plen, phash), "payload-hash")
        entry[1:] = [payload, None]

    def lacks(self, last):
        """How many entries up to |last| have not come."""
        return sum(seq not in self.entries for seq in range(1, last + 1))

    def missing(self):
        return [seq for seq, (_, payload, stub) in sorted(self.entries.items())
                if payload is None and stub is not None and stub[2] == 0]


class Reader:
    """Everything of one person."""

    def __init__(self, session, identity):
        self.session, self.identity = session, identity
        self.record = Record(identity)
        self.logs = {}  # (device, name) -> Log
        self.told = {}  # (device, name) -> seq: what the node said it holds

    # --- what there is ---

    def compare(self):
        """Say whose logs are wanted and that none is held, and hear what the node has."""
        wanted = [self.identity]
        self.session.send([OWN_HEADS, []])
        self.session.send([INTERESTS, b"", H("aloud1-interest", b"".join(wanted)), wanted, [],
                           True])
        self.until(lambda name, m: name == "interests" and m[5])
        number, more = 0, True
        self.session.send([RECONCILE, number, 0, False, [[b"", 2, []]]])
        while more:
            _, m = self.until(lambda name, m: name == "reconcile" and m[1] == number)
            more = m[3]
            for upper, mode, *body in m[4]:
                for item in body[0] if mode > 1 else []:
                    self.hear(*item)

    def hear(self, identity, device, name, seq, tag):
        if identity != self.identity:
            return
        if (device, name) == (bytes(32), bytes(8)):
            self.record.told = (seq, tag)
        elif seq == FROZEN:
            print(f"reader: a log of {id_text(device)} forks; it is left out", file=sys.stderr)
        else:
            self.told[device, name] = max(seq, self.told.get((device, name), 0))

    def until(self, wanted):
        """The next message that is |wanted|; others are answered or passed over."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            name, m = self.session.receive()
            if name == "reconcile" and m[1] % 2 == 1:
                self.answer(m)
            elif name == "heads":
                for device, log, seq, _ in m[1]:
                    if (device, log) in self.told:
                        self.told[device, log] = max(seq, self.told[device, log])
            if wanted(name, m):
                return name, m
        raise Refused("timeout")

    def answer(self, m):
        """The node compares, too: here is nothing of anybody."""
        ranges = []
        for upper, mode, *body in m[4]:
            ranges.append([upper, 2, []] if mode == 1 else [upper, 0])
            for item in body[0] if mode > 1 else []:
                self.hear(*item)
        if any(mode in (1, 2) for _, mode, *_ in m[4]):
            self.session.send([RECONCILE, m[1], m[2] + 1, m[3], ranges])

    # --- fetching ---

    def fetch_record(self):
        req = self.session.next_req()
        self.session.send([WANT_STATEMENTS, req, [self.identity]])
        last = False
        while not last:
            name, m = self.until(lambda name, m: name in ("statements", "done") and m[1] == req)
            refuse_if(name == "done", "the record is not to be had")
            for statement in m[2]:
                self.record.take(statement)
            last = m[3]
        self.record.check_told()

    def fetch_log(self, device, name, seq):
        """All blocks, the newest first, so that each proves the one below it."""
        log = self.logs.setdefault((device, name), Log(
            self.identity, device, name, self.record.cut(device, name)))
        last = seq
        while seq > 0:
            first = (seq - 1) // BLOCK * BLOCK + 1
            if any(n not in log.entries for n in range(first, seq + 1)):
                self.fetch_block(log, first, seq)
            seq = first - 1
        if log.lacks(last):
            print(f"reader: {log.lacks(last)} entries of a log of {id_text(device)} are not to be "
                  "had here", file=sys.stderr)
        missing = log.missing()
        for at in range(0, len(missing), BLOCK):
            self.fetch_payloads(log, missing[at:at + BLOCK])

    def fetch_block(self, log, first, last):
        req = self.session.next_req()
        self.session.send([WANT, req, log.device, log.name, first, last])
        at = first
        while True:
            name, m = self.until(lambda name, m: name in ("segment", "done") and m[1] == req)
            if name == "done":
                break
            refuse_if(m[2][2] != at, "unexpected")
            at = log.take(m[2]) + 1
        refuse_if(m[2] == 0 and at <= last, "done came early")
        refuse_if(m[2] not in (0, 1), "the node is busy, or declines")

    def fetch_payloads(self, log, seqs):
        req = self.session.next_req()
        self.session.send([WANT_PAYLOAD, req, log.device, log.name, seqs])
        while True:
            name, m = self.until(lambda name, m: name in ("payload", "done") and m[1] == req)
            if name == "done":
                return
            refuse_if((m[2], m[3]) != (log.device, log.name), "unexpected")
            log.take_payload(m[4], m[5])

    def fetch(self):
        self.compare()
        self.fetch_record()
        for (device, name), seq in sorted(self.told.items()):
            self.fetch_log(device, name, seq)

    def valid(self):
        """Every entry that counts: (time_ms, log, seq, payload or None), oldest first."""
        found = []
        for log in self.logs.values():
            last = self.record.counts_to(log.device, log.name, log.ids)
            found += [(time_ms, log, seq, payload)
                      for seq, (time_ms, payload, _) in log.entries.items() if seq <= last]
        return sorted(found, key=lambda row: (row[0], row[1].ids[row[2]]))


# --- printing ------------------------------------------------------------------------------------


def describe(payload):
    """Kind, audience and text of a payload, whatever it is."""
    if payload is None:
        return "gone", "", ""
    if payload[0] >> 4 == 0x9 or payload[0] in (0xDC, 0xDD):
        return "sealed", "", ""
    try:
        said = open_payload(payload, sealed=False)
    except Refused as refused:
        return "unreadable", "", refused.args[0]
    fields = decode(payload)
    return said["kind"], said["audience"], fields.get("text") or fields.get("name") or ""


def harmless(text):
    return "".join(c if c.isprintable() else " " for c in text)


def show(reader, as_json):
    for time_ms, log, seq, payload in reader.valid():
        kind, audience, text = describe(payload)
        if as_json:
            print(json.dumps({"id": id_text(log.ids[seq]), "device": id_text(log.device),
                              "log": log.name.hex(), "seq": seq, "time_ms": time_ms,
                              "kind": kind, "to": audience, "text": text}))
            continue
        when = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc)
        print(f"{when:%Y-%m-%d %H:%M:%S}  {id_text(log.ids[seq])[:10]}  {kind:<10} "
              f"{harmless(text)}")


def read(arguments):
    invite = read_invite(arguments.invite)
    identity = id_bytes(arguments.person) if arguments.person else invite["identity"]
    session = Session(invite, Myself())
    reader = Reader(session, identity)
    reader.fetch()
    while len(reader.valid()) < arguments.expect:
        name, m = reader.until(lambda name, m: name in ("segment", "heads", "reconcile"))
        if name == "segment" and m[1] == 0 and (bin_of(m[2][0], 32), m[2][1]) in reader.told:
            at = (m[2][0], m[2][1])
            reader.told[at] = max(reader.told[at], m[2][2] + len(m[2][4]) - 1)
        for (device, log), seq in sorted(reader.told.items()):
            reader.fetch_log(device, log, seq)
    session.send([GOODBYE, "closed"])
    session.channel.close()
    show(reader, arguments.json)
    print(f"verified: {len(reader.record.statements)} statements, {len(reader.valid())} entries "
          f"in {len(reader.logs)} logs of @{id_text(identity)}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("invite")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--person", help="whom to read, instead of the one who invites")
    parser.add_argument("--expect", type=int, default=0, help="wait for so many entries")
    try:
        read(parser.parse_args())
    except (Refused, OSError, ConnectionError, socket.timeout) as error:
        print(f"reader: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
