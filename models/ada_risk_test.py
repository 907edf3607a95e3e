"""ADA risk test: whom to test for prediabetes and type 2 diabetes.

Source: Bang H et al. Ann Intern Med 2009;151:775-783, doi:10.7326/0003-4819-151-11-200912010-00005; in use by the
American Diabetes Association (Standards of Care in Diabetes, section 2), which tests from 5 points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    FeatureValue,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "ada-risk-test", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/American_diabetes_association_ADA_risk_calculator.v1.test.yml"
AGES = ((40, 1), (50, 2), (60, 3))  # (from whole years, points)
BODY_MASS = ((25.0, 1), (30.0, 2), (40.0, 3))  # (from kg/m2, points)
MALE, GESTATIONAL, FAMILY, HYPERTENSION, INACTIVE = 1, 1, 1, 1, 1
TEST_FROM = 5

BANDS = (
    (float("-inf"), Band("below-5", msg("below 5"))),
    (TEST_FROM, Band("test", msg("5 or more: test for prediabetes and diabetes"))),
)
KNOWN = msg("diabetes is on the problem list")
PREGNANT = msg("the ADA risk test is not for pregnancy, which has its own tests")
ASIAN = msg("For persons of Asian descent the ADA screens from a body mass index of 23 kg/m².")


def reached(rows: tuple[tuple[float, int], ...], value: float) -> int:
    """Points of the last row that a value reaches, none below the first."""
    return max((worth for start, worth in rows if value >= start), default=0)


def band(total: int) -> Band:
    """Below 5, or to be tested."""
    return published.band_of(total, BANDS)


def total(age: float, sex: str, bmi: float, *, gdm: bool, family: bool, hypertension: bool, active: bool) -> int:
    """The points of a person; `gdm` counts in women alone."""
    woman = sex == "female"
    return (
        reached(AGES, age)
        + reached(BODY_MASS, bmi)
        + (GESTATIONAL * gdm if woman else MALE)
        + FAMILY * family
        + HYPERTENSION * hypertension
        + INACTIVE * (not active)
    )


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The points of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in ("age", "sex", "bmi", "gdm", "fam", "htn", "active")):
        return {"ada": None}
    yes = {"gdm": inputs["gdm"], "family": inputs["fam"], "hypertension": inputs["htn"], "active": inputs["active"]}
    return {"ada": total(inputs["age"], inputs["sex"], inputs["bmi"], **yes)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture."""

    def yes(name: str) -> bool:
        return name in inputs and bool(inputs[name]["label"] == "Yes")

    age, bmi = float(inputs["Age"]["value"]), float(inputs["Body Mass Index"]["value"])
    points_ = total(
        age,
        str(inputs["Gender"]["label"]).lower(),
        bmi,
        gdm=yes("Previous gestational diabetes(if female)"),
        family=yes("1st degree relative with diabetes"),
        hypertension=yes("Hypertension"),
        active=yes("Physically active"),
    )
    return {"Total score": points_, "BMI": {"points": float(reached(BODY_MASS, bmi))}}


def compute(values: FeatureValues) -> Result:
    """The points, or the interval of possible totals, for an adult without known diabetes."""
    gate = published.first_true(values, ((catalogue.DIABETES, KNOWN), (catalogue.PREGNANCY, PREGNANT)))
    if gate is not None:
        return published.not_applicable(ID, gate)
    unlisted = values.unusable((catalogue.DIABETES,))
    if unlisted:
        return published.not_applicable(ID, unlisted[0].words, unlisted)
    known = published.of_adult(ID, values, (catalogue.AGE, catalogue.SEX), msg("The ADA risk test"))
    if isinstance(known, NotEstimated):
        return known
    age, sex = known[catalogue.AGE.id], known[catalogue.SEX.id]
    years = published.whole_years(age)
    items = (
        points.settled(reached(AGES, years), (age,)),
        _sex(values, sex),
        points.listed(values, (catalogue.FAMILY_DIABETES,), FAMILY),
        points.listed(values, (catalogue.HYPERTENSION,), HYPERTENSION),
        _activity(values),
        points.measured(values, catalogue.BMI, lambda value: reached(BODY_MASS, value), BODY_MASS[-1][1]),
    )
    words = msg("ADA risk test")
    return (points.estimate(ID, VERSION, "ada_risk_test", words, items, band, answers=SEXES, notes=(ASIAN,)),)


SEXES = {"female": msg("female"), "male": msg("male")}


def _sex(values: FeatureValues, sex: FeatureValue) -> points.Item:
    """A point for men; for women one for gestational diabetes in the past."""
    if sex.value == "female":
        return points.listed(values, (catalogue.GESTATIONAL_DIABETES,), GESTATIONAL)
    return points.settled(MALE, (sex,))


def _activity(values: FeatureValues) -> points.Item:
    """A point unless physically active, which few records tell."""
    label = msg("not physically active")
    active = values.usable(catalogue.PHYSICALLY_ACTIVE)
    if active is None:
        return points.unsettled(INACTIVE, (points.judged(catalogue.PHYSICALLY_ACTIVE),), label)
    return points.settled(0 if active.value is True else INACTIVE, (active,), label)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("ADA diabetes risk test"),
    citation=Citation(
        "Bang H et al. Development and validation of a patient self-assessment score for diabetes risk. "
        "Ann Intern Med 2009;151:775-783",
        "https://doi.org/10.7326/0003-4819-151-11-200912010-00005",
    ),
    features=(
        catalogue.DIABETES,
        catalogue.PREGNANCY,
        catalogue.AGE,
        catalogue.SEX,
        catalogue.GESTATIONAL_DIABETES,
        catalogue.FAMILY_DIABETES,
        catalogue.HYPERTENSION,
        catalogue.PHYSICALLY_ACTIVE,
        catalogue.BMI,
    ),
    compute=compute,
    vectors={
        "ADA type 2 diabetes risk test": check,
        FIXTURES: check_fixture,
    },
    limits=msg(
        "For adults without diabetes on the problem list, not in pregnancy. Physical activity and a family history are "
        "seldom coded: what is not recorded stays open, and the interval of possible points is given."
    ),
    tolerance=0.0,
)
