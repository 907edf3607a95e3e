"""The most of a medicine that an order itself allows in a day, and how many doses it counts."""

from __future__ import annotations

import re
from typing import Any

from cds_service.fhir import resources as fhir

_BEGINS = r"(?:\bmax(?:imum)?\b|\b(?:not|never) (?:to )?exceed|\bno(?:t take)? more than|最多|不超过|最大)"
_CLAUSE = re.compile(_BEGINS + r"(?:[^.;)。；]|\.(?=\d))*")
_STATED = re.compile(
    _BEGINS + r"[^.;\d]{0,30}(\d+(?:[.,]\d+)?)\s*(mg|g|毫克|克|tablet|tab|capsule|cap|片|粒)s?(?![a-z])"
    r"[^.;,。；]{0,20}?(?:day|daily|24|/ ?d\b|日|天)"
)
_COUNTED = re.compile(r"\b(?:x|times|for|total of)\s*(\d+|two|three|four)\s+doses?\b|共\s*(\d+)\s*次")
_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}")
_SPELT_TOO = re.compile(r"(\d)\s*\((?:half|one|two|three|four|five|six|eight|ten|twelve)\)")
_NUMBERS = {"two": 2, "three": 3, "four": 4}
_HOURS = {"h": 1.0, "d": 24.0, "wk": 168.0}


def number(text: str) -> float:
    """A number with a comma, of thousands ("1,000") or of tenths ("0,125")."""
    return float(text.replace(",", "") if _THOUSANDS.fullmatch(text) else text.replace(",", "."))


def once_told(text: str) -> str:
    """Words of a dosage without numbers that are spelt behind their figures, "3 (three) times", as many EHRs write."""
    return _SPELT_TOO.sub(r"\1", text)


def without_most(text: str) -> str:
    """Words of a dosage, in lower case, without the clause that says how much is the most."""
    return _CLAUSE.sub("", text)


def most_in_words(text: str) -> tuple[float, str] | None:
    """The most in a day that words in lower case allow, as a number and a unit, which may be tablets; None if none."""
    found = _STATED.search(text)
    return None if found is None else (number(found[1]), found[2])


def most_in_structure(dosage: fhir.Dosage) -> tuple[float, str] | None:
    """The same by `maxDosePerPeriod`, of R4 or R5: the lowest; its unit as the numerator has it."""
    periods = dosage.max_dose_per_period
    found = [one for period in (periods if isinstance(periods, list) else [periods]) if (one := _a_day(period))]
    return min(found) if len({unit for _, unit in found}) == 1 else None


def _a_day(period: Any) -> tuple[float, str] | None:
    most, of = (period.get("numerator"), period.get("denominator")) if isinstance(period, dict) else (None, None)
    if not isinstance(most, dict) or not isinstance(of, dict):
        return None
    amount, length, hours = most.get("value"), of.get("value"), _HOURS.get(str(of.get("code") or of.get("unit")))
    if hours is None or not isinstance(amount, int | float) or not isinstance(length, int | float):
        return None
    if amount <= 0 or length <= 0:
        return None
    return float(amount) * 24 / (float(length) * hours), str(most.get("code") or most.get("unit") or "").lower()


def doses_counted(row: fhir.MedicationRequest) -> int | None:
    """How many doses an order is for in all, by its timing or its words; None where it does not count them."""
    if len(row.dosage_instruction) != 1:
        return None
    dosage = row.dosage_instruction[0]
    repeat = dosage.timing.get("repeat") if isinstance(dosage.timing, dict) else None
    counted = (repeat.get("countMax") or repeat.get("count")) if isinstance(repeat, dict) else None
    if isinstance(counted, int) and counted > 0:
        return counted
    found = _COUNTED.search((dosage.text or "").lower())
    said = next(filter(None, found.groups()), "") if found is not None else ""
    return _NUMBERS.get(said) or (int(said) if said.isdecimal() else None)
