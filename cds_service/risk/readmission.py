"""What the model of readmission asks of a record, and how the columns of its source data give the same.

Source data: Diabetes 130-US hospitals, UCI 296. Codes of admission and discharge are those of its IDs_mapping.csv.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds_service.features import catalogue as c
from cds_service.features import diagnosis_groups, discharge, earlier_stays
from cds_service.features.feature import Feature
from cds_service.risk.table import Across, CellError, Computed, Made

FEATURES: tuple[Feature, ...] = (
    c.AGE,
    c.SEX,
    c.ADMISSIONS_YEAR,
    discharge.EMERGENCY_YEAR,
    discharge.OUTPATIENT_YEAR,
    c.STAY_DAYS,
    discharge.ADMISSION_PRIORITY,
    discharge.ADMISSION_SOURCE,
    discharge.DISPOSITION,
    discharge.DIAGNOSES,
    discharge.MEDICINES,
    discharge.PROCEDURES,
    discharge.HBA1C_OF_STAY,
    discharge.INSULIN,
    c.METFORMIN,
    discharge.SULFONYLUREA,
    discharge.GLITAZONE,
    discharge.DIABETES_MEDICINES,
    *diagnosis_groups.GROUPS,
    *earlier_stays.FEATURES,
)
DIABETES_CODES = tuple(group.id for group in diagnosis_groups.GROUPS if group.id.startswith("dx_diabetes"))
DIAGNOSES = ("diag_1", "diag_2", "diag_3")
_DOSES = ("No", "Steady", "Up", "Down")
_SULFONYLUREAS = (
    "chlorpropamide", "glimepiride", "acetohexamide", "glipizide", "glyburide", "tolbutamide", "tolazamide",
    "glyburide-metformin", "glipizide-metformin", "glimepiride-pioglitazone",
)  # fmt: skip
_GLITAZONES = ("pioglitazone", "rosiglitazone", "troglitazone", "glimepiride-pioglitazone", "metformin-rosiglitazone",
               "metformin-pioglitazone")  # fmt: skip
_METFORMINS = ("metformin", "glyburide-metformin", "glipizide-metformin", "metformin-rosiglitazone",
               "metformin-pioglitazone")  # fmt: skip


def _diagnoses(cells: Sequence[str]) -> Mapping[str, str]:
    """Group id -> degree, from the three diagnoses; the first is the principal one."""
    found: list[tuple[str, ...]] = []
    for name, cell in zip(DIAGNOSES, cells, strict=True):
        if cell in ("?", ""):
            found.append(())
            continue
        try:
            found.append(diagnosis_groups.of_icd9(cell))
        except ValueError as error:
            raise CellError(name, f"{error}, or ?") from error
    return diagnosis_groups.degrees(found[0], (*found[1], *found[2]))


def _taken(name: str, columns: tuple[str, ...]) -> Made:
    """A column that says whether any of some medicines was given."""

    def compute(cells: Sequence[str]) -> Mapping[str, str]:
        for column, cell in zip(columns, cells, strict=True):
            if cell not in (*_DOSES, "?", ""):
                raise CellError(column, "No, Steady, Up or Down")
        return {name: "yes" if any(cell in _DOSES[1:] for cell in cells) else "no"}

    return Made((name,), columns, compute)


_OTHERS = ("repaglinide", "nateglinide", "acarbose", "miglitol")
_KINDS = "kinds of diabetes medicine"


def _kinds(cells: Sequence[str]) -> Mapping[str, str]:
    """How many of insulin, metformin, sulfonylureas, glitazones and others were given."""
    given = {name for name, cell in zip(_EVERY, cells, strict=True) if cell in _DOSES[1:]}
    kinds = (("insulin",), _METFORMINS, _SULFONYLUREAS, _GLITAZONES, _OTHERS)
    return {_KINDS: str(sum(not given.isdisjoint(kind) for kind in kinds))}


_EVERY = tuple(dict.fromkeys(("insulin", *_METFORMINS, *_SULFONYLUREAS, *_GLITAZONES, *_OTHERS)))

_PATIENT, _STAY = "patient_nbr", "encounter_id"
_LENGTH, _ADMISSIONS = "time_in_hospital", "number_inpatient"
EARLIER = tuple(feature.id for feature in earlier_stays.FEATURES)


def _earlier(rows: Sequence[Sequence[str]]) -> Sequence[Mapping[str, str]]:
    """What the same table tells of each patient's earlier stays; the numbers of stays grow with time.

    Later rows are never looked at. In a table that has one stay of each patient nothing is known of earlier ones.
    """
    found: list[dict[str, str]] = [{} for _ in rows]
    by_patient: dict[str, list[int]] = {}
    for position, (patient, stay, _, _) in enumerate(rows):
        if patient not in ("", "?") and stay.isdecimal():
            by_patient.setdefault(patient, []).append(position)
    if all(len(positions) < 2 for positions in by_patient.values()):
        return found
    for positions in by_patient.values():
        days: list[float] = []
        previous: tuple[str, ...] = ("", "")
        for position in sorted(positions, key=lambda p: int(rows[p][1])):
            length, admissions = rows[position][2], rows[position][3]
            known = (str(len(days)), f"{sum(days):g}", *previous)
            found[position] = dict(zip(EARLIER, known, strict=True))
            days.append(float(length) if length.isdecimal() else 0.0)
            previous = tuple(cell if cell.isdecimal() else "" for cell in (length, admissions))
    return found


MADE: tuple[Computed, ...] = (
    Across(EARLIER, (_PATIENT, _STAY, _LENGTH, _ADMISSIONS), _earlier),
    Made(tuple(group.id for group in diagnosis_groups.GROUPS), DIAGNOSES, _diagnoses),
    _taken("any metformin", _METFORMINS),
    _taken("any sulfonylurea", _SULFONYLUREAS),
    _taken("any glitazone", _GLITAZONES),
    Made((_KINDS,), _EVERY, _kinds),
)
