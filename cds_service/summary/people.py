"""Whom a sentence is about: the patient or a relative, a woman or a man, how old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds_service.fhir.times import years_between
from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim, all_of
from cds_service.summary.evidence import Part
from cds_service.summary.moments import When

_THEN = frozenset({"when", "at", "时", "at the", "age", "at diagnosis"})  # an age at some time, not now
_AGES = {
    "elderly": (65, 130),
    "middle-aged": (40, 64),
    "young": (13, 39),
    "child": (1, 12),
    "centenarian": (100, 130),
    "infant": (0, 1),
}
_IS = {"parent": {"mother", "father"}, "sibling": {"brother", "sister"}, "child": {"son", "daughter"}}


def who(found: list[Claim], usable: list[Part], chart: Chart) -> list[str]:
    """What is wrong about the person."""
    reasons = []
    said = {t.value for t in all_of(found, "person")}
    known = {value for part in usable for kind, value in part.operators if kind == "person"}
    for person in said - known:
        if person == "family" and known:
            continue
        if not _IS.get(person, set()) & known:
            reasons.append(f"what is cited is not about a relative ({person})")
    about_kin = [p for p in usable if p.kind == "FamilyMemberHistory"]
    if about_kin and not said:
        reasons.append("what is cited is about a relative, the sentence about the patient")
    genders = {t.value for t in all_of(found, "gender")}
    if genders and chart.gender in ("female", "male") and genders != {chart.gender} and not said:
        reasons.append(f"the patient's recorded gender is {chart.gender}")
    for word in {t.value for t in all_of(found, "aged")}:
        least, most = _AGES[word]
        old = int(years_between(chart.birth_date, chart.as_of.date())) if chart.birth_date is not None else None
        if old is None or not least <= old <= most:
            reasons.append(f"the patient's age does not make them {word}")
    for token in all_of(found, "when"):
        then = any(t.text.lower() in _THEN or t.value == "#deceased" for claim in found for t in claim.tokens)
        parts = usable if then or token.text.lower().startswith("age ") else ()
        if token.when is None or token.when.kind != "oldness":
            continue
        if said and any(_told_of(token.when, part, said) for part in usable):
            continue
        of_kin = bool(about_kin and said)
        if not (_kin_age(token.when, about_kin) if of_kin else _age_fits(token.when, parts, chart)):
            reasons.append(f"the age {token.text} does not follow from the record")
    return reasons


def _told_of(when: When, part: Part, persons: set[str]) -> bool:
    """True if a sentence of a document that names the relative has the number of the age: `father died at 52`."""
    named = {value for kind, value in part.operators if kind == "person"}
    ages = [number.value for number in part.numbers] + [one.amount for one in part.whens]
    return bool(part.text and named & persons) and when.unit == "year" and when.amount in ages


def _kin_age(when: When, kin: Iterable[Part]) -> bool:
    """True if a relative's recorded age, as at the onset of an illness, is the age that is said."""
    return when.unit == "year" and any(
        amount.value == when.amount and amount.unit == "a" for part in kin for amount in part.amounts
    )


def _age_fits(when: When, usable: Iterable[Part], chart: Chart) -> bool:
    born = chart.birth_date
    if born is None:
        return False
    days: list[date] = [chart.as_of.date()]
    days += [m.span.start.date() for part in usable for m in part.dates if m.path == "deceasedDateTime"]
    days += [moment.span.start.date() for part in usable for moment in part.dates if part.kind != "Patient"]
    for day in days:
        if day < born:
            continue
        if when.unit == "year" and int(years_between(born, day)) == int(when.amount):
            return True
        if when.unit != "year" and abs((day - born).days - when.days) <= when.days / when.amount:
            return True
    return False
