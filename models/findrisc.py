"""FINDRISC: type 2 diabetes within 10 years, in points (0-26).

Source: Lindstrom J, Tuomilehto J. Diabetes Care 2003;26:725-731, doi:10.2337/diacare.26.3.725; family history and the
oldest age group as in the form with eight questions in use since (Finnish Diabetes Association). Testing from 12 to 15
points: ESC 2023 (diabetes), doi:10.1093/eurheartj/ehad192; IDF Europe. The edition in use at a site decides.
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
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "findrisc", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/FINDRISC_Finnish_Diabetes_Risk_Score.v1.test.yml"
AGES = ((45, 2), (55, 3), (65, 4))  # (from whole years, points)
BODY_MASS_FROM, BODY_MASS_ABOVE = (25.0, 1), (30.0, 3)  # kg/m2: from 25; above 30
WAIST = {  # cm: (from, points), (above, points)
    "male": ((94.0, 3), (102.0, 4)),
    "female": ((80.0, 3), (88.0, 4)),
}
INACTIVE, NO_VEGETABLES, PRESSURE, GLUCOSE = 2, 1, 2, 5
FAMILY = {"none": 0, "second": 3, "first": 5}
BANDS = (
    (float("-inf"), Band("low", msg("below 7, low"))),
    (7, Band("slightly-elevated", msg("7 to 11, slightly elevated"))),
    (12, Band("moderate", msg("12 to 14, moderate: consider testing glucose or HbA1c"))),
    (15, Band("high", msg("15 to 20, high: test glucose or HbA1c"))),
    (21, Band("very-high", msg("above 20, very high: test glucose or HbA1c"))),
)
NEEDED = ("age", "sex", "bmi", "waist", "active", "veg", "bpmed", "highglu", "fam")
KNOWN = msg("diabetes is on the problem list")
PREGNANT = msg("FINDRISC is not for pregnancy, which has its own tests")


def of_age(years: float) -> int:
    """Points of age in whole years."""
    return max((worth for start, worth in AGES if years >= start), default=0)


def of_body_mass(bmi: float) -> int:
    """Points of the body mass index."""
    return BODY_MASS_ABOVE[1] if bmi > BODY_MASS_ABOVE[0] else BODY_MASS_FROM[1] * (bmi >= BODY_MASS_FROM[0])


def of_waist(waist: float, sex: str) -> int:
    """Points of the waist in cm."""
    (start, some), (above, most) = WAIST[sex]
    return most if waist > above else some * (waist >= start)


def band(total: int) -> Band:
    """The five bands of the form."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """FINDRISC for one vector case; None if an input is null."""
    if any(inputs[name] is None for name in NEEDED):
        return {"findrisc": None}
    total = (
        of_age(inputs["age"])
        + of_body_mass(inputs["bmi"])
        + of_waist(inputs["waist"], inputs["sex"])
        + INACTIVE * (not inputs["active"])
        + NO_VEGETABLES * (not inputs["veg"])
        + PRESSURE * bool(inputs["bpmed"])
        + GLUCOSE * bool(inputs["highglu"])
        + FAMILY[inputs["fam"]]
    )
    return {"findrisc": total}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, whose answers carry their points."""
    sex = str(inputs["Gender"]["label"]).lower()
    age = of_age(inputs["Age"]["value"])
    mass = of_body_mass(inputs["Body Mass Index"]["value"])
    waist = of_waist(inputs["Waist circumference"]["value"], sex)
    answered = sum(
        inputs[name]["points"]
        for name in (
            "Use of blood pressure medication",
            "History of high blood glucose",
            "Physical activity",
            "Daily consumption of vegetables, fruits, or berries",
            "Family history of diabetes",
        )
    )
    return {
        "FINDRSIC total score": age + mass + waist + int(answered),
        "BMI, kg/m²": {"points": float(mass)},
        "Age, years": {"points": float(age)},
        f"Waist circumference {sex}": {"points": float(waist)},
    }


def compute(values: FeatureValues) -> Result:
    """FINDRISC, or the interval of possible totals, for an adult without known diabetes."""
    gate = published.first_true(values, ((catalogue.DIABETES, KNOWN), (catalogue.PREGNANCY, PREGNANT)))
    if gate is not None:
        return published.not_applicable(ID, gate)
    unlisted = values.unusable((catalogue.DIABETES,))
    if unlisted:
        return published.not_applicable(ID, unlisted[0].words, unlisted)
    known = published.of_adult(ID, values, (catalogue.AGE, catalogue.SEX), msg("FINDRISC"))
    if isinstance(known, NotEstimated):
        return known
    age, sex = known[catalogue.AGE.id], str(known[catalogue.SEX.id].value)
    years = published.whole_years(age)
    items = (
        points.settled(of_age(years), (age,)),
        points.measured(values, catalogue.BMI, of_body_mass, BODY_MASS_ABOVE[1]),
        points.measured(values, catalogue.WAIST, lambda v: of_waist(v, sex), WAIST[sex][1][1]),
        _habit(values, catalogue.PHYSICALLY_ACTIVE, INACTIVE),
        _habit(values, catalogue.VEGETABLES_DAILY, NO_VEGETABLES),
        points.listed(values, (catalogue.ANTIHYPERTENSIVE,), PRESSURE),
        points.listed(values, (catalogue.GLUCOSE_RAISED_EVER,), GLUCOSE),
        _family(values),
    )
    return (points.estimate(ID, VERSION, "findrisc", msg("FINDRISC"), items, band),)


def _habit(values: FeatureValues, feature: Any, worth: int) -> points.Item:
    """Points unless the record says that the habit is there; without an answer they stay open."""
    found = values.usable(feature)
    if found is None:
        return points.unsettled(worth, (points.judged(feature),))
    return points.settled(0 if found.value is True else worth, (found,))


def _family(values: FeatureValues) -> points.Item:
    """Diabetes in the family: at least a distant relative if it is listed, for the list does not say how close."""
    found = values[catalogue.FAMILY_DIABETES]
    most = FAMILY["first"]
    if isinstance(found, Unusable):
        return points.unsettled(most, (points.judged(catalogue.FAMILY_DIABETES),))
    assert isinstance(found, FeatureValue)
    if found.value is not True:
        return points.settled(0, (found,))
    words = msg("how close the relative is, is not on record")
    open_ = Unusable(catalogue.FAMILY_DIABETES, points.OPEN, words, found.effective, found.sources)
    return points.Item(FAMILY["second"], most, (found,), (open_,), catalogue.FAMILY_DIABETES.label)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("FINDRISC"),
    citation=Citation(
        "Lindstrom J, Tuomilehto J. The diabetes risk score: a practical tool to predict type 2 diabetes risk. "
        "Diabetes Care 2003;26:725-731",
        "https://doi.org/10.2337/diacare.26.3.725",
    ),
    features=(
        catalogue.DIABETES,
        catalogue.PREGNANCY,
        catalogue.AGE,
        catalogue.SEX,
        catalogue.BMI,
        catalogue.WAIST,
        catalogue.PHYSICALLY_ACTIVE,
        catalogue.VEGETABLES_DAILY,
        catalogue.ANTIHYPERTENSIVE,
        catalogue.GLUCOSE_RAISED_EVER,
        catalogue.FAMILY_DIABETES,
    ),
    compute=compute,
    vectors={"FINDRISC (8 item)": check, FIXTURES: check_fixture},
    limits=msg(
        "For adults without diabetes on the problem list, not in pregnancy; derived on Finns of 35 to 64 years. Habits "
        "and family are seldom coded: what is not recorded stays open, and the interval of possible points is given."
    ),
    tolerance=0.0,
)
