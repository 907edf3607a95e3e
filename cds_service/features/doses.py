"""How much of a medicine a patient takes a day, as far as the words of its entry tell: strength, tablets, times.

Anything that leaves a doubt gives None: a dose that is guessed is worse than one that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import msgspec

from cds_service.features.courses import bounded, follow
from cds_service.features.dose_most import most_in_structure, most_in_words, number, once_told, without_most
from cds_service.features.feature import MedicationFeature
from cds_service.features.medicines_on_record import prescriptions
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord

_STRENGTH = r"\D{0,40}?(\d+(?:[.,]\d+)?)\s*(mg|g|mcg|ug|µg|μg)\b"
_UNITS = {"mg": 1.0, "g": 1000.0, "毫克": 1.0, "克": 1000.0, "mcg": 0.001, "ug": 0.001, "µg": 0.001, "μg": 0.001}
_TIMES: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern), times)
    for pattern, times in (
        (r"\b(?:every 4 hours|q4h)\b|每4小时", 6.0),
        (r"\b(?:four times|4 times|4x|qid|q\.i\.d|qds|every 6 hours|q6h)\b|[每一]?[日天] ?[四4] ?次|每6小时", 4.0),
        (r"\b(?:three times|3 times|3x|tid|t\.i\.d|tds|every 8 hours|q8h|with each meal)\b", 3.0),
        (r"[每一]?[日天] ?[三3] ?次|[三3] ?次/[日天]|每8小时", 3.0),
        (r"[每一]?[日天] ?[两二2] ?次|[两二2] ?次/[日天]|每12小时", 2.0),
        (r"[每一]?[日天] ?[一1] ?次|[一1] ?次/[日天]|每[晚晨早]|睡前", 1.0),
        (r"\b(?:twice|two times|2 times|2x|bid|b\.i\.d|bd|every 12 hours|q12h|morning and (?:evening|night))\b", 2.0),
        (
            r"\b(?:once|daily|qd|od|every (?:day|morning|evening|night)|at (?:night|bedtime)|with (?:supper|dinner))\b",
            1.0,
        ),
    )
)
_TABLETS = re.compile(r"\b(\d+(?:[.,]\d+)?|one|two|three|half(?: a)?)\s+(?:tablet|tab|capsule|cap)s?\b")
_NUMBERS = {"one": 1.0, "two": 2.0, "three": 3.0, "half": 0.5, "half a": 0.5}
_AT_A_TIME = re.compile(r"(?<!\d)(\d+(?:[.,]\d+)?)\s*(mg|g|mcg|ug|µg|μg)\b")
_PER = re.compile(r"(?:mg|mcg|ug|µg|μg|\dg|\d g)\s*/\s*(?!dose)")  # kilogram, hour or millilitre: no amount at a time
_SOLUTION = re.compile(r"(?:mg|g|mcg|ug|µg|μg)\s*/\s*(?:\d+(?:\.\d+)?\s*)?ml\b")
_RANGE = re.compile(r"(\d)\s*(?:to|or|至|到)\s*(\d)")
_PIECE = re.compile(r"(?:\{?(?:tablet|tab|capsule|cap|tbl|pill)s?\}?|1)")
_ONCE = re.compile(r"\b(?:single dose|one dose|one[- ]time|as a single|stat(?: dose)?|once only)\b|单次|一次性|顿服")
_SELDOM = re.compile(
    r"\bweek|\bwkly|每周|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\bother day|\balternate"
    r"|\bmonth|\byear|every (?:\d+|two|three) days|q(?:48|72)h|every (?:48|72) hours|隔日|隔天|每月|每年"
)
_LASTS = re.compile(
    r"\b(?:for|x|during)\s*(?:the )?(?:next |first )?(?:\d+|one|two|three|six)(?:\s*-\s*\d+)?"
    r"\s*(?:days?|weeks?|wks?|months?|years?)\b"
)
_IF_NEEDED = re.compile(r"(?i)\b(?:as needed|if needed|prn|p\.r\.n\.?)\b[^,.;]*|(?:必要时|需要时|按需)[^，。；]*")
_DOUBT = re.compile(
    r"\b(?:as needed|prn|or|to|then|increase|taper|and (?:\d+|one|two|three|half))\b"
    r"|或|必要时|需要时|按需|逐渐|然后|加量|减量"
)
# In Chinese, where the name of the table's ingredient does not stand before the strength: "0.5g", "每次2片".
_HAN = re.compile(r"[\u4e00-\u9fff]")
_AMOUNT = re.compile(r"(?<![\d,])(\d+(?:\.\d+)?)\s*(mg|g|毫克|克)(?![a-z])")
_PIECES = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?|[半一二两三])\s*[片粒](?![装/])")
_CHINESE_NUMBERS = {"半": 0.5, "一": 1.0, "二": 2.0, "两": 2.0, "三": 3.0}


def daily_mg(record: PatientRecord, feature: MedicationFeature) -> float | None:
    """The daily dose in mg over all current entries, or None if any of them does not tell it."""
    total = 0.0
    for words, dosage in prescriptions(record, feature):
        dose = _daily(words.lower(), dosage.lower(), feature.names)
        if dose is None:
            return None
        total += dose
    return total or None


def drafted_daily_mg(row: fhir.MedicationRequest, words: str, feature: MedicationFeature) -> float | None:
    """The highest daily dose in mg that a draft asks for, from its structured dosage or its words; None in doubt."""
    return planned_daily_mg(row.dosage_instruction, words, feature.names)


def planned_daily_mg(dosages: Sequence[fhir.Dosage], words: str, names: Sequence[str]) -> float | None:
    """As `dosed_daily_mg`; of several dosages that follow each other by their bounds (a taper), the highest."""
    if len(dosages) < 2:
        return dosed_daily_mg(dosages, words, names)
    doses = [dosed_daily_mg([dosage], words, names) for dosage in dosages]
    known = [dose for dose in doses if dose is not None]
    one_by_one = all(follow(one, other) for one, other in combinations(map(bounded, dosages), 2))
    return max(known) if one_by_one and len(known) == len(doses) else None


def highest_daily_mg(dosages: Sequence[fhir.Dosage], words: str, names: Sequence[str]) -> float | None:
    """As `planned_daily_mg`, with what is taken where it is needed counted in full, and of "1 to 2 tablets" two: the
    most that may be taken, but no more than the order itself allows in a day."""
    whole = [
        msgspec.structs.replace(
            dosage,
            text=_RANGE.sub(r"\1-\2", _IF_NEEDED.sub("", dosage.text)) if dosage.text else dosage.text,
            as_needed_boolean=None,
            as_needed_codeable_concept=None,
            as_needed=None,
        )
        for dosage in dosages
    ]
    dose = planned_daily_mg(whole, words, names)
    allowed = [most for dosage in dosages if (most := _allowed_mg(dosage, words.lower(), names)) is not None]
    return min(dose, *allowed) if dose is not None and len(allowed) == len(dosages) == 1 else dose


def _allowed_mg(dosage: fhir.Dosage, words: str, names: Sequence[str]) -> float | None:
    """The most in mg that an order itself allows in a day."""
    found = (most_in_structure(dosage), most_in_words((dosage.text or "").lower()))
    known = [mg for most in found if most is not None and (mg := _in_mg(*most, words, names)) is not None]
    return min(known, default=None)


def dosed_daily_mg(dosages: Sequence[fhir.Dosage], words: str, names: Sequence[str]) -> float | None:
    """The daily dose in mg of a medicine with one dosage, from its structure or its words; None in doubt.

    words: of the medicine. names: of the ingredient whose strength counts.
    """
    if len(dosages) != 1 or dosages[0].if_needed:
        return None
    structured = _structured(dosages[0], words.lower(), names)
    return structured if structured is not None else _daily(words.lower(), (dosages[0].text or "").lower(), names)


def given_once(row: fhir.MedicationRequest) -> bool:
    """True if an order is for one dose alone."""
    if len(row.dosage_instruction) != 1:
        return False
    dosage = row.dosage_instruction[0]
    repeat = dosage.timing.get("repeat") if isinstance(dosage.timing, dict) else None
    if isinstance(repeat, dict) and repeat.get("count") == 1:
        return True
    return not repeat and _ONCE.search((dosage.text or "").lower()) is not None


def is_if_needed(text: str) -> bool:
    """True if the words of a dosage say that it is taken where it is needed."""
    return _IF_NEEDED.search(text) is not None


def times_a_day(row: fhir.MedicationRequest) -> float | None:
    """How often a day an order is given, from its timing or its words; None where it does not say or leaves a doubt."""
    if len(row.dosage_instruction) != 1:
        return None
    dosage = row.dosage_instruction[0]
    structured = _times_a_day(dosage.timing)
    words = _LASTS.sub("", once_told((dosage.text or "").lower()))
    if structured is not None or _SELDOM.search(words) or _DOUBT.search(words):
        return structured
    return next((times for pattern, times in _TIMES if pattern.search(words)), None)


def _structured(dosage: fhir.Dosage, words: str, names: Sequence[str]) -> float | None:
    """mg a day from `doseQuantity` and `timing.repeat`, in mg, g or tablets of a strength that the name tells."""
    each, times = _each_mg(dosage.dose_and_rate, words, names), _times_a_day(dosage.timing)
    return None if each is None or times is None else each * times


def _each_mg(given: Any, words: str, names: Sequence[str]) -> float | None:
    first = given[0] if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict) else {}
    between = first.get("doseRange")
    quantity = between.get("high") if isinstance(between, dict) else first.get("doseQuantity")
    if not isinstance(quantity, dict):
        return None
    value = quantity.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    unit = str(quantity.get("code") or quantity.get("unit") or "").strip().lower()
    return _in_mg(float(value), unit, words, names)


def _in_mg(value: float, unit: str, words: str, names: Sequence[str]) -> float | None:
    """An amount in mg, or in pieces of the one strength that the name tells."""
    if unit in _UNITS:
        return value * _UNITS[unit]
    if _PIECE.fullmatch(unit):
        strengths = _strengths(words, names)
        return strengths.pop() * value if len(strengths) == 1 else None
    return None


def _strengths(words: str, names: Sequence[str]) -> set[float]:
    return {_mg(*found) for name in names for found in re.findall(re.escape(name) + _STRENGTH, words)}


def _times_a_day(timing: Any) -> float | None:
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    if not isinstance(repeat, dict):
        return None
    frequency, period = _positive(repeat.get("frequency", 1)), _positive(repeat.get("period"))
    hours = {"h": 1.0, "d": 24.0, "wk": 168.0}.get(str(repeat.get("periodUnit")))
    if frequency is None or period is None or hours is None:
        return None
    return 24.0 * frequency / (period * hours)


def _positive(number: Any) -> float | None:
    known = isinstance(number, int | float) and not isinstance(number, bool) and number > 0
    return float(number) if known else None


def _daily(words: str, dosage: str, names: Sequence[str]) -> float | None:
    dosage = _LASTS.sub("", without_most(once_told(dosage)))
    strengths = _strengths(words, names)
    times = next((times for pattern, times in _TIMES if pattern.search(dosage)), None)
    if times is None or _DOUBT.search(dosage) or _SELDOM.search(dosage):
        return None
    if not strengths and _HAN.search(words):
        each = _chinese_dose(words, dosage)
    else:
        each = _at_a_time(words, dosage, strengths)
    return each * times if each is not None else None


def _at_a_time(words: str, dosage: str, strengths: set[float]) -> float | None:
    """mg at a time: as the dosage states it, else tablets of the product's one strength; None in doubt."""
    tablets = _TABLETS.findall(dosage)
    if len(tablets) > 1 or len(strengths) > 1 or _PER.search(dosage):
        return None
    pieces = (_NUMBERS.get(tablets[0]) or number(tablets[0])) if tablets else 1.0
    strength = next(iter(strengths), None)
    stated = {_mg(*found) for found in _AT_A_TIME.findall(dosage)}
    if stated and len(_AT_A_TIME.findall(words)) <= 1:  # of a combination it is not told of which drug
        one = stated.pop() if len(stated) == 1 else None
        if not tablets:
            return one
        return strength * pieces if strength is not None and one in (strength, strength * pieces) else None
    if strength is None or _SOLUTION.search(words):
        return None
    return strength * pieces


def _chinese_dose(words: str, dosage: str) -> float | None:
    """mg at a time: as the dosage says, else pieces of the product's one strength; None in doubt."""
    stated = {_mg(*found) for found in _AMOUNT.findall(dosage)}
    strengths = {_mg(*found) for found in _AMOUNT.findall(words)}
    pieces = {_CHINESE_NUMBERS.get(found) or float(found) for found in _PIECES.findall(dosage)}
    if len(stated) == 1 and not pieces:
        return stated.pop()
    if stated or len(strengths) != 1 or len(pieces) > 1:
        return None
    return strengths.pop() * (pieces.pop() if pieces else 1.0)


def _mg(amount: str, unit: str) -> float:
    return number(amount) * _UNITS[unit]
