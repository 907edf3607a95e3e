"""SOFA in its edition of 1996: dysfunction of six organs from the worst values of 24 hours.

Source: Vincent JL et al. Intensive Care Med 1996;22:707-710, doi:10.1007/BF01709751. A rise of 2 over the baseline with
infection is sepsis: Sepsis-3, Singer M et al. JAMA 2016, doi:10.1001/jama.2016.0287.

Services run the rise (`sofa-rise`), which is what Sepsis-3 asks for. The total (`sofa-1996`) is run by none: it is the
edition that the vectors hold, organ by organ, and what another edition would be compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    Feature,
    FeatureValue,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Refusal,
    Result,
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "sofa-1996", "1.0.0"
RISE_ID, RISE_VERSION = "sofa-rise", "1.0.0"
MOST = 4

# (limit, points below it), lowest first
COAGULATION = ((20.0, 4), (50.0, 3), (100.0, 2), (150.0, 1), (inf, 0))  # 10*3/uL
COMA = ((6.0, 4), (10.0, 3), (13.0, 2), (15.0, 1), (inf, 0))
LIVER = ((1.2, 0), (2.0, 1), (6.0, 2), (12.0, 3), (inf, 4))  # mg/dL
KIDNEY = ((1.2, 0), (2.0, 1), (3.5, 2), (5.0, 3), (inf, 4))  # creatinine, mg/dL
URINE = ((200.0, 4), (500.0, 3), (inf, 0))  # mL/d
RESPIRATION = ((300.0, 2), (400.0, 1), (inf, 0))  # PaO2/FiO2 in mm[Hg], breathing without support
SUPPORTED = ((100.0, 4), (200.0, 3), (300.0, 2), (400.0, 1), (inf, 0))  # with ventilatory support
PRESSURE = ((70.0, 1), (inf, 0))  # mean arterial pressure, mm[Hg]
# Catecholamines in ug/kg/min: (more than, points)
DOPAMINE = ((0.0, 2), (5.0, 3), (15.0, 4))
EPINEPHRINE = ((0.0, 3), (0.1, 4))  # and norepinephrine
DOBUTAMINE = 2
INOTROPE_AT_LEAST, CATECHOLAMINE_AT_LEAST = 2, 3
RISE = 2

BANDS = (
    (-inf, Band("below-2", msg("below 2"))),
    (RISE, Band("from-2", msg("2 or more: with infection sepsis, if it was lower before by 2 or more"))),
)
NOT_SUSPECTED = msg("neither an acute infection on the problem list nor an antibacterial medicine in use")
BASELINE = msg("A rise needs a baseline: count 0 only for a person without known organ dysfunction before.")
NO_URINE = msg("Urine output is not recorded: the kidney counts by creatinine alone.")
SIGNS_OF_INFECTION = (catalogue.INFECTION, catalogue.ANTIBACTERIAL)
MEASURED = (
    catalogue.PAO2_FIO2,
    catalogue.PLATELETS_LOWEST,
    catalogue.BILIRUBIN_HIGHEST,
    catalogue.MAP_LOWEST,
    catalogue.MAP_FROM_PRESSURE,
    catalogue.GCS_LOWEST,
    catalogue.CREATININE_HIGHEST,
)
Rows = tuple[tuple[float, int], ...]
RISE_BANDS = (
    (-inf, Band("below-2", msg("below 2"))),
    (RISE, Band("sepsis", msg("2 or more, with infection: sepsis by Sepsis-3"))),
)
EARLIER: dict[str, tuple[Feature, Rows]] = {
    "coagulation": (catalogue.PLATELETS_BEFORE, COAGULATION),
    "liver": (catalogue.BILIRUBIN_BEFORE, LIVER),
    "kidney": (catalogue.CREATININE_BEFORE, KIDNEY),
}
CHRONIC: dict[str, tuple[Feature, ...]] = {
    "respiration": (catalogue.COPD, catalogue.HYPERCAPNIA),
    "coagulation": (catalogue.CIRRHOSIS, catalogue.BLOOD_CANCER),
    "liver": (catalogue.CHRONIC_LIVER_DISEASE, catalogue.CIRRHOSIS),
    "circulation": (),
    "coma": (catalogue.DEMENTIA,),
    "kidney": (catalogue.CKD, catalogue.DIALYSIS),
}
ORGANS = {
    "respiration": msg("Lungs (PaO2/FiO2)"),
    "coagulation": msg("Coagulation (platelets)"),
    "liver": msg("Liver (bilirubin)"),
    "circulation": msg("Circulation (mean arterial pressure, vasopressors)"),
    "coma": msg("Consciousness (Glasgow Coma Scale)"),
    "kidney": msg("Kidneys (creatinine, urine)"),
}
ASSUMED = msg(
    "Baseline: values at least a week old; without one, 0 points for an organ without a chronic disease on the list."
)


def below(rows: Rows, value: float) -> int:
    """Points of a value: those of the first limit that it lies below."""
    return next(worth for limit, worth in rows if value < limit)


def above(rows: Rows, dose: float) -> int:
    """Points of a dose: those of the last row that it exceeds, none for no dose."""
    return max((worth for limit, worth in rows if dose > limit), default=0)


def circulation(inputs: Mapping[str, Any]) -> int:
    """Points of pressure and catecholamines (ug/kg/min)."""
    return max(
        below(PRESSURE, inputs["map"]),
        above(DOPAMINE, inputs["dopamine"]),
        DOBUTAMINE if inputs["dobutamine"] else 0,
        above(EPINEPHRINE, inputs["epinephrine"]),
        above(EPINEPHRINE, inputs["norepinephrine"]),
    )


def band(total: int) -> Band:
    """Below 2, or 2 and more."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Points of each organ and their sum for one vector case; only the urine may be null."""
    urine = inputs["urine_24h"]
    organs = {
        "resp": below(SUPPORTED if inputs["ventilated"] else RESPIRATION, inputs["pao2_fio2"]),
        "coag": below(COAGULATION, inputs["platelets"]),
        "liver": below(LIVER, inputs["bilirubin"]),
        "cardio": circulation(inputs),
        "cns": below(COMA, inputs["gcs"]),
        "renal": max(below(KIDNEY, inputs["creatinine"]), 0 if urine is None else below(URINE, urine)),
    }
    return {"total": sum(organs.values()), "components": organs}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture: what is missing counts as normal, a ratio under 200 as under ventilation."""

    def measured(name: str, normal: float) -> float:
        return float(inputs[name]["value"]) if name in inputs else normal

    organs = {
        "PF ratio/carrico index score": below(SUPPORTED, 100.0 * measured("PaO2 (mmHg)", 0) / measured("FiO2", 21)),
        "Platlets score": below(COAGULATION, measured("Platelet count (10*9/L)", 300.0)),
        "BR score": below(LIVER, measured("Total Bilirubin (mg/dL)", 0.0)),
        "GCS score": below(COMA, float(inputs.get("GCS Total score", 15))),
        "MAP or admin of vasopressors required": max(
            below(PRESSURE, measured("Mean arterial pressure", 100.0)),
            int(inputs.get("MAP or admin of vasopressors required", {"points": 0})["points"]),
        ),
        "Creatinine or urine output": max(
            below(KIDNEY, measured("Creatinine Result", 0.0) / 88.42),
            below(URINE, measured("Total urine output/24 hr", 1000.0)),
        ),
    }
    return {"Total score": sum(organs.values()), **{name: {"points": float(n)} for name, n in organs.items()}}


def compute(values: FeatureValues) -> Result:
    """SOFA from the worst values of 24 hours, or the interval of possible totals, for suspected infection."""
    if not any(values.flag(sign) for sign in SIGNS_OF_INFECTION):
        unknown = values.unusable(SIGNS_OF_INFECTION)
        return published.not_applicable(ID, unknown[0].words if unknown else NOT_SUSPECTED, unknown)
    age = published.adult(ID, values, msg("SOFA"))
    if isinstance(age, NotEstimated):
        return age
    missing = values.unusable(MEASURED)
    if len(missing) == len(MEASURED):  # nothing measured: the interval would be 0 to 24
        return NotEstimated(ID, Refusal.INPUT, published.not_calculated([m.words for m in missing]), missing)
    items = tuple(_organs(values).values())
    notes = (BASELINE,) if values.usable(catalogue.URINE_24H) else (BASELINE, NO_URINE)
    return (points.estimate(ID, VERSION, "sofa", msg("SOFA (1996)"), items, band, notes=notes),)


def rise(values: FeatureValues) -> Result:
    """How much SOFA has risen over the baseline, organ by organ, or the interval of possible rises.

    Baseline: the latest laboratory value that is at least a week old; without one 0 points for an organ without a
    listed chronic disease, as Sepsis-3 assumes, and anything up to the present points where one is listed.
    """
    present = compute(values)
    if isinstance(present, NotEstimated):
        return NotEstimated(RISE_ID, present.refusal, present.reason, present.unusable)
    items = tuple(_risen(values, organ, item) for organ, item in _organs(values).items())
    words = msg("rise of SOFA over the baseline")
    return (points.estimate(RISE_ID, RISE_VERSION, "sofa_rise", words, items, rise_band, notes=(ASSUMED,)),)


def rise_band(total: int) -> Band:
    """Below 2, or 2 and more."""
    return published.band_of(total, RISE_BANDS)


def _organs(values: FeatureValues) -> dict[str, points.Item]:
    return {
        "respiration": _respiration(values),
        "coagulation": _organ(values, catalogue.PLATELETS_LOWEST, COAGULATION),
        "liver": _organ(values, catalogue.BILIRUBIN_HIGHEST, LIVER),
        "circulation": _circulation(values),
        "coma": _coma(values),
        "kidney": _kidney(values),
    }


def _risen(values: FeatureValues, organ: str, present: points.Item) -> points.Item:
    """What an organ's points have risen by; never below zero."""
    earlier = values.usable(EARLIER[organ][0]) if organ in EARLIER else None
    if earlier is not None:
        least = most = below(EARLIER[organ][1], float(earlier.value))
        found, missing = (*present.found, earlier), present.missing
    else:
        chronic = points.listed(values, CHRONIC[organ], present.high) if CHRONIC[organ] else points.settled(0, ())
        least, most = 0, chronic.high
        found = (*present.found, *(value for value in chronic.found if value.value is True))
        missing = (*present.missing, *chronic.missing)
    low, high = max(present.low - most, 0), max(present.high - least, 0)
    open_ = missing if missing or low == high else tuple(points.judged(f) for f in CHRONIC[organ][:1])
    return points.Item(low, high, found, open_, ORGANS[organ])


def _organ(values: FeatureValues, feature: Feature, rows: Rows) -> points.Item:
    return points.measured(values, feature, lambda value: below(rows, value), MOST)


def _respiration(values: FeatureValues) -> points.Item:
    """Under 200 the points depend on ventilatory support: open if that is not on record."""
    ratio, support = values[catalogue.PAO2_FIO2], values[catalogue.VENTILATED]
    if isinstance(ratio, Unusable):
        return points.unsettled(MOST, (ratio,))
    value = float(ratio.value)
    alone, supported = below(RESPIRATION, value), below(SUPPORTED, value)
    if alone == supported:
        return points.settled(alone, (ratio,))
    if isinstance(support, Unusable):
        return points.Item(alone, supported, (ratio,), (support,))
    return points.settled(supported if support.value is True else alone, (ratio, support))


def _circulation(values: FeatureValues) -> points.Item:
    """Pressure and, from the list, catecholamines without their doses."""
    label = msg("mean arterial pressure and catecholamines")
    for feature, least in (
        (catalogue.CATECHOLAMINE, CATECHOLAMINE_AT_LEAST),
        (catalogue.INOTROPE, INOTROPE_AT_LEAST),
    ):
        given = values.usable(feature)
        if given is not None and given.value is True:
            return points.Item(least, MOST, (given,), (points.judged(feature),), label)
    lists = values.unusable((catalogue.CATECHOLAMINE, catalogue.INOTROPE))
    lowest, cuff = values[catalogue.MAP_LOWEST], values.usable(catalogue.MAP_FROM_PRESSURE)
    found = lowest if isinstance(lowest, FeatureValue) else cuff
    low = below(PRESSURE, float(found.value)) if found is not None else 0
    settled = isinstance(lowest, FeatureValue) or low > 0  # one cuff pressure need not be the lowest
    open_ = lists if settled or not isinstance(lowest, Unusable) else (lowest, *lists)
    most = MOST if lists else low if settled else max(worth for _, worth in PRESSURE)
    return points.Item(low, most, (found,) if found is not None else (), open_, label)


def _coma(values: FeatureValues) -> points.Item:
    """The coma scale, unless sedatives are in use or the list that would tell is missing."""
    sedated = values[catalogue.SEDATIVE]
    if isinstance(sedated, Unusable):
        return points.unsettled(MOST, (sedated,), catalogue.GCS_LOWEST.label)
    if sedated.value is True:
        return points.unsettled(MOST, (points.judged(catalogue.GCS_LOWEST),), catalogue.GCS_LOWEST.label)
    return _organ(values, catalogue.GCS_LOWEST, COMA)


def _kidney(values: FeatureValues) -> points.Item:
    """Creatinine, or little urine if that is worth more."""
    by_creatinine = _organ(values, catalogue.CREATININE_HIGHEST, KIDNEY)
    urine = values.usable(catalogue.URINE_24H)
    if urine is None or below(URINE, float(urine.value)) <= by_creatinine.low:
        return by_creatinine
    worth = below(URINE, float(urine.value))
    return points.Item(worth, max(worth, by_creatinine.high), (urine,), by_creatinine.missing)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("SOFA (1996)"),
    citation=Citation(
        "Vincent JL et al. The SOFA (Sepsis-related Organ Failure Assessment) score to describe organ "
        "dysfunction/failure. Intensive Care Med 1996;22:707-710",
        "https://doi.org/10.1007/BF01709751",
    ),
    features=(
        catalogue.AGE,
        *SIGNS_OF_INFECTION,
        *MEASURED,
        catalogue.VENTILATED,
        catalogue.CATECHOLAMINE,
        catalogue.INOTROPE,
        catalogue.SEDATIVE,
        catalogue.URINE_24H,
    ),
    compute=compute,
    vectors={"SOFA": check, "gdl-lang/common-clinical-models gdl2/SOFA.v1.test.yml": check_fixture},
    limits=msg(
        "For adults with an acute infection on the problem list or an antibacterial medicine in use; the edition of "
        "1996, from the worst values of 24 hours. Doses of catecholamines are not read: with one in use the points are "
        "an interval. The coma scale does not count under sedation. One total tells no rise."
    ),
    tolerance=0.0,
)

rise_model = PublishedScore(
    id=RISE_ID,
    version=RISE_VERSION,
    title=msg("Rise of SOFA (1996)"),
    citation=Citation(
        "Singer M et al. The Third International Consensus Definitions for Sepsis and Septic Shock (Sepsis-3). "
        "JAMA 2016;315:801-810",
        "https://doi.org/10.1001/jama.2016.0287",
    ),
    features=(
        *model.features,
        *(feature for feature, _ in EARLIER.values()),
        *dict.fromkeys(feature for features in CHRONIC.values() for feature in features),
    ),
    compute=rise,
    vectors={},
    limits=msg(
        "As SOFA (1996). The baseline is read from values at least a week old and from the problem list; a rise that a "
        "chronic disease may explain is left open."
    ),
    tolerance=0.0,
)
