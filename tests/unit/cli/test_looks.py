"""How reading looks: what each command prints in each form, compared with what was agreed on.

looks/NAME.txt holds what was looked at and found good. After a change that is meant, run with
ALOUD_LOOKS=write, look at the difference, and keep it.
"""

import os
import pathlib
import subprocess

import pytest

from fake_node import AUTHOR, KAI, FakeNode, ref, row

ALOUD = os.environ["ALOUD"]
LOOKS = pathlib.Path(__file__).parent / "looks"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1700049600000  # Wednesday 15 November 2023, 12:00 UTC: long ago, so no time is relative
NOOR = bytes(range(50, 82))


def by_kai(n, text, **more):
    return row(n, text, **{"identity": KAI, "name": "kai", "petname": True, "mine": False, **more})


def by_noor(n, text, **more):
    return row(n, text, **{"identity": NOOR, "name": "noor", "mine": False, **more})


def commits():
    titles = ["base: safe text", "cli: the frame", "proto: read and write", "store: log.db"]
    return [row(100 + i, titles[i % 4] + "\n\nThe reason.", to="me", tags=["aloud"],
                time=NOON - DAY - i * HOUR // 2, fields={"src": f"git:{i:040x}"})
            for i in range(9)]


def timeline():
    long_text = "\n".join(f"line {i} of a long text" for i in range(1, 30))
    return [
        by_kai(1, "Fixed the order of uv_close: the timer must be closed before the loop stops, "
                  "else it leaks. Took the whole morning.", tags=["c", "libuv"], replies=2,
               time=NOON),
        row(2, "Read three chapters of the SQLite docs, WAL first.\n\nWhat I did not know: a "
               "checkpoint can be starved by readers.", to="me", tags=["sqlite"],
            time=NOON - 25 * MINUTE),
        by_noor(3, "Why does uv_close never call back? #libuv", kind="question", tags=["libuv"],
                time=NOON - HOUR),
        row(4, "Published: how we sync journals without a platform", to="web", replies=1,
            time=NOON - 2 * HOUR),
        row(5, "\x1b[31mred\x1b]52;c;xx\x07 \u202ebidi \u200b\x9b2J 日本語のテキスト 👩\u200d💻",
            identity=bytes(32), name="ka\u200di\u202e\x1b[2J", mine=False, time=NOON - 3 * HOUR),
        *commits(),
        by_noor(6, "Worth your time", kind="link", time=NOON - 2 * DAY, fields={
            "url": "https://sqlite.org/wal.html", "title": "Write-Ahead Logging",
            "quote": "A checkpoint can be starved"}),
        by_kai(7, "", state="retracted", time=NOON - 3 * DAY),
        by_kai(8, "", kind="profile", time=NOON - 3 * DAY - HOUR, fields={
            "name": "Kai Tanaka", "about": "Writes C for a living and for fun"}),
        by_kai(9, "said twice", state="disputed", time=NOON - 3 * DAY - 2 * HOUR),
        by_kai(10, long_text, state="edited", time=NOON - 400 * DAY),
    ]


def thread():
    root = by_noor(3, "Why does uv_close never call back when the handle is inactive?",
                   kind="question", time=NOON - HOUR)

    def reply(n, parent, text, by=by_kai, **more):
        return by(n, text, re=row(parent)["id"], rt=root["id"], **{"kind": "reply", **more})

    return {"root": root["id"], "more": False, "missing": [ref(99)], "rows": [
        root,
        reply(21, 3, "Because it was never started: it still calls back in the next turn of the "
                     "loop, but only if the loop runs again.", kind="answer", time=NOON),
        reply(22, 21, "Oh! That was it.\n\nThank you.", by=row, time=NOON + MINUTE),
        reply(23, 21, "See also uv_walk", time=NOON + 2 * MINUTE),
        reply(24, 22, "Any time", time=NOON + 3 * MINUTE),
        reply(25, 3, "My other guess", by=row, time=NOON + 4 * MINUTE),
        reply(26, 99, "An orphan whose parent is not here", time=NOON + 5 * MINUTE),
    ]}


def hits():
    return {"of": 812, "behind": 0, "rows": [
        by_kai(1, "", tags=["libuv"], time=NOON, snippet="the order of \x02uv_close\x03: the "
               "timer must\nbe closed before the loop, or \x02uv_close\x03 leaks \x1b[2J and so "
               "on for a while"),
        row(2, "no snippet, but a title", time=NOON - DAY),
    ]}


def page(rows):
    def answer(params):
        since, until = params.get("since", 0), params.get("until", 1 << 60)
        mine = params.get("mine", False)
        found = [r for r in rows if since <= r["time"] < until and (r["mine"] or not mine)]
        found.sort(key=lambda r: r["time"] * (1 if params.get("oldest_first") else -1))
        first = int(params.get("cursor", b"0"))
        end = first + params["limit"]
        more = {"next": str(end).encode()} if end < len(found) else {}
        return {"rows": found[first:end], "pos": 7, "behind": 0, **more}
    return answer


@pytest.fixture(name="node")
def make_node(tmp_path):
    node = FakeNode(str(tmp_path / "h" / "socket"))
    (tmp_path / "h" / "keys").mkdir()
    node.answers.update({
        "timeline": page(timeline()),
        "resolve": {"rows": [timeline()[0]], "similar": []},
        "person": {"people": [{"identity": KAI, "name": "kai", "petname": "kai", "me": False}],
                   "similar": []},
        "show": {"row": timeline()[0], "edits": [], "replies": 2, "header": {
            "seq": 1, "time": NOON, "prev": bytes(32), "plen": 120, "phash": bytes(32)}},
        "thread": thread(),
        "search": hits(),
        "tags": {"tags": [{"tag": "libuv", "count": 12, "last": NOON},
                          {"tag": "sqlite", "count": 3, "last": NOON - DAY}]},
        "status": {"following": 2},
    })
    yield node
    node.close()


def aloud(node, *words, columns=80, env=None):
    home = pathlib.Path(node.path).parent
    return subprocess.run(
        [ALOUD, "--home", str(home), *words], capture_output=True, timeout=30, check=False,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC",
             "COLUMNS": str(columns), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
             **(env or {})})


COMMANDS = {
    "timeline": ["timeline"],
    "log": ["log"],
    "day": ["day", "2023-11-14"],
    "show": ["show", "last"],
    "thread": ["thread", "last"],
    "search": ["search", "uv_close"],
    "tags": ["tags"],
    "home": ["home"],
}
FORMS = {
    "40": (["--pretty"], 40),
    "80": (["--pretty"], 80),
    "140": (["--pretty"], 140),
    "color": (["--pretty", "--color=always"], 80),
    "plain": (["--plain"], 80),
    "json": (["--json"], 80),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", COMMANDS)
def test_it_looks_as_agreed(node, name, form):
    options, columns = FORMS[form]
    done = aloud(node, *COMMANDS[name], *options, columns=columns)
    assert done.returncode == 0, done.stderr
    path = LOOKS / f"{name}-{form}.txt"
    if os.environ.get("ALOUD_LOOKS") == "write":
        path.write_bytes(done.stdout)
    assert done.stdout.decode() == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [40, 57, 80, 140])
@pytest.mark.parametrize("name", [n for n in COMMANDS if n != "tags"])
def test_no_line_is_wider_than_the_terminal(node, name, columns):
    import unicodedata
    done = aloud(node, *COMMANDS[name], "--pretty", columns=columns)
    for line in done.stdout.decode().splitlines():
        width = sum(0 if unicodedata.combining(c) or c == "\u200d"
                    else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        assert width <= columns, line


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_steers_a_terminal_comes_out(node, form):
    options, columns = FORMS[form]
    for words in COMMANDS.values():
        out = aloud(node, *words, *options, columns=columns).stdout.decode()
        for c in "\x07\x7f\x9b\u202e\u200b":
            assert c not in out
        assert form == "color" or "\x1b" not in out
        assert "\x1b[2J" not in out and "\x1b]" not in out


def test_a_long_list_comes_page_by_page_and_whole(node):
    rows = [row(1000 + i, f"entry {i}", time=NOON - i * MINUTE) for i in range(450)]
    node.answers["timeline"] = page(rows)
    done = aloud(node, "log", "--json=text")
    assert len(done.stdout.splitlines()) == 450
    assert [p["limit"] for p in node.named("timeline")] == [200, 200, 200]
    node.calls.clear()
    done = aloud(node, "timeline", "-n", "210", "--json=text")
    assert len(done.stdout.splitlines()) == 210
    assert [p["limit"] for p in node.named("timeline")] == [200, 10]


def test_options_reach_the_node(node):
    aloud(node, "timeline", "--from", "@kai", "-t", "#libuv", "-k", "note", "--to", "web",
          "--since", "2023-11-01", "--until", "2023-11-30T10:00:00Z", "-n", "5")
    assert node.named("timeline") == [{
        "limit": 5, "from": KAI, "tag": "libuv", "kind": "note", "to": "web",
        "since": 1698796800000, "until": 1701338400000}]


def test_a_day_is_as_long_as_it_is_there(node):
    for day, hours in {"2023-03-26": 23, "2023-10-29": 25, "2023-07-01": 24}.items():
        node.calls.clear()
        aloud(node, "day", day, env={"TZ": "Europe/Berlin"})
        (asked,) = node.named("timeline")
        assert asked["until"] - asked["since"] == hours * HOUR


def test_nothing_to_show_is_said_and_ends_with_1(node):
    node.answers["timeline"] = {"rows": [], "pos": 0, "behind": 0}
    node.answers["search"] = {"rows": [], "of": 0, "behind": 5}
    node.answers["tags"] = {"tags": []}
    for words in (["timeline"], ["log"], ["day"], ["search", "x"], ["tags"]):
        done = aloud(node, *words)
        assert done.returncode == 1 and done.stdout == b"" and done.stderr != b""
    assert b"5 changes behind" in aloud(node, "search", "x").stderr


def test_words_with_spaces_among_others_are_phrases(node):
    aloud(node, "search", "libuv", "file locks", 'from:kai "as is"')
    assert node.named("search")[0]["query"] == 'libuv "file locks" from:kai "as is"'
    aloud(node, "search", "one two")
    assert node.named("search")[1]["query"] == "one two"


def test_show_verify_trusts_nobody(node):
    done = aloud(node, "show", "last", "--verify")
    assert done.returncode == 65
    assert b"another hash" in done.stdout
