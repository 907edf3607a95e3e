"""Departments of a stay that an EHR sends as Encounters of their own are no further stays."""

from __future__ import annotations

from typing import Any

import pytest
from built import SUBJECT, record, usable

from cds_service.cohort.backtest import calls
from cds_service.cohort.outcomes import Outcome, truth
from cds_service.cohort.patients import Loaded
from cds_service.features import catalogue, earlier_stays
from cds_service.features.contacts import is_part, whole
from cds_service.features.feature import Feature
from cds_service.features.stay_diagnoses import StayDiagnoses
from cds_service.features.stays import present_stay, stay_began
from cds_service.fhir import resources as fhir
from cds_service.fhir.times import parse

LISTED = {"listed": ("Encounter",)}


def visit(id: str, start: str, end: str | None, of: str | None = None, kind: str = "IMP") -> dict[str, Any]:
    period = {"start": start} | ({"end": end} if end else {})
    part = {"partOf": {"reference": f"Encounter/{of}"}} if of else {}
    return {"resourceType": "Encounter", "id": id, "status": "finished" if end else "in-progress",
            "class": {"code": kind}, "subject": SUBJECT, "period": period} | part  # fmt: skip


LAST = visit("last", "2026-01-10T08:00:00Z", "2026-01-20T10:00:00Z")
LAST_ICU = visit("last-icu", "2026-01-10T08:00:00Z", "2026-01-13T09:00:00Z", "last", "ACUTE")
LAST_WARD = visit("last-ward", "2026-01-13T09:05:00Z", "2026-01-20T10:00:00Z", "last")
NOW = visit("now", "2026-05-27T22:00:00Z", None)
NOW_ICU = visit("now-icu", "2026-05-28T22:00:00Z", None, "now", "ACUTE")
BED = visit("bed", "2026-05-29T02:00:00Z", None, "now-icu")
EVERY = (BED, LAST_WARD, NOW_ICU, LAST, NOW, LAST_ICU)


@pytest.mark.parametrize(
    ("feature", "value"),
    [(catalogue.ADMISSIONS_YEAR, 1), (earlier_stays.STAYS, 1), (earlier_stays.DAYS, 10),
     (earlier_stays.PREVIOUS_DAYS, 10)],
)  # fmt: skip
def test_a_stay_on_three_wards_is_one_admission(feature: Feature, value: float) -> None:
    """Counted apart, LACE, HOSPITAL and the readmission model took one stay for three."""
    assert usable(feature, *EVERY, **LISTED).value == value


def test_the_present_stay_is_the_whole_one() -> None:
    """It began at the admission and not at the transfer; a contact that a hook names is told from its stay."""
    found = record(*EVERY)
    stay = present_stay(found)
    assert stay is not None
    assert stay.row.id == "now"
    bed = next(row for row in found.rows(fhir.Encounter) if row.id == "bed")
    began = parse("2026-05-27T22:00:00Z")
    assert began is not None
    assert stay_began(found, bed) == began.start


def test_without_the_stay_itself_a_contact_stands_for_it() -> None:
    """What the record does not hold cannot be told; references in a ring make nothing a part."""
    alone = record(LAST_WARD)
    assert whole(alone, alone.rows(fhir.Encounter)[0]).id == "last-ward"
    ring = record(visit("a", "2026-05-01", None, "b"), visit("b", "2026-05-02", None, "a"))
    assert not any(is_part(ring, row) for row in ring.rows(fhir.Encounter))


def test_an_emergency_visit_within_a_stay_is_a_visit_still() -> None:
    """Only contacts of the same kind are one."""
    emergency = visit("er", "2026-01-10T06:00:00Z", "2026-01-10T08:00:00Z", "last", "EMER")
    assert usable(catalogue.EMERGENCY_VISITS, *EVERY, emergency, **LISTED).value == 1


@pytest.mark.parametrize(("left", "back", "stays"), [
    ("2026-01-20T10:00:00Z", "2026-01-24T09:00:00Z", 2), ("2026-01-20", "2026-01-21", 2),
    ("2026-01-20T10:00:00Z", "2026-01-20T10:00:00Z", 1), ("2026-01-20", "2026-01-20", 1),
])  # fmt: skip
def test_a_readmission_that_hangs_on_the_stay_before_is_a_stay(left: str, back: str, stays: int) -> None:
    """Some EHRs chain the stays of an illness by `partOf`: what begins after the end is not within."""
    again = visit("again", back, "2026-02-01T10:00:00Z", "first")
    first = visit("first", "2026-01-10T08:00:00Z", left)
    assert usable(catalogue.ADMISSIONS_YEAR, first, again, NOW, **LISTED).value == stays


def test_a_department_of_an_export_with_full_urls_is_a_part() -> None:
    """A Bundle names the stay by its `urn:uuid:`, which need not be its id."""
    rows = record(LAST, LAST_WARD | {"partOf": {"reference": "urn:uuid:1"}}).rows(fhir.Encounter)
    loaded = Loaded("p1", rows, tuple("urn:uuid:1" if row.id == "last" else None for row in rows), 0, frozenset())
    assert [encounter.id for _, _, encounter in calls(loaded)] == ["last", "last"]


def test_diagnoses_of_a_department_are_those_of_the_stay() -> None:
    """A Condition names the contact in which it was made."""
    made = {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "encounter": {"reference": "Encounter/now-icu"},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J18.9"}]}}  # fmt: skip
    assert [row.id for _, row in StayDiagnoses(record(*EVERY, made)).rows] == ["c"]


def test_a_transfer_is_no_discharge_and_no_readmission() -> None:
    """A backtest calls the hooks of a stay once, and its wards do not readmit anybody."""
    rows = record(*EVERY).rows(fhir.Encounter)
    patient = fhir.Patient(id="p1")
    loaded = Loaded("p1", (patient, *rows), (None,) * (len(rows) + 1), 0, frozenset())
    assert [(hook, encounter.id) for hook, _, encounter in calls(loaded)] == [
        ("encounter-start", "last"), ("encounter-discharge", "last"), ("encounter-start", "now"),
    ]  # fmt: skip
    span, until = parse("2026-01-13T09:00:00Z"), parse("2026-11-01")
    assert span is not None
    assert until is not None
    back = Outcome("x", "x", "readmission", span.start - span.start.replace(day=1), "encounter-discharge", (), ())
    assert truth(back, loaded, span.start, "last", until.start).came is False
