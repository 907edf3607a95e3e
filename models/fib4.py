"""FIB-4: a score of blood tests that stands for advanced fibrosis of the liver.

FIB-4 = age x AST / (platelets x sqrt(ALT)).
Source: Sterling RK et al. Hepatology 2006;43:1317-1325, doi:10.1002/hep.21178. Thresholds 1.3 and 2.67: AASLD
2023, doi:10.1097/HEP.0000000000000323; 2.0 from age 65: McPherson S et al. 2017, doi:10.1038/ajg.2016.453.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import floor, sqrt
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

ID, VERSION = "fib-4", "1.0.0"
LOWEST_AGE = 35
OLDER_AGE = 65
LOW_THRESHOLD = 1.3  # below: advanced fibrosis is unlikely
LOW_THRESHOLD_OLDER = 2.0  # the same from age 65
HIGH_THRESHOLD = 2.67  # above: advanced fibrosis is likely

REFERENCE = {"age": 45.0, "ast": 25.0, "alt": 25.0, "platelets": 250.0}
REFERENCE_WORDS = msg("a person aged 45 with AST 25 U/L, ALT 25 U/L and platelets 250 ×10⁹/L")
LOW = Band("low", msg("low, below 1.3"))
LOW_OLDER = Band("low", msg("low, below 2.0 (from age 65)"))
INDETERMINATE = Band("indeterminate", msg("indeterminate, 1.3 to 2.67"))
INDETERMINATE_OLDER = Band("indeterminate", msg("indeterminate, 2.0 (from age 65) to 2.67"))
HIGH = Band("high", msg("high, above 2.67"))
OLDER_NOTE = msg("From age 65 the lower threshold is 2.0 instead of 1.3, because age by itself raises FIB-4.")
APART_NOTE = msg("AST, ALT and platelets were measured more than 30 days apart.")
NOT_EXCLUDED = msg("Acute hepatitis could not be excluded: no problem list was supplied.")
GATES = ((catalogue.ACUTE_HEPATITIS, msg("FIB-4 does not hold in acute hepatitis, which itself raises AST and ALT")),)
BLOOD_TESTS = (catalogue.AST, catalogue.ALT, catalogue.PLATELETS)


def fib4(age: float, ast: float, alt: float, platelets: float) -> float:
    """FIB-4 from age in years, AST and ALT in U/L, platelets in 10*9/L."""
    return age * ast / (platelets * sqrt(alt))


def category(score: float, age: float) -> Band:
    """The band of a score at an age in years."""
    older = age >= OLDER_AGE
    if score > HIGH_THRESHOLD:
        return HIGH
    if score < (LOW_THRESHOLD_OLDER if older else LOW_THRESHOLD):
        return LOW_OLDER if older else LOW
    return INDETERMINATE_OLDER if older else INDETERMINATE


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The formula and its category for one vector case at any age; None without positive inputs."""
    age, ast, alt, platelets = (inputs[name] for name in ("age", "ast", "alt", "platelets"))
    if any(value is None or value <= 0 for value in (age, ast, alt, platelets)):
        return {"fib4": None, "category": None}
    score = fib4(age, ast, alt, platelets)
    return {"fib4": score, "category": category(score, age).id}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The formula for one GDL fixture, cut after two decimals."""
    names = {"age": "Age", "ast": "AST", "alt": "ALT", "platelets": "Platelet count"}
    score = fib4(**{ours: inputs[theirs]["value"] for ours, theirs in names.items()})
    return {"FIB-4 Score": {"value": floor(100 * score) / 100}}


def compute(values: FeatureValues) -> Result:
    """FIB-4 with its category, from age 35."""
    known_age = published.needed(ID, values, (catalogue.AGE,))
    if isinstance(known_age, NotEstimated):
        return known_age
    age = published.whole_years(known_age[catalogue.AGE.id])
    if age < LOWEST_AGE:
        reason = msg("FIB-4 is unreliable below age {low}; age is {age}", low=LOWEST_AGE, age=age)
        return published.not_applicable(ID, reason)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(ID, gate)
    found = published.needed(ID, values, BLOOD_TESTS)
    if isinstance(found, NotEstimated):
        return found
    if not all(float(value.value) > 0 for value in found.values()):
        return published.out_of_range(ID, [msg("AST, ALT and platelets must be above zero")])
    notes = (NOT_EXCLUDED,) if published.unknown_conditions(values, GATES) else ()
    return (_estimate(age, {**known_age, **found}, notes),)


def _estimate(age: int, found: Mapping[str, FeatureValue], notes: tuple[Message, ...]) -> RiskEstimate:
    names = dict(zip(REFERENCE, (found[f.id] for f in (catalogue.AGE, *BLOOD_TESTS)), strict=True))
    at = {name: float(value.value) for name, value in names.items()} | {"age": float(age)}
    amounts = additive.shapley(fib4, at, REFERENCE)
    score = fib4(**at)
    times = [value.effective for value in found.values() if value.effective is not None]
    if times and max(times) - min(times) > timedelta(days=30):
        notes += (APART_NOTE,)
    if age >= OLDER_AGE:
        notes += (OLDER_NOTE,)
    return RiskEstimate(
        model_id=ID,
        version=VERSION,
        kind=EstimateKind.QUANTITY,
        outcome="fib4",
        outcome_words=msg("FIB-4, a sign of advanced liver fibrosis"),
        horizon_years=None,
        value=score,
        unit="1",
        band=category(score, age),
        explanation=Explanation(
            scale=Scale.NATURAL,
            baseline_kind=Baseline.REFERENCE_PERSON,
            baseline=fib4(**REFERENCE),
            baseline_words=REFERENCE_WORDS,
            contributions=tuple(published.contribution(amounts[name], (value,)) for name, value in names.items()),
            output=score,
        ),
        inputs=tuple(found.values()),
        effective=published.oldest(found.values()),
        notes=(*notes, *published.remarks(found.values())),
    )


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("FIB-4"),
    citation=Citation(
        "Sterling RK et al. Development of a simple noninvasive index to predict significant fibrosis. "
        "Hepatology 2006;43:1317-1325",
        "https://doi.org/10.1002/hep.21178",
    ),
    features=(catalogue.AGE, *BLOOD_TESTS, *(feature for feature, _ in GATES)),
    compute=compute,
    vectors={
        "FIB-4": check,
        "gdl-lang/common-clinical-models gdl2/Fibrosis-4_FIB-4_Index_for_Liver_Fibrosis_guideline.v1.test.yml": (
            check_fixture
        ),
    },
    limits=msg(
        "From age 35; not in acute hepatitis. From age 65 the lower threshold is 2.0. It rules advanced fibrosis out "
        "better than in, and was derived in people with chronic hepatitis C and HIV. Anything else that lowers "
        "platelets or raises AST moves it too. Age counts in completed years."
    ),
    trend=Trend(by=(catalogue.AST, catalogue.PLATELETS), worth=0.3),
    tolerance=1e-4,
)
