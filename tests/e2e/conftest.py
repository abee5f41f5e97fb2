"""Real processes in directories of their own; every one is gone when its test is."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from api import Api

BUILD = pathlib.Path(os.environ.get("ALOUD_BUILD", "build")).resolve()
ALOUDD = BUILD / "daemon" / "aloudd"
PATIENCE = 20  # seconds; only a failure takes this long


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def eventually(condition, what="it"):
    """Wait until condition() is true, and return what it returned."""
    end = time.monotonic() + PATIENCE
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.01)


class Node:
    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.socket = self.home / "socket"
        self.process = None
        self.apis = []

    def init(self, name):
        words = self.home.parent / f"{self.home.name}.words"
        subprocess.run(
            [ALOUDD, "init", "--home", self.home, "--name", name, "--phrase-out", words],
            check=True, stdout=subprocess.DEVNULL)
        return self

    def spawn(self, *options, wrap=(), **popen):
        """Start it; the line that it says when it is ready, or why it is not."""
        ours, theirs = os.pipe()
        self.process = subprocess.Popen(
            [*wrap, ALOUDD, "--foreground", "--home", self.home, "--ready-fd", str(theirs),
             *options],
            pass_fds=[theirs], stderr=open(f"{self.home}.log", "a"), **popen)
        os.close(theirs)
        with os.fdopen(ours) as f:
            return f.read().strip()

    def start(self, *options, **popen):
        said = self.spawn(*options, **popen)
        assert said == "ready", said
        return self

    def api(self):
        api = Api(self.socket)
        self.apis.append(api)
        return api

    def log(self):
        return pathlib.Path(f"{self.home}.log").read_text()

    def stop(self):
        """Ask it to end, as an init system does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.process = None
        return status

    def finish(self):
        for api in self.apis:
            api.close()
        if self.process is not None:
            self.kill()


@pytest.fixture
def new_node(tmp_path):
    """Make nodes by name: new_node("ana") is initialised, not started."""
    nodes = []

    def make(name, init=True):
        node = Node(tmp_path / name)
        nodes.append(node)
        return node.init(name) if init else node

    yield make
    for node in nodes:
        node.finish()


@pytest.fixture
def node(new_node):
    """One node that runs."""
    return new_node("ana").start()
