"""A peer made by hand, from docs/protocol.md alone: an identity with a device, and its messages."""

import base64
import os
import time

import msgpack
from nacl.bindings import (crypto_sign_ed25519_pk_to_curve25519, crypto_sign_ed25519_sk_to_curve25519,
                           crypto_sign_seed_keypair)
from nacl.signing import SigningKey, VerifyKey

from noise import Channel, blake, purpose

(HELLO, INTERESTS, RESET, OWN_HEADS, RECONCILE, WANT, SEGMENT, PAYLOAD, DONE, WANT_PAYLOAD, HEADS,
 LINK, DECLINE, STATEMENTS, WANT_STATEMENTS, ADDRESSES, FORK, FETCH, EXCERPT, REPLIES, REFS,
 PIECE_WANT, PIECE) = range(23)
PING, PONG, GOODBYE, CLONE = 30, 31, 32, 33
BLOCK = 64


def enc(value):
    return msgpack.packb(value)


def dec(data):
    return msgpack.unpackb(data)


def now_ms():
    return int(time.time() * 1000)


def read_ticket(text):
    """What an invite says: network, identity, device, addresses, token."""
    data = text.strip().removeprefix("aloud:")
    data = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    body, check = data[:-4], data[-4:]
    assert blake("aloud1-invite", body)[:4] == check
    version, network, identity, device, addresses, token, _ = dec(body)
    assert version == 1
    return network, identity, device, addresses, token


class Key:
    """An Ed25519 key."""

    def __init__(self):
        seed = os.urandom(32)
        self.signing = SigningKey(seed)
        self.public, self.secret = crypto_sign_seed_keypair(seed)

    def sign(self, what, digest):
        return self.signing.sign(purpose(what) + digest).signature


def certificate(root, device, name="by hand"):
    body = enc([1, 1, root.public, device.public, 1, name])
    name_of_it = blake("aloud1-stmt", body)
    return [body, root.sign("aloud1-sig-root", name_of_it),
            device.sign("aloud1-sig-dev", name_of_it)]


def boot_signature(device, boot):
    return device.sign("aloud1-sig-boot", blake("aloud1-boot", device.public + boot))


class Log:
    """A log that is written here: whole chains, or what only looks like one."""

    def __init__(self, person):
        self.person, self.device, self.name = person, person.device, os.urandom(8)
        genesis = person.root.public + self.device.public + self.name
        self.ids = [blake("aloud1-genesis", genesis)]  # that of entry n at n
        self.items = [None]  # (time, payload)

    def add(self, text, **fields):
        payload = enc(dict(sorted({"a": "network", "k": "note", "s": os.urandom(16),
                                   "text": text, **fields}.items(), key=lambda kv: enc(kv[0]))))
        time_ms = now_ms()
        header = [1, self.device.public, self.name, len(self.ids), time_ms, self.ids[-1],
                  len(payload), blake("aloud1-payload", payload)]
        self.ids.append(blake("aloud1-entry", enc(header)))
        self.items.append((time_ms, payload))
        return self

    @property
    def head(self):
        return len(self.ids) - 1

    def ref(self, seq):
        return [self.device.public, self.name, seq, self.ids[seq]]

    def tagged(self, seq=None):
        seq = seq or self.head
        return [self.device.public, self.name, seq, self.ids[seq][:16]]

    def segment(self, first, last, signature=None):
        items, before = [], 0
        for time_ms, payload in self.items[first:last + 1]:
            items.append([time_ms - before, payload])
            before = time_ms
        sig = signature or self.device.sign("aloud1-sig-entry", self.ids[last])
        return [self.device.public, self.name, first, self.ids[first - 1], items, sig]


def open_segment(segment):
    """The ids of a segment with everything inline, from first - 1 on; its signature is checked."""
    device, log, first, prev, items, sig = segment
    ids, time_ms = [prev], 0
    for i, (dt, payload) in enumerate(items):
        time_ms += dt
        header = [1, device, log, first + i, time_ms, ids[-1], len(payload),
                  blake("aloud1-payload", payload)]
        ids.append(blake("aloud1-entry", enc(header)))
    VerifyKey(device).verify(purpose("aloud1-sig-entry") + ids[-1], sig)
    return ids


class Person:
    def __init__(self):
        self.root, self.device = Key(), Key()
        self.cert = certificate(self.root, self.device)
        self.boot = os.urandom(8)

    @property
    def noise_secret(self):
        return crypto_sign_ed25519_sk_to_curve25519(self.device.secret)

    def dial(self, ticket, port, secret=None):
        """A channel after the handshake."""
        network, _, device, _, _ = read_ticket(ticket)
        remote = crypto_sign_ed25519_pk_to_curve25519(device)
        return Channel(("127.0.0.1", port), remote, secret or self.noise_secret, network)

    def hello(self, ticket, cert=None):
        return self.hello_for(read_ticket(ticket)[4], cert)

    def hello_for(self, token, cert=None):
        signature = boot_signature(self.device, self.boot)
        return [HELLO, 1, "by hand", 0, cert or self.cert, token, self.boot, signature, now_ms(),
                ""]

    def meet(self, ticket, port):
        """A session: both hellos are over."""
        channel = self.dial(ticket, port).shake_hands()
        channel.send(enc(self.hello(ticket)))
        answer = dec(channel.receive())
        assert answer[0] == HELLO, answer
        return channel


def interests(before, ids):
    ids = sorted(ids)
    return [INTERESTS, before, blake("aloud1-interest", b"".join(ids)), ids, [], True]


def until(channel, kind):
    """The next message of that type; pings in between are answered."""
    while True:
        message = dec(channel.receive())
        if message[0] == PING:
            channel.send(enc([PONG, message[1]]))
        if message[0] == kind:
            return message
