"""`python -m benchmarks.summaries --data FOLDER`: measured rates of summary and verifier, as the page of evidence.

FOLDER holds `synthea_r4`, `fhir_examples` and `clinical_notes`; what it lacks is said to be not measured. Nothing of
it is written but counts.
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks import summaries_words
from benchmarks.neighbours import neighbours
from cds_service.cli import calls
from cds_service.errors import CurbsideError
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    AllergyIntolerance,
    CarePlan,
    Condition,
    DiagnosticReport,
    Encounter,
    Goal,
    Immunization,
    MedicationRequest,
    Observation,
    Procedure,
)
from cds_service.language import words
from cds_service.summary.chart import Chart
from cds_service.summary.collecting import everything
from cds_service.summary.facts import CONTRADICTION
from cds_service.summary.verify import Sentence, verify

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "summary"))
AS_OF = datetime(2021, 6, 1, tzinfo=UTC)
Rows = list[str]


def bundles(data: Path) -> Iterator[tuple[str, dict[str, Any], datetime]]:
    """(name, bundle, moment) of the sample patients and of the records in the data folder."""
    for name in calls.samples():
        bundle = load(calls.sample(name))
        yield name, bundle, datetime.fromisoformat(bundle["timestamp"])
    for folder in ("synthea_r4", "fhir_examples"):
        for path in sorted((data / folder).glob("*.json.gz")):
            yield path.name, load(path), AS_OF


def load(path: Path) -> dict[str, Any]:
    """A bundle, packed or not."""
    raw = path.read_bytes()
    found: dict[str, Any] = orjson.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)
    return found


def expected(record: PatientRecord) -> Iterator[tuple[str, str]]:
    """(kind, reference) of what a complete list of facts must cite."""
    for row in record.rows(AllergyIntolerance):
        yield "allergies", record.reference(row)
    for condition in record.rows(Condition):
        said = {c.code for c in (condition.clinical_status.coding if condition.clinical_status else ())}
        if said <= {"active", "recurrence", "relapse"} and condition.abatement_date_time is None:
            yield "active problems", record.reference(condition)
    orders = record.rows(MedicationRequest)
    current = {order.medication_codeable_concept for order in orders if order.status == "active"}
    for order in orders:
        if order.status == "active" and order.intent == "order":
            yield "current medicines", record.reference(order)
        elif order.status in ("stopped", "completed", "on-hold") and order.medication_codeable_concept not in current:
            yield "medicines no longer taken", record.reference(order)
    for procedure in record.rows(Procedure):
        if procedure.status == "completed":
            yield "procedures", record.reference(procedure)
    for visit in record.rows(Encounter):
        yield "visits and stays", record.reference(visit)
    for dose in record.rows(Immunization):
        yield "vaccinations", record.reference(dose)
    for goal in record.rows(Goal):
        if goal.lifecycle_status in ("active", "accepted"):
            yield "goals", record.reference(goal)
    for plan in record.rows(CarePlan):
        if plan.status == "active":
            yield "plans", record.reference(plan)
    for report in record.rows(DiagnosticReport):
        if report.conclusion:
            yield "conclusions of reports", record.reference(report)
    for code in record.loinc_codes():
        latest = next(record.newest((code,)), None)
        recent = latest is not None and latest.effective is not None and (record.as_of - latest.effective).days < 365
        if latest is not None and recent and isinstance(latest.part, Observation) and latest.quantity is not None:
            yield "latest results of a year", latest.reference


def recall(data: Path) -> Rows:
    """The share of resources that the facts cite, by kind; and how many facts the verifier supports."""
    there: Counter[str] = Counter()
    told: Counter[str] = Counter()
    kept: Counter[tuple[str, bool]] = Counter()
    records = 0
    for _, bundle, moment in bundles(data):
        try:
            record = calls.record(bundle, moment)
        except CurbsideError:
            continue
        records += 1
        found = everything(record)
        cited = {reference for fact in found for reference in fact.references}
        for kind, reference in expected(record):
            there[kind] += 1
            told[kind] += reference in cited
        chart = Chart.from_bundle(bundle, moment)
        for language in ("en", "zh_Hans"):
            lines = [f for f in found if f.references and f.kind != CONTRADICTION]
            said = [Sentence(words(language)(f.text), f.references) for f in lines]
            kept.update((language, v.keep) for v in verify(said, chart))
    rows = [f"Over {records} records.\n", "| what | resources | cited by a fact |", "|---|---|---|"]
    rows += [f"| {kind} | {there[kind]} | {share(told[kind], there[kind])} |" for kind in there]
    for language, name in (("en", "English"), ("zh_Hans", "Chinese")):
        right, wrong = kept[language, True], kept[language, False]
        rows.append(f"\nThe verifier supports {share(right, right + wrong)} of {right + wrong} {name} fact lines.")
    return rows


def verifier(number: int = 1) -> Rows:
    """Kept and dropped of a set of hand-written sentences, by what a wrong one changes."""
    from bench import BLIND, CLASSES, FILE, SECOND, THIRD, cases, verdict

    found: Counter[tuple[str, bool]] = Counter()
    sentences = cases((FILE, SECOND, THIRD, BLIND, CLASSES)[number - 1])
    start = time.perf_counter()
    for case in sentences:
        found[case.what, verdict(case).keep] += 1
    each = (time.perf_counter() - start) / len(sentences) * 1000
    right = found["right", True] + found["right", False]
    wrong = {what for what, _ in found} - {"right"}
    about = "the sample patients and public records" if number in (2, 4) else "the sample patients"
    rows = [f"{len(sentences)} sentences about {about}, {each:.1f} ms each.\n"]
    rows += ["| sentences | number | kept |", "|---|---|---|"]
    rows.append(f"| right | {right} | {share(found['right', True], right)} |")
    for what in sorted(wrong):
        total = found[what, True] + found[what, False]
        rows.append(f"| wrong: {what} | {total} | {share(found[what, True], total)} |")
    return rows


def of_letters() -> Rows:
    """Kept and dropped of sentences about letters and reports, by what a wrong one changes."""
    from letters import judged, told

    found = Counter((one.what, judged(one).keep) for one in told())
    rows = ["| sentences | number | kept |", "|---|---|---|"]
    for what in sorted({what for what, _ in found}, key=lambda what: (what != "right", what)):
        total = found[what, True] + found[what, False]
        rows.append(
            f"| {what if what == 'right' else f'wrong: {what}'} | {total} | {share(found[what, True], total)} |"
        )
    return rows


def nearest() -> Rows:
    """What share of the nearest neighbours of the kept right sentences is kept."""
    from bench import BLIND, CLASSES, FILE, SECOND, THIRD, Case, cases, verdict

    kept: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for file in (FILE, SECOND, THIRD, BLIND, CLASSES):
        for case in cases(file):
            if not case.right or not verdict(case).keep:
                continue
            for what, text in neighbours(case.sentence.text):
                total[what] += 1
                kept[what] += verdict(Case(False, what, case.patient, Sentence(text, case.sentence.cites))).keep
    rows = ["| changed | sentences | kept |", "|---|---|---|"]
    rows += [f"| {what} | {total[what]} | {share(kept[what], total[what])} |" for what in sorted(total)]
    return rows


def planted(data: Path) -> Rows:
    """What share of the planted errors of MEDEC is caught, each sentence against its own corrected text."""
    caught: Counter[str] = Counter()
    total: Counter[str] = Counter()
    right = 0
    for path in sorted((data / "clinical_notes").glob("MEDEC-MS-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                wrong, corrected = (
                    (row.get("Error Sentence") or "").strip(),
                    (row.get("Corrected Sentence") or "").strip(),
                )
                if row.get("Error Flag") != "1" or not wrong or not corrected:
                    continue
                chart = note(row["Corrected Text"])
                bad, good = verify([Sentence(s, ("DocumentReference/n",)) for s in (wrong, corrected)], chart)
                kind = row.get("Error Type") or "?"
                total[kind] += 1
                caught[kind] += not bad.keep
                right += good.keep
    if not total:
        return ["Not measured: the data folder holds no MEDEC files."]
    every = sum(total.values())
    rows = ["| kind of error | sentences | caught |", "|---|---|---|"]
    rows += [f"| {kind} | {total[kind]} | {share(caught[kind], total[kind])} |" for kind in sorted(total)]
    rows.append(f"| all | {every} | {share(sum(caught.values()), every)} |")
    rows.append(f"\nThe corrected sentence is kept in {share(right, every)} of the texts.")
    return rows


def note(text: str) -> Chart:
    """A chart of one document."""
    data = base64.b64encode(text.encode()).decode()
    attachment = {"contentType": "text/plain", "data": data}
    rows = [
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "DocumentReference", "id": "n", "status": "current", "content": [{"attachment": attachment}]},
    ]
    return Chart.from_bundle({"resourceType": "Bundle", "entry": [{"resource": r} for r in rows]}, AS_OF)


def speed(data: Path) -> Rows:
    """Milliseconds for all facts of a record, per 1,000 resources; the best of three, the record already read."""
    rows = ["| record | resources | all facts | per 1,000 resources |", "|---|---|---|---|"]
    for name, bundle, moment in bundles(data):
        size = len(bundle.get("entry", ()))
        if size < 600:
            continue
        best = float("inf")
        for _ in range(3):
            record = calls.record(bundle, moment)
            start = time.perf_counter()
            everything(record)
            best = min(best, time.perf_counter() - start)
        label = name.removesuffix(".json.gz")
        rows.append(f"| {label} | {size} | {best * 1000:.0f} ms | {best * 1e6 / size:.0f} ms |")
    return rows


def share(part: int, whole: int) -> str:
    """`97.2 % (35 of 36)`."""
    return f"{100 * part / whole:.1f} % ({part} of {whole})" if whole else "none there"


def main() -> None:
    """Writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evidence" / "summaries.md")
    options = parser.parse_args()
    figures = (
        recall(options.data), verifier(), verifier(2), verifier(3), verifier(4), verifier(5), of_letters(), nearest(),
        planted(options.data), speed(options.data),
    )  # fmt: skip
    parts = [line for words, rows in zip(summaries_words.IN_ORDER, figures, strict=True) for line in (*words, *rows)]
    parts.append("")
    options.out.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
