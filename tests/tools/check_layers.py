#!/usr/bin/python3
"""Check every #include of the rooms against the table in docs/architecture.md.

A header has a name of its own. A header in quotes must lie in the file's own room or in one that
its row names; a header of a library that any row names must be named by the file's row.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TABLE = TOP / "docs" / "architecture.md"


def read_table():
    """Room -> (rooms it may use, libraries it may use)."""
    rooms = {}
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].isdigit():
            room = cells[1].strip("`")
            rooms[room] = (re.findall(r"`([^`]+)`", cells[3]), re.findall(r"\w+", cells[4]))
    return rooms


def main():
    rooms = read_table()
    libraries = {name for _, names in rooms.values() for name in names}
    headers = {}  # name -> the rooms that have one of that name
    for room in rooms:
        for header in (TOP / room).glob("*.h"):
            headers.setdefault(header.name, []).append(room)

    wrong = [f"{name} is a header of {' and of '.join(homes)}"
             for name, homes in headers.items() if len(homes) > 1]
    folders = {str(p.parent.relative_to(TOP)) for p in TOP.glob("lib/*/*.c")}
    for folder in sorted(folders - set(rooms)):
        wrong.append(f"{folder} is not in the table of {TABLE.name}")
    checked = 0
    for room, (uses, has) in rooms.items():
        for source in sorted((TOP / room).rglob("*.[ch]")):
            for number, line in enumerate(source.read_text().splitlines(), 1):
                include = re.match(r'#include (["<])([^">]+)[">]', line)
                if not include:
                    continue
                checked += 1
                name = include[2]
                where = f"{source.relative_to(TOP)}:{number}"
                if include[1] == '"':
                    homes = headers.get(name, [])
                    if room not in homes and not set(homes) & set(uses):
                        wrong.append(f"{where}: {room} may not use {name} of {homes or 'nowhere'}")
                else:
                    library = re.split(r"[./]", name)[0]
                    if library in libraries and library not in has:
                        wrong.append(f"{where}: {room} may not use the library {library}")
    print("\n".join(wrong) if wrong else f"{checked} includes of {len(rooms)} rooms are as drawn")
    return 1 if wrong or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
