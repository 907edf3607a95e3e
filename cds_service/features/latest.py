"""The latest measurement that can be used, in the unit of its feature, or a worded reason why there is none.

If a newer row cannot be used (no unit, "<5", no number ...), the one before it is taken while it is inside the window,
and the value carries a note that a newer entry exists. Different values at one and the same time are a conflict, which
an older value does not settle: then there is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from cds_service.features.feature import (
    Coded,
    Earlier,
    Feature,
    FeatureValue,
    Quantity,
    Reason,
    Unusable,
    Value,
)
from cds_service.features.hospital import within
from cds_service.features.remembered import Remembered
from cds_service.fhir import units
from cds_service.fhir.codes import codings
from cds_service.fhir.measurements import Timeline
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.fhir.resources import Quantity as FhirQuantity
from cds_service.fhir.times import Span
from cds_service.language import Message, msg

LIMIT = msg("{what} of {when} is a limit ({sign}) and counts as that number", what="", when="", sign="")
HAEMOLYSED = msg("{what} of {when}: the specimen was haemolysed; repeat it", what="", when="")
NEWER = msg("A newer entry cannot be used: {reason}", reason="")
_CORRECTED = frozenset({"corrected", "amended"})
_BEYOND = {">": "above", ">=": "above", "<": "below", "<=": "below"}
Found = FeatureValue | Unusable
Problem = tuple[Reason, Message]
F = TypeVar("F", Quantity, Coded)


def latest(record: PatientRecord, feature: F, judge: Callable[[F, Measurement], Value | Problem]) -> Found:
    """The latest usable value in the window."""
    rows = record.measurements.timeline(feature.codes)
    if isinstance(feature, Coded) and feature.shared:
        rows = [row for row in rows if _is_about(feature, record.measurements.measurement(row))]
    if not rows:
        return absent(feature)
    first = rows[0]
    time = first[0]
    alone = len(rows) == 1 or rows[1][0] != time
    if alone and type(feature) is not Earlier and _in_window(time, record.as_of, feature.look_back):
        row = record.measurements.measurement(first)
        judged = judge(feature, row)
        if not isinstance(judged, tuple):  # nearly always
            start, note = (time.start, _vague(feature, time)) if time is not None else (None, None)
            note = note or _doubt(feature, row)
            return FeatureValue(feature, judged, start, (row.reference,), note=note, stated=unit_of(row))
    newer: Unusable | None = None
    begin = _first_old_enough(rows, record.as_of - feature.at_least) if isinstance(feature, Earlier) else 0
    while begin < len(rows):
        time = rows[begin][0]
        if not _in_window(time, record.as_of, feature.look_back):
            return newer or _too_old(feature, record.measurement(rows[0]))
        end = begin + 1
        while end < len(rows) and rows[end][0] == time:
            end += 1
        values: list[tuple[Value, Measurement]] = []
        for row in map(record.measurement, rows[begin:end]):
            judged = judge(feature, row)
            if isinstance(judged, tuple):
                newer = newer or Unusable(feature, judged[0], judged[1], row.effective, (row.reference,))
            else:
                values.append((judged, row))
        if values:
            return _agreed(feature, values, newer)
        begin = end
    return newer or absent(feature)


def _absent(feature: Feature) -> Unusable:
    return Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))


absent: Remembered[Feature, Unusable] = Remembered(_absent)  # that nothing of a feature is on record


def _first_old_enough(rows: Timeline, until: datetime) -> int:
    """The index of the first row, latest first, that lies before a moment whatever its date means."""
    return next((i for i, (time, *_) in enumerate(rows) if time is not None and time.end <= until), len(rows))


def _in_window(time: Span | None, as_of: datetime, look_back: timedelta | None) -> bool:
    """True if the value is certainly no older than the window allows: of a bare year, its first day counts."""
    return look_back is None or (time is not None and as_of - time.start <= look_back)


def _agreed(feature: Feature, values: list[tuple[Value, Measurement]], newer: Unusable | None) -> Found:
    """One value, if those of one time agree within rounding."""
    if len(values) > 1:
        values.sort(key=lambda v: v[1].reference)
    values = _corrected(feature, values)
    value, row = values[0]
    if any(not _same(feature, value, other) for other, _ in values[1:]):
        sources = tuple(dict.fromkeys(r.reference for _, r in values))
        words = msg("{what} has several different values of {when}", what=feature.label, when=_when(row))
        return Unusable(feature, Reason.CONFLICT, words, row.effective, sources)
    note = _vague(feature, row.time) if row.time is not None else None
    note = note or _doubt(feature, row)
    if newer is not None and newer.effective != row.effective:
        note = msg(NEWER.text, reason=newer.words)
    return FeatureValue(feature, value, row.effective, (row.reference,), note=note, stated=unit_of(row))


def _corrected(feature: Feature, values: list[tuple[Value, Measurement]]) -> list[tuple[Value, Measurement]]:
    """Of different values of one time those that a laboratory corrected, where the others are what it corrected."""
    if all(_same(feature, values[0][0], other) for other, _ in values[1:]):
        return values
    return [pair for pair in values if pair[1].status in _CORRECTED] or values


def _doubt(feature: Feature, row: Measurement) -> Message | None:
    """What the record itself says against a value, or how it gave it; None for nearly all."""
    observation, quantity = row.observation, row.part.value_quantity
    if observation.says_hemolysed():
        return msg(HAEMOLYSED.text, what=feature.label, when=_when(row))
    if observation.status == "preliminary":
        return msg("{what} of {when} is preliminary", what=feature.label, when=_when(row))
    if quantity is not None and quantity.comparator:
        return msg(LIMIT.text, what=feature.label, when=_when(row), sign=quantity.comparator)
    return None


def limit_sign(value: FeatureValue) -> str:
    """`<` or `>` where a laboratory gave a limit of its method, which counts as its number; else nothing."""
    note = value.note
    return str(note.values["sign"])[:1] if note is not None and note.text == LIMIT.text else ""


def is_of_haemolysed(value: FeatureValue) -> bool:
    """True if a value is of a specimen that was haemolysed."""
    return value.note is not None and value.note.text == HAEMOLYSED.text


def has_newer(value: FeatureValue) -> bool:
    """True if a newer entry than the value's is on record and could not be read."""
    return value.note is not None and value.note.text == NEWER.text


def _vague(feature: Feature, time: Span) -> Message | None:
    """A remark that only the month or the year of a value is known, where its first day decides how old it is."""
    if not time.vague:
        return None
    return msg("{what}: the record gives no day; its age counts from the first possible one", what=feature.label)


def _same(feature: Feature, one: Value, other: Value) -> bool:
    if isinstance(feature, Quantity):
        rounding = 0.5 * 10.0**-feature.digits
        return abs(float(one) - float(other)) <= max(rounding, 0.002 * abs(float(one)))
    return one == other


def _too_old(feature: Feature, row: Measurement) -> Unusable:
    if row.effective is None:
        words = msg("{what} is on record without a readable date", what=feature.label)
    else:
        words = msg("{what} was last measured on {when}, too long ago", what=feature.label, when=_when(row))
    return Unusable(feature, Reason.STALE, words, row.effective, (row.reference,))


def _when(row: Measurement) -> object:
    return row.effective.date() if row.effective is not None else msg("an unknown date")


def unit_of(row: Measurement) -> str | None:
    """The unit of a measurement as the record states it."""
    quantity = row.part.value_quantity
    return None if quantity is None else quantity.code or quantity.unit


def number(feature: Quantity, row: Measurement) -> Value | Problem:
    """The number of one measurement in the feature's unit, or why it has none that can be used."""
    quantity, what = row.part.value_quantity, feature.label
    if quantity is None and feature.unit == "1" and row.integer is not None:  # a count or score needs no unit
        quantity = FhirQuantity(value=row.integer)
    if row.absent and quantity is not None and quantity.value is not None:
        words = msg("{what} of {when} has a number and a reason why there is none", what=what, when=_when(row))
        return Reason.CONFLICT, words
    if quantity is None or quantity.value is None:
        return Reason.NO_NUMBER, msg("{what} of {when} holds no number", what=what, when=_when(row))
    if quantity.comparator and _BEYOND.get(quantity.comparator) not in feature.bounds:
        sign = quantity.comparator
        return Reason.COMPARATOR, msg(
            "{what} of {when} is only a limit ({sign})", what=what, when=_when(row), sign=sign
        )
    stated = quantity.unit or quantity.code
    if stated is None and feature.unit != "1":  # a pure number such as the INR needs no unit
        return Reason.UNIT, msg("{what} of {when} has no unit", what=what, when=_when(row))
    linear = _conversion(feature, quantity)
    if linear is None:
        words = msg("{what} of {when} has a unit that does not fit: {unit}", what=what, when=_when(row), unit=stated)
        return Reason.UNIT, words
    value = quantity.value if linear == (1.0, 0.0) else _clean(quantity.value * linear[0] + linear[1])
    low, high = feature.plausible
    if not low <= value <= high:
        shown = msg("{number} {unit}", number=f"{quantity.value:.4g}", unit=stated or "")
        words = msg("{what} of {when} is implausible: {value}", what=what, when=_when(row), value=shown)
        return Reason.IMPLAUSIBLE, words
    return value


def outside_hospital(stays: Sequence[tuple[datetime, datetime]]) -> Callable[[Quantity, Measurement], Value | Problem]:
    """Reads numbers as `number` does, but none that was taken in one of the stays."""

    def read(feature: Quantity, row: Measurement) -> Value | Problem:
        if within(row.effective, stays):
            return Reason.SETTING, msg(
                "{what} of {when} was taken in hospital, where illness moves it", what=feature.label, when=_when(row)
            )
        return number(feature, row)

    return read


def _conversion(feature: Quantity, quantity: FhirQuantity) -> tuple[float, float] | None:
    """(factor, offset) from the unit of a quantity to that of the feature, or None if there is none; remembered."""
    key = (feature.id, quantity.system, quantity.code, quantity.unit)
    known = _conversions.get(key)
    if known is None or known[0] is not feature:
        unit = units.unit_of(quantity) if quantity.unit or quantity.code else units.read("1")
        known = (feature, _linear(feature, unit) if unit is not None else None)
        if len(_conversions) >= _REMEMBERED:
            _conversions.clear()  # unit texts come from outside: the memory must not grow with them
        _conversions[key] = known
    return known[1]


_REMEMBERED = 4096
_conversions: dict[tuple[str | None, ...], tuple[Quantity, tuple[float, float] | None]] = {}


def _linear(feature: Quantity, stated: units.Unit) -> tuple[float, float] | None:
    """(factor, offset) to the feature's unit; the analyte's own conversions come before those of UCUM.

    Where the analyte has its own, one without a dimension must be the very same unit: UCUM alone would take mmol/mol of
    HbA1c for a tenth of a %. A pure number takes no other unit: an INR in % is an activity.
    """
    for name, (factor, offset) in feature.conversions.items():
        known = units.read(name)
        if known is not None and known.dimension == stated.dimension:
            if units.same(known, stated):
                return factor, offset
            if any(known.dimension):
                return stated.factor / known.factor * factor, offset
    target = units.read(feature.unit)
    if target is not None and units.same(target, stated):
        return 1.0, 0.0
    if target is None or feature.unit == "1":
        return None
    return units.conversion(stated, target)


def _clean(value: float) -> float:
    """Without the noise of binary fractions, which could move a value across a threshold."""
    return float(f"{value:.12g}")


def _is_about(feature: Coded, row: Measurement) -> bool:
    """True if a row under a code that tells of many matters has one of the feature's answers."""
    return any(pair in feature.answers for pair in codings((row.concept,)))


def answer(feature: Coded, row: Measurement) -> Value | Problem:
    """The answer of one coded observation, or why it gives none."""
    answers = {feature.answers[pair] for pair in codings((row.concept,)) if pair in feature.answers}
    if len(answers) == 1:
        return answers.pop()
    what, when = feature.label, _when(row)
    if answers:
        return Reason.CONFLICT, msg("{what} of {when} has contradictory answers", what=what, when=when)
    return Reason.NO_NUMBER, msg("{what} of {when} gives no answer that can be read", what=what, when=when)
