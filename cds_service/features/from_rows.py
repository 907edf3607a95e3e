"""A value of an input with the Encounters or Procedures that give it."""

from __future__ import annotations

from cds_service.features.feature import Feature, FeatureValue, Value
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord


def valued(
    record: PatientRecord,
    feature: Feature,
    value: Value,
    rows: list[fhir.Encounter] | list[fhir.Procedure],
    *,
    inferred: bool = False,
) -> FeatureValue:
    """A value with the rows that give it; of their times the first."""
    times = [span.start for row in rows if (span := record.date_of(row)) is not None]
    sources = tuple(sorted(record.reference(row) for row in rows))
    return FeatureValue(feature, value, min(times, default=None), sources, inferred=inferred)
