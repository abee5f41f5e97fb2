"""Real processes in directories of their own; every one is gone when its test is."""

import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import time

import pytest

from api import Api

BUILD = pathlib.Path(os.environ.get("ALOUD_BUILD", "build")).resolve()
ALOUDD = BUILD / "daemon" / "aloudd"
ALOUD = BUILD / "cli" / "aloud"
PATIENCE = 20  # seconds; only a failure takes this long


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def eventually(condition, what="it", patience=PATIENCE):
    """Wait until condition() is true, and return what it returned."""
    end = time.monotonic() + patience
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
            return (f.readline() if wrap else f.read()).strip()  # a wrapper keeps it open

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


class Terminal:
    """A command at a terminal: what it says, and answers typed when it asks."""

    def __init__(self, command, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], [str(word) for word in command], {"TERM": "dumb", **env})
        self.said = ""
        self.heard = 0  # of what it said

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # everybody has closed the other end
            data = b""
        self.said += data.decode(errors="replace").replace("\r\n", "\n")
        return data != b""

    def expect(self, text):
        """Read until it has said |text|, after what was expected before."""
        end = time.monotonic() + PATIENCE
        while text not in self.said[self.heard:]:
            assert time.monotonic() < end, f"{text!r} is not in {self.said!r}"
            assert self.read(1) or text in self.said[self.heard:] or time.monotonic() < end
        self.heard = self.said.index(text, self.heard) + len(text)

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def end(self):
        """Its exit status, when it has said everything."""
        end = time.monotonic() + 3 * PATIENCE
        pid = 0
        while pid == 0 and time.monotonic() < end:
            self.read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        assert pid != 0, self.said
        while self.read(0):
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class Home:
    """A person's directory, and commands run there; nodes that they start are stopped after."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.env = {"HOME": str(path), "PATH": f"{ALOUDD.parent}:/usr/bin:/bin", "TZ": "UTC"}
        self.wrap = []  # what every command is run by

    def start(self, *words):
        return subprocess.Popen([*self.wrap, ALOUD, "--home", self.path, *words], env=self.env,
                                text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def at_terminal(self, *words):
        return Terminal([ALOUD, "--home", self.path, *words], self.env)

    def ticket(self):
        return next(word for word in self.run("invite").split() if word.startswith("aloud:"))

    def words(self):
        """The file with the 24 words."""
        return self.path.parent / f"{self.path.name}.words"

    def run(self, *words, status=0):
        """What it said: on stdout when it ends with |status| 0, else on stderr; None: any but 0."""
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        assert (process.returncode == status) if status is not None else process.returncode != 0, (
            words, out, err)
        return out if status == 0 else err

    def rows(self, *words):
        return [json.loads(line) for line in self.run(*words, "--json").splitlines()]

    def texts(self, *words):
        return [row["text"] for row in self.rows("timeline", "-n", "1000", *words)
                if row["kind"] in ("note", "reply")]

    def pid(self):
        return self.rows("node", "status")[0]["pid"]

    def drafts(self):
        return list((self.path / "state" / "drafts").glob("*"))

    def finish(self):
        if (self.path / "keys").exists():
            self.run("node", "stop")


@pytest.fixture(name="new_home")
def make_new_home(tmp_path):
    homes = []

    def make(name, init=True):
        home = Home(tmp_path / name)
        homes.append(home)
        home.path.mkdir(mode=0o700)
        (home.path / "config").write_text("listen = 127.0.0.1:0\n")
        if init:
            home.run("init", "--name", name, "--phrase-out", str(home.words()))
        return home

    yield make
    for home in homes:
        home.finish()


@pytest.fixture(name="home")
def make_home(new_home):
    return new_home("ana")
