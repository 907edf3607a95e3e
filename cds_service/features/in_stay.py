"""Whether something was done in the first hours of the patient's present stay, as Procedures tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cds_service.features.aggregate import StayKind, stay_of
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import codings
from cds_service.fhir.record import PatientRecord
from cds_service.language import msg

_DONE = ("completed", "in-progress", "stopped")


@dataclass(frozen=True, slots=True)
class DoneInStay(Feature):
    """True if a procedure of the set was under way in the first hours of a stay.

    codes: (system, code). hours: from the beginning of the stay, to the end of which there is no value.
    """

    codes: frozenset[tuple[str, str]]
    stay: StayKind
    hours: float


def done_in_stay(record: PatientRecord, feature: DoneInStay) -> FeatureValue | Unusable:
    """True with the procedures, False if others or the list are on record, or why it cannot be told."""
    stay = stay_of(record, feature.stay)
    if stay is None:
        words = msg("{stay} that goes on is not on record", stay=feature.stay.label)
        return Unusable(feature, Reason.OUTSIDE, words)
    begun, reference = stay
    until = begun + timedelta(hours=feature.hours)
    if record.as_of < until:
        words = msg(
            "the first {hours} hours of {stay} are not over", hours=f"{feature.hours:g}", stay=feature.stay.label
        )
        return Unusable(feature, Reason.OUTSIDE, words, begun, (reference,))
    rows = record.rows(fhir.Procedure)
    found = [
        row for row in rows
        if row.status in _DONE and not feature.codes.isdisjoint(codings((row.code,)))
        and (span := record.date_of(row)) is not None and begun <= span.end and span.start <= until
    ]  # fmt: skip
    if found:
        return FeatureValue(feature, True, begun, tuple(sorted(record.reference(row) for row in found)))
    if not rows and not record.has_list("Procedure"):
        words = msg("{what} cannot be told: no procedures were supplied", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)
    return FeatureValue(feature, False, None, (), inferred=True)
