"""CKD-EPI 2021 on a patient's values."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.features import catalogue
from cds_service.features.feature import FeatureValues, Reason
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate

Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
Refuse = Callable[..., NotEstimated]

MAN: dict[Any, Any] = {catalogue.AGE: 55.4, catalogue.SEX: "male", catalogue.CREATININE: 1.2}


@pytest.fixture(scope="module")
def ckd_epi(scores: Mapping[str, ModuleType]) -> ModuleType:
    return scores["ckd_epi_2021"]


def test_egfr_comes_with_its_category_and_explanation(ckd_epi: ModuleType, patient: Build, estimates: Run) -> None:
    """The published check value, its KDIGO category, and what each input adds to a stated person's eGFR."""
    (found,) = estimates(ckd_epi.model, patient(ckd_epi.model, MAN))
    assert round(found.value) == 71
    assert found.unit == "mL/min/{1.73_m2}"
    assert str(found.band.label) == "G2, mildly decreased, 60 to 89"
    explanation = found.explanation
    assert str(explanation.baseline_words) == "a man aged 40 with creatinine 0.90 mg/dL"
    shown = {c.features: (c.amount, str(c.value)) for c in explanation.contributions}
    # By hand: the mean of 78.4 - 110.7 (at 40 years) and 71.4 - 100.9 (at 55).
    assert shown["creatinine",] == (pytest.approx(-30.89, abs=0.01), "1.20 mg/dL")
    assert shown["age",][1] == "55 years"
    assert found.effective == patient(ckd_epi.model, MAN).usable(catalogue.CREATININE).effective


@given(st.floats(18, 110), st.sampled_from(["female", "male"]), st.floats(0.2, 20))
def test_every_explanation_adds_up(
    ckd_epi: ModuleType, patient: Build, estimates: Run, age: float, sex: str, creatinine: float
) -> None:
    """Reference person plus contributions is the eGFR, for every adult."""
    values = {catalogue.AGE: age, catalogue.SEX: sex, catalogue.CREATININE: creatinine}
    (found,) = estimates(ckd_epi.model, patient(ckd_epi.model, values))
    assert found.explanation.residual() <= 1e-9
    assert found.explanation.output == found.value


@given(st.floats(18, 110), st.sampled_from(["female", "male"]), st.floats(0.2, 20))
def test_the_derived_feature_gives_the_same_egfr(
    ckd_epi: ModuleType, patient: Build, estimates: Run, age: float, sex: str, creatinine: float
) -> None:
    """What PREVENT takes as eGFR is what this score shows."""
    values = {catalogue.AGE: age, catalogue.SEX: sex, catalogue.CREATININE: creatinine}
    (found,) = estimates(ckd_epi.model, patient(ckd_epi.model, values))
    assert catalogue.EGFR.compute(creatinine, age, sex) == pytest.approx(found.value, rel=1e-12)


@pytest.mark.parametrize(
    ("egfr", "band"),
    [
        (14.4, "G5"),
        (14.6, "G4"),
        (29.4, "G4"),
        (29.6, "G3b"),
        (44.4, "G3b"),
        (44.6, "G3a"),
        (59.4, "G3a"),
        (59.6, "G2"),
        (89.4, "G2"),
        (89.6, "G1"),
    ],
)
def test_the_category_is_that_of_the_reported_whole_number(
    ckd_epi: ModuleType, patient: Build, estimates: Run, egfr: float, band: str
) -> None:
    """An eGFR printed as 60 is never called G3a."""
    creatinine = 0.9 * (142 * 0.9938**55 / egfr) ** (1 / 1.2)
    if creatinine < 0.9:
        creatinine = 0.9 * (142 * 0.9938**55 / egfr) ** (1 / 0.302)
    (found,) = estimates(ckd_epi.model, patient(ckd_epi.model, MAN | {catalogue.CREATININE: creatinine}))
    assert found.value == pytest.approx(egfr)
    assert found.band.id == band


@pytest.mark.parametrize(
    "condition", [catalogue.DIALYSIS, catalogue.ACUTE_KIDNEY_INJURY, catalogue.PREGNANCY], ids=lambda c: c.id
)
def test_without_a_steady_state_there_is_no_egfr(
    ckd_epi: ModuleType, patient: Build, refusal: Refuse, condition: Any
) -> None:
    """On dialysis, in acute kidney injury and in pregnancy the equation does not hold."""
    found = refusal(ckd_epi.model, patient(ckd_epi.model, MAN | {condition: True}))
    assert found.refusal is Refusal.NOT_APPLICABLE


def test_a_child_gets_no_adult_egfr(ckd_epi: ModuleType, patient: Build, estimates: Run, refusal: Refuse) -> None:
    """The equation starts on the eighteenth birthday."""
    assert estimates(ckd_epi.model, patient(ckd_epi.model, MAN | {catalogue.AGE: 18.0}))
    found = refusal(ckd_epi.model, patient(ckd_epi.model, MAN | {catalogue.AGE: 17.99}))
    assert (found.refusal, str(found.reason)) == (
        Refusal.NOT_APPLICABLE,
        "CKD-EPI 2021 speaks for adults; age is 17",
    )


def test_stale_creatinine_gives_no_egfr(ckd_epi: ModuleType, patient: Build, refusal: Refuse) -> None:
    """An old value is named, not used."""
    found = refusal(ckd_epi.model, patient(ckd_epi.model, MAN, faults={catalogue.CREATININE: Reason.STALE}))
    assert (found.refusal, [u.feature.id for u in found.unusable]) == (Refusal.INPUT, ["creatinine"])


@pytest.mark.parametrize("missing", [catalogue.AGE, catalogue.SEX], ids=lambda f: f.id)
def test_without_age_or_sex_there_is_no_egfr(
    ckd_epi: ModuleType, patient: Build, refusal: Refuse, missing: Any
) -> None:
    """Neither is guessed."""
    found = refusal(ckd_epi.model, patient(ckd_epi.model, {f: v for f, v in MAN.items() if f is not missing}))
    assert (found.refusal, found.unusable[0].feature) == (Refusal.INPUT, missing)


def test_without_a_problem_list_it_says_what_was_not_excluded(
    ckd_epi: ModuleType, patient: Build, estimates: Run
) -> None:
    """A laboratory reports eGFR without a problem list; so do we, and say so."""
    unknown = dict.fromkeys((catalogue.DIALYSIS, catalogue.ACUTE_KIDNEY_INJURY, catalogue.PREGNANCY), Reason.NO_LIST)
    (found,) = estimates(ckd_epi.model, patient(ckd_epi.model, MAN, faults=unknown))
    assert found.notes == (ckd_epi.NOT_EXCLUDED,)


def test_cystatin_c_gives_the_combined_estimate(ckd_epi: ModuleType, patient: Build, estimates: Run) -> None:
    """135 x (1.2/0.9)^-0.544 x (1.5/0.8)^-0.778 x 0.9961^55, with a contribution of cystatin C."""
    model = ckd_epi.with_cystatin
    (found,) = estimates(model, patient(model, MAN | {catalogue.CYSTATIN_C: 1.5}))
    assert found.value == pytest.approx(135 * (1.2 / 0.9) ** -0.544 * (1.5 / 0.8) ** -0.778 * 0.9961**55)
    assert (found.model_id, found.outcome) == ("ckd-epi-2021-cystatin", "egfr_cr_cys")
    amounts = {c.features[0]: c.amount for c in found.explanation.contributions}
    assert amounts["cystatin_c"] < amounts["creatinine"] < 0
    assert str(found.explanation.baseline_words).endswith("creatinine 0.90 mg/dL and cystatin C 0.8 mg/L")


def test_without_cystatin_c_the_combined_estimate_names_it(
    ckd_epi: ModuleType, patient: Build, refusal: Refuse
) -> None:
    """It does not fall back on creatinine alone."""
    found = refusal(ckd_epi.with_cystatin, patient(ckd_epi.with_cystatin, MAN))
    assert (found.refusal, [u.feature.id for u in found.unusable]) == (Refusal.INPUT, ["cystatin_c"])


def test_creatinine_and_cystatin_of_different_months_are_noted(
    ckd_epi: ModuleType, patient: Build, estimates: Run
) -> None:
    """The combined estimate is of one state."""
    model, values = ckd_epi.with_cystatin, MAN | {catalogue.CYSTATIN_C: 1.5}
    old = patient(model, values).as_of - timedelta(days=100)
    assert ckd_epi.APART_NOTE in estimates(model, patient(model, values, at={catalogue.CYSTATIN_C: old}))[0].notes
    assert ckd_epi.APART_NOTE not in estimates(model, patient(model, values))[0].notes
