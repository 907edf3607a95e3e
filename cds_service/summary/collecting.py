"""All facts of a record, and those of them that a hook must not lose, marked so."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import reduce

from msgspec import structs

from cds_service.features.medicines import ANTICOAGULANT as ANTICOAGULANTS
from cds_service.features.stays import stay_began
from cds_service.fhir import codes
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.fhir.resources import Encounter
from cds_service.hook_needs import CREATININE, EGFR, HAEMOGLOBIN, POTASSIUM, QTC, VITAL_SIGNS, WEIGHT
from cds_service.language import msg
from cds_service.summary import cancer, contradictions, facts, follow_up, history, must, standing
from cds_service.summary.changes import changes
from cds_service.summary.facts import KINDS, MEDICATION, PROBLEM, RESULT, TREND, Fact
from cds_service.summary.genes import gene_results
from cds_service.summary.results import abnormal_results, named_value, series, trends
from cds_service.summary.rows import as_known

_SOURCES: Mapping[str, tuple[Callable[[PatientRecord], tuple[Fact, ...]], ...]] = {
    facts.CODE_STATUS: (history.code_status,),
    facts.ALLERGY: (facts.allergies,),
    facts.CONTRADICTION: (contradictions.contradictions, contradictions.in_notes),
    facts.PROBLEM: (facts.problems, cancer.cancer, standing.pregnancy, standing.flags),
    facts.MEDICATION: (facts.medications,),
    facts.DEVICE: (history.devices,),
    facts.PROCEDURE: (history.procedures,),
    facts.ENCOUNTER: (history.encounters,),
    facts.IMMUNISATION: (history.immunisations,),
    facts.ADVERSE_EVENT: (history.adverse_events,),
    facts.SOCIAL: (history.social,),
    facts.FAMILY: (history.family,),
    facts.GOAL: (follow_up.goals,),
    facts.PLAN: (follow_up.plans, follow_up.appointments, follow_up.planned_visits),
    facts.DOCUMENT: (history.documents,),
}
# What each hook needs told even if it is normal: tag -> LOINC codes, the first that has a value is told.
_AT_ORDERS = {must.EGFR: (EGFR,), must.POTASSIUM: (POTASSIUM,), must.QTC: (QTC,), must.WEIGHT: (WEIGHT,)}
_NEEDED: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "encounter-start": {must.BASELINE: (CREATININE, HAEMOGLOBIN)},
    "encounter-discharge": {must.LAST_VITALS: VITAL_SIGNS},
    **dict.fromkeys(must.ORDER_HOOKS, _AT_ORDERS),
}
_ANTICOAGULANT = re.compile(r"(?i)\b(" + "|".join(ANTICOAGULANTS.names) + r")\b|华法林|沙班|达比加群|肝素")
_PREGNANT = re.compile(r"(?i)pregnan|妊娠|怀孕")
_NOT_PREGNANT = re.compile(r"(?i)(history|ectopic|tubal|loss|termination|miscarriage)")
_INFECTED = re.compile(
    r"(?i)infect|sepsis|septic|pneumonia|covid|mrsa|vre\b|tubercul|difficile|resistant|hepatitis|\bhiv\b"
    r"|isolation|precautions|感染|肺炎|脓毒|结核|隔离"
)
_NEW_KINDS = frozenset({PROBLEM, MEDICATION, facts.PROCEDURE, facts.IMMUNISATION, facts.ALLERGY, RESULT, TREND})


def collect(record: PatientRecord, kinds: Collection[str] = KINDS) -> tuple[Fact, ...]:
    """The facts of a record of the given kinds, in the order of `KINDS`; of results those abnormal or moving."""
    measured = tuple(series(record)) if {RESULT, TREND}.intersection(kinds) else ()
    found: list[Fact] = []
    for kind in KINDS:
        if kind in kinds:
            if kind == RESULT:
                found += abnormal_results(record, measured)
            elif kind == TREND:
                found += trends(record, measured)
            else:
                found += (fact for source in _SOURCES[kind] for fact in source(record))
    directives = {reference for fact in found if fact.kind == facts.CODE_STATUS for reference in fact.references}
    return tuple(f for f in found if f.kind != PROBLEM or not directives.issuperset(f.references))  # said once


def everything(record: PatientRecord) -> tuple[Fact, ...]:
    """All facts, numbered: also other latest results, reports of genes, and problems and medicines that are over."""
    found = collect(record)
    moving = {fact.key for fact in found if fact.kind == TREND}
    told = {*moving, *(f"{codes.LOINC}|{code}" for code in (*history.SOCIAL_CODES, *cancer.CODES))}
    told |= {fact.key for fact in found if fact.kind == RESULT}
    normal = [
        _result(one.code, record.measurement(one.row), frozenset())
        for one in series(record)
        if f"{codes.LOINC}|{one.code}" not in told
    ]
    # A trend says what its latest result says, and where that result lies.
    kept = [fact for fact in found if not (fact.kind == RESULT and fact.key in moving)]
    past = (*facts.past_problems(record), *facts.stopped(record))
    every = sorted((*kept, *past, *gene_results(record), *normal), key=lambda fact: KINDS.index(fact.kind))
    return facts.numbered(every)


def marked(found: Iterable[Fact], context: ClinicalContext, top: Collection[str] = ()) -> tuple[Fact, ...]:
    """The facts with the tags that keep them from being cut at this hook, and what the hook needs beside them.

    top: references of the inputs that moved the estimates most.
    """
    record, hook = context.record, context.hook
    since = _last_visit(record)
    began = stay_began(record, context.encounter) if hook.startswith("encounter-") else None
    kept = [_tagged(fact, hook, since, top) for fact in found]
    if hook == "encounter-discharge":
        kept = _leaving(kept, record, began or since)
    needed = dict(_needed(record, hook, began))
    for n, fact in enumerate(kept):
        told = [key for key, other in needed.items() if fact.key == key or fact.references == other.references]
        if fact.kind in (RESULT, TREND) and told:
            tags = fact.tags.union(*(needed.pop(key).tags for key in told))
            kept[n] = structs.replace(fact, tags=tags)
    return (*kept, *_together(needed.values()))


def _together(needed: Iterable[Fact]) -> Iterator[Fact]:
    """The facts, with the last vital signs of one day in one line."""
    days: dict[date, list[Fact]] = {}
    for fact in needed:
        if must.LAST_VITALS in fact.tags and fact.effective is not None:
            days.setdefault(fact.effective.date(), []).append(fact)
        else:
            yield fact
    for day, group in days.items():
        said = reduce(
            lambda one, other: msg("{one}, {other}", one=one, other=other), (f.text.values["result"] for f in group)
        )
        text = msg("{result}, {date}", result=said, date=day)
        references = tuple(dict.fromkeys(reference for fact in group for reference in fact.references))
        last = max((fact.effective for fact in group if fact.effective is not None), default=None)
        yield Fact(RESULT, text, references, last, key=group[0].key, tags=group[0].tags)


def _leaving(found: list[Fact], record: PatientRecord, since: datetime | None) -> list[Fact]:
    """The facts with what became of each medicine in its place, and that no appointment is booked.

    since: when the stay began, else when the last visit ended; None where neither is recorded.
    """
    changed = changes(record, since) if since is not None else facts.stopped(record)
    replaced = {reference for fact in changed for reference in fact.references}
    kept = [f for f in found if f.kind != MEDICATION or not replaced.issuperset(f.references)]
    return [*kept, *changed, *follow_up.nothing_booked(record)]


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
    return structs.replace(fact, tags=frozenset(tags)) if tags != fact.tags else fact


def _needed(record: PatientRecord, hook: str, began: datetime | None) -> Iterator[tuple[str, Fact]]:
    """What a hook needs told whatever it is: the latest value of each measurement, a baseline from before the stay."""
    for tag, groups in _NEEDED.get(hook, {}).items():
        for group in groups:
            latest = _latest(record, group, None)
            if latest is None:
                continue
            yield _pair(latest, group, tag)
            if tag != must.BASELINE or began is None or latest.effective is None or latest.effective < began:
                continue
            earlier = _latest(record, group, began)
            if earlier is not None:
                key, fact = _pair(earlier, group, tag)
                text = msg("Before this stay: {result}", result=fact.text)
                yield f"baseline/{key}", structs.replace(fact, text=text, key=f"baseline/{key}")


def _latest(record: PatientRecord, group: tuple[str, ...], before: datetime | None) -> Measurement | None:
    known = (m for m in record.newest(group) if m.quantity is not None and m.effective is not None)
    return next((m for m in known if before is None or (m.effective is not None and m.effective < before)), None)


def _pair(measured: Measurement, group: tuple[str, ...], tag: str) -> tuple[str, Fact]:
    code = next(c for _, c in codes.codings((measured.part.code,)) if c in group)
    fact = _result(code, measured, frozenset({tag}))
    return fact.key, fact


def _result(code: str, latest: Measurement, tags: frozenset[str]) -> Fact:
    taken, text = latest.effective, named_value(code, latest.part)
    if latest.status == "preliminary":
        text = msg("{result}, preliminary", result=text)
    if latest.time is not None:
        text = msg("{result}, {date}", result=text, date=as_known(latest.time))
    return Fact(RESULT, text, (latest.reference,), taken, key=f"{codes.LOINC}|{code}", tags=tags)


def _last_visit(record: PatientRecord) -> datetime | None:
    """The end of the last visit that is over; None if there was none. A visit of today is no last visit."""
    for visit in record.rows(Encounter):
        ended = record.ends(visit)
        if visit.status == "finished" and ended is not None and ended.end < record.as_of - timedelta(hours=12):
            return ended.end
    return None
