"""Padua prediction score: venous thrombosis in medical inpatients, in points (0-20).

Source: Barbar S et al. J Thromb Haemost 2010;8:2450-2457, doi:10.1111/j.1538-7836.2010.04044.x, table 1. From 4 points
prophylaxis, unless the risk of bleeding is high: ACCP 2012 (9th edition), doi:10.1378/chest.11-2296; ASH 2018,
doi:10.1182/bloodadvances.2018022954.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    ConditionFeature,
    Feature,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    age_in_fixture,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "padua", "1.0.0"
POINTS = {
    "cancer": 3,
    "prev_vte": 3,
    "mobility": 3,
    "thrombophilia": 3,
    "trauma": 2,
    "elderly": 1,
    "hrf": 1,
    "mi_stroke": 1,
    "infection": 1,
    "obesity": 1,
    "hormone": 1,
}
AGE_FROM = 70  # years
BMI_FROM = 30.0  # kg/m2
HIGH = 4
YES_NO = tuple(name for name in POINTS if name not in ("elderly", "obesity"))
IN_FIXTURES = {
    "Active cancer": "cancer",
    "Previous VTE": "prev_vte",
    "Reduced mobility": "mobility",
    "Known thrombophilic condition": "thrombophilia",
    "Recent (<= 1 month trauma +/- surgery)": "trauma",
    "Heart +/- respiratory failure": "hrf",
    "Acure MI +/- stroke": "mi_stroke",
    "Acute infection +/- rheumatological disorder": "infection",
    "Ongoing hormonal treatment": "hormone",
}
LISTED: dict[str, tuple[Feature, ...]] = {
    "cancer": (catalogue.CANCER,),
    "prev_vte": (catalogue.VTE_EVER,),
    "thrombophilia": (catalogue.THROMBOPHILIA,),
    "trauma": (catalogue.RECENT_TRAUMA, catalogue.SURGERY_MONTH),
    "hrf": (catalogue.HEART_FAILURE, catalogue.RESPIRATORY_FAILURE),
    "mi_stroke": (catalogue.ACUTE_INFARCTION_OR_STROKE,),
    "infection": (catalogue.INFECTION, catalogue.CHARLSON_RHEUMATIC),
    "hormone": (catalogue.HORMONE,),
}
LABELS = {
    "cancer": msg("Active cancer"),
    "prev_vte": msg("Venous thrombosis or embolism before"),
    "thrombophilia": msg("Thrombophilia"),
    "trauma": msg("Injury or surgery in the last month"),
    "hrf": msg("Heart or respiratory failure"),
    "mi_stroke": msg("Acute myocardial infarction or ischemic stroke"),
    "infection": msg("Acute infection or rheumatic disease"),
    "hormone": msg("Hormonal treatment"),
}
BANDS = (
    (float("-inf"), Band("low", msg("below 4, low"))),
    (HIGH, Band("high", msg("4 or more, high: prophylaxis unless the risk of bleeding is high"))),
)
ON_LIST = msg("Padua counts what is on the lists; whether somebody gets out of bed is seldom there.")


def total(items: Mapping[str, bool]) -> int:
    """The points of the items in `POINTS`."""
    return sum(POINTS[name] for name, present in items.items() if present)


def band(points_: int) -> Band:
    """Low or high."""
    return published.band_of(points_, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in (*YES_NO, "age", "bmi")):
        return {"padua": None}
    items = {name: bool(inputs[name]) for name in YES_NO}
    items |= {"elderly": inputs["age"] >= AGE_FROM, "obesity": inputs["bmi"] >= BMI_FROM}
    return {"padua": total(items)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture; what it does not name is absent."""
    items = {name: inputs.get(title, {}).get("label") == "Yes" for title, name in IN_FIXTURES.items()}
    stated = inputs.get("Age")
    age = int(stated["value"]) if stated is not None else age_in_fixture(str(inputs["Birthdate"]))
    obese, elderly = inputs["Body Mass Index"]["value"] >= BMI_FROM, age >= AGE_FROM
    points_ = total({**items, "elderly": elderly, "obesity": obese})
    return {
        "Total Score": points_,
        "Age": {"value": float(age)},
        "Obesity (BMI>= 30)": {"points": float(POINTS["obesity"] * obese)},
        "Elderly (>= 70 yrs)": {"points": float(POINTS["elderly"] * elderly)},
    }


def compute(values: FeatureValues) -> Result:
    """The score, or the interval of possible totals, for an adult."""
    age = published.adult(ID, values, msg("The Padua score"))
    if isinstance(age, NotEstimated):
        return age
    years = published.whole_years(age)
    if values.flag(catalogue.PREGNANCY):
        return published.not_applicable(ID, msg("the Padua score is not for pregnancy, which has its own rules"))
    items = (
        *(points.listed(values, features, POINTS[name], LABELS[name]) for name, features in LISTED.items()),
        _mobility(values),
        points.settled(POINTS["elderly"] * (years >= AGE_FROM), (age,)),
        points.measured(values, catalogue.BMI, lambda v: POINTS["obesity"] * (v >= BMI_FROM), POINTS["obesity"]),
    )
    return (points.estimate(ID, VERSION, "padua", msg("Padua score"), items, band, notes=(ON_LIST,)),)


def _mobility(values: FeatureValues) -> points.Item:
    """Bed rest expected for three days or more, which a list seldom tells: without an entry the points stay open."""
    feature: ConditionFeature = catalogue.REDUCED_MOBILITY
    found = values.usable(feature)
    if found is not None and found.value is True:
        return points.settled(POINTS["mobility"], (found,))
    return points.unsettled(POINTS["mobility"], (points.judged(feature),))


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Padua score"),
    citation=Citation(
        "Barbar S et al. A risk assessment model for the identification of hospitalized medical patients at risk for "
        "venous thromboembolism: the Padua Prediction Score. J Thromb Haemost 2010;8:2450-2457",
        "https://doi.org/10.1111/j.1538-7836.2010.04044.x",
    ),
    features=(
        catalogue.AGE,
        catalogue.PREGNANCY,
        *(feature for features in LISTED.values() for feature in features),
        catalogue.REDUCED_MOBILITY,
        catalogue.BMI,
    ),
    compute=compute,
    vectors={
        "Padua prediction score": check,
        "gdl-lang/common-clinical-models gdl2/Padua_prediction.v1.test.yml": check_fixture,
    },
    limits=msg(
        "For adult medical inpatients; surgical and obstetric patients have their own rules. Reduced mobility counts "
        "if it is listed and stays open otherwise. Cancer counts while it is active on the problem list."
    ),
    tolerance=0.0,
)
