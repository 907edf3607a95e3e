"""Sentences about one sentence or two of a letter, a report or a progress note: right ones and wrong ones."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cds_service.summary.chart import Chart
from cds_service.summary.verify import Sentence, Verdict, verify

LETTERS = Path(__file__).parent / "sentences_of_letters.txt"
AS_OF = datetime(2024, 6, 30, tzinfo=UTC)


class Told(msgspec.Struct, frozen=True):
    """One sentence about a text. what: what a wrong one changes, `right` for a right one."""

    of: str
    what: str
    text: str


def told(file: Path = LETTERS) -> Iterator[Told]:
    """The sentences of a file, in order."""
    of = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        mark, rest = line[:1], line[1:].strip()
        if mark == "=":
            of = rest
        elif mark == "+":
            yield Told(of, "right", rest)
        elif mark == "-":
            what, _, text = (part.strip() for part in rest.partition("|"))
            yield Told(of, what, text)


def judged(one: Told) -> Verdict:
    """What the verifier says of a sentence that cites the text."""
    attachment = {"contentType": "text/plain", "data": base64.b64encode(one.of.encode()).decode()}
    rows = [
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "DocumentReference", "id": "n", "status": "current", "content": [{"attachment": attachment}]},
    ]
    chart = Chart.from_bundle({"resourceType": "Bundle", "entry": [{"resource": row} for row in rows]}, AS_OF)
    (found,) = verify([Sentence(one.text, ("DocumentReference/n",))], chart)
    return found
