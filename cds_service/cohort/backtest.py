"""Hooks replayed through time as the EHR would have called them, each beside what happened later.

`patient-view` at the start of each encounter outside hospital, `encounter-start` at the start of a stay or emergency
visit, `encounter-discharge` at the end of a stay. At each, the services see what was known then and nothing later.
Whether a card would have appeared is told as if the service were not silent and nobody had answered a card before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from cds_service.cohort import groups
from cds_service.cohort.groups import Place, Who
from cds_service.cohort.outcomes import HOOKS, Declared, Outcome, truth
from cds_service.cohort.patients import Loaded
from cds_service.desks import Desk
from cds_service.errors import InputError
from cds_service.features.asked import Asked
from cds_service.features.contacts import held, is_inpatient
from cds_service.features.extract import extract
from cds_service.features.hospital import is_hospital
from cds_service.features.stays import goes_to
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span, parse
from cds_service.findings import Finding
from cds_service.hook import Case
from cds_service.needs import with_inputs
from cds_service.pipeline import Pipeline, estimate
from cds_service.risk.model import EstimateKind, NotEstimated, Result, RiskModel

_EXPIRED = "exp"  # HL7 discharge-disposition


@dataclass(frozen=True, slots=True)
class Judged:
    """One row: what a model or a service said at one call of a hook, of whom, and what happened later.

    kind: `estimate`, `refusal`, `card` (one would have appeared) or `none`. probability: True if value is one (0-1).
    truth: JSON, outcome id -> [came, days], where came is null if it is not known.
    """

    patient: str
    at: datetime
    encounter: str | None
    hook: str
    kind: str
    name: str
    truth: str
    sex: str
    race: str
    ethnicity: str
    age: str
    language: str
    site: str
    ward: str
    clinician: str
    version: str | None = None
    outcome: str | None = None
    horizon: int | None = None
    value: float | None = None
    high: float | None = None
    probability: bool | None = None
    severity: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Counter:
    """All that answers one hook."""

    desks: tuple[Desk, ...]
    models: tuple[RiskModel, ...]
    features: Asked
    outcomes: tuple[Outcome, ...]


class Backtester:
    """Replays the hooks of patients; made once in each process."""

    row = Judged

    def __init__(
        self, pipeline: Pipeline, models: Mapping[str, RiskModel], declared: Declared, services: Sequence[str] = ()
    ) -> None:
        """services: ids; empty for all. Raises InputError for a model or service that is not loaded."""
        self._until, self._code_map = declared.until, pipeline.code_map
        listing = pipeline.discovery()["services"]
        assert isinstance(listing, list)
        desks = {entry["id"]: pipeline.desk(entry["id"]) for entry in listing}
        _check(declared, models, desks, services)
        self._counters = {hook: _counter(hook, declared, models, desks, services) for hook in HOOKS}

    def score(self, loaded: Loaded) -> Iterator[Judged]:
        """The rows of one patient, in the order of the calls."""
        who = groups.read(loaded.bodies)
        for hook, at, encounter in calls(loaded):
            counter = self._counters[hook]
            if at > self._until or not (counter.desks or counter.models):
                continue
            record = loaded.record(at, self._code_map, seen=True)
            if record.patient is None or record.deceased:
                continue
            if hook == "encounter-discharge" and _died_there(loaded.died, encounter, at):
                continue
            yield from self._at(loaded, record, who, hook, at, encounter)

    def _at(
        self, loaded: Loaded, record: PatientRecord, who: Who, hook: str, at: datetime, encounter: fhir.Encounter
    ) -> Iterator[Judged]:
        counter = self._counters[hook]
        later = {o.id: truth(o, loaded, at, encounter.id, self._until) for o in counter.outcomes}
        told = orjson.dumps({id_: [t.came, t.days] for id_, t in later.items()}).decode()
        place = who.places.get(encounter.id or "", Place())
        head = (loaded.id, at, encounter.id, hook)
        about = (told, who.sex, who.race, who.ethnicity, who.age_band(at), who.language, place.site, place.ward,
                 place.clinician)  # fmt: skip
        values = extract(record, counter.features)
        results = estimate(counter.models, values)
        for model in counter.models:
            for kind, more in _said(model, results[model.id], counter.outcomes):
                yield Judged(*head, kind, model.id, *about, **more)
        met = next((e for e in record.rows(fhir.Encounter) if e.id == encounter.id), None)
        for desk in counter.desks:
            context = ClinicalContext(record, hook, None, encounter.id, met, (), at)
            own = {model.id: model for model in desk.models}
            case = Case(
                context, values, own, {id_: results[id_] for id_ in own}, desk.thresholds, desk.library, desk.beside
            )
            loud = [finding for finding in desk.service.find(case) if not finding.quiet]
            severity = _most(loud)
            yield Judged(*head, "card" if loud else "none", desk.service.id, *about, severity=severity)


def calls(loaded: Loaded) -> Iterator[tuple[str, datetime, fhir.Encounter]]:
    """Hook, moment and encounter of each call that an EHR would have made, in order."""
    found: list[tuple[datetime, str, fhir.Encounter]] = []
    for encounter in loaded.encounters():
        if encounter.period is None or not held(encounter) or loaded.is_part(encounter):
            continue
        begun, ended = parse(encounter.period.start), parse(encounter.period.end)
        if begun is not None:
            found.append((begun.start, "encounter-start" if is_hospital(encounter) else "patient-view", encounter))
        if is_inpatient(encounter) and begun is not None and ended is not None and ended.start >= begun.start:
            found.append((ended.start, "encounter-discharge", encounter))
    for at, hook, encounter in sorted(found, key=lambda call: (call[0], call[1], call[2].id or "")):
        yield hook, at, encounter


def _died_there(died: Span | None, stay: fhir.Encounter, at: datetime) -> bool:
    """True if a stay that ended at a moment ended with the patient's death: by its disposition, or on that day."""
    return _EXPIRED in goes_to(stay) or (died is not None and died.start.date() <= at.date() and not died.vague)


def _check(
    declared: Declared, models: Mapping[str, RiskModel], desks: Mapping[str, Desk], services: Sequence[str]
) -> None:
    for outcome in declared.outcomes:
        for wanted in outcome.estimates:
            if wanted.split("/")[0] not in models:
                known = ", ".join(models)
                raise InputError(f"outcomes.{outcome.id}: there is no model {wanted.split('/')[0]!r}. Known: {known}.")
        for service in outcome.services:
            if service not in desks:
                raise InputError(f"outcomes.{outcome.id}: there is no service {service!r}. Known: {', '.join(desks)}.")
            if desks[service].service.hook != outcome.hook:
                hook = desks[service].service.hook
                raise InputError(f"outcomes.{outcome.id}: the service {service} answers {hook}, not {outcome.hook}.")
    for service in services:
        if service not in desks:
            raise InputError(f"there is no service {service!r}. Known: {', '.join(desks)}.")


def _counter(
    hook: str,
    declared: Declared,
    models: Mapping[str, RiskModel],
    desks: Mapping[str, Desk],
    services: Sequence[str],
) -> _Counter:
    chosen = tuple(d for id_, d in desks.items() if d.service.hook == hook and (not services or id_ in services))
    outcomes = tuple(outcome for outcome in declared.outcomes if outcome.hook == hook)
    asked = {model.id: model for desk in chosen for model in desk.models}
    for outcome in outcomes:
        asked |= {wanted.split("/")[0]: models[wanted.split("/")[0]] for wanted in outcome.estimates}
    features = [f for m in asked.values() for f in m.features] + [f for d in chosen for f in d.service.features]
    return _Counter(chosen, tuple(asked.values()), Asked(with_inputs(features)), outcomes)


def _said(model: RiskModel, result: Result, outcomes: Sequence[Outcome]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The estimates that some outcome judges, or the refusal."""
    if not any(wanted.split("/")[0] == model.id for outcome in outcomes for wanted in outcome.estimates):
        return
    if isinstance(result, NotEstimated):
        yield "refusal", {"version": model.version, "reason": result.refusal.value}
        return
    for made in result:
        if any(outcome.judges(model.id, made.outcome, made.horizon_years) for outcome in outcomes):
            yield (
                "estimate",
                {
                    "version": model.version,
                    "outcome": made.outcome,
                    "horizon": made.horizon_years,
                    "value": made.value,
                    "high": made.high,
                    "probability": made.kind is EstimateKind.PROBABILITY,
                },
            )


def _most(findings: Sequence[Finding]) -> str | None:
    return max(finding.severity for finding in findings).name.lower() if findings else None
