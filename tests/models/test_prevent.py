"""PREVENT on a patient's values: estimates, explanations, refusals."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.explain.explanation import Baseline, Scale
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValues, Reason
from cds_service.language import msg
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate

Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
Refuse = Callable[..., NotEstimated]

# The worked example of tests/vectors/prevent.json: 10 years 14.7 %, 9.2 %, 8.1 %; 30 years 53.0 %, ...
EXAMPLE: dict[Any, Any] = {
    catalogue.AGE: 50.9,
    catalogue.SEX: "female",
    catalogue.TOTAL_CHOLESTEROL: 200.0,
    catalogue.HDL: 45.0,
    catalogue.SBP: 160.0,
    catalogue.BMI: 35.0,
    catalogue.EGFR: 90.0,
    catalogue.SMOKING: "never",
    catalogue.DIABETES: True,
    catalogue.ANTIHYPERTENSIVE: True,
}


@pytest.fixture(scope="module")
def prevent(scores: Mapping[str, ModuleType]) -> ModuleType:
    return scores["prevent"]


def test_the_worked_example_comes_out_of_a_patients_values(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """The record path gives the same risks as the bare equations, at completed years of age."""
    found = estimates(prevent.base, patient(prevent.base, EXAMPLE))
    assert {(e.outcome, e.horizon_years): round(e.value, 3) for e in found} == {
        ("total_cvd", 10): 0.147,
        ("ascvd", 10): 0.092,
        ("heart_failure", 10): 0.081,
        ("total_cvd", 30): 0.530,
        ("ascvd", 30): 0.354,
        ("heart_failure", 30): 0.390,
    }


def test_thirty_year_risk_ends_at_59(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """A 59-year-old has both horizons, a 60-year-old only ten years."""
    at_59 = estimates(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.AGE: 59.99}))
    at_60 = estimates(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.AGE: 60.0}))
    assert {e.horizon_years for e in at_59} == {10, 30}
    assert {e.horizon_years for e in at_60} == {10}


measured = {
    catalogue.AGE: st.floats(30, 79.9),
    catalogue.SEX: st.sampled_from(["female", "male"]),
    catalogue.TOTAL_CHOLESTEROL: st.floats(130, 320),
    catalogue.HDL: st.floats(20, 100),
    catalogue.SBP: st.floats(90, 180),
    catalogue.BMI: st.floats(18.5, 39.9),
    catalogue.EGFR: st.floats(15, 140),
    catalogue.SMOKING: st.sampled_from(["current", "former", "never"]),
    catalogue.DIABETES: st.booleans(),
    catalogue.ANTIHYPERTENSIVE: st.booleans(),
    catalogue.STATIN: st.booleans(),
}


@given(st.fixed_dictionaries(measured))
def test_every_explanation_adds_up(prevent: ModuleType, patient: Build, estimates: Run, values: dict[Any, Any]) -> None:
    """Baseline plus contributions is the independently computed log-odds, for everyone in range."""
    for estimate in estimates(prevent.base, patient(prevent.base, values)):
        assert estimate.explanation.residual() <= 1e-9
        assert prevent.probability(estimate.explanation.output) == pytest.approx(estimate.value, abs=1e-12)


def test_the_reference_person_has_no_contributions(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """A person with the reference values differs from the reference person by nothing."""
    optimal = {
        catalogue.TOTAL_CHOLESTEROL: 4.8 / prevent.MMOL_L_PER_MG_DL,
        catalogue.HDL: 1.3 / prevent.MMOL_L_PER_MG_DL,
        catalogue.SBP: 120.0,
        catalogue.BMI: 25.0,
        catalogue.DIABETES: False,
        catalogue.ANTIHYPERTENSIVE: False,
    }
    for estimate in estimates(prevent.base, patient(prevent.base, EXAMPLE | optimal)):
        assert all(abs(c.amount) < 1e-12 for c in estimate.explanation.contributions)
        assert f"{estimate.value:.1%}" in str(estimate.explanation.baseline_words)


def test_the_baseline_states_the_reference_person(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """The clinician reads against whom the patient is compared, and that person's risk."""
    explanation = estimates(prevent.base, patient(prevent.base, EXAMPLE))[0].explanation
    assert (explanation.baseline_kind, explanation.scale) == (Baseline.REFERENCE_PERSON, Scale.LOG_ODDS)
    words = str(explanation.baseline_words)
    assert words.startswith("a woman aged 50 with non-HDL cholesterol 135 mg/dL")
    assert words.endswith(f"no statin: {100 * prevent.probability(explanation.baseline):.1f}%")


def test_a_man_is_compared_with_a_man(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """The reference person has the patient's own sex."""
    found = estimates(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.SEX: "male"}))
    assert str(found[0].explanation.baseline_words).startswith("a man aged 50")


def test_a_contribution_shows_value_unit_time_and_source(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """Each line of the explanation can be traced to the record."""
    values = patient(prevent.base, EXAMPLE)
    by_feature = {c.features: c for c in estimates(prevent.base, values)[0].explanation.contributions}
    sbp = by_feature["sbp",]
    assert str(sbp.value) == "160 mmHg"
    assert sbp.sources == ("Observation/sbp",)
    assert sbp.effective == values.usable(catalogue.SBP).effective
    assert sbp.amount > 0
    lipids = by_feature["total_cholesterol", "hdl"]
    assert str(lipids.value) == "155 mg/dL"
    assert lipids.sources == ("Observation/total_cholesterol", "Observation/hdl")
    assert str(by_feature["statin",].value) == "no (not listed)"
    assert str(by_feature["smoking",].value) == "never smoked"


def test_an_outcome_lists_only_the_inputs_of_its_equation(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """Lipids are not in the heart failure equation, BMI only in that one."""
    by_outcome = {e.outcome: e for e in estimates(prevent.base, patient(prevent.base, EXAMPLE))}
    features = {
        outcome: {f for c in estimate.explanation.contributions for f in c.features}
        for outcome, estimate in by_outcome.items()
    }
    assert "bmi" in features["heart_failure"]
    assert "bmi" not in features["total_cvd"]
    assert "hdl" not in features["heart_failure"]
    assert "hdl" in features["ascvd"]


def test_the_estimate_is_as_old_as_its_oldest_measurement(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """A two-year-old lipid panel makes the estimate two years old."""
    old = patient(prevent.base, EXAMPLE).as_of - timedelta(days=600)
    values = patient(prevent.base, EXAMPLE, at={catalogue.HDL: old})
    found = estimates(prevent.base, values)[0]
    assert found.effective == old
    assert prevent.DIFFERENT_DAYS in found.notes


@pytest.mark.parametrize(
    ("risk", "outcome", "band"),
    [
        (0.0744, "total_cvd", "below-7.5"),
        (0.0750, "total_cvd", "at-least-7.5"),
        (0.0294, "ascvd", "low"),
        (0.0300, "ascvd", "borderline"),
        (0.0494, "ascvd", "borderline"),
        (0.0500, "ascvd", "intermediate"),
        (0.0994, "ascvd", "intermediate"),
        (0.1000, "ascvd", "high"),
    ],
)
def test_a_band_starts_at_its_threshold(
    prevent: ModuleType,
    patient: Build,
    estimates: Run,
    monkeypatch: pytest.MonkeyPatch,
    risk: float,
    outcome: str,
    band: str,
) -> None:
    """The printed risk and the band beside it never contradict each other."""
    monkeypatch.setattr(prevent, "probability", lambda log_odds: risk)
    found = {e.outcome: e for e in estimates(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.AGE: 65.0}))}
    assert found[outcome].band.id == band
    assert found["heart_failure"].band is None


@pytest.mark.parametrize("age", [0.5, 12.0, 29.99, 80.0, 101.0])
def test_outside_the_ages_it_does_not_apply(prevent: ModuleType, patient: Build, refusal: Refuse, age: float) -> None:
    """A child, a young adult and the very old get no estimate and no line on the card."""
    found = refusal(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.AGE: age}))
    assert found.refusal is Refusal.NOT_APPLICABLE
    assert str(found.reason) == f"PREVENT speaks for ages 30 to 79; age is {int(age)}"


@pytest.mark.parametrize(
    "condition",
    [
        catalogue.CORONARY_DISEASE,
        catalogue.VASCULAR_DISEASE,
        catalogue.STROKE_TIA,
        catalogue.HEART_FAILURE,
        catalogue.DIALYSIS,
        catalogue.ACUTE_KIDNEY_INJURY,
        catalogue.PREGNANCY,
    ],
    ids=lambda c: c.id,
)
def test_it_is_for_primary_prevention_with_a_steady_kidney(
    prevent: ModuleType, patient: Build, refusal: Refuse, condition: Any
) -> None:
    """Known cardiovascular disease, dialysis, acute kidney injury and pregnancy exclude the equations."""
    found = refusal(prevent.base, patient(prevent.base, EXAMPLE | {condition: True}))
    assert found.refusal is Refusal.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("feature", "inside", "outside"),
    [
        (catalogue.TOTAL_CHOLESTEROL, (130.0, 320.0), (129.9, 320.1)),
        (catalogue.HDL, (20.0, 100.0), (19.9, 100.1)),
        (catalogue.SBP, (90.0, 180.0), (89.0, 181.0)),
        (catalogue.BMI, (18.5, 39.94), (18.4, 39.96)),
        (catalogue.EGFR, (15.0, 140.0), (14.9, 140.1)),
    ],
    ids=lambda x: getattr(x, "id", ""),
)
def test_out_of_range_means_no_number(
    prevent: ModuleType,
    patient: Build,
    estimates: Run,
    refusal: Refuse,
    feature: Any,
    inside: tuple[float, float],
    outside: tuple[float, float],
) -> None:
    """A value is never clipped into range: at the limit a risk, beyond it a refusal that names the limits."""
    for value in inside:
        assert estimates(prevent.base, patient(prevent.base, EXAMPLE | {feature: value}))
    for value in outside:
        found = refusal(prevent.base, patient(prevent.base, EXAMPLE | {feature: value}))
        assert found.refusal is Refusal.OUT_OF_RANGE
        low, high = prevent.LIMITS[feature.id]
        assert f"is outside the limits {low:.10g} to {high:.10g}" in str(found.reason)
        assert str(feature.label) in str(found.reason)


def test_all_inputs_out_of_range_are_named(prevent: ModuleType, patient: Build, refusal: Refuse) -> None:
    """The clinician learns everything that is in the way at once."""
    found = refusal(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.SBP: 190.0, catalogue.BMI: 45.0}))
    assert "Systolic blood pressure 190 mmHg is outside" in str(found.reason)
    assert "Body mass index 45.0 kg/m² is outside the limits 18.5 to 39.9 kg/m²" in str(found.reason)


def test_a_value_just_outside_is_not_printed_as_the_limit(prevent: ModuleType, patient: Build, refusal: Refuse) -> None:
    """A reader who is told that 130 is outside 130 to 320 would doubt the program."""
    found = refusal(prevent.base, patient(prevent.base, EXAMPLE | {catalogue.TOTAL_CHOLESTEROL: 129.97}))
    assert "Total cholesterol 129.97 mg/dL is outside the limits 130 to 320 mg/dL" in str(found.reason)


def test_all_missing_inputs_are_named(prevent: ModuleType, patient: Build, refusal: Refuse) -> None:
    """A refusal for want of data names every input at fault, in words and as features."""
    given_values = {f: v for f, v in EXAMPLE.items() if f not in (catalogue.SMOKING, catalogue.HDL)}
    values = patient(prevent.base, given_values, faults={catalogue.SBP: Reason.STALE})
    found = refusal(prevent.base, values)
    assert found.refusal is Refusal.INPUT
    assert [u.feature for u in found.unusable] == [catalogue.HDL, catalogue.SBP, catalogue.SMOKING]
    assert str(found.reason) == (
        "Not calculated: HDL cholesterol: absent; Systolic blood pressure: stale; Smoking: absent"
    )


def test_without_age_it_is_refused_for_want_of_age(prevent: ModuleType, patient: Build, refusal: Refuse) -> None:
    """Nobody's age is guessed."""
    found = refusal(prevent.base, patient(prevent.base, {f: v for f, v in EXAMPLE.items() if f.id != "age"}))
    assert (found.refusal, [u.feature.id for u in found.unusable]) == (Refusal.INPUT, ["age"])


def test_without_a_problem_list_nobody_is_taken_for_healthy(
    prevent: ModuleType, patient: Build, refusal: Refuse
) -> None:
    """No list means unknown: diabetes and known disease cannot be excluded, and the list is named once."""
    unknown = dict.fromkeys(
        (
            catalogue.DIABETES,
            catalogue.CORONARY_DISEASE,
            catalogue.VASCULAR_DISEASE,
            catalogue.STROKE_TIA,
            catalogue.HEART_FAILURE,
        ),
        Reason.NO_LIST,
    )
    found = refusal(prevent.base, patient(prevent.base, EXAMPLE, faults=unknown))
    assert found.refusal is Refusal.INPUT
    assert str(found.reason).count("problem list") == 1
    assert all(str(feature.label) in str(found.reason) for feature in unknown)


def test_without_a_medication_list_nobody_is_taken_for_untreated(
    prevent: ModuleType, patient: Build, refusal: Refuse
) -> None:
    """Statin and blood-pressure medicine are not "no" for want of a list."""
    faults = {catalogue.STATIN: Reason.NO_LIST, catalogue.ANTIHYPERTENSIVE: Reason.NO_LIST}
    given_values = {f: v for f, v in EXAMPLE.items() if f is not catalogue.ANTIHYPERTENSIVE}
    found = refusal(prevent.base, patient(prevent.base, given_values, faults=faults))
    assert "there is no medication list" in str(found.reason)


def test_a_remark_of_the_record_reaches_the_estimate(prevent: ModuleType, patient: Build, estimates: Run) -> None:
    """A value that stands in for a newer unusable one says so."""
    values = patient(prevent.base, EXAMPLE)
    remark = msg("A newer entry cannot be used")
    entries = dict(values.entries) | {"hdl": msgspec.structs.replace(values.usable(catalogue.HDL), note=remark)}
    assert remark in estimates(prevent.base, FeatureValues(values.as_of, entries))[0].notes


FURTHER: dict[Any, Any] = {catalogue.UACR: 40.0, catalogue.HBA1C: 7.5, catalogue.SDI: 8.0}
VARIANTS = ("base", "uacr", "hba1c", "sdi", "full")


@given(st.fixed_dictionaries(measured), st.sampled_from(VARIANTS), st.floats(0.1, 25000), st.floats(4.5, 15))
def test_every_explanation_of_every_model_adds_up(
    prevent: ModuleType, patient: Build, estimates: Run, values: dict[Any, Any], variant: str, uacr: float, hba1c: float
) -> None:
    """The further inputs have their contributions too, whichever of them are known."""
    model = getattr(prevent, variant)
    further = {catalogue.UACR: uacr, catalogue.HBA1C: hba1c, catalogue.SDI: 5.0}
    further = {f: value for f, value in further.items() if variant in (f.id, "full")}
    found = estimates(model, patient(model, values | further))
    assert {e.model_id for e in found} == {f"prevent-{variant}"}
    for estimate in found:
        assert prevent.probability(estimate.explanation.output) == pytest.approx(estimate.value, abs=1e-12)


def test_each_further_input_adds_a_contribution_and_is_named_in_the_baseline(
    prevent: ModuleType, patient: Build, estimates: Run
) -> None:
    """The clinician reads what UACR, HbA1c and deprivation added against 10 mg/g, 5.3 % and the least deprived."""
    found = estimates(prevent.full, patient(prevent.full, EXAMPLE | FURTHER))[0]
    amounts = {c.features[0]: c.amount for c in found.explanation.contributions}
    assert amounts["uacr"] > 0
    assert amounts["hba1c"] > 0
    assert amounts["sdi"] == pytest.approx(0.2261596)
    words = str(found.explanation.baseline_words)
    assert "no statin, UACR 10 mg/g, HbA1c 5.3%, social deprivation index 1 to 3: " in words


def test_deciles_of_deprivation_count_in_three_groups(prevent: ModuleType) -> None:
    """1 to 3, 4 to 6 and 7 to 10 are the groups of the paper."""
    groups = [
        (further["sdi_4_to_6"], further["sdi_7_to_10"])
        for further in (prevent.further({"sdi": float(decile)}) for decile in range(1, 11))
    ]
    assert groups == [(0, 0)] * 3 + [(1, 0)] * 3 + [(0, 1)] * 4


@pytest.mark.parametrize("name", ["uacr", "hba1c", "sdi"])
def test_without_its_further_input_a_model_does_not_apply(
    prevent: ModuleType, patient: Build, refusal: Refuse, name: str
) -> None:
    """Nothing is asked of anybody: the base model is the right one then."""
    found = refusal(getattr(prevent, name), patient(getattr(prevent, name), EXAMPLE))
    assert (found.refusal, [u.feature.id for u in found.unusable]) == (Refusal.NOT_APPLICABLE, [name])


def test_the_full_model_needs_two_further_inputs(
    prevent: ModuleType, patient: Build, estimates: Run, refusal: Refuse
) -> None:
    """With one, the model of that one is the right choice; with two, the third has a term for being missing."""
    one = patient(prevent.full, EXAMPLE | {catalogue.UACR: 40.0})
    assert refusal(prevent.full, one).refusal is Refusal.NOT_APPLICABLE
    two = patient(prevent.full, EXAMPLE | {catalogue.UACR: 40.0, catalogue.HBA1C: 7.5})
    found = estimates(prevent.full, two)[0]
    assert "sdi" not in {f for c in found.explanation.contributions for f in c.features}
    assert str(found.notes[-2]) == "Without Social deprivation index: the model's term for missing values counts."


@pytest.mark.parametrize("name", ["uacr", "hba1c", "sdi"])
def test_with_two_further_inputs_only_the_full_model_and_the_base_model_speak(
    prevent: ModuleType, patient: Build, refusal: Refuse, name: str
) -> None:
    """One patient has one choice of model; a value outside its limits does not count as known."""
    model = getattr(prevent, name)
    found = refusal(model, patient(model, EXAMPLE | FURTHER))
    assert (found.refusal, found.reason) == (Refusal.NOT_APPLICABLE, prevent.FULL_FITS)
    odd = {catalogue.UACR: 0.0, catalogue.HBA1C: 7.5}
    assert not isinstance(prevent.hba1c.estimate(patient(prevent.hba1c, EXAMPLE | odd)), NotEstimated)
    assert refusal(prevent.full, patient(prevent.full, EXAMPLE | odd)).reason == prevent.TOO_FEW


@pytest.mark.parametrize(
    ("feature", "value"), [(catalogue.UACR, 0.0), (catalogue.HBA1C, 4.4), (catalogue.SDI, 0.5)], ids=lambda x: str(x)
)
def test_a_further_input_outside_its_limits_gives_no_number(
    prevent: ModuleType, patient: Build, refusal: Refuse, feature: Any, value: float
) -> None:
    """It is neither clipped nor taken for missing."""
    model = getattr(prevent, feature.id)
    found = refusal(model, patient(model, EXAMPLE | {feature: value}))
    assert found.refusal is Refusal.OUT_OF_RANGE
    assert str(feature.label) in str(found.reason)


def test_the_social_deprivation_index_is_never_guessed(prevent: ModuleType) -> None:
    """No code of it is read unless a site maps one."""
    assert not any(code[0].isdigit() for code in catalogue.SDI.codes)  # a name for the code map, and no LOINC code
    assert catalogue.SDI in prevent.sdi.features
    assert catalogue.SDI not in prevent.base.features
