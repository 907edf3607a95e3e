"""Values in SI units: for records and sites that have creatinine in umol/L. Models keep their own units throughout.

A molar unit is the one that the feature itself converts from, so that what is shown is exactly what was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from cds_service.features.feature import Derived, Feature, FirstOf, Quantity
from cds_service.fhir import units

# Conventional unit -> SI unit, and decimals beside those of the feature; molar ones count where the feature knows them.
_MOLAR: Mapping[str, tuple[tuple[str, int], ...]] = MappingProxyType(
    {
        "mg/dL": (("umol/L", 0), ("mmol/L", 1)),
        "%": (("mmol/mol", 0),),
        "mg/g": (("mg/mmol", 1),),
    }
)
_PLAIN: Mapping[str, tuple[str, int]] = MappingProxyType({"g/dL": ("g/L", 0)})


def holds_si(unit: str, stated: str | None) -> bool:
    """True if a record's own unit of a measurement is the SI unit (UCUM) in which it could be shown."""
    return stated is not None and _same(unit, stated)


@lru_cache(maxsize=1024)
def _same(unit: str, stated: str) -> bool:
    one, other = units.read(unit), units.written(stated)
    return one is not None and other is not None and units.same(one, other)


def in_si(feature: Feature, value: float) -> tuple[float, str, int] | None:
    """The value in SI, its UCUM unit and the decimals to show; None where the feature's unit is the one used there."""
    measured = _measured(feature)
    if measured is None:
        return None
    for unit, digits in _MOLAR.get(measured.unit, ()):
        if unit in measured.conversions:
            factor, offset = measured.conversions[unit]
            return (value - offset) / factor, unit, digits
    if measured.unit in _PLAIN:
        unit, digits = _PLAIN[measured.unit]
        converted = units.convert(value, measured.unit, unit)
        return None if converted is None else (converted, unit, digits)
    return None


def _measured(feature: Feature) -> Quantity | None:
    """The measurement whose conversions hold: of a difference of two alike (non-HDL), either."""
    if isinstance(feature, Quantity):
        return feature
    parts = feature.alternatives if isinstance(feature, FirstOf) else ()
    if isinstance(feature, Derived) and all(isinstance(part, Quantity) for part in feature.inputs):
        parts = tuple(part for part in feature.inputs if getattr(part, "unit", None) == feature.unit)
        parts = parts if len(parts) == len(feature.inputs) else ()
    alike = [part for part in parts if isinstance(part, Quantity)]
    return alike[0] if alike else None
