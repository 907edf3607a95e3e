"""Whether a measurement is high, low or normal: by the laboratory, by its range, or by what nobody disputes."""

from __future__ import annotations

from cds_service.summary.amounts import as_unit
from cds_service.summary.evidence import Part

# Adult values that are surely low, surely normal and surely high; between them nothing is said without a range.
# Unit, low below, normal from, normal to, high above. Source: limits on which textbook ranges agree; HbA1c ADA 2025.
UNDISPUTED: dict[str, tuple[str, float, float, float, float]] = {
    "hba1c": ("%", 3.5, 4.0, 5.6, 6.4),
    "glucose": ("mg/dL", 60, 70, 99, 125),
    "creatinine": ("mg/dL", 0.4, 0.7, 1.0, 1.35),
    "egfr": ("mL/min/{1.73_m2}", 60, 90, 200, 999),
    "potassium": ("mmol/L", 3.4, 3.6, 5.0, 5.3),
    "sodium": ("mmol/L", 134, 136, 144, 146),
    "chloride": ("mmol/L", 95, 99, 105, 109),
    "calcium": ("mg/dL", 8.4, 8.8, 10.1, 10.6),
    "bun": ("mg/dL", 5, 8, 19, 24),
    "hemoglobin": ("g/dL", 11.5, 14.0, 15.5, 17.6),
    "wbc": ("10*3/uL", 3.9, 4.6, 10.0, 11.1),
    "platelet": ("10*3/uL", 145, 155, 395, 455),
    "cholesterol": ("mg/dL", 80, 120, 199, 239),
    "ldl": ("mg/dL", 10, 30, 99, 159),
    "hdl": ("mg/dL", 40, 60, 90, 200),
    "triglyceride": ("mg/dL", 10, 40, 149, 199),
    "bmi": ("kg/m2", 18.5, 18.5, 24.9, 29.9),
    "sbp": ("mm[Hg]", 89, 100, 119, 139),
    "dbp": ("mm[Hg]", 55, 60, 79, 89),
    "hr": ("/min", 50, 60, 99, 101),
    "rr": ("/min", 10, 12, 18, 21),
    "temp": ("Cel", 35.5, 36.2, 37.2, 37.9),
    "spo2": ("%", 92, 96, 100, 999),
    "albumin": ("g/dL", 3.3, 3.7, 4.9, 5.5),
    "lvef": ("%", 45, 55, 70, 80),
}
_HIGH, _LOW, _NORMAL, _ABNORMAL = {"H", "HH", "HU"}, {"L", "LL", "LU"}, {"N"}, {"A", "AA"}


def level_of(part: Part) -> str | None:
    """`high`, `low`, `normal`, `abnormal` or None where the record does not tell."""
    pressure = _pressure(part)
    if pressure is not None:
        return pressure
    flags = part.source.flags
    for codes, level in ((_HIGH, "high"), (_LOW, "low"), (_NORMAL, "normal"), (_ABNORMAL, "abnormal")):
        if flags & codes:
            return level
    value = next((a for a in part.amounts if a.path.startswith("value") and not a.comparator), None)
    if value is None:
        return None
    if len(part.source.limits) == 1:
        low, high = part.source.limits[0]
        if low is not None and value.value < low.value:
            return "low"
        if high is not None and value.value > high.value:
            return "high"
        return "normal"
    for term, (unit, below, lowest, highest, above) in UNDISPUTED.items():
        if f"#{term}" in part.affirmed:
            number = as_unit(unit, value, part.source.codes)
            if number is None or not (value.unit or "").strip():
                return None
            return (
                "low"
                if number < below
                else "high"
                if number > above
                else "normal"
                if lowest <= number <= highest
                else None
            )
    return None


def _pressure(part: Part) -> str | None:
    """The level of a blood pressure with both its components; None for anything else."""
    both = pressures(part)
    if both is None:
        return None
    top, low = both
    if top >= 140 or low >= 90:
        return "high"
    return "low" if top < 90 else "normal" if top < 120 and low < 80 else None


def pressures(part: Part) -> tuple[float, float] | None:
    """The systolic and diastolic value of a blood pressure with both; None for anything else."""
    top = next((a.value for p in part.siblings if "#sbp" in p.affirmed for a in p.amounts), None)
    low = next((a.value for p in part.siblings if "#dbp" in p.affirmed for a in p.amounts), None)
    return (top, low) if top is not None and low is not None and "#bp" in part.affirmed else None


def findings_of(part: Part) -> tuple[set[str], set[str]]:
    """What a result is by definition, and what it is not: fever from 38.0 degrees, hyponatremia below the range."""
    found: set[str] = set()
    ruled_out: set[str] = set()
    if part.kind.startswith("Medication") and "#aspirin" in part.affirmed:
        strengths = [n.value for n in part.numbers if n.unit == "mg"]
        return ({"#low_aspirin"} if strengths and max(strengths) <= _LOW_ASPIRIN_MG else set()), set()
    if part.kind != "Observation":
        return found, ruled_out
    for term, unit, limit, finding in _DEFINED:
        amount = next((a for a in part.amounts if a.unit), None) if term in part.affirmed else None
        value = as_unit(unit, amount, part.source.codes) if amount is not None else None
        if value is not None:
            (found if value >= limit else ruled_out).add(finding)
            if finding == "#fever" and value < _NO_FEVER:
                found.add("#afebrile")
            if finding == "#fever" and _NO_FEVER <= value < limit:
                ruled_out.discard("#fever")
    if "#oxygen_flow" in part.affirmed and [a.value for a in part.amounts] == [0.0]:
        found.add("#room_air")
    level = level_of(part)
    for term, of, finding in _BY_LEVEL:
        if term in part.affirmed and level is not None:
            (found if level == of else ruled_out).add(finding)
    return found, ruled_out - found


_NO_FEVER = 37.5
_LOW_ASPIRIN_MG = 100
# What a laboratory's high or low of one analyte is called.
_BY_LEVEL = (
    ("#sodium", "low", "#hyponatremia"), ("#sodium", "high", "#hypernatremia"),
    ("#potassium", "high", "#hyperkalemia"), ("#potassium", "low", "#hypokalemia"), ("#neut", "low", "#neutropenia"),
    ("#neut", "high", "#neutrophilia"), ("#wbc", "high", "#leukocytosis"), ("#wbc", "low", "#leukopenia"),
    ("#lymph", "low", "#lymphopenia"), ("#platelet", "low", "#thrombocytopenia"),
    ("#platelet", "high", "#thrombocytosis"), ("#albumin", "low", "#hypoalbuminemia"),
    ("#bp", "low", "#hypotension"), ("#hemoglobin", "low", "#anemia"), ("#uacr", "high", "#albuminuria"),
    ("#mcv", "normal", "#normocytic"), ("#mcv", "low", "#microcytic"), ("#mcv", "high", "#macrocytic"),
    ("#calcium", "low", "#hypocalcemia"), ("#calcium", "high", "#hypercalcemia"),
    ("#phosphate", "high", "#hyperphosphatemia"), ("#phosphate", "low", "#hypophosphatemia"),
    ("#magnesium", "low", "#hypomagnesemia"), ("#bilirubin", "high", "#hyperbilirubinemia"),
    ("#urate", "high", "#hyperuricemia"), ("#lactate", "high", "#hyperlactatemia"),
    ("#glucose", "high", "#hyperglycemia"), ("#glucose", "low", "#hypoglycemia"), ("#bun", "high", "#azotemia"),
    ("#triglyceride", "high", "#htg"), ("#ldl", "high", "#hlp"), ("#cholesterol", "high", "#hlp"),
)  # fmt: skip


# Adults: NEWS2 and SIRS limits of vital signs; obesity and overweight by WHO 2000; albuminuria by KDIGO 2024 (30 mg/g).
_DEFINED = (
    ("#temp", "Cel", 38.0, "#fever"),
    ("#hr", "/min", 100.01, "#tachycardia"),
    ("#rr", "/min", 20.01, "#tachypnea"),
    ("#bmi", "kg/m2", 30.0, "#obesity"),
    ("#uacr", "mg/g", 30.0, "#albuminuria"),
)
DERIVED = frozenset(finding for *_, finding in (*_BY_LEVEL, *_DEFINED))
