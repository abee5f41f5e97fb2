"""The transport of docs/protocol.md, for peers that misbehave above it or inside it.

Written from the document and the Noise specification alone; it shares no code with the node.
"""

import hashlib
import hmac
import os
import socket
import struct

from nacl.bindings import (crypto_aead_chacha20poly1305_ietf_decrypt as aead_open,
                           crypto_aead_chacha20poly1305_ietf_encrypt as aead_seal,
                           crypto_scalarmult, crypto_scalarmult_base)

NAME = b"Noise_XK_25519_ChaChaPoly_BLAKE2b"
FRAME_MAX = 65518  # bytes of a message in one frame
REKEY_EVERY = 65535


def purpose(text):
    return text.encode().ljust(16, b"\0")


def blake(text, message, key=b""):
    """H of the document, and K when there is a key."""
    return hashlib.blake2b(message, digest_size=32, key=key, person=purpose(text)).digest()


PUBLIC = blake("aloud1-net", b"public")


def u16(n):
    return struct.pack(">H", n)


class Cipher:
    def __init__(self, key):
        self.key, self.n = key, 0

    def _nonce(self):
        nonce = bytes(4) + struct.pack("<Q", self.n)
        self.n += 1
        return nonce

    def seal(self, plain, ad=b""):
        return aead_seal(plain, ad, self._nonce(), self.key)

    def open(self, box, ad=b""):
        return aead_open(box, ad, self._nonce(), self.key)

    def rekey_if_due(self):
        if self.n % REKEY_EVERY == 0:
            last = bytes(4) + b"\xff" * 8
            self.key = aead_seal(bytes(32), b"", last, self.key)[:32]


class Symmetric:
    """SymmetricState of the Noise specification, with BLAKE2b."""

    def __init__(self, prologue):
        self.h = self.ck = NAME.ljust(64, b"\0")
        self.cipher = None
        self.mix_hash(prologue)

    def mix_hash(self, data):
        self.h = hashlib.blake2b(self.h + data).digest()

    def _hkdf(self, data):
        temp = hmac.digest(self.ck, data, "blake2b")
        first = hmac.digest(temp, b"\1", "blake2b")
        return first, hmac.digest(temp, first + b"\2", "blake2b")

    def mix_key(self, secret, public):
        self.ck, key = self._hkdf(crypto_scalarmult(secret, public))
        self.cipher = Cipher(key[:32])

    def seal(self, plain):
        box = self.cipher.seal(plain, self.h)
        self.mix_hash(box)
        return box

    def open(self, box):
        plain = self.cipher.open(box, self.h)
        self.mix_hash(box)
        return plain

    def split(self):
        return [Cipher(key[:32]) for key in self._hkdf(b"")]


class Channel:
    """A dialler's side of one connection: the handshake, then whole messages."""

    def __init__(self, address, remote, secret, network=PUBLIC, timeout=20):
        """Dial the node whose noise key is |remote|; |secret| is the own X25519 scalar."""
        self.sock = socket.create_connection(address, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.remote, self.secret = remote, secret
        self.state = Symmetric(b"aloud/1" + network)
        self.state.mix_hash(remote)
        self.ephemeral = os.urandom(32)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def first(self):
        """Message 1, with its length."""
        public = crypto_scalarmult_base(self.ephemeral)
        self.state.mix_hash(public)
        self.state.mix_key(self.ephemeral, self.remote)
        return u16(48) + public + self.state.seal(b"")

    def third(self, second):
        """Message 3, with its length, that answers message 2."""
        theirs = second[:32]
        self.state.mix_hash(theirs)
        self.state.mix_key(self.ephemeral, theirs)
        assert self.state.open(second[32:]) == b""
        key = self.state.seal(crypto_scalarmult_base(self.secret))
        self.state.mix_key(self.secret, theirs)
        return u16(64) + key + self.state.seal(b"")

    def shake_hands(self):
        self.sock.sendall(self.first())
        self.sock.sendall(self.third(self.unit()))
        self.ours, self.theirs = self.state.split()
        return self

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise ConnectionError("the node closed the connection")
            data += part
        return data

    def unit(self):
        return self.read(struct.unpack(">H", self.read(2))[0])

    def frame(self, plain):
        """One frame, with its length."""
        box = self.ours.seal(plain)
        self.ours.rekey_if_due()
        return u16(len(box)) + box

    def frames(self, message):
        parts = [message[i:i + FRAME_MAX] for i in range(0, len(message), FRAME_MAX)] or [b""]
        flags = [b"\1"] * (len(parts) - 1) + [b"\0"]
        return b"".join(self.frame(flag + part) for flag, part in zip(flags, parts))

    def send(self, message):
        self.sock.sendall(self.frames(message))

    def receive(self):
        message = b""
        while True:
            plain = self.theirs.open(self.unit())
            self.theirs.rekey_if_due()
            message += plain[1:]
            if plain[0] == 0:
                return message


class Answerer(Channel):
    """The responder's side of one connection that was accepted."""

    def __init__(self, sock, secret, network=PUBLIC, timeout=20):
        # pylint: disable-next=super-init-not-called
        self.sock, self.secret, self.ephemeral = sock, secret, os.urandom(32)
        self.sock.settimeout(timeout)
        self.state = Symmetric(b"aloud/1" + network)
        self.state.mix_hash(crypto_scalarmult_base(secret))

    def shake_hands(self):
        first = self.unit()
        self.state.mix_hash(first[:32])
        self.state.mix_key(self.secret, first[:32])
        assert self.state.open(first[32:]) == b""
        public = crypto_scalarmult_base(self.ephemeral)
        self.state.mix_hash(public)
        self.state.mix_key(self.ephemeral, first[:32])
        self.sock.sendall(u16(48) + public + self.state.seal(b""))
        third = self.unit()
        self.remote = self.state.open(third[:48])
        self.state.mix_key(self.ephemeral, self.remote)
        assert self.state.open(third[48:]) == b""
        self.theirs, self.ours = self.state.split()
        return self
