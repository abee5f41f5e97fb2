"""A home directory made for measuring, and the node that runs in it."""

import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from api import Api  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 600  # seconds; only a failure takes this long
POLL = 0.02


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Home:
    """Use it with "with": then its node is gone in the end."""

    def __init__(self, build, path):
        self.build, self.path = build, pathlib.Path(path)
        self.process = self.connection = None
        self.port = free_port()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self._reap()

    def make(self, me, peer, entries=0, address=None):
        """Fill it, see make_home.c."""
        options = ["--me", str(me), "--peer", str(peer), "--entries", str(entries)]
        if address is not None:
            options += ["--address", f"127.0.0.1:{address}"]
        subprocess.run([self.build / "tests/bench/make_home", self.path, *options], check=True)
        return self

    def copy(self, path):
        """Another one with the same content; the node must not run."""
        shutil.copytree(self.path, path)
        return Home(self.build, path)

    def start(self):
        """Start the node, wait until peers can reach it; the seconds until its socket was ready."""
        (self.path / "config").write_text(f"listen = 127.0.0.1:{self.port}\n")
        ours, theirs = os.pipe()
        command = [self.build / "daemon/aloudd", "--foreground", "--home", self.path,
                   "--ready-fd", str(theirs)]
        with open(f"{self.path}.log", "a") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(command, pass_fds=[theirs], stderr=log)
        os.close(theirs)
        with os.fdopen(ours) as f:
            said = f.read().strip()
        took = time.monotonic() - began
        if said != "ready":
            raise RuntimeError(f"the node did not start: {said}")
        self.connection = Api(self.path / "socket", timeout=60)
        self.until(lambda: self.call("status")["listening"])
        return took

    def _reap(self):
        self.connection.close()
        self.process.wait()
        self.process = self.connection = None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self._reap()

    def call(self, method, **params):
        return self.connection.call(method, **params)

    def until(self, condition):
        """Wait until condition() is true; the moment when it was."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError("it took too long; see the log of the node")
            time.sleep(POLL)
        return time.monotonic()

    def has(self, entries):
        status = self.call("status")
        return status["entries"] >= entries and status["behind"] == 0

    def is_indexed(self):
        status = self.call("views_status")
        return status["behind"] == 0 and status["unindexed"] == 0

    def cpu(self, thread=None):
        """Seconds of CPU of the node so far, or of those of its threads that have the name."""
        base = pathlib.Path(f"/proc/{self.process.pid}")
        if thread is None:
            return _cpu_of(base)
        return sum(_cpu_of(task) for task in (base / "task").iterdir()
                   if (task / "comm").read_text().strip() == thread)

    def starved(self):
        """Seconds that the thread of the node was ready to run, and other programs had the cores."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "node":
                return int((task / "schedstat").read_text().split()[1]) / 1e9
        raise RuntimeError("no thread of the node")

    def rss(self):
        """Resident, in MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def file_bytes(self, name):
        return (self.path / name).stat().st_size

    def payload_bytes(self):
        """Entries, and the bytes of all payloads."""
        with sqlite3.connect(self.path / "log.db") as db:
            return db.execute("SELECT count(*), sum(length(payload)) FROM entry").fetchone()


def _cpu_of(directory):
    fields = (directory / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Meter:
    """A port that hands on to another one, and counts what passes in both directions."""

    def __init__(self, target):
        self.bytes = 0
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.target))
        for ends in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source, sink):
        try:
            while data := source.recv(1 << 18):
                self.bytes += len(data)
                sink.sendall(data)
        except OSError:
            pass  # a node that stops resets the connection
