"""Every model and service for one patient at one moment: the functions that serve, without HTTP, as flat rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

import orjson

from cds_service.cohort.patients import Loaded
from cds_service.desks import Desk
from cds_service.errors import InputError
from cds_service.features.asked import Asked
from cds_service.features.extract import extract
from cds_service.features.feature import FeatureValue, FeatureValues
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import exact
from cds_service.findings import RiskFinding
from cds_service.hook import Case
from cds_service.needs import with_inputs
from cds_service.pipeline import Pipeline, estimate
from cds_service.risk.model import NotEstimated, Result, RiskEstimate, RiskModel


@dataclass(frozen=True, slots=True)
class Scored:
    """One row: an estimate, a refusal, or a finding of a service.

    kind: `estimate`, `refusal` or `finding`. name: of the model, or of the service. value: probability 0-1, points or
    a quantity. inputs: JSON, one object an input with id, value, unit, time and sources. explanation: JSON, pairs of
    input ids and amounts; None unless it was asked for, or the estimate lies at or above the threshold.
    """

    patient: str
    at: datetime
    encounter: str | None
    kind: str
    name: str
    version: str | None = None
    outcome: str | None = None
    horizon: int | None = None
    value: float | None = None
    high: float | None = None
    band: str | None = None
    reason: str | None = None
    severity: str | None = None
    inputs: str | None = None
    explanation: str | None = None


T = TypeVar("T")
COLUMNS = tuple(item.name for item in fields(Scored))


@dataclass(frozen=True, slots=True)
class Choice:
    """What is scored, and when.

    models, services: ids; empty for all. at: the moment; None for each encounter's start. explain_from: probability
    from which an explanation is kept; above 1 for none, 0 for all.
    """

    models: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    at: datetime | None = None
    explain_from: float = 2.0


class Scorer:
    """Scores patients; made once in each process."""

    row = Scored

    def __init__(self, pipeline: Pipeline, models: Mapping[str, RiskModel], choice: Choice) -> None:
        """models: all that are loaded. Raises InputError for an id that is not."""
        self._choice, self._code_map = choice, pipeline.code_map
        self._models = tuple(_chosen(models, choice.models, "model"))
        listing = pipeline.discovery()["services"]
        assert isinstance(listing, list)
        desks = {entry["id"]: pipeline.desk(entry["id"]) for entry in listing}
        only_models = bool(choice.models) and not choice.services
        self._desks: tuple[Desk, ...] = () if only_models else tuple(_chosen(desks, choice.services, "service"))
        asked: dict[str, RiskModel] = {model.id: model for model in self._models}
        for desk in self._desks:
            asked |= {model.id: model for model in desk.models}
        self._all = tuple(asked.values())
        features = [f for m in self._all for f in m.features] + [f for d in self._desks for f in d.service.features]
        self._features = Asked(with_inputs(features))

    def score(self, loaded: Loaded) -> Iterator[Scored]:
        """The rows of one patient: at the moment, or at the start of each encounter."""
        if self._choice.at is not None:
            yield from self._at(loaded, self._choice.at, None)
            return
        for encounter in loaded.encounters():
            start = encounter.period.start if encounter.period is not None else None
            moment = start_of(start)
            if moment is not None:
                yield from self._at(loaded, moment, encounter.id)

    def _at(self, loaded: Loaded, at: datetime, encounter: str | None) -> Iterator[Scored]:
        record = loaded.record(at, self._code_map)
        if record.deceased or record.patient is None:
            return
        values, results, cases = self.decide(record, at, encounter)
        for model in self._models:
            yield from self._results(loaded.id, at, encounter, model, results[model.id], values)
        for desk, case in cases:
            for finding in desk.service.find(case):
                refused = finding.refused if isinstance(finding, RiskFinding) else None
                reason = str(refused.reason) if refused is not None else None
                yield Scored(
                    loaded.id, at, encounter, "finding", desk.service.id, outcome=finding.key,
                    severity=finding.severity.name.lower(), reason=reason,
                )  # fmt: skip

    def decide(
        self, record: PatientRecord, at: datetime, encounter: str | None, hook: str | None = None
    ) -> tuple[FeatureValues, dict[str, Result], list[tuple[Desk, Case]]]:
        """Values, results and the cases of the services (of one hook, if it is named) at a moment."""
        values = extract(record, self._features)
        results = estimate(self._all, values)
        met = next((e for e in record.rows(fhir.Encounter) if e.id == encounter), None) if encounter else None
        cases = []
        for desk in self._desks:
            if hook is not None and desk.service.hook != hook:
                continue
            context = ClinicalContext(record, desk.service.hook, None, encounter, met, (), at)
            own = {model.id: model for model in desk.models}
            known = {id_: results[id_] for id_ in own}
            case = Case(context, values, own, known, desk.thresholds, desk.library, desk.beside)
            cases.append((desk, case))
        return values, results, cases

    def _results(
        self, patient: str, at: datetime, encounter: str | None, model: RiskModel, result: Result, values: FeatureValues
    ) -> Iterator[Scored]:
        if isinstance(result, NotEstimated):
            words = f"{result.refusal.value}: {result.reason}"
            yield Scored(patient, at, encounter, "refusal", model.id, model.version, reason=words)
            return
        for made in result:
            explain = made.value >= self._choice.explain_from
            yield Scored(
                patient, at, encounter, "estimate", model.id, model.version, made.outcome, made.horizon_years,
                made.value, made.high, made.band.id if made.band else None, None, None, _inputs(made),
                _explanation(made) if explain else None,
            )  # fmt: skip


def start_of(text: str | None) -> datetime | None:
    """The first moment that a FHIR time may mean, or None."""
    from cds_service.fhir.times import parse

    span = parse(text)
    return span.start if span is not None else None


def _chosen(loaded: Mapping[str, T], ids: Sequence[str], what: str) -> Iterable[T]:
    unknown = [id_ for id_ in ids if id_ not in loaded]
    if unknown:
        raise InputError(f"there is no {what} {unknown[0]!r}. Known: {', '.join(loaded)}.")
    return [loaded[id_] for id_ in ids] if ids else list(loaded.values())


def _inputs(made: RiskEstimate) -> str:
    rows = [
        {
            "id": v.feature.id,
            "value": v.value,
            "unit": getattr(v.feature, "unit", None),
            "at": exact(v.effective),
            "from": v.sources,
        }
        for v in made.inputs
        if isinstance(v, FeatureValue)
    ]
    return orjson.dumps(rows).decode()


def _explanation(made: RiskEstimate) -> str:
    found = made.explanation
    pairs = [[list(c.features), c.amount] for c in found.contributions]
    return orjson.dumps({"scale": found.scale.value, "baseline": found.baseline, "contributions": pairs}).decode()
