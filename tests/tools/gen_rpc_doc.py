#!/usr/bin/python3
"""Write docs/rpc.md from the list of methods in proto/methods.h.

usage: gen_rpc_doc.py            write docs/rpc.md
       gen_rpc_doc.py --check    say whether docs/rpc.md is current (exit status 1 if not)
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "proto" / "methods.h"
TARGET = ROOT / "docs" / "rpc.md"

ANSWERED_BY = {
    "LOOP": "the event loop, at once",
    "NODE": "the node, in its order, after its commit",
    "READ": "a reader, after the views hold this client's last change",
}

HEAD = """# The methods of the local API

Written by `tests/tools/gen_rpc_doc.py` from `proto/methods.h`; change that file, not this one.
The envelopes are described in [protocol.md](protocol.md#local-api-envelopes): MessagePack-RPC on the Unix socket of the
node, whose path `aloud paths` prints. Params and results are maps. Unknown keys in a result are to be ignored; later
versions add some.

## Types

| name | what it is |
|---|---|
| `str`, `uint`, `int`, `bool`, `bin` | as in MessagePack; `binN` has N bytes |
| `any` | any value |
| `ref` | an entry: `[device bin32, log bin8, seq uint, id bin32]` |
| `cursor` | an opaque `bin`: pass what the last page gave; a page without `next` is the last |
| `row` | an entry as people read it, see below |
| `[T]`, `{...}` | an array of T, a map with these keys |

Times are milliseconds since 1970 in UTC unless said otherwise. People and entries are named by their bytes: `person`
and `resolve` turn what somebody typed into them. `key`, 16 random bytes, makes a write idempotent for 30 days: a client
that lost the answer repeats the call with the same key and gets the first answer.
"""


def macro(text, name):
    """The body of #define NAME(X), its lines joined."""
    joined = text.replace("\\\n", " ")
    return re.search(r"#define %s\(X\)(.*)" % name, joined).group(1)


def methods(text):
    """(name, where, params, result, summary) of each method, in order."""
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    entry = re.compile(r"X\((\w+),\s*(\w+),\s*%s,\s*%s,\s*%s\)" % (string, string, string))
    literal = re.compile(r'"((?:[^"\\]|\\.)*)"')
    for found in entry.finditer(macro(text, "AL_METHODS")):
        words = ["".join(literal.findall(part)).replace("\\\\", "\\") for part in found.groups()[2:]]
        yield (found.group(1), found.group(2), *words)


def fields(text):
    """NAME:TYPE by NAME:TYPE; spaces inside brackets belong to a type."""
    depth = 0
    field = ""
    for c in text + " ":
        depth += (c in "[{(") - (c in "]})")
        if c == " " and depth == 0:
            if field:
                yield field
            field = ""
        else:
            field += c


def field_table(text):
    lines = ["| key | type | |", "|---|---|---|"]
    for field in fields(text):
        name, _, kind = field.partition(":")
        optional = "optional" if name.endswith("?") else ""
        lines.append("| `%s` | `%s` | %s |" % (name.rstrip("?"), kind.replace("|", "\\|"), optional))
    return lines


def row_section(text):
    """The comment above AL_ROW_FIELDS, as a table and the count it must have."""
    comment, count = re.search(r"/\*\n((?: \*.*\n)*?) \*/\n#define AL_ROW_FIELDS (\d+)", text).groups()
    words = " ".join(line.strip(" *") for line in comment.splitlines())
    words = words.partition("always all of them:")[2]
    lines = ["| key | type | note |", "|---|---|---|"]
    found = re.findall(r"(\w+):(\w+(?:\|\w+)?|\[\w+\]|\{[^}]*\})\s*((?:\([^)]*\))?)", words)
    for name, kind, note in found:
        kind = "{...}" if kind.startswith("{") else kind
        lines.append("| `%s` | `%s` | %s |" % (name, kind.replace("|", "\\|"), note.strip("()")))
    if len(found) != int(count):
        sys.exit("methods.h: AL_ROW_FIELDS is %s, the comment above it lists %d" % (count, len(found)))
    return lines


def document():
    text = SOURCE.read_text()
    listed = list(methods(text))
    if len(listed) != len(re.findall(r"\bX\(\w+, ", macro(text, "AL_METHODS"))):
        sys.exit("methods.h: a method is written in a form that this script does not read")
    lines = [HEAD, "## Rows", "", *row_section(text), "", "## Methods", ""]
    lines += ["| method | answered by | what it does |", "|---|---|---|"]
    for name, where, _, _, summary in listed:
        lines.append("| [`%s`](#%s) | %s | %s |" % (name, name, where.lower(), summary))
    for name, where, params, result, summary in listed:
        lines += ["", "### %s" % name, "", "%s. Answered by %s." % (summary[0].upper() + summary[1:],
                  ANSWERED_BY[where]), ""]
        lines += ["Params:", "", *field_table(params)] if params else ["No params."]
        lines += ["", *(["Result:", "", *field_table(result)] if result else ["An empty result."])]
    return "\n".join(lines) + "\n"


def main():
    wanted = document()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(wanted)
    elif not TARGET.exists() or TARGET.read_text() != wanted:
        sys.exit("docs/rpc.md is out of date: run tests/tools/gen_rpc_doc.py")


if __name__ == "__main__":
    main()
