"""Two machines with the data and the key of one: who goes on, who yields, and that nothing is lost."""

import shutil
import sqlite3

import pytest

from conftest import eventually, free_port
from test_restore import findings, meet, problems, restore


@pytest.fixture(name="pair")
def make_pair(new_home):
    """ana and kai, who know each other; kai's port stays the same."""
    ana, kai = new_home("ana"), new_home("kai")
    kai.run("node", "stop")
    (kai.path / "config").write_text(f"listen = 127.0.0.1:{free_port()}\n")
    meet(kai, ana)
    kai.run("follow", "ana")
    ana.run("post", "before the copy")
    eventually(lambda: ana.rows("status")[0]["alone"] == 0, "kai holding everything")
    return ana, kai


def copied(ana, new_home):
    """A copy of ana's directory, made while her node is down, by cp or the like."""
    ana.run("node", "stop")
    copy = new_home("copy", init=False)
    shutil.rmtree(copy.path)
    shutil.copytree(ana.path, copy.path, ignore=shutil.ignore_patterns("socket", "*.lock"))
    return copy


def as_an_image(home):
    """The file system of an image is what it was: log.db has the number it had."""
    place = (home.path / "log.db").stat().st_ino.to_bytes(8, "big")
    with sqlite3.connect(home.path / "log.db") as db:
        assert db.execute("UPDATE kv SET value = ? WHERE space = 1 AND key = ?",
                          (place, b"place")).rowcount == 1
    db.close()


def is_copy(home):
    return "this is a copy" in problems(home)


def logs_of(home, texts):
    return {row["log"] for row in home.rows("timeline") if row["text"] in texts}


def assert_all_well(homes, texts):
    for home in homes:
        eventually(lambda: sorted(home.texts()) == sorted(texts), f"everything on {home.path.name}")
        wrong = findings(home) - {"unreadable", "phrase-not-confirmed", "clone", "new-log"}
        assert not wrong, home.path.name


def test_the_copy_yields_and_becomes_a_device(pair, new_home):
    ana, kai = pair
    copy = copied(ana, new_home)
    ana.run("post", "the first goes on")
    eventually(lambda: "the first goes on" in kai.texts(), "kai")
    copy.run("post", "in the copy, before it knew")
    eventually(lambda: is_copy(copy), "the copy learning that it is one")
    assert "this is a copy of another machine" in problems(copy)
    assert "was let go: this one goes on" in problems(ana) and not is_copy(ana)
    assert "copy" in findings(copy) and "clone" in findings(ana)
    copy.run("post", "in the copy, as one")
    copy.run("node", "stop")
    copy.run("status")
    assert is_copy(copy)
    assert "aloud restore" in copy.run("invite", status=None)
    restore(copy, "--device", "second", words=ana.words())
    assert not is_copy(copy) and problems(copy) == ""
    copy.run("post", "as a device of its own")
    ana.run("post", "still going on")
    assert_all_well([ana, kai, copy],
                    ["before the copy", "the first goes on", "in the copy, before it knew",
                     "in the copy, as one", "as a device of its own", "still going on"])
    assert {row["name"] for row in ana.rows("device", "ls")} >= {"second"}


@pytest.mark.parametrize("image", [False, True], ids=["directory", "image"])
def test_both_wrote_before_they_met_anybody(pair, new_home, image):
    ana, kai = pair
    copy = copied(ana, new_home)
    kai.run("node", "stop")
    if image:
        as_an_image(copy)
    ana.run("post", "by the first, offline")
    copy.run("post", "by the copy, offline")
    same = logs_of(ana, ["by the first, offline"]) == logs_of(copy, ["by the copy, offline"])
    assert same == image
    kai.run("status")
    eventually(lambda: is_copy(ana) or is_copy(copy), "one of them yielding", 60)
    yielded = ana if is_copy(ana) else copy
    assert is_copy(ana) != is_copy(copy)
    assert len(yielded.texts()) == 2  # what it wrote stays to be read
    restore(yielded, words=ana.words())
    assert_all_well([ana, kai, copy],
                    ["before the copy", "by the first, offline", "by the copy, offline"])


def test_an_older_log_database_does_not_forget_the_starts(pair, new_home):
    ana, kai = pair
    copy = copied(ana, new_home)
    old = (copy.path / "log.db").read_bytes()
    copy.run("status")
    copy.run("node", "stop")
    (copy.path / "log.db").write_bytes(old)
    ana.run("post", "the first goes on")
    eventually(lambda: "the first goes on" in kai.texts(), "kai")
    copy.run("status")
    eventually(lambda: is_copy(copy), "the copy yielding, though its database was an older one")


def test_an_image_put_back_is_told_by_what_comes_back(pair, tmp_path):
    ana, kai = pair
    ana.run("node", "stop")
    kept = {path: path.read_bytes() for path in (ana.path / "log.db", ana.path / "keys" / "instance")}
    ana.run("post", "known to kai alone")
    eventually(lambda: "known to kai alone" in kai.texts(), "kai")
    ana.run("node", "stop")
    for path, content in kept.items():
        path.write_bytes(content)
    ana.run("status")
    eventually(lambda: "known to kai alone" in ana.texts(), "what kai carries")
    assert "came back from ~" + kai.rows("status")[0]["identity"][:12] in problems(ana)
    assert "new-log" in findings(ana)
    ana.run("post", "after it")
    assert_all_well([ana, kai], ["before the copy", "known to kai alone", "after it"])
