"""Where secrets are, and where they are not: on the wire, in files of others, beside the key files.

Each test writes words or knows keys that stand nowhere else, and looks for their bytes everywhere.
"""

import base64
import contextlib
import hashlib
import os
import pathlib
import re
import sqlite3
import threading

import pytest
from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError

import peer
from conftest import eventually
from noise import blake
from peer import Person, dec, enc, interests, open_segment, read_ticket
from test_change import aloud, calls, canary, follow
from test_device import devices, steady
from test_hostile import INSTRUMENTED
from test_network import befriend, start

WORDLIST = pathlib.Path(__file__).parents[2] / "lib" / "keys" / "wordlist.c"


def contents(path):
    """Every file below |path|, or itself, with its bytes; those that vanish meanwhile are gone."""
    for file in [path, *path.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            if file.is_file():
                yield file, file.read_bytes()


def id_text(identity):
    """An identity as people read it, without the check of its end."""
    text = base64.b32encode(identity).decode().rstrip("=").lower()
    return text.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz234567",
                                        "0123456789abcdefghjkmnpqrstvwxyz"))


# --- what outsiders get ----------------------------------------------------------------------------


class Listener:
    """An admitted peer that wants all there is, asks for more, and keeps what it is sent."""

    def __init__(self, ticket, port, people):
        self.messages = []
        self.asked = {}
        self.req = 0
        self.person = Person()
        self.people = people
        self.ticket, self.port = ticket, port

    def start(self):
        self.channel = self.person.meet(self.ticket, self.port)
        self.channel.sock.settimeout(None)
        self.channel.send(enc([peer.OWN_HEADS, []]))
        self.channel.send(enc(interests(b"", self.people)))
        self.channel.send(enc([peer.RECONCILE, 0, 0, False, [[b"", 2, []]]]))
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def ask(self, kind, *what):
        self.req += 1
        self.channel.send(enc([kind, self.req, *what]))

    def want(self, device, log, seq):
        """All of a log, or what came since."""
        first = self.asked.get(device, 0) + 1
        if any(device) and first <= seq:  # a log that fits one block
            self.ask(peer.WANT, device, log, first, seq)
            self.asked[device] = seq

    def listen(self):
        with contextlib.suppress(ConnectionError, OSError):
            while True:
                data = self.channel.receive()
                message = dec(data)
                self.messages.append((message, data))
                self.react(message)

    def react(self, message):
        if message[0] == peer.PING:
            self.channel.send(enc([peer.PONG, message[1]]))
        if message[0] == peer.RECONCILE:
            for item in [item for told in message[4] for items in told[2:] for item in items]:
                self.want(*item[1:4])
            self.ask(peer.WANT_STATEMENTS, sorted(self.people))
        if message[0] == peer.HEADS:
            for head in message[1]:
                self.want(*head[:3])
        if message[0] == peer.SEGMENT:
            device, log, first, _, items, _ = segment = message[2]
            if all(isinstance(item[1], bytes) for item in items):
                for i, name in enumerate(open_segment(segment)[1:]):
                    self.ask(peer.FETCH, [device, log, first + i, name])
                    self.ask(peer.REPLIES, [device, log, first + i, name])

    def of(self, *kinds):
        return [data for message, data in list(self.messages) if message[0] in kinds]

    def got(self, kind, what):
        return any(what in data for data in self.of(kind))

    def stop(self):
        self.channel.sock.shutdown(2)
        self.thread.join(20)
        self.channel.close()


def with_file(node, text, name, data, **where):
    file = calls(node).write("file_new", size=len(data), name=name, mime="text/plain")["file"]
    pieces = [data[i:i + 65536] for i in range(0, len(data), 65536)]
    calls(node).call("file_put", file=file, index=0, data=pieces)
    entry = {"k": "note", "text": text, "files": [file]}
    return calls(node).write("post", entry=entry, **where)["ref"]


def piece_hashes(node):
    with contextlib.closing(sqlite3.connect(f"file:{node.home}/log.db?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute("SELECT hash FROM piece")]


def test_outsiders_are_sent_nothing_of_what_is_sealed(new_node):
    ana, ben, noor = (start(new_node(name)) for name in ("ana", "ben", "noor"))
    befriend(ana, ben)
    befriend(ana, noor)
    ids = [calls(node).call("status")["identity"] for node in (ana, ben)]
    for who in ("ben", "noor"):
        eventually(lambda: calls(ana).call("person", who=who)["people"], "the profile")
    words = {what: canary() for what in (
        "me", "circle", "edit", "answer", "tag", "name", "petname", "held", "file for me",
        "file for the circle", "file name")}
    team = words["name"]

    def write_all(n):
        """One of each that is sealed."""
        calls(ana).post(f"{words['me']} {n}", to="me", tags=[words["tag"]])
        circle = calls(ana).call("circles")["circles"][0]
        circle = {"circle": circle["circle"], "owner": circle["owner"]}
        entry = {"k": "note", "text": f"{words['circle']} {n}"}
        ref = calls(ana).write("post", entry=entry, to="circle", **circle)["ref"]
        aloud(ana, "edit", id_text(ref[3])[:16], f"{words['edit']} {n}")
        for to, what, where in (("me", "file for me", {}), ("circle", "file for the circle", circle)):
            word = words[what].encode()
            data = word + os.urandom(70000) + word
            with_file(ana, words[to], words["file name"], data, to=to, **where)
        calls(ana).write("post", entry={"k": "note", "text": words["held"]}, to="network", hold=3600)

    aloud(ana, "circle", "new", team, "ben")
    aloud(ana, "follow", "noor", "--as", words["petname"])
    eventually(lambda: any(c["name"] for c in calls(ben).call("circles")["circles"]), "the circle")
    write_all(1)
    listeners = []
    for node in (ana, ben):
        ticket = calls(node).write("invite")["ticket"]
        listeners.append(Listener(ticket, node.port, ids).start())
    write_all(2)
    aloud(ben, "post", "--to", f"circle:{team}", words["answer"])
    calls(ana).post("the last and open one")

    # They have carried all of it, and have asked for each piece by a hash that only members know.
    heard = lambda l: l.got(peer.SEGMENT, b"the last and open one")
    for listener in listeners:
        eventually(lambda: heard(listener), "the last entry")
        eventually(lambda: listener.of(peer.EXCERPT), "an excerpt")
    hashes = piece_hashes(ana)
    assert len(hashes) == 8
    for one in hashes:
        listeners[0].ask(peer.PIECE_WANT, one)
    eventually(lambda: len(listeners[0].of(peer.PIECE)) == 8, "the sealed pieces")
    entries = calls(ana).call("status")["own_entries"]
    eventually(lambda: calls(noor).call("status")["entries"] >= entries + 1, "all of it at noor's")
    for listener in listeners:
        listener.stop()

    for word in words.values():
        for listener in listeners:
            assert not [m for m, data in listener.messages if word.encode() in data]
    # Who a member is stands in no entry and no piece; that ana follows him is what her peers know.
    told = (peer.INTERESTS, peer.RECONCILE, peer.STATEMENTS, peer.EXCERPT, peer.HELLO)
    for message, data in listeners[0].messages:
        assert ids[1] not in data or message[0] in told
    for data in listeners[0].of(peer.EXCERPT):
        assert ids[1] not in enc(dec(data)[3])
    # What is in the files of those who can read it is in none of noor's.
    texts = {node: b"".join(data for _, data in contents(node.home)) for node in (ana, ben)}
    kept = [word for what, word in words.items() if what not in ("file for me", "file for the circle")]
    assert all(word.encode() in texts[ana] for word in kept)
    assert words["answer"].encode() in texts[ben] and ids[1] in texts[ana]
    assert id_text(ids[1])[:24] in aloud(ana, "people", "--json")
    noor.stop()
    for path in (noor.home, pathlib.Path(f"{noor.home}.log")):
        for file, data in contents(path):
            assert not [word for word in words.values() if word.encode() in data], file
            assert ids[1] not in data and id_text(ids[1])[:24].encode() not in data, file


# --- keys ------------------------------------------------------------------------------------------


def derive(words):
    """The secrets of a phrase, by name."""
    known = re.findall(r'"([a-z]+)"', WORDLIST.read_text())
    bits = "".join(f"{known.index(word):011b}" for word in words.split())
    e = int(bits[:256], 2).to_bytes(32, "big")
    assert hashlib.sha256(e).digest()[0] == int(bits[256:], 2)
    found = {"entropy": e, "root seed": blake("aloud1-root", b"", e)}
    key = blake("aloud1-read", b"", e)
    for g in range(64, 0, -1):
        found[f"read_sk {g}"] = key
        found[f"me_key {g}"] = blake("aloud1-me", b"", key)
        key = blake("aloud1-read", b"", key)
    return found


def key_file(home):
    """Seed, generation and reading key of the device there."""
    _, _, seed, generation, read_sk = dec((home.path / "keys" / "device").read_bytes())
    return seed, generation, read_sk


def epoch_boxes(home):
    """The boxes of each epoch of a circle that is in the log there, by its number."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{home.path}/log.db?mode=ro", uri=True)) as db:
        for (payload,) in db.execute("SELECT payload FROM entry WHERE payload IS NOT NULL"):
            value = dec(payload)
            if isinstance(value, dict) and value["k"] == "circle":
                found[value["n"]] = value["boxes"]
    return found


def unbox(boxes, read_sk):
    """The epoch key that one of the boxes holds for whoever has this reading key, or None."""
    for box in boxes:
        with contextlib.suppress(CryptoError):
            return crypto_box_seal_open(box, crypto_scalarmult_base(read_sk), read_sk)[:32]
    return None


class Spy:
    """Looks at the arguments and the environment of every process that runs in |path|."""

    def __init__(self, path):
        self.path = str(path).encode()
        self.seen = set()
        self.over = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def look(self):
        while not self.over.wait(0.005):
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    arguments = (process / "cmdline").read_bytes()
                    if self.path in arguments:
                        self.seen.update((arguments, (process / "environ").read_bytes()))


def test_secrets_stand_in_the_key_files_only(new_home, tmp_path):
    kai, ana, phone = steady(new_home("kai")), new_home("ana"), new_home("phone", init=False)
    phrase = ana.words().read_text().strip()
    said = []
    with Spy(tmp_path) as spy:
        def run(home, *words):
            process = home.start(*words)
            said.extend(process.communicate(timeout=60))
            assert process.returncode == 0, (words, said[-1])

        run(ana, "join", kai.ticket())
        eventually(lambda: "kai" in ana.run("people"), "kai's profile")
        run(ana, "circle", "new", "team", "kai")
        run(ana, "post", "--to", "circle:team", "among us")
        run(phone, "restore", "--phrase-in", ana.words(), "--from", kai.ticket(), "--device", "phone")
        eventually(lambda: "phone" in devices(ana), "the laptop hearing of the phone")
        seeds = {"seed of the phone": key_file(phone)[0]}
        run(ana, "device", "rekey", "--phrase-in", ana.words())
        terminal = ana.at_terminal("device", "revoke", "phone")
        terminal.expect("[y/N] ")
        terminal.type("y")
        terminal.expect("word 1 and on: ")
        for program in (b"aloudd", b"revoke"):
            eventually(lambda: any(program in a for a in list(spy.seen)), "a look at both programs")
        terminal.type(phrase)
        assert terminal.end() == 0
        run(ana, "post", "--to", "me", "with the third key")
        epoch = lambda: ana.rows("circle", "ls", "--json=epoch")[0]["epoch"]
        eventually(lambda: epoch() >= 2, "an epoch for the new reading key", patience=60)
        run(ana, "backup", tmp_path / "backup.db")
        seeds |= {f"seed of {h.path.name}": key_file(h)[0] for h in (ana, kai)}
        run(ana, "doctor")
        secrets = derive(phrase) | seeds
        for name, seed in seeds.items():
            secrets[f"noise key, {name}"] = hashlib.sha512(seed).digest()[:32]
        boxes = epoch_boxes(ana)
        assert len(boxes) >= 2
        generation = max(g for g in range(1, 65) if unbox(boxes[max(boxes)], secrets[f"read_sk {g}"]))
        assert generation >= 2
        for n, of_epoch in boxes.items():
            keys = [unbox(of_epoch, secrets[f"read_sk {g}"]) for g in range(1, 4)]
            secrets[f"key of epoch {n}"] = next(key for key in keys if key)

    words = phrase.split()
    parts = [" ".join(words[i:i + 4]).encode() for i in range(21)]
    forms = [(name, form) for name, key in secrets.items()
             for form in (key, key.hex().encode(), base64.b64encode(key)[:42])]

    def found(data):
        return [name for name, form in forms if form in data] + [p for p in parts if p in data]

    for arguments in spy.seen:
        assert not found(arguments)
    assert not found("".join(said).encode())
    # Running and at rest; the key file of a device has its seed and the key it was made with.
    for stopped in (False, True):
        for home in (ana, kai, phone):
            if stopped:
                home.run("node", "stop")
            for file, data in contents(home.path):
                allowed = []
                if file == home.path / "keys" / "device":
                    seed, g, read_sk = key_file(home)
                    allowed = [name for name, key in secrets.items() if key in (seed, read_sk)]
                    assert allowed and g <= 3
                assert found(data) == allowed, file
    assert not found((tmp_path / "backup.db").read_bytes())


def memory_of(pid):
    """All that the process has written in its memory; None where one may not look."""
    found = []
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
            for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
                span, rights, *_ = line.split()
                if rights.startswith("rw"):
                    start, end = (int(x, 16) for x in span.split("-"))
                    with contextlib.suppress(OSError):  # pages of the kernel
                        mem.seek(start)
                        found.append(mem.read(end - start))
    except PermissionError:
        return None
    return found


@pytest.mark.skipif(INSTRUMENTED, reason="the tools of sanitizers keep copies")
def test_the_words_are_wiped_from_memory_when_they_were_used(new_home):
    kai, ana, phone = steady(new_home("kai")), new_home("ana"), new_home("phone", init=False)
    ana.run("join", kai.ticket())
    phone.run("restore", "--phrase-in", ana.words(), "--from", kai.ticket(), "--device", "phone")
    eventually(lambda: "phone" in devices(ana), "the laptop hearing of the phone")
    ana.run("device", "rekey", "--phrase-in", ana.words())
    ana.run("device", "revoke", "phone", "--yes", "--phrase-in", ana.words())
    memory = memory_of(ana.pid())
    if memory is None:
        pytest.skip("may not look into the memory of others")
    seed = key_file(ana)[0]
    assert any(seed in part for part in memory)  # what it needs to sign is there
    secrets = derive(ana.words().read_text().strip())
    words = ana.words().read_text().split()
    wiped = {" ".join(words[i:i + 4]): " ".join(words[i:i + 4]).encode() for i in range(21)}
    wiped |= {name: secrets[name] for name in ("entropy", "root seed", "read_sk 64", "read_sk 5")}
    assert not [name for name, form in wiped.items() if any(form in part for part in memory)]


# --- a device of a member --------------------------------------------------------------------------


def test_a_revoked_device_of_a_member_reads_nothing_new(new_home):
    ana, ben, phone = steady(new_home("ana")), new_home("ben"), new_home("phone", init=False)
    ben.run("join", ana.ticket())
    eventually(lambda: "ben" in ana.run("people"), "ben's profile")
    ana.run("circle", "new", "team", "ben")
    ana.run("post", "--to", "circle:team", "when all was well")
    phone.run("restore", "--phrase-in", str(ben.words()), "--from", ana.ticket(), "--device", "phone")
    for home in (ben, phone):
        eventually(lambda: "when all was well" in home.texts(), home.path.name)
    eventually(lambda: "phone" in devices(ben), "the laptop hearing of the phone")
    thief = key_file(phone)[2]
    ben.run("device", "revoke", "phone", "--yes", "--phrase-in", str(ben.words()))

    epoch = lambda home: home.rows("circle", "ls", "--json=epoch")[0]["epoch"]
    eventually(lambda: epoch(ana) == 2, "an epoch that ana's node opens by itself", patience=60)
    eventually(lambda: epoch(ben) == 2, "the epoch at ben's")
    word = canary()
    ana.run("post", "--to", "circle:team", f"{word} after the theft")
    ben.run("post", "--to", "circle:team", f"{word} from ben")
    for home in (ana, ben):
        eventually(lambda: {f"{word} after the theft", f"{word} from ben"} <= set(home.texts()),
                   home.path.name)
    assert not [file for file, data in contents(phone.path) if word.encode() in data]
    # And if somebody carried it all to the thief: the old epoch opens, and the new one does not.
    boxes = epoch_boxes(ana)
    assert sorted(boxes) == [1, 2]
    assert unbox(boxes[1], thief) and not unbox(boxes[2], thief)
    assert "can read" not in " ".join(str(row) for row in ana.rows("circle", "ls"))
