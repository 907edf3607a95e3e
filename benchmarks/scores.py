"""All published scores that are on by default, of one 200 KB record in one pass: CPU of its inputs, of each score.

`python -m benchmarks.scores [--runs N]` prints a Markdown table; times are CPU of this thread, medians. The goal is
2 ms for all scores, their inputs included, once the record has been read.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import orjson

from benchmarks.bodies import AS_OF, hook_call
from cds_service.app import load_registry
from cds_service.features.asked import Asked
from cds_service.features.extract import extract
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.needs import with_inputs
from cds_service.protocol.request import decode
from cds_service.risk.model import NotEstimated, PublishedScore, is_on
from cds_service.settings import Settings
from cds_service.web.server import GC_THRESHOLDS

KILOBYTES = 200
# SNOMED CT: atrial fibrillation, heart failure, kidney disease 3, cirrhosis, pneumonia, cancer of the lung; suspicions.
ILLNESSES = ("49436004", "84114007", "433144002", "19943007", "233604007", "363358000", "432805000")
_DECODER = fhir.decoder(fhir.AnyResource)
T = TypeVar("T")


def cpu(run: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds of this thread's CPU, and what came of it."""
    before = time.thread_time_ns()
    found = run()
    return (time.thread_time_ns() - before) / 1e6, found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    runs = parser.parse_args().runs
    loaded = load_registry(Settings()).models.values()
    scores = [m for m in loaded if isinstance(m, PublishedScore) and is_on(m, ())]
    features = Asked(with_inputs(f for score in scores for f in score.features))
    gc.collect()
    gc.freeze()  # as a worker does before it forks; after it, it collects as seldom as here
    gc.set_threshold(*GC_THRESHOLDS)
    took: dict[str, list[float]] = {}
    speaks: set[str] = set()
    for number in range(runs + 5):
        body = hook_call(number, KILOBYTES)
        call = decode(body)
        rows = [row for value in call.prefetch.values() for row in value.resources]
        rows += [_DECODER.decode(orjson.dumps(row)) for row in _illnesses(call.patient_id)]
        listed = frozenset({"Condition", "MedicationRequest", "Encounter", "Procedure"})
        record = PatientRecord.from_resources(rows, [None] * len(rows), call.patient_id, AS_OF, listed=listed)
        spent, values = cpu(lambda record=record: extract(record, features))  # type: ignore[misc]
        each = {f"all {len(features)} inputs": spent}
        for score in scores:
            each[score.id], result = cpu(lambda score=score, values=values: score.estimate(values))  # type: ignore[misc]
            speaks |= set() if isinstance(result, NotEstimated) else {score.id}
        each[f"all {len(scores)} scores and their inputs"] = sum(each.values())
        each["*`json.loads` of the same body*"], _ = cpu(lambda body=body: json.loads(body))  # type: ignore[misc]
        if number >= 5:
            for name, ms in each.items():
                took.setdefault(name, []).append(ms)
    print(f"## All published scores of one {KILOBYTES} KB record, CPU, median of {runs}\n\n| | ms | |\n|---|---|---|")
    for name, times in took.items():
        note = "" if name in speaks or name not in {s.id for s in scores} else "refuses"
        print(f"| {name} | {statistics.median(times):.3f} | {note} |")


def _illnesses(patient_id: str) -> Iterator[dict[str, Any]]:
    """What makes most scores speak, on any patient: chronic and acute illnesses, a stay in hospital."""
    about = {"subject": {"reference": f"Patient/{patient_id}"}}
    for number, code in enumerate(ILLNESSES):
        coded = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
        onset = (AS_OF - timedelta(days=1)).isoformat()
        yield {"resourceType": "Condition", "id": f"x{number}", "code": coded, "onsetDateTime": onset} | about
    begun = {"start": (AS_OF - timedelta(days=4)).isoformat()}
    stay = {"resourceType": "Encounter", "id": "stay", "status": "in-progress", "class": {"code": "IMP"}}
    yield stay | {"period": begun} | about


if __name__ == "__main__":
    main()
