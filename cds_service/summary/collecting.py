"""All facts of a record, and those of them that a hook must not lose, marked so."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import structs

from cds_service.features.medicines import ANTICOAGULANT as ANTICOAGULANTS
from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Encounter
from cds_service.language import msg
from cds_service.summary import cancer, contradictions, facts, history, must
from cds_service.summary.facts import KINDS, MEDICATION, PROBLEM, RESULT, TREND, Fact
from cds_service.summary.results import Series, abnormal_results, series, told_value, trends

_SOURCES: Mapping[str, tuple[Callable[[PatientRecord], tuple[Fact, ...]], ...]] = {
    facts.CODE_STATUS: (history.code_status,),
    facts.ALLERGY: (facts.allergies,),
    facts.CONTRADICTION: (contradictions.contradictions, contradictions.in_notes),
    facts.PROBLEM: (facts.problems, cancer.cancer),
    facts.MEDICATION: (facts.medications,),
    facts.DEVICE: (history.devices,),
    facts.PROCEDURE: (history.procedures,),
    facts.ENCOUNTER: (history.encounters,),
    facts.IMMUNISATION: (history.immunisations,),
    facts.ADVERSE_EVENT: (history.adverse_events,),
    facts.SOCIAL: (history.social,),
    facts.FAMILY: (history.family,),
    facts.GOAL: (history.goals,),
    facts.PLAN: (history.plans,),
    facts.DOCUMENT: (history.documents,),
}
# What each hook needs told even if it is normal: tag -> LOINC codes, the first that has a value is told.
_EGFR = ("98979-8", "62238-1", "33914-3", "48642-3", "48643-1", "69405-9", "50044-7", "70969-1", "88293-6", "88294-4")
_NEEDED: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "encounter-start": {must.BASELINE: (("2160-0", "38483-4", "14682-9"), ("718-7", "30313-1", "59260-0"))},
    "order-select": {
        must.EGFR: (_EGFR,), must.POTASSIUM: (("2823-3", "6298-4"),), must.QTC: (("8636-3", "8634-8"),),
        must.WEIGHT: (("29463-7", "3141-9"),),
    },
    "encounter-discharge": {
        must.LAST_VITALS: (("8480-6",), ("8462-4",), ("8867-4",), ("9279-1",), ("59408-5", "2708-6"), ("8310-5",)),
    },
}  # fmt: skip
_ORDER_HOOKS = frozenset({"order-select", "order-sign"})
_ANTICOAGULANT = re.compile(r"(?i)\b(" + "|".join(ANTICOAGULANTS.names) + r")\b|华法林|沙班|达比加群|肝素")
_PREGNANT = re.compile(r"(?i)pregnan|妊娠|怀孕")
_NOT_PREGNANT = re.compile(r"(?i)(history|ectopic|tubal|loss|termination|miscarriage)")
_INFECTED = re.compile(
    r"(?i)infect|sepsis|septic|pneumonia|covid|mrsa|vre\b|tubercul|difficile|resistant|hepatitis|\bhiv\b"
    r"|感染|肺炎|脓毒|结核"
)
_NEW_KINDS = frozenset({PROBLEM, MEDICATION, facts.PROCEDURE, facts.IMMUNISATION, facts.ALLERGY, RESULT, TREND})


def collect(record: PatientRecord, kinds: Collection[str] = KINDS) -> tuple[Fact, ...]:
    """The facts of a record of the given kinds, in the order of `KINDS`; of results those abnormal or moving."""
    measured = tuple(series(record)) if {RESULT, TREND}.intersection(kinds) else ()
    found: list[Fact] = []
    for kind in KINDS:
        if kind in kinds:
            if kind == RESULT:
                found += abnormal_results(measured)
            elif kind == TREND:
                found += trends(measured)
            else:
                found += (fact for source in _SOURCES[kind] for fact in source(record))
    return tuple(found)


def everything(record: PatientRecord) -> tuple[Fact, ...]:
    """All facts, numbered: with every other latest result, and the medicines that are no longer taken."""
    found = collect(record)
    moving = {fact.key for fact in found if fact.kind == TREND}
    told = {*moving, *(f"{codes.LOINC}|{code}" for code in (*history.SOCIAL_CODES, *cancer.CODES))}
    told |= {fact.key for fact in found if fact.kind == RESULT}
    normal = [_result(one, frozenset()) for one in series(record) if f"{codes.LOINC}|{one.code}" not in told]
    # A trend says what its latest result says, and where that result lies.
    kept = [fact for fact in found if not (fact.kind == RESULT and fact.key in moving)]
    every = sorted((*kept, *facts.stopped(record), *normal), key=lambda fact: KINDS.index(fact.kind))
    return facts.numbered(every)


def marked(found: Iterable[Fact], record: PatientRecord, hook: str, top: Collection[str] = ()) -> tuple[Fact, ...]:
    """The facts with the tags that keep them from being cut at this hook, and what the hook needs beside them.

    top: references of the inputs that moved the estimates most.
    """
    since = _last_visit(record)
    kept = [_tagged(fact, hook, since, top) for fact in found]
    needed = dict(_needed(record, "order-select" if hook in _ORDER_HOOKS else hook))
    for n, fact in enumerate(kept):
        told = [key for key, other in needed.items() if fact.key == key or fact.references == other.references]
        if fact.kind in (RESULT, TREND) and told:
            tags = fact.tags.union(*(needed.pop(key).tags for key in told))
            kept[n] = structs.replace(fact, tags=tags)
    return (*kept, *needed.values())


def _tagged(fact: Fact, hook: str, since: datetime | None, top: Collection[str]) -> Fact:
    tags = set(fact.tags)
    words = str(fact.text) if fact.kind in (MEDICATION, PROBLEM) else ""
    if fact.kind == MEDICATION and _ANTICOAGULANT.search(words):
        tags.add(must.ANTICOAGULANT)
    if fact.kind == PROBLEM and _PREGNANT.search(words) and not _NOT_PREGNANT.search(words):
        tags.add(must.PREGNANCY)
    if top and not set(fact.references).isdisjoint(top):
        tags.add(must.TOP_REASON)
    if hook == "encounter-discharge" and fact.status == "preliminary":
        tags.add(must.PENDING)
    if hook == "encounter-start":
        if fact.kind == MEDICATION:
            tags.add(must.HOME_MEDICINE)
        if fact.kind == PROBLEM and _INFECTED.search(words):
            tags.add(must.INFECTION)
    recent = since is not None and fact.effective is not None and fact.effective > since
    if recent and hook == "patient-view" and fact.kind in _NEW_KINDS:
        tags.add(must.NEW)
    if recent and hook == "encounter-discharge" and fact.kind == MEDICATION:
        tags.add(must.CHANGED_MEDICINE)
    return structs.replace(fact, tags=frozenset(tags)) if tags != fact.tags else fact


def _needed(record: PatientRecord, hook: str) -> Iterator[tuple[str, Fact]]:
    """What a hook needs told whatever it is: the latest value of each measurement."""
    for tag, groups in _NEEDED.get(hook, {}).items():
        for group in groups:
            latest = next((m for m in record.newest(group) if m.quantity is not None and m.effective is not None), None)
            if latest is not None:
                code = next(c for _, c in codes.codings((latest.part.code,)) if c in group)
                fact = _result(Series(code, latest, None), frozenset({tag}))
                yield fact.key, fact


def _result(one: Series, tags: frozenset[str]) -> Fact:
    taken = one.latest.effective
    text = msg("{name} {value}", name=one.name, value=told_value(one.latest.part))
    if taken is not None:
        text = msg("{name} {value}, {date}", name=one.name, value=told_value(one.latest.part), date=taken.date())
    return Fact(RESULT, text, (one.latest.reference,), taken, key=f"{codes.LOINC}|{one.code}", tags=tags)


def _last_visit(record: PatientRecord) -> datetime | None:
    """The end of the last visit that is over; None if there was none. A visit of today is no last visit."""
    for visit in record.rows(Encounter):
        ended = record.ends(visit)
        if visit.status == "finished" and ended is not None and ended.end < record.as_of - timedelta(hours=12):
            return ended.end
    return None
