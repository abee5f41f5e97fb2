#!/usr/bin/python3
"""Check that docs/protocol.md says what the code does, where both have a table of it.

Limits (proto/limit.h), kinds of payloads and their fields (proto/payload.c), messages
(proto/message.h), and the purposes of hashes and signatures (proto/hash.h).
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DOCUMENT = (TOP / "docs/protocol.md").read_text()


def source(path):
    return (TOP / path).read_text().replace("\\\n", " ")


def section(title):
    """The text below a heading, up to the next one of the same depth."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", DOCUMENT, re.M | re.S)
    assert found, f"docs/protocol.md has no section {title}"
    return found.group(1)


def rows(text, columns):
    """The cells of all tables with that many columns, without their heads."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and not set(line) <= set("|- "):
            yield cells


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


class Complaints(list):
    def same(self, what, documented, coded):
        if documented != coded:
            self.append(f"{what}: docs/protocol.md says {documented}, the code {coded}")

    def same_names(self, what, documented, coded):
        """Both are collections of names: say which are in one of them only."""
        for name in sorted(set(coded) - set(documented)):
            self.append(f"{what}: {name} is missing in docs/protocol.md")
        for name in sorted(set(documented) - set(coded)):
            self.append(f"{what}: {name} of docs/protocol.md is not in the code")


# --- limits --------------------------------------------------------------------------------------


def constants():
    values = {}
    for name, text in re.findall(r"^#define (AL_\w+) +(.+?)(?: */\*.*)?$",
                                 source("proto/limit.h"), re.M):
        text = re.sub(r"UINT64_C\((\d+)\)", r"\1", text)
        text = re.sub(r"AL_\w+", lambda m: str(values[m.group(0)]), text)
        assert re.fullmatch(r"[\d\s()*+<-]+", text), f"{name} is no sum of numbers: {text}"
        values[name] = eval(text)  # only digits and operators, as just asserted
    return values


def number(cell):
    powers = re.fullmatch(r"2\^(\d+)-(\d)", cell)
    return 2**int(powers[1]) - int(powers[2]) if powers else int(cell.replace(",", ""))


def check_limits(complaints):
    documented = {quoted(name)[0]: number(value)
                  for _, value, name, _ in rows(section("Limits"), 4) if quoted(name)}
    coded = constants()
    complaints.same_names("limits", documented, coded)
    for name in documented.keys() & coded.keys():
        complaints.same(name, documented[name], coded[name])


# --- kinds ---------------------------------------------------------------------------------------


def fields_of(expression, keys, macros):
    """The keys of BIT(A) | CONTENT and the like."""
    for name, body in macros.items():
        expression = re.sub(rf"\b{name}\b", body, expression)
    return {keys[name] for name in re.findall(r"BIT\((\w+)\)", expression)}


def coded_kinds():
    """Kind -> (needs, either, may, audiences), from the table in payload.c."""
    text = source("proto/payload.c")
    keys = dict(re.findall(r'X\((\w+), "(\w+)", T_', text))
    macros = {"CONTENT": re.search(r"#define CONTENT (\(.*\))", text)[1]}
    kinds = {}
    for name, rest in re.findall(r'\[AL_KIND_\w+\] = \{"([\w-]+)",(.*?)\},\n', text, re.S):
        audiences, needs, either, may = rest.split(",")
        if name != "unknown":
            kinds[name] = (*(fields_of(part, keys, macros) for part in (needs, either, may)),
                           set(re.findall(r"\w+", audiences)))
    return kinds, set(keys.values())


AUDIENCES = {"all": {"ALL"}, "open": {"OPEN"}, "network": {"NETWORK"}, "me": {"ME"},
             "circle": {"CIRCLE"}, "circle, open": {"CIRCLE", "OPEN"}}


def check_kinds(complaints):
    text = section("Kinds")
    content = set(quoted(re.search(r"\*Content\* stands for (.*?)\.", text, re.S)[1]))
    kinds, keys = coded_kinds()
    seen = set()
    for kind, _, needs, may, audiences in rows(text, 5):
        if not quoted(kind):
            continue
        name = quoted(kind)[0]
        seen.add(name)
        either = set(quoted(needs)) if " or " in needs else set()
        needed = set(quoted(needs)) - either
        allowed = set(quoted(may)) | (content if "content" in may else set())
        if name not in kinds:
            continue
        code_needs, code_either, code_may, code_audiences = kinds[name]
        complaints.same(f"what {name} needs", needed, code_needs)
        complaints.same(f"of what {name} needs one", either, code_either)
        complaints.same(f"what {name} may have", allowed - needed - either,
                        code_may - code_needs - code_either)
        complaints.same(f"audiences of {name}", AUDIENCES.get(audiences), code_audiences)
    complaints.same_names("kinds", seen, kinds)
    fields = {key for cells in rows(text, 3) for key in quoted(cells[0])}
    complaints.same_names("keys of payloads", fields, keys)


# --- messages, purposes --------------------------------------------------------------------------


def check_messages(complaints):
    numbers = dict(re.findall(r"AL_MSG_(\w+) = (\d+)", source("proto/message.h")))
    names = dict(re.findall(r'\[AL_MSG_(\w+)\] = +\{"([\w-]+)"', source("proto/message.c")))
    coded = {int(numbers[key]): name for key, name in names.items()}
    documented = {int(cells[0]): cells[1] for cells in rows(section("Messages"), 3)
                  if cells[0].isdigit()}
    complaints.same_names("messages", map(str, documented.items()), map(str, coded.items()))


def check_purposes(complaints):
    coded = set(re.findall(r'#define AL_P_\w+ "([\w-]+)"(?! +/\* local)', source("proto/hash.h")))
    documented = {quoted(cells[0])[0] for cells in rows(section("Hashes and signatures"), 2)
                  if quoted(cells[0])}
    complaints.same_names("purposes", documented, coded)


def main():
    complaints = Complaints()
    for check in (check_limits, check_kinds, check_messages, check_purposes):
        check(complaints)
    for complaint in complaints:
        print(complaint)
    print("docs/protocol.md and the code agree" if not complaints
          else f"{len(complaints)} disagreements")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
