"""The program `aloud` as people and scripts meet it, with a node that is only a socket."""

import json
import os
import pathlib
import subprocess
import threading

from conftest import ALOUD
from fake_node import Refused, row

def test_unknown_command_leads_to_the_one_that_was_meant(person):
    done = person.run("tiemline")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Did you mean timeline?" in done.stderr


def test_options_of_every_command_stand_anywhere(person):
    first = person.run("--json=name", "paths")
    assert first.returncode == 0
    assert first.stdout == person.run("paths", "--json=name").stdout
    assert json.loads(first.stdout.splitlines()[0]) == {"v": 1, "name": "data"}


def test_unknown_field_names_those_there_are(person):
    done = person.run("paths", "--json=colour")
    assert done.returncode == 2
    error = json.loads(done.stderr)["error"]
    assert "colour" in error["what"] and "name, path" in error["why"]


def test_a_field_that_is_not_there_is_refused_before_anything_is_done(person, node):
    done = person.run("post", "--json=id,colour", "only once")
    assert done.returncode == 2
    assert "colour" in json.loads(done.stderr)["error"]["what"]
    assert node.calls == [] and person.drafts("") == []


def test_version_is_an_option_as_well(person):
    expected = person.run("version").stdout
    for words in (["--version"], ["-V"], ["post", "--version"]):
        done = person.run(*words)
        assert (done.returncode, done.stdout) == (0, expected), words


def test_a_mistyped_option_leads_to_the_one_that_was_meant(person):
    done = person.run("timeline", "--form", "kai")
    assert done.returncode == 2 and "Did you mean --from?" in done.stderr


def test_help_keeps_to_the_width(person):
    for words in (["help"], ["help", "--help"], ["reply", "--help"], ["log", "--help"]):
        for columns in (40, 80):
            done = person.run(*words, env={"COLUMNS": str(columns)})
            text = done.stdout.split("\nExamples\n")[0]
            assert done.returncode == 0
            assert max(map(len, text.splitlines())) <= columns, (words, columns)


def test_what_has_happened_is_not_still_to_come(person, node):
    done = person.run("post", "--at", "2999-01-01", "flying cars")
    assert done.returncode == 2 and "still to come" in done.stderr
    assert node.calls == []


def test_every_command_has_help_with_examples(person):
    overview = person.run("help").stdout
    names = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    assert "post" in names
    for name in names:
        done = person.run(name, "--help")
        assert done.returncode == 0 and f"  aloud {name}" in done.stdout, name


def test_post_is_one_call_and_leaves_no_draft(person, node):
    done = person.run("post", "one", "+tag", "two #Other", "-t", "third")
    assert done.returncode == 0, done.stderr
    assert [name for name, _ in node.calls] == ["post"]
    params = node.named("post")[0]
    assert params["entry"] == {"k": "note", "tags": ["other", "tag", "third"],
                               "text": "one two #Other"}
    assert "to" not in params and len(params["key"]) == 16
    assert done.stdout.split("\t")[1:4] == ["note", "network", "network (anyone here; 12 known)"]
    assert person.drafts("") == []


def test_post_takes_stdin_and_a_date(person, node):
    done = person.run("post", "--to", "me", "--at", "2026-11-02T10:00:00Z", text="\n first\n\nx\n\n")
    assert done.returncode == 0, done.stderr
    entry = node.named("post")[0]["entry"]
    assert entry["text"] == " first\n\nx"
    assert entry["at"] == 1793613600000


def test_a_command_killed_before_its_answer_and_run_again_doubles_nothing(person, node):
    node.hang_up_after = "post"
    assert person.run("post", "once").returncode == 75
    assert len(person.drafts(".draft")) == 1
    node.hang_up_after = None
    done = person.run("post", "once")
    assert done.returncode == 0, done.stderr
    assert len({params["key"] for params in node.named("post")}) == 1
    assert person.drafts("") == []


def test_a_node_that_ends_during_a_call_is_asked_again_with_the_same_key(person, node):
    node.hang_up_once = "post"
    assert person.run("post", "twice asked").returncode == 0
    assert len(node.named("post")) == 2
    assert len({params["key"] for params in node.named("post")}) == 1


def test_the_same_text_twice_on_purpose_is_posted_twice(person, node):
    assert person.run("post", "again").returncode == 0
    assert person.run("post", "again").returncode == 0
    assert len({params["key"] for params in node.named("post")}) == 2


def test_what_waits_is_sent_by_the_next_post_with_its_key(person, node):
    node.hang_up_after = "post"
    person.run("post", "first")
    node.hang_up_after = None
    done = person.run("post", "second")
    assert done.returncode == 0 and "first" in done.stderr
    texts = [(p["entry"]["text"], p["key"]) for p in node.named("post")]
    assert [t for t, _ in texts][-1] == "second"
    assert {t for t, _ in texts[:-1]} == {"first"} and len({k for _, k in texts[:-1]}) == 1
    assert person.drafts("") == []


def test_resend_sends_what_waits_and_says_when_nothing_does(person, node):
    node.hang_up_after = "post"
    person.run("post", "waiting")
    node.hang_up_after = None
    assert person.run("post", "--resend").returncode == 0
    assert person.run("post", "--resend").returncode == 1


def test_no_node_to_be_had_keeps_the_text_and_says_where(person):
    done = person.run("post", "kept", env={"PATH": "/nowhere"})
    assert done.returncode == 75
    draft = person.drafts(".draft")[0]
    assert str(draft) in done.stderr and "aloud post --resend" in done.stderr
    assert draft.read_text(encoding="utf-8").startswith("kept\n")
    assert draft.stat().st_mode & 0o777 == 0o600


def test_a_refused_text_is_kept_as_it_was(person, node):
    def refuse(_):
        raise Refused(-10046, "audience", "that audience is not possible", "aloud help post")
    node.answers["post"] = refuse
    done = person.run("post", "--json", "my words")
    assert done.returncode == 77
    error = json.loads(done.stderr)["error"]
    assert error["name"] == "audience" and error["try"] == "aloud help post"
    assert person.drafts(".draft") == []
    assert person.drafts(".md")[0].read_text(encoding="utf-8") == "my words"


def test_a_full_disk_at_the_node_lets_the_draft_wait(person, node):
    def full(_):
        raise Refused(-10092, "disk-full", "the disk is full")
    node.answers["post"] = full
    done = person.run("post", "patience")
    assert done.returncode == 75 and "disk is full" in done.stderr
    assert len(person.drafts(".draft")) == 1


def test_no_identity_says_how_to_make_one(person):
    (person.home / "keys").rmdir()
    done = person.run("post", "too early")
    assert done.returncode == 78
    assert done.stderr.startswith("aloud: no identity on this machine yet.\n")
    assert done.stderr.endswith("  try: aloud init   (or: aloud restore)\n")


def test_text_that_is_too_long_or_no_utf8_is_refused_before_it_is_sent(person, node):
    assert person.run("post", text="x" * 32769).returncode == 65
    broken = subprocess.run(person.command("post"), input=b"\xff\xfe broken", env=person.env,
                            capture_output=True, check=False, timeout=30)
    assert broken.returncode == 65
    assert node.calls == []
    assert len(person.drafts(".md")) == 2


def test_two_clients_start_one_node_and_both_succeed(person, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    fake = pathlib.Path(__file__).with_name("fake_node.py")
    (programs / "aloudd").write_text(f"#!/bin/sh\nexec /usr/bin/python3 {fake} \"$@\"\n")
    (programs / "aloudd").chmod(0o755)
    (programs / "aloud").symlink_to(ALOUD)
    env = {"PATH": f"{programs}:/usr/bin:/bin"}
    person.home.joinpath("socket").touch()  # stale: nobody listens
    statuses = []

    def post(text):
        statuses.append(person.run("post", text, env=env))

    threads = [threading.Thread(target=post, args=(t,)) for t in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started = (person.home / "started").read_text(encoding="ascii").split()
    for pid in started:
        os.kill(int(pid), 15)
    assert [s.returncode for s in statuses] == [0, 0], statuses
    assert len(started) == 1


def test_reply_names_its_parent_and_takes_the_audience_of_the_thread(person, node):
    node.answers["resolve"] = {"rows": [row(5)], "similar": []}
    done = person.run("reply", "q7", "indeed")
    assert done.returncode == 0, done.stderr
    assert [name for name, _ in node.calls] == ["resolve", "post"]
    params = node.named("post")[0]
    assert params["entry"] == {"k": "reply", "re": row(5)["ref"], "text": "indeed"}
    assert "to" not in params


def test_an_ambiguous_reference_lists_what_it_could_be(person, node):
    node.answers["resolve"] = {"rows": [row(1, "uv_close order"), row(2, "other")], "similar": []}
    done = person.run("reply", "q7", "to which one?")
    assert done.returncode == 66
    assert "'q7' could be 2 entries" in done.stderr and '"uv_close order"' in done.stderr
    assert person.drafts(".md")[0].read_text(encoding="utf-8") == "to which one?"


def test_editor_text_is_posted_without_the_remark(person, node, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'from the editor #x\\n' | cat - \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n")
    editor.chmod(0o755)
    done = person.run("post", "-e", "and words", env={"EDITOR": str(editor), "VISUAL": ""})
    assert done.returncode == 0, done.stderr
    assert node.named("post")[0]["entry"]["text"] == "from the editor #x\nand words"
    assert person.drafts("") == []


def test_an_editor_that_fails_leaves_the_text(person, node):
    done = person.run("post", "-e", "not yet", env={"EDITOR": "false", "VISUAL": ""})
    assert done.returncode == 1
    assert node.named("post") == []
    assert person.drafts(".md")[0].read_text(encoding="utf-8").startswith("not yet")


def test_an_editor_that_was_never_there_leaves_nothing(person, node):
    done = person.run("post", "-e", env={"EDITOR": "/nowhere/vi", "VISUAL": ""})
    assert done.returncode == 1 and "VISUAL or EDITOR" in done.stderr
    assert node.named("post") == [] and person.drafts("") == []


def test_ids_of_a_listing_are_as_long_as_the_longest_needs(person, node):
    node.answers["timeline"] = {"rows": [row(1, short=4), row(2, short=7, kind="question")]}
    lines = person.run("timeline", "--pretty").stdout.splitlines()
    heads = [line.split("  ") for line in lines if "you  network" in line]
    assert [len(head[1]) for head in heads] == [9, 9]


def test_words_from_the_node_cannot_steer_the_terminal(person, node):
    def evil(_):
        raise Refused(-10046, "audience", "\x1b]0;gotcha\x07 \u202eevil", "\x1b[2J")
    node.answers["post"] = evil
    done = person.run("post", "x")
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr and "\u202e" not in done.stderr
