"""The highest daily dose of an adult, for medicines whose excess harms: rows of `doses.tsv`.

A row is the label's highest for any use by the mouth or a vein, in mg a day; one with `from_age` holds from that age
on, in completed years. Medicines that are dosed by weight, by effect or by a level have none.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.knowledge.base_files import citation, lines, node_of
from cds_service.risk.model import Citation


@dataclass(frozen=True, slots=True)
class Most:
    """One row. mg: a day. from_age: completed years, None for every adult. severity: as in the graph."""

    node: str
    mg: float
    from_age: int | None
    severity: str
    source: Citation


def _most() -> tuple[Most, ...]:
    found = []
    for line in lines("doses"):
        text, url, _ = citation(line["citation"], line)
        age = int(line["from_age"]) if line["from_age"] else None
        found.append(
            Most(node_of(line["subject"], line), float(line["most_mg"]), age, line["severity"], Citation(text, url))
        )
    return tuple(found)


ROWS = _most()


def most_of(node: str, age: float | None) -> Most | None:
    """The lowest row of a drug that holds at an age in completed years; None if there is none."""
    rows = (row for row in ROWS if row.node == node)
    held = [row for row in rows if row.from_age is None or (age is not None and age >= row.from_age)]
    return min(held, key=lambda row: row.mg, default=None)
