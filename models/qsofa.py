"""qSOFA: three bedside signs of a worse course in suspected infection; not a screening tool by itself.

Source: Singer M et al. JAMA 2016;315:801-810, doi:10.1001/jama.2016.0287 (Sepsis-3). Surviving Sepsis Campaign 2021,
doi:10.1097/CCM.0000000000005337, recommends against qSOFA as the only screening tool; that of 2026,
doi:10.1097/CCM.0000000000007075, prefers NEWS, NEWS2, MEWS or SIRS to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "qsofa", "1.0.0"
EACH = 1  # points of each of the three
RATE_FROM = 22.0  # breaths a minute
SYSTOLIC_UP_TO = 100.0  # mm[Hg]
COMA_SCALE_BELOW = 15.0
POSITIVE = 2

BANDS = (
    (float("-inf"), Band("below-2", msg("below 2: does not exclude sepsis"))),
    (POSITIVE, Band("positive", msg("2 or more: look for organ dysfunction now"))),
)
NOT_SUSPECTED = msg("neither an acute infection on the problem list nor an antibacterial medicine in use")
NOT_ALONE = msg("qSOFA is not to be the only screen for sepsis, and a low total does not exclude it.")
SEDATED = msg("Sedatives are in use: the level of consciousness does not count.")
SIGNS_OF_INFECTION = (catalogue.INFECTION, catalogue.ANTIBACTERIAL)


def band(total: int) -> Band:
    """Below 2, or positive."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """qSOFA for one vector case; None if an input is null."""
    if any(inputs[name] is None for name in ("rr", "sbp", "gcs")):
        return {"qsofa": None}
    present = (inputs["rr"] >= RATE_FROM, inputs["sbp"] <= SYSTOLIC_UP_TO, inputs["gcs"] < COMA_SCALE_BELOW)
    return {"qsofa": EACH * sum(present)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, which gives each item as yes or no."""
    return {"qSOFA Score": sum(EACH for item in inputs.values() if item["label"] == "Yes")}


def compute(values: FeatureValues) -> Result:
    """qSOFA from the last 24 hours, or the interval of possible totals, for an adult with suspected infection."""
    if not any(values.flag(sign) for sign in SIGNS_OF_INFECTION):
        unknown = values.unusable(SIGNS_OF_INFECTION)
        return published.not_applicable(ID, unknown[0].words if unknown else NOT_SUSPECTED, unknown)
    age = published.adult(ID, values, msg("qSOFA"))
    if isinstance(age, NotEstimated):
        return age
    items = (
        points.measured(values, catalogue.RESPIRATORY_RATE_ACUTE, lambda v: EACH * (v >= RATE_FROM), EACH),
        points.measured(values, catalogue.SBP_ACUTE, lambda v: EACH * (v <= SYSTOLIC_UP_TO), EACH),
        _mentation(values),
    )
    notes = (NOT_ALONE, SEDATED) if values.flag(catalogue.SEDATIVE) else (NOT_ALONE,)
    return (
        points.estimate(ID, VERSION, "qsofa", msg("qSOFA"), items, band, answers=published.ACVPU_WORDS, notes=notes),
    )


def _mentation(values: FeatureValues) -> points.Item:
    """Altered mentation by the coma scale or, failing that, by ACVPU; neither counts under sedation."""
    label = msg("altered mentation")
    if values.flag(catalogue.SEDATIVE):
        return points.unsettled(EACH, (points.judged(catalogue.GCS),), label)
    scale = values.usable(catalogue.GCS)
    if scale is not None:
        return points.settled(EACH * (float(scale.value) < COMA_SCALE_BELOW), (scale,), label)
    word = values[catalogue.CONSCIOUSNESS]
    if isinstance(word, Unusable):
        return points.unsettled(EACH, values.unusable((catalogue.GCS,)), label)
    return points.settled(EACH * (word.value != "A"), (word,), label)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("qSOFA"),
    citation=Citation(
        "Singer M et al. The Third International Consensus Definitions for Sepsis and Septic Shock (Sepsis-3). "
        "JAMA 2016;315:801-810",
        "https://doi.org/10.1001/jama.2016.0287",
    ),
    features=(
        catalogue.AGE,
        *SIGNS_OF_INFECTION,
        catalogue.RESPIRATORY_RATE_ACUTE,
        catalogue.SBP_ACUTE,
        catalogue.GCS,
        catalogue.CONSCIOUSNESS,
        catalogue.SEDATIVE,
    ),
    compute=compute,
    vectors={"qSOFA": check, "gdl-lang/common-clinical-models gdl2/Quick_SOFA_guideline.v1.test.yml": check_fixture},
    limits=msg(
        "For adults with an acute infection on the problem list or an antibacterial medicine in use, from values of "
        "the last 24 hours. Never the only screen for sepsis. The level of consciousness does not count under sedation."
    ),
    tolerance=0.0,
)
