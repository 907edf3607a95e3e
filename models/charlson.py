"""Charlson comorbidity index with the weights of 1987, and adjusted for age; comorbidities by Quan 2005.

Source: Charlson ME et al. J Chronic Dis 1987;40:373-383, doi:10.1016/0021-9681(87)90171-8; age: Charlson M et al.
J Clin Epidemiol 1994;47:1245-1251, doi:10.1016/0895-4356(94)90129-5; ICD-10: Quan H et al. Med Care 2005;43:1130-1139,
doi:10.1097/01.mlr.0000182534.19832.83.
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
    Refusal,
    Result,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "charlson", "1.0.0"
WEIGHTS = {
    "mi": 1, "chf": 1, "pvd": 1, "cevd": 1, "dementia": 1, "copd": 1, "ctd": 1, "pud": 1, "mild_liver": 1, "dm": 1,
    "dm_eod": 2, "hemiplegia": 2, "renal": 2, "malignancy": 2, "leukemia": 2, "lymphoma": 2, "sev_liver": 3,
    "mets": 6, "aids": 6,
}  # fmt: skip
INSTEAD = {"dm": "dm_eod", "mild_liver": "sev_liver", "malignancy": "mets"}  # the graver one alone counts
DECADES = ((50, 1), (60, 2), (70, 3), (80, 4))  # (from age, points)

# On a record lymphoma and leukemia are part of the one group of malignancies of Quan 2005.
ALONE: dict[str, ConditionFeature] = {
    "mi": catalogue.CHARLSON_INFARCTION,
    "chf": catalogue.CHARLSON_HEART_FAILURE,
    "pvd": catalogue.CHARLSON_PERIPHERAL_VASCULAR,
    "cevd": catalogue.CHARLSON_CEREBROVASCULAR,
    "dementia": catalogue.CHARLSON_DEMENTIA,
    "copd": catalogue.CHARLSON_PULMONARY,
    "ctd": catalogue.CHARLSON_RHEUMATIC,
    "pud": catalogue.CHARLSON_ULCER,
    "hemiplegia": catalogue.CHARLSON_PLEGIA,
    "renal": catalogue.CHARLSON_RENAL,
    "aids": catalogue.CHARLSON_AIDS,
}
PAIRS: dict[str, tuple[ConditionFeature, ConditionFeature]] = {
    "dm": (catalogue.CHARLSON_DIABETES, catalogue.CHARLSON_DIABETES_COMPLICATED),
    "mild_liver": (catalogue.CHARLSON_MILD_LIVER, catalogue.CHARLSON_SEVERE_LIVER),
    "malignancy": (catalogue.CHARLSON_MALIGNANCY, catalogue.CHARLSON_METASTASIS),
}
GROUPS = (*ALONE.values(), *(feature for pair in PAIRS.values() for feature in pair))

# The bands of the derivation cohort of 1987.
BANDS = (
    (float("-inf"), Band("0", msg("0: no comorbidity that counts"))),
    (1, Band("1-2", msg("1 to 2"))),
    (3, Band("3-4", msg("3 to 4"))),
    (5, Band("5-or-more", msg("5 or more"))),
)
LISTED_ONLY = msg("The index counts what is on the problem list: it is as complete as the list.")


def total(present: Mapping[str, bool]) -> int:
    """The index from the conditions in `WEIGHTS`; of a pair in `INSTEAD` only the graver one counts."""
    return sum(
        weight for name, weight in WEIGHTS.items() if present[name] and not (name in INSTEAD and present[INSTEAD[name]])
    )


def of_age(years: int) -> int:
    """Points of age in completed years."""
    return max((worth for start, worth in DECADES if years >= start), default=0)


def band(points_: int) -> Band:
    """The band of a total without age."""
    return published.band_of(points_, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both totals for one vector case; None if an input is null."""
    if inputs["age"] is None or any(inputs[name] is None for name in WEIGHTS):
        return {"charlson": None, "age_adjusted": None}
    plain = total(inputs)
    return {"charlson": plain, "age_adjusted": plain + of_age(inputs["age"])}


def compute(values: FeatureValues) -> Result:
    """The index and the index adjusted for age; refused without a problem list that any of it could be read from."""
    age = published.adult(ID, values, msg("The Charlson index"))
    if isinstance(age, NotEstimated):
        return age
    years = published.whole_years(age)
    unknown = values.unusable(GROUPS)
    if len(unknown) == len(GROUPS):
        words = msg("there is no problem list from which comorbidities could be read")
        return NotEstimated(ID, Refusal.INPUT, published.not_calculated([words]), unknown)
    items = (
        *(points.listed(values, (feature,), WEIGHTS[name], feature.label) for name, feature in ALONE.items()),
        *(_pair(values, name) for name in PAIRS),
    )
    aged = (*items, points.settled(of_age(years), (age,)))
    notes = (LISTED_ONLY,)
    return (
        points.estimate(ID, VERSION, "charlson", msg("Charlson index"), items, band, notes=notes),
        points.estimate(
            ID, VERSION, "charlson_age_adjusted", msg("Charlson index adjusted for age"), aged, band, notes=notes
        ),
    )


def _pair(values: FeatureValues, name: str) -> points.Item:
    """The graver condition if it is listed, else the milder one; open as far as either is unknown."""
    milder, graver = PAIRS[name]
    light = points.listed(values, (milder,), WEIGHTS[name], milder.label)
    grave = points.listed(values, (graver,), WEIGHTS[INSTEAD[name]], graver.label)
    return points.graver(light, grave)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Charlson comorbidity index"),
    citation=Citation(
        "Charlson ME et al. A new method of classifying prognostic comorbidity in longitudinal studies. "
        "J Chronic Dis 1987;40:373-383; ICD-10 by Quan H et al. Med Care 2005;43:1130-1139",
        "https://doi.org/10.1016/0021-9681(87)90171-8",
    ),
    features=(catalogue.AGE, *GROUPS),
    compute=compute,
    vectors={"Charlson comorbidity index (1987 weights) and age-adjusted": check},
    limits=msg(
        "For adults, from the problem list, resolved entries included; the weights of 1987. It describes the burden of "
        "disease and decides nothing by itself. Lymphoma and leukemia count within one group of malignancies."
    ),
    tolerance=0.0,
)
