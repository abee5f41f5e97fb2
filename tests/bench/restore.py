"""How long it takes to be oneself again: `aloud restore` from a node that carries everything."""

import json
import os
import shutil
import subprocess
import time

from home import Api, free_port

ENTRIES_A_CALL = 1000
PATIENCE = 300
TEXT = "A socket that was closed in the reader is no error: the peer went away, and comes back. "


class Person:
    def __init__(self, build, path):
        self.build, self.path = build, path
        path.mkdir(mode=0o700)
        (path / "config").write_text(f"listen = 127.0.0.1:{free_port()}\n")
        self.env = {**os.environ, "PATH": f"{build}/daemon:{os.environ['PATH']}"}

    def command(self, *words):
        return [self.build / "cli/aloud", "--home", self.path, *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout

    def status(self):
        return json.loads(self.run("status", "--json"))


def write(person, entries):
    with Api(person.path / "socket", timeout=60) as api:
        for at in range(0, entries, ENTRIES_A_CALL):
            notes = [{"k": "note", "text": f"{i:08x} {TEXT * 2}"}
                     for i in range(at, min(at + ENTRIES_A_CALL, entries))]
            api.call("post_many", key=os.urandom(16), to="network", entries=notes)


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("it took too long")
        time.sleep(0.1)


def measure(build, scratch, entries):
    """Seconds until the 50 newest of |entries| can be read, and until everything can."""
    ana, kai = Person(build, scratch / "restore-ana"), Person(build, scratch / "restore-kai")
    words = scratch / "restore.words"
    ana.run("init", "--name", "ana", "--phrase-out", words)
    kai.run("init", "--name", "kai", "--phrase-out", scratch / "restore-kai.words")
    try:
        ana.run("join", kai.run("invite").split()[0])
        write(ana, entries)
        until(lambda: ana.status()["alone"] == 0)
        until(lambda: kai.status()["views_behind"] == 0)
        ana.run("node", "stop")
        shutil.rmtree(ana.path)
        again = Person(build, scratch / "restore-again")
        ticket = kai.run("invite").split()[0]
        began = time.monotonic()
        process = subprocess.Popen(
            again.command("restore", "--from", ticket, "--phrase-in", words), env=again.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        newest = time.monotonic() - began
        process.stdout.read()
        everything = time.monotonic() - began
        if process.wait() != 0 or again.status()["own_entries"] < entries:
            raise RuntimeError("the restore did not come to its end")
        again.run("node", "stop")
    finally:
        kai.run("node", "stop")
    return newest, everything
