"""Importing git histories: everything comes in once, with its date, whatever the commits hold."""

import os
import signal
import subprocess

import pytest

from conftest import eventually

ADA, KAI = "ada@example.org", "kai@example.org"


class Repo:
    def __init__(self, path):
        self.path = path
        self.time = 1_600_000_000
        path.mkdir()
        self.git("init", "-q")
        self.git("config", "user.email", ADA)
        self.git("config", "user.name", "Ada")

    def git(self, *words, **more):
        env = {**os.environ, "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", **more}
        return subprocess.run(["git", "-C", self.path, *words], check=True, env=env,
                              capture_output=True).stdout

    def commit(self, message, email=ADA, time=None):
        self.time += 1000
        when = f"@{self.time if time is None else time} +0100"
        self.git("commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim",
                 "-m", message, GIT_AUTHOR_EMAIL=email, GIT_AUTHOR_NAME="N", GIT_AUTHOR_DATE=when,
                 GIT_COMMITTER_EMAIL=email, GIT_COMMITTER_NAME="N", GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD").decode().strip()

    def stream(self, count, text=b"a message"):
        """Many commits at once."""
        out = []
        for i in range(count):
            self.time += 60
            who = f"N <{ADA}> {self.time} +0000".encode()
            message = b"change %d\n\n%s" % (i, text)
            out.append(b"commit refs/heads/master\nauthor %s\ncommitter %s\ndata %d\n%s\n"
                       % (who, who, len(message), message))
        subprocess.run(["git", "-C", self.path, "fast-import", "--quiet"], input=b"".join(out),
                       check=True)
        self.git("symbolic-ref", "HEAD", "refs/heads/master")


@pytest.fixture(name="repo")
def make_repo(tmp_path):
    return Repo(tmp_path / "project")


def imported(home):
    rows = home.rows("log")
    return [r for r in reversed(rows) if r["src"]]


def test_own_commits_come_in_with_date_message_and_name(home, repo):
    first = repo.commit("base: first\n\nBecause of it.\n")
    repo.commit("somebody else's", email=KAI)
    second = repo.commit("cli: second")
    (said,) = home.rows("import", "git", str(repo.path))
    assert (said["commits"], said["added"], said["known"], said["to"]) == (2, 2, 0, "me")
    rows = imported(home)
    assert [r["src"] for r in rows] == [f"git:{first}", f"git:{second}"]
    assert [r["text"] for r in rows] == ["base: first\n\nBecause of it.", "cli: second"]
    assert [r["at"] for r in rows] == ["2020-09-13T12:43:20Z", "2020-09-13T13:16:40Z"]
    assert all(r["tags"] == ["project"] and r["to"] == "me" and r["kind"] == "note" for r in rows)


def test_what_is_known_is_not_added_again(home, repo):
    repo.commit("one")
    home.run("import", "git", str(repo.path))
    repo.commit("two")
    (said,) = home.rows("import", "git", str(repo.path))
    assert (said["added"], said["known"]) == (1, 1)
    home.run("node", "stop")
    (said,) = home.rows("import", "git", str(repo.path), "--all")
    assert (said["added"], said["known"]) == (0, 2)
    assert [r["text"] for r in imported(home)] == ["one", "two"]


def test_authors_tags_and_audience_follow_the_options(home, repo):
    repo.commit("mine")
    repo.commit("kai's", email=KAI)
    (said,) = home.rows("import", "git", str(repo.path), "--author", "kai@", "-t", "work",
                        "--to", "network")
    assert said["added"] == 1
    (row,) = imported(home)
    assert (row["text"], row["tags"], row["to"]) == ("kai's", ["project", "work"], "network")
    home.run("import", "git", str(repo.path), "--all", "--author", "kai", status=2)
    home.run("import", "git", str(repo.path), "--to", "nobody", status=2)
    home.run("import", "svn", status=2)


def test_the_name_is_that_of_the_origin(home, repo):
    repo.git("remote", "add", "origin", "git@example.org:team/Aloud.git")
    repo.commit("one")
    (said,) = home.rows("import", "git", str(repo.path))
    assert said["tags"] == ["aloud"]


def test_hostile_commits_come_in_harmless(home, repo):
    long_text = "ä" * 40_000
    repo.commit("\x1b]0;title\x07\x1b[2J\u202eevil")
    repo.commit("")
    repo.commit("   \n\n")
    repo.commit(long_text)
    repo.commit("before its time", time=0)
    repo.commit("-c core.pager=x --output=/tmp/x")
    message = b"not \xff\xfe UTF-8 \xc3("
    who = f"N <{ADA}> 1600009999 +0000".encode()
    tip = repo.git("rev-parse", "HEAD").strip()
    branch = repo.git("symbolic-ref", "HEAD").strip()
    subprocess.run(["git", "-C", repo.path, "fast-import", "--quiet"], check=True, input=
                   b"commit %s\nauthor %s\ncommitter %s\ndata %d\n%s\nfrom %s\n"
                   % (branch, who, who, len(message), message, tip))
    (said,) = home.rows("import", "git", str(repo.path))
    assert said["added"] == 7
    texts = {r["text"] for r in imported(home)}
    assert "before its time" in texts and "-c core.pager=x --output=/tmp/x" in texts
    assert "ä" * 16384 in texts
    assert "not \ufffd UTF-8 \ufffd(" in texts or "not \ufffd\ufffd UTF-8 \ufffd(" in texts
    assert sum(t.startswith("commit ") for t in texts) == 2
    shown = home.run("log", "--pretty")
    assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown
    assert home.rows("day", "1970-01-01")[0]["text"] == "before its time"


def test_a_configuration_that_adds_output_changes_nothing(home, repo):
    for name, value in {"log.showSignature": "true", "color.ui": "always", "log.mailmap": "true",
                        "log.date": "relative", "format.pretty": "oneline",
                        "log.decorate": "full"}.items():
        repo.git("config", name, value)
    repo.commit("plain")
    home.run("import", "git", str(repo.path))
    assert [r["text"] for r in imported(home)] == ["plain"]


def test_dry_run_says_what_it_would_do_and_does_nothing(home, repo):
    repo.commit("one")
    repo.commit("two")
    assert home.run("import", "git", str(repo.path), "--dry-run") == ""
    assert "Nothing" in home.run("log", status=1)


def test_what_can_not_be_imported_is_said(home, repo, tmp_path):
    assert "no git repository" in home.run("import", "git", str(tmp_path), status=66)
    assert "no git repository" in home.run("import", "git", str(tmp_path / "none"), status=66)
    assert "no commits" in home.run("import", "git", str(repo.path), status=1)
    repo.commit("kai's", email=KAI)
    assert "--all" in home.run("import", "git", str(repo.path), status=1)
    assert "matches" in home.run("import", "git", str(repo.path), "--author", "zz", status=1)
    repo.git("config", "user.email", "")
    assert "user.email" in home.run("import", "git", str(repo.path), status=78)


def test_a_damaged_repository_ends_in_words_and_keeps_what_was_read(home, repo):
    hashes = [repo.commit(f"c{i}") for i in range(3)]
    broken = repo.path / ".git" / "objects" / hashes[0][:2] / hashes[0][2:]
    broken.unlink()
    assert "fsck" in home.run("import", "git", str(repo.path), status=65)


def test_interrupted_it_stops_between_batches_and_goes_on_later(home, repo):
    repo.stream(30_000)
    process = home.start("import", "git", str(repo.path))
    eventually(lambda: home.rows("status")[0]["own_entries"] > 1000)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode != 0:  # it may have been faster than the signal
        assert process.returncode == 130
        assert "goes on where this stopped" in err
    before = len(imported(home))
    assert before % 1000 == 0
    (said,) = home.rows("import", "git", str(repo.path))
    assert (said["added"], said["known"]) == (30_000 - before, before)
    texts = [r["text"] for r in imported(home)]
    assert texts == [f"change {i}\n\na message" for i in range(30_000)]


def test_a_node_killed_in_between_loses_and_doubles_nothing(home, repo):
    repo.stream(20_000)
    process = home.start("import", "git", str(repo.path))
    eventually(lambda: home.rows("status")[0]["own_entries"] > 1000)
    os.kill(home.pid(), signal.SIGKILL)
    process.communicate(timeout=60)
    home.run("import", "git", str(repo.path))
    assert len({r["src"] for r in imported(home)}) == len(imported(home)) == 20_000


def test_several_repositories_come_in_one_after_the_other(home, repo, tmp_path):
    other = Repo(tmp_path / "other")
    repo.commit("here")
    other.commit("there")
    said = home.rows("import", "git", str(repo.path), str(other.path))
    assert [(s["repository"], s["added"]) for s in said] == [("project", 1), ("other", 1)]
