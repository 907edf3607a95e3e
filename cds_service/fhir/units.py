"""UCUM units: read, compared by dimension and converted; what cannot be read is never guessed.

A small reader of UCUM terms (prefix, atom, exponent, `.` and `/`, annotations in braces) over the atoms that
clinical data use. Libraries were considered: pint with ucumvert takes half a second to import and some
50 us a conversion, and guesses at spellings; this takes 10 us the first time and a dictionary look-up after.
Not implemented on purpose: `eq` (equivalents) is a dimension of its own, because its size depends on the
charge of the ion; `[IU]` likewise, because it depends on the substance. Source: ucum.org/ucum (version 2.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from cds_service.fhir.codes import UCUM, canonical_system
from cds_service.fhir.resources import Quantity
from cds_service.fhir.unit_spellings import ucum_term

Dimension = tuple[int, int, int, int, int, int, int]  # metre, gram, second, kelvin, mole, equivalent, [IU]

_NONE: Dimension = (0, 0, 0, 0, 0, 0, 0)
_LENGTH: Dimension = (1, 0, 0, 0, 0, 0, 0)
_MASS: Dimension = (0, 1, 0, 0, 0, 0, 0)
_TIME: Dimension = (0, 0, 1, 0, 0, 0, 0)
_HEAT: Dimension = (0, 0, 0, 1, 0, 0, 0)
_AMOUNT: Dimension = (0, 0, 0, 0, 1, 0, 0)
_EQUIVALENT: Dimension = (0, 0, 0, 0, 0, 1, 0)
_ARBITRARY: Dimension = (0, 0, 0, 0, 0, 0, 1)
_VOLUME: Dimension = (3, 0, 0, 0, 0, 0, 0)
_PRESSURE: Dimension = (-1, 1, -2, 0, 0, 0, 0)
_CATALYSIS: Dimension = (0, 0, -1, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as factor and offset to base units (value * factor + offset), and its dimension."""

    factor: float
    dimension: Dimension
    offset: float = 0.0


# Atoms that take prefixes, and those that do not; factors in m, g, s, K, mol.
_METRIC: dict[str, Unit] = {
    "m": Unit(1.0, _LENGTH),
    "g": Unit(1.0, _MASS),
    "s": Unit(1.0, _TIME),
    "K": Unit(1.0, _HEAT),
    "mol": Unit(1.0, _AMOUNT),
    "eq": Unit(1.0, _EQUIVALENT),
    "[IU]": Unit(1.0, _ARBITRARY),
    "[iU]": Unit(1.0, _ARBITRARY),
    "L": Unit(1e-3, _VOLUME),
    "l": Unit(1e-3, _VOLUME),
    "Pa": Unit(1e3, _PRESSURE),
    "bar": Unit(1e8, _PRESSURE),
    "m[Hg]": Unit(133322000.0, _PRESSURE),  # UCUM: 133.3220 kPa
    "U": Unit(1e-6 / 60.0, _CATALYSIS),  # umol/min
    "kat": Unit(1.0, _CATALYSIS),
    "Cel": Unit(1.0, _HEAT, 273.15),
}
_PLAIN: dict[str, Unit] = {
    "%": Unit(1e-2, _NONE),
    "[ppth]": Unit(1e-3, _NONE),
    "min": Unit(60.0, _TIME),
    "h": Unit(3600.0, _TIME),
    "d": Unit(86400.0, _TIME),
    "wk": Unit(604800.0, _TIME),
    "mo": Unit(2629800.0, _TIME),
    "a": Unit(31557600.0, _TIME),
    "[lb_av]": Unit(453.59237, _MASS),
    "[oz_av]": Unit(28.349523125, _MASS),
    "[in_i]": Unit(0.0254, _LENGTH),
    "[ft_i]": Unit(0.3048, _LENGTH),
    "[degF]": Unit(5.0 / 9.0, _HEAT, 459.67 * 5.0 / 9.0),
    "g%": Unit(1e4, (-3, 1, 0, 0, 0, 0, 0)),  # g/dL
}
_PREFIXES = {
    "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9,
    "p": 1e-12, "f": 1e-15,
}  # fmt: skip

_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_ALONE = re.compile(r"(^|[./])\{[!-z|~]*\}")  # an annotation in place of a unit counts as 1
_COMPONENT = re.compile(r"(10[*^]|[^0-9]+?|[0-9]+)([+-]?[0-9]{1,2})?$")
_OPERATOR = re.compile(r"([./])")
_SMALLEST = 1e-60  # no unit of a living thing is smaller; keeps made-up ones from becoming zero or infinite


def unit_of(quantity: Quantity) -> Unit | None:
    """The unit of a quantity, or None if it is missing, unknown, or code and text name different kinds."""
    return _resolved(quantity.system, quantity.code, quantity.unit)


@lru_cache(maxsize=2048)
def _resolved(system: str | None, code: str | None, text: str | None) -> Unit | None:
    """A code counts if its system is UCUM or none is named; a text beside it must not contradict it."""
    named = canonical_system(system)
    stated = None
    if code and named == UCUM:
        stated = read(code) or _spelled(code, as_code=True)
        if stated is None:
            return None
    elif code and named is None:
        stated = _spelled(code, as_code=True) or read(code)
    if not text or (text == code and stated is not None):
        return stated
    shown = _spelled(text, as_code=False) or read(text)
    if stated is None:
        return shown
    return stated if shown is None or same(shown, stated) else None


def written(text: str) -> Unit | None:
    """A unit as a record writes it: a UCUM term, or one of the spellings of people; None if it is neither."""
    return read(text) or _spelled(text, as_code=False)


def same(one: Unit, other: Unit) -> bool:
    """True if the two are the same unit, whatever they are called (10*3/uL and 10*9/L)."""
    close = abs(one.factor - other.factor) <= 1e-9 * abs(other.factor)
    return close and one.dimension == other.dimension and one.offset == other.offset


def _spelled(text: str, *, as_code: bool) -> Unit | None:
    term = ucum_term(text, as_code=as_code)
    return read(term) if term is not None else None


@lru_cache(maxsize=2048)
def read(term: str) -> Unit | None:
    """A UCUM term as a unit, or None if it is not one that we know.

    Case-sensitive, as UCUM is; annotations count as 1: `mL/min/{1.73_m2}` is a volume over time.
    """
    if not term or len(term) > 40:
        return None
    plain = _ANNOTATION.sub("", _ALONE.sub(r"\g<1>1", term))
    return _PLAIN.get(plain) or _METRIC.get(plain) or _product(plain)


def _product(term: str) -> Unit | None:
    factor, dimension, sign = 1.0, _NONE, 1
    pieces = _OPERATOR.split(term.removeprefix("/"))
    if term.startswith("/"):
        sign = -1
    for piece in pieces:
        if piece in (".", "/"):
            sign = -1 if piece == "/" else 1
        else:
            part = _component(piece)
            if part is None or part.offset:
                return None
            factor *= part.factor**sign
            dimension = _plus(dimension, part.dimension, sign)
    return Unit(factor, dimension) if _SMALLEST < factor < 1.0 / _SMALLEST else None


def _component(piece: str) -> Unit | None:
    found = _COMPONENT.match(piece)
    if found is None:
        return None
    name, exponent = found.group(1), int(found.group(2) or 1)
    if name in ("10*", "10^"):
        return Unit(10.0**exponent, _NONE) if abs(exponent) <= 24 else None
    if name.isdecimal():
        return Unit(float(name), _NONE) if 0 < int(name) < 10**9 and found.group(2) is None else None
    atom = _atom(name)
    if atom is None or (atom.offset and exponent != 1) or abs(exponent) > 4:
        return None
    return Unit(atom.factor**exponent, _plus(_NONE, atom.dimension, exponent), atom.offset)


def _atom(name: str) -> Unit | None:
    if name in _METRIC:
        return _METRIC[name]
    if name in _PLAIN:
        return _PLAIN[name]
    for prefix, power in _PREFIXES.items():
        if name.startswith(prefix):
            base = _METRIC.get(name[len(prefix) :])
            if base is not None and not base.offset:
                return Unit(power * base.factor, base.dimension)
    return None


def _plus(one: Dimension, other: Dimension, times: int) -> Dimension:
    a, b, c, d, e, f, g = (x + times * y for x, y in zip(one, other, strict=True))
    return a, b, c, d, e, f, g


def conversion(source: Unit, target: Unit) -> tuple[float, float] | None:
    """(factor, offset) from one unit to another, or None if they measure different things."""
    if source.dimension != target.dimension:
        return None
    return source.factor / target.factor, (source.offset - target.offset) / target.factor


def convert(value: float, source: str, target: str) -> float | None:
    """A value in UCUM unit `source` as a value in `target`, or None if a unit is unknown or of another kind."""
    one, other = read(source), read(target)
    found = conversion(one, other) if one is not None and other is not None else None
    return None if found is None else value * found[0] + found[1]
