"""Inputs from the first 48 hours in intensive care: what is measured there, and statistics of it over those hours.

Codes: LOINC. Arterial blood gases have codes of their own; 2708-6 and 59408-5 are the saturation by gas and by
oximeter. Blood pressures are the cuff's and those whose method is not told; arterial lines have codes of their own.
"""

from __future__ import annotations

from cds_service.features import catalogue as c
from cds_service.features import derived, physiology_points
from cds_service.features.aggregate import INTENSIVE_CARE, Aggregate, Statistic
from cds_service.features.feature import Derived, Quantity
from cds_service.features.in_stay import DoneInStay
from cds_service.fhir.codes import ICD10_PCS, SNOMED
from cds_service.language import Message, msg

HOURS = 48.0

MEAN_PRESSURE = Quantity(
    "mean_pressure",
    msg("Mean blood pressure"),
    "mm[Hg]",
    ("8478-0", "76536-2"),
    (10, 250),
    c.DAY,
    c.VITAL,
    panels=c.SBP.panels,
)
HEMATOCRIT = Quantity("hematocrit", msg("Hematocrit"), "%", ("4544-3", "20570-8"), (5, 75), c.YEAR, c.LABORATORY, 1)
LACTATE = Quantity(
    "lactate_acute",
    msg("Lactate"),
    "mmol/L",
    ("2524-7", "32693-4", "2518-9", "2519-7"),  # serum or plasma, blood, arterial, venous
    (0.1, 40),
    c.DAY,
    c.LABORATORY,
    1,
    {"mg/dL": (1 / 9.01, 0.0)},
)
MAGNESIUM = Quantity(
    "magnesium",
    msg("Magnesium"),
    "mg/dL",
    ("19123-9", "2601-3"),
    (0.2, 15),
    c.YEAR,
    c.LABORATORY,
    1,
    {"mmol/L": (2.431, 0.0), "meq/L": (1.2155, 0.0)},
)
# Pressures of an arterial line have codes of their own; those of a cuff are the usual ones.
ARTERIAL_SBP = Quantity(
    "arterial_sbp", msg("Systolic pressure, arterial line"), "mm[Hg]", ("76215-3",), (20, 350), c.DAY, c.VITAL
)
ARTERIAL_DBP = Quantity(
    "arterial_dbp", msg("Diastolic pressure, arterial line"), "mm[Hg]", ("76213-8",), (5, 250), c.DAY, c.VITAL
)
ARTERIAL_MEAN = Quantity(
    "arterial_mean", msg("Mean pressure, arterial line"), "mm[Hg]", ("76214-6",), (10, 250), c.DAY, c.VITAL
)
TROPONIN_I = Quantity("troponin_i", msg("Troponin I"), "ng/mL", ("10839-9",), (0, 500), c.DAY, c.LABORATORY, 2)
PACO2 = Quantity("paco2", msg("Arterial carbon dioxide pressure"), "mm[Hg]", ("2019-8",), (5, 200), c.DAY, c.LABORATORY)
ARTERIAL_PH = Quantity("arterial_ph", msg("Arterial pH"), "[pH]", ("2744-1",), (6.5, 8.0), c.DAY, c.LABORATORY, 2)
TROPONIN_T = Quantity("troponin_t", msg("Troponin T"), "ng/mL", ("6598-7",), (0, 200), c.DAY, c.LABORATORY, 2)


def _label(of: Quantity, statistic: Statistic) -> Message:
    match statistic:
        case Statistic.FIRST:
            return msg("{what}, first", what=of.label)
        case Statistic.LAST:
            return msg("{what}, last", what=of.label)
        case Statistic.LOWEST:
            return msg("{what}, lowest", what=of.label)
        case Statistic.HIGHEST:
            return msg("{what}, highest", what=of.label)
        case Statistic.MEDIAN:
            return msg("{what}, median", what=of.label)


def _name(of: Quantity) -> str:
    """The id of a measurement without its window, which does not count here."""
    return of.id.removesuffix("_acute")


def over_48_hours(of: Quantity, *statistics: Statistic) -> tuple[Aggregate, ...]:
    """Statistics of a quantity over the first 48 hours in intensive care."""
    return tuple(
        Aggregate(f"{_name(of)}_{s.value}_48h", _label(of, s), of, s, INTENSIVE_CARE, HOURS) for s in statistics
    )


VITALS = {
    _name(of): over_48_hours(of, *Statistic)
    for of in (
        c.GCS, c.HEART_RATE, c.SBP, c.DBP, MEAN_PRESSURE, c.RESPIRATORY_RATE, c.SPO2, c.TEMPERATURE, c.GLUCOSE,
        ARTERIAL_DBP, ARTERIAL_MEAN,
    )
}  # fmt: skip
LABS = {
    _name(of): over_48_hours(of, Statistic.FIRST, Statistic.LAST)
    for of in (
        c.ALBUMIN, c.ALP, c.ALT, c.AST, c.BILIRUBIN, c.BUN, c.CREATININE, c.BICARBONATE, HEMATOCRIT, c.POTASSIUM,
        LACTATE, MAGNESIUM, c.SODIUM, c.PLATELETS, c.WBC, TROPONIN_T, ARTERIAL_PH, PACO2, c.PAO2, c.FIO2,
        ARTERIAL_SBP, TROPONIN_I, c.TOTAL_CHOLESTEROL,
    )
}  # fmt: skip


def _oxygenation(statistic: Statistic) -> Derived:
    """Arterial oxygen pressure over inspired oxygen, of values of one end of the 48 hours."""
    position = (Statistic.FIRST, Statistic.LAST).index(statistic)
    return Derived(
        id=f"oxygenation_{statistic.value}_48h",
        label=msg("PaO2/FiO2, first") if statistic is Statistic.FIRST else msg("PaO2/FiO2, last"),
        unit="mm[Hg]",
        inputs=(LABS[c.PAO2.id][position], LABS[c.FIO2.id][position]),
        compute=derived.oxygenation,
    )


OXYGENATION = (_oxygenation(Statistic.FIRST), _oxygenation(Statistic.LAST))
# Artificial, controlled, assisted and synchronised intermittent ventilation; ICD-10-PCS by duration; CPT, first day
# and each further one.
VENTILATED = DoneInStay(
    "ventilated_48h",
    msg("Mechanical ventilation"),
    frozenset(
        {(SNOMED, code) for code in ("40617009", "243147009", "243150007", "59427005", "26763009")}
        | {(system, code) for system in ICD10_PCS for code in ("5A1935Z", "5A1945Z", "5A1955Z")}
        | {("http://www.ama-assn.org/go/cpt", code) for code in ("94002", "94003")}
    ),
    INTENSIVE_CARE,
    HOURS,
)


def _series(id_: str) -> dict[str, Aggregate]:
    """The statistics of one series, by name."""
    return {feature.statistic.value: feature for feature in {**VITALS, **LABS}[id_]}


def _change(id_: str) -> Derived:
    """The last value less the first: whether it went up or down over the 48 hours."""
    found = _series(id_)
    of = found["first"].of
    return Derived(
        f"{id_}_change_48h",
        msg("{what}, last less first", what=of.label),
        of.unit,
        (found["last"], found["first"]),
        lambda last, first: float(last) - float(first),
        digits=of.digits,
    )


CHANGES = {
    id_: _change(id_)
    for id_ in (
        "gcs", "heart_rate", "bun", "creatinine", "platelets", "wbc", "lactate", "bicarbonate", "sodium", "hematocrit",
        "mean_pressure", "temperature",
    )
}  # fmt: skip


def _shock_index(rate: float | None, cuff: float | None, line: float | None) -> float | None:
    """Heart rate over the lower of two systolic pressures; None without a rate or a pressure."""
    pressures = [pressure for pressure in (cuff, line) if pressure]
    return rate / min(pressures) if rate is not None and pressures else None


SHOCK_INDEX = Derived(
    "shock_index_48h",
    msg("Heart rate over systolic pressure, last"),
    "1",
    (_series("heart_rate")["last"], _series("sbp")["last"], _series("arterial_sbp")["last"]),
    _shock_index,
    digits=2,
    partial=True,
)
BUN_TO_CREATININE = Derived(
    "bun_to_creatinine_48h",
    msg("Urea nitrogen over creatinine, last"),
    "1",
    (_series("bun")["last"], _series("creatinine")["last"]),
    lambda bun, creatinine: bun / creatinine if creatinine else None,
    digits=1,
)
_POINTED = (
    "heart_rate", "mean_pressure", "temperature", "respiratory_rate", "wbc", "creatinine", "bun", "sodium", "albumin",
    "bilirubin", "glucose", "oxygenation", "arterial_ph",
)  # fmt: skip


def _of(id_: str, *statistics: str) -> tuple[Aggregate | Derived, ...]:
    if id_ == "oxygenation":
        return tuple(OXYGENATION[("first", "last").index(s)] for s in statistics if s in ("first", "last"))
    found = _series(id_)
    return tuple(found[s] for s in statistics if s in found)


_ONE = {s: {id_: _of(id_, s) for id_ in _POINTED} for s in ("first", "last")}
POINTS = (
    physiology_points.points(
        "physiology_first_48h", msg("Acute physiology, points of the first values"), _ONE["first"]
    ),
    physiology_points.points("physiology_last_48h", msg("Acute physiology, points of the last values"), _ONE["last"]),
    physiology_points.points(
        "physiology_worst_48h",
        msg("Acute physiology, points of the worst values"),
        {id_: _of(id_, "lowest", "highest", "first", "last") for id_ in _POINTED},
    ),
    physiology_points.points(
        "physiology_coma_48h",
        msg("Acute physiology with the coma scale, points of the last values"),
        _ONE["last"],
        _series("gcs")["last"],
    ),
)
