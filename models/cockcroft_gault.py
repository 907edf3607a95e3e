"""Cockcroft-Gault: creatinine clearance, by which most drug labels dose; with the weight that it rests on.

Source: Cockcroft DW, Gault MH. Nephron 1976;16:31-41, doi:10.1159/000180580. Ideal weight: Devine BJ 1974, in Pai MP,
Paloucek FP. Ann Pharmacother 2000;34:1066-1069, doi:10.1345/aph.19381. Adjusted weight (factor 0.4): Winter MA et al.
Pharmacotherapy 2012;32:604-612, doi:10.1002/j.1875-9114.2012.01098.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from cds_service.api import (
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
    additive,
    age_in_fixture,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "cockcroft-gault", "1.1.0"
OLDEST, DIVISOR = 140, 72.0
SEX_FACTOR = {"female": 0.85, "male": 1.0}
OBESE = 30.0  # kg/m2: from here the result with ideal and with adjusted weight is given too
IDEAL_AT_60_INCHES = {"female": 45.5, "male": 50.0}  # kg
IDEAL_PER_INCH = 2.3  # kg
SHORTEST_IN = 60.0  # inches: below, Devine's formula does not speak
CM_PER_INCH = 2.54
ADJUSTMENT = 0.4  # share of the excess over the ideal weight
UNIT = "mL/min"

REFERENCE = {"age": 40.0, "weight": 70.0, "creatinine": 1.0}
GATES = (
    (catalogue.DIALYSIS, msg("creatinine clearance cannot be estimated on dialysis")),
    (catalogue.ACUTE_KIDNEY_INJURY, msg("creatinine is not in a steady state: acute kidney injury is on record")),
    (catalogue.PREGNANCY, msg("the equation does not hold in pregnancy")),
)
NOT_EXCLUDED = msg("Dialysis, acute kidney injury and pregnancy could not be excluded: no problem list was supplied.")
OUTCOMES = {
    "actual": ("creatinine_clearance", msg("creatinine clearance (actual weight)")),
    "adjusted": ("creatinine_clearance_adjusted", msg("creatinine clearance (adjusted weight)")),
    "ideal": ("creatinine_clearance_ideal", msg("creatinine clearance (ideal weight)")),
}


def clearance(sex: str, age: float, weight: float, creatinine: float) -> float:
    """Creatinine clearance in mL/min from age in years, weight in kg and creatinine in mg/dL."""
    return (OLDEST - age) * weight / (DIVISOR * creatinine) * SEX_FACTOR[sex]


def ideal_weight(sex: str, height: float) -> float | None:
    """Devine's ideal weight in kg from height in cm; None below 60 inches, where it is not defined."""
    inches = height / CM_PER_INCH
    return IDEAL_AT_60_INCHES[sex] + IDEAL_PER_INCH * (inches - SHORTEST_IN) if inches >= SHORTEST_IN else None


def adjusted_weight(actual: float, ideal: float) -> float:
    """Ideal weight plus a share of the excess, in kg."""
    return ideal + ADJUSTMENT * (actual - ideal)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bare formula with actual weight for one vector case at any age; None without positive inputs."""
    age, weight, creatinine = (inputs[name] for name in ("age", "weight", "scr"))
    if inputs["sex"] not in SEX_FACTOR or any(value is None or value <= 0 for value in (age, weight, creatinine)):
        return {"crcl": None}
    return {"crcl": clearance(inputs["sex"], age, weight, creatinine)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, which gives a date of birth and rounds up to whole numbers."""
    age = age_in_fixture(inputs["Birthdate"])
    sex = inputs["Gender"]["label"].lower()
    value = clearance(sex, age, inputs["Weight"]["value"], inputs["Creatinine"]["value"])
    return {"Age": {"value": float(age)}, "Creatinine clearance": {"value": float(ceil(value))}}


def compute(values: FeatureValues) -> Result:
    """Creatinine clearance with actual weight; from BMI 30 also with adjusted and ideal weight."""
    known_age = published.adult(ID, values, msg("Cockcroft-Gault"))
    if isinstance(known_age, NotEstimated):
        return known_age
    age = published.whole_years(known_age)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(ID, gate)
    found = published.needed(ID, values, (catalogue.CREATININE, catalogue.SEX, catalogue.WEIGHT))
    if isinstance(found, NotEstimated):
        return found
    if unsteady := published.not_steady(ID, values):
        return unsteady
    notes = (NOT_EXCLUDED,) if published.unknown_conditions(values, GATES) else ()
    notes += published.of_creatinine(values)
    return _estimates(values, age, {catalogue.AGE.id: known_age, **found}, notes)


def _estimates(
    values: FeatureValues, age: int, found: Mapping[str, FeatureValue], notes: tuple[Message, ...]
) -> tuple[RiskEstimate, ...]:
    sex, actual = str(found[catalogue.SEX.id].value), found[catalogue.WEIGHT.id]
    weights: dict[str, tuple[float, tuple[FeatureValue, ...]]] = {"actual": (float(actual.value), (actual,))}
    bmi, height = values.number(catalogue.BMI), values.usable(catalogue.HEIGHT)
    if bmi is None or bmi < OBESE:
        return (_estimate(sex, age, found, "actual", weights["actual"], notes),)
    ideal = None if height is None else ideal_weight(sex, float(height.value))
    if ideal is None or height is None:
        notes += (msg("BMI {bmi}: ideal and adjusted weight need a height from 152 cm.", bmi=f"{bmi:.1f}"),)
    else:
        notes += (msg("BMI {bmi}: actual weight overstates clearance, ideal weight understates it.", bmi=f"{bmi:.1f}"),)
        weights["adjusted"] = (adjusted_weight(float(actual.value), ideal), (actual, height))
        weights["ideal"] = (ideal, (height,))
    return tuple(_estimate(sex, age, found, kind, weight, notes) for kind, weight in weights.items())


def _estimate(
    sex: str,
    age: int,
    found: Mapping[str, FeatureValue],
    kind: str,
    weight: tuple[float, tuple[FeatureValue, ...]],
    notes: tuple[Message, ...],
) -> RiskEstimate:
    kilograms, weighed = weight
    creatinine = found[catalogue.CREATININE.id]
    at = {"age": float(age), "weight": kilograms, "creatinine": float(creatinine.value)}

    def equation(**inputs: float) -> float:
        return clearance(sex, **inputs)

    amounts = additive.shapley(equation, at, REFERENCE)
    outcome, words = OUTCOMES[kind]
    inputs = points.distinct((*found.values(), *weighed))
    value = equation(**at)
    return RiskEstimate(
        model_id=ID,
        version=VERSION,
        kind=EstimateKind.QUANTITY,
        outcome=outcome,
        outcome_words=words,
        horizon_years=None,
        value=value,
        unit=UNIT,
        band=None,
        explanation=Explanation(
            scale=Scale.NATURAL,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=equation(**REFERENCE),
            baseline_words=msg(
                "a person of the same sex aged 40 with weight 70 kg and creatinine {creatinine}",
                creatinine=published.measured(catalogue.CREATININE, REFERENCE["creatinine"], creatinine.stated),
            ),
            contributions=(
                published.contribution(amounts["creatinine"], (creatinine,)),
                published.contribution(amounts["age"], (found[catalogue.AGE.id],)),
                published.contribution(
                    amounts["weight"],
                    weighed,
                    label=catalogue.WEIGHT.label,
                    value=published.with_unit(kilograms, "kg", 1),
                ),
            ),
            output=value,
        ),
        inputs=inputs,
        effective=published.oldest(inputs),
        notes=(*notes, *published.remarks(inputs)),
    )


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Creatinine clearance (Cockcroft-Gault)"),
    citation=Citation(
        "Cockcroft DW, Gault MH. Prediction of creatinine clearance from serum creatinine. Nephron 1976;16:31-41",
        "https://doi.org/10.1159/000180580",
    ),
    features=(
        catalogue.AGE,
        catalogue.SEX,
        catalogue.CREATININE,
        catalogue.CREATININE_UNSTEADY,
        catalogue.WEIGHT,
        catalogue.HEIGHT,
        catalogue.BMI,
        catalogue.LITTLE_MUSCLE,
        *(feature for feature, _ in GATES),
    ),
    compute=compute,
    vectors={
        "Cockcroft-Gault creatinine clearance (actual body weight)": check,
        "gdl-lang/common-clinical-models gdl2/Creatinine_Clearance_Cockcroft_Gault.v1.test.yml": check_fixture,
    },
    limits=msg(
        "For adults with a steady creatinine; not on dialysis, in pregnancy or during acute kidney injury. With actual "
        "weight, as in the studies behind the labels of direct oral anticoagulants; from BMI 30 also with adjusted and "
        "ideal weight. In mL/min, not per 1.73 m²: not to be compared with eGFR. Age counts in completed years."
    ),
    tolerance=0.05,
)
