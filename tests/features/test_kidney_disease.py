"""Chronic kidney disease: what shows it, its stage, its progression; and what shows none of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from built import NOW, condition, lab, record

from cds_service.features import catalogue as c
from cds_service.features.extract import extract
from cds_service.features.kidney_disease import KidneyDisease, kidney_disease


def creatinine(value: float, days: int) -> dict[str, Any]:
    return lab("2160-0", value, "mg/dL", on=(NOW - timedelta(days=days)).isoformat())


def uacr(value: float, days: int) -> dict[str, Any]:
    return lab("9318-7", value, "mg/g", on=(NOW - timedelta(days=days)).isoformat())


def found(*rows: dict[str, Any]) -> KidneyDisease | None:
    made = record(*rows)
    return kidney_disease(made, extract(made, [c.EGFR, c.UACR, c.CKD]))


LASTING = (creatinine(1.5, 10), creatinine(1.5, 200))  # a woman of 66: eGFR 38


@pytest.mark.parametrize(
    ("rows", "stage"),
    [
        (LASTING, "G3b"),
        ((*LASTING, uacr(12, 10)), "G3b A1"),
        ((*LASTING, uacr(30, 10)), "G3b A2"),
        ((*LASTING, uacr(299.9, 10)), "G3b A2"),
        ((*LASTING, uacr(300, 10)), "G3b A3"),
        ((*LASTING, uacr(300, 400)), "G3b"),  # too old to stage by
        ((creatinine(0.7, 10), uacr(90, 10), uacr(80, 150)), "G1 A2"),
        ((creatinine(0.9, 10), condition("709044004")), "G2"),
        ((creatinine(5.0, 10), creatinine(5.0, 200)), "G5"),
    ],
)
def test_it_is_staged_by_egfr_and_albuminuria(rows: tuple[dict[str, Any], ...], stage: str) -> None:
    """KDIGO's categories, of the eGFR as reported and of a UACR of the last year."""
    disease = found(*rows)
    assert disease is not None
    assert disease.stage == stage


@pytest.mark.parametrize(
    "rows",
    [
        (creatinine(1.5, 10),),
        (creatinine(1.5, 10), creatinine(1.5, 60)),
        (creatinine(0.7, 10), uacr(90, 10)),
        (creatinine(0.7, 10), uacr(90, 10), uacr(20, 100), uacr(90, 200)),
        (creatinine(0.7, 10), uacr(90, 900), uacr(90, 1200)),
        (uacr(90, 10), uacr(90, 200)),
    ],
    ids=["one value", "60 days", "one UACR", "normal in between", "albuminuria of years ago", "no creatinine"],
)
def test_what_does_not_last_is_no_chronic_disease(rows: tuple[dict[str, Any], ...]) -> None:
    """And without an eGFR there is no stage."""
    assert found(*rows) is None


def test_severe_albuminuria_and_a_fall_need_two_values() -> None:
    """One high UACR is not consistent; one low eGFR is no progression."""
    falling = (creatinine(1.5, 10), creatinine(1.5, 200), creatinine(1.0, 900))
    disease = found(*falling, uacr(400, 10), uacr(320, 200))
    assert disease is not None
    assert disease.severe
    assert disease.fall is not None
    assert round(disease.fall.share, 2) == 0.40
    assert disease.fall.since == NOW - timedelta(days=900)
    low_once = (creatinine(1.5, 10), creatinine(1.06, 150), creatinine(1.06, 900))
    once = found(*low_once, uacr(400, 10), condition("709044004"))
    assert once is not None
    assert (once.severe, once.fall) == (False, None)
    long_ago = found(*LASTING, creatinine(1.0, 2500))
    assert long_ago is not None
    assert long_ago.fall is None
