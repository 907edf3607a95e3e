"""For how many patients of other people's records each model could be computed, and why not for the others.

    python -m cds_service.sandbox.coverage DATA_FOLDER > docs/coverage.md

Each record is looked at on the day after its last encounter, or in the hour before death: a record that ended in
1980 is old, not incomplete. Requests are made as the demo EHR makes them, from the services' own prefetch templates.
"""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from cds_service.app import create_pipeline
from cds_service.errors import CurbsideError
from cds_service.fhir.times import parse
from cds_service.language import Message
from cds_service.ledger import Decision
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import decode
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import NoEncounter, NoPatient, ReadShelf, current_encounter, request_for
from cds_service.sandbox.resources import Json
from cds_service.settings import Settings

FOLDERS = {
    "synthea_r4": "Synthea",
    "fhir_examples": "Examples of other makers (IPS, HL7, AU Core, US Core, mCODE, LLMonFHIR)",
}
_DATES = ("effectiveDateTime", "recordedDate", "onsetDateTime", "authoredOn", "performedDateTime", "occurrenceDateTime")


class MovingClock:
    """A clock that is set by hand before each record."""

    def __init__(self) -> None:
        self.at = AS_OF

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.at


@dataclass
class Tally:
    """What came of one collection of records."""

    records: int = 0
    computed: Counter[str] = field(default_factory=Counter)
    intervals: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    cards: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    errors: dict[str, Counter[str]] = field(default_factory=dict)


def bundles(folder: Path, pattern: str = "*.json.gz") -> Iterator[tuple[str, Json]]:
    """Name and content of the packed bundles of a folder."""
    for path in sorted(folder.glob(pattern)):
        yield path.name.removesuffix(".json.gz"), orjson.loads(gzip.decompress(path.read_bytes()))


def moment_of(bundle: Mapping[str, Any]) -> datetime:
    """The hour before death, else the day after the last encounter, else after the last dated row."""
    rows = [entry["resource"] for entry in bundle.get("entry") or [] if isinstance(entry.get("resource"), dict)]
    for patient in (row for row in rows if row.get("resourceType") == "Patient"):
        died = parse(patient.get("deceasedDateTime"))
        if died is not None:
            return died.start - timedelta(hours=1)
    visits = [(row.get("period") or {}).get("start") for row in rows if row.get("resourceType") == "Encounter"]
    dated = visits or [row[name] for row in rows for name in _DATES if isinstance(row.get(name), str)]
    spans = [span for span in map(parse, dated) if span is not None]
    return max(span.start for span in spans) + timedelta(days=1) if spans else AS_OF


def decisions(line: Pipeline, clock: MovingClock, bundle: Mapping[str, Any]) -> Iterator[tuple[str, Decision | str]]:
    """Service id and what came of the call: a decision, or the status and sentence of the refusal."""
    clock.at = moment_of(bundle)
    shelf = ReadShelf(bundle)
    try:
        encounter = current_encounter(shelf)
    except NoEncounter:
        encounter = "none-on-record"
    services: Any = line.discovery()["services"]
    for service in services:
        try:
            request = request_for(service, shelf, encounter_id=encounter)
            yield service["id"], line.assess(line.desk(service["id"]), decode(orjson.dumps(request)))
        except NoPatient:
            yield service["id"], "no request: the record names no patient"
        except CurbsideError as error:
            yield service["id"], f"{error.http_status}: {error}"


def tally(line: Pipeline, clock: MovingClock, folder: Path) -> Tally:
    """All records of a folder through all services; each model is counted once a record."""
    found = Tally()
    for _, bundle in bundles(folder):
        found.records += 1
        seen: set[str] = set()
        for service, outcome in decisions(line, clock, bundle):
            if isinstance(outcome, str):
                found.errors.setdefault(service, Counter())[outcome] += 1
                continue
            found.answered[service] += 1
            found.cards[service] += bool(outcome.response.cards)
            for model, result in outcome.case.results.items():
                if model in seen:
                    continue
                seen.add(model)
                if isinstance(result, NotEstimated):
                    found.refused.setdefault(model, Counter())[_reason(result)] += 1
                else:
                    found.computed[model] += 1
                    found.intervals[model] += any(estimate.high is not None for estimate in result)
    return found


def _reason(result: NotEstimated) -> str:
    """A refusal without the patient's values: the inputs at fault by what is wrong with them, or its sentence."""
    kind = result.refusal.value.replace("-", " ")
    if result.refusal is not Refusal.INPUT or not result.unusable:
        return f"{kind}: {_plain(result.reason)}"
    faults: dict[str, list[str]] = {}
    for entry in result.unusable:
        faults.setdefault(entry.reason.value, []).append(str(entry.feature.label))
    return "; ".join(f"{fault}: {', '.join(labels)}" for fault, labels in faults.items())


def _plain(message: Message) -> str:
    """The sentence with an ellipsis for every number and date, so that equal reasons count as one."""
    values = {k: _plain(v) if isinstance(v, Message) else "…" for k, v in message.values.items()}
    return message.text.format(**values)


def report(line: Pipeline, clock: MovingClock, data: Path) -> str:
    """The Markdown of `docs/coverage.md`."""
    lines = [
        "# Coverage",
        "",
        "For how many records of other makers each model could be computed, and why not for the others.",
        "Each record is looked at as of the day after its last encounter, or of the hour before death.",
        "Requests are filled from the services' prefetch templates, as an EHR would.",
        "A refusal is no fault: a child has no ten-year risk, and a record without cholesterol has no PREVENT.",
        "Made by `python -m cds_service.sandbox.coverage $CURBSIDE_DATA > docs/coverage.md`.",
    ]
    for name, title in FOLDERS.items():
        found = tally(line, clock, data / name)
        lines += [
            "",
            f"## {title}: {found.records} records",
            "",
            "| model | computed | of these an interval | not computed | of records |",
            "|---|---|---|---|---|",
        ]
        models = sorted({*found.computed, *found.refused})
        for model in models:
            refused = sum(found.refused.get(model, Counter()).values())
            share = found.computed[model] / found.records
            lines.append(f"| {model} | {found.computed[model]} | {found.intervals[model]} | {refused} | {share:.0%} |")
        lines += ["", "| service | answered | with a card | refused |", "|---|---|---|---|"]
        for service in sorted({*found.answered, *found.errors}):
            errors = "; ".join(f"{n} × {text}" for text, n in _most(found.errors.get(service, Counter())))
            lines.append(f"| {service} | {found.answered[service]} | {found.cards[service]} | {errors or 0} |")
        for model in models:
            if model in found.refused:
                lines += ["", f"### Why not: {model}", ""]
                lines += [f"- {count} × {text}" for text, count in _most(found.refused[model])]
    return "\n".join([*lines, ""])


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    """Most frequent first, then by text."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def made_ready() -> tuple[Pipeline, MovingClock]:
    """A pipeline that shows everything and stores nothing, and the clock that it goes by."""
    clock = MovingClock()
    return create_pipeline(Settings().with_("models", show_unvalidated=True), clock), clock


def main(arguments: list[str]) -> int:
    """Prints the page; 2 on wrong usage."""
    if len(arguments) != 1 or not all((Path(arguments[0]) / name).is_dir() for name in FOLDERS):
        wanted = " and ".join(FOLDERS)
        print(f"usage: python -m cds_service.sandbox.coverage FOLDER, which holds {wanted}", file=sys.stderr)
        return 2
    line, clock = made_ready()
    print(report(line, clock, Path(arguments[0])), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
