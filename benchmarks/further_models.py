"""What each model costs a call that has its record already: its inputs, its estimate and the explanation.

`python -m benchmarks.further_models` prints a Markdown table, dearest first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.bodies import AS_OF, hook_call
from cds_service.app import load_registry
from cds_service.features.extract import extract
from cds_service.fhir.context import clinical_context
from cds_service.fhir.record import PatientRecord
from cds_service.needs import with_inputs
from cds_service.protocol.request import decode
from cds_service.risk.model import NotEstimated, RiskModel
from cds_service.settings import Settings

PATIENTS = 32
ROUNDS = 5
GOAL_MS = 1.5


def records() -> list[PatientRecord]:
    """Fresh records, of which nothing has been read yet."""
    calls = [decode(hook_call(patient, 200)) for patient in range(PATIENTS)]
    return [clinical_context(call, needed={}, now=AS_OF).record for call in calls]


def cost(model: RiskModel, patients: Sequence[PatientRecord]) -> tuple[float, int]:
    """Milliseconds of CPU a patient, and for how many of them there was an estimate."""
    features = tuple(with_inputs(model.features))
    begun = time.thread_time()
    found = [model.estimate(extract(record, features)) for record in patients]
    spent = time.thread_time() - begun
    return spent / len(patients) * 1e3, sum(not isinstance(result, NotEstimated) for result in found)


def main() -> None:
    """Prints the table."""
    rows = []
    for model in load_registry(Settings()).models.values():
        patients = records()
        for record in patients:
            record.loinc_codes()  # the index belongs to the first model
        taken = [cost(model, patients) for _ in range(ROUNDS)]
        rows.append((sorted(ms for ms, _ in taken)[ROUNDS // 2], taken[0][1], model.id))
    print(f"| model | CPU ms a call | estimated, of {PATIENTS} patients |\n|---|---:|---:|")
    for ms, estimated, id_ in sorted(rows, reverse=True):
        print(f"| {id_} | {ms:.2f} | {estimated} |")
    print(f"\nDearest: {max(rows)[0]:.2f} ms; goal {GOAL_MS} ms.")


if __name__ == "__main__":
    main()
