"""UCUM units are read and converted, never guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir import units
from cds_service.fhir.codes import UCUM
from cds_service.fhir.resources import Quantity

CLINICAL = [
    "mg/dL", "g/dL", "g/L", "ug/L", "ng/mL", "mg/L", "mmol/L", "umol/L", "nmol/L", "mol/m3", "mm[Hg]", "kPa", "[degF]",
    "Cel", "K", "[lb_av]", "kg", "g", "[oz_av]", "[in_i]", "cm", "m", "[ft_i]", "/min", "/h", "Hz", "U/L", "ukat/L",
    "kU/L", "10*3/uL", "10*9/L", "/uL", "10*6/uL", "10*12/L", "%", "1", "[ppth]", "mL/min/{1.73_m2}", "L/min", "mL/s",
    "meq/L", "fL", "pg", "kg/m2", "g/m2", "mg/g", "mg/mmol", "[IU]/L", "m[IU]/mL", "d", "wk", "a",
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (98.6, "[degF]", "Cel", 37.0),
        (310.15, "K", "Cel", 37.0),
        (150.0, "[lb_av]", "kg", 68.0388555),
        (70.0, "[in_i]", "cm", 177.8),
        (16.0, "kPa", "mm[Hg]", 120.0102),
        (250.0, "10*9/L", "10*3/uL", 250.0),
        (250000.0, "/uL", "10*3/uL", 250.0),
        (4.5, "10*12/L", "10*6/uL", 4.5),
        (140.0, "g/L", "g/dL", 14.0),
        (0.97, "1", "%", 97.0),
        (1.0, "ukat/L", "U/L", 60.0),
        (1.5, "mL/s/{1.73_m2}", "mL/min/{1.73_m2}", 90.0),
        (88.0, "{beats}/min", "/min", 88.0),
    ],
)
def test_known_conversions(value: float, source: str, target: str, expected: float) -> None:
    """Values from the definitions of the units."""
    converted = units.convert(value, source, target)
    assert converted is not None
    assert math.isclose(converted, expected, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("mg/dL", "mmol/L"),  # needs the analyte
        ("meq/L", "mmol/L"),  # needs the charge
        ("[IU]/L", "U/L"),  # needs the substance
        ("kg", "cm"),
        ("Cel", "mm[Hg]"),
        ("wobble", "mg/dL"),
        ("", "mg/dL"),
    ],
)
def test_what_cannot_be_converted_is_refused(source: str, target: str) -> None:
    """Different kinds and unknown units give None."""
    assert units.convert(1.0, source, target) is None


@pytest.mark.parametrize(
    "term", ["", "{", "mg//dL", "/", ".", "mg/", "Gbar24", "10*99", "mmHg", "mg/dL}", "Gm4.Gm4.Gm4.Gm4"]
)
def test_what_is_no_ucum_is_not_read(term: str) -> None:
    """The reader accepts UCUM only; texts go through the list of known spellings."""
    assert units.read(term) is None


@given(st.sampled_from(CLINICAL), st.sampled_from(CLINICAL), st.floats(0.001, 1e6))
def test_units_convert_both_ways(one: str, other: str, value: float) -> None:
    """There and back gives the same value, and a conversion works in both directions or in none."""
    there = units.convert(value, one, other)
    if there is None:
        assert units.convert(value, other, one) is None
        return
    back = units.convert(there, other, one)
    assert back is not None
    assert math.isclose(back, value, rel_tol=1e-9, abs_tol=1e-6)


@given(st.text(max_size=45))
def test_no_text_makes_the_reader_of_units_fail(text: str) -> None:
    """Whatever arrives is read or refused, and what is read can be divided by."""
    unit = units.unit_of(Quantity(value=1.0, unit=text))
    assert unit is None or (unit.factor > 0 and math.isfinite(unit.factor))


@pytest.mark.parametrize(
    "spelling", ["10^3/uL", "x10^3/uL", "K/uL", "x10E3/uL", "10*3/mm3", "10*9/L", "x10^9/L", "G/L", "thou/uL"]
)
def test_spellings_of_one_unit_are_one_unit(spelling: str) -> None:
    """A text without a system is understood if it can mean one thing only."""
    unit, expected = units.unit_of(Quantity(value=1.0, unit=spelling)), units.read("10*3/uL")
    assert unit is not None
    assert expected is not None
    assert units.same(unit, expected)


@pytest.mark.parametrize(
    ("text", "ucum"),
    [
        ("mmHg", "mm[Hg]"), ("mm Hg", "mm[Hg]"), ("mg/dl", "mg/dL"), ("mg / dL", "mg/dL"), ("bpm", "/min"),
        ("beats/min", "/min"), ("kg/m^2", "kg/m2"), ("kg/m²", "kg/m2"), ("U/l", "U/L"), ("IU/L", "U/L"),
        ("°F", "[degF]"), ("°C", "Cel"), ("lbs", "[lb_av]"), ("µmol/L", "umol/L"), ("μmol/l", "umol/L"),
        ("mL/min/1.73 m2", "mL/min/{1.73_m2}"), ("10³/µL", "10*3/uL"), ("×10⁹/L", "10*9/L"), ("×10^9/L", "10*9/L"),
        ("x10(12)/l", "10*12/L"), ("K/ul", "10*3/uL"), ("K/mm³", "10*3/uL"), ("NG/ML", "ng/mL"), ("MG/L", "mg/L"),
        ("mcg/dl", "ug/dL"), ("mm/hr", "mm/h"), ("sec", "s"), ("％", "%"), ("kg/㎡", "kg/m2"), ("次/分", "/min"),
        ("ml/(min·1.73m2)", "mL/min/{1.73_m2}"), ("公斤", "kg"), ("beats per minute", "/min"),
    ],
)  # fmt: skip
def test_unit_texts_of_everyday_records_are_understood(text: str, ucum: str) -> None:
    """Texts outside UCUM that have one meaning are read as that."""
    unit, expected = units.unit_of(Quantity(value=1.0, unit=text)), units.read(ucum)
    assert unit is not None
    assert expected is not None
    assert units.same(unit, expected)


@pytest.mark.parametrize("text", ["103/uL", "10³", "IU/mL", "ug FEU/mL", "MG/G/L", "G", "l l", "x", "mc", "%/%%"])
def test_what_could_mean_two_things_is_no_unit(text: str) -> None:
    """A raised digit is a power only behind a ten and before a volume, and no substance is left out of a unit."""
    assert units.unit_of(Quantity(value=1.0, unit=text)) in (None, units.read(text))
    assert units.unit_of(Quantity(value=1.0, unit=text)) != units.read("10*3/uL")


def test_a_letter_that_is_a_unit_of_another_kind_in_ucum_is_not_reinterpreted() -> None:
    """A UCUM code C is coulomb; only a text C is a degree."""
    assert units.unit_of(Quantity(value=37.0, system=UCUM, code="C")) is None
    assert units.unit_of(Quantity(value=37.0, unit="C")) == units.read("Cel")


def test_code_and_text_that_contradict_each_other_are_refused() -> None:
    """A row that says mg/dL in one place and mmol/L in another says nothing."""
    assert units.unit_of(Quantity(value=5.0, system=UCUM, code="mg/dL", unit="mmol/L")) is None
    assert units.unit_of(Quantity(value=5.0, system=UCUM, code="kg", unit="g")) is None
    assert units.unit_of(Quantity(value=5.0, system=UCUM, code="/min", unit="beats/minute")) is not None


def test_a_code_without_a_system_may_not_contradict_its_text() -> None:
    """R4 asks for the system (invariant qty-3); where it is missing, code and text must still agree."""
    assert units.unit_of(Quantity(value=5.0, code="umol/L", unit="mg/dL")) is None
    assert units.unit_of(Quantity(value=5.0, code="mg/dL", unit="MG/DL")) == units.read("mg/dL")
    assert units.unit_of(Quantity(value=5.0, code="MGDL1", unit="mg/dL")) == units.read("mg/dL")
    assert units.unit_of(Quantity(value=5.0, system="urn:local", code="mmol/L", unit="mg/dL")) == units.read("mg/dL")


def test_a_missing_unit_is_no_unit() -> None:
    """Nothing is inferred from the size of a number."""
    assert units.unit_of(Quantity(value=5.0)) is None
    assert units.unit_of(Quantity(value=5.0, system=UCUM)) is None
