"""MELD 3.0: short-term mortality in liver disease, as the score that ranks candidates for a transplant.

Source: Kim WR et al. Gastroenterology 2021;161:1887-1895, doi:10.1053/j.gastro.2021.08.050; bounds of the inputs as
in OPTN policy 9.1.D (2023). Threshold 15: AASLD/AST guideline on evaluation for liver transplantation, Martin P et al.
Hepatology 2014;59:1144-1165, doi:10.1002/hep.26972.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import floor, log
from typing import Any

from cds_service.api import (
    Band,
    Baseline,
    Citation,
    EstimateKind,
    Explanation,
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
    msg,
    published,
)

ID, VERSION = "meld-3-0", "1.0.0"
CONSTANT = 6.0
Term = additive.Term
TERMS = (
    Term(1.33, "female"),
    Term(4.56, "ln_bilirubin"),
    Term(0.82, "sodium_gap"),
    Term(-0.24, "sodium_gap", "ln_bilirubin"),
    Term(9.09, "ln_inr"),
    Term(11.14, "ln_creatinine"),
    Term(1.85, "albumin_gap"),
    Term(-1.83, "albumin_gap", "ln_creatinine"),
)
OWNERS = {
    "female": "sex",
    "ln_bilirubin": "bilirubin",
    "sodium_gap": "sodium",
    "ln_inr": "inr",
    "ln_creatinine": "creatinine",
    "albumin_gap": "albumin",
}
# The equation's own bounds: a value outside counts as the bound. Bilirubin mg/dL, creatinine mg/dL, sodium mmol/L,
# albumin g/dL.
BOUNDS = {
    "bilirubin": (1.0, float("inf")),
    "inr": (1.0, float("inf")),
    "creatinine": (1.0, 3.0),
    "sodium": (125.0, 137.0),
    "albumin": (1.5, 3.5),
}
LEAST, MOST = 6, 40  # bounds of the score
ON_DIALYSIS = 3.0  # mg/dL, what creatinine counts as with dialysis twice within a week
TRANSPLANT_EVALUATION = 15
BANDS = (
    (float("-inf"), Band("below-15", msg("below 15"))),
    (TRANSPLANT_EVALUATION, Band("at-least-15", msg("15 or more: evaluation for a liver transplant"))),
)

TESTS = {
    "bilirubin": catalogue.BILIRUBIN_QUARTER,
    "inr": catalogue.INR,
    "creatinine": catalogue.CREATININE_QUARTER,
    "sodium": catalogue.SODIUM_QUARTER,
    "albumin": catalogue.ALBUMIN_QUARTER,
}
NO_LIVER_DISEASE = msg("no chronic liver disease on the problem list")
GATES = ((catalogue.PREGNANCY, msg("MELD 3.0 was not derived in pregnancy")),)
ANTICOAGULATED = msg("The INR is raised by a vitamin K antagonist: MELD 3.0 overstates the liver disease.")
DIALYSIS_NOTE = msg("Dialysis is on record: creatinine counts as 3.0 mg/dL.")
APART_NOTE = msg("The blood tests were taken more than 7 days apart.")
BOUNDED_NOTE = msg("MELD 3.0 is a whole number from 6 to 40; contributions add up to it before rounding.")


def within_bounds(values: Mapping[str, float]) -> dict[str, float]:
    """The inputs as the equation counts them."""
    return {name: min(max(values[name], low), high) for name, (low, high) in BOUNDS.items()}


def variables(female: bool, bounded: Mapping[str, float]) -> dict[str, float]:
    """The variables of the equation from bounded inputs."""
    return {
        "female": float(female),
        "ln_bilirubin": log(bounded["bilirubin"]),
        "sodium_gap": BOUNDS["sodium"][1] - bounded["sodium"],
        "ln_inr": log(bounded["inr"]),
        "ln_creatinine": log(bounded["creatinine"]),
        "albumin_gap": BOUNDS["albumin"][1] - bounded["albumin"],
    }


def unrounded(at: Mapping[str, float]) -> float:
    """The equation before rounding."""
    return additive.linear_predictor(CONSTANT, TERMS, at)


def score(value: float) -> int:
    """The score of an unrounded value: rounded half up, 6 to 40."""
    return min(max(floor(value + 0.5), LEAST), MOST)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """MELD 3.0 and its unrounded value for one vector case; None if an input is null."""
    given = {name: inputs[name] for name in BOUNDS}
    if inputs["sex"] not in ("female", "male") or None in given.values():
        return {"meld_3_0": None, "unrounded": None}
    if inputs.get("dialysis"):
        given["creatinine"] = ON_DIALYSIS
    value = unrounded(variables(inputs["sex"] == "female", within_bounds(given)))
    return {"meld_3_0": score(value), "unrounded": value}


def compute(values: FeatureValues) -> Result:
    """MELD 3.0 for an adult with chronic liver disease."""
    diseases = (catalogue.CIRRHOSIS, catalogue.CHRONIC_LIVER_DISEASE)
    if not any(values.flag(disease) for disease in diseases):
        unknown = values.unusable(diseases)
        return published.not_applicable(ID, unknown[0].words if unknown else NO_LIVER_DISEASE, unknown)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(ID, gate)
    inputs = (catalogue.AGE, catalogue.SEX, *_measured(values).values())
    found = published.of_adult(ID, values, inputs, msg("MELD 3.0"))
    return found if isinstance(found, NotEstimated) else (_estimate(values, found),)


def _measured(values: FeatureValues) -> dict[str, Any]:
    """The tests that are needed: on dialysis creatinine is not, for it counts as 3.0 whatever it is."""
    dialysis = bool(values.flag(catalogue.DIALYSIS))
    return {name: feature for name, feature in TESTS.items() if not (dialysis and name == "creatinine")}


def _estimate(values: FeatureValues, found: Mapping[str, FeatureValue]) -> RiskEstimate:
    tests = {name: found[feature.id] for name, feature in _measured(values).items()}
    numbers = {name: float(value.value) for name, value in tests.items()}
    dialysis = values.usable(catalogue.DIALYSIS)
    if "creatinine" not in numbers:
        numbers["creatinine"] = ON_DIALYSIS
    female = found[catalogue.SEX.id].value == "female"
    at = variables(female, within_bounds(numbers))
    reference = dict.fromkeys(at, 0.0) | {"female": float(female)}
    amounts = additive.product_contributions(TERMS, at, reference, OWNERS)
    output = unrounded(at)
    shown = {**tests, "creatinine": tests.get("creatinine", dialysis)}
    inputs = (found[catalogue.SEX.id], *tests.values())
    return RiskEstimate(
        model_id=ID,
        version=VERSION,
        kind=EstimateKind.POINTS,
        outcome="meld_3_0",
        outcome_words=msg("MELD 3.0"),
        horizon_years=None,
        value=float(score(output)),
        unit="1",
        band=published.band_of(score(output), BANDS),
        explanation=Explanation(
            scale=Scale.NATURAL,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=unrounded(reference),
            baseline_words=msg(
                "a person of the same sex with bilirubin and creatinine at most 1.0 mg/dL, INR at most 1.0, sodium at "
                "least 137 mmol/L and albumin at least 3.5 g/dL"
            ),
            contributions=tuple(
                published.contribution(amounts[name], (value,)) for name, value in shown.items() if value is not None
            ),
            output=output,
        ),
        inputs=inputs,
        effective=published.oldest(inputs),
        notes=(*_notes(values, tests), *published.remarks(inputs)),
    )


def _notes(values: FeatureValues, tests: Mapping[str, FeatureValue]) -> tuple[Message, ...]:
    times = [value.effective for value in tests.values() if value.effective is not None]
    said = {
        ANTICOAGULATED: bool(values.flag(catalogue.VITAMIN_K_ANTAGONIST)),
        DIALYSIS_NOTE: bool(values.flag(catalogue.DIALYSIS)),
        APART_NOTE: bool(times) and max(times) - min(times) > timedelta(days=7),
        BOUNDED_NOTE: True,
    }
    return tuple(note for note, holds in said.items() if holds)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("MELD 3.0"),
    citation=Citation(
        "Kim WR et al. MELD 3.0: the Model for End-stage Liver Disease updated for the modern era. "
        "Gastroenterology 2021;161:1887-1895",
        "https://doi.org/10.1053/j.gastro.2021.08.050",
    ),
    features=(
        catalogue.AGE,
        catalogue.SEX,
        *TESTS.values(),
        catalogue.CIRRHOSIS,
        catalogue.CHRONIC_LIVER_DISEASE,
        catalogue.DIALYSIS,
        catalogue.VITAMIN_K_ANTAGONIST,
        catalogue.PREGNANCY,
    ),
    compute=compute,
    vectors={"MELD 3.0 (OPTN, adults)": check},
    limits=msg(
        "For adults with chronic liver disease on the problem list, from blood tests of the last 90 days. For ages 12 "
        "to 17 the score differs and is not given. Creatinine counts as 3.0 mg/dL on dialysis. A vitamin K antagonist "
        "raises it without worse liver disease. It ranks candidates for transplantation; it is no reason by itself."
    ),
    trend=Trend(by=(catalogue.BILIRUBIN_QUARTER, catalogue.CREATININE_QUARTER), worth=2.0, apart=timedelta(days=60)),
    tolerance=1e-4,
)
