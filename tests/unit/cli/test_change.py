"""Changing one's mind with the program `aloud`: edit, retract, share, undo, held, drafts."""

import json

import pytest

from fake_node import KAI, Refused, entry_id, ref, row

YES = ("--yes",)


def resolving(node, **more):
    """The node finds one entry, with these fields, whatever is typed."""
    node.answers["resolve"] = {"rows": [row(7, **more)], "similar": []}


def posts(node):
    return [params for method, params in node.calls if method == "post"]


def test_edit_sends_the_whole_new_content(person, node):
    resolving(node, text="old #a", tags=["a", "kept"], kind="link",
              fields={"url": "https://a.example", "title": "A"})
    done = person.run("edit", "q7", "new #b", "-t", "more", "--json")
    assert done.returncode == 0, done.stderr
    (call,) = posts(node)
    assert call["entry"] == {"k": "edit", "of": ref(7), "text": "new #b", "url": "https://a.example",
                             "title": "A", "tags": ["b", "kept", "more"]}
    assert "to" not in call
    printed = json.loads(done.stdout)
    assert printed["kind"] == "edit" and printed["of"]
    assert person.drafts("") == []


def test_edit_can_change_only_the_tags(person, node):
    resolving(node, text="text", tags=["old", "wrong"])
    done = person.run("edit", "q7", "--untag", "wrong", "-t", "right")
    assert done.returncode == 0, done.stderr
    assert posts(node)[0]["entry"]["tags"] == ["old", "right"]
    assert posts(node)[0]["entry"]["text"] == "text"


def test_an_edit_that_changes_nothing_does_nothing(person, node, tmp_path):
    resolving(node, text="as it is", tags=["t"])
    done = person.run("edit", "q7", "as it is")
    assert done.returncode == 0 and "nothing changed" in done.stderr
    done = person.run("edit", "q7", "-e", env={"EDITOR": "true"})
    assert done.returncode == 0 and "nothing changed" in done.stderr
    assert posts(node) == [] and person.drafts("") == []
    assert tmp_path.exists()


def test_the_editor_shows_the_present_text(person, node, tmp_path):
    resolving(node, text="present text")
    seen = tmp_path / "seen"
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncp "$1" {seen}\nsed -i s/present/future/ "$1"\n')
    editor.chmod(0o755)
    done = person.run("edit", "q7", "-e", env={"EDITOR": str(editor)})
    assert done.returncode == 0, done.stderr
    assert seen.read_text().startswith("present text\n")
    assert posts(node)[0]["entry"]["text"] == "future text"
    assert person.drafts("") == []


@pytest.mark.parametrize("command", [("edit", "q7", "mine now"), ("retract", "q7", *YES),
                                     ("share", "q7", "--to", "web", *YES)])
def test_what_somebody_else_wrote_is_left_alone(person, node, command):
    resolving(node, mine=False, identity=KAI, name="kai")
    done = person.run(*command)
    assert done.returncode == 77
    assert "is an entry of kai" in done.stderr and "aloud reply" in done.stderr
    assert posts(node) == []


def test_a_text_for_an_entry_that_is_not_there_is_kept(person, node):
    node.answers["resolve"] = {"rows": [], "similar": []}
    done = person.run("edit", "zz", "precious words")
    assert done.returncode == 66
    (left,) = person.drafts(".md")
    assert left.read_text() == "precious words"


def test_a_refused_edit_keeps_its_text(person, node):
    resolving(node, text="old")

    def refuse(_):
        raise Refused(-10097, "not-found", "that entry was retracted already")

    node.answers["post"] = refuse
    done = person.run("edit", "q7", "precious words")
    assert done.returncode == 66 and "retracted already" in done.stderr
    (left,) = person.drafts(".md")
    assert left.read_text() == "precious words"


def test_retract_asks_and_says_what_it_cannot_do(person, node):
    resolving(node, text="should not have")
    done = person.run("retract", "q7", "--pretty")
    assert done.returncode == 77 and posts(node) == []
    words = " ".join(done.stdout.split())
    assert "copied" in words and "within a minute" in words
    assert "--yes" in done.stderr
    done = person.run("retract", "q7", "not mine", "to tell", *YES)
    assert done.returncode == 0, done.stderr
    assert posts(node)[0]["entry"] == {"k": "retract", "of": ref(7), "text": "not mine to tell"}


def test_a_retraction_waits_for_a_node_that_is_in_trouble(person, node):
    resolving(node, text="should not have")

    def busy(_):
        raise Refused(-10092, "disk-full", "the disk is full")

    whole = node.answers["post"]
    node.answers["post"] = busy
    assert person.run("retract", "q7", *YES).returncode == 75
    node.answers["post"] = whole
    assert person.run("post", "--resend").returncode == 0
    calls = posts(node)
    assert len({call["key"] for call in calls}) == 1 and calls[-1]["entry"]["k"] == "retract"


def test_share_shows_the_text_and_who_gains_it(person, node):
    resolving(node, text="exactly this", to="me", tags=["t"])
    node.answers["status"] = {"people": 12, "devices": 2}
    for words in (["--dry-run"], []):
        done = person.run("share", "q7", "--to", "network", "--pretty", *words)
        assert done.returncode == (0 if words else 77)
        assert "exactly this" in done.stdout and "12 known" in done.stdout
        assert posts(node) == []
    done = person.run("share", "q7", "--to", "network", *YES)
    assert done.returncode == 0, done.stderr
    (call,) = posts(node)
    assert call["entry"] == {"k": "share", "of": ref(7), "text": "exactly this", "tags": ["t"]}
    assert call["to"] == "network"


@pytest.mark.parametrize("before,then", [("network", "me"), ("network", "network"), ("web", "me")])
def test_share_goes_outward_only(person, node, before, then):
    resolving(node, to=before)
    done = person.run("share", "q7", "--to", then, *YES)
    assert done.returncode == 77 and posts(node) == []


def held(n, text, why=""):
    return {"n": n, "due": 1, "to": "network", "circle": "", "why": why,
            "entry": {"k": "note", "text": text}}


def test_undo_takes_the_newest_held_post_out_and_prints_it_once(person, node):
    node.answers["held"] = {"held": [held(3, "older"), held(4, "newest")]}
    node.answers["unhold"] = lambda params: {"to": "network", "entry": held(4, "newest")["entry"]}
    done = person.run("undo", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "newest"
    (call,) = [params for method, params in node.calls if method == "unhold"]
    assert call["n"] == 4 and len(call["key"]) == 16
    assert posts(node) == [] and person.drafts("") == []


def test_undo_without_anything_held_offers_to_retract_and_says_so(person, node):
    node.answers["held"] = {"held": []}
    resolving(node, text="it is out")
    done = person.run("undo", "--pretty")
    assert done.returncode == 77 and posts(node) == []
    assert "only retracted" in " ".join(done.stdout.split())
    assert person.run("undo", *YES).returncode == 0
    assert posts(node)[0]["entry"]["k"] == "retract"


def test_held_posts_are_listed_with_what_was_wrong(person, node):
    node.answers["held"] = {"held": [held(3, "one"), held(4, "two", "its thread is gone")]}
    rows = [json.loads(line) for line in person.run("held", "--json").stdout.splitlines()]
    assert [(r["held"], r["text"], r["why"]) for r in rows] == [
        (3, "one", ""), (4, "two", "its thread is gone")]
    assert "could not go out" in person.run("held", "--pretty").stdout


def test_a_post_that_is_held_says_so(person, node):
    node.answers["post"] = {"held": 9, "due": 1, "pos": 1, "to": "network", "people": 2,
                            "devices": 1}
    done = person.run("post", "wait", "--pretty")
    assert done.returncode == 0 and "held/9" in done.stdout and "aloud undo" in done.stdout
    assert json.loads(person.run("post", "again", "--json").stdout)["held"] == 9


def leave_two(person, node):
    """A draft that waits, and a text that was left."""
    whole = node.answers["post"]

    def full(_):
        raise Refused(-10092, "disk-full", "the disk is full")

    def refuse(_):
        raise Refused(-10045, "kind", "no")

    node.answers["post"] = refuse
    assert person.run("post", "left #here").returncode == 65
    node.answers["post"] = full
    assert person.run("post", "waits").returncode == 75
    node.answers["post"] = whole
    node.calls.clear()


def drafts(person):
    return {row["state"]: row for row in
            map(json.loads, person.run("drafts", "--json").stdout.splitlines())}


def test_drafts_are_listed_shown_sent_and_dropped(person, node):
    leave_two(person, node)
    found = drafts(person)
    assert found["waits"]["text"] == "waits" and found["left"]["text"] == "left #here"
    name = found["left"]["draft"]
    assert "left #here" in person.run("drafts", "show", name[:-1], "--pretty").stdout
    done = person.run("drafts", "send", found["waits"]["draft"])
    assert done.returncode == 0, done.stderr
    assert posts(node)[0]["entry"]["text"] == "waits"
    done = person.run("drafts", "send", name, "--to", "me")
    assert done.returncode == 0, done.stderr
    assert posts(node)[1]["entry"] == {"k": "note", "text": "left #here", "tags": ["here"]}
    assert posts(node)[1]["to"] == "me"
    assert person.drafts("") == [] and person.run("drafts").returncode == 1


def test_a_draft_is_dropped_only_when_one_says_so(person, node):
    leave_two(person, node)
    name = drafts(person)["left"]["draft"]
    assert person.run("drafts", "drop", name).returncode == 77
    assert person.run("drafts", "drop", "nothing").returncode == 66
    assert person.run("drafts", "drop", name, *YES).returncode == 0
    assert "left" not in drafts(person)


def circle(cid, name, owner, mine, members=4):
    return {"circle": bytes([cid]) * 16, "owner": owner, "name": name, "mine": mine,
            "member": True, "epoch": 1, "heads": 1, "warn": "",
            "members": [entry_id(i) for i in range(members)], "former": []}


def with_circles(node, *circles):
    node.answers["circles"] = {"circles": list(circles)}
    people = {"kai": (KAI, "kai"), "ana": (entry_id(50), "ana")}

    def person(params):
        for typed, (identity, name) in people.items():
            if params["who"] == typed or len(params["who"]) == 52 and identity == KAI:
                return {"people": [{"identity": identity, "name": name, "petname": "", "me": False}],
                        "similar": []}
        return {"people": [], "similar": []}

    node.answers["person"] = person


def test_a_post_goes_to_a_circle_by_its_name(person, node):
    with_circles(node, circle(1, "team", entry_id(50), True), circle(2, "team", KAI, False))
    assert person.run("post", "--to", "circle:team", "words").returncode == 0
    assert person.run("post", "--to", "circle:team@kai", "words too").returncode == 0
    mine, kais = posts(node)
    assert (mine["to"], mine["circle"], mine["owner"]) == ("circle", b"\1" * 16, entry_id(50))
    assert (kais["circle"], kais["owner"]) == (b"\2" * 16, KAI)


def test_a_circle_that_is_not_there_or_not_the_only_one_is_told(person, node):
    with_circles(node, circle(1, "team", KAI, False), circle(2, "team", entry_id(50), False))
    done = person.run("post", "--to", "circle:team", "words")
    assert done.returncode == 66 and "could be 2 circles" in done.stderr
    done = person.run("post", "--to", "circle:teem", "words")
    assert done.returncode == 66 and "no circle 'teem'" in done.stderr and "circle:team" in done.stderr
    done = person.run("post", "--to", "friends", "words")
    assert done.returncode == 2 and "circle:NAME" in done.stderr
    assert posts(node) == []


def test_fetch_asks_for_what_is_missing_until_nothing_more_comes(person, node):
    """The thread of 7 lacks 6, whose coming shows that 5 is missing, which nobody has."""
    here = {7}

    def thread(_):
        missing = [ref(min(here) - 1)] if min(here) > 4 else []
        return {"root": entry_id(1), "rows": [row(n) for n in sorted(here)], "missing": missing,
                "more": False}

    def fetch(params):
        n = params["ref"][2]
        if n == 6:
            here.add(n)
        return {"found": n == 6, "asked": 3}

    resolving(node)
    node.answers.update(thread=thread, fetch=fetch, replies=lambda _: {"found": 2, "asked": 3})
    done = person.run("fetch", "q7", "--json")
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["asked"], got["entries"], got["replies"], got["missing"]) == (3, 1, 4, 1)
    done = person.run("thread", "q7", "--fetch")
    assert done.returncode == 0 and "asked 3 peers" in done.stderr
    assert "1 still missing" in done.stderr


def known(node, **names):
    """People by the names they are typed with, each with two devices, one of them revoked."""
    ids = {name: bytes([n]) * 32 for name, n in names.items()}

    def person(params):
        found = [(i, n) for n, i in ids.items() if params["who"] == n] or \
                [(i, n) for n, i in ids.items() if params["who"] == text_of(i)]
        return {"people": [{"identity": i, "name": n, "petname": n, "me": n == "ana"}
                           for i, n in found], "similar": ["kai"]}

    def profile(params):
        name = {i: n for n, i in ids.items()}[params["identity"]]
        return {"identity": params["identity"], "name": name, "petname": name, "me": name == "ana",
                "devices": [{"device": bytes(32), "name": "a", "revoked": False},
                            {"device": bytes(32), "name": "b", "revoked": True}]}

    node.answers.update(person=person, profile=profile)
    return ids


def text_of(raw):
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    bits = int.from_bytes(raw, "big") << 4
    return "".join(alphabet[bits >> 5 * (51 - i) & 31] for i in range(52))


def team(ids, mine=True, former=()):
    return {"circle": b"\7" * 16, "owner": ids["ana" if mine else "kai"], "name": "team",
            "mine": mine, "member": True, "epoch": 3, "heads": 1, "warn": "",
            "members": [ids["ana"], ids["kai"]], "former": [ids[name] for name in former]}


def calls_of(node, method):
    return [params for name, params in node.calls if name == method]


def test_circle_new_names_its_members(person, node):
    ids = known(node, ana=1, kai=2, noor=3)
    node.answers["circles"] = {"circles": []}

    def new(params):
        node.answers["circles"] = {"circles": [team(ids)]}
        return {"circle": b"\7" * 16, "owner": ids["ana"], "epoch": 1, "pos": 9}

    node.answers["circle_new"] = new
    done = person.run("circle", "new", "team", "kai", "noor", "kai", "--pretty")
    assert done.returncode == 0, done.stderr
    assert "circle:team (2)" in done.stdout and "kai and noor can read" in done.stdout
    (call,) = calls_of(node, "circle_new")
    assert call["name"] == "team" and call["members"] == [ids["kai"], ids["noor"]]
    assert len(call["key"]) == 16
    assert "already" in person.run("circle", "new", "team").stderr
    for bad in ("a b", "team@kai", "a:b", "x" * 65):
        assert person.run("circle", "new", bad).returncode == 2
    assert len(calls_of(node, "circle_new")) == 1


def test_circle_show_lists_exactly_who_can_read(person, node):
    ids = known(node, ana=1, kai=2, noor=3)
    node.answers["circles"] = {"circles": [team(ids, former=["noor"])]}
    rows = list(map(json.loads, person.run("circle", "show", "team", "--json").stdout.splitlines()))
    assert [(r["name"], r["standing"], r["identity"], r["devices"]) for r in rows] == [
        ("you", "owner", text_of(ids["ana"]), 1), ("kai", "member", text_of(ids["kai"]), 1),
        ("noor", "former", text_of(ids["noor"]), 1)]
    shown = person.run("circle", "show", "circle:team", "--pretty").stdout
    assert text_of(ids["kai"]) in shown.replace(" ", "") and "before they left" in shown


def test_circle_show_begins_with_the_owner_and_you_and_goes_on_by_name(person, node):
    ids = known(node, ana=9, Noor=2, kai=8, lin=3, Zoe=1)
    circle = {**team(ids, mine=False, former=["lin", "Zoe", "Noor"]), "members": list(ids.values())}
    node.answers["circles"] = {"circles": [circle]}
    rows = list(map(json.loads, person.run("circle", "show", "team", "--json").stdout.splitlines()))
    assert [r["name"] for r in rows] == ["kai", "you", "lin", "Noor", "Zoe", "lin", "Noor", "Zoe"]
    shown = person.run("circle", "show", "team", "--pretty").stdout.split("before they left")[0]
    assert sorted(ids, key=lambda n: shown.index("you" if n == "ana" else n)) == [
        "kai", "ana", "lin", "Noor", "Zoe"]


def test_device_ls_begins_with_this_one_and_goes_on_as_they_came(person, node):
    devices = [(4, "phone", 300, False), (3, "laptop", 100, False), (2, "desk", 200, True),
               (1, "tablet", 300, False)]
    node.answers["devices"] = {"generation": 1, "unsafe": False, "copy": False, "devices": [
        {"device": bytes([n]) * 32, "name": name, "this": this, "revoked": False,
         "created": created, "logs": 1, "entries": 1, "last": 0}
        for n, name, created, this in devices]}
    rows = list(map(json.loads, person.run("device", "ls", "--json").stdout.splitlines()))
    assert [r["name"] for r in rows] == ["desk", "laptop", "tablet", "phone"]


def test_circle_changes_say_what_they_do_not_do(person, node):
    ids = known(node, ana=1, kai=2, noor=3)
    node.answers["circles"] = {"circles": [team(ids)]}
    node.answers["circle_change"] = {"epoch": 4, "pos": 9}
    plain = person.run("circle", "add", "team", "noor", "--pretty").stdout
    assert "nothing that was posted before" in " ".join(plain.split())
    assert person.run("circle", "add", "team", "noor", "--with-history").returncode == 0
    removed = person.run("circle", "remove", "team", "kai", "--pretty").stdout
    assert "before stays readable" in " ".join(removed.split())
    assert person.run("circle", "rename", "team", "crew").returncode == 0
    changes = [{k: v for k, v in call.items() if k != "key"}
               for call in calls_of(node, "circle_change")]
    cid = {"circle": b"\7" * 16}
    assert changes == [{**cid, "add": [ids["noor"]]}, {**cid, "add": [ids["noor"]], "history": True},
                       {**cid, "remove": [ids["kai"]]}, {**cid, "name": "crew"}]


def test_only_the_owner_changes_a_circle_and_only_the_others_leave(person, node):
    ids = known(node, ana=1, kai=2, noor=3)
    node.answers["circles"] = {"circles": [team(ids, mine=False)]}
    node.answers["circle_leave"] = {"pos": 9}
    for words in (("add", "team", "noor"), ("remove", "team", "noor"), ("rename", "team", "x")):
        done = person.run("circle", *words)
        assert done.returncode == 77 and "circle show circle:team@kai" in done.stderr
    assert person.run("circle", "leave", "team").returncode == 77
    assert person.run("circle", "leave", "team@kai", *YES).returncode == 0
    (call,) = calls_of(node, "circle_leave")
    assert (call["circle"], call["owner"]) == (b"\7" * 16, ids["kai"])
    node.answers["circles"] = {"circles": [team(ids)]}
    assert "your own circle" in person.run("circle", "leave", "team", *YES).stderr
    assert calls_of(node, "circle_change") == []


def test_circles_are_listed_with_their_owners(person, node):
    ids = known(node, ana=1, kai=2)
    node.answers["circles"] = {"circles": [team(ids), team(ids, mine=False)]}
    rows = list(map(json.loads, person.run("circle", "ls", "--json").stdout.splitlines()))
    assert [(r["circle"], r["members"], r["standing"]) for r in rows] == [
        ("circle:team", 2, "owner"), ("circle:team@kai", 2, "member")]
    node.answers["circles"] = {"circles": []}
    assert person.run("circle").returncode == 1
    assert person.run("circle", "dance").returncode == 2
