"""Wells score for deep vein thrombosis (2003, with previous thrombosis): points (-2 to 9), prefilled from the record.

Source: Wells PS et al. N Engl J Med 2003;349:1227-1235, doi:10.1056/NEJMoa023153. Below 2 a D-dimer, from 2 an
ultrasound: NICE NG158 (2020, updated 2023; not checked at the source); ASH 2018, doi:10.1182/bloodadvances.2018024828.
What the leg looks like, and whether another diagnosis is as likely, only an examination tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    Feature,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "wells-dvt", "1.0.0"
POINTS = {
    "cancer": 1,
    "paralysis": 1,
    "bedridden": 1,
    "tenderness": 1,
    "swollen_leg": 1,
    "calf3cm": 1,
    "pitting": 1,
    "collateral": 1,
    "prev_dvt": 1,
    "alt_dx": -2,
}
LIKELY = 2
IN_FIXTURES = {
    "Active cancer": "cancer",
    "Paralysis, paresis, or recent plaster immobilisation of the legs": "paralysis",
    "Bedridden recently ≥3 days or major surgery within 12 weeks": "bedridden",
    "Localized tenderness along the deep venous system": "tenderness",
    "Entire leg swollen": "swollen_leg",
    "Collateral (nonvaricose) superficial veins": "collateral",
    "Calf swelling >3 cm compared to the other leg": "calf3cm",
    "Pitting oedema": "pitting",
    "Previous documented DVT": "prev_dvt",
    "Alternative diagnosis to DVT at least as likely": "alt_dx",
}
LABELS = {
    "paralysis": msg("Paralysis or plaster of the leg"),
    "bedridden": msg("Bedridden for three days or major surgery within 12 weeks"),
    "tenderness": msg("Tenderness along the deep veins"),
    "swollen_leg": msg("Whole leg swollen"),
    "calf3cm": msg("Calf more than 3 cm thicker than the other"),
    "pitting": msg("Pitting edema of that leg alone"),
    "collateral": msg("Collateral superficial veins"),
    "alt_dx": msg("Another diagnosis at least as likely"),
}
FEATURES = {name: Feature(f"wells_dvt_{name}", label) for name, label in LABELS.items()}  # no record holds them
EXAMINED = ("tenderness", "swollen_leg", "calf3cm", "pitting", "collateral")
BANDS = (
    (float("-inf"), Band("unlikely", msg("below 2, unlikely: D-dimer"))),
    (LIKELY, Band("likely", msg("2 or more, likely: ultrasound of the leg veins"))),
)
NOBODY_SUSPECTS = msg("no suspicion of deep vein thrombosis is on record")
PREFILLED = msg("Prefilled from the record: the examination decides.")


def total(items: Mapping[str, bool]) -> int:
    """The points of the items in `POINTS`."""
    return sum(POINTS[name] for name, present in items.items() if present)


def band(points_: int) -> Band:
    """Unlikely or likely."""
    return published.band_of(points_, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in POINTS):
        return {"wells_dvt": None}
    return {"wells_dvt": total({name: bool(inputs[name]) for name in POINTS})}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture; what it does not name is absent."""
    present = {name: inputs.get(title, {}).get("label") == "Present" for title, name in IN_FIXTURES.items()}
    return {"Wells' Score": total(present)}


def compute(values: FeatureValues) -> Result:
    """The interval of totals that the record leaves open, for an adult with a suspicion on record."""
    if not values.flag(catalogue.SUSPECTED_DVT):
        return published.not_applicable(ID, NOBODY_SUSPECTS)
    age = published.adult(ID, values, msg("The Wells score"))
    if isinstance(age, NotEstimated):
        return age
    if values.flag(catalogue.PREGNANCY):
        return published.not_applicable(ID, msg("the Wells score was not derived in pregnancy"))
    items = (
        points.listed(values, (catalogue.CANCER,), POINTS["cancer"]),
        noticed(values, (catalogue.LEG_PLEGIA,), "paralysis"),
        noticed(values, (catalogue.REDUCED_MOBILITY, catalogue.SURGERY_TWELVE_WEEKS), "bedridden"),
        *(points.unsettled(POINTS[name], (points.judged(FEATURES[name]),)) for name in EXAMINED),
        points.listed(values, (catalogue.VTE_EVER,), POINTS["prev_dvt"]),
        points.Item(POINTS["alt_dx"], 0, missing=(points.judged(FEATURES["alt_dx"]),)),
    )
    return (points.estimate(ID, VERSION, "wells_dvt", msg("Wells score (DVT)"), items, band, notes=(PREFILLED,)),)


def noticed(values: FeatureValues, features: tuple[Feature, ...], name: str) -> points.Item:
    """Points if the record shows it; open otherwise, for that it does not show it says nothing."""
    entries = (values.usable(feature) for feature in features)
    present = tuple(e for e in entries if e is not None and e.value is True)
    if present:
        return points.settled(POINTS[name], present, LABELS[name])
    return points.unsettled(POINTS[name], (points.judged(FEATURES[name]),))


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Wells score (DVT)"),
    citation=Citation(
        "Wells PS et al. Evaluation of D-dimer in the diagnosis of suspected deep-vein thrombosis. "
        "N Engl J Med 2003;349:1227-1235",
        "https://doi.org/10.1056/NEJMoa023153",
    ),
    features=(
        catalogue.AGE,
        catalogue.PREGNANCY,
        catalogue.SUSPECTED_DVT,
        catalogue.CANCER,
        catalogue.LEG_PLEGIA,
        catalogue.REDUCED_MOBILITY,
        catalogue.SURGERY_TWELVE_WEEKS,
        catalogue.VTE_EVER,
    ),
    compute=compute,
    vectors={
        "Wells DVT (2003, with previous DVT)": check,
        "gdl-lang/common-clinical-models gdl2/Wells_DVT.v1.test.yml": check_fixture,
    },
    limits=msg(
        "For adults in whom somebody wrote down a suspicion, not in pregnancy. Findings of the examination and the "
        "alternative diagnosis are never read from the record: they stay open."
    ),
    tolerance=0.0,
)
