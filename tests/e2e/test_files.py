"""Files of entries between real nodes: whole ones, cut off ones, those that must be gone."""

import os
import sqlite3
import subprocess
import time

import pytest

import peer
from api import ApiError
from conftest import ALOUD, ALOUDD, PATIENCE, Terminal, eventually
from peer import Person, enc, until
from noise import blake
from test_change import (Hand, aloud, calls, canary, entry_state, eventually_gone, has, newest,
                         peer_id, row)
from test_kill import needs_strace
from test_network import befriend, start

MIB = 1024 * 1024
PIECE = 65536


@pytest.fixture
def pair(new_node):
    ana, ben = start(new_node("ana")), start(new_node("ben"))
    befriend(ana, ben)
    return ana, ben


def write(path, size):
    path.write_bytes(os.urandom(size))
    return path


def post(node, path, *options):
    """Post a note with the file: the id of the entry."""
    aloud(node, "post", "see the file", "-a", str(path), *options)
    return newest(node)


def arrived(node, entry):
    eventually(lambda: has(node, entry), "the entry")
    return row(node, entry)["ref"]


def get(node, ref, timeout=0, file=0):
    return calls(node).call("file_get", ref=ref, file=file, timeout=timeout)


def whole(node, ref, file=0):
    """Fetch until every piece is here; for as long as a busy machine may take."""
    end = time.monotonic() + 3 * PATIENCE
    while True:
        progress = get(node, ref, 500, file)
        if progress["have"] == progress["pieces"]:
            return
        assert time.monotonic() < end, progress


def pieces(node, name):
    """What lies in a file of the node: hash -> sealed bytes."""
    with sqlite3.connect(f"file:{next(node.home.rglob(name))}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT hash, bytes FROM piece"))


def files_of(node, ref):
    """What its payload says of the files of an open entry."""
    return peer.dec(calls(node).call("show", id=ref[3])["payload"])["files"]


def in_files(node, data):
    return [path for path in node.home.rglob("*") if path.is_file() and data in path.read_bytes()]


def test_a_file_of_32_mib_arrives_whole(pair, tmp_path):
    ana, ben = pair
    file = write(tmp_path / "large.bin", 32 * MIB)
    entry = post(ana, file)
    arrived(ben, entry)
    assert row(ben, entry)["fields"]["files"] == [
        [32 * MIB, "application/octet-stream", "large.bin"]]
    out = tmp_path / "out.bin"
    said = aloud(ben, "save", "@ana/last", "-o", str(out), "--json")
    assert '"size":33554432' in said
    assert out.read_bytes() == file.read_bytes()
    assert not list(tmp_path.glob(".aloud.*"))


def test_nothing_is_overwritten_and_no_name_is_a_path(pair, tmp_path):
    ana, ben = pair
    file = write(tmp_path / "plan.txt", 1000)
    entry = post(ana, file)
    arrived(ben, entry)
    there = tmp_path / "there"
    there.write_text("mine")
    assert "--force" in aloud(ben, "save", "@ana/last/1", "-o", str(there), status=77)
    assert there.read_text() == "mine"
    aloud(ben, "save", "@ana/last/1", "-o", str(there), "--force")
    assert there.read_bytes() == file.read_bytes()
    aloud(ben, "save", "@ana/last/2", "-o", str(tmp_path / "no"), status=66)
    (tmp_path / "directory").mkdir()
    aloud(ben, "save", "@ana/last", "-o", str(tmp_path / "directory"))
    assert (tmp_path / "directory" / "plan.txt").read_bytes() == file.read_bytes()

    hidden = write(tmp_path / ".bashrc", 10)
    entry = post(ana, hidden)
    arrived(ben, entry)
    assert "say what to call" in aloud(ben, "save", "@ana/last", status=2)
    with pytest.raises(ApiError):
        calls(ana).write("file_new", size=1, name="../../etc/passwd", mime="")


@needs_strace
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_file_is_never_there_in_part(pair, tmp_path, force):
    ana, _ = pair
    file = write(tmp_path / "plan.txt", PIECE + 1)
    post(ana, file)
    place = tmp_path / "place"
    place.mkdir()
    out = place / "out"
    if force:
        out.write_bytes(b"older")
    before = {path: path.read_bytes() for path in place.iterdir()}

    def save(*strace):
        command = ["strace", "-o", "/dev/null", *strace, ALOUD, "--home", ana.home, "save",
                   "last/1", "-o", out, *force]
        return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)

    assert save("-e", "inject=fsync:signal=KILL:when=1").returncode != 0
    assert {path: path.read_bytes() for path in place.iterdir()} == before
    unnamed_fails = ["-P", f"{place}/.", "-e", "inject=openat:error=EOPNOTSUPP"]
    for options in (["-e", "trace=none"], unnamed_fails):
        done = save(*options)
        assert done.returncode == 0, done.stderr
        assert list(place.iterdir()) == [out] and out.read_bytes() == file.read_bytes()
        assert out.stat().st_mode & 0o777 == 0o600
        out.write_bytes(b"older") if force else out.unlink()


def test_a_file_is_attached_to_an_entry_that_is_there(pair, tmp_path):
    ana, ben = pair
    first = write(tmp_path / "first.txt", 100)
    second = write(tmp_path / "second.txt", 100)
    entry = post(ana, first)
    aloud(ana, "attach", "last", str(second))
    ref = arrived(ben, entry)
    eventually(lambda: len(row(ben, entry)["fields"]["files"]) == 2, "the second file")
    whole(ben, ref, 1)
    aloud(ben, "save", "@ana/last/2", "-o", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == second.read_bytes()


def test_what_can_not_be_attached_is_said_before_anything_is_written(pair, tmp_path):
    ana, _ = pair
    large = tmp_path / "large"
    with open(large, "wb") as f:
        f.truncate(32 * MIB + 1)
    assert "32 MiB" in aloud(ana, "post", "too much", "-a", str(large), status=65)
    assert "No such file" in aloud(ana, "post", "nothing", "-a", str(tmp_path / "no"), status=66)
    with pytest.raises(ApiError) as error:
        calls(ana).write("file_new", size=32 * MIB + 1, name="a", mime="")
    assert error.value.name == "limit"
    before = calls(ana).call("status")["own_entries"]
    (tmp_path / "three").mkdir()
    files = [write(tmp_path / "three" / str(i), 32 * MIB) for i in range(4)]
    options = [word for file in files for word in ("-a", str(file))]
    said = aloud(ana, "post", "four of them", *options, status=65)
    assert "attach less" in said and "kept in" in said
    assert calls(ana).call("status")["own_entries"] == before


def test_the_same_file_posted_again_is_the_same_upload(pair, tmp_path):
    ana, _ = pair
    file = write(tmp_path / "once.bin", 3 * PIECE)
    post(ana, file)
    before = pieces(ana, "log.db")
    post(ana, file)
    assert pieces(ana, "log.db") == before
    assert len(before) == 3


def test_a_reader_who_is_killed_half_way_goes_on(pair, tmp_path):
    ana, ben = pair
    file = write(tmp_path / "large.bin", 32 * MIB)
    ref = arrived(ben, post(ana, file))
    eventually(lambda: get(ben, ref)["have"] > 0, "the first piece")
    ben.kill()
    kept = len(pieces(ben, "pieces.db"))
    assert kept > 0
    start(ben)
    assert get(ben, ref)["have"] >= kept
    whole(ben, ref)
    out = tmp_path / "out.bin"
    aloud(ben, "save", "@ana/last/1", "-o", str(out))
    assert out.read_bytes() == file.read_bytes()


def test_another_holder_gives_the_rest_when_the_first_dies(pair, new_node, tmp_path):
    ana, ben = pair
    noor = start(new_node("noor"))
    befriend(ana, noor)
    befriend(ben, noor)
    file = write(tmp_path / "large.bin", 32 * MIB)
    entry = post(ana, file)
    whole(ben, arrived(ben, entry))
    ref = arrived(noor, entry)
    eventually(lambda: get(noor, ref)["have"] > 0, "the first piece")
    ana.kill()
    whole(noor, ref)
    out = tmp_path / "out.bin"
    aloud(noor, "save", "@ana/last/1", "-o", str(out))
    assert out.read_bytes() == file.read_bytes()


def test_without_a_holder_it_is_said_and_nothing_is_left(pair, tmp_path):
    ana, ben = pair
    entry = post(ana, write(tmp_path / "plan.txt", 2 * PIECE))
    arrived(ben, entry)
    ana.stop()
    eventually(lambda: calls(ben).call("status")["peers"] == 0, "the end of the connection")
    out = tmp_path / "out"
    said = aloud(ben, "save", "@ana/last/1", "-o", str(out), status=75)
    assert "0 of 2 pieces" in said and "Nobody" in said
    assert not out.exists() and not list(tmp_path.glob(".aloud.*"))


def test_files_for_me_reach_the_own_second_device_by_themselves(new_node, tmp_path):
    ana = start(new_node("ana"))
    calls(ana)
    ticket = ana.api().write("invite")["ticket"]
    second = new_node("second", init=False)
    words = ana.home.parent / "ana.words"
    subprocess.run([ALOUDD, "restore", "--home", second.home, "--from", ticket, "--phrase-in",
                    words, "--device", "second", "--yes"], check=True, timeout=3 * PATIENCE)
    start(second)
    file = write(tmp_path / "secret.bin", 20 * PIECE + 5)
    entry = post(ana, file, "--to", "me")
    arrived(second, entry)
    eventually(lambda: len(pieces(second, "log.db")) == 21, "the pieces")
    assert not in_files(second, file.read_bytes()[:64])  # nowhere in clear
    ana.stop()
    out = tmp_path / "out.bin"
    aloud(second, "save", "last/1", "-o", str(out))
    assert out.read_bytes() == file.read_bytes()


def test_files_of_others_give_way_within_the_quota_and_own_ones_never(new_node, tmp_path):
    ana, ben = start(new_node("ana")), new_node("ben")
    (ben.home / "config").write_text("[attachments]\nquota = 32M\n")
    start(ben)
    befriend(ana, ben)
    own = write(tmp_path / "own.bin", 4 * MIB)
    mine = row(ben, post(ben, own, "--to", "me"))["ref"]
    refs = []
    for i in range(3):
        refs.append(arrived(ben, post(ana, write(tmp_path / f"{i}.bin", 15 * MIB))))
        whole(ben, refs[-1])
    size = lambda found: sum(len(piece) for piece in found.values())
    assert size(pieces(ben, "pieces.db")) <= 32 * MIB
    assert size(pieces(ben, "log.db")) > 4 * MIB
    for ref in (mine, refs[2], refs[1]):
        assert get(ben, ref)["have"] == get(ben, ref)["pieces"]
    whole(ben, refs[0])  # from where it came from, in the place of another
    assert get(ben, mine)["have"] == 64


def test_a_retraction_takes_the_pieces_out_of_every_file(pair, tmp_path):
    ana, ben = pair
    entry = post(ana, write(tmp_path / "regret.bin", 3 * PIECE))
    kept = post(ana, write(tmp_path / "kept.bin", PIECE))
    whole(ben, arrived(ben, entry))
    whole(ben, arrived(ben, kept))
    gone = [piece[1000:1040] for piece in pieces(ana, "log.db").values()]
    stays = [piece for piece in gone if in_files(ana, piece)]
    assert len(stays) == 4 and all(in_files(ben, piece) for piece in gone)
    aloud(ana, "retract", entry_name(ana, entry), "--yes")
    left = lambda node: [piece for piece in gone if in_files(node, piece)]
    end = time.monotonic() + 100
    while len(left(ana)) > 1 or len(left(ben)) > 1:
        assert time.monotonic() < end, (left(ana), left(ben))
        time.sleep(1)
    assert len(left(ana)) == 1 and left(ana) == left(ben)
    assert get(ben, row(ben, kept)["ref"])["have"] == 1
    with pytest.raises(ApiError) as error:
        calls(ben).call("file_read", ref=row(ben, kept)["ref"], file=1, offset=0)
    assert error.value.name == "not-found"


def entry_name(node, entry):
    """What to type for it."""
    rows = calls(node).call("timeline", limit=100, mine=True)["rows"]
    back = [r["id"] for r in rows if r["kind"] == "note"].index(entry)
    return f"last~{back}" if back else "last"


def test_who_names_the_file_of_another_does_not_keep_it_there(new_node):
    """The payload of an open entry tells the hashes to everybody."""
    ana = start(new_node("ana"))
    ana.ticket = calls(ana).write("invite")["ticket"]
    upload = calls(ana).write("file_new", size=PIECE + 1, name="x", mime="")["file"]
    calls(ana).call("file_put", file=upload, index=0, data=[os.urandom(PIECE), b"!"])
    first, again = (calls(ana).post("a file", files=[upload])["ref"] for _ in range(2))
    eve = Hand(ana)
    log = eve.log().add("that file of ana", files=files_of(ana, first))
    eve.send(log)
    calls(ana).write("post", entry={"k": "retract", "of": first})
    assert len(pieces(ana, "log.db")) == 2  # ana still needs them
    calls(ana).write("post", entry={"k": "retract", "of": again})
    assert pieces(ana, "log.db") == {}
    with pytest.raises(ApiError) as error:
        calls(ana).call("file_read", ref=log.ref(1), file=0, offset=0)
    assert error.value.name == "not-found"


def test_what_is_sent_in_wrong_leaves_nothing(new_node):
    """Not even the good pieces before it: their places would be sealed with one key twice."""
    ana = start(new_node("ana"))
    upload = calls(ana).write("file_new", size=2 * PIECE, name="x", mime="")["file"]
    for last in (b"short", bytes(PIECE + 1), "text"):
        with pytest.raises(ApiError) as error:
            calls(ana).call("file_put", file=upload, index=0, data=[os.urandom(PIECE), last])
        assert error.value.name == "params"
    assert pieces(ana, "log.db") == {}
    data = [os.urandom(PIECE), os.urandom(PIECE)]
    assert calls(ana).call("file_put", file=upload, index=0, data=data)["have"] == 2
    ref = calls(ana).post("a file", files=[upload])["ref"]
    assert calls(ana).call("file_read", ref=ref, file=0, offset=0)["data"] == b"".join(data)


def test_files_in_a_circle_are_for_its_members(new_node, tmp_path):
    ana, ben, noor = (start(new_node(name)) for name in ("ana", "ben", "noor"))
    befriend(ana, ben)
    befriend(ana, noor)
    eventually(lambda: calls(ana).call("person", who="ben")["people"], "ben's profile")
    aloud(ana, "circle", "new", "team", "ben")
    file = write(tmp_path / "plan.bin", 2 * PIECE + 3)
    entry = post(ana, file, "--to", "circle:team")
    whole(ben, arrived(ben, entry))
    assert row(ben, entry)["fields"]["files"] == [
        [file.stat().st_size, "application/octet-stream", "plan.bin"]]
    out = tmp_path / "out.bin"
    aloud(ben, "save", "@ana/last", "-o", str(out))
    assert out.read_bytes() == file.read_bytes()
    # An outsider carries the entry, but nothing in it: neither that there is a file, nor its name.
    eventually(lambda: entry_state(noor, entry) == "unreadable", "the sealed entry at noor's")
    assert "files" not in row(noor, entry)["fields"]
    aloud(noor, "save", "@ana/last", "-o", str(tmp_path / "no"), status=66)
    with pytest.raises(ApiError) as error:
        get(noor, row(noor, entry)["ref"])
    assert error.value.name == "sealed"
    assert not pieces_of_others(noor) and not in_files(noor, b"plan.bin")
    assert not in_files(noor, file.read_bytes()[:64])


def pieces_of_others(node):
    return pieces(node, "pieces.db") if list(node.home.rglob("pieces.db")) else {}


def test_a_retraction_before_its_target_leaves_nothing_of_its_files(new_node):
    """Whoever met the retraction first takes in the entry, but not what it said, nor a piece."""
    ben = start(new_node("ben"))
    ben.ticket = calls(ben).write("invite")["ticket"]
    eve = Hand(ben)
    name, key, piece = f"{canary()}.bin", os.urandom(32), os.urandom(PIECE + 16)
    files = [[PIECE, "text/plain", name, key, [blake("aloud1-piece", piece)]]]
    entries = eve.log().add("with a file", files=files).add("with it again", files=files)
    eve.send(eve.log().add("never mind", k="retract", of=entries.ref(1)))
    eve.send(eve.log().add("nor this", k="retract", of=entries.ref(2)))
    eve.send(entries)
    for entry in entries.ids[1:]:
        assert entry_state(ben, entry) == "retracted"
        with pytest.raises(ApiError) as error:
            get(ben, row(ben, entry)["ref"])
        assert error.value.name == "not-found"
        with pytest.raises(ApiError) as error:
            calls(ben).call("file_read", ref=row(ben, entry)["ref"], file=0, offset=0)
        assert error.value.name == "not-found"
    eventually_gone([name], ben)
    assert not in_files(ben, key) and not pieces_of_others(ben)


def test_whoever_gives_wrong_bytes_is_let_go(pair, tmp_path):
    ana, ben = pair
    ref = arrived(ben, post(ana, write(tmp_path / "plan.bin", 2 * PIECE)))
    ana.stop()
    eventually(lambda: calls(ben).call("status")["peers"] == 0, "the end of the connection")
    ticket = calls(ben).write("invite")["ticket"]
    liar = Person()
    channel = liar.meet(ticket, ben.port)
    ben.api().send("file_get", ref=ref, file=0, timeout=60000)
    asked = until(channel, peer.PIECE_WANT)
    channel.send(enc([peer.PIECE, asked[1], os.urandom(PIECE + 16)]))
    assert until(channel, peer.GOODBYE)[1] == "payload-hash"
    assert get(ben, ref)["have"] == 0
    start(ana)
    whole(ben, ref)


def test_what_nobody_asked_for_is_not_kept(pair):
    _, ben = pair
    ticket = calls(ben).write("invite")["ticket"]
    channel = Person().meet(ticket, ben.port)
    channel.send(enc([peer.PIECE, 7, os.urandom(100)]))
    assert until(channel, peer.GOODBYE)[1] == "unexpected"
    assert not list(ben.home.rglob("pieces.db"))


def test_a_piece_goes_to_who_can_name_it(pair, tmp_path):
    ana, _ = pair
    post(ana, write(tmp_path / "plan.bin", PIECE))
    (name, sealed), = pieces(ana, "log.db").items()
    ticket = calls(ana).write("invite")["ticket"]
    channel = Person().meet(ticket, ana.port)
    channel.send(enc([peer.PIECE_WANT, 5, bytes(32)]))
    assert until(channel, peer.DONE) == [peer.DONE, 5, 1]
    channel.send(enc([peer.PIECE_WANT, 6, name]))
    assert until(channel, peer.PIECE) == [peer.PIECE, 6, sealed]


def test_a_name_that_others_could_not_read_is_refused_with_the_reason(pair, tmp_path):
    ana, _ = pair
    for name, reason in ((b"bad\xff.txt", "not UTF-8"), (b"esc\x1b[31m.txt", "control characters"),
                         (b"bell\xc2\x85.txt", "control characters")):
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(b"content")
        said = aloud(ana, "post", "-a", path, "with a file", status=65)
        assert reason in said and "rename it" in said and "try:" not in said
        with pytest.raises(ApiError):
            calls(ana).write("file_new", size=1, name=name.decode(errors="replace") + "\x1b", mime="")
    good = write(tmp_path / "it's\u00a0good.txt", 10)
    assert aloud(ana, "post", "-a", str(good), "with a file")


def test_what_does_not_fit_an_entry_is_suggested_as_an_answer_to_it(pair, tmp_path):
    ana, _ = pair
    files = [str(write(tmp_path / f"it's {i}", 10)) for i in range(9)]
    aloud(ana, "post", "eight", *(word for file in files[:8] for word in ("-a", file)))
    entry = newest(ana)
    before = calls(ana).call("status")["own_entries"]
    said = aloud(ana, "attach", "last", files[8], status=77)
    assert calls(ana).call("status")["own_entries"] == before
    assert "no drafts" in aloud(ana, "drafts", status=1)
    tried(ana, said)
    answer = row(ana, newest(ana))
    assert answer["re"] == entry and answer["fields"]["files"][0][2] == "it's 8"


def tried(node, said):
    """Do what was suggested."""
    command = said.split("try: ")[1].strip()
    assert command.startswith("aloud ")
    subprocess.run(command.replace("aloud", f"'{ALOUD}' --home '{node.home}'", 1), shell=True,
                   check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True)


def test_what_is_suggested_for_a_retracted_entry_posts_the_answer(pair, tmp_path):
    ana, _ = pair
    calls(ana).post("first")
    entry = newest(ana)
    aloud(ana, "retract", "last", "--yes")
    file = write(tmp_path / "file", 10)
    assert "retracted already" in aloud(ana, "attach", "last", str(file), status=66)
    said = aloud(ana, "reply", "last", "don't mind", "-a", str(file), status=66)
    assert "--to" in said and "no drafts" in aloud(ana, "drafts", status=1)
    tried(ana, said)
    answer = row(ana, newest(ana))
    assert (answer["re"], answer["text"]) == (entry, "don't mind")
    said = aloud(ana, "reply", peer_id(ana, entry), text="piped in", status=66)
    assert "piped in" in aloud(ana, "drafts")
    tried(ana, said)
    assert row(ana, newest(ana))["text"] == "piped in"


def test_a_file_goes_to_standard_output_and_nothing_with_it(pair, tmp_path):
    ana, _ = pair
    file = write(tmp_path / "plan.bin", 12 * PIECE + 1)
    post(ana, file)
    place = tmp_path / "place"
    place.mkdir()
    command = [ALOUD, "--home", ana.home, "save", "last/1", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE, cwd=place)
    assert done.returncode == 0 and done.stdout == file.read_bytes(), done.stderr
    assert list(place.iterdir()) == []
    assert "--json" in aloud(ana, "save", "last", "-o", "-", "--json", status=2)
    terminal = Terminal(command, {"HOME": str(ana.home), "PATH": f"{ALOUDD.parent}:/usr/bin:/bin"})
    assert terminal.end() == 2 and "terminal" in terminal.said


@pytest.mark.parametrize("size, words", [(1, "1 byte"), (3, "3 bytes"), (2001, "3 KB"),
                                         (1500000, "1.5 MB"), (20000000, "20 MB")])
def test_a_size_is_said_as_people_say_it(pair, tmp_path, size, words):
    ana, _ = pair
    post(ana, write(tmp_path / "file", size))
    assert f"file  {words}" in aloud(ana, "show", "last", "--pretty")
    out = str(tmp_path / "out")
    assert f"({words})" in aloud(ana, "save", "last", "-o", out, "--pretty")


def test_attaching_what_is_attached_changes_nothing(pair, tmp_path):
    ana, _ = pair
    first = write(tmp_path / "first", 9 * PIECE + 5)
    entry = post(ana, first)
    before = calls(ana).call("status")["own_entries"]
    aloud(ana, "attach", "last", str(first))
    assert calls(ana).call("status")["own_entries"] == before
    second = write(tmp_path / "second", 10)
    aloud(ana, "attach", "last", str(first), str(second))
    assert [name for _, _, name in row(ana, entry)["fields"]["files"]] == ["first", "second"]
    write(first, 9 * PIECE + 5)  # of the same name and size
    aloud(ana, "attach", "last", str(first))
    assert len(row(ana, entry)["fields"]["files"]) == 3
