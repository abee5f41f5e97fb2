"""The program aloud with real nodes, as people use it."""

import os
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import ALOUD, eventually


def test_the_first_minute_is_init_post_and_read(home):
    posted = home.rows("post", "hello out there", "+first")[0]
    assert posted["audience"] == "network (anyone here)"
    row = home.rows("show", posted["id"][:8])[0]
    assert (row["text"], row["tags"]) == ("hello out there", ["first"])
    assert home.rows("status")[0]["name"] == "ana"
    assert {f["severity"] for f in home.rows("doctor")} <= {"ok", "note"}


def test_commands_at_once_start_one_node_and_all_succeed(home):
    home.run("node", "stop")
    posts = [home.start("post", f"at once {i}") for i in range(6)]
    for post in posts:
        _, err = post.communicate(timeout=60)
        assert post.returncode == 0, err
    assert sorted(home.texts()) == [f"at once {i}" for i in range(6)]


def test_a_killed_node_leaves_nothing_in_the_way_of_the_next(home):
    home.run("post", "before")
    os.kill(home.pid(), signal.SIGKILL)
    home.run("post", "after")
    assert sorted(home.texts()) == ["after", "before"]


def test_a_command_killed_before_its_answer_and_run_again_doubles_nothing(home):
    home.run("post", "warm")
    node = home.pid()
    os.kill(node, signal.SIGSTOP)
    post = home.start("post", "exactly once")
    eventually(lambda: any(d.stat().st_size > 0 for d in home.drafts()), "a draft")
    time.sleep(0.2)  # for the call to reach the socket; the test holds without it, too
    post.kill()
    post.communicate()
    os.kill(node, signal.SIGCONT)
    home.run("post", "exactly once")
    assert home.texts().count("exactly once") == 1
    assert home.drafts() == []


def test_a_command_killed_is_made_good_by_whatever_is_posted_next(home):
    home.run("post", "warm")
    node = home.pid()
    os.kill(node, signal.SIGSTOP)
    post = home.start("post", "cut off")
    eventually(lambda: any(d.stat().st_size > 0 for d in home.drafts()), "a draft")
    post.kill()
    post.communicate()
    os.kill(node, signal.SIGCONT)
    assert home.rows("status")[0]["problems"] != []
    home.run("post", "something else")
    assert sorted(home.texts()) == ["cut off", "something else", "warm"]


def test_a_node_killed_in_the_middle_of_posts_loses_and_doubles_nothing(home):
    home.run("post", "0")
    acknowledged = ["0"]
    for i in range(1, 13):
        post = home.start("post", str(i))
        if i % 3 == 0:
            os.kill(home.pid(), signal.SIGKILL)
        post.communicate(timeout=60)
        if post.returncode == 0:
            acknowledged.append(str(i))
        else:
            assert post.returncode == 75
    home.start("post", "--resend").communicate(timeout=60)
    texts = home.texts()
    assert set(acknowledged) <= set(texts)
    assert sorted(texts, key=int) == [str(i) for i in range(13)]
    assert home.drafts() == []


def test_two_people_meet_read_and_answer(new_home):
    ana, ben = new_home("ana"), new_home("ben")
    ana.run("post", "what ana wrote")
    ticket = ana.rows("invite")[0]["ticket"]
    met = ben.rows("join", ticket)[0]
    assert met["name"] == "ana" and met["connected"]
    assert ben.texts() == ["what ana wrote"]
    assert ben.run("join", ticket, "--pretty").startswith("You have met ana~")
    ben.run("reply", "@ana/last", "what ben answers")
    eventually(lambda: "what ben answers" in ana.texts(), "the answer")
    assert [r["depth"] for r in ana.rows("thread", "last")] == [0, 1]
    assert [p["state"] for p in ben.rows("peers")] == ["connected"]
    ben.run("profile", "edit", "--knows", "bikes")
    eventually(lambda: ana.rows("profile", "show", "ben")[0]["knows"] == "bikes", "the profile")


def test_whoever_is_blocked_is_not_told_and_no_longer_listed(new_home):
    ana, ben = new_home("ana"), new_home("ben")
    ben.run("join", ana.rows("invite")[0]["ticket"])
    ana.run("block", "ben")
    left = eventually(lambda: [p for p in ben.rows("peers") if p["state"] != "connected"])
    assert left[0]["why"] in ("", "stranger", "closed")
    ana.run("block", "ben", "--undo")
    ben.run("block", "ana")
    assert ben.run("peers") == ""


def test_tail_ends_when_nobody_reads_it_any_more(home):
    home.run("post", "the only one")
    tail = home.start("tail")
    assert "the only one" in tail.stdout.readline()
    tail.stdout.close()
    assert tail.wait(60) == 0
    tail.stderr.close()


def test_audience_default_decides_where_posts_go(home):
    (home.path / "config").write_text("audience.default = me\n")
    home.run("node", "restart")
    assert home.rows("post", "for me")[0]["to"] == "me"
    assert home.rows("post", "--to", "network", "for all")[0]["to"] == "network"


def test_a_wrong_configuration_is_found_before_there_is_an_identity(new_home, tmp_path):
    home = new_home("ana")
    home.run("node", "stop")
    home.path = tmp_path / "new"
    home.path.mkdir(mode=0o700)
    (home.path / "config").write_text("colour = red\n")
    words = str(tmp_path / "new.words")
    said = home.run("init", "--name", "ben", "--phrase-out", words, status=78)
    assert "config:1: unknown key 'colour'" in said
    assert [p.name for p in home.path.iterdir()] == ["config"] and not os.path.exists(words)


def test_a_directory_open_to_others_is_named_with_its_remedy(new_home, tmp_path):
    home = new_home("ana")
    home.run("node", "stop")
    home.path = tmp_path / "open"
    home.path.mkdir(mode=0o755)
    home.path.chmod(0o755)
    said = home.run("init", "--name", "ben", "--phrase-out", str(tmp_path / "w"), status=77)
    assert f"chmod 700 '{home.path}'" in said


def test_an_invite_of_somebody_away_is_queued(new_home):
    ana, ben = new_home("ana"), new_home("ben")
    ticket = ana.rows("invite")[0]["ticket"]
    ana.run("node", "stop")
    assert "keeps trying" in ben.run("join", ticket, "--timeout", "1", status=75)


def test_a_backup_is_a_whole_database_without_keys(home, tmp_path):
    home.run("post", "worth keeping")
    copy = tmp_path / "copy.db"
    home.run("backup", str(copy))
    with sqlite3.connect(copy) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    secrets = [p.read_bytes() for p in (home.path / "keys").iterdir() if p.stat().st_size >= 32]
    assert secrets and not any(s[:32] in copy.read_bytes() for s in secrets)
    assert "never replaces" in home.run("backup", str(copy), status=77)


def test_what_is_refused_is_said_in_words_and_leaves_the_text(home):
    said = home.run("reply", "0000000000", "to nobody", status=66)
    assert "there is no entry" in said
    assert home.drafts()[0].read_text() == "to nobody"
    assert "not an invite" in home.run("join", "aloud:nonsense", status=65)


def test_a_post_with_files_without_a_node_is_kept_and_its_command_posts_both(home, tmp_path):
    """The text waits for whoever wrote it, as the file may be another one by the next post."""
    home.run("node", "stop")
    config = home.path / "config"
    config.write_text("nonsense = 1\n")
    file = tmp_path / "it's here.txt"
    file.write_text("in the file")
    said = home.run("post", "with a file", "-a", str(file), status=78)
    assert "not posted" in said and "unknown key" in said
    (draft,) = home.drafts()
    assert draft.read_text() == "with a file"
    config.unlink()
    home.run("post", "something else")
    assert home.texts() == ["something else"] and home.drafts() == [draft]
    again = said.split("try: ")[1].strip()
    subprocess.run(again.replace("aloud", f"'{ALOUD}' --home '{home.path}'", 1), shell=True,
                   env=home.env, check=True, timeout=60)
    assert sorted(home.texts()) == ["something else", "with a file"]
    home.run("save", "last", "-o", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "in the file"


def refused(home, *words, text=None, status):
    """What a command said that was refused, and the drafts that are there then."""
    done = subprocess.run([ALOUD, "--home", home.path, *words], input=text or "",
                          capture_output=True, text=True, check=False, timeout=60, env=home.env)
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stderr, [draft.read_text() for draft in home.drafts()]


@pytest.mark.parametrize("options, status", [
    (["-a", "/no/such/file"], 66), (["--to", "circle:typo"], 66), (["--to", "nobody"], 2),
    (["--kind", "poem"], 2), (["--at", "never"], 2), (["-t", "a b"], 2)])
def test_what_was_piped_in_is_kept_when_an_option_is_refused(home, options, status):
    said, drafts = refused(home, "post", *options, text="only copy\n", status=status)
    assert drafts == ["only copy"] and "kept in" in said
    assert "aloud post <" not in said  # to whom?
    said, drafts = refused(home, "post", *options, "words", status=status)
    assert len(drafts) == 1  # these are with who typed them


def test_what_was_piped_into_a_reply_is_kept_when_an_option_is_refused(home):
    _, drafts = refused(home, "reply", "zzzz", "--to", "circle:typo", text="one\n", status=66)
    assert drafts == ["one"]
    _, drafts = refused(home, "edit", "zzzz", text="two\n", status=66)
    assert sorted(drafts) == ["one", "two"]


def test_what_is_suggested_has_the_readers_and_options_that_were_given(home):
    text = "x" * 40000
    said, _ = refused(home, "post", "--to", "me", "-t", "tag", "-k", "lesson", text=text, status=65)
    assert "aloud post --to me --kind lesson -t tag < " in said
