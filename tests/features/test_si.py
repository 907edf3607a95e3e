"""Values in SI on cards: the same quantity, by the feature's own conversion, and only where a site asks for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Quantity
from cds_service.features.si import in_si
from cds_service.language import words
from cds_service.risk.values_in_words import in_words, measured

AT = datetime(2026, 11, 1, tzinfo=UTC)
QUANTITIES = [f for f in vars(catalogue).values() if isinstance(f, Quantity) and in_si(f, 1.0) is not None]


@pytest.mark.parametrize(
    ("feature", "value", "conventional", "si", "both"),
    [
        (catalogue.CREATININE, 1.5, "1.50 mg/dL", "133 µmol/L", "1.50 mg/dL (133 µmol/L)"),
        (catalogue.HBA1C, 7.0, "7.0%", "53 mmol/mol", "7.0% (53 mmol/mol)"),
        (catalogue.TOTAL_CHOLESTEROL, 200.0, "200 mg/dL", "5.2 mmol/L", "200 mg/dL (5.2 mmol/L)"),
        (catalogue.BILIRUBIN, 2.0, "2.0 mg/dL", "34 µmol/L", "2.0 mg/dL (34 µmol/L)"),
        (catalogue.ALBUMIN, 3.8, "3.8 g/dL", "38 g/L", "3.8 g/dL (38 g/L)"),
        (catalogue.UACR, 30.0, "30 mg/g", "3.4 mg/mmol", "30 mg/g (3.4 mg/mmol)"),
        (catalogue.SODIUM, 140.0, "140 mmol/L", "140 mmol/L", "140 mmol/L"),
        (catalogue.SBP, 138.0, "138 mmHg", "138 mmHg", "138 mmHg"),
    ],
)
def test_a_site_reads_its_own_units(feature: Quantity, value: float, conventional: str, si: str, both: str) -> None:
    """Conventional by default, SI, or both; what is the same everywhere is written once."""
    message = in_words(FeatureValue(feature, value, AT, ("Observation/1",)))
    assert [words("en", units)(message) for units in ("conventional", "si", "both")] == [conventional, si, both]
    assert str(message) == conventional


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("mg/dL", "1.50 mg/dL"),
        ("umol/L", "133 µmol/L"),
        ("µmol/L", "133 µmol/L"),
        ("mmol/L", "1.50 mg/dL"),
        (None, "1.50 mg/dL"),
    ],
)
def test_a_value_is_told_in_the_unit_in_which_the_record_has_it(stated: str | None, shown: str) -> None:
    """By default each analyte keeps its own unit, so that a card and the chart beside it speak of the same number."""
    found = FeatureValue(catalogue.CREATININE, 1.5, AT, ("Observation/1",), stated=stated)
    assert words("en", "record")(in_words(found)) == shown


@pytest.mark.parametrize("feature", QUANTITIES, ids=lambda f: f.id)
def test_what_is_shown_in_si_is_what_would_be_read(feature: Quantity) -> None:
    """To SI and back by the conversion with which the feature reads that unit; a line is held by three points."""
    low, high = feature.plausible
    for value in (low, low + 0.37 * (high - low), high):
        found = in_si(feature, value)
        assert found is not None
        number, unit, _ = found
        factor, offset = feature.conversions.get(unit, (0.1, 0.0))  # g/L to g/dL
        assert number * factor + offset == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_a_difference_of_two_alike_is_in_their_unit() -> None:
    """Non-HDL cholesterol goes by the conversion of cholesterol."""
    assert words("en", "si")(measured(catalogue.NON_HDL, 130.0)) == "3.4 mmol/L"
