"""Changing one's mind: edits, retractions and shares between real nodes, and what hostile ones try.

What is retracted must be gone from every file under the homes of those who held it, byte for byte.
"""

import os
import subprocess
import time

import pytest

import peer
from api import ApiError
from conftest import ALOUD, ALOUDD, eventually
from peer import Log, Person, enc, interests, read_ticket, until
from test_network import befriend, start

MINUTE = 60
PATIENCE = 100  # seconds for what must happen within a minute; a busy machine is given more


def aloud(node, *words, status=0, text=None):
    """A command of the person whose node it is."""
    done = subprocess.run(
        [ALOUD, "--home", node.home, *words], capture_output=True, text=True, check=False,
        timeout=60, input=text or "",
        env={"HOME": str(node.home), "PATH": f"{ALOUDD.parent}:/usr/bin:/bin", "TZ": "UTC"})
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def calls(node):
    """One connection for as long as the process lives."""
    if getattr(node, "caller", (None, None))[0] is not node.process:
        node.caller = (node.process, node.api())
    return node.caller[1]


def row(node, entry):
    return calls(node).call("show", id=entry)["row"]


def newest(node):
    return calls(node).call("resolve", ref="last")["rows"][0]["id"]


def has(node, entry):
    try:
        return row(node, entry)["state"] in ("ok", "edited")
    except ApiError as error:
        assert error.name == "not-found"
        return False


def follow(node, identity):
    calls(node).write("relate", identity=identity, relation="follow", value=True)


def canary():
    """A word that is nowhere else; the search index keeps words like it as they are."""
    return "canary" + os.urandom(12).hex()


def holders(word, *nodes):
    """The files under the homes of |nodes| in which the word stands."""
    return [path for node in nodes for path in node.home.rglob("*")
            if path.is_file() and word.encode() in path.read_bytes()]


def eventually_gone(words, *nodes):
    """Wait until no file holds any of the words, a little longer than a minute."""
    end = time.monotonic() + PATIENCE
    while any(holders(word, *nodes) for word in words):
        assert time.monotonic() < end, [holders(word, *nodes) for word in words]
        time.sleep(1)


@pytest.fixture
def pair(new_node):
    ana, ben = start(new_node("ana")), start(new_node("ben"))
    befriend(ana, ben)
    return ana, ben


def test_an_edit_is_seen_with_its_history_on_another_node(pair):
    ana, ben = pair
    aloud(ana, "post", "the first version", "+kept")
    entry = newest(ana)
    eventually(lambda: has(ben, entry), "the entry")
    aloud(ana, "edit", "last", "the second version #new")
    aloud(ana, "edit", "last", "the third version #new")
    eventually(lambda: row(ben, entry)["text"] == "the third version #new", "the edits")
    shown = row(ben, entry)
    assert shown["state"] == "edited" and shown["tags"] == ["kept", "new"]
    versions = calls(ben).call("show", id=entry)["edits"]
    assert [v["text"] for v in versions] == [
        "the first version", "the second version #new", "the third version #new"]
    history = aloud(ben, "show", "--history", "@ana/last", "--json=text").splitlines()
    assert len(history) == 3
    assert "third version" in aloud(ben, "search", "third")
    aloud(ben, "search", "second", status=1)


def test_what_is_retracted_is_gone_from_every_file_within_a_minute(pair, new_node):
    ana, ben = pair
    noor = start(new_node("noor"))
    first, second, mine, unposted = (canary() for _ in range(4))
    aloud(ana, "post", f"{first} should not be here")
    entry = newest(ana)
    aloud(ana, "edit", "last", f"{second} should not be here either")
    aloud(ana, "post", "--to", "me", f"{mine} for me alone")
    secret = newest(ana)
    aloud(ana, "edit", "last", f"{mine} is still for me alone")
    eventually(lambda: has(ben, entry) and row(ben, entry)["state"] == "edited", "the entries")
    aloud(ben, "search", second)
    for word, nodes in ((first, (ana, ben)), (second, (ana, ben)), (mine, (ana,))):
        for node in nodes:
            eventually(lambda: holders(word, node), "the word in a file")  # or this tests nothing

    # What is not confirmed does nothing, and leaves nothing behind.
    aloud(ana, "retract", "last", unposted, status=77)
    assert has(ana, secret) and not holders(unposted, ana)

    aloud(ana, "retract", "last", "--yes")
    aloud(ana, "retract", "last~1", "--yes")
    assert "retracted already" in aloud(ana, "retract", peer_id(ana, entry), "--yes", status=66)
    eventually(lambda: row(ben, entry)["state"] == "retracted", "the retraction")
    assert row(ana, entry)["text"] == "" and row(ana, secret)["text"] == ""
    eventually_gone([first, second, mine], ana, ben)
    aloud(ben, "search", first, status=1)

    # Who comes later gets the chain, and never the words; also not from a backup of today.
    befriend(ben, noor)
    follow(noor, calls(ana).call("status")["identity"])
    eventually(lambda: entry_state(noor, entry) == "retracted", "the chain")
    assert not holders(first, noor) and not holders(second, noor)
    assert calls(noor).call("doctor")["findings"][-1]["severity"] in ("ok", "note")
    backup = ben.home / "backup.db"
    aloud(ben, "backup", str(backup))
    assert first.encode() not in backup.read_bytes() and second.encode() not in backup.read_bytes()


def peer_id(node, entry):
    """The entry's id as text."""
    rows = calls(node).call("show", id=entry)["row"]
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    bits = int.from_bytes(rows["id"], "big") << 4
    return "".join(alphabet[bits >> 5 * (51 - i) & 31] for i in range(52))


def entry_state(node, entry):
    try:
        return row(node, entry)["state"]
    except ApiError:
        return None


def test_the_node_tidies_again_when_it_was_killed_before(pair):
    ana, ben = pair
    word = canary()
    aloud(ana, "post", f"{word} should not be here")
    entry = newest(ana)
    eventually(lambda: has(ben, entry), "the entry")
    aloud(ana, "retract", "last", "--yes")
    eventually(lambda: entry_state(ben, entry) == "retracted", "the retraction")
    for node in pair:
        node.kill()
        start(node)
    eventually_gone([word], ana, ben)


# --- entries made by hand -------------------------------------------------------------------------


@pytest.fixture(name="ana")
def hostess(new_node):
    """A node with an invite for anybody, and entries for each audience."""
    node = start(new_node("ana"))
    node.ticket = calls(node).write("invite", uses=100)["ticket"]
    node.refs = {to: calls(node).post(f"for {to}", to=to)["ref"] for to in ("me", "network", "web")}
    return node


class Hand:
    """Somebody whom the node follows, and who sends whole logs."""

    def __init__(self, node):
        self.node, self.person = node, Person()
        follow(node, self.person.root.public)
        self.channel = self.person.meet(node.ticket, node.port)
        self.channel.send(enc([peer.OWN_HEADS, []]))
        host = read_ticket(node.ticket)[1]
        self.channel.send(enc(interests(b"", [host, self.person.root.public])))

    def send(self, log):
        """Push the log, and wait until all of it was taken in."""
        self.channel.send(enc([peer.SEGMENT, 0, log.segment(1, log.head)]))
        while log.ref(log.head) not in until(self.channel, peer.OWN_HEADS)[1]:
            pass
        eventually(lambda: entry_state(self.node, log.ids[log.head]), "the entry in the views")

    def log(self):
        return Log(self.person)


def test_nobody_edits_retracts_or_shares_what_another_wrote(ana):
    eve = Hand(ana)
    log = eve.log()
    for ref in ana.refs.values():
        log.add("changed by eve", k="edit", of=ref)
        log.add("shared by eve", k="share", of=ref, a="web")
        log.add("retracted by eve", k="retract", of=ref)
    eve.send(log)
    for to, ref in ana.refs.items():
        shown = calls(ana).call("show", id=ref[3])
        assert (shown["row"]["state"], shown["row"]["text"]) == ("ok", f"for {to}")
        assert shown["row"]["to"] == to and shown["edits"] == [] and "payload" in shown
    # Nor does it work the other way round: hers can't be changed by ana's node.
    for kind in ("edit", "retract", "share"):
        with pytest.raises(ApiError) as error:
            calls(ana).write("post", entry={"k": kind, "of": log.ref(1), "text": "mine now"})
        assert error.value.name == "permission"


def test_an_edit_for_other_readers_does_not_count(ana):
    eve = Hand(ana)
    log = eve.log().add("for the network")
    log.add("for the whole web", k="edit", of=log.ref(1), a="web")
    eve.send(log)
    assert row(ana, log.ids[1])["text"] == "for the network"
    log.add("for the network, changed", k="edit", of=log.ref(1))
    log.add("for the web again", k="edit", of=log.ref(1), a="web")
    more = peer.enc([peer.SEGMENT, 0, log.segment(3, 4)])
    eve.channel.send(more)
    eventually(lambda: row(ana, log.ids[1])["text"] == "for the network, changed", "the edit")
    assert entry_state(ana, log.ids[4]) is not None
    assert row(ana, log.ids[1])["to"] == "network"


def test_a_retraction_and_its_edit_may_come_before_the_entry(ana):
    eve = Hand(ana)
    first, second = canary(), canary()
    entries = eve.log().add(f"{first} too late")
    edits = eve.log().add(f"{second} too late", k="edit", of=entries.ref(1))
    eve.send(eve.log().add("never mind", k="retract", of=entries.ref(1)))
    eve.send(edits)
    eve.send(entries)
    assert entry_state(ana, entries.ids[1]) == "retracted"
    assert row(ana, edits.ids[1])["text"] == ""
    eventually_gone([first, second], ana)


def test_a_retraction_by_another_device_of_the_same_person_counts(ana):
    eve = Hand(ana)
    log = eve.log().add("soon gone")
    other = eve.log()
    eve.send(log)
    assert has(ana, log.ids[1])
    other.add("from another log", k="retract", of=log.ref(1))
    eve.send(other)
    eventually(lambda: entry_state(ana, log.ids[1]) == "retracted", "the retraction")


# --- what is held ---------------------------------------------------------------------------------


def test_what_is_undone_was_never_sent_and_leaves_no_trace(pair):
    ana, ben = pair
    word, kept = canary(), canary()
    ana.stop()
    (ana.home / "config").write_text("post.hold = 86400\n")
    start(ana, "--config", str(ana.home / "config"))
    assert "held/1" in aloud(ana, "post", f"{kept} stays", "--pretty")
    aloud(ana, "post", f"{word} goes")
    assert holders(word, ana)
    ana.kill()  # it is held on disk
    start(ana, "--config", str(ana.home / "config"))
    assert calls(ana).call("status")["held"] == 2
    assert f"{word} goes" in aloud(ana, "undo", "--json")
    eventually_gone([word], ana, ben)
    assert kept in aloud(ana, "held") and holders(kept, ana)
    assert f"{kept} stays" in aloud(ana, "undo", "--json")
    assert calls(ana).call("status")["held"] == 0
    assert "nothing" in aloud(ana, "undo", "--yes", status=1)  # nothing of hers has gone out


def test_a_held_post_goes_out_when_it_is_due_also_after_a_restart(pair):
    ana, ben = pair
    entry = {"k": "note", "text": "held for a moment"}
    answer = calls(ana).write("post", entry=entry, to="network", hold=1)
    assert answer["held"] == 1 and "ref" not in answer
    read = lambda node: [r["text"] for r in calls(node).call("timeline", limit=5)["rows"]]
    eventually(lambda: "held for a moment" in read(ben), "the post at ben's")
    answer = calls(ana).write("post", entry={**entry, "text": "held over night"}, hold=1,
                             to="network")
    ana.kill()
    start(ana)
    eventually(lambda: "held over night" in read(ana), "the second post at ana's")
    eventually(lambda: "held over night" in read(ben), "the second post at ben's")
    assert read(ana).count("held over night") == 1
    assert calls(ana).call("status")["held"] == 0


def test_what_is_written_last_is_not_taken_for_an_older_entry(pair):
    """Neither when it was retracted, nor while it is held: nothing slides to the one before."""
    ana, _ = pair
    for text in ("one", "two", "three"):
        calls(ana).post(text)
    three = newest(ana)
    aloud(ana, "edit", "last", "three, edited")
    aloud(ana, "retract", "last", "--yes")
    assert row(ana, three)["state"] == "retracted"
    for words in (("retract", "last", "--yes"), ("edit", "last", "oops"),
                  ("share", "last", "--to", "web", "--yes"), ("attach", "last", "/etc/hostname")):
        assert "retracted already" in aloud(ana, *words, status=66)
    assert "retracted already" in aloud(ana, "undo", "--yes", status=1)
    texts = lambda: [r["text"] for r in calls(ana).call("timeline", limit=9)["rows"]]
    assert "one" in texts() and "two" in texts() and "oops" not in texts()
    aloud(ana, "edit", "last~1", "two, edited")
    assert "two, edited" in texts()

    calls(ana).write("post", entry={"k": "note", "text": "held"}, to="network", hold=3600)
    for words in (("retract", "last", "--yes"), ("edit", "last", "oops"), ("reply", "last", "oops"),
                  ("edit", "last~1", "oops"), ("attach", "last", "/etc/hostname")):
        assert "held/1" in aloud(ana, *words, status=66)
    assert "is held" in aloud(ana, "show", "held/1", status=66)
    assert "two, edited" in texts() and "oops" not in texts()


def test_a_profile_is_not_edited_or_shared_as_an_entry(pair):
    ana, _ = pair
    aloud(ana, "profile", "edit", "--about", "who I am")
    for words in (("edit", "last", "oops"), ("share", "last", "--to", "web", "--yes")):
        assert "aloud profile edit" in aloud(ana, *words, status=65)
    assert "who I am" in aloud(ana, "profile") and "who I am" not in aloud(ana, "drafts")


def test_what_a_held_change_is_about_is_shown(pair):
    ana, _ = pair
    calls(ana).post("first")
    entry = newest(ana)
    ref = row(ana, entry)["ref"]
    calls(ana).write("post", entry={"k": "edit", "of": ref, "text": "second"}, hold=3600)
    name = peer_id(ana, entry)
    assert f"edit of {name[:8]}" in aloud(ana, "held", "--pretty")
    (held,) = aloud(ana, "held", "--json").splitlines()
    assert f'"of":"{name}"' in held
    aloud(ana, "undo")
    assert '"error"' in aloud(ana, "held", "--json", status=1)


def attach(node, text, data, name):
    """Post for oneself, with a file; the id."""
    file = calls(node).write("file_new", size=len(data), name=name, mime="text/plain")["file"]
    calls(node).call("file_put", file=file, index=0, data=[data])
    return calls(node).post(text, to="me", files=[file])["ref"][3]


def test_an_edit_and_a_share_take_the_files_along(pair):
    ana, ben = pair
    data = f"{canary()} in a file".encode()
    entry = attach(ana, "look at this", data, "a.txt")
    aloud(ana, "edit", "last", "look at that")
    assert row(ana, entry)["text"] == "look at that"
    ref = row(ana, entry)["ref"]
    assert calls(ana).call("file_read", ref=ref, file=0, offset=0)["data"] == data
    aloud(ana, "share", "last", "--to", "network", "--yes")
    (seen,) = eventually(lambda: [r for r in calls(ben).call("timeline", limit=5)["rows"]
                                  if r["kind"] == "share"], "the share")
    got = calls(ben).call("file_get", ref=seen["ref"], file=0, timeout=20000)
    assert got["have"] == got["pieces"] == 1
    assert calls(ben).call("file_read", ref=seen["ref"], file=0, offset=0)["data"] == data


def test_a_share_reaches_who_could_not_read_the_first_entry(pair):
    ana, ben = pair
    aloud(ana, "post", "--to", "me", "ripe at last", "+tag")
    first = newest(ana)
    assert "ripe at last" in aloud(ana, "share", "last", "--to", "network", "--dry-run", "--pretty")
    aloud(ana, "share", "last", "--to", "network", "--yes")
    shared = lambda: [r for r in calls(ben).call("timeline", limit=5)["rows"]
                      if r["kind"] == "share"]
    (seen,) = eventually(shared, "the share")
    assert (seen["text"], seen["tags"], seen["to"]) == ("ripe at last", ["tag"], "network")
    assert row(ana, first)["to"] == "me" and not has(ben, first)


def test_a_missing_parent_is_fetched_with_its_answers_by_strangers(pair, new_node):
    """noor follows ben only, who answers ana, a stranger to her; who has answered herself, too."""
    ana, ben = pair
    noor = start(new_node("noor"))
    befriend(ben, noor)
    calls(noor).write("relate", identity=calls(ana).call("status")["identity"], relation="follow",
                      value=False)
    aloud(ana, "post", "the question")
    question = newest(ana)
    eventually(lambda: has(ben, question), "the question at ben's")
    aloud(ben, "reply", "@ana/last", "the answer")
    answer = newest(ben)
    eventually(lambda: has(noor, answer), "the answer at noor's")
    assert not has(noor, question)
    aloud(ana, "reply", peer_id(ana, question), "more to it")
    more = newest(ana)
    eventually(lambda: has(ben, more), "ana's own answer at ben's")

    thread = aloud(noor, "thread", "@ben/last", "--json=state").splitlines()
    assert any("missing" in line for line in thread)
    said = aloud(noor, "fetch", "@ben/last", "--json")
    assert '"entries":1' in said.replace(" ", "") and '"missing":0' in said.replace(" ", "")
    assert row(noor, question)["text"] == "the question"
    assert '"replies":1' in said.replace(" ", "")
    eventually(lambda: has(noor, more), "the second answer")
    assert "the question" not in aloud(noor, "timeline", "--plain")
