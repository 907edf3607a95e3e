"""What is due for prevention: guideline facts with population and interval (`base/preventive.tsv`) against a record.

Due is only what the record can show: whoever sends no list of procedures or vaccinations is told nothing about what
would stand there. A row without an order of its own is another way to have done the same, such as a stool test beside
colonoscopy. Facts are of the United States (USPSTF grades A and B, ACIP); `checked` says when and against what each
was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import MappingProxyType

from cds_service.features.feature import Coded, FeatureValue
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import LOINC, codings
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge import base_files
from cds_service.knowledge.base_files import Line, lines
from cds_service.knowledge.rows import Edge, Writer
from cds_service.language import Message, msg

CVX = "http://hl7.org/fhir/sid/cvx"
_SEASON_FROM = 8  # month in which vaccines of the next season come
_DOSES_FROM = 7  # month from which doses are of the next season (ACIP: some are given in July)
SEASON_ENDS = 4  # no card about influenza after April
ASKED_AGAIN_DAYS = 365  # what a patient declined rests for a year, a seasonal vaccine for the season
_MONTH_DAYS = 30.44
SMOKED = "smoked"  # a gate of a fact: for those who smoke or did
_NO_END = 120  # years: a fact without an upper age
_BETWEEN = {
    "female": msg("women from {first} to {last}"), "male": msg("men from {first} to {last}"),
    "any": msg("adults from {first} to {last}"),
}  # fmt: skip
_FROM = {
    "female": msg("women from {first} on"),
    "male": msg("men from {first} on"),
    "any": msg("adults from {first} on"),
}
# Reasons that are the patient's: HL7 act reasons (objection, religious, philosophical) and SNOMED CT refusals.
_DECLINES = frozenset({"PATOBJ", "RELIG", "PHILISOP", "105480006", "443390004", "183944003"})
_FOUND = MappingProxyType({(LOINC, "LA6576-8"): "positive", (LOINC, "LA6577-6"): "negative"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to do one action. every_months: 0 for once in life. only_if: a further gate of the service; if_any:
    conditions of which one is needed."""

    id: str
    action: str
    sex: str
    ages: tuple[int, int]
    every_months: int
    seasonal: bool
    times: int
    loinc: frozenset[str]
    cvx: frozenset[str]
    words: tuple[str, ...]
    not_if: tuple[str, ...]
    only_if: str
    if_any: tuple[str, ...]
    order: str
    grade: str


@dataclass(frozen=True, slots=True)
class Done:
    """When something was done, where that stands, and how often it was."""

    last: date | None
    references: tuple[str, ...]
    times: int


@dataclass(frozen=True, slots=True)
class Declined:
    """When the patient declined something, and where that stands."""

    on: date
    reference: str


@dataclass(frozen=True, slots=True)
class Due:
    """An action that is due: the rule that orders it, when it was last done in any of its ways, and when declined.

    rests: the patient declined it so lately that it is not asked again. because: the condition that calls for it.
    """

    rule: Rule
    done: Done
    declined: Declined | None = None
    rests: bool = False
    because: FeatureValue | None = None


def write(into: Writer) -> int:
    """Puts the facts into a database as rows of guidelines; returns how many."""
    for line in lines("preventive"):
        action = into.node("guideline", line["action"])
        label, url, year = base_files.citation(line["citation"], line)
        edge = Edge(
            row=f"preventive/{line['id']}",
            subject=action,
            relation="recommended-for",
            object=into.node("disease", line["prevents"]),
            level=line["level"],
            statement=line["statement"],
            properties={
                "population": str(population(_rule(line))),
                "grade": line["grade"],
                "every_months": line["every_months"],
            },
            citation=label,
            url=url,
            year=year,
            checked=line["checked"],
        )
        if not into.edge(edge):
            raise line.error("the same row is there already")
    return len(rules())


def population(rule: Rule) -> Message:
    """Whom a fact is about, in words."""
    first, last = rule.ages
    if last == _NO_END:
        return msg(_FROM[rule.sex].text, first=first)
    return msg(_BETWEEN[rule.sex].text, first=first, last=last)


@cache
def rules() -> tuple[Rule, ...]:
    """All facts, in the order of the file. Raises KnowledgeError with the line at fault."""
    return tuple(_rule(line) for line in lines("preventive"))


def _rule(line: Line) -> Rule:
    seasonal, smoked = line["every_months"] == "season", line["only_if"] == SMOKED
    conditions = () if smoked else line.many("only_if")
    return Rule(
        line["id"], line["action"], line["sex"], (int(line["from_age"]), int(line["to_age"])),
        0 if seasonal else int(line["every_months"]), seasonal, int(line["times"]), frozenset(line.many("loinc")),
        frozenset(line.many("cvx")), line.many("words"),
        tuple(base_files.condition_node(name, line) for name in line.many("not_if")),
        SMOKED if smoked else "", tuple(base_files.condition_node(name, line) for name in conditions),
        line["order"], line["grade"],
    )  # fmt: skip


def _results() -> Coded:
    codes = dict.fromkeys(code for line in lines("preventive") for code in line.many("loinc"))
    return Coded("screening_results", msg("Results of screening"), tuple(codes), _FOUND, category="screening")


RESULTS = _results()


def due(
    record: PatientRecord, now: datetime, years: int, present: Callable[[str], FeatureValue | None], smoked: bool
) -> tuple[Due, ...]:
    """What is due for a patient of that age; each action once, by the first of its rules that orders something."""
    found: dict[str, Due] = {}
    for action, ways in _by_action().items():
        fitting = [rule for rule in ways if _fits(rule, record, years, smoked) and _is_called_for(rule, present)]
        if not fitting or any(present(node) is not None for rule in fitting for node in rule.not_if):
            continue
        if not all(_can_show(record, rule) for rule in fitting):
            continue
        done = [(rule, done_for(record, rule)) for rule in ways]
        ordering = next((rule for rule in fitting if rule.order), None)
        if ordering is None or any(_still_holds(rule, what, now.date()) for rule, what in done):
            continue
        if ordering.seasonal and SEASON_ENDS < now.month < _SEASON_FROM:
            continue
        declined = _declined(record, ways)
        rests = declined is not None and _rests(ordering, declined.on, now.date())
        because = next((fact for node in ordering.if_any if (fact := present(node)) is not None), None)
        found[action] = Due(ordering, _latest(what for _, what in done), declined, rests, because)
    return tuple(found.values())


def _by_action() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules():
        found.setdefault(rule.action, []).append(rule)
    return found


def _fits(rule: Rule, record: PatientRecord, years: int, smoked: bool) -> bool:
    sex = rule.sex == "any" or rule.sex == record.sex
    return sex and rule.ages[0] <= years <= rule.ages[1] and (rule.only_if != SMOKED or smoked)


def _is_called_for(rule: Rule, present: Callable[[str], FeatureValue | None]) -> bool:
    return not rule.if_any or any(present(node) is not None for node in rule.if_any)


def _can_show(record: PatientRecord, rule: Rule) -> bool:
    """True if the lists in which it would stand were supplied."""
    if rule.cvx:
        return record.has_list("Immunization")
    return record.has_list("Procedure") and (not rule.loinc or record.has_list("Observation"))


def done_for(record: PatientRecord, rule: Rule) -> Done:
    """What the record holds of it: vaccinations, procedures and results, by code or by words."""
    rows = list(_matching(record, rule))
    days = {span.start.date() for row in rows if (span := record.date_of(row)) is not None}
    undated = any(record.date_of(row) is None for row in rows)
    last = record.as_of.date() if undated else max(days, default=None)  # undated: done, nobody knows when
    return Done(last, tuple(sorted(record.reference(row) for row in rows)), len(days) + undated)


def _matching(record: PatientRecord, rule: Rule) -> Iterator[fhir.Resource]:
    if rule.cvx:
        for row in record.rows(fhir.Immunization):
            if row.status in (None, "completed") and _is(row.vaccine_code, CVX, rule.cvx, rule.words):
                yield row
        return
    for procedure in record.rows(fhir.Procedure):
        if procedure.status in (None, "completed") and _is(procedure.code, LOINC, rule.loinc, rule.words):
            yield procedure
    for observation in record.rows(fhir.Observation):
        if any(system == LOINC and code in rule.loinc for system, code in codings((observation.code,))):
            yield observation


def _declined(record: PatientRecord, ways: Iterable[Rule]) -> Declined | None:
    """The latest time that the patient declined it in one of its ways; what was not done for want of stock is none."""
    found = []
    for rule in ways:
        rows: tuple[fhir.Immunization | fhir.Procedure, ...] = record.not_done(fhir.Procedure)
        if rule.cvx:
            rows = record.not_done(fhir.Immunization)
        for row in rows:
            named = row.vaccine_code if isinstance(row, fhir.Immunization) else row.code
            codes, system = (rule.cvx, CVX) if rule.cvx else (rule.loinc, LOINC)
            when = record.date_of(row)
            if when is not None and _is(named, system, codes, rule.words) and _by_the_patient(row.status_reason):
                found.append(Declined(when.start.date(), record.reference(row)))
    return max(found, key=lambda declined: declined.on, default=None)


def _by_the_patient(reason: fhir.CodeableConcept | None) -> bool:
    if reason is None:
        return False
    texts = (reason.text or "", *(coding.display or "" for coding in reason.coding))
    stated = any(code in _DECLINES for _, code in codings((reason,)))
    return stated or any(word in text.lower() for text in texts for word in ("declin", "refus", "objection"))


def _rests(rule: Rule, declined: date, today: date) -> bool:
    if rule.seasonal:
        return declined >= _season(today)
    return (today - declined).days <= ASKED_AGAIN_DAYS


def _season(today: date) -> date:
    """The first day of the season that runs."""
    return date(today.year if today.month >= _SEASON_FROM else today.year - 1, _SEASON_FROM, 1)


def _is(concept: fhir.CodeableConcept | None, system: str, codes: frozenset[str], words: tuple[str, ...]) -> bool:
    if concept is None:
        return False
    if any(found == (system, code) for found in codings((concept,)) for code in codes):
        return True
    texts = [concept.text or "", *(coding.display or "" for coding in concept.coding)]
    return any(word in text.lower() for text in texts for word in words)


def _still_holds(rule: Rule, done: Done, today: date) -> bool:
    if done.last is None:
        return False
    if rule.seasonal:
        return done.last >= _season(today).replace(month=_DOSES_FROM)
    if rule.every_months == 0:
        return done.times >= rule.times
    return (today - done.last).days <= rule.every_months * _MONTH_DAYS


def _latest(found: Iterable[Done]) -> Done:
    return max(found, key=lambda done: done.last or date.min)
