"""KFRE: risk of kidney failure (dialysis or transplant) within 2 and 5 years in chronic kidney disease stage 3 to 5.

Cox equations of four and of eight variables, calibrated for North America and for other regions.
Source: Tangri N et al. JAMA 2016;315:164-174, doi:10.1001/jama.2015.18202 (coefficients, baselines of both regions);
first published in JAMA 2011;305:1553-1559, doi:10.1001/jama.2011.451. Thresholds: KDIGO 2024, practice points 2.2.1
to 2.2.4, doi:10.1016/j.kint.2023.10.018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import exp, log
from typing import Any

from cds_service.api import (
    Band,
    Baseline,
    Citation,
    Contribution,
    EstimateKind,
    Explanation,
    Feature,
    FeatureValue,
    FeatureValues,
    Message,
    NotEstimated,
    PublishedScore,
    Result,
    RiskEstimate,
    Scale,
    Trend,
    additive,
    catalogue,
    levers,
    msg,
    published,
)

VERSION = "1.1.0"
BELOW = 60.0  # mL/min/{1.73_m2}: chronic kidney disease stage 3 and worse
HORIZONS = (2, 5)
Variable = additive.Variable
VARIABLES = {
    "age": Variable("age", centre=70.36, per=10, unit="a"),
    "male": Variable("male", centre=0.5642),
    "egfr": Variable("egfr", centre=36.11, per=5, unit="mL/min/{1.73_m2}"),
    "ln_acr": Variable("ln_acr", centre=5.137, unit="ln mg/g"),
    "albumin": Variable("albumin", centre=3.997, unit="g/dL"),
    "phosphate": Variable("phosphate", centre=3.916, unit="mg/dL"),
    "bicarbonate": Variable("bicarbonate", centre=25.57, unit="mmol/L"),
    "calcium": Variable("calcium", centre=9.355, unit="mg/dL"),
}
FOUR = {"age": -0.2201, "male": 0.2467, "egfr": -0.5567, "ln_acr": 0.4510}
EIGHT = {
    "age": -0.1992,
    "male": 0.1602,
    "egfr": -0.4919,
    "ln_acr": 0.3364,
    "albumin": -0.3441,
    "phosphate": 0.2604,
    "bicarbonate": -0.07354,
    "calcium": -0.2228,
}
COEFFICIENTS = {4: FOUR, 8: EIGHT}
NORTH_AMERICA, ELSEWHERE = "north-america", "other-regions"
SURVIVAL = {  # (variables, region): baseline survival at 2 and at 5 years
    (4, NORTH_AMERICA): {2: 0.9750, 5: 0.9240},
    (4, ELSEWHERE): {2: 0.9832, 5: 0.9365},
    (8, NORTH_AMERICA): {2: 0.9780, 5: 0.9301},
    (8, ELSEWHERE): {2: 0.9827, 5: 0.9245},
}
# The reference person of the explanation: the average of the cohorts, rounded, with the patient's own sex.
REFERENCE = {
    "age": 70.0,
    "egfr": 36.0,
    "ln_acr": log(170.0),
    "albumin": 4.0,
    "phosphate": 3.9,
    "bicarbonate": 25.6,
    "calcium": 9.4,
}
# Points of the version of 2011, which has been superseded by the equations: for the fixtures of others alone.
POINTS_2011 = {
    "eGFR, mL/min/1.73m²": {
        "10-14": -35, "15-19": -30, "20-24": -25, "25-29": -20, "30-34": -15, "35-39": -10, "40-44": -5, "45-49": 0,
        "50-54": 5, "55-59": 10,
    },
    "Sex": {"Male": -2, "Female": 0},
    "Urine albumin-to-creatinine ratio, mg/g": {"<30": 0, "30-300": -14, ">300": -22},
    "Age, years": {
        "<30": -4, "30-39": -2, "40-49": 0, "50-59": 2, "60-69": 4, "70-79": 6, "80-89": 8, ">=90": 10,
    },
    "Serum albumin, g/dL": {"<=2.5": -5, "2.6-3.0": 0, "3.1-3.5": 2, ">=3.6": 4},
    "Serum phosphorus, mg/dL": {"<3.5": 3, "3.5-4.5": 0, "4.6-5.5": -3, ">5.5": -5},
    "Serum bicarbonate, mEq/L": {"<18": -7, "18-22": -4, "23-25": -1, ">25": 0},
    "Serum calcium, mg/dL": {"<=8.5": -3, "8.6-9.5": 0, ">=9.6": 2},
}  # fmt: skip

MEASURED: dict[str, Feature] = {
    "age": catalogue.AGE,
    "male": catalogue.SEX,
    "egfr": catalogue.EGFR,
    "ln_acr": catalogue.UACR,
    "albumin": catalogue.ALBUMIN,
    "phosphate": catalogue.PHOSPHATE,
    "bicarbonate": catalogue.BICARBONATE,
    "calcium": catalogue.CALCIUM,
}
GATES = (
    (catalogue.DIALYSIS, msg("KFRE predicts kidney failure, which dialysis already is")),
    (catalogue.KIDNEY_TRANSPLANT, msg("KFRE does not hold after a kidney transplant")),
    (catalogue.ACUTE_KIDNEY_INJURY, msg("KFRE needs a steady eGFR: acute kidney injury is on the problem list")),
    (catalogue.PREGNANCY, msg("KFRE does not hold in pregnancy")),
)
NOT_CHRONIC = msg(
    "eGFR below 60 has not been shown to last more than 90 days, and chronic kidney disease is not on the problem list"
)
BANDS = {  # in percent, compared with the risk as printed (one decimal)
    5: (
        (float("-inf"), Band("below-3", msg("below 3%"))),
        (3.0, Band("referral", msg("3% to 5%: a reason to refer to nephrology"))),
        (5.0, Band("referral-due", msg("5% or higher: refer to nephrology"))),
    ),
    2: (
        (float("-inf"), Band("up-to-10", msg("10% or lower"))),
        (10.1, Band("multidisciplinary", msg("above 10%: multidisciplinary kidney care"))),
        (40.1, Band("preparation", msg("above 40%: prepare access and transplantation"))),
    ),
}
THRESHOLDS = msg("Thresholds of KDIGO 2024.")
CALIBRATION = {
    NORTH_AMERICA: msg("Calibrated for North America."),
    ELSEWHERE: msg("Calibrated for regions other than North America."),
}


def linear(coefficients: Mapping[str, float], person: Mapping[str, float]) -> float:
    """The linear predictor of a person: age in years, eGFR, ln of UACR in mg/g and so on."""
    return sum(coefficient * VARIABLES[name](person[name]) for name, coefficient in coefficients.items())


def probability(survival: float, predictor: float) -> float:
    """The risk (0-1) from baseline survival and linear predictor."""
    return float(1.0 - survival ** exp(predictor))


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both equations at both horizons for one vector case; None where an input is missing or the limits are left."""
    sex, acr, region = inputs["sex"], inputs.get("acr"), inputs["north_american"]
    names = ("age", "egfr", "albumin", "phosphate", "bicarbonate", "calcium")
    person = {name: float(inputs[name]) for name in names if inputs.get(name) is not None}
    if acr is not None and acr > 0 and sex in ("female", "male") and region is not None:
        person |= {"ln_acr": log(acr), "male": float(sex == "male")}
    speaks = person.get("age", 0.0) >= published.ADULT and person.get("egfr", BELOW) < BELOW
    outputs: dict[str, float | None] = {}
    for number, coefficients in COEFFICIENTS.items():
        survival = SURVIVAL[number, NORTH_AMERICA if region else ELSEWHERE]
        complete = speaks and all(name in person for name in coefficients)
        for years in HORIZONS:
            risk = probability(survival[years], linear(coefficients, person)) if complete else None
            outputs[f"kfre{number}_{years}yr"] = risk
    return outputs


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The points of 2011 for one GDL fixture; their table of probabilities is not used."""
    return {"Risk score": sum(table[inputs[name]["label"]] for name, table in POINTS_2011.items())}


@dataclass(frozen=True, slots=True)
class Edition:
    """One of the four: number of variables and region."""

    variables: int
    region: str

    @property
    def id(self) -> str:
        """`kfre-4`, `kfre-8`, and the same with `-other-regions`."""
        return f"kfre-{self.variables}" + ("" if self.region == NORTH_AMERICA else f"-{self.region}")

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """What the equation needs."""
        return tuple(MEASURED[name] for name in COEFFICIENTS[self.variables])


def compute(edition: Edition, values: FeatureValues) -> Result:
    """Risk of kidney failure within 2 and 5 years in an adult with chronic kidney disease and eGFR below 60."""
    known_age = published.adult(edition.id, values, msg("KFRE"))
    if isinstance(known_age, NotEstimated):
        return known_age
    age = published.whole_years(known_age)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(edition.id, gate)
    egfr = values.number(catalogue.EGFR)
    if egfr is not None and egfr >= BELOW:
        return published.not_applicable(edition.id, msg("KFRE is for eGFR below 60; eGFR is {egfr}", egfr=round(egfr)))
    if not values.flag(catalogue.CKD) and not values.flag(catalogue.EGFR_LASTINGLY_LOW):
        return published.not_applicable(edition.id, NOT_CHRONIC)
    found = published.needed(edition.id, values, edition.inputs)
    if isinstance(found, NotEstimated):
        return found
    if unsteady := published.not_steady(edition.id, values):
        return unsteady
    if float(found[catalogue.UACR.id].value) <= 0:
        return published.out_of_range(edition.id, [msg("Urine albumin-creatinine ratio must be above zero")])
    return tuple(_estimate(edition, age, found, years) for years in HORIZONS)


def _estimate(edition: Edition, age: int, found: Mapping[str, FeatureValue], years: int) -> RiskEstimate:
    coefficients = COEFFICIENTS[edition.variables]
    person = {
        name: float(found[MEASURED[name].id].value) for name in coefficients if name not in ("age", "male", "ln_acr")
    } | {
        "age": float(age),
        "male": float(found[catalogue.SEX.id].value == "male"),
        "ln_acr": log(float(found[catalogue.UACR.id].value)),
    }
    reference = {**REFERENCE, "male": person["male"]}
    output, baseline = linear(coefficients, person), linear(coefficients, reference)
    survival = SURVIVAL[edition.variables, edition.region][years]
    risk = probability(survival, output)
    return RiskEstimate(
        model_id=edition.id,
        version=VERSION,
        kind=EstimateKind.PROBABILITY,
        outcome="kidney_failure",
        outcome_words=msg("kidney failure"),
        horizon_years=years,
        value=risk,
        unit="1",
        band=published.band_of(round(100 * risk, 1), BANDS[years]),
        explanation=Explanation(
            scale=Scale.LOG_HAZARD,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=baseline,
            baseline_words=_reference_words(
                edition, published.percent(probability(survival, baseline)), found[catalogue.UACR.id].stated
            ),
            contributions=tuple(
                _contribution(name, coefficient, person, reference, found) for name, coefficient in coefficients.items()
            ),
            output=output,
        ),
        inputs=tuple(found.values()),
        effective=published.oldest(found.values()),
        notes=(THRESHOLDS, CALIBRATION[edition.region], *published.remarks(found.values())),
    )


def _contribution(
    name: str,
    coefficient: float,
    person: Mapping[str, float],
    reference: Mapping[str, float],
    found: Mapping[str, FeatureValue],
) -> Contribution:
    variable = VARIABLES[name]
    amount = coefficient * (variable(person[name]) - variable(reference[name]))
    return published.contribution(amount, (found[MEASURED[name].id],))


def _reference_words(edition: Edition, risk: str, stated: str | None) -> Message:
    uacr = published.measured(catalogue.UACR, 170.0, stated)
    if edition.variables == 4:
        return msg("a person of the same sex aged 70 with eGFR 36 and UACR {uacr}: {risk}%", uacr=uacr, risk=risk)
    return msg(
        "a person of the same sex aged 70 with eGFR 36, UACR {uacr}, albumin 4.0 g/dL, phosphate 3.9 mg/dL, "
        "bicarbonate 25.6 mmol/L and calcium 9.4 mg/dL: {risk}%",
        uacr=uacr,
        risk=risk,
    )


def _declared(edition: Edition, title: Message, vectors: Mapping[str, Any]) -> PublishedScore:
    return PublishedScore(
        id=edition.id,
        version=VERSION,
        title=title,
        citation=Citation(
            "Tangri N et al. Multinational assessment of accuracy of equations for predicting risk of kidney failure. "
            "JAMA 2016;315:164-174",
            "https://doi.org/10.1001/jama.2015.18202",
        ),
        features=(
            *edition.inputs,
            catalogue.CKD,
            catalogue.EGFR_LASTINGLY_LOW,
            catalogue.CREATININE_UNSTEADY,
            *(feature for feature, _ in GATES),
        ),
        compute=partial(compute, edition),
        vectors=vectors,
        limits=msg(
            "For adults with chronic kidney disease and eGFR below 60, not on dialysis and without a kidney "
            "transplant. Chronic means on the problem list, or eGFR below 60 at least twice over more than 90 days "
            "with none above in between. eGFR is CKD-EPI 2021; the equations were made with CKD-EPI 2009. Choose the "
            "calibration of your region. Death before kidney failure is not taken into account."
        ),
        tolerance=1e-4,
        levers=(levers.lower_by(catalogue.UACR, 0.3, 300.0, levers.ADA_KIDNEY),),
        trend=Trend(by=(catalogue.CREATININE, catalogue.UACR), worth=0.01),
        default_off=edition.region != NORTH_AMERICA,
    )


four = _declared(
    Edition(4, NORTH_AMERICA),
    msg("KFRE (4 variables)"),
    {
        "Kidney Failure Risk Equation, 4- and 8-variable, 2 and 5 y": check,
        "gdl-lang/common-clinical-models gdl2/Kidney_Failure_Risk_Calculator_guideline.v1.test.yml": check_fixture,
    },
)
eight = _declared(Edition(8, NORTH_AMERICA), msg("KFRE (8 variables)"), {})
four_elsewhere = _declared(Edition(4, ELSEWHERE), msg("KFRE (4 variables, outside North America)"), {})
eight_elsewhere = _declared(Edition(8, ELSEWHERE), msg("KFRE (8 variables, outside North America)"), {})
