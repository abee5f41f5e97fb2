"""docs/stories.md, played: every console block is run and must print what it shows.

`ana$ COMMAND` runs in ana's home, on a terminal of 100 columns; `$ COMMAND` in the directory that holds
all homes. The lines below it are what it prints, where

- a line `...` stands for any number of lines, and inside a line for anything,
- a line that begins with `» ` is typed after what stands before it was printed,
- digits stand for any digits, and a word with a digit in it that looks like an id for that id, from
  then on, wherever it stands; a ticket and a fingerprint likewise,
- runs of spaces stand for runs of spaces.

What only reads is asked again until it prints what it should, as the others may be on their way.
"""

import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from conftest import ALOUD, PATIENCE

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "stories.md"
READING = {"timeline", "show", "search", "status", "thread", "doctor", "peers", "people", "log",
           "tags", "day", "week", "held"}
READING_OF = {"circle": {"ls", "show"}, "device": {"ls"}}
ID = re.compile(r"[0-9a-hjkmnp-tv-z]{4,12}$")
TICKET = re.compile(r"aloud:[\w-]+$")
WORD = r"aloud:[\w-]+|\w+"


def stories():
    """(title, [(who or None, command, [lines])]) of each section with a console block."""
    found = []
    steps = None
    inside = False
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            steps = []
            found.append((line[3:], steps))
        elif line.startswith("```"):
            inside = line == "```console"
        elif inside:
            prompt = re.match(r"(\w*)\$ (.*)", line)
            if prompt:
                steps.append((prompt[1] or None, prompt[2], []))
            else:
                steps[-1][2].append(line)
    return [pytest.param(steps, id=title) for title, steps in found if steps]


class Names:
    """What the ids and tickets of the document are in this run; an id is known by its beginning."""

    def __init__(self):
        self.real = {}

    @staticmethod
    def key(word):
        """By which |word| is known, None when it is an ordinary word."""
        if TICKET.match(word):
            return word
        is_id = ID.match(word) and re.search(r"\d", word) and re.search(r"[a-z]", word)
        return word[:4] if is_id else None

    def learn(self, key, real):
        if len(real) >= len(self.real.get(key, "")):
            self.real[key] = real

    def in_command(self, command):
        return re.sub(WORD, lambda m: self.real.get(self.key(m[0]), m[0]), command)

    def pattern(self, line):
        """A regular expression for |line|, and the keys that its groups tell."""
        told = []
        out = ""
        for word in re.findall(rf"\.\.\.|{WORD}|\s+|[^\w\s]", line):
            key = self.key(word)
            if word == "...":
                out += ".*"
            elif word.isspace():
                out += r"\s+"
            elif key in self.real:
                out += "(?P<n%d>%s)" % (len(told), re.escape(self.real[key][:4]) + r"[\w:-]*")
                told.append(key)
            elif key is not None:
                out += "(?P<n%d>%s)" % (len(told), r"aloud:[\w-]+" if ":" in key else r"\w+")
                told.append(key)
            else:
                out += re.sub(r"\d+", r"\\d+", re.escape(word))
        return re.compile(out + r"\s*$"), told


def matches(names, wanted, got):
    """None when |got| is what is wanted, with the names learned; else what is wrong."""
    at = 0
    skipping = False
    for line in wanted:
        if line == "...":
            skipping = True
            continue
        pattern, told = names.pattern(line)
        while True:
            if at == len(got):
                return f"there is no line {line!r}"
            match = pattern.match(got[at])
            at += 1
            if match:
                break
            if not skipping:
                return f"wanted {line!r}, got {got[at - 1]!r}"
        for i, key in enumerate(told):
            names.learn(key, match[f"n{i}"])
        skipping = False
    rest = got[at:]
    return None if skipping or not rest else f"too much: {rest}"


class Stage:
    def __init__(self, path):
        self.path = path
        self.people = []

    def environment(self, who):
        home = self.path / (who or ".")
        if who and not home.exists():
            home.mkdir(mode=0o700)
            (home / "config").write_text("listen = 127.0.0.1:0\n")
        if who and who not in self.people:
            self.people.append(who)
        env = {"PATH": f"{ALOUD.parent}:{ALOUD.parents[1] / 'daemon'}:/usr/bin:/bin", "TZ": "UTC",
               "HOME": str(home), "TERM": "dumb", "PAGER": "cat", "LC_ALL": "C.UTF-8",
               "NO_COLOR": "1", "COLUMNS": "100"}
        if who:
            env["ALOUD_HOME"] = str(home)
        return env

    def run(self, who, command, typed):
        """What it prints on a terminal. Each of |typed| goes in when the output pauses."""
        ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        termios.tcsetwinsize(theirs, (40, 100))
        script = command if who is None else re.sub(
            r"\baloud (?=[^|]*)", 'aloud --home "$ALOUD_HOME" ', command, count=1)
        process = subprocess.Popen(["sh", "-c", script], env=self.environment(who), cwd=self.path,
                                   stdin=theirs, stdout=theirs, stderr=theirs,
                                   start_new_session=True)
        os.close(theirs)
        out = b""
        waiting = list(typed)
        end = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([ours], [], [], 0.5)
            if ready:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                out += chunk
            elif waiting:
                os.write(ours, waiting.pop(0).encode() + b"\n")
            elif process.poll() is not None:
                break
        else:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"{who or ''}$ {command} does not end: {out.decode()}")
        process.wait(PATIENCE)
        os.close(ours)
        return out.decode().replace("\r\n", "\n").rstrip("\n").split("\n") if out else []

    def finish(self):
        for who in self.people:
            if (self.path / who / "keys").exists():
                self.run(who, "aloud node stop", [])


@pytest.fixture(name="stage")
def make_stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.finish()


def only_reads(command):
    words = command.split()
    if words[0] != "aloud" or len(words) < 2:
        return False
    return words[1] in READING or (len(words) > 2 and words[2] in READING_OF.get(words[1], ()))


@pytest.mark.parametrize("steps", stories())
def test_the_story(stage, steps):
    names = Names()
    for who, command, lines in steps:
        typed = [line[2:] for line in lines if line.startswith("» ")]
        wanted = [line for line in lines if not line.startswith("» ")]
        end = time.monotonic() + PATIENCE
        while True:
            got = stage.run(who, names.in_command(command), [names.in_command(t) for t in typed])
            wrong = matches(names, wanted, got)
            if wrong is None or not only_reads(command) or time.monotonic() > end:
                break
            time.sleep(0.2)
        assert wrong is None, "\n".join([f"{who or ''}$ {command}", wrong, "it printed:", *got])
