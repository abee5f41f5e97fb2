"""A second implementation, written from docs/protocol.md alone, reads what a real node gives."""

import json
import pathlib
import subprocess
import sys
import time

import pytest

import peer
from conftest import ALOUDD, PATIENCE, eventually
from test_network import befriend, start

READER = pathlib.Path(__file__).resolve().parents[1] / "reader" / "reader.py"
sys.path.insert(0, str(READER.parent))
import reader  # noqa: E402
from record import ALL, Record  # noqa: E402
from rules_base import Refused  # noqa: E402


def read(ticket, *options, status=0):
    """What it prints, as rows; what it says, as text."""
    process = subprocess.run(["/usr/bin/python3", READER, "--json", *options, ticket],
                             capture_output=True, text=True, timeout=3 * PATIENCE)
    assert process.returncode == status, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()], process.stderr


@pytest.fixture
def ana(new_node):
    return start(new_node("ana"))


def notes(rows):
    return [row["text"] for row in rows if row["kind"] == "note"]


def test_it_joins_by_an_invite_and_reads_a_log_of_several_blocks(ana):
    api = ana.api()
    texts = [f"entry {i}" for i in range(200)]
    api.write("post_many", entries=[{"k": "note", "text": t} for t in texts], to="network")
    rows, said = read(api.write("invite")["ticket"])
    assert sorted(notes(rows)) == sorted(texts)
    assert rows[0]["kind"] == "profile" and rows[0]["text"] == "ana"
    assert len({row["log"] for row in rows}) == 1
    assert [row["seq"] for row in sorted(rows, key=lambda r: r["seq"])] == list(
        range(1, len(rows) + 1))
    assert f"{len(rows)} entries in 1 logs" in said


def test_what_is_sealed_and_what_is_gone_is_told_as_such(ana):
    api = ana.api()
    api.post("for my own eyes", to="me")
    gone = api.post("I should not have posted that")["ref"]
    api.write("post", entry={"k": "retract", "of": gone}, to="network")
    rows, _ = read(api.write("invite")["ticket"])
    assert "sealed" in [row["kind"] for row in rows]
    assert notes(rows) == []
    open_ones = [row for row in rows if row["kind"] != "sealed"]  # also choices of her own
    # of two in one millisecond either may come first
    assert sorted(row["kind"] for row in open_ones) == ["gone", "profile", "retract"]


def test_a_payload_too_large_to_be_inline_is_asked_for(ana):
    api = ana.api()
    texts = [str(i) * 30000 for i in range(10)]  # more than the 192 KiB of a segment
    api.write("post_many", entries=[{"k": "note", "text": t} for t in texts], to="network")
    rows, _ = read(api.write("invite")["ticket"])
    assert sorted(notes(rows)) == texts


def test_it_reads_what_another_one_wrote_from_a_node_that_carries_it(new_node):
    ana, kai = start(new_node("ana")), start(new_node("kai"))
    befriend(ana, kai)
    kai.api().post("from kai, by way of ana")
    status = kai.api().call("status")
    arrived = {"query": "\"by way of ana\""}
    eventually(lambda: ana.api().call("search", **arrived)["rows"], "the exchange")
    kai.stop()
    rows, _ = read(ana.api().write("invite")["ticket"], "--person",
                   reader.id_text(status["identity"]))
    assert notes(rows) == ["from kai, by way of ana"]


def test_what_is_pushed_while_it_listens_is_verified_too(ana):
    api = ana.api()
    ticket = api.write("invite")["ticket"]
    process = subprocess.Popen(["/usr/bin/python3", READER, "--json", "--expect", "3", ticket],
                               stdout=subprocess.PIPE, text=True)
    eventually(lambda: api.call("status")["peers"] == 1, "the reader's connection")
    api.post("while it listens")
    api.post("and another")
    out, _ = process.communicate(timeout=3 * PATIENCE)
    assert process.returncode == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert notes(rows) == ["while it listens", "and another"]


def test_an_invite_that_was_mistyped_leads_nowhere(ana):
    ticket = ana.api().write("invite")["ticket"]
    typed = ticket[:40] + ("a" if ticket[40] != "a" else "b") + ticket[41:]
    assert "ticket" in read(typed, status=1)[1]


def test_an_invite_that_somebody_else_used_admits_nobody(ana):
    ticket = ana.api().write("invite")["ticket"]
    read(ticket)
    assert "closed" in read(ticket, status=1)[1]  # each visit is an identity of its own


# --- what does not verify ------------------------------------------------------------------------


def written(count):
    """A log of |count| notes, and an empty one of the same name on the reader's side."""
    eve = peer.Person()
    log = peer.Log(eve)
    for i in range(count):
        log.add(f"note {i}")
    return log, reader.Log(eve.root.public, eve.device.public, log.name)


def refused(log, segment):
    with pytest.raises(Refused) as why:
        log.take(segment)
    return why.value.args[0]


def test_a_log_is_read_block_by_block_from_its_end():
    log, mine = written(130)
    for first, last in ((129, 130), (65, 128), (1, 64)):
        assert mine.take(log.segment(first, last)) == last
    assert mine.lacks(130) == 0
    assert [mine.ids[n] for n in range(1, 131)] == log.ids[1:]


def test_what_does_not_lead_down_to_the_block_below_is_refused():
    log, mine = written(70)
    other, _ = written(70)
    mine.take(log.segment(65, 70))
    forged = log.segment(1, 64)
    forged[4] = other.segment(1, 64)[4]
    assert refused(mine, forged) == "signature"
    assert refused(written(5)[1], log.segment(65, 70)) == "unexpected"  # another log


def test_a_chain_that_begins_nowhere_or_is_another_persons_is_refused():
    log, mine = written(3)
    segment = log.segment(1, 3)
    stranger = reader.Log(peer.Key().public, mine.device, mine.name)
    assert refused(stranger, segment) == "prev"
    two, held = written(66)
    held.take(two.segment(65, 66))
    again = peer.Log(two.person)  # the same name, signed as well, and not what 65 follows
    again.name, again.ids[0] = two.name, two.ids[0]
    for i in range(64):
        again.add(f"another {i}")
    assert refused(held, again.segment(1, 64)) == "prev"


def test_a_signature_of_another_device_is_refused():
    log, mine = written(3)
    segment = log.segment(1, 3, signature=peer.Key().sign("aloud1-sig-entry", log.ids[3]))
    assert refused(mine, segment) == "signature"


def test_without_a_signature_only_what_the_root_named_is_taken():
    log, mine = written(3)
    bare = log.segment(1, 3, signature=bytes(64))
    assert refused(mine, bare) == "signature"
    mine.cut = (3, log.ids[2])
    assert refused(mine, bare) == "signature"
    mine.cut = (2, log.ids[3])
    assert refused(mine, bare) == "signature"
    mine.cut = (3, log.ids[3])
    assert mine.take(bare) == 3


def test_a_payload_that_is_not_the_one_of_its_stub_is_refused():
    log, mine = written(1)
    segment = log.segment(1, 1)
    payload = segment[4][0][1]
    segment[4][0][1] = [len(payload), peer.blake("aloud1-payload", payload), 0]
    mine.take(segment)
    assert mine.missing() == [1]
    with pytest.raises(Refused):
        mine.take_payload(1, payload[:-1] + b"!")
    mine.take_payload(1, payload)
    assert mine.missing() == []


def revocation(person, cuts):
    body = peer.enc([1, 2, person.root.public, person.device.public, sorted(cuts)])
    return [body, person.root.sign("aloud1-sig-root", peer.blake("aloud1-stmt", body)), b""]


def test_a_device_counts_as_far_as_all_its_revocations_say():
    log, mine = written(10)
    eve = log.person
    mine.take(log.segment(1, 10))
    record = Record(eve.root.public)
    counts = lambda: record.counts_to(mine.device, mine.name, mine.ids)
    assert counts() == 0
    record.take(eve.cert)
    assert counts() == ALL
    record.take(revocation(eve, [[log.name, 8, log.ids[8]]]))
    assert counts() == 8
    record.take(revocation(eve, [[log.name, 5, log.ids[5]], [b"another.", 1, bytes(32)]]))
    assert counts() == 5
    record.take(revocation(eve, [[b"another.", 1, bytes(32)]]))
    assert counts() == 0


def test_a_cut_at_an_entry_that_is_not_the_one_held_lets_nothing_count():
    log, mine = written(4)
    mine.take(log.segment(1, 4))
    record = Record(log.person.root.public)
    record.take(log.person.cert)
    record.take(revocation(log.person, [[log.name, 3, log.ids[2]]]))
    assert record.counts_to(mine.device, mine.name, mine.ids) == 0


# --- two devices, and what the root says of one --------------------------------------------------


def second_device(new_node, first, ticket):
    """Another machine of the same person, made with the words and a peer."""
    second = new_node("second", init=False)
    words = first.home.parent / f"{first.home.name}.words"
    subprocess.run([ALOUDD, "restore", "--home", second.home, "--from", ticket, "--phrase-in",
                    words, "--device", "second", "--yes"], check=True, timeout=3 * PATIENCE)
    return start(second), words.read_text()


def test_of_a_revoked_device_only_what_the_root_named_is_printed(new_node, ana):
    api = ana.api()
    api.post("from the first device")
    laptop, words = second_device(new_node, ana, api.write("invite")["ticket"])
    device = laptop.api().call("status")["device"]
    held = lambda text: api.call("search", query=f'"{text}"')["rows"]
    laptop.api().post("before it was stolen")
    eventually(lambda: held("before it was stolen"), "the exchange")
    since = held("before it was stolen")[0]["arrived"] + 1
    eventually(lambda: time.time() * 1000 > since, "the next millisecond")
    laptop.api().post("after it was stolen")
    eventually(lambda: held("after it was stolen"), "the exchange")

    rows, _ = read(api.write("invite")["ticket"])
    assert len({row["device"] for row in rows}) == 2
    assert notes(rows)[-2:] == ["before it was stolen", "after it was stolen"]
    api.write("device_revoke", words=words, device=device, since=since)
    rows, _ = read(api.write("invite")["ticket"])
    assert notes(rows) == ["from the first device", "before it was stolen"]
    assert len({row["device"] for row in rows}) == 2
