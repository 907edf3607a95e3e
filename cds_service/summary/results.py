"""Recent abnormal results and trends as cited fact lines.

A result is abnormal if the laboratory says so, or, where it says nothing, if it lies outside its own reference
range. A trend compares the earliest and the latest value of one LOINC code within three years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec

from cds_service.features.catalogue import all_features
from cds_service.features.feature import Quantity
from cds_service.fhir import codes
from cds_service.fhir.record import Dated, Measurement, PatientRecord
from cds_service.fhir.resources import Observation, ObservationComponent, ReferenceRange
from cds_service.fhir.resources import Quantity as Amount
from cds_service.hook_needs import EGFR
from cds_service.knowledge.variants import ASSESSMENT
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.risk.values_in_words import printed_unit
from cds_service.summary.facts import RESULT, TREND, Fact
from cds_service.summary.genes import of_genes
from cds_service.summary.rows import as_known, name_of

Valued = Observation | ObservationComponent

RECENT = timedelta(days=365)
TREND_WINDOW = timedelta(days=3 * 365)
NOTABLE_CHANGE = 0.2  # of the earlier value; less is within what assays and biology vary
_JUMP = 0.8  # of the whole change
_CRITICAL = frozenset({"HH", "LL", "AA", "HU", "LU"})
_ABNORMAL = _CRITICAL | {"H", "L", "A", "HX", "LX"}
_STATED_NORMAL = frozenset({"N"})
_NOTHING_SAID: frozenset[str | None] = frozenset()
_TRENDED_VITALS = frozenset({"29463-7", "39156-5"})  # weight and BMI; the others swing within a day
_NORMAL_RANGE = frozenset({"normal"})
# LOINC's kind of property and method, and the usual specimens: urine, stool and the like stay in the name.
_LOINC_DETAIL = re.compile(
    r" \[[^\]]+\]|(?<=\S) by (?:\w+ ?)+$"
    r"|,? in (?:(?:Serum|Plasma|Blood)(?:, | or )?)+(?= by |$)| in (?:Arterial|Venous) blood"
)
# Of several inputs with one code (the latest, the highest ...) the first in the catalogue names it.
_SHORT: tuple[tuple[Message | str, tuple[str, ...]], ...] = (
    (msg("eGFR"), EGFR),
    ("NT-proBNP", ("33762-6", "83107-3", "83108-1")),
    ("BNP", ("30934-4", "42637-9")),
    (msg("TSH"), ("3016-3", "11579-0", "11580-8")),
    (msg("PTH, intact"), ("2731-8", "14866-8")),
    (msg("Ejection fraction"), ("10230-1", "8806-2", "18043-0")),
    (msg("Level of consciousness"), ("80288-4",)),
)
_LABELS: dict[str, Message | str] = {
    **{code: f.label for f in reversed(all_features()) if isinstance(f, Quantity) for code in f.codes},
    **{code: label for label, found in _SHORT for code in found},
}
_MAX_UNIT = 30
_MAX_SAID = 120  # characters of a result in words


class Series(msgspec.Struct, frozen=True):
    """One LOINC code whose latest value lies within `RECENT`.

    row: the latest value. change: the latest and the earliest number in its unit within `TREND_WINDOW`, if there are
    two; in place of the earliest the one before the latest, if nearly all of the change came with the latest.
    """

    code: str
    row: Dated
    change: tuple[Dated, Dated] | None


def label_of(code: str, part: Valued) -> Message | str:
    """The catalogue's word for a LOINC code, else the record's own, without LOINC's method and unit."""
    return _LABELS.get(code) or _LOINC_DETAIL.sub("", name_of(part.code) or code)


def series(record: PatientRecord) -> Iterator[Series]:
    """The measurements of the last years by LOINC code, in order of code; what was not measured lately is left out."""
    recent, since = record.as_of - RECENT, record.as_of - TREND_WINDOW
    genes = record.has_any(ASSESSMENT)
    for code, rows in record.timelines():
        for position, (time, _, part) in enumerate(rows):
            if time is None or time.start < recent:
                break
            if has_value(part) and not (genes and of_genes(rows[position][1])):
                yield Series(code, rows[position], _change(code, rows, position, since))
                break


def _change(code: str, rows: Sequence[Dated], begin: int, since: datetime) -> tuple[Dated, Dated] | None:
    """The latest and the earliest comparable number; None for what swings within a day.

    rows: latest first; the latest value is at `begin`.
    """
    end = len(rows) - 1
    if begin == end or (code not in _TRENDED_VITALS and _vital(rows[begin][1])):
        return None
    unit = _unit(rows[begin][2])
    while begin < end and not _comparable(rows[begin], unit, since):
        begin += 1
    while end > begin and not _comparable(rows[end], unit, since):
        end -= 1
    if begin >= end:
        return None
    before = begin + 1
    while before < end and (not _comparable(rows[before], unit, since) or rows[before][0] == rows[begin][0]):
        before += 1
    return rows[begin], rows[before if _jumped(rows[begin], rows[before], rows[end]) else end]


def _jumped(now: Dated, before: Dated, first: Dated) -> bool:
    """True if a notable change came nearly whole with the last value: told over years it would look slow."""
    last, previous, earliest = (_number(row[2]) for row in (now, before, first))
    if last is None or previous is None or earliest is None:
        return False
    change = abs(last - earliest)
    return change >= NOTABLE_CHANGE * abs(earliest) and abs(last - previous) >= _JUMP * change


def _comparable(row: Dated, unit: str | None, since: datetime) -> bool:
    time, quantity = row[0], row[2].value_quantity
    if time is None or time.start < since or quantity is None:
        return False
    return quantity.value is not None and quantity.comparator is None and (quantity.code or quantity.unit) == unit


def _vital(observation: Observation) -> bool:
    return observation.may_hold_category("vital-signs") and any(
        "vital-signs" in codes.status_codes(category) for category in observation.category
    )


def abnormal_results(record: PatientRecord, found: Sequence[Series]) -> Iterator[Fact]:
    """The latest value of each code, if it is abnormal."""
    for one in found:
        verdict = _verdict(one.row[2])
        if verdict is None:
            continue
        point = record.measurement(one.row)
        taken = _time(point)
        words, critical = verdict
        text = msg("{result}, {verdict}", result=named_value(one.code, point.part), verdict=words)
        if point.status == "preliminary":
            text = msg("{result}, preliminary", result=text)
        text = msg("{result}, {date}", result=text, date=_day(point))
        key = f"{codes.LOINC}|{one.code}"
        status = "preliminary" if point.status == "preliminary" else ""
        yield Fact(RESULT, text, (point.reference,), taken, True, critical, key, status=status)


def trends(record: PatientRecord, found: Sequence[Series]) -> Iterator[Fact]:
    """Notable changes between the earliest and the latest value of a series; both are cited."""
    for one in found:
        if one.change is None:
            continue
        (_, _, newest), (_, _, oldest) = one.change
        now, before = _number(newest), _number(oldest)
        if now is None or not before or abs(now - before) < NOTABLE_CHANGE * abs(before):
            continue
        last, first = map(record.measurement, one.change)
        if last.time == first.time or any(p.time is None or p.time.vague for p in (last, first)):
            continue  # over how long is not known
        verdict, taken = _verdict(newest), _time(last)
        unit, span = _unit_words(newest), _span(taken - _time(first))
        shown = {"name": label_of(one.code, newest), "before": _rounded(before), "now": _rounded(now), "span": span}
        text = msg("{name} {before} → {now} over {span}", **shown)
        if unit:
            text = msg("{name} {before} → {now} {unit} over {span}", unit=unit, **shown)
        if verdict is not None:
            text = msg("{trend}, {verdict}", trend=text, verdict=verdict[0])
        status = "preliminary" if last.status == "preliminary" else ""
        if status:
            text = msg("{trend}, preliminary", trend=text)
        text = msg("{trend}, to {date}", trend=text, date=_day(last))
        key = f"{codes.LOINC}|{one.code}"
        critical = verdict is not None and verdict[1]
        references = (last.reference, first.reference)
        abnormal = verdict is not None
        yield Fact(TREND, text, references, taken, abnormal=abnormal, critical=critical, key=key, status=status)


def _time(point: Measurement) -> datetime:
    """The time of a point of a series, all of which are dated."""
    assert point.effective is not None
    return point.effective


def _day(point: Measurement) -> date | Message:
    """The day of a point of a series, as far as it is known."""
    assert point.time is not None
    return as_known(point.time)


def has_value(part: Valued) -> bool:
    """True if a number, a concept or words stand as the value."""
    quantity = part.value_quantity
    if (quantity is not None and quantity.value is not None) or part.value_codeable_concept is not None:
        return True
    return part.value_integer is not None or bool(part.value_string and part.value_string.strip())


def _verdict(part: Valued) -> tuple[Message, bool] | None:
    """What is abnormal about a value, and whether the laboratory calls it critical; None if nothing is."""
    stated = part.interpretation
    said = {coding.code for concept in stated for coding in concept.coding} if stated else _NOTHING_SAID
    ranges = part.reference_range
    if said and not said.isdisjoint(_ABNORMAL):
        critical = not said.isdisjoint(_CRITICAL)
        words = msg("called critical by the laboratory") if critical else msg("called abnormal by the laboratory")
        return (_against(part, _range(part, ranges)) or words, critical)
    if ranges and not _inside(part, ranges) and said.isdisjoint(_STATED_NORMAL):
        outside = _against(part, _range(part, ranges))
        return (outside, False) if outside is not None else None
    return None


def _inside(part: Valued, stated: Sequence[ReferenceRange]) -> bool:
    """True if a number lies within the figures of all its ranges: whichever applies, there is nothing to tell."""
    quantity = part.value_quantity
    number = quantity.value if quantity is not None else None
    if number is None:
        return False
    for limits in stated:
        low, high = limits.low, limits.high
        if low is not None and low.value is not None and number < low.value:
            return False
        if high is not None and high.value is not None and number > high.value:
            return False
    return True


def _range(part: Valued, stated: Sequence[ReferenceRange]) -> ReferenceRange | None:
    """The reference range if there is one that needs no choice, in the unit of the value."""
    ranges = [r for r in stated if r.type is None or codes.status_codes(r.type) & _NORMAL_RANGE]
    if len(ranges) != 1:
        return None
    unit = _unit(part)
    limits = [q for q in (ranges[0].low, ranges[0].high) if q is not None and q.value is not None]
    for limit in limits:
        if _unit_of(limit) not in (None, unit):
            return None
    return ranges[0] if limits else None


def _against(part: Observation | ObservationComponent, limits: ReferenceRange | None) -> Message | None:
    """Where a number lies outside its reference range, in words."""
    number = _number(part)
    if limits is None or number is None:
        return None
    low = limits.low.value if limits.low is not None else None
    high = limits.high.value if limits.high is not None else None
    below, above = low is not None and number < low, high is not None and number > high
    if not below and not above:
        return None
    if low is not None and high is not None:
        if below:
            return msg("below {low}–{high}", low=printed_number(low), high=printed_number(high))
        return msg("above {low}–{high}", low=printed_number(low), high=printed_number(high))
    if low is not None:
        return msg("below {low}", low=printed_number(low))
    return msg("above {high}", high=printed_number(high or 0.0))


def named_value(code: str, part: Valued) -> Message:
    """What was measured and its value; a value in words stands after a colon."""
    name, value, quantity = label_of(code, part), told_value(part), part.value_quantity
    if quantity is None or quantity.value is None:
        return msg("{name}: {value}", name=name, value=value)
    return msg("{name} {value}", name=name, value=value)


def told_value(part: Valued) -> Message:
    """A value with its unit in words."""
    quantity = part.value_quantity
    if quantity is None or quantity.value is None:
        if part.value_integer is not None:
            return msg("{text}", text=part.value_integer)
        said = " ".join((part.value_string or "").split())
        return msg("{text}", text=name_of(part.value_codeable_concept) or shorten(said, _MAX_SAID) or "?")
    number = f"{quantity.comparator or ''}{printed_number(quantity.value)}"
    unit = _unit_words(part)
    if unit == "%":
        return msg("{value}%", value=number)
    return msg("{value} {unit}", value=number, unit=unit) if unit else msg("{value}", value=number)


def _number(part: Valued) -> float | None:
    """The value as a number; a value with a comparator is none."""
    quantity = part.value_quantity
    return quantity.value if quantity is not None and quantity.comparator is None else None


def _rounded(value: float) -> str:
    """Three significant digits: a trend is about the change."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def printed_number(value: float) -> str:
    """Four significant digits: what a machine reports beyond is noise."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def _unit(part: Valued) -> str | None:
    return _unit_of(part.value_quantity) if part.value_quantity is not None else None


def _unit_of(quantity: Amount) -> str | None:
    return quantity.code or quantity.unit


def _unit_words(part: Valued) -> str:
    quantity = part.value_quantity
    if quantity is None:
        return ""
    return printed_unit(shorten(quantity.unit or quantity.code or "", _MAX_UNIT))


def _span(elapsed: timedelta) -> Message:
    days = elapsed.days
    if days < 1:
        return msg("{hours} hours", hours=round(elapsed.total_seconds() / 3600))
    if days < 60:
        return msg("{days} days", days=days)
    if days < 730:
        return msg("{months} months", months=round(days / 30.44))
    return msg("{years} years", years=f"{days / 365.25:.1f}")
