"""Conditions that count only while they are new, and conditions that are suspected but not diagnosed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from cds_service.features.conditions_on_record import ProblemList
from cds_service.features.feature import ConditionFeature, Feature, FeatureValue, Reason, Unusable
from cds_service.features.latest import absent
from cds_service.features.remembered import Remembered
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import SNOMED, codings, label, status_codes
from cds_service.fhir.record import PatientRecord
from cds_service.language import msg

_OTHERWISE = re.compile(r"prophyla|prevent|histor|h/o|previous|treatment|excluded|\bno\b")  # no suspicion of now
_DOUBTED = frozenset({"unconfirmed", "provisional", "differential"})
_DENIED = frozenset({"refuted", "entered-in-error"})
_OPEN = frozenset({"draft", "active", "on-hold"})
_PRESENT = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave"})


@dataclass(frozen=True, slots=True)
class Recent(Feature):
    """True if a condition began within a time before now, resolved or not. condition: declared with `ever`."""

    condition: ConditionFeature
    within: timedelta


@dataclass(frozen=True, slots=True)
class Suspected(Feature):
    """True if somebody wrote down that a condition is suspected, and nobody has confirmed it.

    Read from unconfirmed entries of the list, from codes and words of suspicion, and from the reasons of open orders
    and of the present encounter. Its absence says nothing and gives no value.
    snomed: codes that mean the suspicion itself. words: the condition as written in a reason, lower case.
    """

    condition: ConditionFeature
    snomed: tuple[str, ...]
    words: tuple[str, ...]


class _Codes(NamedTuple):
    """SNOMED CT codes as sets: of the suspicion itself, and of the condition."""

    itself: frozenset[str]
    condition: frozenset[str]


_wanted = Remembered[Suspected, _Codes](lambda f: _Codes(frozenset(f.snomed), frozenset(f.condition.snomed)))


def recent(record: PatientRecord, problems: ProblemList, feature: Recent) -> FeatureValue | Unusable:
    """True with the entries that are new, False if none is, or a reason; an active entry without a date is open."""
    listed = [problem for problem in problems.matching(feature.condition) if problem.sure]
    begin = record.as_of - feature.within
    new = [(problem.since, problem) for problem in listed if problem.since is not None and problem.since.end >= begin]
    if new:
        sources = tuple(sorted({problem.reference for _, problem in new}))
        return FeatureValue(feature, True, min(since.start for since, _ in new), sources)
    undated = tuple(sorted(problem.reference for problem in listed if problem.since is None))
    if undated:
        words = msg("{what}: the entry has no date", what=feature.label)
        return Unusable(feature, Reason.UNREADABLE, words, sources=undated)
    known = problems.value(feature.condition)
    if isinstance(known, Unusable):
        return Unusable(feature, known.reason, known.words)
    return FeatureValue(feature, False, None, (), inferred=True)


def suspected(record: PatientRecord, problems: ProblemList, feature: Suspected) -> FeatureValue | Unusable:
    """True with whatever names the suspicion, or that none is on record."""
    wanted = _wanted(feature)
    found: list[fhir.Resource] = [
        problem.row
        for problem in problems.matching(feature.condition)
        if problem.active and status_codes(problem.row.verification_status) & _DOUBTED
    ]
    for row in record.rows(fhir.Condition):
        if any(s == SNOMED and code in wanted.itself for s, code in codings((row.code,))) and not (
            status_codes(row.verification_status) & _DENIED
        ):
            found.append(row)
    for order in record.rows(fhir.ServiceRequest):
        if order.status in _OPEN and not order.do_not_perform and _named(order.reason_code, feature):
            found.append(order)
    for visit in record.rows(fhir.Encounter):
        if visit.status in _PRESENT and _named(visit.reason_code, feature):
            found.append(visit)
    if not found:
        return absent(feature)
    times = [span.start for row in found if (span := record.date_of(row)) is not None]
    sources = tuple(sorted({record.reference(row) for row in found}))
    return FeatureValue(feature, True, min(times, default=None), sources)


def _named(reasons: tuple[fhir.CodeableConcept, ...], feature: Suspected) -> bool:
    if not reasons:
        return False
    wanted = _wanted(feature)
    if any(s == SNOMED and (code in wanted.itself or code in wanted.condition) for s, code in codings(reasons)):
        return True
    texts = [(label(reason) or "").casefold() for reason in reasons]
    return any(word in text for text in texts for word in feature.words if not _OTHERWISE.search(text))
