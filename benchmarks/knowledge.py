"""The checks of one draft against 20 current medicines, beside `json` reading a record of 200 KB in the same run.

`python -m benchmarks.knowledge` prints a Markdown table; times are CPU of this thread, medians. The goal is 5 ms for
all checks; the ratio to `json` is what can be compared between machines. With `CURBSIDE_DATA` set it also imports all
sample files of `knowledge/` there; the goal is 30 s.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmarks.bodies import AS_OF
from cds_service.features.conditions_on_record import current_problems
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge import safety
from cds_service.knowledge.importers.sources import import_file
from cds_service.knowledge.library import base

TAKEN = (
    "metformin", "lisinopril", "atorvastatin", "amlodipine", "metoprolol", "levothyroxine", "omeprazole", "sertraline",
    "gabapentin", "furosemide", "albuterol", "tamsulosin", "aspirin", "warfarin", "allopurinol", "prednisone",
    "insulin glargine", "montelukast", "cetirizine", "finasteride",
)  # fmt: skip
FILES = (
    ("civic", "civic_accepted_evidence_2021-02.tsv", ""), ("cpic", "cpic_recommendations_2022-05.jsonl", ""),
    ("clinpgx", "cpic_annotations_clinpgx_2024-03.jsonl", ""), ("ddi-ansm", "ddi_ansm_worldvista_2016.tsv", ""),
    ("ddi-onc", "ddi_onc_lists.tsv", "2013"), ("pharmacotherapydb", "pharmacotherapydb_indications_1.0.tsv", "2017"),
    ("icd10cm", "icd10cm_2021_codes.tsv.gz", ""),
)  # fmt: skip
_DECODER = fhir.decoder(fhir.AnyResource)


def order(id_: str, text: str, status: str) -> fhir.AnyResource:
    """A MedicationRequest in words."""
    row = {"resourceType": "MedicationRequest", "id": id_, "status": status, "intent": "order",
           "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": text}}  # fmt: skip
    return _DECODER.decode(orjson.dumps(row))


def context() -> ClinicalContext:
    """A draft of clarithromycin for a person who takes 20 medicines."""
    person = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1956-01-01"}
    rows = [_DECODER.decode(orjson.dumps(person)), *(order(f"m{i}", t, "active") for i, t in enumerate(TAKEN))]
    listed = frozenset({"Condition", "MedicationRequest", "AllergyIntolerance"})
    record = PatientRecord.from_resources(rows, [None] * len(rows), "p1", AS_OF, listed=listed)
    return ClinicalContext(record, "order-sign", None, None, None, (order("d1", "clarithromycin", "draft"),), AS_OF)


def checks(case: ClinicalContext) -> int:
    """Makes all checks once; how many findings."""
    library = base()
    known = safety.medicines(case, library.terms)
    present = current_problems(case.record, library.terms.conditions)
    found = len(safety.between(library, known.drafts, known.current))
    for draft in known.drafts:
        found += len(safety.allergies(library, draft, known.allergies))
        found += len(safety.contraindications(library, draft, present))
        found += len(safety.limits(library, draft, lambda _: None))
    return found


def median(run: Callable[[], Any], times: int = 200) -> float:
    """Milliseconds of this thread's CPU, in the middle of many runs."""
    taken = []
    for _ in range(times):
        before = time.thread_time_ns()
        run()
        taken.append((time.thread_time_ns() - before) / 1e6)
    return statistics.median(taken)


def importing(folder: Path) -> float:
    """Seconds of CPU for importing all sample files into one new file."""
    before = time.process_time()
    with tempfile.TemporaryDirectory() as place:
        for source, name, released in FILES:
            classes = folder / "ddi_ansm_worldvista_classes_2016.tsv" if source == "ddi-ansm" else None
            import_file(Path(place) / "k.db", source, folder / name, classes, released)
    return time.process_time() - before


def main() -> None:
    """Prints the table."""
    case = context()
    body = json.dumps(
        [{"resourceType": "Observation", "id": str(i), "valueQuantity": {"value": i}} for i in range(2700)]
    )
    read, checked = median(lambda: json.loads(body)), median(lambda: checks(case))
    print("| what | CPU | beside `json` |\n|---|---|---|")
    print(f"| `json` reads {len(body) // 1000} KB | {read:.2f} ms | 1 |")
    print(f"| all checks, {checks(case)} findings | {checked:.2f} ms | {checked / read:.2f} |")
    folder = Path(os.environ.get("CURBSIDE_DATA", "")) / "knowledge"
    if (folder / FILES[0][1]).is_file():
        took = importing(folder)
        print(f"| all sample files imported | {took:.1f} s | {1000 * took / read:.0f} |")


if __name__ == "__main__":
    main()
