"""The verifier's benchmark: sentences about the sample patients, right and wrong."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec
import orjson

from cds_service.cli import calls
from cds_service.summary.chart import Chart
from cds_service.summary.verify import Sentence, Verdict, verify

FILE = Path(__file__).parent / "sentences.txt"
KINDS = {"C": ("Condition", "problem"), "M": ("MedicationRequest", "medicine"), "A": ("AllergyIntolerance", "allergy"),
         "E": ("Encounter", "visit"), "P": ("Procedure", "procedure"), "V": ("Immunization", "vaccine"),
         "S": ("ServiceRequest", "oxygen-order")}  # fmt: skip


class Case(msgspec.Struct, frozen=True):
    """One sentence. right: whether the record supports it. what: what a wrong one changes."""

    right: bool
    what: str
    patient: str
    sentence: Sentence


@cache
def chart(patient: str) -> Chart:
    """The chart of a sample patient at the time when it was written."""
    bundle = orjson.loads(calls.sample(patient).read_bytes())
    return Chart.from_bundle(bundle, datetime.fromisoformat(bundle["timestamp"]))


def cases() -> list[Case]:
    """All sentences of the file."""
    found = []
    for line in FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            mark, what, patient, cites, text = (part.strip() for part in line.split("|", 4))
            references = tuple(_reference(patient, cite) for cite in cites.split())
            found.append(Case(mark == "+", what or "right", patient, Sentence(text, references)))
    return found


def _reference(patient: str, cite: str) -> str:
    if cite == "Pt":
        return f"Patient/{patient}"
    if cite.startswith("O:"):
        return f"Observation/{patient}-{cite[2:]}"
    kind, name = KINDS[cite[0]]
    return f"{kind}/{patient}-{name}-{cite[1:]}"


def verdict(case: Case) -> Verdict:
    """What the verifier says."""
    (found,) = verify([case.sentence], chart(case.patient))
    return found
