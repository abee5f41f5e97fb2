"""A client of the local API, from docs/rpc.md alone: MessagePack-RPC over a Unix socket."""

import os
import socket

import msgpack


class ApiError(Exception):
    def __init__(self, code, name, message, hint):
        super().__init__(f"{name}: {message} ({hint})" if hint else f"{name}: {message}")
        self.code, self.name, self.message, self.hint = code, name, message, hint


class Api:
    """One connection. Calls wait for their answer; notifications are kept for next_note()."""

    def __init__(self, path, timeout=20):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self.unpacker = msgpack.Unpacker(strict_map_key=False)
        self.answers = {}
        self.notes = []
        self.id = 0

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, method, **params):
        """Ask without waiting; the id is for answer()."""
        self.id += 1
        self.sock.sendall(msgpack.packb([0, self.id, method, params]))
        return self.id

    def _take_in(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionError("the node closed the connection")
        self.unpacker.feed(data)
        for message in self.unpacker:
            if message[0] == 1:
                self.answers[message[1]] = message[2:]
            else:
                self.notes.append((message[1], message[2]))

    def answer(self, number):
        while number not in self.answers:
            self._take_in()
        error, result = self.answers.pop(number)
        if error is not None:
            raise ApiError(*error)
        return result

    def call(self, method, **params):
        return self.answer(self.send(method, **params))

    def write(self, method, key=None, **params):
        """A call that changes something: with a key of its own."""
        return self.call(method, key=key or os.urandom(16), **params)

    def post(self, text, to="network", key=None, **fields):
        entry = {"k": "note", "text": text, **fields}
        return self.write("post", key=key, entry=entry, to=to)

    def next_note(self):
        while not self.notes:
            self._take_in()
        return self.notes.pop(0)
