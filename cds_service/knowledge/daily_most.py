"""The highest daily dose of an adult, for medicines whose excess harms: rows of `doses.tsv`.

A row is the highest of any use, in mg a day; one with `from_age` holds from that age on, in completed years, one that
is `lasting` for treatment that goes on and no loading dose, one with `named` where the order says one of these words (a
salt, a form), one with `unless` where it says none of those. Medicines that are dosed by weight, by effect or by a
level have none. `checked`: where the number was read, or that it rests on knowledge of what the row cites.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.knowledge.base_files import Line, citation, lines, node_of
from cds_service.knowledge.policy import severity_rank
from cds_service.risk.model import Citation


@dataclass(frozen=True, slots=True)
class Most:
    """One row. mg: a day. from_age: completed years, None for every adult. severity: as in the graph."""

    node: str
    mg: float
    from_age: int | None
    severity: str
    source: Citation
    lasting: bool = False
    named: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None

    def holds(self, age: float | None, words: str, *, counted: bool) -> bool:
        """True for an order in these words, at an age in completed years. counted: it is for a few doses in all."""
        of_age = self.from_age is None or (age is not None and age >= self.from_age)
        named = self.named is None or self.named.search(words) is not None
        return of_age and named and not (self.unless and self.unless.search(words)) and not (self.lasting and counted)


def _most() -> tuple[Most, ...]:
    found = []
    for line in lines("doses"):
        text, url, _ = citation(line["citation"], line)
        age = int(line["from_age"]) if line["from_age"] else None
        found.append(
            Most(
                node_of(line["subject"], line), float(line["most_mg"]), age, line["severity"], Citation(text, url),
                line["lasting"] == "yes", _words(line, "named"), _words(line, "unless"),
            )
        )  # fmt: skip
    return tuple(found)


def _words(line: Line, column: str) -> re.Pattern[str] | None:
    named = line.many(column)
    return re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, named))})") if named else None


ROWS = _most()


def rows_of(node: str, age: float | None, words: str, *, counted: bool = False) -> tuple[Most, ...]:
    """The rows of a drug that hold for an order, the most severe and then the lowest first."""
    held = [row for row in ROWS if row.node == node and row.holds(age, words, counted=counted)]
    return tuple(sorted(held, key=lambda row: (-severity_rank(row.severity), row.mg)))
