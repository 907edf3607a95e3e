"""Values of inputs in words: numbers with their units, ages, answers, as a clinician reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import floor

from cds_service.features.aggregate import Aggregate
from cds_service.features.discharge import AtDischarge
from cds_service.features.earlier_stays import EarlierStays
from cds_service.features.feature import Demographic, Derived, FeatureValue, FirstOf, LowestRatio, Quantity
from cds_service.features.latest import LIMIT
from cds_service.features.si import holds_si, in_si
from cds_service.features.stays import OfStay
from cds_service.language import InUnits, Message, msg, signed

INFANT = 2  # years, below which an age is told in months
PRINTED_UNITS = {  # UCUM -> as printed for people; a unit that is not here is printed as it is
    "mm[Hg]": "mmHg",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "kg/m2": "kg/m²",
    "[lb_av]": "lb",
    "[oz_av]": "oz",
    "[in_i]": "in",
    "[ft_i]": "ft",
    "Cel": "°C",
    "[degF]": "°F",
    "10*3/uL": "×10³/µL",
    "10*9/L": "×10⁹/L",
    "10*6/uL": "×10⁶/µL",
    "10*12/L": "×10¹²/L",
    "umol/L": "µmol/L",
    "a": "years",
    "d": "days",
    "1": "",
    "": "",
}

_SPANS = {  # units that are words: of one, and of several
    "a": (msg("{count} year").text, msg("{count} years").text),
    "mo": (msg("{count} month").text, msg("{count} months").text),
    "d": (msg("{count} day").text, msg("{count} days").text),
}
_ANNOTATION = re.compile(r"\{[^{}]*\}")

Numeric = Quantity | Derived | FirstOf | LowestRatio | Aggregate
_NUMBERS = (Quantity, Derived, FirstOf, LowestRatio, Aggregate)
_YES = msg("yes")
_NO = msg("no")
_NO_FROM_LIST = msg("no (not listed)")


def printed_unit(unit: str) -> str:
    """A UCUM unit as people write it, e.g. `mm[Hg]` -> `mmHg`; nothing for what is a note alone, as `{INR}`."""
    return "" if unit[:1] == "{" and _ANNOTATION.fullmatch(unit) else PRINTED_UNITS.get(unit, unit)


def in_words(found: FeatureValue, answers: Mapping[str, Message] | None = None) -> Message:
    """A feature's value with its unit, as a clinician reads it.

    answers: word of a coded feature -> its message, e.g. `current` -> "current smoker".
    """
    value, feature = found.value, found.feature
    if isinstance(value, bool):
        return _YES if value else (_NO_FROM_LIST if found.inferred else _NO)
    if isinstance(value, str):
        return (answers or {}).get(value) or msg("{text}", text=msg(value))
    if isinstance(feature, Demographic):
        return age(float(value))
    if isinstance(feature, _NUMBERS):
        shown = measured(feature, float(value), found.stated)
        limit = found.note is not None and found.note.text == LIMIT.text
        return msg("{sign}{value}", sign=found.note.values["sign"], value=shown) if limit and found.note else shown
    if isinstance(feature, OfStay | AtDischarge | EarlierStays):
        return with_unit(float(value), feature.unit, 0)
    return msg("{value}", value=float(value))


def age(years: float) -> Message:
    """An age as a clinician says it: in days in the first month, in months below two years."""
    if years >= INFANT:
        return msg("{age} years", age=floor(years))
    months = floor(years * 12)
    unit, count = ("mo", months) if months else ("d", floor(years * 365.25))
    one, several = _SPANS[unit]
    return msg(one if count == 1 else several, count=count)


def measured(feature: Numeric, value: float, stated: str | None = None) -> Message:
    """A value of a feature with its unit, and in SI for those who read it so. stated: the unit of the record's own."""
    plain = with_unit(value, feature.unit, feature.digits)
    other = in_si(feature, value)
    if other is None:
        return plain
    return msg("{value}", value=InUnits(plain, with_unit(*other), holds_si(other[1], stated)))


def with_unit(value: float, unit: str, digits: int) -> Message:
    """A number with its unit, as a clinician reads it; `unit` in UCUM."""
    number, printed = signed(f"{value:.{digits}f}"), printed_unit(unit)
    if unit in _SPANS:
        one, several = _SPANS[unit]
        told = one if number == "1" else several
        return msg(told, count=number)
    if printed == "%":
        return msg("{value}%", value=number)
    return msg("{value} {unit}", value=number, unit=printed) if printed else msg("{value}", value=number)


def percent(probability: float) -> str:
    """A probability (0-1) as printed on cards: percent with one decimal, without the sign."""
    return f"{100.0 * probability:.1f}"


def whole_years(age: FeatureValue) -> int:
    """Completed years of age: what a published score means by age."""
    return floor(float(age.value))
