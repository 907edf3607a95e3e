"""From a `PatientRecord` to `FeatureValues`: for each feature a value with time and source, or a worded reason.

Each type of feature has its reader; measurements are read in `latest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from functools import cached_property
from typing import Any

from msgspec import structs

from cds_service.features.aggregate import Aggregate, Aggregates
from cds_service.features.asked import Asked
from cds_service.features.conditions_on_record import ProblemList
from cds_service.features.demographics import demographic
from cds_service.features.diagnosis_groups import DiagnosisGroup
from cds_service.features.discharge import AtDischarge, at_discharge
from cds_service.features.earlier_stays import EarlierStays, earlier_stays
from cds_service.features.embedding import Embedding, embedding
from cds_service.features.feature import (
    Ambulatory,
    Coded,
    ConditionFeature,
    Demographic,
    Derived,
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
from cds_service.features.hospital import InHospital, MeasuredInHospital, in_hospital, measured_in_hospital, periods
from cds_service.features.in_stay import DoneInStay, done_in_stay
from cds_service.features.kidney_injury import Unsteady, unsteady
from cds_service.features.lasting import lasting
from cds_service.features.latest import Found, Problem, answer, latest, number, outside_hospital
from cds_service.features.medicines_on_record import MedicationList
from cds_service.features.operations import Surgery, surgery
from cds_service.features.recent import Recent, Suspected, recent, suspected
from cds_service.features.saturation_target import PrescribedTarget, prescribed_target
from cds_service.features.stay_diagnoses import StayDiagnoses
from cds_service.features.stays import OfStay, Stay, of_stay, present_stay
from cds_service.features.worst import lowest_ratio, worst
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.language import msg

Reader = Callable[["_Extraction", Any], Found]


def extract(record: PatientRecord, features: Iterable[Feature], unavailable: Set[str] = frozenset()) -> FeatureValues:
    """The values of the features, with those that derived ones are computed from.

    features: as `Asked`, where the same ones are asked of many records.
    unavailable: ids of features whose data could not be had: that they are not on record means nothing.
    """
    extraction = _Extraction(record, unavailable)
    if isinstance(features, Asked) and not unavailable:
        extraction.entries.update(features.not_recorded(extraction.problems, extraction.medicines, record.measurements))
    for feature in features:
        if feature.id not in extraction.entries:
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
            kind = type(feature)
            known = (_readers.get(kind) or _reader(kind))(self, feature)
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
    def everyday(self) -> Callable[[Quantity, Measurement], Value | Problem]:
        """Reads numbers that were not taken in hospital."""
        return outside_hospital(periods(self.record))

    @cached_property
    def diagnoses(self) -> StayDiagnoses:
        """The diagnoses of the present stay."""
        return StayDiagnoses(self.record)

    @cached_property
    def stay(self) -> Stay | None:
        """The present stay in hospital."""
        return present_stay(self.record)


def _reader(kind: type[Feature]) -> Reader:
    """What reads features of a type: the first of `_READERS` that it belongs to; remembered."""
    for known, read in _READERS:
        if issubclass(kind, known):
            _readers[kind] = read
            return read
    raise TypeError(f"no extraction for features of type {kind.__name__}")


def _lowest_ratio(run: _Extraction, feature: LowestRatio) -> Found:
    found = lowest_ratio(run.record, feature, number)
    return found or _without_ratio(feature, run.find(feature.numerator), run.find(feature.denominator))


def _at_discharge(run: _Extraction, feature: AtDischarge) -> Found:
    return at_discharge(run.record, feature, run.stay, lambda: run.medicines, lambda: run.diagnoses)


# In order: a type stands before those that it is a kind of.
_READERS: tuple[tuple[type[Feature], Reader], ...] = (
    (Worst, lambda run, feature: worst(run.record, feature, number) or latest(run.record, feature, number)),
    (Ambulatory, lambda run, feature: latest(run.record, feature, run.everyday)),
    (Quantity, lambda run, feature: latest(run.record, feature, number)),
    (ConditionFeature, lambda run, feature: run.problems.value(feature)),
    (MedicationFeature, lambda run, feature: run.medicines.value(feature)),
    (Coded, lambda run, feature: latest(run.record, feature, answer)),
    (Derived, lambda run, feature: derived(feature, [run.find(f) for f in feature.inputs])),
    (FirstOf, lambda run, feature: first_usable(feature, [run.find(f) for f in feature.alternatives])),
    (Aggregate, lambda run, feature: run.aggregates.value(feature)),
    (Lasting, lambda run, feature: lasting(run.record, feature, number)),
    (Unsteady, lambda run, feature: unsteady(run.record, feature, number, run.find(feature.creatinine))),
    (InHospital, lambda run, feature: in_hospital(run.record, feature)),
    (MeasuredInHospital, lambda run, feature: measured_in_hospital(run.record, feature, run.find)),
    (EarlierStays, lambda run, feature: earlier_stays(run.record, feature, run.stay)),
    (OfStay, lambda run, feature: of_stay(run.record, feature, run.stay)),
    (DoneInStay, lambda run, feature: done_in_stay(run.record, feature)),
    (AtDischarge, _at_discharge),
    (DiagnosisGroup, lambda run, feature: run.diagnoses.value(feature)),
    (Surgery, lambda run, feature: surgery(run.record, feature)),
    (Recent, lambda run, feature: recent(run.record, run.problems, feature)),
    (Suspected, lambda run, feature: suspected(run.record, run.problems, feature)),
    (PrescribedTarget, lambda run, feature: prescribed_target(run.record, feature)),
    (LowestRatio, _lowest_ratio),
    (Embedding, lambda run, feature: embedding(run.record, feature)),
    (Demographic, lambda run, feature: demographic(run.record, feature)),
)
_readers: dict[type[Feature], Reader] = {}  # by exact type


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
    stated = next((v.stated for v in values if v.stated is not None), None)
    return FeatureValue(feature, value, effective, sources, inferred, note, stated)


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
            return structs.replace(found, feature=feature)
    problems = [found for found in alternatives if isinstance(found, Unusable)]
    worst = next((p for p in problems if p.reason is not Reason.ABSENT), problems[0])
    if worst.reason is Reason.ABSENT:
        return Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label))
    return Unusable(feature, worst.reason, worst.words, worst.effective, worst.sources)
