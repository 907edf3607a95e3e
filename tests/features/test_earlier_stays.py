"""How many stays came before the present one, how long they were, and when it is not known."""

from typing import Any

import pytest
from built import SUBJECT, reason, usable

from cds_service.features import earlier_stays as e
from cds_service.features.feature import Feature, Reason

LISTED = {"listed": ("Encounter",)}


def visit(id: str, start: str, end: str | None, kind: str = "IMP", **more: Any) -> dict[str, Any]:
    """An Encounter that goes on, or is over if it has an end."""
    period = {"start": start} | ({"end": end} if end else {})
    return {"resourceType": "Encounter", "id": id, "status": "finished" if end else "in-progress",
            "class": {"code": kind}, "subject": SUBJECT, "period": period} | more  # fmt: skip


NOW = visit("now", "2026-05-28T22:00:00Z", None)
LAST = visit("last", "2026-01-10", "2026-01-15")
FIRST = visit("first", "2025-06-01", "2025-06-03")
LONG_AGO = visit("long-ago", "2019-03-01", "2019-03-11")
CLINIC = visit("clinic", "2026-02-01", "2026-02-01", kind="AMB")


@pytest.mark.parametrize(
    ("feature", "value"),
    [(e.STAYS, 3), (e.DAYS, 17), (e.PREVIOUS_DAYS, 5), (e.PREVIOUS_ADMISSIONS, 1)],
)
def test_earlier_inpatient_stays_are_counted(feature: Feature, value: float) -> None:
    """Visits to a clinic and the present stay are none; the admissions are those of the year before the last stay."""
    assert usable(feature, NOW, LONG_AGO, CLINIC, LAST, FIRST, **LISTED).value == value


@pytest.mark.parametrize(("feature", "value"), [(e.STAYS, 0), (e.DAYS, 0)])
def test_a_supplied_list_without_earlier_stays_says_none(feature: Feature, value: float) -> None:
    """Absence read from a list is marked as such."""
    found = usable(feature, NOW, CLINIC, **LISTED)
    assert (found.value, found.inferred) == (value, True)


@pytest.mark.parametrize("feature", [e.PREVIOUS_DAYS, e.PREVIOUS_ADMISSIONS])
def test_without_an_earlier_stay_there_is_no_previous_one(feature: Feature) -> None:
    """No number is given for a stay that never was."""
    assert reason(feature, NOW, **LISTED) is Reason.ABSENT


@pytest.mark.parametrize("feature", e.FEATURES)
def test_encounters_that_do_not_reach_back_a_year_tell_nothing(feature: Feature) -> None:
    """What was not supplied is not none."""
    assert reason(feature, NOW, LAST) is Reason.NO_LIST


def test_without_a_present_stay_nothing_is_told() -> None:
    """The numbers are those of the time before a stay."""
    assert reason(e.STAYS, LAST, FIRST, **LISTED) is Reason.NO_LIST


def test_a_stay_without_an_end_has_no_days() -> None:
    """Its days are unknown, not none; the number of stays stands."""
    open_ended = visit("odd", "2025-12-01", None, status="finished")
    assert reason(e.DAYS, NOW, open_ended, **LISTED) is Reason.NO_NUMBER
    assert usable(e.STAYS, NOW, open_ended, **LISTED).value == 1
