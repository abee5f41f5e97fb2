"""One's own self again: on a new machine, from a friend, from a backup, in a copy, and after a crash."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading

import pytest

import peer
from noise import Answerer
from conftest import ALOUDD, eventually, free_port

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def text(key):
    """32 bytes as people write them."""
    number = int.from_bytes(key, "big") << 4
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> 5 * i & 31]
                   for i in reversed(range(52)))


def meet(host, guest):
    """They follow each other, and each has what the other wrote so far."""
    guest.run("join", host.ticket())
    for a in (host, guest):
        eventually(lambda: a.rows("peers") and a.rows("peers")[0]["state"] == "connected")


def lose(home):
    home.run("node", "stop")
    shutil.rmtree(home.path)


def restore(home, *options, words, status=0):
    return home.run("restore", "--phrase-in", str(words), *options, status=status)


def people(home):
    return {row["identity"]: (row["petname"], row["relation"]) for row in home.rows("people")}


def identity(home):
    return home.rows("status")[0]["identity"]


def devices(home):
    return home.rows("device", "ls")


def problems(home):
    return " ".join(home.rows("status")[0]["problems"])


@pytest.fixture(name="friends")
def make_friends(new_home):
    """ana and kai know each other; lin was blocked by ana."""
    ana, kai, lin = new_home("ana"), new_home("kai"), new_home("lin")
    kai.run("node", "stop")
    (kai.path / "config").write_text(f"listen = 127.0.0.1:{free_port()}\n")
    meet(kai, ana)
    meet(lin, ana)
    ana.run("follow", "kai", "--as", "kairos")
    ana.run("block", "lin")
    for i in range(70):
        ana.run("post", f"note {i}")
    ana.run("post", "--to", "me", "for my eyes")
    mine = ana.rows("status")[0]["own_entries"]
    eventually(lambda: ana.rows("status")[0]["alone"] == 0, "kai holding everything")
    assert mine > 71
    return ana, kai, lin


def test_a_lost_laptop_comes_back_from_a_friend(friends, new_home):
    ana, kai, lin = friends
    written = ana.texts()
    words = ana.words()
    lose(ana)
    again = new_home("again", init=False)
    said = restore(again, "--from", kai.ticket(), words=words)
    assert said.count("\n") == 50  # the newest, at once
    assert sorted(again.texts()) == sorted(written)
    known = people(again)
    assert known[identity(kai)] == ("kairos", "following admitted")
    assert "blocked" in known[identity(lin)][1]
    status = again.rows("status")[0]
    assert status["name"] == "ana" and status["phrase_confirmed"] and status["devices"] == 2
    again.run("post", "I am back")
    eventually(lambda: "I am back" in kai.texts(), "the post reaching kai")
    assert [row["name"] for row in kai.rows("people") if row["name"].startswith("ana")] == ["ana"]
    assert {f["severity"] for f in again.rows("doctor")} <= {"ok", "note"}


def test_without_a_peer_it_goes_on_and_is_completed_later(friends, new_home):
    ana, kai, lin = friends
    words = ana.words()
    lose(ana)
    again = new_home("again", init=False)
    restore(again, words=words)
    again.run("post", "before anything came back")
    again.run("join", kai.ticket())
    eventually(lambda: "for my eyes" in again.texts() and "note 0" in again.texts(), "the rest")
    eventually(lambda: "before anything came back" in kai.texts(), "kai hearing of it")
    assert "blocked" in people(again)[identity(lin)][1]


def test_the_words_are_asked_for_and_mended_one_by_one(friends, new_home):
    ana, kai, _ = friends
    words = ana.words().read_text().split()
    lose(ana)
    again = new_home("again", init=False)
    t = again.at_terminal("restore", "--from", kai.ticket())
    t.expect("it is there")
    t.expect("word 1 and on: ")
    t.type(" ".join(w.upper() for w in words[:6]) + " notaword")
    t.expect("Word 7 is not on the list")
    t.expect("word 7: ")
    t.type(words[6][:4])
    t.expect("word 8 and on: ")
    t.type(" ".join([words[8], words[7], *words[9:]]))
    t.expect("together they are no phrase")
    t.expect("(Enter: all of them): ")
    t.type("")
    t.expect("word 1 and on: ")
    t.type(" ".join(words))
    t.expect("This is you again")
    t.expect("Everything that is known of you there is here")
    assert t.end() == 0
    assert "for my eyes" in again.texts()


def test_a_wrong_address_is_found_before_the_words(home, new_home, tmp_path):
    again = new_home("again", init=False)
    nobody = tmp_path / "nowhere.words"
    device = home.rows("status")[0]["device"]
    port = home.rows("status")[0]["listening"].split(":")[1]
    for source, why in [("aloud:nonsense", "neither a ticket nor an address"),
                        (f"{device}@127.0.0.1:1", "nobody listens there"),
                        (f"{home.rows('status')[0]['identity']}@127.0.0.1:{port}", "not that device")]:
        err = restore(again, "--from", source, words=nobody, status=None)
        assert why in err and "words" not in err.split("try:")[0], err
    assert not (again.path / "keys").exists()


def test_a_peer_that_knows_nobody_with_these_words(new_home):
    kai, eve, again = new_home("kai"), new_home("eve"), new_home("again", init=False)
    err = restore(again, "--from", kai.ticket(), words=eve.words(), status=None)
    assert "knows nobody with these words" in err
    assert "try: aloud restore" in err
    err = again.run("status", status=78)
    assert "a restore was begun here" in err and "try: aloud restore" in err
    restore(again, "--yes", "--from", kai.ticket(), words=eve.words())
    assert again.rows("status")[0]["identity"] == eve.rows("status")[0]["identity"]


def serve_busily(listener, person, told):
    """Admit whoever dials, and answer that one is busy, however long nobody asked again."""
    for _ in range(2):  # the first only looks whether somebody is there
        sock, _ = listener.accept()
        with sock:
            try:
                channel = Answerer(sock, person.noise_secret, timeout=60).shake_hands()
                channel.receive()
                channel.send(peer.enc(person.hello_for(b"")))
                for _ in range(240):  # each takes half a second
                    channel.send(peer.enc([peer.DONE, 1, 2]))
                while True:
                    told.append(peer.dec(channel.receive()))
            except ConnectionError:
                pass


def test_a_peer_that_is_busy_for_ever_is_given_up(home, new_home):
    kai, again, told = peer.Person(), new_home("again", init=False), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_busily, args=(listener, kai, told), daemon=True)
        thread.start()
        source = f"{text(kai.device.public)}@127.0.0.1:{listener.getsockname()[1]}"
        err = restore(again, "--from", source, words=home.words(), status=None)
        assert "the peer cannot be asked" in err
        thread.join(60)
    assert any(message[0] == peer.WANT_STATEMENTS for message in told)


def test_a_words_file_that_others_can_read_is_refused(home, new_home):
    again = new_home("again", init=False)
    home.words().chmod(0o640)
    err = restore(again, words=home.words(), status=77)
    assert "nobody else may read it" in err and f"chmod 600 '{home.words()}'" in err


def test_an_identity_that_is_here_is_not_replaced(home):
    home.run("post", "mine")
    err = restore(home, words=home.words(), status=None)
    assert "has an identity already" in err
    home.run("node", "stop")
    err = restore(home, words=home.words(), status=77)
    assert "has an identity already" in err
    assert home.texts() == ["mine"]
    err = home.run("restore", "--yes", "--from", "aloud:Ticket", status=2)
    assert "try: aloud restore --from aloud:Ticket --phrase-in FILE" in err
    out, said = home.start("restore", "--yes", "--phrase-in", home.words()).communicate(timeout=60)
    assert "no copy of another" in said and "stays in your list" in said, (out, said)
    assert "that this was a copy of" not in said
    assert home.texts() == ["mine"] and len(devices(home)) == 2


# --- backups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dumb", "xterm"])
def test_a_dumb_terminal_gets_no_escape_codes(home, new_home, tmp_path, kind):
    home.run("post", "kept")
    home.run("backup", str(tmp_path / "backup.db"))
    again = new_home("again", init=False)
    again.env["TERM"] = kind
    t = again.at_terminal("restore", "--backup", tmp_path / "backup.db", "--phrase-in",
                          home.words(), "--yes")
    t.expect("are whole")
    assert t.end() == 0
    assert ("\033" in t.said) == (kind == "xterm"), t.said


def test_a_backup_brings_everything_back(friends, new_home, tmp_path):
    ana, kai, _ = friends
    backup = tmp_path / "backup.db"
    ana.run("backup", str(backup))
    before = backup.read_bytes()
    texts = sorted(t for t in ana.texts())
    words = ana.words()
    lose(ana)
    again = new_home("again", init=False)
    restore(again, "--backup", str(backup), words=words)
    assert backup.read_bytes() == before
    assert sorted(again.texts()) == texts
    again.run("post", "from the backup")
    eventually(lambda: "from the backup" in kai.texts(), "kai, who is dialled as before")
    assert {f["severity"] for f in again.rows("doctor")} <= {"ok", "note"}
    assert not list(again.path.glob("*.restore*"))


def test_a_backup_takes_the_place_of_a_damaged_log(home, tmp_path):
    home.run("post", "kept")
    backup = tmp_path / "backup.db"
    home.run("backup", str(backup))
    home.run("post", "only here")
    err = restore(home, "--backup", str(backup), words=home.words(), status=77)
    assert "nothing was changed" in err
    assert sorted(home.texts()) == ["kept", "only here"]
    restore(home, "--yes", "--backup", str(backup), words=home.words())
    assert home.texts() == ["kept"]
    assert (home.path / "log.db.before-1").exists()
    home.run("node", "stop")
    (home.path / "log.db").unlink()
    err = home.run("status", status=78)
    assert "log.db is gone" in err and "try: aloud restore" in err
    restore(home, "--backup", str(backup), words=home.words())
    assert home.texts() == ["kept"] and len(devices(home)) == 2


@pytest.mark.parametrize("harm", ["entry", "signature", "trigger", "page", "text", "whose"])
def test_a_backup_that_is_not_right_is_refused(home, new_home, tmp_path, harm):
    home.run("post", "note 0")
    home.run("post", "note 1")
    backup = tmp_path / "backup.db"
    home.run("backup", str(backup))
    again = new_home("again", init=False)
    words = home.words()
    if harm == "whose":
        words = new_home("eve").words()
    elif harm == "text":
        backup.write_text("no database at all\n" * 1000)
    elif harm == "page":
        data = bytearray(backup.read_bytes())
        data[4096 * 3:4096 * 3 + 4096] = os.urandom(4096)
        backup.write_bytes(data)
    else:
        with sqlite3.connect(backup) as db:
            db.execute({"entry": "UPDATE entry SET payload = CAST(payload || x'00' AS BLOB) WHERE seq = 2",
                        "signature": "UPDATE sig SET sig = randomblob(64)",
                        "trigger": "CREATE TRIGGER t AFTER INSERT ON kv BEGIN DELETE FROM entry; END",
                        }[harm])
        db.close()
    err = restore(again, "--backup", str(backup), words=words, status=None)
    assert {"whose": "belong to somebody else", "text": "no backup of a log",
            "page": "damaged", "trigger": "no backup of a log"}.get(harm, "is damaged") in err \
        or "damaged" in err, err
    assert not (again.path / "keys" / "device").exists()
    assert not (again.path / "log.db").exists()
    assert not list(again.path.glob("*.restore*")) or harm == "whose"
    if harm == "whose":
        assert "ana" in err
        restore(again, "--backup", str(backup), words=home.words())
        assert "note 0" in again.texts()


# --- copies ----------------------------------------------------------------------------------------


def on_host(home, tmp_path, number):
    """Run everything of |home| on another host."""
    machine = tmp_path / f"machine-{number}"
    machine.write_text(f"{number:032x}\n")
    home.wrap = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/machine-id && shift && exec "$@"',
                 "-", str(machine)]


def may_unshare():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_unshare(), reason="needs a mount namespace")
def test_a_directory_on_another_host_is_a_copy_until_it_has_a_device(friends, new_home, tmp_path):
    ana, kai, _ = friends
    ana.run("node", "stop")
    copy = new_home("copy", init=False)
    shutil.rmtree(copy.path)
    shutil.copytree(ana.path, copy.path, ignore=shutil.ignore_patterns("socket", "*.lock"))
    ana.run("post", "the first goes on")
    eventually(lambda: "the first goes on" in kai.texts(), "kai")
    on_host(copy, tmp_path, 7)
    _, said = copy.start("post", "a draft in the copy").communicate(timeout=60)
    assert "stays on it until it is a device of its own: aloud restore" in said
    assert "this is a copy of another machine" in problems(copy)
    assert copy.rows("status")[0]["peers"] == 0 and not copy.rows("status")[0]["listening"]
    assert "copy" in findings(copy)
    err = copy.run("invite", status=None)
    assert "aloud restore" in err
    eve = new_home("eve")
    err = restore(copy, words=eve.words(), status=None)
    assert "belong to somebody else" in err
    assert "this is a copy of another machine" in problems(copy)
    restore(copy, words=ana.words())
    assert "copy" not in problems(copy)
    eventually(lambda: "a draft in the copy" in kai.texts(), "the draft, posted by the new device")
    eventually(lambda: "the first goes on" in copy.texts() and "a draft in the copy" in ana.texts())
    assert kai.texts().count("a draft in the copy") == 1
    ana.run("post", "one")
    copy.run("post", "two")
    eventually(lambda: {"one", "two"} <= set(kai.texts()), "both go on")
    for home in (ana, copy, kai):
        assert {f["severity"] for f in home.rows("doctor")} <= {"ok", "note"}


def findings(home):
    out, _ = home.start("doctor", "--json").communicate(timeout=60)
    return {json.loads(line)["code"] for line in out.splitlines()}


def test_an_older_copy_of_the_database_is_told(home):
    home.run("post", "first")
    home.run("node", "stop")
    old = (home.path / "log.db").read_bytes()
    home.run("post", "second")
    home.run("node", "stop")
    (home.path / "log.db").write_bytes(old)
    home.run("post", "third")
    assert "a new log was started" in problems(home)
    assert home.texts() == ["third", "first"]


def test_two_devices_that_wrote_offline_are_one_person(friends, new_home):
    ana, kai, _ = friends
    phone = new_home("phone", init=False)
    restore(phone, "--from", kai.ticket(), "--device", "phone", words=ana.words())
    kai.run("node", "stop")
    ana.run("post", "from the laptop, offline")
    phone.run("post", "from the phone, offline")
    phone.run("follow", "lin", status=None)
    kai.run("status")
    for home in (ana, phone, kai):
        eventually(lambda: {"from the laptop, offline", "from the phone, offline"} <=
                   set(home.texts()), f"everything on {home.path.name}")
        assert {f["severity"] for f in home.rows("doctor")} <= {"ok", "note"}
    assert {row["name"] for row in devices(ana)} >= {"phone"}
    assert len([r for r in kai.rows("people") if r["name"].startswith("ana")]) == 1


# --- broken off ------------------------------------------------------------------------------------


@needs_strace
@pytest.mark.parametrize("call", ["renameat", "fsync", "pwrite64", "unlinkat"])
@pytest.mark.parametrize("source", ["nothing", "backup", "copy"])
def test_a_kill_at_any_step_leaves_what_can_be_restored(home, tmp_path, call, source):
    home.run("post", "kept")
    home.run("post", "--to", "me", "sealed")
    backup = tmp_path / "backup.db"
    home.run("backup", str(backup))
    home.run("node", "stop")
    options = ["--backup", str(backup)] if source == "backup" else []
    base = tmp_path / "base"
    base.mkdir(mode=0o700)
    if source == "copy":
        shutil.copytree(home.path, base, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock"))
        with sqlite3.connect(base / "log.db") as db:
            db.execute("INSERT INTO kv VALUES (1, CAST('copy' AS BLOB), CAST('1' AS BLOB))")
        db.close()
    for nth in [1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 27, 36]:
        place = tmp_path / f"{nth}"
        shutil.copytree(base, place)
        place.chmod(0o700)
        command = [ALOUDD, "restore", "--home", place, "--phrase-in", home.words(), *options]
        killed = subprocess.run(
            ["strace", "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
             f"inject={call}:signal=SIGKILL:when={nth}", *command], capture_output=True, text=True,
            timeout=60)
        if killed.returncode != 0:
            node = subprocess.run([ALOUDD, "--foreground", "--home", place, "--ready-fd", "1"],
                                  capture_output=True, text=True, timeout=3) \
                if not (place / "keys" / "device").exists() else None
            assert node is None or "restore" in node.stderr or "no identity" in node.stderr, node
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            whole = done.returncode == 77 and "has an identity already" in done.stderr
            assert done.returncode == 0 or whole, (nth, killed.stderr, done.stderr)
        assert not (place / "keys" / "restore").exists() or whole
        with sqlite3.connect(f"file:{place}/log.db?mode=ro", uri=True) as db:
            certs = db.execute("SELECT count(*) FROM kv WHERE space = 2").fetchone()[0]
            assert db.execute("SELECT count(*) FROM kv WHERE space = 1 AND key = CAST('copy' AS BLOB)"
                              ).fetchone() == (0,)
        db.close()
        # the first device, the one restored, and their reading key: however often it was begun
        assert certs == (2 if source == "nothing" else 3), (call, nth)
        shutil.rmtree(place)
        if killed.returncode == 0:
            break


@pytest.mark.skipif(not may_unshare(), reason="needs a mount namespace")
def test_a_full_disk_is_named_and_restore_works_when_there_is_room(home, tmp_path):
    home.run("post", "x" * 30000)
    for _ in range(20):
        home.run("post", "y" * 30000)
    backup = tmp_path / "backup.db"
    home.run("backup", str(backup))
    small = tmp_path / "small"
    small.mkdir(mode=0o700)
    script = ('mount -t tmpfs -o size=600k,mode=700 none "$1" && small=$1 && shift && "$@"; first=$?; '
              'mount -o remount,size=16m "$small" && "$@"; echo "$first $?"')
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "-", str(small), str(ALOUDD), "restore", "--phrase-in",
         str(home.words()), "--home", str(small), "--backup", str(backup)],
        capture_output=True, text=True, timeout=60)
    assert "the disk is full" in done.stderr, done
    assert done.stdout.split()[-2:] == ["74", "0"], done
