"""Figures of a model's card in short, for those who read its source attributes and not the card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_OURS, _LEAD = "this model", "minus this"
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the card. title: the bold line above it. rows: the first cell names what the row is of."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def validity(card: str) -> str:
    """Discrimination of the model and its calibration, each with its interval; empty where the card has neither."""
    parts = []
    for table in _tables(card, "Discrimination"):
        for row in table.rows:
            if row[0] == _OURS:
                shown = [c for c in table.columns[1:] if c != "rows" and not c.endswith(_LEAD)]
                parts.append(f"{table.title}: {_named(table, row, shown)}.")
    for table in _tables(card, "Calibration"):
        if table.columns[1] == "slope":
            parts += [f"Calibration, {row[0]}: {_named(table, row, table.columns[1:])}." for row in table.rows]
    return " ".join(parts)


def fairness(card: str) -> str:
    """The lowest and highest discrimination and slope among the groups; empty where the card has none."""
    parts = []
    for table in _tables(card, "Subgroups"):
        wanted = [c for c in table.columns if c in {"AUROC", "C"} or c.startswith("slope")]
        ranges = [found for column in wanted if (found := _range(table, column))]
        if ranges:
            parts.append(f"{table.title}: {'; '.join(ranges)}.")
    return " ".join(parts)


def _range(table: _Table, column: str) -> str:
    place, found = table.columns.index(column), []
    for row in table.rows:
        if (number := _NUMBER.match(row[place])) is not None:
            found.append((float(number[0]), number[0], row[0]))
    if not found:
        return ""
    (_, low, lowest), (_, high, highest) = min(found), max(found)
    return f"{column} from {low} ({lowest}) to {high} ({highest})"


def _named(table: _Table, row: Sequence[str], columns: Sequence[str]) -> str:
    cells: Mapping[str, str] = dict(zip(table.columns, row, strict=True))
    return ", ".join(f"{column} {cells[column]}" for column in columns)


def _tables(card: str, section: str) -> Iterator[_Table]:
    """The tables of a section, each with the bold line above it."""
    _, _, rest = card.partition(f"\n## {section}\n")
    title, lines = "", list[list[str]]()
    for line in [*rest.partition("\n## ")[0].splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if len(lines) > 2:
            yield _Table(title, lines[0], lines[2:])
        lines = []
        if line.startswith("**"):
            title = line.replace("**", "").strip()
