"""The rules of the transport: both sides of the handshake, and frames."""
import hashlib
import hmac

import nacl.bindings as sodium

from rules_base import Refused, refuse_if

NAME = b"Noise_XK_25519_ChaChaPoly_BLAKE2b"
REKEY_EVERY = 65535


def dh(secret, public):
    try:
        return sodium.crypto_scalarmult(secret, public)
    except Exception:
        raise Refused("point") from None


class Side:
    """One side: SymmetricState and HandshakeState of the Noise specification for XK."""

    def __init__(self, network, secret, ephemeral, remote=None):
        self.secret, self.e, self.rs, self.re = secret, ephemeral, remote, None
        self.h = self.ck = NAME.ljust(64, b"\0")
        self.key, self.n = None, 0
        self.mix_hash(b"aloud/1" + network)
        self.mix_hash(remote or sodium.crypto_scalarmult_base(secret))

    def mix_hash(self, data):
        self.h = hashlib.blake2b(self.h + data).digest()

    def hkdf(self, data):
        temp = hmac.digest(self.ck, data, "blake2b")
        first = hmac.digest(temp, b"\1", "blake2b")
        return first, hmac.digest(temp, first + b"\2", "blake2b")

    def mix_key(self, shared):
        self.ck, key = self.hkdf(shared)
        self.key, self.n = key[:32], 0

    def nonce(self):
        self.n += 1
        return bytes(4) + (self.n - 1).to_bytes(8, "little")

    def seal(self, plain):
        box = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
            plain, self.h, self.nonce(), self.key)
        self.mix_hash(box)
        return box

    def open(self, box):
        try:
            plain = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
                box, self.h, self.nonce(), self.key)
        except Exception:
            raise Refused("handshake") from None
        self.mix_hash(box)
        return plain

    def put_e(self):
        public = sodium.crypto_scalarmult_base(self.e)
        self.mix_hash(public)
        return public

    def get_e(self, public):
        self.re = public
        self.mix_hash(public)

    def write_1(self):
        public = self.put_e()
        self.mix_key(dh(self.e, self.rs))
        return public + self.seal(b"")

    def read_1(self, data):
        self.get_e(data[:32])
        self.mix_key(dh(self.secret, self.re))
        self.open(data[32:])

    def write_2(self):
        public = self.put_e()
        self.mix_key(dh(self.e, self.re))
        return public + self.seal(b"")

    def read_2(self, data):
        self.get_e(data[:32])
        self.mix_key(dh(self.e, self.re))
        self.open(data[32:])

    def write_3(self):
        sealed = self.seal(sodium.crypto_scalarmult_base(self.secret))
        self.mix_key(dh(self.secret, self.re))
        return sealed + self.seal(b"")

    def read_3(self, data):
        self.rs = self.open(data[:48])
        self.mix_key(dh(self.e, self.rs))
        self.open(data[48:])


def shake_hands(network, dialler, responder, data):
    """|dialler| and |responder| are (static secret, ephemeral secret); |data| what was sent."""
    a = Side(network, *dialler, remote=sodium.crypto_scalarmult_base(responder[0]))
    b = Side(network, *responder)
    made = a.write_1()
    b.read_1(data[:48])
    made += b.write_2()
    a.read_2(data[48:96])
    made += a.write_3()
    b.read_3(data[96:])
    assert made == data and a.h == b.h
    first, second = a.hkdf(b"")
    return {"hash": a.h, "first_key": first[:32], "second_key": second[:32]}


def open_frame(frame, key, n):
    length, box = int.from_bytes(frame[:2], "big"), frame[2:]
    refuse_if(length < 17 or length != len(box), "frame")
    try:
        plain = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
            box, b"", bytes(4) + n.to_bytes(8, "little"), key)
    except Exception:
        raise Refused("decrypt") from None
    refuse_if(plain[0] > 1, "frame")
    if (n + 1) % REKEY_EVERY == 0:
        key = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
            bytes(32), b"", bytes(4) + b"\xff" * 8, key)[:32]
    return {"plain": plain, "next_key": key}
