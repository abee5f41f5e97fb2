"""One person's machines: names, a stolen one, reading keys; what the words may do, and only they."""

import datetime
import shutil
import time

import pytest

from conftest import eventually, free_port


def steady(home):
    """Give it a port that it keeps."""
    home.run("node", "stop")
    (home.path / "config").write_text(f"listen = 127.0.0.1:{free_port()}\n")
    return home


def texts(home):
    return set(home.texts())


def devices(home):
    return {row["name"]: row for row in home.rows("device", "ls")}


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def problems(home):
    return " ".join(home.rows("status")[0]["problems"])


@pytest.fixture(name="three")
def make_three(new_home):
    """ana's laptop and phone, and kai, who follows ana and connects the two."""
    kai, ana = steady(new_home("kai")), new_home("ana")
    ana.run("join", kai.ticket())
    ana.run("device", "rename", next(iter(devices(ana))), "laptop")
    for i in range(3):
        ana.run("post", f"from the laptop {i}")
    eventually(lambda: ana.rows("status")[0]["alone"] == 0, "kai holding it")
    phone = new_home("phone", init=False)
    phone.run("restore", "--phrase-in", str(ana.words()), "--from", kai.ticket(), "--device", "phone")
    eventually(lambda: "phone" in devices(ana), "the laptop hearing of the phone")
    return ana, phone, kai


def test_names_are_seen_by_the_own_devices(three):
    ana, phone, _ = three
    eventually(lambda: set(devices(phone)) == {"laptop", "phone"}, "the name that the laptop got")
    assert devices(phone)["phone"]["state"] == "this one"
    renamed = phone.rows("device", "rename", "laptop", "old laptop")
    assert renamed == [{"v": 1, "device": devices(ana)["laptop"]["device"], "name": "old laptop"}]
    eventually(lambda: "old laptop" in devices(ana), "the new name")
    assert devices(ana)["old laptop"]["entries"] > 3
    assert "you have no device" in ana.run("device", "rename", "tablet", "x", status=66)


def test_a_stolen_phone_is_revoked(three):
    ana, phone, kai = three
    phone.run("post", "when it was still mine")
    eventually(lambda: "when it was still mine" in texts(ana) & texts(kai), "it arrives")
    stolen = phone.path.parent / "stolen"
    phone.run("node", "stop")
    shutil.copytree(phone.path, stolen, ignore=shutil.ignore_patterns("socket", "*.lock"))
    plan = ana.rows("device", "revoke", "phone", "--dry-run")[0]
    assert plan["hidden"] == 0 and plan["kept"] >= 1
    assert devices(ana)["phone"]["state"] == ""
    done = ana.rows("device", "revoke", "phone", "--yes", "--phrase-in", str(ana.words()))[0]
    assert done["generation"] == 2 and done["kept"] == plan["kept"]
    eventually(lambda: devices(ana)["phone"]["state"] == "revoked", "the list")
    phone.run("post", "by the thief")
    phone.run("post", "--to", "me", "by the thief, sealed")
    ana.run("post", "after the theft")
    ana.run("post", "--to", "me", "sealed after the theft")
    eventually(lambda: "after the theft" in texts(kai), "kai goes on with ana")
    for home in (ana, kai):
        assert "when it was still mine" in texts(home)
        assert not [text for text in texts(home) if "thief" in text]
    assert "sealed after the theft" not in texts(phone)
    assert "a device that is revoked can read" not in problems(ana)
    # Nobody talks to the thief's phone. When it is found again, the words make it a new device;
    # what the old one wrote meanwhile stays hidden.
    eventually(lambda: phone.rows("peers")[0]["state"] != "connected", "nobody lets it in")
    eventually(lambda: "1 peer says that this device was revoked" in problems(phone), "the hint")
    assert "this device was revoked: nothing" not in problems(phone)  # it is no proof
    assert "says that this device" not in problems(ana) + problems(kai)
    phone.run("restore", "--yes", "--phrase-in", str(ana.words()), "--from", kai.ticket(),
              "--device", "phone 2")
    phone.run("post", "found again")
    eventually(lambda: "found again" in texts(ana) & texts(kai), "the new device")
    for home in (ana, kai, phone):
        eventually(lambda: not [text for text in texts(home) if "thief" in text], home.path.name)
    eventually(lambda: "sealed after the theft" in texts(phone), "what was sealed meanwhile")


def test_since_hides_what_arrived_later_everywhere(three):
    ana, phone, kai = three
    phone.run("post", "before")
    eventually(lambda: "before" in texts(ana) & texts(kai), "it arrives")
    arrived = [row for row in ana.rows("timeline", "-n", "50") if row["text"] == "before"][0]["arrived"]
    eventually(lambda: time.time() >= seconds(arrived) + 1, "the next second")
    phone.run("post", "later, by somebody else")
    eventually(lambda: "later, by somebody else" in texts(ana) & texts(kai), "it arrives too")
    late = [row for row in ana.rows("timeline", "-n", "50") if row["text"].startswith("later")][0]
    assert late["arrived"] > arrived
    plan = ana.rows("device", "revoke", "phone", "--since", late["arrived"], "--dry-run")[0]
    assert plan["hidden"] >= 1
    ana.run("device", "revoke", "phone", "--since", late["arrived"], "--yes",
            "--phrase-in", str(ana.words()))
    for home in (ana, kai):
        eventually(lambda: "later, by somebody else" not in texts(home), "hidden")
        assert "before" in texts(home)


def test_only_the_own_words_do_it(three, new_home, tmp_path):
    ana, _, _ = three
    eve = new_home("eve")
    err = ana.run("device", "revoke", "phone", "--yes", "--phrase-in", str(eve.words()), status=None)
    assert "these words belong to somebody else" in err
    wrong = tmp_path / "wrong"
    words = ana.words().read_text().split()
    wrong.touch(mode=0o600)
    for text, why in [(" ".join(words[:23]), "there are 23 words, not 24"),
                      (" ".join([*words[:3], "nonsense", *words[4:]]), "word 4 is not on the list"),
                      (" ".join([words[1], words[0], *words[2:]]), "changed places")]:
        wrong.write_text(text)
        if words[0] == words[1]:
            continue
        assert why in ana.run("device", "rekey", "--phrase-in", str(wrong), status=None)
    wrong.chmod(0o644)
    assert "chmod 600" in ana.run("device", "rekey", "--phrase-in", str(wrong), status=77)
    assert "aloud device rekey" in ana.run("device", "rekey", "--phrase-in", str(eve.words()), status=None)
    assert "on another one of yours" in ana.run("device", "revoke", "laptop", status=None)
    assert devices(ana)["phone"]["state"] == ""
    assert "the 24 words are needed" in ana.run("device", "rekey", status=2)


def test_nothing_is_revoked_unasked_or_twice(three):
    ana, phone, kai = three
    words = ["--phrase-in", str(ana.words())]
    err = ana.run("device", "revoke", "phone", *words, status=77)
    assert "it was not confirmed" in err and "aloud device revoke phone --yes" in err
    assert devices(ana)["phone"]["state"] == ""
    phone.run("post", "one more")
    eventually(lambda: "one more" in texts(ana), "it arrives")
    before = [row for row in ana.rows("timeline") if row["text"] == "one more"][0]["arrived"]
    assert ana.rows("device", "revoke", "phone", "--yes", *words)[0]["generation"] == 2
    for more in ([], ["--dry-run"], ["--since", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))]):
        assert "revoked already" in ana.run("device", "revoke", "phone", "--yes", *words, *more,
                                            status=1)
    done = ana.rows("device", "revoke", "phone", "--since", before, "--yes", *words)[0]
    assert done["hidden"] >= 1 and done["generation"] == 3
    eventually(lambda: "one more" not in texts(ana), "it is cut off after all")
    assert "revoked already" in ana.run("device", "revoke", "phone", "--since", before, "--yes",
                                        *words, status=1)
    eventually(lambda: "one more" not in texts(kai), "and at kai's")


def test_rekey_at_a_terminal(three):
    ana, phone, _ = three
    words = ana.words().read_text().split()
    t = ana.at_terminal("device", "rekey")
    t.expect("word 1 and on: ")
    t.type(" ".join([*words[:10], "xylophon", *words[11:20]]))
    t.expect("word 21 and on: ")
    t.type(" ".join(words[20:]))
    t.expect("Word 11 is not on the list")
    t.expect("word 11: ")
    t.type(words[10])
    t.expect("a new reading key, number 2. What is sealed for you from now on, these 2 devices")
    assert t.end() == 0
    ana.run("post", "--to", "me", "with the new key")
    eventually(lambda: "with the new key" in texts(phone), "the phone reading it")
    phone.run("post", "--to", "me", "and back")
    eventually(lambda: "and back" in texts(ana), "the laptop reading it")


def test_a_key_that_is_missing_is_told_and_mended(three, new_home):
    ana, _, kai = three
    ana.run("device", "rekey", "--phrase-in", str(ana.words()))
    ana.run("post", "--to", "me", "sealed with the second key")
    eventually(lambda: ana.rows("status")[0]["alone"] == 0, "kai holding it")
    tablet = new_home("tablet", init=False)
    tablet.run("restore", "--phrase-in", str(ana.words()))  # without a peer: the first key
    tablet.run("join", kai.ticket())
    eventually(lambda: "was not given your newest reading key" in problems(tablet), "the problem")
    assert "sealed with the second key" not in texts(tablet)
    tablet.run("device", "rekey", "--phrase-in", str(ana.words()))
    eventually(lambda: "sealed with the second key" in texts(tablet), "reading it after all")
    assert "reading key" not in problems(tablet)
    ana.run("post", "--to", "me", "sealed with the third key")
    eventually(lambda: "sealed with the third key" in texts(tablet), "the third key")
