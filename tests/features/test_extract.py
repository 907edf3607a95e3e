"""Values come with time and source, or with the reason why there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from built import LOINC, NOW, PATIENT, SNOMED, UCUM, answer, concept, lab, quantity, reason, record, unusable, usable
from hypothesis import given
from hypothesis import strategies as st

from cds_service.features import catalogue as c
from cds_service.features.extract import extract
from cds_service.features.feature import Derived, Feature, Quantity, Reason
from cds_service.language import msg

CREATININE = "2160-0"


def test_a_value_carries_its_time_and_source() -> None:
    """A clinician can trace every number."""
    found = usable(c.CREATININE, lab(CREATININE, 1.1, "mg/dL", on="2026-05-01T08:30:00+02:00"))
    assert found.value == 1.1
    assert found.effective == datetime(2026, 5, 1, 6, 30, tzinfo=UTC)
    assert found.sources == ("Observation/2160-0-2026-05-01T08:30:00+02:00",)
    assert found.note is None
    assert not found.inferred


def test_what_is_not_on_record_is_absent() -> None:
    """Nothing is made up."""
    found = unusable(c.CREATININE)
    assert found.reason is Reason.ABSENT
    assert str(found.words) == "Creatinine is not on record"


@pytest.mark.parametrize(
    ("feature", "code", "value", "unit", "expected"),
    [
        (c.CREATININE, "14682-9", 97.262, "umol/L", 1.1),
        (c.TOTAL_CHOLESTEROL, "14647-2", 5.0, "mmol/L", 193.35),
        (c.TRIGLYCERIDES, "14927-8", 2.0, "mmol/L", 177.14),
        (c.HBA1C, "59261-8", 48.0, "mmol/mol", 6.54304),
        (c.HBA1C, "4548-4", 0.065, "1", 6.5),
        (c.GLUCOSE, "2345-7", 5.0, "mmol/L", 90.1),
        (c.BUN, "22664-7", 5.0, "mmol/L", 14.005),
        (c.CALCIUM, "2000-8", 2.5, "mmol/L", 10.02),
        (c.CALCIUM, "17861-6", 5.0, "meq/L", 10.02),
        (c.SODIUM, "2951-2", 140.0, "meq/L", 140.0),
        (c.BILIRUBIN, "14631-6", 17.1, "umol/L", 1.0),
        (c.URIC_ACID, "14933-6", 297.4, "umol/L", 5.0),
        (c.UACR, "9318-7", 3.0, "mg/mmol", 26.52),
        (c.HEMOGLOBIN, "718-7", 140.0, "g/L", 14.0),
        (c.HEMOGLOBIN, "59260-0", 8.7, "mmol/L", 14.0157),
        (c.ALBUMIN, "1751-7", 40.0, "g/L", 4.0),
        (c.CRP, "1988-5", 0.5, "mg/dL", 5.0),
        (c.AST, "1920-8", 30.0, "[IU]/L", 30.0),
        (c.ALT, "1742-6", 0.5, "ukat/L", 30.0),
        (c.PLATELETS, "777-3", 250000.0, "/uL", 250.0),
        (c.PLATELETS, "777-3", 250.0, "10*9/L", 250.0),
        (c.RBC, "789-8", 4.5, "10*12/L", 4.5),
        (c.TEMPERATURE, "8310-5", 98.6, "[degF]", 37.0),
        (c.WEIGHT, "29463-7", 70000.0, "g", 70.0),
        (c.WEIGHT, "29463-7", 150.0, "[lb_av]", 68.0388555),
        (c.HEIGHT, "8302-2", 1.7, "m", 170.0),
        (c.SBP, "8480-6", 16.0, "kPa", 120.010201),
        (c.SPO2, "2708-6", 0.97, "1", 97.0),
    ],
)
def test_units_are_converted_for_the_analyte(
    feature: Quantity, code: str, value: float, unit: str, expected: float
) -> None:
    """Molar, decimal and imperial units arrive in the feature's unit."""
    found = usable(feature, lab(code, value, unit))
    assert found.value == pytest.approx(expected, rel=1e-6)


def test_ten_to_the_ninth_a_litre_is_exactly_a_thousand_a_microlitre() -> None:
    """Binary noise of a conversion never moves a value across a threshold."""
    assert usable(c.PLATELETS, lab("777-3", 150, "10*9/L")).value == 150.0


@pytest.mark.parametrize(
    "value",
    [
        quantity(1.1, None),
        quantity(1.1, "furlong"),
        quantity(1.1, "mg/dL", unit="mmol/L"),
        quantity(1.1, "kg"),
        quantity(1.1, None, unit="some text"),
        quantity(1.1, None, system="http://hospital.example/units", code="mg/dL"),
    ],
)
def test_a_missing_or_unknown_unit_is_refused(value: dict[str, Any]) -> None:
    """No unit is guessed from the size of a number."""
    assert reason(c.CREATININE, lab(CREATININE, valueQuantity=value)) is Reason.UNIT


def test_an_unknown_unit_is_named_in_the_reason() -> None:
    """The reader sees what stood there."""
    found = unusable(c.CREATININE, lab(CREATININE, 1.1, "furlong"))
    assert str(found.words) == "Creatinine of 1 May 2026 has a unit that does not fit: furlong"
    assert found.sources == ("Observation/2160-0-2026-05-01",)


def test_a_pure_number_needs_no_unit() -> None:
    """The INR has none."""
    assert usable(c.INR, lab("6301-6", 2.5, None)).value == 2.5
    assert usable(c.INR, lab("6301-6", 2.5, "{INR}")).value == 2.5
    assert reason(c.INR, lab("6301-6", 2.5, "mg/dL")) is Reason.UNIT


@pytest.mark.parametrize("sign", ["<", "<=", ">=", ">"])
def test_a_comparator_is_no_number(sign: str) -> None:
    """`<5` is a limit."""
    row = lab(CREATININE, valueQuantity=quantity(0.2, "mg/dL", comparator=sign))
    assert reason(c.CREATININE, row) is Reason.COMPARATOR


@pytest.mark.parametrize(
    "members",
    [
        {"valueQuantity": None, "dataAbsentReason": {"text": "not performed"}},
        {"valueQuantity": None, "valueString": "1.1"},
        {"valueQuantity": quantity(None, "mg/dL")},
        {"valueQuantity": None, "valueCodeableConcept": concept("x")},
    ],
)
def test_a_value_of_another_type_is_no_number(members: dict[str, Any]) -> None:
    """A text that looks like a number is a text."""
    assert reason(c.CREATININE, lab(CREATININE, **members)) is Reason.NO_NUMBER


@pytest.mark.parametrize("value", [0.0, -1.0, 51.0])
def test_an_implausible_value_is_refused_not_clipped(value: float) -> None:
    """Outside what a living body can give, there is no value."""
    assert reason(c.CREATININE, lab(CREATININE, value, "mg/dL")) is Reason.IMPLAUSIBLE


@pytest.mark.parametrize("value", [0.05, 50.0])
def test_the_plausible_limits_are_inclusive(value: float) -> None:
    """A value on the limit counts."""
    assert usable(c.CREATININE, lab(CREATININE, value, "mg/dL")).value == value


def test_a_stale_creatinine_is_no_creatinine() -> None:
    """Older than the window means no value, and the reason names the day."""
    found = unusable(c.CREATININE, lab(CREATININE, 1.1, "mg/dL", on="2024-05-01"))
    assert found.reason is Reason.STALE
    assert str(found.words) == "Creatinine was last measured on 1 May 2024, too long ago"
    assert found.effective == datetime(2024, 5, 1, tzinfo=UTC)


def test_a_window_ends_to_the_second() -> None:
    """The acute vital signs are those of the last 24 hours."""
    inside, outside = "2026-05-31T12:00:00Z", "2026-05-31T11:59:59Z"
    assert usable(c.HEART_RATE_ACUTE, lab("8867-4", 80, "/min", on=inside)).value == 80
    assert reason(c.HEART_RATE_ACUTE, lab("8867-4", 80, "/min", on=outside)) is Reason.STALE
    assert usable(c.HEART_RATE, lab("8867-4", 80, "/min", on=outside)).value == 80


def test_a_bare_year_is_in_the_window_only_as_a_whole() -> None:
    """What may be too old is too old."""
    assert usable(c.CREATININE, lab(CREATININE, 1.1, "mg/dL", on="2026")).value == 1.1
    assert reason(c.CREATININE, lab(CREATININE, 1.1, "mg/dL", on="2025")) is Reason.STALE


@pytest.mark.parametrize("on", [None, "yesterday"])
def test_a_value_without_a_date_has_no_age_and_is_refused(on: str | None) -> None:
    """A value that may be of any age is not recent."""
    found = unusable(c.CREATININE, lab(CREATININE, 1.1, "mg/dL", on=on))
    assert found.reason is Reason.STALE
    assert str(found.words) == "Creatinine is on record without a readable date"


def test_the_latest_value_counts() -> None:
    """Several values: the most recent one."""
    rows = [
        lab(CREATININE, v, "mg/dL", on=on) for v, on in ((1.0, "2026-01-01"), (1.4, "2026-05-01"), (1.2, "2026-03-01"))
    ]
    assert usable(c.CREATININE, *rows).value == 1.4


def test_several_different_values_of_one_time_are_a_conflict() -> None:
    """Contradictory data give no value, and both sources are named; an older value does not settle it."""
    rows = [
        lab(CREATININE, 1.1, "mg/dL"),
        lab(CREATININE, 2.9, "mg/dL", id="other"),
        lab(CREATININE, 1.0, "mg/dL", on="2026-04-01"),
    ]
    found = unusable(c.CREATININE, *rows)
    assert found.reason is Reason.CONFLICT
    assert found.sources == ("Observation/2160-0-2026-05-01", "Observation/other")
    near = [lab(CREATININE, 1.10, "mg/dL"), lab(CREATININE, 1.15, "mg/dL", id="other")]
    assert reason(c.CREATININE, *near) is Reason.CONFLICT


def test_equal_values_of_one_time_are_no_conflict() -> None:
    """The same number twice, in another unit or with other rounding, is the same number."""
    rows = [lab(CREATININE, 1.1, "mg/dL"), lab("14682-9", 97, "umol/L"), lab(CREATININE, 1.10, "mg/dL", id="again")]
    assert usable(c.CREATININE, *rows).value == pytest.approx(1.1, abs=0.005)


def test_a_newer_entry_that_cannot_be_used_is_visible() -> None:
    """The value before it counts, and says that there is a newer entry."""
    older = lab(CREATININE, 1.1, "mg/dL", on="2026-04-01")
    found = usable(c.CREATININE, older, lab(CREATININE, 1.3, None, on="2026-05-01"))
    assert found.value == 1.1
    assert str(found.note) == "A newer entry cannot be used: Creatinine of 1 May 2026 has no unit"


def test_an_older_value_outside_the_window_does_not_replace_an_unusable_one() -> None:
    """Then the reason is that of the newer entry."""
    older = lab(CREATININE, 1.1, "mg/dL", on="2023-04-01")
    assert reason(c.CREATININE, older, lab(CREATININE, 1.3, None, on="2026-05-01")) is Reason.UNIT


def test_an_unusable_twin_of_the_same_time_does_no_harm() -> None:
    """Where one of two rows of a time is usable, it counts."""
    rows = [lab(CREATININE, 1.1, "mg/dL"), lab(CREATININE, 1.1, None, id="twin")]
    found = usable(c.CREATININE, *rows)
    assert (found.value, found.note) == (1.1, None)


def test_blood_pressure_is_read_from_the_components_of_any_panel() -> None:
    """Systolic and diastolic pressure come from one panel."""
    parts = [
        {"code": concept("8480-6"), "valueQuantity": quantity(131, "mm[Hg]")},
        {"code": concept("8462-4"), "valueQuantity": quantity(82, "mm[Hg]", unit="mmHg")},
    ]
    panel = lab("55284-4", valueQuantity=None, component=parts)
    assert usable(c.SBP, panel).value == 131
    assert usable(c.DBP, panel).value == 82


def test_an_absent_component_is_no_number() -> None:
    """A panel may lack one of its values."""
    part = {"code": concept("8462-4"), "dataAbsentReason": {"text": "not measured"}}
    assert reason(c.DBP, lab("85354-9", valueQuantity=None, component=[part])) is Reason.NO_NUMBER


# --- coded answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "code", "word"),
    [
        (SNOMED, "449868002", "current"),
        (SNOMED, "428041000124106", "current"),
        (SNOMED, "77176002", "current"),
        (SNOMED, "8517006", "former"),
        (SNOMED, "266919005", "never"),
        (LOINC, "LA18976-3", "current"),
        (LOINC, "LA15920-4", "former"),
        (LOINC, "LA18978-9", "never"),
    ],
)
def test_smoking_is_read_from_snomed_ct_and_loinc_answers(system: str, code: str, word: str) -> None:
    """US Core and IPS answers alike."""
    assert usable(c.SMOKING, answer("72166-2", code, system)).value == word


def test_an_unknown_smoking_status_is_no_answer() -> None:
    """Unknown is not never."""
    assert reason(c.SMOKING, answer("72166-2", "266927001")) is Reason.NO_NUMBER
    found = usable(c.SMOKING, answer("72166-2", "266919005", on="2026-01-01"), answer("72166-2", "266927001"))
    assert found.value == "never"
    assert found.note is not None


def test_contradictory_answers_are_refused() -> None:
    """Two codings of one answer must mean the same."""
    value = {"coding": [{"system": SNOMED, "code": "266919005"}, {"system": SNOMED, "code": "449868002"}]}
    row = lab("72166-2", valueQuantity=None, valueCodeableConcept=value)
    assert reason(c.SMOKING, row) is Reason.CONFLICT


@pytest.mark.parametrize(
    ("code", "letter"),
    [("248234008", "A"), ("130987000", "C"), ("300202002", "V"), ("450847001", "P"), ("422768004", "U")],
)
def test_consciousness_is_read_from_acvpu_answers(code: str, letter: str) -> None:
    """The five levels of NEWS2."""
    assert usable(c.CONSCIOUSNESS, answer("67775-7", code, on="2026-06-01T09:00:00Z")).value == letter


def test_confusion_that_is_not_said_to_be_new_is_no_answer() -> None:
    """NEWS2 counts new confusion only; LOINC's "Confused" does not say so."""
    row = answer("67775-7", "LA6560-2", LOINC, on="2026-06-01T09:00:00Z")
    assert reason(c.CONSCIOUSNESS, row) is Reason.NO_NUMBER


@pytest.mark.parametrize(
    ("row", "oxygen"),
    [
        (lab("3151-8", 2.0, "L/min", on="2026-06-01T09:00:00Z"), True),
        (lab("3151-8", 0.0, "L/min", on="2026-06-01T09:00:00Z"), False),
        (lab("3150-0", 40.0, "%", on="2026-06-01T09:00:00Z"), True),
        (lab("3150-0", 0.21, "1", on="2026-06-01T09:00:00Z"), False),
        (answer("3151-8", "371825009", on="2026-06-01T09:00:00Z"), True),
        (answer("3150-0", "722742002", on="2026-06-01T09:00:00Z"), False),
    ],
)
def test_supplemental_oxygen_is_read_from_flow_fraction_or_statement(row: dict[str, Any], oxygen: bool) -> None:
    """Room air is 21 %."""
    assert usable(c.SUPPLEMENTAL_OXYGEN, row).value is oxygen


def test_oxygen_that_nobody_recorded_is_absent() -> None:
    """Room air is not assumed."""
    assert reason(c.SUPPLEMENTAL_OXYGEN) is Reason.ABSENT


# --- derived values and demographics --------------------------------------------------------------------------


def test_a_derived_value_has_all_sources_and_the_oldest_time() -> None:
    """It is as old as the oldest of its inputs."""
    rows = [lab("29463-7", 70, "kg", on="2026-05-20"), lab("8302-2", 170, "cm", on="2020-01-01")]
    found = usable(c.BMI, *rows)
    assert found.value == pytest.approx(24.2214, abs=1e-4)
    assert found.sources == ("Observation/29463-7-2026-05-20", "Observation/8302-2-2020-01-01")
    assert found.effective == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_measured_bmi_comes_first() -> None:
    """What was recorded as such counts before what we compute."""
    rows = [lab("29463-7", 70, "kg"), lab("8302-2", 170, "cm"), lab("39156-5", 25.0, "kg/m2")]
    assert usable(c.BMI, *rows).value == 25.0


def test_a_derived_value_gives_the_reason_of_its_input() -> None:
    """No eGFR: because the creatinine has no unit."""
    found = unusable(c.EGFR, lab(CREATININE, 1.1, None))
    assert found.reason is Reason.UNIT
    assert str(found.words) == "Creatinine of 1 May 2026 has no unit"
    assert found.feature is c.EGFR


def test_a_formula_that_does_not_apply_gives_no_value() -> None:
    """CKD-EPI is for adults."""
    child = PATIENT | {"birthDate": "2015-01-01"}
    found = unusable(c.EGFR, lab(CREATININE, 0.5, "mg/dL"), patient=child)
    assert str(found.words) == "CKD-EPI 2021 applies from 18 years"
    assert reason(c.NON_HDL, lab("2093-3", 100, "mg/dL"), lab("2085-9", 120, "mg/dL")) is Reason.IMPLAUSIBLE


def test_a_note_travels_into_derived_values() -> None:
    """An eGFR from an older creatinine says so too."""
    rows = [lab(CREATININE, 1.1, "mg/dL", on="2026-04-01"), lab(CREATININE, 1.3, None, on="2026-05-01")]
    assert usable(c.EGFR, *rows).note is not None


def test_inputs_of_derived_features_are_extracted_as_well() -> None:
    """A model that asks for eGFR can look at creatinine."""
    values = extract(record(lab(CREATININE, 1.1, "mg/dL")), [c.EGFR])
    assert values.number(c.CREATININE) == 1.1
    assert values.text(c.SEX) == "female"


def test_age_is_exact_and_its_whole_part_are_the_birthdays() -> None:
    """Scores use completed years."""
    found = usable(c.AGE)
    assert int(float(found.value)) == 66
    assert float(found.value) == pytest.approx(66 + 26 / 365, abs=1e-9)
    assert found.sources == ("Patient/p1",)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (None, Reason.ABSENT),
        ("1960", Reason.NO_NUMBER),
        ("1960-05", Reason.NO_NUMBER),
        ("last year", Reason.NO_NUMBER),
        ("1860-05-06", Reason.IMPLAUSIBLE),
        ("2027-01-01", Reason.IMPLAUSIBLE),
    ],
)
def test_an_age_that_is_not_certain_is_no_age(born: str | None, expected: Reason) -> None:
    """A year of birth leaves the age open."""
    person = {k: v for k, v in (PATIENT | {"birthDate": born}).items() if v is not None}
    assert reason(c.AGE, patient=person) is expected


@pytest.mark.parametrize("gender", ["other", "unknown"])
def test_equations_know_two_sexes_and_none_is_guessed(gender: str) -> None:
    """Another or unknown gender gives no value."""
    assert reason(c.SEX, patient=PATIENT | {"gender": gender}) is Reason.NO_NUMBER


def test_a_feature_of_an_unknown_kind_is_an_error_of_the_program() -> None:
    """A plugin cannot invent a kind of feature unnoticed."""
    with pytest.raises(TypeError):
        extract(record(), [Feature("x", msg("x"))])


def test_a_declared_feature_outside_the_catalogue_is_extracted_too() -> None:
    """Adding an input is a declaration, not code; two features with one id do not share conversions."""
    local = Quantity("lactate", msg("Lactate"), "mmol/L", ("2524-7",), (0.1, 40), timedelta(days=1), "laboratory", 1)
    in_mg = Quantity("lactate", msg("Lactate"), "mg/dL", ("2524-7",), (1, 400), timedelta(days=1), "laboratory", 1)
    row = lab("2524-7", 2.0, "mmol/L", on="2026-06-01T08:00:00Z")
    assert usable(local, row).value == 2.0
    assert reason(in_mg, row) is Reason.UNIT
    assert usable(local, row).value == 2.0
    doubled = Derived("twice", msg("Twice"), "mmol/L", (local,), lambda x: 2 * x)
    assert usable(doubled, row).value == 4.0


MIXED = [
    lab(CREATININE, 1.1, "mg/dL"),
    lab(CREATININE, 1.1, None, on="2026-05-02"),
    lab(CREATININE, 1.2, "mg/dL", on="2026-04-01"),
    lab("14682-9", 97, "umol/L"),
    lab("8480-6", 130, "mm[Hg]", id="s1"),
    lab("8480-6", 150, "mm[Hg]", id="s2"),
    answer("72166-2", "266919005"),
    answer("72166-2", "8517006", on="2025-05-01"),
    lab("29463-7", 70, "kg"),
    lab("8302-2", 170, "cm", on="2020"),
]


FEATURES = c.all_features()
IN_ORDER = extract(record(*MIXED), FEATURES)


@given(st.permutations(MIXED))
def test_the_order_of_resources_never_matters(rows: list[dict[str, Any]]) -> None:
    """All values, sources, notes and reasons are the same for every order of input."""
    assert extract(record(*rows), FEATURES) == IN_ORDER


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12) | st.sampled_from(["mg/dL", "umol/L", "%"]),
    st.sampled_from([UCUM, None, "urn:x"]),
)
def test_no_quantity_makes_extraction_fail(value: float, unit: str, system: str | None) -> None:
    """Any number in any unit is a value or a reason, and a value is within the plausible limits."""
    row = lab(CREATININE, valueQuantity={"value": value, "unit": unit, "code": unit, "system": system})
    found = extract(record(row), [c.CREATININE])
    number = found.number(c.CREATININE)
    assert number is None or 0.05 <= number <= 50
    assert found.as_of == NOW


def test_a_baseline_is_at_least_a_week_old() -> None:
    """What was measured since then belongs to the present illness."""
    rows = (lab("2160-0", 2.4, "mg/dL", "2026-05-30"), lab("2160-0", 0.9, "mg/dL", "2026-05-20"))
    assert usable(c.CREATININE_BEFORE, *rows).value == 0.9
    assert reason(c.CREATININE_BEFORE, rows[0]) is Reason.ABSENT
    assert reason(c.CREATININE_BEFORE, lab("2160-0", 0.9, "mg/dL", "2024-05-20")) is Reason.STALE


def test_a_number_beside_a_reason_for_its_absence_is_no_value() -> None:
    """R4 forbids the two together (invariant obs-6): which of them is meant nobody can tell."""
    why = concept("error", "http://terminology.hl7.org/CodeSystem/data-absent-reason")
    assert reason(c.CREATININE, lab("2160-0", 1.1, "mg/dL", dataAbsentReason=why)) is Reason.CONFLICT
    assert reason(c.CREATININE, lab("2160-0", None, None, dataAbsentReason=why)) is Reason.NO_NUMBER


def test_a_score_may_be_a_whole_number_without_a_unit() -> None:
    """A Glasgow Coma Scale of 15 comes as valueInteger too; a creatinine of 1 without a unit stays unusable."""
    on = "2026-06-01T11:00:00Z"
    assert usable(c.GCS, lab("9269-2", on=on, valueQuantity=None, valueInteger=14)).value == 14.0
    assert reason(c.GCS, lab("9269-2", on=on, valueQuantity=None, valueInteger=2)) is Reason.IMPLAUSIBLE
    assert reason(c.CREATININE, lab("2160-0", valueQuantity=None, valueInteger=1)) is Reason.NO_NUMBER


def test_a_pure_number_takes_no_percentage() -> None:
    """An INR in % is the activity of prothrombin, and 70 of that is no INR of 0.7."""
    assert reason(c.INR, lab("6301-6", 70.0, "%")) is Reason.UNIT
    assert usable(c.INR, lab("6301-6", 2.5, "{INR}")).value == 2.5
    assert usable(c.INR, lab("6301-6", 2.5, "1")).value == 2.5


@pytest.mark.parametrize("on", ["2026", "2026-05"])
def test_a_value_without_a_day_says_so(on: str) -> None:
    """The first day that it may mean is shown, and the reader is told that the record has none."""
    for others in ((), (lab("2160-0", 1.1, "mg/dL", on, id="twin"),)):
        found = usable(c.CREATININE, lab("2160-0", 1.1, "mg/dL", on), *others)
        assert str(found.note) == "Creatinine: the record gives no day; its age counts from the first possible one"
    assert usable(c.CREATININE, lab("2160-0", 1.1, "mg/dL", "2026-05-06")).note is None
