"""How much of a medicine a day, from the words of its entry; any doubt gives none."""

from __future__ import annotations

from typing import Any

import pytest
from built import prescription, record

from cds_service.features import catalogue as c
from cds_service.features.doses import daily_mg


def metformin(text: str, dosage: str | None, **members: Any) -> dict[str, Any]:
    row = prescription(text, dosageInstruction=[{"text": dosage}] if dosage else [])
    return row | members


@pytest.mark.parametrize(
    ("text", "dosage", "dose"),
    [
        ("Metformin 1000 mg tablet", "Take 1 tablet by mouth twice daily with meals", 2000),
        ("Metformin 500 mg", "2 tablets bid", 2000),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "once daily", 500),
        ("Metformin 1g modified release tablets", "one tablet every evening", 1000),
        ("Sitagliptin 50 mg / metformin 850 mg tablet", "1 tab every 12 hours", 1700),
        ("Metformin 850 mg", "half a tablet three times a day", 1275),
        ("Metformin 500 mg tablet", "1000 mg twice daily", 2000),
        ("Metformin 500 mg tablet", "2 tablets (1000 mg) twice daily, max 2 g/day", 2000),
        ("Metformin 1,000 mg tablet", "twice daily", 2000),
        ("Metformin 500 mg tablet", "twice daily for 6 weeks", 1000),
        ("Metformin 500 mg tablet", "Take 2 (two) tablets by mouth 2 (two) times a day", 2000),
        ("Metformin tablets", "850 mg twice daily", 1700),
        ("Metformin 500 mg/5 mL solution", "1000 mg twice daily", 2000),
    ],
)
def test_a_dose_is_strength_times_tablets_times_a_day(text: str, dosage: str, dose: float) -> None:
    """The strength is that of the ingredient that was asked for."""
    assert daily_mg(record(metformin(text, dosage)), c.METFORMIN) == dose


@pytest.mark.parametrize(
    ("text", "dosage"),
    [
        ("Metformin 500 mg", None),
        ("Metformin 500 mg", "as directed"),
        ("Metformin", "twice daily"),
        ("Metformin 500 mg", "1 tablet daily as needed"),
        ("Metformin 500 mg", "1 to 2 tablets twice daily"),
        ("Metformin 500 mg", "1 tablet daily, then 2 tablets daily"),
        ("Metformin 500 mg/5 mL solution", "10 mL twice daily"),
        ("Metformin 500 mg", "2 tablets (850 mg) daily"),
        ("Metformin 500 mg", "500 mg every morning and 1000 mg at night"),
        ("Metformin 500 mg", "15 mg/kg once daily"),
        ("Metformin 500 mg", "once a week"),
        ("Metformin 500 mg", "once every other day"),
        ("Metformin 500 mg", "1 tablet with breakfast and 1 with dinner"),
    ],
)
def test_a_doubt_gives_no_dose(text: str, dosage: str | None) -> None:
    """A guess would be worse than a question."""
    assert daily_mg(record(metformin(text, dosage)), c.METFORMIN) is None


def test_entries_add_up_and_one_that_cannot_be_read_spoils_the_sum() -> None:
    """500 mg in the morning and 1000 mg at night are 1500 mg."""
    rows = (metformin("Metformin 500 mg", "every morning"), metformin("Metformin 1000 mg", "at night"))
    assert daily_mg(record(*rows), c.METFORMIN) == 1500
    assert daily_mg(record(*rows, metformin("Metformin 850 mg", None)), c.METFORMIN) is None
    assert daily_mg(record(), c.METFORMIN) is None
