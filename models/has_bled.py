"""HAS-BLED: points for major bleeding under an anticoagulant, to find what can be mended; never a reason against it.

Source: Pisters R et al. Chest 2010;138:1093-1100, doi:10.1378/chest.10-0134. Threshold 3 and its use: ACC/AHA/ACCP/HRS
atrial fibrillation guideline 2023, doi:10.1161/CIR.0000000000001193; ESC 2024, doi:10.1093/eurheartj/ehae176, which
advises against deciding on anticoagulation by a bleeding score.
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
    Reason,
    Result,
    Unusable,
    age_in_fixture,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "has-bled", "1.0.0"
POINTS = {
    "uncontrolled_htn": 1,
    "renal": 1,
    "liver": 1,
    "stroke": 1,
    "bleeding": 1,
    "labile_inr": 1,
    "elderly": 1,
    "drugs": 1,
    "alcohol": 1,
}
OLDER_THAN = 65  # years
SYSTOLIC_ABOVE = 160.0  # mm[Hg]
CREATININE_ABOVE = 2.26  # mg/dL, 200 umol/L
# Twice the upper limit of normal for bilirubin, three times for the enzymes; limits 1.2 mg/dL, 40, 40 and 120 U/L.
BILIRUBIN_ABOVE = 2.4
ENZYMES_ABOVE = {catalogue.AST.id: 120.0, catalogue.ALT.id: 120.0, catalogue.ALP.id: 360.0}
HIGH = 3

BANDS = (
    (float("-inf"), Band("below-3", msg("below 3"))),
    (HIGH, Band("high", msg("3 or more: mend what can be mended and review sooner"))),
)
NO_FIBRILLATION = msg("no atrial fibrillation or flutter on the problem list")
PURPOSE = msg("HAS-BLED shows what can be mended. By itself it is no reason to withhold or stop an anticoagulant.")
ENZYMES = (catalogue.AST, catalogue.ALT, catalogue.ALP)


def total(items: Mapping[str, bool]) -> int:
    """HAS-BLED (0-9) from the items in `POINTS`."""
    return sum(POINTS[name] for name, present in items.items() if present)


def category(points_: int) -> Band:
    """The band of a total."""
    return published.band_of(points_, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """HAS-BLED for one vector case; None if an input is null."""
    items = {name: inputs[name] for name in POINTS if name != "elderly"}
    if inputs["age"] is None or None in items.values():
        return {"has_bled": None}
    return {"has_bled": total({**items, "elderly": inputs["age"] > OLDER_THAN})}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, which gives measured values and histories.

    Its rule calls the liver normal as soon as one of four tests is normal, whatever the history: followed here.
    """

    def yes(name: str) -> bool:
        return bool(inputs[name]["points"])

    def measured(name: str) -> float:
        return float(inputs[name]["value"])

    age = age_in_fixture(inputs["Birthdate"])
    tests = {"Total Bilirubin": 2.4, "ALT Result": 165, "ALP Result": 345, "AST Result": 144}
    items = {
        "uncontrolled_htn": yes("Hypertension History") or measured("Systolic") > SYSTOLIC_ABOVE,
        "renal": yes("Renal Disease") or measured("CR Result mircomol/L") > 200,
        "liver": yes("Liver Disease") and all(measured(name) > limit for name, limit in tests.items()),
        "stroke": yes("Stroke History"),
        "bleeding": yes("Prior Major Bleeding or Predisposition to Bleeding"),
        "labile_inr": yes("Labile INR"),
        "elderly": age > OLDER_THAN,
        "drugs": yes("Medication Usage Predisposing to Bleeding"),
        "alcohol": yes("Alcohol or Drug Usage History") or measured("Standard Drinks") >= 8,
    }
    return {"Total score": total(items), "Age": {"value": float(age)}}


def compute(values: FeatureValues) -> Result:
    """HAS-BLED, or the interval of possible totals, for an adult with atrial fibrillation."""
    if not values.flag(catalogue.ATRIAL_FIBRILLATION):
        unknown = values.unusable((catalogue.ATRIAL_FIBRILLATION,))
        return published.not_applicable(ID, unknown[0].words if unknown else NO_FIBRILLATION, unknown)
    age = published.adult(ID, values, msg("HAS-BLED"))
    if isinstance(age, NotEstimated):
        return age
    items = (
        _above(values, catalogue.SBP, SYSTOLIC_ABOVE, "uncontrolled_htn", msg("systolic pressure above 160 mmHg")),
        _renal(values),
        _liver(values),
        _listed(values, (catalogue.STROKE,), "stroke", catalogue.STROKE.label),
        _listed(values, (catalogue.MAJOR_BLEEDING,), "bleeding", catalogue.MAJOR_BLEEDING.label),
        _labile(values),
        _settled(published.whole_years(age) > OLDER_THAN, "elderly", (age,), msg("age over 65")),
        _listed(values, (catalogue.ANTIPLATELET, catalogue.NSAID), "drugs", msg("antiplatelet medicine or NSAID")),
        _listed(values, (catalogue.ALCOHOL_USE_DISORDER,), "alcohol", catalogue.ALCOHOL_USE_DISORDER.label),
    )
    return (points.estimate(ID, VERSION, "has_bled", msg("HAS-BLED"), items, category, notes=(PURPOSE,)),)


def _settled(present: bool, name: str, found: tuple[FeatureValue, ...], label: Message) -> points.Item:
    worth = POINTS[name] if present else 0
    return points.Item(worth, worth, found, label=label)


def _open(name: str, missing: tuple[Unusable, ...], label: Message) -> points.Item:
    return points.Item(0, POINTS[name], missing=missing, label=label)


def _above(values: FeatureValues, feature: Feature, limit: float, name: str, label: Message) -> points.Item:
    found = values[feature]
    if isinstance(found, Unusable):
        return _open(name, (found,), label)
    return _settled(float(found.value) > limit, name, (found,), label)


def _listed(values: FeatureValues, features: tuple[Feature, ...], name: str, label: Message) -> points.Item:
    """One point if any of the conditions or medicines is on its list."""
    entries = [values[feature] for feature in features]
    present = tuple(e for e in entries if isinstance(e, FeatureValue) and e.value is True)
    if present:
        return _settled(True, name, present, label)
    missing = tuple(e for e in entries if isinstance(e, Unusable))
    if missing:
        return _open(name, missing, label)
    return _settled(False, name, tuple(e for e in entries if isinstance(e, FeatureValue)), label)


def _renal(values: FeatureValues) -> points.Item:
    """Dialysis or a transplant on the list, or creatinine above 2.26 mg/dL."""
    label = msg("dialysis, kidney transplant or creatinine above 2.26 mg/dL")
    listed = _listed(values, (catalogue.DIALYSIS, catalogue.KIDNEY_TRANSPLANT), "renal", label)
    return listed if listed.low else _above(values, catalogue.CREATININE, CREATININE_ABOVE, "renal", label)


def _liver(values: FeatureValues) -> points.Item:
    """Cirrhosis on the list, or bilirubin above twice normal together with an enzyme above three times normal."""
    label = msg("cirrhosis, or bilirubin above twice and liver enzymes above three times the upper limit")
    listed = _listed(values, (catalogue.CIRRHOSIS,), "liver", label)
    if listed.low:
        return listed
    bilirubin = values[catalogue.BILIRUBIN]
    enzymes = [values[feature] for feature in ENZYMES]
    known = tuple(e for e in enzymes if isinstance(e, FeatureValue))
    raised = tuple(e for e in known if float(e.value) > ENZYMES_ABOVE[e.feature.id])
    if isinstance(bilirubin, FeatureValue):
        if float(bilirubin.value) <= BILIRUBIN_ABOVE:
            return _settled(False, "liver", (bilirubin,), label)
        if raised:
            return _settled(True, "liver", (bilirubin, *raised), label)
    elif known and len(known) == len(enzymes) and not raised:
        return _settled(False, "liver", known, label)
    missing = tuple(e for e in (bilirubin, *enzymes) if isinstance(e, Unusable))
    return _open("liver", missing, label) if missing else _settled(False, "liver", known, label)


def _labile(values: FeatureValues) -> points.Item:
    """Only under a vitamin K antagonist; whether the INR is labile then needs a clinician."""
    label = msg("labile INR (time in range below 60%)")
    antagonist = values[catalogue.VITAMIN_K_ANTAGONIST]
    if isinstance(antagonist, FeatureValue) and antagonist.value is not True:
        return _settled(False, "labile_inr", (antagonist,), label)
    if isinstance(antagonist, Unusable):
        return _open("labile_inr", (antagonist,), label)
    words = msg("The time in the therapeutic range of the INR is not on record")
    return _open("labile_inr", (Unusable(catalogue.INR, Reason.ABSENT, words),), label)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("HAS-BLED"),
    citation=Citation(
        "Pisters R et al. A novel user-friendly score (HAS-BLED) to assess 1-year risk of major bleeding in patients "
        "with atrial fibrillation. Chest 2010;138:1093-1100",
        "https://doi.org/10.1378/chest.10-0134",
    ),
    features=(
        catalogue.AGE,
        catalogue.ATRIAL_FIBRILLATION,
        catalogue.SBP,
        catalogue.DIALYSIS,
        catalogue.KIDNEY_TRANSPLANT,
        catalogue.CREATININE,
        catalogue.CIRRHOSIS,
        catalogue.BILIRUBIN,
        *ENZYMES,
        catalogue.STROKE,
        catalogue.MAJOR_BLEEDING,
        catalogue.VITAMIN_K_ANTAGONIST,
        catalogue.INR,
        catalogue.ANTIPLATELET,
        catalogue.NSAID,
        catalogue.ALCOHOL_USE_DISORDER,
    ),
    compute=compute,
    vectors={
        "HAS-BLED": check,
        "gdl-lang/common-clinical-models gdl2/HAS-BLED.v1.test.yml": check_fixture,
    },
    limits=msg(
        "For adults with atrial fibrillation or flutter on the problem list, on or before an anticoagulant. Alcohol "
        "counts if an alcohol use disorder is listed: drinks a week are not read. Under a vitamin K antagonist the "
        "point for a labile INR stays open. Medicines bought without prescription are not seen."
    ),
    tolerance=0.0,
)
