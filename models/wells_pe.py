"""Wells score for pulmonary embolism: points (0-12.5) in halves, prefilled from the record.

Source: Wells PS et al. Thromb Haemost 2000;83:416-420. Above 4 CT pulmonary angiography, else a D-dimer: ESC 2019,
doi:10.1093/eurheartj/ehz405; NICE NG158 (2020, updated 2023; not checked at the source).
Signs of thrombosis in the leg, and whether embolism is the likeliest diagnosis, only an examination tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    Feature,
    FeatureValue,
    FeatureValues,
    Message,
    NotEstimated,
    PublishedScore,
    Result,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "wells-pe", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/Wells_Criteria_PE.v1.test.yml"
HALF = 0.5  # the score counts in halves, and so do the numbers below
HALVES = {
    "dvt_signs": 6,
    "pe_likely": 6,
    "hr": 3,
    "immob": 3,
    "prev": 3,
    "hemoptysis": 2,
    "cancer": 2,
}
RATE_ABOVE = 100.0  # beats a minute
LIKELY_ABOVE = 8  # halves: 4 points
YES_NO = tuple(name for name in HALVES if name != "hr")
IN_FIXTURES = {
    "Clinical signs and symptoms of DVT?": "dvt_signs",
    "Is PE the number one diagnosis OR equally likely?": "pe_likely",
    "Immobilization at least 3 days OR surgery in the Previous 4 weeks?": "immob",
    "Previous, objectively diagnosed PE or DVT?": "prev",
    "Hemoptysis?": "hemoptysis",
    "Malignancy with treatment within 6 months or palliative?": "cancer",
}
DVT_SIGNS = Feature("wells_pe_dvt_signs", msg("Signs of deep vein thrombosis"))
PE_LIKELY = Feature("wells_pe_likely", msg("Embolism at least as likely as any other diagnosis"))
IMMOBILE = msg("Immobile for three days or surgery within 4 weeks")
BANDS = (
    (float("-inf"), Band("unlikely", msg("4 or less, unlikely: D-dimer"))),
    (LIKELY_ABOVE + 1, Band("likely", msg("above 4, likely: CT pulmonary angiography"))),
)
NOBODY_SUSPECTS = msg("no suspicion of pulmonary embolism is on record")
PREFILLED = msg("Prefilled from the record: the examination decides.")


def halves(items: Mapping[str, bool]) -> int:
    """The half points of the items in `HALVES`."""
    return sum(HALVES[name] for name, present in items.items() if present)


def band(halves_: int) -> Band:
    """Unlikely or likely, of a total in halves."""
    return published.band_of(halves_, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in HALVES):
        return {"wells_pe": None}
    items = {name: bool(inputs[name]) for name in YES_NO} | {"hr": inputs["hr"] > RATE_ABOVE}
    return {"wells_pe": HALF * halves(items)}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture; its answers carry the points in halves, and what it does not name is absent."""
    items = {name: inputs.get(title, {}).get("label") == "Yes" for title, name in IN_FIXTURES.items()}
    fast = "Heart Rate" in inputs and inputs["Heart Rate"]["value"] > RATE_ABOVE
    total = halves({**items, "hr": fast})
    return {
        "Total score": HALF * total,
        "Heart rate > 100 BPM?": {"points": float(HALVES["hr"] * fast)},
        "2 Tier Risk Level": {"points": float(band(total).id == "likely")},
    }


def compute(values: FeatureValues) -> Result:
    """The interval of totals that the record leaves open, for an adult with a suspicion on record."""
    if not values.flag(catalogue.SUSPECTED_PE):
        return published.not_applicable(ID, NOBODY_SUSPECTS)
    age = published.adult(ID, values, msg("The Wells score"))
    if isinstance(age, NotEstimated):
        return age
    if values.flag(catalogue.PREGNANCY):
        return published.not_applicable(ID, msg("the Wells score was not derived in pregnancy"))
    immobile = (catalogue.REDUCED_MOBILITY, catalogue.SURGERY_FOUR_WEEKS)
    items = (
        points.unsettled(HALVES["dvt_signs"], (points.judged(DVT_SIGNS),)),
        points.unsettled(HALVES["pe_likely"], (points.judged(PE_LIKELY),)),
        points.measured(values, catalogue.HEART_RATE_ACUTE, lambda v: HALVES["hr"] * (v > RATE_ABOVE), HALVES["hr"]),
        noticed(values, immobile, HALVES["immob"], IMMOBILE),
        points.listed(values, (catalogue.VTE_EVER,), HALVES["prev"]),
        noticed(values, (catalogue.HEMOPTYSIS,), HALVES["hemoptysis"], catalogue.HEMOPTYSIS.label),
        points.listed(values, (catalogue.CANCER,), HALVES["cancer"]),
    )
    words = msg("Wells score (PE)")
    return (points.estimate(ID, VERSION, "wells_pe", words, items, band, notes=(PREFILLED,), worth=HALF),)


def noticed(values: FeatureValues, features: tuple[Feature, ...], worth: int, label: Message) -> points.Item:
    """Points if the record shows it; open otherwise, for that it does not show it says nothing."""
    entries = (values.usable(feature) for feature in features)
    present = tuple(e for e in entries if isinstance(e, FeatureValue) and e.value is True)
    if present:
        return points.settled(worth, present, label)
    return points.unsettled(worth, (points.judged(Feature(features[0].id, label)),), label)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Wells score (PE)"),
    citation=Citation(
        "Wells PS et al. Derivation of a simple clinical model to categorize patients probability of pulmonary "
        "embolism. Thromb Haemost 2000;83:416-420",
        "https://pubmed.ncbi.nlm.nih.gov/10744147/",
    ),
    features=(
        catalogue.AGE,
        catalogue.PREGNANCY,
        catalogue.SUSPECTED_PE,
        catalogue.HEART_RATE_ACUTE,
        catalogue.REDUCED_MOBILITY,
        catalogue.SURGERY_FOUR_WEEKS,
        catalogue.VTE_EVER,
        catalogue.HEMOPTYSIS,
        catalogue.CANCER,
    ),
    compute=compute,
    vectors={"Wells PE": check, FIXTURES: check_fixture},
    limits=msg(
        "For adults in whom somebody wrote down a suspicion, not in pregnancy. Signs in the leg and the likeliest "
        "diagnosis are never read from the record: they stay open. Cancer counts while it is active on the list."
    ),
    tolerance=0.0,
)
