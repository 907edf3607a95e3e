"""MELD 3.0 on a patient's values."""

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

WOMAN: dict[Any, Any] = {
    catalogue.AGE: 55.5,
    catalogue.SEX: "female",
    catalogue.CIRRHOSIS: True,
    catalogue.BILIRUBIN_QUARTER: 3.0,
    catalogue.INR: 1.5,
    catalogue.CREATININE_QUARTER: 1.2,
    catalogue.SODIUM_QUARTER: 131.0,
    catalogue.ALBUMIN_QUARTER: 2.8,
}


@pytest.fixture(scope="module")
def meld(scores: Mapping[str, ModuleType]) -> ModuleType:
    return scores["meld_3_0"]


def test_the_score_is_a_whole_number_with_its_threshold(meld: ModuleType, patient: Build, estimates: Run) -> None:
    """A number from 6 to 40, and the threshold of the transplant guideline."""
    (found,) = estimates(meld.model, patient(meld.model, WOMAN))
    assert found.value == round(found.explanation.output) == 22
    assert str(found.band.label) == "15 or more: evaluation for a liver transplant"
    assert meld.BOUNDED_NOTE in found.notes


@given(
    st.sampled_from(["female", "male"]),
    st.floats(0.1, 50),
    st.floats(0.5, 12),
    st.floats(0.1, 12),
    st.floats(100, 160),
    st.floats(0.5, 6),
)
def test_every_explanation_adds_up(
    meld: ModuleType, patient: Build, estimates: Run, sex: str, b: float, inr: float, c: float, na: float, alb: float
) -> None:
    """Reference person plus contributions is the score before rounding, also where a bound holds."""
    tests = (catalogue.BILIRUBIN_QUARTER, catalogue.INR, catalogue.CREATININE_QUARTER, catalogue.SODIUM_QUARTER)
    values = WOMAN | dict(zip(tests, (b, inr, c, na), strict=True)) | {catalogue.ALBUMIN_QUARTER: alb}
    (found,) = estimates(meld.model, patient(meld.model, values | {catalogue.SEX: sex}))
    assert 6 <= found.value <= 40
    assert len(found.explanation.contributions) == 5


def test_on_dialysis_creatinine_counts_as_three_and_is_not_needed(
    meld: ModuleType, patient: Build, estimates: Run
) -> None:
    """Whatever the measured value is, and a note says so."""
    without = {f: v for f, v in WOMAN.items() if f is not catalogue.CREATININE_QUARTER} | {catalogue.DIALYSIS: True}
    (found,) = estimates(meld.model, patient(meld.model, without))
    (high,) = estimates(meld.model, patient(meld.model, WOMAN | {catalogue.CREATININE_QUARTER: 3.0}))
    assert found.value == high.value
    assert meld.DIALYSIS_NOTE in found.notes
    assert found.explanation.residual() <= 1e-9


def test_a_vitamin_k_antagonist_is_flagged(meld: ModuleType, patient: Build, estimates: Run) -> None:
    """The INR then speaks of the medicine."""
    (found,) = estimates(meld.model, patient(meld.model, WOMAN | {catalogue.VITAMIN_K_ANTAGONIST: True}))
    assert meld.ANTICOAGULATED in found.notes


def test_tests_of_different_weeks_are_noted(meld: ModuleType, patient: Build, estimates: Run) -> None:
    """The score is of one state of health."""
    values = patient(meld.model, WOMAN)
    early = patient(meld.model, WOMAN, at={catalogue.INR: values.as_of - timedelta(days=60)})
    assert meld.APART_NOTE not in estimates(meld.model, values)[0].notes
    assert meld.APART_NOTE in estimates(meld.model, early)[0].notes


def test_without_liver_disease_it_does_not_apply(meld: ModuleType, patient: Build, refusal: Refuse) -> None:
    """An INR under warfarin in a healthy liver is no MELD."""
    found = refusal(meld.model, patient(meld.model, WOMAN | {catalogue.CIRRHOSIS: False}))
    assert (found.refusal, found.reason) == (Refusal.NOT_APPLICABLE, meld.NO_LIVER_DISEASE)
    unlisted = dict.fromkeys((catalogue.CIRRHOSIS, catalogue.CHRONIC_LIVER_DISEASE), Reason.NO_LIST)
    found = refusal(meld.model, patient(meld.model, WOMAN, faults=unlisted))
    assert found.refusal is Refusal.NOT_APPLICABLE


def test_children_pregnancy_and_missing_tests_are_refused_in_words(
    meld: ModuleType, patient: Build, refusal: Refuse
) -> None:
    """Each refusal names its rule or its inputs."""
    child = refusal(meld.model, patient(meld.model, WOMAN | {catalogue.AGE: 17.9}))
    assert str(child.reason) == "MELD 3.0 speaks for adults; age is 17"
    pregnant = refusal(meld.model, patient(meld.model, WOMAN | {catalogue.PREGNANCY: True}))
    assert pregnant.refusal is Refusal.NOT_APPLICABLE
    faults = {catalogue.INR: Reason.STALE, catalogue.ALBUMIN_QUARTER: Reason.UNIT}
    missing = refusal(meld.model, patient(meld.model, WOMAN, faults=faults))
    assert (missing.refusal, [u.feature.id for u in missing.unusable]) == (Refusal.INPUT, ["inr", "albumin_quarter"])
