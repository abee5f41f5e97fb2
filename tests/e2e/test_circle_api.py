"""A circle's life with real nodes: who is in reads, who is not learns nothing."""

import os

import pytest

from api import ApiError
from conftest import eventually
from test_network import befriend, start

SECRETS = [b"the canary sings", b"kitchen-cabinet"]  # a text and a name


def call(node, method, **params):
    with node.api() as api:
        return api.call(method, **params)


def do(node, method, **params):
    with node.api() as api:
        return api.write(method, **params)


def id_of(node):
    return call(node, "status")["identity"]


def circle_of(node, circle):
    return next((c for c in call(node, "circles")["circles"] if c["circle"] == circle), None)


def make(owner, name, *members):
    made = do(owner, "circle_new", name=name, members=[id_of(m) for m in members])
    return made["circle"]


def change(owner, circle, **what):
    people = {k: [id_of(n) for n in v] if k in ("add", "remove") else v for k, v in what.items()}
    return do(owner, "circle_change", circle=circle, **people)["epoch"]


def write(node, owner, circle, text):
    entry = {"k": "note", "text": text}
    return do(node, "post", entry=entry, to="circle", circle=circle, owner=id_of(owner))


def reads(node, ref):
    """The text of an entry, None when it is not here or sealed."""
    try:
        row = call(node, "show", id=ref[3])["row"]
    except ApiError:
        return None
    return row["text"] or None


def eventually_reads(node, ref, text):
    eventually(lambda: reads(node, ref) == text, f"reading '{text}'", patience=60)


@pytest.fixture
def three(new_node):
    """Ana knows ben and cai; they know her alone."""
    ana, ben, cai = (start(new_node(name)) for name in ("ana", "ben", "cai"))
    befriend(ana, ben)
    befriend(ana, cai)
    eventually(lambda: len(call(ana, "people")["people"]) >= 3, "their profiles")
    eventually(lambda: call(ana, "status")["peers"] == 2, "both connections")
    return ana, ben, cai


def known(owner, *members):
    """Until a circle can be made of them."""
    def attempt():
        try:
            return make(owner, "kitchen-cabinet", *members)
        except ApiError as e:
            assert e.name == "not-found" and "follow" in e.hint
            return None
    return eventually(attempt, "their reading keys")


def test_members_read_each_other_and_a_stranger_learns_nothing(three):
    ana, ben, cai = three
    circle = known(ana, ben)
    eventually(lambda: circle_of(ben, circle), "the circle at ben's")
    answer = write(ben, ana, circle, "the canary sings")
    assert answer["to"] == "circle" and answer["circle"] == "kitchen-cabinet"
    assert answer["people"] == 2 and "warn" not in answer
    eventually_reads(ana, answer["ref"], "the canary sings")
    mine = write(ana, ana, circle, "the canary sings")
    do(ana, "post", entry={"k": "note", "text": "a sign in the open"}, to="network")
    sign = lambda: call(cai, "timeline", limit=50)["rows"]
    eventually(lambda: any("sign" in row["text"] for row in sign()), "the open entry")
    assert circle_of(cai, circle) is None
    assert reads(cai, mine["ref"]) is None
    held = cai.home
    cai.stop()
    for root, _, files in os.walk(held):
        for name in files:
            data = open(os.path.join(root, name), "rb").read() if name != "socket" else b""
            for secret in SECRETS:
                assert secret not in data, (name, secret)


def test_what_is_kept_of_a_circle_is_sealed_also_at_its_members(three):
    ana, ben, _ = three
    circle = known(ana, ben)
    eventually(lambda: circle_of(ben, circle), "the circle at ben's")
    member = id_of(ben)
    ana.stop()
    data = (ana.home / "log.db").read_bytes() + b"".join(
        p.read_bytes() for p in ana.home.glob("log.db-*"))
    assert b"kitchen-cabinet" not in data
    entries = data.count(member)
    # his statements name him; the circle's list, which would be one more, is sealed
    assert entries > 0
    start(ana)
    assert circle_of(ana, circle)["name"] == "kitchen-cabinet"


def test_who_is_added_and_removed_reads_what_is_theirs(three):
    ana, ben, cai = three
    circle = known(ana, ben)
    eventually(lambda: circle_of(ben, circle), "the circle at ben's")
    before = write(ben, ana, circle, "before cai")["ref"]
    eventually_reads(ana, before, "before cai")
    assert change(ana, circle, add=[cai]) == 2
    eventually(lambda: circle_of(cai, circle), "the circle at cai's")
    eventually(lambda: circle_of(ben, circle)["epoch"] == 2, "the epoch at ben's")
    since = write(ben, ana, circle, "with cai")["ref"]
    eventually_reads(cai, since, "with cai")  # ben's, whom cai does not follow
    assert reads(cai, before) is None
    assert change(ana, circle, add=[cai], history=True) == 3
    eventually_reads(cai, before, "before cai")
    assert change(ana, circle, remove=[ben]) == 4
    eventually(lambda: circle_of(cai, circle)["epoch"] == 4, "the epoch at cai's")
    without = write(cai, ana, circle, "without ben")["ref"]
    eventually_reads(ana, without, "without ben")
    eventually(lambda: not circle_of(ben, circle)["member"], "ben's notice")
    assert reads(ben, without) is None
    assert reads(ben, since) == "with cai"
    with pytest.raises(ApiError) as e:
        write(ben, ana, circle, "too late")
    assert e.value.name == "audience"


def test_names_are_ones_own_and_can_change(three):
    ana, ben, _ = three
    circle = known(ana, ben)
    with pytest.raises(ApiError) as e:
        make(ana, "kitchen-cabinet", ben)
    assert e.value.name == "exists"
    change(ana, circle, name="pantry")
    eventually(lambda: (circle_of(ben, circle) or {}).get("name") == "pantry", "the new name")
    make(ana, "kitchen-cabinet", ben)
    with pytest.raises(ApiError) as e:
        do(ana, "circle_new", name="x", members=[os.urandom(32)])
    assert e.value.name == "not-found" and e.value.hint.startswith("aloud follow @")


def test_who_leaves_is_let_go_while_the_owner_was_away(three):
    ana, ben, cai = three
    circle = known(ana, ben, cai)
    eventually(lambda: circle_of(ben, circle), "the circle at ben's")
    ana.stop()
    do(ben, "circle_leave", circle=circle, owner=circle_of(ben, circle)["owner"])
    assert not circle_of(ben, circle)["member"]
    start(ana)
    left = lambda: len(circle_of(ana, circle)["members"]) == 2
    eventually(left, "a new epoch by ana's node", patience=60)
    assert circle_of(ana, circle)["epoch"] == 2
    ref = write(ana, ana, circle, "without ben")["ref"]
    eventually_reads(cai, ref, "without ben")
    assert reads(ben, ref) is None


def test_a_circle_outlives_kills(three):
    ana, ben, _ = three
    circle = known(ana, ben)
    for i in range(5):
        name = f"name {i}"
        epoch = change(ana, circle, name=name)
        ana.kill()
        start(ana)
        kept = circle_of(ana, circle)
        assert kept["name"] == name and kept["epoch"] == epoch and kept["heads"] == 1
    ref = write(ana, ana, circle, "still here")["ref"]
    ben.kill()
    start(ben)
    eventually_reads(ben, ref, "still here")
