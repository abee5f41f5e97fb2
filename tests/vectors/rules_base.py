"""The lowest rules of docs/protocol.md: one encoding, readers of fields, hashes and signatures."""
import hashlib

import msgpack
import nacl.bindings as sodium

SEQ_MAX = 2**48 - 2
TIME_MAX = 2**48 - 1
PAYLOAD_MAX = 65536


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
