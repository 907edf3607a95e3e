"""Statistics of the first hours of a stay: which values count, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest
from built import NOW, SNOMED, concept, find, lab, reason, usable

from cds_service.features import catalogue as c
from cds_service.features.aggregate import Aggregate, Statistic
from cds_service.features.feature import FeatureValue, Reason
from cds_service.features.intensive_care import LABS, VITALS, over_48_hours
from cds_service.needs import with_inputs

BEGUN = "2026-05-29T06:00:00Z"  # more than 48 hours before NOW


def stay(begun: str = BEGUN, **members: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": "stay",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [concept("305351004", SNOMED)],
        "subject": {"reference": "Patient/p1"},
        "period": {"start": begun},
    }
    return row | members


def rate(value: float | None, on: str, unit: str | None = "/min") -> dict[str, Any]:
    return lab("8867-4", value, unit, on=on)


RATES = [
    rate(60, "2026-05-29T05:59:00Z"),  # before the stay
    rate(100, "2026-05-29T07:00:00Z"),
    rate(140, "2026-05-29T09:00:00Z"),
    rate(90, "2026-05-30T09:00:00Z"),
    rate(110, "2026-05-31T05:00:00Z"),
    rate(30, "2026-05-31T06:01:00Z"),  # after 48 hours
    rate(20, "2026-05-29T10:00:00Z", None),  # no unit
]


def heart_rate(statistic: Statistic) -> Aggregate:
    return over_48_hours(c.HEART_RATE, statistic)[0]


@pytest.mark.parametrize(
    ("statistic", "value", "times"),
    [
        (Statistic.FIRST, 100, ["2026-05-29T07:00:00Z"]),
        (Statistic.LAST, 110, ["2026-05-31T05:00:00Z"]),
        (Statistic.LOWEST, 90, ["2026-05-30T09:00:00Z"]),
        (Statistic.HIGHEST, 140, ["2026-05-29T09:00:00Z"]),
        (Statistic.MEDIAN, 105, ["2026-05-29T07:00:00Z", "2026-05-31T05:00:00Z"]),
    ],
)
def test_only_usable_values_of_the_first_48_hours_count(statistic: Statistic, value: float, times: list[str]) -> None:
    """What was measured before, later or without a unit counts for nothing; the values that make it are cited."""
    found = usable(heart_rate(statistic), stay(), *RATES)
    assert found.value == value
    assert sorted(found.sources) == sorted(f"Observation/8867-4-{time}" for time in times)
    assert found.effective is not None


@pytest.mark.parametrize("statistic", list(Statistic))
def test_the_order_of_the_record_does_not_matter(statistic: Statistic) -> None:
    """Two values of one time, too."""
    rows = [*RATES, {**rate(150, "2026-05-29T07:00:00Z"), "id": "twin"}]
    one = find(heart_rate(statistic), stay(), *rows)
    other = find(heart_rate(statistic), *rows[::-1], stay())
    assert isinstance(one, FeatureValue)
    assert isinstance(other, FeatureValue)
    assert (one.value, one.sources) == (other.value, other.sources)


@pytest.mark.parametrize(
    "encounter",
    [
        stay("2026-05-30T13:00:00Z"),
        stay("2026-05-29"),
        stay(status="finished"),
        stay(period={"start": BEGUN, "end": "2026-05-31T08:00:00Z"}),
        stay(type=[concept("183452005", SNOMED)]),
        stay(period={}),
    ],
    ids=["47 hours", "no time of day", "finished", "ended", "another type", "no period"],
)
def test_without_a_present_stay_of_48_hours_there_is_no_value(encounter: dict[str, Any]) -> None:
    """Nothing is there yet: that is not the same as not measured."""
    assert reason(heart_rate(Statistic.LAST), encounter, *RATES) is Reason.OUTSIDE


def test_no_value_in_the_window_is_not_measured() -> None:
    """The stay is there, the measurement is not."""
    assert reason(heart_rate(Statistic.LAST), stay(), RATES[0]) is Reason.ABSENT


def test_the_latest_of_two_stays_counts() -> None:
    """A stay that was never closed does not lend its hours."""
    rows = [{**stay("2026-05-01T06:00:00Z"), "id": "earlier"}, stay(), rate(75, "2026-05-01T08:00:00Z"), *RATES]
    assert usable(heart_rate(Statistic.FIRST), *rows).value == 100


def test_values_are_converted_as_everywhere() -> None:
    """Units and comparators are judged by the rules of the quantity itself."""
    creatinine = LABS["creatinine"][1]
    molar = lab("14682-9", 176.84, "umol/L", on="2026-05-30T08:00:00Z")
    assert usable(creatinine, stay(), molar).value == pytest.approx(2.0)


def test_the_measurement_is_asked_for_with_its_statistics() -> None:
    """Searches by code name it."""
    assert c.HEART_RATE in set(with_inputs(VITALS["heart_rate"]))
    assert (NOW.year, len({f.id for series in (VITALS, LABS) for fs in series.values() for f in fs})) == (2026, 101)
