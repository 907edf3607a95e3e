"""Acute kidney injury by creatinine: each criterion of KDIGO 2012, and what is no criterion."""

from datetime import timedelta
from typing import Any

import pytest
from built import NOW, lab, reason, record, usable

from cds_service.features import catalogue as c
from cds_service.features.feature import Reason
from cds_service.features.kidney_injury import Rise, latest_rise
from cds_service.features.latest import number

UNSTEADY = c.CREATININE_UNSTEADY


def creatinine(value: float, days: float, unit: str = "mg/dL", **members: Any) -> dict[str, Any]:
    return lab("2160-0", value, unit, on=(NOW - timedelta(days=days)).isoformat(), **members)


def rise(*rows: dict[str, Any]) -> Rise | None:
    return latest_rise(record(*rows), c.CREATININE, number)


@pytest.mark.parametrize(
    ("now", "before", "days", "kind", "stage"),
    [
        (2.1, 1.1, 200, "year", 1),
        (2.2, 1.1, 200, "year", 2),
        (1.65, 1.1, 6, "week", 1),
        (3.3, 1.1, 6, "week", 3),
        (4.1, 2.5, 3, "week", 3),  # from 4.0 mg/dL stage 3 whatever the ratio
        (1.4, 1.1, 1.5, "difference", 1),
        (185.6, 97.2, 200, "year", 1),  # umol/L
    ],
)
def test_a_rise_is_recognised_by_each_criterion(now: float, before: float, days: float, kind: str, stage: int) -> None:
    """1.5-fold in a week or over the year's median, or 0.3 mg/dL in two days; staged by KDIGO."""
    unit = "umol/L" if now > 50 else "mg/dL"
    found = rise(creatinine(now, 0.1, unit), creatinine(before, days + 0.1, unit))
    assert found is not None
    assert (found.kind, found.stage) == (kind, stage)


@pytest.mark.parametrize(
    "rows",
    [
        [creatinine(2.1, 1)],
        [creatinine(1.6, 1), creatinine(1.1, 200)],
        [creatinine(1.4, 1), creatinine(1.1, 5)],  # 0.3, but not within two days
        [creatinine(2.1, 1), creatinine(1.1, 400)],  # more than a year before
        [creatinine(2.1, 1), creatinine(2.0, 100), creatinine(2.0, 200), creatinine(1.1, 300)],  # the median counts
        [creatinine(1.0, 1), creatinine(1.9, 100)],  # recovered long ago
    ],
    ids=["one value", "1.45-fold", "slow", "long ago", "one low value", "recovered"],
)
def test_what_is_no_rise_is_steady(rows: list[dict[str, Any]]) -> None:
    """No criterion, no warning."""
    assert usable(UNSTEADY, *rows).value is False


def test_an_injury_that_lasts_for_days_is_still_seen() -> None:
    """The values of the week are as high: the year's median tells."""
    found = rise(creatinine(2.2, 0.1), creatinine(2.1, 2), creatinine(1.1, 100), creatinine(1.0, 200))
    assert found is not None
    assert found.kind == "year"
    assert found.reference.value == 1.0  # of two, the lower


def test_a_creatinine_that_falls_after_an_injury_is_not_steady_either() -> None:
    """Recovery: eGFR from it is as wrong."""
    found = rise(creatinine(1.3, 0.1), creatinine(2.2, 3), creatinine(1.1, 100))
    assert found is not None
    assert found.kind == "falling"
    assert usable(UNSTEADY, creatinine(1.3, 0.1), creatinine(2.2, 3)).value is True


def test_the_value_names_both_creatinines() -> None:
    """Whoever refuses because of it can say why, and cite it."""
    found = usable(UNSTEADY, creatinine(2.1, 1), creatinine(1.1, 200))
    assert len(found.sources) == 2
    assert str(found.note) == "Creatinine was 2.1 mg/dL on 31 May 2026 and 1.1 mg/dL on 13 Nov 2025"


def test_values_that_cannot_be_used_prove_nothing() -> None:
    """No unit, "<", a contradiction at one moment: neither baseline nor rise."""
    assert usable(UNSTEADY, creatinine(2.1, 1), creatinine(1.1, 200, None)).value is False
    twice = [creatinine(1.1, 200, id="a"), creatinine(2.0, 200, id="b")]
    assert usable(UNSTEADY, creatinine(2.1, 1), *twice).value is False
    assert reason(UNSTEADY, creatinine(2.1, 1, id="a"), creatinine(0.9, 1, id="b")) is Reason.CONFLICT
    assert reason(UNSTEADY) is Reason.ABSENT
