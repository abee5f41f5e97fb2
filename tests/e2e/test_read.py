"""Reading over the API while others write: what is seen, and when."""

import os

import pytest

from api import ApiError
from conftest import eventually
from test_network import befriend, start


def test_what_was_posted_is_in_the_next_timeline_of_anybody(node):
    for i in range(30):
        with node.api() as writer:
            writer.post(f"number {i}")
        with node.api() as reader:
            rows = reader.call("timeline", limit=5)["rows"]
            assert f"number {i}" in [row["text"] for row in rows]


def test_a_subscriber_gets_each_post_of_a_friend_once_and_in_order(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    texts = [f"{i} {os.urandom(4).hex()}" for i in range(50)]
    tail = kai.api()
    sub = tail.call("subscribe")["sub"]
    writer = ana.api()
    for text in texts:
        writer.post(text)
    seen = []
    while len(seen) < len(texts):
        name, note = tail.next_note()
        assert (name, note["sub"]) == ("rows", sub)
        seen += [row["text"] for row in note["rows"] if row["kind"] == "note"]
    assert seen == texts


def test_a_subscription_resumes_where_another_stopped(node):
    writer = node.api()
    with node.api() as first:
        first.call("subscribe")
        writer.post("one")
        pos = first.next_note()[1]["pos"]
    writer.post("two")
    writer.post("three")
    second = node.api()
    second.call("subscribe", **{"from": pos})
    rows = []
    while len(rows) < 2:
        rows += second.next_note()[1]["rows"]
    assert [row["text"] for row in rows] == ["two", "three"]


def test_views_come_back_when_they_are_deleted(node):
    node.api().post("a needle in here")
    node.stop()
    for path in node.home.glob("views.db*"):
        path.unlink()
    node.start()
    found = lambda: node.api().call("search", query="needle")["rows"]
    assert eventually(found, "the index")[0]["text"] == "a needle in here"


def test_a_damaged_views_database_is_made_anew(node):
    node.api().post("a needle in here")
    node.stop()
    for path in node.home.glob("views.db-*"):
        path.unlink()
    (node.home / "views.db").write_bytes(os.urandom(20000))
    node.start()
    found = lambda: node.api().call("search", query="needle")["rows"]
    assert eventually(found, "the index")


def test_a_backup_is_a_whole_database_and_leaves_nothing_behind(node, tmp_path):
    api = node.api()
    notes = [{"k": "note", "text": os.urandom(500).hex()} for _ in range(1000)]
    api.write("post_many", entries=notes, to="network")
    made = api.call("backup")
    data = b""
    last = False
    while not last:
        part = api.call("backup_read", handle=made["handle"], offset=len(data))
        data += part["data"]
        last = part["last"]
    assert len(data) == made["size"] > 1000000
    assert data.startswith(b"SQLite format 3\0")
    assert not list(node.home.glob("backup-*"))
    with pytest.raises(ApiError) as error:
        api.call("backup_read", handle=made["handle"], offset=0)
    assert error.value.name == "not-found"


def test_what_a_killed_backup_left_is_gone_after_the_next_start(node):
    node.kill()
    left = node.home / "backup-0123456789abcdef"
    left.write_bytes(b"half of it")
    node.start()
    assert not left.exists()
