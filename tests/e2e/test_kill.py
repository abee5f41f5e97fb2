"""Ends in the middle of things, failed commits, copies: one id for one number, nothing lost."""

import os
import shutil

import pytest

from api import ApiError
from conftest import Node, eventually, free_port
from test_network import befriend, entries, start

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def notes(node):
    """The texts of all notes that it shows."""
    with node.api() as api:
        texts, page = [], {}
        while True:
            answer = api.call("timeline", limit=200, **page)
            texts += [row["text"] for row in answer["rows"] if row["kind"] == "note"]
            if "next" not in answer:
                return texts
            page = {"cursor": answer["next"]}


def disputed(node):
    """What a node knows of contradictions: forks, and what the doctor finds."""
    with node.api() as api:
        findings = api.call("doctor")["findings"]
        return [f for f in findings if f["severity"] not in ("ok", "note")]


def test_whoever_serves_is_killed_and_the_other_still_gets_all(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    for part in range(3):
        batch = [{"k": "note", "text": f"{part} {i} {os.urandom(60).hex()}"} for i in range(2000)]
        ana.api().write("post_many", entries=batch, to="network")
    befriend(ana, kai)
    for _ in range(4):
        ana.kill()
        start(ana)
    total = lambda: sum(n.api().call("status")["own_entries"] for n in (ana, kai))
    eventually(lambda: entries(ana) == entries(kai) == total(), "the rest")
    assert total() > 6000 and disputed(kai) == []


def test_an_import_cut_by_a_signal_is_whole_when_it_is_repeated(node):
    batches = [[{"k": "note", "text": f"{b} {i}", "src": f"test:{b}/{i}"} for i in range(1000)]
               for b in range(8)]
    api = node.api()
    asked = [(api.send("post_many", key=os.urandom(16), entries=batch, to="network"), batch)
             for batch in batches]
    answered = [batches[0]]
    api.answer(asked[0][0])
    assert node.stop() == 0
    for number, batch in asked[1:]:
        try:
            api.answer(number)
            answered.append(batch)
        except (ApiError, ConnectionError):
            break
    node.start()
    held = set(notes(node))
    assert {note["text"] for batch in answered for note in batch} <= held
    for batch in batches:
        node.api().write("post_many", entries=batch, to="network")
    texts = notes(node)
    assert len(texts) == len(set(texts)) == 8000


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_commit_that_failed_never_leads_to_two_ids_for_one_number(new_node, call):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    answered = []
    for when in (3, 5, 8, 12):
        ana.stop()
        options = ["--listen", f"127.0.0.1:{ana.port}"]
        inject = f"inject={call}:error=EIO:when={when}..{when + 1}"
        said = ana.spawn(*options, wrap=["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=" + call,
                                         "-e", inject])
        for i in range(10 if said == "ready" else 0):
            try:
                answered.append(f"{when} {i}")
                key = os.urandom(16)
                ana.api().post(answered[-1], key=key)
            except ApiError:
                eventually(lambda: posted_again(ana, answered[-1], key), "a post that works")
        if said != "ready":
            ana.wait()
            start(ana)
    texts = notes(ana)
    assert sorted(texts) == sorted(answered)
    eventually(lambda: sorted(notes(kai)) == sorted(texts), "the same at the other")
    assert disputed(ana) == disputed(kai) == []


def posted_again(node, text, key):
    try:
        return node.api().post(text, key=key)
    except ApiError:
        return None


def test_a_copy_of_the_data_does_not_continue_the_log(new_node, tmp_path):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    ana.api().post("before the copy")
    ana.stop()
    shutil.copytree(ana.home, tmp_path / "copy", symlinks=True)
    copy = Node(tmp_path / "copy")
    try:
        start(ana), copy.start("--listen", f"127.0.0.1:{free_port()}")
        one, other = ana.api().post("by the first")["ref"], copy.api().post("by the copy")["ref"]
        assert one[:2] != other[:2]
        eventually(lambda: "by the first" in notes(kai), "the post of the first")
        assert disputed(kai) == []
    finally:
        copy.finish()


def test_an_older_log_database_leads_to_no_fork(new_node, tmp_path):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    ana.api().post("in both")
    ana.stop()
    shutil.copy(ana.home / "log.db", tmp_path / "old.db")
    start(ana).api().post("known to kai alone")
    eventually(lambda: "known to kai alone" in notes(kai), "the post")
    ana.stop()
    for path in ana.home.glob("log.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", ana.home / "log.db")
    start(ana).api().post("after the loss")
    everything = ["after the loss", "in both", "known to kai alone"]
    eventually(lambda: sorted(notes(kai)) == sorted(notes(ana)) == everything, "what was lost")
    assert disputed(ana) == disputed(kai) == []
