#!/usr/bin/python3
"""Sum up test results: tally.py [--failed STAGE]... LOG...

A LOG is meson's testlog.json or a JUnit file of pytest; one that is not there counts as nothing (its
stage failed, or had nothing to run). Prints "N passed, N failed" and, if any, ", N skipped"; exits
with 1 if anything failed. A stage that failed without a failed case of its own counts as one.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

GOOD = ("OK", "EXPECTEDFAIL")


def of_meson(path):
    """The cases of each test: its TAP lines, or the test itself where it prints none."""
    for line in path.read_text().splitlines():
        test = json.loads(line)
        cases = Counter()
        for bad, skip in re.findall(r"^(not )?ok\b[^#\n]*(# *SKIP)?", test.get("stdout", ""),
                                    re.M | re.I):
            cases["failed" if bad else "skipped" if skip else "passed"] += 1
        if test["result"] == "SKIP":
            cases = Counter(skipped=1)
        elif test["result"] in GOOD:
            cases = cases or Counter(passed=1)
        else:
            cases["failed"] = max(cases["failed"], 1)
            print(f"FAILED {test['name']} ({test['result']})")
        yield cases


def of_pytest(path):
    for case in ET.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            print(f"FAILED {case.get('classname')}::{case.get('name')}")
            yield Counter(failed=1)
        else:
            yield Counter(skipped=1) if "skipped" in kinds else Counter(passed=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--failed", action="append", default=[])
    parser.add_argument("logs", nargs="*", type=Path)
    args = parser.parse_args()

    total = Counter()
    for log in args.logs:
        if log.exists():
            for cases in (of_meson if log.suffix == ".json" else of_pytest)(log):
                total += cases
    for stage in args.failed:
        print(f"FAILED stage: {stage}")
    if args.failed and not total["failed"]:
        total["failed"] = len(args.failed)

    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
