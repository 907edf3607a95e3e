"""Earlier values: what a rule needs that looks at more than the latest measurement."""

from __future__ import annotations

from msgspec import structs

from cds_service.features.derived import egfr_ckd_epi_2021
from cds_service.features.feature import Ambulatory, Derived, FeatureValue, Quantity
from cds_service.features.hospital import periods
from cds_service.features.kidney_injury import Rise, latest_rise
from cds_service.features.latest import number, outside_hospital, unit_of
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import years_between


def history(record: PatientRecord, feature: Quantity) -> tuple[FeatureValue, ...]:
    """Every usable dated value of a quantity, latest first; what extraction would refuse is left out."""
    values = []
    read = outside_hospital(periods(record)) if isinstance(feature, Ambulatory) else number
    for row in record.observations(feature.codes):
        judged = read(feature, row)
        if row.effective is not None and not isinstance(judged, tuple):
            values.append(FeatureValue(feature, judged, row.effective, (row.reference,), stated=unit_of(row)))
    return tuple(values)


def beyond(record: PatientRecord, feature: Quantity) -> FeatureValue | None:
    """The newest entry in the window if it tells only that the value lies above a limit (">14"): that limit."""
    row = next(record.newest(feature.codes), None)
    quantity = row.quantity if row is not None else None
    if row is None or row.effective is None or quantity is None or quantity.comparator not in (">", ">="):
        return None
    if feature.look_back is not None and record.as_of - row.effective > feature.look_back:
        return None
    plain = structs.replace(row.part, value_quantity=structs.replace(quantity, comparator=None))
    limit = number(feature, structs.replace(row, part=plain))
    if isinstance(limit, tuple):
        return None
    return FeatureValue(feature, limit, row.effective, (row.reference,), stated=unit_of(row))


def creatinine_rise(record: PatientRecord, creatinine: Quantity) -> Rise | None:
    """The rise or fall that the latest creatinine shows, as in acute kidney injury, or None."""
    return latest_rise(record, creatinine, number)


def egfr_history(record: PatientRecord, creatinine: Quantity, egfr: Derived) -> tuple[FeatureValue, ...]:
    """eGFR (CKD-EPI 2021, mL/min/{1.73_m2}) at the time of each creatinine, with the age of that day; latest first."""
    born, sex = record.birth_date, record.sex
    if born is None or sex is None:
        return ()
    values = []
    for measured in history(record, creatinine):
        if measured.effective is not None and measured.effective.date() > born:
            age = years_between(born, measured.effective.date())
            value = egfr_ckd_epi_2021(float(measured.value), age, sex)
            if value is not None:
                values.append(FeatureValue(egfr, value, measured.effective, measured.sources))
    return tuple(values)
