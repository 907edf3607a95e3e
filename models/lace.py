"""LACE index: death or unplanned readmission within 30 days of discharge, in points (0-19).

Source: van Walraven C et al. CMAJ 2010;182:551-557, doi:10.1503/cmaj.091117. From 10 points on the authors' group and
most programmes call the risk high; no guideline sets the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    ConditionFeature,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "lace", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/LACE_readmission_index.v1.test.yml"
DAYS = ((1, 1), (2, 2), (3, 3), (4, 4), (7, 5), (14, 7))  # (from whole days, points)
ACUTE = 3
# Comorbidity counts its points up to 3, and 5 from 4 points on.
COMORBIDITY_MOST, COMORBIDITY_FROM = 5, 4
VISITS_MOST = 4
CREATININE_ABOVE = 3.0  # mg/dL: kidney disease that counts as moderate or severe, by Charlson 1987

# The weights of this index, not those of Charlson.
WEIGHTS = {
    "infarction": 1,
    "cerebrovascular": 1,
    "peripheral": 1,
    "diabetes": 1,
    "heart_failure": 2,
    "diabetes_complicated": 2,
    "pulmonary": 2,
    "mild_liver_renal": 2,
    "tumor": 2,
    "dementia": 3,
    "connective": 3,
    "aids": 4,
    "severe_liver_renal": 4,
    "metastasis": 6,
}
ALONE: dict[str, ConditionFeature] = {
    "infarction": catalogue.CHARLSON_INFARCTION,
    "cerebrovascular": catalogue.CHARLSON_CEREBROVASCULAR,
    "peripheral": catalogue.CHARLSON_PERIPHERAL_VASCULAR,
    "heart_failure": catalogue.CHARLSON_HEART_FAILURE,
    "pulmonary": catalogue.CHARLSON_PULMONARY,
    "dementia": catalogue.CHARLSON_DEMENTIA,
    "connective": catalogue.CHARLSON_RHEUMATIC,
    "aids": catalogue.CHARLSON_AIDS,
}
PAIRS = {
    ("diabetes", "diabetes_complicated"): (catalogue.CHARLSON_DIABETES, catalogue.CHARLSON_DIABETES_COMPLICATED),
    ("tumor", "metastasis"): (catalogue.CHARLSON_MALIGNANCY, catalogue.CHARLSON_METASTASIS),
}
KIDNEYS_GONE = (catalogue.DIALYSIS, catalogue.KIDNEY_TRANSPLANT)
GROUPS = (
    *ALONE.values(),
    *(feature for pair in PAIRS.values() for feature in pair),
    catalogue.CHARLSON_MILD_LIVER,
    catalogue.CHARLSON_SEVERE_LIVER,
    catalogue.CHARLSON_RENAL,
    *KIDNEYS_GONE,
)
BANDS = (
    (float("-inf"), Band("low", msg("0 to 4, low"))),
    (5, Band("moderate", msg("5 to 9, moderate"))),
    (10, Band("high", msg("10 or more, high: plan the transition of care"))),
)
COMORBIDITY = msg("Comorbidity (weights of LACE)")
LISTED_ONLY = msg("Comorbidity is as complete as the problem list.")


def of_days(days: float) -> int:
    """Points of whole days in hospital; same-day discharge is 0."""
    return max((worth for start, worth in DAYS if days >= start), default=0)


def of_comorbidity(weight: float) -> int:
    """Points of the comorbidity weights."""
    return COMORBIDITY_MOST if weight >= COMORBIDITY_FROM else int(weight)


def of_visits(visits: float) -> int:
    """Points of emergency visits in the six months before."""
    return min(int(visits), VISITS_MOST)


def band(total: int) -> Band:
    """Low, moderate or high."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """LACE for one vector case; None if an input is null."""
    if any(inputs[name] is None for name in ("los", "acute", "cci", "ed")):
        return {"lace": None}
    total = of_days(inputs["los"]) + ACUTE * bool(inputs["acute"]) + of_comorbidity(inputs["cci"])
    return {"lace": total + of_visits(inputs["ed"])}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, whose answers carry their points."""
    total = int(sum(item["points"] for item in inputs.values()))
    return {"LACE Index Score": total}


def compute(values: FeatureValues) -> Result:
    """LACE of the present stay, or the interval of possible totals, for an adult."""
    age = published.adult(ID, values, msg("LACE"))
    if isinstance(age, NotEstimated):
        return age
    stay = values.unusable((catalogue.STAY_DAYS,))
    if stay:
        return published.not_applicable(ID, stay[0].words, stay)
    items = (
        points.measured(values, catalogue.STAY_DAYS, of_days, DAYS[-1][1]),
        points.listed(values, (catalogue.EMERGENCY_ADMISSION,), ACUTE),
        comorbidity(values),
        points.measured(values, catalogue.EMERGENCY_VISITS, of_visits, VISITS_MOST),
    )
    return (points.estimate(ID, VERSION, "lace", msg("LACE index"), items, band, notes=(LISTED_ONLY,)),)


def comorbidity(values: FeatureValues) -> points.Item:
    """The C of LACE: what is listed counts; what no list tells is open up to the most."""
    parts = [points.listed(values, (feature,), WEIGHTS[name]) for name, feature in ALONE.items()]
    parts += [
        points.graver(
            points.listed(values, (milder,), WEIGHTS[names[0]]), points.listed(values, (worse,), WEIGHTS[names[1]])
        )
        for names, (milder, worse) in PAIRS.items()
    ]
    parts.append(_liver_or_kidney(values))
    low, high = points.interval(parts)
    found = points.distinct([value for part in parts if part.low for value in part.found])
    missing = points.distinct([fault for part in parts if part.low < part.high for fault in part.missing])
    listed = found or parts[0].found
    shown = published.enumerated([value.feature.label for value in found]) if found else msg("none listed")
    return points.Item(of_comorbidity(low), of_comorbidity(high), listed, missing, COMORBIDITY, shown)


def _liver_or_kidney(values: FeatureValues) -> points.Item:
    """The graver of liver and kidney disease; kidney disease is severe on dialysis, transplanted or above 3 mg/dL."""
    mild = points.listed(values, (catalogue.CHARLSON_MILD_LIVER, catalogue.CHARLSON_RENAL), WEIGHTS["mild_liver_renal"])
    severe = points.listed(values, (catalogue.CHARLSON_SEVERE_LIVER, *KIDNEYS_GONE), WEIGHTS["severe_liver_renal"])
    if not severe.low and values.flag(catalogue.CHARLSON_RENAL):
        worth = WEIGHTS["severe_liver_renal"]
        severe = points.measured(values, catalogue.CREATININE, lambda v: worth * (v > CREATININE_ABOVE), worth)
    return points.graver(mild, severe)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("LACE index"),
    citation=Citation(
        "van Walraven C et al. Derivation and validation of an index to predict early death or unplanned readmission "
        "after discharge from hospital to the community. CMAJ 2010;182:551-557",
        "https://doi.org/10.1503/cmaj.091117",
    ),
    features=(
        catalogue.AGE,
        catalogue.STAY_DAYS,
        catalogue.EMERGENCY_ADMISSION,
        catalogue.EMERGENCY_VISITS,
        catalogue.CREATININE,
        *GROUPS,
    ),
    compute=compute,
    vectors={"LACE index": check, FIXTURES: check_fixture},
    limits=msg(
        "For adults at discharge from hospital to the community. Derived on medical and surgical patients in Ontario; "
        "discrimination is moderate (C about 0.68). It says who may need more help, not who must stay."
    ),
    tolerance=0.0,
)
