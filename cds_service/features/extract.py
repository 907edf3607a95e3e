"""From a `PatientRecord` to `FeatureValues`: for each feature a value with time and source, or a worded reason.

The latest usable value counts. If a newer row cannot be used (no unit, "<5", no number ...), the one before it
is taken while it is inside the window, and the value carries a note that a newer entry exists. Different values
at one and the same time are a conflict, which an older value does not settle: then there is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from cds_service.features.aggregate import Aggregate, Aggregates
from cds_service.features.conditions_on_record import ProblemList
from cds_service.features.diagnosis_groups import DiagnosisGroup
from cds_service.features.discharge import AtDischarge, at_discharge
from cds_service.features.earlier_stays import EarlierStays, earlier_stays
from cds_service.features.embedding import Embedding, embedding
from cds_service.features.feature import (
    Coded,
    ConditionFeature,
    Demographic,
    Derived,
    Earlier,
    Feature,
    FeatureValue,
    FeatureValues,
    FirstOf,
    Lasting,
    LowestRatio,
    MedicationFeature,
    Quantity,
    Reason,
    Unusable,
    Value,
    Worst,
)
from cds_service.features.hospital import InHospital, MeasuredInHospital, in_hospital, measured_in_hospital
from cds_service.features.in_stay import DoneInStay, done_in_stay
from cds_service.features.kidney_injury import Unsteady, unsteady
from cds_service.features.lasting import lasting
from cds_service.features.medicines_on_record import MedicationList
from cds_service.features.recent import Recent, Suspected, recent, suspected
from cds_service.features.saturation_target import PrescribedTarget, prescribed_target
from cds_service.features.stay_diagnoses import StayDiagnoses
from cds_service.features.stays import OfStay, Surgery, of_stay, surgery
from cds_service.features.worst import lowest_ratio, worst
from cds_service.fhir import resources as fhir
from cds_service.fhir import units
from cds_service.fhir.codes import codings
from cds_service.fhir.measurements import Timeline
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.fhir.resources import Quantity as FhirQuantity
from cds_service.fhir.times import Span, years_between
from cds_service.language import Message, msg

Found = FeatureValue | Unusable
Problem = tuple[Reason, Message]
F = TypeVar("F", Quantity, Coded)
Reader = Callable[["_Extraction", Any], Found]

_OLDEST_AGE_A = 130


def extract(record: PatientRecord, features: Iterable[Feature], unavailable: Set[str] = frozenset()) -> FeatureValues:
    """The values of the features, with those that derived ones are computed from.

    unavailable: ids of features whose data could not be had: that they are not on record means nothing.
    """
    extraction = _Extraction(record, unavailable)
    for feature in features:
        extraction.find(feature)
    return FeatureValues(record.as_of, extraction.entries)


class _Extraction:
    """One run over one record: each feature, and each list, is read once."""

    def __init__(self, record: PatientRecord, unavailable: Set[str]) -> None:
        self.record = record
        self.unavailable = unavailable
        self.entries: dict[str, Found] = {}

    def find(self, feature: Feature) -> Found:
        """The value of a feature or the reason why there is none; kept in `entries`."""
        known = self.entries.get(feature.id)
        if known is None:
            known = self._value(feature)
            if feature.id in self.unavailable and isinstance(known, Unusable) and known.reason is Reason.ABSENT:
                known = Unusable(feature, Reason.UNAVAILABLE, msg("{what} could not be had", what=feature.label))
            self.entries[feature.id] = known
        return known

    @cached_property
    def problems(self) -> ProblemList:
        """The problem list."""
        return ProblemList(self.record)

    @cached_property
    def aggregates(self) -> Aggregates:
        """Statistics of stays."""
        return Aggregates(self.record, number)

    @cached_property
    def medicines(self) -> MedicationList:
        """The medication list."""
        return MedicationList(self.record)

    @cached_property
    def diagnoses(self) -> StayDiagnoses:
        """The diagnoses of the present stay."""
        return StayDiagnoses(self.record)

    def _value(self, feature: Feature) -> Found:
        kind = type(feature)
        read = _readers.get(kind)
        if read is None:
            read = _readers[kind] = _reader(kind)
        return read(self, feature)


def _reader(kind: type[Feature]) -> Reader:
    """What reads features of a type: the first of `_READERS` that it belongs to."""
    for known, read in _READERS:
        if issubclass(kind, known):
            return read
    raise TypeError(f"no extraction for features of type {kind.__name__}")


def _lowest_ratio(run: _Extraction, feature: LowestRatio) -> Found:
    found = lowest_ratio(run.record, feature, number)
    return found or _without_ratio(feature, run.find(feature.numerator), run.find(feature.denominator))


# In order: a type stands before those that it is a kind of.
_READERS: tuple[tuple[type[Feature], Reader], ...] = (
    (Worst, lambda run, feature: worst(run.record, feature, number) or _latest(run.record, feature, number)),
    (Quantity, lambda run, feature: _latest(run.record, feature, number)),
    (ConditionFeature, lambda run, feature: run.problems.value(feature)),
    (MedicationFeature, lambda run, feature: run.medicines.value(feature)),
    (Coded, lambda run, feature: _latest(run.record, feature, _answer)),
    (Derived, lambda run, feature: derived(feature, [run.find(f) for f in feature.inputs])),
    (FirstOf, lambda run, feature: first_usable(feature, [run.find(f) for f in feature.alternatives])),
    (Aggregate, lambda run, feature: run.aggregates.value(feature)),
    (Lasting, lambda run, feature: lasting(run.record, feature, number)),
    (Unsteady, lambda run, feature: unsteady(run.record, feature, number, run.find(feature.creatinine))),
    (InHospital, lambda run, feature: in_hospital(run.record, feature)),
    (MeasuredInHospital, lambda run, feature: measured_in_hospital(run.record, feature, run.find)),
    (EarlierStays, lambda run, feature: earlier_stays(run.record, feature)),
    (OfStay, lambda run, feature: of_stay(run.record, feature)),
    (DoneInStay, lambda run, feature: done_in_stay(run.record, feature)),
    (AtDischarge, lambda run, feature: at_discharge(run.record, feature, lambda: run.medicines, lambda: run.diagnoses)),
    (DiagnosisGroup, lambda run, feature: run.diagnoses.value(feature)),
    (Surgery, lambda run, feature: surgery(run.record, feature)),
    (Recent, lambda run, feature: recent(run.record, run.problems, feature)),
    (Suspected, lambda run, feature: suspected(run.record, run.problems, feature)),
    (PrescribedTarget, lambda run, feature: prescribed_target(run.record, feature)),
    (LowestRatio, _lowest_ratio),
    (Embedding, lambda run, feature: embedding(run.record, feature)),
    (Demographic, lambda run, feature: _demographic(run.record, feature)),
)
_readers: dict[type[Feature], Reader] = {}  # by exact type


def _latest(record: PatientRecord, feature: F, judge: Callable[[F, Measurement], Value | Problem]) -> Found:
    """The latest usable value in the window."""
    newer: Unusable | None = None
    rows = record.timeline(feature.codes)
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
    return newer or Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))


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
    value, row = values[0]
    if any(not _same(feature, value, other) for other, _ in values[1:]):
        sources = tuple(dict.fromkeys(r.reference for _, r in values))
        words = msg("{what} has several different values of {when}", what=feature.label, when=_when(row))
        return Unusable(feature, Reason.CONFLICT, words, row.effective, sources)
    note = None
    if newer is not None and newer.effective != row.effective:
        note = msg("A newer entry cannot be used: {reason}", reason=newer.words)
    return FeatureValue(feature, value, row.effective, (row.reference,), note=note)


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


def number(feature: Quantity, row: Measurement) -> Value | Problem:
    """The number of one measurement in the feature's unit, or why it has none that can be used."""
    quantity, what = row.quantity, feature.label
    if quantity is None or quantity.value is None:
        return Reason.NO_NUMBER, msg("{what} of {when} holds no number", what=what, when=_when(row))
    if quantity.comparator:
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
        shown = msg("{number} {unit}", number=f"{value:.4g}", unit=feature.unit)
        words = msg("{what} of {when} is implausible: {value}", what=what, when=_when(row), value=shown)
        return Reason.IMPLAUSIBLE, words
    return value


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

    Without a dimension only the very same unit will do: UCUM alone would take mmol/mol of HbA1c for a tenth of a %.
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
    return units.conversion(stated, target) if target is not None else None


def _clean(value: float) -> float:
    """Without the noise of binary fractions, which could move a value across a threshold."""
    return float(f"{value:.12g}")


def _answer(feature: Coded, row: Measurement) -> Value | Problem:
    answers = {feature.answers[pair] for pair in codings((row.concept,)) if pair in feature.answers}
    if len(answers) == 1:
        return answers.pop()
    what, when = feature.label, _when(row)
    if answers:
        return Reason.CONFLICT, msg("{what} of {when} has contradictory answers", what=what, when=when)
    return Reason.NO_NUMBER, msg("{what} of {when} gives no answer that can be read", what=what, when=when)


def derived(feature: Derived, inputs: list[Found]) -> Found:
    """The value computed from the inputs, or why the first of them is unusable (if it may be partial: why all are)."""
    gone = [found for found in inputs if isinstance(found, Unusable)]
    values = [found for found in inputs if isinstance(found, FeatureValue)]
    if gone and not (feature.partial and values):
        return Unusable(feature, gone[0].reason, gone[0].words, gone[0].effective, gone[0].sources)
    sources = tuple(dict.fromkeys(s for v in values for s in v.sources))
    measured = [v.effective for v in values if v.effective is not None and not isinstance(v.feature, Demographic)]
    effective = min(measured, default=None)
    value = feature.compute(*(v.value if isinstance(v, FeatureValue) else None for v in inputs))
    if value is None:
        words = feature.inapplicable or msg("{what} cannot be computed from its inputs", what=feature.label)
        return Unusable(feature, Reason.IMPLAUSIBLE, words, effective, sources)
    inferred = any(v.inferred for v in values)
    note = next((v.note for v in values if v.note is not None), None)
    return FeatureValue(feature, value, effective, sources, inferred, note)


def _without_ratio(feature: LowestRatio, *parts: Found) -> Found:
    for part in parts:
        if isinstance(part, Unusable):
            return Unusable(feature, part.reason, part.words, part.effective, part.sources)
    words = msg("{what} needs both values taken together", what=feature.label)
    return Unusable(feature, Reason.ABSENT, words)


def first_usable(feature: FirstOf, alternatives: list[Found]) -> Found:
    """The first usable of several that mean the same, or the reason that tells most."""
    for found in alternatives:
        if isinstance(found, FeatureValue):
            return FeatureValue(feature, found.value, found.effective, found.sources, found.inferred, found.note)
    problems = [found for found in alternatives if isinstance(found, Unusable)]
    worst = next((p for p in problems if p.reason is not Reason.ABSENT), problems[0])
    if worst.reason is Reason.ABSENT:
        return Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))
    return Unusable(feature, worst.reason, worst.words, worst.effective, worst.sources)


def _demographic(record: PatientRecord, feature: Demographic) -> Found:
    patient = record.patient
    source = (f"Patient/{record.patient_id}",)
    if feature.id == "sex":
        if record.sex is not None:
            return FeatureValue(feature, record.sex, None, source)
        stated = patient is not None and patient.gender is not None
        words = msg("Sex is neither female nor male on record") if stated else msg("Sex is not on record")
        return Unusable(feature, Reason.NO_NUMBER if stated else Reason.ABSENT, words, sources=source)
    if feature.id == "race":
        return _race(feature, patient, source)
    if feature.id != "age":
        raise TypeError(f"no extraction for the demographic feature {feature.id}")
    born = record.birth_date
    if born is None:
        stated = patient is not None and patient.birth_date is not None
        words = msg("The date of birth is incomplete") if stated else msg("The date of birth is not on record")
        return Unusable(feature, Reason.NO_NUMBER if stated else Reason.ABSENT, words, sources=source)
    age = years_between(born, record.as_of.date())
    if not 0 <= age <= _OLDEST_AGE_A:
        return Unusable(feature, Reason.IMPLAUSIBLE, msg("The date of birth is implausible"), sources=source)
    return FeatureValue(feature, age, None, source)


_US_CORE_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_RACES = {"2106-3": "white", "2054-5": "black"}  # OMB categories of CDC race codes (urn:oid:2.16.840.1.113883.6.238)


def _race(feature: Demographic, patient: fhir.Patient | None, source: tuple[str, ...]) -> Found:
    """Race as recorded in the US Core extension, if it is one category and that is White or Black; never guessed."""
    categories = {
        part.value_coding.code
        for extension in (patient.extension if patient is not None else ())
        if extension.url == _US_CORE_RACE
        for part in extension.extension
        if part.url == "ombCategory" and part.value_coding is not None
    }
    if len(categories) == 1 and (race := _RACES.get(next(iter(categories)) or "")):
        return FeatureValue(feature, race, None, source)
    words = msg("Race is not recorded as one category, White or Black") if categories else msg("Race is not on record")
    return Unusable(feature, Reason.NO_NUMBER if categories else Reason.ABSENT, words, sources=source)
