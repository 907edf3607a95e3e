"""How people and laboratory systems write units, as terms of UCUM: only what can mean one thing.

What differs in form alone is brought to one form (spaces, the two signs for micro, superscripts, `x10E3`, `mcg`, a
small l for litre, capitals throughout); words and abbreviations stand in a table. What could mean two things is left
out: `ug FEU/mL`, `IU/mL`, `Mg/dL`, `103/uL`.
Source: ucum.org/ucum (version 2.1), whose second column has the terms in capitals.
"""

from __future__ import annotations

import re

_SPELLINGS = {
    "mmHg": "mm[Hg]", "mmhg": "mm[Hg]", "mm[hg]": "mm[Hg]", "torr": "mm[Hg]", "毫米汞柱": "mm[Hg]",
    "bpm": "/min", "BPM": "/min", "beats/min": "/min", "beats/minute": "/min", "beats/min.": "/min",
    "beatsperminute": "/min", "breathsperminute": "/min", "perminute": "/min", "次/分": "/min", "次/分钟": "/min",
    "次/min": "/min", "breaths/min": "/min", "breaths/minute": "/min", "br/min": "/min", "permin": "/min",
    "1/min": "/min", "/minute": "/min", "min-1": "/min", "resp/min": "/min", "/MIN": "/min",
    "°C": "Cel", "degC": "Cel", "C": "Cel", "Celsius": "Cel", "degreesCelsius": "Cel", "DegC": "Cel",
    "degreesC": "Cel", "DegreesC": "Cel", "摄氏度": "Cel",
    "°F": "[degF]", "degF": "[degF]", "F": "[degF]", "Fahrenheit": "[degF]", "DegF": "[degF]",
    "degreesFahrenheit": "[degF]", "degreesF": "[degF]", "DegreesF": "[degF]",
    "lb": "[lb_av]", "lbs": "[lb_av]", "pound": "[lb_av]", "pounds": "[lb_av]", "lb_av": "[lb_av]",
    "Kg": "kg", "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "公斤": "kg", "千克": "kg", "oz": "[oz_av]",
    "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", "in_i": "[in_i]", "ft": "[ft_i]",
    "centimeter": "cm", "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "cms": "cm", "厘米": "cm",
    "kg/m^2": "kg/m2", "kg/m*2": "kg/m2", "Kg/m2": "kg/m2", "kg/sqm": "kg/m2",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "Seconds": "s", "秒": "s",
    "mm/hr": "mm/h", "mm/hour": "mm/h",
    "mg%": "mg/dL", "mgs/dL": "mg/dL", "mg/100mL": "mg/dL", "gm/dL": "g/dL", "gms/dL": "g/dL", "G/dL": "g/dL",
    "G/DL": "g/dL",
    "mM": "mmol/L", "uM": "umol/L", "mEq/L": "meq/L",
    "IU/L": "U/L", "iu/L": "U/L", "units/L": "U/L", "Units/L": "U/L", "u/L": "U/L", "[U]/L": "U/L", "[iU]/L": "U/L",
    "[IU]/L": "U/L",
    "percent": "%", "Percent": "%", "pct": "%", "%sat": "%", "%Hb": "%", "%ofHb": "%", "%(NGSP)": "%",
    "K/cumm": "10*3/uL", "K/mm3": "10*3/uL", "K/uL": "10*3/uL", "k/uL": "10*3/uL", "K/UL": "10*3/uL",
    "thou/uL": "10*3/uL", "Thousand/uL": "10*3/uL", "thousand/uL": "10*3/uL", "10*3/cmm": "10*3/uL",
    "10*3/UL": "10*3/uL",
    "/cmm": "/uL", "/cumm": "/uL", "cells/uL": "/uL",
    "G/L": "10*9/L", "Gpt/L": "10*9/L", "giga/L": "10*9/L",
    "M/uL": "10*6/uL", "m/uL": "10*6/uL", "million/uL": "10*6/uL", "Million/uL": "10*6/uL", "mil/uL": "10*6/uL",
    "M/mm3": "10*6/uL", "10*6/UL": "10*6/uL", "T/L": "10*12/L", "Tpt/L": "10*12/L",
    "mL/min/1.73m2": "mL/min/{1.73_m2}", "mL/min/1.73m^2": "mL/min/{1.73_m2}", "mL/min/1.73": "mL/min/{1.73_m2}",
    "mL/min/{1.73m2}": "mL/min/{1.73_m2}", "mL/min/1.73sqm": "mL/min/{1.73_m2}", "mL/min/{1.73}": "mL/min/{1.73_m2}",
    "mL/minper1.73m2": "mL/min/{1.73_m2}", "mL/(min.1.73m2)": "mL/min/{1.73_m2}",
    "mL/(min*1.73m2)": "mL/min/{1.73_m2}", "ML/MIN/1.73M2": "mL/min/{1.73_m2}",
    "fl": "fL", "femtoliter": "fL", "lpm": "L/min", "LPM": "L/min", "L/m": "L/min", "liters/min": "L/min",
    "#": "{#}", "INR": "{INR}", "ratio": "{ratio}", "mg/gCr": "mg/g", "mg/gcreat": "mg/g", "mg/gcreatinine": "mg/g",
    "ug/mgcreat": "ug/mg", "mg/mmolcreat": "mg/mmol", "mg/mmolCr": "mg/mmol",
}  # fmt: skip

# Units of another kind in UCUM (coulomb, farad, kelvin a microlitre ...): right as a text, wrong as a UCUM code.
_ONLY_AS_TEXT = frozenset({"C", "F", "G/L", "M/uL", "m/uL", "T/L", "u/L", "K/uL", "L/m", "mM"})

# UCUM's terms in capitals, for texts that have no small letter. G is left out: `G/L` counts cells.
_CAPITALS = {
    "MG": "mg", "UG": "ug", "MCG": "ug", "NG": "ng", "PG": "pg", "GM": "g", "KG": "kg", "L": "L", "DL": "dL",
    "ML": "mL", "UL": "uL", "FL": "fL", "MMOL": "mmol", "UMOL": "umol", "NMOL": "nmol", "PMOL": "pmol", "MEQ": "meq",
    "U": "U", "CM": "cm", "MM": "mm", "M2": "m2", "MMHG": "mm[Hg]", "KPA": "kPa", "MIN": "min", "HR": "h", "SEC": "s",
}  # fmt: skip

_SIGNS = str.maketrans({"µ": "u", "μ": "u", "×": "x", "·": ".", "％": "%", "℃": "°C", "℉": "°F", "㎡": "m2"})
_TEN = re.compile(r"[xX*.]?10(?:(?:\*\*|[*^eE])([0-9]{1,2})|\(([0-9]{1,2})\)|([⁰¹²³⁴-⁹]{1,2}))(?=/)")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_RAISED_LETTER = re.compile(r"(?<=[a-z])[²³]")  # m², mm³; a raised digit behind a number is a power
_MICRO = re.compile(r"(?<![A-Za-z])mc(?=(?:g|L|l|mol)\b)")
_LITRE = re.compile(r"(?:(?<=/)|^)([dmu]?)l(?![A-Za-z])")


def ucum_term(text: str, *, as_code: bool) -> str | None:
    """The UCUM term for a unit that is written otherwise, or None if it could mean anything else.

    as_code: the text stands where a UCUM code belongs, so that what is UCUM for another unit stays that.
    """
    close = "".join(text.split())
    if as_code and close in _ONLY_AS_TEXT:
        return None
    plain = _one_form(close)
    known = _SPELLINGS.get(plain) or _from_capitals(plain)
    return known or (plain if plain != text else None)


def _one_form(text: str) -> str:
    """A text without spaces in the form in which the table has it."""
    text = text.translate(_SIGNS)
    ten = _TEN.match(text)
    if ten is not None:
        power = (ten.group(1) or ten.group(2) or ten.group(3)).translate(_RAISED)
        text = f"10*{power}{text[ten.end() :]}"
    text = _RAISED_LETTER.sub(lambda found: found.group().translate(_RAISED), text)
    return _LITRE.sub(r"\g<1>L", _MICRO.sub("u", text))


def _from_capitals(text: str) -> str | None:
    parts = [_CAPITALS.get(part) for part in text.split("/")]
    return "/".join(part for part in parts if part) if None not in parts else None
