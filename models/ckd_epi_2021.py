"""CKD-EPI 2021: glomerular filtration rate from creatinine (and cystatin C), without race.

Source: Inker LA et al. N Engl J Med 2021;385:1737-1749, doi:10.1056/NEJMoa2102953, table of the 2021 equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
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
    additive,
    catalogue,
    msg,
    published,
)

ID, VERSION = "ckd-epi-2021", "1.1.0"
CYSTATIN_ID, CYSTATIN_VERSION = "ckd-epi-2021-cystatin", "1.1.0"
UNIT = "mL/min/{1.73_m2}"


@dataclass(frozen=True, slots=True)
class Equation:
    """factor x min(cr/kappa, 1)^below x max(cr/kappa, 1)^above x (the same of cystatin C) x decay^age.

    kappa: creatinine in mg/dL; cystatin_kappa: cystatin C in mg/L; the exponents of cystatin C are 0 in the
    equation that uses creatinine alone. factor holds the sex factor of the paper where there is one.
    """

    factor: float
    kappa: float
    below: float
    above: float
    decay: float  # per year of age
    cystatin_kappa: float = 0.8
    cystatin_below: float = 0.0
    cystatin_above: float = 0.0

    def __call__(self, creatinine: float, age: float, cystatin: float = 0.8) -> float:
        """GFR in mL/min/{1.73_m2} from creatinine in mg/dL, age in years and cystatin C in mg/L."""
        ratio, cystatin_ratio = creatinine / self.kappa, cystatin / self.cystatin_kappa
        return float(
            self.factor
            * (ratio**self.below if ratio < 1 else ratio**self.above)
            * (cystatin_ratio**self.cystatin_below if cystatin_ratio < 1 else cystatin_ratio**self.cystatin_above)
            * self.decay**age
        )


CREATININE = {
    "female": Equation(142 * 1.012, kappa=0.7, below=-0.241, above=-1.200, decay=0.9938),
    "male": Equation(142, kappa=0.9, below=-0.302, above=-1.200, decay=0.9938),
}
CREATININE_CYSTATIN_C = {
    "female": Equation(135 * 0.963, 0.7, -0.219, -0.544, 0.9961, 0.8, cystatin_below=-0.323, cystatin_above=-0.778),
    "male": Equation(135, 0.9, -0.144, -0.544, 0.9961, 0.8, cystatin_below=-0.323, cystatin_above=-0.778),
}
REFERENCE_AGE = 40  # of the reference person, whose creatinine is the kappa of the sex

BANDS = (  # KDIGO 2024 GFR categories, of the eGFR as reported (whole number)
    (float("-inf"), Band("G5", msg("G5, kidney failure, below 15"))),
    (15, Band("G4", msg("G4, severely decreased, 15 to 29"))),
    (30, Band("G3b", msg("G3b, moderately to severely decreased, 30 to 44"))),
    (45, Band("G3a", msg("G3a, mildly to moderately decreased, 45 to 59"))),
    (60, Band("G2", msg("G2, mildly decreased, 60 to 89"))),
    (90, Band("G1", msg("G1, normal or high, 90 or more"))),
)
GATES = (
    (catalogue.DIALYSIS, msg("eGFR says nothing about kidney function on dialysis")),
    (catalogue.ACUTE_KIDNEY_INJURY, msg("creatinine is not in a steady state: acute kidney injury is on record")),
    (catalogue.PREGNANCY, msg("the equation does not hold in pregnancy")),
)
TAKEN_TOGETHER = timedelta(days=30)
APART_NOTE = msg("Creatinine and cystatin C were measured more than 30 days apart.")
NOT_EXCLUDED = msg("Dialysis, acute kidney injury and pregnancy could not be excluded: no problem list was supplied.")


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """eGFR by both equations for one vector case; None where an equation lacks an input or does not speak."""
    sex, age, creatinine, cystatin = (inputs.get(name) for name in ("sex", "age", "scr", "scys"))
    if sex not in CREATININE or age is None or age < published.ADULT or not creatinine or creatinine < 0:
        return {"egfr": None, "egfr_cr_cys": None}
    return {
        "egfr": CREATININE[sex](creatinine, age),
        "egfr_cr_cys": CREATININE_CYSTATIN_C[sex](creatinine, age, cystatin) if cystatin else None,
    }


def compute(values: FeatureValues) -> Result:
    """eGFR from creatinine with its KDIGO category."""
    return _compute(values, ID, {"creatinine": catalogue.CREATININE})


def compute_with_cystatin(values: FeatureValues) -> Result:
    """eGFR from creatinine and cystatin C with its KDIGO category."""
    tests = {"creatinine": catalogue.CREATININE, "cystatin": catalogue.CYSTATIN_C}
    return _compute(values, CYSTATIN_ID, tests)


def _compute(values: FeatureValues, id_: str, tests: Mapping[str, Feature]) -> Result:
    known_age = published.adult(id_, values, msg("CKD-EPI 2021"))
    if isinstance(known_age, NotEstimated):
        return known_age
    age = published.whole_years(known_age)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(id_, gate)
    found = published.needed(id_, values, (*tests.values(), catalogue.SEX))
    if isinstance(found, NotEstimated):
        return found
    if unsteady := published.not_steady(id_, values):
        return unsteady
    notes: tuple[Message, ...] = (NOT_EXCLUDED,) if published.unknown_conditions(values, GATES) else ()
    measured = {name: found[feature.id] for name, feature in tests.items()}
    times = [value.effective for value in measured.values() if value.effective is not None]
    if id_ == ID:
        notes += published.of_creatinine(values)
    if times and max(times) - min(times) > TAKEN_TOGETHER:
        notes += (APART_NOTE,)
    return (_estimate(id_, age, measured, {catalogue.AGE.id: known_age, **found}, notes),)


def _estimate(
    id_: str,
    age: int,
    measured: Mapping[str, FeatureValue],
    found: Mapping[str, FeatureValue],
    notes: tuple[Message, ...],
) -> RiskEstimate:
    sex = str(found[catalogue.SEX.id].value)
    equation = (CREATININE if id_ == ID else CREATININE_CYSTATIN_C)[sex]
    at = {name: float(value.value) for name, value in measured.items()} | {"age": float(age)}
    usual = {"creatinine": equation.kappa, "cystatin": equation.cystatin_kappa}
    reference = {name: usual[name] for name in measured} | {"age": float(REFERENCE_AGE)}
    amounts = additive.shapley(equation, at, reference)
    egfr = equation(**at)
    return RiskEstimate(
        model_id=id_,
        version=VERSION if id_ == ID else CYSTATIN_VERSION,
        kind=EstimateKind.QUANTITY,
        outcome="egfr" if id_ == ID else "egfr_cr_cys",
        outcome_words=msg("eGFR") if id_ == ID else msg("eGFR (creatinine and cystatin C)"),
        horizon_years=None,
        value=egfr,
        unit=UNIT,
        band=published.band_of(round(egfr), BANDS),
        explanation=Explanation(
            scale=Scale.NATURAL,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=equation(**reference),
            baseline_words=_reference_words(
                sex, equation, "cystatin" in measured, found[catalogue.CREATININE.id].stated
            ),
            contributions=(
                *(published.contribution(amounts[name], (value,)) for name, value in measured.items()),
                published.contribution(amounts["age"], (found[catalogue.AGE.id],)),
            ),
            output=egfr,
        ),
        inputs=tuple(found.values()),
        effective=published.oldest(measured.values()),
        notes=(*notes, *published.remarks(found.values())),
    )


def _reference_words(sex: str, equation: Equation, with_cystatin: bool, stated: str | None) -> Message:
    creatinine = published.measured(catalogue.CREATININE, equation.kappa, stated)
    person = (
        msg("a woman aged {age} with creatinine {creatinine}", age=REFERENCE_AGE, creatinine=creatinine)
        if sex == "female"
        else msg("a man aged {age} with creatinine {creatinine}", age=REFERENCE_AGE, creatinine=creatinine)
    )
    if not with_cystatin:
        return person
    cystatin = published.with_unit(equation.cystatin_kappa, "mg/L", 1)
    return msg("{person} and cystatin C {cystatin}", person=person, cystatin=cystatin)


FEATURES = (
    catalogue.AGE,
    catalogue.SEX,
    catalogue.CREATININE,
    catalogue.CREATININE_UNSTEADY,
    catalogue.LITTLE_MUSCLE,
    *(feature for feature, _ in GATES),
)
CITATION = Citation(
    "Inker LA et al. New creatinine- and cystatin C-based equations to estimate GFR without race. "
    "N Engl J Med 2021;385:1737-1749",
    "https://doi.org/10.1056/NEJMoa2102953",
)
model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("CKD-EPI 2021 eGFR (creatinine)"),
    citation=CITATION,
    features=FEATURES,
    compute=compute,
    vectors={"CKD-EPI 2021 creatinine and creatinine-cystatin C eGFR": check},
    limits=msg(
        "For adults with a steady creatinine measured by a standardized method. Not on dialysis, in pregnancy, during "
        "acute kidney injury or while creatinine rises or falls as in one. Less certain with unusual muscle mass or "
        "diet. One value below 60 is not yet "
        "chronic kidney disease: that needs a second one more than 3 months apart. Age counts in completed years."
    ),
    tolerance=0.05,
)
with_cystatin = PublishedScore(
    id=CYSTATIN_ID,
    version=CYSTATIN_VERSION,
    title=msg("CKD-EPI 2021 eGFR (creatinine and cystatin C)"),
    citation=CITATION,
    features=(*FEATURES, catalogue.CYSTATIN_C),
    compute=compute_with_cystatin,
    vectors={},
    limits=msg(
        "As CKD-EPI 2021 from creatinine, and closer to measured GFR; KDIGO 2024 recommends it where a decision rests "
        "on GFR and cystatin C is at hand. Cystatin C is raised by smoking, obesity, inflammation, steroids and "
        "thyroid disease."
    ),
    tolerance=0.05,
)
