"""Commands about people and about the node, with a node that is only a socket."""

import json
import subprocess

import pytest

from fake_node import AUTHOR, KAI, Refused, row

KAI_ID = "cnjprt38d9mprvkfdxr72wkme9tpev3herxqaykm7hx7k03hg24g"[:52]


def person_row(identity=KAI, name="kai", **more):
    return {"identity": identity, "name": name, "petname": "", "me": False, **more}


@pytest.fixture(autouse=True)
def know_kai(node):
    node.answers["person"] = {"people": [person_row()], "similar": []}
    node.answers["relate"] = {"pos": 1}


@pytest.mark.parametrize("command, relation, value", [
    (["follow", "kai"], "follow", True),
    (["unfollow", "kai"], "follow", False),
    (["admit", "kai"], "admit", True),
    (["admit", "kai", "--undo"], "admit", False),
    (["block", "kai"], "block", True),
    (["block", "--undo", "kai"], "block", False),
])
def test_a_relation_is_one_choice_with_a_key(person, node, command, relation, value):
    done = person.run(*command)
    assert done.returncode == 0, done.stderr
    params = node.named("relate")[0]
    assert (params["relation"], params["value"]) == (relation, value)
    assert params["identity"] == KAI and len(params["key"]) == 16


def test_block_says_what_it_does_and_what_it_does_not(person):
    said = " ".join(person.run("block", "kai", "--pretty").stdout.split())
    assert said.startswith("kai~") and "can't connect" in said and "They are not told" in said
    assert "stays with them" in said


def test_follow_as_gives_a_petname(person, node):
    assert person.run("follow", "kai", "--as", "lin").returncode == 0
    assert [p["value"] for p in node.named("relate")] == ["lin", True]


def test_nobody_has_relations_with_oneself(person, node):
    node.answers["person"] = {"people": [person_row(AUTHOR, me=True)], "similar": []}
    assert person.run("block", "me").returncode == 2
    assert node.named("relate") == []


def test_an_unknown_name_leads_to_similar_ones(person, node):
    node.answers["person"] = {"people": [], "similar": ["kai"]}
    done = person.run("follow", "kay")
    assert done.returncode == 66
    assert done.stderr == ("aloud: nobody called 'kay' here.\n  Did you mean kai?\n"
                           "  try: aloud people\n")


def test_a_name_of_several_people_lists_them(person, node):
    node.answers["person"] = {"people": [person_row(), person_row(AUTHOR)], "similar": []}
    done = person.run("follow", "kai")
    assert done.returncode == 66 and "could be 2 people" in done.stderr
    assert done.stderr.count("kai~") == 2


def test_a_whole_id_names_somebody_not_known_here(person, node):
    node.answers["person"] = {"people": [], "similar": []}
    done = person.run("follow", "@" + "0" * 51 + "g")
    assert done.returncode == 0, done.stderr
    assert len(node.named("relate")[0]["identity"]) == 32


def test_people_are_a_table_for_people_and_rows_for_pipes(person, node):
    node.answers["people"] = {"people": [
        {**person_row(following=True, admitted=True), "entries": 3, "last": 1700000000000,
         "blocked": False, "muted": False, "devices": 1},
        {**person_row(AUTHOR, "pit", me=True), "entries": 1, "last": 0, "devices": 2}]}
    rows = [line.split("\t") for line in person.run("people").stdout.splitlines()]
    assert [r[2] for r in rows] == ["kai", "pit"]
    assert rows[0][4:7] == ["following admitted", "3", "2023-11-14T22:13:20Z"]
    table = person.run("people", "--pretty").stdout.splitlines()
    assert table[1].startswith("kai~") and table[2].startswith("pit ")
    assert "\x1b" in person.run("people", "--pretty", "--color=always").stdout


def test_peers_say_who_how_far_and_why_not(person, node):
    node.answers["people"] = {"people": [person_row(petname="kai")]}
    node.answers["peers"] = {"peers": [
        {"device": KAI, "identity": KAI, "state": "ready", "address": "192.0.2.1:4747",
         "outgoing": True, "since": 1, "seen": 2, "behind": 5, "ahead": 0, "why": "", "next": 0},
        {"device": AUTHOR, "identity": AUTHOR, "state": "waiting", "address": "", "outgoing": True,
         "since": 0, "seen": 0, "behind": 0, "ahead": 0, "why": "timeout", "next": 9}]}
    rows = [json.loads(line) for line in person.run("peers", "--json").stdout.splitlines()]
    assert (rows[0]["who"], rows[0]["state"], rows[0]["behind"]) == ("kai", "connected", 5)
    assert (rows[1]["state"], rows[1]["why"]) == ("waiting", "timeout")


def test_an_invite_is_a_line_to_send(person, node):
    node.answers["invite"] = {"ticket": "aloud:abc", "expires": 1800000000}
    done = person.run("invite", "--uses", "3", "--expires", "2d")
    assert done.stdout == "aloud:abc\t2027-01-15T08:00:00Z\n"
    params = node.named("invite")[0]
    assert params["uses"] == 3 and params["expires"] > 1700000000
    assert person.run("invite", "--pretty").stdout.startswith("aloud join aloud:abc\n")
    assert person.run("invite", "--expires", "soon").returncode == 2
    assert person.run("invite", "--uses", "0").returncode == 2


@pytest.fixture(name="joinable")
def make_joinable(node):
    node.answers["join"] = {"identity": KAI, "device": AUTHOR}
    node.answers["peers"] = {"peers": [{"device": AUTHOR, "identity": KAI, "state": "ready"}]}
    node.answers["profile"] = {"identity": KAI, "name": "kai", "petname": "", "entries": 7}
    node.answers["wait"] = {"synced": True}
    node.answers["timeline"] = {"rows": [row(1, "what kai wrote", mine=False, name="kai")],
                                "pos": 1, "behind": 0}
    return node


def test_join_tells_whom_one_met_and_shows_what_comes(person, joinable):
    said = person.run("join", "aloud:abc", "--pretty").stdout
    assert "You have met kai~" in said and "7 entries" in said and "what kai wrote" in said
    assert joinable.named("join")[0]["follow"] is True
    rows = person.run("join", "aloud:abc", "--no-follow").stdout.split("\t")
    assert rows[1:] == ["kai", "true", "7\n"]
    assert joinable.named("join")[1]["follow"] is False


def test_join_of_somebody_away_is_queued(person, joinable):
    joinable.answers["peers"] = {"peers": [{"device": AUTHOR, "identity": KAI, "state": "waiting",
                                            "why": "the other side did not answer in time"}]}
    done = person.run("join", "aloud:abc", "--timeout", "0")
    assert done.returncode == 75
    assert "did not answer in time. The node keeps trying." in done.stderr


def test_a_refused_invite_is_told_in_the_words_of_the_node(person, node):
    def refuse(_):
        raise Refused(-10069, "invite", "that invite expired 3 days ago", "aloud invite")
    node.answers["join"] = refuse
    done = person.run("join", "aloud:abc")
    assert done.returncode == 77
    assert done.stderr == "aloud: that invite expired 3 days ago.\n  try: aloud invite\n"


@pytest.fixture(name="own_profile")
def make_own_profile(node):
    node.answers["status"] = {"identity": AUTHOR}
    node.answers["profile"] = {"identity": AUTHOR, "name": "pit", "petname": "", "me": True,
                               "about": "one\ntwo", "working": "a node", "wants": "", "knows": "",
                               "entries": 1, "first": 0, "last": 0}
    return node


def test_profile_edit_changes_what_is_given_and_keeps_the_rest(person, own_profile):
    done = person.run("profile", "edit", "--wants", "FTS5", "--working", "")
    assert done.returncode == 0, done.stderr
    params = own_profile.named("post")[0]
    assert params["to"] == "network"
    assert params["entry"] == {"k": "profile", "name": "pit", "about": "one\ntwo", "wants": "FTS5"}


def test_profile_edit_reads_its_form_from_stdin(person, own_profile):
    form = "name: pit\nworking on: sync\nwants to learn:\nknows: C\n\nI ride.\nknows: not a field\n"
    assert person.run("profile", "edit", text=form).returncode == 0
    assert own_profile.named("post")[0]["entry"] == {
        "k": "profile", "name": "pit", "working": "sync", "knows": "C",
        "about": "I ride.\nknows: not a field"}


def test_a_profile_that_stays_the_same_is_not_posted(person, own_profile):
    done = person.run("profile", "edit", "--name", "pit")
    assert done.returncode == 0 and "Nothing has changed." in done.stderr
    assert own_profile.named("post") == [] and person.drafts("") == []


def test_a_profile_without_a_name_is_refused_and_kept(person, own_profile):
    done = person.run("profile", "edit", text="working on: sync\n")
    assert done.returncode == 65 and own_profile.named("post") == []
    assert len(person.drafts(".md")) == 1


STATUS = {"identity": AUTHOR, "device": KAI, "name": "pit", "agent": "aloudd/0", "started": 1,
          "entries": 5, "own_entries": 2, "logs": 1, "people": 3, "following": 2, "devices": 1,
          "peers": 1, "listening": ["192.0.2.1:4747"], "listen_error": "", "pos": 1, "behind": 0,
          "alone": 0, "phrase_confirmed": True, "network": "public", "problems": []}


def test_status_is_five_lines_when_all_is_well(person, node):
    node.answers["status"] = STATUS
    node.answers["views_status"] = {"pos": 1, "behind": 0, "safe_mode": False}
    done = person.run("status", "--pretty", "--check")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5


def test_status_begins_with_problems_and_check_fails(person, node):
    node.answers["status"] = {**STATUS, "problems": [
        {"code": "x", "text": "the port is taken", "try": "aloud config set listen :4748"}]}
    node.answers["views_status"] = {"pos": 1, "behind": 7, "safe_mode": False}
    done = person.run("status", "--pretty")
    assert done.returncode == 0
    assert done.stdout.startswith("! the port is taken\n  try: aloud config set listen :4748\n! ")
    assert person.run("status", "--check").returncode == 1


def test_backup_never_replaces_a_file_and_is_whole_or_not_there(person, node, tmp_path):
    data = bytes(range(256)) * 1000
    node.answers["backup"] = {"handle": 4, "size": len(data)}
    node.answers["backup_read"] = lambda p: {"data": data[p["offset"]:p["offset"] + 100000],
                                             "last": p["offset"] + 100000 >= len(data)}
    target = tmp_path / "copy.db"
    assert person.run("backup", str(target)).returncode == 0
    assert target.read_bytes() == data and target.stat().st_mode & 0o777 == 0o600
    assert person.run("backup", str(target)).returncode == 77

    def broken(_):
        raise Refused(-10091, "io", "reading or writing the disk failed")
    node.answers["backup_read"] = broken
    assert person.run("backup", str(tmp_path / "other.db")).returncode == 74
    assert list(tmp_path.glob("other*")) == []


@pytest.mark.parametrize("severity, status", [(None, 0), ("note", 0), ("warning", 1),
                                              ("error", 65)])
def test_doctor_ends_with_what_it_found(person, node, severity, status):
    findings = [{"code": "fork", "severity": severity, "text": "kai's log forks", "try": "x"}]
    node.answers["doctor"] = {"findings": findings if severity else [], "entries": 9, "logs": 2}
    done = person.run("doctor", "--pretty")
    assert done.returncode == status
    assert "9 entries in 2 logs checked" in done.stdout


def test_node_status_and_version_start_nothing(person, node):
    node.answers["hello"] = {"v": 1, "agent": "aloudd/9", "pid": 77}
    assert person.run("node", "status").stdout == "true\taloudd/9\t77\n"
    assert person.run("version", "--json=node").stdout == '{"v":1,"node":"aloudd/9"}\n'
    node.leave()
    assert person.run("node", "status").returncode == 69
    assert person.run("node", "stop").returncode == 0
    assert not (person.home / "started").exists()


def test_node_logs_are_the_last_lines_made_safe(person):
    (person.home / "state").mkdir()
    (person.home / "state" / "aloudd.log").write_text("one\ntwo\n\x1b[2Jthree\n", encoding="utf-8")
    assert person.run("node", "logs", "-n", "2").stdout == "two\n\ufffd[2Jthree\n"


def test_init_runs_aloudd_and_reports_what_it_made(person, node, tmp_path):
    (person.home / "keys").rmdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aloudd").write_text(
        f"#!/bin/sh\necho \"$@\" > {tmp_path}/said\nmkdir {person.home}/keys\n")
    (programs / "aloudd").chmod(0o755)
    node.answers["status"] = STATUS
    done = person.run("init", "--name", "pit", "--phrase-out", "w",
                      env={"PATH": f"{programs}:/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "said").read_text() == (
        f"init --name pit --phrase-out w --home {person.home}\n")
    assert done.stdout.split("\t")[2] == "pit"
    assert person.run("init").returncode != 0


def test_confirm_asks_before_it_notes_that_the_words_are_safe(person, node):
    assert person.run("init", "--confirm").returncode == 1
    assert node.named("confirm_phrase") == []
    assert person.run("init", "--confirm", "--yes").returncode == 0
    assert len(node.named("confirm_phrase")) == 1


def test_a_reader_that_leaves_early_is_no_error(person, node):
    node.answers["people"] = {"people": [person_row() for _ in range(5000)]}
    with subprocess.Popen(person.command("people"), stdout=subprocess.PIPE, env=person.env,
                          stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_full_disk_under_the_output_is_told(person, node):
    node.answers["people"] = {"people": [person_row()]}
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(person.command("people"), stdout=full, stderr=subprocess.PIPE,
                              env=person.env, check=False, timeout=30)
    assert done.returncode == 74 and b"disk is full" in done.stderr
