"""The store survives a kill, an I/O error and a full disk at every system call that writes.

strace kills the writer, or fails its call, at the n-th call of a kind, for every n. Afterwards
every entry that was acknowledged is there, the chain is whole, and a second run goes on.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("ALOUD_BUILD", Path(__file__).parents[2] / "build"))
WRITER = BUILD / "tests" / "unit" / "store" / "crash_writer"
ENTRIES = 5  # of one run
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "openat")

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def run_writer(path, run, inject=None):
    """One run of the writer; the acknowledged (seq, run) pairs, and whether errors were named."""
    command = [str(WRITER), "write", str(path), str(run)]
    if inject:
        command = ["strace", "-f", "-o", "/dev/null", "-e", "trace=" + inject.split(":")[0],
                   "-e", "inject=" + inject, *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    acks = [tuple(map(int, m)) for m in re.findall(r"^ack (\d+) (\d+)$", done.stdout, re.M)]
    return acks, re.findall(r"^error (\S+)$", done.stdout, re.M)


def check_store(path):
    """Everything in the store contradicts nothing: its (seq, run) pairs."""
    done = subprocess.run([str(WRITER), "check", str(path)], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 0, done.stdout
    if path.exists() and path.stat().st_size > 0:
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
    return [tuple(map(int, m)) for m in re.findall(r"^held (\d+) (\d+)$", done.stdout, re.M)]


def count_calls(path):
    """How often an undisturbed run makes each call."""
    done = subprocess.run(["strace", "-f", "-e", "trace=" + ",".join(CALLS), str(WRITER), "write",
                           str(path), "1"], capture_output=True, text=True, timeout=20)
    assert len(re.findall("^ack ", done.stdout, re.M)) == ENTRIES, done.stdout + done.stderr
    return Counter(re.findall(r"^(?:\[pid +\d+\] )?(\w+)\(", done.stderr, re.M))


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    counts = count_calls(tmp_path_factory.mktemp("count") / "log.db")
    if not counts:
        pytest.skip("strace may not trace here")
    assert all(counts[call] > 0 for call in CALLS), counts
    return counts


def disturb(tmp_path, inject):
    """Disturb a run, look, let another run go on, look again."""
    path = tmp_path / "log.db"
    acks, errors = run_writer(path, 1, inject)
    held = check_store(path)
    lost = set(acks) - set(held)
    assert not lost, f"{inject}: acknowledged and lost: {lost}"
    assert len(held) <= ENTRIES, f"{inject}: more held than written: {held}"

    more, _ = run_writer(path, 2)
    assert [seq for seq, _ in more] == list(range(len(held) + 1, len(held) + 1 + ENTRIES)), inject
    assert check_store(path) == held + more, inject
    for name in ("log.db", "log.db-wal", "log.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    return acks, errors


@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_call_loses_nothing_acknowledged(tmp_path, counts, call):
    cut_short = 0
    for n in range(1, counts[call] + 1):
        acks, _ = disturb(tmp_path, f"{call}:signal=SIGKILL:when={n}")
        cut_short += len(acks) < ENTRIES
    assert cut_short > 0


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", CALLS)
def test_a_failed_call_is_named_or_harmless(tmp_path, counts, call, error):
    named = set()
    for n in range(1, counts[call] + 1):
        acks, errors = disturb(tmp_path, f"{call}:error={error}:when={n}")
        assert errors or len(acks) in (0, ENTRIES), f"{call} {n}: stopped without a word"
        named.update(errors)
    assert named <= {"io", "disk-full", "doubt", "read-only"}
    if call in ("pwrite64", "fsync"):
        assert ("io" if error == "EIO" else "disk-full") in named


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_disk_that_fails_from_some_call_on_keeps_what_was_acknowledged(tmp_path, counts, call):
    for n in range(1, counts[call] + 1, 3):
        acks, errors = disturb(tmp_path, f"{call}:error=EIO:when={n}+")
        assert errors or len(acks) == ENTRIES, f"{call} {n}"
