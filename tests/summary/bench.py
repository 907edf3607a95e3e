"""The verifier's benchmarks: sentences about the sample patients and about other public records, right and wrong."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import orjson

from cds_service.cli import calls
from cds_service.summary.chart import Chart
from cds_service.summary.verify import Sentence, Verdict, verify

FILE = Path(__file__).parent / "sentences.txt"
SECOND = Path(__file__).parent / "sentences_second.txt"
CLASSES = Path(__file__).parent / "sentences_classes.txt"
BLIND = Path(__file__).parent / "sentences_blind.txt"
THIRD = Path(__file__).parent / "sentences_third.txt"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)  # where a Bundle does not say when it was written
KINDS = {"C": ("Condition", "problem"), "M": ("MedicationRequest", "medicine"), "A": ("AllergyIntolerance", "allergy"),
         "E": ("Encounter", "visit"), "P": ("Procedure", "procedure"), "V": ("Immunization", "vaccine"),
         "S": ("ServiceRequest", "oxygen-order"), "T": ("MedicationStatement", ""),
         "O": ("Observation", "")}  # fmt: skip


class Case(msgspec.Struct, frozen=True):
    """One sentence. right: whether the record supports it. what: what a wrong one changes."""

    right: bool
    what: str
    patient: str
    sentence: Sentence


def data() -> Path:
    """Where the public records are, by CURBSIDE_DATA."""
    return Path(os.environ.get("CURBSIDE_DATA", str(Path(calls.__file__).parents[3] / "shared" / "data")))


@cache
def bundle(patient: str) -> Any:
    """The Bundle of a sample patient, or of a public record (`folder/name`)."""
    if "/" in patient:
        return orjson.loads(gzip.decompress((data() / f"{patient}.json.gz").read_bytes()))
    return orjson.loads(calls.sample(patient).read_bytes())


@cache
def chart(patient: str) -> Chart:
    """The chart of a patient at the time when the Bundle was written."""
    written = bundle(patient).get("timestamp")
    return Chart.from_bundle(bundle(patient), datetime.fromisoformat(written[:19] + "Z") if written else NOW)


def cases(file: Path = FILE) -> list[Case]:
    """All sentences of a file whose records are here."""
    found = []
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            mark, what, patient, cites, text = (part.strip() for part in line.split("|", 4))
            if "/" in patient and not (data() / f"{patient}.json.gz").exists():
                continue
            references = tuple(reference(patient, cite) for cite in cites.split())
            found.append(Case(mark == "+", what or "right", patient, Sentence(text, references)))
    return found


def reference(patient: str, cite: str) -> str:
    """The reference that a short code of the files means."""
    if cite == "Pt":
        return next((ref for ref in chart(patient).rows if ref.startswith("Patient/")), "")
    if "/" in cite:
        return cite
    if "~" in cite:  # the beginning of an id
        letter, _, begins = cite.partition("~")
        start = f"{KINDS[letter][0]}/{begins}"
        rows = chart(patient).rows
        return start if start in rows else next((ref for ref in rows if ref.startswith(start)), start)
    if cite.startswith("O:"):
        return f"Observation/{patient}-{cite[2:]}"
    kind, name = KINDS[cite[0]]
    return f"{kind}/{patient}-{name}-{cite[1:]}"


def verdict(case: Case) -> Verdict:
    """What the verifier says."""
    (found,) = verify([case.sentence], chart(case.patient))
    return found
