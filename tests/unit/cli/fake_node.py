"""A node that is only a socket: it answers each method as the test says, and notes every call.

Run by itself it stands in for aloudd: `fake_node.py --ready-fd N --home DIR` listens on
DIR/socket, says "ready", and posts into DIR/posts.json what it is told to keep.
"""

import hashlib
import os
import socket
import sys
import threading

import msgpack

AUTHOR = bytes(range(32))
KAI = bytes(range(100, 132))


def entry_id(n):
    return hashlib.blake2b(b"entry %d" % n, digest_size=32).digest()


def ref(n):
    return [AUTHOR, b"loglog12", n, entry_id(n)]


def row(n, text="hello", **more):
    base = {
        "id": entry_id(n), "ref": ref(n), "identity": AUTHOR, "name": "me", "petname": False,
        "mine": True, "close": True, "kind": "note", "to": "network", "circle": "",
        "time": 1700000000000 + n, "at": 0,
        "claimed": 1700000000000 + n, "arrived": 1700000000000 + n, "pos": n, "text": text,
        "tags": [], "re": None, "rt": None, "replies": 0, "short": 4, "depth": 0, "snippet": "",
        "state": "ok", "fields": {},
    }
    return {**base, **more}


class Refused(Exception):
    """An answer that is an error: code, name, message, try."""

    def __init__(self, code, name, message, hint=""):
        super().__init__(message)
        self.args = (code, name, message, hint)


class FakeNode:
    """Answers on |path|; `answers[method]` is a value, or a function of the parameters."""

    def __init__(self, path):
        self.path = path
        self.calls = []
        self.answers = {"post": self.post}
        self.keys = {}
        self.hang_up_once = None  # the same, but only the first time
        self.hang_up_after = None  # a method whose call is done, but never answered
        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.listener.bind(path)
        self.listener.listen(16)
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def close(self):
        # Wake the thread before its descriptor can become that of another test's node.
        if self.acceptor.is_alive():
            self.leave()
        self.listener.close()

    def leave(self):
        """Vanish, and leave a stale socket behind, as a killed node does."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()

    def post(self, params):
        n = self.keys.setdefault(params["key"], len(self.keys) + 1)
        return {"ref": ref(n), "pos": n, "to": params.get("to", "network"), "people": 12,
                "devices": 2}

    def named(self, method):
        return [params for name, params in self.calls if name == method]

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        unpacker = msgpack.Unpacker(raw=False)
        with client:
            while data := client.recv(65536):
                unpacker.feed(data)
                for message in unpacker:
                    if not self.answer(client, message):
                        return

    def answer(self, client, message):
        _, number, method, params = message
        if isinstance(params, list):
            params = params[0] if params else {}
        self.calls.append((method, params))
        error, result = None, None
        try:
            result = self.answers.get(method, {})
            if callable(result):
                result = result(params)
        except Refused as refused:
            error, result = list(refused.args), None
        if method == self.hang_up_once:
            self.hang_up_once = None
            return False
        if method == self.hang_up_after:
            return False
        client.sendall(msgpack.packb([1, number, error, result]))
        return True


def main():
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    home = arguments["--home"]
    FakeNode(os.path.join(home, "socket"))
    with open(os.path.join(home, "started"), "a", encoding="ascii") as started:
        started.write(f"{os.getpid()}\n")
    ready = int(arguments["--ready-fd"])
    os.write(ready, b"ready\n")
    os.close(ready)
    threading.Event().wait(20)


if __name__ == "__main__":
    main()
