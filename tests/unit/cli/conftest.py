"""A person with a home directory, and a node that is only a socket."""

import os
import pathlib
import subprocess

import pytest

from fake_node import FakeNode

ALOUD = os.environ["ALOUD"]


class Person:
    """A home directory with an identity in it, and a way to run commands there."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        (self.home / "keys").mkdir(parents=True)
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

    def command(self, *words):
        return [ALOUD, "--home", str(self.home), *words]

    def run(self, *words, text=None, env=None):
        stdin = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=30,
                              check=False, env={**self.env, **(env or {})}, **stdin)

    def drafts(self, suffix):
        return sorted((self.home / "state" / "drafts").glob("*" + suffix))


@pytest.fixture(name="person")
def make_person(tmp_path):
    return Person(tmp_path / "h")


@pytest.fixture(name="node")
def make_node(person):
    node = FakeNode(str(person.home / "socket"))
    yield node
    node.close()
