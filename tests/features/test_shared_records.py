"""Extraction from records that others made: Synthea patients and published examples."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest

from cds_service.features import catalogue as c
from cds_service.features.extract import extract
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Quantity, Reason, Unusable
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.protocol.request import decode_resource

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("CURBSIDE_DATA") or ROOT.parent / "shared" / "data")
SYNTHEA = sorted((DATA / "synthea_r4").glob("*.json.gz"))
EXAMPLES = sorted((DATA / "fhir_examples").glob("*.json.gz"))

pytestmark = pytest.mark.skipif(not SYNTHEA, reason="no data folder: set CURBSIDE_DATA")


def bundle(path: Path) -> fhir.Bundle:
    found = decode_resource(gzip.decompress(path.read_bytes()))
    assert isinstance(found, fhir.Bundle)
    return found


def last_visit(found: fhir.Bundle) -> datetime:
    """The day after the last encounter, as the moment of the call."""
    record = PatientRecord.from_bundle(found, datetime(2100, 1, 1, tzinfo=UTC))
    spans = [span.start for row in record.rows(fhir.Encounter) if (span := record.date_of(row)) is not None]
    return max(spans, default=datetime(2020, 1, 1, tzinfo=UTC)) + timedelta(days=1)


@cache
def synthea_values() -> dict[str, FeatureValues]:
    found = {}
    for path in SYNTHEA:
        read = bundle(path)
        found[path.name] = extract(PatientRecord.from_bundle(read, last_visit(read)), c.all_features())
    return found


def available(feature: Feature) -> int:
    return sum(values.usable(feature) is not None for values in synthea_values().values())


@pytest.mark.parametrize(
    ("feature", "least"),
    [
        (c.AGE, 60), (c.SEX, 60), (c.SBP, 56), (c.SBP_ANYWHERE, 58), (c.DBP, 58), (c.BMI, 59), (c.SMOKING, 59),
        (c.TOTAL_CHOLESTEROL, 33),
        (c.HDL, 33), (c.CREATININE, 32), (c.EGFR, 32), (c.HBA1C, 28), (c.ALBUMIN, 13), (c.AST, 13), (c.PLATELETS, 14),
        (c.DIABETES, 56), (c.STATIN, 56), (c.ANTIHYPERTENSIVE, 56),
    ],
    ids=lambda x: x.id if isinstance(x, Feature) else "",
)  # fmt: skip
def test_inputs_are_found_in_synthea_records(feature: Feature, least: int) -> None:
    """An input that most records hold is found in most records."""
    assert available(feature) >= least


def test_conditions_of_synthea_patients_are_those_that_they_have() -> None:
    """Counts by hand from the codes of the records: ten with diabetes, and nobody for prediabetes alone."""
    present = {
        feature.id: sum(values.flag(feature) is True for values in synthea_values().values())
        for feature in (c.DIABETES, c.HYPERTENSION, c.HEART_FAILURE, c.ATRIAL_FIBRILLATION, c.STROKE_TIA, c.DEMENTIA)
    }
    assert present == {
        "diabetes": 10,
        "hypertension": 22,
        "heart_failure": 6,
        "atrial_fibrillation": 7,
        "stroke_tia": 5,
        "dementia": 8,
    }


def test_every_value_can_be_traced_and_every_refusal_is_worded() -> None:
    """A measured value has a source and a time; a reason has words."""
    for values in synthea_values().values():
        for found in values:
            if isinstance(found, Unusable):
                assert str(found.words)
                assert found.reason is not Reason.UNIT, str(found.words)
            elif not found.inferred:
                assert found.sources
                assert found.effective is not None or found.feature.id in ("age", "sex", "race")


@pytest.mark.parametrize("path", SYNTHEA[:6] + EXAMPLES, ids=lambda p: p.name)
def test_records_of_any_maker_are_read_whatever_the_order(path: Path) -> None:
    """Extraction never fails, and the order of entries changes nothing."""
    read = bundle(path)
    people = [e.resource.id for e in read.entry if isinstance(e.resource, fhir.Patient)]
    name = people[0] if people else "somebody"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    backwards = msgspec.structs.replace(read, entry=tuple(reversed(read.entry)))
    forth = PatientRecord.from_bundle(read, now, name)
    back = PatientRecord.from_bundle(backwards, now, name)
    assert extract(forth, c.all_features()) == extract(back, c.all_features())
    assert forth.dropped == back.dropped


def test_values_do_not_change_with_the_moment_of_asking_unless_they_age() -> None:
    """A day later every laboratory value is the same or has become too old."""
    read = bundle(SYNTHEA[0])
    now = last_visit(read)
    labs = [f for f in c.all_features() if isinstance(f, Quantity) and f.category == "laboratory"]
    today, tomorrow = (extract(PatientRecord.from_bundle(read, now + timedelta(days=d)), labs) for d in (0, 1))
    for feature in labs:
        one, other = today[feature], tomorrow[feature]
        if isinstance(one, FeatureValue) and isinstance(other, FeatureValue):
            assert one == other
        else:
            assert isinstance(other, Unusable)
