"""Reading with the program aloud: what was written is found again, and followed without a gap."""

import json
import os
import signal
import subprocess

from conftest import ALOUD, eventually


def tail(home, path, *words):
    """A tail that prints into |path|."""
    return subprocess.Popen(
        [ALOUD, "--home", home.path, "tail", "--json=text", *words], env=home.env,
        stdin=subprocess.DEVNULL, stdout=open(path, "a"), stderr=subprocess.PIPE)


def seen(path):
    return [json.loads(line)["text"] for line in path.read_text().splitlines()]


def interrupt(process):
    process.send_signal(signal.SIGINT)
    status = process.wait(20)
    process.stderr.close()
    return status


def test_an_entry_is_in_every_list_it_belongs_to(home):
    home.run("post", "--to", "me", "a note about", "checkpoints", "+sqlite")
    home.run("post", "-k", "question", "Why does it never close? #libuv")
    assert home.texts("--tag", "sqlite") == ["a note about checkpoints"]
    assert home.texts("--kind", "note", "--to", "me") == ["a note about checkpoints"]
    assert len(home.rows("timeline", "--from", "me")) == len(home.rows("log"))
    assert [t["tag"] for t in home.rows("tags")] == ["libuv", "sqlite"]
    (hit,) = home.rows("search", "checkpoint*")
    assert "\x02" not in hit["snippet"] and "checkpoints" in hit["snippet"]
    home.run("search", "nothing-like-that", status=1)


def test_days_hold_what_was_dated_into_them(home):
    home.run("post", "--at", "2023-11-14T23:59:59Z", "late")
    home.run("post", "--at", "2023-11-15T00:00:00Z", "early")
    home.run("post", "--at", "2023-11-15T10:00:00Z", "noon")
    assert [r["text"] for r in home.rows("day", "2023-11-15")] == ["early", "noon"]
    assert [r["text"] for r in home.rows("day", "2023-11-14")] == ["late"]
    home.run("day", "2023-11-16", status=1)
    assert home.texts("--until", "2023-11-15") == ["late"]


def test_an_entry_is_checked_by_the_client_itself(home):
    home.run("post", "signed")
    assert all(r["ok"] for r in home.rows("show", "--verify", "last"))
    (raw,) = home.rows("show", "--raw", "last")
    assert raw["seq"] >= 1 and len(raw["sig"]) == 128
    assert home.rows("show", "last")[0]["text"] == "signed"
    home.run("show", "zzzzzzzz", status=66)


def test_a_thread_is_the_same_from_each_of_its_entries(home):
    home.run("post", "-k", "question", "root")
    home.run("reply", "last", "child")
    home.run("reply", "last", "grandchild")
    whole = home.rows("thread", "last")
    assert [r["text"] for r in whole] == ["root", "child", "grandchild"]
    assert [r["depth"] for r in whole] == [0, 1, 2]
    for row in whole:
        assert home.rows("thread", row["id"]) == whole
    drawn = home.run("thread", "last", "--pretty")
    assert "└─ " in drawn and "   └─ " in drawn


def test_home_shows_today_and_one_step(home):
    assert "aloud post" in home.run("--pretty")
    home.run("post", "a beginning")
    shown = home.run("--pretty")
    assert "a beginning" in shown and shown.count("next: ") == 1


def test_tail_outlives_its_node_without_gap_or_repetition(home, tmp_path):
    out = tmp_path / "out"
    home.run("post", "0")
    process = tail(home, out, "-n", "1")
    eventually(lambda: out.exists() and seen(out) == ["0"])
    for i in range(1, 5):
        home.run("post", str(i))
        os.kill(home.pid(), signal.SIGKILL)
    home.run("post", "5")
    eventually(lambda: len(seen(out)) >= 6)
    assert interrupt(process) == 130
    assert seen(out) == [str(i) for i in range(6)]


def test_a_cursor_goes_on_where_it_stopped(home, tmp_path):
    out, cursor = tmp_path / "out", tmp_path / "cursor"
    process = tail(home, out, "-n", "0", "--cursor", cursor)
    eventually(cursor.exists)
    for i in range(3):
        home.run("post", f"while it runs {i}")
    eventually(lambda: len(seen(out)) == 3)
    assert interrupt(process) == 130
    home.run("post", "while it is away")
    process = tail(home, out, "--cursor", cursor)
    eventually(lambda: len(seen(out)) == 4)
    assert interrupt(process) == 130
    assert seen(out) == [f"while it runs {i}" for i in range(3)] + ["while it is away"]


def test_tail_killed_at_any_moment_repeats_at_most_one_batch_and_misses_nothing(home, tmp_path):
    out, cursor = tmp_path / "out", tmp_path / "cursor"
    process = tail(home, out, "-n", "0", "--cursor", cursor)
    eventually(cursor.exists)
    for i in range(30):
        home.run("post", str(i))
        if i % 10 == 5:
            process.kill()
            process.wait(20)
            process.stderr.close()
            process = tail(home, out, "--cursor", cursor)
    eventually(lambda: seen(out)[-1:] == ["29"])
    assert interrupt(process) == 130
    got = seen(out)
    assert sorted(set(got), key=int) == [str(i) for i in range(30)]
    assert got == sorted(got, key=int)
    assert len(got) <= 33


def test_a_cursor_of_another_journal_is_refused(home, tmp_path):
    cursor = tmp_path / "cursor"
    cursor.write_text("aloud-cursor 999999999\n")
    assert "another journal" in home.run("tail", "--cursor", str(cursor), status=65)
    cursor.write_text("something else\n")
    assert "not a file that aloud tail wrote" in home.run("tail", "--cursor", str(cursor),
                                                          status=65)
    assert cursor.read_text() == "something else\n"


def test_a_reader_that_leaves_early_is_no_error(home):
    for i in range(20):
        home.run("post", f"{i} " + "words " * 200)
    process = home.start("log", "--plain")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    process.stderr.close()
