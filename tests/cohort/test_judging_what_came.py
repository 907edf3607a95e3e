"""What came after a call: only of calls whose time is over, none that cannot be, and each at its day."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cds_service import monitoring
from cds_service.cohort.backtest import _died_there, calls
from cds_service.cohort.outcomes import Outcome, truth
from cds_service.cohort.patients import Loaded
from cds_service.fhir import resources as fhir
from cds_service.monitoring import Watched
from cds_service.protocol.request import decode_resource
from cds_service.stores.monitoring import Seen

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
HL7 = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
MONTH = timedelta(days=30)
STAY = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "IMP"},
        "subject": {"reference": "Patient/p"}}  # fmt: skip


def outcome(kind: str, within: timedelta = MONTH, codes: tuple[str, ...] = ()) -> Outcome:
    return Outcome("x", "x", kind, within, "patient-view", (), (), codes)


def held(*rows: dict[str, Any], died: str | None = None) -> Loaded:
    patient = {"resourceType": "Patient", "id": "p"} | ({"deceasedDateTime": died} if died else {})
    found = tuple(decode_resource(json.dumps(row).encode()) for row in (patient, *rows))
    return Loaded("p", found, (None,) * len(found), 0, frozenset())


def came(kind: str, loaded: Loaded, at: datetime, codes: tuple[str, ...] = ()) -> bool | None:
    return truth(outcome(kind, codes=codes), loaded, at, None, UNTIL).came


def test_a_model_that_is_right_is_right_at_the_end_of_the_export_too() -> None:
    """A call whose time is not over does not count, be it that the outcome has come: else only outcomes would."""
    rng = random.Random(1)
    told = []
    for _ in range(2000):
        at = UNTIL - timedelta(days=rng.random() * 60)
        died = at + timedelta(days=rng.expovariate(1 / 80))
        told.append(came("death", held(died=died.isoformat() if died <= UNTIL else None), at))
    known = [one for one in told if one is not None]
    assert 850 < len(known) < 1150
    assert sum(known) / len(known) == pytest.approx(0.313, abs=0.04)  # 1 - exp(-30 / 80)


def test_monitoring_judges_no_estimate_before_its_time_is_over() -> None:
    """Of a month whose time is half over the deaths that came already are no excess of deaths."""
    result = {"model": "m", "version": "1", "outcome": "death", "horizon_years": None, "value": 0.2}
    start = UNTIL - timedelta(days=20)
    rows = [Seen(start, "s", f"p{n}", [], [result], 0) for n in range(300)]
    dead = {(f"p{n}", "death"): (start + timedelta(days=5),) for n in range(60)}
    months = monitoring.count(rows, [], (Watched("m/death", "death", MONTH),), dead, UNTIL)
    assert months["2026-10"].judged == {}


@pytest.mark.parametrize(
    ("died", "later"),
    [
        ("2026-03-05", True),
        ("2026-03-05T09:00:00Z", None),  # before the call, so that there is none
        ("2026-03-05T11:00:00Z", True),
        ("2026-03-06", True),
        ("2026-04-04", False),  # the thirtieth day ends after thirty times 24 hours
        ("2026-04-03", True),
        ("2026-04", None),
        ("2026", None),
        ("2027", False),
    ],
)
def test_a_death_on_the_day_of_the_call_came_after_it(died: str, later: bool | None) -> None:
    """Where the record has a day and no hour, whoever was seen that day lived; without a day it is not known."""
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    loaded = held(died=died)
    alive = not loaded.record(at).deceased
    assert alive is (died not in ("2026-03-05T09:00:00Z", "2026"))
    if alive:
        assert came("death", loaded, at) is later


@pytest.mark.parametrize("died", [None, "2026", "2026-03"])
def test_who_was_seen_lived_where_the_day_of_the_death_is_not_known(died: str | None) -> None:
    """All calls of such patients were left out, of whatever outcome; what came of other outcomes is known."""
    dead = {"deceasedDateTime": died} if died else {"deceasedBoolean": True}
    found = decode_resource(json.dumps({"resourceType": "Patient", "id": "p"} | dead).encode())
    loaded, at = Loaded("p", (found,), (None,), 0, frozenset()), datetime(2026, 3, 5, 10, tzinfo=UTC)
    assert loaded.record(at).deceased
    assert not loaded.record(at, seen=True).deceased
    assert came("death", loaded, at) is (True if died == "2026-03" else None)
    assert came("readmission", loaded, at) is False


def test_a_day_is_that_of_the_place_where_the_call_was_made() -> None:
    """In Shanghai the day of a death begins eight hours before it does in UTC."""
    shanghai = timezone(timedelta(hours=8))
    assert not held(died="2026-03-05").record(datetime(2026, 3, 5, 1, tzinfo=shanghai)).deceased
    assert held(died="2026-03-05").record(datetime(2026, 3, 6, 1, tzinfo=shanghai)).deceased
    assert came("death", held(died="2026-03-05"), datetime(2026, 3, 5, 23, tzinfo=shanghai))


@pytest.mark.parametrize(
    ("changed", "back"),
    [({}, True), ({"status": "planned"}, False), ({"status": "entered-in-error"}, False),
     ({"priority": {"coding": [{"code": "EL"}]}}, False), ({"class": {"code": "EMER"}}, False)],
)  # fmt: skip
def test_a_stay_that_is_booked_or_an_error_is_no_readmission(changed: dict[str, Any], back: bool) -> None:
    """Only a stay that took place and was not planned."""
    stay = STAY | {"period": {"start": "2026-03-10T08:00:00Z"}} | changed
    assert came("readmission", held(stay), datetime(2026, 3, 1, tzinfo=UTC)) is back


@pytest.mark.parametrize(
    ("changed", "got"),
    [({"recordedDate": "2026-03-10"}, True), ({"recordedDate": "2026-02-10"}, False), ({}, None),
     ({"recordedDate": "2026-03-10", "verificationStatus": {"coding": [{"code": "refuted"}]}}, False)],
)  # fmt: skip
def test_a_diagnosis_that_was_refuted_did_not_come(changed: dict[str, Any], got: bool | None) -> None:
    """Nor is anything known where it has no date."""
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I21.4"}]}
    row = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "code": code} | changed
    assert came("diagnosis", held(row), datetime(2026, 3, 1, tzinfo=UTC), ("I21",)) is got


def test_what_is_coded_after_a_stay_is_not_known_in_it() -> None:
    """Diagnoses without a date of their own come with the end of their stay, and so does where the patient went."""
    stay = STAY | {"period": {"start": "2026-03-01T08:00:00Z", "end": "2026-03-09T10:00:00Z"},
                   "hospitalization": {"dischargeDisposition": {"coding": [{"code": "hosp"}]}}}  # fmt: skip
    coded = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
             "encounter": {"reference": "Encounter/e"}, "code": {"text": "pneumonia"}}  # fmt: skip
    loaded = held(stay, coded, coded | {"id": "early", "recordedDate": "2026-03-01"})
    record = loaded.record(datetime(2026, 3, 2, tzinfo=UTC))
    assert [row.id for row in record.rows(fhir.Condition)] == ["early"]
    (now,) = record.rows(fhir.Encounter)
    assert now.hospitalization is not None
    assert now.hospitalization.discharge_disposition is None
    ended = loaded.record(datetime(2026, 3, 9, 10, tzinfo=UTC))
    assert {row.id for row in ended.rows(fhir.Condition)} == {"c", "early"}
    (then,) = ended.rows(fhir.Encounter)
    assert then.hospitalization is not None
    assert then.hospitalization.discharge_disposition is not None


@pytest.mark.parametrize(("disposition", "died"), [("exp", None), ("home", "2026-03-09")])
def test_who_died_in_the_stay_is_not_discharged(disposition: str, died: str | None) -> None:
    """A death is no discharge without a readmission."""
    went = {"coding": [{"system": HL7, "code": disposition}]}
    stay = STAY | {"period": {"start": "2026-03-01T08:00:00Z", "end": "2026-03-09T10:00:00Z"},
                   "hospitalization": {"dischargeDisposition": went}}  # fmt: skip
    loaded = held(stay, died=died)
    ((_, _, _), (hook, at, ended)) = calls(loaded)
    assert hook == "encounter-discharge"
    assert _died_there(loaded.died, ended, at)
    assert not _died_there(None, ended, at) or disposition == "exp"
