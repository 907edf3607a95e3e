"""HOSPITAL score: potentially avoidable readmission within 30 days of a medical discharge, in points (0-13).

Source: Donze J et al. JAMA Intern Med 2013;173:632-638, doi:10.1001/jamainternmed.2013.3023; admissions and bands as
in the international validation, Donze JD et al. JAMA Intern Med 2016;176:496-502,
doi:10.1001/jamainternmed.2015.8462.
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
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "hospital", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/HOSPITAL_score_readmission_risk.v1.test.yml"
HEMOGLOBIN, ONCOLOGY, SODIUM, PROCEDURE, URGENT, LONG_STAY = 1, 2, 1, 1, 1, 2
HEMOGLOBIN_BELOW = 12.0  # g/dL at discharge
SODIUM_BELOW = 135.0  # mmol/L at discharge
ADMISSIONS = ((2, 2), (6, 5))  # (from, points)
DAYS_FROM = 5
BANDS = (
    (float("-inf"), Band("low", msg("0 to 4, low (5.8% in the validation)"))),
    (5, Band("intermediate", msg("5 to 6, intermediate (11.9%)"))),
    (7, Band("high", msg("7 or more, high (22.8%): plan the transition of care"))),
)
JUDGED = ("hemoglobin", "oncology", "sodium", "procedure", "urgent", "admissions_prev_year", "los")


def of_admissions(number: float) -> int:
    """Points of the admissions in the twelve months before."""
    return max((worth for start, worth in ADMISSIONS if number >= start), default=0)


def band(total: int) -> Band:
    """Low, intermediate or high."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in JUDGED):
        return {"hospital": None}
    total = (
        HEMOGLOBIN * (inputs["hemoglobin"] < HEMOGLOBIN_BELOW)
        + ONCOLOGY * bool(inputs["oncology"])
        + SODIUM * (inputs["sodium"] < SODIUM_BELOW)
        + PROCEDURE * bool(inputs["procedure"])
        + URGENT * bool(inputs["urgent"])
        + of_admissions(inputs["admissions_prev_year"])
        + LONG_STAY * (inputs["los"] >= DAYS_FROM)
    )
    return {"hospital": total}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The total and the group of one GDL fixture from the points that it carries.

    They give an oncology service 1 point where the paper gives 2, so only the sum and the bands are held by them.
    """
    total = int(sum(item["points"] for item in inputs.values()))
    words = {"low": "Low", "intermediate": "Intermediate", "high": "High"}
    group = {"label": words[band(total).id]}
    return {"Total score": total, "Risk of 30-day Potentially Avoidable Readmissions": group}


def compute(values: FeatureValues) -> Result:
    """The score of the present stay, or the interval of possible totals, for an adult."""
    age = published.adult(ID, values, msg("The HOSPITAL score"))
    if isinstance(age, NotEstimated):
        return age
    stay = values.unusable((catalogue.STAY_DAYS,))
    if stay:
        return published.not_applicable(ID, stay[0].words, stay)
    items = (
        points.measured(values, catalogue.HEMOGLOBIN_STAY, lambda v: HEMOGLOBIN * (v < HEMOGLOBIN_BELOW), HEMOGLOBIN),
        _oncology(values),
        points.measured(values, catalogue.SODIUM_STAY, lambda v: SODIUM * (v < SODIUM_BELOW), SODIUM),
        points.listed(values, (catalogue.STAY_PROCEDURE,), PROCEDURE),
        points.listed(values, (catalogue.EMERGENCY_ADMISSION,), URGENT),
        points.measured(values, catalogue.ADMISSIONS_YEAR, of_admissions, ADMISSIONS[-1][1]),
        points.measured(values, catalogue.STAY_DAYS, lambda v: LONG_STAY * (v >= DAYS_FROM), LONG_STAY),
    )
    return (points.estimate(ID, VERSION, "hospital", msg("HOSPITAL score"), items, band),)


def _oncology(values: FeatureValues) -> points.Item:
    """The service that the stay names; without one, a list without cancer says that it was not oncology."""
    stated = points.listed(values, (catalogue.ONCOLOGY_SERVICE,), ONCOLOGY)
    cancer = values[catalogue.CANCER]
    if stated.low < stated.high and isinstance(cancer, FeatureValue) and cancer.value is False:
        return points.settled(0, (cancer,), catalogue.ONCOLOGY_SERVICE.label)
    return stated


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("HOSPITAL score"),
    citation=Citation(
        "Donze JD et al. International validity of the HOSPITAL score to predict 30-day potentially avoidable hospital "
        "readmissions. JAMA Intern Med 2016;176:496-502",
        "https://doi.org/10.1001/jamainternmed.2015.8462",
    ),
    features=(
        catalogue.AGE,
        catalogue.STAY_DAYS,
        catalogue.HEMOGLOBIN_STAY,
        catalogue.SODIUM_STAY,
        catalogue.ONCOLOGY_SERVICE,
        catalogue.CANCER,
        catalogue.STAY_PROCEDURE,
        catalogue.EMERGENCY_ADMISSION,
        catalogue.ADMISSIONS_YEAR,
    ),
    compute=compute,
    vectors={"HOSPITAL score (2016 international validation bands)": check, FIXTURES: check_fixture},
    limits=msg(
        "For adults at discharge from a medical service. Hemoglobin and sodium are the last ones of the stay, no older "
        "than two weeks. A procedure counts if its code or category says what it is; otherwise its point stays open."
    ),
    tolerance=0.0,
)
