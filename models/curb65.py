"""CURB-65: severity of community-acquired pneumonia, to help choose where to treat it.

Source: Lim WS et al. Thorax 2003;58:377-382, doi:10.1136/thorax.58.5.377. Use of 0-1, 2 and 3 to 5: British Thoracic
Society guideline 2009, doi:10.1136/thx.2009.121434. ATS/IDSA 2019, doi:10.1164/rccm.201908-1581ST, prefers the
Pneumonia Severity Index, and both put clinical judgement first.
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
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "curb-65", "1.0.0"
EACH = 1  # points of each of the five
UREA_NITROGEN_ABOVE = 19.0  # mg/dL; urea above 7 mmol/L
RATE_FROM = 30.0  # breaths a minute
SYSTOLIC_BELOW = 90.0  # mm[Hg]
DIASTOLIC_UP_TO = 60.0  # mm[Hg]
AGE_FROM = 65  # years
MODERATE, SEVERE = 2, 3

BANDS = (
    (float("-inf"), Band("low", msg("0 to 1, low severity"))),
    (MODERATE, Band("moderate", msg("2, moderate severity: consider hospital care"))),
    (SEVERE, Band("severe", msg("3 or more, high severity: hospital; assess for intensive care, above all at 4 or 5"))),
)
NO_PNEUMONIA = msg("no pneumonia on the problem list")
JUDGEMENT = msg("CURB-65 supports the choice of where to treat; oxygenation and circumstances are not part of it.")
PRESSURE = msg("Systolic pressure below 90 or diastolic 60 mmHg or less")


def confused(word: str) -> bool:
    """If a level of consciousness (ACVPU) counts as confusion: all but alert."""
    return word != "A"


def low_pressure(systolic: float | None, diastolic: float | None) -> bool | None:
    """If the pressure is low; None if what is known does not tell."""
    if systolic is not None and systolic < SYSTOLIC_BELOW:
        return True
    if diastolic is not None and diastolic <= DIASTOLIC_UP_TO:
        return True
    return None if systolic is None or diastolic is None else False


def band(total: int) -> Band:
    """Low, moderate or high severity of a total."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """CURB-65 for one vector case; None if an input is null."""
    if any(inputs[name] is None for name in ("confusion", "bun", "rr", "sbp", "dbp", "age")):
        return {"curb65": None}
    present = (
        inputs["confusion"],
        inputs["bun"] > UREA_NITROGEN_ABOVE,
        inputs["rr"] >= RATE_FROM,
        low_pressure(inputs["sbp"], inputs["dbp"]) is True,
        inputs["age"] >= AGE_FROM,
    )
    return {"curb65": sum(EACH for item in present if item)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, which gives each item as present or absent, and names four ranks of severity."""
    total = sum(EACH for item in inputs.values() if item["label"] == "Present")
    return {
        "Total score": total,
        "Recommendation": {"points": {"low": 0.0, "moderate": 1.0, "severe": 2.0}[band(total).id]},
    }


def compute(values: FeatureValues) -> Result:
    """CURB-65 from the last 24 hours, or the interval of possible totals, for an adult with pneumonia."""
    if not values.flag(catalogue.PNEUMONIA):
        unknown = values.unusable((catalogue.PNEUMONIA,))
        return published.not_applicable(ID, unknown[0].words if unknown else NO_PNEUMONIA, unknown)
    age = published.adult(ID, values, msg("CURB-65"))
    if isinstance(age, NotEstimated):
        return age
    years = published.whole_years(age)
    items = (
        _confusion(values),
        points.measured(values, catalogue.BUN_ACUTE, lambda v: EACH * (v > UREA_NITROGEN_ABOVE), EACH),
        points.measured(values, catalogue.RESPIRATORY_RATE_ACUTE, lambda v: EACH * (v >= RATE_FROM), EACH),
        _pressure(values),
        points.settled(EACH * (years >= AGE_FROM), (age,)),
    )
    return (
        points.estimate(
            ID, VERSION, "curb_65", msg("CURB-65"), items, band, answers=published.ACVPU_WORDS, notes=(JUDGEMENT,)
        ),
    )


def _confusion(values: FeatureValues) -> points.Item:
    label = msg("confusion")
    found = values[catalogue.CONSCIOUSNESS]
    if isinstance(found, Unusable):
        return points.unsettled(EACH, (found,), label)
    return points.settled(EACH * confused(str(found.value)), (found,), label)


def _pressure(values: FeatureValues) -> points.Item:
    entries = (values[catalogue.SBP_ACUTE], values[catalogue.DBP_ACUTE])
    found = tuple(entry for entry in entries if isinstance(entry, FeatureValue))
    missing = tuple(entry for entry in entries if isinstance(entry, Unusable))
    systolic, diastolic = values.number(catalogue.SBP_ACUTE), values.number(catalogue.DBP_ACUTE)
    low = low_pressure(systolic, diastolic)
    if low is None:
        return points.unsettled(EACH, missing, PRESSURE)
    if low and not low_pressure(systolic, None):  # the diastolic alone counts: it is the one to show
        found = found[-1:]
    return points.settled(EACH * low, found, PRESSURE)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("CURB-65"),
    citation=Citation(
        "Lim WS et al. Defining community acquired pneumonia severity on presentation to hospital. "
        "Thorax 2003;58:377-382",
        "https://doi.org/10.1136/thorax.58.5.377",
    ),
    features=(
        catalogue.AGE,
        catalogue.PNEUMONIA,
        catalogue.CONSCIOUSNESS,
        catalogue.BUN_ACUTE,
        catalogue.RESPIRATORY_RATE_ACUTE,
        catalogue.SBP_ACUTE,
        catalogue.DBP_ACUTE,
    ),
    compute=compute,
    vectors={"CURB-65": check, "gdl-lang/common-clinical-models gdl2/CURB-65.v1.test.yml": check_fixture},
    limits=msg(
        "For adults with community-acquired pneumonia on the problem list, from values of the last 24 hours; not for "
        "pneumonia acquired in hospital or under immunosuppression. Confusion is read from the level of consciousness "
        "(ACVPU); a mental test score is not."
    ),
    tolerance=0.0,
)
