"""Figures beside what the machine can do at best, and beside the goal."""

import dataclasses
import json


@dataclasses.dataclass
class Row:
    name: str
    value: float
    unit: str
    limit: float = None  # in the same unit
    limit_name: str = ""
    goal: float = None
    more_is_better: bool = False

    @property
    def ratio(self):
        return self.value / self.limit if self.limit else None

    @property
    def reached(self):
        if self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    def as_json(self):
        return {**dataclasses.asdict(self), "ratio": self.ratio, "reached": self.reached}


def number(value):
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.{2 if abs(value) < 10 else 1}f}"


HEAD = ("", "figure", "unit", "best possible", "", "ratio", "goal", "")


def _cells(row):
    return (row.name, number(row.value), row.unit, number(row.limit), row.limit_name,
            number(row.ratio), number(row.goal),
            {None: "", True: "reached", False: "MISSED"}[row.reached])


def print_table(machine, rows):
    """A table for the terminal that is also one in Markdown."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    numeric = (1, 3, 5, 6)
    for name, value in machine.items():
        print(f"{name}: {value}")
    print()
    for i, line in enumerate(cells):
        print("| " + " | ".join(cell.rjust(w) if n in numeric else cell.ljust(w)
                                for n, (cell, w) in enumerate(zip(line, widths))) + " |")
        if i == 0:
            print("|" + "|".join("-" * (w + 1) + (":" if n in numeric else "-")
                                 for n, w in enumerate(widths)) + "|")


def print_json(machine, rows):
    print(json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=1))
