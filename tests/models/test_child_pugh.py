"""Child-Pugh on a patient's values."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest

from cds_service.features import catalogue
from cds_service.features.feature import FeatureValues, Reason
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate

Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
Refuse = Callable[..., NotEstimated]

PERSON: dict[Any, Any] = {
    catalogue.AGE: 60.0,
    catalogue.CIRRHOSIS: True,
    catalogue.BILIRUBIN_QUARTER: 1.0,
    catalogue.ALBUMIN_QUARTER: 4.0,
    catalogue.INR: 1.1,
}
GRADED = {catalogue.ASCITES_GRADE: "mild", catalogue.ENCEPHALOPATHY_GRADE: "2"}


@pytest.fixture(scope="module")
def child(scores: Mapping[str, ModuleType]) -> ModuleType:
    return scores["child_pugh"]


def test_without_a_clinicians_judgement_there_is_an_interval(child: ModuleType, patient: Build, estimates: Run) -> None:
    """Blood tests alone leave 5 to 9 points: A or B is not said."""
    (found,) = estimates(child.model, patient(child.model, PERSON))
    assert (found.value, found.high, found.band.id) == (5, 9, "undetermined")
    assert [u.feature.id for u in found.not_measured] == ["ascites_grade", "encephalopathy_grade"]


def test_missing_inputs_leave_classes_and_they_are_named(child: ModuleType, patient: Build, estimates: Run) -> None:
    """A or B without the grades, any of three without most tests too."""
    (found,) = estimates(child.model, patient(child.model, PERSON))
    assert str(found.band.label) == "class A or B: inputs are missing"
    few = {feature: value for feature, value in PERSON.items() if feature is not catalogue.ALBUMIN_QUARTER}
    (found,) = estimates(child.model, patient(child.model, few))
    assert str(found.band.label) == "class A, B or C: inputs are missing"


def test_graded_signs_give_one_total_and_a_class(child: ModuleType, patient: Build, estimates: Run) -> None:
    """A site that records the grades gets points: 3 + 2 + 2."""
    (found,) = estimates(child.model, patient(child.model, PERSON | GRADED))
    assert (found.value, found.high, found.band.id) == (7, None, "B")


def test_listed_ascites_is_worth_two_points_at_least(child: ModuleType, patient: Build, estimates: Run) -> None:
    """The list says that it is there, not how much."""
    (found,) = estimates(child.model, patient(child.model, PERSON | {catalogue.ASCITES: True}))
    assert (found.value, found.high) == (6, 9)
    shown = {c.features[0]: c for c in found.explanation.contributions}
    assert shown["ascites"].sources == ("Observation/ascites",)


def test_a_class_is_given_if_the_whole_interval_lies_in_it(child: ModuleType, patient: Build, estimates: Run) -> None:
    """Three points from each blood test and one sign listed is class C whatever the rest is."""
    severe = {catalogue.BILIRUBIN_QUARTER: 5.0, catalogue.ALBUMIN_QUARTER: 2.0, catalogue.INR: 2.5}
    (found,) = estimates(child.model, patient(child.model, PERSON | severe))
    assert (found.value, found.high, found.band.id) == (11, 15, "C")


def test_that_ascites_is_not_listed_does_not_make_it_absent(child: ModuleType, patient: Build, estimates: Run) -> None:
    """It comes and goes, and is written in notes."""
    (found,) = estimates(child.model, patient(child.model, PERSON | {catalogue.ASCITES: False}))
    assert found.high == 9


def test_a_missing_test_widens_the_interval(child: ModuleType, patient: Build, estimates: Run) -> None:
    """One to three points for what was not measured."""
    values = patient(child.model, PERSON | GRADED, faults={catalogue.INR: Reason.STALE})
    (found,) = estimates(child.model, values)
    assert (found.value, found.high, found.band.id) == (7, 9, "B")
    assert [u.feature.id for u in found.not_measured] == ["inr"]


def test_a_vitamin_k_antagonist_is_flagged(child: ModuleType, patient: Build, estimates: Run) -> None:
    """The INR then speaks of the medicine."""
    (found,) = estimates(child.model, patient(child.model, PERSON | {catalogue.VITAMIN_K_ANTAGONIST: True}))
    assert child.ANTICOAGULATED in found.notes


def test_it_is_refused_without_cirrhosis_in_children_and_without_any_test(
    child: ModuleType, patient: Build, refusal: Refuse
) -> None:
    """Each refusal names its rule or its inputs."""
    healthy = refusal(child.model, patient(child.model, PERSON | {catalogue.CIRRHOSIS: False}))
    assert (healthy.refusal, healthy.reason) == (Refusal.NOT_APPLICABLE, child.NO_CIRRHOSIS)
    young = refusal(child.model, patient(child.model, PERSON | {catalogue.AGE: 17.0}))
    assert str(young.reason) == "Child-Pugh speaks for adults; age is 17"
    untested = refusal(child.model, patient(child.model, {catalogue.AGE: 60.0, catalogue.CIRRHOSIS: True}))
    assert untested.refusal is Refusal.INPUT
    assert len(untested.unusable) == 3
