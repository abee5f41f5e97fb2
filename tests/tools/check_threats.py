#!/usr/bin/env python3
"""Every test that docs/threats.md names must be there, and every threat have a test or a limit."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
THREATS = 39


def defined():
    names = set()
    for path in (ROOT / "tests").rglob("*"):
        if path.suffix == ".c":
            names |= set(re.findall(r"void (\w+)\(void \*\*", path.read_text()))
        elif path.suffix == ".py":
            names |= set(re.findall(r"def test_(\w+)\(", path.read_text()))
    return names


def main():
    there = defined()
    wrong = []
    count = 0
    for line in (ROOT / "docs/threats.md").read_text().splitlines():
        row = re.match(r"\| (\d+) \|.*\|([^|]*)\|$", line)
        if not row:
            continue
        count += 1
        if int(row[1]) != count:
            wrong.append(f"threat {row[1]} is out of place")
        tests = re.findall(r"`(\w+)`", row[2])
        if not tests and "**Limit**" not in line:
            wrong.append(f"threat {row[1]} has neither a test nor a limit")
        if re.sub(r"`\w+`", "", row[2]).strip():
            wrong.append(f"threat {row[1]}: {row[2].strip()!r} names more than tests")
        wrong += [f"threat {row[1]}: there is no test {name}" for name in tests if name not in there]
    if count != THREATS:
        wrong.append(f"{count} threats instead of {THREATS}")
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
