"""Circles as people use them: three of them, by the program `aloud`, between real nodes."""

import pytest

from conftest import eventually
from test_change import aloud, calls, canary, entry_state, follow, holders, newest, row
from test_network import befriend, start

MEMBERS = "--json=name,standing,devices"


@pytest.fixture
def friends(new_node):
    """ana meets ben and noor; each follows both others."""
    ana, ben, noor = (start(new_node(name)) for name in ("ana", "ben", "noor"))
    befriend(ana, ben)
    befriend(ana, noor)
    ids = {node: calls(node).call("status")["identity"] for node in (ana, ben, noor)}
    follow(ben, ids[noor])
    follow(noor, ids[ben])
    for node, others in ((ana, ("ben", "noor")), (ben, ("ana", "noor")), (noor, ("ana", "ben"))):
        eventually(lambda: all(calls(node).call("person", who=who)["people"] for who in others),
                   "the profiles")
    return ana, ben, noor


def reads(node, entry, text):
    return entry_state(node, entry) == "ok" and row(node, entry)["text"] == text


def circles(node):
    return [c for c in calls(node).call("circles")["circles"] if c["name"]]


def test_a_circle_from_its_beginning_to_its_end(friends):
    ana, ben, noor = friends
    said = aloud(ana, "circle", "new", "team", "ben", "--pretty")
    assert "circle:team (2)" in said
    shown = aloud(ana, "circle", "show", "team", "--json")
    assert '"name":"you"' in shown.replace(" ", "") and "noor" not in shown

    # What is posted to it is for its members, and sealed to all others who carry it.
    secret = canary()
    said = aloud(ana, "post", "--to", "circle:team", f"{secret} among us", "--pretty")
    assert "circle:team (2)" in said
    first = newest(ana)
    eventually(lambda: reads(ben, first, f"{secret} among us"), "the entry at ben's")
    eventually(lambda: entry_state(noor, first) == "unreadable", "the sealed entry at noor's")
    assert not holders(secret, noor)
    assert row(ben, first)["to"] == "circle" and row(ben, first)["circle"] == "team"
    assert not circles(noor)

    # A member answers for the same readers, and can't do so for more.
    aloud(ben, "reply", "@ana/last", "heard")
    answer = newest(ben)
    eventually(lambda: reads(ana, answer, "heard"), "the answer")
    assert row(ana, answer)["to"] == "circle"
    aloud(ben, "reply", "@ana/last", "--to", "network", "louder", status=77)
    eventually(lambda: entry_state(noor, answer) == "unreadable", "the sealed answer")

    # Who is in can't come in, and who is not in can't be put out: nothing is said to be so.
    epoch = circles(ana)[0]["epoch"]
    said = aloud(ana, "circle", "add", "team", "ben", status=1)
    assert "is in circle:team already" in said and "aloud circle show team" in said
    assert "is not in circle:team" in aloud(ana, "circle", "remove", "team", "noor", status=66)
    assert "is not in circle:team" in aloud(ana, "circle", "remove", "team", "ben", "noor", status=66)
    assert circles(ana)[0]["epoch"] == epoch
    for name in ("me", "network", "web", "circle"):
        assert "can't be called" in aloud(ana, "circle", "new", name, status=2)
    said = aloud(ana, "circle", "new", status=2)
    assert "something is missing after 'circle new'" in said and "NAME [PERSON...]" in said

    # Only its owner changes it; who is added reads from then on.
    aloud(ben, "circle", "add", "team", "noor", status=77)
    aloud(ana, "circle", "add", "team", "noor")
    eventually(lambda: circles(noor), "the circle at noor's")
    eventually(lambda: circles(ben)[0]["epoch"] == circles(ana)[0]["epoch"], "the epoch at ben's")
    aloud(noor, "post", "--to", "circle:team", "hello, all")
    hello = newest(noor)
    for node in (ana, ben):
        eventually(lambda: reads(node, hello, "hello, all"), "noor's entry")
    assert entry_state(noor, first) == "unreadable" and not holders(secret, noor)

    # History only when it is granted.
    aloud(ana, "circle", "remove", "team", "noor")
    aloud(ana, "circle", "add", "team", "noor", "--with-history")
    eventually(lambda: reads(noor, first, f"{secret} among us"), "what was before")

    # Who was removed reads nothing new, and keeps what was.
    aloud(ana, "circle", "remove", "team", "ben")
    later = canary()
    aloud(ana, "post", "--to", "circle:team", f"{later} without ben")
    entry = newest(ana)
    eventually(lambda: reads(noor, entry, f"{later} without ben"), "the later entry at noor's")
    eventually(lambda: entry_state(ben, entry) == "unreadable", "the sealed entry at ben's")
    assert not holders(later, ben) and reads(ben, first, f"{secret} among us")
    assert "former" in aloud(ana, "circle", "show", "team", MEMBERS)
    eventually(lambda: "not" in aloud(ben, "post", "--to", "circle:team", "still here?", status=77),
               "the refusal")

    # A name that changes, and a member who leaves.
    aloud(ana, "circle", "rename", "team", "crew")
    eventually(lambda: circles(noor)[0]["name"] == "crew", "the new name")
    aloud(noor, "circle", "leave", "crew@ana", "--yes")
    assert "former" in aloud(noor, "circle", "ls", "--json=standing")


def test_edits_shares_and_retractions_keep_to_a_circle(friends):
    ana, ben, noor = friends
    aloud(ana, "circle", "new", "team", "ben")
    aloud(ana, "circle", "new", "others", "noor")
    word = canary()
    aloud(ana, "post", "--to", "circle:team", f"{word} one")
    entry = newest(ana)
    eventually(lambda: reads(ben, entry, f"{word} one"), "the entry")
    aloud(ana, "edit", "last", f"{word} two")
    eventually(lambda: row(ben, entry)["text"] == f"{word} two", "the edit")
    assert row(ben, entry)["to"] == "circle" and not holders(word, noor)
    # One circle is not wider than another; the network is.
    assert "not wider" in aloud(ana, "share", "last", "--to", "circle:others", "--yes", status=77)
    shown = aloud(ana, "share", "last", "--to", "network", "--dry-run", "--pretty")
    assert f"{word} two" in shown
    aloud(ana, "retract", "last", "--yes")
    eventually(lambda: entry_state(ben, entry) == "retracted", "the retraction at ben's")
    eventually(lambda: entry_state(noor, entry) == "retracted", "the retraction at noor's")
    assert row(ben, entry)["text"] == ""

    # From oneself to a circle.
    aloud(ana, "post", "--to", "me", "ripe for the team")
    aloud(ana, "share", "last", "--to", "circle:team", "--yes")
    shares = lambda: [r for r in calls(ben).call("timeline", limit=5)["rows"]
                      if r["kind"] == "share"]
    (seen,) = eventually(shares, "the share")
    assert (seen["text"], seen["to"], seen["circle"]) == ("ripe for the team", "circle", "team")
