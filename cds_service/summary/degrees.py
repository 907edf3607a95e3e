"""How far a result lies beyond its limit: what may be called mild, moderate, severe or marked.

A word of degree is accepted where one published grading gives it. Source: CTCAE 5.0 (NCI 2017), grades 1 and 3;
Spasovski 2014 for sodium; UK Kidney Association 2020 for potassium. Other results: mild within a fifth of the limit,
marked from a third beyond it.
"""

from __future__ import annotations

from cds_service.summary.amounts import as_unit
from cds_service.summary.evidence import Part
from cds_service.summary.levels import UNDISPUTED, level_of, pressures

# Unit; mild down to, severe below; mild up to, severe above.
_GRADED: dict[str, tuple[str, float, float, float, float]] = {
    "sodium": ("mmol/L", 130, 125, 150, 155),
    "potassium": ("mmol/L", 3.0, 2.5, 5.9, 6.4),
    "hemoglobin": ("g/dL", 10, 8, 20, 99),
    "platelet": ("10*3/uL", 75, 50, 600, 1000),
    "albumin": ("g/dL", 3.0, 2.0, 6, 9),
    "calcium": ("mg/dL", 8.0, 7.0, 11.5, 13.5),
    "temp": ("Cel", 35, 32, 39, 40),
}
# Times the upper limit: mild up to, severe above.
_FOLD = {
    "creatinine": (1.5, 3.0), "bilirubin": (1.5, 3.0), "alt": (3.0, 5.0), "ast": (3.0, 5.0), "alp": (2.5, 5.0),
    "ggt": (2.5, 5.0),
}  # fmt: skip
_MILD_UP, _MILD_DOWN, _MARKED_UP, _MARKED_DOWN = 1.2, 0.8, 1.33, 0.67
_SLIGHT_CHANGE, _MARKED_CHANGE = 0.2, 0.15


def degrees(part: Part) -> set[str]:
    """What the distance of a measurement from its limit may be called; empty for a normal one or without a limit."""
    both = pressures(part)
    if both is not None:
        return _of_pressure(*both)
    level = level_of(part)
    value = next((a for a in part.amounts if a.path.startswith("value") and not a.comparator), None)
    if value is None or level not in ("high", "low") or part.kind != "Observation":
        return set()
    fold = _beyond(part, level)
    found = set() if fold is None else _relative(fold, level)
    for term, (unit, mild_low, severe_low, mild_high, severe_high) in _GRADED.items():
        number = as_unit(unit, value, part.source.codes) if f"#{term}" in part.affirmed and value.unit else None
        if number is not None:
            mild = number >= mild_low if level == "low" else number <= mild_high
            severe = number < severe_low if level == "low" else number > severe_high
            found = found - {"mild"} | {"mild" if mild else "severe" if severe else "moderate"}
    for term, (mild_to, severe_from) in _FOLD.items():
        if f"#{term}" in part.affirmed and level == "high" and fold is not None:
            found = found - {"mild"} | {"mild" if fold <= mild_to else "severe" if fold > severe_from else "moderate"}
    return found | ({"marked"} if "severe" in found else set())


def _of_pressure(top: float, low: float) -> set[str]:
    """Grades 1 to 3 of a raised blood pressure, as of the 2018 ESC/ESH guidelines."""
    if top >= 180 or low >= 110:
        return {"severe", "marked"}
    if top >= 160 or low >= 100:
        return {"moderate", "marked"}
    return {"mild"} if top >= 140 or low >= 90 else set()


def _relative(fold: float, level: str) -> set[str]:
    mild = fold <= _MILD_UP if level == "high" else fold >= _MILD_DOWN
    marked = fold >= _MARKED_UP if level == "high" else fold <= _MARKED_DOWN
    return ({"mild"} if mild else set()) | ({"marked"} if marked else set())


def _beyond(part: Part, level: str) -> float | None:
    """A value as a share of the limit that it passes; None without a limit."""
    value = next(a for a in part.amounts if a.path.startswith("value"))
    at = 0 if level == "low" else 1
    if len(part.source.limits) == 1:
        limit = part.source.limits[0][at]
        return value.value / limit.value if limit is not None and limit.value else None
    for term, (unit, low, _, _, high) in UNDISPUTED.items():
        number = as_unit(unit, value, part.source.codes) if f"#{term}" in part.affirmed and value.unit else None
        if number is not None:
            return number / (low if level == "low" else high)
    return None


def degree_fits(said: str, change: float) -> bool:
    """True if a relative change is what a word of degree calls it: slight, marked."""
    return abs(change) <= _SLIGHT_CHANGE if said == "slight" else abs(change) >= _MARKED_CHANGE
