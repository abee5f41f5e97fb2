"""A peer and a client that do their worst: the node ends them, and goes on serving the others.

Whatever a test does to ana, kai gets her next post, and she has grown by less than 64 MiB.
"""

import os
import pathlib
import socket
import threading
import time

import msgpack
import pytest

import peer
from conftest import ALOUDD, Node, eventually
from peer import Log, Person, dec, enc, interests, read_ticket, until
from test_network import befriend, start

GROWTH_MAX = 64 << 20
INSTRUMENTED = any(s in ALOUDD.read_bytes() for s in (b"__tsan_init", b"__asan_init"))
SEQ_MAX = (1 << 48) - 2


def memory(node, what):
    for line in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise AssertionError(what)


@pytest.fixture(scope="module", name="nodes")
def two_nodes(tmp_path_factory):
    """ana and kai, who know each other, and an invite of ana's for anybody."""
    path = tmp_path_factory.mktemp("hostile")
    ana, kai = (start(Node(path / name).init(name)) for name in ("ana", "kai"))
    befriend(ana, kai)
    for node in (ana, kai):
        node.calls = node.api()
    ana.calls.post("something to serve")
    ana.ticket = ana.calls.write("invite", uses=1000)["ticket"]
    ana.idle = memory(ana, "VmRSS")
    yield ana, kai
    for node in (ana, kai):
        node.finish()


@pytest.fixture(name="ana")
def unimpressed(nodes):
    ana, kai = nodes
    yield ana
    text = f"unimpressed {os.urandom(8).hex()}"
    ana.calls.post(text)
    newest = lambda: [row["text"] for row in kai.calls.call("timeline", limit=5)["rows"]]
    eventually(lambda: text in newest(), "the post at the honest peer")
    if not INSTRUMENTED:
        assert memory(ana, "VmHWM") - ana.idle < GROWTH_MAX


def ended(channel):
    """Read to the end of the connection; the reason of the goodbye, if there was one."""
    reason = None
    try:
        while True:
            message = dec(channel.receive())
            if message[0] == peer.GOODBYE:
                reason = message[1]
    except (ConnectionError, TimeoutError) as error:
        assert not isinstance(error, TimeoutError), "the connection is still open"
    return reason


def meet(ana, person=None):
    return (person or Person()).meet(ana.ticket, ana.port)


def follow(ana, person):
    ana.calls.write("relate", identity=person.root.public, relation="follow", value=True)


def texts(node):
    return [row["text"] for row in node.calls.call("timeline", limit=50)["rows"]]


# --- what the document says is true ----------------------------------------------------------------


def test_a_peer_made_from_the_document_gets_and_gives_entries(ana):
    eve = Person()
    follow(ana, eve)
    host = read_ticket(ana.ticket)[1]
    log = Log(eve).add("written by hand")
    with meet(ana, eve) as channel:
        wanted = until(channel, peer.INTERESTS)
        assert {host, eve.root.public} <= set(wanted[3])
        channel.send(enc([peer.OWN_HEADS, []]))
        channel.send(enc(interests(b"", [host, eve.root.public])))
        channel.send(enc([peer.RECONCILE, 0, 0, False, [[b"", 2, []]]]))
        told = until(channel, peer.RECONCILE)[4]
        items = [item for r in told for item in r[2] if item[0] == host and item[3] > 0]
        device, name, seq, tag = next(item[1:] for item in items if any(item[1]))
        first = (seq - 1) // peer.BLOCK * peer.BLOCK + 1
        channel.send(enc([peer.WANT, 7, device, name, first, seq]))
        message = until(channel, peer.SEGMENT)
        assert message[1] == 7 and peer.open_segment(message[2])[-1][:16] == tag
        assert until(channel, peer.DONE)[1:] == [7, 0]

        # The other way: eve's log from its first entry on, which ana takes because she follows.
        channel.send(enc([peer.SEGMENT, 0, log.segment(1, 1)]))
        eventually(lambda: "written by hand" in texts(ana), "the entry")
        acknowledged = until(channel, peer.OWN_HEADS)
        assert acknowledged[1] == [log.ref(1)]


# --- the handshake ---------------------------------------------------------------------------------


def test_a_certificate_for_another_device_is_refused(ana):
    eve, other = Person(), Person()
    for cert in (other.cert, peer.certificate(eve.root, other.device),
                 peer.certificate(other.root, eve.device)[:2] + [eve.cert[2]]):
        with eve.dial(ana.ticket, ana.port).shake_hands() as channel:
            channel.send(enc(eve.hello(ana.ticket, cert=cert)))
            assert ended(channel) is None  # not admitted: not a word


def test_a_repeated_first_message_meets_silence(ana):
    with Person().dial(ana.ticket, ana.port) as channel:
        first = channel.first()
        channel.sock.sendall(first)
        assert len(channel.unit()) == 48
    with socket.create_connection(("127.0.0.1", ana.port)) as s:
        s.sendall(first)
        s.settimeout(0.5)
        with pytest.raises(TimeoutError):
            s.recv(1)


def test_a_frame_that_was_altered_cut_or_repeated_ends_the_connection(ana):
    def flip(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    ping = enc([peer.PING, 1])
    for spoil in (lambda c: flip(c.frames(ping)),
                  lambda c: c.frames(ping)[:2] + c.frame(b"\0" + ping)[2:],
                  lambda c: 2 * c.frames(ping),
                  lambda c: c.frame(b"\2" + ping),
                  lambda c: c.frame(b""),
                  lambda c: c.frame(b"\0"),
                  lambda c: b"\0\x10" + bytes(16),
                  lambda c: b"".join(c.frame(b"\1" + bytes(60000)) for _ in range(5))):
        with meet(ana) as channel:
            channel.sock.sendall(spoil(channel))
            ended(channel)


def test_connections_that_drip_or_stop_half_way_are_closed(ana):
    first = Person().dial(ana.ticket, ana.port)
    good = first.first()
    ends = []

    def drip(data, wait):
        with socket.create_connection(("127.0.0.1", ana.port), 20) as s:
            try:
                for byte in data:
                    s.sendall(bytes([byte]))
                    time.sleep(wait)
                while s.recv(100):
                    pass
                ends.append("closed")
            except ConnectionError:
                ends.append("closed")

    jobs = [(b"\0\x30" + os.urandom(48), 0.3), (b"", 0), (b"\0", 0), (good[:20], 0), (good, 0.02)]
    threads = [threading.Thread(target=drip, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    first.close()
    assert ends == ["closed"] * len(jobs)


def test_half_open_connections_by_the_hundred_leave_room_for_others(ana):
    stop = threading.Event()
    made = []

    def flood():
        held = []
        while not stop.is_set():
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", ana.port))
            held.append(s)
            if len(held) > 400:
                held.pop(0).close()
            time.sleep(0.002)
        made.append(len(held))
        for s in held:
            s.close()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert ana.calls.call("status")["peers"] >= 1
        # A dial can lose against a flood, and is repeated; some attempt comes through.
        def try_to_meet():
            try:
                meet(ana).close()
                return True
            except (ConnectionError, TimeoutError):
                return False

        eventually(try_to_meet, "an honest dial")
    finally:
        stop.set()
        thread.join()
    assert made


# --- messages --------------------------------------------------------------------------------------

B8, B16, B32, B64 = bytes(8), bytes(16), bytes(range(32)), bytes(64)
REF = [B32, B8, 1, B32]


def examples(person):
    """One well-formed message of each type, as if the session had just begun."""
    segment = Log(person).add("example").segment(1, 1)
    return {
        peer.INTERESTS: [b"", B32, [B32], [], False],
        peer.RESET: [],
        peer.OWN_HEADS: [[REF]],
        peer.RECONCILE: [0, 0, True, [[b"", 2, [[B32, B32, B8, 1, B16]]]]],
        peer.WANT: [1, B32, B8, 1, 64],
        peer.SEGMENT: [0, segment],
        peer.PAYLOAD: [1, B32, B8, 1, b"x"],
        peer.DONE: [1, 0],
        peer.WANT_PAYLOAD: [1, B32, B8, [1]],
        peer.HEADS: [[[B32, B8, 1, B16]]],
        peer.LINK: [B32, B8, True],
        peer.DECLINE: [B32, B32, B8, 1, 0],
        peer.STATEMENTS: [0, [person.cert], True],
        peer.WANT_STATEMENTS: [1, [B32]],
        peer.ADDRESSES: [[]],
        peer.FORK: [segment, segment],
        peer.FETCH: [1, REF],
        peer.EXCERPT: [1, [person.cert], segment],
        peer.REPLIES: [1, REF],
        peer.REFS: [1, [REF]],
        peer.PIECE_WANT: [1, B32],
        peer.PIECE: [1, b"x"],
        peer.PING: [1],
        peer.PONG: [1],
        peer.GOODBYE: ["closed"],
        peer.CLONE: [B8, bytes(64), True],
    }


def breaks(kind, fields):
    """The message with its form broken in each of several ways."""
    whole = enc([kind, *fields])
    yield whole + b"\0"
    yield whole[:-1]
    yield enc([kind, *fields, 0])
    yield enc([kind, *fields[:-1]]) if fields else enc(kind)
    yield b"\xdc" + (1 + len(fields)).to_bytes(2, "big") + whole[1:]  # longer than needed
    for i, field in enumerate(fields):
        for wrong in (None, 1.5, -1, {}, [field], "\x00" * 70000, b"\x01" * 200000):
            yield enc([kind, *fields[:i], wrong, *fields[i + 1:]])


@pytest.mark.parametrize("kind", sorted(examples(Person())))
def test_a_message_with_a_broken_form_ends_its_connection(ana, kind):
    eve = Person()
    for message in breaks(kind, examples(eve)[kind]):
        try:
            channel = meet(ana, eve)
            channel.send(message)
            reason = ended(channel)
        finally:
            channel.close()
        assert reason, message[:60]


def test_before_the_hello_nothing_else_is_heard(ana):
    eve = Person()
    for kind, fields in examples(eve).items():
        with eve.dial(ana.ticket, ana.port).shake_hands() as channel:
            channel.send(enc([kind, *fields]))
            if kind != peer.GOODBYE:
                assert ended(channel) is None


# --- what is well-formed and a lie -----------------------------------------------------------------


def introduce(ana, channel, *identities):
    """Say what is wanted, as any peer does."""
    host = read_ticket(ana.ticket)[1]
    channel.send(enc([peer.OWN_HEADS, []]))
    channel.send(enc(interests(b"", [host, *identities])))


def test_a_segment_with_a_bad_signature_or_chain_ends_the_connection(ana):
    eve = Person()
    log = Log(eve).add("one").add("two")
    forged = log.segment(1, 1, signature=os.urandom(64))
    elsewhere = log.segment(1, 2)
    elsewhere[3] = os.urandom(32)
    for segment in (forged, elsewhere):
        with meet(ana, eve) as channel:
            introduce(ana, channel, eve.root.public)
            channel.send(enc([peer.SEGMENT, 0, segment]))
            assert ended(channel) in ("signature", "chain")
    assert "one" not in texts(ana)


def test_a_segment_of_nobody_wanted_is_not_taken(ana):
    eve, unknown = Person(), Person()
    with meet(ana, eve) as channel:
        introduce(ana, channel, eve.root.public, unknown.root.public)
        channel.send(enc([peer.SEGMENT, 0, Log(unknown).add("from nowhere").segment(1, 1)]))
        channel.send(enc([peer.PING, 5]))
        assert until(channel, peer.PONG) == [peer.PONG, 5]
    assert "from nowhere" not in texts(ana)


def test_an_answer_to_no_open_request_is_nothing_new(ana):
    """Statements end the connection; what else comes may have been given up meanwhile."""
    eve = Person()
    log = Log(eve).add("unasked")
    late = [[peer.SEGMENT, 9, log.segment(1, 1)], [peer.DONE, 9, 0],
            [peer.PAYLOAD, 9, *log.ref(1)[:3], log.items[1][1]], [peer.PING, 7]]
    for req in (0, 9):
        with meet(ana, eve) as channel:
            for message in late:
                channel.send(enc(message))
            assert until(channel, peer.PONG) == [peer.PONG, 7]
            channel.send(enc([peer.STATEMENTS, req, [eve.cert], True]))
            assert ended(channel) == "unexpected"
    assert "unasked" not in texts(ana)


def test_heads_that_reach_to_the_end_of_numbers_cost_only_their_peer(ana):
    """All that the liar is asked for it does not hold; the owner's log goes on where it is."""
    eve = Person()
    host, device = read_ticket(ana.ticket)[1:3]
    with meet(ana, eve) as channel:
        own = ana.calls.post("before the lie")["ref"]
        introduce(ana, channel, eve.root.public)
        lies = [[eve.device.public, os.urandom(8), SEQ_MAX, os.urandom(32)] for _ in range(64)]
        channel.send(enc([peer.OWN_HEADS, [[device, own[1], SEQ_MAX, os.urandom(32)]]]))
        channel.send(enc([peer.HEADS, [[*lie[:3], lie[3][:16]] for lie in lies]]))
        items = sorted([eve.root.public, *lie[:3], lie[3][:16]] for lie in lies)
        items.append([host, device, own[1], SEQ_MAX, os.urandom(16)])
        channel.send(enc([peer.RECONCILE, 0, 0, False, [[b"", 3, sorted(items)]]]))
        channel.sock.settimeout(0.3)
        asked = 0
        try:
            while asked < 5000:
                message = dec(channel.receive())
                if message[0] in (peer.WANT, peer.WANT_STATEMENTS):
                    asked += 1
                    channel.send(enc([peer.DONE, message[1], 1]))
        except (TimeoutError, ConnectionError):
            pass
        assert 0 < asked < 5000
    ref = ana.calls.post("after the lie")["ref"]
    assert ref[1:3] == [own[1], own[2] + 1]


def test_an_entry_with_the_last_number_does_not_stop_its_reader(ana):
    """A chain can't get there honestly; a segment that claims it stands alone and proves nothing."""
    eve = Person()
    log = Log(eve)
    log.ids += [os.urandom(32)]  # whatever stands before
    with meet(ana, eve) as channel:
        introduce(ana, channel, eve.root.public)
        channel.send(enc([peer.SEGMENT, 0, last_segment(eve, log)]))
        channel.send(enc([peer.PING, 6]))
        assert until(channel, peer.PONG) == [peer.PONG, 6]
    good = Log(eve).add("still here")
    with meet(ana, eve) as channel:
        introduce(ana, channel, eve.root.public)
        channel.send(enc([peer.SEGMENT, 0, good.segment(1, 1)]))
        eventually(lambda: "still here" in texts(ana), "the honest log")


def last_segment(person, log):
    payload = enc({"a": "network", "k": "note", "s": bytes(16), "text": "the end"})
    prev = os.urandom(32)
    header = [1, person.device.public, log.name, SEQ_MAX, 1, prev, len(payload),
              peer.blake("aloud1-payload", payload)]
    sig = person.device.sign("aloud1-sig-entry", peer.blake("aloud1-entry", enc(header)))
    return [person.device.public, log.name, SEQ_MAX, prev, [[1, payload]], sig]


# --- as much as TCP takes --------------------------------------------------------------------------


def two_branches(person):
    """The proof of a fork, in its one form."""
    one, other = Log(person).add("one"), Log(person).add("other")
    other.name = one.name
    stubs = []
    for log in (one, other):
        segment = log.segment(1, 1)
        time_ms, payload = log.items[1]
        segment[4] = [[time_ms, [len(payload), peer.blake("aloud1-payload", payload), 1]]]
        stubs.append(segment)
    return sorted(stubs, key=enc)


def floods(eve, ana):
    """Messages of the right form that cost the node most."""
    device = read_ticket(ana.ticket)[2]
    name = ana.calls.call("timeline", limit=1, mine=True)["rows"][0]["ref"][1]
    many = [os.urandom(32) for _ in range(4096)]
    log = Log(eve)
    for i in range(64):
        log.add("flood " * 400)
    strangers = [Person() for _ in range(8)]
    return {
        "pings": [peer.PING, 1],
        "wants": [peer.WANT, 1, device, name, 1, 64],
        "wants of nothing": [peer.WANT, 1, os.urandom(32), bytes(8), 1, 64],
        "wants of statements": [peer.WANT_STATEMENTS, 1, sorted(many[:256])],
        "interests": interests(b"", many),
        "resets": [peer.RESET],
        "own heads": [peer.OWN_HEADS, [[os.urandom(32), bytes(8), i + 1, B32] for i in range(64)]],
        "heads": [peer.HEADS, [[eve.device.public, os.urandom(8), SEQ_MAX, B16]
                               for _ in range(512)]],
        "items": [peer.RECONCILE, 0, 0, True,
                  [[b"", 2, sorted([eve.root.public, eve.device.public, os.urandom(8), SEQ_MAX, B16]
                                   for _ in range(1500))]]],
        "segments": [peer.SEGMENT, 0, log.segment(1, 64)],
        "forged segments": [peer.SEGMENT, 0, log.segment(2, 64, signature=os.urandom(64))],
        "statements": [peer.STATEMENTS, 0, [person.cert for person in strangers], True],
        "forks": [peer.FORK, *two_branches(eve)],
        "unknown": [9999, os.urandom(200000)],
    }


FLOODS = ["pings", "wants", "wants of nothing", "wants of statements", "interests", "resets",
          "own heads", "heads", "items", "segments", "forged segments", "statements", "forks",
          "unknown"]
UNREAD = ["pings", "wants", "wants of statements", "resets", "items"]


@pytest.mark.parametrize("what,reads", [(what, True) for what in FLOODS] +
                         [(what, False) for what in UNREAD])
def test_a_flood_costs_only_its_peer(ana, what, reads):
    eve = Person()
    message = enc(floods(eve, ana)[what])
    with meet(ana, eve) as channel:
        introduce(ana, channel, eve.root.public)
        if reads:
            reader = threading.Thread(target=drain, args=(channel.sock,))
            reader.start()
        channel.sock.settimeout(0.5)
        end = time.monotonic() + 0.7
        try:
            while time.monotonic() < end:
                channel.send(message)
        except (TimeoutError, ConnectionError):
            pass  # it is paused or ended; either will do
        assert ana.calls.call("status")["peers"] >= 1
        ana.calls.post("in the middle of a flood")
        channel.sock.close()
        if reads:
            reader.join()


def drain(sock):
    try:
        while sock.recv(1 << 16):
            pass
    except OSError:
        pass
