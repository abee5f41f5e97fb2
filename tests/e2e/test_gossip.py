"""What goes between nodes beside the logs that both carry: holds, clones, single entries."""

import os

import pytest

import peer
from conftest import Node, eventually
from peer import Log, Person, dec, enc, interests, read_ticket, until
from test_hostile import ended, follow, meet
from test_network import befriend, start


@pytest.fixture(name="ana")
def one_node(tmp_path):
    node = start(Node(tmp_path / "ana").init("ana"))
    node.calls = node.api()
    node.ticket = node.calls.write("invite", uses=1000)["ticket"]
    yield node
    node.finish()


def restart(node):
    node.stop()
    start(node)
    node.calls = node.api()
    eventually(lambda: node.calls.call("status")["listening"], "the open port")


def say_hello(channel, ana, person):
    """Of a session that was met: want what ana writes."""
    host = read_ticket(ana.ticket)[1]
    channel.send(enc([peer.OWN_HEADS, []]))
    channel.send(enc(interests(b"", [host, person.root.public])))
    channel.send(enc([peer.RECONCILE, 0, 0, False, [[b"", 2, []]]]))


def told_head(channel, ana):
    """The log of ana that she tells in answer, as (device, log, seq, tag)."""
    host = read_ticket(ana.ticket)[1]
    while True:
        told = until(channel, peer.RECONCILE)[4]
        for item in (item for r in told if r[1] in (2, 3) for item in r[2]):
            if item[0] == host and any(item[1]):
                return item[1:]


# --- the own log after a start ------------------------------------------------------------------


def test_a_liar_delays_own_entries_by_seconds_and_uses_up_no_logs(ana):
    eve = Person()
    follow(ana, eve)
    with meet(ana, eve) as channel:
        say_hello(channel, ana, eve)
        device, log, seq, tag = told_head(channel, ana)
        channel.send(enc([peer.WANT, 7, device, log, 1, seq]))
        ids = peer.open_segment(until(channel, peer.SEGMENT)[2])
        assert ids[-1][:16] == tag
        channel.send(enc([peer.OWN_HEADS, [[device, log, seq, ids[-1]]]]))
        eventually(lambda: ana.calls.call("status")["alone"] == 0, "the acknowledgement")
        ana.calls.post("saves it")
    restart(ana)
    logs = ana.calls.call("status")["logs"]
    lies = sorted([device, log if i == 0 else os.urandom(8), seq + 1000, os.urandom(32)]
                  for i in range(40))
    with meet(ana, eve) as channel:
        say_hello(channel, ana, eve)
        channel.send(enc([peer.OWN_HEADS, lies]))
        ana.calls.post("all the same")
        written = [r for r in ana.calls.call("timeline", limit=5)["rows"]
                   if r["text"] == "all the same"]
        assert written and written[0]["ref"][:2] == [device, log]
        head = written[0]["ref"][2]

        def offered():
            channel.send(enc([peer.WANT, 9, device, log, (head - 1) // 64 * 64 + 1, head]))
            while True:
                message = dec(channel.receive())
                if message[0] == peer.WANT:
                    channel.send(enc([peer.DONE, message[1], 1]))
                if message[0] == peer.PING:
                    channel.send(enc([peer.PONG, message[1]]))
                if message[0] == peer.SEGMENT and message[1] == 9:
                    return message[2][2] + len(message[2][4]) > head
                if message[0] == peer.DONE and message[1] == 9:
                    return False

        eventually(offered, "the entry, after the hold")
    assert ana.calls.call("status")["logs"] == logs


# --- two machines with one key --------------------------------------------------------------------


def test_two_machines_with_one_key_are_told_of_each_other(ana):
    eve = Person()
    follow(ana, eve)
    with meet(ana, eve) as first:
        until(first, peer.INTERESTS)
        boot = eve.boot
        eve.boot = os.urandom(8)
        with eve.dial(ana.ticket, ana.port).shake_hands() as second:
            second.send(enc(eve.hello(ana.ticket)))
            notice = until(first, peer.CLONE)  # after the ping that this answers
            assert notice[1:] == [eve.boot, peer.boot_signature(eve.device, eve.boot), False]
            assert dec(second.receive())[0] == peer.HELLO
            assert until(second, peer.CLONE)[1:] == [boot, peer.boot_signature(eve.device, boot),
                                                     True]
            assert ended(second) == "clone"
        first.send(enc([peer.PING, 5]))
        assert until(first, peer.PONG)[1] == 5


def test_a_machine_that_came_back_is_not_taken_for_another(ana):
    eve = Person()
    follow(ana, eve)
    with meet(ana, eve) as first:
        until(first, peer.INTERESTS)
        eve.boot = os.urandom(8)
        with eve.dial(ana.ticket, ana.port).shake_hands() as second:  # the first never answers
            second.send(enc(eve.hello(ana.ticket)))
            assert dec(second.receive())[0] == peer.HELLO
            assert until(second, peer.INTERESTS)
            assert ended(first) == "duplicate"


def test_the_own_boot_shown_again_changes_nothing(ana):
    eve = Person()
    follow(ana, eve)
    channel = eve.dial(ana.ticket, ana.port).shake_hands()
    channel.send(enc(eve.hello(ana.ticket)))
    hello = dec(channel.receive())
    channel.close()
    restart(ana)
    with meet(ana, eve) as channel:
        channel.send(enc([peer.CLONE, hello[6], hello[7], True]))
        channel.send(enc([peer.PING, 5]))
        assert until(channel, peer.PONG)[1] == 5
    with meet(ana, eve) as channel:
        channel.send(enc([peer.CLONE, os.urandom(8), hello[7], True]))
        assert ended(channel) == "signature"


# --- entries one by one -------------------------------------------------------------------------


def test_a_parent_by_somebody_unknown_is_fetched_from_who_holds_it(tmp_path):
    ana, ben, kai = (start(Node(tmp_path / name).init(name)) for name in ("ana", "ben", "kai"))
    try:
        befriend(ana, ben)
        befriend(ben, kai)
        calls = {node: node.api() for node in (ana, ben, kai)}
        calls[kai].post("who has used this?")
        eventually(lambda: "who has used this?" in
                   [r["text"] for r in calls[ben].call("timeline", limit=9)["rows"]], "the question")
        asked = next(r for r in calls[ben].call("timeline", limit=9)["rows"]
                     if r["text"] == "who has used this?")
        calls[ben].write("post", entry={"k": "reply", "re": asked["ref"], "text": "I have"})
        eventually(lambda: "I have" in
                   [r["text"] for r in calls[ana].call("timeline", limit=9)["rows"]], "the reply")
        answer = calls[ana].call("fetch", ref=asked["ref"], timeout=20000)
        assert answer["found"] and answer["asked"] == 1
        shown = lambda: calls[ana].call("show", id=asked["id"])["row"]["text"]
        eventually(lambda: shown() == "who has used this?", "the parent")
        assert calls[ana].call("fetch", ref=asked["ref"]) == {"found": True, "asked": 0}
        lost = asked["ref"][:3] + [os.urandom(32)]
        assert not calls[ana].call("fetch", ref=lost, timeout=20000)["found"]
        assert calls[kai].call("replies", ref=asked["ref"], timeout=20000)["asked"] == 1
    finally:
        for node in (ana, ben, kai):
            node.finish()


def test_an_excerpt_that_is_not_what_was_asked_for_ends_the_connection(ana):
    eve, unknown = Person(), Person()
    follow(ana, eve)
    log = Log(unknown).add("one").add("two")
    with meet(ana, eve) as channel:
        until(channel, peer.INTERESTS)
        api = ana.api()
        call = api.send("fetch", ref=log.ref(1), timeout=20000)
        req, ref = until(channel, peer.FETCH)[1:]
        assert ref == log.ref(1)
        channel.send(enc([peer.EXCERPT, req, [unknown.cert], log.segment(2, 2)]))
        assert ended(channel) == "unexpected"
        assert not api.answer(call)["found"]
