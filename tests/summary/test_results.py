"""Abnormal by the laboratory's word or by the result's own range; trends only where they are notable."""

import pytest
from records import LOINC, NOW, concept, record, result, row

from cds_service.summary.results import abnormal_results, series, trends

RANGE = [{"low": {"value": 0.6, "code": "mg/dL"}, "high": {"value": 1.2, "code": "mg/dL"}}]


def flagged(code):
    return {
        "interpretation": [concept(code, system="http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")]
    }


def abnormal(*rows):
    made = record(*rows)
    return list(abnormal_results(made, tuple(series(made))))


def moving(*rows):
    made = record(*rows)
    return list(trends(made, tuple(series(made))))


def test_outside_its_own_reference_range_is_abnormal():
    """Value, unit, range, date and source on one line."""
    (fact,) = abnormal(result("a", 1.8, referenceRange=RANGE))
    assert str(fact.text) == "Creatinine 1.8 mg/dL, above 0.6–1.2, 22 Oct 2026"
    assert (fact.references, fact.abnormal, fact.critical) == (("Observation/a",), True, False)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"referenceRange": RANGE, **flagged("N")},
        {"referenceRange": [*RANGE, *RANGE]},
        {"referenceRange": [{"high": {"value": 100, "code": "umol/L"}}]},
        {"referenceRange": [{"text": "up to 1.2"}]},
    ],
)
def test_what_cannot_be_judged_is_not_called_abnormal(members):
    """No range, called normal, several ranges, another unit, words only."""
    assert abnormal(result("a", 1.8, **members)) == []


def test_the_laboratory_has_the_word():
    """A flag counts without a range, and a critical one is kept as such."""
    (fact,) = abnormal(result("a", 1.8, **flagged("H")))
    assert str(fact.text) == "Creatinine 1.8 mg/dL, called abnormal by the laboratory, 22 Oct 2026"
    (fact,) = abnormal(result("a", 7.1, code="2823-3", unit="mmol/L", **flagged("HH")))
    assert fact.critical
    assert str(fact.text) == "Potassium 7.1 mmol/L, called critical by the laboratory, 22 Oct 2026"


def test_only_the_latest_value_of_the_last_year_counts():
    """An abnormal value that has become normal, or is old, is no line."""
    assert abnormal(result("a", 1.8, ago=90, referenceRange=RANGE), result("b", 0.9, referenceRange=RANGE)) == []
    assert abnormal(result("a", 1.8, ago=400, referenceRange=RANGE)) == []


def test_a_preliminary_result_is_said_to_be_so():
    """It may change."""
    (fact,) = abnormal(result("a", 1.8, status="preliminary", referenceRange=RANGE))
    assert ", preliminary," in str(fact.text)


def test_components_are_judged_by_themselves():
    """The parts of a panel have their own codes and ranges."""
    panel = row(
        "Observation",
        "bp",
        status="final",
        code=concept("85354-9", "Blood pressure", LOINC),
        effectiveDateTime=NOW.isoformat(),
        component=[
            {"code": concept("8480-6", system=LOINC), "valueQuantity": {"value": 182, "unit": "mmHg"}, **flagged("H")},
            {"code": concept("8462-4", system=LOINC), "valueQuantity": {"value": 80, "unit": "mmHg"}},
        ],
    )
    assert [str(f.text).split(",")[0] for f in abnormal(panel)] == ["Systolic blood pressure 182 mmHg"]


def test_a_change_that_came_with_the_last_value_is_told_from_the_one_before():
    """An acute rise told over three years would look slow; a slow one is told over its whole time."""
    values = ((1.0, 900), (1.1, 500), (1.1, 200), (2.1, 1))
    (fact,) = moving(*(result(f"c{n}", value, ago=ago) for n, (value, ago) in enumerate(values)))
    assert str(fact.text).startswith("Creatinine 1.1 → 2.1 mg/dL over 7 months")
    assert fact.references == ("Observation/c3", "Observation/c2")
    slow = ((1.0, 900), (1.2, 500), (1.4, 200), (1.6, 1))
    (fact,) = moving(*(result(f"c{n}", value, ago=ago) for n, (value, ago) in enumerate(slow)))
    assert str(fact.text).startswith("Creatinine 1 → 1.6 mg/dL over 2.5 years")


def test_loinc_bookkeeping_is_left_out_of_names():
    """A name without method and specimen, where the catalogue has none of its own."""
    (fact,) = abnormal(result("a", 9, code="3051-0", name="Triiodothyronine [Mass/volume] in Serum", **flagged("H")))
    assert str(fact.text).startswith("Triiodothyronine 9 mg/dL")


def test_a_notable_change_is_a_trend():
    """First and latest value, unit, span and date, and the two sources."""
    (fact,) = moving(result("a", 1.2, ago=435), result("b", 1.5, ago=200), result("c", 1.8))
    assert str(fact.text) == "Creatinine 1.2 → 1.8 mg/dL over 14 months, to 22 Oct 2026"
    assert fact.references == ("Observation/c", "Observation/a")


def test_a_trend_to_an_abnormal_value_says_so():
    """The verdict of the latest result travels with the trend, which then stands for both."""
    (fact,) = moving(result("a", 1.2, ago=435), result("c", 1.8, referenceRange=RANGE))
    assert str(fact.text) == "Creatinine 1.2 → 1.8 mg/dL over 14 months, above 0.6–1.2, to 22 Oct 2026"
    assert fact.abnormal


@pytest.mark.parametrize(
    "rows",
    [
        (result("a", 1.2, ago=400), result("b", 1.3)),
        (result("a", 1.2, ago=400), result("b", 106, unit="umol/L")),
        (result("a", 1.2, ago=1500), result("b", 1.8)),
        (result("a", 1.2, ago=800), result("b", 1.8, ago=400)),
        (result("a", 1.2), result("b", 1.8)),
        (result("b", 1.8),),
    ],
)
def test_small_incomparable_old_or_simultaneous_changes_are_no_trend(rows):
    """Under 20 %, in another unit, over three years, not recent, or of one moment."""
    assert moving(*rows) == []


def test_vital_signs_are_trended_only_by_weight():
    """Heart rates swing within a day; weight does not."""
    vital = [concept("vital-signs", system="http://terminology.hl7.org/CodeSystem/observation-category")]
    rates = {"code": "8867-4", "name": "Heart rate", "unit": "/min", "category": vital}
    assert moving(result("a", 60, ago=100, **rates), result("b", 110, **rates)) == []
    weights = {"code": "29463-7", "name": "Body weight", "unit": "kg", "category": vital}
    (fact,) = moving(result("a", 80, ago=100, **weights), result("b", 60, **weights))
    assert str(fact.text).startswith("Weight 80 → 60 kg over 3 months")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"valueString": "Gram-negative  rods\nin both bottles"}, "Gram-negative rods in both bottles"),
        ({"valueInteger": 3}, "3"),
        ({"valueCodeableConcept": concept(None, "Positive")}, "Positive"),
    ],
)
def test_a_critical_result_is_told_in_whatever_form_its_value_comes(value, told):
    """A text and a whole number are values too: laboratory systems send both."""
    sent = {k: v for k, v in result("a", 1.0, **flagged("AA")).items() if k != "valueQuantity"} | value
    (fact,) = abnormal(sent)
    assert str(fact.text) == f"Creatinine: {told}, called critical by the laboratory, 22 Oct 2026"
    assert fact.critical


def test_an_empty_text_is_no_value():
    """The value before it counts."""
    empty = {k: v for k, v in result("a", 1.0, **flagged("A")).items() if k != "valueQuantity"} | {"valueString": " "}
    (fact,) = abnormal(empty, result("b", 2.4, ago=20, **flagged("H")))
    assert fact.references == ("Observation/b",)
