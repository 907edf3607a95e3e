"""Numbers with units as sentences write them, and whether a recorded amount is the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.features.catalogue import all_features
from cds_service.features.feature import Quantity as Measured
from cds_service.fhir import units
from cds_service.fhir.codes import LOINC, UCUM
from cds_service.fhir.resources import Quantity
from cds_service.fhir.stated import Amount

_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_UNIT = re.compile(r"\s?-?([A-Za-z%°℃℉/][A-Za-z\d%°/^*.\[\]{}()]*(?: ?/ ?[A-Za-z\d.^]+)*)")
_AMBIGUOUS = frozenset(
    {"in", "a", "m", "s", "at", "to", "C", "F", "K", "d", "h", "ha", "fa", "Pa", "pm", "am", "g%", "as", "cd", "b", "x"}
)
_SPELLED = {
    "milligrams per deciliter": "mg/dL", "milligram per deciliter": "mg/dL", "milligrams per decilitre": "mg/dL",
    "mg per dl": "mg/dL", "grams per deciliter": "g/dL", "g per dl": "g/dL", "grams per decilitre": "g/dL",
    "millimoles per liter": "mmol/L", "millimoles per litre": "mmol/L", "mmol per liter": "mmol/L",
    "mmol per l": "mmol/L", "mmol per litre": "mmol/L", "micromoles per liter": "umol/L",
    "micromoles per litre": "umol/L", "umol per l": "umol/L", "mcmol/l": "umol/L",
    "milliequivalents per liter": "meq/L", "mm hg": "mm[Hg]", "mmhg": "mm[Hg]",
    "millimeters of mercury": "mm[Hg]", "millimetres of mercury": "mm[Hg]",
    "mg": "mg", "mg/ml": "mg/mL", "g": "g", "meq": "meq", "milligrams": "mg", "milligram": "mg", "micrograms": "ug", "microgram": "ug", "mcg": "ug", "grams": "g",
    "gram": "g", "kilograms": "kg", "kilogram": "kg", "kilos": "kg", "kgs": "kg", "milliliters": "mL",
    "milliliter": "mL", "millilitres": "mL", "millilitre": "mL", "ml": "mL", "liters": "L", "litres": "L",
    "liter": "L", "litre": "L", "liters per minute": "L/min", "litres per minute": "L/min",
    "units per ml": "[IU]/mL", "units per milliliter": "[IU]/mL", "unt/ml": "[IU]/mL", "units/ml": "[IU]/mL",
    "international units": "[IU]", "iu": "[IU]", "units": "[IU]", "unit": "[IU]",
    "percent": "%", "per cent": "%", "pounds": "[lb_av]", "lbs": "[lb_av]", "lb": "[lb_av]",
    "inches": "[in_i]", "centimeters": "cm", "centimetres": "cm", "meters": "m", "metres": "m", "millimeters": "mm",
    "beats per minute": "/min", "breaths per minute": "/min", "bpm": "/min", "beats/min": "/min", "/min": "/min",
    "breaths/min": "/min", "per minute": "/min", "times per minute": "/min", "beats a minute": "/min",
    "breaths a minute": "/min",
    "degrees celsius": "Cel", "degrees c": "Cel", "°c": "Cel", "celsius": "Cel", "℃": "Cel",
    "degrees fahrenheit": "[degF]", "degrees f": "[degF]", "°f": "[degF]", "fahrenheit": "[degF]", "℉": "[degF]",
    "ml/min/1.73 m2": "mL/min/{1.73_m2}", "ml/min/1.73m2": "mL/min/{1.73_m2}", "ml/min/1.73m^2": "mL/min/{1.73_m2}",
    "ml/min per 1.73 m2": "mL/min/{1.73_m2}", "ml/min/1.73": "mL/min/{1.73_m2}", "ml/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "ml per minute per 1.73 m2": "mL/min/{1.73_m2}", "ml/min/1.73 m^2": "mL/min/{1.73_m2}",
    "ml/min": "mL/min", "kg/m2": "kg/m2", "kg/m^2": "kg/m2", "kg per square meter": "kg/m2",
    "kg per square metre": "kg/m2", "kg/m²": "kg/m2",
    "毫克/分升": "mg/dL", "毫克每分升": "mg/dL", "克/分升": "g/dL", "克/升": "g/L", "克每升": "g/L", "毫摩尔/升": "mmol/L",
    "毫摩尔每升": "mmol/L", "毫摩/升": "mmol/L", "微摩尔/升": "umol/L", "微摩尔每升": "umol/L", "微摩/升": "umol/L",
    "毫米汞柱": "mm[Hg]", "毫克": "mg", "微克": "ug", "千克": "kg", "公斤": "kg", "克": "g", "毫升": "mL", "升": "L",
    "国际单位": "[IU]", "单位": "[IU]", "单位/升": "U/L", "厘米": "cm", "公分": "cm", "米": "m", "毫米": "mm", "次/分": "/min",
    "次/分钟": "/min", "次每分": "/min", "次每分钟": "/min", "摄氏度": "Cel", "度": "Cel", "千克/平方米": "kg/m2", "公斤/平方米": "kg/m2",
    "千克/米2": "kg/m2", "毫升/分/1.73平方米": "mL/min/{1.73_m2}", "毫升/分钟/1.73平方米": "mL/min/{1.73_m2}",
    "毫升/分钟/1.73m2": "mL/min/{1.73_m2}", "毫升/分/1.73m2": "mL/min/{1.73_m2}", "毫升/分钟": "mL/min", "毫克/克": "mg/g",
    "毫克/毫摩尔": "mg/mmol", "u/l": "U/L", "iu/l": "U/L", "units/l": "U/L", "units per liter": "U/L", "mg/g": "mg/g",
    "mg per g": "mg/g", "uiu/ml": "u[IU]/mL", "miu/ml": "m[IU]/mL", "miu/l": "m[IU]/L", "iu/ml": "[IU]/mL",
}  # fmt: skip
_SPELLED_ORDER = sorted(_SPELLED, key=len, reverse=True)
_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "hundred": 100, "half": 0.5, "twice": 2,
}  # fmt: skip
_WORD = re.compile(r"(?i)\b(" + "|".join(_WORDS) + r")\b(?:[- ](one|two|three|four|five|six|seven|eight|nine)\b)?")
_HAN = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "半": 0.5}
_HAN_NUMBER = re.compile(
    r"[二两三四五六七八九]?十[一二三四五六七八九]?(?=[种项次个剂片粒针岁年月周天条名])|[一二两三四五六七八九](?=[种项次个剂片粒针条])"
)
_UNITLESS = frozenset(
    {"", "1", "{score}", "{ratio}", "{inr}", "{#}", "{count}", "{t-score}", "[ph]", "{nominal}", "{index}", "score"}
)


_TALLEST = 2.6  # metres: `1.75 m` is a height, a lone m after a whole number may be anything
_POWER = re.compile(r"(?:\s?[x×*]\s?10\s?(?:\^|\*)?|\s10[\^*])\s?(3|6|9|12)\s?/\s?([uU]?[lL]|升|微升|mm3)")
_RAW = re.compile(r"[A-Za-z\[\]{}#]{1,12}/[A-Za-z]{1,8}")
_PRESSURE = re.compile(r"(\d{2,3})\s?/\s?(\d{2,3})(?![\d/]|\.\d)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a sentence. decimals: as written, for honest rounding. end: where it ends in the text."""

    value: float
    unit: str | None
    decimals: int
    end: int
    digits: int = 3
    worded: bool = False


def number_at(text: str, start: int) -> Number | None:
    """The number that begins at a place of a text, with its unit; None if none begins there."""
    match = None if start and text[start - 1].isalpha() and text[start - 1].isascii() else _NUMBER.match(text, start)
    if match is None:
        return _glued(text, start) or _in_words(text, start)
    plain = match.group().replace(",", "")
    whole, _, fraction = plain.partition(".")
    unit, end = _unit_at(text, match.end())
    if unit is None:
        unit, end = _degrees(text, match.end(), float(plain))
    if unit is None and fraction and re.match(r" ?m(?![\w/²^])", text[match.end() :]) and float(plain) < _TALLEST:
        unit, end = "m", match.end() + text[match.end() :].index("m") + 1
    digits = len((whole + fraction).lstrip("0")) if fraction else len(whole.rstrip("0")) or 1
    return Number(float(plain), unit, len(fraction), end, digits)


def pair_at(text: str, start: int) -> tuple[Number, Number] | None:
    """Two numbers written as one, `142/88`, each with the unit that follows; None if there are none."""
    match = _PRESSURE.match(text, start)
    if match is None:
        return None
    unit, end = _unit_at(text, match.end())
    one, other = (Number(float(match.group(n)), unit, 0, end) for n in (1, 2))
    return one, other


def _glued(text: str, start: int) -> Number | None:
    """A number glued to a word, as in `B12`: a number without a unit."""
    match = re.compile(r"\d+").match(text, start)
    return Number(float(match.group()), None, 0, match.end(), 3) if match is not None else None


def _in_words(text: str, start: int) -> Number | None:
    match = _WORD.match(text, start)
    if match is not None:
        value = float(_WORDS[match.group(1).lower()])
        if match.group(2):
            value += _WORDS[match.group(2).lower()]
        unit, end = _unit_at(text, match.end())
        return Number(value, unit, 0, end, 3, worded=True)
    match = _HAN_NUMBER.match(text, start)
    if match is None:
        return None
    tens, ten, ones = match.group().partition("十")
    value = float(_HAN.get(tens, 1) * 10 + _HAN.get(ones, 0)) if ten else float(_HAN[tens])
    return Number(value, None, 0, match.end(), 3, worded=True)


def _unit_at(text: str, at: int) -> tuple[str | None, int]:
    """The UCUM unit that follows a number, and where it ends."""
    power = _POWER.match(text, at)
    if power is not None:
        volume = {"ul": "uL", "升": "L", "微升": "uL", "mm3": "uL"}.get(power.group(2).lower(), "L")
        return f"10*{power.group(1)}/{volume}", power.end()
    gap = at + (1 if text[at : at + 1] in (" ", "-") else 0)
    rest = text[gap : gap + 40].lower()
    for spelled in _SPELLED_ORDER:
        if rest.startswith(spelled) and not _runs_on(rest, len(spelled)):
            return _SPELLED[spelled], gap + len(spelled)
    match = _UNIT.match(text, at)
    if match is None:
        return None, at
    shown = match.group(1).rstrip(".,;:)")
    if re.match(r"/\d", shown):
        return None, at
    twice = re.fullmatch(r"([a-zA-Z]+)/(\d+)", shown)
    if twice is not None and re.match(rf" ?{twice[1]}(?![A-Za-z])", text[match.start(1) + len(shown) :]):
        shown = twice[1]  # 10 mg/10 mg: two strengths
    while shown:
        if shown not in _AMBIGUOUS and _known(shown):
            return shown, match.start(1) + len(shown)
        if shown == match.group(1) and _RAW.fullmatch(shown):
            return shown, match.end(1)  # not known; compared with the record's own as it is written
        shown = re.sub(r"(?:[/*^.(]?[^/*^.(]+|[/*^.(]+)$", "", shown)
    return None, at


def _degrees(text: str, at: int, value: float) -> tuple[str | None, int]:
    """`39.2 C` is a temperature, though a lone C may be anything else."""
    match = re.compile(r"\s?([CF])(?![\w/])").match(text, at)
    if match is None or not (30 <= value <= 45 if match.group(1) == "C" else 85 <= value <= 115):
        return None, at
    return ("Cel" if match.group(1) == "C" else "[degF]"), match.end()


def _runs_on(rest: str, length: int) -> bool:
    following = rest[length : length + 1]
    if rest[length - 1] in "升度米克" and following and following in "至高到为了低数":
        return True
    return (
        rest[length - 1].isascii()
        and rest[length - 1].isalpha()
        and following.isascii()
        and (following.isalpha() or following == "/")
    )


def _known(text: str) -> bool:
    return _unit(text) is not None


@lru_cache(maxsize=1024)
def _unit(text: str) -> units.Unit | None:
    found = units.unit_of(Quantity(unit=text)) or units.unit_of(Quantity(system=UCUM, code=text))
    return found or units.read(_SPELLED.get(text.lower(), ""))


def agrees(number: Number, amount: Amount, codes: Iterable[tuple[str, str]], *, about: bool = False) -> bool:
    """True if a number of a sentence is a recorded amount, converted and honestly rounded.

    codes: of the resource, for analytes whose mass and amount convert. about: the sentence says that it is not exact.
    """
    if amount.comparator:
        return False
    return any(_rounds(number, value, about) for value in _values(number.unit, amount, codes))


def as_unit(unit: str | None, amount: Amount, codes: Iterable[tuple[str, str]]) -> float | None:
    """A recorded amount in the unit of a sentence; as recorded if the sentence has none; None if it is of another kind."""
    return next(iter(_values(unit, amount, codes)), None)


def _values(unit: str | None, amount: Amount, codes: Iterable[tuple[str, str]]) -> list[float]:
    if unit is None:
        return [amount.value]
    recorded = (amount.unit or "").strip()
    if recorded.lower() in _UNITLESS:
        return []
    if recorded == unit:
        return [amount.value]
    source, target = _unit(recorded), _unit(unit)
    if source is None or target is None:
        return [amount.value] if recorded.casefold().replace(" ", "") == unit.casefold().replace(" ", "") else []
    if units.same(source, target):
        return [amount.value]
    if source.dimension == target.dimension and any(source.dimension):
        found = units.conversion(source, target)
        return [amount.value * found[0] + found[1]] if found is not None else []
    return _by_analyte(amount.value, recorded, unit, codes)


def _by_analyte(value: float, recorded: str, wanted: str, codes: Iterable[tuple[str, str]]) -> list[float]:
    for system, code in codes:
        feature = _MEASURED.get(code) if system == LOINC else None
        if feature is None:
            continue
        here, there = _to_feature(recorded, feature), _to_feature(wanted, feature)
        if here is not None and there is not None:
            return [(value * here[0] + here[1] - there[1]) / there[0]]
    return []


def _to_feature(unit: str, feature: Measured) -> tuple[float, float] | None:
    """(factor, offset) from a unit to the feature's own."""
    known: Mapping[str, tuple[float, float]] = {feature.unit: (1.0, 0.0), **feature.conversions}
    own = _unit(unit)
    for name, pair in known.items():
        other = _unit(name)
        if own is not None and other is not None and units.same(own, other):
            return pair
        if own is not None and other is not None and own.dimension == other.dimension and any(own.dimension):
            found = units.conversion(own, other)
            if found is not None:
                return found[0] * pair[0], found[1] * pair[0] + pair[1]
    return None


_MEASURED = {code: f for f in reversed(all_features()) if isinstance(f, Measured) for code in f.codes}


def _rounds(number: Number, value: float, about: bool) -> bool:
    """True if the sentence's number is the value, or the value rounded to what the sentence shows of it.

    One digit alone is no rounding of a longer value unless the sentence says "about".
    """
    if abs(number.value - value) <= 1e-9 * max(1.0, abs(value)):
        return True
    step = 10.0**-number.decimals
    close = abs(number.value - value) <= 0.5 * step * (1 + 1e-9)
    shown = len(f"{number.value:.{number.decimals}f}".replace(".", "").lstrip("0"))
    if about:
        far = 0.015 if number.unit in ("Cel", "[degF]", "%") else 0.05  # a degree or a per cent is much
        return close or abs(number.value - value) <= far * abs(value)
    return close and (shown >= 2 or (number.decimals > 0 and abs(number.value - value) <= 0.05 * abs(value)))
