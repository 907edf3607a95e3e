"""SCORE2 and SCORE2-OP: 10-year risk of cardiovascular disease in Europe, ages 40 to 69 and 70 to 89, by risk region.

Each region is a model of its own, all of them off: a site enables that of its country.
Sources: SCORE2 working group. Eur Heart J 2021;42:2439-2454, doi:10.1093/eurheartj/ehab309; SCORE2-OP working group.
Eur Heart J 2021;42:2455-2467, doi:10.1093/eurheartj/ehab312; coefficients as printed in the supplements, with those of
the authors' Stata programs as a check. Bands: ESC guidelines on cardiovascular disease prevention 2021, Visseren FLJ et
al. Eur Heart J 2021;42:3227-3337, doi:10.1093/eurheartj/ehab484, table 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import exp, log
from typing import Any

from cds_service.api import (
    Band,
    Baseline,
    Citation,
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

VERSION = "1.0.0"
AGES = (40, 89)
OLDER = 70  # years: from here SCORE2-OP
MG_DL_PER_MMOL_L = 38.67
Variable, Term = additive.Variable, additive.Term
VARIABLES = {
    "SCORE2": {
        "age": Variable("age", centre=60, per=5, unit="a"),
        "smoking": Variable("smoking"),
        "sbp": Variable("sbp", centre=120, per=20, unit="mm[Hg]"),
        "total_cholesterol": Variable("total_cholesterol", centre=6, unit="mmol/L"),
        "hdl": Variable("hdl", centre=1.3, per=0.5, unit="mmol/L"),
    },
    "SCORE2-OP": {
        "age": Variable("age", centre=73, unit="a"),
        "smoking": Variable("smoking"),
        "sbp": Variable("sbp", centre=150, unit="mm[Hg]"),
        "total_cholesterol": Variable("total_cholesterol", centre=6, unit="mmol/L"),
        "hdl": Variable("hdl", centre=1.4, unit="mmol/L"),
    },
}


@dataclass(frozen=True, slots=True)
class Equation:
    """A Cox equation: its terms, baseline survival at 10 years, and mean predictor.

    The terms for diabetes are left out: neither equation is for people who have it.
    """

    terms: tuple[additive.Term, ...]
    survival: float
    mean: float = 0.0


EQUATIONS = {
    ("SCORE2", "male"): Equation(
        (
            Term(0.3742, "age"),
            Term(0.6012, "smoking"),
            Term(0.2777, "sbp"),
            Term(0.1458, "total_cholesterol"),
            Term(-0.2698, "hdl"),
            Term(-0.0755, "age", "smoking"),
            Term(-0.0255, "age", "sbp"),
            Term(-0.0281, "age", "total_cholesterol"),
            Term(0.0426, "age", "hdl"),
        ),
        survival=0.9605,
    ),
    ("SCORE2", "female"): Equation(
        (
            Term(0.4648, "age"),
            Term(0.7744, "smoking"),
            Term(0.3131, "sbp"),
            Term(0.1002, "total_cholesterol"),
            Term(-0.2606, "hdl"),
            Term(-0.1088, "age", "smoking"),
            Term(-0.0277, "age", "sbp"),
            Term(-0.0226, "age", "total_cholesterol"),
            Term(0.0613, "age", "hdl"),
        ),
        survival=0.9776,
    ),
    ("SCORE2-OP", "male"): Equation(
        (
            Term(0.0634, "age"),
            Term(0.3524, "smoking"),
            Term(0.0094, "sbp"),
            Term(0.0850, "total_cholesterol"),
            Term(-0.3564, "hdl"),
            Term(-0.0247, "age", "smoking"),
            Term(-0.0005, "age", "sbp"),
            Term(0.0073, "age", "total_cholesterol"),
            Term(0.0091, "age", "hdl"),
        ),
        survival=0.7576,
        mean=0.0929,
    ),
    ("SCORE2-OP", "female"): Equation(
        (
            Term(0.0789, "age"),
            Term(0.4921, "smoking"),
            Term(0.0102, "sbp"),
            Term(0.0605, "total_cholesterol"),
            Term(-0.3040, "hdl"),
            Term(-0.0255, "age", "smoking"),
            Term(-0.0004, "age", "sbp"),
            Term(-0.0009, "age", "total_cholesterol"),
            Term(0.0154, "age", "hdl"),
        ),
        survival=0.8082,
        mean=0.2288,
    ),
}
REGIONS = ("low", "moderate", "high", "very-high")
SCALES = {  # (equation, region, sex): intercept and slope of the recalibration
    ("SCORE2", "low", "male"): (-0.5699, 0.7476),
    ("SCORE2", "low", "female"): (-0.7380, 0.7019),
    ("SCORE2", "moderate", "male"): (-0.1565, 0.8009),
    ("SCORE2", "moderate", "female"): (-0.3143, 0.7701),
    ("SCORE2", "high", "male"): (0.3207, 0.9360),
    ("SCORE2", "high", "female"): (0.5710, 0.9369),
    ("SCORE2", "very-high", "male"): (0.5836, 0.8294),
    ("SCORE2", "very-high", "female"): (0.9412, 0.8329),
    ("SCORE2-OP", "low", "male"): (-0.34, 1.19),
    ("SCORE2-OP", "low", "female"): (-0.52, 1.01),
    ("SCORE2-OP", "moderate", "male"): (0.01, 1.25),
    ("SCORE2-OP", "moderate", "female"): (-0.10, 1.10),
    ("SCORE2-OP", "high", "male"): (0.08, 1.15),
    ("SCORE2-OP", "high", "female"): (0.38, 1.09),
    ("SCORE2-OP", "very-high", "male"): (0.05, 0.70),
    ("SCORE2-OP", "very-high", "female"): (0.38, 0.69),
}
NON_HDL_GOAL = 100.0  # mg/dL, 2.6 mmol/L: the secondary goal at high risk
OPTIMAL = {"sbp": 120.0, "total_cholesterol": 5.0, "hdl": 1.3, "smoking": 0.0}

MEASURED = {"sbp": catalogue.SBP, "total_cholesterol": catalogue.TOTAL_CHOLESTEROL, "hdl": catalogue.HDL}
NEEDED: tuple[Feature, ...] = (catalogue.SEX, *MEASURED.values(), catalogue.SMOKING)
KNOWN_CVD = msg("SCORE2 is for people without known cardiovascular disease")
DIABETES_OWN = msg("SCORE2 is not for people with diabetes")
EXCLUDED = (
    (catalogue.CORONARY_DISEASE, KNOWN_CVD),
    (catalogue.VASCULAR_DISEASE, KNOWN_CVD),
    (catalogue.STROKE_TIA, KNOWN_CVD),
    (catalogue.DIABETES, DIABETES_OWN),
)
GATES = (
    *EXCLUDED,
    (catalogue.CKD, msg("SCORE2 is not for people with chronic kidney disease")),
    (catalogue.PREGNANCY, msg("SCORE2 does not hold in pregnancy")),
)
LOW, HIGH, VERY_HIGH = msg("low to moderate"), msg("high"), msg("very high")
THRESHOLDS = ((40, (2.5, 7.5)), (50, (5.0, 10.0)), (70, (7.5, 15.0)))  # from this age: high and very high, in percent
BAND_NOTE = msg("Thresholds of the ESC prevention guideline 2021 for this age.")
SMOKING_WORDS = {"current": msg("current smoker"), "former": msg("former smoker"), "never": msg("never smoked")}


def equation_of(age: float) -> str:
    """SCORE2 up to 69 years, SCORE2-OP from 70."""
    return "SCORE2-OP" if age >= OLDER else "SCORE2"


def variables(name: str, person: Mapping[str, float]) -> dict[str, float]:
    """The centred variables of a person: age in years, cholesterol in mmol/L, pressure in mm[Hg], smoking 0 or 1."""
    return {key: variable(person[key]) for key, variable in VARIABLES[name].items()}


def log_hazard(name: str, region: str, sex: str, at: Mapping[str, float]) -> float:
    """Logarithm of the cumulative hazard at 10 years, recalibrated to the region."""
    equation, (intercept, slope) = EQUATIONS[name, sex], SCALES[name, region, sex]
    predictor = additive.linear_predictor(-equation.mean, equation.terms, at)
    return intercept + slope * (log(-log(equation.survival)) + predictor)


def probability(log_hazard_: float) -> float:
    """The risk (0-1) of a cumulative hazard."""
    return 1.0 - exp(-exp(log_hazard_))


def band(risk: float, age: float) -> Band:
    """The band of a risk (0-1), compared as printed, at an age."""
    high, very_high = next(limits for youngest, limits in reversed(THRESHOLDS) if age >= youngest)
    percent = round(100 * risk, 1)
    if percent >= very_high:
        return Band("very-high", msg("very high, {limit}% or higher", limit=f"{very_high:g}"))
    if percent >= high:
        return Band("high", msg("high, {low}% to below {limit}%", low=f"{high:g}", limit=f"{very_high:g}"))
    return Band("low-moderate", msg("low to moderate, below {limit}%", limit=f"{high:g}"))


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """10-year risk for one vector case with its region, cholesterol in mmol/L; None outside ages 40 to 89."""
    names = ("age", "sbp", "total_cholesterol", "hdl", "smoking")
    if not AGES[0] <= inputs["age"] <= AGES[1] or inputs.get("diabetes"):
        return {"cvd_10yr": None}
    name = equation_of(inputs["age"])
    at = variables(name, {key: float(inputs[key]) for key in names})
    return {"cvd_10yr": probability(log_hazard(name, inputs["region"], inputs["sex"], at))}


def compute(region: str, values: FeatureValues) -> Result:
    """The 10-year risk of cardiovascular disease in a region, ages 40 to 89."""
    id_ = f"score2-{region}"
    known_age = published.needed(id_, values, (catalogue.AGE,))
    if isinstance(known_age, NotEstimated):
        return known_age
    age = published.whole_years(known_age[catalogue.AGE.id])
    if not AGES[0] <= age <= AGES[1]:
        reason = msg("SCORE2 speaks for ages {low} to {high}; age is {age}", low=AGES[0], high=AGES[1], age=age)
        return published.not_applicable(id_, reason)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(id_, gate)
    found = published.needed(id_, values, (*NEEDED, *(feature for feature, _ in EXCLUDED)))
    if isinstance(found, NotEstimated):
        return found
    kept = {feature.id: found[feature.id] for feature in NEEDED}
    return (_estimate(region, age, {**known_age, **kept}),)


def _estimate(region: str, age: int, found: Mapping[str, FeatureValue]) -> RiskEstimate:
    name, sex = equation_of(age), str(found[catalogue.SEX.id].value)
    smoking = found[catalogue.SMOKING.id]
    at = variables(
        name,
        {
            "age": age,
            "smoking": float(smoking.value == "current"),
            "sbp": float(found[catalogue.SBP.id].value),
            "total_cholesterol": float(found[catalogue.TOTAL_CHOLESTEROL.id].value) / MG_DL_PER_MMOL_L,
            "hdl": float(found[catalogue.HDL.id].value) / MG_DL_PER_MMOL_L,
        },
    )
    reference = variables(name, {**OPTIMAL, "age": age})
    output, baseline = log_hazard(name, region, sex, at), log_hazard(name, region, sex, reference)
    slope = SCALES[name, region, sex][1]
    owners = {key: key for key in at}
    amounts = additive.product_contributions(EQUATIONS[name, sex].terms, at, reference, owners)
    stated = found[catalogue.HDL.id].stated
    shown = {**{key: found[feature.id] for key, feature in MEASURED.items()}, "smoking": smoking}
    return RiskEstimate(
        model_id=f"score2-{region}",
        version=VERSION,
        kind=EstimateKind.PROBABILITY,
        outcome="cvd",
        outcome_words=msg("cardiovascular disease"),
        horizon_years=10,
        value=probability(output),
        unit="1",
        band=band(probability(output), age),
        explanation=Explanation(
            scale=Scale.LOG_HAZARD,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=baseline,
            baseline_words=msg(
                "a person of the same age and sex with total cholesterol {total}, HDL cholesterol {hdl}, systolic "
                "pressure 120 mmHg, not smoking: {risk}%",
                total=published.measured(catalogue.TOTAL_CHOLESTEROL, 193.0, stated),
                hdl=published.measured(catalogue.HDL, 50.0, stated),
                risk=published.percent(probability(baseline)),
            ),
            contributions=tuple(
                published.contribution(slope * amounts[key], (value,), answers=SMOKING_WORDS)
                for key, value in shown.items()
            ),
            output=output,
        ),
        inputs=tuple(found.values()),
        effective=published.oldest(found.values()),
        notes=(BAND_NOTE, *published.remarks(found.values())),
    )


LEVERS = (
    levers.lower_to(catalogue.SBP, 130.0, levers.ESC_2021),
    levers.not_smoking(levers.ESC_2021),
    levers.lower_non_hdl(lambda estimates: NON_HDL_GOAL, levers.ESC_2021),
)


def _declared(region: str, title: Message) -> PublishedScore:
    return PublishedScore(
        id=f"score2-{region}",
        version=VERSION,
        title=title,
        citation=Citation(
            "SCORE2 working group and ESC Cardiovascular risk collaboration. SCORE2 risk prediction algorithms. "
            "Eur Heart J 2021;42:2439-2454",
            "https://doi.org/10.1093/eurheartj/ehab309",
        ),
        features=(catalogue.AGE, *NEEDED, *(feature for feature, _ in GATES)),
        compute=partial(compute, region),
        vectors={"SCORE2 and SCORE2-OP": check} if region == REGIONS[0] else {},
        limits=msg(
            "For ages 40 to 89 in Europe without known cardiovascular disease, diabetes or chronic kidney disease; "
            "SCORE2-OP from 70. Off until a site enables the region of its country. Familial hypercholesterolemia has "
            "its own rules."
        ),
        tolerance=1e-4,
        default_off=True,
        levers=LEVERS,
        trend=Trend(by=(catalogue.SBP, catalogue.TOTAL_CHOLESTEROL), worth=0.01, apart=timedelta(days=300)),
    )


low = _declared("low", msg("SCORE2 (low-risk region)"))
moderate = _declared("moderate", msg("SCORE2 (moderate-risk region)"))
high = _declared("high", msg("SCORE2 (high-risk region)"))
very_high = _declared("very-high", msg("SCORE2 (very-high-risk region)"))
